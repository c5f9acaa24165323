//! Keys and values to measure with, the same in every run.
//!
//! Keys have 24 bytes: 7 that all share, one of 16 collections, 16 at random. Values have 150 at random.

pub(crate) const KEY_BYTES: usize = 24;
pub(crate) const VALUE_BYTES: usize = 150;

/// Makes keys and values, and remembers the keys.
#[derive(Debug)]
pub(crate) struct Data {
    random: Random,
    keys: Vec<[u8; KEY_BYTES]>,
}

impl Data {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), keys: Vec::new() }
    }

    /// A key that there was not.
    pub(crate) fn key(&mut self) -> [u8; KEY_BYTES] {
        let mut key = *b"larder:.................";
        let (_, rest) = key.split_at_mut(7);
        self.fill(rest);
        if let Some(collection) = rest.first_mut() {
            *collection %= 16;
        }
        self.keys.push(key);
        key
    }

    /// One of the keys so far. There must be some.
    pub(crate) fn old_key(&mut self) -> [u8; KEY_BYTES] {
        let at = self.random.next() % self.keys.len() as u64;
        usize::try_from(at).ok().and_then(|at| self.keys.get(at)).copied().expect("there are keys")
    }

    /// The keys so far, in the order in which they were made.
    pub(crate) fn keys(&self) -> &[[u8; KEY_BYTES]] {
        &self.keys
    }

    pub(crate) fn value(&mut self) -> [u8; VALUE_BYTES] {
        let mut value = [0; VALUE_BYTES];
        self.fill(&mut value);
        value
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.iter_mut().zip(self.random.next().to_le_bytes()).for_each(|(byte, random)| *byte = random);
        }
    }
}

/// The generator `SplitMix64`.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
