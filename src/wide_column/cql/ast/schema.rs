//! Statements that define things, and `DESCRIBE`.

use crate::wide_column::cql::ast::name::{Name, QualifiedName};
use crate::wide_column::cql::ast::select::Selection;
use crate::wide_column::cql::ast::term::{Literal, Relation, Term};
use crate::wide_column::cql::ast::types::TypeName;

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PropertyValue {
    /// A constant.
    Literal(Literal),
    /// A keyword that is not reserved, in lower case.
    Word(Name),
    /// `{… : …}`, constants each.
    Map(Vec<(Literal, Literal)>),
}

/// `name = value`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property {
    /// Which.
    pub(crate) name: Name,
    /// What it is set to.
    pub(crate) value: PropertyValue,
}

/// The order of one clustering column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClusteringOrder {
    /// Which column.
    pub(crate) column: Name,
    /// `DESC`
    pub(crate) descending: bool,
}

/// What may stand behind the `WITH` of a table or view.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TableProperty {
    /// `name = value`
    Property(Property),
    /// `COMPACT STORAGE`
    CompactStorage,
    /// `CLUSTERING ORDER BY (…)`
    ClusteringOrder(Vec<ClusteringOrder>),
}

/// `CREATE KEYSPACE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateKeyspace {
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: Name,
    /// Behind `WITH`.
    pub(crate) properties: Vec<Property>,
}

/// `MASKED WITH`
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mask {
    /// `DEFAULT`
    Default,
    /// A function with its arguments behind the first.
    Function(QualifiedName, Vec<Term>),
}

/// A column, in the statement that adds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnDefinition {
    /// What it is called.
    pub(crate) name: Name,
    /// Its type.
    pub(crate) column_type: TypeName,
    /// `STATIC`
    pub(crate) is_static: bool,
    /// `MASKED WITH`
    pub(crate) mask: Option<Mask>,
}

/// `PRIMARY KEY`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PrimaryKey {
    /// The partition key.
    pub(crate) partition: Vec<Name>,
    /// The clustering columns.
    pub(crate) clustering: Vec<Name>,
}

/// `CREATE TABLE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateTable {
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: QualifiedName,
    /// Its columns.
    pub(crate) columns: Vec<ColumnDefinition>,
    /// Its key, if there is one in the statement.
    pub(crate) primary_key: Option<PrimaryKey>,
    /// Behind `WITH`.
    pub(crate) properties: Vec<TableProperty>,
}

/// What `ALTER TABLE` changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AlterTableChange {
    /// `ALTER column TYPE type`
    Type(Name, TypeName),
    /// `ALTER column MASKED WITH …`, `ALTER column DROP MASKED`
    Mask {
        /// `IF EXISTS`, of the column.
        if_exists: bool,
        /// Which column.
        column: Name,
        /// The new mask, or none.
        mask: Option<Mask>,
    },
    /// `ADD`
    Add {
        /// `IF NOT EXISTS`, of the columns.
        if_not_exists: bool,
        /// What is added.
        columns: Vec<ColumnDefinition>,
    },
    /// `DROP`
    Drop {
        /// `IF EXISTS`, of the columns.
        if_exists: bool,
        /// What is dropped.
        columns: Vec<Name>,
        /// `USING TIMESTAMP`, in microseconds.
        timestamp: Option<i64>,
    },
    /// `DROP COMPACT STORAGE`
    DropCompactStorage,
    /// `RENAME`
    Rename {
        /// `IF EXISTS`, of the columns.
        if_exists: bool,
        /// From what to what.
        renames: Vec<(Name, Name)>,
    },
    /// `WITH`
    Properties(Vec<Property>),
}

/// `ALTER TABLE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AlterTable {
    /// `IF EXISTS`
    pub(crate) if_exists: bool,
    /// Which.
    pub(crate) name: QualifiedName,
    /// How.
    pub(crate) change: AlterTableChange,
}

/// `CREATE TYPE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateType {
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: QualifiedName,
    /// Its fields.
    pub(crate) fields: Vec<(Name, TypeName)>,
}

/// What `ALTER TYPE` changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AlterTypeChange {
    /// `ALTER field TYPE type`
    Type(Name, TypeName),
    /// `ADD`
    Add {
        /// `IF NOT EXISTS`, of the field.
        if_not_exists: bool,
        /// What it is called.
        field: Name,
        /// Its type.
        field_type: TypeName,
    },
    /// `RENAME`
    Rename {
        /// `IF EXISTS`, of the fields.
        if_exists: bool,
        /// From what to what.
        renames: Vec<(Name, Name)>,
    },
}

/// `ALTER TYPE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AlterType {
    /// `IF EXISTS`
    pub(crate) if_exists: bool,
    /// Which.
    pub(crate) name: QualifiedName,
    /// How.
    pub(crate) change: AlterTypeChange,
}

