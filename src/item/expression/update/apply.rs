//! Updates applied: from an item as it is stored to the item as it will be.
//!
//! Every value is made of the item as it was, before any is written. What is wrong is found in the order of the service:
//! places that cannot be written to because something else is there; values of wrong types; then, clause by clause from
//! the last, places that are not there and attributes that are read and are not there; numbers out of range at last.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::item::expression::projection::Parts;
use crate::item::expression::tree::Sign;
use crate::item::expression::update::{Action, Change, SetOperand, SetValue, Update};
use crate::item::record::{Content, RecordRef, ValueRef, encode};
use crate::item::{AttributeValue, Fault, Item, LegacyFault, Number, Path, PathElement};

/// What an update makes of an item.
#[derive(Debug, PartialEq)]
pub(crate) struct Updated {
    /// The item as it will be.
    pub(crate) item: Item,
    /// What was written, where it was written; no attributes when nothing but removals took place: what `UPDATED_NEW`
    /// returns.
    pub(crate) written: Item,
}

/// What is done at a path.
struct Write {
    path: Path,
    /// `None` removes what is there.
    value: Option<AttributeValue>,
}

/// Why a value cannot be made.
enum Obstacle {
    Type,
    Missing,
    Number(Fault),
    Stored(Error),
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Stored(error)
    }
}

impl Update {
    /// Applies the update to the item of `record`: where there is none, to one of the attributes of `key` alone.
    ///
    /// # Errors
    /// [`Fault::UpdateOperandType`], [`Fault::UpdateOperandMissing`] and [`Fault::UpdatePath`] when the item is not as the
    /// update needs it; a fault of numbers when a sum is none that can be stored.
    pub(crate) fn apply(&self, record: Option<RecordRef<'_>>, key: &Item) -> Result<Updated> {
        let stored;
        let record = if let Some(record) = record {
            record
        } else {
            stored = encode(key)?;
            RecordRef::new(&stored)?
        };
        let writes = self.writes(record)?;
        let mut written = Parts::default();
        for write in &writes {
            if let Some(value) = &write.value {
                written.put(&write.path, value.clone());
            }
        }
        let mut item = record.to_item()?;
        write_all(&mut item, writes);
        Ok(Updated { item, written: written.into_item() })
    }

    /// The values of the item of `record` at the paths that are written: what `UPDATED_OLD` returns.
    ///
    /// # Errors
    /// [`Error::Corruption`] for what is no record, as far as it is read.
    pub(crate) fn written_before(&self, record: RecordRef<'_>) -> Result<Item> {
        let mut parts = Parts::default();
        for path in self.paths() {
            if let Some(value) = record.at(path)? {
                parts.put(path, value.to_value(path.inside().len())?);
            }
        }
        Ok(parts.into_item())
    }

    fn writes(&self, record: RecordRef<'_>) -> Result<Vec<Write>> {
        let places = self.actions.iter().map(|action| Place::find(&action.path, record)).collect::<Result<Vec<_>>>()?;
        if places.contains(&Place::Occupied) {
            return Err(Fault::UpdatePath.into_error());
        }
        let mut values = Vec::new();
        for (action, place) in self.actions.iter().zip(&places) {
            match action.change.value(action, *place, record) {
                Err(Obstacle::Type) => return Err(self.wrong_type()),
                Err(Obstacle::Stored(error)) => return Err(error),
                value => values.push(value),
            }
        }
        let last = self.actions.last().map_or(0, |action| action.section);
        for section in (0..=last).rev() {
            let of_section = || (0..self.actions.len()).filter(|at| self.section_of(*at) == Some(section));
            if of_section().any(|at| places.get(at) == Some(&Place::Absent)) {
                return Err(Fault::UpdatePath.into_error());
            }
            if of_section().any(|at| matches!(values.get(at), Some(Err(Obstacle::Missing)))) {
                return Err(Fault::UpdateOperandMissing.into_error());
            }
        }
        let mut writes = Vec::new();
        for (action, value) in self.actions.iter().zip(values) {
            match value {
                Ok(Outcome::Write(value)) => writes.push(Write { path: action.path.clone(), value }),
                Ok(Outcome::Nothing) => {}
                Err(Obstacle::Number(fault)) => return Err(fault.into_error()),
                Err(_) => return Err(Fault::UpdateOperandMissing.into_error()),
            }
        }
        Ok(writes)
    }

