//! Calls that are to fail.

use std::io;

#[cfg(doc)]
use crate::vfs::{File, Vfs};

/// A kind of call, for a [`Fault`].
///
/// # Examples
/// ```
/// use larder::vfs::sim::{Call, Fault, SimVfs};
/// SimVfs::new(1).fail(Fault::at(Call::Sync, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Any of them.
    Any,
    /// [`Vfs::create_directory`] and [`Vfs::create`].
    Create,
    /// [`Vfs::open`], [`Vfs::lock`], [`Vfs::lock_shared`] and [`Vfs::names`].
    Open,
    /// [`File::read_at`] and [`File::size`].
    Read,
    /// [`File::write_at`].
    Write,
    /// [`File::sync`].
    Sync,
    /// [`Vfs::rename`].
    Rename,
    /// [`Vfs::remove`].
    Remove,
    /// [`Vfs::sync_directory`].
    SyncDirectory,
}

/// A call that is to fail.
///
/// # Examples
/// ```
/// use larder::vfs::{Vfs, sim::{Call, Fault, SimVfs}};
/// use std::{io::ErrorKind, path::Path};
/// let disk = SimVfs::new(1);
/// disk.fail(Fault::at(Call::Create, 1).with(ErrorKind::PermissionDenied));
/// let error = disk.create_directory(Path::new("/data")).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::PermissionDenied);
/// assert!(disk.create_directory(Path::new("/data")).is_ok(), "once");
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a fault does nothing until it is given to a disk"]
pub struct Fault {
    pub(super) call: Call,
    pub(super) left: u64,
    pub(super) error: io::ErrorKind,
    pub(super) forever: bool,
}

impl Fault {
    /// The `nth` call of this kind from now on fails, counted from 1.
    ///
    /// # Examples
    /// ```
    /// let fault = larder::vfs::sim::Fault::at(larder::vfs::sim::Call::Write, 1);
    /// # let _ = fault;
    /// ```
    pub fn at(call: Call, nth: u64) -> Self {
        Self { call, left: nth, error: io::ErrorKind::Other, forever: false }
    }

    /// With this kind of error; [`Other`](io::ErrorKind::Other) unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::vfs::sim::{Call, Fault};
    /// let fault = Fault::at(Call::Write, 1).with(std::io::ErrorKind::StorageFull);
    /// # let _ = fault;
    /// ```
    pub fn with(self, error: io::ErrorKind) -> Self {
        Self { error, ..self }
    }

    /// So do all calls of this kind after it.
    ///
    /// # Examples
    /// ```
    /// # use larder::vfs::sim::{Call, Fault};
    /// let fault = Fault::at(Call::Sync, 1).forever();
    /// # let _ = fault;
    /// ```
    pub fn forever(self) -> Self {
        Self { forever: true, ..self }
    }
}
