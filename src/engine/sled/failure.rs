//! What sled's errors mean to the caller.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::{Error, OpenProblem, Result};

/// The engine's name in errors and reports.
pub(super) const ENGINE: &str = "sled";

/// How sled says that another has locked its file.
const LOCKED: &str = "could not acquire lock";

/// Calls sled, whose panics over what it finds in its files are returned as errors.
pub(super) fn call<T>(action: &'static str, path: &Path, call: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(outcome) => outcome.map_err(|error| convert(action, path, error)),
        Err(_) => Err(Error::corrupt("store", format!("sled cannot make sense of the files below {}", path.display()))),
    }
}

/// An error of an open store.
fn convert(action: &'static str, path: &Path, error: sled::Error) -> Error {
    match error {
        sled::Error::Io(source) => Error::io(action, path, source),
        sled::Error::Corruption { at, .. } => {
            let place = at.map_or_else(String::new, |at| format!(" at {at:?}"));
            Error::corrupt("log", format!("it is damaged{place}, below {}", path.display()))
        }
        other => Error::Engine { engine: ENGINE, message: format!("cannot {action}: {other}") },
    }
}

/// The same, of a store that is being opened.
pub(super) fn opening(path: &Path, error: Error) -> Error {
    match error {
        Error::Io { error, .. } if error.to_string().contains(LOCKED) => Error::open(
            OpenProblem::InUse,
            path,
            "it is in use, by another process or by this one: close it there first",
        ),
        Error::Io { error, .. } => Error::open_io(path, error),
        Error::Engine { message, .. } => Error::open(
            OpenProblem::NewerFormat,
            path,
            format!("{message}: open it with the version that wrote it, and copy what it holds"),
        ),
        other => other,
    }
}
