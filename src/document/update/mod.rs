//! Updates: field operators compiled once and applied to raw documents.
//!
//! The paths of all operators form one tree, sorted the way they are applied, so that one walk over the old document
//! writes the new one and two operators on one path meet while the tree is built.
//!
//! # Invariants
//! 1. A conflict between two paths is found by [`Update::compile`], before any document is read.
//! 2. Fields keep their order; created ones follow in the order of their paths; `_id` comes first.
//! 3. `_id` keeps its value and its representation.
//! 4. The result keeps the limits on size and depth of a document.
//!
//! # Cost
//! One pass over the document, whatever the number of operators; a level is copied only where it changes.
//!
//! # Source
//! `MongoDB` manual: Update Operators (SEM: DOC-UPD-2 to DOC-UPD-7, DOC-UPD-9).

mod apply;
mod tree;

use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use self::tree::{Change, Changes, Node};
use super::expression::{check_size, constant};
use super::number::Number;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// A compiled update.
#[derive(Clone, Debug)]
pub(super) struct Update {
    /// What happens to `_id`, which may only be written where there is none yet.
    identity: Option<Node>,
    fields: Changes,
}

impl Update {
    /// Compiles `{$set: {…}, $inc: {…}, $unset: {…}}`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names any other operator and the positional path parts; [`InvalidKind::Value`] for a
    /// document without operators, `Syntax` for an operand that is not a document or a path with empty parts, `Type`
    /// for an `$inc` by what is no number, `ConflictingUpdate` for two operators on one path or on a path and its
    /// prefix; [`Error::LimitExceeded`] when a path and its value nest too deep.
    pub(super) fn compile(text: &Document) -> Result<Self> {
        if text.keys().all(|key| !key.starts_with('$')) {
            let message = "an update needs operators such as $set; a whole document is a replacement, not an update";
            return Err(Error::value(message));
        }
        let mut fields = Changes::default();
        for (operator, operand) in text {
            let change = change(operator)?;
            let Bson::Document(operand) = operand else {
                return Err(Error::syntax(format!("{operator} takes a document of fields")));
            };
            for (path, value) in operand {
                let parts = tree::parts(path)?;
                let levels = limits::DOCUMENT_DEPTH_MAX.saturating_sub(parts.len());
                fields.insert(parts, change(value, levels)?, path)?;
            }
        }
        let identity = fields.take("_id");
        Ok(Self { identity, fields })
    }

    /// The document after the update, or none when the update changes nothing.
    ///
    /// # Errors
    /// [`InvalidKind::PathNotViable`] when a path leads through a value that is no object or array, `ImmutableField`
    /// when `_id` would change, `Type` for an `$inc` of what is no number, `Overflow` past the 64-bit integers,
    /// [`Error::LimitExceeded`] when the document or the padding of an array grows too large.
    pub(super) fn apply(&self, old: &RawDocument) -> Result<Option<RawDocumentBuf>> {
        let new = apply::document(old, self.identity.as_ref(), &self.fields)?;
        check_size(&new)?;
        Ok((new.as_bytes() != old.as_bytes()).then_some(new))
    }
}

/// How to read one operand of `operator`: a value and the levels it may nest.
fn change(operator: &str) -> Result<fn(&Bson, usize) -> Result<Change>> {
    match operator {
        "$set" => Ok(|value, levels| Ok(Change::Set(constant(value, levels)?))),
        "$unset" => Ok(|_, _| Ok(Change::Unset)),
        "$inc" => Ok(|value, _| match Number::from_bson(value) {
            Some(amount) => Ok(Change::Increment(amount)),
            None => Err(Error::invalid(InvalidKind::Type, "$inc by a value that is not a number")),
        }),
        other if other.starts_with('$') => Err(Error::unsupported(format!("update operator {other}"))),
        other => {
            let message = format!("{other:?} is not an update operator; an update and a replacement do not mix");
            Err(Error::value(message))
        }
    }
}

#[cfg(test)]
mod tests;
