//! Writes of many documents: in steps on the store, in one in a transaction ([`Steps`]).
//!
//! # Invariants
//! 1. Documents are changed that matched at the moment when the operation began, and match when their step comes. Which those are,
//!    is found out from one snapshot, so that a document is changed at most once, even when the change moves it ahead in the
//!    index by which it was found.
//! 2. A document that was removed meanwhile, or does not match any more, is passed over.
//!
//! # Cost
//! What fits into one step costs what it costs in a transaction. Of more, the record ids are kept, [`limits::BULK_IDS_MAX`]
//! at a time, and each document is looked up again. Finding them keeps nobody from writing.

use std::sync::Arc;

use bson::raw::RawBson;
use bson::{Bson, RawDocument};

use crate::document::collation::{Collation, Collator};
use crate::document::expression::Context;
use crate::document::filter::Filter;
use crate::document::find::context;
use crate::document::hint::Hint;
use crate::document::insert::Insertions;
use crate::document::layout::{self, RecordId};
use crate::document::maintain::Records;
use crate::document::planner;
use crate::document::raw::corrupt;
use crate::document::scan::{Match, Scan};
use crate::document::schema::Namespace;
use crate::error::Result;
use crate::limits;
use crate::txn::{Room, Steps, Writer};

/// What a write does to one document that matches. Returns whether it changed it.
pub(super) type Change<'a> = &'a dyn Fn(&mut Records<'_>, Match, &Context) -> Result<bool>;

/// A write of every document that matches a filter.
pub(super) struct EachMatch<'a> {
    namespace: &'a Namespace,
    filter: &'a Arc<Filter>,
    variables: &'a [Option<RawBson>],
    hint: Option<&'a Hint>,
    change: Change<'a>,
    committed: Tally,
    /// What the snapshot has beyond the ids.
    scan: Option<Scan>,
    /// The documents of the next steps.
    ids: std::vec::IntoIter<RecordId>,
    has_begun: bool,
    /// How many documents went well in the last run of a step, and how many may be looked at in the next.
    went_well: usize,
    most: usize,
    compared: Compared,
    /// The collation that the filter should have been compiled with.
    other: Option<Compared>,
}

/// How a write compares text: by a collation of its own, or by that of the collection.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared {
    collator: Option<Arc<Collator>>,
    is_given: bool,
}

impl Compared {
    /// By `collation`, or, without one, by that of the collection, which is not known yet.
    ///
    /// # Errors
    /// As [`Collation::compile`].
    pub(super) fn of(collation: Option<&Collation>) -> Result<Self> {
        let collator = collation.map(Collation::compile).transpose()?.flatten();
        Ok(Self { collator, is_given: collation.is_some() })
    }

    /// What orders text, if not its bytes do.
    pub(super) fn collator(&self) -> Option<&Arc<Collator>> {
        self.collator.as_ref()
    }
}

/// How many documents matched, and how many of them were changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) matched: u64,
    pub(super) changed: u64,
}

/// What a step did.
pub(super) struct Done {
    tally: Tally,
    /// How many of the ids were looked at.
    ids: usize,
    scan: Option<Scan>,
}

impl<'a> EachMatch<'a> {
    pub(super) fn new(
        namespace: &'a Namespace,
        filter: &'a Arc<Filter>,
        variables: &'a [Option<RawBson>],
        hint: Option<&'a Hint>,
        change: Change<'a>,
    ) -> Self {
        Self {
            namespace,
            filter,
            variables,
            hint,
            change,
            committed: Tally::default(),
            scan: None,
            ids: Vec::new().into_iter(),
            has_begun: false,
            went_well: 0,
            most: usize::MAX,
            compared: Compared::default(),
            other: None,
        }
    }

    /// The write with a filter and a change that were compiled so.
    pub(super) fn collated(mut self, compared: &Compared) -> Self {
        self.compared = compared.clone();
        self
    }

    /// How the filter should have been compiled: nothing was done, because the collection has another collation.
    pub(super) fn other_collation(&mut self) -> Option<Compared> {
        self.other.take()
    }

    pub(super) fn tally(&self) -> Tally {
        self.committed
    }

    fn first_step(&mut self, writer: &mut Writer, room: Room) -> Result<Done> {
        let mut done = Done { tally: Tally::default(), ids: 0, scan: None };
        self.other = None;
        let Some(entry) = self.namespace.get_collection(writer)? else { return Ok(done) };
        if !self.compared.is_given && self.compared.collator() != entry.record.collator() {
            self.other = Some(Compared { collator: entry.record.collator().cloned(), is_given: false });
            return Ok(done);
        }
        let plan = planner::choose(entry.storage, &entry.record, self.filter, None, self.hint)?;
        let context = Arc::new(context(writer, self.variables.to_vec()).collated(self.compared.collator()));
        let sieve = (Arc::clone(self.filter), Arc::clone(&context));
        let mut scan = Scan::start(&writer.search(), entry.storage, sieve, plan, None, None)?;
        let mut records = Records::new(writer, self.namespace, &entry);
        if room != Room::Unbounded {
            scan.pause_at(Some(limits::BULK_STEP_DOCUMENTS_MAX as u64));
        }
        while let Some(found) = scan.next_match()? {
            self.apply(&mut records, found, &context, &mut done.tally)?;
            if self.went_well == self.most {
                return Ok(done);
            }
            if room.is_spent(records.writer()) {
                scan.pause_at(Some(0));
            }
        }
        if scan.is_paused() {
            scan.pause_at(None);
            done.scan = Some(scan);
        }
        Ok(done)
    }

