//! An open file.

use std::sync::Arc;
use std::{fmt, io};

use parking_lot::Mutex;

use super::content::Change;
use super::disk::{Disk, Lock, simulated};
use super::fault::Call;
use crate::vfs::File;

/// An open file of a simulated disk.
pub(super) struct SimFile {
    pub(super) disk: Arc<Mutex<Disk>>,
    pub(super) id: u64,
    pub(super) boot: u64,
    /// Whether the file is locked while this is open.
    pub(super) has_lock: bool,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFile").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut disk = self.disk.lock();
        if !self.has_lock || disk.boot != self.boot {
            return;
        }
        match disk.locks.get_mut(&self.id) {
            Some(Lock::Shared(handles)) if *handles > 1 => *handles -= 1,
            _ => drop(disk.locks.remove(&self.id)),
        }
    }
}

impl SimFile {
    /// Runs `use_it` on what the file holds, unless the call is to fail.
    fn call<T>(
        &self,
        call: Call,
        what: impl FnOnce() -> String,
        use_it: impl FnOnce(&mut Disk, Result<(), io::Error>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut disk = self.disk.lock();
        if disk.boot != self.boot {
            return Err(simulated(io::ErrorKind::Other, "the file was opened before the restart"));
        }
        let id = self.id;
        let entered = disk.enter(call, || format!("{} (file {id})", what()));
        use_it(&mut disk, entered)
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let wanted = buffer.len();
        self.call(
            Call::Read,
            || format!("read {wanted} at {offset}"),
            |disk, entered| {
                entered?;
                let content = disk.files.get(&self.id).map_or(&[][..], |content| &content.written);
                let rest = usize::try_from(offset).ok().and_then(|offset| content.get(offset..)).unwrap_or_default();
                let length = rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
                    to.copy_from_slice(from);
                }
                Ok(length)
            },
        )
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.call(
            Call::Write,
            || format!("write {} at {offset}", bytes.len()),
            |disk, entered| {
                entered?;
                let offset =
                    usize::try_from(offset).map_err(|_| simulated(io::ErrorKind::FileTooLarge, "too large"))?;
                let mut length = bytes.len();
                if disk.short_writes && length > 1 {
                    length = usize::try_from(disk.rng.below(length as u64)).unwrap_or(0) + 1;
                }
                let used = disk.used_bytes();
                let content = disk.files.entry(self.id).or_default();
                if let Some(capacity) = disk.capacity {
                    let room = capacity.saturating_sub(used).saturating_add(content.written.len() as u64);
                    let room = usize::try_from(room).unwrap_or(usize::MAX).saturating_sub(offset);
                    if room == 0 && length > 0 {
                        return Err(simulated(io::ErrorKind::StorageFull, "the disk is full"));
                    }
                    length = length.min(room);
                }
                content.change(Change::Write(offset, bytes.get(..length).unwrap_or_default().to_vec()));
                Ok(length)
            },
        )
    }

    fn size(&self) -> io::Result<u64> {
        self.call(
            Call::Read,
            || "size".to_owned(),
            |disk, entered| {
                entered?;
                Ok(disk.files.get(&self.id).map_or(0, |content| content.written.len() as u64))
            },
        )
    }

    fn sync(&self) -> io::Result<()> {
        self.call(
            Call::Sync,
            || "sync".to_owned(),
            |disk, entered| {
                let is_off = disk.is_off;
                let content = disk.files.entry(self.id).or_default();
                match &entered {
                    Ok(()) => content.sync(),
                    Err(_) if is_off => {}
                    Err(_) => content.abandon(),
                }
                entered
            },
        )
    }
}
