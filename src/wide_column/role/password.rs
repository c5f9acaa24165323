//! What is kept of the password of a role.
//!
//! It is a text of four parts with `$` between them: `pbkdf2-sha256`, the iterations in decimal, the salt and the hash, both in
//! hexadecimal. The salt is drawn from numbers that no other store gives out, so that equal passwords have different hashes.
//!
//! # Invariants
//! 1. No password is kept, and none can be read off what is.
//! 2. Nothing here shows a hash when it is printed for debugging.
//!
//! # Source
//! RFC 8018, PBKDF2 with HMAC-SHA-256.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::encoding::hex::hex;
use crate::limits;

/// Iterations for passwords that are set from now on, as many as SCRAM has here.
const ITERATIONS: u32 = 15_000;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
const SCHEME: &str = "pbkdf2-sha256";

/// The hash of a password with its salt.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SaltedHash {
    iterations: u32,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl fmt::Debug for SaltedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltedHash").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl SaltedHash {
    /// That of a password with a salt for `number`, which nobody else has.
    ///
    /// # Cost
    /// As many HMACs as there are iterations: some milliseconds.
    pub(crate) fn new(password: &[u8], number: u64) -> Self {
        let digest: [u8; HASH_BYTES] = Sha256::digest(number.to_be_bytes()).into();
        let mut salt = [0; SALT_BYTES];
        salt.iter_mut().zip(digest).for_each(|(own, byte)| *own = byte);
        Self { iterations: ITERATIONS, salt, hash: hash(password, &salt, ITERATIONS) }
    }

    /// One that is of no password, and takes as long as another to find that out.
    #[allow(dead_code, reason = "not every door speaks CQL")]
    pub(crate) fn of_nobody() -> Self {
        Self { iterations: ITERATIONS, salt: [0; SALT_BYTES], hash: [0; HASH_BYTES] }
    }

    /// What [`SaltedHash`] prints; nothing for another text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let (scheme, iterations) = (parts.next()?, parts.next()?);
        let (salt, hash) = (unhex(parts.next()?)?, unhex(parts.next()?)?);
        let iterations =
            iterations.parse().ok().filter(|own| (1..=limits::CQL_PASSWORD_ITERATIONS_MAX).contains(own))?;
        (scheme == SCHEME && parts.next().is_none()).then_some(Self { iterations, salt, hash })
    }

    /// The hash that `password` has, and the one that it is to have.
    #[allow(dead_code, reason = "not every door speaks CQL")]
    pub(crate) fn both(&self, password: &[u8]) -> ([u8; HASH_BYTES], [u8; HASH_BYTES]) {
        (hash(password, &self.salt, self.iterations), self.hash)
    }
}

impl fmt::Display for SaltedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}${}${}${}", self.iterations, hex(&self.salt), hex(&self.hash))
    }
}

fn hash(password: &[u8], salt: &[u8], iterations: u32) -> [u8; HASH_BYTES] {
    pbkdf2::pbkdf2_hmac_array::<Sha256, HASH_BYTES>(password, salt, iterations)
}

/// Bytes of two hexadecimal digits each.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_and_of_no_other() {
        let kept = SaltedHash::new(b"secret", 7);
        let (own, expected) = kept.both(b"secret");
        assert_eq!(own, expected);
        let (other, expected) = kept.both(b"Secret");
        assert_ne!(other, expected);
        assert_ne!(kept, SaltedHash::new(b"secret", 8), "another salt");
        let (any, nobody) = SaltedHash::of_nobody().both(b"");
        assert_ne!(any, nobody);
        assert_eq!(format!("{kept:?}"), "SaltedHash { iterations: 15000, .. }");
    }

    #[test]
    fn a_hash_is_pbkdf2_and_comes_back_from_its_text() {
        // RFC 7914, section 11: the first 32 bytes of both.
        let expected = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc";
        assert_eq!(hex(&hash(b"passwd", b"salt", 1)), expected);
        let expected = "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56";
        assert_eq!(hex(&hash(b"Password", b"NaCl", 80_000)), expected);
        let kept = SaltedHash::new(b"secret", 7);
        assert_eq!(SaltedHash::parse(&kept.to_string()), Some(kept.clone()));
        let text = kept.to_string();
        for wrong in [
            "",
            "$2a$10$JSJEMFm6GeaW9XxT5JIheuEtPvat6i7uKbnTcxX3c1wshIIsGyUtG",
            &text[1..],
            &text[..text.len() - 1],
            &text.replace("$15000$", "$0$"),
            &text.replace("$15000$", "$1000001$"),
            &text.replace("$15000$", "$x$"),
            &format!("{text}$"),
            &text.replace('a', "g"),
        ] {
            assert!(wrong == text || SaltedHash::parse(wrong).is_none(), "{wrong}");
        }
    }
}
