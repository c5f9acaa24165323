//! What clients ask: bodies of requests, read.

use bitflags::bitflags;

use crate::server::cql::frame::consistency::Consistency;
use crate::server::cql::frame::header::{Flags, Operation, Version};
use crate::server::cql::frame::malformed::{Malformed, Result};
use crate::server::cql::frame::reader::{Reader, Value};

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request<'a> {
    /// Begins a connection, with options by name.
    Startup(Vec<(&'a str, &'a str)>),
    /// Asks for what the server supports.
    Options,
    /// Goes on with a login.
    AuthResponse(Option<&'a [u8]>),
    /// Asks for events.
    Register(Vec<EventKind>),
    Query {
        text: &'a str,
        parameters: Parameters<'a>,
    },
    Prepare {
        text: &'a str,
        keyspace: Option<&'a str>,
    },
    Execute {
        id: &'a [u8],
        /// Of the columns that the client knows; version 5 only.
        metadata_id: Option<&'a [u8]>,
        parameters: Parameters<'a>,
    },
    Batch(Batch<'a>),
}

/// A kind of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Topology,
    Status,
    Schema,
}

impl EventKind {
    pub(crate) const ALL: [Self; 3] = [Self::Topology, Self::Status, Self::Schema];

    /// As the protocol calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Topology => "TOPOLOGY_CHANGE",
            Self::Status => "STATUS_CHANGE",
            Self::Schema => "SCHEMA_CHANGE",
        }
    }
}

/// What goes with a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameters<'a> {
    pub(crate) consistency: Consistency,
    pub(crate) values: Vec<Value<'a>>,
    /// Of the values, as many as there are; none when they come in the order of the markers.
    pub(crate) names: Option<Vec<&'a str>>,
    /// The client knows the columns of the result.
    pub(crate) skips_metadata: bool,
    /// Rows at once at most.
    pub(crate) page_size: Option<i32>,
    /// Where the last page has ended.
    pub(crate) paging_state: Option<&'a [u8]>,
    pub(crate) serial_consistency: Option<Consistency>,
    /// Of what is written, in microseconds, unless the statement has its own.
    pub(crate) timestamp: Option<i64>,
    /// Of names that say none; version 5 only.
    pub(crate) keyspace: Option<&'a str>,
    /// The time to expire and to delete by; version 5 only.
    pub(crate) now_in_seconds: Option<i32>,
}

/// Statements that are run together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch<'a> {
    pub(crate) kind: BatchKind,
    pub(crate) statements: Vec<(BatchStatement<'a>, Vec<Value<'a>>)>,
    pub(crate) consistency: Consistency,
    pub(crate) serial_consistency: Option<Consistency>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) keyspace: Option<&'a str>,
    pub(crate) now_in_seconds: Option<i32>,
}

/// What kind of batch it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchKind {
    Logged,
    Unlogged,
    Counter,
}

impl BatchKind {
    pub(crate) const ALL: [Self; 3] = [Self::Logged, Self::Unlogged, Self::Counter];

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Logged => 0,
            Self::Unlogged => 1,
            Self::Counter => 2,
        }
    }
}

/// A statement of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchStatement<'a> {
    Text(&'a str),
    Prepared(&'a [u8]),
}

bitflags! {
    /// Which of its parts a statement comes with.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Parts: u32 {
        const VALUES = 0x001;
        const SKIP_METADATA = 0x002;
        const PAGE_SIZE = 0x004;
        const PAGING_STATE = 0x008;
        const SERIAL_CONSISTENCY = 0x010;
        const TIMESTAMP = 0x020;
        const NAMES = 0x040;
        /// From version 5 on, as the next one.
        const KEYSPACE = 0x080;
        const NOW_IN_SECONDS = 0x100;
    }
}

impl Parts {
    const SINCE_V5: Self = Self::KEYSPACE.union(Self::NOW_IN_SECONDS);
    const OF_BATCHES: Self = Self::SERIAL_CONSISTENCY.union(Self::TIMESTAMP).union(Self::SINCE_V5);

    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self> {
        let bits = match version {
            Version::V4 => u32::from(reader.byte()?),
            Version::V5 => reader.int()?.cast_unsigned(),
        };
        let known = Self::from_bits(bits).filter(|parts| version >= Version::V5 || !parts.intersects(Self::SINCE_V5));
        known.ok_or_else(|| Malformed::new(format!("Unknown flags {bits:#x} of a statement")))
    }
}

impl<'a> Request<'a> {
    /// Reads a body that is not compressed any more.
    ///
    /// # Errors
    /// [`Malformed`] for a body that ends too early or goes on behind its end, and for what the protocol has no meaning for.
    pub(crate) fn read(body: &'a [u8], version: Version, flags: Flags, operation: Operation) -> Result<Self> {
        let mut reader = Reader::new(body);
        if flags.contains(Flags::CUSTOM_PAYLOAD) {
            // For whoever extends a server; as without an extension, nobody looks at it.
            reader.bytes_map()?;
        }
        let request = match operation {
            Operation::Startup => Self::Startup(reader.string_map()?),
            Operation::Options => Self::Options,
            Operation::AuthResponse => Self::AuthResponse(reader.bytes()?),
            Operation::Register => Self::Register(event_kinds(&mut reader)?),
            Operation::Query => {
                Self::Query { text: reader.long_string()?, parameters: Parameters::read(&mut reader, version)? }
            }
            Operation::Prepare => {
                Self::Prepare { text: reader.long_string()?, keyspace: prepared_keyspace(&mut reader, version)? }
            }
            Operation::Execute => Self::Execute {
                id: reader.short_bytes()?,
                metadata_id: (version >= Version::V5).then(|| reader.short_bytes()).transpose()?,
                parameters: Parameters::read(&mut reader, version)?,
            },
            Operation::Batch => Self::Batch(Batch::read(&mut reader, version)?),
        };
        reader.end()?;
        Ok(request)
    }
}

