//! The other side of the protocol, for tests: requests written, replies read.

use std::net::IpAddr;
use std::sync::Arc;

use crate::server::cql::frame::column::{ColumnSpec, DURATION_CLASS, DataType, Metadata, Rows, Simple};
use crate::server::cql::frame::compression::decompress_body;
use crate::server::cql::frame::consistency::Consistency;
use crate::server::cql::frame::failure::{Failure, Failures, What, WriteKind};
use crate::server::cql::frame::header::{Flags, HEADER_BYTES, Operation, Version};
use crate::server::cql::frame::malformed::{Malformed, Result};
use crate::server::cql::frame::reader::{Reader, Value};
use crate::server::cql::frame::request::{Batch, BatchStatement, Parameters, Request};
use crate::server::cql::frame::response::{Change, Reply, Response, Target};
use crate::server::cql::frame::writer::Writer;

impl<'a> Parameters<'a> {
    /// Nothing but values.
    pub(crate) fn with(values: Vec<Value<'a>>) -> Self {
        Self {
            consistency: Consistency::One,
            values,
            names: None,
            skips_metadata: false,
            page_size: None,
            paging_state: None,
            serial_consistency: None,
            timestamp: None,
            keyspace: None,
            now_in_seconds: None,
        }
    }
}

fn write_value(writer: &mut Writer, value: Value<'_>) {
    match value {
        Value::Null => writer.int(-1),
        Value::Unset => writer.int(-2),
        Value::Bytes(bytes) => writer.bytes(Some(bytes)),
    }
}

fn write_parts(writer: &mut Writer, version: Version, parts: i32) {
    match version {
        Version::V4 => writer.byte(u8::try_from(parts).expect("version 4 has no such part")),
        Version::V5 => writer.int(parts),
    }
}

fn write_parameters(writer: &mut Writer, version: Version, parameters: &Parameters<'_>) {
    let mut parts = 0;
    let mut has = |bit: i32, is: bool| parts |= if is { bit } else { 0 };
    has(0x01, !parameters.values.is_empty() || parameters.names.is_some());
    has(0x02, parameters.skips_metadata);
    has(0x04, parameters.page_size.is_some());
    has(0x08, parameters.paging_state.is_some());
    has(0x10, parameters.serial_consistency.is_some());
    has(0x20, parameters.timestamp.is_some());
    has(0x40, parameters.names.is_some());
    has(0x80, parameters.keyspace.is_some());
    has(0x100, parameters.now_in_seconds.is_some());
    writer.short(parameters.consistency.code());
    write_parts(writer, version, parts);
    if parts & 1 != 0 {
        writer.count(parameters.values.len());
        for (at, value) in parameters.values.iter().enumerate() {
            if let Some(names) = &parameters.names {
                writer.string(names[at]);
            }
            write_value(writer, *value);
        }
    }
    if let Some(size) = parameters.page_size {
        writer.int(size);
    }
    if let Some(state) = parameters.paging_state {
        writer.bytes(Some(state));
    }
    let tail = (parameters.serial_consistency, parameters.timestamp, parameters.keyspace, parameters.now_in_seconds);
    write_tail(writer, tail);
}

type Tail<'a> = (Option<Consistency>, Option<i64>, Option<&'a str>, Option<i32>);

fn write_tail(writer: &mut Writer, (serial_consistency, timestamp, keyspace, now_in_seconds): Tail<'_>) {
    if let Some(consistency) = serial_consistency {
        writer.short(consistency.code());
    }
    if let Some(timestamp) = timestamp {
        writer.long(timestamp);
    }
    if let Some(keyspace) = keyspace {
        writer.string(keyspace);
    }
    if let Some(now) = now_in_seconds {
        writer.int(now);
    }
}

fn write_batch(writer: &mut Writer, version: Version, batch: &Batch<'_>) {
    writer.byte(batch.kind.code());
    writer.count(batch.statements.len());
    for (statement, values) in &batch.statements {
        match statement {
            BatchStatement::Text(text) => {
                writer.byte(0);
                writer.long_string(text);
            }
            BatchStatement::Prepared(id) => {
                writer.byte(1);
                writer.short_bytes(id);
            }
        }
        writer.count(values.len());
        for value in values {
            write_value(writer, *value);
        }
    }
    writer.short(batch.consistency.code());
    let tail = (batch.serial_consistency, batch.timestamp, batch.keyspace, batch.now_in_seconds);
    let has = |bit: i32, is: bool| if is { bit } else { 0 };
    let parts = has(0x10, tail.0.is_some()) | has(0x20, tail.1.is_some()) | has(0x80, tail.2.is_some());
    write_parts(writer, version, parts | has(0x100, tail.3.is_some()));
    write_tail(writer, tail);
}

