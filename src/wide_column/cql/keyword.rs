//! The words of CQL that have a meaning of their own, and where each may be a name nevertheless.
//!
//! # Source
//! Cassandra 5.0: its list of reserved words, and which others its grammar takes as names. Words that only 5.1 knows
//! (`BETWEEN`, `CHECK`, `GENERATED`, `INDEXES`) are ordinary names.

/// Where a keyword may stand for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nowhere, unless it is quoted.
    Reserved,
    /// Wherever a name may.
    Basic,
    /// The name of a scalar type: wherever a name may, other than that of a user-defined type.
    Type,
    /// Where neither a function nor a user-defined type is named.
    Special,
}

/// Names of types that Cassandra keeps for itself.
pub(super) const RESERVED_TYPES: [&str; 7] = ["byte", "complex", "enum", "date", "interval", "macaddr", "bitstring"];

/// Longest keyword in bytes: what fits a number.
const KEYWORD_BYTES_MAX: usize = 16;

/// Up to 16 bytes as a number, in the order of the bytes.
const fn packed(text: &str) -> u128 {
    let (mut number, mut bytes, mut length) = (0u128, text.as_bytes(), 0);
    while let [first, rest @ ..] = bytes {
        number = number << 8 | *first as u128;
        bytes = rest;
        length += 1;
    }
    if length == 0 { 0 } else { number << (8 * (KEYWORD_BYTES_MAX - length)) }
}

/// Other words for `TABLE` and `TABLES`.
const COLUMN_FAMILY: u128 = packed("COLUMNFAMILY");
const COLUMN_FAMILIES: u128 = packed("COLUMNFAMILIES");

macro_rules! keywords {
    ($($name:ident $text:literal $token:literal $class:ident,)*) => {
        /// A keyword. `TABLE` is `COLUMNFAMILY` as well, `TABLES` is `COLUMNFAMILIES`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Keyword {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl Keyword {
            /// Every keyword with what is known of it, in the order of the texts.
            const ALL: &[(&'static str, Self, &'static str, Class)] =
                &[$(($text, Self::$name, $token, Class::$class),)*];

            /// The texts again, to be searched.
            const PACKED: &[u128] = &[$(packed($text),)*];
        }
    };
}

