//! What a table is declared to be: its key attributes and its indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::{Entry, growing};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// Shortest name of a table or index in bytes.
const NAME_BYTES_MIN: usize = 3;

/// Type of a key attribute.
///
/// # Examples
/// ```
/// use larder::item::KeyType;
/// assert_eq!(KeyType::S.to_string(), "S");
/// assert_eq!("N".parse::<KeyType>()?, KeyType::N);
/// assert!("BOOL".parse::<KeyType>().is_err());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `AttributeDefinition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[doc(alias("ScalarAttributeType", "AttributeDefinition"))]
pub enum KeyType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

impl std::str::FromStr for KeyType {
    type Err = Error;

    /// Reads what `Display` writes: `S`, `N` or `B`.
    fn from_str(text: &str) -> Result<Self> {
        let found = [Self::S, Self::N, Self::B].into_iter().find(|key_type| key_type.to_string() == text);
        found.ok_or_else(|| invalid(format!("{text:?} is no type of a key attribute: S, N or B")))
    }
}

impl std::fmt::Display for KeyType {
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
    pub(super) key_type: KeyType,
}

/// The key attributes of a table or an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeySchema {
    pub(super) partition: KeyAttribute,
    pub(super) sort: Option<KeyAttribute>,
}

impl KeySchema {
    fn new(name: String, key_type: KeyType) -> Self {
        Self { partition: KeyAttribute { name, key_type }, sort: None }
    }

    /// The partition key and then the sort key.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }
}

/// A global secondary index: the items that have its key attributes, in the order of that key.
///
/// Its keys need not be unique; items with equal index keys come in the order of their table keys.
///
/// # Examples
/// ```
/// use larder::item::{GlobalIndex, KeyType, Projection};
/// let by_status = GlobalIndex::new("by-status", "status", KeyType::S)
///     .sort_key("created", KeyType::N)
///     .projection(Projection::KeysOnly);
/// assert_eq!(by_status.name(), "by-status");
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Global secondary indexes*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias("GlobalSecondaryIndex", "GSI"))]
pub struct GlobalIndex {
    pub(super) name: String,
    pub(super) keys: KeySchema,
    pub(super) projection: Projection,
}

impl GlobalIndex {
    /// An index `name` with the partition key `attribute`, projecting every attribute.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{GlobalIndex, KeyType, Projection};
    /// let by_status = GlobalIndex::new("by-status", "status", KeyType::S);
    /// assert_eq!(by_status, by_status.clone().projection(Projection::All), "as it is by default");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, attribute: impl Into<String>, key_type: KeyType) -> Self {
        let keys = KeySchema::new(attribute.into(), key_type);
        Self { name: name.into(), keys, projection: Projection::All }
    }

    /// The index with the sort key `attribute`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Orders");
    /// let index = GlobalIndex::new("by-status", "status", KeyType::S).sort_key("total", KeyType::N);
    /// table.create(TableSchema::new("PK", KeyType::S).global_index(index))?;
    /// for (id, total) in [("a", 30), ("b", 10)] {
    ///     table.put(&Item::new().with("PK", id).with("status", "open").with("total", total))?;
    /// }
    /// let open = table.query(key("status").eq("open")).index("by-status").page()?;
    /// assert_eq!(open.items[0].get("total"), Some(&10.into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>, key_type: KeyType) -> Self {
        self.keys.sort = Some(KeyAttribute { name: attribute.into(), key_type });
        self
    }

    /// The index showing the attributes of `projection`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, KeyType, Projection, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// let index = GlobalIndex::new("by-mail", "mail", KeyType::S).projection(Projection::KeysOnly);
    /// table.create(TableSchema::new("PK", KeyType::S).global_index(index))?;
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
    /// use larder::item::{GlobalIndex, KeyType};
    /// assert_eq!(GlobalIndex::new("by-status", "status", KeyType::S).name(), "by-status");
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
/// use larder::item::{GlobalIndex, KeyType, TableSchema};
/// let schema = TableSchema::new("PK", KeyType::S)
///     .sort_key("SK", KeyType::S)
///     .global_index(GlobalIndex::new("GSI1", "GSI1PK", KeyType::S).sort_key("GSI1SK", KeyType::S));
/// assert_eq!(schema.partition_key(), ("PK", KeyType::S));
/// assert_eq!(schema.global_indexes()[0].name(), "GSI1");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `CreateTable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    pub(super) keys: KeySchema,
    pub(super) global_indexes: Vec<GlobalIndex>,
}

