//! How long a command may take, what it may read and how well its writes are to be kept: fields that commands have alike.
//!
//! One server has everything that it has acknowledged, so every level of reading and of writing that it can have it has. What is checked
//! is that these fields mean something.
//!
//! # Source
//! MongoDB manual, read concern, write concern, `maxTimeMS`.

use bson::{RawBsonRef, RawDocument};

use crate::server::mongo::command::Flags;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Arguments, Types, double_of, integer_of, truth_of, type_of, whole_of, wrong_type};

const LEVELS: &[&str] = &["local", "available", "majority", "linearizable", "snapshot"];

const PROVENANCES: &[&str] =
    &["clientSupplied", "customDefault", "getLastErrorDefaults", "implicitDefault", "internalWriteDefault"];

/// The most members that a write can be asked to reach.
const MEMBERS_MAX: i64 = 50;

/// Checks the fields of a command that has these flags.
///
/// # Errors
/// 2, 9 and 14 for values that mean nothing, 40415 for fields that are not known, 72 for a level at which the command does not read.
pub(super) fn check(arguments: &Arguments<'_>, flags: Flags) -> Result<()> {
    if let Some(time) = arguments.get("maxTimeMS") {
        check_time(time)?;
    }
    if let Some(concern) = arguments.document("readConcern") {
        check_reading(concern, flags)?;
    }
    let Some(concern) = arguments.document("writeConcern") else { return Ok(()) };
    check_writing(concern)?;
    if flags.contains(Flags::LISTS) {
        return Err(Failure::new(code::INVALID_OPTIONS, "the command does not support writeConcern"));
    }
    Ok(())
}

/// The level at which a command asks to read.
pub(super) fn level<'a>(arguments: &Arguments<'a>) -> Option<&'a str> {
    arguments.document("readConcern")?.get("level").ok().flatten()?.as_str()
}

fn check_time(time: RawBsonRef<'_>) -> Result<()> {
    let Some(millis) = whole_of(time) else {
        return Err(Failure::new(code::FAILED_TO_PARSE, "maxTimeMS has non-integral value"));
    };
    if i32::try_from(millis).is_err() || millis < 0 {
        return Err(Failure::new(code::BAD_VALUE, format!("{millis} value for maxTimeMS is out of range")));
    }
    Ok(())
}

fn check_reading(concern: &RawDocument, flags: Flags) -> Result<()> {
    let (mut level, mut at) = ("local", false);
    for (name, value) in concern.iter().flatten() {
        let path = format!("readConcern.{name}");
        match (name.as_str(), value) {
            ("level" | "provenance", RawBsonRef::Null | RawBsonRef::Undefined) => {}
            ("level", RawBsonRef::String(text)) => level = one_of(&path, text, LEVELS)?,
            ("provenance", RawBsonRef::String(text)) => drop(one_of(&path, text, PROVENANCES)?),
            ("level" | "provenance", value) => return Err(wrong_type(&path, value, Types::STRING)),
            ("afterClusterTime" | "atClusterTime", value) if !matches!(value, RawBsonRef::Timestamp(_)) => {
                return Err(wrong_type(&path, value, Types::TIMESTAMP));
            }
            ("atClusterTime", _) => at = true,
            ("afterClusterTime" | "allowTransactionTableSnapshot" | "waitLastStableRecoveryTimestamp", _) => {}
            _ => return Err(unknown(&path)),
        }
    }
    if level != "local" && !flags.contains(Flags::READS) {
        let message = format!("the command does not read at the level '{level}'");
        return Err(Failure::new(code::INVALID_OPTIONS, message));
    }
    match (at, level) {
        (false, _) => Ok(()),
        (true, "snapshot") => Err(Failure::new(code::NOT_IMPLEMENTED, "reading at an earlier time is not supported")),
        (true, _) => Err(Failure::new(code::INVALID_OPTIONS, "atClusterTime needs the level 'snapshot'")),
    }
}

fn check_writing(concern: &RawDocument) -> Result<()> {
    for (name, value) in concern.iter().flatten() {
        let path = format!("writeConcern.{name}");
        match (name.as_str(), value) {
            ("w", RawBsonRef::String(_)) | ("j" | "fsync", RawBsonRef::Null | RawBsonRef::Undefined) => {}
            ("w", RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Double(_) | RawBsonRef::Decimal128(_)) => {
                let is_number = !double_of(value).is_some_and(f64::is_nan);
                let members = integer_of(value).filter(|_| is_number).unwrap_or(-1);
                if !(0..=MEMBERS_MAX).contains(&members) {
                    let message = format!("w has to be between 0 and {MEMBERS_MAX}, and is {members}");
                    return Err(Failure::new(code::FAILED_TO_PARSE, message));
                }
            }
            // Tags, of which a server that is the whole set has none to be told apart by.
            ("w", RawBsonRef::Document(tags))
                if !tags.is_empty() && tags.iter().flatten().all(|(_, count)| is_number(count)) => {}
            ("w", _) => return Err(Failure::new(code::FAILED_TO_PARSE, "w has to be a number or a string")),
            ("wtimeout", value) if integer_of(value).is_some_and(|millis| millis > i64::from(i32::MAX)) => {
                return Err(Failure::new(code::FAILED_TO_PARSE, "wtimeout has to fit in 32 bits"));
            }
            ("j" | "fsync", value) if truth_of(value).is_none() => return Err(wrong_type(&path, value, Types::TRUTH)),
            ("j" | "fsync" | "wtimeout" | "provenance", _) => {}
            _ => return Err(unknown(&path)),
        }
    }
    Ok(())
}

