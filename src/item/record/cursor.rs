//! Steps through the bytes of a record.

use crate::error::Result;
use crate::item::Number;
use crate::item::number::{skip_record as skip_number, take_record as take_number};
use crate::item::record::{B, BS, FALSE, L, M, N, NS, NULL, S, SS, TRUE, corrupt, too_short};

/// A value as it is stored: its type byte and what belongs to it. What can be done with it is in `view.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueRef<'a> {
    pub(super) bytes: &'a [u8],
}

/// A place in a record, or in a value of one. What it takes is checked as far as it has to be to take it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(byte)
    }

    pub(super) fn length(&mut self) -> Result<usize> {
        // Most lengths have one byte.
        if let Some((&byte, rest)) = self.rest.split_first()
            && byte < 0x80
        {
            self.rest = rest;
            return Ok(usize::from(byte));
        }
        self.long_length()
    }

    fn long_length(&mut self) -> Result<usize> {
        let mut length = 0u64;
        for shift in (0..=28).step_by(7) {
            let byte = self.byte()?;
            length |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(corrupt("a length has more bytes than it needs"));
                }
                return usize::try_from(length).map_err(|_| too_short());
            }
        }
        Err(corrupt("a length has more than five bytes"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn string(&mut self) -> Result<&'a str> {
        text(self.bytes()?)
    }

    pub(super) fn number(&mut self) -> Result<Number> {
        let (number, rest) = take_number(self.rest)?;
        self.rest = rest;
        Ok(number)
    }

    /// The value that begins here, without a look into it.
    pub(super) fn value(&mut self) -> Result<ValueRef<'a>> {
        let start = self.rest;
        match self.byte()? {
            S | B | M | L | SS | NS | BS => drop(self.bytes()?),
            N => self.rest = skip_number(self.rest)?,
            FALSE | TRUE | NULL => {}
            other => return Err(corrupt(format!("type byte {other:02x}"))),
        }
        let length = start.len() - self.rest.len();
        start.get(..length).map(|bytes| ValueRef { bytes }).ok_or_else(too_short)
    }

    /// Refuses bytes that are left over.
    pub(super) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(corrupt("bytes are left over")) }
    }
}

/// The string that `bytes` are.
pub(super) fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| corrupt("a string is not UTF-8"))
}
