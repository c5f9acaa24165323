//! What a query did.

use std::fmt;

use bson::{Bson, Document, doc};

use crate::document::pattern::Pattern;
use crate::document::planner::bounds::Interval;
use crate::document::planner::{Access, IndexScan, Plan};
use crate::engine::Direction;

/// How a query was run, and what that took.
///
/// # Examples
/// ```
/// use larder::document::Stage;
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.create_index(doc! { "user_id": 1 })?;
/// events.insert_many([doc! { "user_id": 7 }, doc! { "user_id": 8 }])?;
/// let explain = events.find(doc! { "user_id": 7 }).explain()?;
/// assert_eq!((explain.keys_examined, explain.documents_examined, explain.returned), (1, 1, 1));
/// assert!(matches!(explain.stage, Stage::Fetch { .. }));
/// assert_eq!(explain.stage.to_string(), "FETCH < IXSCAN user_id_1 forward {user_id: [7, 7]}");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, Explain Results.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explain {
    /// The last stage, with those before it inside.
    pub stage: Stage,
    /// Index entries read.
    pub keys_examined: u64,
    /// Documents read.
    pub documents_examined: u64,
    /// Documents returned.
    pub returned: u64,
}

/// One stage of a plan. [`Display`](fmt::Display) shows it in a line, the last stage first.
///
/// # Examples
/// ```
/// use larder::document::Stage;
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// let stage = events.find(doc! {}).sort(doc! { "at": 1 }).explain()?.stage;
/// assert_eq!(stage.to_string(), "SORT { \"at\": 1 } < COLLSCAN");
/// assert!(matches!(stage, Stage::Sort { .. }));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// `COLLSCAN`: every document, in order of insertion or against it.
    CollScan {
        /// Where it begins.
        direction: Direction,
    },
    /// `IXSCAN`: entries of an index.
    IxScan {
        /// The index's name.
        index: String,
        /// The index's keys.
        key_pattern: Document,
        /// Whether it is read from its low or its high end.
        direction: Direction,
        /// Whether some document has more than one entry, because of an array.
        multikey: bool,
        /// Whether no two documents may have the same key.
        unique: bool,
        /// Whether documents without its fields have no entry.
        sparse: bool,
        /// Whether only documents that match a filter have entries.
        partial: bool,
        /// What each of the index's fields is confined to, readable: `{user_id: ["[7, 7]"], at: ["(5, …Number)"]}`. Of a query with
        /// `min` or `max` the keys `startKey` and `endKey`, and whether they are in, `startKeyInclusive` and `endKeyInclusive`.
        bounds: Document,
    },
    /// `FETCH`: the documents that entries stand for, those that do not match left out.
    Fetch {
        /// Where the entries come from.
        input: Box<Stage>,
    },
    /// `SORT`: in memory.
    Sort {
        /// What it sorts by.
        pattern: Document,
        /// Where the documents come from.
        input: Box<Stage>,
    },
}

impl Stage {
    /// The stage as BSON, with those before it under `inputStage`.
    pub(crate) fn to_document(&self) -> Document {
        match self {
            Self::CollScan { direction } => doc! { "stage": "COLLSCAN", "direction": name(*direction) },
            Self::IxScan { index, key_pattern, direction, multikey, unique, sparse, partial, bounds } => doc! {
                "stage": "IXSCAN",
                "keyPattern": key_pattern.clone(),
                "indexName": index,
                "isMultiKey": *multikey,
                "isUnique": *unique,
                "isSparse": *sparse,
                "isPartial": *partial,
                "indexVersion": 2,
                "direction": name(*direction),
                "indexBounds": bounds.clone(),
            },
            Self::Fetch { input } => doc! { "stage": "FETCH", "inputStage": input.to_document() },
            Self::Sort { pattern, input } => {
                doc! { "stage": "SORT", "sortPattern": pattern.clone(), "inputStage": input.to_document() }
            }
        }
    }
}

/// The direction of a scan, as explanations call it.
fn name(direction: Direction) -> &'static str {
    if direction == Direction::Forward { "forward" } else { "backward" }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CollScan { direction: Direction::Forward } => f.write_str("COLLSCAN"),
            Self::CollScan { direction } => write!(f, "COLLSCAN {}", name(*direction)),
            Self::IxScan { index, direction, bounds, .. } => {
                write!(f, "IXSCAN {index} {} {{", name(*direction))?;
                for (place, (path, intervals)) in bounds.iter().enumerate() {
                    let shown = match intervals {
                        Bson::Array(intervals) if intervals.is_empty() => "none".to_owned(),
                        Bson::Array(intervals) => {
                            intervals.iter().filter_map(Bson::as_str).collect::<Vec<_>>().join(" ")
                        }
                        key => key.to_string(),
                    };
                    write!(f, "{}{path}: {shown}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Fetch { input } => write!(f, "FETCH < {input}"),
            Self::Sort { pattern, input } => write!(f, "SORT {pattern} < {input}"),
        }
    }
}

impl Plan {
    /// The plan as a tree of stages.
    pub(crate) fn stage(&self, sort: Option<&Pattern>) -> Stage {
        let found = match &self.access {
            Access::Collection(direction) => Stage::CollScan { direction: *direction },
            Access::Index(scan) => Stage::Fetch { input: Box::new(scan.stage()) },
        };
        match sort {
            Some(sort) if self.sort_in_memory => Stage::Sort { pattern: sort.to_document(), input: Box::new(found) },
            _ => found,
        }
    }
}

impl IndexScan {
    fn stage(&self) -> Stage {
        let all = [Interval::all()];
        let fields = self.index.pattern.fields().iter().enumerate().map(|(place, field)| {
            let bounds = self.bounds.get(place).map_or(&all[..], Vec::as_slice);
            let intervals: Vec<_> = bounds.iter().map(|interval| Bson::String(interval.to_string())).collect();
            (field.path.as_str().to_owned(), Bson::Array(intervals))
        });
        Stage::IxScan {
            index: self.index.name.clone(),
            // Of a wildcard, with the path that is looked for in its place.
            key_pattern: match self.index.kind.wildcard() {
                Some(_) => self.index.pattern.to_document(),
                None => self.index.keys.clone(),
            },
            direction: self.direction,
            multikey: self.index.multikey != 0,
            unique: self.index.unique,
            sparse: self.index.sparse || self.index.kind.wildcard().is_some(),
            partial: self.index.partial.is_some(),
            bounds: match &self.span {
                Some(span) => span.to_document(self.direction),
                None => fields.collect(),
            },
        }
    }
}
