//! Statements: `PartiQL`, read into what requests are made of.
//!
//! | text to | in |
//! |---|---|
//! | words and signs | `token` |
//! | a [`Statement`], with parameters put in | `parse`, `predicate`, `literal`, all of them on `cursor` |
//! | the key that it is about, and what else has to hold | `lookup` |
//!
//! Conditions and changes of statements are those of expressions.
//!
//! # Source
//! `DynamoDB` Developer Guide, *`PartiQL` - a SQL-compatible query language for Amazon `DynamoDB`*.

mod cursor;
mod literal;
mod lookup;
mod parse;
mod predicate;
mod statement;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use lookup::{Lookup, exact_key, lookup};
pub(crate) use parse::parse;
pub(crate) use statement::{Returning, Select, Statement, Target, column_name};
