//! Which documents a write is about.

use std::sync::Arc;

use bson::{Document, RawDocument};

use crate::catalog::Entry;
use crate::document::filter::Filter;
use crate::document::number::Number;
use crate::document::pattern::Pattern;
use crate::document::planner;
use crate::document::scan::Scan;
use crate::document::schema::Schema;
use crate::error::Result;
use crate::txn::View;

/// A compiled filter, and the order in which its matches come.
#[derive(Clone, Debug)]
pub(in crate::document) struct Selection {
    filter: Arc<Filter>,
    sort: Option<Pattern>,
}

impl Selection {
    /// Compiles `filter`, and `sort` unless it is empty.
    ///
    /// # Errors
    /// Those of a query.
    pub(in crate::document) fn compile(filter: &Document, sort: Option<&Document>) -> Result<Self> {
        let sort = sort.filter(|sort| !sort.is_empty());
        let sort = sort.map(|sort| Pattern::parse_sort(sort, Number::as_i64)).transpose()?;
        Ok(Self { filter: Arc::new(Filter::compile(filter)?), sort })
    }

    /// Starts to find the matches, of which at most `wanted` will be asked for.
    ///
    /// # Errors
    /// As [`Scan::start`].
    pub(super) fn start(&self, view: &View, entry: &Entry<Schema>, wanted: Option<u64>) -> Result<Scan> {
        let plan = planner::choose(entry.storage, &entry.record, &self.filter, self.sort.as_ref())?;
        Scan::start(view, entry.storage, Filter::clone(&self.filter), plan, self.sort.as_ref(), wanted)
    }

    /// Whether `document` matches.
    pub(super) fn matches(&self, document: &RawDocument) -> Result<bool> {
        self.filter.matches(document)
    }

    /// The position of the array element by which `document` matches.
    pub(super) fn position(&self, document: &RawDocument) -> Result<Option<usize>> {
        self.filter.position(document)
    }
}
