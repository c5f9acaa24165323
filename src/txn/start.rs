//! What a transaction begins with.

use std::sync::Arc;

use crate::engine::Snapshot;
use crate::txn::core::Core;
use crate::txn::isolation::Isolation;
use crate::txn::record::Record;
use crate::txn::view::{View, Writer};

/// A transaction that is about to begin. Its [`Writer`] is some hundred bytes, which are copied wherever it is handed on: so each
/// kind of transaction makes it where it stays.
#[derive(Debug)]
pub(crate) struct Start {
    pub(super) core: Arc<Core>,
    pub(super) base: Arc<dyn Snapshot>,
    /// How what it reads is checked at its commit; `None` with the turn to write.
    pub(super) tracked: Option<Isolation>,
    /// The how manieth run of the same transaction it is, from 1.
    pub(super) attempt: u32,
}

impl Start {
    /// The writer of a transaction that is one operation.
    #[expect(clippy::inline_always, reason = "made where it stays: it is long to copy")]
    #[inline(always)]
    pub(crate) fn writer(self) -> Writer {
        self.writer_of(None)
    }

    /// The writer of a transaction that has handles. A record is made of it when somebody listens.
    #[expect(clippy::inline_always, reason = "made where it stays: it is long to copy")]
    #[inline(always)]
    pub(super) fn recorded_writer(self) -> Writer {
        let record = Record::start(self.tracked, self.attempt);
        self.writer_of(record)
    }

    #[expect(clippy::inline_always, reason = "made where it stays: it is long to copy")]
    #[inline(always)]
    fn writer_of(self, record: Option<Box<Record>>) -> Writer {
        let Self { core, base, tracked, .. } = self;
        Writer::begin(View::new(core, base, None), tracked, record)
    }
}
