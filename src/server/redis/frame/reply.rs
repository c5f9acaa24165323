//! Replies, written as they are made, in the version of the protocol that the client speaks.
//!
//! # Invariants
//! 1. There are never more bytes that wait to be sent than the bound says: what would go beyond it is not written, and
//!    [`Reply::is_over`] says so until what was begun is taken back.
//! 2. What was sent stays until all is, so that a place in the bytes stays the same while a request runs.
//!
//! # Source
//! Redis serialization protocol specification, RESP2 and RESP3.

use std::ops::Range;

use crate::limits;
use crate::server::redis::frame::refusal::Refusal;

/// The version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server::redis) enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// Room that is kept for replies to come, in bytes.
const KEPT_BYTES: usize = 64 << 10;

/// From this length on room is made by parts of the length, and not by doubling it.
const DOUBLED_BYTES_MAX: usize = 1 << 20;

/// Replies on their way to a client.
#[derive(Debug)]
pub(in crate::server::redis) struct Reply {
    bytes: Vec<u8>,
    /// How many of the bytes were sent.
    sent: usize,
    pub(in crate::server::redis) protocol: Protocol,
    /// Bytes that may wait to be sent.
    most: usize,
    /// Something was not written.
    is_over: bool,
    /// Messages among the replies, which no request asked for.
    pushes: Vec<Range<usize>>,
}

impl Default for Reply {
    fn default() -> Self {
        let most = limits::OUTPUT_BUFFER_BYTES_MAX;
        Self { bytes: Vec::new(), sent: 0, protocol: Protocol::default(), most, is_over: false, pushes: Vec::new() }
    }
}

