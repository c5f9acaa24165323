//! Key patterns: which paths an index or a sort goes by, in which directions, and the keys a document has under them.
//!
//! # Arrays
//! A document has one key for each element of an array on one of the paths. Paths that go through the same array walk
//! it together, paths through different arrays cannot be combined. A missing field counts as null, an empty array has a
//! key of its own below null.
//!
//! A sort takes the lowest of a document's keys under the sort's pattern, in which descending fields are inverted: the
//! smallest element ascending and the largest descending.

use std::sync::Arc;

use bson::{Bson, Document, RawArray, RawBson, RawBsonRef, RawDocument};
use smallvec::SmallVec;

use crate::document::code::Code;
use crate::document::collation::Collator;
use crate::document::index_key::{hash_number, put_empty_array, put_field, put_hashed, put_index_field};
use crate::document::number::Number;
use crate::document::order::{Order, Value};
use crate::document::path::{FieldPath, For, Part, elements};
use crate::document::raw::{corrupt, field};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// Paths with directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    fields: Vec<PatternField>,
    /// What orders text, if not its bytes do.
    collator: Option<Arc<Collator>>,
}

/// Room for the key of a short text or some numbers, made at once: a key that grows from nothing costs a reallocation.
const KEY_CAPACITY: usize = 32;

/// How a value becomes a field of a key.
pub(super) type PutField = fn(&mut Vec<u8>, &Value<'_>, bool, Order<'_>) -> Result<()>;

/// One path of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternField {
    pub(super) path: FieldPath,
    pub(super) descending: bool,
    /// Whether a key has a hash of the value in its place.
    pub(super) hashed: bool,
}

/// How a field of an index goes by its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Ascending,
    Descending,
    Hash,
}

/// The keys of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Encoded fields, distinct and in order.
    pub(super) encoded: SmallVec<[Vec<u8>; 1]>,
    /// The fields of the pattern that go through an array, one bit each, the first lowest.
    pub(super) multikey: u32,
    /// The paths below a wildcard that are arrays, distinct and in order.
    pub(super) array_paths: Vec<String>,
}

impl Pattern {
    /// Reads `{path: direction, …}`; any number above 0 is ascending, any below descending.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a direction that is none, [`Error::LimitExceeded`] for too many fields.
    #[cfg(test)]
    pub(super) fn parse(keys: &Document) -> Result<Self> {
        let by = |(path, direction): (&String, &Bson)| {
            let descending = Number::from_bson(direction).is_some_and(|number| number.as_f64() < 0.0);
            (path.clone(), if descending { By::Descending } else { By::Ascending })
        };
        Self::of_index(keys.iter().map(by), false)
    }

    /// The pattern of an index, which may have no fields when it has others beside them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a path that no index can have, or for one that is there twice; [`Error::LimitExceeded`] for too many
    /// fields.
    pub(super) fn of_index(fields: impl Iterator<Item = (String, By)>, may_be_empty: bool) -> Result<Self> {
        let field = |(path, by): (String, By)| {
            let field = Self::field(&path, by == By::Descending, For::Index)?;
            Ok(PatternField { hashed: by == By::Hash, ..field })
        };
        Self::from_fields(fields.map(field), may_be_empty)
    }

    /// The pattern of these fields.
    pub(super) fn of_fields(fields: Vec<PatternField>) -> Self {
        Self { fields, collator: None }
    }

    /// The order that `keys` ask for, of which `direction` reads each value.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a direction that is read as neither 1 nor -1, and for what is not a key pattern.
    pub(super) fn parse_sort(keys: &Document, direction: impl Fn(Number) -> Option<i64>) -> Result<Self> {
        let fields = keys.iter().map(|(path, value)| {
            if let Some(expression) = value.as_document()
                && let Some((by, kind)) = expression.iter().next()
            {
                if by == "$meta" {
                    return Err(sort_by_meta(expression, kind));
                }
                return Err(Code::SORT_EXPRESSION.syntax(format!("a sort by an expression is one by $meta, not {by}")));
            }
            let Some(number) = Number::from_bson(value) else {
                let message = format!("$sort key ordering must be 1 or -1, and that of {path:?} is not");
                return Err(Code::SORT_DIRECTION_TYPE.value(message));
            };
            let Some(direction @ (1 | -1)) = direction(number) else {
                let message = format!("$sort key ordering must be 1 or -1, and that of {path:?} is not");
                return Err(Code::SORT_DIRECTION.value(message));
            };
            Self::field(path, direction < 0, For::Expression)
        });
        if keys.is_empty() {
            return Err(Code::SORT_EMPTY.value("a sort needs at least one field"));
        }
        Self::from_fields(fields, false)
    }

