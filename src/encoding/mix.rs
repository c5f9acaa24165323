//! Hashing and mixing where nobody gains by making two agree: slots, jitter, seeds.
//!
//! Nothing of it is stored, and nothing depends on it but where something falls. A simulated disk (`vfs/sim/`) has a generator of its own.

/// Mixes the bits of `number`, so that every bit changes about half of the others.
///
/// Source: G. Steele and others, "Fast splittable pseudorandom number generators", 2014 (`mix64`, variant 13 of D.
/// Stafford).
pub(crate) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(STEP);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// How far apart the numbers are that a generator mixes one after the other: [`mix`] of `STEP`, twice `STEP`, and so on.
pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// FNV-1a: good for short bytes. Its upper bits are not even; [`mix`] makes them so.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_mixed_numbers_are_those_of_their_sources() {
        // The test vectors of FNV-1a, and the first number of splitmix64 from 0.
        assert_eq!(
            (hash(b""), hash(b"a"), hash(b"foobar")),
            (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c, 0x8594_4171_f739_67e8)
        );
        assert_eq!((mix(0), mix(STEP)), (0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4));
    }
}
