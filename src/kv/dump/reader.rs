//! Reading lengths, strings and numbers.

use crate::error::Result;
use crate::kv::dump::budget::Budget;
use crate::kv::dump::{bad, listpack, lzf};
use crate::kv::number::parse_float;

/// What is left of a value.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    pub(super) rest: &'a [u8],
    pub(super) budget: Budget,
}

/// What stands where a length or a special string may.
enum Length {
    Plain(u64),
    Special(u8),
}

impl<'a> Decoder<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(bad)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(bad)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn length_or_special(&mut self) -> Result<Length> {
        let [first] = self.array()?;
        Ok(match first {
            0..0x40 => Length::Plain(first.into()),
            0x40..0x80 => {
                let [low] = self.array()?;
                Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(low))
            }
            0x80 => Length::Plain(u32::from_be_bytes(self.array()?).into()),
            0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
            0xc0.. => Length::Special(first & 0x3f),
            _ => return Err(bad()),
        })
    }

    pub(super) fn length(&mut self) -> Result<u64> {
        match self.length_or_special()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(bad()),
        }
    }

    fn len(&mut self) -> Result<usize> {
        usize::try_from(self.length()?).map_err(|_| bad())
    }

    pub(super) fn string(&mut self) -> Result<Vec<u8>> {
        match self.length_or_special()? {
            Length::Plain(length) => {
                let bytes = self.take(usize::try_from(length).map_err(|_| bad())?)?;
                self.budget.bytes(bytes)
            }
            Length::Special(0) => {
                let number = i8::from_le_bytes(self.array()?);
                self.budget.number(number.into())
            }
            Length::Special(1) => {
                let number = i16::from_le_bytes(self.array()?);
                self.budget.number(number.into())
            }
            Length::Special(2) => {
                let number = i32::from_le_bytes(self.array()?);
                self.budget.number(number.into())
            }
            Length::Special(3) => {
                let (compressed, length) = (self.len()?, self.len()?);
                self.budget.charge(length)?;
                lzf::decompress(self.take(compressed)?, length)
            }
            Length::Special(_) => Err(bad()),
        }
    }

    pub(super) fn listpack(&mut self) -> Result<Vec<Vec<u8>>> {
        let bytes = self.string()?;
        listpack::read(&bytes, &mut self.budget)
    }

    /// As many of what `read` reads as the length before them says. Each takes a byte at least, so the length is not trusted.
    pub(super) fn repeat<R>(&mut self, mut read: impl FnMut(&mut Self) -> Result<R>) -> Result<Vec<R>> {
        let mut all = Vec::new();
        for _ in 0..self.length()? {
            all.push(read(self)?);
        }
        Ok(all)
    }

    pub(super) fn score(&mut self) -> Result<f64> {
        Some(f64::from_le_bytes(self.array()?)).filter(|score| !score.is_nan()).ok_or_else(bad)
    }

    pub(super) fn text_score(&mut self) -> Result<f64> {
        match self.array()? {
            [253] => Err(bad()),
            [254] => Ok(f64::INFINITY),
            [255] => Ok(f64::NEG_INFINITY),
            [length] => parse_float(self.take(length.into())?).ok_or_else(bad),
        }
    }

    pub(super) fn node(&mut self) -> Result<Vec<Vec<u8>>> {
        match self.length()? {
            1 => Ok(vec![self.string()?]),
            2 => self.listpack(),
            _ => Err(bad()),
        }
    }
}
