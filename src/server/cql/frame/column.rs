//! Columns of results: their types, and rows.

use std::sync::Arc;

use crate::server::cql::frame::header::Version;
use crate::server::cql::frame::writer::Writer;

/// A type, as the protocol has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DataType {
    /// One with a number.
    Simple(Simple),
    /// One that has none, by the name of its class.
    Custom(String),
    List(Box<DataType>),
    Map(Box<(DataType, DataType)>),
    Set(Box<DataType>),
    /// A type that users have made: keyspace, name, and fields with their types.
    Udt(String, String, Vec<(String, DataType)>),
    Tuple(Vec<DataType>),
}

/// A type with a number and without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Simple {
    Ascii = 0x01,
    Bigint = 0x02,
    Blob = 0x03,
    Boolean = 0x04,
    Counter = 0x05,
    Decimal = 0x06,
    Double = 0x07,
    Float = 0x08,
    Int = 0x09,
    Timestamp = 0x0b,
    Uuid = 0x0c,
    Varchar = 0x0d,
    Varint = 0x0e,
    Timeuuid = 0x0f,
    Inet = 0x10,
    Date = 0x11,
    Time = 0x12,
    Smallint = 0x13,
    Tinyint = 0x14,
    Duration = 0x15,
}

impl Simple {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 20] = [
        Self::Ascii,
        Self::Bigint,
        Self::Blob,
        Self::Boolean,
        Self::Counter,
        Self::Decimal,
        Self::Double,
        Self::Float,
        Self::Int,
        Self::Timestamp,
        Self::Uuid,
        Self::Varchar,
        Self::Varint,
        Self::Timeuuid,
        Self::Inet,
        Self::Date,
        Self::Time,
        Self::Smallint,
        Self::Tinyint,
        Self::Duration,
    ];
}

/// The class of `duration`, which has no number before version 5.
pub(crate) const DURATION_CLASS: &str = "org.apache.cassandra.db.marshal.DurationType";

impl DataType {
    /// Writes it. How deep types may be within each other is limited where they are declared.
    pub(crate) fn write(&self, writer: &mut Writer, version: Version) {
        match self {
            Self::Simple(Simple::Duration) if version < Version::V5 => {
                writer.short(0);
                writer.string(DURATION_CLASS);
            }
            Self::Simple(simple) => writer.short(*simple as u16),
            Self::Custom(class) => {
                writer.short(0);
                writer.string(class);
            }
            Self::List(element) => {
                writer.short(0x20);
                element.write(writer, version);
            }
            Self::Map(parts) => {
                writer.short(0x21);
                parts.0.write(writer, version);
                parts.1.write(writer, version);
            }
            Self::Set(element) => {
                writer.short(0x22);
                element.write(writer, version);
            }
            Self::Udt(keyspace, name, fields) => {
                writer.short(0x30);
                writer.string(keyspace);
                writer.string(name);
                writer.count(fields.len());
                for (field, data_type) in fields {
                    writer.string(field);
                    data_type.write(writer, version);
                }
            }
            Self::Tuple(parts) => {
                writer.short(0x31);
                writer.count(parts.len());
                for part in parts {
                    part.write(writer, version);
                }
            }
        }
    }
}

/// A column of a result, or a marker of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnSpec {
    pub(crate) keyspace: String,
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) data_type: DataType,
}

/// What is said of the columns of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) columns: Arc<[ColumnSpec]>,
    /// The columns are only counted: the client knows them.
    pub(crate) is_skipped: bool,
    /// There is more, and this says where.
    pub(crate) paging_state: Option<Vec<u8>>,
    /// The client knows other columns, and this is the id of these; version 5 only.
    pub(crate) new_id: Option<[u8; 16]>,
}

const GLOBAL_TABLE: i32 = 0x1;
const HAS_MORE_PAGES: i32 = 0x2;
const NO_METADATA: i32 = 0x4;
const METADATA_CHANGED: i32 = 0x8;

impl Metadata {
    pub(crate) fn of(columns: Arc<[ColumnSpec]>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Writes what is said of a result.
    pub(crate) fn write(&self, writer: &mut Writer, version: Version) {
        let global = global_table(&self.columns);
        // Without columns there is nothing to say.
        let is_skipped = self.is_skipped || self.columns.is_empty();
        let new_id = self.new_id.filter(|_| version >= Version::V5);
        let mut flags = if is_skipped { NO_METADATA } else { 0 };
        if global.is_some() && !is_skipped {
            flags |= GLOBAL_TABLE;
        }
        if self.paging_state.is_some() {
            flags |= HAS_MORE_PAGES;
        }
        if new_id.is_some() {
            flags |= METADATA_CHANGED;
        }
        writer.int(flags);
        writer.int_count(self.columns.len());
        if let Some(state) = &self.paging_state {
            writer.bytes(Some(state));
        }
        if let Some(id) = new_id {
            writer.short_bytes(&id);
        }
        if !is_skipped {
            write_columns(&self.columns, global, writer, version);
        }
    }
}

/// Writes what is said of the markers of a statement; `key` are those that the partition key is made of, in its order.
pub(crate) fn write_markers(markers: &[ColumnSpec], key: &[u16], writer: &mut Writer, version: Version) {
    let global = global_table(markers);
    writer.int(if global.is_some() { GLOBAL_TABLE } else { 0 });
    writer.int_count(markers.len());
    writer.int_count(key.len());
    for at in key {
        writer.short(*at);
    }
    write_columns(markers, global, writer, version);
}

/// The keyspace and table that all columns are of.
fn global_table(columns: &[ColumnSpec]) -> Option<(&str, &str)> {
    let first = columns.first()?;
    let is_same = |column: &ColumnSpec| column.keyspace == first.keyspace && column.table == first.table;
    columns.iter().all(is_same).then_some((&first.keyspace, &first.table))
}

fn write_columns(columns: &[ColumnSpec], global: Option<(&str, &str)>, writer: &mut Writer, version: Version) {
    if let Some((keyspace, table)) = global {
        writer.string(keyspace);
        writer.string(table);
    }
    for column in columns {
        if global.is_none() {
            writer.string(&column.keyspace);
            writer.string(&column.table);
        }
        writer.string(&column.name);
        column.data_type.write(writer, version);
    }
}

/// Rows of a result, as the bytes that are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    count: i32,
    bytes: Vec<u8>,
}

impl Rows {
    /// Adds a row.
    ///
    /// Returns false when there are more rows, or a value is longer, than the protocol has room for: the row is not added then.
    pub(crate) fn push<'v>(&mut self, values: impl IntoIterator<Item = Option<&'v [u8]>>) -> bool {
        let mut writer = Writer::behind(std::mem::take(&mut self.bytes));
        values.into_iter().for_each(|value| writer.bytes(value));
        let (Some(count), Ok(bytes)) = (self.count.checked_add(1), writer.finish()) else { return false };
        (self.count, self.bytes) = (count, bytes);
        true
    }

    /// The bytes that they take.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.int(self.count);
        writer.raw(&self.bytes);
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(count: i32, bytes: &[u8]) -> Self {
        Self { count, bytes: bytes.to_vec() }
    }
}
