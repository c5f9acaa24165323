//! The operators of arrays: `$push`, `$addToSet`, `$pop`, `$pull` and `$pullAll`.

use std::cmp::Ordering;

use bson::raw::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, cstr};
use bson::{Bson, Document, RawArray, RawDocument};

use super::change::Outcome;
use crate::document::code::Code;
use crate::document::expression::constant;
use crate::document::filter::Filter;
use crate::document::number::Number;
use crate::document::order::compare;
use crate::document::path::elements;
use crate::document::raw;
use crate::error::{Error, Result};

/// `$push`.
#[derive(Clone, Debug)]
pub(super) struct Push {
    values: Vec<RawBson>,
    position: Option<i64>,
    sort: Option<Sort>,
    slice: Option<i64>,
}

/// The order of `$sort` in `$push`.
#[derive(Clone, Debug)]
enum Sort {
    /// Of the elements themselves; whether the largest come first.
    Elements(bool),
    /// By fields of the elements.
    Fields(Vec<(Vec<String>, bool)>),
}

/// `$addToSet`: values, each once.
#[derive(Clone, Debug)]
pub(super) struct AddToSet(Vec<RawBson>);

/// `$pop`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pop {
    First,
    Last,
}

/// `$pull` and `$pullAll`.
#[derive(Clone, Debug)]
pub(super) enum Pull {
    /// Elements that equal one of these.
    Values(Vec<RawBson>),
    /// Objects that meet conditions on their fields.
    Fields(Filter),
    /// Elements that meet conditions themselves: it is on a field, and so an element becomes one.
    Element(Filter),
}

impl Push {
    /// Compiles a value, or `{$each: […], $position, $sort, $slice}`; values may nest `levels`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a modifier that does not exist or takes no such value.
    pub(super) fn compile(operand: &Bson, levels: usize) -> Result<Self> {
        let modifiers = operand.as_document().filter(|modifiers| modifiers.contains_key("$each"));
        let mut push = Self { values: Vec::new(), position: None, sort: None, slice: None };
        let Some(modifiers) = modifiers else {
            push.values.push(constant(operand, levels)?);
            return Ok(push);
        };
        for (name, value) in modifiers {
            match name.as_str() {
                "$each" => {
                    let Bson::Array(each) = value else {
                        return Err(Code::BAD_VALUE.wrong_type("$each in $push takes an array"));
                    };
                    push.values = each.iter().map(|value| constant(value, levels)).collect::<Result<_>>()?;
                }
                "$position" => push.position = Some(integer(name, value)?),
                "$slice" => push.slice = Some(integer(name, value)?),
                "$sort" => push.sort = Some(Sort::compile(value)?),
                other => return Err(Code::BAD_VALUE.value(format!("$push has no modifier {other:?}"))),
            }
        }
        Ok(push)
    }

    pub(super) fn changed<'a>(&self, name: &str, value: Option<RawBsonRef<'a>>) -> Result<Outcome<'a>> {
        let old = old_elements("$push", name, value)?;
        let mut new: Vec<RawBsonRef<'_>> = old;
        let at = position(self.position, new.len());
        new.splice(at..at, self.values.iter().map(RawBson::as_raw_bson_ref));
        if let Some(sort) = &self.sort {
            sort.apply(&mut new)?;
        }
        if let Some(slice) = self.slice {
            let kept = usize::try_from(slice.unsigned_abs()).unwrap_or(usize::MAX).min(new.len());
            if slice < 0 {
                new.drain(..new.len() - kept);
            } else {
                new.truncate(kept);
            }
        }
        Ok(Outcome::array(array(&new)))
    }
}

/// Where `$position` is in an array of `length` elements: counted from the end when it is negative.
fn position(wanted: Option<i64>, length: usize) -> usize {
    let Some(wanted) = wanted else { return length };
    let distance = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    if wanted < 0 { length.saturating_sub(distance) } else { length.min(distance) }
}

fn integer(modifier: &str, value: &Bson) -> Result<i64> {
    Number::from_bson(value)
        .and_then(Number::as_i64)
        .ok_or_else(|| Code::BAD_VALUE.wrong_type(format!("{modifier} in $push takes an integer")))
}