impl TableSchema {
    /// A table whose primary key is the partition key `attribute` alone.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{KeyType, TableSchema};
    /// let schema = TableSchema::new("PK", KeyType::S);
    /// assert_eq!(schema.partition_key(), ("PK", KeyType::S));
    /// assert!(schema.global_indexes().is_empty());
    /// ```
    #[must_use]
    pub fn new(attribute: impl Into<String>, key_type: KeyType) -> Self {
        Self { keys: KeySchema::new(attribute.into(), key_type), global_indexes: Vec::new() }
    }

    /// The table with the sort key `attribute` as the second part of its primary key.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// table.put(&Item::new().with("PK", "USER#7").with("SK", 1))?;
    /// assert!(table.get(("USER#7", 1))?.is_some());
    /// assert!(table.get(("USER#7",)).is_err(), "half a key");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>, key_type: KeyType) -> Self {
        self.keys.sort = Some(KeyAttribute { name: attribute.into(), key_type });
        self
    }

    /// The table with `index` besides those it has.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{GlobalIndex, KeyType, TableSchema};
    /// let by_mail = GlobalIndex::new("by-mail", "mail", KeyType::S);
    /// let schema = TableSchema::new("PK", KeyType::S).global_index(by_mail.clone());
    /// assert_eq!(schema.global_indexes(), [by_mail]);
    /// ```
    #[must_use]
    pub fn global_index(mut self, index: GlobalIndex) -> Self {
        self.global_indexes.push(index);
        self
    }

    /// Name and type of the partition key.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{KeyType, TableSchema};
    /// assert_eq!(TableSchema::new("id", KeyType::N).partition_key(), ("id", KeyType::N));
    /// ```
    #[must_use]
    pub fn partition_key(&self) -> (&str, KeyType) {
        (&self.keys.partition.name, self.keys.partition.key_type)
    }

    /// The indexes. A stored table's are in the order of their names.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{GlobalIndex, KeyType, TableSchema}};
    /// let table = Store::in_memory().item_table("Users");
    /// let index = |name| GlobalIndex::new(name, name, KeyType::S);
    /// table.create(TableSchema::new("PK", KeyType::S).global_index(index("name")).global_index(index("mail")))?;
    /// assert_eq!(table.schema()?.global_indexes(), [index("mail"), index("name")]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn global_indexes(&self) -> &[GlobalIndex] {
        &self.global_indexes
    }

    /// The schema in the one form that equal schemas share, or why no table can have it.
    pub(super) fn checked(mut self) -> Result<Self> {
        self.check_indexes()?;
        self.check_key_attributes()?;
        self.global_indexes.sort_by(|a, b| a.name.cmp(&b.name));
        for index in &mut self.global_indexes {
            if let Projection::Include(names) = &mut index.projection {
                names.sort_unstable();
                names.dedup();
            }
        }
        Ok(self)
    }

    fn check_indexes(&self) -> Result<()> {
        limits::check("global indexes of a table", limits::ITEM_GLOBAL_INDEXES_MAX, self.global_indexes.len())?;
        let mut included = 0;
        let mut names = BTreeSet::new();
        for index in &self.global_indexes {
            check_name("index", &index.name)?;
            if !names.insert(&index.name) {
                return Err(invalid(format!("two indexes are named {:?}", index.name)));
            }
            if let Projection::Include(attributes) = &index.projection {
                if attributes.is_empty() || attributes.iter().any(String::is_empty) {
                    return Err(invalid(format!(
                        "index {:?} includes no attributes, or one without a name",
                        index.name
                    )));
                }
                let max = limits::ITEM_INDEX_INCLUDED_ATTRIBUTES_MAX;
                limits::check("attributes included in an index", max, attributes.len())?;
                included += attributes.len();
            }
        }
        limits::check("attributes included in indexes", limits::ITEM_INCLUDED_ATTRIBUTES_MAX, included)
    }

    /// An attribute has one type however many keys it is in; within one key it is there once.
    fn check_key_attributes(&self) -> Result<()> {
        let mut types: BTreeMap<&str, KeyType> = BTreeMap::new();
        let indexes = self.global_indexes.iter().map(|index| &index.keys);
        for keys in std::iter::once(&self.keys).chain(indexes) {
            if keys.sort.as_ref().is_some_and(|sort| sort.name == keys.partition.name) {
                return Err(invalid(format!("{:?} is partition key and sort key at once", keys.partition.name)));
            }
            for KeyAttribute { name, key_type } in keys.attributes() {
                if name.is_empty() {
                    return Err(invalid("a key attribute has no name".to_owned()));
                }
                limits::check("key attribute name bytes", limits::NAME_BYTES_MAX, name.len())?;
                if types.insert(name, *key_type).is_some_and(|other| other != *key_type) {
                    return Err(invalid(format!("key attribute {name:?} has two types")));
                }
            }
        }
        Ok(())
    }
}

