//! Buckets: folders below the directory that the embedder names, and files in them by their whole names.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::error::{Error, Result};
use crate::item::RequestFault;
use crate::limits;
use crate::vfs::{File, SystemVfs, Vfs};

/// How far below a bucket files are looked for.
const FOLDERS_DEPTH_MAX: usize = 16;

/// A bucket, whether it is there or not.
#[derive(Clone, Debug)]
pub(super) struct Bucket(PathBuf);

impl Bucket {
    /// The bucket `name` below `directory`.
    ///
    /// # Errors
    /// For a name that may lead elsewhere.
    pub(super) fn new(directory: &Path, name: &str) -> Result<Self> {
        let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_'));
        let at_end = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
        if !is_name || name.len() > 255 || !at_end(name.chars().next()) || !at_end(name.chars().next_back()) {
            return Err(RequestFault::other(format!("Invalid S3 bucket: {name}")));
        }
        Ok(Self(directory.join(name)))
    }

    /// Where the file `key` is.
    ///
    /// # Errors
    /// For a name that may lead out of the bucket.
    fn path(&self, key: &str) -> Result<PathBuf> {
        let mut path = self.0.clone();
        for part in key.split('/') {
            let leads_away = matches!(part, "" | "." | "..") || part.contains(['\\', '\0', ':']);
            if leads_away {
                return Err(RequestFault::other(format!("Invalid S3 prefix: {key}")));
            }
            path.push(part);
        }
        Ok(path)
    }

    /// Begins the file `key`, in the place of one that is there.
    pub(super) fn create(&self, key: &str) -> Result<NewFile> {
        let path = self.path(key)?;
        if let Some(folder) = path.parent() {
            SystemVfs.create_directory(folder).map_err(|error| Error::io("make the folder", folder, error))?;
        }
        let file = SystemVfs.create(&path).map_err(|error| Error::io("make the file", &path, error))?;
        Ok(NewFile { file, path, bucket: self.0.clone(), bytes: 0, md5: Md5::new() })
    }

    /// The whole names of the files that begin with `prefix`, in their order.
    ///
    /// # Errors
    /// When there is no such bucket, and for more than [`limits::ITEM_IMPORT_FILES_MAX`] files.
    pub(super) fn files(&self, prefix: &str) -> Result<Vec<String>> {
        let (folder, _) = prefix.rsplit_once('/').unwrap_or_default();
        let start = if folder.is_empty() { self.0.clone() } else { self.path(folder)? };
        let mut files = Vec::new();
        let mut folders = vec![(folder.to_owned(), start, 0)];
        while let Some((folder, path, depth)) = folders.pop() {
            let names = SystemVfs.names(&path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => RequestFault::other(format!("There is no S3 bucket or prefix: {prefix}")),
                _ => Error::io("list the folder", &path, error),
            })?;
            for name in names {
                let key = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if !key.starts_with(prefix) && !prefix.starts_with(&key) {
                    continue;
                }
                let path = path.join(&name);
                match SystemVfs.open(&path, false) {
                    Ok(_) if key.starts_with(prefix) => files.push(key),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                        limits::check("folders within one another", FOLDERS_DEPTH_MAX, depth + 1)?;
                        folders.push((key, path, depth + 1));
                    }
                    Err(error) => return Err(Error::io("open the file", &path, error)),
                }
                limits::check("files of an import", limits::ITEM_IMPORT_FILES_MAX, files.len())?;
            }
        }
        files.sort();
        Ok(files)
    }

    /// Opens the file `key` to read it from its beginning.
    pub(super) fn open(&self, key: &str) -> Result<OldFile> {
        let path = self.path(key)?;
        let file = SystemVfs.open(&path, false).map_err(|error| Error::io("open the file", &path, error))?;
        Ok(OldFile { file, offset: 0 })
    }
}

/// A file that is being written.
pub(super) struct NewFile {
    file: Box<dyn File>,
    path: PathBuf,
    bucket: PathBuf,
    bytes: u64,
    md5: Md5,
}

impl NewFile {
    /// Makes the file survive loss of power, and returns the MD5 of what is in it.
    pub(super) fn finish(self) -> Result<[u8; 16]> {
        let failed = |error| Error::io("write the file", &self.path, error);
        self.file.sync().map_err(failed)?;
        // Any of the folders on the way may be new, the bucket, too.
        for folder in self.path.ancestors().skip(1) {
            SystemVfs.sync_directory(folder).map_err(failed)?;
            if !folder.starts_with(&self.bucket) {
                break;
            }
        }
        Ok(self.md5.finalize().into())
    }

    /// An error of writing to it.
    pub(super) fn failed(path: &str) -> impl Fn(io::Error) -> Error {
        move |error| Error::io("write the file", Path::new(path), error)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all_at(bytes, self.bytes)?;
        self.md5.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being read.
pub(super) struct OldFile {
    file: Box<dyn File>,
    offset: u64,
}

impl OldFile {
    /// How large it is.
    pub(super) fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
}

impl Read for OldFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(read as u64);
        Ok(read)
    }
}
