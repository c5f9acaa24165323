//! What clients call the kinds of values.

use crate::kv::Kind;

/// The name of a kind.
///
/// # Source
/// Redis command reference, `TYPE`.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Hash => "hash",
        Kind::List => "list",
        Kind::Set => "set",
        Kind::SortedSet => "zset",
        Kind::Stream => "stream",
    }
}
