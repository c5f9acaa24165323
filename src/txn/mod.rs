//! Transactions: who may write when, what a running transaction sees, and what happens after its commit.
//!
//! A model writes each operation once, as a closure over a [`View`] (reads) or a [`Writer`] (reads and writes), and hands
//! it to a [`Scope`]. The scope decides what surrounds it:
//!
//! | scope               | a read sees                        | a write                                             |
//! |---------------------|------------------------------------|-----------------------------------------------------|
//! | [`AutoCommit`]      | the last acknowledged commit       | is a transaction of its own                         |
//! | [`InTransaction`]   | the transaction, its writes too    | joins the transaction; undone alone when it fails   |
//! | `Unsettled`         | the last acknowledged commit       | as `AutoCommit`, for a door that waits for it itself |
//! | [`AtSnapshot`]      | the snapshot                       | does not compile                                    |
//!
//! # Invariants
//! 1. All writers of one store take turns: the turn (`turns.rs`) is held from an exclusive transaction's first read to its
//!    commit, and by an optimistic one during its commit.
//! 2. Changes reach the engine in one commit or not at all: they are buffered until then.
//! 3. What models note (messages) is released after their commit is durable, in commit order, and never for one that failed.
//! 4. An operation that fails inside a transaction leaves the transaction as it was before the operation: its changes, and what
//!    a `Writer` notes beside them.
//! 5. A snapshot is read at the moment when it was taken, so that it shows the same for ever.

mod claims;
mod commit;
mod core;
mod epoch;
mod ids;
mod isolation;
mod leases;
mod meter;
mod mode;
mod note;
mod operation;
mod record;
mod running;
mod scope;
mod settler;
mod start;
mod state;
mod steps;
mod turns;
mod undo;
mod view;

pub(crate) use self::claims::Claim;
pub(crate) use self::commit::{Attempted, Pending};
pub(crate) use self::core::Core;
pub use self::isolation::Isolation;
pub(crate) use self::leases::Sequence;
pub(crate) use self::meter::Meter;
pub(crate) use self::mode::Mode;
pub(crate) use self::note::Note;
pub(crate) use self::operation::Operation;
pub use self::running::InTransaction;
pub(crate) use self::running::Running;
#[cfg(feature = "server")]
pub(crate) use self::scope::Unsettled;
pub use self::scope::{AtSnapshot, AutoCommit, Scope, WriteScope};
pub(crate) use self::settler::Settling;
pub(crate) use self::start::Start;
pub(crate) use self::state::{State, States};
pub(crate) use self::steps::{Room, Steps};
#[cfg(feature = "server")]
pub(crate) use self::turns::Turn;
pub(crate) use self::view::{Cursor, Models, View, Writer};

#[cfg(test)]
mod tests;
