//! Queries between two keys of an index: `min` and `max`.
//!
//! The caller names the index by a hint and gives bounds of whole keys of it, which the planner takes as they are: conditions of the
//! filter bound nothing then.
//!
//! # Long values
//! Where a value of a bound is in index keys only with its first bytes and a hash, every entry that begins as it does is read, and the
//! documents tell on which side of the bound they are.

use std::ops::Bound;
use std::sync::Arc;

use bson::{Bson, Document, RawDocument, doc};

use crate::document::code::Code;
use crate::document::collation::Collator;
use crate::document::filter::Filter;
use crate::document::hint::Hint;
use crate::document::index_key::{first_bytes, put_value};
use crate::document::index_kind::IndexKind;
use crate::document::layout;
use crate::document::order::{Value, has_text};
use crate::document::pattern::Pattern;
use crate::document::planner::{Access, IndexScan, Plan, before, joined, meant, sort_order};
use crate::document::schema::{Index, Schema};
use crate::document::stored;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;

/// The keys of an index that a query reads: from `min` on and before `max`, in the order of the index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::document) struct Between {
    pub(in crate::document) min: Option<Document>,
    pub(in crate::document) max: Option<Document>,
}

/// The keys between two bounds, whole.
#[derive(Clone, Debug)]
pub(in crate::document) struct Span {
    lower: Document,
    upper: Document,
    /// The lower bound, which is in it.
    start: Vec<u8>,
    /// The upper bound, which is not; `None` when it ends with the index.
    end: Option<Vec<u8>>,
    /// Whether entries do not tell which of them are in it.
    is_vague: bool,
}

/// A bound as bytes.
#[derive(Default)]
struct Edge {
    whole: Vec<u8>,
    /// What its entry begins with: all of its fields, or those up to the first bytes of a long value.
    entry: Vec<u8>,
    is_long: bool,
}

