//! What a statement is planned against.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use crate::error::{Error, Result};
use crate::txn::View;
use crate::wide_column::cql::ast::{Name, QualifiedName};
use crate::wide_column::cql::plan::kept::Kept;
use crate::wide_column::definitions;
use crate::wide_column::exception::Exception;
use crate::wide_column::read::position::Position;
use crate::wide_column::role::Actor;
use crate::wide_column::schema::{Column, Definition, TableRecord, keyspace};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Keyspaces of Cassandra's own.
pub(in crate::wide_column::cql) const SYSTEM_KEYSPACES: [&str; 7] = [
    "system",
    "system_schema",
    "system_auth",
    "system_distributed",
    "system_traces",
    "system_views",
    "system_virtual_schema",
];

/// Who runs statements of which nobody else is said to.
static PROGRAM: Actor = Actor::Program;

/// What a statement is planned against: a state of the store, the keyspace of the session, values of markers.
#[derive(Debug)]
pub(in crate::wide_column::cql) struct Context<'a> {
    pub(super) view: &'a View,
    values: Given<'a>,
    keyspace: Option<&'a str>,
    /// Where rows begin and end, when not all are wanted at once.
    pub(super) page: Option<&'a Page>,
    /// Seconds: the time by which what is read has expired, and what is written does; `None` is that of the view.
    pub(super) now: Option<i64>,
    /// Who runs it.
    pub(super) actor: &'a Actor,
    /// What the statement keeps of its plan, if it is prepared.
    kept: Option<&'a Kept>,
    /// Whether something was asked for that the text and the table do not say.
    is_of_more: Cell<bool>,
    /// How many identifiers of the moment were made for it.
    made: Cell<u64>,
}

impl<'a> Context<'a> {
    pub(in crate::wide_column::cql) fn new(view: &'a View, keyspace: Option<&'a str>, values: &'a [CqlValue]) -> Self {
        Self::given_to(view, keyspace, Given::Values(values))
    }

    /// The same with values in whatever form they are given.
    pub(in crate::wide_column::cql) fn given_to(view: &'a View, keyspace: Option<&'a str>, values: Given<'a>) -> Self {
        Self {
            view,
            values,
            keyspace,
            page: None,
            now: None,
            actor: &PROGRAM,
            kept: None,
            is_of_more: Cell::new(false),
            made: Cell::new(0),
        }
    }

    /// The same, for a page of rows.
    pub(in crate::wide_column::cql) fn of_page(self, page: Option<&'a Page>) -> Self {
        Self { page, ..self }
    }

    /// The same at another time than that of the view.
    pub(in crate::wide_column::cql) fn at(self, now: Option<i64>) -> Self {
        Self { now, ..self }
    }

    /// The same for a statement that `actor` runs.
    pub(in crate::wide_column::cql) fn by(self, actor: &'a Actor) -> Self {
        Self { actor, ..self }
    }

    /// The same for a statement that keeps what it comes to.
    pub(in crate::wide_column::cql) fn keeping(self, kept: Option<&'a Kept>) -> Self {
        Self { kept, ..self }
    }

