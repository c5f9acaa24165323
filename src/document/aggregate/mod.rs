//! Aggregation: a pipeline of stages, each from documents to documents.
//!
//! A pipeline is parsed once ([`stage`]), made shorter ([`rewrite`]), and lowered to operators that pull rows from one another
//! ([`operator`]). Stages that look at one document at a time stream; `$sort`, `$group`, `$count`, `$facet` and `$sample` read all of
//! their input before they return anything, within [`limits::SORT_BYTES_MAX`].
//!
//! # Pushdown
//! [`Pipeline::split_leading`] takes the head of a pipeline apart into what a planner can do with an index. The rest of
//! the pipeline does not do that work again, and the two together give what the whole pipeline gives.
//!
//! # Invariants
//! 1. A stage, operator or argument that is not modelled is refused by name when compiling, before a document is read.
//! 2. After an error nothing more comes.
//! 3. Rewrites change no result.
//!
//! # Source
//! MongoDB manual: Aggregation Stages, Aggregation Pipeline Optimization.

mod accumulator;
mod bucket;
mod bucket_auto;
mod constants;
mod densify;
mod exec;
mod facet;
mod fill;
mod graph;
mod group;
mod join;
mod merge;
mod operator;
mod over;
mod redact;
mod rewrite;
mod sort;
mod sources;
mod stage;
mod unwind;
mod window;

use std::sync::Arc;

use bson::{Bson, Document, doc};

pub(super) use self::exec::Exec;
pub(super) use self::merge::{Merge, Output, WhenMatched, WhenNotMatched};
pub(super) use self::over::{find_in_view, stages_of};
pub(crate) use self::sources::Served;
pub(super) use self::stage::Place;
use self::stage::{Parser, Stage};
use super::expression::Names;
use super::filter::Filter;
use super::rows::Input;
use crate::error::Result;
#[cfg(doc)]
use crate::limits;

/// A compiled pipeline.
#[derive(Clone, Debug)]
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
    /// Compiles the stages, each a document of one field, of a pipeline in `place`, whose expressions may use the variables
    /// `names`.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error) names what is not modelled, [`Error::Invalid`](crate::Error) says what is
    /// wrong with a stage or where it stands, [`Error::LimitExceeded`](crate::Error) past [`limits::PIPELINE_STAGES_MAX`].
    pub(super) fn compile(stages: Vec<Document>, place: Place, names: &Names) -> Result<Self> {
        let stages = Parser { place, names, depth: 1 }.pipeline(stages)?;
        Ok(Self { stages })
    }

    /// The same pipeline with less to do ([`rewrite`]).
    pub(super) fn rewritten(self) -> Self {
        Self { stages: rewrite::stages(self.stages) }
    }

    /// Whether it begins with documents of its own, and reads no collection.
    pub(super) fn has_source(&self) -> bool {
        matches!(self.stages.first(), Some(Stage::Documents(_) | Stage::About(_)))
    }

    /// Takes off the stage at the end that writes, if there is one.
    pub(super) fn split_out(&mut self) -> Option<Output> {
        match self.stages.pop() {
            Some(Stage::Out { database, collection }) => Some(Output::Out { database, collection }),
            Some(Stage::Merge(merge)) => Some(Output::Merge(merge)),
            other => {
                self.stages.extend(other);
                None
            }
        }
    }

    /// Splits off what a planner can do at the head of the pipeline.
    ///
    /// A `$match` behind the `$sort` comes along: filtering first gives the same documents in the same order. A `$skip`
    /// stays, and only bounds the sort together with the `$limit` behind it.
    pub(super) fn split_leading(self) -> (Leading, Self) {
        let (leading, _, rest) = self.split_compiled();
        (leading, rest)
    }

    /// As [`Pipeline::split_leading`], with the filter of the head as it is compiled already.
    fn split_compiled(self) -> (Leading, Filter, Self) {
        let mut compiled = Filter::all();
        let mut leading = Leading::default();
        let mut filters = Vec::new();
        let mut stages = self.stages.into_iter().peekable();
        while let Some(stage) = stages.next_if(|stage| match stage {
            Stage::Match { .. } => true,
            Stage::Sort { .. } => leading.sort.is_none(),
            _ => false,
        }) {
            match stage {
                Stage::Match { filter, text } => {
                    compiled = compiled.and(filter);
                    filters.push(text);
                }
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
        (leading, compiled, Self { stages })
    }

    /// Runs the stages over `input`.
    ///
    /// # Errors
    /// Those of `input` and of the stages, here as far as a blocking stage meets them, otherwise while rows are read.
    pub(super) fn run(self, input: Input, exec: &Arc<Exec>) -> Result<Input> {
        let mut rows = input;
        let mut stages = self.stages.into_iter();
        // What a join has made large, a later stage has to make smaller.
        let mut may_be_large = false;
        while let Some(stage) = stages.next() {
            may_be_large |= matches!(stage, Stage::Lookup(_));
            rows = operator::lower(stage, rows, exec, needed(stages.as_slice()))?;
        }
        Ok(if may_be_large { operator::of_bounded_size(rows) } else { rows })
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

#[cfg(test)]
mod tests;
