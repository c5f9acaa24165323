//! Options of operations that change documents.

use std::sync::Arc;
use std::time::Duration;

use bson::{DateTime, Document};

use crate::document::expression::{Context, Variables};
use crate::document::find::context;
use crate::error::Result;
use crate::txn::View;

/// How an update or replacement is made.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::UpdateOptions};
/// let people = Store::in_memory().collection::<Document>("people");
/// let options = UpdateOptions::default().upsert(true);
/// assert!(people.update_one_with(doc! { "name": "Ann" }, doc! { "$set": { "age": 30 } }, options)?.upserted_id.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until an operation is run with them"]
pub struct UpdateOptions {
    pub(super) upsert: bool,
    pub(super) array_filters: Vec<Document>,
    pub(super) sort: Option<Document>,
    variables: Document,
}

impl UpdateOptions {
    /// Whether to insert a document when nothing matches.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::UpdateOptions;
    /// assert_ne!(UpdateOptions::default().upsert(true), UpdateOptions::default());
    /// ```
    pub fn upsert(mut self, upsert: bool) -> Self {
        self.upsert = upsert;
        self
    }

    /// The conditions that `$[name]` in the paths of the update stands for: each on paths that begin with one name.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::UpdateOptions};
    /// let options = UpdateOptions::default().array_filters([doc! { "item.price": { "$gt": 5 } }]);
    /// # assert_ne!(options, UpdateOptions::default());
    /// ```
    #[doc(alias = "arrayFilters")]
    pub fn array_filters(mut self, filters: impl IntoIterator<Item = Document>) -> Self {
        self.array_filters = filters.into_iter().collect();
        self
    }

    /// Which document is changed when several match: the first in this order. An update of all of them takes none.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let tasks = Store::in_memory().collection::<Document>("tasks");
    /// tasks.insert_many([doc! { "_id": 1, "due": 5 }, doc! { "_id": 2, "due": 3 }])?;
    /// let options = UpdateOptions::default().sort(doc! { "due": 1 });
    /// tasks.update_one_with(doc! {}, doc! { "$set": { "done": true } }, options)?;
    /// assert_eq!(tasks.find_one(doc! { "done": true })?, Some(doc! { "_id": 2, "due": 3, "done": true }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn sort(mut self, sort: Document) -> Self {
        self.sort = Some(sort).filter(|sort| !sort.is_empty());
        self
    }

    /// Variables for the expressions of filter and update, which use them as `$$name`. A value is a constant expression.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::UpdateOptions};
    /// let options = UpdateOptions::default().let_vars(doc! { "least": 5 });
    /// # assert_ne!(options, UpdateOptions::default());
    /// ```
    #[doc(alias = "let")]
    pub fn let_vars(mut self, variables: Document) -> Self {
        self.variables = variables;
        self
    }

    /// The variables with their values, which depend on no document and no moment.
    pub(super) fn variables(&self) -> Result<Variables> {
        Variables::evaluate(&self.variables, &Context::new(DateTime::from_millis(0), 0, Vec::new()))
    }
}

/// How a pipeline runs.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::AggregateOptions};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_many((0..4).map(|n| doc! { "_id": n }))?;
/// let options = AggregateOptions::default().let_vars(doc! { "least": 2 });
/// let stages = [doc! { "$match": { "$expr": { "$gt": ["$_id", "$$least"] } } }];
/// assert_eq!(events.aggregate_with(stages, options)?.collect::<Result<Vec<_>, _>>()?, [doc! { "_id": 3 }]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until an operation is run with them"]
pub struct AggregateOptions {
    pub(super) variables: Document,
    pub(super) max_time: Option<Duration>,
}

impl AggregateOptions {
    /// Variables for the expressions of the pipeline, which use them as `$$name`. A value is a constant expression.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::AggregateOptions};
    /// let options = AggregateOptions::default().let_vars(doc! { "least": 5 });
    /// # assert_ne!(options, AggregateOptions::default());
    /// ```
    #[doc(alias = "let")]
    pub fn let_vars(mut self, variables: Document) -> Self {
        self.variables = variables;
        self
    }

