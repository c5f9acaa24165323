//! From the old document and the tree of changes to the new document.

use std::cmp::Ordering;

use bson::RawDocument;
use bson::raw::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, cstr};

use super::change::{Change, Outcome};
use super::moment::Moment;
use super::tree::{Changes, Node, Part};
use crate::document::code::Code;
use crate::document::expression::{Value, append};
use crate::document::order;
use crate::document::path::elements;
use crate::document::raw;
use crate::document::raw::corrupt;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// The whole document: `_id` first, then what [`fields`] writes.
pub(super) fn document(identity: Option<&Node>, changes: &Changes, moment: &Moment<'_>) -> Result<RawDocumentBuf> {
    let old = moment.root;
    let mut new = RawDocumentBuf::new();
    let id = raw::field(old, "_id")?;
    match (id, identity) {
        (Some(id), None) => new.append(cstr!("_id"), id),
        (Some(id), Some(node)) => {
            // An equal value is no change, and the stored representation stays: other entries were made from it.
            let renamed = matches!(node, Node::Change(Change::Rename(rename)) if rename.has_source(moment));
            let equals = |new: Option<RawBsonRef<'_>>| new.is_some_and(|new| order::compare(new, id) == Ordering::Equal);
            if renamed || !equals(changed("_id", id, node, moment)?.get()) {
                return Err(immutable_id());
            }
            new.append(cstr!("_id"), id);
        }
        (None, Some(node)) => append(&mut new, cstr!("_id"), &created("_id", node, moment)?),
        (None, None) => {}
    }
    fields(&mut new, old, changes, id.is_some(), moment)?;
    Ok(new)
}

pub(super) fn immutable_id() -> Error {
    Error::invalid(InvalidKind::ImmutableField, "an update cannot change the field _id")
}

/// Writes the fields of `old` with `changes` to `new`, then those that are created.
fn fields(
    new: &mut RawDocumentBuf,
    old: &RawDocument,
    changes: &Changes,
    skip_id: bool,
    moment: &Moment<'_>,
) -> Result<()> {
    let changes = changes.at_document(moment)?;
    let mut found = vec![false; changes.len()];
    for element in old {
        let (name, value) = element.map_err(corrupt)?;
        if skip_id && name.as_str() == "_id" {
            continue;
        }
        let is_it = |part: &Part| matches!(part, Part::Field { name: held, .. } if held.as_str() == name.as_str());
        let change = changes.iter().zip(&mut found).find(|((part, _), _)| is_it(part));
        match change {
            Some(((_, node), found)) if !*found => {
                *found = true;
                append(new, name, &changed(name.as_str(), value, node, moment)?);
            }
            _ => new.append(name, value),
        }
    }
    for ((part, node), _) in changes.iter().zip(found).filter(|(_, found)| !found) {
        if let Part::Field { name, .. } = part {
            append(new, name, &created(name.as_str(), node, moment)?);
        }
    }
    Ok(())
}

/// What becomes of `value`, which is there; missing when it is removed.
fn changed<'a>(name: &str, value: RawBsonRef<'a>, node: &'a Node, moment: &Moment<'a>) -> Result<Value<'a>> {
    match (node, value) {
        (Node::Change(change), _) => Ok(match change.changed(name, value, moment)? {
            Outcome::Unchanged => Value::Borrowed(value),
            Outcome::Removed => Value::Missing,
            Outcome::Value(new) => new,
        }),
        (Node::Inner(changes), RawBsonRef::Document(old)) => {
            let mut new = RawDocumentBuf::new();
            fields(&mut new, old, changes, false, moment)?;
            Ok(Value::Owned(RawBson::Document(new)))
        }
        (Node::Inner(changes), RawBsonRef::Array(old)) => {
            Ok(Value::Owned(RawBson::Array(array(name, old, changes, moment)?)))
        }
        (Node::Inner(changes), _) if changes.needs_path(moment) => {
            if changes.iter().any(|(part, _)| matches!(part, Part::All | Part::Filtered(_))) {
                let message = format!("a change of elements needs an array in {name:?}, which holds something else");
                return Err(Code::BAD_VALUE.value(message));
            }
            let message = format!("cannot create a field in {name:?}, which is neither an object nor an array");
            Err(Error::invalid(InvalidKind::PathNotViable, message))
        }
        (Node::Inner(_), _) => Ok(Value::Borrowed(value)),
    }
}

/// What comes into being where nothing is yet: parents are objects, whatever the path looks like.
fn created<'a>(name: &str, node: &'a Node, moment: &Moment<'a>) -> Result<Value<'a>> {
    match node {
        Node::Change(change) => Ok(match change.created(name, moment)? {
            Outcome::Value(new) => new,
            Outcome::Unchanged | Outcome::Removed => Value::Missing,
        }),
        Node::Inner(changes) => {
            let creates = changes.at_document(moment)?.creates(moment);
            if !creates {
                return Ok(Value::Missing);
            }
            let mut new = RawDocumentBuf::new();
            fields(&mut new, &RawDocumentBuf::new(), changes, false, moment)?;
            Ok(Value::Owned(RawBson::Document(new)))
        }
    }
}

/// The elements of `old` with `changes`. A removed element leaves null, and so does the way to one past the end.
fn array(name: &str, old: &RawArray, changes: &Changes, moment: &Moment<'_>) -> Result<RawArrayBuf> {
    let is_name = |part: &Part| matches!(part, Part::Field { position: None, .. });
    if let Some((part, _)) = changes.iter().find(|(part, node)| is_name(part) && node.needs_path(moment)) {
        let message = format!("cannot create the field {:?} in the array {name:?}", part.to_string());
        return Err(Error::invalid(InvalidKind::PathNotViable, message));
    }
    let mut new = RawArrayBuf::new();
    let mut length: usize = 0;
    for element in elements(old) {
        let element = element?;
        let node = changes.at_element(length, moment.matched, |filter| moment.filters.matches(filter, element))?;
        match node {
            Some(node) => new.push(changed(name, element, &node, moment)?.or_null()),
            None => new.push(element),
        }
        length += 1;
    }
    let stored = length;
    for (position, node) in past_the_end(stored, changes, moment) {
        limits::check("array padding in elements", limits::ARRAY_PADDING_MAX, position.saturating_sub(stored))?;
        (length..position).for_each(|_| new.push(RawBsonRef::Null));
        new.push(created(name, node, moment)?.or_null());
        length = position + 1;
    }
    Ok(new)
}

/// What comes into being behind the `stored` elements of an array, in the order of its positions.
fn past_the_end<'c>(stored: usize, changes: &'c Changes, moment: &Moment<'_>) -> Vec<(usize, &'c Node)> {
    let position = |part: &Part| if *part == Part::Matched { moment.matched } else { part.position() };
    let created = changes.iter().filter(|(_, node)| node.creates(moment));
    let mut created: Vec<_> = created.filter_map(|(part, node)| Some((position(part)?, node))).collect();
    created.retain(|(position, _)| *position >= stored);
    created.sort_by_key(|(position, _)| *position);
    created
}
