//! Errors as clients get them: a code, its name, a message, labels.
//!
//! # Source
//! MongoDB manual, error codes, and the command reference.

use bson::{Document, doc};

use crate::document::Code;
use crate::error::Error;

/// A command that failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) code: i32,
    pub(super) message: String,
    /// What drivers do next hangs on these.
    pub(super) labels: Vec<String>,
    /// Further fields of the reply, such as `keyPattern`.
    pub(super) details: Box<Document>,
}

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), details: Box::default() }
    }

    /// The reply to the command.
    pub(super) fn reply(&self) -> Document {
        let mut reply = doc! { "ok": 0.0, "errmsg": &self.message, "code": self.code, "codeName": name(self.code) };
        if !self.labels.is_empty() {
            reply.insert("errorLabels", self.labels.clone());
        }
        reply.extend((*self.details).clone());
        reply
    }

    /// What a reply says of a write that was made, but not kept as well as was asked for.
    pub(super) fn write_concern_error(&self) -> Document {
        doc! { "code": self.code, "codeName": name(self.code), "errmsg": &self.message }
    }

    /// The element of `writeErrors` for the write that was `index`th of its command.
    pub(super) fn write_error(&self, index: i32) -> Document {
        let mut error = doc! { "index": index, "code": self.code, "errmsg": &self.message };
        error.extend((*self.details).clone());
        error
    }
}

