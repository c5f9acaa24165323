//! Geohashes: longitude and latitude as numbers of 26 bits, interleaved, the longitude's highest bit first.
//!
//! A position on the eastern or northern edge itself has a 27th bit, and so a hash past all others. That is what Redis
//! stores for it; it stands apart, and searches look for it there.

use crate::kv::geo::shape::{GeoPosition, LATITUDE_MAX, LONGITUDE_MAX};

/// Bits of one coordinate.
pub(super) const STEP_MAX: u32 = 26;

/// The first hash of a position on the eastern or northern edge.
pub(super) const EDGE: u64 = 1 << (2 * STEP_MAX);

/// The last hash of all.
pub(super) const LAST: u64 = 3 * EDGE;

const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// The hash of a position.
pub(super) fn encode(position: GeoPosition) -> u64 {
    interleave_within(position, LATITUDE_MAX)
}

/// The middle of the cell that `hash` stands for.
pub(super) fn decode(hash: u64) -> GeoPosition {
    let middle = |index: u32, max: f64| {
        let (low, high) = (edge(index.into(), STEP_MAX, max), edge(f64::from(index) + 1.0, STEP_MAX, max));
        f64::midpoint(low, high).clamp(-max, max)
    };
    GeoPosition { longitude: middle(gather(hash >> 1), LONGITUDE_MAX), latitude: middle(gather(hash), LATITUDE_MAX) }
}

/// The geohash that is written as text: latitudes are from -90 to 90, and of the last digit there are no bits.
pub(super) fn text(position: GeoPosition) -> String {
    let hash = interleave_within(position, 90.0);
    let digit = |shift: u32| DIGITS.get(usize::try_from(hash >> shift & 31).unwrap_or(0));
    (0..10)
        .map(|place| digit(47 - 5 * place))
        .chain([DIGITS.first()])
        .flatten()
        .map(|digit| char::from(*digit))
        .collect()
}

/// The score of the member with this hash.
#[expect(
    clippy::cast_precision_loss,
    reason = "past 2^53 there are only positions on the edge, which lose their last bit"
)]
pub(super) fn score(hash: u64) -> f64 {
    hash as f64
}

/// The hash that a member with this score has.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a score that is no hash is some place too"
)]
pub(super) fn of_score(score: f64) -> u64 {
    score as u64
}

/// Which of the 2^`step` parts of the range from -`max` to `max` has `coordinate`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the part is from 0 to 2^26")]
pub(super) fn part(coordinate: f64, step: u32, max: f64) -> u32 {
    ((coordinate - -max) / (max - -max) * f64::from(1_u32 << step)) as u32
}

/// Where part number `index` begins.
pub(super) fn edge(index: f64, step: u32, max: f64) -> f64 {
    -max + index / f64::from(1_u32 << step) * (max - -max)
}

/// The bits of `x` and `y` by turns; the lowest is of `y`.
pub(super) fn interleave(x: u32, y: u32) -> u64 {
    spread(x) << 1 | spread(y)
}

fn interleave_within(position: GeoPosition, latitude_max: f64) -> u64 {
    let x = part(position.longitude, STEP_MAX, LONGITUDE_MAX);
    interleave(x, part(position.latitude, STEP_MAX, latitude_max))
}

/// Masks of groups of 1, 2, 4, 8 and 16 bits, each with as much room to its left.
const GROUPS: [(u32, u64); 5] = [
    (1, 0x5555_5555_5555_5555),
    (2, 0x3333_3333_3333_3333),
    (4, 0x0f0f_0f0f_0f0f_0f0f),
    (8, 0x00ff_00ff_00ff_00ff),
    (16, 0x0000_ffff_0000_ffff),
];

/// Moves bit n to bit 2n.
fn spread(number: u32) -> u64 {
    GROUPS.iter().rev().fold(u64::from(number), |bits, (width, mask)| (bits | bits << width) & mask)
}

/// Moves bit 2n to bit n, and drops the others.
fn gather(bits: u64) -> u32 {
    let masks = GROUPS.iter().map(|(_, mask)| mask).skip(1).chain([&0xffff_ffff]);
    let bits = GROUPS
        .iter()
        .zip(masks)
        .fold(bits & 0x5555_5555_5555_5555, |bits, ((width, _), mask)| (bits | bits >> width) & mask);
    u32::try_from(bits).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_by_turns(x: u32, y: u32) {
            let bits = interleave(x, y);
            for bit in 0..32 {
                prop_assert_eq!(bits >> (2 * bit) & 1, u64::from(y >> bit & 1));
                prop_assert_eq!(bits >> (2 * bit + 1) & 1, u64::from(x >> bit & 1));
            }
            prop_assert_eq!((gather(bits >> 1), gather(bits)), (x, y));
        }

        #[test]
        fn a_position_is_in_its_cell(longitude in -180.0..=180.0, latitude in -LATITUDE_MAX..=LATITUDE_MAX) {
            let position = GeoPosition { longitude, latitude };
            let middle = decode(encode(position));
            prop_assert!((middle.longitude - longitude).abs() <= 180.0 / f64::from(1 << 26) * 1.000_1);
            prop_assert!((middle.latitude - latitude).abs() <= LATITUDE_MAX / f64::from(1 << 26) * 1.000_1);
            prop_assert_eq!(encode(middle), encode(position));
        }
    }
}
