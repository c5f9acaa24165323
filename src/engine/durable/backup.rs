//! A store's directory made of one snapshot.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::engine::durable::checkpoint;
use crate::engine::durable::directory::{self, Directory, IDENTITY_FILE};
use crate::engine::durable::format::{self, CheckpointHeader, StoreId};
use crate::engine::durable::log::make_segment;
use crate::engine::durable::{SEGMENT_BYTES, new_id};
use crate::engine::{KeyRange, Snapshot};
use crate::error::{Error, OpenProblem, Result};
use crate::vfs::Vfs;

/// Where the log of a copy begins. Not the first of all: a log from there on would be whole without the checkpoint.
const FIRST_SEGMENT: u64 = 2;

/// Ends the name of a backup that is being made.
const UNFINISHED_SUFFIX: &str = ".new";

/// Makes a store of its own in the directory `path`, which may be there but empty, of what `snapshot` shows.
///
/// It is made beside it and renamed at the end: under its own name it is whole or not there.
pub(super) fn write_store(vfs: &Arc<dyn Vfs>, path: &Path, snapshot: &dyn Snapshot) -> Result<()> {
    let path = directory::absolute(path)?;
    match vfs.names(&path) {
        Ok(names) if names.is_empty() => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(_) => {
            return Err(Error::open(OpenProblem::Exists, &path, "it is not empty: give the path of a new directory"));
        }
        Err(error) => return Err(Directory { vfs: Arc::clone(vfs), path }.refuse_io(error)),
    }
    let mut unfinished = OsString::from(&path);
    unfinished.push(UNFINISHED_SUFFIX);
    let making = Directory { vfs: Arc::clone(vfs), path: unfinished.into() };
    making.begin_again()?;
    fill(&making, new_id(), snapshot)?;
    vfs.rename(&making.path, &path).map_err(|source| Error::io("rename", &path, source))?;
    match path.parent() {
        Some(parent) => vfs.sync_directory(parent).map_err(|source| Error::io("sync", parent, source)),
        None => Ok(()),
    }
}

fn fill(making: &Directory, id: StoreId, snapshot: &dyn Snapshot) -> Result<()> {
    let (entries, bytes) = measure(snapshot)?;
    let commit = snapshot.commit();
    let header = CheckpointHeader { id, commit, entries, bytes, first_segment: FIRST_SEGMENT };
    checkpoint::write(making, &header, snapshot, &|| true)?;
    make_segment(making, id, FIRST_SEGMENT, SEGMENT_BYTES)?;
    making.write_whole(IDENTITY_FILE, &format::encode_identity(id))
}

/// Entries, and bytes of keys and values.
fn measure(snapshot: &dyn Snapshot) -> Result<(u64, u64)> {
    let mut cursor = snapshot.range(&KeyRange::all(), crate::engine::Direction::Forward)?;
    let (mut entries, mut bytes) = (0, 0);
    while let Some((key, value)) = cursor.next()? {
        entries += 1;
        bytes += (key.len() + value.len()) as u64;
    }
    Ok((entries, bytes))
}
