//! Rows as values of a caller's types, read from the stored bytes.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserialize, DeserializeOwned, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, InvalidKind, Result};
use crate::txn::Scope;
use crate::wide_column::parts::{Fields, elements, entries, vector};
use crate::wide_column::read::sink::ProtocolRows;
use crate::wide_column::read::{Fetch, Flow, FoundRow, json};
use crate::wide_column::row::Selection;
use crate::wide_column::select::Select;
use crate::wide_column::serialize::deserialize;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// A row that is lent while a query runs ([`Select::for_each`]): what is asked of it is read from the stored bytes.
///
/// # Examples
/// See [`Select::for_each`].
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    found: &'a FoundRow<'a>,
    selection: &'a Selection,
}

impl<'a> RowRef<'a> {
    pub(super) fn new(found: &'a FoundRow<'a>, selection: &'a Selection) -> Self {
        Self { found, selection }
    }

    /// The row as a value of a type with a field for each column that was asked for. Text and bytes may be borrowed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none.
    ///
    /// # Examples
    /// See [`Select::for_each`].
    pub fn to<T: Deserialize<'a>>(&self) -> Result<T> {
        T::deserialize(RowDeserializer(*self)).map_err(|Fault(message)| {
            Error::invalid(InvalidKind::Serialization, format!("the row is no value of the type: {message}"))
        })
    }

    /// The text of a column that is `text` or `ascii`; `None` when it is null.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a column that was not asked for; [`Error::Invalid`] for one that is no text.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// users.select((7,)).for_each(|row| {
    ///     assert_eq!(row.text("name")?, Some("Ann".into()));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn text(&self, column: &str) -> Result<Option<Cow<'a, str>>> {
        let (cql_type, bytes) = self.bytes_of(column)?;
        if !matches!(cql_type, CqlType::Text | CqlType::Ascii) {
            return Err(Error::invalid(InvalidKind::Type, format!("column {column:?} is {cql_type} and no text")));
        }
        let corrupt = |_| Error::corrupt("column value", "text is not UTF-8");
        bytes
            .map(|bytes| match bytes {
                Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(corrupt),
                Cow::Owned(bytes) => {
                    String::from_utf8(bytes).map(Cow::Owned).map_err(|error| corrupt(error.utf8_error()))
                }
            })
            .transpose()
    }

    /// The value of a column; `None` when it is null.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a column that was not asked for.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into())])?;
    /// users.select((7,)).for_each(|row| {
    ///     assert_eq!((row.get("id")?, row.get("name")?), (Some(7.into()), None));
    ///     assert!(row.get("nope").is_err());
    ///     Ok(())
    /// })?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn get(&self, column: &str) -> Result<Option<CqlValue>> {
        let (cql_type, bytes) = self.bytes_of(column)?;
        bytes.map(|bytes| deserialize(cql_type, &bytes)).transpose()
    }

    fn bytes_of(&self, column: &str) -> Result<(&'a CqlType, Option<Cow<'a, [u8]>>)> {
        let missing = || Error::NotFound { what: "column", name: column.to_owned() };
        let of = self.selection.find(column).ok_or_else(missing)?;
        Ok((self.found.table().column(of.at())?.column_type(), self.found.fetch(of)?))
    }
}

impl<S: Scope> Select<S> {
    /// Runs the query and lends its rows to `each`, one after another, all of one snapshot.
    ///
    /// # Errors
    /// As [`to_vec`](Select::to_vec), and those of `each`, which end the query.
    ///
    /// # Cost
    /// As [`to_vec`](Select::to_vec); nothing is allocated for a row but what `each` asks for.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// #[derive(serde::Deserialize)]
    /// struct User<'a> {
    ///     id: i32,
    ///     name: Option<&'a str>,
    /// }
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// users.scan().for_each(|row| {
    ///     let user: User = row.to()?;
    ///     assert_eq!((user.id, user.name), (7, Some("Ann")));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn for_each(self, mut each: impl FnMut(RowRef<'_>) -> Result<()>) -> Result<()> {
        self.read("select", |view, mut reader, selection| {
            let mut rows = 0;
            reader.run(view, &mut |row: &FoundRow<'_>| {
                rows += 1;
                each(RowRef::new(row, &selection))?;
                Ok(Flow::Continue)
            })?;
            view.meter().returned(rows);
            Ok(())
        })
    }

    /// Runs the query and collects its rows as values of a type with a field for each column that is asked for.
    ///
    /// # Errors
    /// As [`to_vec`](Select::to_vec), and [`Error::Invalid`] for a row that is none.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// #[derive(serde::Deserialize)]
    /// struct User {
    ///     name: String,
    /// }
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// let found: Vec<User> = users.select((7,)).columns(["name"]).to_typed()?;
    /// assert_eq!(found[0].name, "Ann");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_typed<T: DeserializeOwned>(self) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.for_each(|row| {
            rows.push(row.to()?);
            Ok(())
        })?;
        Ok(rows)
    }
}

