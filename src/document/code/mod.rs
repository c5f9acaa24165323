//! The numbers that MongoDB has for mistakes.
//!
//! A number is given where a mistake is found, together with the message: [`Code::value`] and its like make the error. Names and
//! labels of errors, and the envelopes they travel in, belong to the door. The constants are in one file, in the order of their
//! numbers.
//!
//! # Source
//! MongoDB manual, Error Codes, and what servers of version 8.2 return, as public test suites and drivers assert it.

mod numbers;

use crate::error::{Error, InvalidKind};

/// A number by which MongoDB names a mistake.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::Code};
/// let people = Store::in_memory().collection::<Document>("people");
/// people.insert_one(&doc! { "_id": 1 })?;
/// let error = people.insert_one(&doc! { "_id": 1 }).unwrap_err();
/// assert_eq!(Code::of(&error), Some(Code::DUPLICATE_KEY));
/// let error = people.update_one(doc! {}, doc! { "$set": { "a": 1, "a.b": 2 } }).unwrap_err();
/// assert_eq!(Code::of(&error).unwrap().number(), 40);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, Error Codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(i32);

impl Code {
    /// The number itself.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::document::Code::TYPE_MISMATCH.number(), 14);
    /// ```
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The number for `error`, or `None` for one that no request causes, such as a full disk.
    ///
    /// What failed after some of it was done has the number of why it failed.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::Code};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let error = people.find(doc! { "age": { "$in": 7 } }).run().unwrap_err();
    /// assert_eq!(Code::of(&error), Some(Code::BAD_VALUE));
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        Some(match error.cause() {
            Error::Invalid { code: Some(code), .. } => Self(*code),
            Error::Invalid { kind, .. } => of_kind(*kind),
            Error::DuplicateKey { .. } => Self::DUPLICATE_KEY,
            Error::InvalidDocument { .. } => Self::DOCUMENT_VALIDATION_FAILURE,
            Error::Conflict { .. } => Self::WRITE_CONFLICT,
            Error::NotFound { what: "index", .. } => Self::INDEX_NOT_FOUND,
            Error::NotFound { .. } => Self::NAMESPACE_NOT_FOUND,
            Error::AlreadyExists { what: "index", .. } => Self::INDEX_KEY_SPECS_CONFLICT,
            Error::LimitExceeded { limit, .. } => of_limit(limit),
            Error::Unsupported { .. } => Self::NOT_IMPLEMENTED,
            _ => return None,
        })
    }

    /// An error for an argument out of its domain.
    pub(super) fn value(self, message: impl Into<String>) -> Error {
        self.error(InvalidKind::Value, message)
    }

    /// An error for what does not parse.
    pub(super) fn syntax(self, message: impl Into<String>) -> Error {
        self.error(InvalidKind::Syntax, message)
    }

    /// An error for a value of a type that is not taken.
    pub(super) fn wrong_type(self, message: impl Into<String>) -> Error {
        self.error(InvalidKind::Type, message)
    }

    /// An error for a result that does not fit its type.
    pub(super) fn overflow(self, message: impl Into<String>) -> Error {
        self.error(InvalidKind::Overflow, message)
    }

    /// An error of `kind` with this number.
    pub(super) fn error(self, kind: InvalidKind, message: impl Into<String>) -> Error {
        Error::coded(kind, self.0, message)
    }
}

/// What a mistake without a number of its own has.
fn of_kind(kind: InvalidKind) -> Code {
    match kind {
        InvalidKind::Value | InvalidKind::Serialization => Code::BAD_VALUE,
        InvalidKind::Syntax => Code::FAILED_TO_PARSE,
        InvalidKind::Type => Code::TYPE_MISMATCH,
        InvalidKind::Overflow => Code::OVERFLOW,
        InvalidKind::PathNotViable => Code::PATH_NOT_VIABLE,
        InvalidKind::ConflictingUpdate => Code::CONFLICTING_UPDATE_OPERATORS,
        InvalidKind::ImmutableField => Code::IMMUTABLE_FIELD,
        InvalidKind::ParallelArrays => Code::CANNOT_INDEX_PARALLEL_ARRAYS,
        InvalidKind::OptionsConflict => Code::INDEX_OPTIONS_CONFLICT,
    }
}

fn of_limit(limit: &str) -> Code {
    match limit {
        "document bytes" => Code::DOCUMENT_TOO_LARGE,
        "bytes of a sort in memory" | "sort bytes" | "group bytes" | "bytes of a computed value" => {
            Code::EXCEEDED_MEMORY_LIMIT
        }
        "pipeline stages" => Code::PIPELINE_TOO_LONG,
        "fields of a key pattern" => Code::SORT_TOO_MANY_KEYS,
        "indexes of a collection" => Code::CANNOT_CREATE_INDEX,
        "name bytes" | "namespace bytes" => Code::INVALID_NAMESPACE,
        "bytes of a regular expression" => Code::REGEX_COMPILE,
        "array padding in elements" => Code::BAD_VALUE,
        _ => Code::OVERFLOW,
    }
}

#[cfg(test)]
mod tests;
