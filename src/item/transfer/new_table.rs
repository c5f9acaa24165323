//! A table that is filled before anybody sees it.
//!
//! Its items are stored under an id that no name has yet, in commits of bounded size; the last one gives it its name. So
//! others see all of it or nothing, and nobody waits for more than a step.
//!
//! # Invariants
//! 1. While it is filled there is a job whose target is where its details will be, and whoever fills it has claimed that.
//!    A job of this kind that nobody has claimed removes what is stored under the id (`build.rs`): so a table
//!    that is not finished, for whatever reason, leaves nothing.
//! 2. The name is given, and the job ended, in one commit.

use crate::catalog::{self, Entry, job};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::item::definition::TableRecord;
use crate::item::details::Details;
use crate::item::layout;
use crate::item::record::encode;
use crate::item::target::Target;
use crate::item::write::{self, Entries};
use crate::item::written::Origin;
use crate::txn::{AutoCommit, Claim, Operation, Room, Steps, WriteScope, Writer};

/// Where the items come from.
pub(super) trait Source {
    /// Some further items, at most about a step's; none at the end.
    fn next(&mut self) -> Result<Vec<Item>>;

    /// What became of items: how many are new in the table, and why others are not in it.
    fn stored(&mut self, new: u64, refused: &[Error]);

    /// Keeps, in the commit that names the table, what is to be kept of it.
    fn named(&self, writer: &mut Writer) -> Result<()>;
}

/// A table that is being filled.
pub(super) struct NewTable<'a, S> {
    store: &'a AutoCommit,
    target: &'a Target,
    record: TableRecord,
    details: Details,
    source: S,
    /// Once it has an id.
    entry: Option<Entry<TableRecord>>,
    batch: Vec<Item>,
    claim: Option<Claim<'a>>,
}

/// What a step did.
pub(super) enum Done {
    Begun(Entry<TableRecord>),
    Stored { new: u64, refused: Vec<Error> },
    Named,
}

impl<'a, S: Source> NewTable<'a, S> {
    /// Fills the table of `target`, which there is not, from `source`, which is returned.
    ///
    /// # Errors
    /// [`Fault::ResourceInUse`](crate::item::Fault::ResourceInUse) when there is one, or somebody makes one meanwhile; what goes wrong with the source.
    pub(super) fn fill(
        store: &'a AutoCommit,
        scope: &impl WriteScope,
        target: &'a Target,
        (record, details): (TableRecord, Details),
        source: S,
    ) -> Result<S> {
        let (verb, entry, batch, claim) = ("import_table", None, Vec::new(), None);
        let mut table = Self { store, target, record, details, source, entry, batch, claim };
        let operation = Operation::new("item", verb, target.name());
        let outcome = scope.write_steps(operation, &mut table);
        // From here on whoever comes upon the job may do it.
        table.claim = None;
        if let (Err(_), Some(entry)) = (&outcome, &table.entry) {
            let job = layout::details_key(entry.storage);
            scope.write(Operation::new("item", verb, target.name()), |writer| match job::get(writer, &job)? {
                Some(left) => job::fill_later(writer, &job, left.place),
                None => Ok(()),
            })?;
        }
        outcome.map(|()| table.source)
    }
}

impl<S: Source> Steps for NewTable<'_, S> {
    type Done = Done;

    fn step(&mut self, writer: &mut Writer, _: Room) -> Result<Done> {
        let Some(entry) = &self.entry else {
            self.target.free_name(writer)?;
            let id = catalog::next_id(writer)?;
            let job = layout::details_key(id);
            job::fill_later(writer, &job, Vec::new())?;
            // Before others see the job.
            self.claim = self.store.core().claims().try_claim(&job);
            return Ok(Done::Begun(Entry { id, storage: id, record: self.record.clone() }));
        };
        if self.batch.is_empty() {
            self.target.free_name(writer)?;
            job::cancel(writer, &layout::details_key(entry.storage))?;
            self.target.give_name(writer, entry, &self.details)?;
            self.source.named(writer)?;
            return Ok(Done::Named);
        }
        let (mut new, mut refused) = (0, Vec::new());
        for item in &self.batch {
            match store(writer, entry, item) {
                Ok(is_new) => new += u64::from(is_new),
                Err(error) if error.item_fault().is_some() => refused.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(Done::Stored { new, refused })
    }

    fn committed(&mut self, done: Done) -> Result<bool> {
        match done {
            Done::Begun(entry) => self.entry = Some(entry),
            Done::Stored { new, refused } => self.source.stored(new, &refused),
            Done::Named => return Ok(false),
        }
        self.batch = self.source.next()?;
        Ok(true)
    }

    fn shorten(&mut self) -> bool {
        false
    }

    fn count(&self) -> u64 {
        // What was stored is seen by nobody, and goes.
        0
    }
}

/// Stores an item, and returns whether there was none with its key.
fn store(writer: &mut Writer, table: &Entry<TableRecord>, item: &Item) -> Result<bool> {
    item.check()?;
    let key = layout::key_of_item(table.storage, &table.record.keys, item)?;
    let record = encode(item)?;
    let entries = Entries::of_new(table, &record, &key)?;
    let old = writer.get(&key)?.map(std::borrow::Cow::into_owned);
    let written = write::apply(writer, table, &key, old, Some((record, entries)), Origin::Client)?;
    Ok(written.old.is_none())
}
