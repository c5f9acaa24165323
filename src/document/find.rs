//! Queries: a filter, and how its matches are ordered, cut and shown.
//!
//! They are of collections; what a query of a view reads is found out above ([`aggregate`](crate::document::aggregate)).

use std::fmt;
use std::sync::Arc;

use bson::raw::cstr;
use bson::{DateTime, Document, RawDocument, RawDocumentBuf};
use serde::de::DeserializeOwned;

use crate::catalog::Entry;
use crate::document::cancel::Until;
use crate::document::code::Code;
use crate::document::collation::{Collation, Collator};
use crate::document::expression::{Context, Names, Variables};
use crate::document::filter::Filter;
use crate::document::hint::{self, Hint};
use crate::document::number::Number;
use crate::document::pattern::Pattern;
use crate::document::planner::{self, Access, Between, IndexScan, Plan};
use crate::document::projection::Projection;
use crate::document::rows::{Input, Rows, lent};
use crate::document::scan::Scan;
use crate::document::schema::{Namespace, Schema};
use crate::document::stored;
use crate::document::views;
use crate::engine::Direction;
use crate::error::Result;
use crate::txn::{Meter, View};

/// What a query asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Document,
    pub(super) sort: Option<Document>,
    pub(super) skip: u64,
    pub(super) limit: Option<u64>,
    pub(super) projection: Option<Document>,
    pub(super) hint: Option<Hint>,
    /// Which keys of the index of the hint it reads.
    pub(super) between: Between,
    /// Whether it gives keys of an index instead of documents.
    pub(super) returns_key: bool,
    pub(super) shows_record_id: bool,
    /// The values of variables (`let`).
    pub(super) variables: Document,
    /// Without one it is the collection's.
    pub(super) collation: Option<Collation>,
    /// When it is to end before it is done.
    pub(super) until: Until,
}

/// A query that is compiled.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) filter: Arc<Filter>,
    pub(super) sort: Option<Pattern>,
    pub(super) skip: u64,
    pub(super) limit: Option<u64>,
    pub(super) projection: Option<Projection>,
    pub(super) hint: Option<Hint>,
    /// Keys of the index of the hint, and what orders text in the query.
    pub(super) between: Option<(Between, Option<Arc<Collator>>)>,
    pub(super) returns_key: bool,
    pub(super) shows_record_id: bool,
}

impl Query {
    /// Compiles the query, for an operation on `namespace` at the moment of `view`.
    pub(super) fn prepare(&self, view: &View, namespace: &Namespace) -> Result<(Prepared, Arc<Context>)> {
        self.prepare_naming(view, namespace).map(|(prepared, context, _)| (prepared, context))
    }

    /// As [`Query::prepare`], with the names of the query's variables.
    pub(super) fn prepare_naming(&self, view: &View, namespace: &Namespace) -> Result<(Prepared, Arc<Context>, Names)> {
        let collator = collator(self.collation.as_ref(), view, namespace)?;
        let context = |values| context(view, values).collated(collator.as_ref());
        let Variables { names, values } = Variables::evaluate(&self.variables, &context(Vec::new()))?;
        let prepared = self.compile(&names)?;
        Ok((prepared, Arc::new(context(values).until(&self.until)), names))
    }

    /// Compiles the query, whose expressions may use the variables `names`.
    pub(super) fn compile(&self, names: &Names) -> Result<Prepared> {
        self.between.check()?;
        let natural = self.sort.as_ref().map(hint::natural).transpose()?.flatten();
        if natural.is_some() && self.hint.is_some() {
            return Err(Code::BAD_VALUE.syntax("a sort by $natural goes with no hint"));
        }
        let sort = self.sort.as_ref().filter(|_| natural.is_none());
        let filter = Arc::new(Filter::compile(&self.filter, names)?);
        let projection = self.projection.as_ref();
        Ok(Prepared {
            projection: projection.map(|text| Projection::compile_query(text, names, &filter)).transpose()?,
            filter,
            sort: sort.map(|sort| sort_by(sort, names)).transpose()?,
            hint: if natural.is_some() { self.sort.clone().map(Hint::from) } else { self.hint.clone() },
            skip: self.skip,
            limit: self.limit,
            between: (!self.between.is_everything()).then(|| (self.between.clone(), names.collator().cloned())),
            returns_key: self.returns_key,
            shows_record_id: self.shows_record_id,
        })
    }
}

