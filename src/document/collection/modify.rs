//! Changing one document: found by a query, and replaced, updated, removed or, by an upsert, inserted.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use bson::raw::RawBson;
use bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::catalog::Entry;
use crate::document::code::Code;
use crate::document::collation::{Collation, Collator};
use crate::document::collection::UpdateResult;
use crate::document::collection::options::UpdateOptions;
use crate::document::express::Equality;
use crate::document::expression::{Context, Names};
use crate::document::filter::Filter;
use crate::document::find::{context, sort_by};
use crate::document::insert::Insertions;
use crate::document::maintain::Records;
use crate::document::order::compare;
use crate::document::path::FieldPath;
use crate::document::pattern::Pattern;
use crate::document::planner::{self, Access, Plan};
use crate::document::scan::{Match, Scan};
use crate::document::schema::{Namespace, Schema};
use crate::document::shown;
use crate::document::update::{Occasion, Update, UpdateModifications};
use crate::document::{raw, stored};
use crate::engine::Direction;
use crate::error::{Error, InvalidKind, Result};
use crate::txn::Writer;

/// What is to happen to a document.
#[derive(Clone, Debug)]
pub(super) enum Modification {
    Update(UpdateModifications),
    /// A document without operators at its top.
    Replace(RawDocumentBuf),
    Delete,
}

/// A change of one document, as it is asked for.
#[derive(Clone, Debug)]
pub(super) struct One {
    pub(super) filter: Document,
    pub(super) modification: Modification,
    pub(super) options: UpdateOptions,
    /// Which of several documents it is: the first in this order.
    pub(super) sort: Option<Document>,
}

/// A change of one document, compiled.
#[derive(Debug)]
pub(super) struct PreparedOne<'o> {
    one: &'o One,
    /// The filter, if the express way may serve it.
    express: Option<Equality<'o>>,
    /// The filter compiled: at once, unless the express way may do without.
    filter: OnceCell<Arc<Filter>>,
    names: Names,
    sort: Option<Pattern>,
    variables: Vec<Option<RawBson>>,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Update(Update),
    Replace(RawDocumentBuf),
    Delete,
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The document as it was; `None` when nothing matched.
    pub(super) before: Option<RawDocumentBuf>,
    /// The document as it is now; `None` when it was removed, and when there is none.
    pub(super) after: Option<RawDocumentBuf>,
    modified: bool,
    pub(super) upserted_id: Option<Bson>,
    /// What ordered text, if not its bytes did.
    pub(super) collator: Option<Arc<Collator>>,
}

impl Modification {
    /// A replacement by `document`.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] for one with a field such as `$set` at its top, which is an update.
    pub(super) fn replacement(document: RawDocumentBuf) -> Result<Self> {
        if let Some(operator) = stored::operator(&document)? {
            let message = format!("replacement document must not contain update operators such as {operator}");
            return Err(Error::value(message));
        }
        Ok(Self::Replace(document))
    }
}

impl One {
    /// Compiles it. Nothing is copied before it is known not to be nested too deeply.
    pub(super) fn prepare(&self) -> Result<PreparedOne<'_>> {
        let own = self.options.collated().map(Collation::compile).transpose()?.flatten();
        self.prepare_in(own.as_ref())
    }

    /// The same with text ordered by `collator`.
    fn prepare_in(&self, collator: Option<&Arc<Collator>>) -> Result<PreparedOne<'_>> {
        let variables = self.options.variables(collator)?;
        let sort = self.sort.as_ref().or(self.options.sort.as_ref());
        let sort = sort.map(|sort| sort_by(sort, &variables.names)).transpose()?;
        let change = match &self.modification {
            Modification::Update(update) => {
                Change::Update(Update::compile(update, &self.options.array_filters, &variables.names)?)
            }
            Modification::Replace(_) if !self.options.array_filters.is_empty() => {
                return Err(Code::FAILED_TO_PARSE.value("array filters do not go with a replacement"));
            }
            Modification::Replace(document) => Change::Replace(document.clone()),
            Modification::Delete => Change::Delete,
        };
        let is_plain = sort.is_none()
            && self.options.collated().is_none()
            && self.options.hinted().is_none()
            && !matches!(&change, Change::Update(update) if update.needs_position());
        let express = Equality::of(&self.filter).filter(|_| is_plain);
        let (names, variables, filter) = (variables.names, variables.values, OnceCell::new());
        let prepared = PreparedOne { one: self, express, filter, names, sort, variables, change };
        if express.is_none() {
            prepared.filter()?;
        }
        Ok(prepared)
    }
}

