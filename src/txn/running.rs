//! A transaction while it runs.

use std::cell::{RefCell, RefMut};

use crate::error::{Error, InvalidKind, Result};
use crate::txn::operation::Operation;
use crate::txn::scope::{Scope, WriteScope};
use crate::txn::view::{Mark, View, Writer};

/// The state that the handles of one transaction share.
#[derive(Debug)]
pub(crate) struct Running {
    /// Borrowed while an operation runs on it.
    writer: RefCell<Writer>,
}

impl Running {
    pub(crate) fn new(writer: Writer) -> Self {
        Self { writer: RefCell::new(writer) }
    }

    /// Ends the transaction and gives out what it amounts to.
    pub(crate) fn into_writer(self) -> Writer {
        self.writer.into_inner()
    }

    /// As [`Writer::take_touched`].
    #[cfg(feature = "redis")]
    pub(crate) fn take_touched(&self) -> Vec<Box<[u8]>> {
        self.writer.try_borrow_mut().map(|mut writer| writer.take_touched()).unwrap_or_default()
    }

    /// As [`Writer::set_counts_uses`].
    #[cfg(feature = "redis")]
    pub(crate) fn set_counts_uses(&self, counts_uses: bool) -> bool {
        self.writer.try_borrow_mut().map_or(true, |mut writer| writer.set_counts_uses(counts_uses))
    }

    /// As [`Writer::operations`].
    #[cfg(feature = "redis")]
    pub(crate) fn operations(&self) -> u64 {
        self.writer.try_borrow().map_or(0, |writer| writer.operations())
    }

    /// As [`Writer::set_operations`].
    #[cfg(feature = "redis")]
    pub(crate) fn set_operations(&self, operations: u64) {
        if let Ok(mut writer) = self.writer.try_borrow_mut() {
            writer.set_operations(operations);
        }
    }

    /// As [`Writer::set_exceeds_memory`].
    #[cfg(feature = "lua")]
    pub(crate) fn set_exceeds_memory(&self, exceeds_memory: bool) {
        if let Ok(mut writer) = self.writer.try_borrow_mut() {
            writer.set_exceeds_memory(exceeds_memory);
        }
    }

    /// The budget of bytes, the number of its policy, and the bytes in use, if there is a budget.
    #[cfg(feature = "lua")]
    pub(crate) fn memory(&self) -> Option<(u64, u8, u64)> {
        let writer = self.writer.try_borrow().ok()?;
        let (budget, policy) = writer.usage().budget()?;
        Some((budget, policy, writer.bytes().ok()?))
    }

    fn begin(&self) -> Result<Borrowed<'_>> {
        let mut writer = self.writer.try_borrow_mut().map_err(|_| in_use())?;
        let mark = writer.mark();
        Ok(Borrowed { writer, mark: Some(mark) })
    }
}

/// The writer while an operation has it. Whatever happens, what the operation wrote is undone unless it succeeded.
struct Borrowed<'a> {
    writer: RefMut<'a, Writer>,
    mark: Option<Mark>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(mark) = self.mark {
            self.writer.undo_to(mark);
        }
    }
}

fn in_use() -> Error {
    Error::invalid(InvalidKind::Value, "a transaction was used from within one of its own operations")
}

/// Runs operations in a transaction. Borrowed from it, cheap to copy; several may be in use side by side.
///
/// # Examples
/// ```
/// use larder::{InTransaction, Kv, Result, Store};
/// fn pay(kv: &Kv<InTransaction<'_>>, from: &str, to: &str) -> Result<()> {
///     kv.incr_by(from, -5)?;
///     kv.incr_by(to, 5).map(drop)
/// }
/// let store = Store::in_memory();
/// store.transaction(|tx| pay(&tx.kv(), "ann", "bob"))?;
/// assert_eq!(store.kv().incr_by("bob", 0)?, 5);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InTransaction<'tx>(&'tx Running);

impl<'tx> InTransaction<'tx> {
    pub(crate) fn new(running: &'tx Running) -> Self {
        Self(running)
    }
}

impl Scope for InTransaction<'_> {
    fn read<R>(&self, operation: Operation<'_>, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        operation.record(|| {
            // One that runs within another is at the moment of that.
            if let Ok(mut writer) = self.0.writer.try_borrow_mut() {
                writer.move_on();
            }
            let writer = self.0.writer.try_borrow().map_err(|_| in_use())?;
            body(&writer)
        })
    }
}

impl WriteScope for InTransaction<'_> {
    fn write<R>(&self, operation: Operation<'_>, mut body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        operation.record(|| {
            let mut borrowed = self.0.begin()?;
            let value = borrowed.writer.run(&operation, &mut body)?;
            borrowed.mark = None;
            Ok(value)
        })
    }
}
