//! Order-preserving bytes for integers, floats and byte strings.
//!
//! Every `put_*` appends bytes to a key so that comparing two keys bytewise compares the values, and so that no value's
//! encoding is a prefix of another's: fields can be concatenated. [`Reader`] takes the fields apart again.
//!
//! | value         | bytes                                                                              |
//! |---------------|------------------------------------------------------------------------------------|
//! | `u16/u32/u64` | big-endian                                                                         |
//! | short `u64`   | how many bytes it has, then these, big-endian; 0 has none                          |
//! | `i32/i64`     | big-endian with the sign bit flipped                                               |
//! | `f64`         | big-endian bits; sign bit flipped when positive, all bits when negative            |
//! | byte string   | each `00` as `00 ff`, then `00 00`                                                 |
//!
//! A descending field is the ascending one with every bit flipped: [`invert`].

use smallvec::SmallVec;

use crate::error::{Error, Result};

/// What fields are appended to.
///
/// # Examples
/// ```
/// use larder::internals::ordered::{Buffer, put_i64};
/// fn deadline(key: &mut impl Buffer, micros: i64) {
///     key.append(b"until");
///     put_i64(key, micros);
/// }
/// let mut key = Vec::new();
/// deadline(&mut key, 7);
/// assert_eq!(key.len(), 13);
/// ```
pub trait Buffer {
    /// Appends `bytes` as they are.
    ///
    /// # Examples
    /// ```
    /// use larder::internals::ordered::Buffer;
    /// let mut key = vec![1];
    /// Buffer::append(&mut key, &[2, 3]);
    /// assert_eq!(key, [1, 2, 3]);
    /// ```
    fn append(&mut self, bytes: &[u8]);
}

