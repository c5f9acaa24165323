//! What stored items count as.

use crate::error::{Error, Result};
use crate::item::record::cursor::Cursor;
use crate::item::record::{B, BS, FALSE, L, M, N, NS, NULL, RecordRef, S, SS, TRUE, corrupt};

impl RecordRef<'_> {
    /// What [`Item::size_bytes`](crate::item::Item::size_bytes) returns for the item.
    ///
    /// # Errors
    /// [`Error::Corruption`] for what is no record, as far as it is looked at.
    ///
    /// # Cost
    /// O(names, numbers and elements): strings and bytes are passed over.
    pub(crate) fn size_bytes(&self) -> Result<usize> {
        measure(Level::new(self.attributes, true)?)
    }
}

/// What is still to be measured of a map or list.
struct Level<'a> {
    left: usize,
    has_names: bool,
    cursor: Cursor<'a>,
}

impl<'a> Level<'a> {
    fn new(bytes: &'a [u8], has_names: bool) -> Result<Self> {
        let mut cursor = Cursor { rest: bytes };
        Ok(Self { left: cursor.length()?, has_names, cursor })
    }
}

/// What all that is in `level` counts as.
fn measure(mut level: Level<'_>) -> Result<usize> {
    // Without recursion: how deep it nests has not been checked. What does not nest takes no memory.
    let mut outer = Vec::new();
    let mut bytes = 0;
    loop {
        let Some(left) = level.left.checked_sub(1) else {
            level.cursor.end()?;
            match outer.pop() {
                Some(around) => level = around,
                None => return Ok(bytes),
            }
            continue;
        };
        level.left = left;
        let cursor = &mut level.cursor;
        if level.has_names {
            bytes += cursor.bytes()?.len();
        }
        bytes += match cursor.byte()? {
            S | B => cursor.bytes()?.len(),
            N => cursor.number()?.size_bytes(),
            FALSE | TRUE | NULL => 1,
            tag @ (M | L) => {
                let inside = Level::new(cursor.bytes()?, tag == M)?;
                let own = 3 + inside.left;
                outer.push(std::mem::replace(&mut level, inside));
                own
            }
            SS | BS => elements(cursor.bytes()?, |element| Ok(element.bytes()?.len()))?,
            NS => elements(cursor.bytes()?, |element| Ok(element.number()?.size_bytes()))?,
            other => return Err(corrupt(format!("type byte {other:02x}"))),
        };
    }
}

/// What the elements of a set count as.
fn elements(bytes: &[u8], size: impl Fn(&mut Cursor<'_>) -> Result<usize>) -> Result<usize> {
    let mut cursor = Cursor { rest: bytes };
    let count = cursor.length()?;
    let sum = (0..count).try_fold(0, |sum, _| Ok::<_, Error>(sum + size(&mut cursor)?))?;
    cursor.end().map(|()| sum)
}
