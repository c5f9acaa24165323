//! What is wrong with a request, its table or its keys.

use std::fmt;

/// What is wrong with a value of a parameter, a key or a table: a `ValidationException` that is not about an expression.
/// [`Display`](fmt::Display) gives the service's words.
///
/// # Examples
/// ```
/// let fault = larder::item::RequestFault::MissingKey("PK".into());
/// assert!(fault.to_string().ends_with("Missing the key PK in the item"));
/// ```
///
/// # Source
/// `DynamoDB` API Reference, *Common errors*, and texts that the service was seen to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// A member of the request that breaks a rule which the API has for it.
    #[error("Value {}at '{member}' failed to satisfy constraint: {constraint}", Shown(.value))]
    Constraint {
        /// The member: `limit`, `tableName`.
        member: String,
        /// Its value, if the service shows it.
        value: Option<String>,
        /// What it has to be.
        constraint: Constraint,
    },
    /// A parameter is out of its domain, or does not go with another one.
    #[error("One or more parameter values were invalid: {0}")]
    Parameter(String),
    /// Anything else that the service has a sentence of its own for.
    #[error("{0}")]
    Other(String),

    /// A put or a delete that is to return what only an update has.
    #[error("ReturnValues can only be ALL_OLD or NONE")]
    ReturnValuesOfUpdate,
    /// An item without an attribute of its key.
    #[error("One or more parameter values were invalid: Missing the key {0} in the item")]
    MissingKey(String),
    /// An attribute of the key with a value of another type.
    #[error(
        "One or more parameter values were invalid: Type mismatch for key {attribute} expected: {expected} actual: {actual}"
    )]
    KeyType {
        /// The attribute.
        attribute: String,
        /// The type it is declared with.
        expected: String,
        /// The type of the value.
        actual: String,
    },
    /// An attribute of an index's key with a value of another type.
    #[error(
        "One or more parameter values were invalid: Type mismatch for Index Key {attribute} Expected: {expected} \
         Actual: {actual} IndexName: {index}"
    )]
    IndexKeyType {
        /// The attribute.
        attribute: String,
        /// The type it is declared with.
        expected: String,
        /// The type of the value.
        actual: String,
        /// The index.
        index: String,
    },
    /// An empty value of an attribute of the key.
    #[error(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         {kind} value. Key: {attribute}"
    )]
    EmptyKey {
        /// The attribute.
        attribute: String,
        /// `"string"` or `"binary"`.
        kind: &'static str,
    },
    /// An empty value of an attribute of an index's key.
    #[error(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. \
         The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, IndexKey: \
         {attribute}"
    )]
    EmptyIndexKey {
        /// The attribute.
        attribute: String,
        /// `"string"` or `"binary"`.
        kind: &'static str,
        /// The index.
        index: String,
    },
    /// An update that makes an attribute of an index's key empty.
    #[error(
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key \
         to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} value."
    )]
    UpdateEmptiesIndexKey {
        /// `"string"` or `"binary"`.
        kind: &'static str,
    },
    /// An update that gives an attribute of an index's key a value of another type.
    #[error("The update expression attempted to update the secondary index key to unsupported type")]
    UpdateChangesIndexKeyType,
    /// A partition key of more than [`limits::ITEM_PARTITION_KEY_BYTES_MAX`](crate::limits::ITEM_PARTITION_KEY_BYTES_MAX)
    /// bytes.
    // The service has no blank before the number.
    #[error(
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )]
    PartitionKeyTooLong,
    /// A sort key of more than [`limits::ITEM_SORT_KEY_BYTES_MAX`](crate::limits::ITEM_SORT_KEY_BYTES_MAX) bytes.
    #[error(
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of \
         1024 bytes"
    )]
    SortKeyTooLong,
    /// A key of other attributes than the table's, or of other types.
    #[error("The provided key element does not match the schema")]
    KeyMismatch,
    /// An item of more than [`limits::ITEM_BYTES_MAX`](crate::limits::ITEM_BYTES_MAX) bytes.
    #[error("Item size has exceeded the maximum allowed size")]
    ItemTooLarge,
    /// An update that makes an item larger than that.
    #[error("Item size to update has exceeded the maximum allowed size")]
    UpdatedItemTooLarge,
    /// Lists and maps in one another deeper than [`limits::ITEM_DEPTH_MAX`](crate::limits::ITEM_DEPTH_MAX).
    #[error(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported \
         limit"
    )]
    NestedTooDeeply,
    /// An attribute without a name.
    #[error("One or more parameter values were invalid: An AttributeValue may not contain an empty key")]
    EmptyName,
    /// An attribute whose name is longer than
    /// [`limits::ITEM_ATTRIBUTE_NAME_BYTES_MAX`](crate::limits::ITEM_ATTRIBUTE_NAME_BYTES_MAX).
    #[error("One or more parameter values were invalid: Attribute name is too large, must be less than 65536 bytes")]
    NameTooLong,

    /// An index that the table does not have.
    #[error("The table does not have the specified index: {0}")]
    NoSuchIndex(String),
    /// An index that is still being built.
    #[error("Cannot read from backfilling global secondary index: {0}")]
    IndexIsBuilding(String),
    /// A consistent read of a global index.
    #[error("Consistent reads are not supported on global secondary indexes")]
    ConsistentGlobalIndex,
    /// A start key that is none of what is read.
    #[error("The provided starting key is invalid")]
    StartKey,
    /// A start key of other attributes than what is read has.
    #[error("Exclusive Start Key must have same size as table's key schema")]
    StartKeySize,
    /// A start key of other attributes than what is read has, or of other types.
    #[error("The provided starting key is invalid: The provided key element does not match the schema")]
    StartKeyMismatch,
    /// A start key that the condition of the query excludes.
    #[error("The provided starting key is outside query boundaries based on provided conditions")]
    StartKeyOutside,
    /// A start key of another segment.
    #[error("The provided Exclusive start key is not within the segment")]
    StartKeyOfOtherSegment,
    /// Two requests about one item in a batch.
    #[error("Provided list of item keys contains duplicates")]
    DuplicateKeys,
    /// Two actions on one item in a transaction.
    #[error("Transaction request cannot include multiple operations on one item")]
    DuplicateTransactionItem,
}

