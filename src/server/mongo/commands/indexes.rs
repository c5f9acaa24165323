//! Indexes: made, listed, dropped.

use std::time::Duration;

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{Collation, IndexInfo, IndexOptions};
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::cursors::{batch_size, first_batch};
use crate::server::mongo::commands::find::raw_collection;
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, integer_of, truth_of, type_of, wrong_type};

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
];

/// One of the indexes that a command asks for.
struct Wanted {
    keys: bson::Document,
    options: IndexOptions,
}

/// Options of indexes that do nothing here: how an index is built is the store's affair.
const WITHOUT_EFFECT: &[&str] = &["ns", "dropDups"];

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
                "collation" => {
                    let collation = decode(object("collation", value)?)?;
                    options = options.collation(Collation::from_document(&collation)?);
                }
                "v" => check_version(value)?,
                "background" => options = options.note_background(truth("background", value, Types::TRUTH)?),
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
pub(super) fn seconds(value: RawBsonRef<'_>, refusal: i32) -> Result<Duration> {
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
    collection.create_indexes(wanted.into_iter().map(|Wanted { keys, options }| (keys, options)))?;
    let after = collection.list_indexes()?.len();
    let number = |indexes: usize| i32::try_from(indexes).unwrap_or(i32::MAX);
    let mut reply = rawdoc! {
        "numIndexesBefore": number(before.max(1)),
        "numIndexesAfter": number(after),
        "createdCollectionAutomatically": before == 0,
    };
    if before.max(1) == after {
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
    let size = batch_size(call, u64::MAX)?;
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
    first_batch(call, cursor, size, false)
}

fn describe(index: &IndexInfo) -> Result<RawDocumentBuf> {
    let about = RawDocumentBuf::try_from(&index.to_document());
    about.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))
}

/// The indexes whose keys are `keys`, whatever the types of numbers.
pub(super) fn with_keys<'i>(indexes: &'i [IndexInfo], keys: &bson::Document) -> Vec<&'i IndexInfo> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Bson, doc};

    fn parse(specification: &bson::Document) -> Result<Wanted> {
        Wanted::parse(&RawDocumentBuf::try_from(specification).unwrap(), false)
    }

    /// The code for an index on `a` with the option `name`.
    fn refusal(name: &str, value: impl Into<Bson>) -> Option<i32> {
        let mut specification = doc! { "key": { "a": 1 }, "name": "i" };
        specification.insert(name, value);
        parse(&specification).err().map(|failure| failure.code)
    }

    #[test]
    fn options_have_types() {
        for name in ["unique", "sparse", "prepareUnique", "background"] {
            assert_eq!((refusal(name, true), refusal(name, 0.0), refusal(name, "x")), (None, None, Some(14)), "{name}");
        }
        assert_eq!(
            (refusal("hidden", true), refusal("hidden", 1), refusal("hidden", Bson::Null)),
            (None, Some(14), Some(14))
        );
        for name in ["partialFilterExpression", "wildcardProjection", "collation", "key"] {
            assert_eq!(refusal(name, 1), Some(14), "{name}");
        }
        assert_eq!(
            (refusal("name", 1), refusal("v", "2"), refusal("v", 3), refusal("v", 1)),
            (Some(14), Some(14), Some(67), None)
        );
    }

    #[test]
    fn seconds_are_whole_and_within_32_bits() {
        for value in [
            Bson::Int32(0),
            Bson::Int64(2_147_483_647),
            Bson::Double(-0.0),
            Bson::Double(3_600.5),
            Bson::Double(f64::NAN),
        ] {
            assert_eq!(refusal("expireAfterSeconds", value.clone()), None, "{value}");
        }
        for value in [Bson::Int32(-1), Bson::Int64(2_147_483_648), Bson::Double(1e300)] {
            assert_eq!(refusal("expireAfterSeconds", value.clone()), Some(67), "{value}");
        }
        assert_eq!(refusal("expireAfterSeconds", "1"), Some(14));
        let options = parse(&doc! { "key": { "a": 1 }, "name": "i", "expireAfterSeconds": 3_600.5 }).unwrap().options;
        assert_eq!(options, IndexOptions::default().name("i").expire_after(Duration::from_hours(1)));
    }

    #[test]
    fn what_is_unknown_missing_or_not_modelled_is_refused() {
        assert_eq!(
            (refusal("nosuch", 1), refusal("weights", doc! {}), refusal("2dsphereIndexVersion", 3)),
            (Some(197), Some(238), Some(238))
        );
        assert_eq!((refusal("collation", doc! { "locale": "en" }), refusal("collation", doc! {})), (None, Some(2)));
        let code = |specification| parse(&specification).err().map(|failure| failure.code);
        assert_eq!(code(doc! { "key": { "a": 1 } }), Some(40_414));
        assert_eq!(code(doc! { "name": "i" }), Some(40_414));
        assert_eq!(code(doc! { "key": { "a": "text" }, "name": "i" }), Some(238));
        assert_eq!(code(doc! { "key": {}, "name": "i" }), Some(67));
        let skipping = RawDocumentBuf::try_from(&doc! { "key": { "a": 1 }, "name": "i", "nosuch": 1 }).unwrap();
        assert!(Wanted::parse(&skipping, true).is_ok());
    }
}
