//! Key conditions: which items of a partition a query reads.

use std::ops::Bound;

use crate::engine::{Key as StoredKey, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::item::KeyValue;
use crate::item::key::KeyRef;
use crate::item::layout::{Place, put_field};
use crate::item::schema::{KeyAttribute, KeySchema};

/// Begins a condition on the key attribute `name`.
///
/// # Examples
/// ```
/// use larder::item::key;
/// let condition = key("PK").eq("USER#7").and(key("SK").begins_with("EVENT#"));
/// # let _ = condition;
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Key condition expressions for the Query operation*.
#[doc(alias = "KeyConditionExpression")]
pub fn key(name: impl Into<String>) -> KeyName {
    KeyName(name.into())
}

/// A key attribute that a condition is about; see [`key`].
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", KeyType::S))?;
/// table.put(&Item::new().with("PK", "USER#7"))?;
/// let partition = key("PK");
/// assert_eq!(table.query(partition.eq("USER#7")).page()?.items.len(), 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a name is not a condition yet"]
pub struct KeyName(String);

impl KeyName {
    /// The attribute equals `value`. The partition key always has this condition.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// table.put(&Item::from([("PK", "USER#7")]))?;
    /// assert_eq!(table.query(key("PK").eq("USER#7")).page()?.items.len(), 1);
    /// assert_eq!(table.query(key("PK").eq("USER#8")).page()?.items.len(), 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn eq(self, value: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::Eq(value.into()))
    }

    /// The sort key is below `value`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::key;
    /// let condition = key("PK").eq("USER#7").and(key("SK").lt(5));
    /// # let _ = condition;
    /// ```
    pub fn lt(self, value: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::Lt(value.into()))
    }

    /// The sort key is `value` or below.
    ///
    /// # Examples
    /// ```
    /// use larder::item::key;
    /// let condition = key("PK").eq("USER#7").and(key("SK").le(5));
    /// # let _ = condition;
    /// ```
    pub fn le(self, value: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::Le(value.into()))
    }

    /// The sort key is above `value`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::key;
    /// let condition = key("PK").eq("USER#7").and(key("SK").gt(5));
    /// # let _ = condition;
    /// ```
    pub fn gt(self, value: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::Gt(value.into()))
    }

    /// The sort key is `value` or above.
    ///
    /// # Examples
    /// ```
    /// use larder::item::key;
    /// let condition = key("PK").eq("USER#7").and(key("SK").ge(5));
    /// # let _ = condition;
    /// ```
    pub fn ge(self, value: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::Ge(value.into()))
    }

    /// The sort key is from `low` to `high`, both included.
    ///
    /// # Examples
    /// ```
    /// use larder::item::key;
    /// let condition = key("PK").eq("USER#7").and(key("SK").between(5, 9));
    /// # let _ = condition;
    /// ```
    pub fn between(self, low: impl Into<KeyValue>, high: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::Between(low.into(), high.into()))
    }

    /// The sort key, a string or binary, begins with `prefix`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::S))?;
    /// table.put(&Item::from([("PK", "USER#7"), ("SK", "EVENT#1")]))?;
    /// table.put(&Item::from([("PK", "USER#7"), ("SK", "ORDER#1")]))?;
    /// let events = key("PK").eq("USER#7").and(key("SK").begins_with("EVENT#"));
    /// assert_eq!(table.query(events).page()?.items.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn begins_with(self, prefix: impl Into<KeyValue>) -> KeyCondition {
        self.test(Test::BeginsWith(prefix.into()))
    }

    fn test(self, test: Test) -> KeyCondition {
        KeyCondition { tests: vec![(self.0, test)] }
    }
}

/// A condition on the key attributes of a table or index, made with [`key`].
///
/// A query takes one `eq` on the partition key and at most one condition on the sort key, in either order. It is checked
/// when the query runs.
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
/// let condition = key("SK").gt(5).and(key("PK").eq("USER#7"));
/// assert!(table.query(condition).run().is_ok());
/// assert!(table.query(key("SK").gt(5)).run().is_err(), "the partition key has no condition");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until a query has it"]
pub struct KeyCondition {
    tests: Vec<(String, Test)>,
}

#[derive(Clone, Debug)]
enum Test {
    Eq(KeyValue),
    Lt(KeyValue),
    Le(KeyValue),
    Gt(KeyValue),
    Ge(KeyValue),
    Between(KeyValue, KeyValue),
    BeginsWith(KeyValue),
}

impl KeyCondition {
    /// This condition and `other`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// # for n in 0..3 {
    /// #     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// # }
    /// let condition = key("PK").eq("USER#7").and(key("SK").ge(1));
    /// assert_eq!(table.query(condition).page()?.items.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn and(mut self, other: KeyCondition) -> Self {
        self.tests.extend(other.tests);
        self
    }

    /// The stored keys that fulfil the condition, among those that begin with `prefix` and continue with `keys`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is not a key condition on `keys`.
    pub(super) fn range(&self, keys: &KeySchema, mut prefix: Vec<u8>) -> Result<KeyRange> {
        let (mut on_partition, mut on_sort) = (None, None);
        for (name, test) in &self.tests {
            let slot = if *name == keys.partition.name {
                &mut on_partition
            } else if keys.sort.as_ref().is_some_and(|sort| sort.name == *name) {
                &mut on_sort
            } else {
                return Err(invalid(format!("{name:?} is not a key attribute of what is queried")));
            };
            if slot.replace(test).is_some() {
                return Err(invalid(format!("there are two conditions on key attribute {name:?}")));
            }
        }
        let partition = &keys.partition;
        match on_partition {
            Some(Test::Eq(value)) => put_field(&mut prefix, partition, Place::Partition, value.as_ref())?,
            Some(_) => return Err(invalid(format!("partition key {:?} can only be tested with eq", partition.name))),
            None => return Err(invalid(format!("there is no condition on partition key {:?}", partition.name))),
        }
        match (&keys.sort, on_sort) {
            (Some(attribute), Some(test)) => test.range(attribute, &prefix),
            _ => Ok(KeyRange::prefix(&prefix)),
        }
    }
}

