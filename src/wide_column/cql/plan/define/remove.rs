//! `DROP`.

use crate::error::Result;
use crate::txn::Writer;
use crate::wide_column::cql::ast::Dropped;
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::{check_not_system, found};
use crate::wide_column::cql::plan::define::view::drop_view;
use crate::wide_column::role;
use crate::wide_column::schema::{self, keyspace, user_types};
use crate::wide_column::target::{Target, remove_tables};

/// `DROP`
pub(super) fn remove(writer: &mut Writer, session: Option<&str>, if_exists: bool, dropped: &Dropped) -> Result<()> {
    let context = Context::new(writer, session, &[]);
    match dropped {
        Dropped::Keyspace(name) => {
            let name = name.as_str();
            check_not_system(name)?;
            if keyspace::get(writer, name)?.is_none() {
                return if if_exists { Ok(()) } else { Err(invalid(format!("Keyspace '{name}' doesn't exist"))) };
            }
            keyspace::remove(writer, name)?;
            remove_tables(writer, name)?;
            for user_type in user_types::list(writer, name)? {
                user_types::remove(writer, name, user_type.name())?;
            }
            role::forget_keyspace(writer, name)
        }
        Dropped::Table(name) => {
            let keyspace = context.keyspace(name)?.to_owned();
            if found(&context, name, if_exists)?.is_some() {
                Target::new(&keyspace, name.name.as_str()).remove(writer)?;
            }
            Ok(())
        }
        Dropped::Type(name) => {
            let (keyspace, own) = (context.keyspace(name)?.to_owned(), name.name.as_str());
            if user_types::get(context.view, &keyspace, own)?.is_none() {
                return if if_exists { Ok(()) } else { Err(invalid(format!("Type '{keyspace}.{own}' doesn't exist"))) };
            }
            if let Some(user) = schema::user_of_type(context.view, &keyspace, own)? {
                return Err(invalid(format!("Cannot drop user type '{keyspace}.{own}' as it is still used by {user}")));
            }
            user_types::remove(writer, &keyspace, own).map(drop)
        }
        Dropped::Index(name) => {
            let (keyspace, own) = (context.keyspace(name)?.to_owned(), name.name.as_str());
            for (table, definition) in schema::tables(context.view, &keyspace)? {
                if definition.record.indexes.iter().any(|index| index.name == own) {
                    return Target::new(&keyspace, &table).drop_index(writer, own).map(drop);
                }
            }
            if if_exists { Ok(()) } else { Err(invalid(format!("Index '{keyspace}.{own}' doesn't exist'"))) }
        }
        Dropped::View(name) => drop_view(writer, session, if_exists, name),
    }
}
