//! What a table is declared to be: its key attributes and its indexes.

use serde::{Deserialize, Serialize};

use crate::error::{Error, InvalidKind, Result};

/// Type of a key attribute.
///
/// # Examples
/// ```
/// use larder::item::ScalarAttributeType;
/// assert_eq!(ScalarAttributeType::S.to_string(), "S");
/// assert_eq!("N".parse::<ScalarAttributeType>()?, ScalarAttributeType::N);
/// assert!("BOOL".parse::<ScalarAttributeType>().is_err());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `AttributeDefinition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[doc(alias = "AttributeDefinition")]
pub enum ScalarAttributeType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

impl std::str::FromStr for ScalarAttributeType {
    type Err = Error;

    /// Reads what `Display` writes: `S`, `N` or `B`.
    fn from_str(text: &str) -> Result<Self> {
        let found = [Self::S, Self::N, Self::B].into_iter().find(|key_type| key_type.to_string() == text);
        found.ok_or_else(|| invalid(format!("{text:?} is no type of a key attribute: S, N or B")))
    }
}

impl std::fmt::Display for ScalarAttributeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        })
    }
}

/// The attributes an index shows of an item, besides the key attributes of index and table, which it always does.
///
/// # Examples
/// ```
/// use larder::item::Projection;
/// assert_eq!(Projection::default(), Projection::All);
/// let _some = Projection::Include(vec!["title".into()]);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Projection`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Projection {
    /// Every attribute.
    #[default]
    All,
    /// None besides the keys.
    KeysOnly,
    /// These attributes.
    Include(Vec<String>),
}

/// A key attribute's name and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    pub(super) key_type: ScalarAttributeType,
}

/// The key attributes of a table or an index. A table has one partition attribute and at most one sort attribute, an index
/// up to four of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeySchema {
    pub(super) partition: Vec<KeyAttribute>,
    pub(super) sort: Vec<KeyAttribute>,
}

impl KeySchema {
    fn new(name: String, key_type: ScalarAttributeType) -> Self {
        Self { partition: vec![KeyAttribute { name, key_type }], sort: Vec::new() }
    }

    /// The partition attributes and then the sort attributes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(&self.sort)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// How many attributes there are.
    pub(super) fn len(&self) -> usize {
        self.partition.len() + self.sort.len()
    }
}

/// A global secondary index: the items that have its key attributes, in the order of that key.
///
/// Its keys need not be unique; items with equal index keys come in the order of their table keys.
///
/// # Examples
/// ```
/// use larder::item::{GlobalIndex, ScalarAttributeType, Projection};
/// let by_status = GlobalIndex::new("by-status", "status", ScalarAttributeType::S)
///     .sort_key("created", ScalarAttributeType::N)
///     .projection(Projection::KeysOnly);
/// assert_eq!(by_status.name(), "by-status");
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Global secondary indexes*.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias("GlobalSecondaryIndex", "GSI"))]
pub struct GlobalIndex {
    pub(super) name: String,
    pub(super) keys: KeySchema,
    pub(super) projection: Projection,
    pub(super) throughput: Option<(i64, i64)>,
}

