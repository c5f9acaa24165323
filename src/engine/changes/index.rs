//! A table from hashes to the places of what they are of.

/// A search that has to look at more places says that the hashes are not what they should be: keys may come from somebody who has
/// chosen them for that.
const PLACES_SEARCHED_MAX: usize = 128;

/// Bits of a place that are some of the hash, so that few others are looked at in vain.
const TAG_BITS: u32 = 5;

/// What is left distinguishes as many.
const NUMBERS_MAX: u32 = u32::MAX >> TAG_BITS;

/// Places by hash, searched one behind the other from where the hash says. Four bytes each, of which up to half are in use:
/// as long as the table stays near the processor a search costs nearly nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// A power of two of them: a number counted from 1, and above it some bits of the hash; 0 when there is none.
    places: Vec<u32>,
    len: usize,
    is_crowded: bool,
}

impl Index {
    /// Whether some hash was put too far from where it is looked for first, or there is no room for more.
    pub(super) fn is_crowded(&self) -> bool {
        self.is_crowded
    }

    /// How many hashes are in it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds those of `hashes` that are not in it, all before the first of which are.
    pub(super) fn extend_to(&mut self, hashes: &[u32]) {
        if hashes.len() * 2 > self.places.len() {
            let room = (hashes.len() * 3).next_power_of_two();
            *self = Self { places: vec![0; room], len: 0, is_crowded: false };
        }
        for hash in hashes.iter().skip(self.len) {
            self.len += 1;
            let number = u32::try_from(self.len).ok().filter(|number| *number <= NUMBERS_MAX);
            match number {
                Some(number) => self.put(*hash, number),
                None => self.is_crowded = true,
            }
        }
    }

    fn put(&mut self, hash: u32, number: u32) {
        let mut at = self.start(hash);
        let mut searched = 0;
        while let Some(place) = self.places.get_mut(at) {
            if *place == 0 {
                *place = tag(hash) | number;
                break;
            }
            at = self.after(at);
            searched += 1;
        }
        self.is_crowded |= searched > PLACES_SEARCHED_MAX;
    }

    /// The number of the one with `hash` that is looked for.
    #[inline]
    pub(super) fn find(&self, hash: u32, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut at = self.start(hash);
        loop {
            let place = *self.places.get(at)?;
            let number = ((place & NUMBERS_MAX) as usize).checked_sub(1)?;
            if place & !NUMBERS_MAX == tag(hash) && is_it(number) {
                return Some(number);
            }
            at = self.after(at);
        }
    }

    /// Where a hash is looked for first: the upper bits of a product that all its bits go into.
    #[inline]
    fn start(&self, hash: u32) -> usize {
        let bits = self.places.len().trailing_zeros();
        ((u64::from(hash.wrapping_mul(0x9e37_79b9)) << bits) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }
}

/// The lowest bits of a hash, at the upper end.
fn tag(hash: u32) -> u32 {
    hash << (u32::BITS - TAG_BITS)
}
