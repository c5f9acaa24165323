//! Looking at records where they are stored.

use crate::error::Result;
use crate::item::path::{Path, PathElement};
use crate::item::record::cursor::{Cursor, ValueRef};
use crate::item::record::sequence::{Elements, Entries, Members};
use crate::item::record::{B, BS, FALSE, FORMAT, L, M, N, NS, NULL, S, SS, TRUE, corrupt};
use crate::item::{Number, TypeName};

/// An item as it is stored. Attributes are found and passed over in place; what is looked at is checked then, and what
/// is not looked at costs nothing but its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordRef<'a> {
    /// What follows the format.
    pub(super) attributes: &'a [u8],
}

impl<'a> RecordRef<'a> {
    /// No attributes: what conditions see where there is no item.
    pub(crate) const EMPTY: RecordRef<'static> = RecordRef { attributes: &[0] };

    /// The record that `bytes` are.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when their format is unknown.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        match bytes.split_first() {
            Some((&FORMAT, attributes)) => Ok(Self { attributes }),
            _ => Err(corrupt("its format is unknown")),
        }
    }

    /// The attributes, by name.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption); as everything here.
    pub(crate) fn entries(&self) -> Result<Entries<'a>> {
        Entries::new(self.attributes)
    }

    /// The value of attribute `name`.
    pub(crate) fn get(&self, name: &str) -> Result<Option<ValueRef<'a>>> {
        find(self.attributes, name)
    }

    /// The value at `path`.
    ///
    /// # Cost
    /// O(attributes before it, and elements before it in lists and maps on the way), whatever their size.
    pub(crate) fn at(&self, path: &Path) -> Result<Option<ValueRef<'a>>> {
        let mut found = self.get(path.attribute())?;
        for element in path.inside() {
            let Some(value) = found else { return Ok(None) };
            found = value.inside(element)?;
        }
        Ok(found)
    }
}

impl<'a> ValueRef<'a> {
    /// The value that `encode_value` made `bytes` of.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The stored bytes: equal if and only if the values are.
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its type.
    pub(crate) fn type_name(&self) -> Result<TypeName> {
        Ok(match self.bytes.first() {
            Some(&S) => TypeName::S,
            Some(&N) => TypeName::N,
            Some(&B) => TypeName::B,
            Some(&(FALSE | TRUE)) => TypeName::Bool,
            Some(&NULL) => TypeName::Null,
            Some(&M) => TypeName::M,
            Some(&L) => TypeName::L,
            Some(&SS) => TypeName::Ss,
            Some(&NS) => TypeName::Ns,
            Some(&BS) => TypeName::Bs,
            _ => return Err(corrupt("a value has no type")),
        })
    }

    /// What the value is.
    pub(crate) fn content(&self) -> Result<Content<'a>> {
        let mut cursor = Cursor { rest: self.bytes };
        let content = match cursor.byte()? {
            S => Content::S(cursor.string()?),
            N => Content::N(cursor.number()?),
            B => Content::B(cursor.bytes()?),
            FALSE => Content::Bool(false),
            TRUE => Content::Bool(true),
            NULL => Content::Null,
            M => Content::M(Entries::new(cursor.bytes()?)?),
            L => Content::L(Elements::new(cursor.bytes()?)?),
            SS => Content::Ss(Members::new(cursor.bytes()?)?),
            NS => Content::Ns(Members::new(cursor.bytes()?)?),
            BS => Content::Bs(Members::new(cursor.bytes()?)?),
            other => return Err(corrupt(format!("type byte {other:02x}"))),
        };
        cursor.end()?;
        Ok(content)
    }

    /// The bytes of a string or binary, which are what orders it.
    pub(crate) fn text(&self) -> Result<Option<&'a [u8]>> {
        let mut cursor = Cursor { rest: self.bytes };
        match cursor.byte()? {
            S | B => cursor.bytes().map(Some),
            _ => Ok(None),
        }
    }

    /// The value that a step of a path leads to.
    pub(crate) fn inside(&self, element: &PathElement) -> Result<Option<ValueRef<'a>>> {
        let mut cursor = Cursor { rest: self.bytes };
        match (cursor.byte()?, element) {
            (M, PathElement::Name(name)) => find(cursor.bytes()?, name),
            (L, PathElement::Index(index)) => match usize::try_from(*index) {
                Ok(index) => Elements::new(cursor.bytes()?)?.nth(index).transpose(),
                Err(_) => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// What a stored value is; lists, maps and sets are iterators over what is inside them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    S(&'a str),
    N(Number),
    B(&'a [u8]),
    Bool(bool),
    Null,
    M(Entries<'a>),
    L(Elements<'a>),
    Ss(Members<'a>),
    Ns(Members<'a>),
    Bs(Members<'a>),
}

/// The entry `name` of a map. Names ascend, so that the search ends at the first that is larger.
fn find<'a>(map: &'a [u8], name: &str) -> Result<Option<ValueRef<'a>>> {
    let mut cursor = Cursor { rest: map };
    for _ in 0..cursor.length()? {
        match cursor.bytes()?.cmp(name.as_bytes()) {
            std::cmp::Ordering::Less => drop(cursor.value()?),
            std::cmp::Ordering::Equal => return cursor.value().map(Some),
            std::cmp::Ordering::Greater => return Ok(None),
        }
    }
    Ok(None)
}
