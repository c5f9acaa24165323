//! The file of options.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

use super::options::Options;

/// Reads the options in the file at `path`.
pub(super) fn read(path: &Path) -> Result<Options, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("cannot read the options in {}: {error}: check the path of --config", path.display())
    })?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (key, message) = (key(&text, before.len()), error.message());
        format!("{}, line {}{key}: {message}", path.display(), before.matches('\n').count() + 1)
    })
}

/// The key of the line that has the byte `at`, as it goes into a message.
fn key(text: &str, at: usize) -> String {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    line.split_once('=').map_or_else(String::new, |(key, _)| format!(", {}", key.trim()))
}

/// Reads a value as it is written on the command line: text, or a number.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_any(Parsed(PhantomData)).map(Some)
}

struct Parsed<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}
