//! Views: what they are defined by, down to a collection.
//!
//! # Source
//! MongoDB manual, Views.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::collation::Collation;
use crate::document::schema::{CollectionOptions, Namespace};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::View;

/// What a view shows: what stages make of a collection, which need not exist.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) collection: Namespace,
    /// Those of the views below come first.
    pub(super) stages: Vec<Document>,
}

/// What the view `namespace` shows; `None` when it is none.
///
/// # Errors
/// Code 165 for more than [`limits::VIEW_DEPTH_MAX`] views, each over the next.
pub(super) fn resolve(view: &View, namespace: &Namespace) -> Result<Option<Definition>> {
    let Some(mut entry) = namespace.get(view)? else { return Ok(None) };
    let mut pipelines = Vec::new();
    let mut found = None;
    while let Some(definition) = &entry.record.options().view {
        if pipelines.len() >= limits::VIEW_DEPTH_MAX {
            return Err(too_deep(namespace));
        }
        pipelines.push(definition.pipeline.clone());
        let below = Namespace::new(namespace.database(), &definition.on);
        let next = below.get(view)?;
        if let Some(next) = &next
            && next.record.is_view()
            && next.record.collator() != entry.record.collator()
        {
            return Err(other_collation(&below));
        }
        found = Some(below);
        match next {
            Some(next) => entry = next,
            None => break,
        }
    }
    let stages = pipelines.into_iter().rev().flatten().collect();
    Ok(found.map(|collection| Definition { collection, stages }))
}

/// Refuses the definition of the view `namespace` as `options` if it shows itself, through others, or goes too deep.
///
/// # Errors
/// Code 5, and 165 as [`resolve`].
pub(super) fn check(view: &View, namespace: &Namespace, options: &CollectionOptions) -> Result<()> {
    let Some(definition) = &options.view else { return Ok(()) };
    let below = Namespace::new(namespace.database(), &definition.on);
    if let Some(entry) = below.get(view)?.filter(|entry| entry.record.is_view()) {
        let own = options.collation.as_ref().map(Collation::compile).transpose()?.flatten();
        if entry.record.collator() != own.as_ref() {
            return Err(other_collation(&below));
        }
    }
    let mut level = BTreeSet::new();
    level.insert(definition.on.clone());
    read_by(&definition.pipeline, &mut level);
    // Each level is what the views of the one before read. The first one to come twice is no cycle yet, but costs nothing either.
    let mut seen = BTreeSet::new();
    let mut depth = 1;
    while !level.is_empty() {
        if level.contains(namespace.name()) {
            let message = format!("the view {} would show itself", namespace.target());
            return Err(Code::GRAPH_CONTAINS_CYCLE.error(InvalidKind::Value, message));
        }
        let mut below = BTreeSet::new();
        for name in level {
            let Some(entry) = Namespace::new(namespace.database(), &name).get(view)? else { continue };
            if let Some(inner) = &entry.record.options().view
                && seen.insert(name)
            {
                below.insert(inner.on.clone());
                read_by(&inner.pipeline, &mut below);
            }
        }
        depth += usize::from(!below.is_empty());
        if depth > limits::VIEW_DEPTH_MAX {
            return Err(too_deep(namespace));
        }
        level = below;
    }
    Ok(())
}

/// A view is read with the collation it was made with.
pub(super) fn other_collation(namespace: &Namespace) -> Error {
    let message = format!("the view {} has another collation", namespace.target());
    Code::OPTION_NOT_SUPPORTED_ON_VIEW.value(message)
}

fn too_deep(namespace: &Namespace) -> Error {
    let message = format!("the view {} goes through more than {} others", namespace.target(), limits::VIEW_DEPTH_MAX);
    Code::VIEW_DEPTH_LIMIT_EXCEEDED.error(InvalidKind::Value, message)
}

/// The names of the collections that the stages of a pipeline read.
fn read_by(stages: &[Document], names: &mut BTreeSet<String>) {
    for (stage, argument) in stages.iter().flatten() {
        let read = match (stage.as_str(), argument) {
            ("$unionWith", Bson::String(name)) => Some(name),
            ("$unionWith", Bson::Document(union)) => text(union.get("coll")),
            ("$lookup" | "$graphLookup", Bson::Document(lookup)) => text(lookup.get("from")),
            _ => None,
        };
        names.extend(read.cloned());
        let Bson::Document(argument) = argument else { continue };
        // A pipeline within, or one for each facet.
        for (_, inner) in argument.iter().filter(|(name, _)| stage == "$facet" || *name == "pipeline") {
            if let Bson::Array(stages) = inner {
                let stages: Vec<_> = stages.iter().filter_map(Bson::as_document).cloned().collect();
                read_by(&stages, names);
            }
        }
    }
}

fn text(value: Option<&Bson>) -> Option<&String> {
    match value {
        Some(Bson::String(name)) => Some(name),
        _ => None,
    }
}
