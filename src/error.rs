//! The one error type of the crate.
//!
//! Variants are cut by what the caller can do next, and hold plain data, so that this stays the lowest module and a
//! front door can map each of them to its own protocol's codes. What two doors have to distinguish is a variant or an
//! [`InvalidKind`]; what only a person reads is in the message.

use std::fmt;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
///
/// # Examples
/// ```
/// fn visit(kv: &larder::Kv) -> larder::Result<i64> {
///     kv.increment("visits", 1)
/// }
/// assert_eq!(visit(&larder::Store::in_memory().kv())?, 1);
/// # Ok::<(), larder::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in a store.
///
/// # Examples
/// ```
/// use larder::{Error, Store};
/// let kv = Store::in_memory().kv();
/// kv.set("board", "text")?;
/// let error = kv.sorted_set("board").add("ann", 1.0).unwrap_err();
/// assert!(matches!(error, Error::WrongType { found: "string", .. }));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another transaction committed a change to something this one read. Run the transaction again.
    #[error("conflict: another transaction changed {what} since this one began; run it again")]
    Conflict {
        /// The changed key, in its stored encoding. Empty when more was changed than is remembered.
        key: Vec<u8>,
        /// What is kept there, in the words of its model: `document {"_id": 1} of collection "shop"."orders"`.
        what: String,
    },

    /// A unique index already holds this value. The document is there, or belongs elsewhere.
    #[error("duplicate key in {target}, index {index}: {value}")]
    DuplicateKey {
        /// The collection.
        target: String,
        /// The unique index that refused.
        index: String,
        /// The refused value, readable.
        value: String,
        /// The keys of that index: paths with 1 or -1.
        key_pattern: Box<bson::Document>,
        /// The refused value, by path.
        key_value: Box<bson::Document>,
    },

    /// The validator of a collection refuses a document; nothing was written. Write one that meets it.
    #[error("Document failed validation: {target}: {details}")]
    InvalidDocument {
        /// The collection.
        target: String,
        /// The `_id` of the document (`failingDocumentId`), and which condition it does not meet, how it was written and why
        /// (`details`).
        details: Box<bson::Document>,
    },

    /// The store holds as many bytes as it may, and no key could be evicted to make room; nothing was written. Remove
    /// something, or raise the budget.
    #[error("out of memory: {used} bytes are held, and the budget is {budget}")]
    OutOfMemory {
        /// What the store may hold.
        budget: u64,
        /// What it holds.
        used: u64,
    },

    /// A key holds a value of another kind than the operation works on.
    #[error("key {key:?} holds a {found}, not a {expected}")]
    WrongType {
        /// The key, lossily readable.
        key: String,
        /// The kind the operation works on.
        expected: &'static str,
        /// The kind that is stored.
        found: &'static str,
    },

    /// The condition of a conditional write did not hold; nothing was written.
    #[error("the condition of the write to {target} did not hold")]
    ConditionFailed {
        /// The table or collection.
        target: String,
    },

    /// A request to an item table is refused, in the words of the service it imitates. [`Error::item_fault`] has what is
    /// wrong, as data.
    #[error("{fault}")]
    Item {
        /// An [`item::Fault`](crate::item::Fault). It is the message, and so not a source as well.
        fault: Box<dyn std::error::Error + Send + Sync>,
        /// Whether the same request can succeed later.
        is_retryable: bool,
    },

    /// The request is wrong and would be refused again.
    #[error("{message}")]
    Invalid {
        /// What is wrong with it, for mapping to a protocol's code.
        kind: InvalidKind,
        /// The number that the imitated product has for it, where the mistake has one of its own
        /// ([`document::Code`](crate::document::Code)).
        code: Option<i32>,
        /// What is wrong with it, for a person.
        message: String,
    },

    /// What the request names does not exist.
    #[error("no {what} named {name:?}")]
    NotFound {
        /// The kind of thing: `"item table"`, `"index"`.
        what: &'static str,
        /// The name asked for.
        name: String,
    },

    /// What the request would create exists, and is different.
    #[error("there is already a {what} named {name:?} with another definition")]
    AlreadyExists {
        /// The kind of thing: `"item table"`, `"index"`.
        what: &'static str,
        /// The name asked for.
        name: String,
    },

    /// Something is larger than a limit of [`crate::limits`] allows. Nothing was written.
    #[error("{limit} is limited to {max}, found {found}")]
    LimitExceeded {
        /// What is limited, with its unit.
        limit: &'static str,
        /// The limit.
        max: u64,
        /// What was found.
        found: u64,
    },

    /// Larder does not model this. It is refused rather than ignored.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The operator, option or type, by its own name.
        feature: String,
    },

    /// A handle of the store was used inside the store's exclusive transaction, on the same thread.
    ///
    /// It would wait for itself for ever, or read what the transaction has already changed.
    #[error("the store's own handle was used inside a transaction on it; take the handle from the transaction instead")]
    NestedTransaction,

    /// Stored bytes do not decode. Reading again reads the same bytes again.
    #[error("corrupt {what}: {detail}")]
    Corruption {
        /// What was being read.
        what: &'static str,
        /// What is wrong, and where.
        detail: String,
    },

    /// A file of the store does not hold what was written to it. Nothing of it is shown; a backup has to take its place.
    #[error("damaged file {}, at byte {offset}: {detail}; restore the store from a backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes from its start.
        offset: u64,
        /// What is wrong there.
        detail: String,
    },

    /// A file of the store could not be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was tried: `"open"`, `"sync"`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system. It is part of the message, and so not a source as well.
        error: std::io::Error,
    },

    /// The directory of the store cannot be used as one.
    #[error("cannot open the store in {}: {reason}", path.display())]
    Open {
        /// What stands in the way.
        problem: OpenProblem,
        /// The directory.
        path: PathBuf,
        /// Why, and what to do about it.
        reason: String,
    },

    /// The storage engine failed in a way it does not classify.
    #[error("storage engine {engine}: {message}")]
    Engine {
        /// The engine.
        engine: &'static str,
        /// What it said.
        message: String,
    },

    /// An earlier write or sync failed, and what the medium holds is not known for certain. What was acknowledged can still
    /// be read; close the store and open it again to write.
    #[error("the store is read-only since a write failed ({reason}): close it and open it again")]
    ReadOnly {
        /// The first failure.
        reason: String,
    },

    /// The store has been closed.
    #[error("the store is closed")]
    Closed,

    /// An operation on many things ended at one that was refused. What it had done before that is kept.
    #[error("{error} (kept is what was done before: {done})")]
    Partial {
        /// How many documents were inserted, changed or removed.
        done: u64,
        /// Why it went no further. It is part of the message, and so not a source as well.
        error: Box<Error>,
    },

    /// An error the application raised inside a transaction, which rolled the transaction back. Its message and its
    /// source are those of that error.
    #[error(transparent)]
    Application(Box<dyn std::error::Error + Send + Sync>),
}

