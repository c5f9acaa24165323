//! How replies become bytes, and how long what comes is.

use crate::server::cql::frame::{Failure, HEADER_BYTES, Header, Reply, TooLong, Version, What, write_segments};

/// How frames travel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) version: Version,
    pub(super) compresses: bool,
    /// In segments.
    pub(super) is_segmented: bool,
}

impl Wire {
    /// The bytes of a reply. One that has no room becomes an error that says so.
    pub(super) fn bytes(self, reply: &Reply, stream: i16) -> Vec<u8> {
        let too_long = |TooLong| {
            let failure = Failure::new(What::Server, "the reply is longer than the protocol has room for");
            // This one is short.
            Reply::from(failure).frame(self.version, stream, false).unwrap_or_default()
        };
        let frame = reply.frame(self.version, stream, self.compresses).unwrap_or_else(too_long);
        if !self.is_segmented {
            return frame;
        }
        let mut bytes = Vec::with_capacity(frame.len() + 16);
        write_segments(&frame, self.compresses, &mut bytes);
        bytes
    }
}

/// The bytes of the frame that `input` begins with, of one that cannot be read those that are needed to see that.
pub(super) fn frame_length(input: &[u8]) -> usize {
    match Header::read(input) {
        Ok(Some(header)) => HEADER_BYTES + header.length,
        Ok(None) | Err(_) => HEADER_BYTES,
    }
}