/// The body of a request.
pub(crate) fn body(request: &Request<'_>, version: Version) -> (Operation, Vec<u8>) {
    let mut writer = Writer::default();
    let operation = match request {
        Request::Startup(options) => {
            writer.count(options.len());
            for (name, value) in options {
                writer.string(name);
                writer.string(value);
            }
            Operation::Startup
        }
        Request::Options => Operation::Options,
        Request::AuthResponse(token) => {
            writer.bytes(*token);
            Operation::AuthResponse
        }
        Request::Register(kinds) => {
            writer.string_list(&kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>());
            Operation::Register
        }
        Request::Query { text, parameters } => {
            writer.long_string(text);
            write_parameters(&mut writer, version, parameters);
            Operation::Query
        }
        Request::Prepare { text, keyspace } => {
            writer.long_string(text);
            if version >= Version::V5 {
                writer.int(i32::from(keyspace.is_some()));
                if let Some(keyspace) = keyspace {
                    writer.string(keyspace);
                }
            }
            Operation::Prepare
        }
        Request::Execute { id, metadata_id, parameters } => {
            writer.short_bytes(id);
            if let Some(id) = metadata_id {
                writer.short_bytes(id);
            }
            write_parameters(&mut writer, version, parameters);
            Operation::Execute
        }
        Request::Batch(batch) => {
            write_batch(&mut writer, version, batch);
            Operation::Batch
        }
    };
    (operation, writer.finish().expect("it has room"))
}

