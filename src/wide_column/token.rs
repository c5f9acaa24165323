//! Tokens: where a partition stands in the order of all partitions.
//!
//! # Source
//! Cassandra's `Murmur3Partitioner`: the first half of Murmur3 `x64_128` with seed 0, except that the
//! bytes after the last whole block are widened as *signed* numbers. Textbook hashes of keys with a byte over `7f`
//! there are therefore different.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The token of a partition key in its serialized form.
///
/// An empty key has the smallest token, and no other key has it: a hash that comes out there is moved to the largest.
pub(super) fn token(key: &[u8]) -> i64 {
    if key.is_empty() {
        return i64::MIN;
    }
    match hash(key).cast_signed() {
        i64::MIN => i64::MAX,
        token => token,
    }
}

fn hash(key: &[u8]) -> u64 {
    let (mut h1, mut h2) = (0u64, 0u64);
    let mut rest = key;
    while let Some((k1, after)) = rest.split_first_chunk::<8>()
        && let Some((k2, after)) = after.split_first_chunk::<8>()
    {
        h1 ^= mix_first(u64::from_le_bytes(*k1));
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix_second(u64::from_le_bytes(*k2));
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
        rest = after;
    }
    let (k1, k2) = rest.split_at(rest.len().min(8));
    h1 ^= mix_first(signed_tail(k1));
    h2 ^= mix_second(signed_tail(k2));
    finish(h1, h2, key.len() as u64)
}

fn mix_first(word: u64) -> u64 {
    word.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix_second(word: u64) -> u64 {
    word.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

/// Up to eight bytes as one little-endian word, each widened with its sign.
fn signed_tail(bytes: &[u8]) -> u64 {
    let widened = |byte: u8| i64::from(byte.cast_signed()).cast_unsigned();
    bytes.iter().rev().fold((0, bytes.len()), |(word, at), byte| (word ^ (widened(*byte) << (8 * (at - 1))), at - 1)).0
}

fn finish(h1: u64, h2: u64, length: u64) -> u64 {
    let (h1, h2) = (h1 ^ length, h2 ^ length);
    let h1 = h1.wrapping_add(h2);
    let h2 = h2.wrapping_add(h1);
    avalanche(h1).wrapping_add(avalanche(h2))
}

fn avalanche(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: WID-QRY-3
    #[test]
    fn tokens_are_those_of_cassandra() {
        assert_eq!(token(b"test"), -6_017_608_668_500_074_083);
        assert_eq!(token(b"xd"), 4_507_812_186_440_344_727);
        assert_eq!(token(b"primary_key"), -1_632_642_444_691_073_360);
        assert_eq!(token("kremówki".as_bytes()), 4_354_931_215_268_080_151);
    }

    // SEM: WID-QRY-3
    #[test]
    fn only_the_empty_key_has_the_smallest_token() {
        assert_eq!(token(b""), i64::MIN);
        assert!((0..4_096u32).all(|n| token(&n.to_be_bytes()) != i64::MIN));
    }

    #[test]
    fn every_byte_of_a_key_of_any_length_counts() {
        for length in 1..40 {
            let key = vec![0x80u8; length];
            for at in 0..length {
                let mut other = key.clone();
                other[at] ^= 1;
                assert_ne!(token(&key), token(&other), "byte {at} of {length}");
            }
        }
    }
}
