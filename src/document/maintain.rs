//! Records and their index entries, written together.
//!
//! # Invariants
//! 1. Every record has exactly the entries that [`Index::keys_of`] gives it, in
//!    every index; in one that is being built it may have none (`build`).
//! 2. A unique index holds no fields under two records.
//! 3. A document is stored only if the collection's validator lets it through (`schema::validation`).
//! 4. What a capped collection holds is counted, and after an insert no more than it may hold, or the new document alone (`capped`).
//! 5. An index's multikey bits cover every field that goes through an array in a stored document.

use std::sync::Arc;

use bson::{Bson, DateTime, Document, RawBsonRef, RawDocument};
use smallvec::SmallVec;

use crate::catalog::Entry;
use crate::document::capped::Held;
use crate::document::expression::Context;
use crate::document::growth;
use crate::document::index_key;
use crate::document::layout::{self, RecordId};
use crate::document::order;
use crate::document::path::{Reached, elements};
use crate::document::pattern::{Keys, PatternField};
use crate::document::raw::{Difference, corrupt};
use crate::document::schema::{Capped, Index, Namespace, Schema};
use crate::document::shown;
use crate::engine::{Direction, KeyRange, Value};
use crate::error::{Error, Result};
use crate::txn::{View, Writer};

/// Room for the key of an index entry with a short text or some numbers.
const ENTRY_CAPACITY: usize = 64;

/// Writes to one collection, within one operation.
#[derive(Debug)]
pub(super) struct Records<'w> {
    writer: &'w mut Writer,
    namespace: &'w Namespace,
    entry: Arc<Entry<Schema>>,
    /// Of an insertion of many documents alone.
    highest: Option<HighestKeys>,
}

/// Of unique indexes, by their numbers, a key that none of their entries is above.
type HighestKeys = SmallVec<[(u32, Vec<u8>); 2]>;

impl<'w> Records<'w> {
    /// The records of `namespace`, whose catalogue entry is `entry`.
    pub(super) fn new(writer: &'w mut Writer, namespace: &'w Namespace, entry: &Arc<Entry<Schema>>) -> Self {
        Self { writer, namespace, entry: Arc::clone(entry), highest: None }
    }

    /// Says that more documents are to be inserted: from now on keys that are above all others are known to be so without a look.
    pub(super) fn expect_more(&mut self) {
        // What a transaction has looked at is checked when it commits.
        if self.highest.is_none() && !self.writer.is_tracked() {
            self.highest = Some(SmallVec::new());
        }
    }

    /// A record id above that of every record of the collection. After reopening or forking, the id of a last record that
    /// was removed may be given out again.
    pub(super) fn next_id(&mut self) -> Result<RecordId> {
        let id = self.entry.storage;
        self.writer.next_in_sequence(&layout::records_prefix(id), |view: &View| {
            let last = view.first(&layout::records(id), Direction::Backward)?;
            layout::next_record_id(last.as_ref().map(|(key, _)| &**key))
        })
    }

    pub(super) fn writer(&self) -> &Writer {
        self.writer
    }

    pub(super) fn writer_mut(&mut self) -> &mut Writer {
        self.writer
    }

    /// Stores a new document.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] when a unique index holds a key of it, [`Error::InvalidDocument`] when the validator refuses it.
    pub(super) fn insert(&mut self, id: RecordId, document: &RawDocument) -> Result<()> {
        self.validate(None, document)?;
        let entry = Arc::clone(&self.entry);
        let mut key = Vec::with_capacity(ENTRY_CAPACITY);
        for index in &entry.record.indexes {
            key.clear();
            layout::put_index_prefix(&mut key, entry.storage, index.id);
            let fields_at = key.len();
            if index.put_only_key(&mut key, document)? {
                if self.make_entry(index, index.refuses_second(), id, document, (&mut key, fields_at))? {
                    // Nobody had the record's id before.
                    self.writer.put_new(&key, [])?;
                }
                continue;
            }
            let keys = index.keys_of(document)?;
            self.note_arrays(index, &keys, id)?;
            self.put_entries(index, index.refuses_second(), id, document, keys.encoded.iter())?;
        }
        self.writer.put_new(layout::record(self.entry.storage, id), document.as_bytes())?;
        match self.capped() {
            Some(capped) => self.trim(capped, id, document.as_bytes().len()),
            None => Ok(()),
        }
    }