impl PreparedOne<'_> {
    /// Finds the document and changes it, or inserts one.
    pub(super) fn run(&self, writer: &mut Writer, namespace: &Namespace) -> Result<Outcome> {
        let entry = namespace.get_collection(writer)?;
        // Without one of its own, the write has the collection's collation, which is known only now.
        if let Some(entry) = entry.as_ref().filter(|_| self.one.options.collated().is_none())
            && entry.record.collator() != self.names.collator()
        {
            return self.one.prepare_in(entry.record.collator())?.run(writer, namespace);
        }
        let context = Arc::new(context(writer, self.variables.clone()).collated(self.names.collator()));
        let found = match &entry {
            Some(entry) => self.find(writer, entry, &context)?.map(|found| (entry, found)),
            None => None,
        };
        let mut outcome = match found {
            Some((entry, found)) => {
                self.change(&mut Records::new(writer, namespace, entry), namespace, found, &context)?
            }
            None if self.one.options.upsert => self.insert(writer, namespace, &context)?,
            None => Outcome::default(),
        };
        outcome.collator = self.names.collator().cloned();
        Ok(outcome)
    }

    fn filter(&self) -> Result<&Arc<Filter>> {
        if let Some(filter) = self.filter.get() {
            return Ok(filter);
        }
        let filter = Filter::compile(&self.one.filter, &self.names)?;
        Ok(self.filter.get_or_init(|| Arc::new(filter)))
    }

    /// The document that is to be changed.
    fn find(&self, writer: &Writer, entry: &Entry<Schema>, context: &Arc<Context>) -> Result<Option<Match>> {
        // What a transaction notes of its reads may depend on what they are for.
        let search = writer.is_tracked().then(|| writer.search());
        let view = search.as_ref().unwrap_or(writer);
        if let Some(found) = self.express.map(|equality| equality.find(view, entry)).transpose()?.flatten() {
            return found.map(|(id, bytes)| Match::new(id, bytes.into_owned())).transpose();
        }
        let (filter, sort) = (self.filter()?, self.sort.as_ref());
        let plan = planner::choose(entry.storage, &entry.record, filter, sort, self.one.options.hinted())?;
        let sieve = (Arc::clone(filter), Arc::clone(context));
        Scan::start(&writer.search(), entry.storage, sieve, plan, sort, Some(1))?.next_match()
    }

    fn change(
        &self,
        records: &mut Records<'_>,
        namespace: &Namespace,
        found: Match,
        context: &Context,
    ) -> Result<Outcome> {
        let at = |error: Error| error.at(|| shown::document_of(&found.document, &namespace.label()));
        let after = match &self.change {
            Change::Delete => {
                records.remove(found.id, &found.document)?;
                return Ok(Outcome { before: Some(found.document), modified: true, ..Outcome::default() });
            }
            Change::Update(update) => {
                // Without the filter nobody asks by which element it was met.
                let everything = Filter::all();
                let filter = self.filter.get().map_or(&everything, |filter| filter);
                let occasion = Occasion { context, filter, inserts: false };
                update.apply(&found.document, occasion).map_err(at)?
            }
            Change::Replace(replacement) => {
                let after = with_id_of(&found.document, replacement).map_err(at)?;
                Some(stored::with_moment(Cow::Owned(after), || records.writer().now())?.into_owned())
            }
        };
        let modified = replace(records, namespace, &found, after.as_deref())?;
        let after = after.unwrap_or_else(|| found.document.clone());
        Ok(Outcome { before: Some(found.document), after: Some(after), modified, ..Outcome::default() })
    }

    /// Inserts what the filter demands to be equal, changed.
    fn insert(&self, writer: &mut Writer, namespace: &Namespace, context: &Context) -> Result<Outcome> {
        let filter = self.filter()?;
        let document = match &self.change {
            Change::Delete => return Ok(Outcome::default()),
            Change::Replace(replacement) => match identity(filter)? {
                Some(id) if raw::field(replacement, "_id")?.is_none() => stored::id_first(id, replacement)?,
                Some(id) => {
                    let same = raw::field(replacement, "_id")?.is_some_and(|new| compare(as_raw(&id), new).is_eq());
                    if !same {
                        return Err(new_id());
                    }
                    replacement.clone()
                }
                None => replacement.clone(),
            },
            Change::Update(update) => {
                let base = demanded(&filter.equalities())?;
                let occasion = Occasion { context, filter, inserts: true };
                update.apply(&base, occasion)?.unwrap_or(base)
            }
        };
        stored::check(&document)?;
        let (document, id) = Insertions::begin(writer, namespace)?.insert_returning(&document)?;
        Ok(Outcome { before: None, after: Some(document.into_owned()), upserted_id: Some(id), ..Outcome::default() })
    }
}

