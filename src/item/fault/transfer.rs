//! What is wrong with a request to export, import or bring back a table.

/// Why a table is not exported, imported or brought back to a moment. [`Display`](std::fmt::Display) gives the service's
/// words.
///
/// # Examples
/// ```
/// let fault = larder::item::TransferFault::NotRecoverable { table: "Users".into() };
/// assert_eq!(fault.code(), "PointInTimeRecoveryUnavailableException");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, *Common errors*, `ExportTableToPointInTime`, `ImportTable`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferFault {
    /// The table was not said to be one that can be brought back.
    #[error("Point in time recovery is not enabled for table '{table}'")]
    NotRecoverable {
        /// The table.
        table: String,
    },
    /// A moment of which nothing is left, or that has not come.
    #[error("The specified ExportTime is outside of the point in time recovery window.")]
    ExportTime,
    /// There is no such export.
    #[error("Export not found: {arn}")]
    ExportNotFound {
        /// Its ARN.
        arn: String,
    },
    /// There is no such import.
    #[error("Import not found: {arn}")]
    ImportNotFound {
        /// Its ARN.
        arn: String,
    },
    /// The token of an export came with another request before.
    #[error("The client token was used with other parameters by an earlier export")]
    ExportConflict,
    /// The token of an import came with another request before.
    #[error("The client token was used with other parameters by an earlier import")]
    ImportConflict,
}

impl TransferFault {
    /// The name of the service's exception.
    ///
    /// # Examples
    /// See [`TransferFault`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRecoverable { .. } => "PointInTimeRecoveryUnavailableException",
            Self::ExportTime => "InvalidExportTimeException",
            Self::ExportNotFound { .. } => "ExportNotFoundException",
            Self::ImportNotFound { .. } => "ImportNotFoundException",
            Self::ExportConflict => "ExportConflictException",
            Self::ImportConflict => "ImportConflictException",
        }
    }

    #[cfg(feature = "exports")]
    pub(in crate::item) fn into_error(self) -> crate::error::Error {
        crate::item::Fault::Transfer(self).into_error()
    }
}