/// The order that `sort` asks for, with text as the operation orders it.
pub(super) fn sort_by(sort: &Document, names: &Names) -> Result<Pattern> {
    Pattern::parse_sort(sort, Number::as_i64).map(|pattern| pattern.collated(names.collator()))
}

/// What orders text in an operation on `namespace` that was given `collation`, or none: then it is the collection's.
///
/// # Errors
/// As [`Collation::compile`]; code 167 for a view with another collation.
pub(super) fn collator(
    collation: Option<&Collation>,
    view: &View,
    namespace: &Namespace,
) -> Result<Option<Arc<Collator>>> {
    let entry = namespace.get(view)?;
    let inherited = entry.as_ref().and_then(|entry| entry.record.collator());
    let Some(collation) = collation else { return Ok(inherited.cloned()) };
    let own = collation.compile()?;
    if own.as_ref() != inherited && entry.as_ref().is_some_and(|entry| entry.record.is_view()) {
        return Err(views::other_collation(namespace));
    }
    Ok(own)
}

/// What the expressions of an operation at the moment of `view` are evaluated in.
pub(super) fn context(view: &View, outer: Vec<Option<bson::raw::RawBson>>) -> Context {
    let now = DateTime::from_millis(view.now().as_millis());
    Context::new(now, view.unique_number(), outer)
}

impl Prepared {
    /// A query for all documents that `filter` lets through.
    pub(super) fn all(filter: Arc<Filter>) -> Self {
        Self {
            filter,
            sort: None,
            skip: 0,
            limit: None,
            projection: None,
            hint: None,
            between: None,
            returns_key: false,
            shows_record_id: false,
        }
    }

    /// Starts to find what it asks for.
    pub(super) fn start(&self, view: &View, namespace: &Namespace, context: Arc<Context>) -> Result<Found> {
        let mut key_of = None;
        let scan = match namespace.get(view)? {
            Some(entry) => {
                let plan = self.choose(&entry, self.sort.as_ref())?;
                if let Access::Index(scan) = &plan.access
                    && self.returns_key
                {
                    key_of = Some(scan.clone());
                }
                let wanted = self.limit.map(|limit| limit.saturating_add(self.skip));
                let sieve = (Arc::clone(&self.filter), Arc::clone(&context));
                Some(Scan::start(view, entry.storage, sieve, plan, self.sort.as_ref(), wanted)?)
            }
            None => None,
        };
        view.meter().returned(0);
        let (skip, limit, meter) = (self.skip, self.limit, view.meter().clone());
        let shown = match &self.projection {
            _ if self.returns_key => Shown::Key(key_of.map(Box::new)),
            Some(projection) => Shown::Projected(Box::new(projection.clone())),
            None => Shown::Document,
        };
        let shows_record_id = self.shows_record_id && !self.returns_key;
        Ok(Found { scan, skip, limit, shown, shows_record_id, context, made: None, meter })
    }

    /// How many documents it asks for: those are not copied, and without conditions not even read.
    pub(super) fn count(&self, view: &View, namespace: &Namespace, context: Arc<Context>) -> Result<u64> {
        let Some(entry) = namespace.get(view)? else { return Ok(0) };
        // A hint can be wrong, or mean an index that has not all documents.
        if self.filter.is_empty() && self.hint.is_none() && self.between.is_none() {
            let all = view.count(&crate::document::layout::records(entry.storage))?;
            return Ok(all.saturating_sub(self.skip).min(self.limit.unwrap_or(u64::MAX)));
        }
        let plan = self.choose(&entry, None)?;
        let sieve = (Arc::clone(&self.filter), context);
        let mut scan = Scan::start(view, entry.storage, sieve, plan, None, None)?.without_documents();
        let (mut count, most) = (0, self.limit.map(|limit| limit.saturating_add(self.skip)));
        while most != Some(count) && scan.advance_id()?.is_some() {
            count += 1;
        }
        Ok(count.saturating_sub(self.skip))
    }

    /// How it would be done; a collection that does not exist is read to its end.
    pub(super) fn plan(&self, view: &View, namespace: &Namespace) -> Result<Plan> {
        match namespace.get(view)? {
            Some(entry) => self.choose(&entry, self.sort.as_ref()),
            None => Ok(Plan { access: Access::Collection(Direction::Forward), sort_in_memory: self.sort.is_some() }),
        }
    }