keywords! {
    Access "ACCESS" "K_ACCESS" Basic,
    Add "ADD" "K_ADD" Reserved,
    Aggregate "AGGREGATE" "K_AGGREGATE" Basic,
    Aggregates "AGGREGATES" "K_AGGREGATES" Basic,
    All "ALL" "K_ALL" Basic,
    Allow "ALLOW" "K_ALLOW" Reserved,
    Alter "ALTER" "K_ALTER" Reserved,
    And "AND" "K_AND" Reserved,
    Ann "ANN" "K_ANN" Basic,
    Apply "APPLY" "K_APPLY" Reserved,
    As "AS" "K_AS" Basic,
    Asc "ASC" "K_ASC" Reserved,
    Ascii "ASCII" "K_ASCII" Type,
    Authorize "AUTHORIZE" "K_AUTHORIZE" Reserved,
    Batch "BATCH" "K_BATCH" Reserved,
    Begin "BEGIN" "K_BEGIN" Reserved,
    Bigint "BIGINT" "K_BIGINT" Type,
    Blob "BLOB" "K_BLOB" Type,
    Boolean "BOOLEAN" "K_BOOLEAN" Type,
    By "BY" "K_BY" Reserved,
    Called "CALLED" "K_CALLED" Basic,
    Cast "CAST" "K_CAST" Special,
    Cidrs "CIDRS" "K_CIDRS" Basic,
    Cluster "CLUSTER" "K_CLUSTER" Basic,
    Clustering "CLUSTERING" "K_CLUSTERING" Basic,
    Compact "COMPACT" "K_COMPACT" Basic,
    Contains "CONTAINS" "K_CONTAINS" Basic,
    Count "COUNT" "K_COUNT" Special,
    Counter "COUNTER" "K_COUNTER" Type,
    Create "CREATE" "K_CREATE" Reserved,
    Custom "CUSTOM" "K_CUSTOM" Basic,
    Datacenters "DATACENTERS" "K_DATACENTERS" Basic,
    Date "DATE" "K_DATE" Type,
    Decimal "DECIMAL" "K_DECIMAL" Type,
    Default "DEFAULT" "K_DEFAULT" Basic,
    Delete "DELETE" "K_DELETE" Reserved,
    Desc "DESC" "K_DESC" Reserved,
    Describe "DESCRIBE" "K_DESCRIBE" Reserved,
    Distinct "DISTINCT" "K_DISTINCT" Special,
    Double "DOUBLE" "K_DOUBLE" Type,
    Drop "DROP" "K_DROP" Reserved,
    Duration "DURATION" "K_DURATION" Type,
    Entries "ENTRIES" "K_ENTRIES" Reserved,
    Execute "EXECUTE" "K_EXECUTE" Reserved,
    Exists "EXISTS" "K_EXISTS" Basic,
    Filtering "FILTERING" "K_FILTERING" Basic,
    Finalfunc "FINALFUNC" "K_FINALFUNC" Basic,
    Float "FLOAT" "K_FLOAT" Type,
    From "FROM" "K_FROM" Reserved,
    Frozen "FROZEN" "K_FROZEN" Basic,
    Full "FULL" "K_FULL" Reserved,
    Function "FUNCTION" "K_FUNCTION" Basic,
    Functions "FUNCTIONS" "K_FUNCTIONS" Basic,
    Grant "GRANT" "K_GRANT" Reserved,
    Group "GROUP" "K_GROUP" Basic,
    Hashed "HASHED" "K_HASHED" Basic,
    Identity "IDENTITY" "K_IDENTITY" Basic,
    If "IF" "K_IF" Reserved,
    In "IN" "K_IN" Reserved,
    Index "INDEX" "K_INDEX" Reserved,
    Inet "INET" "K_INET" Type,
    Infinity "INFINITY" "K_POSITIVE_INFINITY" Reserved,
    Initcond "INITCOND" "K_INITCOND" Basic,
    Input "INPUT" "K_INPUT" Basic,
    Insert "INSERT" "K_INSERT" Reserved,
    Int "INT" "K_INT" Type,
    Internals "INTERNALS" "K_INTERNALS" Basic,
    Into "INTO" "K_INTO" Reserved,
    Is "IS" "K_IS" Reserved,
    Json "JSON" "K_JSON" Special,
    Key "KEY" "K_KEY" Special,
    Keys "KEYS" "K_KEYS" Basic,
    Keyspace "KEYSPACE" "K_KEYSPACE" Reserved,
    Keyspaces "KEYSPACES" "K_KEYSPACES" Basic,
    Language "LANGUAGE" "K_LANGUAGE" Basic,
    Like "LIKE" "K_LIKE" Basic,
    Limit "LIMIT" "K_LIMIT" Reserved,
    List "LIST" "K_LIST" Basic,
    Login "LOGIN" "K_LOGIN" Basic,
    Map "MAP" "K_MAP" Basic,
    Masked "MASKED" "K_MASKED" Basic,
    Materialized "MATERIALIZED" "K_MATERIALIZED" Reserved,
    Maxwritetime "MAXWRITETIME" "K_MAXWRITETIME" Special,
    Mbean "MBEAN" "K_MBEAN" Basic,
    Mbeans "MBEANS" "K_MBEANS" Basic,
    Modify "MODIFY" "K_MODIFY" Reserved,
    Nan "NAN" "K_POSITIVE_NAN" Reserved,
    Nologin "NOLOGIN" "K_NOLOGIN" Basic,
    Norecursive "NORECURSIVE" "K_NORECURSIVE" Reserved,
    Nosuperuser "NOSUPERUSER" "K_NOSUPERUSER" Basic,
    Not "NOT" "K_NOT" Reserved,
    Null "NULL" "K_NULL" Reserved,
    Of "OF" "K_OF" Reserved,
    On "ON" "K_ON" Reserved,
    Only "ONLY" "K_ONLY" Basic,
    Options "OPTIONS" "K_OPTIONS" Basic,
    Or "OR" "K_OR" Reserved,
    Order "ORDER" "K_ORDER" Reserved,
    Partition "PARTITION" "K_PARTITION" Basic,
    Password "PASSWORD" "K_PASSWORD" Basic,
    Per "PER" "K_PER" Basic,
    Permission "PERMISSION" "K_PERMISSION" Basic,
    Permissions "PERMISSIONS" "K_PERMISSIONS" Basic,
    Primary "PRIMARY" "K_PRIMARY" Reserved,
    Rename "RENAME" "K_RENAME" Reserved,
    Replace "REPLACE" "K_REPLACE" Basic,
    Returns "RETURNS" "K_RETURNS" Basic,
    Revoke "REVOKE" "K_REVOKE" Reserved,
    Role "ROLE" "K_ROLE" Basic,
    Roles "ROLES" "K_ROLES" Basic,
    Schema "SCHEMA" "K_SCHEMA" Reserved,
    Select "SELECT" "K_SELECT" Reserved,
    SelectMasked "SELECT_MASKED" "K_SELECT_MASKED" Basic,
    Set "SET" "K_SET" Reserved,
    Sfunc "SFUNC" "K_SFUNC" Basic,
    Smallint "SMALLINT" "K_SMALLINT" Type,
    Static "STATIC" "K_STATIC" Basic,
    Storage "STORAGE" "K_STORAGE" Basic,
    Stype "STYPE" "K_STYPE" Basic,
    Superuser "SUPERUSER" "K_SUPERUSER" Basic,
    Superusers "SUPERUSERS" "K_SUPERUSERS" Basic,
    Table "TABLE" "K_COLUMNFAMILY" Reserved,
    Tables "TABLES" "K_TABLES" Basic,
    Text "TEXT" "K_TEXT" Type,
    Time "TIME" "K_TIME" Type,
    Timestamp "TIMESTAMP" "K_TIMESTAMP" Type,
    Timeuuid "TIMEUUID" "K_TIMEUUID" Type,
    Tinyint "TINYINT" "K_TINYINT" Type,
    To "TO" "K_TO" Reserved,
    Token "TOKEN" "K_TOKEN" Reserved,
    Trigger "TRIGGER" "K_TRIGGER" Basic,
    Truncate "TRUNCATE" "K_TRUNCATE" Reserved,
    Ttl "TTL" "K_TTL" Special,
    Tuple "TUPLE" "K_TUPLE" Basic,
    Type "TYPE" "K_TYPE" Basic,
    Types "TYPES" "K_TYPES" Basic,
    Unlogged "UNLOGGED" "K_UNLOGGED" Reserved,
    Unmask "UNMASK" "K_UNMASK" Basic,
    Unset "UNSET" "K_UNSET" Basic,
    Update "UPDATE" "K_UPDATE" Reserved,
    Use "USE" "K_USE" Reserved,
    User "USER" "K_USER" Basic,
    Users "USERS" "K_USERS" Basic,
    Using "USING" "K_USING" Reserved,
    Uuid "UUID" "K_UUID" Type,
    Values "VALUES" "K_VALUES" Basic,
    Varchar "VARCHAR" "K_VARCHAR" Type,
    Varint "VARINT" "K_VARINT" Type,
    Vector "VECTOR" "K_VECTOR" Basic,
    View "VIEW" "K_VIEW" Reserved,
    Where "WHERE" "K_WHERE" Reserved,
    With "WITH" "K_WITH" Reserved,
    Writetime "WRITETIME" "K_WRITETIME" Special,
}

