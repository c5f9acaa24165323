//! Aggregation: a pipeline of stages, each from documents to documents.
//!
//! A pipeline is compiled once. Stages that look at one document at a time stream; `$sort`, `$group` and `$count` read
//! all of their input before they answer, within [`limits::SORT_BYTES_MAX`].
//!
//! # Pushdown
//! [`Pipeline::split_leading`] takes the head of a pipeline apart into what a planner can answer from an index. The rest
//! of the pipeline does not do that work again, and the two together give what the whole pipeline gives (SEM: DOC-AGG-12).
//!
//! # Invariants
//! 1. A stage, operator or argument that is not modelled is refused by name when compiling, before a document is read.
//! 2. After an error the answer ends.
//!
//! # Source
//! `MongoDB` manual: Aggregation Stages, Aggregation Pipeline Optimization.

mod accumulator;
mod group;
mod sort;
mod stage;
mod unwind;

use bson::{Bson, Document, RawDocumentBuf, doc};

use self::stage::Stage;
use super::raw::corrupt;
use crate::error::Result;
use crate::limits;

/// Documents on their way through a pipeline.
pub(super) type Documents = Box<dyn Iterator<Item = Result<RawDocumentBuf>> + Send>;

/// A compiled pipeline.
#[derive(Debug)]
pub(super) struct Pipeline {
    stages: Vec<Stage>,
}

/// The head of a pipeline, in the form of a `find`: filter, then sort, then limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Leading {
    /// What the leading `$match` stages ask for.
    pub(super) filter: Option<Document>,
    /// The keys of a leading `$sort`.
    pub(super) sort: Option<Document>,
    /// How many documents of that sort the `$limit`s and `$skip`s behind it look at.
    pub(super) limit: Option<u64>,
}

impl Pipeline {
    /// Compiles the stages, each a document of one field.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error) names what is not modelled, [`Error::Invalid`](crate::Error) says what is
    /// wrong with a stage, [`Error::LimitExceeded`](crate::Error) past [`limits::PIPELINE_STAGES_MAX`].
    pub(super) fn compile(stages: Vec<Document>) -> Result<Self> {
        limits::check("pipeline stages", limits::PIPELINE_STAGES_MAX, stages.len())?;
        let compiled = stages.into_iter().map(Stage::compile).collect::<Result<Vec<_>>>()?;
        Ok(Self { stages: compiled.into_iter().flatten().collect() })
    }

    /// Splits off what a planner can do at the head of the pipeline.
    ///
    /// A `$match` behind the `$sort` comes along: filtering first gives the same documents in the same order. A `$skip`
    /// stays, and only bounds the sort together with the `$limit` behind it.
    pub(super) fn split_leading(self) -> (Leading, Self) {
        let mut leading = Leading::default();
        let mut filters = Vec::new();
        let mut stages = self.stages.into_iter().peekable();
        while let Some(stage) = stages.next_if(|stage| match stage {
            Stage::Match { .. } => true,
            Stage::Sort { .. } => leading.sort.is_none(),
            _ => false,
        }) {
            match stage {
                Stage::Match { text, .. } => filters.push(text),
                Stage::Sort { text, .. } => leading.sort = Some(text),
                _ => {}
            }
        }
        if leading.sort.is_some() {
            while let Some(Stage::Limit(limit)) = stages.next_if(|stage| matches!(stage, Stage::Limit(_))) {
                leading.limit = Some(leading.limit.map_or(limit, |least| least.min(limit)));
            }
        }
        leading.filter = match filters.len() {
            0 | 1 => filters.pop(),
            _ => Some(doc! { "$and": filters.into_iter().map(Bson::Document).collect::<Vec<_>>() }),
        };
        let stages: Vec<_> = stages.collect();
        if leading.sort.is_some() {
            leading.limit = leading.limit.into_iter().chain(needed(&stages)).min();
        }
        (leading, Self { stages })
    }

    /// Runs the stages over `input`.
    ///
    /// # Errors
    /// Those of `input` and of the stages, here as far as a blocking stage meets them, otherwise in the answer.
    pub(super) fn run(self, input: Documents) -> Result<Box<dyn Iterator<Item = Result<Document>> + Send>> {
        let mut documents = input;
        let mut stages = self.stages.into_iter();
        while let Some(stage) = stages.next() {
            documents = stage.run(documents, needed(stages.as_slice()))?;
        }
        Ok(Box::new(Answer { documents: Some(documents) }))
    }
}

/// How many documents of a stage's output `following` stages can look at, if they bound it.
fn needed(following: &[Stage]) -> Option<u64> {
    let mut skipped: u64 = 0;
    for stage in following {
        match stage {
            Stage::Skip(count) => skipped = skipped.saturating_add(*count),
            Stage::Limit(count) => return Some(skipped.saturating_add(*count)),
            _ => return None,
        }
    }
    None
}

/// The answer of a pipeline, decoded, up to the first error.
struct Answer {
    documents: Option<Documents>,
}

impl Iterator for Answer {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.documents.as_mut()?.next();
        let decoded = next.map(|raw| raw.and_then(|raw| Document::try_from(&raw).map_err(corrupt)));
        if !matches!(decoded, Some(Ok(_))) {
            self.documents = None;
        }
        decoded
    }
}

#[cfg(test)]
mod tests;