    fn capped(&self) -> Option<Capped> {
        self.entry.record.options().capped
    }

    /// Counts record `newest` of so many `bytes`, and removes the oldest of the others until no more is held than may be.
    fn trim(&mut self, capped: Capped, newest: RecordId, bytes: usize) -> Result<()> {
        growth::note(self.writer);
        let mut held = Held::read(self.writer, self.entry.storage)?;
        held.add(bytes);
        held.write(self.writer, self.entry.storage)?;
        while Held::read(self.writer, self.entry.storage)?.exceeds(capped) {
            let oldest = self.writer.first(&layout::records(self.entry.storage), Direction::Forward)?;
            let Some((key, document)) = oldest else { break };
            let id = layout::record_id(&key)?;
            if id == newest {
                break;
            }
            self.remove(id, RawDocument::from_bytes(&*document).map_err(corrupt)?)?;
        }
        Ok(())
    }

    /// Counts what a capped collection holds anew, and trims it.
    ///
    /// # Errors
    /// [`Error::Corruption`] for a document that does not decode.
    pub(super) fn count_and_trim(&mut self) -> Result<()> {
        let Some(capped) = self.capped() else { return Ok(()) };
        let mut held = Held::default();
        let mut newest = None;
        let mut cursor = self.writer.range(&layout::records(self.entry.storage), Direction::Forward)?;
        while let Some((key, document)) = cursor.next()? {
            held.add(document.len());
            newest = Some((layout::record_id(key)?, document.len()));
        }
        drop(cursor);
        let Some((newest, bytes)) = newest else { return Held::default().write(self.writer, self.entry.storage) };
        held.remove(bytes);
        held.write(self.writer, self.entry.storage)?;
        self.trim(capped, newest, bytes)
    }

    /// Replaces document `before` of record `id` by `after`.
    ///
    /// # Errors
    /// As [`Records::insert`].
    pub(super) fn replace(&mut self, id: RecordId, before: &RawDocument, after: &RawDocument) -> Result<()> {
        self.validate(Some(before), after)?;
        let difference = Difference::between(before, after)?;
        let entry = Arc::clone(&self.entry);
        for index in &entry.record.indexes {
            if index.keeps_its_keys(&difference)? {
                continue;
            }
            let (old, new) = (index.keys_of(before)?, index.keys_of(after)?);
            self.note_arrays(index, &new, id)?;
            // Both lists are sorted.
            let gone = old.encoded.iter().filter(|key| new.encoded.binary_search(key).is_err());
            self.remove_entries(index, id, gone);
            let added = new.encoded.iter().filter(|key| old.encoded.binary_search(key).is_err());
            self.put_entries(index, index.refuses_second(), id, after, added)?;
        }
        let (old, new) = (before.as_bytes().len(), after.as_bytes().len());
        if self.capped().is_some() && old != new {
            let mut held = Held::read(self.writer, self.entry.storage)?;
            held.remove(old);
            held.add(new);
            held.write(self.writer, self.entry.storage)?;
        }
        self.writer.put(layout::record(self.entry.storage, id), after.as_bytes())
    }

    /// Asks the validator, if there is one, about a document that is to be stored, in the place of `before` if that is given.
    fn validate(&self, before: Option<&RawDocument>, after: &RawDocument) -> Result<()> {
        match &self.entry.record.validator {
            Some(validator) if !self.namespace.bypasses_validation() => {
                let now = DateTime::from_millis(self.writer.now().as_millis());
                let context = Context::new(now, self.writer.unique_number(), Vec::new());
                let context = context.collated(self.entry.record.collator());
                validator.check(before, after, &context, self.namespace.target())
            }
            _ => Ok(()),
        }
    }

