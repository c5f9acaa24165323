//! The nine bytes that a frame begins with.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 1 | version | with the highest bit set in what the server sends |
//! | 1 | flags | [`Flags`] |
//! | 2 | stream | chosen by the client; the reply has the same, events have -1 |
//! | 1 | operation | [`Operation`] |
//! | 4 | length | of the body |
//!
//! All integers are big-endian.

use bitflags::bitflags;

use crate::limits;
use crate::server::cql::frame::malformed::Malformed;

/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 9;

/// What is set in the first byte of what a server sends.
const FROM_SERVER: u8 = 0x80;

/// A version of the protocol that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Version {
    V4,
    V5,
}

impl Version {
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V5];
    /// The newest.
    pub(crate) const NEWEST: Self = Self::V5;

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V5 => 5,
        }
    }
}

bitflags! {
    /// What is said of a frame in its header.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u8 {
        /// The body is compressed; in version 5, segments are instead.
        const COMPRESSED = 0x01;
        /// A trace is asked for, and its id sent.
        const TRACING = 0x02;
        /// The body begins with a payload for extensions of a server.
        const CUSTOM_PAYLOAD = 0x04;
        /// The body begins with warnings.
        const WARNING = 0x08;
        /// The client knows that the version is not finished.
        const BETA = 0x10;
    }
}

/// What a frame is, of those that clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Startup,
    Options,
    Query,
    Prepare,
    Execute,
    Register,
    Batch,
    AuthResponse,
}

impl Operation {
    pub(crate) const ALL: [Self; 8] = [
        Self::Startup,
        Self::Options,
        Self::Query,
        Self::Prepare,
        Self::Execute,
        Self::Register,
        Self::Batch,
        Self::AuthResponse,
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Startup => 0x01,
            Self::Options => 0x05,
            Self::Query => 0x07,
            Self::Prepare => 0x09,
            Self::Execute => 0x0a,
            Self::Register => 0x0b,
            Self::Batch => 0x0d,
            Self::AuthResponse => 0x0f,
        }
    }

    /// As the protocol calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Startup => "STARTUP",
            Self::Options => "OPTIONS",
            Self::Query => "QUERY",
            Self::Prepare => "PREPARE",
            Self::Execute => "EXECUTE",
            Self::Register => "REGISTER",
            Self::Batch => "BATCH",
            Self::AuthResponse => "AUTH_RESPONSE",
        }
    }
}

/// The header of a frame that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: Version,
    pub(crate) flags: Flags,
    pub(crate) stream: i16,
    pub(crate) operation: Operation,
    /// Bytes of the body.
    pub(crate) length: usize,
}

/// Why there is no header, and for which stream it is said, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) stream: i16,
    pub(crate) why: Malformed,
}

impl Header {
    /// Reads the header that `bytes` begin with; none before all of it is there. The version is looked at as soon as it is there along
    /// with the stream, for the reply to it.
    ///
    /// # Errors
    /// [`Refused`] for a version that is not spoken, an operation or flags that there are none of, and a length over
    /// [`limits::CQL_FRAME_BYTES_MAX`].
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, Refused> {
        let Some([version, flags, high, low, operation, length @ ..]) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let stream = i16::from_be_bytes([*high, *low]);
        let refused = |why: String| Refused { stream, why: Malformed::new(why) };
        if version & FROM_SERVER != 0 {
            return Err(refused("a response is sent to the server".to_owned()));
        }
        let Some(known) = Version::ALL.into_iter().find(|known| known.number() == *version) else {
            return Err(refused(format!(
                "Invalid or unsupported protocol version ({version}); supported versions are (4/v4, 5/v5)"
            )));
        };
        let Some(flags) = Flags::from_bits(*flags).filter(|flags| !flags.contains(Flags::WARNING)) else {
            return Err(refused(format!("Unknown flags {flags:#04x} in a header")));
        };
        let Some(operation) = Operation::ALL.into_iter().find(|known| known.code() == *operation) else {
            return Err(refused(format!("Unknown opcode {operation}")));
        };
        let announced = i32::from_be_bytes(*length);
        let most = limits::CQL_FRAME_BYTES_MAX;
        match usize::try_from(announced) {
            Ok(length) if length <= most => Ok(Some(Self { version: known, flags, stream, operation, length })),
            _ => Err(refused(format!("Request is too big: length {announced} exceeds maximum allowed length {most}"))),
        }
    }
}

/// The header of a reply.
pub(crate) fn bytes((version, flags): (Version, Flags), stream: i16, (code, length): (u8, i32)) -> [u8; HEADER_BYTES] {
    let ([high, low], [a, b, c, d]) = (stream.to_be_bytes(), length.to_be_bytes());
    [FROM_SERVER | version.number(), flags.bits(), high, low, code, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; HEADER_BYTES] = [4, 2, 0, 7, 5, 0, 0, 1, 0];

    // SEM: WID-WIRE-1
    #[test]
    fn a_header_is_read_when_it_is_whole() {
        for cut in 0..HEADER_BYTES {
            assert_eq!(Header::read(&HEADER[..cut]), Ok(None));
        }
        let header = Header::read(&HEADER).unwrap().unwrap();
        let (version, flags, operation) = (Version::V4, Flags::TRACING, Operation::Options);
        assert_eq!(header, Header { version, flags, stream: 7, operation, length: 256 });
    }

    #[test]
    fn what_is_not_spoken_is_refused_for_its_stream() {
        let changed = |at: usize, byte: u8| {
            let mut header = HEADER;
            header[at] = byte;
            Header::read(&header).unwrap_err()
        };
        for (at, byte, words) in [
            (0, 66, "unsupported protocol version (66)"),
            (0, 3, "unsupported protocol version (3)"),
            (0, 0x84, "a response"),
            (1, 0x20, "Unknown flags"),
            (1, 0x08, "Unknown flags"),
            (4, 2, "Unknown opcode 2"),
            (5, 1, "Request is too big: length 16777472 exceeds"),
            (5, 0x80, "Request is too big: length -"),
        ] {
            let refused = changed(at, byte);
            assert_eq!(refused.stream, 7);
            assert!(refused.why.to_string().contains(words), "{refused:?}");
        }
    }
}
