//! From the old document and the tree of changes to the new document.

use std::cmp::Ordering;

use bson::raw::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, cstr};
use bson::{DateTime, RawDocument, Timestamp};
use smallvec::{SmallVec, smallvec};

use super::array::{popped, with_added};
use super::change::{Bit, Change};
use super::tree::{ArrayFilters, Changes, Key, Node, conflict};
use super::{Occasion, changed_identity};
use crate::document::code::Code;
use crate::document::expression::{Value, append};
use crate::document::number::Number;
use crate::document::order::{compare, type_name};
use crate::document::path::elements;
use crate::document::raw;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// By how much most documents grow at most.
const ROOM_BYTES: usize = 64;

/// One update of one document.
pub(super) struct Run<'a> {
    pub(super) occasion: Occasion<'a>,
    /// The element that `$` stands for.
    pub(super) position: Option<usize>,
    /// What `$rename` takes from elsewhere, by the numbers of the renames.
    pub(super) taken: &'a [Option<RawBson>],
    pub(super) filters: &'a ArrayFilters,
}

impl<'a> Run<'a> {
    /// The whole document: `_id` first, then what [`Run::fields`] writes.
    pub(super) fn document(
        &self,
        old: &'a RawDocument,
        identity: Option<&'a Node>,
        changes: &'a Changes,
    ) -> Result<RawDocumentBuf> {
        let mut new = raw::with_room(old.as_bytes().len() + ROOM_BYTES);
        let id = raw::field(old, "_id")?;
        match (id, identity) {
            (Some(id), None) => new.append(cstr!("_id"), id),
            (Some(id), Some(node)) => {
                // An equal value is no change, and the stored representation stays: other entries were made from it.
                let is_renamed = matches!(node, Node::Change(Change::Renamed(number)) if self.taken(*number).is_some());
                let identity = self.changed("_id", id, node)?;
                if is_renamed || identity.get().is_none_or(|new| compare(new, id) != Ordering::Equal) {
                    return Err(changed_identity());
                }
                new.append(cstr!("_id"), id);
            }
            (None, Some(node)) => append(&mut new, cstr!("_id"), &self.created("_id", node)?),
            (None, None) => {}
        }
        self.fields(new, old, changes, id.is_some())
    }

    /// `new` with the fields of `old` behind its own, with `changes`, and then those that are created. Fields that nothing
    /// happens to are copied as they are stored, with those beside them.
    fn fields(
        &self,
        mut new: RawDocumentBuf,
        old: &RawDocument,
        changes: &Changes,
        skip_id: bool,
    ) -> Result<RawDocumentBuf> {
        if changes.iter().any(|(key, node)| !matches!(key, Key::Field(_)) && self.creates(node)) {
            return Err(Code::BAD_VALUE.value("a positional part of a path stands for elements, and there is no array"));
        }
        let mut found: SmallVec<[bool; 8]> = smallvec![false; changes.len()];
        let mut elements = raw::Elements::of(old)?;
        // What is not copied yet.
        let mut kept = elements.rest();
        loop {
            let here = elements.rest();
            let Some((name, element)) = elements.next()? else {
                new = raw::with_elements(new, before(kept, here))?;
                break;
            };
            let is_skipped = skip_id && name == b"_id";
            let change = changes.iter().zip(&mut found).find_map(|((key, node), found)| match key {
                Key::Field(part) if part.name().as_bytes() == name => Some((part, node, found)),
                _ => None,
            });
            let change = change.filter(|(.., found)| !is_skipped && !**found);
            if !is_skipped && change.is_none() {
                continue;
            }
            new = raw::with_elements(new, before(kept, here))?;
            kept = elements.rest();
            if let Some((part, node, found)) = change
                && let Some(value) = element.value(part.name())?
            {
                *found = true;
                append(&mut new, part.stored_name(), &self.changed(part.name(), value, node)?);
            }
        }
        for ((key, node), _) in changes.iter().zip(found).filter(|(_, found)| !found) {
            if let Key::Field(part) = key {
                append(&mut new, part.stored_name(), &self.created(part.name(), node)?);
            }
        }
        Ok(new)
    }