impl<S: Scope> Select<S> {
    /// Runs the query and returns its rows as JSON: an object of the columns that are asked for, each.
    ///
    /// # Errors
    /// As [`to_vec`](Select::to_vec).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// assert_eq!(users.select((7,)).to_json()?, [r#"{"id": 7, "name": "Ann"}"#]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `SELECT JSON`.
    #[doc(alias = "SELECT JSON")]
    pub fn to_json(self) -> Result<Vec<String>> {
        self.read("select", |view, mut reader, selection| {
            let mut rows = Vec::new();
            reader.run(view, &mut |row: &FoundRow<'_>| {
                let mut out = String::new();
                json::put_row(&mut out, row, selection.columns())?;
                rows.push(out);
                Ok(Flow::Continue)
            })?;
            view.meter().returned(rows.len() as u64);
            Ok(rows)
        })
    }

    /// Runs the query and appends its rows to `out` as the native protocol has them: of each column its length (big-endian, 32 bits, -1
    /// for null), then its serialized value. Returns how many rows there are.
    ///
    /// # Errors
    /// As [`to_vec`](Select::to_vec).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into())])?;
    /// let mut bytes = Vec::new();
    /// assert_eq!(users.select((7,)).to_protocol(&mut bytes)?, 1);
    /// assert_eq!(bytes, [0, 0, 0, 4, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL binary protocol, version 4, section 4.2.5.2, *Rows*.
    pub fn to_protocol(self, out: &mut Vec<u8>) -> Result<u32> {
        self.read("select", |view, mut reader, selection| {
            let mut rows = ProtocolRows::new(selection.columns(), u32::MAX, out);
            reader.run(view, &mut rows)?;
            view.meter().returned(rows.count.into());
            Ok(rows.count)
        })
    }
}

/// Why a row is no value of a type.
#[derive(Debug)]
struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// A row as a map from columns to values.
struct RowDeserializer<'a>(RowRef<'a>);

impl<'a> de::Deserializer<'a> for RowDeserializer<'a> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let RowRef { found, selection } = self.0;
        visitor.visit_map(RowFields { found, left: selection.iter(), column: None, next_cell: 0 })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct RowFields<'a, I> {
    found: &'a FoundRow<'a>,
    /// The columns that are left.
    left: I,
    /// The one whose value comes next.
    column: Option<(&'a str, Fetch)>,
    /// Where its cell is looked for first.
    next_cell: usize,
}

impl<'a, I: Iterator<Item = (&'a str, Fetch)>> de::MapAccess<'a> for RowFields<'a, I> {
    type Error = Fault;

    #[inline]
    fn next_key_seed<K: de::DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.column = self.left.next();
        let Some((name, _)) = self.column else { return Ok(None) };
        seed.deserialize(de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    #[inline]
    fn next_value_seed<V: de::DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, of) = self.column.ok_or_else(|| Fault("there is no column".to_owned()))?;
        let cql_type = self.found.table().column(of.at())?.column_type();
        let bytes = self.found.fetch_next(of, &mut self.next_cell)?;
        let value = seed.deserialize(ValueDeserializer { cql_type, bytes });
        value.map_err(|Fault(message)| Fault(format!("column {name:?}: {message}")))
    }
}

/// A value of a column; `None` is null.
struct ValueDeserializer<'a> {
    cql_type: &'a CqlType,
    bytes: Option<Cow<'a, [u8]>>,
}

impl<'a> IntoDeserializer<'a, Fault> for ValueDeserializer<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The parts of a value that has some, borrowed where the value is: of a map key and value by turns, of a tuple or user's type one of
/// each field.
fn parts_of<'a>(cql_type: &CqlType, bytes: &Cow<'a, [u8]>) -> Result<Vec<Option<Cow<'a, [u8]>>>> {
    match bytes {
        Cow::Borrowed(bytes) => Ok(split(cql_type, bytes)?.into_iter().map(|part| part.map(Cow::Borrowed)).collect()),
        Cow::Owned(bytes) => {
            let parts = split(cql_type, bytes)?.into_iter();
            Ok(parts.map(|part| part.map(|part| Cow::Owned(part.to_vec()))).collect())
        }
    }
}

fn split<'b>(cql_type: &CqlType, bytes: &'b [u8]) -> Result<Vec<Option<&'b [u8]>>> {
    match cql_type {
        CqlType::List(_) | CqlType::Set(_) => elements(bytes)?.map(|part| part.map(Some)).collect(),
        CqlType::Vector(element, dimension) => Ok(vector(element, *dimension, bytes)?.into_iter().map(Some).collect()),
        CqlType::Map(_) => {
            let mut parts = Vec::new();
            for entry in entries(bytes)? {
                let (key, value) = entry?;
                parts.extend([Some(key), Some(value)]);
            }
            Ok(parts)
        }
        CqlType::Tuple(types) => fields(bytes, types.len()),
        CqlType::Udt(user_type) => fields(bytes, user_type.fields().len()),
        _ => Ok(Vec::new()),
    }
}