    fn section_of(&self, action: usize) -> Option<usize> {
        self.actions.get(action).map(|action| action.section)
    }

    fn wrong_type(&self) -> Error {
        if self.is_legacy { LegacyFault::UpdateType.into_error() } else { Fault::UpdateOperandType.into_error() }
    }
}

/// Whether a path can be written to.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    There,
    /// What it leads through is not there.
    Absent,
    /// What it leads into is neither a map for a name nor a list for an index.
    Occupied,
}

impl Place {
    fn find(path: &Path, record: RecordRef<'_>) -> Result<Self> {
        let Some((last, through)) = path.inside().split_last() else { return Ok(Self::There) };
        let mut parent = record.get(path.attribute())?;
        for element in through {
            let Some(value) = parent else { return Ok(Self::Absent) };
            parent = value.inside(element)?;
        }
        let Some(parent) = parent else { return Ok(Self::Absent) };
        Ok(match (parent.content()?, last) {
            (Content::M(_), PathElement::Name(_)) | (Content::L(_), PathElement::Index(_)) => Self::There,
            _ => Self::Occupied,
        })
    }
}

/// What comes of an action.
enum Outcome {
    Write(Option<AttributeValue>),
    Nothing,
}

impl Change {
    fn value(&self, action: &Action, place: Place, record: RecordRef<'_>) -> Result<Outcome, Obstacle> {
        let current = |levels: usize| -> Result<Option<AttributeValue>, Obstacle> {
            let found = if place == Place::There { record.at(&action.path)? } else { None };
            Ok(found.map(|found| found.to_value(levels)).transpose()?)
        };
        let levels = action.path.inside().len();
        Ok(match self {
            Self::Set(value) => Outcome::Write(Some(value.of(record)?)),
            Self::Remove => Outcome::Write(None),
            Self::Add(added) => Outcome::Write(Some(match current(levels)? {
                None => added.clone(),
                Some(current) => add(current, added)?,
            })),
            Self::Delete(removed) => match current(levels)? {
                None => Outcome::Nothing,
                Some(current) => Outcome::Write(without(current, removed)?),
            },
        })
    }
}

impl SetValue {
    fn of(&self, record: RecordRef<'_>) -> Result<AttributeValue, Obstacle> {
        match self {
            Self::Operand(operand) => operand.of(record),
            Self::Sum(sign, one, other) => {
                let (one, other) = (number(&one.of(record)?)?, number(&other.of(record)?)?);
                let sum = match sign {
                    Sign::Plus => one.checked_add(other),
                    Sign::Minus => one.checked_sub(other),
                };
                sum.map(AttributeValue::N).map_err(Obstacle::Number)
            }
        }
    }
}

impl SetOperand {
    fn of(&self, record: RecordRef<'_>) -> Result<AttributeValue, Obstacle> {
        let at = |path: &Path| -> Result<Option<AttributeValue>, Obstacle> {
            let found: Option<ValueRef<'_>> = record.at(path)?;
            Ok(found.map(|found| found.to_value(path.inside().len())).transpose()?)
        };
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => at(path)?.ok_or(Obstacle::Missing),
            Self::IfNotExists(path, otherwise) => at(path)?.map_or_else(|| otherwise.of(record), Ok),
            Self::ListAppend(one, other) => {
                let AttributeValue::L(mut list) = one.of(record)? else { return Err(Obstacle::Type) };
                let AttributeValue::L(appended) = other.of(record)? else { return Err(Obstacle::Type) };
                list.extend(appended);
                Ok(AttributeValue::L(list))
            }
        }
    }
}

fn number(value: &AttributeValue) -> Result<Number, Obstacle> {
    value.as_n().copied().ok_or(Obstacle::Type)
}