    /// What the statement keeps of its plan. One that is only looked at keeps nothing: what it asks for is to be noted.
    pub(super) fn kept(&self) -> Option<&'a Kept> {
        self.kept.filter(|_| !self.is_asking())
    }

    /// What `find` finds, and whether that is said by the text and the table alone, and by no value or moment.
    pub(super) fn of_text_alone<R>(&self, find: impl FnOnce() -> R) -> (R, bool) {
        let before = self.is_of_more.replace(false);
        let found = find();
        let is_of_more = self.is_of_more.replace(before);
        (found, !is_of_more)
    }

    /// Notes that something else was asked for than what the text and the table say.
    pub(super) fn note_more(&self) {
        self.is_of_more.set(true);
    }

    /// Whether a statement is only looked at, and not run.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.values, Given::Asked(_))
    }

    /// The value that was given for the marker at `index`, which is for what `name` says and of the type that `of` makes.
    ///
    /// # Errors
    /// When there is none, or bytes that are no value of the type.
    pub(super) fn given(&self, index: u16, name: &str, of: impl FnOnce() -> CqlType) -> Result<Cow<'a, CqlValue>> {
        let missing = || invalid("Invalid amount of bind variables");
        self.note_more();
        let index = usize::from(index);
        match self.values {
            Given::Values(values) => values.get(index).map(Cow::Borrowed).ok_or_else(missing),
            Given::Serialized(values) => match values.get(index).ok_or_else(missing)? {
                SerializedValue::Null => Ok(Cow::Owned(CqlValue::Null)),
                SerializedValue::Unset => Ok(Cow::Owned(CqlValue::Unset)),
                SerializedValue::Bytes(bytes) => CqlValue::from_serialized(&of(), bytes).map(Cow::Owned),
            },
            Given::Asked(asked) => {
                let mut asked = asked.borrow_mut();
                let of = of();
                let sample = sample(&of);
                if asked.markers.len() <= index {
                    asked.markers.resize(index + 1, None);
                }
                if let Some(place) = asked.markers.get_mut(index) {
                    place.get_or_insert((name.to_owned(), of));
                }
                Ok(Cow::Owned(sample))
            }
        }
    }

    /// What was given for the marker at `index`, in the form in which it was.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn given_as_is(&self, index: u16) -> Result<AsIs<'a>> {
        let (missing, index) = (|| invalid("Invalid amount of bind variables"), usize::from(index));
        self.note_more();
        match self.values {
            Given::Values(values) => values.get(index).map(AsIs::Value).ok_or_else(missing),
            Given::Serialized(values) => values.get(index).map(AsIs::Serialized).ok_or_else(missing),
            Given::Asked(_) => Ok(AsIs::Asked),
        }
    }

    /// Whether rows begin where another page has ended.
    pub(super) fn is_resumed(&self) -> bool {
        self.page.is_some_and(|page| page.behind.is_some())
    }

    /// A number that counts up with each call.
    pub(super) fn next_made(&self) -> u64 {
        self.made.replace(self.made.get() + 1)
    }

    /// The keyspace that names without one are in.
    pub(super) fn session_keyspace(&self) -> Option<&'a str> {
        self.keyspace
    }

    /// The keyspace that `name` is in: its own, or the session's.
    pub(super) fn keyspace<'n>(&'n self, name: &'n QualifiedName) -> Result<&'n str> {
        let found = name.keyspace.as_ref().map(Name::as_str).or(self.keyspace);
        let missing = "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename";
        found.ok_or_else(|| Exception::Invalid.error(missing))
    }

    /// The table `name`.
    ///
    /// # Errors
    /// Cassandra's, when there is no such keyspace or table.
    pub(super) fn table(&self, name: &QualifiedName) -> Result<Definition> {
        let keyspace = self.keyspace(name)?;
        if SYSTEM_KEYSPACES.contains(&keyspace) {
            return Err(Error::unsupported(format!("the system's keyspace {keyspace}")));
        }
        if let Some(found) = definitions::of_name(self.view, keyspace, name.name.as_str())? {
            if let Given::Asked(asked) = self.values {
                let named = (keyspace.to_owned(), name.name.as_str().to_owned());
                asked.borrow_mut().table.get_or_insert((named, found.clone()));
            }
            return Ok(found);
        }
        if keyspace::get(self.view, keyspace)?.is_none() {
            return Err(Exception::Invalid.error(format!("keyspace {keyspace} does not exist")));
        }
        Err(Exception::Invalid.error(format!("table {} does not exist", name.name.as_str())))
    }
}

