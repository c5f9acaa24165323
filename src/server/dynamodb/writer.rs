//! JSON as responses have it, written straight into the bytes of the body.

use std::fmt::Display;
use std::io::Write as _;

/// Room for a small body, made at once.
const BODY_CAPACITY: usize = 256;

/// Takes JSON. What is written between two calls is one value.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

impl Default for Writer {
    fn default() -> Self {
        Self(Vec::with_capacity(BODY_CAPACITY))
    }
}

/// The members of an object that is being written.
#[derive(Debug)]
pub(super) struct Members<'w> {
    writer: &'w mut Writer,
    is_first: bool,
}

/// The elements of a list that is being written.
#[derive(Debug)]
pub(super) struct Elements<'w> {
    writer: &'w mut Writer,
    is_first: bool,
}

impl Writer {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn object(&mut self, write: impl FnOnce(&mut Members<'_>)) {
        self.0.push(b'{');
        write(&mut Members { writer: self, is_first: true });
        self.0.push(b'}');
    }

    pub(super) fn list(&mut self, write: impl FnOnce(&mut Elements<'_>)) {
        self.0.push(b'[');
        write(&mut Elements { writer: self, is_first: true });
        self.0.push(b']');
    }

    /// A string. Runs of plain bytes are copied as a whole.
    pub(super) fn text(&mut self, text: &str) {
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = escape_in(rest) {
            let (plain, escaped) = rest.split_at(at);
            self.0.extend_from_slice(plain);
            let Some((byte, behind)) = escaped.split_first() else { break };
            match byte {
                b'"' => self.0.extend_from_slice(b"\\\""),
                b'\\' => self.0.extend_from_slice(b"\\\\"),
                b'\n' => self.0.extend_from_slice(b"\\n"),
                b'\r' => self.0.extend_from_slice(b"\\r"),
                b'\t' => self.0.extend_from_slice(b"\\t"),
                byte => self.display(format_args!("\\u{byte:04x}")),
            }
            rest = behind;
        }
        self.0.extend_from_slice(rest);
        self.0.push(b'"');
    }

    /// A string that needs no escapes.
    pub(super) fn plain_text(&mut self, text: impl Display) {
        self.0.push(b'"');
        self.display(text);
        self.0.push(b'"');
    }

    /// Bytes, in base64.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        use base64::Engine as _;
        self.0.push(b'"');
        let start = self.0.len();
        self.0.resize(start + bytes.len().div_ceil(3) * 4, 0);
        // There is room for all of it.
        let place = self.0.get_mut(start..).unwrap_or_default();
        let written = base64::engine::general_purpose::STANDARD.encode_slice(bytes, place).unwrap_or_default();
        self.0.truncate(start + written);
        self.0.push(b'"');
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// A number, or anything else whose text is JSON.
    pub(super) fn display(&mut self, value: impl Display) {
        // Writing to memory does not fail.
        let _ = write!(self.0, "{value}");
    }

    /// A number with a fraction: always with a point, as the service writes it.
    pub(super) fn decimal(&mut self, value: f64) {
        self.display(format_args!("{value:?}"));
    }

    pub(super) fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }
}

/// How many bytes are looked at together, which the compiler does with a few instructions.
const CHUNK_BYTES: usize = 32;

/// Where the first byte is that a string of JSON cannot have as it is.
fn escape_in(bytes: &[u8]) -> Option<usize> {
    let is_escaped = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let (chunks, _) = bytes.as_chunks::<CHUNK_BYTES>();
    let plain = chunks.iter().take_while(|chunk| !chunk.iter().fold(false, |any, byte| any | is_escaped(byte)));
    let start = plain.count() * CHUNK_BYTES;
    let at = bytes.get(start..)?.iter().position(is_escaped)?;
    Some(start + at)
}

impl Members<'_> {
    /// Begins the member `name`; its value is to be written next.
    pub(super) fn name(&mut self, name: &str) -> &mut Writer {
        if !std::mem::take(&mut self.is_first) {
            self.writer.0.push(b',');
        }
        self.writer.text(name);
        self.writer.0.push(b':');
        self.writer
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name).text(value);
    }

    pub(super) fn bool(&mut self, name: &str, value: bool) {
        self.name(name).bool(value);
    }

    pub(super) fn number(&mut self, name: &str, value: impl Display) {
        self.name(name).display(value);
    }

    pub(super) fn decimal(&mut self, name: &str, value: f64) {
        self.name(name).decimal(value);
    }

    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Members<'_>)) {
        self.name(name).object(write);
    }

    pub(super) fn list<T>(
        &mut self,
        name: &str,
        elements: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Writer, T),
    ) {
        self.name(name).list(|list| {
            for element in elements {
                write(list.element(), element);
            }
        });
    }

    /// A member that is there if `value` is.
    pub(super) fn optional<T>(&mut self, name: &str, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        if let Some(value) = value {
            write(self.name(name), value);
        }
    }

    /// Members as JSON that begins with a comma, or nothing.
    pub(super) fn raw(&mut self, json: &str) {
        let json = if self.is_first { json.strip_prefix(',').unwrap_or(json) } else { json };
        self.is_first &= json.is_empty();
        self.writer.raw(json);
    }
}

impl Elements<'_> {
    /// How many bytes are written so far, of everything.
    pub(super) fn written(&self) -> usize {
        self.writer.0.len()
    }

    /// Makes room for so many bytes more.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.writer.0.reserve(bytes);
    }

    /// Begins an element; its value is to be written next.
    pub(super) fn element(&mut self) -> &mut Writer {
        if !std::mem::take(&mut self.is_first) {
            self.writer.0.push(b',');
        }
        self.writer
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn what_has_to_be_escaped_is_found_wherever_it_is() {
        for (length, at) in (0..100).flat_map(|length| (0..=length).map(move |at| (length, at))) {
            for escaped in ['"', '\\', '\n', '\0', '\u{1f}', 'é', '\u{7f}', ' '] {
                let text = "x".repeat(at) + &escaped.to_string() + &"y".repeat(length - at);
                let mut writer = Writer::default();
                writer.text(&text);
                let written = writer.into_bytes();
                assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text, "{at} of {length}");
            }
        }
        for length in 0..70 {
            let bytes = vec![0xa7; length];
            let mut writer = Writer::default();
            writer.bytes(&bytes);
            let expected = base64::engine::general_purpose::STANDARD.encode(&bytes);
            assert_eq!(writer.into_bytes(), format!("\"{expected}\"").into_bytes());
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let odd = "a\"\\\n\r\t\u{1}\u{7f}é\u{1f600}";
        let mut writer = Writer::default();
        writer.object(|members| {
            members.text(odd, odd);
            members.decimal("d", 2.0);
            members.list("l", [1, 2], Writer::display);
            members.optional("no", None::<()>, |_, ()| {});
            members.object("o", |members| members.raw(r#","x":1"#));
            members.name("b").bytes(b"\xff\x00");
        });
        let bytes = writer.into_bytes();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value, serde_json::json!({odd: odd, "d": 2.0, "l": [1, 2], "o": {"x": 1}, "b": "/wA="}));
        assert!(String::from_utf8(bytes).unwrap().contains(r#""d":2.0"#));
    }
}
