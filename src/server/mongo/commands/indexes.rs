//! Indexes: made, listed, dropped.

use std::time::Duration;

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{IndexChange, IndexInfo, IndexOptions};
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::find::{batch_size, first_batch, raw_collection};
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, integer_of, truth_of, type_of, wrong_type};

const MODIFY: &[Field] = &[
    Field::new("index", Types::OBJECT),
    Field::any("validator"),
    Field::any("validationLevel"),
    Field::any("validationAction"),
    Field::any("viewOn"),
    Field::any("pipeline"),
    Field::any("changeStreamPreAndPostImages"),
    Field::any("expireAfterSeconds"),
    Field::any("cappedSize"),
    Field::any("cappedMax"),
    Field::any("timeseries"),
    Field::any("dryRun"),
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "createIndexes",
        aliases: &[],
        flags: Flags::WRITES,
        fields: &[
            Field::new("indexes", Types::ARRAY).required(),
            Field::any("commitQuorum"),
            Field::new("ignoreUnknownIndexOptions", Types::TRUTH),
        ],
        help: "Makes indexes.",
        run: create,
    },
    Command {
        name: "listIndexes",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[
            Field::new("cursor", Types::OBJECT),
            Field::new("includeBuildUUIDs", Types::TRUTH),
            Field::new("includeIndexBuildInfo", Types::TRUTH),
        ],
        help: "The indexes of a collection.",
        run: list,
    },
    Command {
        name: "dropIndexes",
        aliases: &["deleteIndexes"],
        flags: Flags::WRITES,
        fields: &[Field::any("index")],
        help: "Drops indexes.",
        run: drop_indexes,
    },
    Command {
        name: "collMod",
        aliases: &[],
        flags: Flags::WRITES,
        fields: MODIFY,
        help: "Changes options of an index.",
        run: modify,
    },
];

/// One of the indexes that a command asks for.
struct Wanted {
    keys: bson::Document,
    options: IndexOptions,
}

/// Options of indexes that do nothing here: how an index is built is the store's affair.
const WITHOUT_EFFECT: &[&str] = &["background", "ns", "dropDups"];

/// Options of kinds of indexes that are not modelled, and of what lies below them.
const REFUSED: &[&str] = &[
    "weights",
    "default_language",
    "language_override",
    "textIndexVersion",
    "2dsphereIndexVersion",
    "bits",
    "min",
    "max",
    "bucketSize",
    "storageEngine",
    "clustered",
];

impl Wanted {
    /// Reads one element of `indexes`.
    ///
    /// # Errors
    /// 14 for a field of the wrong type, 40414 for one that is missing, 197 for one that is not known unless `skips_unknown`, 238 for
    /// what is not modelled.
    fn parse(specification: &RawDocument, skips_unknown: bool) -> Result<Self> {
        let (mut keys, mut name_of, mut options) = (None, None, IndexOptions::default());
        for item in specification {
            let (name, value) = item.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            match name.as_str() {
                "key" => keys = Some(decode(object("key", value)?)?),
                "name" => name_of = Some(text("name", value)?),
                "unique" => options = options.unique(truth("unique", value, Types::TRUTH)?),
                "sparse" => options = options.sparse(truth("sparse", value, Types::TRUTH)?),
                "hidden" => options = options.hidden(truth("hidden", value, Types::BOOL)?),
                "prepareUnique" => options = options.prepare_unique(truth("prepareUnique", value, Types::TRUTH)?),
                "expireAfterSeconds" => options = options.expire_after(seconds(value, code::CANNOT_CREATE_INDEX)?),
                "partialFilterExpression" => {
                    options = options.partial_filter(decode(object("partialFilterExpression", value)?)?);
                }
                "wildcardProjection" => {
                    options = options.wildcard_projection(decode(object("wildcardProjection", value)?)?);
                }
                "collation" => check_collation(object("collation", value)?)?,
                "v" => check_version(value)?,
                "background" => drop(truth("background", value, Types::TRUTH)?),
                name if WITHOUT_EFFECT.contains(&name) => {}
                name if REFUSED.contains(&name) => {
                    let message = format!("the index option '{name}' is not supported");
                    return Err(Failure::new(code::NOT_IMPLEMENTED, message));
                }
                _ if skips_unknown => {}
                name => {
                    let message = format!("The field '{name}' is not valid for an index specification");
                    return Err(Failure::new(code::INVALID_INDEX_SPECIFICATION_OPTION, message));
                }
            }
        }
        let missing = |name: &str| {
            let message = format!("BSON field 'createIndexes.indexes.{name}' is missing but a required field");
            Failure::new(code::MISSING_FIELD, message)
        };
        let options = options.name(name_of.ok_or_else(|| missing("name"))?);
        let keys = keys.ok_or_else(|| missing("key"))?;
        options.check(&keys)?;
        Ok(Self { keys, options })
    }
}