    fn creates(&self, node: &Node) -> bool {
        match node {
            Node::Change(change) => change.creates(self.occasion.inserts, |number| self.taken(number).is_some()),
            Node::Inner(changes) => changes.iter().any(|(_, node)| self.creates(node)),
        }
    }

    fn taken(&self, number: usize) -> Option<&'a RawBson> {
        self.taken.get(number).and_then(Option::as_ref)
    }

    /// What becomes of `value`, which is there; missing when it is removed.
    fn changed<'v>(&self, name: &str, value: RawBsonRef<'v>, node: &'v Node) -> Result<Value<'v>>
    where
        'a: 'v,
    {
        match (node, value) {
            (Node::Change(change), value) => self.at_end(name, value, change),
            (Node::Inner(changes), RawBsonRef::Document(old)) => {
                let new = raw::with_room(old.as_bytes().len() + ROOM_BYTES);
                Ok(Value::Owned(RawBson::Document(self.fields(new, old, changes, false)?)))
            }
            (Node::Inner(changes), RawBsonRef::Array(old)) => {
                Ok(Value::Owned(RawBson::Array(self.array(name, old, changes)?)))
            }
            (Node::Inner(changes), _) if changes.iter().any(|(key, _)| !matches!(key, Key::Field(_))) => {
                let message = format!("{name:?} is no array, and a positional part of a path stands for elements");
                Err(Code::BAD_VALUE.value(message))
            }
            (Node::Inner(_), _) if self.creates(node) || pops(node) => {
                let message = format!("cannot create a field in {name:?}, which is neither an object nor an array");
                Err(Error::invalid(InvalidKind::PathNotViable, message))
            }
            (Node::Inner(_), _) => Ok(Value::Borrowed(value)),
        }
    }

    /// What a change makes of `value`, at which its path ends.
    fn at_end<'v>(&self, name: &str, value: RawBsonRef<'v>, change: &'v Change) -> Result<Value<'v>>
    where
        'a: 'v,
    {
        let replace_if = |new: &'v RawBson, wanted| {
            let new = new.as_raw_bson_ref();
            let order = self.occasion.context.order();
            Value::Borrowed(if order.compare(new, value) == wanted { new } else { value })
        };
        Ok(match change {
            Change::Set(new) => Value::Borrowed(new.as_raw_bson_ref()),
            Change::SetOnInsert(new) if self.occasion.inserts => Value::Borrowed(new.as_raw_bson_ref()),
            Change::Unset => Value::Missing,
            Change::Moved(number) if self.taken(*number).is_some() => Value::Missing,
            Change::SetOnInsert(_) | Change::Moved(_) => Value::Borrowed(value),
            Change::Renamed(number) => {
                self.taken(*number).map_or(Value::Borrowed(value), |new| Value::Borrowed(new.as_raw_bson_ref()))
            }
            Change::Increment(amount) => computed(name, "$inc", value, *amount, Number::checked_add)?,
            Change::Multiply(factor) => computed(name, "$mul", value, *factor, Number::checked_multiply)?,
            Change::Min(new) => replace_if(new, Ordering::Less),
            Change::Max(new) => replace_if(new, Ordering::Greater),
            Change::CurrentDate { is_timestamp } => self.moment(*is_timestamp),
            Change::Bit(operations) => bits(name, value, operations)?,
            Change::Push(push) => made(push.apply(array_of(name, value, Code::BAD_VALUE)?, self.occasion.context)?),
            Change::AddToSet(values) => {
                let order = self.occasion.context.order();
                made(with_added(array_of(name, value, Code::BAD_VALUE)?, values, order)?)
            }
            Change::Pop { first } => made(popped(array_of(name, value, Code::TYPE_MISMATCH)?, *first)?),
            Change::Pull(pull) => made(pull.apply(array_of(name, value, Code::BAD_VALUE)?, self.occasion.context)?),
        })
    }

    /// What comes into being where nothing is yet: parents are objects, whatever the path looks like.
    fn created<'v>(&self, name: &str, node: &'v Node) -> Result<Value<'v>>
    where
        'a: 'v,
    {
        if !self.creates(node) {
            return Ok(Value::Missing);
        }
        let change = match node {
            Node::Inner(changes) => {
                let new = self.fields(RawDocumentBuf::new(), &RawDocumentBuf::new(), changes, false)?;
                return Ok(Value::Owned(RawBson::Document(new)));
            }
            Node::Change(change) => change,
        };
        let empty = RawArrayBuf::new();
        Ok(match change {
            Change::Set(value) | Change::SetOnInsert(value) | Change::Min(value) | Change::Max(value) => {
                Value::Borrowed(value.as_raw_bson_ref())
            }
            Change::Increment(amount) => (*amount).into(),
            Change::Multiply(factor) => zero(*factor).into(),
            Change::CurrentDate { is_timestamp } => self.moment(*is_timestamp),
            Change::Renamed(number) => {
                self.taken(*number).map_or(Value::Missing, |value| Value::Borrowed(value.as_raw_bson_ref()))
            }
            Change::Bit(operations) => bits(name, RawBsonRef::Int32(0), operations)?,
            Change::Push(push) => made(push.apply(&empty, self.occasion.context)?),
            Change::AddToSet(values) => made(with_added(&empty, values, self.occasion.context.order())?),
            Change::Unset | Change::Moved(_) | Change::Pop { .. } | Change::Pull(_) => Value::Missing,
        })
    }

    fn moment(&self, is_timestamp: bool) -> Value<'static> {
        let now: DateTime = self.occasion.context.now();
        if !is_timestamp {
            return Value::Borrowed(RawBsonRef::DateTime(now));
        }
        let time = u32::try_from(now.timestamp_millis().div_euclid(1_000)).unwrap_or(0);
        Value::Borrowed(RawBsonRef::Timestamp(Timestamp { time, increment: 1 }))
    }

    /// The elements of `old` with `changes`. A removed element leaves null, and so does the way to one past the end.
    fn array(&self, name: &str, old: &RawArray, changes: &Changes) -> Result<RawArrayBuf> {
        let names = changes.iter().filter_map(|(key, node)| match key {
            Key::Field(part) if part.position().is_none() && (self.creates(node) || pops(node)) => Some(part),
            _ => None,
        });
        if let Some(part) = names.into_iter().next() {
            let message = format!("cannot create the field {:?} in the array {name:?}", part.name());
            return Err(Error::invalid(InvalidKind::PathNotViable, message));
        }
        let mut new = RawArrayBuf::new();
        let mut length: usize = 0;
        for element in elements(old) {
            let element = element?;
            match self.nodes_of(length, element, changes)?.as_slice() {
                [] => new.push(element),
                [node] => new.push(self.changed(name, element, node)?.or_null()),
                several => {
                    let merged = merged(several, &format!("{name}.{length}"))?;
                    new.push(self.changed(name, element, &Node::Inner(merged))?.or_null());
                }
            }
            length += 1;
        }
        let stored = length;
        // Positions are sorted.
        let beyond = changes.iter().filter_map(|(key, node)| match key {
            Key::Field(part) => part.position().filter(|position| *position >= stored).map(|position| (position, node)),
            _ => None,
        });
        for (position, node) in beyond.filter(|(_, node)| self.creates(node)) {
            limits::check("array padding in elements", limits::ARRAY_PADDING_MAX, position.saturating_sub(stored))?;
            (length..position).for_each(|_| new.push(RawBsonRef::Null));
            new.push(self.created(name, node)?.or_null());
            length = position + 1;
        }
        Ok(new)
    }

    /// What happens to the element at `place`.
    fn nodes_of<'c>(&self, place: usize, element: RawBsonRef<'_>, changes: &'c Changes) -> Result<Vec<&'c Node>> {
        let mut found = Vec::new();
        for (key, node) in changes.iter() {
            let is_it = match key {
                Key::Field(part) => part.position() == Some(place),
                Key::All => true,
                Key::Filtered(number) => self.filters.matches(*number, element, self.occasion.context)?,
                Key::Matched => {
                    let Some(position) = self.position else {
                        let message =
                            "the filter did not find the document by an element of the array, so $ stands for none";
                        return Err(Code::BAD_VALUE.value(message));
                    };
                    position == place
                }
            };
            if is_it {
                found.push(node);
            }
        }
        Ok(found)
    }
}

