//! What an element shows: the register it belongs to, and the run in its hash. Hash: A. Appleby, `MurmurHash64A`.

use crate::kv::hyperloglog::REGISTERS;

const SEED: u64 = 0xadc8_3b19;
const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;

/// Register of `element`, and one more than the zeros at the low end of the rest of its hash.
pub(super) fn observe(element: &[u8]) -> (usize, u8) {
    let hash = hash(element);
    let [low, high, ..] = hash.to_le_bytes();
    let register = usize::from(u16::from_le_bytes([low, high])) % REGISTERS;
    // The bit above the 50 of the rest ends the longest run.
    let rest = hash >> REGISTERS.trailing_zeros() | 1 << 50;
    (register, (1..=51).find(|run| rest >> (run - 1) & 1 == 1).unwrap_or(51))
}

fn hash(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    for word in words {
        let word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        hash = (hash ^ mix(word).wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !tail.is_empty() {
        let tail = tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash ^ tail).wrapping_mul(MULTIPLIER);
    }
    mix(mix(hash).wrapping_mul(MULTIPLIER))
}

fn mix(word: u64) -> u64 {
    word ^ word >> 47
}
