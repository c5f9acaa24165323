//! Finding documents: a plan at work.
//!
//! A [`Scan`] owns a view of one moment, so it can outlive the operation that started it and does not see what is written
//! after (SEM: DOC-CUR-2).
//!
//! # Cost
//! Streams, unless it sorts in memory; then it keeps the sort key and the record id of each match, at most
//! [`limits::SORT_BYTES_MAX`] bytes, and with a limit of k at most k of them (SEM: DOC-SORT-5).

use std::collections::{BinaryHeap, HashSet, VecDeque};

use bson::{RawDocument, RawDocumentBuf};

use crate::document::filter::Filter;
use crate::document::index_key;
use crate::document::layout::{self, RecordId};
use crate::document::pattern::Pattern;
use crate::document::planner::{Access, IndexScan, Plan};
use crate::document::raw::corrupt;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::{Cursor, View};

/// Bytes one match takes in a sort beside its key.
const SORT_ENTRY_BYTES: usize = 32;

/// A document that matches, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) id: RecordId,
    pub(super) document: RawDocumentBuf,
}

/// The documents that match a filter, in the order asked for.
#[derive(Debug)]
pub(super) struct Scan {
    matcher: Matcher,
    source: Source,
    /// Index entries read.
    pub(super) keys_examined: u64,
    /// How many documents are read before it stops.
    pause_at: u64,
}

/// What a [`Scan`] reads documents with.
#[derive(Debug)]
struct Matcher {
    view: View,
    collection: u32,
    filter: Filter,
    documents_examined: u64,
}

#[derive(Debug)]
enum Source {
    Records(Cursor),
    Entries(Box<Entries>),
    /// Matches that are sorted already.
    Sorted(std::vec::IntoIter<RecordId>),
}

impl Scan {
    /// Starts to find what matches `filter` by `plan`. With `sort`, at most `wanted` documents will be asked for.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] when a sort in memory takes too much of it.
    pub(super) fn start(
        view: &View,
        collection: u32,
        filter: Filter,
        plan: Plan,
        sort: Option<&Pattern>,
        wanted: Option<u64>,
    ) -> Result<Self> {
        let source = match plan.access {
            Access::Collection => Source::Records(view.range(&layout::records(collection), Direction::Forward)?),
            Access::Index(scan) => {
                view.meter().index(&scan.index.name);
                Source::Entries(Box::new(Entries::new(scan, sort)))
            }
        };
        let matcher = Matcher { view: view.fork(), collection, filter, documents_examined: 0 };
        let mut scan = Self { matcher, source, keys_examined: 0, pause_at: u64::MAX };
        if let Some(pattern) = sort.filter(|_| plan.sort_in_memory) {
            let sorted = scan.sort(pattern, wanted)?;
            scan.source = Source::Sorted(sorted.into_iter());
        }
        Ok(scan)
    }

    /// Documents read so far.
    pub(super) fn documents_examined(&self) -> u64 {
        self.matcher.documents_examined
    }

    /// Makes [`Scan::advance`] stop when so many documents have been read, as if there were no more; without a bound it goes on.
    pub(super) fn pause_at(&mut self, documents: Option<u64>) {
        self.pause_at = documents.unwrap_or(u64::MAX);
    }

    /// Whether it has stopped there.
    pub(super) fn is_paused(&self) -> bool {
        self.matcher.documents_examined >= self.pause_at
    }

    /// The record id of the next match.
    pub(super) fn advance_id(&mut self) -> Result<Option<RecordId>> {
        Ok(self.advance()?.map(|found| found.id))
    }