/// The bytes of `from` that come before `to`, with which it ends.
fn before<'b>(from: &'b [u8], to: &[u8]) -> &'b [u8] {
    from.get(..from.len().saturating_sub(to.len())).unwrap_or_default()
}

/// Whether a `$pop` is at the end of a path, which has to lead through objects and positions.
fn pops(node: &Node) -> bool {
    match node {
        Node::Change(change) => matches!(change, Change::Pop { .. }),
        Node::Inner(changes) => changes.iter().any(|(_, node)| pops(node)),
    }
}

/// The changes of several paths that meet at one element.
fn merged(nodes: &[&Node], path: &str) -> Result<Changes> {
    let mut all = Changes::default();
    for node in nodes {
        match node {
            Node::Inner(changes) => all.merge(changes, path)?,
            Node::Change(_) => return Err(conflict(path)),
        }
    }
    Ok(all)
}

fn made(array: RawArrayBuf) -> Value<'static> {
    Value::Owned(RawBson::Array(array))
}

/// The zero of a number's type.
fn zero(number: Number) -> Number {
    match number {
        Number::Int32(_) => Number::Int32(0),
        Number::Int64(_) => Number::Int64(0),
        Number::Double(_) => Number::Double(0.0),
        Number::Decimal(_) => Number::Decimal(Number::Int32(0).decimal().pack()),
    }
}

