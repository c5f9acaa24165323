//! Documents on their way in and out: serialization, `_id`, and what every stored document must meet.

use std::any::Any;
use std::borrow::Cow;

use bson::oid::ObjectId;
use bson::raw::{BindRawBsonRef, cstr};
use bson::spec::ElementType;
use bson::{Bson, Document, RawArray, RawBsonRef, RawDeserializer, RawDocument, RawDocumentBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::document::code::Code;
use crate::document::depth::{self, Bounded};
use crate::document::well_formed::is_well_formed;
use crate::document::{decode, raw, shown};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// What is limited, as errors name it.
const DEPTH: &str = "document depth in levels";

const SECONDS_OF_OBJECT_ID: i64 = 1 << 32;

/// Room for most documents, made at once.
const DOCUMENT_CAPACITY: usize = 256;

/// Serializes `value`, which must become a document.
pub(super) fn serialize<T: Serialize + ?Sized>(value: &T) -> Result<RawDocumentBuf> {
    let mut bytes = Vec::with_capacity(DOCUMENT_CAPACITY);
    serialize_to(&mut bytes, value)?;
    RawDocumentBuf::from_bytes(bytes).map_err(unserializable)
}

/// Serializes `value`, which must become a document, behind what `bytes` hold, and returns it.
pub(super) fn serialize_to<'b, T: Serialize + ?Sized>(bytes: &'b mut Vec<u8>, value: &T) -> Result<&'b RawDocument> {
    let start = bytes.len();
    bson::serialize_to_buffer(&Bounded::new(value), bytes).map_err(|error| {
        if error.message.as_deref().is_some_and(|message| message.contains(depth::TOO_DEEP)) {
            let (max, found) = (limits::DOCUMENT_STORED_DEPTH_MAX as u64, limits::DOCUMENT_DEPTH_MAX as u64 + 1);
            return Error::LimitExceeded { limit: DEPTH, max, found };
        }
        unserializable(error)
    })?;
    RawDocument::from_bytes(bytes.get(start..).unwrap_or_default()).map_err(unserializable)
}

/// The value of `document`, which is in what `collection` names, when it is asked to.
///
/// # Errors
/// [`InvalidKind::Serialization`], naming the field, the document and the collection, when it is not the value of a `T`.
pub(super) fn deserialize<T: DeserializeOwned>(
    document: &RawDocument,
    collection: impl FnOnce() -> String,
) -> Result<T> {
    if let Some(value) = decode::decoded(document) {
        return Ok(value);
    }
    bson::deserialize_from_slice(document.as_bytes()).map_err(|error| {
        // Only now, for keeping the path costs time with every field.
        let located = RawDeserializer::new(document.as_bytes()).ok().and_then(|deserializer| {
            let found = serde_path_to_error::deserialize::<_, T>(deserializer).err()?;
            let path = found.path().to_string();
            let cause = reason(found.into_inner());
            Some(if path == "." { cause } else { format!("field {path:?}: {cause}") })
        });
        let message = located.unwrap_or_else(|| reason(error));
        let document = shown::document_of(document, &collection());
        Error::invalid(InvalidKind::Serialization, format!("cannot deserialize {document}: {message}"))
    })
}

/// The value of `document`, as [`deserialize`] gives it; documents themselves come without a detour.
pub(super) fn decode<T: DeserializeOwned + 'static>(
    document: &RawDocument,
    collection: impl FnOnce() -> String,
) -> Result<T> {
    let mut decoded: Option<T> = None;
    let place: &mut dyn Any = &mut decoded;
    if let Some(place) = place.downcast_mut::<Option<RawDocumentBuf>>() {
        *place = Some(document.to_owned());
    } else if let Some(place) = place.downcast_mut::<Option<Document>>() {
        let tree = decode::tree(document).map_or_else(|| Document::try_from(document).map_err(raw::corrupt), Ok);
        *place = Some(tree?);
    }
    match decoded {
        Some(decoded) => Ok(decoded),
        None => deserialize(document, collection),
    }
}

/// Checks a document that is about to be stored: its size, its depth, and that all of it decodes.
pub(super) fn check(document: &RawDocument) -> Result<()> {
    check_size(document)?;
    if is_well_formed(document, limits::DOCUMENT_STORED_DEPTH_MAX) {
        return Ok(());
    }
    check_fields(document, 1)
}

/// Checks the size of a document that is checked otherwise.
pub(super) fn check_size(document: &RawDocument) -> Result<()> {
    limits::check("document bytes", limits::DOCUMENT_BYTES_MAX, document.as_bytes().len())
}

/// As [`check_depth`], of the values of a document, which may then be copied.
pub(super) fn check_values(document: &Document) -> Result<()> {
    document.values().try_for_each(check_depth)
}