impl Buffer for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl<const N: usize> Buffer for SmallVec<[u8; N]> {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Appends a byte string, escaped and terminated.
///
/// # Examples
/// ```
/// use larder::internals::ordered::{put_bytes, Reader};
/// let mut key = Vec::new();
/// put_bytes(&mut key, b"a\0b");
/// assert_eq!(key, b"a\x00\xffb\x00\x00");
/// assert_eq!(Reader::new(&key).bytes()?, b"a\0b");
/// # Ok::<(), larder::Error>(())
/// ```
pub fn put_bytes(out: &mut impl Buffer, bytes: &[u8]) {
    for (at, run) in bytes.split(|byte| *byte == 0).enumerate() {
        if at > 0 {
            out.append(&[0, 0xff]);
        }
        out.append(run);
    }
    out.append(&[0, 0]);
}

/// Appends an unsigned integer in as few bytes as it has, behind their number.
///
/// # Examples
/// ```
/// use larder::internals::ordered::put_short_u64;
/// let encode = |value| { let mut key = Vec::new(); put_short_u64(&mut key, value); key };
/// assert_eq!(encode(7), [1, 7]);
/// assert!(encode(255) < encode(256));
/// ```
pub fn put_short_u64(out: &mut impl Buffer, value: u64) {
    let leading = value.leading_zeros() / 8;
    let used = u8::BITS - leading;
    // The bytes that are used come first, so that both are appended at once.
    let mut bytes = [0; 1 + size_of::<u64>()];
    let [length, number @ ..] = &mut bytes;
    *length = u8::try_from(used).unwrap_or(u8::MAX);
    *number = value.checked_shl(8 * leading).unwrap_or(0).to_be_bytes();
    out.append(bytes.get(..=used as usize).unwrap_or_default());
}

/// Appends a signed integer in 8 bytes.
///
/// # Examples
/// ```
/// use larder::internals::ordered::put_i64;
/// let encode = |value| { let mut key = Vec::new(); put_i64(&mut key, value); key };
/// assert!(encode(-1) < encode(0) && encode(0) < encode(1));
/// ```
pub fn put_i64(out: &mut impl Buffer, value: i64) {
    out.append(&(value.cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

/// Appends a signed integer in 4 bytes.
///
/// # Examples
/// ```
/// use larder::internals::ordered::put_i32;
/// let mut key = Vec::new();
/// put_i32(&mut key, 0);
/// assert_eq!(key, [0x80, 0, 0, 0]);
/// ```
pub fn put_i32(out: &mut impl Buffer, value: i32) {
    out.append(&(value.cast_unsigned() ^ (1 << 31)).to_be_bytes());
}

/// Appends a float in 8 bytes: the order of [`f64::total_cmp`], so that the caller decides what `-0.0` and NaN mean.
///
/// # Examples
/// ```
/// use larder::internals::ordered::put_f64;
/// let encode = |value| { let mut key = Vec::new(); put_f64(&mut key, value); key };
/// assert!(encode(f64::NEG_INFINITY) < encode(-1.5) && encode(-1.5) < encode(1e-300));
/// ```
pub fn put_f64(out: &mut impl Buffer, value: f64) {
    let bits = value.to_bits();
    let ordered = if value.is_sign_negative() { !bits } else { bits ^ (1 << 63) };
    out.append(&ordered.to_be_bytes());
}

/// Flips every bit of `field`, which reverses its order.
///
/// # Examples
/// ```
/// use larder::internals::ordered::{invert, put_i64};
/// let encode = |value| { let mut key = Vec::new(); put_i64(&mut key, value); invert(&mut key); key };
/// assert!(encode(2) < encode(1));
/// ```
pub fn invert(field: &mut [u8]) {
    for byte in field {
        *byte = !*byte;
    }
}

/// Takes the fields of a key apart, in the order they were put.
///
/// Every method returns [`Error::Corruption`] when the bytes end early or are not an encoding.
///
/// # Examples
/// ```
/// use larder::internals::ordered::{put_bytes, put_f64, Reader};
/// let mut key = vec![7];
/// put_bytes(&mut key, b"board");
/// put_f64(&mut key, 1.5);
/// let mut fields = Reader::new(&key);
/// assert_eq!((fields.u8()?, fields.bytes()?, fields.f64()?), (7, b"board".to_vec(), 1.5));
/// assert!(fields.rest().is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Whether the fields were stored inverted.
    descending: bool,
}

impl<'a> Reader<'a> {
    /// Reads `key` from its first byte.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// let fields = Reader::new(b"key");
    /// assert_eq!(fields.rest(), b"key");
    /// ```
    #[must_use]
    pub fn new(key: &'a [u8]) -> Self {
        Self { rest: key, descending: false }
    }

    /// Reads the following fields as [`invert`]ed ones, or no longer so.
    ///
    /// # Examples
    /// ```
    /// use larder::internals::ordered::{invert, put_i64, Reader};
    /// let mut key = Vec::new();
    /// put_i64(&mut key, 5);
    /// invert(&mut key);
    /// let mut fields = Reader::new(&key);
    /// fields.set_descending(true);
    /// assert_eq!(fields.i64()?, 5);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn set_descending(&mut self, descending: bool) {
        self.descending = descending;
    }

    /// What has not been read, as it is stored.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// let mut fields = Reader::new(&[7, 1, 2]);
    /// fields.u8()?;
    /// assert_eq!(fields.rest(), [1, 2]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes `N` bytes.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// let mut fields = Reader::new(b"abc");
    /// assert_eq!(fields.array::<2>()?, *b"ab");
    /// assert!(fields.array::<2>().is_err(), "one byte is left");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(too_short)?;
        self.rest = rest;
        let mut field = *head;
        if self.descending {
            invert(&mut field);
        }
        Ok(field)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`Error::Corruption`] when none is left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// assert_eq!(Reader::new(&[7, 8]).u8()?, 7);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Takes a big-endian `u16`.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer than 2 bytes are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// assert_eq!(Reader::new(&[1, 2]).u16()?, 0x0102);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Takes a big-endian `u32`.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer than 4 bytes are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// assert_eq!(Reader::new(&[0, 0, 1, 2]).u32()?, 0x0102);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Takes a big-endian `u64`.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer than 8 bytes are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// assert_eq!(Reader::new(&[0, 0, 0, 0, 0, 0, 1, 2]).u64()?, 0x0102);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Takes what [`put_short_u64`] put.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the bytes end early, or are more than the integer has.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::{put_short_u64, Reader};
    /// let mut key = Vec::new();
    /// put_short_u64(&mut key, 256);
    /// assert_eq!(Reader::new(&key).short_u64()?, 256);
    /// assert!(Reader::new(&[2, 0, 1]).short_u64().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn short_u64(&mut self) -> Result<u64> {
        let length = self.u8()?;
        let (bytes, rest) = self.rest.split_at_checked(length.into()).ok_or_else(too_short)?;
        let mask = if self.descending { u8::MAX } else { 0 };
        if length > 8 || bytes.first().is_some_and(|first| first ^ mask == 0) {
            return Err(Error::corrupt("key", format!("an integer of {length} bytes that it has not")));
        }
        self.rest = rest;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(byte ^ mask)))
    }

    /// Takes what [`put_i64`] put.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer than 8 bytes are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::{put_i64, Reader};
    /// let mut key = Vec::new();
    /// put_i64(&mut key, -7);
    /// assert_eq!(Reader::new(&key).i64()?, -7);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn i64(&mut self) -> Result<i64> {
        Ok((self.u64()? ^ (1 << 63)).cast_signed())
    }

    /// Takes what [`put_i32`] put.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer than 4 bytes are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::{put_i32, Reader};
    /// let mut key = Vec::new();
    /// put_i32(&mut key, -7);
    /// assert_eq!(Reader::new(&key).i32()?, -7);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn i32(&mut self) -> Result<i32> {
        Ok((self.u32()? ^ (1 << 31)).cast_signed())
    }

    /// Takes what [`put_f64`] put.
    ///
    /// # Errors
    /// [`Error::Corruption`] when fewer than 8 bytes are left.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::{put_f64, Reader};
    /// let mut key = Vec::new();
    /// put_f64(&mut key, -1.5);
    /// assert_eq!(Reader::new(&key).f64()?, -1.5);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn f64(&mut self) -> Result<f64> {
        let ordered = self.u64()?;
        let bits = if ordered >> 63 == 1 { ordered ^ (1 << 63) } else { !ordered };
        Ok(f64::from_bits(bits))
    }

    /// Takes what [`put_bytes`] put.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the string is not terminated, or an escape is not one.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// assert_eq!(Reader::new(b"a\x00\xffb\x00\x00").bytes()?, b"a\0b");
    /// assert!(Reader::new(b"ab").bytes().is_err(), "it has no end");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        let first = self.run_to_zero()?;
        let mut bytes = first.to_vec();
        while self.is_escaped_zero()? {
            bytes.push(if self.descending { u8::MAX } else { 0 });
            bytes.extend_from_slice(self.run_to_zero()?);
        }
        if self.descending {
            invert(&mut bytes);
        }
        Ok(bytes)
    }

    /// Steps over what [`put_bytes`] put.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the string is not terminated, or an escape is not one.
    ///
    /// # Examples
    /// ```
    /// # use larder::internals::ordered::Reader;
    /// let mut reader = Reader::new(b"ab\x00\x00rest");
    /// reader.skip_bytes()?;
    /// assert_eq!(reader.rest(), b"rest");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn skip_bytes(&mut self) -> Result<()> {
        self.run_to_zero()?;
        while self.is_escaped_zero()? {
            self.run_to_zero()?;
        }
        Ok(())
    }

    /// The next byte, which stays the next.
    pub(crate) fn peek_u8(&self) -> Result<u8> {
        Self::u8(&mut self.clone())
    }

    /// Appends the bytes up to the next zero to `out`, and steps over the zero.
    pub(crate) fn take_to_zero(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let run = self.run_to_zero()?;
        if self.descending {
            out.extend(run.iter().map(|byte| !byte));
        } else {
            out.extend_from_slice(run);
        }
        Ok(())
    }

    /// Steps over the bytes up to the next zero, and over the zero.
    pub(crate) fn skip_to_zero(&mut self) -> Result<()> {
        self.run_to_zero().map(drop)
    }

    /// The bytes up to the next zero, as they are stored; steps over the zero.
    fn run_to_zero(&mut self) -> Result<&'a [u8]> {
        let mask = if self.descending { u8::MAX } else { 0 };
        let end = self.rest.iter().position(|byte| *byte == mask).ok_or_else(too_short)?;
        let (run, rest) = self.rest.split_at_checked(end).ok_or_else(too_short)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(run)
    }

    /// Whether the zero before is one of the string, and not the first half of its end, by the byte behind it, which is taken.
    fn is_escaped_zero(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            0xff => Ok(true),
            other => Err(Error::corrupt("key", format!("escape 00 {other:02x} in a byte string"))),
        }
    }
}

