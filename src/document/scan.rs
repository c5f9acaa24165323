//! Finding documents: a plan at work.
//!
//! A [`Scan`] owns a view of one moment, so it can outlive the operation that started it and does not see what is
//! written after.
//!
//! # Cost
//! Streams, unless it sorts in memory; then it keeps the sort key and the record id of each match, at most
//! [`limits::SORT_BYTES_MAX`] bytes, and with a limit of k at most k of them.

use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::sync::Arc;

use bson::{RawDocument, RawDocumentBuf};

use crate::document::expression::Context;
use crate::document::filter::Filter;
use crate::document::index_key;
use crate::document::layout::{self, RecordId};
use crate::document::pattern::Pattern;
use crate::document::planner::{Access, IndexScan, Plan, Span};
use crate::document::raw::corrupt;
use crate::document::rows::Rows;
use crate::document::schema::Index;
use crate::document::supervision;
use crate::engine::KeyRange;
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

impl Match {
    /// The document `bytes` of the record `id`.
    ///
    /// # Errors
    /// [`Error::Corruption`] when they are no document.
    pub(super) fn new(id: RecordId, bytes: Vec<u8>) -> Result<Self> {
        RawDocumentBuf::from_bytes(bytes).map(|document| Self { id, document }).map_err(corrupt)
    }
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
    sieve: Sieve,
}

/// Lets documents through that match.
#[derive(Debug)]
struct Sieve {
    filter: Arc<Filter>,
    context: Arc<Context>,
    /// Keys one of which a document must have, in this index.
    span: Option<(Arc<Index>, Arc<Span>)>,
    documents_examined: u64,
    /// The last match, in memory that is used again; nothing when nobody wants to see it.
    current: Vec<u8>,
    shows: bool,
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
        (filter, context): (Arc<Filter>, Arc<Context>),
        plan: Plan,
        sort: Option<&Pattern>,
        wanted: Option<u64>,
    ) -> Result<Self> {
        let mut vague = None;
        let source = match plan.access {
            Access::Collection(direction) => Source::Records(view.range(&layout::records(collection), direction)?),
            Access::Index(scan) => {
                view.meter().index(&scan.index.name);
                supervision::note_index(&scan.index.name);
                // The bounds may be narrower than they would be if there were more arrays. An `_id` is none.
                if scan.index.id != 0 {
                    view.note_range(&KeyRange::prefix(&layout::index_arrays_prefix(collection, scan.index.id)));
                }
                vague = scan.span.clone().filter(|span| span.is_vague()).map(|span| (Arc::clone(&scan.index), span));
                Source::Entries(Box::new(Entries::new(scan, sort)))
            }
        };
        let (view, current) = (view.fork(), Vec::new());
        let sieve = Sieve { filter, context, span: vague, documents_examined: 0, current, shows: true };
        let matcher = Matcher { view, collection, sieve };
        let mut scan = Self { matcher, source, keys_examined: 0, pause_at: u64::MAX };
        if let Some(pattern) = sort.filter(|_| plan.sort_in_memory) {
            let sorted = scan.sort(pattern, wanted)?;
            scan.source = Source::Sorted(sorted.into_iter());
        }
        Ok(scan)
    }

    /// Documents read so far.
    pub(super) fn documents_examined(&self) -> u64 {
        self.matcher.sieve.documents_examined
    }

    /// Makes [`Scan::advance`] stop when so many documents have been read, as if there were no more; without a bound it goes on.
    pub(super) fn pause_at(&mut self, documents: Option<u64>) {
        self.pause_at = documents.unwrap_or(u64::MAX);
    }

    /// Whether it has stopped there.
    pub(super) fn is_paused(&self) -> bool {
        self.matcher.sieve.documents_examined >= self.pause_at
    }

    /// The scan without a look at the documents, which are not copied then.
    pub(super) fn without_documents(mut self) -> Self {
        self.matcher.sieve.shows = false;
        self
    }

    /// The document of the last match.
    ///
    /// # Errors
    /// [`Error::Corruption`] when there was none.
    pub(super) fn document(&self) -> Result<&RawDocument> {
        RawDocument::from_bytes(&self.matcher.sieve.current).map_err(corrupt)
    }

    /// The next match, in memory of its own.
    pub(super) fn next_match(&mut self) -> Result<Option<Match>> {
        let Some(id) = self.advance_id()? else { return Ok(None) };
        Ok(Some(Match { id, document: self.document()?.to_owned() }))
    }

    /// The record id of the next match.
    pub(super) fn advance_id(&mut self) -> Result<Option<RecordId>> {
        match &mut self.source {
            Source::Records(cursor) => {
                while self.matcher.sieve.documents_examined < self.pause_at
                    && let Some((key, value)) = cursor.next()?
                {
                    if self.matcher.sieve.looks_at(value, true)? {
                        return layout::record_id(key).map(Some);
                    }
                }
                Ok(None)
            }
            Source::Entries(entries) => {
                while self.matcher.sieve.documents_examined < self.pause_at
                    && let Some(id) = entries.next(&self.matcher.view, &mut self.keys_examined)?
                {
                    if self.matcher.fetch(id, true)? {
                        return Ok(Some(id));
                    }
                }
                Ok(None)
            }
            Source::Sorted(ids) => match ids.next() {
                Some(id) => {
                    // It matched when it was sorted.
                    if self.matcher.sieve.shows {
                        self.matcher.fetch(id, false)?;
                    }
                    Ok(Some(id))
                }
                None => Ok(None),
            },
        }
    }

    /// The record ids of all matches by sort key; only the first `wanted` of them, when there is such a bound.
    fn sort(&mut self, pattern: &Pattern, wanted: Option<u64>) -> Result<Vec<RecordId>> {
        let wanted = wanted.map_or(usize::MAX, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        let mut lowest: BinaryHeap<(Vec<u8>, RecordId)> = BinaryHeap::new();
        let mut bytes = 0;
        while let Some(id) = self.advance_id()? {
            let key = pattern.sort_key(self.document()?)?;
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

impl Rows for Scan {
    fn advance(&mut self) -> Result<bool> {
        Ok(self.advance_id()?.is_some())
    }

    fn row(&self) -> Result<&RawDocument> {
        self.document()
    }
}

impl Matcher {
    /// Reads the record `id`, and returns whether it matches ([`Sieve::looks_at`]).
    fn fetch(&mut self, id: RecordId, test: bool) -> Result<bool> {
        let bytes = self.view.get(&layout::record(self.collection, id))?;
        self.sieve.looks_at(&bytes.ok_or_else(|| no_record(id))?, test)
    }
}

impl Sieve {
    /// Whether the document `bytes` matches, which is not asked when it is only to be shown.
    fn looks_at(&mut self, bytes: &[u8], test: bool) -> Result<bool> {
        let document = RawDocument::from_bytes(bytes).map_err(corrupt)?;
        if test {
            self.context.check_time()?;
            self.documents_examined += 1;
            if !self.filter.matches(document, &self.context)? {
                return Ok(false);
            }
            if let Some((index, span)) = &self.span
                && !span.has(index, document)?
            {
                return Ok(false);
            }
        }
        if self.shows {
            self.current.clear();
            self.current.extend_from_slice(bytes);
        }
        Ok(true)
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