/// The sum of numbers, the elements of both sets, or a list and what is appended to it.
fn add(current: AttributeValue, added: &AttributeValue) -> Result<AttributeValue, Obstacle> {
    Ok(match (current, added) {
        (AttributeValue::N(current), AttributeValue::N(added)) => {
            AttributeValue::N(current.checked_add(*added).map_err(Obstacle::Number)?)
        }
        (AttributeValue::Ss(current), AttributeValue::Ss(added)) => AttributeValue::Ss(current.union(added.clone())),
        (AttributeValue::Ns(current), AttributeValue::Ns(added)) => AttributeValue::Ns(current.union(added.clone())),
        (AttributeValue::Bs(current), AttributeValue::Bs(added)) => AttributeValue::Bs(current.union(added.clone())),
        (AttributeValue::L(mut current), AttributeValue::L(added)) => {
            current.extend(added.iter().cloned());
            AttributeValue::L(current)
        }
        _ => return Err(Obstacle::Type),
    })
}

/// The elements of a set that are not removed; `None` when there are none.
fn without(current: AttributeValue, removed: &AttributeValue) -> Result<Option<AttributeValue>, Obstacle> {
    Ok(match (current, removed) {
        (AttributeValue::Ss(current), AttributeValue::Ss(removed)) => {
            current.difference(removed).map(AttributeValue::Ss)
        }
        (AttributeValue::Ns(current), AttributeValue::Ns(removed)) => {
            current.difference(removed).map(AttributeValue::Ns)
        }
        (AttributeValue::Bs(current), AttributeValue::Bs(removed)) => {
            current.difference(removed).map(AttributeValue::Bs)
        }
        _ => return Err(Obstacle::Type),
    })
}

/// What is written to elements of a list.
type Elements = Vec<(usize, Option<AttributeValue>)>;

/// Writes what was made. Indexes of lists are those of the item as it was: elements past its end are appended in the
/// order of their indexes, and removed ones leave together.
fn write_all(item: &mut Item, writes: Vec<Write>) {
    let mut lists: BTreeMap<(&str, &[PathElement]), Elements> = BTreeMap::new();
    let (paths, values): (Vec<_>, Vec<_>) = writes.into_iter().map(|write| (write.path, write.value)).unzip();
    for (path, value) in paths.iter().zip(values) {
        match path.inside().split_last() {
            None => match value {
                Some(value) => drop(item.insert(path.attribute(), value)),
                None => drop(item.remove(path.attribute())),
            },
            Some((PathElement::Name(name), through)) => {
                if let Some(AttributeValue::M(map)) = inside(item, path.attribute(), through) {
                    match value {
                        Some(value) => drop(map.insert(name, value)),
                        None => drop(map.remove(name)),
                    }
                }
            }
            Some((PathElement::Index(index), through)) => {
                let index = usize::try_from(*index).unwrap_or(usize::MAX);
                lists.entry((path.attribute(), through)).or_default().push((index, value));
            }
        }
    }
    // Inner lists first, because removing elements of an outer one moves them.
    let mut lists: Vec<_> = lists.into_iter().collect();
    lists.sort_by_key(|((_, through), _)| std::cmp::Reverse(through.len()));
    for ((attribute, through), changes) in lists {
        if let Some(AttributeValue::L(list)) = inside(item, attribute, through) {
            write_list(list, changes);
        }
    }
}

fn write_list(list: &mut Vec<AttributeValue>, mut changes: Vec<(usize, Option<AttributeValue>)>) {
    changes.sort_by_key(|(index, _)| *index);
    let mut places: Vec<Option<AttributeValue>> = std::mem::take(list).into_iter().map(Some).collect();
    for (index, value) in changes {
        match places.get_mut(index) {
            Some(place) => *place = value,
            None if value.is_some() => places.push(value),
            None => {}
        }
    }
    list.extend(places.into_iter().flatten());
}

/// What a path leads to in an item.
fn inside<'i>(item: &'i mut Item, attribute: &str, through: &[PathElement]) -> Option<&'i mut AttributeValue> {
    through.iter().try_fold(item.get_mut(attribute)?, |value, element| match (value, element) {
        (AttributeValue::M(map), PathElement::Name(name)) => map.get_mut(name),
        (AttributeValue::L(list), PathElement::Index(index)) => list.get_mut(usize::try_from(*index).ok()?),
        _ => None,
    })
}
