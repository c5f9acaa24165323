//! Values that the API has names for.

use crate::error::Error;
use crate::item::{Constraint, RequestFault};

/// An enumeration whose values have names in the API: `Display` writes them, `FromStr` reads them.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident: $($(#[$of_value:meta])* $value:ident = $text:literal,)+) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of_value])* $value,)+
        }

        impl $name {
            /// Every value with its name.
            pub(crate) const NAMES: &'static [(Self, &'static str)] = &[$((Self::$value, $text),)+];

            /// The name that the API has for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let found = Self::NAMES.iter().find(|(_, name)| *name == text);
                found.map(|(value, _)| *value).ok_or_else(|| {
                    let names: Vec<_> = Self::NAMES.iter().map(|(_, name)| *name).collect();
                    let (member, constraint) = (stringify!($name).to_owned(), Constraint::OneOf(names.join(", ")));
                    RequestFault::Constraint { member, value: Some(text.to_owned()), constraint }.into_error()
                })
            }
        }
    };
}

named! {
    /// What a write returns of the item.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ReturnValues;
    /// assert_eq!(ReturnValues::AllOld.to_string(), "ALL_OLD");
    /// assert_eq!("UPDATED_NEW".parse::<ReturnValues>()?, ReturnValues::UpdatedNew);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[derive(Default)]
    ReturnValues:
    /// Nothing.
    #[default]
    None = "NONE",
    /// The item as it was before.
    AllOld = "ALL_OLD",
    /// What an update changes, as it was before.
    UpdatedOld = "UPDATED_OLD",
    /// The item as it is now.
    AllNew = "ALL_NEW",
    /// What an update changes, as it is now.
    UpdatedNew = "UPDATED_NEW",
}

named! {
    /// Whether a failed condition shows the item.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ReturnValuesOnConditionCheckFailure;
    /// assert_eq!(ReturnValuesOnConditionCheckFailure::AllOld.as_str(), "ALL_OLD");
    /// ```
    #[derive(Default)]
    ReturnValuesOnConditionCheckFailure:
    /// It does not.
    #[default]
    None = "NONE",
    /// It shows the item that the condition was tested on.
    AllOld = "ALL_OLD",
}

named! {
    /// Whether an operation says what it would cost.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ReturnConsumedCapacity;
    /// assert_eq!(ReturnConsumedCapacity::Total.as_str(), "TOTAL");
    /// ```
    #[derive(Default)]
    ReturnConsumedCapacity:
    /// For the table and each index that is accessed.
    Indexes = "INDEXES",
    /// All in one.
    Total = "TOTAL",
    /// Not at all.
    #[default]
    None = "NONE",
}

named! {
    /// Whether a write says how large the collection of its item is.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ReturnItemCollectionMetrics;
    /// assert_eq!(ReturnItemCollectionMetrics::Size.as_str(), "SIZE");
    /// ```
    #[derive(Default)]
    ReturnItemCollectionMetrics:
    /// It does, if the table has local indexes.
    Size = "SIZE",
    /// It does not.
    #[default]
    None = "NONE",
}

named! {
    /// What a query or scan returns of each item.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::Select;
    /// assert_eq!(Select::Count.as_str(), "COUNT");
    /// ```
    Select:
    /// Every attribute of the item.
    AllAttributes = "ALL_ATTRIBUTES",
    /// Every attribute that the index shows.
    AllProjectedAttributes = "ALL_PROJECTED_ATTRIBUTES",
    /// The attributes that are asked for.
    SpecificAttributes = "SPECIFIC_ATTRIBUTES",
    /// How many items there are.
    Count = "COUNT",
}

named! {
    /// How the legacy conditions of a request are put together.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ConditionalOperator;
    /// assert_eq!(ConditionalOperator::Or.as_str(), "OR");
    /// ```
    ConditionalOperator:
    /// All have to hold.
    And = "AND",
    /// One has to hold.
    Or = "OR",
}

