//! Documents on their way, one after the other.

use bson::{RawDocument, RawDocumentBuf};

use crate::error::Result;
use crate::limits;

/// What a row that is kept takes beside its bytes.
pub(super) const ROW_BYTES: usize = 32;

/// Documents that are lent, one at a time, as a cursor of the engine lends entries.
pub(super) trait Rows: Send {
    /// Goes to the next row, and returns whether there is one. After an error nobody asks again.
    ///
    /// # Errors
    /// What reading and computing it meets.
    fn advance(&mut self) -> Result<bool>;

    /// The row, once [`Rows::advance`] has found one.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error) when it is no document.
    fn row(&self) -> Result<&RawDocument>;
}

/// Rows that are read one after the other.
pub(super) type Input = Box<dyn Rows>;

impl std::fmt::Debug for dyn Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows")
    }
}

/// Documents that somebody makes, each of which is dropped when the next one comes.
pub(super) struct Made<I> {
    documents: I,
    current: Option<RawDocumentBuf>,
}

impl<I: Iterator<Item = Result<RawDocumentBuf>> + Send> Made<I> {
    pub(super) fn new(documents: I) -> Self {
        Self { documents, current: None }
    }
}

impl<I: Iterator<Item = Result<RawDocumentBuf>> + Send> Rows for Made<I> {
    fn advance(&mut self) -> Result<bool> {
        self.current = self.documents.next().transpose()?;
        Ok(self.current.is_some())
    }

    fn row(&self) -> Result<&RawDocument> {
        lent(self.current.as_deref())
    }
}

/// All rows of `input` in memory.
///
/// # Errors
/// [`Error::LimitExceeded`](crate::Error) past [`limits::SORT_BYTES_MAX`], and those of `input`.
pub(super) fn gathered(mut input: Input) -> Result<Vec<RawDocumentBuf>> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    while input.advance()? {
        let row = input.row()?;
        bytes += row.as_bytes().len() + ROW_BYTES;
        limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
        all.push(row.to_owned());
    }
    Ok(all)
}

/// The row that `current` is.
///
/// # Errors
/// [`Error::Corruption`](crate::Error) when there is none, which no caller asks for.
pub(super) fn lent(current: Option<&RawDocument>) -> Result<&RawDocument> {
    current.ok_or_else(|| crate::error::Error::corrupt("row", "nobody advanced to it"))
}