impl GlobalIndex {
    /// An index `name` with the partition key `attribute`, projecting every attribute.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{GlobalIndex, ScalarAttributeType, Projection};
    /// let by_status = GlobalIndex::new("by-status", "status", ScalarAttributeType::S);
    /// assert_eq!(by_status, by_status.clone().projection(Projection::All), "as it is by default");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, attribute: impl Into<String>, key_type: ScalarAttributeType) -> Self {
        let keys = KeySchema::new(attribute.into(), key_type);
        Self { name: name.into(), keys, projection: Projection::All, throughput: None }
    }

    /// The index with `attribute` as a further part of its partition key, which has up to four.
    ///
    /// A query gives a value for each of them.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Matches");
    /// let index = GlobalIndex::new("by-round", "tournament", ScalarAttributeType::S)
    ///     .partition_key("region", ScalarAttributeType::S)
    ///     .sort_key("round", ScalarAttributeType::N);
    /// table.create(TableSchema::new("id", ScalarAttributeType::S).global_index(index))?;
    /// table.put(&Item::from([("id", "a"), ("tournament", "open"), ("region", "eu")]).with("round", 1))?;
    /// let of_region = key("tournament").eq("open").and(key("region").eq("eu"));
    /// assert_eq!(table.query(of_region).index("by-round").to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn partition_key(mut self, attribute: impl Into<String>, key_type: ScalarAttributeType) -> Self {
        self.keys.partition.push(KeyAttribute { name: attribute.into(), key_type });
        self
    }

    /// The index with `attribute` as its sort key, or as a further part of it, which has up to four.
    ///
    /// A query gives values for a leading run of them, and a range for the last that it names.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Orders");
    /// let index = GlobalIndex::new("by-status", "status", ScalarAttributeType::S).sort_key("total", ScalarAttributeType::N);
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S).global_index(index))?;
    /// for (id, total) in [("a", 30), ("b", 10)] {
    ///     table.put(&Item::new().with("PK", id).with("status", "open").with("total", total))?;
    /// }
    /// let open = table.query(key("status").eq("open")).index("by-status").page()?;
    /// assert_eq!(open.items[0].get("total"), Some(&10.into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>, key_type: ScalarAttributeType) -> Self {
        self.keys.sort.push(KeyAttribute { name: attribute.into(), key_type });
        self
    }

    /// The index showing the attributes of `projection`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, Projection, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// let index = GlobalIndex::new("by-mail", "mail", ScalarAttributeType::S).projection(Projection::KeysOnly);
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S).global_index(index))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org"), ("name", "Ann")]))?;
    /// let page = table.scan().index("by-mail").page()?;
    /// assert_eq!(page.items, [Item::from([("PK", "a"), ("mail", "a@example.org")])]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }

    /// The name.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{GlobalIndex, ScalarAttributeType};
    /// assert_eq!(GlobalIndex::new("by-status", "status", ScalarAttributeType::S).name(), "by-status");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A local secondary index: the items of one partition key that have its sort attribute, in the order of that.
///
/// Its partition key is the table's, and it is there from when the table is created on.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, LocalIndex, ScalarAttributeType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Events");
/// let by_size = LocalIndex::new("by-size", "size", ScalarAttributeType::N);
/// table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S).local_index(by_size))?;
/// table.put(&Item::from([("PK", "a"), ("SK", "1")]).with("size", 30))?;
/// table.put(&Item::from([("PK", "a"), ("SK", "2")]).with("size", 10))?;
/// let smallest = table.query(key("PK").eq("a")).index("by-size").limit(1).to_vec()?;
/// assert_eq!(smallest[0].get("SK"), Some(&"2".into()));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Local secondary indexes*.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias("LocalSecondaryIndex", "LSI"))]
pub struct LocalIndex {
    pub(super) name: String,
    pub(super) sort: KeyAttribute,
    pub(super) projection: Projection,
}

impl LocalIndex {
    /// An index `name` with the sort key `attribute`, projecting every attribute.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{LocalIndex, ScalarAttributeType};
    /// assert_eq!(LocalIndex::new("by-size", "size", ScalarAttributeType::N).name(), "by-size");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, attribute: impl Into<String>, key_type: ScalarAttributeType) -> Self {
        let sort = KeyAttribute { name: attribute.into(), key_type };
        Self { name: name.into(), sort, projection: Projection::All }
    }

    /// The index showing the attributes of `projection`. A query that asks for others gets them from the table.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{LocalIndex, Projection, ScalarAttributeType};
    /// let _keys = LocalIndex::new("by-size", "size", ScalarAttributeType::N).projection(Projection::KeysOnly);
    /// ```
    #[must_use]
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }

    /// The name.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{LocalIndex, ScalarAttributeType};
    /// assert_eq!(LocalIndex::new("by-size", "size", ScalarAttributeType::N).name(), "by-size");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A table's key attributes and indexes, for [`ItemTable::create`](crate::ItemTable::create).
