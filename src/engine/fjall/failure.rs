//! What fjall's errors mean to the caller.

use std::path::Path;

use fjall::LsmError;

use crate::error::{Error, OpenProblem};

/// The engine's name in errors and reports.
pub(super) const ENGINE: &str = "fjall";

/// An error of an open store.
pub(super) fn convert(action: &'static str, path: &Path, error: fjall::Error) -> Error {
    match error {
        fjall::Error::Io(source) | fjall::Error::Storage(LsmError::Io(source)) => Error::io(action, path, source),
        fjall::Error::JournalRecovery(reason) => corrupt("journal", path, &reason),
        fjall::Error::Storage(reason) => corrupt("table", path, &reason),
        reason @ (fjall::Error::Decompress(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::InvalidTag(_)
        | fjall::Error::Unrecoverable) => corrupt("journal or table", path, &reason),
        fjall::Error::Poisoned => engine("an earlier write failed; close the store and open it again"),
        // The enumeration is open: what a later version adds is at least named.
        other => engine(format!("cannot {action}: {other}")),
    }
}

/// An error of a store that is being opened.
pub(super) fn convert_open(path: &Path, error: fjall::Error) -> Error {
    match error {
        fjall::Error::Locked => {
            refuse(OpenProblem::InUse, path, "it is in use, by another process or by this one: close it there first")
        }
        fjall::Error::InvalidVersion(Some(version)) => refuse(
            OpenProblem::NewerFormat,
            path,
            format!("fjall's format {version:?} is not the one this version reads: convert it first"),
        ),
        fjall::Error::InvalidVersion(None) => refuse(
            OpenProblem::NotAStore,
            path,
            "its file `version` is not a store's: choose a new or an empty directory",
        ),
        fjall::Error::Io(source) | fjall::Error::Storage(LsmError::Io(source)) => Error::open_io(path, source),
        other => convert("open", path, other),
    }
}

/// An [`Error::Open`].
pub(super) fn refuse(problem: OpenProblem, path: &Path, reason: impl Into<String>) -> Error {
    Error::open(problem, path, reason)
}

/// An [`Error::Engine`].
pub(super) fn engine(message: impl Into<String>) -> Error {
    Error::Engine { engine: ENGINE, message: message.into() }
}

fn corrupt(what: &'static str, path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::corrupt(what, format!("{reason}, below {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use fjall::JournalRecoveryError;

    fn io_error(kind: io::ErrorKind) -> fjall::Error {
        fjall::Error::Io(io::Error::from(kind))
    }

    #[test]
    fn errors_are_cut_by_what_the_caller_can_do() {
        let path = Path::new("shop.larder");
        let open = |error| convert_open(path, error);
        let problem = |error| if let Error::Open { problem, .. } = open(error) { Some(problem) } else { None };
        assert_eq!(problem(io_error(io::ErrorKind::PermissionDenied)), Some(OpenProblem::PermissionDenied));
        assert_eq!(problem(io_error(io::ErrorKind::NotADirectory)), Some(OpenProblem::NotAStore));
        assert!(matches!(open(io_error(io::ErrorKind::StorageFull)), Error::Io { action: "open", .. }));
        assert_eq!(problem(fjall::Error::Locked), Some(OpenProblem::InUse));
        assert_eq!(problem(fjall::Error::InvalidVersion(None)), Some(OpenProblem::NotAStore));
        let damaged = fjall::Error::JournalRecovery(JournalRecoveryError::ChecksumMismatch);
        assert!(matches!(open(damaged), Error::Corruption { what: "journal", .. }));
        assert!(matches!(convert("read", path, LsmError::InvalidTrailer.into()), Error::Corruption { .. }));
        assert!(matches!(convert("write", path, fjall::Error::Poisoned), Error::Engine { .. }));
    }
}
