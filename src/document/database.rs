//! Databases: namespaces of collections.

#![expect(clippy::needless_pass_by_value, reason = "options are written in place")]

use std::sync::Arc;

use bson::Document;
use serde::de::DeserializeOwned;

use crate::catalog::{self, Entry, Kind, job};
use crate::document::aggregate::{Exec, Output, Pipeline, Place};
use crate::document::code::Code;
use crate::document::collation::Collation;
use crate::document::collection::{AggregateOptions, Collection, merge};
use crate::document::expression::{Context, Names, Variables};
use crate::document::find::{Cursor, context};
use crate::document::layout;
use crate::document::rows::{Input, Made, gathered};
use crate::document::schema::{CollectionChange, CollectionInfo, CollectionOptions, Namespace, Schema};
use crate::document::views;
use crate::error::{Error, Result};
use crate::txn::{AutoCommit, Operation, Scope, View, WriteScope, Writer};

/// A namespace of collections. Given by [`Store::database`](crate::Store::database); it exists as soon as it is named.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let shop = Store::in_memory().database("shop");
/// shop.collection::<Document>("orders").insert_one(&doc! { "_id": 1 })?;
/// assert_eq!(shop.list_collection_names()?, ["orders"]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Database<S = AutoCommit> {
    scope: S,
    name: String,
}

impl<S: Scope> Database<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, name: name.to_owned() }
    }

    pub(super) fn scope(&self) -> &S {
        &self.scope
    }

    /// The names of the databases that have collections, in byte order.
    pub(crate) fn list_names(scope: &S) -> Result<Vec<String>> {
        let operation = Operation::new("document", "list_database_names", "");
        scope.read(operation, |view| catalog::namespaces(view, Kind::Collection))
    }

    /// The database's name.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().database("shop").name(), "shop");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The collection `name`, of documents that are any serde type `T`. It need not exist; the first insert creates it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store};
    /// let orders = Store::in_memory().database("shop").collection::<Document>("orders");
    /// assert_eq!(orders.find_one(Document::new())?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn collection<T>(&self, name: &str) -> Collection<T, S> {
        Collection::new(self.scope.clone(), Namespace::new(&self.name, name))
    }

    /// The names of the collections that exist, in byte order.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when the catalogue does not decode.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let store = Store::in_memory();
    /// for name in ["b", "a"] {
    ///     store.database("shop").collection::<Document>(name).insert_one(&doc! {})?;
    /// }
    /// assert_eq!(store.database("shop").list_collection_names()?, ["a", "b"]);
    /// assert!(store.database("other").list_collection_names()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `listCollections`.
    #[doc(alias = "getCollectionNames")]
    pub fn list_collection_names(&self) -> Result<Vec<String>> {
        self.scope.read(Operation::new("document", "list_collection_names", &self.name), |view| {
            let collections = catalog::list::<Schema>(view, Kind::Collection, &self.name)?;
            Ok(collections.into_iter().map(|(name, _)| name).collect())
        })
    }
}

impl<S: Scope> Database<S> {
    /// The collections that exist, in byte order of their names.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when the catalogue does not decode.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// shop.create_collection("orders")?;
    /// let orders = shop.list_collections()?.remove(0);
    /// assert_eq!((orders.name.as_str(), orders.options), ("orders", CollectionOptions::default()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `listCollections`.
    #[doc(alias = "getCollectionInfos")]
    pub fn list_collections(&self) -> Result<Vec<CollectionInfo>> {
        self.scope.read(Operation::new("document", "list_collections", &self.name), |view| {
            let collections = catalog::list::<Schema>(view, Kind::Collection, &self.name)?;
            let about = |(name, entry): (String, Entry<Schema>)| {
                let uuid = entry.record.uuid(entry.id);
                CollectionInfo { name, uuid, options: entry.record.options().clone() }
            };
            Ok(collections.into_iter().map(about).collect())
        })
    }

    /// Runs an aggregation pipeline that begins with `$documents`, and so reads no collection of its own; `$lookup` and
    /// `$unionWith` read those of this database.
    ///
    /// # Errors
    /// As [`Collection::aggregate`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, bson::doc};
    /// let shop = Store::in_memory().database("shop");
    /// let pipeline = [doc! { "$documents": [{ "n": 1 }, { "n": 2 }] }, doc! { "$match": { "n": { "$gt": 1 } } }];
    /// let found = shop.aggregate(pipeline)?.collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(found, [doc! { "n": 2 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `aggregate` on a database, `$documents`.
    pub fn aggregate(&self, pipeline: impl IntoIterator<Item = Document>) -> Result<Cursor<Document>> {
        self.aggregate_with(pipeline, AggregateOptions::default())
    }

