//! What `$push`, `$addToSet`, `$pop`, `$pull` and `$pullAll` make of an array.

use bson::raw::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf};
use bson::{Bson, Document, RawArray};

use crate::document::code::Code;
use crate::document::expression::{Context, Names, constant};
use crate::document::filter::{ElementFilter, Filter};
use crate::document::number::Number;
use crate::document::order::Order;
use crate::document::path::elements;
use crate::document::pattern::Pattern;
use crate::error::Result;

/// A compiled `$push`.
#[derive(Clone, Debug)]
pub(super) struct Push {
    values: Vec<RawBson>,
    /// Where they go; a negative place counts from the end.
    position: Option<i64>,
    sort: Option<SortBy>,
    /// How many stay: from the front, or of a negative number from the back.
    slice: Option<i64>,
}

#[derive(Clone, Debug)]
enum SortBy {
    Value { descending: bool },
    Fields(Pattern),
}

/// A compiled `$pull` or `$pullAll`.
#[derive(Clone, Debug)]
pub(super) enum Pull {
    Matching(ElementFilter),
    Equal(Vec<RawBson>),
}

impl Push {
    /// Compiles a value, or `{$each, $position, $sort, $slice}`, for an array whose elements may nest `levels` with it.
    pub(super) fn compile(value: &Bson, levels: usize, names: &Names) -> Result<Self> {
        let levels = levels.saturating_sub(1);
        let Bson::Document(modifiers) = value else { return Self::single(value, levels) };
        if !modifiers.contains_key("$each") {
            // Modifiers without it are a value like any other.
            return Self::single(value, levels);
        }
        only(modifiers, &["$each", "$position", "$sort", "$slice"], "$push")?;
        let whole = |name: &str| match modifiers.get(name) {
            None => Ok(None),
            Some(value) => match Number::from_bson(value).and_then(Number::as_i64) {
                Some(whole) => Ok(Some(whole)),
                None => Err(Code::BAD_VALUE.value(format!("{name} takes a whole number"))),
            },
        };
        let values =
            each(modifiers, Code::BAD_VALUE)?.iter().map(|value| constant(value, levels)).collect::<Result<_>>()?;
        let sort = modifiers.get("$sort").map(|by| sort_by(by, names)).transpose()?;
        Ok(Self { values, position: whole("$position")?, sort, slice: whole("$slice")? })
    }

    fn single(value: &Bson, levels: usize) -> Result<Self> {
        Ok(Self { values: vec![constant(value, levels)?], position: None, sort: None, slice: None })
    }

    /// The array with what is pushed.
    pub(super) fn apply(&self, old: &RawArray, context: &Context) -> Result<RawArrayBuf> {
        let mut all = elements(old).collect::<Result<Vec<_>>>()?;
        let length = all.len();
        let place = match self.position {
            None => length,
            Some(position) => usize::try_from(position).unwrap_or_else(|_| {
                length.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX))
            }),
        };
        let place = place.min(length);
        all.splice(place..place, self.values.iter().map(RawBson::as_raw_bson_ref));
        if let Some(sort) = &self.sort {
            sort.apply(&mut all, context.order())?;
        }
        let count = self.slice.map_or(all.len(), |slice| usize::try_from(slice.unsigned_abs()).unwrap_or(usize::MAX));
        let skipped = if self.slice.is_some_and(|slice| slice < 0) { all.len().saturating_sub(count) } else { 0 };
        Ok(array(all.into_iter().skip(skipped).take(count)))
    }
}

