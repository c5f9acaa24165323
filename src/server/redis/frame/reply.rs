//! Replies, written as they are made, in the version of the protocol that the client speaks.
//!
//! They go into an [`Output`], which bounds them.
//!
//! # Source
//! Redis serialization protocol specification, RESP2 and RESP3.

use std::ops::Range;

use crate::server::buffers::Output;
use crate::server::redis::frame::refusal::Refusal;

/// The version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// Replies on their way to a client.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    output: Output,
    pub(crate) protocol: Protocol,
    /// Messages among the replies, which no request asked for.
    pushes: Vec<Range<usize>>,
}

impl Reply {
    /// Nothing yet, for the replies of a script's commands.
    #[cfg(feature = "lua")]
    pub(crate) fn in_protocol(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// Writes into `output` from now on, and gives away what it wrote into before.
    pub(crate) fn swap(&mut self, output: &mut Output) {
        std::mem::swap(&mut self.output, output);
    }

    /// The bytes so far, sent or not.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.output.bytes()
    }

    pub(crate) fn len(&self) -> usize {
        self.output.len()
    }

    /// What waits to be sent.
    pub(crate) fn waiting(&self) -> &[u8] {
        self.output.waiting()
    }

    /// The bytes that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.output.capacity()
    }

    /// Whether something was not written, for more would wait than may.
    pub(crate) fn is_over(&self) -> bool {
        self.output.is_over()
    }

    /// Refuses to go on with a reply that is too long already. A command that writes much asks on its way.
    ///
    /// # Errors
    /// That the reply is too long.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.is_over() { Err(Refusal::too_long(self.output.most())) } else { Ok(()) }
    }

    /// Drops what was written after the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.output.truncate(len);
        self.pushes.retain(|push| push.end <= len);
    }

    /// Drops everything that was not sent.
    pub(crate) fn clear(&mut self) {
        self.truncate(self.len() - self.waiting().len());
    }

    /// Marks what was written from `from` on as a message that is sent even to a client that wants no replies.
    pub(crate) fn mark_push(&mut self, from: usize) {
        self.pushes.push(from..self.len());
    }

    /// Of what was written from `from` on, keeps the messages only.
    pub(crate) fn keep_pushes(&mut self, from: usize) {
        let pushes = std::mem::take(&mut self.pushes);
        let kept: Vec<u8> = pushes
            .into_iter()
            .filter(|push| push.start >= from)
            .filter_map(|push| self.bytes().get(push))
            .flatten()
            .copied()
            .collect();
        self.truncate(from);
        self.raw(&kept);
    }

    /// Forgets where messages are, for the request that wrote them has ended.
    pub(crate) fn forget_pushes(&mut self) {
        self.pushes.clear();
    }

    /// A reply that was written before.
    pub(crate) fn raw(&mut self, reply: &[u8]) {
        self.append(reply);
    }

    fn append(&mut self, bytes: &[u8]) {
        self.output.write(bytes);
    }

    pub(crate) fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    pub(crate) fn ok(&mut self) {
        self.append(b"+OK\r\n");
    }

    /// An error: a code in capitals, and what is wrong.
    pub(crate) fn error(&mut self, text: &str) {
        // What a client sent may be in it, and a line has to stay one.
        let text: Vec<u8> = text.bytes().map(|byte| if byte == b'\r' || byte == b'\n' { b' ' } else { byte }).collect();
        self.line(b'-', &text);
    }

    pub(crate) fn integer(&mut self, number: i64) {
        self.number(b':', number);
    }

    /// A count, which no store makes larger than the protocol's integers.
    pub(crate) fn count(&mut self, count: u64) {
        self.integer(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// 1 or 0, in both versions: Redis keeps integers where it had them.
    pub(crate) fn flag(&mut self, flag: bool) {
        self.integer(i64::from(flag));
    }

    pub(crate) fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let mut place = [0; HEAD_BYTES_MAX];
        // All at once: room is looked for once, and a large one would be moved for the end of its line.
        self.output.write_all([head(b'$', bytes.len(), &mut place), bytes, b"\r\n"]);
    }

    pub(crate) fn nil(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.append(b"$-1\r\n"),
            Protocol::Resp3 => self.append(b"_\r\n"),
        }
    }

    /// The null array, which RESP2 has beside the null string.
    pub(crate) fn nil_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.append(b"*-1\r\n"),
            Protocol::Resp3 => self.append(b"_\r\n"),
        }
    }

    pub(crate) fn bulk_or_nil(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.nil(),
        }
    }

    pub(crate) fn double(&mut self, number: f64) {
        self.decimal(&format_double(number));
    }

    /// A number that is written out already.
    pub(crate) fn decimal(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A text for people, which RESP3 marks as such.
    pub(crate) fn verbatim(&mut self, text: &str) {
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
    pub(crate) fn boolean(&mut self, flag: bool) {
        match self.protocol {
            Protocol::Resp2 => self.flag(flag),
            Protocol::Resp3 => self.line(b'#', if flag { b"t" } else { b"f" }),
        }
    }

    /// An integer of any size in decimal.
    pub(crate) fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// A text in a format whose name has three letters; RESP3 only.
    #[cfg(feature = "lua")]
    pub(crate) fn verbatim_as(&mut self, format: &[u8], text: &[u8]) {
        let mut name = *b"   ";
        name.iter_mut().zip(format).for_each(|(to, from)| *to = *from);
        self.number(b'=', text.len() + 4);
        self.append(&name);
        self.line(b':', text);
    }

    /// Begins an array; its `len` elements follow.
    pub(crate) fn array(&mut self, len: usize) {
        self.number(b'*', len);
    }

    pub(crate) fn bulks<B: AsRef<[u8]>>(&mut self, elements: impl IntoIterator<Item = B, IntoIter: ExactSizeIterator>) {
        let elements = elements.into_iter();
        self.array(elements.len());
        elements.for_each(|element| self.bulk(element));
    }

    /// Begins a map; its `len` pairs follow. In RESP2 it is an array of twice as many.
    pub(crate) fn map(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len * 2),
            Protocol::Resp3 => self.number(b'%', len),
        }
    }

    /// Begins a set; its `len` members follow.
    pub(crate) fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'~', len),
        }
    }

    /// Begins a message that no request asked for; its `len` parts follow.
    pub(crate) fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'>', len),
        }
    }

    /// Begins an attribute of the reply that follows, of `len` pairs; returns `false` in RESP2, which has none.
    pub(crate) fn attribute(&mut self, len: usize) -> bool {
        if self.protocol == Protocol::Resp3 {
            self.number(b'|', len);
        }
        self.protocol == Protocol::Resp3
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.output.write_all([&[kind], text, b"\r\n"]);
    }

    fn number(&mut self, kind: u8, number: impl itoa::Integer) {
        self.line(kind, itoa::Buffer::new().format(number).as_bytes());
    }
}

