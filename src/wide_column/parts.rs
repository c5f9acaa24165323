//! What serialized collections, tuples, user's types and vectors consist of.

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};
use crate::wide_column::types::CqlType;
use crate::wide_column::vint;

/// Length of what is null within a value.
pub(super) const NULL: i32 = -1;

/// Appends a part: its length, and it.
#[expect(clippy::inline_always, reason = "a call for each value is a third of what there is to do")]
#[inline(always)]
pub(super) fn put_part(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 4);
    // What is stored is far below 2 GiB.
    out.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The elements of a serialized list or set.
pub(super) fn elements(bytes: &[u8]) -> Result<Elements<'_>> {
    let mut reader = Reader::new(bytes);
    let left = count(&mut reader)?;
    Ok(Elements { reader, left })
}

/// The keys and values of a serialized map.
pub(super) fn entries(bytes: &[u8]) -> Result<impl Iterator<Item = Result<(&[u8], &[u8])>>> {
    let mut parts = elements(bytes)?;
    parts.left = parts.left.saturating_mul(2);
    Ok(std::iter::from_fn(move || {
        let key = parts.next()?;
        let value = parts.next().unwrap_or_else(|| Err(malformed()));
        Some(key.and_then(|key| Ok((key, value?))))
    }))
}

fn count(reader: &mut Reader<'_>) -> Result<usize> {
    let count = usize::try_from(big_endian(reader)?).map_err(|_| malformed())?;
    // Each takes four bytes at least, so that a count alone asks for no memory.
    if count > reader.rest().len() / 4 { Err(malformed()) } else { Ok(count) }
}

fn big_endian(reader: &mut Reader<'_>) -> Result<i32> {
    reader.array().map(i32::from_be_bytes)
}

/// Walks over parts that each have their length before them.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Elements<'a> {
    fn step(&mut self) -> Result<&'a [u8]> {
        take_part(&mut self.reader)?.ok_or_else(malformed)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            // What is behind the last one belongs to nothing.
            return if self.reader.rest().is_empty() {
                None
            } else {
                self.reader = Reader::new(&[]);
                Some(Err(malformed()))
            };
        }
        self.left -= 1;
        let step = self.step();
        if step.is_err() {
            (self.left, self.reader) = (0, Reader::new(&[]));
        }
        Some(step)
    }
}

/// The values of a tuple or user's type, one after another; those that are missing at the end are null.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(Reader<'a>);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(Reader::new(bytes))
    }

    /// Whether there are no more.
    pub(super) fn is_done(&self) -> bool {
        self.0.rest().is_empty()
    }

    pub(super) fn next_field(&mut self) -> Result<Option<&'a [u8]>> {
        if self.is_done() { Ok(None) } else { take_part(&mut self.0) }
    }
}

fn take_part<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>> {
    let length = big_endian(reader)?;
    if length < 0 {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (part, rest) = reader.rest().split_at_checked(length).ok_or_else(malformed)?;
    *reader = Reader::new(rest);
    Ok(Some(part))
}

/// The elements of a serialized vector.
pub(super) fn vector<'a>(element: &CqlType, dimension: u16, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>> {
    if let Some(width) = element.width_in_vector() {
        let is_whole = bytes.len() == width.saturating_mul(dimension.into()) && width > 0;
        return if is_whole { Ok(bytes.chunks_exact(width).collect()) } else { Err(malformed()) };
    }
    let mut reader = Reader::new(bytes);
    let parts = (0..dimension).map(|_| vint::take_bytes(&mut reader)).collect::<Result<Vec<_>>>()?;
    if reader.rest().is_empty() { Ok(parts) } else { Err(malformed()) }
}

#[cold]
fn malformed() -> Error {
    Error::corrupt("column value", "its parts do not fit its length")
}
