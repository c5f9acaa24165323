//! Why a request gets an error instead of a reply, and the one text that there is for it.
//!
//! Whatever an error comes from, a command, a commit, a sync or a panic, its text is made here, so that clients can
//! tell by its code what has happened: `MISCONF` for a store that cannot write, `OOM` for a budget that is used up.
//!
//! # Source
//! Redis documentation, "Error handling"; the codes are those of version 7.2.

use crate::error::Error;
use crate::kv::stream::{GROUP, STREAM};
use crate::limits;

/// What a request whose command panicked gets, and every other of its run.
pub(crate) const PANICKED: &str = "ERR internal error: the command panicked";

/// Why a command returns an error.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// This text, with its code.
    Text(String),
    /// What the store says.
    Store(Error),
}

/// How a command ends.
pub(crate) type Outcome = Result<(), Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Refusal {
    pub(crate) fn syntax() -> Self {
        "ERR syntax error".into()
    }

    pub(crate) fn not_an_integer() -> Self {
        "ERR value is not an integer or out of range".into()
    }

    /// Refuses an integer that cannot be negated.
    pub(crate) fn without_negative() -> Self {
        format!("ERR value is out of range, value must between {} and {}", -i64::MAX, i64::MAX).into()
    }

    /// Of a reply that would take more than `most` bytes.
    pub(super) fn too_long(most: usize) -> Self {
        Self::Text(format!("ERR the reply is larger than the {most} bytes that may wait for a client"))
    }

    /// The line that a client gets.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Store(error) => text_of(error),
        }
    }
}

/// The line that a client gets for an error of the store's.
pub(crate) fn text_of(error: &Error) -> String {
    match error {
        Error::WrongType { .. } => "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned(),
        Error::LimitExceeded { limit: limits::STRING_BYTES, .. } => {
            "ERR string exceeds maximum allowed size (proto-max-bulk-len)".to_owned()
        }
        Error::OutOfMemory { .. } => "OOM command not allowed when used memory > 'maxmemory'.".to_owned(),
        Error::ReadOnly { reason } => cannot_write(reason),
        Error::Io { .. } => cannot_write(&error.to_string()),
        Error::NotFound { what: STREAM, .. } => "ERR no such key".to_owned(),
        Error::NotFound { what: GROUP, name } => format!("NOGROUP No such consumer group '{name}'"),
        Error::AlreadyExists { what: GROUP, .. } => "BUSYGROUP Consumer Group name already exists".to_owned(),
        error => format!("ERR {error}"),
    }
}

/// What clients get of a store that cannot write for `reason`.
pub(crate) fn cannot_write(reason: &str) -> String {
    format!("MISCONF Errors writing to the data store: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_and_a_limit_have_codes_of_their_own() {
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = Error::io("write", std::path::Path::new("/data/1.log"), source);
        let texts = [
            (Error::ReadOnly { reason: "no space".to_owned() }, "MISCONF Errors writing to the data store: no space"),
            (full, "MISCONF Errors writing to the data store: cannot write /data/1.log: no storage space"),
            (
                Error::LimitExceeded { limit: "commit bytes", max: 10, found: 11 },
                "ERR commit bytes is limited to 10, found 11",
            ),
        ];
        for (error, text) in texts {
            assert_eq!(text_of(&error), text);
        }
    }
}
