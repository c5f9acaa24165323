//! `$merge`: what a pipeline gives goes into a collection, document by document.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::expression::{Expression, Names};
use crate::document::path::{FieldPath, For};
use crate::error::{Error, Result};

/// A compiled `$merge`.
#[derive(Clone, Debug)]
pub(in crate::document) struct Merge {
    /// The database, when that is another one.
    pub(in crate::document) database: Option<String>,
    pub(in crate::document) collection: String,
    /// The fields by which a document there is the same.
    pub(in crate::document) on: Vec<String>,
    pub(in crate::document) when_matched: WhenMatched,
    pub(in crate::document) when_not_matched: WhenNotMatched,
    /// The variables of the pipeline beside `new`.
    pub(in crate::document) variables: Vec<(String, Expression)>,
}

/// What happens to a document that is there.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::document) enum WhenMatched {
    Replace,
    KeepExisting,
    Merge,
    Fail,
    Pipeline(Vec<Document>),
}

/// What happens to a document that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::document) enum WhenNotMatched {
    Insert,
    Discard,
    Fail,
}

impl Merge {
    /// Compiles the argument of `$merge`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an argument that is missing, unknown or out of its domain.
    pub(super) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let short;
        let options = match argument {
            Bson::String(_) => {
                short = bson::doc! { "into": argument.clone() };
                &short
            }
            Bson::Document(options) => options,
            _ => return Err(Code::MERGE_TYPE.wrong_type("$merge takes the name of a collection or an object")),
        };
        let known = ["into", "on", "let", "whenMatched", "whenNotMatched"];
        if let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Code::UNKNOWN_FIELD.syntax(format!("$merge has no argument {unknown:?}")));
        }
        let into = options.get("into").ok_or_else(|| Code::MISSING_FIELD.syntax("$merge needs \"into\""))?;
        let (database, collection) = target(into)?;
        let on = match options.get("on") {
            None => vec!["_id".to_owned()],
            Some(on) => fields(on)?,
        };
        let when_matched = when_matched(options.get("whenMatched"))?;
        let when_not_matched = when_not_matched(options.get("whenNotMatched"))?;
        let goes_together = matches!(
            (&when_matched, when_not_matched),
            (WhenMatched::Replace | WhenMatched::Merge | WhenMatched::Pipeline(_), _)
                | (WhenMatched::KeepExisting | WhenMatched::Fail, WhenNotMatched::Insert)
        );
        if !goes_together {
            return Err(Code::MERGE_COMBINATION.value("whenMatched and whenNotMatched of $merge do not go together"));
        }
        let variables = variables(options.get("let"), &when_matched, names)?;
        Ok(Self { database, collection, on, when_matched, when_not_matched, variables })
    }
}

/// `"name"` or `{db, coll}`.
fn target(into: &Bson) -> Result<(Option<String>, String)> {
    let (database, collection) = match into {
        Bson::String(collection) => (None, collection.clone()),
        Bson::Document(options) => {
            if let Some(unknown) = options.keys().find(|key| !["db", "coll"].contains(&key.as_str())) {
                return Err(Code::UNKNOWN_FIELD.syntax(format!("into of $merge has no field {unknown:?}")));
            }
            let database = match options.get("db") {
                None | Some(Bson::Null) => None,
                Some(Bson::String(database)) => Some(database.clone()),
                Some(_) => return Err(Code::TYPE_MISMATCH.wrong_type("the database of $merge is a text")),
            };
            match options.get("coll") {
                Some(Bson::String(collection)) => (database, collection.clone()),
                None | Some(Bson::Null) => {
                    return Err(Code::MERGE_INTO_WITHOUT_COLLECTION.syntax("into of $merge needs \"coll\""));
                }
                Some(_) => return Err(Code::TYPE_MISMATCH.wrong_type("the collection of $merge is a text")),
            }
        }
        _ => return Err(Code::MERGE_INTO_TYPE.wrong_type("into of $merge is the name of a collection or an object")),
    };
    if collection.is_empty() {
        return Err(Code::MERGE_INTO_EMPTY.value("a collection needs a name"));
    }
    Ok((database.filter(|database| !database.is_empty()), collection))
}

