//! `$out` and `$merge` at work: what a pipeline gives goes into a collection, with `$merge` by what is there already.

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};

use crate::document::aggregate::{Merge, Output, WhenMatched, WhenNotMatched};
use crate::document::code::Code;
use crate::document::collection::modify::{self, Modification, One};
use crate::document::collection::options::UpdateOptions;
use crate::document::expression::{Context, Env};
use crate::document::insert::Insertions;
use crate::document::path::{FieldPath, For, Reached};
use crate::document::raw::{corrupt, field};
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::document::update::UpdateModifications;
use crate::error::{Error, Result};
use crate::txn::Writer;

/// Puts `documents` where `output` says, which is in the database of `here` unless it names another one.
///
/// # Errors
/// Those of inserts and updates; [`Error::Invalid`] for a document without the fields that a `$merge` goes by, and when these
/// are not unique there.
pub(in crate::document) fn write(
    writer: &mut Writer,
    here: &Namespace,
    output: &Output,
    documents: &[RawDocumentBuf],
    context: &Context,
) -> Result<()> {
    let (database, collection) = match output {
        Output::Merge(merge) => return run(writer, here, merge, documents, context),
        Output::Out { database, collection } => (database, collection),
    };
    let target = Namespace::new(database.as_deref().unwrap_or(here.database()), collection)
        .bypassing_validation(here.bypasses_validation());
    modify::clear(writer, &target)?;
    let mut insertions = Insertions::begin(writer, &target)?;
    for document in documents {
        stored::check(document)?;
        insertions.insert(document)?;
    }
    Ok(())
}

/// The refusal of a pipeline that is run for what it writes, and writes nothing.
pub(in crate::document) fn without_output() -> Error {
    Code::BAD_VALUE.value("the pipeline does not end with $out or $merge")
}

fn run(
    writer: &mut Writer,
    here: &Namespace,
    merge: &Merge,
    documents: &[RawDocumentBuf],
    context: &Context,
) -> Result<()> {
    let target = Namespace::new(merge.database.as_deref().unwrap_or(here.database()), &merge.collection)
        .bypassing_validation(here.bypasses_validation());
    check_unique(writer, &target, merge)?;
    for document in documents {
        stored::check(document)?;
        one(writer, &target, merge, document, context)?;
    }
    Ok(())
}

/// Refuses fields that no unique index is of.
fn check_unique(writer: &Writer, target: &Namespace, merge: &Merge) -> Result<()> {
    if merge.on == ["_id"] {
        return Ok(());
    }
    let is_it =
        |paths: Vec<&str>| paths.len() == merge.on.len() && merge.on.iter().all(|on| paths.contains(&on.as_str()));
    let entry = target.get_collection(writer)?;
    let mut indexes = entry.iter().flat_map(|entry| &entry.record.indexes).filter(|index| index.unique);
    if indexes.any(|index| is_it(index.pattern.fields().iter().map(|field| field.path.as_str()).collect())) {
        return Ok(());
    }
    Err(Code::MERGE_WITHOUT_UNIQUE_INDEX.value("the fields of on in $merge have no unique index"))
}

fn one(
    writer: &mut Writer,
    target: &Namespace,
    merge: &Merge,
    document: &RawDocument,
    context: &Context,
) -> Result<()> {
    let filter = same(merge, document)?;
    // The unique index refuses a document that is there, in its words.
    let Some(filter) = filter.filter(|_| !matches!(merge.when_matched, WhenMatched::Fail)) else {
        return insert(writer, target, merge, document);
    };
    let (modification, variables) = match &merge.when_matched {
        WhenMatched::Replace => (Modification::replacement(document.to_owned())?, Document::new()),
        WhenMatched::Merge => {
            let merged = doc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", "$$new"] } };
            (pipeline(vec![merged]), variables(merge, document, context)?)
        }
        WhenMatched::Pipeline(stages) => (pipeline(stages.clone()), variables(merge, document, context)?),
        WhenMatched::KeepExisting | WhenMatched::Fail => (pipeline(Vec::new()), Document::new()),
    };
    let options = UpdateOptions::default().let_vars(variables);
    let change = One { filter, modification, options, sort: None };
    let outcome = change.prepare()?.run(writer, target)?;
    if outcome.matched() == 0 { insert(writer, target, merge, document) } else { Ok(()) }
}

fn pipeline(stages: Vec<Document>) -> Modification {
    Modification::Update(UpdateModifications::Pipeline(stages))
}

/// The filter for the document that is the same; `None` when this one has no `_id` yet.
fn same(merge: &Merge, document: &RawDocument) -> Result<Option<Document>> {
    let mut filter = Document::new();
    for on in &merge.on {
        if on == "_id" && field(document, "_id")?.is_none() {
            return Ok(None);
        }
        let mut values = Vec::new();
        FieldPath::parse(on, For::Expression)?.any(document, |reached| {
            values.push(match reached {
                Reached::Missing => None,
                Reached::Field(value) | Reached::Element(value) => Some(Bson::try_from(value)),
            });
            false
        })?;
        let value = match (values.pop(), values.is_empty()) {
            (Some(Some(value)), true) => value.map_err(corrupt)?,
            (None | Some(None), true) => Bson::Null,
            _ => Bson::Array(Vec::new()),
        };
        match value {
            Bson::Null | Bson::Undefined => {
                return Err(Code::MERGE_ON_MISSING.value(format!("a document of $merge has no {on:?}")));
            }
            Bson::Array(_) => {
                return Err(Code::MERGE_ON_ARRAY.value(format!("{on:?} of a document of $merge is an array")));
            }
            value => filter.insert(on, doc! { "$eq": value }),
        };
    }
    Ok(Some(filter))
}

fn insert(writer: &mut Writer, target: &Namespace, merge: &Merge, document: &RawDocument) -> Result<()> {
    match merge.when_not_matched {
        WhenNotMatched::Insert => Insertions::begin(writer, target)?.insert(document).map(drop),
        WhenNotMatched::Discard => Ok(()),
        WhenNotMatched::Fail => Err(Code::MERGE_NOT_MATCHED.value("$merge has found no document to change")),
    }
}

/// `new`, and the variables of `let`, as constants.
fn variables(merge: &Merge, document: &RawDocument, context: &Context) -> Result<Document> {
    let mut variables = doc! { "new": { "$literal": Document::try_from(document).map_err(corrupt)? } };
    for (name, expression) in &merge.variables {
        let value = expression.evaluate(&mut Env::new(document, context))?;
        let value = match value.get() {
            None => Bson::from("$$REMOVE"),
            Some(value) => doc! { "$literal": Bson::try_from(value).map_err(corrupt)? }.into(),
        };
        variables.insert(name, value);
    }
    Ok(variables)
}