/// What stands in the way of opening a store.
///
/// # Examples
/// ```
/// use larder::{Error, OpenProblem, Store};
/// # let dir = tempfile::tempdir().unwrap();
/// let store = Store::open(dir.path())?;
/// assert!(matches!(Store::open(dir.path()), Err(Error::Open { problem: OpenProblem::InUse, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenProblem {
    /// There is no store, and `must_exist` was asked for.
    Missing,
    /// There is a store, and `must_be_new` was asked for.
    Exists,
    /// The path leads to something else.
    NotAStore,
    /// This process or another has it open.
    InUse,
    /// This user may not read and write it.
    PermissionDenied,
    /// A later version of this crate wrote it.
    NewerFormat,
    /// An earlier version of this crate wrote it, in a format that is no longer read.
    OlderFormat,
}

/// What is wrong with a request that [`Error::Invalid`] refuses.
///
/// # Examples
/// ```
/// use larder::{Error, InvalidKind, Store};
/// let kv = Store::in_memory().kv();
/// kv.set("visits", i64::MAX.to_string())?;
/// assert!(matches!(kv.increment("visits", 1), Err(Error::Invalid { kind: InvalidKind::Overflow, .. })));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidKind {
    /// An argument is out of its domain.
    Value,
    /// Text or a specification document does not parse.
    Syntax,
    /// A value has a type the operation does not take.
    Type,
    /// An arithmetic result does not fit its type.
    Overflow,
    /// An update walks through a value that is not an object or array.
    PathNotViable,
    /// Two parts of one update change the same path, or one changes a prefix of the other's.
    ConflictingUpdate,
    /// An update would change a field that never changes, such as `_id` or a key attribute.
    ImmutableField,
    /// Two arrays in one document meet in one compound index or sort.
    ParallelArrays,
    /// The same name or keys are in use with other options.
    OptionsConflict,
    /// A value does not serialize to, or deserialize from, its stored form.
    Serialization,
}