    /// As [`Database::aggregate`], with the variables of `options`, and with documents as the type `U`. A hint is not looked at: no
    /// collection is read.
    ///
    /// # Errors
    /// As [`Database::aggregate`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, bson::{doc, RawDocumentBuf}, document::AggregateOptions};
    /// let shop = Store::in_memory().database("shop");
    /// let stages = [doc! { "$documents": [{ "n": 1 }] }, doc! { "$set": { "m": "$$most" } }];
    /// let options = AggregateOptions::default().let_vars(doc! { "most": 3 });
    /// let found: RawDocumentBuf = shop.aggregate_with(stages, options)?.next().unwrap()?;
    /// assert_eq!(found.get_i32("m").unwrap(), 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn aggregate_with<U: DeserializeOwned + 'static>(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
    ) -> Result<Cursor<U>> {
        let stages = pipeline.into_iter().collect();
        self.scope.read(Operation::new("document", "aggregate", &self.name), |view| {
            let Ran { rows, output, .. } = self.run(view, stages, &options)?;
            match output {
                None => Ok(Cursor::decoding(rows, format!("database {:?}", self.name))),
                Some(output) => Err(output.refuse("a pipeline that is only read")),
            }
        })
    }

    /// Begins a pipeline, of which nothing is written.
    fn run(&self, view: &View, stages: Vec<Document>, options: &AggregateOptions) -> Result<Ran> {
        let collator = options.collation.as_ref().map(Collation::compile).transpose()?.flatten();
        let context = |values| context(view, values).collated(collator.as_ref());
        let variables = Variables::evaluate(&options.variables, &context(Vec::new()))?;
        let mut pipeline = Pipeline::compile(stages, Place::Database, &variables.names)?;
        let output = pipeline.split_out();
        let context = Arc::new(context(variables.values).until(&options.until));
        let exec = Exec::new(view, &self.name, Arc::clone(&context));
        let rows = pipeline.rewritten().run(Box::new(Made::new(std::iter::empty())), &exec)?;
        Ok(Ran { rows, output, context })
    }
}

/// A pipeline that runs.
struct Ran {
    rows: Input,
    /// Where what it gives is to be written.
    output: Option<Output>,
    context: Arc<Context>,
}

impl<S: WriteScope> Database<S> {
    /// Runs an aggregation pipeline that begins with `$documents` and ends with `$out` or `$merge`, and returns how many
    /// documents it has written. All of it is one operation.
    ///
    /// # Errors
    /// As [`Database::aggregate`] and [`Collection::aggregate_out`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let shop = Store::in_memory().database("shop");
    /// let pipeline = [doc! { "$documents": [{ "_id": 1 }, { "_id": 2 }] }, doc! { "$out": "numbers" }];
    /// assert_eq!(shop.aggregate_out(pipeline)?, 2);
    /// assert_eq!(shop.collection::<Document>("numbers").count_documents(doc! {})?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `aggregate` on a database, `$out` and `$merge`.
    pub fn aggregate_out(&self, pipeline: impl IntoIterator<Item = Document>) -> Result<u64> {
        self.aggregate_out_with(pipeline, AggregateOptions::default())
    }

