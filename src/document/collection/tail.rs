//! Reading a capped collection on and on: what is there, and what comes.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, RawDocument, RawDocumentBuf};
use serde::de::DeserializeOwned;

use crate::clock::Stopwatch;
use crate::document::code::Code;
use crate::document::collection::Find;
use crate::document::expression::Context;
use crate::document::find::Prepared;
use crate::document::growth::Growth;
use crate::document::layout::{self, RecordId};
use crate::document::raw::corrupt;
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::engine::Direction;
use crate::error::{InvalidKind, Result};
use crate::txn::{AutoCommit, Cursor, Scope, View};

/// The documents of a capped collection, in the order in which they were inserted, and those that come. Given by [`Find::tail`].
///
/// # Examples
/// See [`Find::tail`].
#[doc(alias = "tailable")]
pub struct Tail<T> {
    store: AutoCommit,
    namespace: Arc<Namespace>,
    prepared: Prepared,
    context: Arc<Context>,
    /// The storage of the collection, which another one of the same name does not have.
    collection: u32,
    /// The last record that was read.
    last: Option<RecordId>,
    /// What is left of the last snapshot.
    cursor: Option<Cursor>,
    skip: u64,
    left: Option<u64>,
    document: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Tail<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("collection", &self.namespace.target()).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + 'static> Find<T, AutoCommit> {
    /// The documents of a capped collection that match, oldest first, and after these, as they come, those that are inserted later.
    ///
    /// A limit counts all of them. A sort is refused, unless it is by `$natural`, ascending, and so is what is about the keys of an
    /// index; a hint is not looked at.
    ///
    /// # Errors
    /// As [`Find::run`]; code 2 for a collection that is not capped, and for one that does not exist.
    ///
    /// # Cost
    /// Every document that comes is looked at once. Nothing is kept open between two calls.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use larder::{Document, Store, bson::doc, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// shop.create_collection_with("log", CollectionOptions::default().capped(1 << 20, None))?;
    /// let log = shop.collection::<Document>("log");
    /// log.insert_one(&doc! { "_id": 1 })?;
    /// let mut tail = log.find(doc! {}).tail()?;
    /// assert_eq!(tail.try_next()?, Some(doc! { "_id": 1 }));
    /// assert_eq!(tail.try_next()?, None);
    /// log.insert_one(&doc! { "_id": 2 })?;
    /// assert_eq!(tail.next_within(Duration::from_secs(1))?, Some(doc! { "_id": 2 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Tailable Cursors.
    #[doc(alias("tailable", "awaitData"))]
    pub fn tail(self) -> Result<Tail<T>> {
        let Self { scope, namespace, query, .. } = self;
        let is_natural = query.sort.as_ref().is_none_or(|sort| {
            sort.len() == 1 && matches!(sort.get("$natural"), Some(Bson::Int32(1) | Bson::Int64(1) | Bson::Double(1.0)))
        });
        if !is_natural {
            return Err(Code::BAD_VALUE.value("a tailable cursor takes no sort but by $natural, ascending"));
        }
        if query.returns_key || !query.between.is_everything() {
            return Err(Code::BAD_VALUE.value("a tailable cursor goes by no index: it has no min, max and returnKey"));
        }
        let (prepared, context, collection) = scope.read(namespace.operation("tail"), |view| {
            let (prepared, context) = query.prepare(view, &namespace)?;
            let entry =
                namespace.get_collection(view)?.filter(|entry| entry.record.options().capped_bounds().is_some());
            let entry = entry.ok_or_else(|| {
                Code::BAD_VALUE
                    .value(format!("tailable cursor requested on non capped collection {}", namespace.target()))
            })?;
            Ok((prepared, context, entry.storage))
        })?;
        let (skip, left) = (query.skip, query.limit);
        let (last, cursor, document) = (None, None, PhantomData);
        let mut tail =
            Tail { store: scope, namespace, prepared, context, collection, last, cursor, skip, left, document };
        tail.open()?;
        Ok(tail)
    }
}

impl<T: DeserializeOwned + 'static> Tail<T> {
    /// The next document, or `None` when there is none now.
    ///
    /// # Errors
    /// Code 136 when the document that was read last is not there any more, so that others may be missing, and 175 when the
    /// collection is not: it was dropped, renamed or made anew. [`Error::Closed`](crate::Error::Closed) once the store is closed.
    ///
    /// # Examples
    /// See [`Find::tail`].
    pub fn try_next(&mut self) -> Result<Option<T>> {
        let Some(document) = self.advance()? else { return Ok(None) };
        stored::decode(&document, || self.namespace.label()).map(Some)
    }

    /// As [`Tail::try_next`], but waits for a document, for `timeout` of the system's time at most. Whoever inserts one wakes it.
    ///
    /// # Errors
    /// As [`Tail::try_next`], and [`Error::NestedTransaction`](crate::Error::NestedTransaction) inside an exclusive transaction.
    ///
    /// # Examples
    /// See [`Find::tail`].
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<T>> {
        let core = Arc::clone(self.store.core());
        core.refuse_nesting()?;
        let (growth, stopwatch) = (core.state::<Growth>(), Stopwatch::start());
        loop {
            let seen = growth.count();
            if let Some(document) = self.try_next()? {
                return Ok(Some(document));
            }
            let left = timeout.saturating_sub(stopwatch.elapsed());
            if self.left == Some(0) || !growth.wait_past(seen, left) {
                return Ok(None);
            }
        }
    }

    fn advance(&mut self) -> Result<Option<RawDocumentBuf>> {
        let mut is_new = false;
        while self.left != Some(0) {
            let Some(cursor) = &mut self.cursor else {
                // What a new snapshot has not, nobody has inserted.
                if is_new {
                    return Ok(None);
                }
                self.open()?;
                is_new = true;
                continue;
            };
            let Some((key, bytes)) = cursor.next()? else {
                self.cursor = None;
                continue;
            };
            self.last = Some(layout::record_id(key)?);
            let document = RawDocument::from_bytes(bytes).map_err(corrupt)?;
            if !self.prepared.filter.matches(document, &self.context)? {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            self.left = self.left.map(|left| left - 1);
            return match &self.prepared.projection {
                Some(projection) => projection.apply(document, &self.context).map(Some),
                None => Ok(Some(document.to_owned())),
            };
        }
        Ok(None)
    }

    /// Goes on from the last record, in what is there now.
    fn open(&mut self) -> Result<()> {
        let cursor = self.store.read(self.namespace.operation("tail"), |view| self.behind_last(view))?;
        self.cursor = Some(cursor);
        Ok(())
    }

    fn behind_last(&self, view: &View) -> Result<Cursor> {
        let entry = self.namespace.get(view)?;
        if entry.is_none_or(|entry| entry.storage != self.collection) {
            let message = format!("the collection {} was dropped or renamed", self.namespace.target());
            return Err(Code::QUERY_PLAN_KILLED.error(InvalidKind::Value, message));
        }
        let Some(last) = self.last else { return view.range(&layout::records(self.collection), Direction::Forward) };
        if view.get(&layout::record(self.collection, last))?.is_none() {
            let message = "the document that a tailable cursor has read last is not there any more";
            return Err(Code::CAPPED_POSITION_LOST.error(InvalidKind::Value, message));
        }
        view.range(&layout::records_behind(self.collection, last), Direction::Forward)
    }
}
