//! `SELECT JSON`.

use crate::error::Result;
use crate::wide_column::bind::Bound;
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::value::{Receiver, serialized};
use crate::wide_column::read::json;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// The same rows as one column of text, an object each.
pub(super) fn as_json(answer: Answer) -> Result<Answer> {
    let Answer { columns, rows, .. } = answer;
    let row = |values: Vec<CqlValue>| {
        let field = |((name, cql_type), value): (&(String, CqlType), &CqlValue)| {
            let bytes = match serialized(value, Receiver::new(name, cql_type))? {
                Bound::Value(bytes) => Some(bytes),
                Bound::Null | Bound::Unset => None,
            };
            Ok((name.clone(), bytes))
        };
        let fields = columns.iter().zip(&values).map(field).collect::<Result<Vec<_>>>()?;
        let mut text = String::new();
        let fields = columns.iter().zip(fields);
        json::object(&mut text, fields.map(|((_, cql_type), (name, bytes))| Ok((shown(&name), cql_type, bytes))))?;
        Ok(vec![CqlValue::Text(text)])
    };
    let rows = rows.into_iter().map(row).collect::<Result<_>>()?;
    Ok(Answer { columns: vec![("[json]".to_owned(), CqlType::Text)].into(), rows, ..Answer::default() })
}

/// The name of a column as that of a field: one that has capitals is in quotes of its own.
fn shown(name: &str) -> String {
    let is_plain = !name.chars().any(|c| c.is_uppercase() || c.is_control() || matches!(c, '"' | '\\'));
    if is_plain { format!("\"{name}\"") } else { json::column_name(name) }
}
