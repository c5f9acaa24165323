//! Where the values of a list are: what its head keeps besides its deadline.
//!
//! | bytes | field   | encoding                                                                        |
//! |-------|---------|---------------------------------------------------------------------------------|
//! | 1     | spacing | `01` when every two neighbours are [`GAP`] apart, `00` when some may not be     |
//! | 8     | values  | how many there are, u64; never 0                                                |
//! | 8     | first   | the place of the first, ordered i64                                             |
//! | 8     | last    | the place of the last, ordered i64                                              |
//!
//! Three values that were put in at the back: `01 0000000000000003 8000000000000000 8000000000020000`.

use crate::encoding::ordered::{Reader, put_i64};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::layout::KeyBytes;
use crate::kv::list::End;

/// The distance between two neighbours that were put in at an end: 2^47 of them fit on either side.
pub(super) const GAP: i64 = 1 << 16;

/// How many values a list has, and between which places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) len: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// Every two neighbours are [`GAP`] apart, so that an index is a place.
    pub(super) is_even: bool,
}

impl Extent {
    /// The extent of a list of one value.
    const ONE: Self = Self { len: 1, first: 0, last: 0, is_even: true };

    /// What it is with one value more at `end`, whose place is then that end's.
    pub(super) fn pushed(before: Option<Self>, end: End) -> Result<Self> {
        let Some(mut extent) = before else { return Ok(Self::ONE) };
        let edge = extent.edge(end);
        let place = match end {
            End::Front => edge.checked_sub(GAP),
            End::Back => edge.checked_add(GAP),
        };
        extent.set_edge(end, place.ok_or_else(too_long)?);
        extent.len += 1;
        Ok(extent)
    }

    /// The place of the value at an end.
    pub(super) fn edge(self, end: End) -> i64 {
        match end {
            End::Front => self.first,
            End::Back => self.last,
        }
    }

    pub(super) fn set_edge(&mut self, end: End, place: i64) {
        match end {
            End::Front => self.first = place,
            End::Back => self.last = place,
        }
    }

    /// The place of the value with `n` before it, when that follows from the extent alone.
    pub(super) fn place_of(self, n: u64) -> Option<i64> {
        if n >= self.len || !self.is_even {
            return None;
        }
        i64::try_from(n).ok()?.checked_mul(GAP)?.checked_add(self.first)
    }

    /// The number of values before `index`, which counts from the end when it is negative; `None` before the first.
    pub(super) fn number(self, index: i64) -> Option<u64> {
        if index < 0 { self.len.checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) }
    }

    pub(super) fn encode(self) -> KeyBytes {
        let mut payload = KeyBytes::new();
        payload.push(u8::from(self.is_even));
        payload.extend_from_slice(&self.len.to_be_bytes());
        put_i64(&mut payload, self.first);
        put_i64(&mut payload, self.last);
        payload
    }

    pub(super) fn decode(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let is_even = match reader.u8()? {
            0 => false,
            1 => true,
            other => return Err(Error::corrupt("list record", format!("spacing {other:02x}"))),
        };
        let (len, first, last) = (reader.u64()?, reader.i64()?, reader.i64()?);
        if len == 0 || first > last || !reader.rest().is_empty() {
            return Err(Error::corrupt("list record", "it is of no list"));
        }
        Ok(Self { len, first, last, is_even })
    }
}

pub(super) fn too_long() -> Error {
    Error::invalid(InvalidKind::Overflow, "the list has no place left at this end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_what_the_table_says() {
        let extent = (0..3).fold(None, |extent, _| Some(Extent::pushed(extent, End::Back).unwrap())).unwrap();
        let hex = format!("{:?}", crate::engine::Key::from(&*extent.encode()));
        assert_eq!(hex, "01000000000000000380000000000000008000000000020000");
        assert_eq!((extent.place_of(2), extent.place_of(3), extent.number(-3)), (Some(2 * GAP), None, Some(0)));
    }

    #[test]
    fn a_list_ends_where_places_do() {
        let extent = Extent { first: i64::MIN, last: i64::MAX, ..Extent::ONE };
        assert!(Extent::pushed(Some(extent), End::Front).is_err() && Extent::pushed(Some(extent), End::Back).is_err());
    }

    proptest! {
        #[test]
        fn a_record_has_one_encoding(mut bytes in prop::collection::vec(any::<u8>(), 24..27)) {
            bytes[0] &= 3;
            if let Ok(extent) = Extent::decode(&bytes) {
                prop_assert_eq!(extent.encode().into_vec(), bytes);
            }
        }
    }
}
