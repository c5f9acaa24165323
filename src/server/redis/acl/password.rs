//! Passwords as they are kept: only their hashes.

use sha2::{Digest, Sha256};

/// A password as it is kept.
pub(super) type PasswordHash = [u8; 32];

/// The SHA-256 of a password.
pub(in crate::server::redis) fn hash_of(password: &[u8]) -> PasswordHash {
    Sha256::digest(password).into()
}