    fn choose(&self, entry: &Entry<Schema>, sort: Option<&Pattern>) -> Result<Plan> {
        let (collection, schema, hint) = (entry.storage, &entry.record, self.hint.as_ref());
        match &self.between {
            Some((between, collator)) => {
                between.plan(collection, schema, (&self.filter, collator.as_ref()), sort, hint)
            }
            None => planner::choose(collection, schema, &self.filter, sort, hint),
        }
    }
}

/// What is shown of a document.
#[derive(Debug)]
enum Shown {
    Document,
    Projected(Box<Projection>),
    /// The key in the index that the scan goes by; nothing of a scan without one.
    Key(Option<Box<IndexScan>>),
}

/// The documents of a query.
#[derive(Debug)]
pub(super) struct Found {
    /// `None` when the collection does not exist.
    scan: Option<Scan>,
    skip: u64,
    limit: Option<u64>,
    shown: Shown,
    shows_record_id: bool,
    context: Arc<Context>,
    /// What is shown instead of the document.
    made: Option<RawDocumentBuf>,
    meter: Meter,
}

impl Found {
    /// Index entries and documents read so far.
    pub(super) fn examined(&self) -> (u64, u64) {
        self.scan.as_ref().map_or((0, 0), |scan| (scan.keys_examined, scan.documents_examined()))
    }
}

impl Rows for Found {
    fn advance(&mut self) -> Result<bool> {
        let Some(scan) = &mut self.scan else { return Ok(false) };
        if self.limit == Some(0) {
            return Ok(false);
        }
        while self.skip > 0 {
            self.skip -= 1;
            if scan.advance_id()?.is_none() {
                return Ok(false);
            }
        }
        self.context.check_time()?;
        let Some(id) = scan.advance_id()? else { return Ok(false) };
        self.limit = self.limit.map(|limit| limit - 1);
        self.meter.returned(1);
        self.made = match &self.shown {
            Shown::Projected(projection) => Some(projection.apply(scan.document()?, &self.context)?),
            Shown::Key(Some(key_of)) => Some(key_of.found_key(scan.document()?)?),
            Shown::Key(None) => Some(RawDocumentBuf::new()),
            Shown::Document => self.shows_record_id.then(|| scan.document().map(ToOwned::to_owned)).transpose()?,
        };
        if let Some(made) = self.made.as_mut().filter(|_| self.shows_record_id) {
            made.append(cstr!("$recordId"), i64::try_from(id).unwrap_or(i64::MAX));
        }
        Ok(true)
    }

    fn row(&self) -> Result<&RawDocument> {
        match (&self.made, &self.scan) {
            (None, Some(scan)) => scan.document(),
            (made, _) => lent(made.as_deref()),
        }
    }
}

/// The documents a query or a pipeline returns, one after the other. It owns all it needs.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_one(&doc! { "_id": 1 })?;
/// for event in events.find(doc! {}).run()? {
///     assert_eq!(event?, doc! { "_id": 1 });
/// }
/// # Ok::<(), larder::Error>(())
/// ```
pub struct Cursor<T> {
    /// `None` after the end.
    rows: Option<Input>,
    decode: Decode<T>,
    /// What the rows are of, for an error.
    source: String,
}

type Decode<T> = fn(&RawDocument, &str) -> Result<T>;

impl<T: DeserializeOwned + 'static> Cursor<T> {
    /// A cursor over `rows`, which are of `source`. It ends with the first error of theirs.
    pub(super) fn decoding(rows: Input, source: String) -> Self {
        Self { rows: Some(rows), decode: |row, source| stored::decode(row, || source.to_owned()), source }
    }
}

impl<T> fmt::Debug for Cursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").finish_non_exhaustive()
    }
}

impl<T> Iterator for Cursor<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.rows.as_mut()?;
        match rows.advance() {
            // A document that does not decode is no reason to keep the next one back.
            Ok(true) => Some(rows.row().and_then(|row| (self.decode)(row, &self.source))),
            Ok(false) => {
                self.rows = None;
                None
            }
            Err(error) => {
                self.rows = None;
                Some(Err(error))
            }
        }
    }
}