impl Sort {
    fn compile(value: &Bson) -> Result<Self> {
        let Bson::Document(keys) = value else { return Ok(Self::Elements(is_descending(value)?)) };
        if keys.is_empty() {
            return Err(Code::BAD_VALUE.value("$sort in $push takes at least one field"));
        }
        let field = |(path, direction): (&String, &Bson)| {
            let parts: Vec<_> = path.split('.').map(str::to_owned).collect();
            if parts.iter().any(String::is_empty) {
                return Err(Code::BAD_VALUE.value(format!("the path {path:?} of $sort has an empty part")));
            }
            Ok((parts, is_descending(direction)?))
        };
        Ok(Self::Fields(keys.iter().map(field).collect::<Result<_>>()?))
    }

    fn apply(&self, elements: &mut [RawBsonRef<'_>]) -> Result<()> {
        let directed = |order: Ordering, descending: bool| if descending { order.reverse() } else { order };
        match self {
            Self::Elements(descending) => elements.sort_by(|a, b| directed(compare(*a, *b), *descending)),
            Self::Fields(fields) => {
                let key = |element: &RawBsonRef<'_>| -> Result<Vec<Bson>> {
                    fields.iter().map(|(path, _)| field_of(*element, path)).collect()
                };
                let mut keyed = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    keyed.push((key(element)?, *element));
                }
                keyed.sort_by(|(a, _), (b, _)| {
                    let orders = a.iter().zip(b).zip(fields).map(|((a, b), (_, descending))| {
                        directed(crate::document::order::compare_bson(a, b), *descending)
                    });
                    orders.fold(Ordering::Equal, Ordering::then)
                });
                elements.iter_mut().zip(keyed).for_each(|(place, (_, element))| *place = element);
            }
        }
        Ok(())
    }
}

fn is_descending(direction: &Bson) -> Result<bool> {
    match Number::from_bson(direction).and_then(Number::as_i64) {
        Some(1) => Ok(false),
        Some(-1) => Ok(true),
        _ => Err(Code::BAD_VALUE.value("a direction of $sort in $push is 1 or -1")),
    }
}

/// The value that `path` leads to in `element`, through objects and positions of arrays; null where it leads nowhere.
fn field_of(element: RawBsonRef<'_>, path: &[String]) -> Result<Bson> {
    let mut value = element;
    for part in path {
        let inner = match value {
            RawBsonRef::Document(document) => raw::field(document, part)?,
            // An element that is no object has no fields, and one inside of it is found by its position.
            RawBsonRef::Array(array) => match part.parse() {
                Ok(position) => RawArray::get(array, position).map_err(raw::corrupt)?,
                Err(_) => None,
            },
            _ => None,
        };
        match inner {
            Some(inner) => value = inner,
            None => return Ok(Bson::Null),
        }
    }
    Bson::try_from(value).map_err(raw::corrupt)
}

impl AddToSet {
    /// Compiles a value, or `{$each: […]}`; values may nest `levels`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a modifier beside `$each`.
    pub(super) fn compile(operand: &Bson, levels: usize) -> Result<Self> {
        let each = operand.as_document().filter(|each| each.keys().next().is_some_and(|first| first == "$each"));
        let Some(each) = each else { return Ok(Self(vec![constant(operand, levels)?])) };
        if let Some(other) = each.keys().nth(1) {
            return Err(Code::BAD_VALUE.value(format!("$addToSet has no modifier {other:?}")));
        }
        let Some(Bson::Array(values)) = each.get("$each") else {
            return Err(Code::TYPE_MISMATCH.wrong_type("$each in $addToSet takes an array"));
        };
        let mut distinct: Vec<RawBson> = Vec::with_capacity(values.len());
        for value in values {
            let value = constant(value, levels)?;
            if !distinct.iter().any(|held| equal(held, value.as_raw_bson_ref())) {
                distinct.push(value);
            }
        }
        Ok(Self(distinct))
    }

    pub(super) fn changed<'a>(&self, name: &str, value: Option<RawBsonRef<'a>>) -> Result<Outcome<'a>> {
        let mut new = old_elements("$addToSet", name, value)?;
        let stored = new.len();
        for value in &self.0 {
            // The values differ from one another already.
            if !new.iter().take(stored).any(|held| equal(value, *held)) {
                new.push(value.as_raw_bson_ref());
            }
        }
        if value.is_some() && new.len() == stored {
            return Ok(Outcome::Unchanged);
        }
        Ok(Outcome::array(array(&new)))
    }
}

