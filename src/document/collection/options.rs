//! Options of operations that change documents.

use std::sync::Arc;
use std::time::Duration;

use bson::{DateTime, Document};

use crate::document::aggregate::Served;
use crate::document::cancel::{CancelToken, Until};
use crate::document::collation::{Collation, Collator};
use crate::document::expression::{Context, Variables};
use crate::document::hint::Hint;
use crate::error::Result;

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
    hint: Option<Hint>,
    variables: Document,
    collation: Option<Collation>,
}

impl UpdateOptions {
    /// How text is compared. Without it the collation of the collection applies.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{Collation, UpdateOptions}};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "name": "José" })?;
    /// let options = UpdateOptions::default().collation(Collation::new("es").strength(1));
    /// assert_eq!(people.update_one_with(doc! { "name": "JOSE" }, doc! { "$set": { "n": 1 } }, options)?.matched, 1);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn collation(mut self, collation: Collation) -> Self {
        self.collation = Some(collation);
        self
    }

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

    /// Which index is used to find what is changed.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::UpdateOptions};
    /// let options = UpdateOptions::default().hint("user_id_1");
    /// # assert_ne!(options, UpdateOptions::default());
    /// ```
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    pub(super) fn collated(&self) -> Option<&Collation> {
        self.collation.as_ref()
    }

    pub(super) fn hinted(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    /// The variables with their values, which depend on no document and no moment.
    pub(super) fn variables(&self, collator: Option<&Arc<Collator>>) -> Result<Variables> {
        constant_variables(&self.variables, collator)
    }
}

fn constant_variables(variables: &Document, collator: Option<&Arc<Collator>>) -> Result<Variables> {
    Variables::evaluate(variables, &Context::new(DateTime::from_millis(0), 0, Vec::new()).collated(collator))
}

/// How documents are removed.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::DeleteOptions};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_many([doc! { "n": 1 }, doc! { "n": 5 }])?;
/// let options = DeleteOptions::default().let_vars(doc! { "most": 3 });
/// assert_eq!(events.delete_many_with(doc! { "$expr": { "$lt": ["$n", "$$most"] } }, options)?, 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until an operation is run with them"]
pub struct DeleteOptions {
    hint: Option<Hint>,
    variables: Document,
    collation: Option<Collation>,
}

impl DeleteOptions {
    /// How text is compared. Without it the collation of the collection applies.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{Collation, DeleteOptions}};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "name": "José" })?;
    /// let options = DeleteOptions::default().collation(Collation::new("es").strength(1));
    /// assert_eq!(people.delete_one_with(doc! { "name": "JOSE" }, options)?, 1);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn collation(mut self, collation: Collation) -> Self {
        self.collation = Some(collation);
        self
    }

    /// Which index is used to find what is removed.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::DeleteOptions;
    /// assert_ne!(DeleteOptions::default().hint("user_id_1"), DeleteOptions::default());
    /// ```
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// Variables for the expressions of the filter, which use them as `$$name`. A value is a constant expression.
    ///
    /// # Examples
    /// See [`DeleteOptions`].
    #[doc(alias = "let")]
    pub fn let_vars(mut self, variables: Document) -> Self {
        self.variables = variables;
        self
    }

    pub(super) fn collated(&self) -> Option<&Collation> {
        self.collation.as_ref()
    }

    pub(super) fn hinted(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    pub(super) fn variables(&self, collator: Option<&Arc<Collator>>) -> Result<Variables> {
        constant_variables(&self.variables, collator)
    }

    /// The same for a change of one document.
    pub(super) fn of_one(self) -> UpdateOptions {
        let Self { hint, variables, collation } = self;
        UpdateOptions { hint, variables, collation, ..UpdateOptions::default() }
    }
}

/// How a pipeline is run.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::AggregateOptions};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_many([doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 5 }])?;
/// let options = AggregateOptions::default().let_vars(doc! { "most": 3 }).hint("_id_");
/// let stages = [doc! { "$match": { "$expr": { "$lt": ["$n", "$$most"] } } }];
/// let found = events.aggregate_with::<Document>(stages, options)?.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(found, [doc! { "_id": 1, "n": 1 }]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until an operation is run with them"]
pub struct AggregateOptions {
    pub(in crate::document) hint: Option<Hint>,
    pub(in crate::document) variables: Document,
    pub(in crate::document) until: Until,
    pub(in crate::document) collation: Option<Collation>,
    pub(in crate::document) served: Option<Served>,
}

impl AggregateOptions {
    /// What a server adds to documents about the collection.
    #[cfg(feature = "server")]
    #[allow(dead_code, reason = "not every door adds to it")]
    pub(crate) fn served(mut self, served: Served) -> Self {
        self.served = Some(served);
        self
    }

    /// How text is compared. Without it the collation of the collection applies.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{AggregateOptions, Collation}};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "name": "Ann" }, doc! { "name": "ann" }])?;
    /// let options = AggregateOptions::default().collation(Collation::new("en").strength(2));
    /// let groups = people.aggregate_with::<Document>([doc! { "$group": { "_id": "$name" } }], options)?;
    /// assert_eq!(groups.collect::<larder::Result<Vec<_>>>()?, [doc! { "_id": "Ann" }]);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn collation(mut self, collation: Collation) -> Self {
        self.collation = Some(collation);
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
        self.until.time = Some(time);
        self
    }

    /// Has the pipeline end with an error once `token` is cancelled, its cursor included.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{AggregateOptions, CancelToken}};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let token = CancelToken::new();
    /// token.cancel();
    /// events.insert_one(&doc! { "n": 1 })?;
    /// let options = AggregateOptions::default().cancel_token(&token);
    /// assert!(events.aggregate_with::<Document>([doc! { "$group": { "_id": "$n" } }], options).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `killOp`.
    #[doc(alias = "killOp")]
    pub fn cancel_token(mut self, token: &CancelToken) -> Self {
        self.until.token = Some(token.clone());
        self
    }

    /// Which index the head of the pipeline uses.
    ///
    /// # Examples
    /// See [`AggregateOptions`].
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// Variables for the expressions of all stages, which use them as `$$name`. A value is a constant expression.
    ///
    /// # Examples
    /// See [`AggregateOptions`].
    #[doc(alias = "let")]
    pub fn let_vars(mut self, variables: Document) -> Self {
        self.variables = variables;
        self
    }

    pub(super) fn constant_variables(&self, collator: Option<&Arc<Collator>>) -> Result<Variables> {
        constant_variables(&self.variables, collator)
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
