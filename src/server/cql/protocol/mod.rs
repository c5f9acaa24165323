//! What the door does with a client's bytes: the handshake and news on the connection's thread, statements on the pool, and replies in
//! the order in which they are ready.
//!
//! # Invariants
//! 1. Each request is answered once, on its stream, unless the connection ends before.
//! 2. A reply is sent when what it tells of is durable, and news of a schema with it.
//! 3. What a client makes the door hold is bounded: requests under way by number, those that wait by bytes.

mod door;
mod handshake;
mod requests;
mod wire;

pub(super) use door::{Door, operation_names};