impl Pop {
    /// Compiles 1, for the last element, or -1, for the first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub(super) fn compile(operand: &Bson) -> Result<Self> {
        match Number::from_bson(operand).and_then(Number::as_i64) {
            Some(1) => Ok(Self::Last),
            Some(-1) => Ok(Self::First),
            _ => Err(Code::FAILED_TO_PARSE.syntax("$pop takes 1 for the last element or -1 for the first")),
        }
    }

    pub(super) fn changed<'a>(self, name: &str, value: RawBsonRef<'a>) -> Result<Outcome<'a>> {
        let RawBsonRef::Array(_) = value else {
            let message = format!("$pop needs an array in {name:?}, which is of type {:?}", value.element_type());
            return Err(Code::TYPE_MISMATCH.wrong_type(message));
        };
        let mut elements = old_elements("$pop", name, Some(value))?;
        match self {
            _ if elements.is_empty() => return Ok(Outcome::Unchanged),
            Self::First => drop(elements.remove(0)),
            Self::Last => drop(elements.pop()),
        }
        Ok(Outcome::array(array(&elements)))
    }
}

impl Pull {
    /// Compiles the condition of a `$pull`: a value, operators, or conditions on the fields of elements.
    ///
    /// # Errors
    /// Those of [`Filter::compile`]; [`Error::LimitExceeded`] for a value that nests more than `levels`.
    pub(super) fn compile(operand: &Bson, levels: usize) -> Result<Self> {
        let is_operators =
            |document: &Document| document.keys().next().is_some_and(|first| first.starts_with('$') && !is_logical(first));
        match operand {
            Bson::Document(conditions) if !is_operators(conditions) => Ok(Self::Fields(Filter::compile(conditions)?)),
            Bson::Document(_) | Bson::RegularExpression(_) => {
                let mut wrapped = Document::new();
                wrapped.insert(ELEMENT, operand.clone());
                Ok(Self::Element(Filter::compile(&wrapped)?))
            }
            value => Ok(Self::Values(vec![constant(value, levels)?])),
        }
    }

    /// Compiles the values of a `$pullAll`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no array.
    pub(super) fn compile_all(operand: &Bson, levels: usize) -> Result<Self> {
        let Bson::Array(values) = operand else {
            return Err(Code::BAD_VALUE.wrong_type("$pullAll takes an array of values"));
        };
        Ok(Self::Values(values.iter().map(|value| constant(value, levels)).collect::<Result<_>>()?))
    }

    pub(super) fn changed<'a>(&self, name: &str, value: RawBsonRef<'a>) -> Result<Outcome<'a>> {
        let old = old_elements("$pull", name, Some(value))?;
        let mut kept = Vec::with_capacity(old.len());
        for element in &old {
            if !self.takes(*element)? {
                kept.push(*element);
            }
        }
        if kept.len() == old.len() {
            return Ok(Outcome::Unchanged);
        }
        Ok(Outcome::array(array(&kept)))
    }

    fn takes(&self, element: RawBsonRef<'_>) -> Result<bool> {
        match (self, element) {
            (Self::Values(values), _) => Ok(values.iter().any(|value| equal(value, element))),
            (Self::Fields(filter), RawBsonRef::Document(document)) => filter.matches(document),
            (Self::Fields(_), _) => Ok(false),
            (Self::Element(filter), _) => {
                let mut wrapped = RawDocumentBuf::new();
                wrapped.append(cstr!("element"), element);
                filter.matches(RawDocument::from_bytes(wrapped.as_bytes()).map_err(raw::corrupt)?)
            }
        }
    }
}

/// The field that an element becomes for a filter.
const ELEMENT: &str = "element";

fn is_logical(operator: &str) -> bool {
    matches!(operator, "$and" | "$or" | "$nor" | "$expr")
}

fn equal(value: &RawBson, other: RawBsonRef<'_>) -> bool {
    compare(value.as_raw_bson_ref(), other).is_eq()
}

/// The elements of the array that is in the field `name`; of one that is not there, none.
///
/// # Errors
/// [`Error::Invalid`] when something else is there.
fn old_elements<'a>(operator: &str, name: &str, value: Option<RawBsonRef<'a>>) -> Result<Vec<RawBsonRef<'a>>> {
    match value {
        None => Ok(Vec::new()),
        Some(RawBsonRef::Array(old)) => elements(old).collect(),
        Some(other) => {
            let message = format!("{operator} needs an array in {name:?}, which is of type {:?}", other.element_type());
            Err(Error::from(Code::BAD_VALUE.wrong_type(message)))
        }
    }
}

fn array(elements: &[RawBsonRef<'_>]) -> RawArrayBuf {
    let mut new = RawArrayBuf::new();
    elements.iter().for_each(|element| new.push(*element));
    new
}
