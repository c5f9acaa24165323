//! Messages as bytes: `OP_MSG`, and `OP_QUERY` for the handshake of old clients.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 4 | length | of the whole message |
//! | 4 | request id | chosen by the sender; a reply names it in the next field |
//! | 4 | response to | |
//! | 4 | operation | 2013 `OP_MSG`, 2004 `OP_QUERY`, 1 `OP_REPLY` |
//!
//! All integers are little-endian. `OP_MSG` goes on with four bytes of flags, sections, and a CRC-32C of all bytes before it where
//! the first flag says so. A section is a byte of its kind and a document (0), or a length, a name and documents (1): the arguments of
//! a command that are lists of documents.
//!
//! # Invariants
//! 1. Nothing is set aside for a length before it has been checked, and every document that leaves this module decodes to its end
//!    and is at most [`MONGO_COMMAND_DEPTH_MAX`](limits::MONGO_COMMAND_DEPTH_MAX) levels deep, unless the request says that one is not:
//!    then nothing is done with them.
//! 2. What is no message ends the connection: there is no way to find the beginning of the next.
//!
//! # Source
//! MongoDB manual, wire protocol.

use bson::raw::RawIter;
use bson::{RawBsonRef, RawDocument};

use crate::document::is_well_formed;
use crate::limits;

/// Bytes before the operation's own.
const HEADER_BYTES: usize = 16;

const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_COMPRESSED: i32 = 2012;
const OP_MSG: i32 = 2013;

const CHECKSUM_PRESENT: u32 = 1;
const MORE_TO_COME: u32 = 1 << 1;
const EXHAUST_ALLOWED: u32 = 1 << 16;

/// Flags below this one have to be known.
const OPTIONAL_FLAGS: u32 = 1 << 16;

const CHECKSUM_BYTES: usize = 4;

/// Bytes that are not a message. The connection ends, since the next message cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(&'static str);

type Result<T, E = Malformed> = std::result::Result<T, E>;

/// What a client sent.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// Its number, which the reply names.
    pub(super) id: i32,
    pub(super) form: Form<'a>,
    /// The command: its first field is the name.
    pub(super) body: &'a RawDocument,
    /// Arguments that are lists of documents.
    pub(super) sequences: Vec<Sequence<'a>>,
    /// Whether a document is deeper than any command takes. What is below was not looked at.
    pub(super) is_too_deep: bool,
}

/// How a request was written, and so how it is replied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form<'a> {
    Message {
        /// The client wants no reply.
        more_to_come: bool,
        /// The client takes several replies to one request.
        exhaust_allowed: bool,
    },
    /// `OP_QUERY`, to this collection.
    Query { namespace: &'a str },
}

/// Documents that belong into a command, under this name.
#[derive(Debug)]
pub(super) struct Sequence<'a> {
    pub(super) name: &'a str,
    pub(super) documents: Vec<&'a RawDocument>,
}

/// The bytes of the message that `input` begins with, or `None` while there are not enough to tell.
///
/// # Errors
/// [`Malformed`] for a length that no message has.
pub(super) fn length(input: &[u8]) -> Result<Option<usize>> {
    let Some(length) = input.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(i32::from_le_bytes(*length)).unwrap_or(0);
    if !(HEADER_BYTES..=limits::MONGO_MESSAGE_BYTES_MAX).contains(&length) {
        return Err(Malformed("the length of a message is out of bounds"));
    }
    Ok(Some(length))
}