/// Why the one member of the set cannot keep a write as well as `concern` asks; `None` where it can.
pub(super) fn unmet(concern: &RawDocument) -> Option<Failure> {
    match concern.get("w").ok().flatten()? {
        RawBsonRef::String("majority") => None,
        RawBsonRef::String(mode) => {
            let message = format!("No write concern mode named '{mode}' found in replica set configuration");
            Some(Failure::new(code::UNKNOWN_WRITE_CONCERN, message))
        }
        w => {
            let is_met = integer_of(w).is_some_and(|members| members <= 1);
            (!is_met).then(|| Failure::new(code::UNSATISFIABLE_WRITE_CONCERN, "Not enough data-bearing nodes"))
        }
    }
}

fn is_number(value: RawBsonRef<'_>) -> bool {
    Types::NUMBER.intersects(type_of(value))
}

/// The one of `known` that `text` is.
fn one_of<'t>(path: &str, text: &'t str, known: &[&str]) -> Result<&'t str> {
    let refused =
        || Failure::new(code::BAD_VALUE, format!("Enumeration value '{text}' for field '{path}' is not valid"));
    known.contains(&text).then_some(text).ok_or_else(refused)
}

fn unknown(path: &str) -> Failure {
    Failure::new(code::UNKNOWN_FIELD, format!("BSON field '{path}' is an unknown field."))
}

#[cfg(test)]
mod tests {
    use bson::{Decimal128, RawDocumentBuf, rawdoc};

    use super::*;
    use crate::server::mongo::wire::{Form, Request};

    #[test]
    fn more_members_than_one_are_not_there() {
        let code = |w: bson::RawBson| unmet(&rawdoc! { "w": w }).map(|failure| failure.code);
        assert_eq!((code(1.into()), code(0.into()), code("majority".to_owned().into())), (None, None, None));
        assert_eq!((code(2.into()), code("near".to_owned().into())), (Some(100), Some(79)));
        assert_eq!((unmet(&rawdoc! {}), code(rawdoc! { "dc": 1 }.into())), (None, Some(100)));
    }

    fn code_of(body: &RawDocumentBuf, flags: Flags) -> Option<i32> {
        let form = Form::Message { more_to_come: false, exhaust_allowed: false };
        let request = Request { id: 1, form, body, sequences: Vec::new(), is_too_deep: false };
        let arguments = Arguments::check("find", &[], false, &request).unwrap();
        check(&arguments, flags).err().map(|failure| failure.code)
    }

    #[test]
    fn a_time_is_a_whole_number_of_milliseconds() {
        let of = |body: &RawDocumentBuf| code_of(body, Flags::READS);
        assert_eq!(of(&rawdoc! { "find": "c", "maxTimeMS": 0.0 }), None);
        assert_eq!(of(&rawdoc! { "find": "c", "maxTimeMS": 2_147_483_647_i64 }), None);
        assert_eq!(of(&rawdoc! { "find": "c", "maxTimeMS": 1.5 }), Some(9));
        assert_eq!(of(&rawdoc! { "find": "c", "maxTimeMS": f64::NAN }), Some(9));
        assert_eq!(of(&rawdoc! { "find": "c", "maxTimeMS": -1 }), Some(2));
        let beyond: Decimal128 = "2147483648".parse().unwrap();
        assert_eq!(of(&rawdoc! { "find": "c", "maxTimeMS": beyond }), Some(2));
    }

    #[test]
    fn a_read_concern_has_a_level_at_which_the_command_reads() {
        let of = |concern: RawDocumentBuf, flags| code_of(&rawdoc! { "find": "c", "readConcern": concern }, flags);
        assert_eq!(of(rawdoc! { "level": "majority" }, Flags::READS), None);
        assert_eq!(of(rawdoc! { "level": "majority" }, Flags::empty()), Some(72));
        assert_eq!(of(rawdoc! { "level": "Local" }, Flags::READS), Some(2));
        assert_eq!(of(rawdoc! { "level": 1 }, Flags::READS), Some(14));
        assert_eq!(of(rawdoc! { "nosuch": 1 }, Flags::READS), Some(40415));
        assert_eq!(of(rawdoc! { "afterClusterTime": 1 }, Flags::READS), Some(14));
    }

    #[test]
    fn a_write_concern_names_as_many_members_as_there_can_be() {
        let of = |concern: RawDocumentBuf| code_of(&rawdoc! { "find": "c", "writeConcern": concern }, Flags::empty());
        assert_eq!(of(rawdoc! { "w": "majority", "j": true, "wtimeout": 5 }), None);
        assert_eq!(of(rawdoc! { "w": 51 }), Some(9));
        assert_eq!(of(rawdoc! { "w": [1] }), Some(9));
        assert_eq!(of(rawdoc! { "j": "x" }), Some(14));
        assert_eq!(of(rawdoc! { "nosuch": 1 }), Some(40415));
        let listing = rawdoc! { "find": "c", "writeConcern": { "w": 1 } };
        assert_eq!(code_of(&listing, Flags::LISTS), Some(72));
    }
}