    /// The pattern as a user writes it.
    pub(super) fn to_document(&self) -> Document {
        self.fields.iter().map(|field| (field.path.as_str().to_owned(), field.direction())).collect()
    }

    /// The pattern by whose keys text is ordered by `collator`.
    pub(super) fn collated(mut self, collator: Option<&Arc<Collator>>) -> Self {
        self.collator = collator.cloned();
        self
    }

    /// What orders text, if not its bytes do.
    pub(super) fn collator(&self) -> Option<&Arc<Collator>> {
        self.collator.as_ref()
    }

    /// The order of values in its keys.
    pub(super) fn order(&self) -> Order<'_> {
        Order::of(self.collator.as_deref())
    }

    pub(super) fn fields(&self) -> &[PatternField] {
        &self.fields
    }

    /// The keys of `document` in an index, where long values are shortened; of a `sparse` one, only those that have a field.
    ///
    /// # Errors
    /// [`InvalidKind::ParallelArrays`] when two paths go through different arrays; [`InvalidKind::Value`] when a number in
    /// a path is both a position in an array and a field of its objects; [`Code::HASHED_ARRAY`] when a field is hashed.
    pub(super) fn keys(&self, document: &RawDocument, sparse: bool) -> Result<Keys> {
        self.encode(document, put_index_field, sparse)
    }

    /// The key that `document` sorts by, whole.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(super) fn sort_key(&self, document: &RawDocument) -> Result<Vec<u8>> {
        Ok(self.encode(document, put_field, false)?.encoded.into_iter().next().unwrap_or_default())
    }

    /// The keys of `document` in an index, as [`Pattern::keys`] has them, but whole.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(super) fn whole_keys(&self, document: &RawDocument, sparse: bool) -> Result<Keys> {
        self.encode(document, put_field, sparse)
    }

    /// The keys of `document` in an index in their order, each with the values it is made of: null for a field that is missing,
    /// undefined for an array without elements, a number for one that is hashed. A path that is in `texts` leads to the text there.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(super) fn keys_with_values(
        &self,
        document: &RawDocument,
        texts: &[(&str, &str)],
    ) -> Result<Vec<(Vec<u8>, Vec<RawBson>)>> {
        let slots = self.fields.iter().map(|field| match texts.iter().find(|(path, _)| field.path.as_str() == *path) {
            Some((_, text)) => Slot::Value(RawBsonRef::String(text)),
            None => Slot::In(document, field.path.parts()),
        });
        let mut found = Vec::new();
        self.expand(slots.collect(), &mut 0, &mut |slots| {
            let key = self.key_of(slots, put_index_field)?;
            let values = slots.iter().zip(&self.fields).map(|(slot, field)| self.value_of(slot, field));
            found.push((key, values.collect::<Result<_>>()?));
            Ok(())
        })?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    fn value_of(&self, slot: &Slot<'_>, field: &PatternField) -> Result<RawBson> {
        let value = match slot {
            Slot::Value(value) => *value,
            Slot::EmptyArray => RawBsonRef::Undefined,
            Slot::Missing | Slot::In(..) | Slot::At(..) => RawBsonRef::Null,
        };
        if field.hashed {
            return hash_number(&Value::from(value), self.order()).map(RawBson::Int64);
        }
        Ok(value.into())
    }

    fn encode(&self, document: &RawDocument, put: PutField, sparse: bool) -> Result<Keys> {
        let mut keys = Keys::default();
        let mut only = Vec::with_capacity(KEY_CAPACITY);
        if self.put_only_key(&mut only, document, put)? {
            keys.encoded.push(only);
            return Ok(keys);
        }
        let slots = self.fields.iter().map(|field| Slot::In(document, field.path.parts())).collect();
        let Keys { encoded, multikey, .. } = &mut keys;
        self.expand(slots, multikey, &mut |slots| {
            if !sparse || slots.iter().any(|slot| !matches!(slot, Slot::Missing)) {
                encoded.push(self.key_of(slots, put)?);
            }
            Ok(())
        })?;
        keys.encoded.sort_unstable();
        keys.encoded.dedup();
        Ok(keys)
    }

    /// Appends the key of a document that has one, when no path leads below the top or to an array, and every one to a value. So
    /// it is of most, and neither slots nor rounds are needed. Otherwise returns `false`, and what is in `out` then does not count.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(super) fn put_only_key(&self, out: &mut Vec<u8>, document: &RawDocument, put: PutField) -> Result<bool> {
        for own in &self.fields {
            let [part] = own.path.parts() else { return Ok(false) };
            let value = match field(document, part.name())? {
                Some(value) if !matches!(value, RawBsonRef::Array(_)) => value,
                _ => return Ok(false),
            };
            let put = if own.hashed { put_hashed } else { put };
            put(out, &Value::from(value), own.descending, self.order())?;
        }
        Ok(!self.fields.is_empty())
    }

    fn field(path: &str, descending: bool, purpose: For) -> Result<PatternField> {
        Ok(PatternField { path: FieldPath::parse(path, purpose)?, descending, hashed: false })
    }

    fn from_fields(fields: impl Iterator<Item = Result<PatternField>>, may_be_empty: bool) -> Result<Self> {
        let fields = fields.collect::<Result<Vec<_>>>()?;
        limits::check("fields of a key pattern", limits::INDEX_KEYS_MAX, fields.len())?;
        if fields.is_empty() && !may_be_empty {
            return Err(Code::CANNOT_CREATE_INDEX.value("a key pattern needs at least one field"));
        }
        for (index, field) in fields.iter().enumerate() {
            if fields.iter().take(index).any(|other| other.path == field.path) {
                return Err(Error::value(format!("{:?} is twice in a pattern", field.path.as_str())));
            }
        }
        Ok(Self { fields, collator: None })
    }

    /// Walks every slot to its value or to the first array, and then once more for each element of that array. `take` gets the slots
    /// of each key, and `multikey` the bits of the fields that go through an array.
    ///
    /// Each round uses up a part of a path, which bounds the recursion.
    fn expand<'a>(
        &self,
        mut slots: Vec<Slot<'a>>,
        multikey: &mut u32,
        take: &mut impl FnMut(&[Slot<'a>]) -> Result<()>,
    ) -> Result<()> {
        let mut shared: Option<&RawArray> = None;
        for (index, slot) in slots.iter_mut().enumerate() {
            if let Slot::In(document, parts) = *slot {
                *slot = descend(document, parts)?;
            }
            let Slot::At(array, _) = *slot else { continue };
            if self.fields.iter().any(|field| field.hashed) {
                return Err(Code::HASHED_ARRAY.value("hashed indexes do not support array values"));
            }
            *multikey |= 1 << index;
            if shared.is_some_and(|other| !std::ptr::eq(other.as_bytes(), array.as_bytes())) {
                return Err(Error::invalid(InvalidKind::ParallelArrays, self.parallel()));
            }
            shared = Some(array);
        }
        let Some(array) = shared else { return take(&slots) };
        if array.is_empty() {
            let emptied = slots.into_iter().map(|slot| slot.step(None)).collect();
            return self.expand(emptied, multikey, take);
        }
        for element in elements(array) {
            let element = element?;
            self.expand(slots.iter().map(|slot| slot.step(Some(element))).collect(), multikey, take)?;
        }
        Ok(())
    }

    fn key_of(&self, slots: &[Slot<'_>], put: PutField) -> Result<Vec<u8>> {
        let mut key = Vec::with_capacity(KEY_CAPACITY);
        for (slot, field) in slots.iter().zip(&self.fields) {
            let put = if field.hashed { put_hashed } else { put };
            match slot {
                Slot::Value(value) => put(&mut key, &Value::from(*value), field.descending, self.order())?,
                Slot::Missing => put(&mut key, &Value::Null, field.descending, self.order())?,
                Slot::EmptyArray => put_empty_array(&mut key, field.descending),
                Slot::In(..) | Slot::At(..) => {}
            }
        }
        Ok(key)
    }

    fn parallel(&self) -> String {
        let paths: Vec<_> = self.fields.iter().map(|field| field.path.as_str()).collect();
        format!("cannot index or sort by parallel arrays: two of {} are arrays in one document", paths.join(", "))
    }
}

impl PatternField {
    fn direction(&self) -> Bson {
        if self.hashed { "hashed".into() } else { Bson::Int32(if self.descending { -1 } else { 1 }) }
    }
}

/// How far the walk has got on one path.
#[derive(Clone, Copy, Debug)]
enum Slot<'a> {
    /// In an object, with parts to go.
    In(&'a RawDocument, &'a [Part]),
    /// At an array, with parts to go in its elements, or none.
    At(&'a RawArray, &'a [Part]),
    /// Done.
    Value(RawBsonRef<'a>),
    /// Done, at nothing, which counts as null.
    Missing,
    /// Done, at an array without elements.
    EmptyArray,
}

impl<'a> Slot<'a> {
    /// Steps from an array to one of its elements, or to `None` because it has none.
    fn step(self, element: Option<RawBsonRef<'a>>) -> Self {
        let Self::At(_, parts) = self else { return self };
        match element {
            None if parts.is_empty() => Self::EmptyArray,
            Some(value) if parts.is_empty() => Self::Value(value),
            Some(RawBsonRef::Document(document)) => Self::In(document, parts),
            _ => Self::Missing,
        }
    }
}

/// Follows `parts` to their value or to an array.
fn descend<'a>(document: &'a RawDocument, parts: &'a [Part]) -> Result<Slot<'a>> {
    let (mut document, mut parts) = (document, parts);
    while let Some((part, rest)) = parts.split_first() {
        match (field(document, part.name())?, rest) {
            (Some(RawBsonRef::Array(array)), rest) => match at_position(array, rest)? {
                Slot::In(inner, rest) => (document, parts) = (inner, rest),
                stop => return Ok(stop),
            },
            (Some(value), []) => return Ok(Slot::Value(value)),
            (Some(RawBsonRef::Document(inner)), rest) => (document, parts) = (inner, rest),
            (_, _) => break,
        }
    }
    Ok(Slot::Missing)
}

/// Follows the positions that `parts` begin with; stops at `array` itself when they begin with a name.
fn at_position<'a>(array: &'a RawArray, parts: &'a [Part]) -> Result<Slot<'a>> {
    let (mut array, mut parts) = (array, parts);
    while let Some((part, rest)) = parts.split_first() {
        let Some(position) = part.position() else { break };
        let Some(element) = array.get(position).map_err(corrupt)? else { break };
        refuse_ambiguity(array, part)?;
        match (element, rest) {
            (RawBsonRef::Array(inner), rest) => (array, parts) = (inner, rest),
            (value, []) => return Ok(Slot::Value(value)),
            (RawBsonRef::Document(inner), rest) => return Ok(Slot::In(inner, rest)),
            _ => return Ok(Slot::Missing),
        }
    }
    Ok(Slot::At(array, parts))
}

fn refuse_ambiguity(array: &RawArray, part: &Part) -> Result<()> {
    for element in elements(array) {
        if let RawBsonRef::Document(document) = element?
            && field(document, part.name())?.is_some()
        {
            let message = format!("{:?} is both a position in an array and a field of its objects", part.name());
            return Err(Code::AMBIGUOUS_INDEX_KEY_PATH.value(message));
        }
    }
    Ok(())
}

/// Why there is no sort by `{$meta: kind}`.
fn sort_by_meta(expression: &Document, kind: &Bson) -> Error {
    const KINDS: &[&str] = &[
        "textScore",
        "searchScore",
        "vectorSearchScore",
        "score",
        "randVal",
        "geoNearDistance",
        "searchSequenceToken",
    ];
    if expression.len() > 1 {
        return Code::FAILED_TO_PARSE.syntax("$meta stands alone in a sort");
    }
    match kind.as_str() {
        Some(kind) if KINDS.contains(&kind) => Error::unsupported(format!("a sort by $meta {kind:?}")),
        _ => Code::SORT_META.syntax("there is no sort by this $meta"),
    }
}

#[cfg(test)]
mod tests;