/// Refuses names that are not 3 to 255 of `[A-Za-z0-9_.-]`.
pub(super) fn check_name(what: &str, name: &str) -> Result<()> {
    limits::check("name bytes", limits::NAME_BYTES_MAX, name.len())?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.len() < NAME_BYTES_MIN || !name.bytes().all(allowed) {
        let allowed = "3 to 255 of A-Z, a-z, 0-9, '_', '.' and '-'";
        return Err(invalid(format!("{name:?} cannot name an {what}: {allowed}")));
    }
    Ok(())
}

fn invalid(message: String) -> Error {
    Error::invalid(InvalidKind::Value, message)
}

/// A table as the catalogue holds it. Its fields, and those of the types in it, are stored in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableRecord {
    pub(super) keys: KeySchema,
    #[serde(with = "growing")]
    pub(super) indexes: Vec<IndexRecord>,
    /// The last index id given out; ids are not used again.
    last_index_id: u32,
}

/// An index and the id that its entries carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IndexRecord {
    pub(super) id: u32,
    pub(super) index: GlobalIndex,
    /// Whether a job is still making its entries: it is maintained, and read by nobody.
    pub(super) is_building: bool,
}

/// A table's ids and definition as an operation found them.
pub(super) type Definition = Arc<Entry<TableRecord>>;

impl TableRecord {
    /// The record of a new table.
    pub(super) fn new(schema: TableSchema) -> Self {
        let ids = 1u32..;
        let indexes: Vec<_> =
            ids.zip(schema.global_indexes).map(|(id, index)| IndexRecord { id, index, is_building: false }).collect();
        let last_index_id = indexes.last().map_or(0, |index| index.id);
        Self { keys: schema.keys, indexes, last_index_id }
    }

    pub(super) fn schema(&self) -> TableSchema {
        let global_indexes = self.indexes.iter().map(|record| record.index.clone()).collect();
        TableSchema { keys: self.keys.clone(), global_indexes }
    }

    /// The index named `name`.
    pub(super) fn index_named(&self, name: &str) -> Option<&IndexRecord> {
        self.indexes.iter().find(|index| index.index.name == name)
    }

    /// The index with the number `id`.
    pub(super) fn index_of_id(&self, id: u32) -> Option<&IndexRecord> {
        self.indexes.iter().find(|index| index.id == id)
    }

    /// Sets whether the index with the number `id` is being built.
    pub(super) fn set_building(&mut self, id: u32, is_building: bool) {
        if let Some(index) = self.indexes.iter_mut().find(|index| index.id == id) {
            index.is_building = is_building;
        }
    }

    /// Adds `index` to the definition and returns it; `None` when it is there already.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when another has its name, or why the table cannot have it.
    pub(super) fn add(&mut self, index: GlobalIndex) -> Result<Option<IndexRecord>> {
        let (name, mut schema) = (index.name.clone(), self.schema());
        let is_taken = self.index_named(&name).is_some();
        schema.global_indexes.retain(|other| other.name != name);
        let checked = schema.global_index(index).checked()?.global_indexes;
        let found = checked.into_iter().enumerate().find(|(_, index)| index.name == name);
        let Some((place, index)) = found else { return Ok(None) };
        if is_taken {
            let is_same = self.index_named(&name).is_some_and(|there| there.index == index);
            return if is_same { Ok(None) } else { Err(Error::AlreadyExists { what: "index", name }) };
        }
        self.last_index_id = self.last_index_id.saturating_add(1);
        let record = IndexRecord { id: self.last_index_id, index, is_building: false };
        self.indexes.insert(place, record.clone());
        Ok(Some(record))
    }
}

