//! JSON as responses have it, written straight into the bytes of the body.

use std::fmt::Display;
use std::io::Write as _;

/// Takes JSON. What is written between two calls is one value.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

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
        self.0.push(b'"');
        let bytes = text.as_bytes();
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
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
        let mut text = String::new();
        base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut text);
        self.0.extend_from_slice(text.as_bytes());
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
    use super::*;

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