impl<'a> Request<'a> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// [`Malformed`] for everything that is not an `OP_MSG` or `OP_QUERY` whose documents decode.
    ///
    /// # Cost
    /// O(bytes). Documents are lent from `message`.
    pub(super) fn parse(message: &'a [u8]) -> Result<Self> {
        let mut rest = Bytes(message);
        rest.take(4)?;
        let id = rest.integer()?;
        rest.integer()?;
        match rest.integer()? {
            OP_MSG => Self::parse_message(id, message, rest),
            OP_QUERY => Self::parse_query(id, rest),
            OP_COMPRESSED => Err(Malformed("compressed messages were not agreed on")),
            _ => Err(Malformed("an operation that is not OP_MSG or OP_QUERY")),
        }
    }

    fn parse_message(id: i32, message: &'a [u8], mut rest: Bytes<'a>) -> Result<Self> {
        let flags = rest.integer()?.cast_unsigned();
        if flags & (OPTIONAL_FLAGS - 1) & !(CHECKSUM_PRESENT | MORE_TO_COME) != 0 {
            return Err(Malformed("a required flag is not known"));
        }
        if flags & CHECKSUM_PRESENT != 0 {
            let (sections, checksum) = rest.split_from_end(CHECKSUM_BYTES)?;
            let (covered, _) = Bytes(message).split_from_end(CHECKSUM_BYTES)?;
            if checksum != crc32c::crc32c(covered.0).to_le_bytes() {
                return Err(Malformed("the checksum does not match"));
            }
            rest = sections;
        }
        let (mut body, mut sequences) = (None, Vec::new());
        while let Some(kind) = rest.byte() {
            match kind {
                0 if body.is_none() => body = Some(rest.document()?),
                0 => return Err(Malformed("two bodies")),
                1 => sequences.push(Sequence::parse(&mut rest)?),
                _ => return Err(Malformed("a section of an unknown kind")),
            }
        }
        let body = body.ok_or(Malformed("no body"))?;
        let form =
            Form::Message { more_to_come: flags & MORE_TO_COME != 0, exhaust_allowed: flags & EXHAUST_ALLOWED != 0 };
        Self { id, form, body, sequences, is_too_deep: false }.checked()
    }

    fn parse_query(id: i32, mut rest: Bytes<'a>) -> Result<Self> {
        let _flags = rest.integer()?;
        let namespace = rest.text()?;
        // How many to skip and to return mean nothing for a command.
        rest.take(8)?;
        let mut body = rest.document()?;
        if !rest.0.is_empty() {
            // Which fields to return.
            rest.document()?;
        }
        for wrapper in ["$query", "query"] {
            if let Ok(Some(RawBsonRef::Document(query))) = body.get(wrapper) {
                body = query;
                break;
            }
        }
        Self { id, form: Form::Query { namespace }, body, sequences: Vec::new(), is_too_deep: false }.checked()
    }

    /// Looks at all that the documents hold.
    fn checked(mut self) -> Result<Self> {
        self.is_too_deep = !check_whole(self.body)?;
        for document in self.sequences.iter().flat_map(|sequence| &sequence.documents) {
            self.is_too_deep |= !check_whole(document)?;
        }
        Ok(self)
    }
}

impl<'a> Sequence<'a> {
    fn parse(rest: &mut Bytes<'a>) -> Result<Self> {
        let length = usize::try_from(rest.integer()?).map_err(|_| Malformed("a section of a negative length"))?;
        // The length counts itself.
        let mut section = Bytes(rest.take(length.checked_sub(4).ok_or(SHORT)?)?);
        let name = section.text()?;
        let mut documents = Vec::new();
        while !section.0.is_empty() {
            documents.push(section.document()?);
        }
        Ok(Self { name, documents })
    }
}

/// Writes the reply `body` behind what `output` holds, in the form that the request had.
///
/// `more_to_come` says that another reply to the same request follows.
pub(super) fn write_reply(output: &mut Vec<u8>, id: i32, to: &Request<'_>, body: &RawDocument, more_to_come: bool) {
    let start = output.len();
    output.extend_from_slice(&[0; 4]);
    output.extend_from_slice(&id.to_le_bytes());
    output.extend_from_slice(&to.id.to_le_bytes());
    match to.form {
        Form::Message { .. } => {
            output.extend_from_slice(&OP_MSG.to_le_bytes());
            output.extend_from_slice(&(if more_to_come { MORE_TO_COME } else { 0 }).to_le_bytes());
            output.push(0);
        }
        Form::Query { .. } => {
            output.extend_from_slice(&OP_REPLY.to_le_bytes());
            // Flags (the server can wait for data), no cursor, from the first document, one of them.
            output.extend_from_slice(&8_i32.to_le_bytes());
            output.extend_from_slice(&0_i64.to_le_bytes());
            output.extend_from_slice(&0_i32.to_le_bytes());
            output.extend_from_slice(&1_i32.to_le_bytes());
        }
    }
    output.extend_from_slice(body.as_bytes());
    // A reply holds one document and a bounded envelope.
    let length = i32::try_from(output.len() - start).unwrap_or(i32::MAX);
    if let Some(place) = output.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

const SHORT: Malformed = Malformed("a message ends inside of a field");

/// What is left of a message.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn split_from_end(self, bytes: usize) -> Result<(Self, &'a [u8])> {
        let at = self.0.len().checked_sub(bytes).ok_or(SHORT)?;
        let (before, end) = self.0.split_at_checked(at).ok_or(SHORT)?;
        Ok((Self(before), end))
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn integer(&mut self) -> Result<i32> {
        let (bytes, rest) = self.0.split_first_chunk::<4>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(i32::from_le_bytes(*bytes))
    }

    /// Text that ends with a zero.
    fn text(&mut self) -> Result<&'a str> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(SHORT)?;
        let text = self.take(end)?;
        self.take(1)?;
        std::str::from_utf8(text).map_err(|_| Malformed("a name is not UTF-8"))
    }

    fn document(&mut self) -> Result<&'a RawDocument> {
        let length = self.0.first_chunk::<4>().ok_or(SHORT)?;
        let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| Malformed("a negative length"))?;
        RawDocument::from_bytes(self.take(length)?).map_err(|_| NOT_BSON)
    }
}

