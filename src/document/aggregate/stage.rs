//! The stages: their names, what they take, and where they may stand.

use bson::raw::CString;
use bson::{Bson, Document, doc};

use super::Pipeline;
use super::bucket;
use super::bucket_auto::BucketAuto;
use super::densify::Densify;
use super::fill::Fill;
use super::graph::Graph;
use super::group::Group;
use super::join::{Lookup, Union};
use super::merge::Merge;
use super::redact::Redact;
use super::sort::Sort;
use super::sources::Source;
use super::unwind::Unwind;
use super::window::Windows;
use crate::document::code::Code;
use crate::document::expression::{Expression, Names, check_specification, name};
use crate::document::filter::Filter;
use crate::document::number::Number;
use crate::document::path::{FieldPath, For};
use crate::document::projection::Projection;
use crate::error::{Error, Result};
use crate::limits;

/// A compiled stage.
#[derive(Clone, Debug)]
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
    Sample(u64),
    Documents(Expression),
    /// `$collStats` and `$indexStats`.
    About(Source),
    Facet(Vec<(CString, Pipeline)>),
    Lookup(Box<Lookup>),
    UnionWith(Box<Union>),
    /// A collection, with its database when that is another one.
    Out {
        database: Option<String>,
        collection: String,
    },
    Merge(Box<Merge>),
    GraphLookup(Box<Graph>),
    SetWindowFields(Box<Windows>),
    BucketAuto(Box<BucketAuto>),
    Redact(Box<Redact>),
    Densify(Box<Densify>),
}

/// Where a pipeline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::document) enum Place {
    /// Over a collection.
    Collection,
    /// Over a database: it begins with documents of its own.
    Database,
    Facet,
    Lookup,
    Union,
}

/// Where a stage may stand in its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    First,
    Last,
    Anywhere,
}

/// Stages that the imitated product has and this crate has not.
const UNMODELLED: &[&str] = &[
    "$changeStream",
    "$changeStreamSplitLargeEvent",
    "$currentOp",
    "$geoNear",
    "$listClusterCatalog",
    "$listLocalSessions",
    "$listSampledQueries",
    "$listSearchIndexes",
    "$listSessions",
    "$planCacheStats",
    "$querySettings",
    "$queryStats",
    "$rankFusion",
    "$scoreFusion",
    "$search",
    "$searchMeta",
    "$shardedDataDistribution",
    "$vectorSearch",
];

/// Those among them that give documents about the server: they only begin a pipeline on a database.
const OF_SERVER: &[&str] = &["$currentOp", "$listLocalSessions", "$listSessions"];

impl Stage {
    fn position(&self) -> Position {
        match self {
            Self::Documents(_) | Self::About(_) => Position::First,
            Self::Out { .. } | Self::Merge(_) => Position::Last,
            _ => Position::Anywhere,
        }
    }

    /// Refuses a stage that may not stand in a pipeline at `place`.
    fn check_place(&self, stage: &str, place: Place) -> Result<()> {
        let code = match (self, place) {
            (
                Self::Documents(_) | Self::About(_) | Self::Facet(_) | Self::Out { .. } | Self::Merge(_),
                Place::Facet,
            ) => Code::FACET_STAGE_NOT_ALLOWED,
            (Self::About(_), Place::Lookup | Place::Union) => {
                return Err(Error::unsupported(format!("{stage} in a pipeline within another one")));
            }
            (Self::Out { .. } | Self::Merge(_), Place::Lookup) => Code::LOOKUP_STAGE_NOT_ALLOWED,
            (Self::Out { .. } | Self::Merge(_), Place::Union) => Code::UNION_STAGE_NOT_ALLOWED,
            (Self::Documents(_), Place::Collection) | (Self::About(_), Place::Database) => Code::INVALID_NAMESPACE,
            _ => return Ok(()),
        };
        Err(code.value(format!("{stage} may not stand in this pipeline")))
    }
}

