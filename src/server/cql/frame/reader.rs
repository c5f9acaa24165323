//! The notations that bodies are made of, read.

#[cfg(test)]
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::server::cql::frame::consistency::Consistency;
use crate::server::cql::frame::malformed::{Malformed, Result};

/// A value that is bound to a marker, as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    /// Leaves what is there as it is.
    Unset,
    Bytes(&'a [u8]),
}

/// A name with bytes, or none.
pub(crate) type Named<'a> = (&'a str, Option<&'a [u8]>);

/// What is left of a body.
///
/// # Invariants
/// 1. Nothing is set aside for a count before it has been compared with the bytes that are left.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that are left.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Refuses what is left.
    pub(crate) fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(Malformed::new(format!("{more} bytes behind the end of the message"))),
        }
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(bytes) else {
            return Err(Malformed::new(format!("{bytes} bytes are announced, and {} are there", self.rest.len())));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(Malformed::new(format!("{N} bytes are missing at the end of the message")));
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// `[byte]`.
    pub(crate) fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `[short]`.
    pub(crate) fn short(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// `[int]`.
    pub(crate) fn int(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// `[long]`.
    pub(crate) fn long(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// `[uuid]`.
    #[cfg(test)]
    pub(crate) fn uuid(&mut self) -> Result<[u8; 16]> {
        self.array()
    }

    /// A `[short]` that counts what takes at least `each` bytes.
    pub(crate) fn count(&mut self, each: usize) -> Result<usize> {
        let count = usize::from(self.short()?);
        if count.saturating_mul(each) > self.rest.len() {
            return Err(Malformed::new(format!("{count} parts are announced in {} bytes", self.rest.len())));
        }
        Ok(count)
    }

    fn text(bytes: &'a [u8]) -> Result<&'a str> {
        std::str::from_utf8(bytes).map_err(|_| Malformed::new("a string is not UTF-8"))
    }

    /// `[string]`.
    pub(crate) fn string(&mut self) -> Result<&'a str> {
        let length = usize::from(self.short()?);
        Self::text(self.take(length)?)
    }

    /// `[long string]`.
    pub(crate) fn long_string(&mut self) -> Result<&'a str> {
        let length = self.int()?;
        let Ok(length) = usize::try_from(length) else {
            return Err(Malformed::new(format!("a string of {length} bytes")));
        };
        Self::text(self.take(length)?)
    }

    /// `[string list]`.
    pub(crate) fn string_list(&mut self) -> Result<Vec<&'a str>> {
        let count = self.count(2)?;
        (0..count).map(|_| self.string()).collect()
    }

    /// `[bytes]`; any negative length is null.
    pub(crate) fn bytes(&mut self) -> Result<Option<&'a [u8]>> {
        let length = self.int()?;
        usize::try_from(length).ok().map(|length| self.take(length)).transpose()
    }

    /// `[short bytes]`.
    pub(crate) fn short_bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::from(self.short()?);
        self.take(length)
    }

    /// `[value]`.
    pub(crate) fn value(&mut self) -> Result<Value<'a>> {
        match self.int()? {
            -1 => Ok(Value::Null),
            -2 => Ok(Value::Unset),
            length => match usize::try_from(length) {
                Ok(length) => self.take(length).map(Value::Bytes),
                Err(_) => Err(Malformed::new(format!("Invalid ByteBuf length {length}"))),
            },
        }
    }

    /// `[string map]`.
    pub(crate) fn string_map(&mut self) -> Result<Vec<(&'a str, &'a str)>> {
        let count = self.count(4)?;
        (0..count).map(|_| Ok((self.string()?, self.string()?))).collect()
    }

    /// `[bytes map]`.
    pub(crate) fn bytes_map(&mut self) -> Result<Vec<Named<'a>>> {
        let count = self.count(6)?;
        (0..count).map(|_| Ok((self.string()?, self.bytes()?))).collect()
    }

    /// `[inetaddr]`.
    #[cfg(test)]
    pub(crate) fn address(&mut self) -> Result<IpAddr> {
        match self.byte()? {
            4 => self.array::<4>().map(|octets| Ipv4Addr::from(octets).into()),
            16 => self.array::<16>().map(|octets| Ipv6Addr::from(octets).into()),
            length => Err(Malformed::new(format!("an address of {length} bytes"))),
        }
    }

    /// `[consistency]`.
    pub(crate) fn consistency(&mut self) -> Result<Consistency> {
        let code = self.short()?;
        Consistency::of(code).ok_or_else(|| Malformed::new(format!("Unknown code {code} for a consistency level")))
    }
}