impl Reply {
    /// Nothing yet, for the replies of a script's commands.
    #[cfg(feature = "lua")]
    pub(in crate::server::redis) fn in_protocol(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// The bytes so far, sent or not.
    pub(in crate::server::redis) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(in crate::server::redis) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What waits to be sent.
    pub(in crate::server::redis) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Notes that `bytes` more were sent. Not while a request runs: places change.
    pub(in crate::server::redis) fn note_sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
            if self.bytes.capacity() > KEPT_BYTES {
                self.bytes.shrink_to(KEPT_BYTES);
            }
        } else if self.sent > self.bytes.len() / 2 {
            // Half of it at least goes, so that each byte is moved once on average.
            self.bytes.drain(..self.sent);
            self.bytes.shrink_to(self.bytes.len().max(KEPT_BYTES) * 2);
            self.sent = 0;
        }
    }

    /// Gives away what waits to be sent.
    pub(in crate::server::redis) fn take_waiting(&mut self) -> Vec<u8> {
        let sent = std::mem::take(&mut self.sent);
        self.bytes.drain(..sent);
        std::mem::take(&mut self.bytes)
    }

    /// Takes back what was given away and is still to be sent.
    pub(in crate::server::redis) fn put_back(&mut self, unsent: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = unsent;
        } else {
            self.bytes.splice(self.sent..self.sent, unsent);
        }
    }

    /// The bytes that there is room for.
    pub(in crate::server::redis) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether something was not written, for more would wait than may.
    pub(in crate::server::redis) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Refuses to go on with a reply that is too long already. A command that writes much asks on its way.
    ///
    /// # Errors
    /// That the reply is too long.
    pub(in crate::server::redis) fn check(&self) -> Result<(), Refusal> {
        if self.is_over { Err(Refusal::too_long(self.most)) } else { Ok(()) }
    }

    /// Drops what was written after the first `len` bytes.
    pub(in crate::server::redis) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
        self.is_over = false;
        self.pushes.retain(|push| push.end <= len);
        if self.bytes.capacity() > DOUBLED_BYTES_MAX && self.bytes.capacity() / 4 > len {
            self.bytes.shrink_to((len * 2).max(KEPT_BYTES));
        }
    }

    /// Drops everything that was not sent.
    pub(in crate::server::redis) fn clear(&mut self) {
        self.truncate(self.sent);
    }

    /// Marks what was written from `from` on as a message that is sent even to a client that wants no replies.
    pub(in crate::server::redis) fn mark_push(&mut self, from: usize) {
        self.pushes.push(from..self.bytes.len());
    }

    /// Of what was written from `from` on, keeps the messages only.
    pub(in crate::server::redis) fn keep_pushes(&mut self, from: usize) {
        let pushes = std::mem::take(&mut self.pushes);
        let kept: Vec<u8> = pushes
            .into_iter()
            .filter(|push| push.start >= from)
            .filter_map(|push| self.bytes.get(push))
            .flatten()
            .copied()
            .collect();
        self.truncate(from);
        self.raw(&kept);
    }

    /// Forgets where messages are, for the request that wrote them has ended.
    pub(in crate::server::redis) fn forget_pushes(&mut self) {
        self.pushes.clear();
    }

    /// A reply that was written before.
    pub(in crate::server::redis) fn raw(&mut self, reply: &[u8]) {
        self.append(reply);
    }

    /// Adds bytes, unless more would wait than may.
    fn append(&mut self, bytes: &[u8]) {
        if self.makes_room(bytes.len()) {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Makes room for that many bytes, and returns whether they may be added.
    fn makes_room(&mut self, more: usize) -> bool {
        let len = self.bytes.len();
        if self.is_over || len - self.sent + more > self.most {
            self.is_over = true;
            return false;
        }
        if more > self.bytes.capacity() - len && len > DOUBLED_BYTES_MAX {
            // Twice as much would be more than is needed on average, where it matters.
            self.bytes.reserve_exact(more.max(len / 4));
        }
        true
    }

    pub(in crate::server::redis) fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    pub(in crate::server::redis) fn ok(&mut self) {
        self.append(b"+OK\r\n");
    }

    /// An error: a code in capitals, and what is wrong.
    pub(in crate::server::redis) fn error(&mut self, text: &str) {
        // What a client sent may be in it, and a line has to stay one.
        let text: Vec<u8> = text.bytes().map(|byte| if byte == b'\r' || byte == b'\n' { b' ' } else { byte }).collect();
        self.line(b'-', &text);
    }

    pub(in crate::server::redis) fn integer(&mut self, number: i64) {
        self.number(b':', number);
    }

    /// A count, which no store makes larger than the protocol's integers.
    pub(in crate::server::redis) fn count(&mut self, count: u64) {
        self.integer(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// 1 or 0, in both versions: Redis keeps integers where it had them.
    pub(in crate::server::redis) fn flag(&mut self, flag: bool) {
        self.integer(i64::from(flag));
    }

    pub(in crate::server::redis) fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.number(b'$', bytes.len());
        // With room for the end of the line: a large one would be moved for it.
        if self.makes_room(bytes.len() + 2) {
            if bytes.len() > DOUBLED_BYTES_MAX {
                self.bytes.reserve_exact(bytes.len() + 2);
            }
            self.bytes.extend_from_slice(bytes);
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    pub(in crate::server::redis) fn nil(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.append(b"$-1\r\n"),
            Protocol::Resp3 => self.append(b"_\r\n"),
        }
    }

    /// The null array, which RESP2 has beside the null string.
    pub(in crate::server::redis) fn nil_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.append(b"*-1\r\n"),
            Protocol::Resp3 => self.append(b"_\r\n"),
        }
    }

    pub(in crate::server::redis) fn bulk_or_nil(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.nil(),
        }
    }

    pub(in crate::server::redis) fn double(&mut self, number: f64) {
        self.decimal(&format_double(number));
    }

    /// A number that is written out already.
    pub(in crate::server::redis) fn decimal(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A text for people, which RESP3 marks as such.
    pub(in crate::server::redis) fn verbatim(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.number(b'=', text.len() + 4);
                self.append(b"txt:");
                self.append(text.as_bytes());
                self.append(b"\r\n");
            }
        }
    }

    /// A truth value, which RESP2 has as an integer.
    pub(in crate::server::redis) fn boolean(&mut self, flag: bool) {
        match self.protocol {
            Protocol::Resp2 => self.flag(flag),
            Protocol::Resp3 => self.line(b'#', if flag { b"t" } else { b"f" }),
        }
    }

    /// An integer of any size in decimal.
    pub(in crate::server::redis) fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// A text in a format whose name has three letters; RESP3 only.
    #[cfg(feature = "lua")]
    pub(in crate::server::redis) fn verbatim_as(&mut self, format: &[u8], text: &[u8]) {
        let mut name = *b"   ";
        name.iter_mut().zip(format).for_each(|(to, from)| *to = *from);
        self.number(b'=', text.len() + 4);
        self.append(&name);
        self.line(b':', text);
    }

    /// Begins an array; its `len` elements follow.
    pub(in crate::server::redis) fn array(&mut self, len: usize) {
        self.number(b'*', len);
    }

    pub(in crate::server::redis) fn bulks<B: AsRef<[u8]>>(
        &mut self,
        elements: impl IntoIterator<Item = B, IntoIter: ExactSizeIterator>,
    ) {
        let elements = elements.into_iter();
        self.array(elements.len());
        elements.for_each(|element| self.bulk(element));
    }

    /// Begins a map; its `len` pairs follow. In RESP2 it is an array of twice as many.
    pub(in crate::server::redis) fn map(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len * 2),
            Protocol::Resp3 => self.number(b'%', len),
        }
    }

    /// Begins a set; its `len` members follow.
    pub(in crate::server::redis) fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'~', len),
        }
    }

    /// Begins a message that no request asked for; its `len` parts follow.
    pub(in crate::server::redis) fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'>', len),
        }
    }

    /// Begins an attribute of the reply that follows, of `len` pairs; returns `false` in RESP2, which has none.
    pub(in crate::server::redis) fn attribute(&mut self, len: usize) -> bool {
        if self.protocol == Protocol::Resp3 {
            self.number(b'|', len);
        }
        self.protocol == Protocol::Resp3
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        if self.makes_room(text.len() + 3) {
            self.bytes.push(kind);
            self.bytes.extend_from_slice(text);
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    fn number(&mut self, kind: u8, number: impl itoa::Integer) {
        self.line(kind, itoa::Buffer::new().format(number).as_bytes());
    }
}

/// A score as Redis prints it: the shortest text that reads as the same number.
pub(in crate::server::redis) fn format_double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    // From 1e17 on, and below a millionth, it has an exponent (SEM: KV-Z-4).
    if (1e-6..1e17).contains(&number.abs()) {
        // Of whole numbers, every digit.
        return if number.fract() == 0.0 { whole(number).to_string() } else { number.to_string() };
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if exponent.starts_with('-') => format!("{digits}e{exponent}"),
        Some((digits, exponent)) => format!("{digits}e+{exponent}"),
        None => text,
    }
}

