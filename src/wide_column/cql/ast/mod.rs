//! The syntax tree of CQL: what a statement says, before it is compared with a schema.
//!
//! Every tree that the parser makes can be printed (its `Display`) and comes back equal when that is parsed. Where two
//! texts mean the same by the grammar alone they have one tree: names are folded, `x += 1` is `x = x + 1`, a key written
//! at its column is a clause of its own.

mod modify;
mod name;
mod role;
mod schema;
mod select;
mod term;
mod types;

pub(crate) use modify::{
    Assignment, Batch, BatchKind, Condition, ConditionTarget, ConditionTest, Delete, Deletion, Guard, Insert,
    InsertJson, JsonValue, Modification, Update, Using,
};
pub(crate) use name::{Name, QualifiedName, quoted_if_needed};
pub(crate) use role::{Permissions, Resource, RoleOption, RoleStatement, UserOptions};
pub(crate) use schema::{
    AlterTable, AlterTableChange, AlterType, AlterTypeChange, ClusteringOrder, ColumnDefinition, CreateAggregate,
    CreateFunction, CreateIndex, CreateKeyspace, CreateTable, CreateTrigger, CreateType, CreateView, Describe,
    Described, Drop, DropFunction, Dropped, IndexTarget, Mask, PrimaryKey, Property, PropertyValue, TableProperty,
    TargetKind,
};
pub(crate) use select::{Ordering, Select, Selected, Selection, Selector, TimeFunction};
pub(crate) use term::{Arithmetic, Call, Comparison, InTuples, InValues, Literal, LiteralKind, Marker, Relation, Term};
pub(crate) use types::{NativeType, TypeName};

/// A statement of CQL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    /// `SELECT`
    Select(Box<Select>),
    /// `INSERT`, `UPDATE`, `DELETE`
    Modification(Modification),
    /// `BEGIN BATCH … APPLY BATCH`
    Batch(Batch),
    /// `USE`
    Use(Name),
    /// `TRUNCATE`
    Truncate(QualifiedName),
    /// `CREATE KEYSPACE`
    CreateKeyspace(CreateKeyspace),
    /// `ALTER KEYSPACE`
    AlterKeyspace {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
        /// Behind `WITH`.
        properties: Vec<Property>,
    },
    /// `CREATE TABLE`
    CreateTable(Box<CreateTable>),
    /// `ALTER TABLE`
    AlterTable(Box<AlterTable>),
    /// `CREATE TYPE`
    CreateType(CreateType),
    /// `ALTER TYPE`
    AlterType(AlterType),
    /// `CREATE INDEX`
    CreateIndex(Box<CreateIndex>),
    /// `CREATE MATERIALIZED VIEW`
    CreateView(Box<CreateView>),
    /// `ALTER MATERIALIZED VIEW`
    AlterView {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: QualifiedName,
        /// Behind `WITH`.
        properties: Vec<Property>,
    },
    /// `CREATE TRIGGER`
    CreateTrigger(CreateTrigger),
    /// `DROP TRIGGER`
    DropTrigger {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
        /// Of which table.
        table: QualifiedName,
    },
    /// `CREATE FUNCTION`
    CreateFunction(Box<CreateFunction>),
    /// `CREATE AGGREGATE`
    CreateAggregate(Box<CreateAggregate>),
    /// `DROP FUNCTION`, `DROP AGGREGATE`
    DropFunction(DropFunction),
    /// `DROP KEYSPACE`, `TABLE`, `TYPE`, `INDEX`, `MATERIALIZED VIEW`
    Drop(Drop),
    /// `DESCRIBE`
    Describe(Describe),
    /// What is about roles, users and permissions.
    Role(RoleStatement),
}

/// A statement with the markers it has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parsed {
    /// What it says.
    pub(crate) statement: Statement,
    /// For each marker, in the order of the text, the name it has.
    pub(crate) markers: Vec<Option<Name>>,
}