impl Between {
    /// Whether it says nothing.
    pub(in crate::document) fn is_everything(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// Refuses bounds that are of no index.
    ///
    /// # Errors
    /// Code 51176 for bounds whose fields differ.
    pub(in crate::document) fn check(&self) -> Result<()> {
        self.min.iter().chain(&self.max).try_for_each(stored::check_values)?;
        match (&self.min, &self.max) {
            (Some(min), Some(max)) if !min.keys().eq(max.keys()) => {
                Err(Code::MIN_MAX_FIELDS.value("min and max must have the same field names"))
            }
            _ => Ok(()),
        }
    }

    /// How to find what matches `filter` between the bounds, in the order of `sort`, for a query whose text `collator` orders. Without
    /// a hint the index is that on `_id`, if the filter asks for one `_id`.
    ///
    /// # Errors
    /// As [`choose`](super::choose) for the hint; code 291 without one of an index, 51174 for one of an index that has no such keys, and
    /// 51175 for a `min` that does not come before `max`.
    pub(in crate::document) fn plan(
        &self,
        collection: u32,
        schema: &Schema,
        (filter, collator): (&Filter, Option<&Arc<Collator>>),
        sort: Option<&Pattern>,
        hint: Option<&Hint>,
    ) -> Result<Plan> {
        let index = match hint {
            Some(hint) if hint.natural()?.is_none() => Some(meant(schema, hint)?),
            Some(_) => None,
            None => schema.index_of_id(0).filter(|_| filter.identity().is_some()),
        };
        let Some(index) = index else {
            let message = "When using min()/max() a hint of which index to use must be provided";
            return Err(Code::NO_QUERY_EXECUTION_PLANS.value(message));
        };
        if !self.min.iter().chain(&self.max).all(|bound| is_of(bound, index, collator)) {
            return Err(Code::MIN_MAX_OF_OTHER_INDEX.value("The index chosen is not compatible with min/max"));
        }
        let order = sort.and_then(|sort| sort_order(index, &[], sort));
        let (keys, range) = self.span(&layout::index_prefix(collection, index.id), index)?;
        let mut scan = IndexScan::new(collection, index, Vec::new(), order);
        scan.ranges = vec![range];
        scan.span = Some(Arc::new(keys));
        Ok(Plan { access: Access::Index(scan), sort_in_memory: sort.is_some() && order.is_none() })
    }

    /// The keys between the bounds, and where the entries are, which all begin with `prefix`.
    fn span(&self, prefix: &[u8], index: &Index) -> Result<(Span, KeyRange)> {
        let end_of_index = |low: bool| {
            let value = |descending| if low == descending { Bson::MaxKey } else { Bson::MinKey };
            let fields = index.pattern.fields().iter();
            fields.map(|field| (field.path.as_str().to_owned(), value(field.descending))).collect()
        };
        let lower: Document = self.min.clone().unwrap_or_else(|| end_of_index(true));
        let upper: Document = self.max.clone().unwrap_or_else(|| end_of_index(false));
        let (first, last) = (Edge::new(&index.pattern, &lower)?, Edge::new(&index.pattern, &upper)?);
        if first.whole >= last.whole {
            let message =
                "The value provided for min() does not come before the value provided for max() in the hinted index";
            return Err(Code::MIN_NOT_BEFORE_MAX.value(message));
        }
        let keys = |edge: &Edge| KeyRange::prefix(&[prefix, &edge.entry].concat());
        let end: Bound<Key> = match &self.max {
            None => KeyRange::prefix(prefix).end().clone(),
            Some(_) if last.is_long => keys(&last).end().clone(),
            Some(_) => before(keys(&last).start()),
        };
        let range = KeyRange::new(keys(&first).start().clone(), end);
        let is_vague = first.is_long || last.is_long;
        let end = self.max.is_some().then_some(last.whole);
        Ok((Span { lower, upper, start: first.whole, end, is_vague }, range))
    }
}

/// Whether `bound` has the fields of `index`, in whose order its values can be.
fn is_of(bound: &Document, index: &Index, collator: Option<&Arc<Collator>>) -> bool {
    index.kind == IndexKind::Ordered
        && index.keys.keys().eq(bound.keys())
        && (index.pattern.collator() == collator || !bound.values().any(has_text))
}

impl Edge {
    fn new(pattern: &Pattern, values: &Document) -> Result<Self> {
        let mut edge = Self::default();
        for (field, value) in pattern.fields().iter().zip(values.values()) {
            let mut encoded = Vec::new();
            put_value(&mut encoded, &Value::from(value), pattern.order())?;
            edge.whole = joined(&edge.whole, &encoded, field.descending);
            if !edge.is_long {
                let (first, is_long) = first_bytes(&encoded);
                edge.entry = joined(&edge.entry, first, field.descending);
                edge.is_long = is_long;
            }
        }
        Ok(edge)
    }
}

impl Span {
    /// Whether documents must be asked which of them are in it ([`Span::has`]).
    pub(in crate::document) fn is_vague(&self) -> bool {
        self.is_vague
    }

    /// Whether one of the keys of `document` in `index` is in it.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(in crate::document) fn has(&self, index: &Index, document: &RawDocument) -> Result<bool> {
        let keys = index.pattern.whole_keys(document, index.sparse)?.encoded;
        Ok(keys.iter().any(|key| *key >= self.start && self.end.as_ref().is_none_or(|end| key < end)))
    }

    /// The bounds, as `explain` shows them of a scan in `direction`.
    pub(super) fn to_document(&self, direction: Direction) -> Document {
        let (lower, upper) = ((&self.lower, true), (&self.upper, self.end.is_none()));
        let (start, end) = if direction == Direction::Forward { (lower, upper) } else { (upper, lower) };
        doc! {
            "startKey": start.0.clone(),
            "startKeyInclusive": start.1,
            "endKey": end.0.clone(),
            "endKeyInclusive": end.1,
        }
    }
}
