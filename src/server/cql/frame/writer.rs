//! The notations that bodies are made of, written.

use std::net::IpAddr;

/// Bytes of a `[string]` at most.
const STRING_BYTES_MAX: usize = 65_535;

/// A body that is being written.
///
/// # Invariants
/// 1. A part whose length or count its notation has no room for is not written; [`Writer::finish`] says so then.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    is_over: bool,
}

/// A part of a reply is longer than its notation has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Writer {
    /// Goes on behind `bytes`.
    pub(crate) fn behind(bytes: Vec<u8>) -> Self {
        Self { bytes, is_over: false }
    }

    /// The bytes, if every part had room.
    pub(crate) fn finish(self) -> Result<Vec<u8>, TooLong> {
        if self.is_over { Err(TooLong) } else { Ok(self.bytes) }
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn short(&mut self, number: u16) {
        self.raw(&number.to_be_bytes());
    }

    pub(crate) fn int(&mut self, number: i32) {
        self.raw(&number.to_be_bytes());
    }

    #[cfg(test)]
    pub(crate) fn long(&mut self, number: i64) {
        self.raw(&number.to_be_bytes());
    }

    /// A `[short]` that counts.
    pub(crate) fn count(&mut self, count: usize) {
        match u16::try_from(count) {
            Ok(count) => self.short(count),
            Err(_) => self.is_over = true,
        }
    }

    /// An `[int]` that counts.
    pub(crate) fn int_count(&mut self, count: usize) {
        match i32::try_from(count) {
            Ok(count) => self.int(count),
            Err(_) => self.is_over = true,
        }
    }

    /// `[string]`.
    pub(crate) fn string(&mut self, text: &str) {
        self.short_bytes(text.as_bytes());
    }

    /// `[string]`, of which the end is left out when it is too long: of messages, which are read by people.
    pub(crate) fn message(&mut self, text: &str) {
        let mut end = text.len().min(STRING_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.string(text.get(..end).unwrap_or_default());
    }

    /// `[long string]`.
    #[cfg(test)]
    pub(crate) fn long_string(&mut self, text: &str) {
        self.bytes(Some(text.as_bytes()));
    }

    /// `[string list]`.
    pub(crate) fn string_list<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.count(texts.len());
        for text in texts {
            self.string(text.as_ref());
        }
    }

    /// `[bytes]`.
    pub(crate) fn bytes(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else { return self.int(-1) };
        self.int_count(bytes.len());
        self.raw(bytes);
    }

    /// `[short bytes]`.
    pub(crate) fn short_bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// `[string multimap]`.
    pub(crate) fn string_multimap(&mut self, map: &[(&str, Vec<String>)]) {
        self.count(map.len());
        for (key, values) in map {
            self.string(key);
            self.string_list(values);
        }
    }

    /// `[inetaddr]`.
    pub(crate) fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                self.byte(4);
                self.raw(&address.octets());
            }
            IpAddr::V6(address) => {
                self.byte(16);
                self.raw(&address.octets());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_refused_and_messages_are_cut_between_characters() {
        let mut writer = Writer::default();
        writer.string(&"x".repeat(STRING_BYTES_MAX));
        assert!(writer.finish().is_ok());
        let mut writer = Writer::default();
        writer.string(&"x".repeat(STRING_BYTES_MAX + 1));
        assert_eq!(writer.finish(), Err(TooLong));
        let mut writer = Writer::default();
        writer.message(&"é".repeat(STRING_BYTES_MAX));
        assert_eq!(writer.finish().unwrap().len(), 2 + STRING_BYTES_MAX - 1);
    }
}
