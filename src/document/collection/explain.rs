//! How queries and pipelines are done.

use std::sync::Arc;

use bson::{Bson, Document, doc};

use crate::clock::Stopwatch;
use crate::document::aggregate::{self, Pipeline, Place};
use crate::document::collection::options::AggregateOptions;
use crate::document::collection::{Collection, Find, source};
use crate::document::expression::{Context, Names, Variables};
use crate::document::find::{self, Prepared, Query};
use crate::document::hint::Hint;
use crate::document::planner::Explain;
use crate::document::rows::Rows;
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::document::views;
use crate::error::{Error, Result};
use crate::txn::{Scope, View};

impl<T, S: Scope> Find<T, S> {
    /// Runs the query and returns how it was done, and what it took. The documents are found, but not returned.
    ///
    /// # Errors
    /// As [`Find::run`], except for what does not deserialize.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "n": n }))?;
    /// let explain = events.find(doc! { "n": 3 }).explain()?;
    /// assert_eq!((explain.documents_examined, explain.returned), (4, 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `explain` with verbosity `executionStats`.
    pub fn explain(self) -> Result<Explain> {
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("explain"), |view| {
            if views::resolve(view, namespace)?.is_some() {
                return Err(Error::unsupported("this form of explain for a view: use explain_with"));
            }
            let (prepared, context) = self.query.prepare(view, namespace)?;
            let stage = prepared.plan(view, namespace)?.stage(prepared.sort.as_ref());
            let mut rows = prepared.start(view, namespace, context)?;
            let mut returned = 0;
            while rows.advance()? {
                returned += 1;
            }
            let (keys_examined, documents_examined) = rows.examined();
            Ok(Explain { stage, keys_examined, documents_examined, returned })
        })
    }

    /// How the query would be done, as a tree of BSON, without doing it.
    ///
    /// `winningPlan` has a `stage` with its `inputStage`s, named as in [`Stage`](crate::document::Stage); an `IXSCAN` has
    /// the index and the bounds of its fields.
    ///
    /// # Errors
    /// As [`Find::run`], for what is wrong with the query.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.create_index(doc! { "n": 1 })?;
    /// let plan = events.find(doc! { "n": 3 }).explain_plan()?;
    /// let stage = plan.get_document("winningPlan").unwrap();
    /// assert_eq!(stage.get_str("stage").unwrap(), "FETCH");
    /// assert_eq!(stage.get_document("inputStage").unwrap().get_str("indexName").unwrap(), "n_1");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `explain` with verbosity `queryPlanner`.
    #[doc(alias = "queryPlanner")]
    pub fn explain_plan(self) -> Result<Document> {
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("explain"), |view| self.query.explain(view, namespace, false)).map(
            |mut explained| match explained.remove("queryPlanner") {
                Some(Bson::Document(planner)) => planner,
                _ => Document::new(),
            },
        )
    }

    /// As [`Find::explain_plan`], as the field `queryPlanner`; where `executes` is true the query is run, and `executionStats` says what
    /// that took.
    ///
    /// # Errors
    /// As [`Find::run`], except for what does not deserialize.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "n": n }))?;
    /// let explained = events.find(doc! { "n": 3 }).explain_with(true)?;
    /// assert_eq!(explained.get_document("executionStats").unwrap().get_i64("totalDocsExamined").unwrap(), 4);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "executionStats")]
    pub fn explain_with(self, executes: bool) -> Result<Document> {
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("explain"), |view| self.query.explain(view, namespace, executes))
    }
}

impl Query {
    /// How it would be done at `view`, and, where it is done for that, what it took.
    fn explain(&self, view: &View, namespace: &Namespace, executes: bool) -> Result<Document> {
        let (prepared, context, names) = self.prepare_naming(view, namespace)?;
        let Some(definition) = views::resolve(view, namespace)? else {
            return self.explain_prepared(&prepared, view, namespace, executes.then_some(context));
        };
        source::check_view(self)?;
        let mut stages = definition.stages;
        stages.extend(aggregate::stages_of(self, &prepared));
        let shown = Explained { stages, hint: self.hint.clone(), executes };
        shown.explain(view, &definition.collection, (&context, &names))
    }

