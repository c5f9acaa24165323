//! One document: inserted, changed, replaced or removed.

use bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::document::bulk::options::UpdateOptions;
use crate::document::bulk::outcome::UpdateResult;
use crate::document::bulk::selection::Selection;
use crate::document::code::Code;
use crate::document::describe;
use crate::document::maintain::Records;
use crate::document::order::compare;
use crate::document::raw;
use crate::document::scan::Match;
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::document::update::{Circumstances, Update, UpdateModifications, seed, seed_id, timestamp};
use crate::error::{Error, InvalidKind, Result};
use crate::txn::Writer;

/// A compiled change of documents that match.
#[derive(Clone, Debug)]
pub(in crate::document) struct Modify {
    pub(super) selection: Selection,
    change: Change,
    /// What an upsert begins with.
    seed: Option<RawDocumentBuf>,
}

#[derive(Clone, Debug)]
enum Change {
    Update(Update),
    Replacement(RawDocumentBuf),
}

/// What a change of one document did.
#[derive(Debug, Default)]
pub(in crate::document) struct Modified {
    /// Whether there was a document to change.
    pub(in crate::document) matched: bool,
    pub(in crate::document) modified: bool,
    /// The `_id` of a document that was inserted because there was none.
    pub(in crate::document) upserted_id: Option<Bson>,
    pub(in crate::document) before: Option<RawDocumentBuf>,
    pub(in crate::document) after: Option<RawDocumentBuf>,
}

impl From<Modified> for UpdateResult {
    fn from(modified: Modified) -> Self {
        let Modified { matched, modified, upserted_id, .. } = modified;
        Self { matched: matched.into(), modified: modified.into(), upserted_id }
    }
}

impl Modify {
    /// Compiles an update of one document.
    ///
    /// # Errors
    /// Those of filters, sorts and updates.
    pub(in crate::document) fn update(
        filter: &Document,
        update: &UpdateModifications,
        options: &UpdateOptions,
    ) -> Result<Self> {
        let selection = Selection::compile(filter, options.sort.as_ref())?;
        let change = Change::Update(Update::compile(update, &options.array_filters)?);
        let seed = options.upsert.then(|| raw_document(&seed(filter)?)).transpose()?;
        Ok(Self { selection, change, seed })
    }

    /// Compiles an update of every document that matches.
    ///
    /// # Errors
    /// As [`Modify::update`]; [`Error::Invalid`] for a sort, which only says which one of them is changed.
    pub(in crate::document) fn update_many(
        filter: &Document,
        update: &UpdateModifications,
        options: &UpdateOptions,
    ) -> Result<Self> {
        if options.sort.is_some() {
            return Err(Code::FAILED_TO_PARSE.syntax("an update of all documents that match takes no sort"));
        }
        Self::update(filter, update, options)
    }

    /// Compiles a replacement of one document by another, which is checked.
    ///
    /// # Errors
    /// Those of filters and sorts; [`Error::Invalid`] for a replacement with operators, and for array filters.
    pub(in crate::document) fn replacement(
        filter: &Document,
        replacement: RawDocumentBuf,
        options: &UpdateOptions,
    ) -> Result<Self> {
        if let Some(operator) = stored::operator(&replacement)? {
            let message = format!("replacement document must not contain update operators such as {operator}");
            return Err(Error::value(message));
        }
        if !options.array_filters.is_empty() {
            return Err(Code::FAILED_TO_PARSE.syntax("a replacement takes no array filters"));
        }
        let selection = Selection::compile(filter, options.sort.as_ref())?;
        let seed = options.upsert.then(|| raw_document(&seed_id(filter)?)).transpose()?;
        Ok(Self { selection, change: Change::Replacement(replacement), seed })
    }

    /// Whether a document is inserted when none matches.
    pub(super) fn upserts(&self) -> bool {
        self.seed.is_some()
    }

    /// Changes the first document that matches, or inserts one when there is none and that is asked for.
    ///
    /// # Errors
    /// Those of the change and of the documents it makes.
    pub(in crate::document) fn first(&self, writer: &mut Writer, namespace: &Namespace) -> Result<Modified> {
        let Some((found, mut records)) = first(&self.selection, writer, namespace)? else {
            return self.upsert(writer, namespace);
        };
        let before = found.document.clone();
        let after = self.apply(&mut records, found, namespace)?;
        let modified = after.is_some();
        let after = after.unwrap_or_else(|| before.clone());
        Ok(Modified { matched: true, modified, upserted_id: None, before: Some(before), after: Some(after) })
    }

