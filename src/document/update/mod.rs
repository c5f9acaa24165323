//! Updates: operators or a pipeline, compiled once and applied to raw documents.
//!
//! The paths of all operators form one tree ([`tree`]), sorted the way they are applied, so that one walk over the old document
//! writes the new one ([`apply`]) and two operators on one path meet while the tree is built. What an operator does at the end of
//! its path is a [`Change`](change::Change).
//!
//! # Invariants
//! 1. A conflict between two paths is found by [`Update::compile`], before any document is read; one between elements that `$`,
//!    `$[]` and `$[name]` stand for, when they meet.
//! 2. Fields keep their order; created ones follow in the order of their paths; `_id` comes first.
//! 3. `_id` keeps its value and its representation.
//! 4. The result keeps the limits on size and depth of a document.
//!
//! # Cost
//! One pass over the document, whatever the number of operators; a level is copied only where it changes.
//!
//! # Source
//! `MongoDB` manual: Update Operators, Updates with Aggregation Pipeline (SEM: DOC-UPD-1 to DOC-UPD-9, DOC-UPD-11).

mod apply;
mod arrays;
mod bits;
mod change;
mod description;
mod filters;
mod modifications;
mod moment;
mod operators;
mod pipeline;
mod rename;
mod tree;
mod upsert;

use bson::{Document, RawDocument, RawDocumentBuf};

pub use self::description::UpdateDescription;
use self::filters::ArrayFilters;
pub use self::modifications::UpdateModifications;
use self::moment::Moment;
pub(super) use self::moment::timestamp;
use self::operators::Operators;
use self::pipeline::PipelineUpdate;
pub(super) use self::upsert::{seed, seed_id};
use super::expression::check_size;
use crate::clock::Timestamp;
use crate::document::code::Code;
use crate::error::Result;

/// A compiled update.
#[derive(Clone, Debug)]
pub(super) struct Update {
    action: Action,
    filters: ArrayFilters,
}

#[derive(Clone, Debug)]
enum Action {
    Operators(Operators),
    Pipeline(PipelineUpdate),
}

/// In which circumstances a document is updated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) now: Timestamp,
    /// The position of the element of an array that the filter found, for `$`.
    pub(super) matched: Option<usize>,
    /// Whether the document is about to be inserted.
    pub(super) inserts: bool,
}

impl Update {
    /// Compiles operators (`{$set: {…}, $inc: {…}}`) or a pipeline, and the filters of `$[name]` in their paths.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for what is no update: an operator that does not exist, an operand it does not
    /// take, a path with empty parts, two operators on one path or on a path and its prefix, array filters that are not used or
    /// not there; [`Error::LimitExceeded`](crate::Error::LimitExceeded) when a path and its value nest too deep.
    pub(super) fn compile(update: &UpdateModifications, array_filters: &[Document]) -> Result<Self> {
        let filters = ArrayFilters::compile(array_filters)?;
        let action = match update {
            UpdateModifications::Document(text) => {
                let operators = Operators::compile(text)?;
                operators.check_filters(&filters)?;
                Action::Operators(operators)
            }
            UpdateModifications::Pipeline(_) if !filters.is_empty() => {
                return Err(Code::FAILED_TO_PARSE.syntax("an update by a pipeline takes no array filters"));
            }
            UpdateModifications::Pipeline(stages) => Action::Pipeline(PipelineUpdate::compile(stages)?),
        };
        Ok(Self { action, filters })
    }

    /// Whether `$` stands in a path, so that it has to be known which element the filter found.
    pub(super) fn has_matched(&self) -> bool {
        matches!(&self.action, Action::Operators(operators) if operators.has_matched())
    }

    /// The document after the update, or none when the update changes nothing.
    ///
    /// # Errors
    /// [`InvalidKind::PathNotViable`](crate::InvalidKind::PathNotViable) when a path leads through a value that is no object or
    /// array, `ImmutableField` when `_id` would change, `Type` and `Value` for a value that an operator does not work on,
    /// `Overflow` past the 64-bit integers, [`Error::LimitExceeded`](crate::Error::LimitExceeded) when the document or the padding
    /// of an array grows too large.
    pub(super) fn apply(&self, old: &RawDocument, circumstances: Circumstances) -> Result<Option<RawDocumentBuf>> {
        let Circumstances { now, matched, inserts } = circumstances;
        let new = match &self.action {
            Action::Operators(operators) => {
                let filters = &self.filters;
                operators.apply(&Moment { root: old, now, matched, inserts, filters })?
            }
            Action::Pipeline(pipeline) => pipeline.apply(old)?,
        };
        check_size(&new)?;
        Ok((new.as_bytes() != old.as_bytes()).then_some(new))
    }
}

#[cfg(test)]
mod tests;
