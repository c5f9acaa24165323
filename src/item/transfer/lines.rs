//! Lines of a file, none of which is longer than an item can be.

use std::io::BufRead;

use crate::error::{Error, Result};
use crate::item::RequestFault;
use crate::limits;

/// The lines of a file, one after the other.
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: Vec::new() }
    }

    /// The next line without its end, unless there is none.
    ///
    /// # Errors
    /// For a line that is too long, behind which the file cannot be read; and for what cannot be read or decompressed.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>> {
        self.line.clear();
        let most = limits::ITEM_IMPORT_LINE_BYTES_MAX as u64 + 1;
        let mut bounded = std::io::Read::take(&mut self.reader, most);
        let read = bounded.read_until(b'\n', &mut self.line).map_err(|error| unreadable(&error))?;
        if read == 0 {
            return Ok(None);
        }
        check_line(self.line.len())?;
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// The same as text.
    pub(super) fn next_text(&mut self) -> Result<Option<String>> {
        let Some(line) = self.next_line()? else { return Ok(None) };
        let text = std::str::from_utf8(line);
        text.map(|text| Some(text.to_owned())).map_err(|_| RequestFault::other("The line is not UTF-8"))
    }
}

/// Refuses what is longer than an item can be.
pub(super) fn check_line(bytes: usize) -> Result<()> {
    limits::check("bytes of a line", limits::ITEM_IMPORT_LINE_BYTES_MAX, bytes)
}

fn unreadable(error: &std::io::Error) -> Error {
    RequestFault::other(format!("The file cannot be read: {error}"))
}
