//! What is kept of a password, and how it is compared.
//!
//! # Invariants
//! 1. Secrets are compared in a time that tells nothing of how much was right.
//! 2. Nothing here shows a secret when it is printed for debugging.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A password as it is kept: its SHA-256.
pub(crate) type PasswordHash = [u8; 32];

/// The SHA-256 of a password.
pub(crate) fn hash_of(password: &[u8]) -> PasswordHash {
    Sha256::digest(password).into()
}

/// Bytes that nobody is to see: a password as it was given. Only a door that signs with it keeps it (`SigV4`: the key of a signature
/// is derived from the secret itself, for each day and service); a hash of it would not do.
#[derive(Clone)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    #[cfg_attr(not(test), allow(dead_code, reason = "not every door has clients that sign with it"))]
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What is kept of the passwords of one user. Each door sets those that its clients log in with; a password as it is, as SASL PLAIN
/// and `AUTH` send it, is compared with whatever there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    /// Any of them will do.
    pub(crate) hashes: Vec<PasswordHash>,
    #[cfg(feature = "scram")]
    pub(crate) scram: Option<crate::server::scram::ScramKeys>,
    pub(crate) secret: Option<Secret>,
}

impl Credentials {
    /// Those of one password, as its hash.
    pub(crate) fn of(password: &[u8]) -> Self {
        Self { hashes: vec![hash_of(password)], ..Self::default() }
    }

    /// Whether `password` is one of them. All are compared, whatever the first says.
    ///
    /// # Cost
    /// One SHA-256; where only the keys of SCRAM are kept, as many HMACs as they have iterations.
    pub(crate) fn admit(&self, password: &[u8]) -> bool {
        let by_hash = self.has_hash(&hash_of(password));
        let by_secret = self.secret.as_ref().is_some_and(|secret| bool::from(secret.bytes().ct_eq(password)));
        by_hash | by_secret | self.admits_by_scram(password)
    }

    /// Whether this is the hash of one of the passwords.
    pub(crate) fn has_hash(&self, hash: &PasswordHash) -> bool {
        self.hashes.iter().fold(0, |found, kept| found | kept.ct_eq(hash).unwrap_u8()) == 1
    }

    #[cfg(feature = "scram")]
    fn admits_by_scram(&self, password: &[u8]) -> bool {
        let has_only_scram = self.hashes.is_empty() && self.secret.is_none();
        has_only_scram && self.scram.as_ref().is_some_and(|keys| keys.admit(password))
    }

    #[cfg(not(feature = "scram"))]
    #[expect(clippy::unused_self, reason = "with the feature there is something to look at")]
    fn admits_by_scram(&self, _: &[u8]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_sha256_or_as_it_is() {
        // The example of Redis's documentation of access control lists.
        let hash = crate::encoding::hex::hex(&hash_of(b"mypass"));
        assert_eq!(hash, "ea71c25a7a602246b4c39824b855678894a96f43bb9b71319c39700a1e045222");
        let mut credentials = Credentials::of(b"first");
        credentials.hashes.push(hash_of(b"second"));
        assert!(credentials.admit(b"first") && credentials.admit(b"second"));
        assert!(!credentials.admit(b"third") && !credentials.admit(b""));
        let secret = Credentials { secret: Some(Secret::new("key")), ..Credentials::default() };
        assert!(secret.admit(b"key") && !secret.admit(b"ke") && !secret.admit(b"keys"));
        assert!(!Credentials::default().admit(b""));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("xyzzy")), "Secret");
    }
}
