//! Columns as the protocol has them: their tables, names and types, and an id that says all of that.

use std::fmt::Write;
use std::sync::Arc;

use crate::server::cql::frame::{ColumnSpec, DataType, Simple};
use crate::server::cql::prepared_id::{Id, hash};
use crate::wide_column::CqlType;
use crate::wide_column::cql::{Columns, Described, Served};

/// The columns of a result.
#[derive(Debug)]
pub(super) struct Specified {
    pub(super) columns: Arc<[ColumnSpec]>,
    pub(super) id: Id,
    /// What they were made of.
    own: Columns,
}

impl Specified {
    /// The columns of what was served.
    pub(super) fn new(served: &Served) -> Self {
        let (keyspace, table) = served.of.as_deref().map_or(("", ""), |(keyspace, table)| (keyspace, table));
        Self::of((keyspace, table), &served.columns)
    }

    /// Columns of a table, which stands behind its keyspace.
    pub(super) fn of(table: (&str, &str), own: &Columns) -> Self {
        let columns: Arc<[_]> = own.iter().map(|(name, of)| spec(table, name, of)).collect();
        Self { id: metadata_id(&columns), columns, own: own.clone() }
    }

    /// Whether they are the columns of what was served, made once already.
    pub(super) fn is_of(&self, served: &Served) -> bool {
        self.own.is_same(&served.columns)
    }
}

/// The markers of a statement.
pub(super) fn markers(described: &Described) -> Arc<[ColumnSpec]> {
    let table = (described.keyspace.as_str(), described.table.as_str());
    described.markers.iter().map(|marker| spec(table, &marker.name, &marker.cql_type)).collect()
}

/// The id of the columns of a result.
fn metadata_id(columns: &[ColumnSpec]) -> Id {
    let texts: Vec<String> = columns.iter().map(|column| format!("{:?}", column.data_type)).collect();
    hash(columns.iter().zip(&texts).flat_map(|(column, text)| {
        [column.keyspace.as_bytes(), column.table.as_bytes(), column.name.as_bytes(), text.as_bytes()]
    }))
}

fn spec((keyspace, table): (&str, &str), name: &str, of: &CqlType) -> ColumnSpec {
    ColumnSpec {
        keyspace: keyspace.to_owned(),
        table: table.to_owned(),
        name: name.to_owned(),
        data_type: data_type(of),
    }
}

/// A type, as the protocol has it. How deep types may be is limited where they are declared.
fn data_type(of: &CqlType) -> DataType {
    let simple = match of {
        CqlType::Ascii => Simple::Ascii,
        CqlType::Bigint => Simple::Bigint,
        CqlType::Blob => Simple::Blob,
        CqlType::Boolean => Simple::Boolean,
        CqlType::Counter => Simple::Counter,
        CqlType::Date => Simple::Date,
        CqlType::Decimal => Simple::Decimal,
        CqlType::Double => Simple::Double,
        CqlType::Duration => Simple::Duration,
        CqlType::Float => Simple::Float,
        CqlType::Inet => Simple::Inet,
        CqlType::Int => Simple::Int,
        CqlType::Smallint => Simple::Smallint,
        CqlType::Text => Simple::Varchar,
        CqlType::Time => Simple::Time,
        CqlType::Timestamp => Simple::Timestamp,
        CqlType::Timeuuid => Simple::Timeuuid,
        CqlType::Tinyint => Simple::Tinyint,
        CqlType::Uuid => Simple::Uuid,
        CqlType::Varint => Simple::Varint,
        CqlType::List(element) => return DataType::List(Box::new(data_type(element))),
        CqlType::Set(element) => return DataType::Set(Box::new(data_type(element))),
        CqlType::Map(both) => return DataType::Map(Box::new((data_type(&both.0), data_type(&both.1)))),
        CqlType::Tuple(fields) => return DataType::Tuple(fields.iter().map(data_type).collect()),
        CqlType::Udt(udt) => {
            let fields = udt.fields().iter().map(|(name, of)| (name.clone(), data_type(of))).collect();
            return DataType::Udt(udt.keyspace().to_owned(), udt.name().to_owned(), fields);
        }
        CqlType::Vector(..) => return DataType::Custom(class(of)),
        CqlType::Frozen(inner) => return data_type(inner),
    };
    DataType::Simple(simple)
}

/// The name of the class of a type, for types that have no number.
fn class(of: &CqlType) -> String {
    let name = match of {
        CqlType::Ascii => "AsciiType",
        CqlType::Bigint => "LongType",
        CqlType::Blob => "BytesType",
        CqlType::Boolean => "BooleanType",
        CqlType::Counter => "CounterColumnType",
        CqlType::Date => "SimpleDateType",
        CqlType::Decimal => "DecimalType",
        CqlType::Double => "DoubleType",
        CqlType::Duration => "DurationType",
        CqlType::Float => "FloatType",
        CqlType::Inet => "InetAddressType",
        CqlType::Int => "Int32Type",
        CqlType::Smallint => "ShortType",
        CqlType::Text => "UTF8Type",
        CqlType::Time => "TimeType",
        CqlType::Timestamp => "TimestampType",
        CqlType::Timeuuid => "TimeUUIDType",
        CqlType::Tinyint => "ByteType",
        CqlType::Uuid => "UUIDType",
        CqlType::Varint => "IntegerType",
        CqlType::List(element) => return in_package(&format!("ListType({})", class(element))),
        CqlType::Set(element) => return in_package(&format!("SetType({})", class(element))),
        CqlType::Map(both) => return in_package(&format!("MapType({},{})", class(&both.0), class(&both.1))),
        CqlType::Tuple(fields) => {
            let fields: Vec<_> = fields.iter().map(class).collect();
            return in_package(&format!("TupleType({})", fields.join(",")));
        }
        CqlType::Udt(udt) => {
            let hex = |text: &str| hex(text.as_bytes());
            let fields = udt.fields().iter().map(|(name, of)| format!(",{}:{}", hex(name), class(of)));
            let fields: String = fields.collect();
            return in_package(&format!("UserType({},{}{fields})", udt.keyspace(), hex(udt.name())));
        }
        CqlType::Vector(element, dimension) => {
            return in_package(&format!("VectorType({} , {dimension})", class(element)));
        }
        CqlType::Frozen(inner) => return class(inner),
    };
    in_package(name)
}

/// Bytes as two digits each.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn in_package(name: &str) -> String {
    format!("org.apache.cassandra.db.marshal.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_the_class_that_drivers_read() {
        let vector = CqlType::vector(CqlType::Float, 3);
        let expected = "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3)";
        assert_eq!(data_type(&vector), DataType::Custom(expected.to_owned()));
    }
}
