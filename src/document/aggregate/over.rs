//! A pipeline over a collection or a view: its head by the planner, and the rest over what that finds.

use std::sync::Arc;

use bson::{Document, doc};

use super::operator;
use super::stage::{Place, Stage};
use super::{Exec, Pipeline, Served};
use crate::document::expression::{Context, Names};
use crate::document::find::{Prepared, Query};
use crate::document::hint::Hint;
use crate::document::projection::Projection;
use crate::document::rows::{Input, Made};
use crate::document::schema::Namespace;
use crate::document::views;
use crate::error::Result;
use crate::txn::View;

impl Pipeline {
    /// Runs the pipeline, whose expressions may use the variables `names`, over the collection or view `namespace`.
    ///
    /// # Errors
    /// As [`Pipeline::run`], and those of planning.
    pub(in crate::document) fn run_over(
        self,
        view: &View,
        namespace: &Namespace,
        context: &Arc<Context>,
        names: &Names,
        hint: Option<Hint>,
        served: Option<&Served>,
    ) -> Result<Input> {
        if matches!(self.stages.first(), Some(Stage::About(_))) {
            return self.run_about(view, namespace, context, served);
        }
        match views::resolve(view, namespace)? {
            Some(definition) => {
                let whole = Self::of_view(definition.stages, names)?.followed_by(self);
                whole.run_over_collection(view, &definition.collection, context, names, hint)
            }
            None => self.run_over_collection(view, namespace, context, names, hint),
        }
    }

    /// Runs a pipeline that begins with documents about `namespace`.
    fn run_about(
        mut self,
        view: &View,
        namespace: &Namespace,
        context: &Arc<Context>,
        served: Option<&Served>,
    ) -> Result<Input> {
        let documents = match self.stages.first() {
            Some(Stage::About(source)) => source.documents(view, namespace, context, served)?,
            _ => Vec::new(),
        };
        self.stages.remove(0);
        let rows = Made::new(documents.into_iter().map(Ok));
        self.rewritten().run(Box::new(rows), &Exec::new(view, namespace.database(), Arc::clone(context)))
    }

    fn run_over_collection(
        self,
        view: &View,
        namespace: &Namespace,
        context: &Arc<Context>,
        names: &Names,
        hint: Option<Hint>,
    ) -> Result<Input> {
        let (leading, filter, rest) = self.rewritten().split_compiled();
        let query = Query { sort: leading.sort, limit: leading.limit, hint, ..Query::default() };
        let prepared = Prepared { filter: Arc::new(filter), ..query.compile(names)? };
        let rows = prepared.start(view, namespace, Arc::clone(context))?;
        rest.run(Box::new(rows), &Exec::new(view, namespace.database(), Arc::clone(context)))
    }

    /// The pipeline that a view is defined by.
    ///
    /// # Errors
    /// As [`Pipeline::compile`].
    pub(in crate::document) fn of_view(stages: Vec<Document>, names: &Names) -> Result<Self> {
        Self::compile(stages, Place::Collection, &Names::default().collated(names.collator()))
    }

    fn followed_by(mut self, other: Self) -> Self {
        self.stages.extend(other.stages);
        self
    }

    /// Whether it writes what it gives.
    pub(in crate::document) fn writes(&self) -> bool {
        matches!(self.stages.last(), Some(Stage::Out { .. } | Stage::Merge(_)))
    }
}

/// What `query` finds in a view that `stages` define over `collection`.
///
/// # Errors
/// As [`Pipeline::run_over`].
pub(in crate::document) fn find_in_view(
    view: &View,
    definition: views::Definition,
    query: &Query,
    prepared: &Prepared,
    (context, names): (&Arc<Context>, &Names),
) -> Result<Input> {
    let mut stages = definition.stages;
    stages.extend(stages_of(query, prepared));
    let pipeline = Pipeline::compile(stages, Place::Collection, names)?;
    let rows = pipeline.run_over_collection(view, &definition.collection, context, names, query.hint.clone())?;
    Ok(match &prepared.projection {
        Some(projection) => projected(rows, projection.clone(), context),
        None => rows,
    })
}

/// The stages that do what a query does, but for its projection.
pub(in crate::document) fn stages_of(query: &Query, prepared: &Prepared) -> Vec<Document> {
    let mut stages = Vec::new();
    if !query.filter.is_empty() {
        stages.push(doc! { "$match": query.filter.clone() });
    }
    if let Some(sort) = &prepared.sort {
        stages.push(doc! { "$sort": sort.to_document() });
    }
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    if query.skip > 0 {
        stages.push(doc! { "$skip": number(query.skip) });
    }
    if let Some(limit) = query.limit {
        stages.push(doc! { "$limit": number(limit) });
    }
    stages
}

fn projected(rows: Input, projection: Projection, context: &Arc<Context>) -> Input {
    operator::reshaping(rows, Arc::clone(context), operator::Shape::Project(projection))
}

impl Exec {
    /// Starts to read what `query` lets through of the collection or view `name`.
    ///
    /// # Errors
    /// As [`Pipeline::run_over`].
    pub(super) fn open(&self, name: &str, query: &Prepared) -> Result<Input> {
        let namespace = Namespace::new(&self.database, name);
        let view = self.view.lock();
        let Some(definition) = views::resolve(&view, &namespace)? else {
            return Ok(Box::new(query.start(&view, &namespace, Arc::clone(self.context()))?));
        };
        let context = Arc::clone(self.context());
        let of_view = namespace.get(&view)?;
        if of_view.is_some_and(|of_view| of_view.record.collator() != context.collator()) {
            return Err(views::other_collation(&namespace));
        }
        let names = Names::default().collated(context.collator());
        let mut pipeline = Pipeline::of_view(definition.stages, &names)?;
        // As a stage behind those of the view, it is moved before all that do not write what it reads, and to an index.
        let filter = query.filter.as_ref().clone();
        pipeline.stages.push(Stage::Match { filter, text: Document::new() });
        pipeline.run_over_collection(&view, &definition.collection, &context, &names, None)
    }
}
