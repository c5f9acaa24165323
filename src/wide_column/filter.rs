//! Conditions as users write them: on the rows of a query, and on the row of a conditional write.

use crate::error::{Error, InvalidKind, Result};
use crate::wide_column::bind::bind_key;
use crate::wide_column::read::plan::{self as read, Bytes, Comparison, Test};
use crate::wide_column::schema::{Column, TableRecord};
use crate::wide_column::serialize::serialize;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::plan::{ColumnCondition, ColumnTest, Part};

/// A condition on a column: what rows of a query have to meet, or the row of a conditional write.
///
/// Null meets no condition of a query. Of a conditional write it equals null, and nothing else.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, Filter, TableSchema}};
/// let users = Store::in_memory().wide_table("shop", "users");
/// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("age", CqlType::Int);
/// users.create(schema.column("tags", CqlType::set(CqlType::Text)))?;
/// users.insert(&[("id", 7.into()), ("age", 30.into())])?;
/// users.insert(&[("id", 8.into()), ("age", 17.into())])?;
/// let adults = users.scan().filter(Filter::greater_or_equal("age", 18)).to_vec()?;
/// assert_eq!(adults.len(), 1);
/// assert!(users.scan().filter(Filter::contains("tags", "new")).to_vec()?.is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, `WHERE … ALLOW FILTERING` and `IF`.
#[derive(Clone, Debug)]
pub struct Filter {
    column: String,
    test: Asked,
}

#[derive(Clone, Debug)]
enum Asked {
    Compare(Comparison, CqlValue),
    In(Vec<CqlValue>),
    Contains(CqlValue),
    ContainsKey(CqlValue),
    Entry(CqlValue, Comparison, CqlValue),
    Field(String, Comparison, CqlValue),
    IsNotNull,
}

/// Constructors of one kind each.
macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident => $comparison:ident),+ $(,)?) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(column: &str, value: impl Into<CqlValue>) -> Self {
            Self::new(column, Asked::Compare(Comparison::$comparison, value.into()))
        })+
    };
}

impl Filter {
    comparisons! {
        /// The column is this value.
        ///
        /// # Examples
        /// ```
        /// let is_ann = larder::wide_column::Filter::equal("name", "Ann");
        /// ```
        equal => Equal,
        /// The column is another value.
        ///
        /// # Examples
        /// ```
        /// let is_not_ann = larder::wide_column::Filter::not_equal("name", "Ann");
        /// ```
        not_equal => NotEqual,
        /// The column is less, in the order of its type.
        ///
        /// # Examples
        /// ```
        /// let is_young = larder::wide_column::Filter::less("age", 30);
        /// ```
        less => Less,
        /// The column is less or equal.
        ///
        /// # Examples
        /// ```
        /// let is_young = larder::wide_column::Filter::less_or_equal("age", 29);
        /// ```
        less_or_equal => LessOrEqual,
        /// The column is greater.
        ///
        /// # Examples
        /// ```
        /// let is_grown = larder::wide_column::Filter::greater("age", 17);
        /// ```
        greater => Greater,
        /// The column is greater or equal.
        ///
        /// # Examples
        /// ```
        /// let is_grown = larder::wide_column::Filter::greater_or_equal("age", 18);
        /// ```
        greater_or_equal => GreaterOrEqual,
    }

    fn new(column: &str, test: Asked) -> Self {
        Self { column: column.to_owned(), test }
    }

    /// The column is one of these values.
    ///
    /// # Examples
    /// ```
    /// let is_either = larder::wide_column::Filter::is_in("name", ["Ann", "Bob"]);
    /// ```
    #[must_use]
    pub fn is_in<V: Into<CqlValue>>(column: &str, values: impl IntoIterator<Item = V>) -> Self {
        Self::new(column, Asked::In(values.into_iter().map(Into::into).collect()))
    }

    /// The list or set has this element, or the map this value.
    ///
    /// # Examples
    /// ```
    /// let is_new = larder::wide_column::Filter::contains("tags", "new");
    /// ```
    #[must_use]
    #[doc(alias = "CONTAINS")]
    pub fn contains(column: &str, element: impl Into<CqlValue>) -> Self {
        Self::new(column, Asked::Contains(element.into()))
    }

    /// The map has this key.
    ///
    /// # Examples
    /// ```
    /// let has_size = larder::wide_column::Filter::contains_key("attributes", "size");
    /// ```
    #[must_use]
    #[doc(alias = "CONTAINS KEY")]
    pub fn contains_key(column: &str, key: impl Into<CqlValue>) -> Self {
        Self::new(column, Asked::ContainsKey(key.into()))
    }

    /// The map has this value at this key.
    ///
    /// # Examples
    /// ```
    /// let is_large = larder::wide_column::Filter::entry("attributes", "size", "large");
    /// ```
    #[must_use]
    pub fn entry(column: &str, key: impl Into<CqlValue>, value: impl Into<CqlValue>) -> Self {
        Self::new(column, Asked::Entry(key.into(), Comparison::Equal, value.into()))
    }

    /// The user's type has this value in this field.
    ///
    /// # Examples
    /// ```
    /// let is_local = larder::wide_column::Filter::field("address", "city", "Graz");
    /// ```
    #[must_use]
    pub fn field(column: &str, field: &str, value: impl Into<CqlValue>) -> Self {
        Self::new(column, Asked::Field(field.to_owned(), Comparison::Equal, value.into()))
    }

    /// The column has a value.
    ///
    /// # Examples
    /// ```
    /// let has_name = larder::wide_column::Filter::is_not_null("name");
    /// ```
    #[must_use]
    pub fn is_not_null(column: &str) -> Self {
        Self::new(column, Asked::IsNotNull)
    }

