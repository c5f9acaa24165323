//! A transaction while it runs.

use std::cell::RefCell;

use crate::error::{Error, InvalidKind, Result};
use crate::txn::scope::{Operation, Scope, WriteScope};
use crate::txn::view::{View, Writer};

/// The state that the handles of one transaction share.
#[derive(Debug)]
pub(crate) struct Running {
    /// Empty only while an operation runs on it.
    writer: RefCell<Option<Writer>>,
}

impl Running {
    pub(crate) fn new(writer: Writer) -> Self {
        Self { writer: RefCell::new(Some(writer)) }
    }

    /// Ends the transaction and gives out what it amounts to.
    pub(crate) fn into_writer(self) -> Result<Writer> {
        self.writer.into_inner().ok_or_else(in_use)
    }

    /// As [`Writer::take_touched`].
    #[cfg(feature = "redis")]
    pub(crate) fn take_touched(&self) -> Vec<Box<[u8]>> {
        self.writer.borrow_mut().as_mut().map(Writer::take_touched).unwrap_or_default()
    }

    fn view(&self) -> Result<View> {
        self.writer.borrow().as_ref().map(|writer| writer.at_next_moment()).ok_or_else(in_use)
    }

    fn take(&self) -> Result<Borrowed<'_>> {
        let mut writer = self.writer.borrow_mut().take().ok_or_else(in_use)?;
        let mark = writer.mark();
        Ok(Borrowed { home: self, writer: Some(writer), mark: Some(mark) })
    }
}

/// The writer while an operation has it. Whatever happens it goes home; unless the operation succeeded, without what the
/// operation wrote.
struct Borrowed<'a> {
    home: &'a Running,
    writer: Option<Writer>,
    mark: Option<super::view::Mark>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            if let Some(mark) = &self.mark {
                writer.undo_to(mark);
            }
            *self.home.writer.borrow_mut() = Some(writer);
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
        operation.record(|| body(&self.0.view()?))
    }
}

impl WriteScope for InTransaction<'_> {
    fn write<R>(&self, operation: Operation<'_>, mut body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        operation.record(|| {
            let mut borrowed = self.0.take()?;
            let Some(writer) = &mut borrowed.writer else { return Err(in_use()) };
            let value = body(writer)?;
            borrowed.mark = None;
            Ok(value)
        })
    }
}
