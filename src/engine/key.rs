//! The stored key.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use smallvec::SmallVec;

/// Bytes that fit in a tree node without a pointer to follow.
const INLINE_BYTES: usize = 32;

/// A stored key: bytes, compared bytewise. Keys of up to 32 bytes are kept inline.
///
/// # Examples
/// ```
/// use larder::engine::Key;
/// let key = Key::from(&b"user:7"[..]);
/// assert_eq!(&*key, b"user:7");
/// assert!(key < Key::from(&b"user:8"[..]));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(SmallVec<[u8; INLINE_BYTES]>);

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

// `Ord` and `Hash` of the inner vector are those of its slice, as `Borrow` demands.
impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self(SmallVec::from_slice(&bytes))
    }
}

impl<const N: usize> From<SmallVec<[u8; N]>> for Key {
    fn from(bytes: SmallVec<[u8; N]>) -> Self {
        Self::from(&*bytes)
    }
}

impl From<&Vec<u8>> for Key {
    fn from(bytes: &Vec<u8>) -> Self {
        Self(SmallVec::from_slice(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
