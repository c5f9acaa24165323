//! Catalogue records as bytes: the only module that names bincode.
//!
//! A record begins with a format byte, so that a later format can be told apart from this one.

use bincode::config;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::limits;

/// bincode 2, standard configuration.
const FORMAT: u8 = 0x01;

/// Appends `record` to `out`.
pub(super) fn encode<R: Serialize>(record: &R, out: &mut Vec<u8>) -> Result<()> {
    out.push(FORMAT);
    let bytes = bincode::serde::encode_to_vec(record, config::standard())
        .map_err(|error| Error::corrupt("catalogue record", error.to_string()))?;
    out.extend_from_slice(&bytes);
    Ok(())
}

/// Reads what [`encode`] wrote; every byte has to be used.
pub(super) fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R> {
    let Some((&FORMAT, body)) = bytes.split_first() else {
        return Err(Error::corrupt("catalogue record", "it has an unknown format"));
    };
    // A damaged length must not ask for more memory than the longest record has bytes.
    let bounded = config::standard().with_limit::<{ limits::ENGINE_VALUE_BYTES_MAX }>();
    let (record, used) = bincode::serde::decode_from_slice(body, bounded)
        .map_err(|error| Error::corrupt("catalogue record", error.to_string()))?;
    if used < body.len() {
        return Err(Error::corrupt("catalogue record", "bytes are left over"));
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_damage_is_an_error() {
        let mut bytes = Vec::new();
        encode(&("events".to_owned(), vec![1u32, 2]), &mut bytes).unwrap();
        assert_eq!(decode::<(String, Vec<u32>)>(&bytes).unwrap(), ("events".to_owned(), vec![1, 2]));
        for cut in 0..bytes.len() {
            assert!(decode::<(String, Vec<u32>)>(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        bytes.push(0);
        assert!(decode::<(String, Vec<u32>)>(&bytes).is_err(), "left over");
    }

    #[test]
    fn a_damaged_length_takes_no_memory() {
        // 253 begins a number of 64 bits.
        let bytes = [&[FORMAT, 253][..], &[0xff; 8]].concat();
        assert!(matches!(decode::<String>(&bytes), Err(Error::Corruption { .. })));
        assert!(matches!(decode::<Vec<String>>(&bytes), Err(Error::Corruption { .. })));
    }
}