    /// Ends the pipeline with an error when it takes longer, its cursor included. As
    /// [`Find::max_time`](crate::document::Find::max_time).
    ///
    /// # Examples
    /// ```
    /// # use larder::document::AggregateOptions;
    /// let options = AggregateOptions::default().max_time(std::time::Duration::from_secs(1));
    /// # assert_ne!(options, AggregateOptions::default());
    /// ```
    #[doc(alias = "maxTimeMS")]
    pub fn max_time(mut self, time: Duration) -> Self {
        self.max_time = Some(time);
        self
    }

    /// The variables with their values.
    pub(in crate::document) fn variables(&self) -> Result<Variables> {
        Variables::evaluate(&self.variables, &Context::new(DateTime::from_millis(0), 0, Vec::new()))
    }

    /// What the pipeline runs in.
    pub(in crate::document) fn context(&self, view: &View, variables: &Variables) -> Arc<Context> {
        Arc::new(context(view, variables.values.clone()).within_time(self.max_time))
    }
}

/// Which image of a document `find_one_and_update` and its like return.
///
/// # Examples
/// ```
/// assert_eq!(larder::document::ReturnDocument::default(), larder::document::ReturnDocument::Before);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnDocument {
    /// The document as it was.
    #[default]
    Before,
    /// The document as it is now.
    After,
}

/// How `find_one_and_update` and its like choose, change and return a document.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::{FindOneAndOptions, ReturnDocument}};
/// let jobs = Store::in_memory().collection::<Document>("jobs");
/// jobs.insert_many([doc! { "_id": 1, "priority": 1 }, doc! { "_id": 2, "priority": 9 }])?;
/// let options = FindOneAndOptions::default().sort(doc! { "priority": -1 }).return_document(ReturnDocument::After);
/// let taken = jobs.find_one_and_update_with(doc! {}, doc! { "$set": { "taken": true } }, options)?;
/// assert_eq!(taken, Some(doc! { "_id": 2, "priority": 9, "taken": true }));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until an operation is run with them"]
pub struct FindOneAndOptions {
    pub(super) update: UpdateOptions,
    pub(super) sort: Option<Document>,
    pub(super) projection: Option<Document>,
    pub(super) returns: ReturnDocument,
}

impl FindOneAndOptions {
    /// Which of several matching documents is taken: the first in this order.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::FindOneAndOptions};
    /// let options = FindOneAndOptions::default().sort(doc! { "at": -1 });
    /// # assert_ne!(options, FindOneAndOptions::default());
    /// ```
    pub fn sort(mut self, sort: Document) -> Self {
        self.sort = Some(sort).filter(|sort| !sort.is_empty());
        self
    }

    /// Which fields are returned.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::FindOneAndOptions};
    /// let options = FindOneAndOptions::default().projection(doc! { "at": 1 });
    /// # assert_ne!(options, FindOneAndOptions::default());
    /// ```
    pub fn projection(mut self, projection: Document) -> Self {
        self.projection = Some(projection);
        self
    }

    /// Whether the document is returned as it was or as it is now.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::{FindOneAndOptions, ReturnDocument};
    /// let options = FindOneAndOptions::default().return_document(ReturnDocument::After);
    /// # assert_ne!(options, FindOneAndOptions::default());
    /// ```
    #[doc(alias("returnDocument", "returnNewDocument", "new"))]
    pub fn return_document(mut self, which: ReturnDocument) -> Self {
        self.returns = which;
        self
    }

    /// Options of the update itself: upsert, array filters, variables.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::{FindOneAndOptions, UpdateOptions};
    /// let options = FindOneAndOptions::default().update(UpdateOptions::default().upsert(true));
    /// # assert_ne!(options, FindOneAndOptions::default());
    /// ```
    pub fn update(mut self, options: UpdateOptions) -> Self {
        self.update = options;
        self
    }
}
