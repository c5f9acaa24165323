//! What of an optimistic transaction its commit checks.

/// How far an optimistic transaction is kept apart from those that commit while it is open. Every one of them reads one
/// snapshot, and its own writes.
///
/// # Examples
/// Two doctors on call, each of whom may leave while the other stays:
/// ```
/// use larder::{Isolation, Store};
/// fn both_leave(isolation: Isolation) -> larder::Result<bool> {
///     let store = Store::in_memory();
///     store.kv().set("ann", "on call")?;
///     store.kv().set("bob", "on call")?;
///     let (ann, bob) = (store.begin_with(isolation)?, store.begin_with(isolation)?);
///     for (tx, leaves, stays) in [(&ann, "ann", "bob"), (&bob, "bob", "ann")] {
///         if tx.kv().get(stays)?.as_deref() == Some(b"on call") {
///             tx.kv().set(leaves, "away")?;
///         }
///     }
///     ann.commit()?;
///     Ok(bob.commit().is_ok())
/// }
/// assert!(!both_leave(Isolation::Serializable)?);
/// assert!(both_leave(Isolation::Snapshot)?, "neither wrote what the other did");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// H. Berenson and others, "A critique of ANSI SQL isolation levels", 1995: snapshot isolation, lost update (P4), write skew (A5B).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// The commit fails when a key or a range that the transaction read was changed since it began: transactions that committed
    /// are as if they had run one after the other.
    #[default]
    Serializable,
    /// The commit fails when something the transaction *wrote* was changed since it began: a key, a unique value that it claimed,
    /// or what its writes went by, which is a definition, an index, the kind of a key. What it only read, or looked at to
    /// find documents to change, may have been changed, so that two transactions may each break what the other relied on
    /// (write skew). It is what MongoDB's sessions promise.
    Snapshot,
}