    /// Removes document `document` of record `id`.
    pub(super) fn remove(&mut self, id: RecordId, document: &RawDocument) -> Result<()> {
        let entry = Arc::clone(&self.entry);
        for index in &entry.record.indexes {
            let Keys { encoded, .. } = index.keys_of(document)?;
            self.remove_entries(index, id, encoded.iter());
        }
        self.writer.remove(layout::record(self.entry.storage, id));
        if self.capped().is_some() {
            let mut held = Held::read(self.writer, self.entry.storage)?;
            held.remove(document.as_bytes().len());
            held.write(self.writer, self.entry.storage)?;
        }
        Ok(())
    }

    /// Makes the entries of `index` for the record `id`, some of which may be there already.
    ///
    /// # Errors
    /// As [`Records::insert`].
    pub(super) fn index_one(&mut self, index: &Index, id: RecordId, document: &RawDocument, keys: &Keys) -> Result<()> {
        self.put_entries(index, index.unique, id, document, keys.encoded.iter())
    }

    fn put_entries<'k>(
        &mut self,
        index: &Index,
        checks: bool,
        id: RecordId,
        document: &RawDocument,
        keys: impl Iterator<Item = &'k Vec<u8>>,
    ) -> Result<()> {
        let mut key = layout::index_prefix(self.entry.storage, index.id);
        let fields_at = key.len();
        for fields in keys {
            key.truncate(fields_at);
            key.extend_from_slice(fields);
            if self.make_entry(index, checks, id, document, (&mut key, fields_at))? {
                self.writer.put(&key, [])?;
            }
        }
        Ok(())
    }

    /// Makes the key of an entry of `index` for the record `id`, which is there but for the id, with the fields from a place on, and
    /// checks that no other record has it. Returns whether it is to be put.
    ///
    /// # Errors
    /// As [`Records::insert`].
    fn make_entry(
        &mut self,
        index: &Index,
        checks: bool,
        id: RecordId,
        document: &RawDocument,
        (key, fields_at): (&mut Vec<u8>, usize),
    ) -> Result<bool> {
        let fields_end = key.len();
        key.extend_from_slice(&id.to_be_bytes());
        let (same, _) = key.split_at_checked(fields_end).unwrap_or_default();
        if checks && !self.is_above_all(index, key, same, fields_at)? {
            match self.writer.seek_prefix(same)? {
                // While an index is built, the record may have its entry already.
                Some(found) if *found == **key => return Ok(false),
                Some(_) => {
                    let fields = same.get(fields_at..).unwrap_or_default();
                    return Err(self.duplicate(index, fields, document)?);
                }
                None => {}
            }
        }
        Ok(true)
    }

    /// Whether no entry of `index` begins with `same`, because it is above all of them; then `key`, the entry that is put, is the
    /// highest. Only asked while many documents are inserted.
    fn is_above_all(&mut self, index: &Index, key: &[u8], same: &[u8], fields_at: usize) -> Result<bool> {
        let Some(all) = &mut self.highest else { return Ok(false) };
        if !all.iter().any(|(number, _)| *number == index.id) {
            let entries = KeyRange::prefix(same.get(..fields_at).unwrap_or_default());
            let last = self.writer.first(&entries, Direction::Backward)?;
            all.push((index.id, last.map_or_else(Vec::new, |(last, _)| last.to_vec())));
        }
        let known = all.iter_mut().find(|(number, _)| *number == index.id);
        let Some((_, highest)) = known else { return Ok(false) };
        let is_above = *same > **highest;
        if *key > **highest {
            highest.clear();
            highest.extend_from_slice(key);
        }
        Ok(is_above)
    }

    fn remove_entries<'k>(&mut self, index: &Index, id: RecordId, keys: impl Iterator<Item = &'k Vec<u8>>) {
        let prefix = layout::index_prefix(self.entry.storage, index.id);
        for fields in keys {
            self.writer.remove(layout::entry(&prefix, fields, id));
        }
    }

    /// Notes the fields of an index that go through arrays in record `id`, which is rare: once per index and field. Nothing is read
    /// for it, and the key is one that no other writer puts, so that it conflicts with nothing.
    pub(super) fn note_arrays(&mut self, index: &Index, keys: &Keys, id: RecordId) -> Result<()> {
        if keys.multikey == 0 && keys.array_paths.is_empty() {
            return Ok(());
        }
        let Some(known) = self.entry.record.indexes.iter().find(|known| known.id == index.id) else {
            return Ok(());
        };
        let new_bits = keys.multikey & !known.multikey;
        let is_new = |path: &&String| known.array_paths.binary_search(path).is_err();
        let new_paths: Vec<_> = keys.array_paths.iter().filter(is_new).cloned().collect();
        if new_bits == 0 && new_paths.is_empty() {
            return Ok(());
        }
        let indexes = &mut Arc::make_mut(&mut self.entry).record.indexes;
        if let Some(known) = indexes.iter_mut().find(|known| known.id == index.id) {
            let changed = Arc::make_mut(known);
            changed.multikey |= new_bits;
            changed.array_paths.extend_from_slice(&new_paths);
            changed.array_paths.sort_unstable();
        }
        let fields = index.pattern.fields().iter().enumerate();
        let new_fields = fields.filter(|(place, _)| new_bits >> place & 1 == 1).map(|(_, field)| field.path.as_str());
        for path in new_fields.chain(new_paths.iter().map(String::as_str)) {
            self.writer.put(layout::array_key(self.entry.storage, index.id, path, id), Value::from([]))?;
        }
        // What handles remember of the collection is out of date.
        self.writer.note_catalogue_changed();
        Ok(())
    }

    /// The error for `fields`, which another record has in the unique `index`; the values are those of `document`.
    fn duplicate(&self, index: &Index, fields: &[u8], document: &RawDocument) -> Result<Error> {
        let mut rest = fields;
        let mut shown = Vec::new();
        let mut key_value = Document::new();
        for field in index.pattern.fields() {
            let len = index_key::fields_len(rest, [field.descending])?;
            let (encoded, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            let value = value_of_key(field, index.pattern.order(), encoded, document)?;
            shown.push(format!("{}: {}", field.path.as_str(), shown::shortened(value.to_string())));
            key_value.insert(field.path.as_str(), value);
            rest = after;
        }
        Ok(Error::DuplicateKey {
            target: self.namespace.target().to_owned(),
            index: index.name.clone(),
            value: format!("{{ {} }}", shown.join(", ")),
            key_pattern: Box::new(index.keys.clone()),
            key_value: Box::new(key_value),
        })
    }
}

/// The value that gives `document` the key `encoded` under `field`: of an array the one element.
fn value_of_key(field: &PatternField, order: order::Order<'_>, encoded: &[u8], document: &RawDocument) -> Result<Bson> {
    let mut empty = Vec::new();
    index_key::put_empty_array(&mut empty, field.descending);
    if encoded == empty {
        return Ok(Bson::Array(Vec::new()));
    }
    // What is not found is missing, and missing counts as null.
    let mut found = Bson::Null;
    let mut is_it = |value: RawBsonRef<'_>| {
        let mut key = Vec::new();
        let same = index_key::put_index_field(&mut key, &order::Value::from(value), field.descending, order).is_ok()
            && key == encoded;
        if same {
            found = Bson::try_from(value).unwrap_or(Bson::Null);
        }
        same
    };
    field.path.any(document, |reached| match reached {
        Reached::Missing => false,
        Reached::Field(RawBsonRef::Array(array)) | Reached::Element(RawBsonRef::Array(array)) => {
            elements(array).flatten().any(&mut is_it)
        }
        Reached::Field(value) | Reached::Element(value) => is_it(value),
    })?;
    Ok(found)
}