/// A frame with this body.
pub(crate) fn frame_of(version: u8, flags: Flags, stream: i16, operation: Operation, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![version, flags.bits()];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.push(operation.code());
    frame.extend_from_slice(&i32::try_from(body.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

/// The frame of a request.
pub(crate) fn frame(request: &Request<'_>, version: Version, stream: i16) -> Vec<u8> {
    let (operation, body) = body(request, version);
    frame_of(version.number(), Flags::empty(), stream, operation, &body)
}

/// A reply that `bytes` begin with: its stream, what it says, and how long it is; none before all of it is there.
pub(crate) fn reply(bytes: &[u8]) -> Option<Result<(Version, i16, Reply, usize)>> {
    let [version, flags, high, low, code, length @ ..] = bytes.first_chunk::<HEADER_BYTES>()?;
    let length = HEADER_BYTES + usize::try_from(i32::from_be_bytes(*length)).expect("lengths are not negative");
    let body = bytes.get(HEADER_BYTES..length)?;
    let version = Version::ALL.into_iter().find(|known| known.number() == version & 0x7f).expect("it is spoken");
    let flags = Flags::from_bits(*flags).expect("they are known");
    let read = || {
        let body = if flags.contains(Flags::COMPRESSED) { decompress_body(body)? } else { body.to_vec() };
        let mut reader = Reader::new(&body);
        let tracing_id = flags.contains(Flags::TRACING).then(|| reader.uuid()).transpose()?;
        let warnings = if flags.contains(Flags::WARNING) { texts(&mut reader)? } else { Vec::new() };
        let response = response(&mut reader, *code, version)?;
        reader.end()?;
        Ok((version, i16::from_be_bytes([*high, *low]), Reply { response, warnings, tracing_id }, length))
    };
    Some(read())
}

fn text(reader: &mut Reader<'_>) -> Result<String> {
    reader.string().map(str::to_owned)
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>> {
    Ok(reader.string_list()?.into_iter().map(str::to_owned).collect())
}

fn unknown<T>(what: &'static str) -> Result<T> {
    Err(Malformed::new(what))
}

fn response(reader: &mut Reader<'_>, code: u8, version: Version) -> Result<Response> {
    Ok(match code {
        0x00 => Response::Failure(failure(reader, version)?),
        0x02 => Response::Ready,
        0x03 => match reader.string()? {
            "org.apache.cassandra.auth.PasswordAuthenticator" => {
                Response::Authenticate("org.apache.cassandra.auth.PasswordAuthenticator")
            }
            _ => return unknown("class"),
        },
        0x06 => {
            let known = ["PROTOCOL_VERSIONS", "COMPRESSION", "CQL_VERSION"];
            let option = |reader: &mut Reader<'_>| {
                let name = reader.string()?;
                let name = known.into_iter().find(|known| *known == name).ok_or(Malformed::new("option"))?;
                Ok((name, texts(reader)?))
            };
            let count = reader.count(4)?;
            Response::Supported((0..count).map(|_| option(reader)).collect::<Result<_>>()?)
        }
        0x08 => result(reader, version)?,
        0x0c => match reader.string()? {
            "SCHEMA_CHANGE" => Response::Event(change(reader)?),
            _ => return unknown("event"),
        },
        0x10 => match reader.bytes()? {
            None => Response::Authenticated,
            Some(_) => return unknown("token"),
        },
        _ => return unknown("operation"),
    })
}

fn result(reader: &mut Reader<'_>, version: Version) -> Result<Response> {
    Ok(match reader.int()? {
        1 => Response::Void,
        2 => {
            let (metadata, columns) = metadata(reader, version)?;
            let count = reader.int()?;
            let before = reader.clone();
            for _ in 0..i64::from(count) * i64::from(columns) {
                reader.bytes()?;
            }
            let mut rows = before.clone();
            let rows = Rows::from_bytes(count, rows.take(before.len() - reader.len())?);
            Response::Rows(metadata, rows)
        }
        3 => Response::SetKeyspace(text(reader)?),
        4 => {
            let id = reader.short_bytes()?.try_into().map_err(|_| Malformed::new("id"))?;
            let metadata_id = match version {
                Version::V4 => [0; 16],
                Version::V5 => reader.short_bytes()?.try_into().map_err(|_| Malformed::new("id"))?,
            };
            let (flags, count, keys) = (reader.int()?, reader.int()?, reader.int()?);
            let key = (0..keys).map(|_| reader.short()).collect::<Result<_>>()?;
            let markers = columns(reader, flags, count)?;
            Response::Prepared { id, metadata_id, markers, key, result: metadata(reader, version)?.0 }
        }
        5 => Response::Schema(change(reader)?),
        _ => return unknown("kind of result"),
    })
}

fn change(reader: &mut Reader<'_>) -> Result<Change> {
    let verb = reader.string()?;
    let verbs = ["CREATED", "UPDATED", "DROPPED"];
    let verb = verbs.into_iter().find(|known| *known == verb).ok_or(Malformed::new("verb"))?;
    let target = reader.string()?;
    let keyspace = text(reader)?;
    let target = match target {
        "KEYSPACE" => Target::Keyspace,
        "TABLE" => Target::Table(text(reader)?),
        "TYPE" => Target::Type(text(reader)?),
        "FUNCTION" => Target::Function(text(reader)?, texts(reader)?),
        "AGGREGATE" => Target::Aggregate(text(reader)?, texts(reader)?),
        _ => return unknown("target"),
    };
    Ok(Change { verb, keyspace, target })
}

/// What is said of columns, and how many there are.
fn metadata(reader: &mut Reader<'_>, _: Version) -> Result<(Metadata, i32)> {
    let (flags, count) = (reader.int()?, reader.int()?);
    let paging_state = if flags & 2 == 0 { None } else { reader.bytes()?.map(<[u8]>::to_vec) };
    let new_id = if flags & 8 == 0 { None } else { Some(reader.short_bytes()?) };
    let new_id = new_id.map(TryInto::try_into).transpose().map_err(|_| Malformed::new("id"))?;
    let is_skipped = flags & 4 != 0;
    let columns = if is_skipped { Arc::default() } else { columns(reader, flags, count)? };
    Ok((Metadata { columns, is_skipped, paging_state, new_id }, count))
}

fn columns(reader: &mut Reader<'_>, flags: i32, count: i32) -> Result<Arc<[ColumnSpec]>> {
    let global = if flags & 1 == 0 { None } else { Some((text(reader)?, text(reader)?)) };
    let column = |_| {
        let (keyspace, table) = match &global {
            Some(global) => global.clone(),
            None => (text(reader)?, text(reader)?),
        };
        Ok(ColumnSpec { keyspace, table, name: text(reader)?, data_type: data_type(reader)? })
    };
    (0..count).map(column).collect()
}

fn data_type(reader: &mut Reader<'_>) -> Result<DataType> {
    let code = reader.short()?;
    if let Some(simple) = Simple::ALL.into_iter().find(|simple| *simple as u16 == code) {
        return Ok(DataType::Simple(simple));
    }
    Ok(match code {
        0 => match reader.string()? {
            DURATION_CLASS => DataType::Simple(Simple::Duration),
            class => DataType::Custom(class.to_owned()),
        },
        0x20 => DataType::List(Box::new(data_type(reader)?)),
        0x21 => DataType::Map(Box::new((data_type(reader)?, data_type(reader)?))),
        0x22 => DataType::Set(Box::new(data_type(reader)?)),
        0x30 => {
            let (keyspace, name) = (text(reader)?, text(reader)?);
            let fields = (0..reader.short()?).map(|_| Ok((text(reader)?, data_type(reader)?)));
            DataType::Udt(keyspace, name, fields.collect::<Result<_>>()?)
        }
        0x31 => DataType::Tuple((0..reader.short()?).map(|_| data_type(reader)).collect::<Result<_>>()?),
        _ => return unknown("type"),
    })
}

fn failures(reader: &mut Reader<'_>, version: Version) -> Result<Failures> {
    let count = reader.int()?;
    let unnamed = (IpAddr::from([0, 0, 0, 0]), 0);
    let one = |_| match version {
        Version::V4 => Ok(unnamed),
        Version::V5 => Ok((reader.address()?, reader.short()?)),
    };
    (0..count).map(one).collect()
}

fn write_kind(reader: &mut Reader<'_>, version: Version, is_timeout: bool) -> Result<WriteKind> {
    Ok(match reader.string()? {
        "SIMPLE" => WriteKind::Simple,
        "BATCH" => WriteKind::Batch,
        "UNLOGGED_BATCH" => WriteKind::UnloggedBatch,
        "COUNTER" => WriteKind::Counter,
        "CAS" if is_timeout && version >= Version::V5 => WriteKind::Conditional { contentions: reader.short()? },
        "CAS" => WriteKind::Conditional { contentions: 0 },
        _ => return unknown("kind of write"),
    })
}

fn failure(reader: &mut Reader<'_>, version: Version) -> Result<Failure> {
    let code = reader.int()?;
    let message = text(reader)?;
    let what = match code {
        0x0000 => What::Server,
        0x000a => What::Protocol,
        0x0100 => What::BadCredentials,
        0x1000 => {
            What::Unavailable { consistency: reader.consistency()?, required: reader.int()?, alive: reader.int()? }
        }
        0x1001 => What::Overloaded,
        0x1100 => What::WriteTimeout {
            consistency: reader.consistency()?,
            received: reader.int()?,
            required: reader.int()?,
            write: write_kind(reader, version, true)?,
        },
        0x1200 => What::ReadTimeout {
            consistency: reader.consistency()?,
            received: reader.int()?,
            required: reader.int()?,
            has_data: reader.byte()? != 0,
        },
        0x1300 => What::ReadFailure {
            consistency: reader.consistency()?,
            received: reader.int()?,
            required: reader.int()?,
            failures: failures(reader, version)?,
            has_data: reader.byte()? != 0,
        },
        0x1400 => What::FunctionFailure { keyspace: text(reader)?, function: text(reader)?, arguments: texts(reader)? },
        0x1500 => What::WriteFailure {
            consistency: reader.consistency()?,
            received: reader.int()?,
            required: reader.int()?,
            failures: failures(reader, version)?,
            write: write_kind(reader, version, false)?,
        },
        0x2000 => What::Syntax,
        0x2100 => What::Unauthorized,
        0x2200 => What::Invalid,
        0x2300 => What::Config,
        0x2400 => What::AlreadyExists { keyspace: text(reader)?, table: text(reader)? },
        0x2500 => What::Unprepared { id: reader.short_bytes()?.to_vec() },
        _ => return unknown("code"),
    };
    Ok(Failure { what, message })
}
