//! What an update sees beside the document it changes.

use bson::{DateTime, RawDocument, Timestamp as BsonTimestamp};

use super::filters::ArrayFilters;
use crate::clock::Timestamp;
use crate::document::code::Code;
use crate::error::Result;

/// The circumstances of one change of one document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    /// The document before the change.
    pub(super) root: &'a RawDocument,
    pub(super) now: Timestamp,
    /// The position of the array element that the filter found.
    pub(super) matched: Option<usize>,
    /// Whether the document is new, so that `$setOnInsert` counts.
    pub(super) inserts: bool,
    pub(super) filters: &'a ArrayFilters,
}

impl Moment<'_> {
    /// The position that `$` stands for.
    pub(super) fn position(&self) -> Result<usize> {
        self.matched.ok_or_else(|| {
            Code::BAD_VALUE.value("the positional operator $ needs a filter that finds an element of an array")
        })
    }

    /// The time as a date.
    pub(super) fn date(&self) -> DateTime {
        DateTime::from_millis(self.now.as_millis())
    }

    /// The time as a timestamp.
    pub(super) fn timestamp(&self) -> BsonTimestamp {
        timestamp(self.now)
    }
}

/// `now` as a timestamp: the seconds, and the microseconds within them as the increment, from 1.
pub(in crate::document) fn timestamp(now: Timestamp) -> BsonTimestamp {
    let micros = now.as_micros();
    let time = u32::try_from(micros.div_euclid(1_000_000)).unwrap_or(0);
    let increment = u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0).saturating_add(1);
    BsonTimestamp { time, increment }
}
