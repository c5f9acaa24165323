//! The state of a page, as clients keep it: what the next page begins with, sealed so that nobody can make one.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 1 | version of the protocol | |
//! | 16 | id of the statement | |
//! | | what the language needs to go on | |
//! | 32 | HMAC-SHA-256 of all before it | |

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::server::cql::frame::{Malformed, Version};

const TAG_BYTES: usize = 32;

/// Seals states of pages, and opens them again.
pub(super) struct Seal(Hmac<Sha256>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// One with a key of any length; none if that cannot be.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
    }

    /// The state for a client that goes on with the statement `id`.
    pub(super) fn close(&self, position: &[u8], id: &[u8; 16], version: Version) -> Vec<u8> {
        let mut state = Vec::with_capacity(1 + id.len() + position.len() + TAG_BYTES);
        state.push(version.number());
        state.extend_from_slice(id);
        state.extend_from_slice(position);
        let tag = self.0.clone().chain_update(&state).finalize().into_bytes();
        state.extend_from_slice(&tag);
        state
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`Malformed`] for what was not sealed with this key, for this statement and version.
    pub(super) fn open<'a>(&self, state: &'a [u8], id: &[u8; 16], version: Version) -> Result<&'a [u8], Malformed> {
        let refused = || Malformed::new("Invalid value for the paging state");
        let sealed = state.len().checked_sub(TAG_BYTES).ok_or_else(refused)?;
        let (body, tag) = state.split_at_checked(sealed).ok_or_else(refused)?;
        // Takes the same time wherever they differ.
        self.0.clone().chain_update(body).verify_slice(tag).map_err(|_| refused())?;
        match body.split_first_chunk::<17>() {
            Some(([number, own @ ..], position)) if *number == version.number() && own == id => Ok(position),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // SEM: WID-QRY-4
        #[test]
        fn a_state_comes_back_and_a_changed_or_foreign_one_is_refused(
            position in prop::collection::vec(any::<u8>(), 0..20),
            (at, bit) in (any::<prop::sample::Index>(), 0_u32..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let seal = Seal::new(b"key").unwrap();
            let state = seal.close(&position, &[1; 16], Version::V4);
            prop_assert_eq!(seal.open(&state, &[1; 16], Version::V4).unwrap(), position.as_slice());
            prop_assert!(seal.open(&state, &[2; 16], Version::V4).is_err());
            prop_assert!(seal.open(&state, &[1; 16], Version::V5).is_err());
            prop_assert!(Seal::new(b"other").unwrap().open(&state, &[1; 16], Version::V4).is_err());
            prop_assert!(seal.open(&state[..cut.index(state.len())], &[1; 16], Version::V4).is_err());
            let mut changed = state;
            let at = at.index(changed.len());
            changed[at] ^= 1 << bit;
            prop_assert!(seal.open(&changed, &[1; 16], Version::V4).is_err());
        }
    }
}
