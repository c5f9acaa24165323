//! Conditions: what they are, and whether they hold.

use std::sync::Arc;

use crate::error::Result;
use crate::item::expression::token::Comparator;
use crate::item::record::{Content, RecordRef, ValueRef, encode_value};
use crate::item::{AttributeValue, Number, Path, TypeName};

/// A condition on an item: of a write, or of what a query returns.
///
/// Made of text, of typed parts by [`path`](crate::item::path), or of the parameters from before there were expressions;
/// all make the same.
///
/// # Examples
/// ```
/// use larder::item::path;
/// let open = path("status").eq("open").and(path("attempts").lt(3).or(path("attempts").not_exists()));
/// # let _ = open;
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Condition and filter expressions, operators, and functions*.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub(in crate::item) node: Test,
}

/// A condition's parts.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::item) enum Test {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(Comparator, Operand, Operand),
    /// Operand, lower bound, upper bound.
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    IsType(Path, TypeName),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::item) enum Operand {
    Path(Path),
    Value(Constant),
    Size(Box<Self>),
    /// A value that nests too deeply, of a condition that has not been checked yet.
    TooDeep,
}

/// A value of the request, in its stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::item) struct Constant(Arc<[u8]>);

impl Constant {
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when it nests too deeply.
    pub(super) fn new(value: &AttributeValue) -> Result<Self> {
        encode_value(value).map(|stored| Self(stored.into()))
    }

    pub(super) fn as_ref(&self) -> ValueRef<'_> {
        ValueRef::of(&self.0)
    }

    /// Whether both have the same type, and this one comes before `other`.
    pub(super) fn is_below(&self, other: &Self) -> Result<bool> {
        compare(Comparator::Less, Some(Found::Stored(self.as_ref())), Some(Found::Stored(other.as_ref())))
    }

    pub(in crate::item) fn to_value(&self) -> Result<AttributeValue> {
        self.as_ref().to_value(0)
    }
}

/// An operand's value for one item.
#[derive(Clone, Copy, Debug)]
enum Found<'a> {
    Stored(ValueRef<'a>),
    Size(Number),
}