impl Error {
    /// An [`Error::Conflict`] over `key`, which the engine that finds it can name by its bytes only.
    ///
    /// # Examples
    /// ```
    /// let error = larder::Error::conflict([0x20, 0x0a]);
    /// assert!(error.is_retryable() && error.to_string().contains("200a"));
    /// ```
    pub fn conflict(key: impl Into<Vec<u8>>) -> Self {
        let key = key.into();
        let what = match key.as_slice() {
            [] => "more than is remembered".to_owned(),
            key => format!("the key {}", Hex(key)),
        };
        Self::Conflict { key, what }
    }

    /// The same error, with `place` behind its message if that is about a value and not about a place.
    pub(crate) fn at(self, place: impl FnOnce() -> String) -> Self {
        match self {
            Self::Invalid { kind, code, message } => {
                Self::Invalid { kind, code, message: format!("{message}, in {}", place()) }
            }
            other => other,
        }
    }

    /// An [`Error::Invalid`] of `kind`.
    pub(crate) fn invalid(kind: InvalidKind, message: impl Into<String>) -> Self {
        Self::Invalid { kind, code: None, message: message.into() }
    }

    /// An [`Error::Invalid`] of `kind` that the imitated product has the number `code` for.
    pub(crate) fn coded(kind: InvalidKind, code: i32, message: impl Into<String>) -> Self {
        Self::Invalid { kind, code: Some(code), message: message.into() }
    }

