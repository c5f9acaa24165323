//! Names.

use std::fmt;

use crate::wide_column::cql::keyword::{Class, Keyword, RESERVED_TYPES};

/// The name of something, as it is kept: one that was written without quotes is in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(Box<str>);

impl Name {
    /// A name that was written in quotes.
    pub(crate) fn exact(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// A name that was written without quotes.
    pub(crate) fn folded(word: &str) -> Self {
        Self(word.to_ascii_lowercase().into())
    }

    /// As it is kept.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a word that need not be quoted where no keyword is taken for a name.
    pub(crate) fn is_plain(&self) -> bool {
        is_lower_word(&self.0)
            && !is_literal(&self.0)
            && !RESERVED_TYPES.contains(&self.as_str())
            && Keyword::of(&self.0).is_none()
    }
}

/// `name` as Cassandra writes it in a schema: in quotes when it would not come back without them.
pub(crate) fn quoted_if_needed(name: &str) -> String {
    let is_reserved = Keyword::of(name).is_some_and(|keyword| keyword.class() == Class::Reserved) || is_literal(name);
    if is_lower_word(name) && !is_reserved { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn is_lower_word(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_literal(name: &str) -> bool {
    matches!(name, "true" | "false")
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A name that may have its keyspace before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct QualifiedName {
    /// The keyspace, if it is named.
    pub(crate) keyspace: Option<Name>,
    /// The name within it.
    pub(crate) name: Name,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_in_a_schema_only_when_they_have_to() {
        for (name, written) in [
            ("a_1", "a_1"),
            ("ttl", "ttl"),
            ("int", "int"),
            ("table", "\"table\""),
            ("true", "\"true\""),
            ("A", "\"A\""),
            ("1a", "\"1a\""),
            ("", "\"\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(quoted_if_needed(name), written);
        }
    }
}