/// Checks that no value of an operand is nested more deeply than a document can be.
pub(super) fn check_depth(value: &Bson) -> Result<()> {
    fn walk(value: &Bson, depth: usize) -> Result<()> {
        let check = || limits::check("operand levels", limits::DOCUMENT_DEPTH_MAX, depth);
        match value {
            Bson::Document(document) => {
                check()?;
                document.values().try_for_each(|value| walk(value, depth + 1))
            }
            Bson::Array(elements) => {
                check()?;
                elements.iter().try_for_each(|value| walk(value, depth + 1))
            }
            Bson::JavaScriptCodeWithScope(code) => {
                check()?;
                code.scope.values().try_for_each(|value| walk(value, depth + 1))
            }
            _ => Ok(()),
        }
    }
    walk(value, 1)
}

/// `document` with its `_id` first, and that `_id`; where there is none, `generated`.
///
/// # Errors
/// [`InvalidKind::Value`] for an `_id` of a type that cannot be one.
pub(super) fn with_id(
    document: &RawDocument,
    generated: impl FnOnce() -> ObjectId,
) -> Result<(Cow<'_, RawDocument>, Bson)> {
    let Some(id) = raw::field(document, "_id")? else {
        let id = generated();
        return Ok((Cow::Owned(id_first(id, document)?), Bson::ObjectId(id)));
    };
    refuse_as_id(id)?;
    let first = raw::Elements::of(document)?.next()?;
    let in_place = first.is_some_and(|(name, _)| name == b"_id");
    let stored = if in_place { Cow::Borrowed(document) } else { Cow::Owned(id_first(id, document)?) };
    Ok((stored, Bson::try_from(id).map_err(raw::corrupt)?))
}

