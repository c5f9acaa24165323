//! One name of the catalogue, as a handle works on it.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalog::{self, Entry, Kind};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::{View, Writer};

/// A name, and a copy of its decoded entry: an operation pays for looking and decoding only when the catalogue has changed.
#[derive(Debug)]
pub(crate) struct Target<R> {
    kind: Kind,
    namespace: String,
    name: Arc<str>,
    /// Where the entry is stored.
    key: Vec<u8>,
    last: Mutex<Option<Decoded<R>>>,
}

/// What was found when somebody looked.
#[derive(Debug)]
struct Decoded<R> {
    /// The state of the catalogue in which it was found, when that has a number.
    epoch: Option<u64>,
    /// The stored bytes with what they decode to; `None` when the name is not there.
    found: Option<(Vec<u8>, Arc<Entry<R>>)>,
}

// Derived, they would ask for `R: Clone`.
impl<R> Clone for Decoded<R> {
    fn clone(&self) -> Self {
        Self { epoch: self.epoch, found: self.found.clone() }
    }
}

impl<R> Clone for Target<R> {
    fn clone(&self) -> Self {
        Self {
            kind: self.kind,
            namespace: self.namespace.clone(),
            name: Arc::clone(&self.name),
            key: self.key.clone(),
            last: Mutex::new(self.last.lock().clone()),
        }
    }
}

impl<R> Target<R> {
    pub(crate) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        let key = catalog::key(kind, namespace, name);
        Self { kind, namespace: namespace.to_owned(), name: name.into(), key, last: Mutex::new(None) }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Notes that the entry is relied on, for a caller that knows it by the catalogue's epoch.
    #[inline]
    pub(crate) fn note(&self, view: &View) {
        view.note(&self.key);
    }
}

impl<R: Serialize + DeserializeOwned> Target<R> {
    /// The entry, or `None` when the name is not there.
    pub(crate) fn get(&self, view: &View) -> Result<Option<Arc<Entry<R>>>> {
        let epoch = view.epoch();
        let mut last = self.last.lock();
        if let Some(last) = last.as_ref().filter(|last| last.epoch.is_some() && last.epoch == epoch) {
            self.note(view);
            return Ok(last.found.as_ref().map(|(_, entry)| Arc::clone(entry)));
        }
        let Some(bytes) = view.get(&self.key)? else {
            *last = Some(Decoded { epoch, found: None });
            return Ok(None);
        };
        // Most changes of the catalogue are of other names.
        let same = last.as_mut().filter(|last| last.found.as_ref().is_some_and(|(cached, _)| **cached == *bytes));
        if let Some(last) = same {
            last.epoch = epoch;
            return Ok(last.found.as_ref().map(|(_, entry)| Arc::clone(entry)));
        }
        let entry = Arc::new(catalog::decode(&bytes)?);
        *last = Some(Decoded { epoch, found: Some((bytes.into_owned(), Arc::clone(&entry))) });
        Ok(Some(entry))
    }

    /// Gives the name, which is free, a fresh id.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a name that is too long.
    pub(crate) fn create(&self, writer: &mut Writer, record: R) -> Result<Arc<Entry<R>>> {
        limits::check("name bytes", limits::NAME_BYTES_MAX, self.name.len())?;
        limits::check("namespace bytes", limits::NAME_BYTES_MAX, self.namespace.len())?;
        let id = catalog::next_id(writer)?;
        let entry = Entry { id, storage: id, record };
        self.update(writer, &entry)?;
        Ok(Arc::new(entry))
    }

    /// As [`Target::create`]; nothing happens when the name is there with a definition that is the `same`.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when it is there with another: `what` it is, named by `label`.
    pub(crate) fn create_or_same(
        &self,
        writer: &mut Writer,
        record: R,
        same: impl FnOnce(&R, &R) -> bool,
        (what, label): (&'static str, &str),
    ) -> Result<()> {
        match self.get(writer)? {
            None => self.create(writer, record).map(drop),
            Some(stored) if same(&stored.record, &record) => Ok(()),
            Some(_) => Err(Error::AlreadyExists { what, name: label.to_owned() }),
        }
    }

    /// Changes the entry.
    pub(crate) fn update(&self, writer: &mut Writer, entry: &Entry<R>) -> Result<()> {
        writer.note_catalogue_changed();
        writer.put(&self.key, catalog::encode(entry)?)
    }

    /// Removes the name. What is stored under its storage id is the caller's affair.
    pub(crate) fn remove(&self, writer: &mut Writer) {
        writer.note_catalogue_changed();
        writer.remove(&self.key);
    }
}