/// A value that has an order.
#[derive(PartialEq, PartialOrd)]
enum Ordered<'a> {
    N(Number),
    S(&'a [u8]),
    B(&'a [u8]),
}

impl<'a> Found<'a> {
    fn ordered(self) -> Result<Option<Ordered<'a>>> {
        let Self::Stored(value) = self else {
            let Self::Size(number) = self else { return Ok(None) };
            return Ok(Some(Ordered::N(number)));
        };
        match value.type_name()? {
            TypeName::S => Ok(value.text()?.map(Ordered::S)),
            TypeName::B => Ok(value.text()?.map(Ordered::B)),
            TypeName::N => match value.content()? {
                Content::N(number) => Ok(Some(Ordered::N(number))),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn equals(self, other: Self) -> Result<bool> {
        match (self, other) {
            // A value has one stored form.
            (Self::Stored(one), Self::Stored(other)) => Ok(one == other),
            _ => Ok(matches!((self.ordered()?, other.ordered()?), (Some(one), Some(other)) if one == other)),
        }
    }

    /// How both compare; `None` when they are of different types, or of one that has no order.
    fn compare(self, other: Self) -> Result<Option<std::cmp::Ordering>> {
        let (Some(one), Some(other)) = (self.ordered()?, other.ordered()?) else { return Ok(None) };
        let is_same_type = std::mem::discriminant(&one) == std::mem::discriminant(&other);
        Ok(one.partial_cmp(&other).filter(|_| is_same_type))
    }
}

impl From<Test> for Condition {
    fn from(node: Test) -> Self {
        Self { node }
    }
}

impl Condition {
    /// Whether it holds for the item of `record`; where there is no item, of [`RecordRef::EMPTY`].
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) for what is no record, as far as it is read.
    pub(crate) fn holds(&self, record: RecordRef<'_>) -> Result<bool> {
        self.node.holds(record)
    }

    /// Both conditions, if both are there.
    pub(in crate::item) fn all(conditions: impl IntoIterator<Item = Self>) -> Option<Self> {
        conditions.into_iter().reduce(Self::and)
    }

    /// Every path that it names.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.node.collect_paths(&mut paths);
        paths
    }
}

impl Test {
    fn holds(&self, record: RecordRef<'_>) -> Result<bool> {
        Ok(match self {
            Self::And(conditions) => {
                for condition in conditions {
                    if !condition.holds(record)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(conditions) => {
                for condition in conditions {
                    if condition.holds(record)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(condition) => !condition.holds(record)?,
            Self::Compare(comparator, one, other) => compare(*comparator, one.find(record)?, other.find(record)?)?,
            Self::Between(operand, lower, upper) => {
                let (operand, upper) = (operand.find(record)?, upper.find(record)?);
                compare(Comparator::GreaterOrEqual, operand, lower.find(record)?)?
                    && compare(Comparator::LessOrEqual, operand, upper)?
            }
            Self::In(operand, candidates) => {
                let operand = operand.find(record)?;
                for candidate in candidates {
                    if compare(Comparator::Equal, operand, candidate.find(record)?)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Exists(path) => record.at(path)?.is_some(),
            Self::NotExists(path) => record.at(path)?.is_none(),
            Self::IsType(path, expected) => match record.at(path)? {
                Some(found) => found.type_name()? == *expected,
                None => false,
            },
            Self::BeginsWith(operand, prefix) => match (operand.find(record)?, prefix.find(record)?) {
                (Some(Found::Stored(operand)), Some(Found::Stored(prefix))) => begins_with(operand, prefix)?,
                _ => false,
            },
            Self::Contains(operand, part) => match (operand.find(record)?, part.find(record)?) {
                (Some(Found::Stored(operand)), Some(part)) => contains(operand, part)?,
                _ => false,
            },
        })
    }

    fn collect_paths<'c>(&'c self, paths: &mut Vec<&'c Path>) {
        match self {
            Self::And(conditions) | Self::Or(conditions) => {
                for condition in conditions {
                    condition.collect_paths(paths);
                }
            }
            Self::Not(condition) => condition.collect_paths(paths),
            Self::Exists(path) | Self::NotExists(path) | Self::IsType(path, _) => paths.push(path),
            Self::Compare(_, one, other) | Self::BeginsWith(one, other) | Self::Contains(one, other) => {
                paths.extend(one.path().into_iter().chain(other.path()));
            }
            Self::Between(operand, lower, upper) => {
                paths.extend([operand, lower, upper].into_iter().filter_map(Operand::path));
            }
            Self::In(operand, candidates) => {
                paths.extend([operand].into_iter().chain(candidates).filter_map(Operand::path));
            }
        }
    }
}

impl Operand {
    pub(in crate::item) fn constant(value: &AttributeValue) -> Self {
        Constant::new(value).map_or(Self::TooDeep, Self::Value)
    }

    fn find<'a>(&'a self, record: RecordRef<'a>) -> Result<Option<Found<'a>>> {
        match self {
            Self::Path(path) => Ok(record.at(path)?.map(Found::Stored)),
            Self::Value(constant) => Ok(Some(Found::Stored(constant.as_ref()))),
            Self::Size(operand) => match operand.find(record)? {
                Some(Found::Stored(value)) => Ok(size(value)?.map(Found::Size)),
                _ => Ok(None),
            },
            Self::TooDeep => Ok(None),
        }
    }

    /// Whether both are values of one type, and this one comes behind `other`.
    pub(in crate::item) fn is_constant_above(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Value(one), Self::Value(other)) if other.is_below(one).unwrap_or(false))
    }

    /// The path that it is about.
    pub(in crate::item) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Value(_) | Self::TooDeep => None,
            Self::Size(operand) => operand.path(),
        }
    }
}

fn compare(comparator: Comparator, one: Option<Found<'_>>, other: Option<Found<'_>>) -> Result<bool> {
    let (Some(one), Some(other)) = (one, other) else { return Ok(comparator == Comparator::NotEqual) };
    Ok(match comparator {
        Comparator::Equal => one.equals(other)?,
        Comparator::NotEqual => !one.equals(other)?,
        Comparator::Less => one.compare(other)?.is_some_and(std::cmp::Ordering::is_lt),
        Comparator::LessOrEqual => one.compare(other)?.is_some_and(std::cmp::Ordering::is_le),
        Comparator::Greater => one.compare(other)?.is_some_and(std::cmp::Ordering::is_gt),
        Comparator::GreaterOrEqual => one.compare(other)?.is_some_and(std::cmp::Ordering::is_ge),
    })
}

fn begins_with(operand: ValueRef<'_>, prefix: ValueRef<'_>) -> Result<bool> {
    if operand.type_name()? != prefix.type_name()? {
        return Ok(false);
    }
    Ok(matches!((operand.text()?, prefix.text()?), (Some(text), Some(prefix)) if text.starts_with(prefix)))
}

/// Whether a string or binary has a part, or a set or list an element.
fn contains(operand: ValueRef<'_>, part: Found<'_>) -> Result<bool> {
    if let Content::L(elements) = operand.content()? {
        for element in elements {
            if Found::Stored(element?).equals(part)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match (operand.content()?, part.ordered()?) {
        (Content::S(text), Some(Ordered::S(part))) => {
            Ok(std::str::from_utf8(part).is_ok_and(|part| text.contains(part)))
        }
        (Content::B(bytes), Some(Ordered::B(part))) => Ok(has_run(bytes, part)),
        (Content::Ss(members), Some(Ordered::S(part))) | (Content::Bs(members), Some(Ordered::B(part))) => {
            for member in members.bytes() {
                if member? == part {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Content::Ns(members), Some(Ordered::N(part))) => {
            for member in members.numbers() {
                if member? == part {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// Whether `bytes` has `run` in it, in time linear in both (Knuth, Morris and Pratt), as the request chooses both.
fn has_run(bytes: &[u8], run: &[u8]) -> bool {
    // How much of `run` is matched after this many of its bytes and one that does not match.
    let mut borders = vec![0usize; run.len()];
    let advance = |borders: &[usize], mut matched: usize, byte: u8| {
        loop {
            if run.get(matched) == Some(&byte) {
                return matched + 1;
            }
            let Some(&border) = matched.checked_sub(1).and_then(|last| borders.get(last)) else { return 0 };
            matched = border;
        }
    };
    let mut border = 0;
    for (place, byte) in run.iter().enumerate().skip(1) {
        border = advance(&borders, border, *byte);
        if let Some(slot) = borders.get_mut(place) {
            *slot = border;
        }
    }
    let mut matched = 0;
    run.is_empty()
        || bytes.iter().any(|byte| {
            matched = advance(&borders, matched, *byte);
            matched == run.len()
        })
}

/// What the function `size` returns: UTF-16 units of a string, bytes, or elements.
fn size(value: ValueRef<'_>) -> Result<Option<Number>> {
    let size = match value.content()? {
        Content::S(text) => text.encode_utf16().count(),
        Content::B(bytes) => bytes.len(),
        Content::M(entries) => entries.len(),
        Content::L(elements) => elements.len(),
        Content::Ss(members) | Content::Ns(members) | Content::Bs(members) => members.len(),
        Content::N(_) | Content::Bool(_) | Content::Null => return Ok(None),
    };
    Ok(u64::try_from(size).ok().map(Number::from))
}
