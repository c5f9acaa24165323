//! `$sort`: a stable sort in memory, or the smallest few when no more are looked at.
//!
//! Each document gets a sort key of bytes whose order is the order asked for (see [`Pattern::sort_key`]), so that
//! documents are compared without being read again.
//!
//! # Source
//! `MongoDB` manual: `$sort`, Sort Consistency.

use std::collections::BinaryHeap;

use bson::Document;
use bson::raw::RawDocumentBuf;

use crate::document::expression::{Context, Names};
use crate::document::number::Number;
use crate::document::pattern::Pattern;
use crate::document::rows::Input;
use crate::error::Result;
use crate::limits;

/// A compiled `$sort`.
#[derive(Clone, Debug)]
pub(super) struct Sort {
    pattern: Pattern,
}

impl Sort {
    /// Compiles `{path: 1, other: -1}`.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] for any other direction and for no keys, [`Error::Unsupported`] for `$meta`,
    /// [`Error::LimitExceeded`] past [`limits::INDEX_KEYS_MAX`].
    pub(super) fn compile(text: &Document, names: &Names) -> Result<Self> {
        let pattern = Pattern::parse_sort(text, Number::to_i64_leniently)?.collated(names.collator());
        Ok(Self { pattern })
    }

    /// The order, with directions of 1 and -1.
    pub(super) fn text(&self) -> Document {
        self.pattern.to_document()
    }

    /// The documents of `input` in order, equal ones as they came in; no more than `needed`.
    ///
    /// # Errors
    /// Those of `input`; [`InvalidKind::ParallelArrays`]; [`Error::LimitExceeded`] when more than
    /// [`limits::SORT_BYTES_MAX`] have to be held.
    pub(super) fn run(&self, mut input: Input, needed: Option<u64>, context: &Context) -> Result<Vec<RawDocumentBuf>> {
        let needed = needed.map_or(usize::MAX, |needed| usize::try_from(needed).unwrap_or(usize::MAX));
        let mut held = BinaryHeap::new();
        let mut bytes = 0;
        let mut arrival = 0;
        while needed > 0 && input.advance()? {
            context.check_time()?;
            let row = input.row()?;
            let key = self.pattern.sort_key(row)?;
            arrival += 1;
            // Most rows are behind all that are held, and need not be copied.
            if held.len() == needed && held.peek().is_some_and(|largest: &Entry| key >= largest.key) {
                continue;
            }
            let entry = Entry { key, arrival, document: row.to_owned() };
            bytes += entry.bytes();
            held.push(entry);
            if held.len() > needed {
                bytes -= held.pop().map_or(0, |largest| largest.bytes());
            }
            limits::check("sort bytes", limits::SORT_BYTES_MAX, bytes)?;
        }
        Ok(held.into_sorted_vec().into_iter().map(|entry| entry.document).collect())
    }
}

/// A document on its way through the sort.
struct Entry {
    key: Vec<u8>,
    arrival: usize,
    document: RawDocumentBuf,
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + self.document.as_bytes().len()
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key).then(self.arrival.cmp(&other.arrival))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}