named! {
    /// What a legacy condition compares an attribute by.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ComparisonOperator;
    /// assert_eq!(ComparisonOperator::BeginsWith.as_str(), "BEGINS_WITH");
    /// ```
    ComparisonOperator:
    /// Equal.
    Eq = "EQ",
    /// Not equal.
    Ne = "NE",
    /// Equal to one of several values.
    In = "IN",
    /// Less or equal.
    Le = "LE",
    /// Less.
    Lt = "LT",
    /// Greater or equal.
    Ge = "GE",
    /// Greater.
    Gt = "GT",
    /// From one value to another.
    Between = "BETWEEN",
    /// It is there.
    NotNull = "NOT_NULL",
    /// It is not there.
    Null = "NULL",
    /// It contains a value.
    Contains = "CONTAINS",
    /// It does not contain a value.
    NotContains = "NOT_CONTAINS",
    /// It begins with a value.
    BeginsWith = "BEGINS_WITH",
}

named! {
    /// What a legacy update does to an attribute.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::AttributeAction;
    /// assert_eq!(AttributeAction::default(), AttributeAction::Put);
    /// ```
    #[derive(Default)]
    AttributeAction:
    /// Sets it.
    #[default]
    Put = "PUT",
    /// Adds a number to it, or elements to its set.
    Add = "ADD",
    /// Removes it, or elements of its set.
    Delete = "DELETE",
}

named! {
    /// Which part of a key an attribute is.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::KeyType;
    /// assert_eq!(KeyType::Hash.as_str(), "HASH");
    /// ```
    KeyType:
    /// Of the partition key.
    Hash = "HASH",
    /// Of the sort key.
    Range = "RANGE",
}

named! {
    /// What an index shows of an item.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ProjectionType;
    /// assert_eq!(ProjectionType::KeysOnly.as_str(), "KEYS_ONLY");
    /// ```
    ProjectionType:
    /// Every attribute.
    All = "ALL",
    /// The keys of table and index.
    KeysOnly = "KEYS_ONLY",
    /// The keys and the attributes that are named.
    Include = "INCLUDE",
}

named! {
    /// What is paid for.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::BillingMode;
    /// assert_eq!(BillingMode::PayPerRequest.as_str(), "PAY_PER_REQUEST");
    /// ```
    BillingMode:
    /// What is provisioned.
    Provisioned = "PROVISIONED",
    /// What is done.
    PayPerRequest = "PAY_PER_REQUEST",
}

named! {
    /// How dear storage is, and how dear its use.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::TableClass;
    /// assert_eq!(TableClass::Standard.as_str(), "STANDARD");
    /// ```
    TableClass:
    /// The usual.
    Standard = "STANDARD",
    /// For what is seldom read.
    StandardInfrequentAccess = "STANDARD_INFREQUENT_ACCESS",
}

named! {
    /// What a table is doing.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::TableStatus;
    /// assert_eq!(TableStatus::Active.as_str(), "ACTIVE");
    /// ```
    TableStatus:
    /// It is being made.
    Creating = "CREATING",
    /// It, or an index of it, is being changed.
    Updating = "UPDATING",
    /// It is going.
    Deleting = "DELETING",
    /// It can be used.
    Active = "ACTIVE",
}

named! {
    /// Whether an index can be queried.
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
    IndexStatus:
    /// It is being filled with the items that were there before it. Writes keep it up to date; a query of it is refused.
    Creating = "CREATING",
    /// It is going: nobody queries it.
    Deleting = "DELETING",
    /// It shows every item that it can hold.
    Active = "ACTIVE",
}

named! {
    /// What a record of a stream shows of the item.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::StreamViewType;
    /// assert_eq!(StreamViewType::NewImage.as_str(), "NEW_IMAGE");
    /// ```
    StreamViewType:
    /// The item as it is after the change.
    NewImage = "NEW_IMAGE",
    /// The item as it was before.
    OldImage = "OLD_IMAGE",
    /// Both.
    NewAndOldImages = "NEW_AND_OLD_IMAGES",
    /// Its key.
    KeysOnly = "KEYS_ONLY",
}

named! {
    /// Whether a stream takes records.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::StreamStatus;
    /// assert_eq!(StreamStatus::Enabled.as_str(), "ENABLED");
    /// ```
    StreamStatus:
    /// It does.
    Enabled = "ENABLED",
    /// It has been switched off, and what it has can be read.
    Disabled = "DISABLED",
}