/// The error for an option of another type.
fn typed(name: &str, value: RawBsonRef<'_>, types: Types) -> Result<()> {
    if types.intersects(type_of(value)) {
        return Ok(());
    }
    Err(wrong_type(&format!("createIndexes.indexes.{name}"), value, types))
}

fn object<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a RawDocument> {
    value.as_document().ok_or_else(|| wrong_type(&format!("createIndexes.indexes.{name}"), value, Types::OBJECT))
}

fn text<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a str> {
    typed(name, value, Types::STRING)?;
    Ok(value.as_str().unwrap_or_default())
}

fn truth(name: &str, value: RawBsonRef<'_>, types: Types) -> Result<bool> {
    typed(name, value, types)?;
    Ok(truth_of(value).unwrap_or(false))
}

/// Seconds from 0 on, without their fraction; `refusal` is the code for fewer.
fn seconds(value: RawBsonRef<'_>, refusal: i32) -> Result<Duration> {
    typed("expireAfterSeconds", value, Types::NUMBER)?;
    let seconds = integer_of(value).unwrap_or(0);
    let seconds = u64::try_from(seconds).map_err(|_| {
        Failure::new(
            refusal,
            format!("TTL index 'expireAfterSeconds' option must be within an acceptable range, not {seconds}"),
        )
    })?;
    Ok(Duration::from_secs(seconds))
}

fn check_collation(collation: &RawDocument) -> Result<()> {
    match collation.get_str("locale") {
        Ok("simple") => Ok(()),
        Ok(locale) => {
            let message = format!("the collation of locale '{locale}' is not supported");
            Err(Failure::new(code::NOT_IMPLEMENTED, message))
        }
        Err(_) => {
            Err(Failure::new(code::MISSING_FIELD, "BSON field 'collation.locale' is missing but a required field"))
        }
    }
}

/// There is one form of indexes, whatever the version is called.
fn check_version(value: RawBsonRef<'_>) -> Result<()> {
    typed("v", value, Types::NUMBER)?;
    match integer_of(value) {
        Some(1 | 2) => Ok(()),
        _ => Err(Failure::new(code::CANNOT_CREATE_INDEX, "the version of an index is 1 or 2")),
    }
}

fn create(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let wanted = call.arguments.documents("indexes")?;
    if wanted.is_empty() {
        return Err(Failure::new(code::BAD_VALUE, "Must specify at least one index to create"));
    }
    let skips_unknown = call.arguments.truth("ignoreUnknownIndexOptions") == Some(true);
    let wanted = wanted.into_iter().map(|wanted| Wanted::parse(wanted, skips_unknown)).collect::<Result<Vec<_>>>()?;
    let collection = raw_collection(call, name);
    let before = collection.list_indexes()?.len();
    for Wanted { keys, options } in wanted {
        collection.create_index_with(keys, options)?;
    }
    let after = collection.list_indexes()?.len();
    let number = |indexes: usize| i32::try_from(indexes).unwrap_or(i32::MAX);
    let mut reply = rawdoc! {
        "numIndexesBefore": number(before.max(1)),
        "numIndexesAfter": number(after),
        "createdCollectionAutomatically": before == 0,
    };
    if before == after {
        reply.append(bson::raw::cstr!("note"), "all indexes already exist");
    }
    Ok(reply)
}

fn list(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let indexes = raw_collection(call, name).list_indexes()?;
    if indexes.is_empty() {
        let message = format!("ns does not exist: {}", call.namespace(name));
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, message));
    }
    let size = call.arguments.document("cursor").map(batch_size).transpose()?.flatten();
    let with_build = call.arguments.truth("includeIndexBuildInfo") == Some(true);
    let about = indexes.into_iter().map(move |index| {
        let about = describe(&index)?;
        Ok(if with_build {
            rawdoc! { "spec": about }
        } else {
            about
        })
    });
    let cursor = Cursor::new(Box::new(about), None, call.namespace(name), call.session);
    first_batch(call, cursor, size.unwrap_or(u64::MAX), false)
}

