//! Tokens: a transaction that is sent again within ten minutes happens once.
//!
//! | bytes | field     | encoding                                                    |
//! |-------|-----------|-------------------------------------------------------------|
//! | 6     |           | owner `0x30`, storage id 0, kind `0x00`                     |
//! | 2..   | namespace | account and region, escaped and terminated                  |
//! | 0..   | token     | raw                                                         |
//!
//! The value is the moment until which it counts, in microseconds as an ordered i64, and the SHA-256 of the request.
//! Both are written in the commit of the transaction.

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::encoding::ordered::{Reader, put_bytes, put_i64};
use crate::error::Result;
use crate::expiry;
use crate::item::place::Place;
use crate::item::{Fault, layout};
use crate::limits;
use crate::txn::Writer;

/// What a request is compared by.
pub(super) type Fingerprint = [u8; 32];

/// The fingerprint of a request, of its parts in order. Equal requests have equal parts.
pub(super) fn fingerprint<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Notes that the request with `token` is being done. Returns whether it was done before.
///
/// # Errors
/// [`Fault::IdempotentParameterMismatch`] when another request was done with it.
pub(super) fn claim(writer: &mut Writer, place: &Place, token: &str, request: &Fingerprint) -> Result<bool> {
    let (key, now) = (key(place, token), writer.now());
    if let Some(value) = writer.get(&key)? {
        let mut reader = Reader::new(&value);
        let until = Timestamp::from_micros(reader.i64()?);
        if now < until {
            if reader.rest() != request {
                return Err(Fault::IdempotentParameterMismatch.into_error());
            }
            return Ok(true);
        }
        expiry::cancel(writer, until, &key);
    }
    let seconds = limits::ITEM_TRANSACTION_TOKEN_SECONDS;
    let until = Timestamp::from_micros(now.as_micros().saturating_add(seconds.saturating_mul(1_000_000)));
    let mut value = Vec::new();
    put_i64(&mut value, until.as_micros());
    value.extend_from_slice(request);
    writer.put(&key, value)?;
    expiry::schedule(writer, until, &key)?;
    Ok(false)
}

/// Forgets the token that is kept at `key`, whose time is over.
pub(super) fn forget(writer: &mut Writer, key: &[u8]) {
    writer.remove(key);
}

fn key(place: &Place, token: &str) -> Vec<u8> {
    let mut key = layout::prefix(layout::NO_TABLE, None);
    put_bytes(&mut key, place.namespace().as_bytes());
    key.extend_from_slice(token.as_bytes());
    key
}