/// Parses pipelines.
pub(super) struct Parser<'n> {
    pub(super) place: Place,
    pub(super) names: &'n Names,
    /// How many pipelines are around, this one included.
    pub(super) depth: usize,
}

impl Parser<'_> {
    /// The stages of a pipeline.
    pub(super) fn pipeline(&self, stages: Vec<Document>) -> Result<Vec<Stage>> {
        limits::check("pipeline stages", limits::PIPELINE_STAGES_MAX, stages.len())?;
        if self.depth > limits::PIPELINE_NESTING_MAX + 1 {
            return Err(Code::PIPELINE_NESTING.value("pipelines are nested too deeply"));
        }
        let count = stages.len();
        let mut all = Vec::with_capacity(count);
        for (place, text) in stages.into_iter().enumerate() {
            let name = text.keys().next().cloned().unwrap_or_default();
            for stage in self.stage(text)? {
                let checked = stage.check_place(&name, self.place);
                match stage.position() {
                    Position::First if place != 0 => {
                        return Err(Code::NOT_FIRST_STAGE.value(format!("{name} may only stand first")));
                    }
                    Position::Last if place + 1 != count => {
                        return Err(Code::NOT_LAST_STAGE.value(format!("{name} may only stand last")));
                    }
                    _ => {
                        checked?;
                        all.push(stage);
                    }
                }
            }
        }
        let has_source = matches!(all.first(), Some(Stage::Documents(_)));
        if self.place == Place::Database && !has_source {
            return Err(Code::INVALID_NAMESPACE.value("a pipeline over a database begins with $documents"));
        }
        Ok(all)
    }

    /// A pipeline within a stage, from BSON.
    fn nested(
        &self,
        stages: &Bson,
        place: Place,
        names: &Names,
        (not_array, not_object): (Code, Code),
    ) -> Result<Pipeline> {
        let Bson::Array(stages) = stages else {
            return Err(not_array.wrong_type("a pipeline is an array of stages"));
        };
        let stage = |stage: &Bson| match stage {
            Bson::Document(stage) => Ok(stage.clone()),
            _ => Err(not_object.wrong_type("a stage is an object")),
        };
        let stages = stages.iter().map(stage).collect::<Result<_>>()?;
        let stages = Parser { place, names, depth: self.depth + 1 }.pipeline(stages)?;
        Ok(Pipeline { stages })
    }

    /// Parses `{$stage: argument}`. Some stages are others written shorter, hence more than one is returned.
    fn stage(&self, text: Document) -> Result<Vec<Stage>> {
        check_specification(&text)?;
        let mut entries = text.into_iter();
        let (Some((stage, argument)), None) = (entries.next(), entries.next()) else {
            return Err(Code::STAGE_FIELDS.syntax("a pipeline stage is a document of exactly one field"));
        };
        let one = match stage.as_str() {
            "$match" => {
                let text = document(&stage, argument, Code::MATCH_NOT_OBJECT)?;
                Stage::Match { filter: Filter::compile(&text, self.names)?, text }
            }
            "$sort" => {
                let sort = Sort::compile(&document(&stage, argument, Code::SORT_NOT_OBJECT)?, self.names)?;
                Stage::Sort { text: sort.text(), sort }
            }
            "$limit" => match count(&stage, &argument, Code::LIMIT_ARGUMENT)? {
                0 => return Err(Code::LIMIT_NOT_POSITIVE.value("$limit must be positive")),
                limit => Stage::Limit(limit),
            },
            "$skip" => Stage::Skip(count(&stage, &argument, Code::SKIP_ARGUMENT)?),
            "$project" => {
                let text = document(&stage, argument, Code::PROJECT_NOT_OBJECT)?;
                if text.is_empty() {
                    return Err(Code::PROJECT_EMPTY.syntax("$project takes at least one field"));
                }
                Stage::Project(Projection::compile(&text, self.names)?)
            }
            "$addFields" | "$set" => {
                let text = document(&stage, argument, Code::SET_NOT_OBJECT)?;
                Stage::Project(Projection::compile_addition(&text, self.names)?)
            }
            "$unset" => Stage::Project(removal(&argument)?),
            "$replaceRoot" => {
                let text = document(&stage, argument, Code::REPLACE_ROOT_NOT_OBJECT)?;
                Stage::ReplaceRoot(self.new_root(&text)?)
            }
            "$replaceWith" => Stage::ReplaceRoot(Expression::compile(&argument, self.names)?),
            "$unwind" => Stage::Unwind(Unwind::compile(&argument)?),
            "$group" => {
                let text = document(&stage, argument, Code::GROUP_NOT_OBJECT)?;
                Stage::Group(Group::compile(&text, self.names)?)
            }
            "$bucket" => return self.bucket(&argument),
            "$bucketAuto" => Stage::BucketAuto(Box::new(BucketAuto::compile(&argument, self.names)?)),
            "$count" => Stage::Count(count_name(&argument)?),
            "$sortByCount" => return self.by_count(argument),
            "$sample" => Stage::Sample(sample_size(&argument)?),
            "$collStats" => Stage::About(Source::collection(&argument)?),
            "$indexStats" => Stage::About(Source::indexes(&argument)?),
            "$documents" => Stage::Documents(Expression::compile(&argument, self.names)?),
            "$facet" => Stage::Facet(self.facets(&argument)?),
            "$lookup" => Stage::Lookup(Box::new(self.lookup(&argument)?)),
            "$unionWith" => Stage::UnionWith(Box::new(self.union(&argument)?)),
            "$graphLookup" => Stage::GraphLookup(Box::new(Graph::compile(&argument, self.names)?)),
            "$setWindowFields" => Stage::SetWindowFields(Box::new(Windows::compile(&argument, self.names)?)),
            "$redact" => Stage::Redact(Box::new(Redact::compile(&argument, self.names)?)),
            "$fill" => return self.fill(&argument),
            "$densify" => Stage::Densify(Box::new(Densify::compile(&argument, self.names)?)),
            "$merge" => Stage::Merge(Box::new(Merge::compile(&argument, self.names)?)),
            "$out" => out(&argument)?,
            other if OF_SERVER.contains(&other) && self.place != Place::Database => {
                return Err(
                    Code::INVALID_NAMESPACE.value(format!("{other} is about the server, not about a collection"))
                );
            }
            other if UNMODELLED.contains(&other) => return Err(Error::unsupported(format!("pipeline stage {other}"))),
            other => return Err(Code::UNKNOWN_STAGE.syntax(format!("there is no pipeline stage {other:?}"))),
        };
        Ok(vec![one])
    }

    fn new_root(&self, argument: &Document) -> Result<Expression> {
        match (argument.get("newRoot"), argument.len()) {
            (Some(root), 1) => Expression::compile(root, self.names),
            (Some(_), _) => Err(Code::UNKNOWN_FIELD.syntax("$replaceRoot takes newRoot and nothing else")),
            (None, _) => Err(Code::MISSING_FIELD.syntax("$replaceRoot takes a document with the field newRoot")),
        }
    }

    /// `$sortByCount: e` is `$group: {_id: e, count: {$sum: 1}}` and `$sort: {count: -1}`.
    fn by_count(&self, argument: Bson) -> Result<Vec<Stage>> {
        let group = Group::compile(&doc! { "_id": argument, "count": { "$sum": 1 } }, self.names)?;
        let text = doc! { "count": -1 };
        Ok(vec![Stage::Group(group), Stage::Sort { sort: Sort::compile(&text, self.names)?, text }])
    }

    /// `$bucket` is a `$group` by the lower bound of a value, and a `$sort`.
    fn bucket(&self, argument: &Bson) -> Result<Vec<Stage>> {
        let group = Group::compile(&bucket::group(argument, self.names)?, self.names)?;
        let text = doc! { "_id": 1 };
        Ok(vec![Stage::Group(group), Stage::Sort { sort: Sort::compile(&text, self.names)?, text }])
    }

    /// `$fill` is a `$setWindowFields` and an `$addFields`.
    fn fill(&self, argument: &Bson) -> Result<Vec<Stage>> {
        let Fill { windows, values } = Fill::compile(argument, self.names)?;
        let windows = windows.map(|windows| Stage::SetWindowFields(Box::new(windows)));
        Ok(windows.into_iter().chain(values.map(Stage::Project)).collect())
    }

    fn facets(&self, argument: &Bson) -> Result<Vec<(CString, Pipeline)>> {
        let facets = argument.as_document().filter(|facets| !facets.is_empty());
        let facets = facets.ok_or_else(|| Code::FACET_NOT_OBJECT.wrong_type("$facet takes an object of pipelines"))?;
        let mut all = Vec::with_capacity(facets.len());
        for (field, stages) in facets {
            if field.contains('.') {
                return Err(Code::PATH_DOT.syntax(format!("the facet {field:?} has a dot in its name")));
            }
            let path = FieldPath::parse(field, For::Expression)?;
            let codes = (Code::FACET_NOT_ARRAY, Code::FACET_STAGE_NOT_OBJECT);
            let pipeline = self.nested(stages, Place::Facet, self.names, codes)?;
            all.push((name(path.as_str())?, pipeline));
        }
        Ok(all)
    }

    fn lookup(&self, argument: &Bson) -> Result<Lookup> {
        let Bson::Document(options) = argument else {
            return Err(Code::FAILED_TO_PARSE.wrong_type("$lookup takes an object"));
        };
        let (mut from, mut target, mut local, mut foreign) = (None, None, None, None);
        let (mut variables, mut stages) = (Document::new(), None);
        for (option, value) in options {
            match (option.as_str(), value) {
                ("from", Bson::String(name)) => from = Some(name.clone()),
                ("from", Bson::Document(from)) => return Err(from_elsewhere(from)),
                ("as", Bson::String(path)) => target = Some(path.as_str()),
                ("localField", Bson::String(path)) => local = Some(path.as_str()).filter(|path| !path.is_empty()),
                ("foreignField", Bson::String(path)) => foreign = Some(path.as_str()).filter(|path| !path.is_empty()),
                ("let", Bson::Document(values)) => variables = values.clone(),
                ("pipeline", stages_text) => stages = Some(stages_text),
                ("localField" | "foreignField" | "let", Bson::Null) => {}
                ("localField" | "foreignField" | "let", _) => {
                    return Err(
                        Code::TYPE_MISMATCH.wrong_type(format!("the argument {option} of $lookup has the wrong type"))
                    );
                }
                ("from" | "as", _) => {
                    return Err(Code::FAILED_TO_PARSE
                        .wrong_type(format!("the argument {option} of $lookup has the wrong type")));
                }
                _ => {
                    let code = if options.contains_key("from") { Code::UNKNOWN_FIELD } else { Code::FAILED_TO_PARSE };
                    return Err(code.syntax(format!("$lookup has no argument {option:?}")));
                }
            }
        }
        let first = stages.and_then(Bson::as_array).and_then(|stages| stages.first()).and_then(Bson::as_document);
        if from.is_none() && first.is_none_or(|first| !first.contains_key("$documents")) {
            return Err(
                Code::FAILED_TO_PARSE.syntax("$lookup needs \"from\", or a pipeline that begins with $documents")
            );
        }
        let Some(target) = target else { return Err(Code::FAILED_TO_PARSE.syntax("$lookup needs \"as\"")) };
        let equality = match (local, foreign) {
            (Some(local), Some(foreign)) => Some((path(local)?, path(foreign)?)),
            (None, None) => None,
            _ => return Err(Code::FAILED_TO_PARSE.syntax("$lookup takes localField and foreignField together")),
        };
        if equality.is_none() && stages.is_none() {
            return Err(Code::FAILED_TO_PARSE.syntax("$lookup needs a pipeline, or localField and foreignField"));
        }
        if !variables.is_empty() && stages.is_none() {
            return Err(Code::FAILED_TO_PARSE.syntax("let of $lookup needs a pipeline"));
        }
        if variables.contains_key("") {
            return Err(Code::FAILED_TO_PARSE.syntax("a variable of $lookup needs a name"));
        }
        let names = self.names.and(variables.keys().cloned())?;
        let variables =
            variables.values().map(|value| Expression::compile(value, self.names)).collect::<Result<_>>()?;
        let codes = (Code::TYPE_MISMATCH, Code::TYPE_MISMATCH);
        let pipeline = stages.map(|stages| self.nested(stages, Place::Lookup, &names, codes)).transpose()?;
        let has_source = pipeline.as_ref().is_some_and(Pipeline::has_source);
        match &from {
            Some(name) if name.is_empty() || name.starts_with('.') || name.contains('\0') => {
                return Err(Code::INVALID_NAMESPACE.value(format!("no collection is named {name:?}")));
            }
            Some(_) if has_source => {
                return Err(Code::INVALID_NAMESPACE.value("$documents in $lookup takes no collection"));
            }
            _ => {}
        }
        let target = path(target)?.parts().iter().map(|part| part.stored_name().clone()).collect();
        Ok(Lookup { from, target, equality, variables, pipeline })
    }

    fn union(&self, argument: &Bson) -> Result<Union> {
        let codes = (Code::TYPE_MISMATCH, Code::TYPE_MISMATCH);
        let (from, stages) = match argument {
            Bson::String(name) => (Some(name.clone()), None),
            Bson::Document(options) => {
                if let Some(unknown) = options.keys().find(|key| !["coll", "pipeline"].contains(&key.as_str())) {
                    return Err(Code::UNKNOWN_FIELD.syntax(format!("$unionWith has no argument {unknown:?}")));
                }
                let from = match options.get("coll") {
                    None => None,
                    Some(Bson::String(name)) => Some(name.clone()),
                    Some(_) => {
                        return Err(Code::TYPE_MISMATCH.wrong_type("coll of $unionWith is the name of a collection"));
                    }
                };
                (from, options.get("pipeline"))
            }
            _ => return Err(Code::FAILED_TO_PARSE.wrong_type("$unionWith takes the name of a collection or an object")),
        };
        let empty = Bson::Array(Vec::new());
        let pipeline = self.nested(stages.unwrap_or(&empty), Place::Union, self.names, codes)?;
        if from.is_none() && !pipeline.has_source() {
            return Err(Code::FAILED_TO_PARSE.syntax("$unionWith needs a collection, or a pipeline with $documents"));
        }
        Ok(Union { from, pipeline })
    }
}