fn describe(index: &IndexInfo) -> Result<RawDocumentBuf> {
    let about = RawDocumentBuf::try_from(&index.to_document());
    about.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))
}

/// Changes options of an index.
fn modify(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(NOT_MODIFIED)?;
    let Some(wanted) = call.arguments.document("index") else {
        // Without anything to change, there only has to be a collection.
        let exists = !raw_collection(call, name).list_indexes()?.is_empty();
        let missing =
            || Failure::new(code::NAMESPACE_NOT_FOUND, format!("ns does not exist: {}", call.namespace(name)));
        return exists.then(RawDocumentBuf::new).ok_or_else(missing);
    };
    let Modified { index, keys, change, asked } = Modified::parse(wanted)?;
    let indexes = raw_collection(call, name).list_indexes()?;
    if indexes.is_empty() {
        let message = format!("ns does not exist: {}", call.namespace(name));
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, message));
    }
    let found = match (&index, &keys) {
        (Some(name), _) => indexes.iter().filter(|found| found.name == *name).collect(),
        (None, Some(keys)) => with_keys(&indexes, keys),
        (None, None) => Vec::new(),
    };
    let index = match found.as_slice() {
        [index] => index.name.clone(),
        [] => return Err(Failure::new(code::INDEX_NOT_FOUND, "cannot find the index for the collMod")),
        _ => return Err(Failure::new(code::AMBIGUOUS_INDEX_KEY_PATTERN, "several indexes have these keys")),
    };
    let (before, after) = call.write(|tx| {
        let collection = tx.database(call.database).collection::<RawDocumentBuf>(name);
        collection.modify_index(&index, change.clone())
    })?;
    Ok(changes(&before, &after, &asked))
}

/// Options of `collMod` that are not modelled.
const NOT_MODIFIED: &[&str] = &[
    "validator",
    "validationLevel",
    "validationAction",
    "viewOn",
    "pipeline",
    "changeStreamPreAndPostImages",
    "expireAfterSeconds",
    "cappedSize",
    "cappedMax",
    "timeseries",
    "dryRun",
];

/// What `collMod` is to change of an index.
#[derive(Default)]
struct Modified {
    index: Option<String>,
    keys: Option<bson::Document>,
    change: IndexChange,
    /// The options that are to be changed.
    asked: Vec<&'static str>,
}

impl Modified {
    fn parse(wanted: &RawDocument) -> Result<Self> {
        let mut modified = Self::default();
        for item in wanted {
            let (name, value) = item.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            let path = format!("collMod.index.{}", name.as_str());
            let typed = |types: Types| {
                let fits = types.intersects(type_of(value));
                fits.then_some(()).ok_or_else(|| wrong_type(&path, value, types))
            };
            let change = std::mem::take(&mut modified.change);
            modified.change = match name.as_str() {
                "name" => {
                    typed(Types::STRING)?;
                    modified.index = value.as_str().map(str::to_owned);
                    change
                }
                "keyPattern" => {
                    typed(Types::OBJECT)?;
                    modified.keys = value.as_document().map(decode).transpose()?;
                    change
                }
                "hidden" => {
                    typed(Types::TRUTH)?;
                    modified.asked.push("hidden");
                    change.hidden(truth_of(value).unwrap_or(false))
                }
                "expireAfterSeconds" => {
                    typed(Types::NUMBER)?;
                    modified.asked.push("expireAfterSeconds");
                    change.expire_after(seconds(value, code::INVALID_OPTIONS)?)
                }
                "prepareUnique" => {
                    typed(Types::TRUTH)?;
                    modified.asked.push("prepareUnique");
                    change.prepare_unique(truth_of(value).unwrap_or(false))
                }
                "unique" => {
                    typed(Types::TRUTH)?;
                    if truth_of(value) != Some(true) {
                        return Err(Failure::new(code::BAD_VALUE, "an index cannot be made non-unique"));
                    }
                    modified.asked.push("unique");
                    change.unique()
                }
                _ => {
                    return Err(Failure::new(code::UNKNOWN_FIELD, format!("BSON field '{path}' is an unknown field.")));
                }
            };
        }
        let refused = |message: &str| Err(Failure::new(code::INVALID_OPTIONS, message));
        match (&modified.index, &modified.keys) {
            (Some(_), Some(_)) => refused("collMod takes the name of an index or its keys, not both"),
            (None, None) => refused("collMod needs the name of an index or its keys"),
            _ if modified.asked.is_empty() => {
                refused("collMod changes hidden, expireAfterSeconds, prepareUnique or unique of an index")
            }
            _ => Ok(modified),
        }
    }
}