impl Test {
    /// The stored keys that begin with `partition` and continue with a value of `attribute` that passes.
    fn range(&self, attribute: &KeyAttribute, partition: &[u8]) -> Result<KeyRange> {
        let all = KeyRange::prefix(partition);
        // Keys of equal sort key values differ behind them in an index, so that "after" a value means after its prefix.
        let with = |value: &KeyValue| field(partition, attribute, value).map(|key| KeyRange::prefix(&key));
        Ok(match self {
            Self::Eq(value) => with(value)?,
            Self::Lt(value) => all.clamp(Bound::Unbounded, before(&with(value)?)),
            Self::Le(value) => all.clamp(Bound::Unbounded, with(value)?.end().clone()),
            Self::Gt(value) => all.clamp(after(&with(value)?), Bound::Unbounded),
            Self::Ge(value) => all.clamp(with(value)?.start().clone(), Bound::Unbounded),
            Self::Between(low, high) => {
                let (low, high) = (field(partition, attribute, low)?, field(partition, attribute, high)?);
                if low > high {
                    let message = format!("the bounds of between on {:?} are in the wrong order", attribute.name);
                    return Err(invalid(message));
                }
                all.clamp(KeyRange::prefix(&low).start().clone(), KeyRange::prefix(&high).end().clone())
            }
            Self::BeginsWith(value) => {
                if let KeyRef::N(_) = value.as_ref() {
                    let message = format!("begins_with on {:?} takes a string or binary, not a number", attribute.name);
                    return Err(Error::invalid(InvalidKind::Type, message));
                }
                let mut prefix = field(partition, attribute, value)?;
                // Without its terminator, an escaped string is a prefix of exactly the strings that begin with it.
                prefix.truncate(prefix.len().saturating_sub(2));
                KeyRange::prefix(&prefix)
            }
        })
    }
}

/// The key that begins with `partition` and continues with `value`.
fn field(partition: &[u8], attribute: &KeyAttribute, value: &KeyValue) -> Result<Vec<u8>> {
    let mut key = partition.to_vec();
    put_field(&mut key, attribute, Place::Sort, value.as_ref())?;
    Ok(key)
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

fn invalid(message: String) -> Error {
    Error::invalid(InvalidKind::Value, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{KeyType, TableSchema};

    fn range(condition: &KeyCondition, sort: KeyType) -> Result<KeyRange> {
        condition.range(&TableSchema::new("PK", KeyType::S).sort_key("SK", sort).keys, vec![0x30])
    }

    fn kind(condition: &KeyCondition, sort: KeyType) -> InvalidKind {
        match range(condition, sort) {
            Err(Error::Invalid { kind, .. }) => kind,
            other => panic!("{other:?}"),
        }
    }

    fn pk() -> KeyCondition {
        key("PK").eq("p")
    }

    #[test] // SEM: ITM-EXP-4
    fn the_two_conditions_come_in_either_order() {
        let sk = || key("SK").between("a", "b");
        assert_eq!(range(&pk().and(sk()), KeyType::S).unwrap(), range(&sk().and(pk()), KeyType::S).unwrap());
    }

    #[test] // SEM: ITM-EXP-4
    fn what_is_no_key_condition_is_refused() {
        for condition in [
            key("SK").eq("a"),
            key("PK").gt("p"),
            key("PK").begins_with("p"),
            pk().and(pk()),
            pk().and(key("SK").gt("a")).and(key("SK").lt("b")),
            pk().and(key("other").eq("a")),
            pk().and(key("SK").between("b", "a")),
            pk().and(key("SK").eq("")),
            key("PK").eq(""),
        ] {
            assert_eq!(kind(&condition, KeyType::S), InvalidKind::Value, "{condition:?}");
        }
    }

    #[test] // SEM: ITM-EXP-4
    fn a_value_of_another_type_and_a_numbers_beginning_are_refused() {
        assert_eq!(kind(&key("PK").eq(1), KeyType::S), InvalidKind::Type);
        assert_eq!(kind(&pk().and(key("SK").lt("a")), KeyType::N), InvalidKind::Type);
        assert_eq!(kind(&pk().and(key("SK").begins_with(1)), KeyType::N), InvalidKind::Type);
        assert_eq!(kind(&pk().and(key("SK").begins_with("1")), KeyType::N), InvalidKind::Type);
    }

    #[test]
    fn a_condition_on_a_sort_key_the_table_does_not_have_is_refused() {
        let keys = TableSchema::new("PK", KeyType::S).keys;
        assert!(pk().range(&keys, vec![0x30]).is_ok());
        assert!(pk().and(key("SK").eq("a")).range(&keys, vec![0x30]).is_err());
    }
}
