//! Transactions: who may write when, what a running transaction sees, and what happens after its commit.
//!
//! A model writes each operation once, as a closure over a [`View`] (reads) or a [`Writer`] (reads and writes), and hands
//! it to a [`Scope`]. The scope decides what surrounds it:
//!
//! | scope               | a read sees                        | a write                                             |
//! |---------------------|------------------------------------|-----------------------------------------------------|
//! | [`AutoCommit`]      | the last acknowledged commit       | is a transaction of its own                         |
//! | [`InTransaction`]   | the transaction, its writes too    | joins the transaction; undone alone when it fails   |
//! | [`AtSnapshot`]      | the snapshot                       | does not compile                                    |
//!
//! # Invariants
//! 1. All writers of one store take turns: `Core::writer` is held from an exclusive transaction's first read to its
//!    commit, and by an optimistic one during its commit.
//! 2. Changes reach the engine in one commit or not at all: they are buffered until then.
//! 3. Effects (messages) are released after their commit is durable, in commit order, and never for one that failed.
//! 4. An operation that fails inside a transaction leaves the transaction as it was before the operation: its changes, and what
//!    a `Writer` notes beside them.
//! 5. A snapshot is read at the moment when it was taken, so that it shows the same for ever.

mod core;
mod epoch;
mod flights;
mod ids;
mod isolation;
mod observe;
mod operation;
mod running;
mod scope;
mod settler;
mod storage_ids;
mod turns;
mod undo;
mod usage;
mod view;
mod waiters;

pub(crate) use self::core::{Attempted, Core, Effect, Models, Pending};
pub(crate) use self::flights::Boarding;
pub(crate) use self::ids::Ids;
pub use self::isolation::Isolation;
pub(crate) use self::observe::KeyEvent;
pub(crate) use self::operation::Operation;
pub use self::running::InTransaction;
pub(crate) use self::running::Running;
pub use self::scope::{AtSnapshot, AutoCommit, Scope, WriteScope};
pub(crate) use self::settler::Settling;
#[cfg(feature = "redis")]
pub(crate) use self::turns::Turn;
#[cfg(feature = "redis")]
pub(crate) use self::usage::Tuning;
pub(crate) use self::usage::{Counted, Tracking};
pub(crate) use self::view::{Cursor, View, Writer};
#[cfg(feature = "redis")]
pub(crate) use self::waiters::Bell;

#[cfg(test)]
mod tests;
