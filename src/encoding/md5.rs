//! MD5, for hashes that others compute with it. It keeps no secret.
//!
//! # Source
//! RFC 1321.

/// Bytes of a hash.
pub(crate) const HASH_BYTES: usize = 16;

/// Bytes that are worked on at a time.
const BLOCK_BYTES: usize = 64;

/// Bytes of the length at the end of the last block.
const LENGTH_BYTES: usize = 8;

/// The whole parts of 2^32 times the sines of 1 to 64, without their signs.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// How far each step of a round turns a word; the four numbers of a round repeat.
const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The MD5 of `bytes`.
pub(crate) fn md5(bytes: &[u8]) -> [u8; HASH_BYTES] {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    let mut state = blocks.iter().fold(START, block);
    // A one bit, zeros, and the length in bits.
    let mut last = rest.to_vec();
    last.push(0x80);
    while last.len() % BLOCK_BYTES != BLOCK_BYTES - LENGTH_BYTES {
        last.push(0);
    }
    last.extend_from_slice(&(bytes.len() as u64).wrapping_mul(8).to_le_bytes());
    state = last.as_chunks::<BLOCK_BYTES>().0.iter().fold(state, block);
    let mut hash = [0; HASH_BYTES];
    let words = state.iter().flat_map(|word| word.to_le_bytes());
    hash.iter_mut().zip(words).for_each(|(place, byte)| *place = byte);
    hash
}

/// The state after one more block.
fn block(state: [u32; 4], block: &[u8; BLOCK_BYTES]) -> [u32; 4] {
    let words = block.as_chunks::<4>().0;
    let word = |place: usize| words.get(place % 16).map_or(0, |word| u32::from_le_bytes(*word));
    let [mut a, mut b, mut c, mut d] = state;
    for (step, sine) in SINES.iter().enumerate() {
        let (mixed, place) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let turn = TURNS.get(step / 16).and_then(|turns| turns.get(step % 4)).copied().unwrap_or(0);
        let sum = a.wrapping_add(mixed).wrapping_add(*sine).wrapping_add(word(place));
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(turn)));
    }
    let [first, second, third, fourth] = state;
    [first.wrapping_add(a), second.wrapping_add(b), third.wrapping_add(c), fourth.wrapping_add(d)]
}

#[cfg(test)]
mod tests {
    use super::*;

    // The test suite of RFC 1321, and lengths around those of blocks.
    #[test]
    fn hashes_are_those_of_the_specification() {
        let hex = |bytes: &[u8]| format!("{:032x}", u128::from_be_bytes(md5(bytes)));
        let cases = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ];
        for (text, hash) in cases {
            assert_eq!(hex(text.as_bytes()), hash, "{text:?}");
        }
        let of_length = |length: usize| hex("x".repeat(length).as_bytes());
        let known = [
            (55, "04364420e25c512fd958a70738aa8f72"),
            (56, "668a72d5ba17f08e62dabcafad6db14b"),
            (63, "7dc2ca208106a2f703567bdff99d8981"),
            (64, "c1bb4f81d892b2d57947682aeb252456"),
        ];
        for (length, hash) in known {
            assert_eq!(of_length(length), hash, "{length}");
        }
    }
}