impl SortBy {
    fn apply(&self, values: &mut [RawBsonRef<'_>], order: Order<'_>) -> Result<()> {
        match self {
            Self::Value { descending: false } => values.sort_by(|a, b| order.compare(*a, *b)),
            Self::Value { descending: true } => values.sort_by(|a, b| order.compare(*b, *a)),
            Self::Fields(pattern) => {
                let mut failure = None;
                // What is no object sorts as one without fields.
                values.sort_by_cached_key(|value| {
                    let key = match value {
                        RawBsonRef::Document(document) => pattern.sort_key(document),
                        _ => pattern.sort_key(&RawDocumentBuf::new()),
                    };
                    key.unwrap_or_else(|error| {
                        failure = Some(error);
                        Vec::new()
                    })
                });
                return failure.map_or(Ok(()), Err);
            }
        }
        Ok(())
    }
}

fn sort_by(value: &Bson, names: &Names) -> Result<SortBy> {
    match value {
        Bson::Document(keys) if !keys.is_empty() => {
            let pattern = Pattern::parse_sort(keys, Number::as_i64);
            let pattern = pattern.map(|pattern| pattern.collated(names.collator()));
            pattern.map(SortBy::Fields).map_err(|_| Code::BAD_VALUE.value("$sort takes paths with 1 or -1"))
        }
        value => match Number::from_bson(value).and_then(Number::as_i64) {
            Some(1) => Ok(SortBy::Value { descending: false }),
            Some(-1) => Ok(SortBy::Value { descending: true }),
            _ => Err(Code::BAD_VALUE.value("$sort takes 1, -1 or an object of them")),
        },
    }
}

impl Pull {
    /// Compiles what `$pull` takes out: a value, or a condition.
    pub(super) fn compile(value: &Bson, names: &Names) -> Result<Self> {
        let unnamed = Names::default().collated(names.collator());
        Ok(Self::Matching(Filter::compile_element(value, &unnamed)?))
    }

    /// Compiles the values that `$pullAll` takes out.
    pub(super) fn compile_all(value: &Bson, levels: usize) -> Result<Self> {
        let Bson::Array(values) = value else {
            return Err(Code::BAD_VALUE.wrong_type("$pullAll takes an array"));
        };
        Ok(Self::Equal(values.iter().map(|value| constant(value, levels)).collect::<Result<_>>()?))
    }

    /// The array without what is pulled.
    pub(super) fn apply(&self, old: &RawArray, context: &Context) -> Result<RawArrayBuf> {
        let mut kept = Vec::new();
        for element in elements(old) {
            let element = element?;
            let goes = match self {
                Self::Matching(filter) => filter.matches(element, context)?,
                Self::Equal(values) => {
                    let order = context.order();
                    values.iter().any(|value| order.compare(value.as_raw_bson_ref(), element).is_eq())
                }
            };
            if !goes {
                kept.push(element);
            }
        }
        Ok(array(kept))
    }
}

/// The array with those of `values` that are not in it yet.
pub(super) fn with_added(old: &RawArray, values: &[RawBson], order: Order<'_>) -> Result<RawArrayBuf> {
    let mut all = elements(old).collect::<Result<Vec<_>>>()?;
    for value in values {
        let value = value.as_raw_bson_ref();
        if !all.iter().any(|held| order.compare(*held, value).is_eq()) {
            all.push(value);
        }
    }
    Ok(array(all))
}

/// The array without its first or its last element.
pub(super) fn popped(old: &RawArray, first: bool) -> Result<RawArrayBuf> {
    let all = elements(old).collect::<Result<Vec<_>>>()?;
    let count = all.len().saturating_sub(1);
    Ok(array(all.into_iter().skip(usize::from(first)).take(count)))
}

fn array<'a>(values: impl IntoIterator<Item = RawBsonRef<'a>>) -> RawArrayBuf {
    let mut array = RawArrayBuf::new();
    values.into_iter().for_each(|value| array.push(value));
    array
}

/// The values of `$each`.
pub(super) fn each(modifiers: &Document, code: Code) -> Result<&[Bson]> {
    match modifiers.get("$each") {
        Some(Bson::Array(values)) => Ok(values),
        _ => Err(code.wrong_type("$each takes an array")),
    }
}

/// Refuses fields of `modifiers` that are not `known`.
pub(super) fn only(modifiers: &Document, known: &[&str], operator: &str) -> Result<()> {
    match modifiers.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Code::BAD_VALUE.value(format!("{operator} has no modifier {unknown:?}"))),
        None => Ok(()),
    }
}