const NOT_BSON: Malformed = Malformed("a document that does not decode");

/// Checks that all of a document decodes. Returns whether it is no deeper than a command may be; what is deeper is not looked at.
fn check_whole(document: &RawDocument) -> Result<bool> {
    if is_well_formed(document, limits::MONGO_COMMAND_DEPTH_MAX) { Ok(true) } else { check_document(document, 1) }
}

fn check_document(document: &RawDocument, depth: usize) -> Result<bool> {
    check_elements(document.iter_elements(), depth)
}

fn check_elements(elements: RawIter<'_>, depth: usize) -> Result<bool> {
    if depth > limits::MONGO_COMMAND_DEPTH_MAX {
        return Ok(false);
    }
    for element in elements {
        let is_within = match element.and_then(|element| element.value()).map_err(|_| NOT_BSON)? {
            RawBsonRef::Document(document) => check_document(document, depth + 1)?,
            RawBsonRef::Array(array) => check_elements(array.iter_elements(), depth + 1)?,
            RawBsonRef::JavaScriptCodeWithScope(code) => check_document(code.scope, depth + 1)?,
            _ => true,
        };
        if !is_within {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc, rawdoc};
    use proptest::prelude::*;

    use super::*;

    fn message(flags: u32, sections: &[u8]) -> Vec<u8> {
        let mut message = vec![0; 4];
        for word in [7, 0, OP_MSG] {
            message.extend_from_slice(&word.to_le_bytes());
        }
        message.extend_from_slice(&flags.to_le_bytes());
        message.extend_from_slice(sections);
        if flags & CHECKSUM_PRESENT != 0 {
            message.extend_from_slice(&[0; CHECKSUM_BYTES]);
        }
        seal(&mut message);
        message
    }

    /// Sets the length, and the checksum where there is one.
    fn seal(message: &mut [u8]) {
        let length = i32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&length.to_le_bytes());
        if message[16] & 1 != 0 {
            let at = message.len() - CHECKSUM_BYTES;
            let checksum = crc32c::crc32c(&message[..at]);
            message[at..].copy_from_slice(&checksum.to_le_bytes());
        }
    }

    fn section(document: &RawDocumentBuf) -> Vec<u8> {
        [&[0], document.as_bytes()].concat()
    }

    fn sequence(name: &str, documents: &[RawDocumentBuf]) -> Vec<u8> {
        let mut bytes = [name.as_bytes(), &[0]].concat();
        for document in documents {
            bytes.extend_from_slice(document.as_bytes());
        }
        let length = i32::try_from(bytes.len() + 4).unwrap();
        [&[1][..], &length.to_le_bytes(), &bytes].concat()
    }

    fn nested(levels: usize) -> RawDocumentBuf {
        let document = (1..levels).fold(doc! {}, |inner, _| doc! { "a": inner });
        RawDocumentBuf::try_from(document).unwrap()
    }

    #[test]
    fn a_message_has_a_body_and_sequences_in_any_order() {
        let body = rawdoc! { "insert": "c" };
        let documents = [rawdoc! { "a": 1 }, rawdoc! { "a": 2 }];
        let sections = [sequence("documents", &documents), section(&body)].concat();
        for flags in [0, CHECKSUM_PRESENT, MORE_TO_COME | EXHAUST_ALLOWED, 1 << 20] {
            let bytes = message(flags, &sections);
            assert_eq!(length(&bytes), Ok(Some(bytes.len())));
            let request = Request::parse(&bytes).unwrap();
            assert_eq!((request.id, request.body), (7, &*body));
            assert_eq!(request.sequences[0].name, "documents");
            assert_eq!(request.sequences[0].documents, [&*documents[0], &*documents[1]]);
            let (more_to_come, exhaust_allowed) = (flags & MORE_TO_COME != 0, flags & EXHAUST_ALLOWED != 0);
            assert_eq!(request.form, Form::Message { more_to_come, exhaust_allowed });
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let body = section(&rawdoc! { "ping": 1 });
        assert!(Request::parse(&message(0, &body)).is_ok());
        let mut wrong_sum = message(CHECKSUM_PRESENT, &body);
        *wrong_sum.last_mut().unwrap() ^= 1;
        let two_bodies = message(0, &[&body[..], &body].concat());
        for bytes in [wrong_sum, two_bodies, message(0, &[]), message(1 << 2, &body), message(0, &[2, 0])] {
            assert!(Request::parse(&bytes).is_err(), "{bytes:?}");
        }
        assert!(length(&15_i32.to_le_bytes()).is_err() && length(&(-1_i32).to_le_bytes()).is_err());
        assert!(length(&i32::MAX.to_le_bytes()).is_err());
        assert_eq!(length(&[16, 0, 0]), Ok(None));
    }

    #[test]
    fn a_command_that_is_too_deep_is_known_for_it() {
        let is_too_deep =
            |levels| Request::parse(&message(0, &section(&nested(levels)))).map(|request| request.is_too_deep);
        assert_eq!([204, 205, 400].map(is_too_deep), [Ok(false), Ok(true), Ok(true)]);
    }

    #[test]
    fn a_query_is_a_command_whose_namespace_names_the_database() {
        let mut bytes = vec![0; 4];
        for word in [9, 0, OP_QUERY, 0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(b"admin.$cmd\0");
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(rawdoc! { "$query": { "isMaster": 1 } }.as_bytes());
        let length = i32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        let request = Request::parse(&bytes).unwrap();
        assert_eq!(request.form, Form::Query { namespace: "admin.$cmd" });
        assert_eq!(request.body, &*rawdoc! { "isMaster": 1 });
        let mut reply = Vec::new();
        write_reply(&mut reply, 3, &request, &rawdoc! { "ok": 1.0 }, false);
        let words: Vec<_> = reply[..16].chunks(4).map(|word| i32::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words, [i32::try_from(reply.len()).unwrap(), 3, 9, OP_REPLY]);
        assert_eq!(reply[36..], *rawdoc! { "ok": 1.0 }.as_bytes(), "behind flags, cursor and counts");
    }

    #[test]
    fn a_reply_is_a_message_that_parses() {
        let bytes = message(0, &section(&rawdoc! { "ping": 1 }));
        let request = Request::parse(&bytes).unwrap();
        let mut reply = b"before".to_vec();
        write_reply(&mut reply, 8, &request, &rawdoc! { "ok": 1.0 }, true);
        let reply = Request::parse(&reply[6..]).unwrap();
        assert_eq!((reply.id, reply.body), (8, &*rawdoc! { "ok": 1.0 }));
        assert_eq!(reply.form, Form::Message { more_to_come: true, exhaust_allowed: false });
    }

    proptest! {
        #[test]
        fn damage_is_refused_or_read_as_something_else_and_never_a_panic(
            flags in prop_oneof![Just(0), Just(1)], at in 16usize..100, byte: u8, cut in 0usize..100,
        ) {
            let documents = [rawdoc! { "a": [1, { "b": "text" }] }, rawdoc! { "a": 2 }];
            let sections = [section(&rawdoc! { "insert": "c" }), sequence("documents", &documents)].concat();
            let mut bytes = message(flags, &sections);
            let at = at.min(bytes.len() - 1);
            bytes[at] = byte;
            bytes.truncate(cut.max(20).min(bytes.len()));
            seal(&mut bytes);
            let _ = Request::parse(&bytes);
        }
    }
}
