//! Long components of keys: a key of the engine is bounded, what users call things is not.
//!
//! A component that is last in its key and longer than [`KEY_COMPONENT_BYTES_MAX`] is there with its first bytes and a
//! hash of all of it (SHA-256), 32 bytes; the component itself is in the value. Any other is there as it is. Which of
//! the two a component is follows from its length.
//!
//! Where a component is not the last, as a field of an index key, it is shortened in the same way at a bound of the
//! caller's ([`shorten`]), and the component itself is in what the index is of.
//!
//! # Order
//! Of two components the order of the bytes is kept, unless both are long and agree in their first bytes: those come in
//! the order of their hashes, always the same one.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::encoding::ordered::{Buffer, Reader, put_bytes};
use crate::error::{Error, Result};
use crate::limits::KEY_COMPONENT_BYTES_MAX;

/// Bytes of the hash.
pub(crate) const HASH_BYTES: usize = 32;

/// Bytes of the length that goes before a long component in a value.
const LENGTH_BYTES: usize = 4;

/// Whether a component, or what a key has for one, is long.
#[inline]
pub(crate) fn is_long(component: &[u8]) -> bool {
    component.len() > KEY_COMPONENT_BYTES_MAX
}

/// The hash of `component`: its SHA-256.
pub(crate) fn hash(component: &[u8]) -> [u8; HASH_BYTES] {
    Sha256::digest(component).into()
}

/// Appends `component`, or what a key has for it, as the last of a key.
pub(crate) fn put_last(out: &mut impl Buffer, component: &[u8]) {
    match component.split_at_checked(KEY_COMPONENT_BYTES_MAX) {
        Some((first, rest)) if !rest.is_empty() => {
            out.append(first);
            let hash: [u8; HASH_BYTES] = Sha256::digest(component).into();
            out.append(&hash);
        }
        _ => out.append(component),
    }
}

/// Puts into the place of the component that begins at `start` of `out`, when it is longer than `max` bytes, that many
/// of them and the hash.
pub(crate) fn shorten(out: &mut Vec<u8>, start: usize, max: usize) {
    if let Some(component) = out.get(start..).filter(|component| component.len() > max) {
        let hash: [u8; HASH_BYTES] = Sha256::digest(component).into();
        out.truncate(start + max);
        out.extend_from_slice(&hash);
    }
}

/// The value of an entry whose key ends in `component`: a long one goes before what is `own`.
pub(crate) fn value<'a>(component: &[u8], own: &'a [u8]) -> Cow<'a, [u8]> {
    if !is_long(component) {
        return Cow::Borrowed(own);
    }
    let mut value = Vec::with_capacity(LENGTH_BYTES + component.len() + own.len());
    // What is longer is refused by its limit.
    value.extend_from_slice(&u32::try_from(component.len()).unwrap_or(u32::MAX).to_be_bytes());
    value.extend_from_slice(component);
    value.extend_from_slice(own);
    Cow::Owned(value)
}

/// The component that a key has `in_key` for, and what else is in its value.
pub(crate) fn split<'a>(in_key: &'a [u8], value: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
    if !is_long(in_key) {
        return Ok((in_key, value));
    }
    let mut reader = Reader::new(value);
    let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
    let split = reader.rest().split_at_checked(length);
    split.ok_or_else(|| Error::corrupt("long key", "its value does not have it whole"))
}

/// What else than `component`, which its key ends in, is in a value.
pub(crate) fn own<'a>(component: &[u8], value: &'a [u8]) -> Result<&'a [u8]> {
    if !is_long(component) {
        return Ok(value);
    }
    let own = value.get(LENGTH_BYTES.saturating_add(component.len())..);
    own.ok_or_else(|| Error::corrupt("long key", "its value does not have it whole"))
}

/// Bytes that end a component in the middle of a key, when it is there whole and when it is not. A zero within it is `00 ff`.
const END: [u8; 2] = [0, 0];
const END_OF_FIRST: [u8; 2] = [0, 1];

/// The most that [`put_inner`] appends beside what the caller allows.
pub(crate) const INNER_BYTES: usize = END_OF_FIRST.len() + HASH_BYTES;

