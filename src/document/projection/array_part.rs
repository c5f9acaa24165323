//! Part of an array, as a `find` shows it: `$slice`, `$elemMatch` and the positional `$`.

use std::sync::Arc;

use bson::raw::{RawArrayBuf, RawBson, RawBsonRef};
use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::expression::{Context, Names, Value};
use crate::document::filter::{ElementFilter, Filter};
use crate::document::number::Number;
use crate::document::path::elements;
use crate::error::Result;

/// Which elements of an array are shown.
#[derive(Clone, Debug)]
pub(super) enum ArrayPart {
    /// So many, from the front or, of a negative number, from the back; of two numbers the first says how many to skip.
    Slice { skip: Option<i64>, count: i64 },
    /// The first that meets a condition.
    ElemMatch(Arc<ElementFilter>),
    /// The one by which the document was found.
    Matched,
}

impl ArrayPart {
    /// The part that `value` asks for at `path`; `None` when it asks for something else.
    pub(super) fn parse(path: &str, value: &Bson, names: &Names) -> Option<Result<Self>> {
        if path.ends_with(".$") {
            return Some(matched(value));
        }
        let document = value.as_document().filter(|document| document.len() == 1)?;
        match document.iter().next().map(|(name, operand)| (name.as_str(), operand)) {
            Some(("$slice", operand)) => slice(operand).transpose(),
            Some(("$elemMatch", operand)) => Some(elem_match(path, operand, names)),
            _ => None,
        }
    }

    pub(super) fn is_slice(&self) -> bool {
        matches!(self, Self::Slice { .. })
    }

    /// Whether the field comes behind those that are only included.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::ElemMatch(_))
    }

    /// What is shown of `value`.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error) when it does not decode, and those of the condition.
    pub(super) fn of<'v>(
        &self,
        value: RawBsonRef<'v>,
        position: Option<usize>,
        context: &Context,
    ) -> Result<Value<'v>> {
        let RawBsonRef::Array(array) = value else {
            return Ok(if self.is_last() { Value::Missing } else { Value::Borrowed(value) });
        };
        let all = elements(array).collect::<Result<Vec<_>>>()?;
        let shown = match self {
            Self::Slice { skip, count } => sliced(&all, *skip, *count),
            Self::Matched => {
                let element = position.and_then(|place| all.get(place));
                let none =
                    || Code::POSITIONAL_PAST_END.value("the element that was found is past the end of this array");
                std::slice::from_ref(element.ok_or_else(none)?)
            }
            Self::ElemMatch(filter) => {
                let mut found = None;
                for element in &all {
                    if filter.matches(*element, context)? {
                        found = Some(element);
                        break;
                    }
                }
                match found {
                    None => return Ok(Value::Missing),
                    Some(element) => std::slice::from_ref(element),
                }
            }
        };
        let mut new = RawArrayBuf::new();
        for element in shown {
            new.push(*element);
        }
        Ok(Value::Owned(RawBson::Array(new)))
    }
}

fn sliced<'s, 'v>(all: &'s [RawBsonRef<'v>], skip: Option<i64>, count: i64) -> &'s [RawBsonRef<'v>] {
    let size = |number: i64| usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let start = match skip {
        Some(skip) if skip < 0 => all.len().saturating_sub(size(skip)),
        Some(skip) => size(skip).min(all.len()),
        None if count < 0 => all.len().saturating_sub(size(count)),
        None => 0,
    };
    let end = start.saturating_add(size(count)).min(all.len());
    all.get(start..end).unwrap_or_default()
}

/// What stands at a positional path includes it.
fn matched(value: &Bson) -> Result<ArrayPart> {
    let includes = match value {
        Bson::Boolean(includes) => Some(*includes),
        value => Number::from_bson(value).map(|number| !number.is_zero()),
    };
    match includes {
        Some(true) => Ok(ArrayPart::Matched),
        Some(false) => Err(Code::POSITIONAL_IN_EXCLUSION.value("the positional operator includes a field")),
        None => Err(Code::POSITIONAL_VALUE.syntax("the positional operator takes no expression")),
    }
}

/// Whether a projection asks for elements by a condition.
pub(super) fn has_elem_match(text: &Document) -> bool {
    text.values().any(|value| value.as_document().is_some_and(|document| document.contains_key("$elemMatch")))
}

/// `n`, or `[skip, n]`. Anything else is the expression of the same name.
fn slice(operand: &Bson) -> Result<Option<ArrayPart>> {
    let whole = |number: &Bson| Number::from_bson(number)?.to_i64_leniently();
    match operand {
        Bson::Array(numbers) => match numbers.as_slice() {
            [skip, count] => match (whole(skip), whole(count)) {
                (Some(_), Some(count)) if count <= 0 => {
                    Err(Code::SLICE_TYPE.value("the number of elements of $slice is positive"))
                }
                (Some(skip), Some(count)) => Ok(Some(ArrayPart::Slice { skip: Some(skip), count })),
                _ => Ok(None),
            },
            _ => Ok(None),
        },
        number => Ok(whole(number).map(|count| ArrayPart::Slice { skip: None, count })),
    }
}

fn elem_match(path: &str, operand: &Bson, names: &Names) -> Result<ArrayPart> {
    if path.contains('.') {
        return Err(Code::ELEM_MATCH_NESTED.value("$elemMatch of a projection takes no nested field"));
    }
    if operand.as_document().is_none() {
        return Err(Code::ELEM_MATCH_NOT_OBJECT.wrong_type("$elemMatch of a projection takes an object"));
    }
    Ok(ArrayPart::ElemMatch(Arc::new(Filter::compile_element(operand, names)?)))
}

/// How often a projection has the positional operator.
pub(super) fn count_positional(text: &Document) -> usize {
    text.keys().filter(|key| key.ends_with(".$")).count()
}
