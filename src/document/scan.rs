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
use crate::document::key;
use crate::document::layout::{self, RecordId};
use crate::document::pattern::Pattern;
use crate::document::plan::{Access, IndexScan, Plan};
use crate::document::raw::corrupt;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::{Cursor, View};

/// Bytes one match takes in a sort beside its key.
const SORT_ENTRY_BYTES: usize = 32;

/// A document that matches, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) id: RecordId,
    pub(crate) document: RawDocumentBuf,
}

/// The documents that match a filter, in the order asked for.
#[derive(Debug)]
pub(crate) struct Scan {
    matcher: Matcher,
    source: Source,
    /// Index entries read.
    pub(crate) keys_examined: u64,
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
    pub(crate) fn start(
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
                Source::Entries(Box::new(Entries::new(scan)))
            }
        };
        let matcher = Matcher { view: view.fork(), collection, filter, documents_examined: 0 };
        let mut scan = Self { matcher, source, keys_examined: 0 };
        if let Some(pattern) = sort.filter(|_| plan.sort_in_memory) {
            let sorted = scan.sort(pattern, wanted)?;
            scan.source = Source::Sorted(sorted.into_iter());
        }
        Ok(scan)
    }

    /// Documents read so far.
    pub(crate) fn documents_examined(&self) -> u64 {
        self.matcher.documents_examined
    }

    /// The next match.
    pub(crate) fn advance(&mut self) -> Result<Option<Match>> {
        match &mut self.source {
            Source::Records(cursor) => {
                while let Some((key, value)) = cursor.next()? {
                    self.matcher.documents_examined += 1;
                    let document = RawDocument::from_bytes(value).map_err(corrupt)?;
                    if self.matcher.filter.matches(document)? {
                        return Ok(Some(Match { id: layout::record_id(key)?, document: document.to_owned() }));
                    }
                }
                Ok(None)
            }
            Source::Entries(entries) => {
                while let Some(id) = entries.next(&self.matcher.view, &mut self.keys_examined)? {
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
        let bytes = bytes.ok_or_else(|| Error::corrupt("index entry", format!("record {id} does not exist")))?;
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
    ranges: std::vec::IntoIter<KeyRange>,
    cursor: Option<Cursor>,
    /// Records given already, when an index has several entries for one.
    seen: Option<HashSet<RecordId>>,
    /// When ties are put in record order: the fields they tie by, and the records that do.
    tie: Vec<u8>,
    ties: VecDeque<RecordId>,
    /// An entry read past the end of the ties.
    ahead: Option<(Vec<u8>, RecordId)>,
}

impl Entries {
    fn new(mut scan: IndexScan) -> Self {
        let ranges = std::mem::take(&mut scan.ranges).into_iter();
        let seen = (scan.index.multikey != 0).then(HashSet::new);
        Self { scan, ranges, cursor: None, seen, tie: Vec::new(), ties: VecDeque::new(), ahead: None }
    }

    fn next(&mut self, view: &View, examined: &mut u64) -> Result<Option<RecordId>> {
        loop {
            let id = match self.scan.tie_fields {
                None => self.entry(view, examined)?.map(|(_, id)| id),
                Some(fields) => self.next_of_ties(view, fields, examined)?,
            };
            let Some(id) = id else { return Ok(None) };
            if self.seen.as_mut().is_none_or(|seen| seen.insert(id)) {
                return Ok(Some(id));
            }
        }
    }

    fn next_of_ties(&mut self, view: &View, fields: usize, examined: &mut u64) -> Result<Option<RecordId>> {
        if self.ties.is_empty() {
            let first = match self.ahead.take() {
                Some(entry) => Some(entry),
                None => self.entry(view, examined)?,
            };
            let Some((key, id)) = first else { return Ok(None) };
            self.tie = self.tied_part(&key, fields)?.to_vec();
            self.ties.push_back(id);
            self.collect_ties(view, fields, examined)?;
        }
        Ok(self.ties.pop_front())
    }

    /// Reads entries as long as they tie with the first, and puts them in record order.
    fn collect_ties(&mut self, view: &View, fields: usize, examined: &mut u64) -> Result<()> {
        while let Some((key, id)) = self.entry(view, examined)? {
            if self.tied_part(&key, fields)? != self.tie {
                self.ahead = Some((key, id));
                break;
            }
            self.ties.push_back(id);
            limits::check(
                "bytes of a sort in memory",
                limits::SORT_BYTES_MAX,
                self.ties.len() * size_of::<RecordId>(),
            )?;
        }
        self.ties.make_contiguous().sort_unstable();
        Ok(())
    }

    /// The part of an entry's fields that a sort goes by.
    fn tied_part<'k>(&self, fields: &'k [u8], count: usize) -> Result<&'k [u8]> {
        let pattern = self.scan.index.pattern.fields();
        if count == pattern.len() {
            return Ok(fields);
        }
        let len = key::fields_len(fields, pattern.iter().take(count).map(|field| field.descending))?;
        Ok(fields.get(..len).unwrap_or(fields))
    }

    /// The next entry: its fields and its record.
    fn entry(&mut self, view: &View, examined: &mut u64) -> Result<Option<(Vec<u8>, RecordId)>> {
        loop {
            if let Some(cursor) = &mut self.cursor
                && let Some((key, _)) = cursor.next()?
            {
                *examined += 1;
                // Fields are only needed to tell ties.
                let fields = match self.scan.tie_fields {
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
