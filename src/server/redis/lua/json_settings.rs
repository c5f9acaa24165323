//! What scripts set for `cjson`.

use crate::limits;

/// What a script can set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) converts_sparse: bool,
    pub(super) sparse_ratio: u32,
    pub(super) sparse_safe: u32,
    pub(crate) digits: u32,
    pub(super) encode_depth: u32,
    pub(super) decode_depth: u32,
    pub(super) encode_invalid: Invalid,
    pub(super) decodes_invalid: bool,
    /// Asked for and given back; whether a buffer is kept cannot be seen.
    pub(super) keeps_buffer: bool,
}

/// What becomes of numbers that JSON does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    Refused,
    Written,
    Null,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            converts_sparse: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            digits: 14,
            encode_depth: limits::SCRIPT_JSON_DEPTH,
            decode_depth: limits::SCRIPT_JSON_DEPTH,
            encode_invalid: Invalid::Refused,
            decodes_invalid: true,
            keeps_buffer: true,
        }
    }
}