///
/// Limits are checked when the table is created.
///
/// # Examples
/// ```
/// use larder::item::{GlobalIndex, ScalarAttributeType, TableSchema};
/// let schema = TableSchema::new("PK", ScalarAttributeType::S)
///     .sort_key("SK", ScalarAttributeType::S)
///     .global_index(GlobalIndex::new("GSI1", "GSI1PK", ScalarAttributeType::S).sort_key("GSI1SK", ScalarAttributeType::S));
/// assert_eq!(schema.partition_key(), ("PK", ScalarAttributeType::S));
/// assert_eq!(schema.global_indexes()[0].name(), "GSI1");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `CreateTable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    pub(super) keys: KeySchema,
    pub(super) global_indexes: Vec<GlobalIndex>,
    pub(super) local_indexes: Vec<LocalIndex>,
}

impl TableSchema {
    /// A table whose primary key is the partition key `attribute` alone.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{ScalarAttributeType, TableSchema};
    /// let schema = TableSchema::new("PK", ScalarAttributeType::S);
    /// assert_eq!(schema.partition_key(), ("PK", ScalarAttributeType::S));
    /// assert!(schema.global_indexes().is_empty());
    /// ```
    #[must_use]
    pub fn new(attribute: impl Into<String>, key_type: ScalarAttributeType) -> Self {
        Self { keys: KeySchema::new(attribute.into(), key_type), global_indexes: Vec::new(), local_indexes: Vec::new() }
    }

    /// The table with the sort key `attribute` as the second part of its primary key.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
    /// table.put(&Item::new().with("PK", "USER#7").with("SK", 1))?;
    /// assert!(table.get(("USER#7", 1))?.is_some());
    /// assert!(table.get(("USER#7",)).is_err(), "half a key");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>, key_type: ScalarAttributeType) -> Self {
        self.keys.sort = vec![KeyAttribute { name: attribute.into(), key_type }];
        self
    }

    /// The table with `index` besides those it has.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{GlobalIndex, ScalarAttributeType, TableSchema};
    /// let by_mail = GlobalIndex::new("by-mail", "mail", ScalarAttributeType::S);
    /// let schema = TableSchema::new("PK", ScalarAttributeType::S).global_index(by_mail.clone());
    /// assert_eq!(schema.global_indexes(), [by_mail]);
    /// ```
    #[must_use]
    pub fn global_index(mut self, index: GlobalIndex) -> Self {
        self.global_indexes.push(index);
        self
    }

    /// The table with the local `index` besides those it has. The table needs a sort key.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{LocalIndex, ScalarAttributeType, TableSchema};
    /// let by_size = LocalIndex::new("by-size", "size", ScalarAttributeType::N);
    /// let schema = TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S);
    /// assert_eq!(schema.local_index(by_size.clone()).local_indexes(), [by_size]);
    /// ```
    #[must_use]
    pub fn local_index(mut self, index: LocalIndex) -> Self {
        self.local_indexes.push(index);
        self
    }

    /// The local indexes. A stored table's are in the order of their names.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{ScalarAttributeType, TableSchema};
    /// assert!(TableSchema::new("PK", ScalarAttributeType::S).local_indexes().is_empty());
    /// ```
    #[must_use]
    pub fn local_indexes(&self) -> &[LocalIndex] {
        &self.local_indexes
    }

    /// Name and type of the partition key.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{ScalarAttributeType, TableSchema};
    /// assert_eq!(TableSchema::new("id", ScalarAttributeType::N).partition_key(), ("id", ScalarAttributeType::N));
    /// ```
    #[must_use]
    pub fn partition_key(&self) -> (&str, ScalarAttributeType) {
        // There is one, from the constructor on.
        self.keys.partition.first().map_or(("", ScalarAttributeType::S), |key| (&key.name, key.key_type))
    }

    /// The global indexes. A stored table's are in the order of their names.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{GlobalIndex, ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Users");
    /// let index = |name| GlobalIndex::new(name, name, ScalarAttributeType::S);
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S).global_index(index("name")).global_index(index("mail")))?;
    /// assert_eq!(table.schema()?.global_indexes(), [index("mail"), index("name")]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn global_indexes(&self) -> &[GlobalIndex] {
        &self.global_indexes
    }
}

fn invalid(message: String) -> Error {
    Error::invalid(InvalidKind::Value, message)
}