/// What of a column is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TargetKind {
    /// Not said.
    Simple,
    /// `VALUES(…)`
    Values,
    /// `KEYS(…)`
    Keys,
    /// `ENTRIES(…)`
    Entries,
    /// `FULL(…)`
    Full,
}

/// What is indexed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IndexTarget {
    /// Which column.
    pub(crate) column: Name,
    /// What of it.
    pub(crate) kind: TargetKind,
}

/// `CREATE INDEX`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateIndex {
    /// `CUSTOM`
    pub(crate) is_custom: bool,
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called, if that is said.
    pub(crate) name: Option<Name>,
    /// Of which table.
    pub(crate) table: QualifiedName,
    /// What is indexed.
    pub(crate) targets: Vec<IndexTarget>,
    /// Behind `USING`.
    pub(crate) class: Option<Box<str>>,
    /// Behind `WITH`.
    pub(crate) properties: Vec<Property>,
}

/// `CREATE MATERIALIZED VIEW`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateView {
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: QualifiedName,
    /// Which columns it has.
    pub(crate) selection: Selection,
    /// Of which table it is.
    pub(crate) base: QualifiedName,
    /// Behind `WHERE`.
    pub(crate) relations: Vec<Relation>,
    /// Its key.
    pub(crate) primary_key: PrimaryKey,
    /// Behind `WITH`.
    pub(crate) properties: Vec<TableProperty>,
}

/// `CREATE TRIGGER`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateTrigger {
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: Name,
    /// Of which table.
    pub(crate) table: QualifiedName,
    /// The class of Java.
    pub(crate) class: Box<str>,
}

/// `CREATE FUNCTION`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateFunction {
    /// `OR REPLACE`
    pub(crate) or_replace: bool,
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: QualifiedName,
    /// Its arguments.
    pub(crate) arguments: Vec<(Name, TypeName)>,
    /// `CALLED ON NULL INPUT`, rather than `RETURNS NULL ON NULL INPUT`.
    pub(crate) called_on_null: bool,
    /// The type of what it returns.
    pub(crate) returns: TypeName,
    /// What it is written in.
    pub(crate) language: Name,
    /// Its program.
    pub(crate) body: Box<str>,
}

/// `CREATE AGGREGATE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateAggregate {
    /// `OR REPLACE`
    pub(crate) or_replace: bool,
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// What it is called.
    pub(crate) name: QualifiedName,
    /// The types of its arguments.
    pub(crate) arguments: Vec<TypeName>,
    /// `SFUNC`
    pub(crate) state_function: Name,
    /// `STYPE`
    pub(crate) state_type: TypeName,
    /// `FINALFUNC`
    pub(crate) final_function: Option<Name>,
    /// `INITCOND`
    pub(crate) initial: Option<Term>,
}

/// `DROP FUNCTION`, `DROP AGGREGATE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DropFunction {
    /// Whether it is an aggregate.
    pub(crate) is_aggregate: bool,
    /// `IF EXISTS`
    pub(crate) if_exists: bool,
    /// Which.
    pub(crate) name: QualifiedName,
    /// The types of its arguments, if they are said.
    pub(crate) arguments: Option<Vec<TypeName>>,
}

/// What kind of thing is dropped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dropped {
    /// `KEYSPACE`
    Keyspace(Name),
    /// `TABLE`
    Table(QualifiedName),
    /// `TYPE`
    Type(QualifiedName),
    /// `INDEX`
    Index(QualifiedName),
    /// `MATERIALIZED VIEW`
    View(QualifiedName),
}

/// `DROP`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drop {
    /// `IF EXISTS`
    pub(crate) if_exists: bool,
    /// What.
    pub(crate) dropped: Dropped,
}

/// What `DESCRIBE` is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Described {
    /// `CLUSTER`
    Cluster,
    /// `SCHEMA`; `FULL`, with the keyspaces of the system
    Schema {
        /// `FULL`
        full: bool,
    },
    /// `KEYSPACES`
    Keyspaces,
    /// `KEYSPACE`, that of the session when there is no name
    Keyspace {
        /// `ONLY`, without what is in it
        only: bool,
        /// Which.
        name: Option<Name>,
    },
    /// `TABLES`
    Tables,
    /// `TABLE`
    Table(QualifiedName),
    /// `INDEX`
    Index(QualifiedName),
    /// `MATERIALIZED VIEW`
    View(QualifiedName),
    /// `TYPES`
    Types,
    /// `TYPE`
    Type(QualifiedName),
    /// `FUNCTIONS`
    Functions,
    /// `FUNCTION`
    Function(QualifiedName),
    /// `AGGREGATES`
    Aggregates,
    /// `AGGREGATE`
    Aggregate(QualifiedName),
    /// A keyspace, table, index or view: whatever has the name.
    Named(QualifiedName),
}

/// `DESCRIBE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Describe {
    /// What.
    pub(crate) described: Described,
    /// `WITH INTERNALS`
    pub(crate) internals: bool,
}