fn fields(on: &Bson) -> Result<Vec<String>> {
    let fields = match on {
        Bson::String(field) => vec![field.clone()],
        Bson::Array(fields) if fields.is_empty() => {
            return Err(Code::MERGE_ON_EMPTY.value("on of $merge names a field"));
        }
        Bson::Array(fields) => {
            let text = |field: &Bson| field.as_str().map(str::to_owned);
            let fields = fields.iter().map(text).collect::<Option<Vec<_>>>();
            fields.ok_or_else(|| Code::MERGE_ON_ELEMENT_TYPE.wrong_type("on of $merge is an array of texts"))?
        }
        _ => return Err(Code::MERGE_ON_TYPE.wrong_type("on of $merge is a text or an array of texts")),
    };
    if fields.iter().collect::<BTreeSet<_>>().len() < fields.len() {
        return Err(Code::MERGE_ON_TWICE.value("on of $merge names a field twice"));
    }
    fields.iter().try_for_each(|field| FieldPath::parse(field, For::Expression).map(drop))?;
    Ok(fields)
}

fn when_matched(text: Option<&Bson>) -> Result<WhenMatched> {
    match text {
        None => Ok(WhenMatched::Merge),
        Some(Bson::String(text)) => match text.as_str() {
            "replace" => Ok(WhenMatched::Replace),
            "keepExisting" => Ok(WhenMatched::KeepExisting),
            "merge" => Ok(WhenMatched::Merge),
            "fail" => Ok(WhenMatched::Fail),
            other => Err(Code::BAD_VALUE.value(format!("whenMatched of $merge cannot be {other:?}"))),
        },
        Some(Bson::Array(stages)) => {
            let stages = stages.iter().map(|stage| stage.as_document().cloned()).collect::<Option<Vec<_>>>();
            let stages = stages.ok_or_else(|| Code::TYPE_MISMATCH.wrong_type("a stage is an object"))?;
            Ok(WhenMatched::Pipeline(stages))
        }
        Some(_) => Err(Code::MERGE_WHEN_MATCHED_TYPE.wrong_type("whenMatched of $merge is a text or a pipeline")),
    }
}

fn when_not_matched(text: Option<&Bson>) -> Result<WhenNotMatched> {
    match text {
        None => Ok(WhenNotMatched::Insert),
        Some(Bson::String(text)) => match text.as_str() {
            "insert" => Ok(WhenNotMatched::Insert),
            "discard" => Ok(WhenNotMatched::Discard),
            "fail" => Ok(WhenNotMatched::Fail),
            other => Err(Code::BAD_VALUE.value(format!("whenNotMatched of $merge cannot be {other:?}"))),
        },
        Some(_) => Err(Code::TYPE_MISMATCH.wrong_type("whenNotMatched of $merge is a text")),
    }
}

/// The variables of `let`, which go with a pipeline only.
fn variables(text: Option<&Bson>, when_matched: &WhenMatched, names: &Names) -> Result<Vec<(String, Expression)>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let Bson::Document(values) = text else {
        return Err(Code::TYPE_MISMATCH.wrong_type("let of $merge is an object"));
    };
    if !matches!(when_matched, WhenMatched::Pipeline(_)) {
        return Err(Code::MERGE_LET_WITHOUT_PIPELINE.value("let of $merge goes with a pipeline"));
    }
    if values.get("new").is_some_and(|new| new.as_str() != Some("$$ROOT")) {
        return Err(Code::MERGE_LET_NEW.value("the variable new of $merge is the document itself"));
    }
    names.and(values.keys().cloned())?;
    values.iter().map(|(name, value)| Ok((name.clone(), Expression::compile(value, names)?))).collect()
}

/// A stage that writes, at the end of a pipeline.
#[derive(Clone, Debug)]
pub(in crate::document) enum Output {
    /// `$out`: a collection, with its database when that is another one.
    Out {
        database: Option<String>,
        collection: String,
    },
    Merge(Box<Merge>),
}

impl Output {
    /// The refusal of a pipeline that writes where it only reads.
    pub(in crate::document) fn refuse(&self, place: &str) -> Error {
        let stage = if matches!(self, Self::Out { .. }) { "$out" } else { "$merge" };
        Error::unsupported(format!("{stage} in {place}"))
    }
}