fn too_short() -> Error {
    Error::corrupt("key", "it ends inside a field")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out);
        out
    }

    /// Byte strings in which zero, `ff` and nested prefixes are common.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xff), any::<u8>()], 0..6)
    }

    proptest! {
        #[test]
        fn byte_strings_keep_their_order_and_come_back(a in bytes(), b in bytes()) {
            let (x, y) = (encoded(|out| put_bytes(out, &a)), encoded(|out| put_bytes(out, &b)));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(Reader::new(&x).bytes().unwrap(), a);
        }

        #[test]
        fn inverted_fields_are_reversed_and_come_back(a in bytes(), b in bytes(), tail in bytes()) {
            let inverted = |value: &[u8]| encoded(|out| { put_bytes(out, value); invert(out); });
            prop_assert_eq!(inverted(&a).cmp(&inverted(&b)), b.cmp(&a));
            let mut key = inverted(&a);
            key.extend_from_slice(&tail);
            let mut reader = Reader::new(&key);
            reader.set_descending(true);
            prop_assert_eq!(reader.bytes().unwrap(), a);
            prop_assert_eq!(reader.rest(), &tail[..]);
        }

        #[test]
        fn integers_and_floats_keep_their_order_and_come_back(a: i64, b: i64, f: f64, g: f64) {
            let (x, y) = (encoded(|out| put_i64(out, a)), encoded(|out| put_i64(out, b)));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(Reader::new(&x).i64().unwrap(), a);
            let (x, y) = (encoded(|out| put_f64(out, f)), encoded(|out| put_f64(out, g)));
            prop_assert_eq!(x.cmp(&y), f.total_cmp(&g));
            prop_assert_eq!(Reader::new(&x).f64().unwrap().to_bits(), f.to_bits());
        }
    }

    #[test]
    fn a_key_cut_short_is_corrupt_and_no_panic() {
        let key = encoded(|out| {
            put_bytes(out, b"ab");
            put_i64(out, 7);
        });
        for cut in 0..key.len() {
            let mut reader = Reader::new(&key[..cut]);
            let outcome = reader.bytes().and_then(|_| reader.i64());
            assert!(matches!(outcome, Err(Error::Corruption { .. })), "cut at {cut}");
        }
        assert!(Reader::new(&[0, 7]).bytes().is_err(), "an unknown escape");
    }
}