/// Whether a global index can be queried.
///
/// # Examples
/// ```
/// use larder::item::IndexStatus;
/// assert_eq!(IndexStatus::Creating.to_string(), "CREATING");
/// assert_eq!("ACTIVE".parse::<IndexStatus>()?, IndexStatus::Active);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `GlobalSecondaryIndexDescription`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexStatus {
    /// It is being filled with the items that were there before it. Writes keep it up to date; a query of it is refused.
    Creating,
    /// It shows every item that it can hold.
    Active,
}

impl std::fmt::Display for IndexStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
        })
    }
}

impl std::str::FromStr for IndexStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = [Self::Creating, Self::Active].into_iter().find(|status| status.to_string() == text);
        found.ok_or_else(|| invalid(format!("{text:?} is no status of an index: CREATING or ACTIVE")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TableSchema {
        TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N)
    }

    fn refused(schema: TableSchema) -> bool {
        matches!(schema.checked(), Err(Error::Invalid { .. } | Error::LimitExceeded { .. }))
    }

    #[test] // SEM: ITM-LIM-2
    fn names_are_three_to_255_of_the_allowed_characters() {
        for name in ["abc", "A_b.c-9", &"a".repeat(255)] {
            assert!(check_name("item table", name).is_ok(), "{name}");
        }
        for name in ["", "ab", "a b", "a/b", "äöü", &"a".repeat(256)] {
            assert!(check_name("item table", name).is_err(), "{name}");
        }
    }

    #[test] // SEM: ITM-LIM-2, ITM-LIM-3
    fn a_schema_that_no_table_can_have_is_refused() {
        assert!(refused(TableSchema::new("", KeyType::S)));
        assert!(refused(TableSchema::new("PK", KeyType::S).sort_key("PK", KeyType::S)));
        assert!(refused(TableSchema::new("a".repeat(256), KeyType::S)));
        assert!(refused(table().global_index(GlobalIndex::new("GSI", "SK", KeyType::S))), "SK has two types");
        assert!(refused(table().global_index(GlobalIndex::new("no", "a", KeyType::S))), "name too short");
        let twice = GlobalIndex::new("GSI", "a", KeyType::S);
        assert!(refused(table().global_index(twice.clone()).global_index(twice.clone())));
        assert!(refused(table().global_index(twice.projection(Projection::Include(vec![])))));
        let indexes = |n: usize| (0..n).map(|i| GlobalIndex::new(format!("GSI{i}"), "a", KeyType::S));
        assert!(indexes(20).fold(table(), TableSchema::global_index).checked().is_ok());
        assert!(refused(indexes(21).fold(table(), TableSchema::global_index)));
        let include = |n: usize| Projection::Include((0..n).map(|i| format!("a{i}")).collect());
        let with = |table: TableSchema, i: usize, n: usize| {
            table.global_index(GlobalIndex::new(format!("GSI{i}"), "a", KeyType::S).projection(include(n)))
        };
        assert!(with(table(), 0, 20).checked().is_ok());
        assert!(refused(with(table(), 0, 21)));
        let five = || (0..5).fold(table(), |table, i| with(table, i, 20));
        assert!(five().checked().is_ok());
        assert!(refused(with(five(), 5, 1)), "100 in all indexes");
    }

    #[test]
    fn the_order_in_which_indexes_are_declared_does_not_count() {
        let (a, b) = (GlobalIndex::new("GSI-a", "x", KeyType::S), GlobalIndex::new("GSI-b", "y", KeyType::S));
        let one = table().global_index(a.clone()).global_index(b.clone()).checked().unwrap();
        let two = table().global_index(b).global_index(a).checked().unwrap();
        assert_eq!(one, two);
        assert_eq!(TableRecord::new(one.clone()).schema(), one);
    }
}
