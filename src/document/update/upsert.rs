//! The document that an upsert begins with.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::error::Result;

/// The fields that every document has that matches `filter`: those it compares for equality, at the top, in `$and`, and in an
/// `$or`, `$in` or `$all` of one (SEM: DOC-UPD-8). The filter has been compiled, which bounds how deep it nests.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the filter compares a path twice, or a path and a prefix of it.
pub(in crate::document) fn seed(filter: &Document) -> Result<Document> {
    let mut equalities = Vec::new();
    collect(filter, &mut equalities);
    document(&equalities)
}

/// As [`seed`], but no more than the `_id`: the rest of a replacement comes from itself.
///
/// # Errors
/// As [`seed`].
pub(in crate::document) fn seed_id(filter: &Document) -> Result<Document> {
    let mut equalities = Vec::new();
    collect(filter, &mut equalities);
    equalities.retain(|(path, _)| path.split('.').next() == Some("_id"));
    document(&equalities)
}

fn document(equalities: &[(&str, &Bson)]) -> Result<Document> {
    let (mut document, mut seen) = (Document::new(), BTreeSet::new());
    for (path, value) in equalities {
        let mut prefixes = path.match_indices('.').filter_map(|(dot, _)| path.get(..dot));
        if prefixes.any(|prefix| seen.contains(prefix)) || !insert(&mut document, path, value) {
            let message = format!("what {path:?} is in the new document is not clear: the filter compares it twice");
            return Err(Code::NOT_SINGLE_VALUE_FIELD.value(message));
        }
        seen.insert(*path);
    }
    Ok(document)
}

fn collect<'f>(filter: &'f Document, equalities: &mut Vec<(&'f str, &'f Bson)>) {
    for (name, condition) in filter {
        match (name.as_str(), condition) {
            ("$and", Bson::Array(clauses)) => {
                clauses.iter().filter_map(Bson::as_document).for_each(|clause| collect(clause, equalities));
            }
            ("$or", Bson::Array(clauses)) => {
                if let [Bson::Document(clause)] = clauses.as_slice() {
                    collect(clause, equalities);
                }
            }
            (operator, _) if operator.starts_with('$') => {}
            (path, Bson::Document(operators)) if operators.keys().next().is_some_and(|name| name.starts_with('$')) => {
                equalities.extend(operators.iter().filter_map(|(name, value)| Some((path, equality(name, value)?))));
            }
            (_, Bson::RegularExpression(_)) => {}
            (path, value) => equalities.push((path, value)),
        }
    }
}

/// What an operator compares for equality.
fn equality<'f>(operator: &str, value: &'f Bson) -> Option<&'f Bson> {
    let is_value = |value: &Bson| match value {
        Bson::RegularExpression(_) => false,
        Bson::Document(inner) => !inner.keys().next().is_some_and(|name| name.starts_with('$')),
        _ => true,
    };
    match (operator, value) {
        ("$eq", value) => Some(value),
        ("$in" | "$all", Bson::Array(values)) => match values.as_slice() {
            [value] if is_value(value) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// Puts `value` at `path`, and returns whether nothing else was there or on the way.
fn insert(document: &mut Document, path: &str, value: &Bson) -> bool {
    let mut level = document;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return level.insert(part, value.clone()).is_none();
        }
        let inner = level.entry(part.to_owned()).or_insert_with(|| Bson::Document(Document::new()));
        let Bson::Document(inner) = inner else { return false };
        level = inner;
    }
    true
}
