//! From the old document and the tree of changes to the new document.

use std::cmp::Ordering;

use bson::RawDocument;
use bson::raw::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, cstr};

use super::tree::{Change, Changes, Node};
use crate::document::expression::{Value, append};
use crate::document::number::Number;
use crate::document::order;
use crate::document::path::elements;
use crate::document::raw;
use crate::document::raw::corrupt;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// The whole document: `_id` first, then what [`fields`] writes.
pub(super) fn document(old: &RawDocument, identity: Option<&Node>, changes: &Changes) -> Result<RawDocumentBuf> {
    let mut new = RawDocumentBuf::new();
    let id = raw::field(old, "_id")?;
    match (id, identity) {
        (Some(id), None) => new.append(cstr!("_id"), id),
        (Some(id), Some(node)) => {
            // An equal value is no change, and the stored representation stays: other entries were made from it.
            let same = changed("_id", id, node)?.get().is_some_and(|new| order::compare(new, id) == Ordering::Equal);
            if !same {
                return Err(Error::invalid(InvalidKind::ImmutableField, "an update cannot change the field _id"));
            }
            new.append(cstr!("_id"), id);
        }
        (None, Some(node)) => append(&mut new, cstr!("_id"), &created(node)?),
        (None, None) => {}
    }
    fields(&mut new, old, changes, id.is_some())?;
    Ok(new)
}

/// Writes the fields of `old` with `changes` to `new`, then those that are created.
fn fields(new: &mut RawDocumentBuf, old: &RawDocument, changes: &Changes, skip_id: bool) -> Result<()> {
    let mut found = vec![false; changes.len()];
    for element in old {
        let (name, value) = element.map_err(corrupt)?;
        if skip_id && name.as_str() == "_id" {
            continue;
        }
        let change = changes.iter().zip(&mut found).find(|((part, _), _)| part.name.as_str() == name.as_str());
        match change {
            Some(((_, node), found)) if !*found => {
                *found = true;
                append(new, name, &changed(name.as_str(), value, node)?);
            }
            _ => new.append(name, value),
        }
    }
    for ((part, node), _) in changes.iter().zip(found).filter(|(_, found)| !found) {
        append(new, &part.name, &created(node)?);
    }
    Ok(())
}

/// What becomes of `value`, which is there; missing when it is removed.
fn changed<'a>(name: &str, value: RawBsonRef<'a>, node: &'a Node) -> Result<Value<'a>> {
    match (node, value) {
        (Node::Change(Change::Set(new)), _) => Ok(Value::Borrowed(new.as_raw_bson_ref())),
        (Node::Change(Change::Unset), _) => Ok(Value::Missing),
        (Node::Change(Change::Increment(amount)), _) => incremented(name, value, *amount),
        (Node::Inner(changes), RawBsonRef::Document(old)) => {
            let mut new = RawDocumentBuf::new();
            fields(&mut new, old, changes, false)?;
            Ok(Value::Owned(RawBson::Document(new)))
        }
        (Node::Inner(changes), RawBsonRef::Array(old)) => Ok(Value::Owned(RawBson::Array(array(name, old, changes)?))),
        (Node::Inner(changes), _) if changes.creates() => {
            let message = format!("cannot create a field in {name:?}, which is neither an object nor an array");
            Err(Error::invalid(InvalidKind::PathNotViable, message))
        }
        (Node::Inner(_), _) => Ok(Value::Borrowed(value)),
    }
}

/// The sum, in the type that holds it: int32 widens, int64 overflows.
fn incremented<'a>(name: &str, value: RawBsonRef<'a>, amount: Number) -> Result<Value<'a>> {
    let Some(number) = Number::from_raw(value) else {
        let message = format!("cannot increment {name:?}, which is not a number");
        return Err(Error::invalid(InvalidKind::Type, message));
    };
    let sum = number.checked_add(amount).ok_or_else(|| {
        Error::invalid(InvalidKind::Overflow, format!("incrementing {name:?} leaves the 64-bit integers"))
    })?;
    Ok(sum.into())
}

/// What comes into being where nothing is yet: parents are objects, whatever the path looks like.
fn created(node: &Node) -> Result<Value<'_>> {
    match node {
        Node::Change(Change::Set(value)) => Ok(Value::Borrowed(value.as_raw_bson_ref())),
        Node::Change(Change::Increment(amount)) => Ok((*amount).into()),
        Node::Inner(changes) if changes.creates() => {
            let mut new = RawDocumentBuf::new();
            fields(&mut new, &RawDocumentBuf::new(), changes, false)?;
            Ok(Value::Owned(RawBson::Document(new)))
        }
        Node::Change(Change::Unset) | Node::Inner(_) => Ok(Value::Missing),
    }
}

/// The elements of `old` with `changes`. A removed element leaves null, and so does the way to one past the end.
fn array(name: &str, old: &RawArray, changes: &Changes) -> Result<RawArrayBuf> {
    if let Some((part, _)) = changes.iter().find(|(part, node)| part.position.is_none() && node.creates()) {
        let message = format!("cannot create the field {:?} in the array {name:?}", part.name.as_str());
        return Err(Error::invalid(InvalidKind::PathNotViable, message));
    }
    // Positions are sorted, so one pass over both suffices.
    let mut pending = changes.iter().filter_map(|(part, node)| Some((part.position?, node))).peekable();
    let mut new = RawArrayBuf::new();
    let mut length: usize = 0;
    for element in elements(old) {
        let element = element?;
        match pending.next_if(|(position, _)| *position == length) {
            Some((_, node)) => new.push(changed(name, element, node)?.or_null()),
            None => new.push(element),
        }
        length += 1;
    }
    let stored = length;
    for (position, node) in pending.filter(|(_, node)| node.creates()) {
        limits::check("array padding in elements", limits::ARRAY_PADDING_MAX, position.saturating_sub(stored))?;
        (length..position).for_each(|_| new.push(RawBsonRef::Null));
        new.push(created(node)?.or_null());
        length = position + 1;
    }
    Ok(new)
}