    /// Changes the document `found`, and returns what it is now; `None` when that is what it was.
    ///
    /// # Errors
    /// As [`Modify::first`].
    pub(super) fn apply(
        &self,
        records: &mut Records<'_>,
        found: Match,
        namespace: &Namespace,
    ) -> Result<Option<RawDocumentBuf>> {
        let Match { id, document: before } = found;
        let mut change = || {
            let after = match &self.change {
                Change::Update(update) => {
                    let matched = if update.has_matched() { self.selection.position(&before)? } else { None };
                    let circumstances = Circumstances { now: records.writer().now(), matched, inserts: false };
                    let Some(after) = update.apply(&before, circumstances)? else { return Ok(None) };
                    stored::check(&after)?;
                    after
                }
                // Equal or not, it counts as a change (SEM: DOC-UPD-7).
                Change::Replacement(replacement) => {
                    let id = raw::field(&before, "_id")?.unwrap_or(RawBsonRef::Null);
                    replace(id, replacement, records.writer())?
                }
            };
            records.replace(id, &before, &after)?;
            Ok(Some(after))
        };
        change().map_err(|error: Error| error.at(|| describe::document_of(&before, &namespace.label())))
    }

    /// Inserts the document that the change makes of what the filter asks for, if that is wanted.
    ///
    /// # Errors
    /// As [`Modify::first`].
    pub(super) fn upsert(&self, writer: &mut Writer, namespace: &Namespace) -> Result<Modified> {
        let Some(seed) = &self.seed else { return Ok(Modified::default()) };
        let new = match &self.change {
            Change::Update(update) => {
                let circumstances = Circumstances { now: writer.now(), matched: None, inserts: true };
                let new = update.apply(seed, circumstances)?.unwrap_or_else(|| seed.clone());
                stored::check(&new)?;
                new
            }
            Change::Replacement(replacement) => match raw::field(seed, "_id")? {
                Some(id) => replace(id, replacement, writer)?,
                None => replacement.clone(),
            },
        };
        let (upserted_id, after) = insert(writer, namespace, &new)?;
        Ok(Modified { upserted_id: Some(upserted_id), after: Some(after), ..Modified::default() })
    }
}

/// Removes the first document that matches, and returns it.
///
/// # Errors
/// Those of the query.
pub(in crate::document) fn remove_first(
    selection: &Selection,
    writer: &mut Writer,
    namespace: &Namespace,
) -> Result<Option<RawDocumentBuf>> {
    let Some((Match { id, document }, mut records)) = first(selection, writer, namespace)? else { return Ok(None) };
    records.remove(id, &document)?;
    Ok(Some(document))
}

/// Inserts `document`, which is checked, and returns its `_id` and what is stored.
///
/// # Errors
/// [`Error::DuplicateKey`], and [`Error::Invalid`] for what cannot be its `_id` or indexed.
pub(in crate::document) fn insert(
    writer: &mut Writer,
    namespace: &Namespace,
    document: &RawDocument,
) -> Result<(Bson, RawDocumentBuf)> {
    let entry = namespace.get_or_create(writer)?;
    let mut records = Records::new(writer, namespace, &entry);
    let id = records.next_id()?;
    let writer = records.writer();
    let stamped = stored::stamped(document, timestamp(writer.now()))?;
    let document = stamped.as_deref().unwrap_or(document);
    let (stored, inserted_id) = stored::with_id(document, || stored::object_id(writer.now(), writer.unique_number()))?;
    // An `_id` may have been added to what was checked.
    stored::check_size(&stored)?;
    records.insert(id, &stored).map_err(|error| error.at(|| describe::document_of(&stored, &namespace.label())))?;
    Ok((inserted_id, stored))
}

/// The first document that matches, and where to change it.
fn first<'w>(
    selection: &Selection,
    writer: &'w mut Writer,
    namespace: &'w Namespace,
) -> Result<Option<(Match, Records<'w>)>> {
    let Some(entry) = namespace.get(writer)? else { return Ok(None) };
    let found = selection.start(&writer.search(), &entry, Some(1))?.advance()?;
    Ok(found.map(|found| (found, Records::new(writer, namespace, &entry))))
}

/// `replacement` with the `_id` of what it replaces.
fn replace(id: RawBsonRef<'_>, replacement: &RawDocument, writer: &Writer) -> Result<RawDocumentBuf> {
    if raw::field(replacement, "_id")?.is_some_and(|new| compare(id, new).is_ne()) {
        return Err(Error::invalid(InvalidKind::ImmutableField, "_id never changes"));
    }
    let stamped = stored::stamped(replacement, timestamp(writer.now()))?;
    let after = stored::id_first(id, stamped.as_deref().unwrap_or(replacement))?;
    // The `_id` may have been added to what was checked.
    stored::check_size(&after)?;
    Ok(after)
}

fn raw_document(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|error| Error::invalid(InvalidKind::Serialization, error.to_string()))
}
