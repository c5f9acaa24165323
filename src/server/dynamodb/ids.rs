//! Names of requests: 52 letters and digits, each name once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Letters and digits of a name.
const LENGTH: usize = 52;
/// How many of them a word gives.
const DIGITS_OF_WORD: usize = 13;
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Makes names: the same ones, in the same order, for the same seed.
#[derive(Debug)]
pub(super) struct Ids {
    seed: u64,
    next: AtomicU64,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // The number goes in as it is, so that no name comes twice; the rest only looks as one expects it to.
        let mut words = [number, 0, 0, 0, 0];
        let mut state = self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for word in words.iter_mut().skip(1) {
            state = mixed(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            *word = state;
        }
        words.swap(0, 2);
        let mut name = String::with_capacity(LENGTH);
        for mut word in words.into_iter().take(LENGTH / DIGITS_OF_WORD) {
            for _ in 0..DIGITS_OF_WORD {
                let [low, ..] = word.to_le_bytes();
                name.extend(DIGITS.get(usize::from(low & 31)).copied().map(char::from));
                word >>= 5;
            }
        }
        name
    }
}

/// The finalizer of `SplitMix64`.
fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_come_again_with_their_seed() {
        let (ids, again) = (Ids::new(7), Ids::new(7));
        let names: std::collections::BTreeSet<_> = (0..1_000).map(|_| ids.next()).collect();
        assert_eq!(names.len(), 1_000);
        assert!(names.iter().all(|name| name.len() == LENGTH) && names.contains(&again.next()));
    }
}
