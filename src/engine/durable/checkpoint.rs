//! Checkpoints: the entries after one commit, in sorted and checksummed blocks, which make the log before it needless.

use std::io;

use crate::engine::durable::directory::{Directory, checkpoint_name};
use crate::engine::durable::format::{
    BLOCK_HEADER_BYTES, BlockHeader, BlockReader, BlockWriter, CHECKPOINT_HEADER_BYTES, CheckpointHeader,
    LARGE_VALUE_BYTES, Refused, StoreId,
};
use crate::engine::{CommitNumber, Direction, KeyRange, Snapshot};
use crate::error::{Error, Result};
use crate::vfs::File;

/// Blocks are gathered to writes of this size.
const WRITE_BYTES: usize = 1 << 20;

/// After this many bytes a checkpoint is synced up to there, so that no sync takes long enough for the log's to wait
/// behind it.
const SYNC_BYTES: u64 = 8 << 20;

/// Bytes of a file that are read at a time.
const READ_BYTES: usize = 1 << 20;

/// Writes the checkpoint that `header` describes of what `snapshot` shows, and returns its size in bytes.
///
/// `go_on` is asked now and then; when it returns `false`, the checkpoint is given up and `None` returned.
pub(super) fn write(
    directory: &Directory,
    header: &CheckpointHeader,
    snapshot: &dyn Snapshot,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<u64>> {
    let mut cursor = snapshot.range(&KeyRange::all(), Direction::Forward)?;
    // Creating a file takes a body that fails with errors of the system only; why else it ended is noted beside it.
    let mut outcome = Ok(());
    let mut size = 0;
    let mut is_given_up = false;
    let made = directory.create_whole(&checkpoint_name(header.commit), |file| {
        let mut out = Output { file, buffer: header.encode().to_vec(), offset: 0 };
        let mut blocks = BlockWriter::new(header.salt());
        loop {
            match cursor.next() {
                Ok(Some((key, value))) => {
                    if out.put_entry(&mut blocks, key, value)? && !go_on() {
                        is_given_up = true;
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error);
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        if blocks.has_entries() {
            out.put(blocks.finish_block())?;
        }
        // A block without entries ends the file, so that one that was cut off between two blocks is seen to be.
        out.put(blocks.finish_block())?;
        size = out.finish()?;
        Ok(())
    });
    outcome?;
    match made {
        Ok(_) => Ok(Some(size)),
        Err(_) if is_given_up => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file that is written from its start.
struct Output<'a> {
    file: &'a dyn File,
    buffer: Vec<u8>,
    offset: u64,
}

impl Output<'_> {
    /// Puts an entry, and returns whether that has finished a block.
    fn put_entry(&mut self, blocks: &mut BlockWriter, key: &[u8], value: &[u8]) -> io::Result<bool> {
        if value.len() > LARGE_VALUE_BYTES {
            if blocks.has_entries() {
                self.put(blocks.finish_block())?;
            }
            self.put(blocks.begin_large_block(key, value))?;
            value.chunks(WRITE_BYTES).try_for_each(|part| self.put(part))?;
            return Ok(true);
        }
        match blocks.push(key, value) {
            Some(block) => self.put(block).map(|()| true),
            None => Ok(false),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.offset)?;
        let before = self.offset;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        if before / SYNC_BYTES < self.offset / SYNC_BYTES { self.file.sync() } else { Ok(()) }
    }

    fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.offset)
    }
}

/// A checkpoint that is read from its start to its end.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    directory: &'a Directory,
    name: String,
    header: CheckpointHeader,
    file: Box<dyn File>,
    size: u64,
    /// What has been read ahead, and where in the file it begins.
    buffer: Vec<u8>,
    buffer_start: u64,
    offset: u64,
    blocks: BlockReader,
    entries: u64,
    bytes: u64,
    last_key: Option<Vec<u8>>,
    /// Whether something of it could not be read, so that its counts cannot be those of its header.
    has_damage: bool,
}

impl<'a> Reader<'a> {
    /// Opens the checkpoint that ends with `commit`, and checks its header.
    pub(super) fn open(directory: &'a Directory, commit: CommitNumber) -> Result<Self> {
        let name = checkpoint_name(commit);
        let file = directory.open_file(&name)?;
        let read_error = |source| Error::io("read", &directory.file(&name), source);
        let size = file.size().map_err(read_error)?;
        let mut bytes = [0; CHECKPOINT_HEADER_BYTES];
        if size < bytes.len() as u64 {
            return Err(directory.damaged(&name, size, "the file is cut off"));
        }
        file.read_exact_at(&mut bytes, 0).map_err(read_error)?;
        let header = CheckpointHeader::decode(&bytes).map_err(|refused| directory.refuse_file(&name, 0, refused))?;
        if header.commit != commit {
            return Err(directory.damaged(&name, 0, "the file has the name of another"));
        }
        Ok(Self::new(directory, name, header, file, size))
    }

    /// Opens the checkpoint of the store `id` that ends with `commit` although its header is damaged: what its blocks hold can
    /// be read without.
    pub(super) fn open_damaged(directory: &'a Directory, commit: CommitNumber, id: StoreId) -> Result<Self> {
        let name = checkpoint_name(commit);
        let file = directory.open_file(&name)?;
        let size = file.size().map_err(|source| Error::io("read", &directory.file(&name), source))?;
        let header = CheckpointHeader { id, commit, entries: 0, bytes: 0, first_segment: 0 };
        let mut reader = Self::new(directory, name, header, file, size);
        (reader.has_damage, reader.offset) = (true, reader.offset.min(size));
        Ok(reader)
    }

    fn new(directory: &'a Directory, name: String, header: CheckpointHeader, file: Box<dyn File>, size: u64) -> Self {
        Self {
            directory,
            name,
            header,
            file,
            size,
            buffer: Vec::new(),
            buffer_start: 0,
            offset: CHECKPOINT_HEADER_BYTES as u64,
            blocks: BlockReader::new(header.salt()),
            entries: 0,
            bytes: 0,
            last_key: None,
            has_damage: false,
        }
    }

    pub(super) fn header(&self) -> &CheckpointHeader {
        &self.header
    }

    /// Bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads the next block and calls `take` with its entries, in order. `false` when there was none left.
    ///
    /// After an error the reader is at the next block that can be recognized as one, or at the file's end: reading may
    /// go on, for what else is damaged and what is not.
    pub(super) fn next_block(&mut self, take: impl FnMut(&[u8], &[u8])) -> Result<bool> {
        let start = self.offset;
        let Some(header) = self.read_ahead(BLOCK_HEADER_BYTES)?.and_then(|bytes| bytes.first_chunk().copied()) else {
            (self.offset, self.has_damage) = (self.size, true);
            return Err(self.directory.damaged(&self.name, start, "the file is cut off"));
        };
        let header = match BlockHeader::decode(&header, self.header.salt()) {
            Ok(header) => header,
            Err(refused) => {
                self.skip_to_block()?;
                return Err(self.directory.refuse_file(&self.name, start, refused));
            }
        };
        let block_bytes = BLOCK_HEADER_BYTES + header.stored_bytes;
        if self.read_ahead(block_bytes)?.is_none() {
            return Err(self.give_up(start, Refused::Damaged("a block goes on after the file's end".to_owned())));
        }
        self.offset += block_bytes as u64;
        let taken = self.take_block(start, &header, block_bytes, take);
        self.has_damage |= taken.is_err();
        taken.map_err(|refused| self.directory.refuse_file(&self.name, start, refused))?;
        if !header.is_last() {
            return Ok(true);
        }
        let wrong = if self.offset != self.size {
            "something follows the last block"
        } else if !self.has_damage && (self.entries, self.bytes) != (self.header.entries, self.header.bytes) {
            "it does not hold what its header says"
        } else {
            return Ok(false);
        };
        self.offset = self.size;
        Err(self.directory.damaged(&self.name, start, wrong))
    }

    /// Whether there is nothing left to read, whole or damaged.
    pub(super) fn is_at_end(&self) -> bool {
        self.offset >= self.size
    }

    fn take_block(
        &mut self,
        start: u64,
        header: &BlockHeader,
        block_bytes: usize,
        mut take: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Refused> {
        let at = usize::try_from(start - self.buffer_start).unwrap_or(usize::MAX);
        let block = self.buffer.get(at..).and_then(|rest| rest.get(..block_bytes)).unwrap_or_default();
        self.blocks.open(header, block)?;
        let (entries, bytes, last_key) = (&mut self.entries, &mut self.bytes, &mut self.last_key);
        self.blocks.each(header, block, |key, value| {
            if last_key.as_deref().is_some_and(|last| last >= key) {
                return Err(Refused::Damaged("the keys are out of order".to_owned()));
            }
            let last = last_key.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
            *entries += 1;
            *bytes += (key.len() + value.len()) as u64;
            take(key, value);
            Ok(())
        })
    }

    /// Damage that no block can come after.
    fn give_up(&mut self, start: u64, refused: Refused) -> Error {
        (self.offset, self.has_damage) = (self.size, true);
        self.directory.refuse_file(&self.name, start, refused)
    }

    /// Goes on to the next bytes that are the header of a later block, by its checksum.
    fn skip_to_block(&mut self) -> Result<()> {
        self.has_damage = true;
        let salt = self.header.salt();
        loop {
            self.offset += 1;
            let Some(bytes) = self.read_ahead(BLOCK_HEADER_BYTES)? else {
                self.offset = self.size;
                return Ok(());
            };
            let header = bytes.first_chunk().and_then(|bytes| BlockHeader::decode(bytes, salt).ok());
            if let Some(header) = header.filter(|header| header.number >= self.blocks.place()) {
                self.blocks.go_on_at(header.number);
                return Ok(());
            }
        }
    }

    /// The next `length` bytes, or `None` when the file ends before.
    fn read_ahead(&mut self, length: usize) -> Result<Option<&[u8]>> {
        let left = usize::try_from(self.size.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        if length > left {
            return Ok(None);
        }
        let have_to = self.buffer_start + self.buffer.len() as u64;
        if self.offset + length as u64 > have_to {
            let keep_from = usize::try_from(self.offset - self.buffer_start).unwrap_or(usize::MAX);
            self.buffer.drain(..keep_from.min(self.buffer.len()));
            // A large block has grown it.
            self.buffer.shrink_to(2 * READ_BYTES);
            self.buffer_start = self.offset;
            let have = self.buffer.len();
            let want = length.max(READ_BYTES).min(left);
            self.buffer.resize(want, 0);
            let rest = self.buffer.get_mut(have..).unwrap_or_default();
            let read = self.file.read_exact_at(rest, self.offset + have as u64);
            read.map_err(|source| Error::io("read", &self.directory.file(&self.name), source))?;
        }
        let at = usize::try_from(self.offset - self.buffer_start).unwrap_or(usize::MAX);
        Ok(self.buffer.get(at..).and_then(|rest| rest.get(..length)))
    }
}
