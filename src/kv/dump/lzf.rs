//! LZF: runs of bytes as they are, and references to what was written before.
//!
//! | first byte | is                                                                                     |
//! |------------|----------------------------------------------------------------------------------------|
//! | `000lllll` | a run of l + 1 bytes, which follow                                                     |
//! | `lllddddd` | l + 2 bytes from d + 1 before the end; the low 8 bits of d follow                      |
//! | `111ddddd` | as that, with l less 7 in the byte after it, and then the low 8 bits of d              |
//!
//! # Source
//! M. Lehmann, `LibLZF`, description of the format.

use crate::error::Result;
use crate::kv::dump::bad;

/// What `compressed` stands for, which is exactly `length` bytes. The caller has found that length to be within its limits.
pub(super) fn decompress(compressed: &[u8], length: usize) -> Result<Vec<u8>> {
    // Room for a middling ratio: what is claimed may not come.
    let mut bytes = Vec::with_capacity(length.min(compressed.len().saturating_mul(4)));
    let mut rest = compressed.iter();
    let mut next = || rest.next().copied().map(usize::from);
    while let Some(control) = next() {
        if control < 32 {
            for _ in 0..=control {
                bytes.push(u8::try_from(next().ok_or_else(bad)?).unwrap_or_default());
            }
        } else {
            let count = match control >> 5 {
                7 => 9 + next().ok_or_else(bad)?,
                count => count + 2,
            };
            let distance = ((control & 31) << 8 | next().ok_or_else(bad)?) + 1;
            let from = bytes.len().checked_sub(distance).ok_or_else(bad)?;
            // It may reach into what it writes itself.
            for at in from..from + count {
                bytes.push(*bytes.get(at).ok_or_else(bad)?);
            }
        }
        if bytes.len() > length {
            return Err(bad());
        }
    }
    if bytes.len() == length { Ok(bytes) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_references_are_told_apart() {
        assert_eq!(decompress(&[2, b'a', b'b', b'c', 0x20, 2], 6).unwrap(), b"abcabc");
        assert_eq!(decompress(&[0, b'a', 0xe0, 1, 0], 11).unwrap(), b"aaaaaaaaaaa", "it reaches into itself");
        assert_eq!(decompress(&[], 0).unwrap(), b"");
    }

    #[test]
    fn what_is_cut_off_or_of_another_length_is_bad() {
        for (compressed, length) in [
            (&[2, b'a'][..], 3),
            (&[0x20], 3),
            (&[0xe0, 1], 9),
            (&[0x20, 0], 3),
            (&[0, b'a'], 2),
            (&[1, b'a', b'b'], 1),
        ] {
            assert!(decompress(compressed, length).is_err(), "{compressed:?}");
        }
    }
}
