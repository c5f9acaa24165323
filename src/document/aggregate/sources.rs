//! `$collStats` and `$indexStats`: documents about the collection, with which a pipeline begins.
//!
//! # Source
//! MongoDB manual: `$collStats`, `$indexStats`.

use std::collections::BTreeMap;

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc};

use crate::document::code::Code;
use crate::document::expression::Context;
use crate::document::number::Number;
use crate::document::raw::corrupt;
use crate::document::schema::{IndexInfo, Namespace};
use crate::document::stats::{CollectionStats, count};
use crate::error::{Error, Result};
use crate::txn::View;

/// A stage that gives documents about its collection.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Collection(Parts),
    Indexes,
}

/// What `$collStats` is to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    count: bool,
    /// The sizes, and the number of bytes of their unit.
    storage: Option<u64>,
}

/// What a server adds to documents about a collection: what it is called, and how often indexes were used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) host: String,
    /// From when on uses are counted.
    pub(crate) since: DateTime,
    /// By name of the index.
    pub(crate) uses: BTreeMap<String, u64>,
}

impl Source {
    /// Compiles the argument of `$collStats`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a part that does not exist, [`Error::Unsupported`] for one that is not modelled.
    pub(super) fn collection(argument: &Bson) -> Result<Self> {
        let Bson::Document(argument) = argument else {
            return Err(Code::COLL_STATS_NOT_OBJECT.wrong_type("$collStats takes an object"));
        };
        let mut parts = Parts { count: false, storage: None };
        for (part, options) in argument {
            let Bson::Document(options) = options else {
                return Err(Code::TYPE_MISMATCH.wrong_type(format!("{part} of $collStats is an object")));
            };
            match part.as_str() {
                "count" => parts.count = true,
                "storageStats" => parts.storage = Some(scale(options.get("scale"))?),
                "latencyStats" | "queryExecStats" | "operationStats" => {
                    return Err(Error::unsupported(format!("{part} of $collStats")));
                }
                _ => return Err(Code::UNKNOWN_FIELD.syntax(format!("$collStats has no argument {part:?}"))),
            }
        }
        Ok(Self::Collection(parts))
    }

    /// Compiles the argument of `$indexStats`.
    ///
    /// # Errors
    /// [`Code::INDEX_STATS_ARGUMENT`] unless it is an empty object.
    pub(super) fn indexes(argument: &Bson) -> Result<Self> {
        match argument {
            Bson::Document(argument) if argument.is_empty() => Ok(Self::Indexes),
            _ => Err(Code::INDEX_STATS_ARGUMENT.value("$indexStats takes an empty object")),
        }
    }

    /// The documents about the collection `namespace`.
    ///
    /// # Errors
    /// Code 26 for the number of documents of a collection that does not exist, 166 for a view.
    pub(super) fn documents(
        &self,
        view: &View,
        namespace: &Namespace,
        context: &Context,
        served: Option<&Served>,
    ) -> Result<Vec<RawDocumentBuf>> {
        let entry = namespace.get_collection(view)?;
        let stats = entry.as_ref().map(|entry| CollectionStats::of(view, entry)).transpose()?;
        let documents = match self {
            Self::Collection(parts) => vec![parts.document(stats, namespace, context, served)?],
            Self::Indexes => {
                let indexes = entry.iter().flat_map(|entry| &entry.record.indexes);
                let stats = stats.unwrap_or_default();
                indexes.map(|index| about(&IndexInfo::from(&**index), &stats, served)).collect()
            }
        };
        documents.iter().map(|document| RawDocumentBuf::try_from(document).map_err(corrupt)).collect()
    }
}

impl Parts {
    fn document(
        self,
        stats: Option<CollectionStats>,
        namespace: &Namespace,
        context: &Context,
        served: Option<&Served>,
    ) -> Result<Document> {
        let target = format!("{}.{}", namespace.database(), namespace.name());
        let mut document = doc! { "ns": &target };
        if let Some(served) = served {
            document.insert("host", &served.host);
        }
        document.insert("localTime", context.now());
        if let Some(scale) = self.storage {
            document.insert("storageStats", stats.clone().unwrap_or_default().to_document(scale));
        }
        if self.count {
            let missing = || Code::NAMESPACE_NOT_FOUND.value(format!("there is no collection {target:?} to count"));
            document.insert("count", count(stats.ok_or_else(missing)?.documents));
        }
        Ok(document)
    }
}

