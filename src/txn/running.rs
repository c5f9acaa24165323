//! A transaction while it runs.

use std::cell::{RefCell, RefMut};

use crate::error::{Error, InvalidKind, Result};
use crate::txn::meter::Meter;
use crate::txn::mode::Mode;
use crate::txn::operation::Operation;
use crate::txn::scope::{Scope, WriteScope};
use crate::txn::start::Start;
use crate::txn::view::{Mark, View, Writer};

/// The state that the handles of one transaction share.
#[derive(Debug)]
pub(crate) struct Running {
    /// Borrowed while an operation runs on it.
    writer: RefCell<Writer>,
}

impl Running {
    /// A transaction that begins.
    #[expect(clippy::inline_always, reason = "made where it stays: it is long to copy")]
    #[inline(always)]
    pub(crate) fn new(start: Start) -> Self {
        Self::of(start.recorded_writer())
    }

    /// As [`Running::new`], of one whose operations may only read, because it has no turn to write.
    #[cfg(feature = "server")]
    pub(crate) fn reading(start: Start) -> Self {
        let mut writer = start.recorded_writer();
        writer.refuse_writes();
        Self::of(writer)
    }

    #[inline]
    pub(super) fn of(writer: Writer) -> Self {
        Self { writer: RefCell::new(writer) }
    }

    /// Ends the transaction and gives out what it amounts to.
    #[inline]
    pub(crate) fn into_writer(self) -> Writer {
        self.writer.into_inner()
    }

    /// What the transaction amounts to so far.
    #[inline]
    pub(crate) fn writer(&mut self) -> &mut Writer {
        self.writer.get_mut()
    }

    /// What `look` finds between two operations; `None` within one.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Writer) -> R) -> Option<R> {
        self.writer.try_borrow().ok().map(|writer| look(&writer))
    }

    /// Sets a mode of the operations that follow, and returns whether it was set; `None` within an operation.
    pub(crate) fn set_mode(&self, mode: Mode, is_set: bool) -> Option<bool> {
        self.writer.try_borrow_mut().ok().map(|mut writer| writer.set_mode(mode, is_set))
    }

    /// As [`Writer::operations`].
    #[cfg(feature = "server")]
    pub(crate) fn operations(&self) -> u64 {
        self.look(Writer::operations).unwrap_or(0)
    }

    /// As [`Writer::set_operations`].
    #[cfg(feature = "server")]
    pub(crate) fn set_operations(&self, operations: u64) {
        if let Ok(mut writer) = self.writer.try_borrow_mut() {
            writer.set_operations(operations);
        }
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
        self.writer.set_meter(&Meter::default());
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
///     kv.increment(from, -5)?;
///     kv.increment(to, 5).map(drop)
/// }
/// let store = Store::in_memory();
/// store.transaction(|tx| pay(&tx.kv(), "ann", "bob"))?;
/// assert_eq!(store.kv().increment("bob", 0)?, 5);
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
        operation.record(|meter| {
            // One that runs within another is at the moment of that, and part of it.
            if let Ok(mut writer) = self.0.writer.try_borrow_mut() {
                writer.move_on();
                writer.set_meter(meter);
            }
            let outcome = body(&*self.0.writer.try_borrow().map_err(|_| in_use())?);
            if meter.is_on()
                && let Ok(mut writer) = self.0.writer.try_borrow_mut()
            {
                writer.set_meter(&Meter::default());
            }
            outcome
        })
    }
}

impl WriteScope for InTransaction<'_> {
    fn write<R>(&self, operation: Operation<'_>, mut body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        operation.record(|meter| {
            let mut borrowed = self.0.begin()?;
            borrowed.writer.set_meter(meter);
            let value = borrowed.writer.run(&operation, &mut body)?;
            borrowed.mark = None;
            Ok(value)
        })
    }
}
