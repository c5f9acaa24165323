//! The digest that scripts are known by.

use sha1::{Digest, Sha1};

use crate::encoding::hex::hex;

/// The SHA-1 of `bytes` in hexadecimal.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}
