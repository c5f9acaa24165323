//! `$rename`.

use bson::{Bson, RawBsonRef, RawDocument};

use super::moment::Moment;
use super::tree::{self, Part};
use crate::document::code::Code;
use crate::document::raw;
use crate::error::{InvalidKind, Result};

/// The target of a `$rename`, which has the paths of both ends.
#[derive(Clone, Debug)]
pub(super) struct Rename {
    source: Vec<Part>,
    target: Vec<Part>,
}

impl Rename {
    /// Compiles the renaming of `source` to the path `target`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for what is no path, and for two paths of which one leads to the other.
    pub(super) fn compile(source: &str, target: &Bson) -> Result<Self> {
        let Bson::String(target) = target else {
            return Err(Code::BAD_VALUE.wrong_type(format!("the target of $rename for {source:?} is not a text")));
        };
        if source.contains('\0') || target.contains('\0') {
            return Err(Code::RENAME_NULL_BYTE.value("a path of $rename contains a NUL character"));
        }
        let (from, to) = (tree::parts(source)?, tree::parts(target)?);
        if from.iter().chain(&to).any(Part::is_dynamic) {
            return Err(Code::BAD_VALUE.value("$rename does not go through arrays, and takes no positional operator"));
        }
        if from.iter().zip(&to).all(|(from, to)| from == to) {
            let message = format!("the paths {source:?} and {target:?} of $rename lead to one another");
            return Err(Code::BAD_VALUE.value(message));
        }
        Ok(Self { source: from, target: to })
    }

    pub(super) fn source_parts(&self) -> Vec<Part> {
        self.source.clone()
    }

    pub(super) fn target_parts(&self) -> Vec<Part> {
        self.target.clone()
    }

    /// Whether there is something to rename. What stands in the way of finding out, [`Rename::check`] has reported.
    pub(super) fn has_source(&self, moment: &Moment<'_>) -> bool {
        self.source(moment).is_ok_and(|value| value.is_some())
    }

    /// The value that is renamed.
    pub(super) fn source<'a>(&self, moment: &Moment<'a>) -> Result<Option<RawBsonRef<'a>>> {
        follow(moment.root, &self.source, "source")
    }

    /// Checks that neither path leads through an array, or through what has no fields.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when one does.
    pub(super) fn check(&self, moment: &Moment<'_>) -> Result<()> {
        if self.source(moment)?.is_none() {
            return Ok(());
        }
        follow(moment.root, &self.target, "target").map(drop)
    }
}

fn follow<'a>(document: &'a RawDocument, path: &[Part], end: &str) -> Result<Option<RawBsonRef<'a>>> {
    let mut document = document;
    let mut parts = path.iter().peekable();
    while let Some(part) = parts.next() {
        let Some(value) = raw::field(document, &part.to_string())? else { return Ok(None) };
        document = match value {
            _ if parts.peek().is_none() => return Ok(Some(value)),
            RawBsonRef::Document(inner) => inner,
            RawBsonRef::Array(_) => {
                let message = format!("the {end} of $rename is in the array {:?}", part.to_string());
                return Err(Code::BAD_VALUE.value(message));
            }
            _ => {
                let message = format!("the {end} of $rename leads through {:?}, which has no fields", part.to_string());
                return Err(Code::PATH_NOT_VIABLE.error(InvalidKind::PathNotViable, message));
            }
        };
    }
    Ok(None)
}
