//! Catalogue records as bytes: the only module that names bincode.
//!
//! | bytes | field  | encoding                                                                     |
//! |-------|--------|------------------------------------------------------------------------------|
//! | 1     | format | `02`: bincode 2, standard configuration                                      |
//! | 4     | length | of what follows, `u32`, big-endian                                           |
//! | 0..   | record | bincode, without the zeros at its end                                        |
//!
//! # Growing
//! A record gets a new field at its end, of a type whose zero (0, `false`, `None`, empty) means what records without the
//! field meant. What is missing at the end of a stored record reads as zeros, so a record that an earlier version wrote is
//! read with the field at its default; and since zeros at the end are not stored, an earlier version reads every record in which
//! the field is at its default. One in which it is not is refused by that version, instead of being misunderstood. Elements of a
//! list grow in the same way when the list is marked `#[serde(with = "growing")]`.

use bincode::config;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};
use crate::limits;

const FORMAT: u8 = 0x02;

/// What the fields that a record lacks may take at most, in bytes of bincode.
const MISSING_BYTES_MAX: usize = 64;

/// Appends `record` to `out`.
pub(super) fn encode<R: Serialize>(record: &R, out: &mut Vec<u8>) -> Result<()> {
    let body = to_bytes(record)?;
    out.push(FORMAT);
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// Reads what [`encode`] wrote; every byte has to be used.
pub(super) fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != FORMAT {
        return Err(Error::corrupt("catalogue record", "it has an unknown format"));
    }
    let length = reader.u32()?;
    if u32::try_from(reader.rest().len()) != Ok(length) {
        return Err(Error::corrupt("catalogue record", "its length is another"));
    }
    of_bytes(reader.rest())
}

/// `record` in bincode, without the zeros at its end.
fn to_bytes<R: Serialize>(record: &R) -> Result<Vec<u8>> {
    let mut bytes = bincode::serde::encode_to_vec(record, config::standard())
        .map_err(|error| Error::corrupt("catalogue record", error.to_string()))?;
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    Ok(bytes)
}

/// Reads what [`to_bytes`] made; what is missing at the end is zeros.
fn of_bytes<R: DeserializeOwned>(bytes: &[u8]) -> Result<R> {
    let mut padded = Vec::with_capacity(bytes.len() + MISSING_BYTES_MAX);
    padded.extend_from_slice(bytes);
    padded.resize(bytes.len() + MISSING_BYTES_MAX, 0);
    // A damaged length must not ask for more memory than the longest record has bytes.
    let bounded = config::standard().with_limit::<{ limits::CATALOGUE_RECORD_BYTES_MAX }>();
    let (record, used) = bincode::serde::decode_from_slice(&padded, bounded)
        .map_err(|error| Error::corrupt("catalogue record", error.to_string()))?;
    if used < bytes.len() {
        return Err(Error::corrupt("catalogue record", "it has fields that this version does not know"));
    }
    Ok(record)
}

/// Lists whose elements can get fields, as records do.
pub(crate) mod growing {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes each element as bytes of its own.
    pub(crate) fn serialize<T: Serialize, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        let elements: Result<Vec<_>, _> = list.iter().map(super::to_bytes).collect();
        elements.map_err(S::Error::custom)?.serialize(serializer)
    }

    /// Reads what [`serialize`] wrote.
    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let elements = Vec::<Vec<u8>>::deserialize(deserializer)?;
        elements.iter().map(|bytes| super::of_bytes(bytes)).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Index {
        name: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct GrownIndex {
        name: String,
        sparse: bool,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Table {
        name: String,
        #[serde(with = "growing")]
        indexes: Vec<Index>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct GrownTable {
        name: String,
        #[serde(with = "growing")]
        indexes: Vec<GrownIndex>,
        comment: Option<String>,
        limit: u64,
    }

    fn encoded<R: Serialize>(record: &R) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(record, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_record_comes_back_and_damage_is_an_error() {
        let mut bytes = encoded(&("events".to_owned(), vec![1u32, 0]));
        assert_eq!(decode::<(String, Vec<u32>)>(&bytes).unwrap(), ("events".to_owned(), vec![1, 0]));
        for cut in 0..bytes.len() {
            assert!(decode::<(String, Vec<u32>)>(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        bytes.push(0);
        assert!(decode::<(String, Vec<u32>)>(&bytes).is_err(), "left over");
    }

    #[test]
    fn a_damaged_length_takes_no_memory() {
        // 253 begins a number of 64 bits.
        let bytes = [&[FORMAT, 0, 0, 0, 9, 253][..], &[0xff; 8]].concat();
        assert!(matches!(decode::<String>(&bytes), Err(Error::Corruption { .. })));
        assert!(matches!(decode::<Vec<String>>(&bytes), Err(Error::Corruption { .. })));
    }

    #[test]
    fn fields_that_an_earlier_version_did_not_write_have_their_defaults() {
        let old = Table { name: "t".into(), indexes: vec![Index { name: "i".into() }] };
        let grown = decode::<GrownTable>(&encoded(&old)).unwrap();
        let indexes = vec![GrownIndex { name: "i".into(), sparse: false }];
        assert_eq!(grown, GrownTable { name: "t".into(), indexes, comment: None, limit: 0 });
        assert_eq!(encoded(&grown), encoded(&old), "the earlier version reads it too");
        assert_eq!(decode::<Table>(&encoded(&grown)).unwrap(), old);
    }

    #[test]
    fn a_field_that_an_earlier_version_does_not_know_is_refused_unless_it_is_at_its_default() {
        let indexes = || vec![GrownIndex { name: "i".into(), sparse: false }];
        let grown = GrownTable { name: "t".into(), indexes: indexes(), comment: None, limit: 7 };
        assert!(matches!(decode::<Table>(&encoded(&grown)), Err(Error::Corruption { .. })));
        let sparse = vec![GrownIndex { name: "i".into(), sparse: true }];
        let grown = GrownTable { name: "t".into(), indexes: sparse, comment: None, limit: 0 };
        assert!(matches!(decode::<Table>(&encoded(&grown)), Err(Error::Corruption { .. })));
    }
}
