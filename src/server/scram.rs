//! What is kept for logging in by SCRAM-SHA-256, and what is computed with it. The messages are each door's own.
//!
//! # Source
//! RFC 5802 (SCRAM), RFC 7677 (SHA-256), RFC 4013 (how a password is prepared).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::limits;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Fewest iterations that RFC 7677 allows.
pub(crate) const ITERATIONS_MIN: u32 = 4_096;

/// What is kept of a password: enough to check a client that knows it, and not enough to be that client.
#[derive(Clone)]
pub(crate) struct ScramKeys {
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    pub(crate) stored_key: [u8; KEY_BYTES],
    pub(crate) server_key: [u8; KEY_BYTES],
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl ScramKeys {
    /// The keys of a password with a salt that is drawn for it.
    ///
    /// # Errors
    /// As [`ScramKeys::derive`]; [`KeyError::NoRandomness`] when the system draws nothing.
    ///
    /// # Cost
    /// As many HMACs as there are iterations: some milliseconds.
    pub(crate) fn new(password: &[u8], iterations: u32) -> Result<Self, KeyError> {
        let mut salt = [0; 28];
        getrandom::fill(&mut salt).map_err(|_| KeyError::NoRandomness)?;
        Self::derive(password, &salt, iterations)
    }

    /// The keys of a password with this salt.
    ///
    /// # Errors
    /// [`KeyError::Password`] for a text that RFC 4013 prohibits, [`KeyError::Iterations`] when there are fewer than
    /// [`ITERATIONS_MIN`] or more than [`limits::SCRAM_ITERATIONS_MAX`].
    pub(crate) fn derive(password: &[u8], salt: &[u8], iterations: u32) -> Result<Self, KeyError> {
        if !(ITERATIONS_MIN..=limits::SCRAM_ITERATIONS_MAX).contains(&iterations) {
            return Err(KeyError::Iterations);
        }
        let text = std::str::from_utf8(password).map_err(|_| KeyError::Password)?;
        let prepared = stringprep::saslprep(text).map_err(|_| KeyError::Password)?;
        let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, KEY_BYTES>(prepared.as_bytes(), salt, iterations);
        let client_key = hmac(&salted, b"Client Key");
        Ok(Self {
            salt: salt.to_vec(),
            iterations,
            stored_key: Sha256::digest(client_key).into(),
            server_key: hmac(&salted, b"Server Key"),
        })
    }

    /// Whether a client that has sent this proof knows the password.
    ///
    /// `message` is the `AuthMessage` of RFC 5802: what both sides have sent before the proof.
    pub(crate) fn is_proof(&self, message: &[u8], proof: &[u8]) -> bool {
        let Ok(proof) = <[u8; KEY_BYTES]>::try_from(proof) else { return false };
        let signature = hmac(&self.stored_key, message);
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, mask)| *byte ^= mask);
        Sha256::digest(client_key).as_slice().ct_eq(&self.stored_key).into()
    }

    /// What shows the client that the door has the keys.
    pub(crate) fn server_signature(&self, message: &[u8]) -> [u8; KEY_BYTES] {
        hmac(&self.server_key, message)
    }

    /// Whether `password` is the one that these are the keys of.
    pub(crate) fn admit(&self, password: &[u8]) -> bool {
        let keys = Self::derive(password, &self.salt, self.iterations);
        keys.is_ok_and(|keys| keys.stored_key.ct_eq(&self.stored_key).into())
    }
}

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the password is not UTF-8, or has characters that SCRAM prohibits")]
    Password,
    #[error("iterations of SCRAM-SHA-256 are between {ITERATIONS_MIN} and {}", limits::SCRAM_ITERATIONS_MAX)]
    Iterations,
    #[error("the system gives no random bytes")]
    NoRandomness,
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; KEY_BYTES] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hex::hex;
    use crate::server::password::Credentials;

    /// `W22ZaJ0SNY7soEsUEjb6gQ==` of RFC 7677, section 3.
    const SALT: [u8; 16] =
        [0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81];

    #[test]
    fn the_example_of_rfc_7677_is_computed() {
        let keys = ScramKeys::derive(b"pencil", &SALT, 4_096).unwrap();
        let nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,{nonce}");
        // `dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`.
        let proof = "747cdb65aa56224e2352137e52d7bdcad6a0f738df30782caa69a2cfb0277554";
        let mut bytes: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&proof[2 * at..2 * at + 2], 16).unwrap()).collect();
        assert!(keys.is_proof(message.as_bytes(), &bytes));
        // `6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=`.
        let signature = hex(&keys.server_signature(message.as_bytes()));
        assert_eq!(signature, "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e");
        bytes[31] ^= 1;
        assert!(!keys.is_proof(message.as_bytes(), &bytes) && !keys.is_proof(message.as_bytes(), &bytes[..31]));
        assert!(keys.admit(b"pencil") && !keys.admit(b"pen"));
    }

    #[test]
    fn passwords_are_prepared_and_iterations_bounded() {
        let keys = |password: &str| ScramKeys::derive(password.as_bytes(), &SALT, 4_096);
        // RFC 4013, section 3: a soft hyphen maps to nothing, a feminine ordinal to a letter.
        assert_eq!(keys("I\u{ad}X").unwrap().stored_key, keys("IX").unwrap().stored_key);
        assert_eq!(keys("\u{aa}").unwrap().stored_key, keys("a").unwrap().stored_key);
        assert_eq!(keys("\u{7}").unwrap_err(), KeyError::Password);
        assert_eq!(ScramKeys::derive(b"\xff", &SALT, 4_096).unwrap_err(), KeyError::Password);
        for iterations in [0, 4_095, u32::MAX] {
            assert_eq!(ScramKeys::new(b"a", iterations).unwrap_err(), KeyError::Iterations);
        }
    }

    #[test]
    fn a_password_as_it_is_is_compared_with_the_keys_where_there_is_nothing_else() {
        let scram = Some(ScramKeys::new(b"pencil", ITERATIONS_MIN).unwrap());
        let credentials = Credentials { scram, ..Credentials::default() };
        assert!(credentials.admit(b"pencil") && !credentials.admit(b"pen"));
    }
}