/// What is bound to the markers of a statement.
#[allow(dead_code, reason = "not every door speaks CQL")]
#[derive(Clone, Copy, Debug)]
pub(in crate::wide_column::cql) enum Given<'a> {
    Values(&'a [CqlValue]),
    /// In the form of the protocol: their types are those of what they are for.
    Serialized(&'a [SerializedValue]),
    /// Nothing yet: the statement is looked at, and what it asks for is noted.
    Asked(&'a RefCell<Asked>),
}

/// What was given for one marker.
#[derive(Clone, Copy, Debug)]
pub(super) enum AsIs<'a> {
    Value(&'a CqlValue),
    Serialized(&'a SerializedValue),
    /// Nothing: the statement is looked at.
    Asked,
}

impl Given<'_> {
    /// How many there are, if that can be wrong.
    pub(in crate::wide_column::cql) fn count(self) -> Option<usize> {
        match self {
            Self::Values(values) => Some(values.len()),
            Self::Serialized(values) => Some(values.len()),
            Self::Asked(_) => None,
        }
    }
}

/// A value in the form of the protocol.
#[allow(dead_code, reason = "not every door speaks CQL")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SerializedValue {
    Null,
    Unset,
    Bytes(Vec<u8>),
}

/// What a statement asks for.
#[derive(Clone, Debug, Default)]
pub(in crate::wide_column::cql) struct Asked {
    /// For each marker, as far as its type is known, what it is for and its type.
    pub(in crate::wide_column::cql) markers: Vec<Option<(String, CqlType)>>,
    /// The first table that it names, with its keyspace and name.
    pub(in crate::wide_column::cql) table: Option<((String, String), Definition)>,
}

/// Some of the rows of a query.
#[derive(Debug, Default)]
pub(in crate::wide_column::cql) struct Page {
    /// Rows at most.
    pub(in crate::wide_column::cql) rows: usize,
    /// Where the last one has ended.
    pub(in crate::wide_column::cql) behind: Option<Position>,
    /// Where this one has ended, when there may be more.
    pub(in crate::wide_column::cql) end: RefCell<Option<Position>>,
}

/// Some value of a type, which stands for those that will be given.
pub(super) fn sample(of: &CqlType) -> CqlValue {
    match of {
        CqlType::Ascii | CqlType::Text => CqlValue::Text("a".to_owned()),
        CqlType::Bigint => CqlValue::Bigint(1),
        CqlType::Blob => CqlValue::Blob(vec![1]),
        CqlType::Boolean => CqlValue::Boolean(true),
        CqlType::Counter => CqlValue::Counter(1),
        CqlType::Date => CqlValue::Date(1 << 31),
        CqlType::Decimal => CqlValue::Decimal(1.into()),
        CqlType::Double => CqlValue::Double(1.0),
        CqlType::Duration => CqlValue::Duration { months: 0, days: 1, nanoseconds: 0 },
        CqlType::Float => CqlValue::Float(1.0),
        CqlType::Inet => CqlValue::Inet(std::net::Ipv4Addr::LOCALHOST.into()),
        CqlType::Int => CqlValue::Int(1),
        CqlType::Smallint => CqlValue::Smallint(1),
        CqlType::Time => CqlValue::Time(0),
        CqlType::Timestamp => CqlValue::Timestamp(0),
        CqlType::Timeuuid | CqlType::Uuid => {
            CqlValue::Uuid(uuid::Uuid::from_u128(0x0000_0000_0000_1000_8000_0000_0000_0000))
        }
        CqlType::Tinyint => CqlValue::Tinyint(1),
        CqlType::Varint => CqlValue::Varint(1.into()),
        CqlType::List(element) => CqlValue::List(vec![sample(element)]),
        CqlType::Set(element) => CqlValue::Set(vec![sample(element)]),
        CqlType::Map(both) => CqlValue::Map(vec![(sample(&both.0), sample(&both.1))]),
        CqlType::Tuple(fields) => CqlValue::Tuple(fields.iter().map(sample).collect()),
        CqlType::Udt(udt) => CqlValue::Udt(udt.fields().iter().map(|(name, of)| (name.clone(), sample(of))).collect()),
        CqlType::Vector(element, dimension) => CqlValue::Vector(vec![sample(element); usize::from(*dimension)]),
        CqlType::Frozen(inner) => sample(inner),
    }
}

/// An error of class *Invalid*.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Exception::Invalid.error(message)
}

/// The position of the column `name`, and the column.
///
/// # Errors
/// Cassandra's, when there is none.
pub(super) fn column<'t>(table: &'t TableRecord, label: &str, name: &Name) -> Result<(usize, &'t Column)> {
    let Some(at) = table.position(name.as_str()) else {
        return Err(invalid(format!("Undefined column name {} in table {label}", name.as_str())));
    };
    Ok((at, table.column(at)?))
}