    /// As [`Database::aggregate_out`], with `options` as [`Database::aggregate_with`] has them.
    ///
    /// # Errors
    /// As [`Database::aggregate_out`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, bson::doc, document::AggregateOptions};
    /// let shop = Store::in_memory().database("shop");
    /// let stages = [doc! { "$documents": [{ "_id": 1 }] }, doc! { "$set": { "n": "$$n" } }, doc! { "$merge": "numbers" }];
    /// assert_eq!(shop.aggregate_out_with(stages, AggregateOptions::default().let_vars(doc! { "n": 3 }))?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn aggregate_out_with(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
    ) -> Result<u64> {
        let stages: Vec<_> = pipeline.into_iter().collect();
        let operation = Operation::new("document", "aggregate_out", &self.name);
        self.scope.write(operation.freeing(true), |writer| {
            let Ran { rows, output, context } = self.run(&writer.search(), stages.clone(), &options)?;
            let output = output.ok_or_else(merge::without_output)?;
            let documents = gathered(rows)?;
            merge::write(writer, &Namespace::new(&self.name, ""), &output, &documents, &context)?;
            Ok(documents.len() as u64)
        })
    }

    /// Makes the collection `name`, empty and with the index on `_id`. Nobody has to: the first insert makes one, too.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when there is one; [`Error::Invalid`] for a name that no collection can have,
    /// [`Error::LimitExceeded`] for one that is too long.
    ///
    /// # Cost
    /// O(log n).
    ///
    /// # Examples
    /// ```
    /// let shop = larder::Store::in_memory().database("shop");
    /// shop.create_collection("orders")?;
    /// assert_eq!(shop.list_collection_names()?, ["orders"]);
    /// assert!(shop.create_collection("orders").is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `create`.
    #[doc(alias("create", "createCollection"))]
    pub fn create_collection(&self, name: &str) -> Result<()> {
        self.create_collection_with(name, CollectionOptions::default())
    }

    /// As [`Database::create_collection`], with options.
    ///
    /// # Errors
    /// As [`Database::create_collection`]; [`Error::Unsupported`] names an option that is not modelled.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, bson::doc, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// shop.create_collection_with("orders", CollectionOptions::default())?;
    /// assert_eq!(shop.list_collections()?[0].options, CollectionOptions::default());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `create`.
    pub fn create_collection_with(&self, name: &str, options: CollectionOptions) -> Result<()> {
        let options = options.checked()?;
        let namespace = Namespace::new(&self.name, name);
        self.scope.write(namespace.operation("create_collection"), |writer| {
            refuse_existing(&namespace, writer)?;
            check_options(writer, &namespace, &options)?;
            namespace.create(writer, options.clone()).map(drop)
        })
    }

    /// Changes the options of the collection or view `name`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Invalid`] for a change that does not go with what it is, and those of
    /// [`Database::create_collection_with`].
    ///
    /// # Cost
    /// O(log n): documents are not looked at.
    ///
    /// # Examples
    /// See [`CollectionChange`].
    ///
    /// # Source
    /// MongoDB manual, `collMod`.
    #[doc(alias = "collMod")]
    #[expect(clippy::needless_pass_by_value, reason = "changes are written in place")]
    pub fn modify_collection(&self, name: &str, change: CollectionChange) -> Result<()> {
        let namespace = Namespace::new(&self.name, name);
        self.scope.write(namespace.operation("modify_collection"), |writer| {
            let missing = || Error::NotFound { what: "collection", name: name.to_owned() };
            let entry = namespace.get(writer)?.ok_or_else(missing)?;
            let mut changed = entry.as_ref().clone();
            let options = change.clone().apply(entry.record.options())?;
            check_options(writer, &namespace, &options)?;
            changed.record.set_options(options)?;
            namespace.update(writer, &changed)
        })
    }

    /// Renames the collection `name` to `to`, with its documents and indexes.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no collection `name`, [`Error::AlreadyExists`] when there is one named `to`;
    /// [`Error::Unsupported`] while an index of it is being built.
    ///
    /// # Cost
    /// O(log n): documents stay where they are.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let shop = Store::in_memory().database("shop");
    /// shop.collection::<Document>("orders").insert_one(&doc! { "_id": 1 })?;
    /// shop.rename_collection("orders", "sales")?;
    /// assert_eq!(shop.collection::<Document>("sales").find_one(doc! {})?, Some(doc! { "_id": 1 }));
    /// assert!(shop.collection::<Document>("orders").find_one(doc! {})?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `renameCollection`.
    #[doc(alias("renameCollection"))]
    pub fn rename_collection(&self, name: &str, to: &str) -> Result<()> {
        let (from, target) = (Namespace::new(&self.name, name), Namespace::new(&self.name, to));
        self.scope.write(from.operation("rename_collection"), |writer| {
            let missing = || Error::NotFound { what: "collection", name: name.to_owned() };
            let entry = from.get_collection(writer)?.ok_or_else(missing)?;
            refuse_existing(&target, writer)?;
            if entry.record.indexes.iter().any(|index| index.building) {
                // Its job knows the collection by its name.
                return Err(Error::unsupported("renaming a collection while one of its indexes is being built"));
            }
            target.check_name()?;
            from.remove(writer);
            target.update(writer, &entry)
        })
    }

    /// Drops the collection `name` with its documents and indexes, and returns whether it existed.
    ///
    /// # Errors
    /// What a write returns.
    ///
    /// # Cost
    /// O(log n). Documents and index entries are removed in the background, when there are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let shop = Store::in_memory().database("shop");
    /// shop.collection::<Document>("orders").insert_one(&doc! { "_id": 1 })?;
    /// assert!(shop.drop_collection("orders")?);
    /// assert!(!shop.drop_collection("orders")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `drop`.
    #[doc(alias("drop", "dropCollection"))]
    pub fn drop_collection(&self, name: &str) -> Result<bool> {
        let namespace = Namespace::new(&self.name, name);
        self.scope.write(namespace.operation("drop_collection").freeing(true), |writer| {
            let Some(entry) = namespace.get(writer)? else { return Ok(false) };
            namespace.remove(writer);
            let target = layout::collection_prefix(entry.storage);
            job::cancel(writer, &target)?;
            job::remove(writer, &target)?;
            Ok(true)
        })
    }
}

/// Checks options that hang on what the collection is called, and on others.
fn check_options(view: &View, namespace: &Namespace, options: &CollectionOptions) -> Result<()> {
    let is_internal = namespace.name().starts_with("system.");
    if options.validator.is_some() && (is_internal || matches!(namespace.database(), "admin" | "local" | "config")) {
        let message = format!("{} can have no validator", namespace.target());
        return Err(Code::INVALID_OPTIONS.value(message));
    }
    let Some(definition) = &options.view else { return Ok(()) };
    if is_internal {
        let message = format!("{} is no name for a view", namespace.target());
        return Err(Code::INVALID_NAMESPACE.value(message));
    }
    if Pipeline::of_view(definition.pipeline.clone(), &Names::default())?.writes() {
        return Err(Code::OPTION_NOT_SUPPORTED_ON_VIEW.value("the pipeline of a view cannot write"));
    }
    views::check(view, namespace, options)
}

fn refuse_existing(namespace: &Namespace, writer: &Writer) -> Result<()> {
    match namespace.get(writer)? {
        Some(_) => Err(Error::AlreadyExists { what: "collection", name: namespace.name().to_owned() }),
        None => Ok(()),
    }
}
