//! What clients get: frames of replies and events.

use std::sync::Arc;

use crate::server::cql::frame::column::{ColumnSpec, Metadata, Rows, write_markers};
use crate::server::cql::frame::compression::compress_body;
use crate::server::cql::frame::failure::Failure;
use crate::server::cql::frame::header::{self, Flags, HEADER_BYTES, Version};
use crate::server::cql::frame::request::EventKind;
use crate::server::cql::frame::writer::{TooLong, Writer};

/// The stream of what no client has asked for.
const EVENT_STREAM: i16 = -1;

/// A reply, with what is said beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) warnings: Vec<String>,
    /// Of the trace, when one was asked for.
    pub(crate) tracing_id: Option<[u8; 16]>,
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Response {
    Failure(Failure),
    Ready,
    /// Has the client log in, by the name of a class.
    Authenticate(&'static str),
    Authenticated,
    /// Options, each with what it may be.
    Supported(Vec<(&'static str, Vec<String>)>),
    Void,
    Rows(Metadata, Rows),
    SetKeyspace(String),
    Prepared {
        id: [u8; 16],
        /// Of the columns of the result; version 5 only.
        metadata_id: [u8; 16],
        markers: Arc<[ColumnSpec]>,
        /// Which markers the partition key is made of, in its order.
        key: Vec<u16>,
        result: Metadata,
    },
    Schema(Change),
    /// News for who has registered for it.
    Event(Change),
}

/// A change of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// `CREATED`, `UPDATED` or `DROPPED`.
    pub(crate) verb: &'static str,
    pub(crate) keyspace: String,
    pub(crate) target: Target,
}

/// What of a keyspace has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Keyspace,
    Table(String),
    Type(String),
    /// With the types of its arguments, as the next one.
    #[cfg_attr(not(test), expect(dead_code, reason = "the protocol has it, and nothing here makes it"))]
    Function(String, Vec<String>),
    #[cfg_attr(not(test), expect(dead_code, reason = "the protocol has it, and nothing here makes it"))]
    Aggregate(String, Vec<String>),
}

impl Change {
    fn write(&self, writer: &mut Writer) {
        writer.string(self.verb);
        let target = match &self.target {
            Target::Keyspace => "KEYSPACE",
            Target::Table(_) => "TABLE",
            Target::Type(_) => "TYPE",
            Target::Function(..) => "FUNCTION",
            Target::Aggregate(..) => "AGGREGATE",
        };
        writer.string(target);
        writer.string(&self.keyspace);
        match &self.target {
            Target::Keyspace => {}
            Target::Table(name) | Target::Type(name) => writer.string(name),
            Target::Function(name, arguments) | Target::Aggregate(name, arguments) => {
                writer.string(name);
                writer.string_list(arguments);
            }
        }
    }
}

impl Response {
    fn code(&self) -> u8 {
        match self {
            Self::Failure(_) => 0x00,
            Self::Ready => 0x02,
            Self::Authenticate(_) => 0x03,
            Self::Supported(_) => 0x06,
            Self::Void | Self::Rows(..) | Self::SetKeyspace(_) | Self::Prepared { .. } | Self::Schema(_) => 0x08,
            Self::Event(_) => 0x0c,
            Self::Authenticated => 0x10,
        }
    }

    fn write(&self, writer: &mut Writer, version: Version) {
        match self {
            Self::Failure(failure) => failure.write(writer, version),
            Self::Ready => {}
            Self::Authenticate(class) => writer.string(class),
            // The client gets nothing more to know.
            Self::Authenticated => writer.bytes(None),
            Self::Supported(options) => writer.string_multimap(options),
            Self::Void => writer.int(1),
            Self::Rows(metadata, rows) => {
                writer.int(2);
                metadata.write(writer, version);
                rows.write(writer);
            }
            Self::SetKeyspace(keyspace) => {
                writer.int(3);
                writer.string(keyspace);
            }
            Self::Prepared { id, metadata_id, markers, key, result } => {
                writer.int(4);
                writer.short_bytes(id);
                if version >= Version::V5 {
                    writer.short_bytes(metadata_id);
                }
                write_markers(markers, key, writer, version);
                result.write(writer, version);
            }
            Self::Schema(change) => {
                writer.int(5);
                change.write(writer);
            }
            Self::Event(change) => {
                writer.string(EventKind::Schema.name());
                change.write(writer);
            }
        }
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self { response, warnings: Vec::new(), tracing_id: None }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Response::Failure(failure).into()
    }
}

impl Reply {
    /// The frame of the reply to the request of `stream`; an event has a stream of its own.
    ///
    /// A body is compressed when `compresses`, before version 5.
    ///
    /// # Errors
    /// [`TooLong`] when the protocol has no room for a part of it.
    pub(crate) fn frame(&self, version: Version, stream: i16, compresses: bool) -> Result<Vec<u8>, TooLong> {
        let mut flags = Flags::empty();
        let mut writer = Writer::behind(vec![0; HEADER_BYTES]);
        if let Some(id) = &self.tracing_id {
            flags |= Flags::TRACING;
            writer.raw(id);
        }
        if !self.warnings.is_empty() {
            flags |= Flags::WARNING;
            writer.count(self.warnings.len());
            for warning in &self.warnings {
                writer.message(warning);
            }
        }
        self.response.write(&mut writer, version);
        let mut frame = writer.finish()?;
        if compresses && version < Version::V5 && frame.len() > HEADER_BYTES {
            flags |= Flags::COMPRESSED;
            let body = compress_body(frame.get(HEADER_BYTES..).unwrap_or_default()).ok_or(TooLong)?;
            frame.truncate(HEADER_BYTES);
            frame.extend_from_slice(&body);
        }
        let stream = if matches!(self.response, Response::Event(_)) { EVENT_STREAM } else { stream };
        let length = i32::try_from(frame.len() - HEADER_BYTES).map_err(|_| TooLong)?;
        let header = header::bytes((version, flags), stream, (self.response.code(), length));
        if let Some(place) = frame.first_chunk_mut() {
            *place = header;
        }
        Ok(frame)
    }
}
