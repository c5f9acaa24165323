//! `$fill`: null and missing fields get the value before them, one between their neighbours, or one that is computed.
//!
//! It is `$setWindowFields` with `$locf` and `$linearFill`, and `$addFields` for values.
//!
//! # Source
//! MongoDB manual: `$fill`, Comparison of `$fill` and Aggregation Operators.

use bson::{Bson, Document, doc};

use super::window::Windows;
use crate::document::code::Code;
use crate::document::expression::{Expression, Names};
use crate::document::path::{FieldPath, For};
use crate::document::projection::Projection;
use crate::error::Result;

/// What a `$fill` is made of.
#[derive(Debug)]
pub(super) struct Fill {
    /// Fields that are filled from the rows around.
    pub(super) windows: Option<Windows>,
    /// Fields that get a value.
    pub(super) values: Option<Projection>,
}

impl Fill {
    /// Compiles `{partitionBy | partitionByFields, sortBy, output}`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error) for an argument that is missing, unknown or of a type that it does not take.
    pub(super) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let Bson::Document(options) = argument else {
            return Err(Code::FAILED_TO_PARSE.wrong_type("$fill takes an object"));
        };
        let known = ["partitionBy", "partitionByFields", "sortBy", "output"];
        if let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Code::UNKNOWN_FIELD.syntax(format!("$fill has no argument {unknown:?}")));
        }
        let outputs = match options.get("output") {
            Some(Bson::Document(outputs)) => outputs,
            Some(_) => return Err(Code::TYPE_MISMATCH.wrong_type("output of $fill is an object")),
            None => return Err(Code::MISSING_FIELD.syntax("$fill needs \"output\"")),
        };
        let (mut windows, mut values) = (Document::new(), Document::new());
        for (path, output) in outputs {
            FieldPath::parse(path, For::Expression)?;
            let reference = format!("${path}");
            match how(path, output)? {
                How::Value(value) => {
                    values.insert(path, doc! { "$ifNull": [reference, value.clone()] });
                }
                How::Method(function) => {
                    windows.insert(path, doc! { function: reference });
                }
            }
        }
        let partitions = partitions(options, names)?;
        let needs_sort = !windows.is_empty() && !options.contains_key("sortBy");
        if needs_sort {
            return Err(Code::FAILED_TO_PARSE.syntax("$fill needs \"sortBy\" for a method"));
        }
        let windows = (!windows.is_empty()).then(|| {
            let mut text = doc! { "output": windows };
            if let Some(order) = options.get("sortBy") {
                text.insert("sortBy", order.clone());
            }
            Windows::compile(&text.into(), names).map(|windows| windows.partitioned_by(partitions))
        });
        let values = (!values.is_empty()).then(|| Projection::compile_addition(&values, names));
        Ok(Self { windows: windows.transpose()?, values: values.transpose()? })
    }
}

/// How a field is filled.
enum How<'t> {
    Value(&'t Bson),
    /// By a window function.
    Method(&'static str),
}

fn how<'t>(path: &str, output: &'t Bson) -> Result<How<'t>> {
    let Bson::Document(output) = output else {
        return Err(Code::TYPE_MISMATCH.wrong_type(format!("the output {path:?} of $fill is an object")));
    };
    let mut entries = output.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) if key == "value" => Ok(How::Value(value)),
        (Some((key, method)), None) if key == "method" => match method {
            Bson::String(method) if method == "locf" => Ok(How::Method("$locf")),
            Bson::String(method) if method == "linear" => Ok(How::Method("$linearFill")),
            Bson::String(method) => Err(Code::FAILED_TO_PARSE.value(format!("$fill has no method {method:?}"))),
            _ => Err(Code::TYPE_MISMATCH.wrong_type("a method of $fill is a text")),
        },
        _ => Err(Code::FAILED_TO_PARSE.syntax(format!("the output {path:?} of $fill has either a value or a method"))),
    }
}

/// What tells the partitions of rows apart.
fn partitions(options: &Document, names: &Names) -> Result<Vec<Expression>> {
    match (options.get("partitionBy"), options.get("partitionByFields")) {
        (Some(_), Some(_)) => Err(Code::FAILED_TO_PARSE.syntax("$fill takes either partitionBy or partitionByFields")),
        (Some(text @ (Bson::Document(_) | Bson::String(_))), None) => Ok(vec![Expression::compile(text, names)?]),
        (Some(_), None) => Err(Code::TYPE_MISMATCH.wrong_type("partitionBy of $fill is a path or an expression")),
        (None, Some(fields)) => fields_of("$fill", fields)?
            .iter()
            .map(|path| Expression::compile(&Bson::from(format!("${}", path.as_str())), names))
            .collect(),
        (None, None) => Ok(Vec::new()),
    }
}