    /// The next match.
    pub(super) fn advance(&mut self) -> Result<Option<Match>> {
        match &mut self.source {
            Source::Records(cursor) => {
                while self.matcher.documents_examined < self.pause_at
                    && let Some((key, value)) = cursor.next()?
                {
                    self.matcher.documents_examined += 1;
                    let document = RawDocument::from_bytes(value).map_err(corrupt)?;
                    if self.matcher.filter.matches(document)? {
                        return Ok(Some(Match { id: layout::record_id(key)?, document: document.to_owned() }));
                    }
                }
                Ok(None)
            }
            Source::Entries(entries) => {
                while self.matcher.documents_examined < self.pause_at
                    && let Some(id) = entries.next(&self.matcher.view, &mut self.keys_examined)?
                {
                    if let Some(found) = self.matcher.fetch(id, true)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            Source::Sorted(ids) => match ids.next() {
                Some(id) => self.matcher.fetch(id, false),
                None => Ok(None),
            },
        }
    }

    /// The record ids of all matches by sort key; only the first `wanted` of them, when there is such a bound.
    fn sort(&mut self, pattern: &Pattern, wanted: Option<u64>) -> Result<Vec<RecordId>> {
        let wanted = wanted.map_or(usize::MAX, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        let mut lowest: BinaryHeap<(Vec<u8>, RecordId)> = BinaryHeap::new();
        let mut bytes = 0;
        while let Some(Match { id, document }) = self.advance()? {
            let key = pattern.sort_key(&document)?;
            bytes += key.len() + SORT_ENTRY_BYTES;
            lowest.push((key, id));
            if lowest.len() > wanted
                && let Some((highest, _)) = lowest.pop()
            {
                bytes -= highest.len() + SORT_ENTRY_BYTES;
            }
            limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
        }
        Ok(lowest.into_sorted_vec().into_iter().map(|(_, id)| id).collect())
    }
}

impl Iterator for Scan {
    type Item = Result<Match>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

impl Matcher {
    /// The record `id`, if it matches; read again for the output of a sort, it is not matched again.
    fn fetch(&mut self, id: RecordId, test: bool) -> Result<Option<Match>> {
        let bytes = self.view.get(&layout::record(self.collection, id))?;
        let bytes = bytes.ok_or_else(|| no_record(id))?;
        let document = RawDocument::from_bytes(&*bytes).map_err(corrupt)?;
        if test {
            self.documents_examined += 1;
            if !self.filter.matches(document)? {
                return Ok(None);
            }
        }
        Ok(Some(Match { id, document: document.to_owned() }))
    }
}

/// The record ids under some entries of an index, each once.
#[derive(Debug)]
struct Entries {
    scan: IndexScan,
    /// What the index gives the order of.
    sort: Option<Pattern>,
    ranges: std::vec::IntoIter<KeyRange>,
    cursor: Option<Cursor>,
    /// Records given already, when an index has several entries for one.
    seen: Option<HashSet<RecordId>>,
    /// Records that tie, in their order.
    ties: VecDeque<RecordId>,
    /// An entry read past the end of the ties.
    ahead: Option<(Vec<u8>, RecordId)>,
}

impl Entries {
    fn new(mut scan: IndexScan, sort: Option<&Pattern>) -> Self {
        let ranges = std::mem::take(&mut scan.ranges).into_iter();
        let seen = (scan.index.multikey != 0).then(HashSet::new);
        Self { scan, sort: sort.cloned(), ranges, cursor: None, seen, ties: VecDeque::new(), ahead: None }
    }

    fn next(&mut self, view: &View, examined: &mut u64) -> Result<Option<RecordId>> {
        loop {
            let id = match self.scan.sorted_fields {
                None => self.entry(view, examined)?.map(|(_, id)| id),
                Some(fields) => self.next_in_order(view, fields, examined)?,
            };
            let Some(id) = id else { return Ok(None) };
            if self.seen.as_mut().is_none_or(|seen| seen.insert(id)) {
                return Ok(Some(id));
            }
        }
    }

    fn next_in_order(&mut self, view: &View, fields: usize, examined: &mut u64) -> Result<Option<RecordId>> {
        if self.ties.is_empty() {
            let first = match self.ahead.take() {
                Some(entry) => Some(entry),
                None => self.entry(view, examined)?,
            };
            let Some((key, id)) = first else { return Ok(None) };
            // A key that is not longer than a field may be has no field that is.
            if self.scan.orders_ties && key.len() <= limits::INDEX_COMPONENT_BYTES_MAX {
                return Ok(Some(id));
            }
            let directions = self.scan.index.pattern.fields().iter().take(fields).map(|field| field.descending);
            let (len, is_long) = index_key::ordered_len(&key, directions)?;
            self.ties.push_back(id);
            if is_long || !self.scan.orders_ties {
                self.collect_ties(view, key.get(..len).unwrap_or(&key), is_long, examined)?;
            }
        }
        Ok(self.ties.pop_front())
    }

    /// Reads the entries that begin with `tie`, and puts them in order: of records, or, when they begin with a part of a long
    /// value, of what that is in the documents, and then of records.
    fn collect_ties(&mut self, view: &View, tie: &[u8], is_long: bool, examined: &mut u64) -> Result<()> {
        let check = |bytes| limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes);
        while let Some((key, id)) = self.entry(view, examined)? {
            if !key.starts_with(tie) {
                self.ahead = Some((key, id));
                break;
            }
            self.ties.push_back(id);
            check(self.ties.len() * size_of::<RecordId>())?;
        }
        let Some(sort) = self.sort.as_ref().filter(|_| is_long && self.ties.len() > 1) else {
            self.ties.make_contiguous().sort_unstable();
            return Ok(());
        };
        let (collection, _) = layout::index_of(&self.scan.prefix)?;
        let (mut keyed, mut bytes) = (Vec::with_capacity(self.ties.len()), 0);
        for id in self.ties.drain(..) {
            let document = view.get(&layout::record(collection, id))?.ok_or_else(|| no_record(id))?;
            let key = sort.sort_key(RawDocument::from_bytes(&*document).map_err(corrupt)?)?;
            bytes += key.len() + SORT_ENTRY_BYTES;
            check(bytes)?;
            keyed.push((key, id));
        }
        keyed.sort_unstable();
        self.ties.extend(keyed.into_iter().map(|(_, id)| id));
        Ok(())
    }

    /// The next entry: its fields, when an order is asked for, and its record.
    fn entry(&mut self, view: &View, examined: &mut u64) -> Result<Option<(Vec<u8>, RecordId)>> {
        loop {
            if let Some(cursor) = &mut self.cursor
                && let Some((key, _)) = cursor.next()?
            {
                *examined += 1;
                let fields = match self.scan.sorted_fields {
                    Some(_) => layout::entry_fields(&self.scan.prefix, key)?.to_vec(),
                    None => Vec::new(),
                };
                return Ok(Some((fields, layout::record_id(key)?)));
            }
            let Some(range) = self.ranges.next() else { return Ok(None) };
            self.cursor = Some(view.range(&range, self.scan.direction)?);
        }
    }
}

fn no_record(id: RecordId) -> Error {
    Error::corrupt("index entry", format!("record {id} does not exist"))
}
