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

mod find_one_and;
mod model;
mod modify;
mod options;
mod outcome;
mod selection;
mod writes;

use bson::{Bson, RawDocument};

pub use self::find_one_and::{FindOneAndDelete, FindOneAndResult, FindOneAndUpdate, ReturnDocument};
pub use self::model::WriteModel;
pub(super) use self::modify::{Modify, insert, remove_first};
pub use self::options::UpdateOptions;
pub use self::outcome::{BulkWriteResult, UpdateResult, WriteOutcome};
pub(super) use self::selection::Selection;
pub use self::writes::BulkWrite;
use crate::document::layout::{self, RecordId};
use crate::document::maintain::Records;
use crate::document::raw::corrupt;
use crate::document::scan::{Match, Scan};
use crate::document::schema::Namespace;
use crate::error::Result;
use crate::limits;
use crate::txn::{Room, Steps, Writer};

/// What a write does to the documents that match.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    Modify(&'a Modify),
    Remove(&'a Selection),
}

impl<'a> Action<'a> {
    fn selection(self) -> &'a Selection {
        match self {
            Self::Modify(modify) => &modify.selection,
            Self::Remove(selection) => selection,
        }
    }

    fn upserts(self) -> bool {
        matches!(self, Self::Modify(modify) if modify.upserts())
    }

    /// Does it to one of them, and returns whether that is a change.
    fn apply(self, records: &mut Records<'_>, found: Match, namespace: &Namespace) -> Result<bool> {
        match self {
            Self::Modify(modify) => Ok(modify.apply(records, found, namespace)?.is_some()),
            Self::Remove(_) => records.remove(found.id, &found.document).map(|()| true),
        }
    }
}

/// A write of every document that matches a filter.
pub(super) struct EachMatch<'a> {
    namespace: &'a Namespace,
    action: Action<'a>,
    committed: Tally,
    /// What the snapshot has beyond the ids.
    scan: Option<Scan>,
    /// The documents of the next steps.
    ids: std::vec::IntoIter<RecordId>,
    has_begun: bool,
    /// How many documents went well in the last run of a step, and how many may be looked at in the next.
    went_well: usize,
    most: usize,
}

/// How many documents matched, and how many of them were changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) matched: u64,
    pub(super) changed: u64,
    /// The `_id` of a document that was inserted because none matched.
    pub(super) upserted_id: Option<Bson>,
}

/// What a step did.
pub(super) struct Done {
    tally: Tally,
    /// How many of the ids were looked at.
    ids: usize,
    scan: Option<Scan>,
}

impl<'a> EachMatch<'a> {
    pub(super) fn new(namespace: &'a Namespace, action: Action<'a>) -> Self {
        Self {
            namespace,
            action,
            committed: Tally::default(),
            scan: None,
            ids: Vec::new().into_iter(),
            has_begun: false,
            went_well: 0,
            most: usize::MAX,
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.committed
    }

    fn first_step(&mut self, writer: &mut Writer, room: Room) -> Result<Done> {
        let mut done = Done { tally: Tally::default(), ids: 0, scan: None };
        let Some(entry) = self.namespace.get(writer)? else { return self.upsert(writer, done) };
        let mut scan = self.action.selection().start(&writer.search(), &entry, None)?;
        let mut records = Records::new(writer, self.namespace, &entry);
        let pause_at = (room != Room::Unbounded).then_some(limits::BULK_STEP_DOCUMENTS_MAX as u64);
        // Whether to insert has to be known in this step: then the first match is looked for however far away it is.
        if !self.action.upserts() {
            scan.pause_at(pause_at);
        }
        while let Some(found) = scan.advance()? {
            self.apply(&mut records, found, &mut done.tally)?;
            if self.action.upserts() {
                scan.pause_at(pause_at);
            }
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
        if done.tally.matched == 0 {
            return self.upsert(writer, done);
        }
        Ok(done)
    }

    /// Inserts a document because none matches, if that is wanted.
    fn upsert(&mut self, writer: &mut Writer, mut done: Done) -> Result<Done> {
        if let Action::Modify(modify) = self.action
            && done.scan.is_none()
        {
            done.tally.upserted_id = modify.upsert(writer, self.namespace)?.upserted_id;
        }
        Ok(done)
    }

    fn later_step(&mut self, writer: &mut Writer, room: Room) -> Result<Done> {
        let mut done = Done { tally: Tally::default(), ids: 0, scan: None };
        let Some(entry) = self.namespace.get(writer)? else {
            done.ids = self.ids.len();
            return Ok(done);
        };
        let ids = self.ids.clone().take(limits::BULK_STEP_DOCUMENTS_MAX.min(self.most));
        let mut records = Records::new(writer, self.namespace, &entry);
        for id in ids {
            let found = records.writer().get(&layout::record(entry.storage, id))?;
            let document = found.map(|bytes| RawDocument::from_bytes(&*bytes).map(ToOwned::to_owned).map_err(corrupt));
            match document.transpose()? {
                Some(document) if self.action.selection().matches(&document)? => {
                    self.apply(&mut records, Match { id, document }, &mut done.tally)?;
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

    fn apply(&mut self, records: &mut Records<'_>, found: Match, tally: &mut Tally) -> Result<()> {
        tally.matched += 1;
        tally.changed += u64::from(self.action.apply(records, found, self.namespace)?);
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
        self.committed.upserted_id = self.committed.upserted_id.take().or(done.tally.upserted_id);
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
    pub(super) documents: &'a dyn Fn(usize) -> Result<Option<&'a RawDocument>>,
    pub(super) insert: &'a dyn Fn(&mut Writer, &RawDocument) -> Result<Bson>,
    /// The `_id`s of what is committed, and then of what the running step has inserted.
    ids: Vec<Bson>,
    committed: usize,
    most: usize,
}

impl<'a> InsertEach<'a> {
    pub(super) fn new(
        documents: &'a dyn Fn(usize) -> Result<Option<&'a RawDocument>>,
        insert: &'a dyn Fn(&mut Writer, &RawDocument) -> Result<Bson>,
    ) -> Self {
        Self { documents, insert, ids: Vec::new(), committed: 0, most: usize::MAX }
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
        while self.ids.len() - self.committed < self.most
            && let Some(document) = (self.documents)(self.ids.len())?
        {
            let id = (self.insert)(writer, document)?;
            self.ids.push(id);
            if room.is_spent(writer) {
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
