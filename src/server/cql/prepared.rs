//! What clients have prepared, by id.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::limits;
use crate::server::cql::prepared_id::Id;
use crate::server::cql::specified::Specified;
use crate::wide_column::cql::{PreparedStatement, Served};

/// A statement that a client has prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: Id,
    pub(super) statement: PreparedStatement,
    /// Of the columns that came out when it was prepared.
    pub(super) metadata_id: Id,
    /// Bytes that it is counted with.
    pub(super) bytes: usize,
    /// The columns that came out the last time.
    last: Mutex<Option<Arc<Specified>>>,
}

impl Prepared {
    pub(super) fn new(id: Id, statement: PreparedStatement, metadata_id: Id, bytes: usize) -> Self {
        Self { id, statement, metadata_id, bytes, last: Mutex::new(None) }
    }

    /// The columns of what was served: those of the last time, when they are the same.
    pub(super) fn specified(&self, served: &Served) -> Arc<Specified> {
        let mut last = self.last.lock();
        match &*last {
            Some(last) if last.is_of(served) => Arc::clone(last),
            _ => Arc::clone(last.insert(Arc::new(Specified::new(served)))),
        }
    }
}

/// The statements that clients have prepared.
///
/// # Invariants
/// 1. There are no more, and no more bytes of their texts, than `limits` says: those not used for longest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Table(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_id: FxHashMap<Id, (Arc<Prepared>, u64)>,
    /// When each was used last, as a number that counts up.
    by_use: BTreeMap<u64, Id>,
    uses: u64,
    bytes: usize,
}

impl Table {
    /// Adds a statement, in the place of one that has its id.
    pub(super) fn add(&self, prepared: Prepared) -> Arc<Prepared> {
        let prepared = Arc::new(prepared);
        let inner = &mut *self.0.lock();
        inner.remove(&prepared.id);
        inner.uses += 1;
        inner.by_use.insert(inner.uses, prepared.id);
        inner.bytes += prepared.bytes;
        inner.by_id.insert(prepared.id, (Arc::clone(&prepared), inner.uses));
        while inner.by_id.len() > limits::CQL_PREPARED_MAX || inner.bytes > limits::CQL_PREPARED_BYTES_MAX {
            let Some((_, oldest)) = inner.by_use.first_key_value() else { break };
            let oldest = *oldest;
            inner.remove(&oldest);
        }
        prepared
    }

    /// The statement with this id, which is used.
    pub(super) fn get(&self, id: &[u8]) -> Option<Arc<Prepared>> {
        let inner = &mut *self.0.lock();
        let (prepared, used) = inner.by_id.get_mut(id)?;
        inner.uses += 1;
        inner.by_use.remove(used);
        *used = inner.uses;
        inner.by_use.insert(inner.uses, prepared.id);
        Some(Arc::clone(prepared))
    }
}

impl Inner {
    fn remove(&mut self, id: &Id) {
        if let Some((prepared, used)) = self.by_id.remove(id) {
            self.by_use.remove(&used);
            self.bytes -= prepared.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(number: u16, bytes: usize) -> Prepared {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let statement = PreparedStatement::of("SELECT * FROM k.t", None).unwrap();
        Prepared::new(id, statement, [0; 16], bytes)
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten() {
        let table = Table::default();
        let half = limits::CQL_PREPARED_BYTES_MAX / 2;
        let ids: Vec<Id> = (0..2).map(|n| table.add(prepared(n, half)).id).collect();
        assert!(table.get(&ids[0]).is_some());
        table.add(prepared(2, 1));
        assert!(table.get(&ids[1]).is_none() && table.get(&ids[0]).is_some());
        for n in 0..=u16::try_from(limits::CQL_PREPARED_MAX).unwrap() {
            table.add(prepared(n, 1));
        }
        assert!(table.get(&ids[0]).is_none());
        let inner = table.0.lock();
        assert_eq!((inner.by_id.len(), inner.by_use.len()), (limits::CQL_PREPARED_MAX, limits::CQL_PREPARED_MAX));
        assert_eq!(inner.bytes, limits::CQL_PREPARED_MAX);
    }
}
