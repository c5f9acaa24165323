//! The sparse encoding: runs of equal registers, for as long as the value is small.
//!
//! | bytes              | run                                                  |
//! |--------------------|------------------------------------------------------|
//! | `00llllll`         | l + 1 registers of 0                                 |
//! | `01llllll llllllll`| l + 1 registers of 0                                 |
//! | `1vvvvvll`         | l + 1 registers of v + 1                             |
//!
//! The bytes depend on the order in which registers were raised, as they do in Redis: only neighbours of a register that
//! is raised are joined, and zeros are never.

use arrayvec::ArrayVec;

use crate::error::{Error, InvalidKind, Result};
use crate::kv::hyperloglog::REGISTERS;

/// The greatest value of a register that can be stored.
const RUN_MAX: u8 = 32;

/// The longest run of registers that are not 0.
const VALUE_LEN_MAX: usize = 4;

/// The longest run of zeros in one byte.
const ZEROS_LEN_MAX: usize = 64;

/// How many runs are looked at for neighbours to join.
const JOIN_SCAN: usize = 5;

/// `len` registers with the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    value: u8,
    len: usize,
}

impl Run {
    fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&first, rest) = bytes.split_first()?;
        Some(match first {
            0x00..=0x3f => (Self { value: 0, len: usize::from(first) + 1 }, 1),
            0x40..=0x7f => {
                (Self { value: 0, len: usize::from(u16::from_be_bytes([first & 0x3f, *rest.first()?])) + 1 }, 2)
            }
            0x80..=0xff => (Self { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1 }, 1),
        })
    }

    /// Lengths and values are those of runs that were decoded, or shorter.
    fn encode(self) -> impl Iterator<Item = u8> {
        let [.., high, low] = self.len.saturating_sub(1).to_be_bytes();
        let bytes = match self.value {
            0 if self.len > ZEROS_LEN_MAX => [Some(0x40 | high), Some(low)],
            0 => [Some(low), None],
            value => [Some(0x80 | (value - 1) << 2 | low), None],
        };
        bytes.into_iter().flatten()
    }
}

/// Where a register is encoded.
struct Place {
    /// Where the run before begins, or the first.
    previous: usize,
    at: usize,
    width: usize,
    run: Run,
    /// How many registers of the run come before.
    before: usize,
}

/// How an attempt to raise a register has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    Yes,
    /// It had that value or a greater one.
    No,
    /// It takes the dense encoding.
    NoRoom,
}

/// The encoding of registers that are all 0.
pub(super) fn empty() -> Vec<u8> {
    Run { value: 0, len: REGISTERS }.encode().collect()
}

/// The registers of `body`.
pub(super) fn read(body: &[u8]) -> Result<Vec<u8>> {
    let (mut registers, mut rest) = (Vec::with_capacity(REGISTERS), body);
    while !rest.is_empty() {
        let (run, width) = Run::decode(rest).ok_or_else(corrupt)?;
        if registers.len() + run.len > REGISTERS {
            return Err(corrupt());
        }
        registers.resize(registers.len() + run.len, run.value);
        rest = rest.get(width..).unwrap_or_default();
    }
    if registers.len() == REGISTERS { Ok(registers) } else { Err(corrupt()) }
}

/// Gives a register the value `value`, unless it has that or a greater one, or `body` would have more than `len_max`
/// bytes.
pub(super) fn raise(body: &mut Vec<u8>, register: usize, value: u8, len_max: usize) -> Result<Raised> {
    if value > RUN_MAX {
        return Ok(Raised::NoRoom);
    }
    let Place { previous, at, width, run, before } = find(body, register)?;
    if run.value >= value {
        return Ok(Raised::No);
    }
    let parts = [(run.value, before), (value, 1), (run.value, run.len - before - 1)];
    let parts = parts.into_iter().filter(|(_, len)| *len > 0).map(|(value, len)| Run { value, len });
    let bytes: ArrayVec<u8, 6> = parts.flat_map(Run::encode).collect();
    if bytes.len() > width && body.len() + bytes.len() - width > len_max {
        return Ok(Raised::NoRoom);
    }
    body.splice(at..at + width, bytes);
    join(body, previous);
    Ok(Raised::Yes)
}

fn find(body: &[u8], register: usize) -> Result<Place> {
    let (mut previous, mut at, mut before) = (0, 0, register);
    loop {
        let (run, width) = body.get(at..).and_then(Run::decode).ok_or_else(corrupt)?;
        if before < run.len {
            return Ok(Place { previous, at, width, run, before });
        }
        before -= run.len;
        (previous, at) = (at, at + width);
    }
}

/// Joins runs of the same value among the few from `at` on.
fn join(body: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_SCAN {
        let Some((run, width)) = body.get(at..).and_then(Run::decode) else { return };
        let next = body.get(at + width..).and_then(Run::decode);
        match next {
            Some((next, _)) if run.value > 0 && run.value == next.value && run.len + next.len <= VALUE_LEN_MAX => {
                let joined = Run { value: run.value, len: run.len + next.len };
                body.splice(at..at + 2, joined.encode());
            }
            _ => at += width,
        }
    }
}

/// The refusal of a value with the right header, whose registers do not add up.
fn corrupt() -> Error {
    Error::invalid(InvalidKind::Serialization, "Corrupted HLL object detected")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_are_what_the_table_says() {
        assert_eq!(empty(), [0x7f, 0xff]);
        let mut body = empty();
        assert_eq!(raise(&mut body, 64, 3, 100).unwrap(), Raised::Yes);
        assert_eq!(body, [0x3f, 0x88, 0x7f, 0xbe]);
        assert_eq!(raise(&mut body, 65, 3, 100).unwrap(), Raised::Yes);
        assert_eq!(body, [0x3f, 0x89, 0x7f, 0xbd]);
        assert_eq!(raise(&mut body, 63, 3, 100).unwrap(), Raised::Yes);
        assert_eq!(body, [0x3e, 0x8a, 0x7f, 0xbd]);
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut body = empty();
        assert_eq!(raise(&mut body, 9, 33, 100).unwrap(), Raised::NoRoom);
        assert_eq!(raise(&mut body, 9, 32, 3).unwrap(), Raised::NoRoom);
        assert_eq!(body, empty());
        assert_eq!(raise(&mut body, 9, 32, 4).unwrap(), Raised::Yes);
    }

    #[test]
    fn registers_too_few_or_too_many_are_corrupt() {
        for body in [&[][..], &[0x7f], &[0x7f, 0xfe], &[0x7f, 0xff, 0x00], &[0x7f, 0xff, 0x80]] {
            assert!(read(body).is_err(), "{body:x?}");
        }
        assert!(raise(&mut vec![0x00], 1, 1, 100).is_err());
    }

    proptest! {
        #[test]
        fn raising_is_taking_the_greater(
            raises in prop::collection::vec((prop_oneof![0usize..12, 0..REGISTERS], prop_oneof![1u8..4, 1u8..33]), 0..200),
        ) {
            let (mut body, mut model) = (empty(), vec![0; REGISTERS]);
            for (register, value) in raises {
                let expected = if value > model[register] { Raised::Yes } else { Raised::No };
                prop_assert_eq!(raise(&mut body, register, value, usize::MAX).unwrap(), expected);
                model[register] = model[register].max(value);
            }
            prop_assert_eq!(read(&body).unwrap(), model);
        }
    }
}
