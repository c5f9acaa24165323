//! The handle of a keyspace, and how its operations are run.

use std::sync::Arc;

use crate::error::Result;
use crate::kv::layout::Keyspace;
use crate::txn::{AutoCommit, Operation, Scope, View, WriteScope, Writer};

/// One keyspace: its strings, counters, hashes, lists, sets, sorted sets and streams.
///
/// Given by [`Store::kv`](crate::Store::kv) and [`Store::kv_named`](crate::Store::kv_named), and by a transaction's and
/// a snapshot's methods of the same names. Keys are any bytes, at most
/// [`limits::KEY_BYTES_MAX`](crate::limits::KEY_BYTES_MAX) of them, and come in bytewise order, as members and fields
/// do; those that are longer than [`limits::KEY_COMPONENT_BYTES_MAX`](crate::limits::KEY_COMPONENT_BYTES_MAX) and agree
/// in that many bytes come in an order of their own, always the same.
///
/// # Examples
/// ```
/// let kv = larder::Store::in_memory().kv();
/// kv.set("greeting", "hello")?;
/// assert_eq!(kv.get("greeting")?.as_deref(), Some(&b"hello"[..]));
/// kv.sorted_set("board").add("ann", 41.5)?;
/// assert_eq!(kv.sorted_set("board").rank("ann")?, Some(0));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Kv<S = AutoCommit> {
    pub(super) scope: S,
    pub(super) keyspace: Arc<Keyspace>,
}

impl<S: Scope> Kv<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, keyspace: Arc::new(Keyspace::new(name)) }
    }

    /// As [`Kv::new`], with a name that was prepared before.
    #[cfg(feature = "server")]
    pub(crate) fn in_keyspace(scope: S, keyspace: &Arc<Keyspace>) -> Self {
        Self { scope, keyspace: Arc::clone(keyspace) }
    }

    pub(super) fn read<R>(
        &self,
        verb: &'static str,
        key: &[u8],
        body: impl FnOnce(&View, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.scope.read(self.operation(verb), |view| body(view, &self.keyspace.head(view, key)?))
    }

    pub(super) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("kv", verb, self.keyspace.name())
    }
}

impl<S: WriteScope> Kv<S> {
    /// Runs an operation on `key` that may make it larger.
    pub(super) fn write<R>(
        &self,
        verb: &'static str,
        key: &[u8],
        body: impl FnMut(&mut Writer, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.write_to(Room::Needed, verb, key, body)
    }

    /// Runs an operation on `key` that makes nothing larger, and so is never refused for lack of room.
    pub(super) fn free<R>(
        &self,
        verb: &'static str,
        key: &[u8],
        body: impl FnMut(&mut Writer, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.write_to(Room::NotNeeded, verb, key, body)
    }

    pub(super) fn write_to<R>(
        &self,
        room: Room,
        verb: &'static str,
        key: &[u8],
        mut body: impl FnMut(&mut Writer, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.change(room, verb, |writer| {
            let head = self.keyspace.head(writer, key)?;
            body(writer, &head)
        })
    }

    /// Runs an operation, for which room is made first if it needs any.
    pub(super) fn change<R>(
        &self,
        room: Room,
        verb: &'static str,
        body: impl FnMut(&mut Writer) -> Result<R>,
    ) -> Result<R> {
        self.scope.write(self.operation(verb).freeing(room == Room::NotNeeded), body)
    }

    /// Removes keys until what is held is within the budget, as an operation that needs room does.
    #[cfg(feature = "server")]
    pub(crate) fn make_room(&self) -> Result<()> {
        self.change(Room::Needed, "make_room", |_| Ok(()))
    }
}

/// Whether an operation may make what is held larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It may: within a budget, room is made for it first.
    Needed,
    /// It makes nothing larger.
    NotNeeded,
}
