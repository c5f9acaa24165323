//! Why bytes are no message.

use std::borrow::Cow;
use std::fmt;

/// Why bytes are no message of the protocol, in words for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(Cow<'static, str>);

pub(crate) type Result<T> = std::result::Result<T, Malformed>;

impl Malformed {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