/// What `$indexStats` gives of an index.
fn about(index: &IndexInfo, stats: &CollectionStats, served: Option<&Served>) -> Document {
    let size = stats.indexes.iter().find(|size| size.name == index.name);
    let mut document = doc! { "name": &index.name, "key": index.keys.clone() };
    if let Some(served) = served {
        let uses = served.uses.get(&index.name).copied().unwrap_or(0);
        let accesses = doc! { "ops": i64::try_from(uses).unwrap_or(i64::MAX), "since": served.since };
        document.extend(doc! { "host": &served.host, "accesses": accesses });
    }
    document.extend(doc! {
        "entries": count(size.map_or(0, |size| size.entries)),
        "bytes": count(size.map_or(0, |size| size.bytes)),
        "spec": index.to_document(),
    });
    document
}

/// The number that sizes are divided by.
fn scale(scale: Option<&Bson>) -> Result<u64> {
    let Some(scale) = scale.filter(|scale| **scale != Bson::Null) else { return Ok(1) };
    let number = Number::from_bson(scale).ok_or_else(|| Code::TYPE_MISMATCH.wrong_type("a scale is a number"))?;
    let whole = match number.to_i64_leniently() {
        Some(whole) => whole,
        // Beyond 64 bits, where the end stands for it.
        None if number.compare(Number::Int32(0)).is_gt() => i64::MAX,
        None => 0,
    };
    let positive = u64::try_from(whole).ok().filter(|scale| *scale > 0);
    positive.ok_or_else(|| Code::BAD_VALUE.value("a scale is at least 1"))
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use crate::document::Code;
    use crate::{Result, Store};

    fn run(store: &Store, name: &str, stages: Vec<Document>) -> Result<Vec<Document>> {
        store.collection::<Document>(name).aggregate(stages)?.collect()
    }

    fn store() -> Store {
        let store = Store::in_memory();
        let events = store.collection::<Document>("c");
        events.create_index(doc! { "n": 1 }).unwrap();
        events.insert_many((0..10).map(|n| doc! { "_id": n, "n": n % 3 })).unwrap();
        store
    }

    #[test]
    fn a_pipeline_begins_with_what_is_known_of_its_collection() {
        let store = store();
        let parts = doc! { "count": {}, "storageStats": { "scale": 7 } };
        let told = run(&store, "c", vec![doc! { "$collStats": parts }]).unwrap();
        assert_eq!((told.len(), told[0].get_i32("count").unwrap()), (1, 10));
        assert!(!told[0].contains_key("host"), "no server: {}", told[0]);
        let storage = told[0].get_document("storageStats").unwrap();
        assert_eq!((storage.get_i32("size").unwrap(), storage.get_i32("nindexes").unwrap()), (30, 2));
        let stages = vec![doc! { "$indexStats": {} }, doc! { "$sort": { "name": -1 } }, doc! { "$limit": 1 }];
        let indexes = run(&store, "c", stages).unwrap();
        assert_eq!((indexes[0].get_str("name").unwrap(), indexes[0].get_i32("entries").unwrap()), ("n_1", 10));
        assert_eq!(run(&store, "none", vec![doc! { "$indexStats": {} }]).unwrap(), [] as [Document; 0]);
    }

    #[test]
    fn it_stands_first_and_only_there() {
        let store = store();
        let code = |stages: Vec<Document>| Code::of(&run(&store, "c", stages).unwrap_err()).unwrap().number();
        let stats = || doc! { "$collStats": {} };
        assert_eq!(code(vec![doc! { "$match": {} }, stats()]), 40_602);
        assert_eq!(code(vec![doc! { "$facet": { "a": [stats()] } }]), 40_600);
        assert_eq!(code(vec![doc! { "$collStats": 1 }]), 5_447_000);
        assert_eq!(code(vec![doc! { "$indexStats": { "a": 1 } }]), 28_803);
        assert_eq!(code(vec![doc! { "$collStats": { "storageStats": { "scale": 0 } } }]), 2);
        let missing = run(&store, "none", vec![doc! { "$collStats": { "count": {} } }]).unwrap_err();
        assert_eq!(Code::of(&missing), Some(Code::NAMESPACE_NOT_FOUND));
        let on_database = store.database("test").aggregate([stats()]).unwrap_err();
        assert_eq!(Code::of(&on_database), Some(Code::INVALID_NAMESPACE));
    }
}