fn event_kinds(reader: &mut Reader<'_>) -> Result<Vec<EventKind>> {
    let kind = |name: &str| {
        let found = EventKind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Malformed::new(format!("Invalid value '{name}' for Type")))
    };
    reader.string_list()?.into_iter().map(kind).collect()
}

fn prepared_keyspace<'a>(reader: &mut Reader<'a>, version: Version) -> Result<Option<&'a str>> {
    if version < Version::V5 {
        return Ok(None);
    }
    match reader.int()? {
        0 => Ok(None),
        1 => reader.string().map(Some),
        flags => Err(Malformed::new(format!("Unknown flags {flags:#x} of a statement"))),
    }
}

/// Reads a time to write with. The smallest of all stands for none.
fn timestamp(reader: &mut Reader<'_>) -> Result<i64> {
    match reader.long()? {
        i64::MIN => Err(Malformed::new(format!(
            "Out of bound timestamp, must be in [{}, {}] (got {})",
            i64::MIN + 1,
            i64::MAX,
            i64::MIN
        ))),
        timestamp => Ok(timestamp),
    }
}

impl<'a> Parameters<'a> {
    fn read(reader: &mut Reader<'a>, version: Version) -> Result<Self> {
        let consistency = reader.consistency()?;
        let parts = Parts::read(reader, version)?;
        let (mut values, mut names) = (Vec::new(), None);
        if parts.contains(Parts::VALUES) {
            let has_names = parts.contains(Parts::NAMES);
            let count = reader.count(if has_names { 6 } else { 4 })?;
            values.reserve_exact(count);
            let mut found = Vec::with_capacity(if has_names { count } else { 0 });
            for _ in 0..count {
                if has_names {
                    found.push(reader.string()?);
                }
                values.push(reader.value()?);
            }
            names = has_names.then_some(found);
        } else if parts.contains(Parts::NAMES) {
            return Err(Malformed::new("names of values are announced, and no values"));
        }
        let has = |part: Parts| parts.contains(part).then_some(());
        Ok(Self {
            consistency,
            values,
            names,
            skips_metadata: parts.contains(Parts::SKIP_METADATA),
            page_size: has(Parts::PAGE_SIZE).map(|()| reader.int()).transpose()?,
            paging_state: has(Parts::PAGING_STATE).map(|()| reader.bytes()).transpose()?.flatten(),
            serial_consistency: has(Parts::SERIAL_CONSISTENCY).map(|()| reader.consistency()).transpose()?,
            timestamp: has(Parts::TIMESTAMP).map(|()| timestamp(reader)).transpose()?,
            keyspace: has(Parts::KEYSPACE).map(|()| reader.string()).transpose()?,
            now_in_seconds: has(Parts::NOW_IN_SECONDS).map(|()| reader.int()).transpose()?,
        })
    }
}

impl<'a> Batch<'a> {
    fn read(reader: &mut Reader<'a>, version: Version) -> Result<Self> {
        let code = reader.byte()?;
        let Some(kind) = BatchKind::ALL.into_iter().find(|kind| kind.code() == code) else {
            return Err(Malformed::new(format!("Invalid batch type {code}")));
        };
        // A kind, a length of a text or an id, and a number of values.
        let count = reader.count(5)?;
        let mut statements = Vec::with_capacity(count);
        for _ in 0..count {
            let statement = match reader.byte()? {
                0 => BatchStatement::Text(reader.long_string()?),
                1 => BatchStatement::Prepared(reader.short_bytes()?),
                kind => {
                    let why = format!("Invalid query kind in BATCH messages. Must be 0 or 1 but got {kind}");
                    return Err(Malformed::new(why));
                }
            };
            let values = reader.count(4)?;
            statements.push((statement, (0..values).map(|_| reader.value()).collect::<Result<_>>()?));
        }
        let consistency = reader.consistency()?;
        let parts = Parts::read(reader, version)?;
        // Names would stand before the values, and are announced behind them: nobody can read them.
        if !Parts::OF_BATCHES.contains(parts) {
            return Err(Malformed::new(format!("Unknown flags {:#x} of a batch", parts.bits())));
        }
        let has = |part: Parts| parts.contains(part).then_some(());
        Ok(Self {
            kind,
            statements,
            consistency,
            serial_consistency: has(Parts::SERIAL_CONSISTENCY).map(|()| reader.consistency()).transpose()?,
            timestamp: has(Parts::TIMESTAMP).map(|()| timestamp(reader)).transpose()?,
            keyspace: has(Parts::KEYSPACE).map(|()| reader.string()).transpose()?,
            now_in_seconds: has(Parts::NOW_IN_SECONDS).map(|()| reader.int()).transpose()?,
        })
    }
}
