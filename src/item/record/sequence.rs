//! What is inside maps, lists and sets of a record, one after the other.

use crate::error::Result;
use crate::item::Number;
use crate::item::record::cursor::{Cursor, ValueRef};

/// A count, and as many things behind it.
#[derive(Clone, Copy, Debug)]
struct Sequence<'a> {
    left: usize,
    cursor: Cursor<'a>,
}

impl<'a> Sequence<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self> {
        let mut cursor = Cursor { rest: bytes };
        let left = cursor.length()?;
        Ok(Self { left, cursor })
    }

    /// The next thing. Behind the last, bytes that are left over are an error; behind an error there is nothing.
    fn step<T>(&mut self, take: impl FnOnce(&mut Cursor<'a>) -> Result<T>) -> Option<Result<T>> {
        let step = match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Some(take(&mut self.cursor))
            }
            None => self.cursor.end().err().map(Err),
        };
        if let Some(Err(_)) = step {
            *self = Self { left: 0, cursor: Cursor { rest: &[] } };
        }
        step
    }
}

/// The entries of a map, or the attributes of a record, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'a>(Sequence<'a>);

impl<'a> Entries<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        Sequence::new(bytes).map(Self)
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.0.left
    }
}

#[expect(clippy::copy_iterator, reason = "a value that is stored is cheap to copy, whatever its type")]
impl<'a> Iterator for Entries<'a> {
    type Item = Result<(&'a str, ValueRef<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step(|cursor| Ok((cursor.string()?, cursor.value()?)))
    }
}

/// The values of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a>(Sequence<'a>);

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        Sequence::new(bytes).map(Self)
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.0.left
    }
}

#[expect(clippy::copy_iterator, reason = "a value that is stored is cheap to copy, whatever its type")]
impl<'a> Iterator for Elements<'a> {
    type Item = Result<ValueRef<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step(Cursor::value)
    }
}

/// The elements of a set, smallest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members<'a>(Sequence<'a>);

impl<'a> Members<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        Sequence::new(bytes).map(Self)
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.0.left
    }

    /// The next one, when they are strings.
    pub(crate) fn next_string(&mut self) -> Option<Result<&'a str>> {
        self.0.step(Cursor::string)
    }

    /// The next one, when they are numbers.
    pub(crate) fn next_number(&mut self) -> Option<Result<Number>> {
        self.0.step(Cursor::number)
    }

    /// The next one, when they are strings or bytes.
    pub(crate) fn next_bytes(&mut self) -> Option<Result<&'a [u8]>> {
        self.0.step(Cursor::bytes)
    }

    /// They, when they are numbers.
    pub(crate) fn numbers(mut self) -> impl Iterator<Item = Result<Number>> {
        std::iter::from_fn(move || self.next_number())
    }

    /// They, when they are strings or bytes.
    pub(crate) fn bytes(mut self) -> impl Iterator<Item = Result<&'a [u8]>> {
        std::iter::from_fn(move || self.next_bytes())
    }
}