impl Keyword {
    /// The keyword that `word` is, in whatever case.
    pub(super) fn of(word: &str) -> Option<Self> {
        if word.is_empty() || word.len() > KEYWORD_BYTES_MAX {
            return None;
        }
        let letters = word.bytes().fold(0, |number, byte| number << 8 | u128::from(byte.to_ascii_uppercase()));
        let number = letters << (8 * (KEYWORD_BYTES_MAX - word.len()));
        if let Ok(at) = Self::PACKED.binary_search(&number) {
            return Self::ALL.get(at).map(|(_, keyword, ..)| *keyword);
        }
        match number {
            COLUMN_FAMILY => Some(Self::Table),
            COLUMN_FAMILIES => Some(Self::Tables),
            _ => None,
        }
    }

    fn entry(self) -> (&'static str, &'static str, Class) {
        // The table is in the order of the variants.
        let found = Self::ALL.get(self as usize);
        found.map_or(("", "", Class::Reserved), |(text, _, token, class)| (text, token, *class))
    }

    /// The keyword in capitals.
    #[cfg(test)]
    pub(super) fn text(self) -> &'static str {
        self.entry().0
    }

    /// What errors call it: `K_SELECT`.
    pub(super) fn token_name(self) -> &'static str {
        self.entry().1
    }

    /// Where it may be a name.
    pub(super) fn class(self) -> Class {
        self.entry().2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_in_any_case_and_their_table_is_in_order() {
        for (number, (text, keyword, token, _)) in Keyword::ALL.iter().enumerate() {
            assert_eq!(*keyword as usize, number, "{text}");
            assert_eq!(Keyword::of(text), Some(*keyword));
            assert_eq!(Keyword::of(&text.to_lowercase()), Some(*keyword));
            assert!(text.len() <= KEYWORD_BYTES_MAX, "{text}");
            assert_eq!((keyword.text(), keyword.token_name()), (*text, *token));
        }
        assert!(Keyword::ALL.is_sorted_by_key(|(text, ..)| text));
        assert_eq!(Keyword::of("columnFamily"), Some(Keyword::Table));
        assert_eq!(Keyword::of("columnfamilies"), Some(Keyword::Tables));
        assert_eq!(Keyword::of("selects"), None);
        assert_eq!(Keyword::of(""), None);
        assert_eq!(Keyword::Ttl.class(), Class::Special);
    }
}