/// What a member of a request has to be.
///
/// # Examples
/// ```
/// use larder::item::Constraint;
/// assert_eq!(Constraint::AtLeast(1).to_string(), "Member must have value greater than or equal to 1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Constraint {
    /// It has to be there.
    NotNull,
    /// A number of at least so much.
    AtLeast(i64),
    /// A number of at most so much.
    AtMost(i64),
    /// So long, at least.
    LengthAtLeast(usize),
    /// So long, at most.
    LengthAtMost(usize),
    /// A text of this form.
    Pattern(&'static str),
    /// One of these.
    OneOf(String),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNull => f.write_str("Member must not be null"),
            Self::AtLeast(min) => write!(f, "Member must have value greater than or equal to {min}"),
            Self::AtMost(max) => write!(f, "Member must have value less than or equal to {max}"),
            Self::LengthAtLeast(min) => write!(f, "Member must have length greater than or equal to {min}"),
            Self::LengthAtMost(max) => write!(f, "Member must have length less than or equal to {max}"),
            Self::Pattern(pattern) => write!(f, "Member must satisfy regular expression pattern: {pattern}"),
            Self::OneOf(values) => write!(f, "Member must satisfy enum value set: [{values}]"),
        }
    }
}

/// The value of a member, quoted, if it is shown.
struct Shown<'a>(&'a Option<String>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| write!(f, "'{value}' "))
    }
}

/// The record of an item as it was stored, for a fault that shows it.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Fault, Item, ScalarAttributeType, TableSchema}};
/// let table = Store::in_memory().item_table("Users");
/// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let ann = Item::from([("PK", "ann")]);
/// table.put(&ann)?;
/// let error = table.put_item(ann.clone()).condition("attribute_not_exists(PK)").return_old_on_failure().run().unwrap_err();
/// let Some(Fault::ConditionalCheckFailed { item: Some(item) }) = error.item_fault() else { panic!("{error}") };
/// assert_eq!(item.to_item()?, ann);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FailedItem(pub(in crate::item) Vec<u8>);

impl fmt::Debug for FailedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FailedItem({} bytes)", self.0.len())
    }
}

/// Why a transaction was cancelled, for one of its actions.
///
/// # Examples
/// ```
/// use larder::item::CancellationReason;
/// assert_eq!(CancellationReason::None.code(), "None");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `CancellationReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancellationReason {
    /// It was not because of this one.
    None,
    /// Its condition did not hold.
    ConditionalCheckFailed {
        /// The item, if it was asked for.
        item: Option<FailedItem>,
    },
    /// What is stored does not go with it.
    ValidationError {
        /// The service's words.
        message: String,
    },
    /// Another transaction or request changed the item.
    TransactionConflict,
    /// The item that it inserts is there.
    DuplicateItem,
}

impl CancellationReason {
    /// The name that the API has for it.
    ///
    /// # Examples
    /// ```
    /// use larder::item::CancellationReason;
    /// assert_eq!(CancellationReason::TransactionConflict.code(), "TransactionConflict");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::ConditionalCheckFailed { .. } => "ConditionalCheckFailed",
            Self::ValidationError { .. } => "ValidationError",
            Self::TransactionConflict => "TransactionConflict",
            Self::DuplicateItem => "DuplicateItem",
        }
    }

    /// The service's words for it.
    ///
    /// # Examples
    /// ```
    /// use larder::item::CancellationReason;
    /// let failed = CancellationReason::ConditionalCheckFailed { item: None };
    /// assert_eq!(failed.message(), Some("The conditional request failed"));
    /// ```
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::ConditionalCheckFailed { .. } => Some("The conditional request failed"),
            Self::ValidationError { message } => Some(message),
            Self::TransactionConflict => Some("Transaction is ongoing for the item"),
            Self::DuplicateItem => Some("Duplicate primary key exists in table"),
        }
    }
}
