//! A login, from its first message to its last.

use crate::server::scram::ScramKeys;

/// A login that has begun.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) user: String,
    pub(super) keys: ScramKeys,
    /// There is such a user, who may log in.
    pub(super) is_known: bool,
    /// The client's first message without its header, and the door's.
    pub(super) messages: String,
    pub(super) nonce: String,
    /// The password was proven, and the client has one empty message to send.
    pub(super) is_proven: bool,
    /// That message is left out.
    pub(super) skips_last: bool,
}