/// Of a command that has taken as long as it may.
pub(super) fn out_of_time() -> Failure {
    Failure::new(Code::MAX_TIME_EXPIRED.number(), "operation exceeded time limit")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

impl Failure {
    /// What a client is told of an error of the store.
    pub(super) fn of(error: &Error) -> Self {
        let code = code_of(error);
        let message = error.to_string();
        match error {
            Error::Partial { error, .. } => Self::of(error),
            Error::DuplicateKey { target, index, value, key_pattern, key_value } => {
                let message =
                    format!("E11000 duplicate key error collection: {target} index: {index} dup key: {value}");
                let details = Box::new(doc! { "keyPattern": &**key_pattern, "keyValue": &**key_value });
                Self { details, ..Self::new(code, message) }
            }
            Error::InvalidDocument { details, .. } => {
                let details = Box::new(doc! { "errInfo": &**details });
                Self { details, ..Self::new(code, "Document failed validation") }
            }
            Error::Conflict { .. } => {
                Self { labels: vec!["TransientTransactionError".to_owned()], ..Self::new(code, message) }
            }
            _ => Self::new(code, message),
        }
    }
}

/// The code for an error of the store: that of the document model, or of what keeps the store from working.
fn code_of(error: &Error) -> i32 {
    match (error.cause(), Code::of(error)) {
        (_, Some(code)) => code.number(),
        (Error::OutOfMemory { .. }, _) => code::EXCEEDED_MEMORY_LIMIT,
        (Error::AlreadyExists { .. }, _) => code::NAMESPACE_EXISTS,
        (Error::ReadOnly { .. } | Error::Io { .. }, _) => code::OUT_OF_DISK_SPACE,
        (Error::Closed, _) => code::SHUTDOWN_IN_PROGRESS,
        _ => code::INTERNAL_ERROR,
    }
}

/// Codes that the door itself gives.
pub(super) mod code {
    pub(in crate::server::mongo) const INTERNAL_ERROR: i32 = 1;
    pub(in crate::server::mongo) const BAD_VALUE: i32 = 2;
    pub(in crate::server::mongo) const FAILED_TO_PARSE: i32 = 9;
    pub(in crate::server::mongo) const UNAUTHORIZED: i32 = 13;
    pub(in crate::server::mongo) const TYPE_MISMATCH: i32 = 14;
    pub(in crate::server::mongo) const OVERFLOW: i32 = 15;
    pub(in crate::server::mongo) const INVALID_LENGTH: i32 = 16;
    pub(in crate::server::mongo) const PROTOCOL_ERROR: i32 = 17;
    pub(in crate::server::mongo) const AUTHENTICATION_FAILED: i32 = 18;
    pub(in crate::server::mongo) const ILLEGAL_OPERATION: i32 = 20;
    pub(in crate::server::mongo) const NAMESPACE_NOT_FOUND: i32 = 26;
    pub(in crate::server::mongo) const INDEX_NOT_FOUND: i32 = 27;
    pub(in crate::server::mongo) const CURSOR_NOT_FOUND: i32 = 43;
    pub(in crate::server::mongo) const NAMESPACE_EXISTS: i32 = 48;
    pub(in crate::server::mongo) const COMMAND_NOT_FOUND: i32 = 59;
    pub(in crate::server::mongo) const CANNOT_CREATE_INDEX: i32 = 67;
    pub(in crate::server::mongo) const INVALID_OPTIONS: i32 = 72;
    pub(in crate::server::mongo) const INVALID_NAMESPACE: i32 = 73;
    pub(in crate::server::mongo) const UNKNOWN_WRITE_CONCERN: i32 = 79;
    pub(in crate::server::mongo) const SHUTDOWN_IN_PROGRESS: i32 = 91;
    pub(in crate::server::mongo) const UNSATISFIABLE_WRITE_CONCERN: i32 = 100;
    pub(in crate::server::mongo) const COMMAND_NOT_SUPPORTED: i32 = 115;
    pub(in crate::server::mongo) const EXCEEDED_MEMORY_LIMIT: i32 = 146;
    pub(in crate::server::mongo) const AMBIGUOUS_INDEX_KEY_PATTERN: i32 = 181;
    pub(in crate::server::mongo) const CLIENT_METADATA_CANNOT_BE_MUTATED: i32 = 186;
    pub(in crate::server::mongo) const INVALID_INDEX_SPECIFICATION_OPTION: i32 = 197;
    pub(in crate::server::mongo) const INVALID_UUID: i32 = 207;
    pub(in crate::server::mongo) const COLLECTION_UUID_MISMATCH: i32 = 361;
    pub(in crate::server::mongo) const NOT_IMPLEMENTED: i32 = 238;
    pub(in crate::server::mongo) const API_VERSION_ERROR: i32 = 322;
    pub(in crate::server::mongo) const API_STRICT_ERROR: i32 = 323;
    pub(in crate::server::mongo) const UNSUPPORTED_OP_QUERY: i32 = 352;
    pub(in crate::server::mongo) const OUT_OF_DISK_SPACE: i32 = 14031;
    pub(in crate::server::mongo) const DUPLICATE_FIELD: i32 = 40413;
    pub(in crate::server::mongo) const MISSING_FIELD: i32 = 40414;
    pub(in crate::server::mongo) const UNKNOWN_FIELD: i32 = 40415;
}

/// The names of codes. A code that has none is called by its number.
const NAMES: &[(i32, &str)] = &[
    (1, "InternalError"),
    (2, "BadValue"),
    (4, "NoSuchKey"),
    (5, "GraphContainsCycle"),
    (9, "FailedToParse"),
    (11, "UserNotFound"),
    (13, "Unauthorized"),
    (14, "TypeMismatch"),
    (15, "Overflow"),
    (16, "InvalidLength"),
    (17, "ProtocolError"),
    (18, "AuthenticationFailed"),
    (20, "IllegalOperation"),
    (22, "InvalidBSON"),
    (26, "NamespaceNotFound"),
    (27, "IndexNotFound"),
    (28, "PathNotViable"),
    (29, "NonExistentPath"),
    (40, "ConflictingUpdateOperators"),
    (43, "CursorNotFound"),
    (47, "NoMatchingDocument"),
    (48, "NamespaceExists"),
    (50, "MaxTimeMSExpired"),
    (52, "DollarPrefixedFieldName"),
    (53, "InvalidIdField"),
    (54, "NotSingleValueField"),
    (55, "InvalidDBRef"),
    (56, "EmptyFieldName"),
    (57, "DottedFieldName"),
    (59, "CommandNotFound"),
    (66, "ImmutableField"),
    (67, "CannotCreateIndex"),
    (68, "IndexAlreadyExists"),
    (72, "InvalidOptions"),
    (73, "InvalidNamespace"),
    (76, "NoReplicationEnabled"),
    (79, "UnknownReplWriteConcern"),
    (85, "IndexOptionsConflict"),
    (86, "IndexKeySpecsConflict"),
    (91, "ShutdownInProgress"),
    (96, "OperationFailed"),
    (100, "UnsatisfiableWriteConcern"),
    (112, "WriteConflict"),
    (115, "CommandNotSupported"),
    (121, "DocumentValidationFailure"),
    (125, "CommandFailed"),
    (136, "CappedPositionLost"),
    (146, "ExceededMemoryLimit"),
    (165, "ViewDepthLimitExceeded"),
    (166, "CommandNotSupportedOnView"),
    (167, "OptionNotSupportedOnView"),
    (168, "InvalidPipelineOperator"),
    (171, "CannotIndexParallelArrays"),
    (175, "QueryPlanKilled"),
    (181, "AmbiguousIndexKeyPattern"),
    (182, "InvalidViewDefinition"),
    (186, "ClientMetadataCannotBeMutated"),
    (189, "PrimarySteppedDown"),
    (197, "InvalidIndexSpecificationOption"),
    (206, "NoSuchSession"),
    (207, "InvalidUUID"),
    (217, "IncompleteTransactionHistory"),
    (225, "TransactionTooOld"),
    (237, "CursorKilled"),
    (238, "NotImplemented"),
    (241, "ConversionFailure"),
    (246, "SnapshotUnavailable"),
    (251, "NoSuchTransaction"),
    (263, "OperationNotSupportedInTransaction"),
    (291, "NoQueryExecutionPlans"),
    (292, "QueryExceededMemoryLimitNoDiskUseAllowed"),
    (322, "APIVersionError"),
    (323, "APIStrictError"),
    (352, "UnsupportedOpQueryCommand"),
    (359, "CannotConvertIndexToUnique"),
    (361, "CollectionUUIDMismatch"),
    (10107, "NotWritablePrimary"),
    (10334, "BSONObjectTooLarge"),
    (11000, "DuplicateKey"),
    (11600, "InterruptedAtShutdown"),
    (11601, "Interrupted"),
    (11602, "InterruptedDueToReplStateChange"),
    (13435, "NotPrimaryNoSecondaryOk"),
    (13436, "NotPrimaryOrSecondary"),
    (14031, "OutOfDiskSpace"),
];

/// The name of a code.
pub(super) fn name(code: i32) -> String {
    let at = NAMES.binary_search_by_key(&code, |(code, _)| *code);
    let known = at.ok().and_then(|at| NAMES.get(at));
    known.map_or_else(|| format!("Location{code}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_and_sorted() {
        assert!(NAMES.is_sorted_by_key(|(code, _)| *code));
        assert_eq!(name(11000), "DuplicateKey");
        assert_eq!(name(40415), "Location40415");
    }
}