/// The result in the type that holds it: int32 widens, int64 overflows. One that equals the value is no change, so that
/// a negative zero stays one.
fn computed<'v>(
    name: &str,
    operator: &str,
    value: RawBsonRef<'v>,
    operand: Number,
    compute: fn(Number, Number) -> Option<Number>,
) -> Result<Value<'v>> {
    let Some(number) = Number::from_raw(value) else {
        let message = format!("{operator} of {name:?}, which is not a number but of type {}", type_name(value));
        return Err(Code::TYPE_MISMATCH.wrong_type(message));
    };
    let result = compute(number, operand)
        .ok_or_else(|| Code::BAD_VALUE.overflow(format!("{operator} of {name:?} leaves the 64-bit integers")))?;
    let is_same_type = std::mem::discriminant(&result) == std::mem::discriminant(&number);
    if is_same_type && result.compare(number).is_eq() && !matches!(number, Number::Decimal(_)) {
        return Ok(Value::Borrowed(value));
    }
    Ok(result.into())
}

fn bits<'v>(name: &str, value: RawBsonRef<'v>, operations: &[(Bit, Number)]) -> Result<Value<'v>> {
    let Some(number @ (Number::Int32(_) | Number::Int64(_))) = Number::from_raw(value) else {
        let message = format!("$bit of {name:?}, which is not an integer but of type {}", type_name(value));
        return Err(Code::BAD_VALUE.wrong_type(message));
    };
    let (mut bits, mut is_wide) = (number.as_i64().unwrap_or(0), matches!(number, Number::Int64(_)));
    for (operation, operand) in operations {
        let mask = operand.as_i64().unwrap_or(0);
        is_wide |= matches!(operand, Number::Int64(_));
        bits = match operation {
            Bit::And => bits & mask,
            Bit::Or => bits | mask,
            Bit::Xor => bits ^ mask,
        };
    }
    Ok(match i32::try_from(bits) {
        Ok(narrow) if !is_wide => narrow.into(),
        _ => Number::Int64(bits).into(),
    })
}

fn array_of<'v>(name: &str, value: RawBsonRef<'v>, code: Code) -> Result<&'v RawArray> {
    match value {
        RawBsonRef::Array(array) => Ok(array),
        other => Err(code.wrong_type(format!("{name:?} must be an array but is of type {}", type_name(other)))),
    }
}