/// `document`, in which the moment is in the place of each empty timestamp at the top, `_id` aside.
pub(super) fn with_moment(document: Cow<'_, RawDocument>, now: impl Fn() -> Timestamp) -> Result<Cow<'_, RawDocument>> {
    // Few documents have the byte that says that a value is a timestamp, even by accident.
    if !document.as_bytes().contains(&(ElementType::Timestamp as u8)) {
        return Ok(document);
    }
    let is_empty = |value| value == RawBsonRef::Timestamp(bson::Timestamp { time: 0, increment: 0 });
    let mut has_one = false;
    for element in document.iter_elements() {
        let element = element.map_err(raw::corrupt)?;
        has_one |= element.element_type() == ElementType::Timestamp && is_empty(element.value().map_err(raw::corrupt)?);
    }
    if !has_one {
        return Ok(document);
    }
    let (mut filled, mut increment) = (RawDocumentBuf::new(), 0);
    for element in &*document {
        let (name, value) = element.map_err(raw::corrupt)?;
        if is_empty(value) && name.as_str() != "_id" {
            increment += 1;
            let time = u32::try_from(now().as_seconds()).unwrap_or(0);
            filled.append(name, bson::Timestamp { time, increment });
        } else {
            filled.append(name, value);
        }
    }
    Ok(Cow::Owned(filled))
}

/// The document of `_id` and the other fields of `document`.
pub(super) fn id_first(id: impl BindRawBsonRef, document: &RawDocument) -> Result<RawDocumentBuf> {
    let mut stored = RawDocumentBuf::new();
    stored.append(cstr!("_id"), id);
    for element in document.iter_elements() {
        let element = element.map_err(raw::corrupt)?;
        if element.key().as_str() != "_id" {
            stored.append(element.key(), element.value().map_err(raw::corrupt)?);
        }
    }
    Ok(stored)
}

/// The id of a document that comes without: the store's time in seconds, and a number that no other store gives out.
/// Ascending as long as the store is open and its clock is not set back.
pub(super) fn object_id(now: Timestamp, number: u64) -> ObjectId {
    let seconds = u32::try_from(now.as_seconds().rem_euclid(SECONDS_OF_OBJECT_ID)).unwrap_or(0);
    let mut bytes = [0; 12];
    let parts = seconds.to_be_bytes().into_iter().chain(number.to_be_bytes());
    bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
    ObjectId::from_bytes(bytes)
}

fn refuse_as_id(id: RawBsonRef<'_>) -> Result<()> {
    let kind = match id {
        RawBsonRef::Array(_) => "an array",
        RawBsonRef::RegularExpression(_) => "a regular expression",
        RawBsonRef::Undefined => "undefined",
        RawBsonRef::Document(document) if has_operator(document)? => {
            "an object with a field whose name begins with a dollar sign"
        }
        _ => return Ok(()),
    };
    let is_operator = matches!(id, RawBsonRef::Document(_));
    let code = if is_operator { Code::DOLLAR_PREFIXED_FIELD_NAME } else { Code::INVALID_ID_FIELD };
    Err(code.value(format!("_id cannot be {kind}")))
}

/// Whether a field at the top has a name that begins with a dollar sign.
pub(super) fn has_operator(document: &RawDocument) -> Result<bool> {
    Ok(operator(document)?.is_some())
}

/// The first field at the top whose name begins with a dollar sign.
pub(super) fn operator(document: &RawDocument) -> Result<Option<&str>> {
    for element in document.iter_elements() {
        let name = element.map_err(raw::corrupt)?.key().as_str();
        if name.starts_with('$') {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn check_fields(document: &RawDocument, depth: usize) -> Result<()> {
    limits::check(DEPTH, limits::DOCUMENT_STORED_DEPTH_MAX, depth)?;
    for element in document.iter_elements() {
        let value = element.and_then(|element| element.value()).map_err(unserializable)?;
        check_value(value, depth)?;
    }
    Ok(())
}

fn check_elements(array: &RawArray, depth: usize) -> Result<()> {
    limits::check(DEPTH, limits::DOCUMENT_STORED_DEPTH_MAX, depth)?;
    array.into_iter().try_for_each(|element| check_value(element.map_err(unserializable)?, depth))
}

fn check_value(value: RawBsonRef<'_>, depth: usize) -> Result<()> {
    match value {
        RawBsonRef::Document(document) => check_fields(document, depth + 1),
        RawBsonRef::Array(array) => check_elements(array, depth + 1),
        RawBsonRef::JavaScriptCodeWithScope(code) => check_fields(code.scope, depth + 1),
        _ => Ok(()),
    }
}

fn unserializable(error: bson::error::Error) -> Error {
    Error::invalid(InvalidKind::Serialization, reason(error))
}

/// What went wrong, without what kind of error of the crate's it is.
fn reason(error: bson::error::Error) -> String {
    match error.message {
        Some(message) => message,
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn nested(levels: usize) -> Document {
        (1..levels).fold(doc! {}, |inner, _| doc! { "a": inner })
    }

    // SEM: DOC-UPD-9
    #[test]
    fn a_stored_document_is_at_most_180_levels_deep_and_no_other_deeper_than_200() {
        assert!(check(&serialize(&nested(180)).unwrap()).is_ok());
        let error = check(&serialize(&nested(181)).unwrap()).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { max: 180, found: 181, .. }));
        assert!(matches!(serialize(&nested(10_000)), Err(Error::LimitExceeded { max: 180, found: 201, .. })));
        assert!(check_depth(&nested(200).into()).is_ok() && check_depth(&nested(201).into()).is_err());
    }

    // SEM: DOC-UPD-9, ALL-7
    #[test]
    fn a_document_is_at_most_16_mebibytes() {
        let overhead = serialize(&doc! { "a": "" }).unwrap().as_bytes().len();
        let of = |bytes: usize| serialize(&doc! { "a": "x".repeat(bytes - overhead) }).unwrap();
        assert!(check(&of(16 << 20)).is_ok());
        let error = check(&of((16 << 20) + 1)).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { limit: "document bytes", found: 16_777_217, .. }));
    }

    // SEM: DOC-UPD-9
    #[test]
    fn the_id_is_stored_first_and_made_when_missing() {
        let elsewhere = serialize(&doc! { "a": 1, "_id": 7, "b": 2 }).unwrap();
        let (stored, id) = with_id(&elsewhere, || panic!("not asked")).unwrap();
        assert_eq!(id, Bson::Int32(7));
        let names: Vec<_> = stored.iter().map(|field| field.unwrap().0.as_str().to_owned()).collect();
        assert_eq!(names, ["_id", "a", "b"]);
        let made = object_id(Timestamp::from_seconds(0x0102_0304), 0x05_0000_0006);
        assert_eq!(made.to_hex(), "010203040000000500000006");
        assert_eq!(with_id(&serialize(&doc! {}).unwrap(), || made).unwrap().1, Bson::ObjectId(made));
        for bad in [Bson::Array(vec![]), Bson::Undefined] {
            assert!(with_id(&serialize(&doc! { "_id": bad }).unwrap(), || made).is_err());
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let error = serialize(&7).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::Serialization, .. }));
        assert!(deserialize::<u8>(&serialize(&doc! {}).unwrap(), String::new).is_err());
        let mut bytes = serialize(&doc! { "a": "text" }).unwrap().into_bytes();
        bytes[11] = 0xff;
        assert!(check(RawDocument::from_bytes(&bytes).unwrap()).is_err(), "not UTF-8");
    }
}
