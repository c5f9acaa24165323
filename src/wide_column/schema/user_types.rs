//! User-defined types, as they are kept.
//!
//! A table has the types of its columns in its own definition, with their fields: reading a row needs no other entry. A type that
//! is changed is changed there too, in the same transaction.

use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::txn::{View, Writer};
use crate::wide_column::types::UserType;

fn target(keyspace: &str, name: &str) -> catalog::Target<UserType> {
    catalog::Target::new(Kind::WideType, keyspace, name)
}

/// The type `name` of a keyspace.
pub(crate) fn get(view: &View, keyspace: &str, name: &str) -> Result<Option<UserType>> {
    Ok(target(keyspace, name).get(view)?.map(|entry| entry.record.clone()))
}

/// Every type of a keyspace, in byte order of their names.
pub(crate) fn list(view: &View, keyspace: &str) -> Result<Vec<UserType>> {
    let found = catalog::list::<UserType>(view, Kind::WideType, keyspace)?;
    Ok(found.into_iter().map(|(_, entry)| entry.record).collect())
}

/// Creates a type, or replaces it. Types and tables that have it among theirs are the caller's affair (`schema::change_type`).
pub(super) fn put(writer: &mut Writer, user_type: &UserType) -> Result<()> {
    let target = target(user_type.keyspace(), user_type.name());
    match target.get(writer)? {
        None => target.create(writer, user_type.clone()).map(drop),
        Some(entry) => target.update(writer, &catalog::Entry { record: user_type.clone(), ..entry.as_ref().clone() }),
    }
}

/// Forgets a type that nothing uses; returns whether there was one.
pub(crate) fn remove(writer: &mut Writer, keyspace: &str, name: &str) -> Result<bool> {
    let target = target(keyspace, name);
    let was_there = target.get(writer)?.is_some();
    if was_there {
        target.remove(writer);
    }
    Ok(was_there)
}