    /// As [`Query::explain`], when it is compiled already; with a context it is done.
    fn explain_prepared(
        &self,
        prepared: &Prepared,
        view: &View,
        namespace: &Namespace,
        context: Option<Arc<Context>>,
    ) -> Result<Document> {
        let stage = prepared.plan(view, namespace)?.stage(prepared.sort.as_ref()).to_document();
        let mut explained = doc! { "queryPlanner": {
            "namespace": namespace.target(),
            "parsedQuery": self.filter.clone(),
            "winningPlan": stage.clone(),
            "rejectedPlans": [],
        } };
        if let Some(context) = context {
            let begun = Stopwatch::start();
            let mut rows = prepared.start(view, namespace, context)?;
            let mut returned = 0_i64;
            while rows.advance()? {
                returned += 1;
            }
            let (keys, documents) = rows.examined();
            let mut stages = stage;
            stages.insert("nReturned", returned);
            let millis = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
            explained.insert(
                "executionStats",
                doc! {
                    "executionSuccess": true,
                    "nReturned": returned,
                    "executionTimeMillis": millis,
                    "totalKeysExamined": number(keys),
                    "totalDocsExamined": number(documents),
                    "executionStages": stages,
                },
            );
        }
        Ok(explained)
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether the planner does a stage at the head of a pipeline, behind those that it does already.
fn is_leading(stage: &Document, has_sort: &mut bool) -> bool {
    match stage.keys().next().map(String::as_str) {
        Some("$match") => true,
        Some("$sort") if !*has_sort => {
            *has_sort = true;
            true
        }
        Some("$limit") => *has_sort,
        _ => false,
    }
}

impl<T, S: Scope> Collection<T, S> {
    /// How a pipeline would be done: as [`Find::explain_with`] where the planner does all of it, and otherwise as `stages`, the first of
    /// which is a `$cursor` with what the planner does. Where `executes` is true the head of the pipeline is run, and then all of it:
    /// the last of `stages` has the number of documents in `nReturned`.
    ///
    /// # Errors
    /// As [`Collection::aggregate_with`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::AggregateOptions};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let stages = [doc! { "$match": { "n": 1 } }, doc! { "$group": { "_id": "$n" } }];
    /// let explained = events.explain_aggregate(stages, AggregateOptions::default(), false)?;
    /// assert_eq!(explained.get_array("stages").unwrap().len(), 2);
    /// let explained = events.explain_aggregate([doc! { "$match": { "n": 1 } }], AggregateOptions::default(), false)?;
    /// assert!(explained.contains_key("queryPlanner"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Explain Results.
    pub fn explain_aggregate(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
        executes: bool,
    ) -> Result<Document> {
        let stages: Vec<_> = pipeline.into_iter().collect();
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("explain"), |view| {
            let collator = find::collator(options.collation.as_ref(), view, namespace)?;
            let context = |values| find::context(view, values).collated(collator.as_ref());
            let variables = Variables::evaluate(&options.variables, &context(Vec::new()))?;
            let context = Arc::new(context(variables.values));
            // What the caller wrote is checked as such, before that of a view is put in front of it.
            stages.iter().try_for_each(stored::check_values)?;
            Pipeline::compile(stages.clone(), Place::Collection, &variables.names)?;
            let (below, before) = match views::resolve(view, namespace)? {
                Some(definition) => (Some(definition.collection), definition.stages),
                None => (None, Vec::new()),
            };
            let whole = before.into_iter().chain(stages).collect();
            let shown = Explained { stages: whole, hint: options.hint, executes };
            shown.explain(view, below.as_ref().unwrap_or(namespace), (&context, &variables.names))
        })
    }
}

/// A pipeline over a collection, to be explained.
struct Explained {
    stages: Vec<Document>,
    hint: Option<Hint>,
    executes: bool,
}

impl Explained {
    fn explain(
        self,
        view: &View,
        namespace: &Namespace,
        (context, names): (&Arc<Context>, &Names),
    ) -> Result<Document> {
        let Self { stages, hint, executes } = self;
        let pipeline = Pipeline::compile(stages.clone(), Place::Collection, names)?;
        if pipeline.has_source() {
            // It reads nothing of the collection.
            return Ok(doc! { "stages": stages });
        }
        let (leading, _) = pipeline.clone().rewritten().split_leading();
        let query = Query {
            filter: leading.filter.unwrap_or_default(),
            sort: leading.sort,
            limit: leading.limit,
            hint: hint.clone(),
            ..Query::default()
        };
        let prepared = query.compile(names)?;
        let of_head = executes.then(|| Arc::clone(context));
        let head = query.explain_prepared(&prepared, view, namespace, of_head)?;
        let mut has_sort = false;
        let mut rest = stages.iter().skip_while(|stage| is_leading(stage, &mut has_sort)).cloned().peekable();
        if rest.peek().is_none() {
            return Ok(head);
        }
        let mut all: Vec<_> = std::iter::once(doc! { "$cursor": head }).chain(rest).collect();
        if executes && let Some(last) = all.last_mut() {
            let mut rows = pipeline.run_over(view, namespace, context, names, hint, None)?;
            let mut returned = 0_i64;
            while rows.advance()? {
                returned += 1;
            }
            last.insert("nReturned", returned);
        }
        Ok(doc! { "stages": all })
    }
}