    /// The condition of a query.
    pub(super) fn of_query(&self, table: &TableRecord) -> Result<read::Filter> {
        let (at, column) = find(table, &self.column)?;
        let cql_type = column.column_type();
        let test = match &self.test {
            Asked::Compare(comparison, value) => Test::Compare(*comparison, bind_key(column, value)?),
            Asked::In(values) => {
                let values = values.iter().map(|value| bind_key(column, value));
                Test::In(values.collect::<Result<_>>()?)
            }
            Asked::Contains(element) => Test::Contains(part(column, element_type(column)?, element)?),
            Asked::ContainsKey(key) => Test::ContainsKey(part(column, entry_types(column)?.0, key)?),
            Asked::Entry(key, comparison, value) => {
                let (key_type, value_type) = entry_types(column)?;
                Test::Entry(part(column, key_type, key)?, *comparison, part(column, value_type, value)?)
            }
            Asked::Field(field, comparison, value) => {
                let (nth, field_type) = field_of(column, field)?;
                Test::Field(nth, *comparison, part(column, field_type, value)?)
            }
            Asked::IsNotNull => Test::IsNotNull,
        };
        if *cql_type == CqlType::Duration
            && !matches!(self.test, Asked::Compare(Comparison::Equal, _) | Asked::IsNotNull)
        {
            let message = format!("Slice restrictions are not supported on duration columns: {:?}", self.column);
            return Err(Error::value(message));
        }
        Ok(read::Filter::Column(at, test))
    }

    /// The condition of a write.
    pub(super) fn of_write(&self, table: &TableRecord) -> Result<ColumnCondition> {
        let (at, column) = find(table, &self.column)?;
        if column.is_key() {
            let message = format!("key column {:?} cannot be in a condition of a write", self.column);
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        let whole = |value: &CqlValue| nullable(column, column.column_type(), value);
        let (place, test) = match &self.test {
            Asked::Compare(comparison, value) => (Part::Whole, ColumnTest::Compare(*comparison, whole(value)?)),
            Asked::In(values) => (Part::Whole, ColumnTest::In(values.iter().map(whole).collect::<Result<_>>()?)),
            Asked::Contains(element) => {
                (Part::Whole, ColumnTest::Contains(part(column, element_type(column)?, element)?))
            }
            Asked::ContainsKey(key) => {
                (Part::Whole, ColumnTest::ContainsKey(part(column, entry_types(column)?.0, key)?))
            }
            Asked::Entry(key, comparison, value) => {
                let test = |value_type| Ok(ColumnTest::Compare(*comparison, nullable(column, value_type, value)?));
                if let (CqlType::List(element), CqlValue::Int(index)) = (column.column_type().thawed(), key) {
                    (Part::Index(*index), test(element)?)
                } else {
                    let (key_type, value_type) = entry_types(column)?;
                    (Part::Element(part(column, key_type, key)?), test(value_type)?)
                }
            }
            Asked::Field(field, comparison, value) => {
                let (nth, field_type) = field_of(column, field)?;
                (Part::Field(nth), ColumnTest::Compare(*comparison, nullable(column, field_type, value)?))
            }
            Asked::IsNotNull => (Part::Whole, ColumnTest::Compare(Comparison::NotEqual, None)),
        };
        Ok(ColumnCondition { column: at, part: place, test })
    }
}

/// The column `name`, with its position.
pub(super) fn find<'t>(table: &'t TableRecord, name: &str) -> Result<(usize, &'t Column)> {
    let found = table.schema.columns().enumerate().find(|(_, column)| column.name() == name);
    found.ok_or_else(|| Error::NotFound { what: "column", name: name.to_owned() })
}

/// The serialized form of a value that is a part of one of `column`.
pub(super) fn part(column: &Column, cql_type: &CqlType, value: &CqlValue) -> Result<Bytes> {
    let mut out = Vec::new();
    let what = format!("a part of column {:?}", column.name());
    if matches!(value, CqlValue::Null | CqlValue::Unset) {
        return Err(Error::invalid(InvalidKind::Value, format!("{what} does not take a {}", value.kind())));
    }
    serialize(value, cql_type, &mut out).map_err(|fault| fault.of(&what, cql_type))?;
    Ok(Bytes::from_vec(out))
}

/// As [`part`]; null is none.
pub(super) fn nullable(column: &Column, cql_type: &CqlType, value: &CqlValue) -> Result<Option<Bytes>> {
    if matches!(value, CqlValue::Null) { Ok(None) } else { part(column, cql_type, value).map(Some) }
}

pub(super) fn element_type(column: &Column) -> Result<&CqlType> {
    match column.column_type().thawed() {
        CqlType::List(element) | CqlType::Set(element) => Ok(element),
        CqlType::Map(both) => Ok(&both.1),
        _ => Err(not_a(column, "collection")),
    }
}

pub(super) fn entry_types(column: &Column) -> Result<(&CqlType, &CqlType)> {
    match column.column_type().thawed() {
        CqlType::Map(both) => Ok((&both.0, &both.1)),
        _ => Err(not_a(column, "map")),
    }
}

pub(super) fn field_of<'c>(column: &'c Column, name: &str) -> Result<(usize, &'c CqlType)> {
    let CqlType::Udt(user_type) = column.column_type().thawed() else {
        return Err(not_a(column, "user's type"));
    };
    let found = user_type.fields().iter().enumerate().find(|(_, (field, _))| field == name);
    let found = found.map(|(nth, (_, field_type))| (nth, field_type));
    found.ok_or_else(|| Error::NotFound { what: "field", name: name.to_owned() })
}

fn not_a(column: &Column, what: &str) -> Error {
    Error::invalid(InvalidKind::Type, format!("column {:?} is {} and no {what}", column.name(), column.column_type()))
}