/// Why `$lookup` does not read from what an object names.
fn from_elsewhere(from: &Document) -> Error {
    if let Some(unknown) = from.keys().find(|key| !["db", "coll"].contains(&key.as_str())) {
        return Code::UNKNOWN_FIELD.syntax(format!("from of $lookup has no field {unknown:?}"));
    }
    if from.values().any(|value| value.as_str().is_none()) {
        return Code::TYPE_MISMATCH.wrong_type("database and collection of $lookup are texts");
    }
    Code::FAILED_TO_PARSE.value("$lookup does not read from another database")
}

fn path(text: &str) -> Result<FieldPath> {
    FieldPath::parse(text, For::Expression)
}

fn document(stage: &str, argument: Bson, code: Code) -> Result<Document> {
    match argument {
        Bson::Document(document) => Ok(document),
        _ => Err(code.syntax(format!("{stage} takes a document"))),
    }
}

fn count(stage: &str, argument: &Bson, code: Code) -> Result<u64> {
    let number = Number::from_bson(argument).and_then(Number::as_i64).and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| code.value(format!("{stage} takes a whole number that is not negative")))
}

/// `$unset: "a"` or `$unset: ["a", "b.c"]`.
fn removal(argument: &Bson) -> Result<Projection> {
    let paths = match argument {
        Bson::String(path) => vec![path.as_str()],
        Bson::Array(paths) if paths.is_empty() => {
            return Err(Code::UNSET_EMPTY.syntax("$unset takes at least one path"));
        }
        Bson::Array(paths) => {
            let text = |path: &'_ Bson| path.as_str().map(str::to_owned);
            let texts: Option<Vec<_>> = paths.iter().map(text).collect();
            let texts = texts.ok_or_else(|| Code::UNSET_ELEMENT_TYPE.wrong_type("the paths of $unset are texts"))?;
            return Projection::compile_removal(texts.iter().map(String::as_str));
        }
        _ => return Err(Code::UNSET_TYPE.syntax("$unset takes a path or an array of paths")),
    };
    Projection::compile_removal(paths)
}

