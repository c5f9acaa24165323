//! A collection by its name: what the catalogue says of it, and which of its indexes have arrays.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::catalog::{Entry, Kind, Target};
use crate::document::code::Code;
use crate::document::layout;
use crate::document::schema::{CollectionOptions, Schema, uuid_of};
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{Operation, View, Writer};

/// The name of a collection, and what the catalogue says of it.
#[derive(Debug)]
pub(in crate::document) struct Namespace {
    in_catalogue: Target<Schema>,
    /// `database.name`, as errors and records of operations name it.
    target: String,
    /// Whether what is written through it is not asked whether it meets the collection's validator.
    bypasses_validation: bool,
    last: Mutex<Option<Known>>,
}

/// What was found when somebody looked: a definition with all that goes through arrays, in a state of the catalogue. Whoever notes an
/// array changes that.
#[derive(Clone, Debug)]
struct Known {
    epoch: u64,
    with_arrays: Arc<Entry<Schema>>,
}

impl Clone for Namespace {
    fn clone(&self) -> Self {
        let (in_catalogue, target) = (self.in_catalogue.clone(), self.target.clone());
        let (bypasses_validation, last) = (self.bypasses_validation, Mutex::new(self.last.lock().clone()));
        Self { in_catalogue, target, bypasses_validation, last }
    }
}

impl Namespace {
    pub(in crate::document) fn new(database: &str, name: &str) -> Self {
        let target = format!("{database}.{name}");
        let in_catalogue = Target::new(Kind::Collection, database, name);
        Self { in_catalogue, target, bypasses_validation: false, last: Mutex::new(None) }
    }

    /// The same, through which documents may be written that the collection's validator refuses, or may not.
    pub(in crate::document) fn bypassing_validation(mut self, bypasses: bool) -> Self {
        self.bypasses_validation = bypasses;
        self
    }

    pub(in crate::document) fn bypasses_validation(&self) -> bool {
        self.bypasses_validation
    }

    pub(in crate::document) fn database(&self) -> &str {
        self.in_catalogue.namespace()
    }

    pub(in crate::document) fn name(&self) -> &str {
        self.in_catalogue.name()
    }

    /// `collection "shop"."orders"`, for an error.
    pub(in crate::document) fn label(&self) -> String {
        format!("collection {:?}.{:?}", self.database(), self.name())
    }

    pub(in crate::document) fn target(&self) -> &str {
        &self.target
    }

    /// The operation `verb` on the collection, for the record that is made of it.
    pub(in crate::document) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("document", verb, &self.target)
    }

    /// The collection's entry, with all fields of indexes that go through arrays; `None` when it does not exist.
    ///
    /// That there are no more of these is not noted as read: an insertion does not depend on it, and what does notes it itself
    /// ([`Scan::start`](crate::document::scan::Scan::start)).
    #[inline]
    pub(in crate::document) fn get(&self, view: &View) -> Result<Option<Arc<Entry<Schema>>>> {
        let epoch = view.epoch();
        if let Some(known) = self.last.lock().as_ref().filter(|known| Some(known.epoch) == epoch) {
            self.in_catalogue.note(view);
            return Ok(Some(Arc::clone(&known.with_arrays)));
        }
        self.look(view, epoch)
    }

    /// As [`Namespace::get`], of a catalogue that has changed, or of one without a number.
    #[inline(never)]
    fn look(&self, view: &View, epoch: Option<u64>) -> Result<Option<Arc<Entry<Schema>>>> {
        let Some(definition) = self.in_catalogue.get(view)? else { return Ok(None) };
        let mut last = self.last.lock();
        // The index on `_id` has no arrays.
        let has_arrays = definition.record.indexes.len() > 1;
        let with_arrays = if has_arrays { with_arrays(view, &definition)? } else { definition };
        if let Some(epoch) = epoch {
            *last = Some(Known { epoch, with_arrays: Arc::clone(&with_arrays) });
        }
        Ok(Some(with_arrays))
    }

    /// The collection's entry, for what only a collection has: documents that are written, and indexes.
    ///
    /// # Errors
    /// Code 166 for a view.
    pub(in crate::document) fn get_collection(&self, view: &View) -> Result<Option<Arc<Entry<Schema>>>> {
        let entry = self.get(view)?;
        match &entry {
            Some(found) if found.record.is_view() => {
                let message = format!("Namespace {} is a view, not a collection", self.target);
                Err(Code::COMMAND_NOT_SUPPORTED_ON_VIEW.value(message))
            }
            _ => Ok(entry),
        }
    }

    /// The collection's entry; creates the collection when it does not exist.
    ///
    /// # Errors
    /// As [`Namespace::get_collection`];
    /// [`InvalidKind::Value`] for a name that no collection can have, [`Error::LimitExceeded`] for one too long.
    pub(in crate::document) fn get_or_create(&self, writer: &mut Writer) -> Result<Arc<Entry<Schema>>> {
        match self.get_collection(writer)? {
            Some(entry) => Ok(entry),
            None => self.create(writer, CollectionOptions::default()),
        }
    }

    /// Creates the collection, which does not exist.
    ///
    /// # Errors
    /// As [`Namespace::get_or_create`].
    pub(in crate::document) fn create(
        &self,
        writer: &mut Writer,
        options: CollectionOptions,
    ) -> Result<Arc<Entry<Schema>>> {
        self.check_name()?;
        let uuid = uuid_of(writer.unique_number());
        self.in_catalogue.create(writer, Schema::new(Some(uuid), options)?)
    }

    /// Refuses a name that no collection can have.
    pub(in crate::document) fn check_name(&self) -> Result<()> {
        let clean = |text: &str| !text.is_empty() && !text.contains('\0');
        if !clean(self.database()) || !clean(self.name()) || self.name().contains('$') {
            let message = format!("a collection cannot be named {:?}", self.target);
            return Err(Error::value(message));
        }
        Ok(())
    }

    /// Replaces the collection's entry.
    pub(in crate::document) fn update(&self, writer: &mut Writer, entry: &Entry<Schema>) -> Result<()> {
        self.in_catalogue.update(writer, entry)
    }

    /// Takes the collection out of the catalogue.
    pub(in crate::document) fn remove(&self, writer: &mut Writer) {
        self.in_catalogue.remove(writer);
    }
}

/// `definition` with all fields of its indexes that go through arrays.
fn with_arrays(view: &View, definition: &Arc<Entry<Schema>>) -> Result<Arc<Entry<Schema>>> {
    let range = KeyRange::prefix(&layout::arrays_prefix(definition.storage));
    let mut cursor = view.unnoted().range(&range, Direction::Forward)?;
    let mut entry: Option<Entry<Schema>> = None;
    while let Some((key, _)) = cursor.next()? {
        let (index, path) = layout::array(key)?;
        entry.get_or_insert_with(|| definition.as_ref().clone()).record.note_array(index, &path);
    }
    Ok(entry.map_or_else(|| Arc::clone(definition), Arc::new))
}