/// What was changed, as clients are told.
fn changes(before: &IndexInfo, after: &IndexInfo, asked: &[&str]) -> RawDocumentBuf {
    let mut reply = RawDocumentBuf::new();
    if before.hidden != after.hidden {
        reply.append(bson::raw::cstr!("hidden_old"), before.hidden);
        reply.append(bson::raw::cstr!("hidden_new"), after.hidden);
    }
    let seconds = |index: &IndexInfo| index.expire_after.and_then(|after| i64::try_from(after.as_secs()).ok());
    if asked.contains(&"expireAfterSeconds") {
        if let Some(seconds) = seconds(before) {
            reply.append(bson::raw::cstr!("expireAfterSeconds_old"), seconds);
        }
        if let Some(seconds) = seconds(after) {
            reply.append(bson::raw::cstr!("expireAfterSeconds_new"), seconds);
        }
    }
    if before.prepare_unique != after.prepare_unique && asked.contains(&"prepareUnique") {
        reply.append(bson::raw::cstr!("prepareUnique_old"), before.prepare_unique);
        reply.append(bson::raw::cstr!("prepareUnique_new"), after.prepare_unique);
    }
    if !before.unique && after.unique {
        reply.append(bson::raw::cstr!("unique_new"), true);
    }
    reply
}

/// The indexes whose keys are `keys`, whatever the types of numbers.
fn with_keys<'i>(indexes: &'i [IndexInfo], keys: &bson::Document) -> Vec<&'i IndexInfo> {
    indexes.iter().filter(|index| index.has_keys(keys)).collect()
}

fn drop_indexes(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let indexes = raw_collection(call, name).list_indexes()?;
    if indexes.is_empty() {
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, format!("ns not found {}", call.namespace(name))));
    }
    let dropped = chosen(call, &indexes)?;
    if dropped.iter().any(|index| index.name == "_id_") {
        return Err(Failure::new(code::INVALID_OPTIONS, "cannot drop _id index"));
    }
    call.write(|tx| {
        let collection = tx.database(call.database).collection::<RawDocumentBuf>(name);
        dropped.iter().try_for_each(|index| collection.drop_index(&index.name).map(drop))
    })?;
    Ok(rawdoc! { "nIndexesWas": i32::try_from(indexes.len()).unwrap_or(i32::MAX) })
}

/// The indexes that `index` names: one by its name or keys, several by their names, or all but `_id_`.
fn chosen<'i>(call: &Call<'_>, indexes: &'i [IndexInfo]) -> Result<Vec<&'i IndexInfo>> {
    let missing = |what: String| Failure::new(code::INDEX_NOT_FOUND, format!("index not found with {what}"));
    let by_name =
        |name: &str| indexes.iter().find(|index| index.name == name).ok_or_else(|| missing(format!("name [{name}]")));
    match call.arguments.get("index") {
        Some(RawBsonRef::String("*")) => Ok(indexes.iter().filter(|index| index.name != "_id_").collect()),
        Some(RawBsonRef::String(name)) => Ok(vec![by_name(name)?]),
        Some(RawBsonRef::Document(keys)) => {
            let keys = decode(keys)?;
            match with_keys(indexes, &keys).as_slice() {
                [] => Err(missing(format!("keys {keys}"))),
                [index] => Ok(vec![index]),
                several => {
                    let message = format!("{} indexes have the keys {keys}; name one of them", several.len());
                    Err(Failure::new(code::AMBIGUOUS_INDEX_KEY_PATTERN, message))
                }
            }
        }
        Some(RawBsonRef::Array(names)) => {
            let name = |element: bson::error::Result<RawBsonRef<'_>>| match element {
                Ok(RawBsonRef::String(name)) => by_name(name),
                _ => Err(Failure::new(code::TYPE_MISMATCH, "dropIndexes takes an array of strings")),
            };
            names.into_iter().map(name).collect()
        }
        _ => Err(Failure::new(code::TYPE_MISMATCH, "dropIndexes needs 'index': a name, keys, or an array of names")),
    }
}
