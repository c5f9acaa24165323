//! What clients send and what they get: requests, replies, single words, and the one table of error texts.

pub(super) mod refusal;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod words;
