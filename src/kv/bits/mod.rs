//! Bitmaps: strings, seen as bits.
//!
//! Bit 0 is the highest bit of the first byte. A string counts as followed by zeros without end where it is read, and is
//! lengthened by them where it is written. A key whose string becomes longer keeps its deadline.
//!
//! # Invariants
//! 1. No operation reaches a bit past [`limits::STRING_BYTES_MAX`] bytes.
//!
//! # Source
//! Redis command reference, bitmap and bitfield commands.

mod bit_field;
mod bit_operation;
mod bit_range;
mod field;

pub use bit_field::{BitFieldOperation, BitOverflow};
pub use bit_operation::BitOperation;
pub use bit_range::BitRange;
pub use field::BitField;

use crate::error::{Error, InvalidKind, Result};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::{Kv, string};
use crate::limits;
use crate::txn::{Scope, WriteScope};

impl<S: Scope> Kv<S> {
    /// The bit at `offset` of the string at `key`; 0 past its end, and when there is no such key.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an offset that no string reaches, [`Error::WrongType`] when the key holds something else,
    /// [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", [0b0100_0000])?;
    /// assert!(kv.get_bit("k", 1)? && !kv.get_bit("k", 2)? && !kv.get_bit("k", 1_000)?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GETBIT`.
    #[doc(alias = "GETBIT")]
    pub fn get_bit(&self, key: impl AsRef<[u8]>, offset: u64) -> Result<bool> {
        self.read("get_bit", key.as_ref(), |view, key| {
            let (byte, mask) = locate(offset)?;
            let bit = string::look(view, key, |value| value.get(byte).is_some_and(|byte| byte & mask != 0))?;
            Ok(bit.unwrap_or(false))
        })
    }
}

impl<S: WriteScope> Kv<S> {
    /// Sets the bit at `offset` of the string at `key` and returns what it was. The string grows to the bit's byte.
    ///
    /// # Errors
    /// As [`Kv::get_bit`].
    ///
    /// # Cost
    /// One lookup, one copy of the value, one put.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(!kv.set_bit("k", 9, true)?);
    /// assert!(kv.set_bit("k", 9, true)?);
    /// assert_eq!(kv.get("k")?, Some(vec![0, 0b0100_0000]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SETBIT`.
    #[doc(alias = "SETBIT")]
    pub fn set_bit(&self, key: impl AsRef<[u8]>, offset: u64, bit: bool) -> Result<bool> {
        self.write("set_bit", key.as_ref(), |writer, key| {
            let (byte, mask) = locate(offset)?;
            let (head, value) = string::claim(writer, key)?;
            let mut value = value.unwrap_or_default();
            let is_there = byte < value.len();
            grow(&mut value, byte + 1);
            let before = replace_bit(&mut value, byte, mask, bit);
            if is_there && before == bit {
                return Ok(before);
            }
            string::change(writer, key, head, &value)?;
            tell(writer, KeyEvents::STRINGS, "setbit", key);
            Ok(before)
        })
    }
}

/// Byte and mask of the bit at `offset`.
fn locate(offset: u64) -> Result<(usize, u8)> {
    let byte = usize::try_from(offset / 8).ok().filter(|byte| *byte < limits::STRING_BYTES_MAX);
    let byte = byte.ok_or_else(out_of_range)?;
    Ok((byte, 0x80 >> (offset % 8)))
}

fn out_of_range() -> Error {
    Error::invalid(InvalidKind::Value, "bit offset is not an integer or out of range")
}

/// Lengthens `value` to `len` bytes, if it is shorter.
fn grow(value: &mut Vec<u8>, len: usize) {
    if value.len() < len {
        value.resize(len, 0);
    }
}

/// Gives the bit the value `bit`, and returns the one it had. There is nothing past the end.
fn replace_bit(value: &mut [u8], byte: usize, mask: u8, bit: bool) -> bool {
    let Some(byte) = value.get_mut(byte) else { return false };
    let before = *byte & mask != 0;
    if bit {
        *byte |= mask;
    } else {
        *byte &= !mask;
    }
    before
}

#[cfg(test)]
mod tests;