/// The longest line of a type and a length: 20 digits, and the end of the line.
const HEAD_BYTES_MAX: usize = 1 + 20 + 2;

/// The line of `kind` and `number`, made in `place` from its end: most lengths have a digit or two.
#[inline]
fn head(kind: u8, mut number: usize, place: &mut [u8; HEAD_BYTES_MAX]) -> &[u8] {
    let mut start = HEAD_BYTES_MAX;
    let mut put = |byte: u8| {
        start -= 1;
        if let Some(place) = place.get_mut(start) {
            *place = byte;
        }
    };
    put(b'\n');
    put(b'\r');
    loop {
        let [digit, ..] = (number % 10).to_le_bytes();
        put(b'0' + digit);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    put(kind);
    place.get(start..).unwrap_or_default()
}

/// A score as Redis prints it: the shortest text that reads as the same number.
pub(crate) fn format_double(number: f64) -> String {
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
        String::from_utf8(reply.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_head_has_every_digit() {
        for number in [0, 9, 10, 99, 100, 536_870_912, usize::MAX] {
            assert_eq!(head(b'$', number, &mut [0; HEAD_BYTES_MAX]), format!("${number}\r\n").as_bytes());
        }
    }

    #[test]
    fn no_more_waits_than_may() {
        let mut reply = Reply::default();
        reply.output.set_most(100);
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
