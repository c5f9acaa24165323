//! Writing lengths and strings; `encode.rs` has the table of them.

pub(super) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    put_len(out, string.len());
    out.extend_from_slice(string);
}

pub(super) fn put_len(out: &mut Vec<u8>, len: usize) {
    put_length(out, len as u64);
}

pub(super) fn put_length(out: &mut Vec<u8>, length: u64) {
    match (u16::try_from(length), u32::try_from(length)) {
        (Ok(length @ 0..0x4000), _) => {
            let [high, low] = length.to_be_bytes();
            if length < 0x40 { out.push(low) } else { out.extend_from_slice(&[0x40 | high, low]) }
        }
        (_, Ok(length)) => {
            out.push(0x80);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}