named! {
    /// Where reading a shard begins.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ShardIteratorType;
    /// assert_eq!(ShardIteratorType::TrimHorizon.as_str(), "TRIM_HORIZON");
    /// ```
    ShardIteratorType:
    /// At the oldest record that is there.
    TrimHorizon = "TRIM_HORIZON",
    /// Behind the newest.
    Latest = "LATEST",
    /// At a record.
    AtSequenceNumber = "AT_SEQUENCE_NUMBER",
    /// Behind a record.
    AfterSequenceNumber = "AFTER_SEQUENCE_NUMBER",
}

named! {
    /// What happened to an item.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::EventName;
    /// assert_eq!(EventName::Modify.as_str(), "MODIFY");
    /// ```
    EventName:
    /// It was not there before.
    Insert = "INSERT",
    /// It is another.
    Modify = "MODIFY",
    /// It has gone.
    Remove = "REMOVE",
}

named! {
    /// Whether items of a table expire.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::TimeToLiveStatus;
    /// assert_eq!(TimeToLiveStatus::Disabled.as_str(), "DISABLED");
    /// ```
    TimeToLiveStatus:
    /// The items that are there are still being looked at.
    Enabling = "ENABLING",
    /// They do.
    Enabled = "ENABLED",
    /// They do not.
    Disabled = "DISABLED",
}

named! {
    /// Who has the key that a table is said to be encrypted with.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::SseType;
    /// assert_eq!(SseType::Kms.as_str(), "KMS");
    /// ```
    SseType:
    /// The service.
    Aes256 = "AES256",
    /// The key management service.
    Kms = "KMS",
}

/// The numbers by which views of streams are stored.
const VIEWS: [StreamViewType; 4] =
    [StreamViewType::KeysOnly, StreamViewType::NewImage, StreamViewType::OldImage, StreamViewType::NewAndOldImages];

impl StreamViewType {
    /// The number that is stored for it.
    pub(in crate::item) fn number(self) -> u8 {
        let place = VIEWS.iter().position(|known| *known == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
    }

    /// The view that has this number.
    pub(in crate::item) fn of_number(number: u8) -> Self {
        VIEWS.get(usize::from(number)).copied().unwrap_or(Self::KeysOnly)
    }
}

#[cfg(feature = "exports")]
named! {
    /// How far an export is.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ExportStatus;
    /// assert_eq!(ExportStatus::Completed.as_str(), "COMPLETED");
    /// ```
    ExportStatus:
    /// It is being done.
    InProgress = "IN_PROGRESS",
    /// All files are there.
    Completed = "COMPLETED",
}

#[cfg(feature = "exports")]
named! {
    /// How far an import is.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ImportStatus;
    /// assert_eq!(ImportStatus::Completed.as_str(), "COMPLETED");
    /// ```
    ImportStatus:
    /// It is being done.
    InProgress = "IN_PROGRESS",
    /// The table is there.
    Completed = "COMPLETED",
}

#[cfg(feature = "exports")]
named! {
    /// How the items of an import are written.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::InputFormat;
    /// assert_eq!("CSV".parse::<InputFormat>()?, InputFormat::Csv);
    /// # Ok::<(), larder::Error>(())
    /// ```
    InputFormat:
    /// An item on a line, each value with the name of its type, as exports have them.
    DynamodbJson = "DYNAMODB_JSON",
    /// Strings between commas, or what is said to be between them.
    Csv = "CSV",
}

#[cfg(feature = "exports")]
named! {
    /// How the files of an import are compressed.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::InputCompressionType;
    /// assert_eq!(InputCompressionType::Gzip.as_str(), "GZIP");
    /// ```
    InputCompressionType:
    /// By gzip.
    Gzip = "GZIP",
    /// Not at all.
    None = "NONE",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for (value, name) in ComparisonOperator::NAMES {
            assert_eq!((name.parse::<ComparisonOperator>().unwrap(), value.to_string().as_str()), (*value, *name));
        }
        assert!("eq".parse::<ComparisonOperator>().is_err());
    }
}