    /// An [`Error::Invalid`] for an argument out of its domain.
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::invalid(InvalidKind::Value, message)
    }

    /// An [`Error::Corruption`] of `what`.
    pub(crate) fn corrupt(what: &'static str, detail: impl Into<String>) -> Self {
        Self::Corruption { what, detail: detail.into() }
    }

    /// An [`Error::Unsupported`] that names `feature`.
    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }

    /// An [`Error::Open`] of the directory `path`.
    pub(crate) fn open(problem: OpenProblem, path: &Path, reason: impl Into<String>) -> Self {
        Self::Open { problem, path: path.to_owned(), reason: reason.into() }
    }

    /// The error of opening the store in the directory `path`, made of the system's.
    pub(crate) fn open_io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match source.kind() {
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                let reason = "it is a file, or a file is in its way: give the path of a directory, or of one to create";
                Self::open(OpenProblem::NotAStore, path, reason)
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                let reason = format!("no permission to read and write it ({source}): change it, or its owner");
                Self::open(OpenProblem::PermissionDenied, path, reason)
            }
            _ => Self::io("open", path, source),
        }
    }

    /// An [`Error::Io`] for `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path, error: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), error }
    }

    /// Wraps an application's own error, so that a transaction's closure can return it with `?` and roll back.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Error, Store};
    /// let store = Store::in_memory();
    /// let outcome = store.transaction(|tx| {
    ///     tx.kv().set("stock", "0")?;
    ///     Err::<(), _>(Error::application("sold out"))
    /// });
    /// assert_eq!(outcome.unwrap_err().to_string(), "sold out");
    /// assert!(store.kv().get("stock")?.is_none());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn application(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Application(error.into())
    }

    /// Whether running the same transaction again can succeed.
    ///
    /// # Examples
    /// ```
    /// use larder::Error;
    /// assert!(Error::conflict([]).is_retryable());
    /// assert!(!Error::Closed.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        // No `_` arm: a new variant has to be classified here.
        match self {
            Self::Conflict { .. } => true,
            Self::Item { is_retryable, .. } => *is_retryable,
            Self::DuplicateKey { .. }
            | Self::InvalidDocument { .. }
            | Self::OutOfMemory { .. }
            | Self::WrongType { .. }
            | Self::ConditionFailed { .. }
            | Self::Invalid { .. }
            | Self::NotFound { .. }
            | Self::AlreadyExists { .. }
            | Self::LimitExceeded { .. }
            | Self::Unsupported { .. }
            | Self::NestedTransaction
            | Self::Corruption { .. }
            | Self::Damaged { .. }
            | Self::Io { .. }
            | Self::Open { .. }
            | Self::Engine { .. }
            | Self::ReadOnly { .. }
            | Self::Closed
            // What was done would be done again.
            | Self::Partial { .. }
            | Self::Application(_) => false,
        }
    }

    /// What went wrong, whether or not something was done before: the error within [`Error::Partial`], any other itself.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Error, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let error = people.insert_many([doc! { "_id": 1 }, doc! { "_id": 1 }]).unwrap_err();
    /// assert!(matches!(error, Error::Partial { done: 1, .. }));
    /// assert!(matches!(error.cause(), Error::DuplicateKey { .. }));
    /// ```
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Partial { error, .. } => error,
            error => error,
        }
    }

    /// Whether a unique index refused the value.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, bson::doc};
    /// let people = Store::in_memory().collection::<larder::Document>("people");
    /// people.insert_one(&doc! { "_id": 1 })?;
    /// assert!(people.insert_one(&doc! { "_id": 1 }).unwrap_err().is_duplicate_key());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn is_duplicate_key(&self) -> bool {
        matches!(self.cause(), Self::DuplicateKey { .. })
    }
}

/// Shows a stored key as hexadecimal, because its bytes are rarely text.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_conflict_is_worth_running_again() {
        assert!(Error::conflict([1]).is_retryable());
        assert!(!Error::Closed.is_retryable());
        assert!(!Error::invalid(InvalidKind::Value, "no").is_retryable());
    }

    #[test]
    fn messages_name_what_they_are_about() {
        let conflict = Error::conflict([0x20, 0x0a]);
        assert!(conflict.to_string().contains("200a"), "{conflict}");
        let limit = Error::LimitExceeded { limit: "key bytes", max: 10, found: 11 };
        assert_eq!(limit.to_string(), "key bytes is limited to 10, found 11");
    }

    /// Every message of `error` and of what it comes from, as a reporter of errors prints them.
    fn chain(error: &dyn std::error::Error) -> String {
        let mut messages = vec![error.to_string()];
        let mut source = error.source();
        while let Some(error) = source {
            messages.push(error.to_string());
            source = error.source();
        }
        messages.join(": ")
    }

    #[test]
    fn a_chain_of_errors_has_each_message_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the order was refused")]
        struct Refused(#[source] std::fmt::Error);
        let application = Error::application(Refused(std::fmt::Error));
        assert_eq!(chain(&application), format!("the order was refused: {}", std::fmt::Error));
        assert_eq!(chain(&Error::application("sold out")), "sold out");
        let system = Error::io("open", Path::new("x"), std::io::Error::other("it is broken"));
        assert_eq!(chain(&system), "cannot open x: it is broken");
    }
}