/// The paths of `partitionByFields`.
pub(super) fn fields_of(stage: &str, fields: &Bson) -> Result<Vec<FieldPath>> {
    let Bson::Array(fields) = fields else {
        return Err(Code::TYPE_MISMATCH.wrong_type(format!("partitionByFields of {stage} is an array of paths")));
    };
    let path = |field: &Bson| match field {
        Bson::String(path) if path.starts_with('$') => {
            Err(Code::FAILED_TO_PARSE.syntax(format!("the path {path:?} of {stage} begins with a dollar sign")))
        }
        Bson::String(path) => FieldPath::parse(path, For::Expression),
        _ => Err(Code::TYPE_MISMATCH.wrong_type(format!("partitionByFields of {stage} is an array of paths"))),
    };
    fields.iter().map(path).collect()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, doc};

    use crate::document::Code;
    use crate::{Result, Store};

    fn fill(documents: Vec<Document>, argument: Document) -> Result<Vec<Document>> {
        let stages = [doc! { "$documents": documents }, doc! { "$fill": argument }];
        Store::in_memory().database("test").aggregate(stages)?.collect()
    }

    #[test]
    fn null_and_missing_get_the_value_before_one_between_or_a_computed_one() {
        let rows = vec![
            doc! { "t": 1, "n": 1, "s": "a" },
            doc! { "t": 3, "n": Bson::Null },
            doc! { "t": 5, "n": 9, "s": "b" },
        ];
        let output =
            doc! { "n": { "method": "linear" }, "s": { "method": "locf" }, "v": { "value": { "$add": ["$t", 1] } } };
        let filled = fill(rows, doc! { "sortBy": { "t": 1 }, "output": output }).unwrap();
        assert_eq!(
            filled,
            [
                doc! { "t": 1, "n": 1, "s": "a", "v": 2 },
                doc! { "t": 3, "n": 5.0, "s": "a", "v": 4 },
                doc! { "t": 5, "n": 9, "s": "b", "v": 6 },
            ]
        );
    }

    #[test]
    fn partitions_are_by_an_expression_or_by_fields_and_each_is_filled_by_itself() {
        let rows = || {
            vec![
                doc! { "p": 1, "q": { "r": 1 }, "t": 1, "s": "a" },
                doc! { "p": 1, "q": { "r": 1 }, "t": 2 },
                doc! { "p": 1, "q": { "r": 2 }, "t": 3 },
            ]
        };
        let by = |name: &str, value: Bson| {
            let mut argument = doc! { "sortBy": { "t": 1 }, "output": { "s": { "method": "locf" } } };
            argument.insert(name, value);
            let filled = fill(rows(), argument).unwrap();
            filled.iter().map(|row| row.get("s").cloned().unwrap_or(Bson::Null)).collect::<Vec<_>>()
        };
        let (a, none) = (Bson::from("a"), Bson::Null);
        let of_fields = by("partitionByFields", vec!["p", "q.r"].into());
        assert_eq!(of_fields, [a.clone(), a.clone(), none]);
        assert_eq!(by("partitionBy", "$p".into()), [a.clone(), a.clone(), a]);
    }

    #[test]
    fn arguments_are_checked() {
        let code = |argument: Document| Code::of(&fill(vec![doc! {}], argument).unwrap_err()).unwrap().number();
        let output = doc! { "s": { "method": "locf" } };
        assert_eq!(code(doc! {}), 40_414);
        assert_eq!(code(doc! { "output": &output, "nosuch": 1 }), 40_415);
        assert_eq!(code(doc! { "output": 1 }), 14);
        assert_eq!(code(doc! { "output": &output }), 9, "without an order");
        let by_both = doc! { "sortBy": { "t": 1 }, "output": &output, "partitionBy": "$a", "partitionByFields": ["a"] };
        assert_eq!(code(by_both), 9);
        for wrong in [doc! { "method": "nosuch" }, doc! { "value": 1, "method": "locf" }, doc! {}, doc! { "other": 1 }]
        {
            assert_eq!(code(doc! { "sortBy": { "t": 1 }, "output": { "s": wrong } }), 9);
        }
        let dollar = doc! { "sortBy": { "t": 1 }, "output": output, "partitionByFields": ["$a"] };
        assert_eq!(code(dollar), 9);
    }
}