fn fields(bytes: &[u8], count: usize) -> Result<Vec<Option<&[u8]>>> {
    let mut fields = Fields::new(bytes);
    (0..count).map(|_| fields.next_field()).collect()
}

impl<'a> ValueDeserializer<'a> {
    /// The value of whatever type.
    fn deserialize_value<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let cql_type = self.cql_type.thawed();
        let Some(bytes) = self.bytes else { return visitor.visit_unit() };
        let value = |cql_type: &'a CqlType, bytes: Option<Cow<'a, [u8]>>| ValueDeserializer { cql_type, bytes };
        match cql_type {
            CqlType::Text | CqlType::Ascii => match bytes {
                Cow::Borrowed(bytes) => {
                    visitor.visit_borrowed_str(std::str::from_utf8(bytes).map_err(|error| Fault(error.to_string()))?)
                }
                Cow::Owned(bytes) => {
                    visitor.visit_string(String::from_utf8(bytes).map_err(|error| Fault(error.to_string()))?)
                }
            },
            CqlType::Blob => match bytes {
                Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
                Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
            },
            CqlType::List(element) | CqlType::Set(element) | CqlType::Vector(element, _) => {
                let parts = parts_of(cql_type, &bytes)?.into_iter().map(|part| value(element, part));
                visitor.visit_seq(SeqDeserializer::new(parts))
            }
            CqlType::Map(both) => {
                let mut parts = parts_of(cql_type, &bytes)?.into_iter();
                let entries = std::iter::from_fn(move || {
                    Some((value(&both.0, parts.next()?), value(&both.1, parts.next().flatten())))
                });
                visitor.visit_map(MapDeserializer::new(entries))
            }
            CqlType::Tuple(types) => {
                let parts = types.iter().zip(parts_of(cql_type, &bytes)?).map(|(field, part)| value(field, part));
                visitor.visit_seq(SeqDeserializer::new(parts))
            }
            CqlType::Udt(user_type) => {
                let parts = user_type.fields().iter().zip(parts_of(cql_type, &bytes)?);
                let parts = parts.map(|((name, field), part)| (name.as_str(), value(field, part)));
                visitor.visit_map(MapDeserializer::new(parts))
            }
            native => scalar(deserialize(native, &bytes)?, visitor),
        }
    }
}

impl<'a> de::Deserializer<'a> for ValueDeserializer<'a> {
    type Error = Fault;

    #[inline]
    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        // What most columns are of is read at once.
        match (self.cql_type, &self.bytes) {
            (CqlType::Text, Some(Cow::Borrowed(bytes))) => {
                visitor.visit_borrowed_str(std::str::from_utf8(bytes).map_err(|error| Fault(error.to_string()))?)
            }
            (CqlType::Bigint | CqlType::Timestamp, Some(Cow::Borrowed(bytes)))
                if let Ok(bytes) = (*bytes).try_into() =>
            {
                visitor.visit_i64(i64::from_be_bytes(bytes))
            }
            (CqlType::Int, Some(Cow::Borrowed(bytes))) if let Ok(bytes) = (*bytes).try_into() => {
                visitor.visit_i32(i32::from_be_bytes(bytes))
            }
            _ => self.deserialize_value(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.bytes.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let text = String::deserialize(self)?;
        de::value::StringDeserializer::new(text).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

fn scalar<'a, V: Visitor<'a>>(value: CqlValue, visitor: V) -> Result<V::Value, Fault> {
    match value {
        CqlValue::Boolean(value) => visitor.visit_bool(value),
        CqlValue::Tinyint(value) => visitor.visit_i8(value),
        CqlValue::Smallint(value) => visitor.visit_i16(value),
        CqlValue::Int(value) => visitor.visit_i32(value),
        CqlValue::Bigint(value) | CqlValue::Counter(value) | CqlValue::Time(value) | CqlValue::Timestamp(value) => {
            visitor.visit_i64(value)
        }
        date @ CqlValue::Date(_) => visitor.visit_i32(date.days_since_epoch().unwrap_or_default()),
        CqlValue::Float(value) => visitor.visit_f32(value),
        CqlValue::Double(value) => visitor.visit_f64(value),
        CqlValue::Decimal(value) => visitor.visit_string(value.to_string()),
        CqlValue::Varint(value) => visitor.visit_string(value.to_string()),
        CqlValue::Uuid(value) => visitor.visit_string(value.to_string()),
        CqlValue::Inet(value) => visitor.visit_string(value.to_string()),
        CqlValue::Duration { months, days, nanoseconds } => {
            let parts = [i64::from(months), i64::from(days), nanoseconds];
            visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
        }
        CqlValue::Empty => visitor.visit_unit(),
        other => Err(Fault(format!("a {} has no form", other.kind()))),
    }
}
