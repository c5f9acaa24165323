//! Rows of the language, as the protocol has them.

use crate::error::{Error, Result};
use crate::limits;
use crate::server::cql::frame::{Rows, Target};
use crate::wide_column::CqlValue;
use crate::wide_column::cql::{Changed, Served};

/// The rows of a result.
///
/// # Errors
/// [`Error::LimitExceeded`] when they take more bytes than a reply may.
pub(super) fn rows(served: &Served) -> Result<Rows> {
    let mut rows = Rows::default();
    let mut row = Vec::with_capacity(served.columns.len());
    for values in &served.rows {
        row.clear();
        for (value, (_, of)) in values.iter().zip(served.columns.iter()) {
            row.push(match value {
                CqlValue::Null | CqlValue::Unset => None,
                value => Some(value.to_serialized(of)?),
            });
        }
        if !rows.push(row.iter().map(Option::as_deref)) {
            return Err(Error::LimitExceeded {
                limit: "rows of a reply",
                max: i32::MAX.unsigned_abs().into(),
                found: served.rows.len() as u64,
            });
        }
        limits::check("bytes of a reply", limits::CQL_REPLY_BYTES_MAX, rows.len())?;
    }
    Ok(rows)
}

pub(super) fn target(changed: Changed) -> Target {
    match changed {
        Changed::Keyspace => Target::Keyspace,
        Changed::Table(name) => Target::Table(name),
        Changed::Type(name) => Target::Type(name),
    }
}