/// Appends `component`, or what a key has for it, where more follows: each zero as `00 ff`, then `00 00`. If that is more than `max`
/// bytes without the end, there are as many first bytes as fit, then `00 01` and a hash of all of it. Returns whether it is long.
///
/// # Order
/// As of [`put_last`], where `max` is the same: long components whose first bytes are the same come in the order of their hashes.
pub(crate) fn put_inner(out: &mut Vec<u8>, component: &[u8], max: usize) -> bool {
    // What fits even if all of it is zeros need not be counted.
    if component.len() <= max / 2 {
        put_bytes(out, component);
        return false;
    }
    let mut used = 0usize;
    let fits = |byte: &&u8| {
        used += if **byte == 0 { 2 } else { 1 };
        used <= max
    };
    let first = component.iter().take_while(fits).count();
    for byte in component.iter().take(first) {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
    let is_long = first < component.len();
    if is_long {
        out.extend_from_slice(&END_OF_FIRST);
        let hash: [u8; HASH_BYTES] = Sha256::digest(component).into();
        out.extend_from_slice(&hash);
    } else {
        out.extend_from_slice(&END);
    }
    is_long
}

/// What [`put_inner`] put: the component, or `None` when it is long.
pub(crate) fn take_inner(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>> {
    let mut component = Vec::new();
    Ok(take_inner_into(reader, &mut component)?.then_some(component))
}

/// Steps over what [`put_inner`] put.
pub(crate) fn skip_inner(reader: &mut Reader<'_>) -> Result<()> {
    loop {
        reader.skip_to_zero()?;
        match reader.u8()? {
            0 => return Ok(()),
            0xff => {}
            1 => return reader.array::<HASH_BYTES>().map(drop),
            other => return Err(Error::corrupt("key", format!("escape 00 {other:02x} in a component"))),
        }
    }
}

/// Appends what [`put_inner`] put to `out`, unless it is long. Returns whether it is there.
pub(crate) fn take_inner_into(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<bool> {
    let start = out.len();
    loop {
        reader.take_to_zero(out)?;
        match reader.u8()? {
            0 => return Ok(true),
            0xff => out.push(0),
            1 => {
                reader.array::<HASH_BYTES>()?;
                out.truncate(start);
                return Ok(false);
            }
            other => return Err(Error::corrupt("key", format!("escape 00 {other:02x} in a component"))),
        }
    }
}

/// Where the hash begins in what ends with a long component that [`put_inner`] put.
pub(crate) fn hash_start(end: usize) -> usize {
    end.saturating_sub(HASH_BYTES)
}

/// The most that [`put_last`] appends.
#[cfg(test)]
pub(crate) const LONGEST: usize = KEY_COMPONENT_BYTES_MAX + HASH_BYTES;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_key(component: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        put_last(&mut key, component);
        key
    }

    /// Components around the bound, of few different bytes.
    fn component() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![0..3usize, KEY_COMPONENT_BYTES_MAX - 1..KEY_COMPONENT_BYTES_MAX + 40];
        (length, prop::collection::vec((any::<prop::sample::Index>(), 0..3u8), 0..3)).prop_map(|(length, changes)| {
            let mut component = vec![1; length];
            for (at, byte) in changes.into_iter().filter(|_| length > 0) {
                component[at.index(length)] = byte;
            }
            component
        })
    }

    #[test]
    fn a_long_component_is_in_a_key_with_its_first_bytes_and_its_hash() {
        let long = vec![b'a'; 9_000];
        let key = in_key(&long);
        assert_eq!((key.len(), &key[..KEY_COMPONENT_BYTES_MAX]), (LONGEST, &long[..KEY_COMPONENT_BYTES_MAX]));
        assert_eq!(key[KEY_COMPONENT_BYTES_MAX..], *Sha256::digest(&long));
        assert_eq!(*value(&long, b"v"), *[&9_000u32.to_be_bytes()[..], &long, b"v"].concat());
        assert!(split(&key, &[0, 0, 0, 9, 1]).is_err() && own(&long, b"short").is_err(), "damage");
    }

    #[test]
    fn a_component_is_shortened_where_it_stands_when_it_is_too_long() {
        let mut key = b"-abcdef".to_vec();
        shorten(&mut key, 1, 6);
        assert_eq!(key, b"-abcdef");
        shorten(&mut key, 1, 5);
        assert_eq!(key, [&b"-abcde"[..], &Sha256::digest(b"abcdef")[..]].concat());
    }

    proptest! {
        #[test]
        fn inner_components_end_themselves_and_keep_their_order_as_far_as_it_is_promised(
            a in prop::collection::vec(0u8..3, 0..9),
            b in prop::collection::vec(0u8..3, 0..9),
            max in 0usize..8,
            descending: bool,
            tail: u8,
        ) {
            let put = |component: &[u8]| {
                let mut key = Vec::new();
                let is_long = put_inner(&mut key, component, max);
                assert!(key.len() <= max + INNER_BYTES);
                (key, is_long)
            };
            let ((key, is_long), (other, is_other_long)) = (put(&a), put(&b));
            let first = |key: &[u8]| key[..hash_start(key.len())].to_vec();
            let tie = is_long && is_other_long && first(&key) == first(&other);
            prop_assert_eq!(key == other, a == b);
            prop_assert!(tie || key.cmp(&other) == a.cmp(&b), "{:?} {:?}", key, other);
            let mut stored = key;
            if descending {
                crate::encoding::ordered::invert(&mut stored);
            }
            stored.push(tail);
            let mut reader = Reader::new(&stored);
            reader.set_descending(descending);
            prop_assert_eq!(take_inner(&mut reader).unwrap(), (!is_long).then_some(a));
            prop_assert_eq!(reader.rest(), &[tail]);
        }

        #[test]
        fn components_come_back_and_keep_their_order_as_far_as_it_is_promised(a in component(), b in component(), own_value: Vec<u8>) {
            let (key, value) = (in_key(&a), value(&a, &own_value));
            prop_assert!(key.len() <= LONGEST);
            prop_assert_eq!(split(&key, &value).unwrap(), (&a[..], &own_value[..]));
            prop_assert_eq!(own(&a, &value).unwrap(), &own_value[..]);
            let order = key.cmp(&in_key(&b));
            let tie = is_long(&a) && is_long(&b) && a[..KEY_COMPONENT_BYTES_MAX] == b[..KEY_COMPONENT_BYTES_MAX];
            prop_assert_eq!(order.is_eq(), a == b);
            prop_assert!(tie || order == a.cmp(&b));
        }
    }
}
