//! The stages: their names, what they take, and those that look at one document at a time.

use bson::raw::{CString, RawBson, RawBsonRef, RawDocumentBuf};
use bson::{Bson, Document, doc};

use super::Documents;
use super::group::Group;
use super::sort::Sort;
use super::unwind::Unwind;
use crate::document::expression::{Expression, check_depth, check_size, check_specification, name};
use crate::document::filter::Filter;
use crate::document::number::Number;
use crate::document::projection::Projection;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// A compiled stage.
#[derive(Debug)]
pub(super) enum Stage {
    Match {
        filter: Filter,
        text: Document,
    },
    Sort {
        sort: Sort,
        text: Document,
    },
    Limit(u64),
    Skip(u64),
    /// `$project`, `$addFields`, `$set` and `$unset`.
    Project(Projection),
    ReplaceRoot(Expression),
    Unwind(Unwind),
    Group(Group),
    Count(CString),
}

impl Stage {
    /// Compiles `{$stage: argument}`. Some stages are others written shorter, hence more than one in the answer.
    pub(super) fn compile(text: Document) -> Result<Vec<Self>> {
        check_specification(&text)?;
        let mut entries = text.into_iter();
        let (Some((stage, argument)), None) = (entries.next(), entries.next()) else {
            return Err(Error::syntax("a pipeline stage is a document of exactly one field"));
        };
        let one = match stage.as_str() {
            "$match" => {
                let text = document(&stage, argument)?;
                Self::Match { filter: Filter::compile(&text)?, text }
            }
            "$sort" => {
                let sort = Sort::compile(&document(&stage, argument)?)?;
                Self::Sort { text: sort.text(), sort }
            }
            "$limit" => match count(&stage, &argument)? {
                0 => return Err(Error::value("$limit must be positive")),
                limit => Self::Limit(limit),
            },
            "$skip" => Self::Skip(count(&stage, &argument)?),
            "$project" => Self::Project(Projection::compile(&filled(&stage, argument)?)?),
            "$addFields" | "$set" => Self::Project(Projection::compile_addition(&filled(&stage, argument)?)?),
            "$unset" => Self::Project(removal(&argument)?),
            "$replaceRoot" => Self::ReplaceRoot(new_root(&document(&stage, argument)?)?),
            "$replaceWith" => Self::ReplaceRoot(Expression::compile(&argument)?),
            "$unwind" => Self::Unwind(Unwind::compile(&argument)?),
            "$group" => Self::Group(Group::compile(&document(&stage, argument)?)?),
            "$count" => Self::Count(count_name(&argument)?),
            "$sortByCount" => return by_count(argument),
            other => return Err(Error::unsupported(format!("pipeline stage {other}"))),
        };
        Ok(vec![one])
    }

    /// Runs the stage over `input`. The stages behind it look at no more than `needed` documents of its answer.
    pub(super) fn run(self, input: Documents, needed: Option<u64>) -> Result<Documents> {
        Ok(match self {
            Self::Match { filter, .. } => Box::new(input.filter_map(move |document| match document {
                Ok(document) => filter.matches(&document).map(|matches| matches.then_some(document)).transpose(),
                Err(error) => Some(Err(error)),
            })),
            Self::Sort { sort, .. } => Box::new(sort.run(input, needed)?),
            Self::Limit(limit) => Box::new(input.take(size(limit))),
            Self::Skip(skip) => Box::new(skipped(input, skip)),
            Self::Project(projection) => {
                Box::new(input.map(move |document| document.and_then(|document| projection.apply(&document))))
            }
            Self::ReplaceRoot(root) => {
                Box::new(input.map(move |document| document.and_then(|document| replaced(&document, &root))))
            }
            Self::Unwind(unwind) => Box::new(unwind.run(input)),
            Self::Group(group) => Box::new(group.run(input)?),
            Self::Count(name) => Box::new(counted(input, &name)?.into_iter().map(Ok)),
        })
    }
}

fn document(stage: &str, argument: Bson) -> Result<Document> {
    match argument {
        Bson::Document(document) => Ok(document),
        _ => Err(Error::syntax(format!("{stage} takes a document"))),
    }
}

fn filled(stage: &str, argument: Bson) -> Result<Document> {
    let document = document(stage, argument)?;
    if document.is_empty() {
        return Err(Error::syntax(format!("{stage} takes at least one field")));
    }
    Ok(document)
}

fn count(stage: &str, argument: &Bson) -> Result<u64> {
    let number = Number::from_bson(argument).and_then(Number::as_i64).and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| Error::value(format!("{stage} takes a whole number that is not negative")))
}

/// `$unset: "a"` or `$unset: ["a", "b.c"]`.
fn removal(argument: &Bson) -> Result<Projection> {
    let paths = match argument {
        Bson::String(path) => vec![path.as_str()],
        Bson::Array(paths) => paths.iter().filter_map(Bson::as_str).collect(),
        _ => Vec::new(),
    };
    let given = argument.as_array().map_or(1, Vec::len);
    if paths.is_empty() || paths.len() != given {
        return Err(Error::syntax("$unset takes a path or an array of paths"));
    }
    Projection::compile_removal(paths)
}

fn new_root(argument: &Document) -> Result<Expression> {
    match (argument.get("newRoot"), argument.len()) {
        (Some(root), 1) => Expression::compile(root),
        _ => Err(Error::syntax("$replaceRoot takes a document with the field newRoot")),
    }
}

fn count_name(argument: &Bson) -> Result<CString> {
    match argument.as_str() {
        Some(text) if !text.is_empty() && !text.starts_with('$') && !text.contains('.') => name(text),
        _ => Err(Error::syntax(
            "$count takes the name of a field: not empty, without a dollar sign in front and without dots",
        )),
    }
}

/// `$sortByCount: e` is `$group: {_id: e, count: {$sum: 1}}` and `$sort: {count: -1}`.
fn by_count(argument: Bson) -> Result<Vec<Stage>> {
    let group = Group::compile(&doc! { "_id": argument, "count": { "$sum": 1 } })?;
    let text = doc! { "count": -1 };
    Ok(vec![Stage::Group(group), Stage::Sort { sort: Sort::compile(&text)?, text }])
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// `input` without its first documents; errors among them are not skipped.
fn skipped(input: Documents, skip: u64) -> impl Iterator<Item = Result<RawDocumentBuf>> + Send {
    let mut left = skip;
    input.skip_while(move |document| {
        let skip = left > 0 && document.is_ok();
        left = left.saturating_sub(1);
        skip
    })
}

fn replaced(document: &RawDocumentBuf, root: &Expression) -> Result<RawDocumentBuf> {
    match root.evaluate(document)?.into_owned() {
        Some(RawBson::Document(new)) => {
            check_size(&new)?;
            check_depth(RawBsonRef::Document(&new), limits::DOCUMENT_DEPTH_MAX)?;
            Ok(new)
        }
        _ => Err(Error::invalid(InvalidKind::Type, "the new root is not a document")),
    }
}

/// How many there are; nothing where there is none.
fn counted(input: Documents, name: &CString) -> Result<Option<RawDocumentBuf>> {
    let mut count: i64 = 0;
    for document in input {
        document?;
        count += 1;
    }
    let mut answer = RawDocumentBuf::new();
    match i32::try_from(count) {
        Ok(0) => return Ok(None),
        Ok(count) => answer.append(name, count),
        Err(_) => answer.append(name, count),
    }
    Ok(Some(answer))
}