impl Outcome {
    /// How many documents matched: 0 or 1.
    pub(super) fn matched(&self) -> u64 {
        u64::from(self.before.is_some())
    }

    /// The result that a caller sees. An upserted document has matched nothing.
    pub(super) fn result(self) -> UpdateResult {
        let matched = self.matched();
        UpdateResult { matched, modified: u64::from(self.modified), upserted_id: self.upserted_id }
    }
}

fn as_raw(value: &RawBson) -> RawBsonRef<'_> {
    value.as_raw_bson_ref()
}

/// The `_id` that a filter demands, or parts of it do.
fn identity(filter: &Filter) -> Result<Option<RawBson>> {
    let mut equalities = filter.equalities();
    equalities.retain(|(path, _)| path.parts().first().is_some_and(|part| part.name() == "_id"));
    let demanded = demanded(&equalities)?;
    let id = raw::field(&demanded, "_id")?;
    Ok(id.map(RawBson::from))
}

/// The document of what a filter demands to be equal, in the order of its conditions.
fn demanded(equalities: &[(&FieldPath, &Bson)]) -> Result<RawDocumentBuf> {
    let (mut fields, mut seen) = (Document::new(), BTreeSet::new());
    for (path, value) in equalities {
        let text = path.as_str();
        let mut prefixes = text.match_indices('.').filter_map(|(dot, _)| text.get(..dot));
        if prefixes.any(|prefix| seen.contains(prefix)) || !put(&mut fields, text, value) {
            return Err(Code::NOT_SINGLE_VALUE.value(format!("the filter demands two values of {text:?}")));
        }
        seen.insert(text);
    }
    RawDocumentBuf::try_from(&fields).map_err(|error| Error::invalid(InvalidKind::Serialization, error.to_string()))
}

/// Puts `value` at `path`, and returns whether nothing else was there or on the way.
fn put(document: &mut Document, path: &str, value: &Bson) -> bool {
    let mut level = document;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return level.insert(part, value.clone()).is_none();
        }
        let inner = level.entry(part.to_owned()).or_insert_with(|| Bson::Document(Document::new()));
        let Bson::Document(inner) = inner else { return false };
        level = inner;
    }
    true
}

/// `replacement` with the `_id` of `before`.
fn with_id_of(before: &RawDocument, replacement: &RawDocument) -> Result<RawDocumentBuf> {
    let id = raw::field(before, "_id")?.unwrap_or(RawBsonRef::Null);
    if raw::field(replacement, "_id")?.is_some_and(|new| compare(id, new).is_ne()) {
        return Err(new_id());
    }
    stored::id_first(id, replacement)
}

/// Stores `after` in the place of what was found, unless it is the same. Returns whether it did.
pub(super) fn replace(
    records: &mut Records<'_>,
    namespace: &Namespace,
    found: &Match,
    after: Option<&RawDocument>,
) -> Result<bool> {
    let mut change = || {
        let Some(after) = after else { return Ok(false) };
        stored::check(after)?;
        refuse_new_id(&found.document, after)?;
        records.replace(found.id, &found.document, after).map(|()| true)
    };
    change().map_err(|error| error.at(|| shown::document_of(&found.document, &namespace.label())))
}

/// Takes all documents out of a collection, and makes it when there is none. Its indexes stay.
pub(super) fn clear(writer: &mut Writer, namespace: &Namespace) -> Result<()> {
    let entry = namespace.get_or_create(writer)?;
    if entry.record.options().capped.is_some() {
        let message = format!("{} is capped: $out does not write there", namespace.target());
        return Err(Code::OUT_TO_CAPPED.value(message));
    }
    let plan = Plan { access: Access::Collection(Direction::Forward), sort_in_memory: false };
    let sieve = (Arc::new(Filter::all()), Arc::new(context(writer, Vec::new())));
    let mut scan = Scan::start(&writer.search(), entry.storage, sieve, plan, None, None)?;
    let mut records = Records::new(writer, namespace, &entry);
    while let Some(found) = scan.next_match()? {
        records.remove(found.id, &found.document)?;
    }
    Ok(())
}

fn refuse_new_id(before: &RawDocument, after: &RawDocument) -> Result<()> {
    match (raw::field(before, "_id")?, raw::field(after, "_id")?) {
        (Some(old), Some(new)) if compare(old, new).is_eq() => Ok(()),
        _ => Err(new_id()),
    }
}

fn new_id() -> Error {
    Error::invalid(InvalidKind::ImmutableField, "_id never changes")
}
