//! Which stored keys fulfil a key condition.

use std::ops::Bound;

use crate::engine::{Key as StoredKey, KeyRange};
use crate::error::Result;
use crate::item::condition::{KeyCondition, Test};
use crate::item::key::KeyRef;
use crate::item::layout::{Place, begin_partition, finish_partition, put_value};
use crate::item::schema::{KeyAttribute, KeySchema};
use crate::item::{ExpressionFault, ExpressionKind, Fault, KeyValue};

/// The stored keys that fulfil `condition`, among those that begin with `prefix` and continue with `keys`.
///
/// Every attribute of the partition key has to be equal to something. A leading run of the attributes of the sort key may
/// be, too, and the one behind it may be in a range.
///
/// # Errors
/// For what is no key condition on `keys`.
pub(super) fn of(condition: &KeyCondition, keys: &KeySchema, mut prefix: Vec<u8>) -> Result<KeyRange> {
    let tests = Tests::new(condition, keys)?;
    let start = begin_partition(&mut prefix);
    for attribute in &keys.partition {
        match tests.on(attribute) {
            Some(Test::Eq(value)) => put(&mut prefix, attribute, Place::Partition, value)?,
            Some(_) => return Err(Fault::KeyConditionUnsupported.into_error()),
            None => return Err(Fault::KeyConditionMissing(attribute.name.clone()).into_error()),
        }
    }
    finish_partition(&mut prefix, start);
    let mut tested = keys.sort.iter().map(|attribute| (attribute, tests.on(attribute)));
    let range = loop {
        match tested.next() {
            Some((attribute, Some(Test::Eq(value)))) => put(&mut prefix, attribute, Place::Sort, value)?,
            Some((attribute, Some(test))) => break range(test, attribute, &prefix)?,
            Some((_, None)) | None => break KeyRange::prefix(&prefix),
        }
    };
    // What comes behind a range, or behind an attribute without a condition, is in no order that could be looked up.
    match tested.find(|(_, test)| test.is_some()) {
        Some(_) => Err(Fault::KeyConditionUnsupported.into_error()),
        None => Ok(range),
    }
}

/// The tests of a condition, one for each attribute.
struct Tests<'a>(Vec<(&'a str, &'a Test)>);

impl<'a> Tests<'a> {
    fn new(condition: &'a KeyCondition, keys: &KeySchema) -> Result<Self> {
        let mut tests: Vec<(&str, &Test)> = Vec::new();
        for (name, test) in &condition.tests {
            if tests.iter().any(|(other, _)| other == name) {
                let (kind, problem) = (ExpressionKind::KeyCondition, ExpressionFault::TwoConditionsOnKey);
                return Err(Fault::expression(kind, problem).into_error());
            }
            tests.push((name, test));
        }
        let on_partition = |attribute: &&KeyAttribute| !tests.iter().any(|(name, _)| *name == attribute.name);
        if let Some(missing) = keys.partition.iter().find(on_partition) {
            return Err(Fault::KeyConditionMissing(missing.name.clone()).into_error());
        }
        if let Some((_, _)) = tests.iter().find(|(name, _)| !keys.has(name)) {
            let expected = keys.sort.first().or(keys.partition.first()).map_or(String::new(), |key| key.name.clone());
            let (found, max) = (tests.len(), keys.len());
            return Err(if found > max {
                Fault::KeyConditionCount { found, max }.into_error()
            } else {
                Fault::KeyConditionMissing(expected).into_error()
            });
        }
        Ok(Self(tests))
    }

    fn on(&self, attribute: &KeyAttribute) -> Option<&'a Test> {
        self.0.iter().find(|(name, _)| *name == attribute.name).map(|(_, test)| *test)
    }
}

/// The stored keys that begin with `partition` and continue with a value of `attribute` that passes `test`.
fn range(test: &Test, attribute: &KeyAttribute, partition: &[u8]) -> Result<KeyRange> {
    let all = KeyRange::prefix(partition);
    // Keys of equal sort key values differ behind them in an index, so that "after" a value means after its prefix.
    let with = |value: &KeyValue| field(partition, attribute, value).map(|key| KeyRange::prefix(&key));
    Ok(match test {
        Test::Eq(value) => with(value)?,
        Test::Lt(value) => all.clamp(Bound::Unbounded, before(&with(value)?)),
        Test::Le(value) => all.clamp(Bound::Unbounded, with(value)?.end().clone()),
        Test::Gt(value) => all.clamp(after(&with(value)?), Bound::Unbounded),
        Test::Ge(value) => all.clamp(with(value)?.start().clone(), Bound::Unbounded),
        Test::Between(low, high) => {
            let (low, high) = (field(partition, attribute, low)?, field(partition, attribute, high)?);
            if low > high {
                return Err(Fault::KeyConditionBounds.into_error());
            }
            all.clamp(KeyRange::prefix(&low).start().clone(), KeyRange::prefix(&high).end().clone())
        }
        Test::BeginsWith(value) => {
            if let KeyRef::N(_) = value.as_ref() {
                return Err(Fault::KeyConditionType.into_error());
            }
            let mut prefix = field(partition, attribute, value)?;
            // Without its terminator, an escaped string is a prefix of exactly the strings that begin with it.
            prefix.truncate(prefix.len().saturating_sub(2));
            KeyRange::prefix(&prefix)
        }
    })
}

/// The key that begins with `partition` and continues with `value`.
fn field(partition: &[u8], attribute: &KeyAttribute, value: &KeyValue) -> Result<Vec<u8>> {
    let mut key = partition.to_vec();
    put(&mut key, attribute, Place::Sort, value)?;
    Ok(key)
}

fn put(out: &mut Vec<u8>, attribute: &KeyAttribute, place: Place, value: &KeyValue) -> Result<()> {
    let value = value.as_ref();
    if value.key_type() != attribute.key_type {
        return Err(Fault::KeyConditionType.into_error());
    }
    put_value(out, attribute, place, value)
}

/// The end of what lies before `range`.
fn before(range: &KeyRange) -> Bound<StoredKey> {
    flip(range.start())
}

/// The start of what lies after `range`.
fn after(range: &KeyRange) -> Bound<StoredKey> {
    flip(range.end())
}

fn flip(bound: &Bound<StoredKey>) -> Bound<StoredKey> {
    match bound {
        Bound::Included(key) => Bound::Excluded(key.clone()),
        Bound::Excluded(key) => Bound::Included(key.clone()),
        Bound::Unbounded => Bound::Unbounded,
    }
}
