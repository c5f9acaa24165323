//! Key conditions: which items of a partition a query reads.

use crate::item::KeyValue;

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
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S))?;
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
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
/// let condition = key("SK").gt(5).and(key("PK").eq("USER#7"));
/// assert!(table.query(condition).run().is_ok());
/// assert!(table.query(key("SK").gt(5)).run().is_err(), "the partition key has no condition");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until a query has it"]
pub struct KeyCondition {
    pub(super) tests: Vec<(String, Test)>,
}

/// What a key attribute has to be.
#[derive(Clone, Debug)]
pub(super) enum Test {
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
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
}
