//! Logging in.
//!
//! # Invariants
//! 1. How long it takes to refuse a client tells neither how much of its password was right, nor whether there is such a role: one
//!    hash of a role's kind is made for each that is refused.

use subtle::ConstantTimeEq;

use crate::error::Result;
use crate::server::cql::frame::{Failure, Response, What};
use crate::server::cql::run::{Outcome, of_store};
use crate::server::cql::state::{Session, State};
use crate::wide_column::role::{RoleRecord, SaltedHash};

/// Logs a client in by the token of SASL PLAIN: who it is to act as, its name and its password, with zeros between them.
///
/// # Cost
/// As many HMACs as the hash of the password has iterations, some milliseconds; for the users of the door a SHA-256.
pub(super) fn run(state: &State, session: &Session, token: &[u8]) -> Outcome {
    let refused = |failure: Failure| Outcome { is_last: true, ..Outcome::of(failure) };
    let mut parts = token.split(|byte| *byte == 0);
    let (Some(_), Some(name), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        let why = "Password and username are mandatory: send them as SASL PLAIN has them";
        return refused(Failure::new(What::BadCredentials, why));
    };
    let shown = String::from_utf8_lossy(name);
    match admitted(state, name, password) {
        Ok(Admitted::Yes) => {
            session.log_in(state.role(&shown));
            Outcome::of(Response::Authenticated)
        }
        Ok(Admitted::NotForLogin) => {
            refused(Failure::new(What::BadCredentials, format!("{shown} is not permitted to log in")))
        }
        Ok(Admitted::No) => {
            let why = format!("Provided username {shown} and/or password are incorrect");
            refused(Failure::new(What::BadCredentials, why))
        }
        Err(error) => refused(of_store(&error, crate::server::cql::frame::Consistency::One)),
    }
}

/// What comes of a name and a password.
enum Admitted {
    Yes,
    /// The password is right, and the role may not log in.
    NotForLogin,
    No,
}

fn admitted(state: &State, name: &[u8], password: &[u8]) -> Result<Admitted> {
    if state.users.admit(name, password).is_some() {
        return Ok(Admitted::Yes);
    }
    // A user of the door has the password that the door was opened with, and no other.
    let role = match std::str::from_utf8(name) {
        Ok(text) if !state.is_configured(text) => state.store.cql().role(text)?,
        _ => None,
    };
    let RoleRecord { can_login, salted_hash, .. } = role.unwrap_or_default();
    let kept = salted_hash.as_deref().and_then(SaltedHash::parse);
    let (own, expected) = kept.unwrap_or_else(SaltedHash::of_nobody).both(password);
    Ok(match (bool::from(own.ct_eq(&expected)), can_login) {
        (true, true) => Admitted::Yes,
        (true, false) => Admitted::NotForLogin,
        (false, _) => Admitted::No,
    })
}
