//! A `HyperLogLog` taken apart: header and registers, in one of the two encodings.

use crate::error::{Error, InvalidKind, Result};
use crate::kv::hyperloglog::sparse::Raised;
use crate::kv::hyperloglog::{REGISTERS, dense, estimate, sparse};

const MAGIC: &[u8; 4] = b"HYLL";

/// How long the header is.
const HEADER_LEN: usize = 16;

/// The longest value that is encoded sparsely: the default of `hll-sparse-max-bytes`.
const SPARSE_LEN_MAX: usize = 3_000;

/// In the last byte of the kept count: it no longer holds.
const STALE: u8 = 0x80;

/// The value of a key.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    /// What the header has between magic and count, but the encoding.
    unused: [u8; 3],
    count: [u8; 8],
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Dense(Vec<u8>),
    Sparse(Vec<u8>),
}

impl Sketch {
    pub(super) fn new() -> Self {
        Self { unused: [0; 3], count: [0; 8], body: Body::Sparse(sparse::empty()) }
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let (header, body) = value.split_first_chunk::<HEADER_LEN>().ok_or_else(foreign)?;
        let (magic, [encoding, a, b, c, count @ ..]) = header.split_first_chunk::<4>().ok_or_else(foreign)? else {
            return Err(foreign());
        };
        let body = match encoding {
            0 if body.len() == dense::LEN => Body::Dense(body.to_vec()),
            1 => Body::Sparse(body.to_vec()),
            _ => return Err(foreign()),
        };
        match count.try_into() {
            Ok(count) if magic == MAGIC => Ok(Self { unused: [*a, *b, *c], count, body }),
            _ => Err(foreign()),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let (encoding, body) = match &self.body {
            Body::Dense(body) => (0, body),
            Body::Sparse(body) => (1, body),
        };
        [&MAGIC[..], &[encoding], &self.unused, &self.count, body].concat()
    }

    pub(super) fn is_dense(&self) -> bool {
        matches!(self.body, Body::Dense(_))
    }

    /// Gives a register the value `run`, unless it has that or a greater one; returns whether it has changed.
    pub(super) fn raise(&mut self, register: usize, run: u8) -> Result<bool> {
        if let Body::Sparse(body) = &mut self.body {
            match sparse::raise(body, register, run, SPARSE_LEN_MAX - HEADER_LEN)? {
                Raised::Yes => return Ok(true),
                Raised::No => return Ok(false),
                Raised::NoRoom => self.make_dense()?,
            }
        }
        match &mut self.body {
            Body::Dense(body) => Ok(dense::raise(body, register, run)),
            Body::Sparse(_) => Ok(false),
        }
    }

    /// Raises every register to that of `registers`, in their order.
    pub(super) fn raise_to(&mut self, registers: &Registers) -> Result<()> {
        for (register, run) in registers.0.iter().enumerate().filter(|(_, run)| **run > 0) {
            self.raise(register, *run)?;
        }
        Ok(())
    }

    pub(super) fn make_dense(&mut self) -> Result<()> {
        self.body = Body::Dense(dense::write(&self.registers()?.0));
        Ok(())
    }

    pub(super) fn registers(&self) -> Result<Registers> {
        match &self.body {
            Body::Dense(body) => Ok(Registers(dense::read(body))),
            Body::Sparse(body) => sparse::read(body).map(Registers),
        }
    }

    /// The count that is kept, or the estimate.
    pub(super) fn count(&self) -> Result<u64> {
        match self.kept_count() {
            Some(count) => Ok(count),
            None => Ok(self.registers()?.count()),
        }
    }

    pub(super) fn kept_count(&self) -> Option<u64> {
        let [.., last] = self.count;
        (last & STALE == 0).then(|| u64::from_le_bytes(self.count))
    }

    pub(super) fn keep_count(&mut self, count: u64) {
        self.count = count.to_le_bytes();
    }

    pub(super) fn forget_count(&mut self) {
        let [.., last] = &mut self.count;
        *last |= STALE;
    }
}

/// The values of all registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registers(Vec<u8>);

impl Default for Registers {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl Registers {
    pub(super) fn raise_to(&mut self, other: &Self) {
        for (register, other) in self.0.iter_mut().zip(&other.0) {
            *register = (*register).max(*other);
        }
    }

    pub(super) fn count(&self) -> u64 {
        estimate::estimate(&self.0)
    }
}

fn foreign() -> Error {
    Error::invalid(InvalidKind::Type, "Key is not a valid HyperLogLog string value.")
}