/// The field that `$count` writes.
fn count_name(argument: &Bson) -> Result<CString> {
    let Bson::String(text) = argument else {
        return Err(Code::COUNT_TYPE.wrong_type("$count takes the name of a field"));
    };
    let code = match text.as_str() {
        "" => Code::COUNT_EMPTY,
        "_id" => Code::COUNT_ID,
        text if text.starts_with('$') => Code::COUNT_DOLLAR,
        text if text.contains('\0') => Code::COUNT_NULL_BYTE,
        text if text.contains('.') => Code::COUNT_DOT,
        text => return name(text),
    };
    Err(code.syntax("$count takes a name: not empty or _id, without a dollar sign in front and without dots"))
}

fn sample_size(argument: &Bson) -> Result<u64> {
    let Bson::Document(options) = argument else {
        return Err(Code::SAMPLE_NOT_OBJECT.wrong_type("$sample takes an object"));
    };
    if let Some(unknown) = options.keys().find(|key| *key != "size") {
        return Err(Code::SAMPLE_UNKNOWN_ARGUMENT.syntax(format!("$sample has no argument {unknown:?}")));
    }
    let size = options.get("size").ok_or_else(|| Code::SAMPLE_WITHOUT_SIZE.syntax("$sample needs a size"))?;
    let size =
        Number::from_bson(size).ok_or_else(|| Code::SAMPLE_SIZE_TYPE.wrong_type("the size of $sample is a number"))?;
    let whole = size.to_i64_leniently().and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0);
    whole.ok_or_else(|| Code::SAMPLE_SIZE.value("the size of $sample is positive"))
}

/// `$out: "name"` or `$out: {db, coll}`.
fn out(argument: &Bson) -> Result<Stage> {
    let (database, collection) = match argument {
        Bson::String(collection) => (None, collection.clone()),
        Bson::Document(options) => {
            if options.contains_key("timeseries") {
                return Err(Error::unsupported("$out to a time series collection"));
            }
            if let Some(unknown) = options.keys().find(|key| !["db", "coll"].contains(&key.as_str())) {
                return Err(Code::UNKNOWN_FIELD.syntax(format!("$out has no argument {unknown:?}")));
            }
            let text = |name: &str| match options.get(name) {
                Some(Bson::String(text)) => Ok(text.clone()),
                Some(_) => Err(Code::TYPE_MISMATCH.wrong_type(format!("the argument {name} of $out is a text"))),
                None => Err(Code::MISSING_FIELD.syntax(format!("$out needs {name:?}"))),
            };
            (Some(text("db")?), text("coll")?)
        }
        _ => return Err(Code::OUT_TYPE.wrong_type("$out takes the name of a collection or an object")),
    };
    if collection.is_empty() {
        return Err(Code::INVALID_NAMESPACE.value("a collection needs a name"));
    }
    Ok(Stage::Out { database, collection })
}
