//! Items as CSV has them: a line of names, and under it lines of strings.
//!
//! # Source
//! `DynamoDB` Developer Guide, *Amazon S3 import formats for DynamoDB*, *CSV*.

use std::io::BufRead;

use crate::error::{Error, Result};
use crate::item::schema::{KeyAttribute, ScalarAttributeType};
use crate::item::transfer::lines::{Lines, check_line};
use crate::item::{AttributeValue, Item, RequestFault};

/// What is between the fields of a file.
const DELIMITERS: [char; 6] = [',', '\t', ':', ';', '|', ' '];

/// How often a record is read anew because a quote was open at the end of a line.
const ATTEMPTS_MAX: usize = 100;

/// The delimiter that is asked for.
///
/// # Errors
/// For one that the service does not take.
pub(super) fn delimiter(asked: Option<&str>) -> Result<char> {
    let Some(asked) = asked else { return Ok(',') };
    let mut chars = asked.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) if DELIMITERS.contains(&char) => Ok(char),
        _ => Err(RequestFault::other(format!("Invalid CSV delimiter: {asked:?}"))),
    }
}

/// The fields of the next record, which may go over several lines where there are quotes; `None` at the end.
///
/// # Errors
/// For a record that is too long, and for what is no text.
pub(super) fn next(lines: &mut Lines<impl BufRead>, delimiter: char) -> Result<Option<Vec<String>>> {
    let Some(mut text) = lines.next_text()? else { return Ok(None) };
    for _ in 0..ATTEMPTS_MAX {
        if let Ok(fields) = fields(&text, delimiter) {
            return Ok(Some(fields));
        }
        // A line without a quote closes none.
        let mut has_quote = false;
        while !has_quote {
            let Some(more) = lines.next_text()? else {
                return Err(invalid("a quote is not closed"));
            };
            check_line(text.len().saturating_add(more.len()))?;
            text.push('\n');
            text.push_str(&more);
            has_quote = more.contains('"');
        }
    }
    Err(invalid("too many of its lines have quotes"))
}

/// A quote that is not closed.
struct Open;

fn fields(text: &str, delimiter: char) -> Result<Vec<String>, Open> {
    let mut fields = Vec::new();
    let (mut field, mut is_quoted) = (String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            char if char == delimiter && !is_quoted => fields.push(std::mem::take(&mut field)),
            char => field.push(char),
        }
    }
    if is_quoted {
        return Err(Open);
    }
    fields.push(field);
    Ok(fields)
}

/// The item of a record: strings, but for what the table and its indexes have in their keys.
///
/// # Errors
/// For another number of fields than there are names, and for a key that its field does not give.
pub(super) fn item_of(names: &[String], fields: Vec<String>, keys: &[KeyAttribute]) -> Result<Item> {
    if fields.len() != names.len() {
        return Err(invalid(format!("it has {} fields instead of {}", fields.len(), names.len())));
    }
    let attributes = names.iter().zip(fields).filter(|(_, field)| !field.is_empty());
    let attributes = attributes.map(|(name, field)| {
        let key_type = keys.iter().find(|key| key.name == *name).map(|key| key.key_type);
        let value = match key_type {
            Some(ScalarAttributeType::N) => AttributeValue::N(field.parse()?),
            Some(ScalarAttributeType::B) => AttributeValue::B(super::json::bytes(&field)?),
            _ => AttributeValue::S(field.into()),
        };
        Ok((name.clone(), value))
    });
    attributes.collect()
}

fn invalid(problem: impl std::fmt::Display) -> Error {
    RequestFault::other(format!("The line is no record of CSV: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let mut lines = Lines::new(text.as_bytes());
        std::iter::from_fn(|| next(&mut lines, ',').unwrap()).collect()
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_ends_of_lines() {
        assert_eq!(all("a,b\r\n1,\n"), [["a", "b"], ["1", ""]]);
        assert_eq!(all("\"a,b\",\"say \"\"hi\"\"\"\n\"one\ntwo\",x"), [["a,b", "say \"hi\""], ["one\ntwo", "x"]]);
        let mut open = Lines::new("\"a\nb".as_bytes());
        assert!(next(&mut open, ',').is_err());
    }

    #[test]
    fn fields_are_strings_unless_they_are_keys() {
        let keys = [KeyAttribute { name: "id".into(), key_type: ScalarAttributeType::N }];
        let names = ["id", "age", "none"].map(str::to_owned);
        let item = item_of(&names, ["7", "8", ""].map(str::to_owned).into(), &keys).unwrap();
        assert_eq!(item, Item::from([("id", 7)]).with("age", "8"));
        assert!(item_of(&names, ["x", "8", ""].map(str::to_owned).into(), &keys).is_err());
        assert!(item_of(&names, vec!["7".to_owned()], &keys).is_err());
    }
}
