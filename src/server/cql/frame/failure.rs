//! Errors, as clients get them.

use crate::server::cql::frame::consistency::Consistency;
use crate::server::cql::frame::header::Version;
use crate::server::cql::frame::malformed::Malformed;
use crate::server::cql::frame::writer::Writer;

/// What a client gets instead of what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) what: What,
    pub(crate) message: String,
}

/// The class of an error, with what is said beside the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Server,
    Protocol,
    BadCredentials,
    Unavailable {
        consistency: Consistency,
        required: i32,
        alive: i32,
    },
    Overloaded,
    WriteTimeout {
        consistency: Consistency,
        received: i32,
        required: i32,
        write: WriteKind,
    },
    ReadTimeout {
        consistency: Consistency,
        received: i32,
        required: i32,
        has_data: bool,
    },
    ReadFailure {
        consistency: Consistency,
        received: i32,
        required: i32,
        failures: Failures,
        has_data: bool,
    },
    #[cfg_attr(not(test), expect(dead_code, reason = "the protocol has it, and nothing here makes it"))]
    FunctionFailure {
        keyspace: String,
        function: String,
        arguments: Vec<String>,
    },
    WriteFailure {
        consistency: Consistency,
        received: i32,
        required: i32,
        failures: Failures,
        write: WriteKind,
    },
    Syntax,
    Unauthorized,
    Invalid,
    Config,
    AlreadyExists {
        keyspace: String,
        table: String,
    },
    Unprepared {
        id: Vec<u8>,
    },
}

/// What kind of write has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteKind {
    Simple,
    #[cfg_attr(not(test), expect(dead_code, reason = "the protocol has it, and nothing here makes it"))]
    Batch,
    #[cfg_attr(not(test), expect(dead_code, reason = "the protocol has it, and nothing here makes it"))]
    UnloggedBatch,
    #[cfg_attr(not(test), expect(dead_code, reason = "the protocol has it, and nothing here makes it"))]
    Counter,
    /// One with conditions, with how many others came in between.
    Conditional {
        contentions: u16,
    },
}

impl WriteKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Simple => "SIMPLE",
            Self::Batch => "BATCH",
            Self::UnloggedBatch => "UNLOGGED_BATCH",
            Self::Counter => "COUNTER",
            Self::Conditional { .. } => "CAS",
        }
    }
}

/// Which nodes have failed, by address and reason; before version 5, how many.
pub(crate) type Failures = Vec<(std::net::IpAddr, u16)>;

impl Failure {
    pub(crate) fn new(what: What, message: impl Into<String>) -> Self {
        Self { what, message: message.into() }
    }

    pub(crate) fn code(&self) -> i32 {
        match self.what {
            What::Server => 0x0000,
            What::Protocol => 0x000a,
            What::BadCredentials => 0x0100,
            What::Unavailable { .. } => 0x1000,
            What::Overloaded => 0x1001,
            What::WriteTimeout { .. } => 0x1100,
            What::ReadTimeout { .. } => 0x1200,
            What::ReadFailure { .. } => 0x1300,
            What::FunctionFailure { .. } => 0x1400,
            What::WriteFailure { .. } => 0x1500,
            What::Syntax => 0x2000,
            What::Unauthorized => 0x2100,
            What::Invalid => 0x2200,
            What::Config => 0x2300,
            What::AlreadyExists { .. } => 0x2400,
            What::Unprepared { .. } => 0x2500,
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer, version: Version) {
        writer.int(self.code());
        writer.message(&self.message);
        match &self.what {
            What::Server
            | What::Protocol
            | What::BadCredentials
            | What::Overloaded
            | What::Syntax
            | What::Unauthorized
            | What::Invalid
            | What::Config => {}
            What::Unavailable { consistency, required, alive } => {
                write_counts(writer, *consistency, *required, *alive);
            }
            What::WriteTimeout { consistency, received, required, write } => {
                write_counts(writer, *consistency, *received, *required);
                writer.string(write.name());
                if let (WriteKind::Conditional { contentions }, true) = (write, version >= Version::V5) {
                    writer.short(*contentions);
                }
            }
            What::ReadTimeout { consistency, received, required, has_data } => {
                write_counts(writer, *consistency, *received, *required);
                writer.byte(u8::from(*has_data));
            }
            What::ReadFailure { consistency, received, required, failures, has_data } => {
                write_counts(writer, *consistency, *received, *required);
                write_failures(writer, failures, version);
                writer.byte(u8::from(*has_data));
            }
            What::WriteFailure { consistency, received, required, failures, write } => {
                write_counts(writer, *consistency, *received, *required);
                write_failures(writer, failures, version);
                writer.string(write.name());
            }
            What::FunctionFailure { keyspace, function, arguments } => {
                writer.string(keyspace);
                writer.string(function);
                writer.string_list(arguments);
            }
            What::AlreadyExists { keyspace, table } => {
                writer.string(keyspace);
                writer.string(table);
            }
            What::Unprepared { id } => writer.short_bytes(id),
        }
    }
}

fn write_counts(writer: &mut Writer, consistency: Consistency, first: i32, second: i32) {
    writer.short(consistency.code());
    writer.int(first);
    writer.int(second);
}

fn write_failures(writer: &mut Writer, failures: &Failures, version: Version) {
    writer.int_count(failures.len());
    if version >= Version::V5 {
        for (address, reason) in failures {
            writer.address(*address);
            writer.short(*reason);
        }
    }
}

impl From<Malformed> for Failure {
    fn from(why: Malformed) -> Self {
        Self::new(What::Protocol, why.to_string())
    }
}