    fn later_step(&mut self, writer: &mut Writer, room: Room) -> Result<Done> {
        let mut done = Done { tally: Tally::default(), ids: 0, scan: None };
        let Some(entry) = self.namespace.get_collection(writer)? else {
            done.ids = self.ids.len();
            return Ok(done);
        };
        let ids = self.ids.clone().take(limits::BULK_STEP_DOCUMENTS_MAX.min(self.most));
        let context = context(writer, self.variables.to_vec()).collated(self.compared.collator());
        let mut records = Records::new(writer, self.namespace, &entry);
        for id in ids {
            let found = records.writer().get(&layout::record(entry.storage, id))?;
            let document = found.map(|bytes| RawDocument::from_bytes(&*bytes).map(ToOwned::to_owned).map_err(corrupt));
            match document.transpose()? {
                Some(document) if self.filter.matches(&document, &context)? => {
                    self.apply(&mut records, Match { id, document }, &context, &mut done.tally)?;
                }
                _ => self.went_well += 1,
            }
            done.ids += 1;
            if room.is_spent(records.writer()) {
                break;
            }
        }
        Ok(done)
    }

    fn apply(&mut self, records: &mut Records<'_>, found: Match, context: &Context, tally: &mut Tally) -> Result<()> {
        tally.matched += 1;
        tally.changed += u64::from((self.change)(records, found, context)?);
        self.went_well += 1;
        Ok(())
    }
}

impl Steps for EachMatch<'_> {
    type Done = Done;

    fn step(&mut self, writer: &mut Writer, room: Room) -> Result<Done> {
        self.went_well = 0;
        if self.has_begun { self.later_step(writer, room) } else { self.first_step(writer, room) }
    }

    fn committed(&mut self, done: Done) -> Result<bool> {
        (self.has_begun, self.went_well) = (true, 0);
        self.committed.matched += done.tally.matched;
        self.committed.changed += done.tally.changed;
        self.scan = self.scan.take().or(done.scan);
        if let Some(last) = done.ids.checked_sub(1) {
            self.ids.nth(last);
        }
        if self.ids.len() == 0
            && let Some(scan) = &mut self.scan
        {
            let mut ids = Vec::new();
            while ids.len() < limits::BULK_IDS_MAX {
                let Some(id) = scan.advance_id()? else {
                    self.scan = None;
                    break;
                };
                ids.push(id);
            }
            self.ids = ids.into_iter();
        }
        Ok(self.ids.len() > 0)
    }

    fn shorten(&mut self) -> bool {
        self.most = std::mem::take(&mut self.went_well);
        self.most > 0
    }

    fn count(&self) -> u64 {
        self.committed.changed
    }
}

/// An insertion of many documents, in their order.
pub(super) struct InsertEach<'a> {
    namespace: &'a Namespace,
    /// The document at a place.
    documents: &'a dyn Fn(usize) -> Result<Option<&'a RawDocument>>,
    /// The `_id`s of what is committed, and then of what the running step has inserted.
    ids: Vec<Bson>,
    committed: usize,
    most: usize,
}

impl<'a> InsertEach<'a> {
    pub(super) fn new(
        namespace: &'a Namespace,
        documents: &'a dyn Fn(usize) -> Result<Option<&'a RawDocument>>,
    ) -> Self {
        Self { namespace, documents, ids: Vec::new(), committed: 0, most: usize::MAX }
    }

    pub(super) fn into_ids(self) -> Vec<Bson> {
        self.ids
    }
}

impl Steps for InsertEach<'_> {
    /// Whether there are more documents.
    type Done = bool;

    fn step(&mut self, writer: &mut Writer, room: Room) -> Result<bool> {
        self.ids.truncate(self.committed);
        if (self.documents)(self.committed)?.is_none() {
            return Ok(false);
        }
        let mut insertions = Insertions::begin(writer, self.namespace)?;
        while self.ids.len() - self.committed < self.most
            && let Some(document) = (self.documents)(self.ids.len())?
        {
            let id = insertions.insert(document)?;
            self.ids.push(id);
            if room.is_spent(insertions.writer()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn committed(&mut self, has_more: bool) -> Result<bool> {
        self.committed = self.ids.len();
        Ok(has_more)
    }

    fn shorten(&mut self) -> bool {
        self.most = self.ids.len() - self.committed;
        self.ids.truncate(self.committed);
        self.most > 0
    }

    fn count(&self) -> u64 {
        self.committed as u64
    }
}

#[cfg(test)]
mod tests;
