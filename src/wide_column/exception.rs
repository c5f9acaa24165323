//! Classes of errors, as Cassandra's protocol has them.

use std::fmt;

use crate::error::{Error, InvalidKind};

/// Class of an error in the words and codes of CQL.
///
/// Every error of a wide-column table belongs to one: [`Exception::of`] says to which. A refusal in Cassandra's own words is made with
/// its class, which an [`Error::Invalid`] carries as its code.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, Exception, TableSchema}};
/// let users = Store::in_memory().wide_table("shop", "users");
/// let error = users.schema().unwrap_err();
/// assert_eq!(Exception::of(&error), Exception::Invalid);
/// assert_eq!(Exception::of(&error).code(), 0x2200);
/// ```
///
/// # Source
/// CQL binary protocol, version 4, section 9, *Error codes*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Exception {
    /// Something unexpected on the server's side.
    Server = 0x0000,
    /// The message breaks the protocol.
    Protocol = 0x000a,
    /// The credentials are wrong.
    BadCredentials = 0x0100,
    /// Too few replicas are there.
    Unavailable = 0x1000,
    /// The server has too much to do.
    Overloaded = 0x1001,
    /// A write took too long, or another one came between it.
    WriteTimeout = 0x1100,
    /// A read took too long.
    ReadTimeout = 0x1200,
    /// A read failed, as one that met too many tombstones.
    ReadFailure = 0x1300,
    /// A function failed.
    FunctionFailure = 0x1400,
    /// A write failed.
    WriteFailure = 0x1500,
    /// The statement is not CQL.
    Syntax = 0x2000,
    /// The user may not do that.
    Unauthorized = 0x2100,
    /// The statement is CQL, and asks for what cannot be.
    Invalid = 0x2200,
    /// A setting of a keyspace, table or index cannot be.
    Config = 0x2300,
    /// What is to be created is there.
    AlreadyExists = 0x2400,
    /// No prepared statement has this id.
    Unprepared = 0x2500,
}

impl Exception {
    const ALL: [Self; 16] = [
        Self::Server,
        Self::Protocol,
        Self::BadCredentials,
        Self::Unavailable,
        Self::Overloaded,
        Self::WriteTimeout,
        Self::ReadTimeout,
        Self::ReadFailure,
        Self::FunctionFailure,
        Self::WriteFailure,
        Self::Syntax,
        Self::Unauthorized,
        Self::Invalid,
        Self::Config,
        Self::AlreadyExists,
        Self::Unprepared,
    ];

    /// The number that the protocol has for it.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::wide_column::Exception::Syntax.code(), 0x2000);
    /// ```
    #[must_use]
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The class of `error`, whatever it comes from.
    ///
    /// # Examples
    /// ```
    /// use larder::{Error, wide_column::Exception};
    /// assert_eq!(Exception::of(&Error::Closed), Exception::Server);
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Invalid { code: Some(code), .. } => {
                Self::ALL.into_iter().find(|known| known.code() == *code).unwrap_or(Self::Invalid)
            }
            Error::Invalid { kind: InvalidKind::Syntax, .. } => Self::Syntax,
            Error::AlreadyExists { .. } => Self::AlreadyExists,
            Error::Invalid { .. }
            | Error::NotFound { .. }
            | Error::LimitExceeded { .. }
            | Error::Unsupported { .. }
            | Error::ConditionFailed { .. } => Self::Invalid,
            Error::OutOfMemory { .. } => Self::Overloaded,
            Error::Conflict { .. } => Self::WriteTimeout,
            _ => Self::Server,
        }
    }

    /// An error of this class, with `message` in Cassandra's words where it has some.
    pub(crate) fn error(self, message: impl Into<String>) -> Error {
        let kind = if self == Self::Syntax { InvalidKind::Syntax } else { InvalidKind::Value };
        Error::coded(kind, self.code(), message)
    }
}

impl fmt::Display for Exception {
    /// The name of the class, as Cassandra's shell shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Server => "ServerError",
            Self::Protocol => "ProtocolException",
            Self::BadCredentials => "AuthenticationFailed",
            Self::Unavailable => "Unavailable",
            Self::Overloaded => "OverloadedErrorMessage",
            Self::WriteTimeout => "WriteTimeout",
            Self::ReadTimeout => "ReadTimeout",
            Self::ReadFailure => "ReadFailure",
            Self::FunctionFailure => "FunctionFailure",
            Self::WriteFailure => "WriteFailure",
            Self::Syntax => "SyntaxException",
            Self::Unauthorized => "Unauthorized",
            Self::Invalid => "InvalidRequest",
            Self::Config => "ConfigurationException",
            Self::AlreadyExists => "AlreadyExists",
            Self::Unprepared => "Unprepared",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: WID-ERR-1
    #[test]
    fn an_error_of_a_class_is_found_to_be_of_it() {
        for class in Exception::ALL {
            assert_eq!(Exception::of(&class.error("no")), class);
        }
        assert_eq!(Exception::of(&Error::coded(InvalidKind::Value, 7, "another protocol's")), Exception::Invalid);
        assert_eq!(Exception::of(&Error::unsupported("a thing")), Exception::Invalid);
        assert_eq!(Exception::of(&Error::invalid(InvalidKind::Syntax, "what?")), Exception::Syntax);
    }
}