/// A whole number that fits, which as an integer takes a tenth of the time to print.
#[expect(clippy::cast_possible_truncation, reason = "it is whole, and below 1e17")]
fn whole(number: f64) -> i64 {
    number as i64
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
    fn no_more_waits_than_may() {
        let mut reply = Reply { most: 100, ..Reply::default() };
        reply.bulk([b'x'; 50]);
        let before = reply.len();
        reply.array(3);
        reply.bulk([b'y'; 50]);
        // Whatever comes after it is not written either: half a reply is not one.
        reply.ok();
        assert!(reply.is_over() && reply.check().is_err() && reply.len() <= 100);
        reply.truncate(before);
        reply.error("ERR no");
        assert!(!reply.is_over() && reply.bytes().ends_with(b"-ERR no\r\n"));
    }

    #[test]
    fn what_was_sent_makes_room() {
        let mut reply = Reply { most: 100, ..Reply::default() };
        for _ in 0..1_000 {
            reply.bulk([b'x'; 40]);
            let waiting = reply.waiting().len();
            reply.note_sent(waiting / 2);
            reply.note_sent(waiting - waiting / 2);
            assert!(!reply.is_over() && reply.waiting().is_empty() && reply.capacity() < 1_000);
        }
    }

    #[test]
    fn messages_are_kept_when_replies_are_not() {
        let mut reply = Reply::default();
        reply.ok();
        let from = reply.len();
        reply.array(2);
        for name in ["a", "b"] {
            reply.simple("between");
            let push = reply.len();
            reply.push(1);
            reply.bulk(name);
            reply.mark_push(push);
        }
        reply.keep_pushes(from);
        assert_eq!(reply.bytes(), b"+OK\r\n*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n");
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
            (-7.0, "-7"),
            (99_999_999_999_999_984.0, "99999999999999984"),
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
