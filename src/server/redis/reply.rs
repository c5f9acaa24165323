//! Replies, written as they are made, in the version of the protocol that the client speaks.
//!
//! # Source
//! Redis serialization protocol specification, RESP2 and RESP3.

/// The version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// Replies on their way to a client.
#[derive(Debug, Default)]
pub(super) struct Reply {
    bytes: Vec<u8>,
    pub(super) protocol: Protocol,
}

impl Reply {
    /// Nothing yet, for the replies of a script's commands.
    #[cfg(feature = "lua")]
    pub(super) fn in_protocol(protocol: Protocol) -> Self {
        Self { bytes: Vec::new(), protocol }
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes that there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Drops what was written after the first `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Drops everything, and keeps room for as much as replies usually take.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(64 << 10);
    }

    /// Exchanges what was written for `bytes`.
    pub(super) fn swap(&mut self, bytes: &mut Vec<u8>) {
        std::mem::swap(&mut self.bytes, bytes);
    }

    /// A reply that was written before.
    pub(super) fn raw(&mut self, reply: &[u8]) {
        self.bytes.extend_from_slice(reply);
    }

    pub(super) fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    pub(super) fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    /// An error: a code in capitals, and what is wrong.
    pub(super) fn error(&mut self, text: &str) {
        // What a client sent may be in it, and a line has to stay one.
        self.bytes.push(b'-');
        self.bytes.extend(text.bytes().map(|byte| if byte == b'\r' || byte == b'\n' { b' ' } else { byte }));
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub(super) fn integer(&mut self, number: i64) {
        self.number(b':', number);
    }

    /// A count, which no store makes larger than the protocol's integers.
    pub(super) fn count(&mut self, count: u64) {
        self.integer(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// 1 or 0, in both versions: Redis keeps integers where it had them.
    pub(super) fn flag(&mut self, flag: bool) {
        self.integer(i64::from(flag));
    }

    pub(super) fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.number(b'$', bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub(super) fn nil(&mut self) {
        self.bytes.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No array, where RESP2 tells that from no string.
    pub(super) fn nil_array(&mut self) {
        self.bytes.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    pub(super) fn bulk_or_nil(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.nil(),
        }
    }

    pub(super) fn double(&mut self, number: f64) {
        self.decimal(&format_double(number));
    }

    /// A number that is written out already.
    pub(super) fn decimal(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A text for people, which RESP3 marks as such.
    pub(super) fn verbatim(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.number(b'=', text.len() + 4);
                self.bytes.extend_from_slice(b"txt:");
                self.bytes.extend_from_slice(text.as_bytes());
                self.bytes.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A truth value, which RESP2 has as an integer.
    pub(super) fn boolean(&mut self, flag: bool) {
        match self.protocol {
            Protocol::Resp2 => self.flag(flag),
            Protocol::Resp3 => self.line(b'#', if flag { b"t" } else { b"f" }),
        }
    }

    /// An integer of any size in decimal.
    pub(super) fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// A text in a format whose name has three letters; RESP3 only.
    #[cfg(feature = "lua")]
    pub(super) fn verbatim_as(&mut self, format: &[u8], text: &[u8]) {
        let mut name = *b"   ";
        name.iter_mut().zip(format).for_each(|(to, from)| *to = *from);
        self.number(b'=', text.len() + 4);
        self.bytes.extend_from_slice(&name);
        self.line(b':', text);
    }

    /// Begins an array; its `len` elements follow.
    pub(super) fn array(&mut self, len: usize) {
        self.number(b'*', len);
    }

    pub(super) fn bulks<B: AsRef<[u8]>>(&mut self, elements: impl IntoIterator<Item = B, IntoIter: ExactSizeIterator>) {
        let elements = elements.into_iter();
        self.array(elements.len());
        elements.for_each(|element| self.bulk(element));
    }

    /// Begins a map; its `len` pairs follow. In RESP2 it is an array of twice as many.
    pub(super) fn map(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len * 2),
            Protocol::Resp3 => self.number(b'%', len),
        }
    }

    /// Begins a set; its `len` members follow.
    pub(super) fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'~', len),
        }
    }

    /// Begins a message that no request asked for; its `len` parts follow.
    pub(super) fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'>', len),
        }
    }

    /// Begins what is told beside the reply that follows, in `len` pairs; `false` in RESP2, which has no such thing.
    pub(super) fn attribute(&mut self, len: usize) -> bool {
        if self.protocol == Protocol::Resp3 {
            self.number(b'|', len);
        }
        self.protocol == Protocol::Resp3
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn number(&mut self, kind: u8, number: impl itoa::Integer) {
        self.line(kind, itoa::Buffer::new().format(number).as_bytes());
    }
}

/// A score as Redis prints it: the shortest text that reads as the same number (SEM: KV-Z-4).
pub(super) fn format_double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    // From 1e17 on, and below a millionth, it has an exponent (SEM: KV-Z-4).
    if (1e-6..1e17).contains(&number.abs()) {
        // Of whole numbers, every digit.
        return if number.fract() == 0.0 { format!("{number:.0}") } else { number.to_string() };
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if exponent.starts_with('-') => format!("{digits}e{exponent}"),
        Some((digits, exponent)) => format!("{digits}e+{exponent}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, write: impl FnOnce(&mut Reply)) -> String {
        let mut reply = Reply { protocol, ..Reply::default() };
        write(&mut reply);
        String::from_utf8(reply.bytes).unwrap()
    }

    #[test]
    fn each_version_has_its_own_form() {
        for (write, resp2, resp3) in [
            (Reply::nil as fn(&mut Reply), "$-1\r\n", "_\r\n"),
            (Reply::nil_array, "*-1\r\n", "_\r\n"),
            (|reply| reply.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
            (|reply| reply.map(2), "*4\r\n", "%2\r\n"),
            (|reply| reply.set(2), "*2\r\n", "~2\r\n"),
            (|reply| reply.push(3), "*3\r\n", ">3\r\n"),
            (|reply| reply.verbatim("hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
            (|reply| reply.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        ] {
            assert_eq!(written(Protocol::Resp2, write), resp2);
            assert_eq!(written(Protocol::Resp3, write), resp3);
        }
    }

    // SEM: KV-Z-4
    #[test]
    fn scores_have_the_shortest_text() {
        for (number, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e16, "10000000000000000"),
            (24_353_699_693_614_888.0, "24353699693614888"),
            (3e17, "3e+17"),
            (1e21, "1e+21"),
            (-1.5e-7, "-1.5e-7"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_double(number), text);
        }
    }
}
