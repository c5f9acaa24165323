//! LZ4, as the protocol has it.

use lz4_flex::block;

use crate::limits;
use crate::server::cql::frame::malformed::{Malformed, Result};

/// What a compressed body begins with: the bytes that come out, big-endian.
const LENGTH_BYTES: usize = 4;

/// Compresses a body of version 4; none when its length has no room.
pub(crate) fn compress_body(body: &[u8]) -> Option<Vec<u8>> {
    let length = i32::try_from(body.len()).ok()?;
    let mut compressed = vec![0; LENGTH_BYTES + block::get_maximum_output_size(body.len())];
    let (head, room) = compressed.split_first_chunk_mut::<LENGTH_BYTES>()?;
    *head = length.to_be_bytes();
    let bytes = block::compress_into(body, room).ok()?;
    compressed.truncate(LENGTH_BYTES + bytes);
    Some(compressed)
}

/// Decompresses a body of version 4.
///
/// # Errors
/// [`Malformed`] when it says that more come out than [`limits::CQL_FRAME_BYTES_MAX`], or than LZ4 can make of what is there, or
/// others come out.
pub(crate) fn decompress_body(body: &[u8]) -> Result<Vec<u8>> {
    let Some((length, block)) = body.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(Malformed::new("a compressed body without its length"));
    };
    let announced = i32::from_be_bytes(*length);
    match usize::try_from(announced) {
        Ok(length) if length <= limits::CQL_FRAME_BYTES_MAX => decompress(block, length),
        _ => Err(Malformed::new(format!("a compressed body that says that it has {announced} bytes"))),
    }
}

/// Decompresses a block of which exactly `length` bytes come out; the caller has compared that with a limit.
pub(super) fn decompress(compressed: &[u8], length: usize) -> Result<Vec<u8>> {
    // A byte of a block makes no more than 255 others.
    if length > compressed.len().saturating_mul(255) {
        return Err(Malformed::new("a compressed block that is too short for what it is to become"));
    }
    match block::decompress(compressed, length) {
        Ok(bytes) if bytes.len() == length => Ok(bytes),
        _ => Err(Malformed::new("a compressed block that is none, or has another length than it says")),
    }
}

/// Compresses a block, as far as that makes it shorter.
pub(super) fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let compressed = block::compress(bytes);
    (compressed.len() < bytes.len()).then_some(compressed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_body_comes_back_and_no_bytes_panic(body in prop::collection::vec(0_u8..4, 0..300), at in 0_usize..400, byte: u8) {
            let mut compressed = compress_body(&body).unwrap();
            prop_assert_eq!(decompress_body(&compressed).unwrap(), body);
            if let Some(place) = compressed.get_mut(at) {
                *place = byte;
            }
            let _ = decompress_body(&compressed);
            compressed.truncate(at);
            let _ = decompress_body(&compressed);
        }
    }

    #[test]
    fn a_length_is_looked_at_before_room_is_made() {
        for bytes in [&[][..], &[0, 0, 0], &[0x7f, 0xff, 0xff, 0xff, 0], &[0xff; 5], &[0, 0xff, 0xff, 0xff, 0x10, 1]] {
            assert!(decompress_body(bytes).is_err());
        }
    }
}
