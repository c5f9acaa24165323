//! User-defined types.

use crate::error::Result;
use crate::txn::Writer;
use crate::wide_column::cql::ast::{AlterType, AlterTypeChange, CreateType};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::{check_not_system, require_keyspace};
use crate::wide_column::cql::plan::types::resolve;
use crate::wide_column::schema::{self, user_types};
use crate::wide_column::types::{CqlType, UserType};

/// `CREATE TYPE`
pub(super) fn create_type(writer: &mut Writer, session: Option<&str>, create: &CreateType) -> Result<()> {
    let context = Context::new(writer, session, &[]);
    let keyspace = context.keyspace(&create.name)?.to_owned();
    let name = create.name.name.as_str();
    check_not_system(&keyspace)?;
    require_keyspace(&context, &keyspace)?;
    if user_types::get(context.view, &keyspace, name)?.is_some() {
        return if create.if_not_exists {
            Ok(())
        } else {
            Err(invalid(format!("A user type with name '{name}' already exists")))
        };
    }
    let mut user_type = UserType::new(&keyspace, name);
    for (field, field_type) in &create.fields {
        let field = field.as_str();
        if user_type.fields().iter().any(|(own, _)| own == field) {
            return Err(invalid(format!("Duplicate field name '{field}' in type '{name}'")));
        }
        let cql_type = resolve(&context, &keyspace, field_type)?;
        if cql_type == CqlType::Counter {
            return Err(invalid("A user type cannot contain counters"));
        }
        if matches!(cql_type, CqlType::Udt(_)) {
            return Err(invalid("A user type cannot contain non-frozen UDTs"));
        }
        user_type = user_type.field(field, cql_type);
    }
    schema::check_type(&user_type)?;
    schema::change_type(writer, &user_type)
}

/// `ALTER TYPE`
pub(super) fn alter_type(writer: &mut Writer, session: Option<&str>, alter: &AlterType) -> Result<()> {
    let context = Context::new(writer, session, &[]);
    let keyspace = context.keyspace(&alter.name)?.to_owned();
    let name = alter.name.name.as_str();
    check_not_system(&keyspace)?;
    let Some(before) = user_types::get(context.view, &keyspace, name)? else {
        return if alter.if_exists { Ok(()) } else { Err(invalid(format!("Type {keyspace}.{name} doesn't exist"))) };
    };
    let changed = match &alter.change {
        AlterTypeChange::Type(..) => return Err(invalid("Altering field types is no longer supported")),
        AlterTypeChange::Add { if_not_exists, field, field_type } => {
            let field = field.as_str();
            if before.fields().iter().any(|(own, _)| own == field) {
                return if *if_not_exists {
                    Ok(())
                } else {
                    Err(invalid(format!(
                        "Cannot add field {field} to type {keyspace}.{name}: a field with name {field} already exists"
                    )))
                };
            }
            let cql_type = resolve(&context, &keyspace, field_type)?;
            before.field(field, cql_type)
        }
        AlterTypeChange::Rename { if_exists, renames } => {
            let mut fields = before.fields().to_vec();
            for (from, to) in renames {
                let (from, to) = (from.as_str(), to.as_str());
                if fields.iter().any(|(own, _)| own == to) {
                    return Err(invalid(format!("Duplicate field name '{to}' in type '{name}'")));
                }
                match fields.iter_mut().find(|(own, _)| own == from) {
                    Some((own, _)) => to.clone_into(own),
                    None if *if_exists => {}
                    None => return Err(invalid(format!("Unkown field {from} in user type {keyspace}.{name}"))),
                }
            }
            let none = UserType::new(&keyspace, name);
            fields.into_iter().fold(none, |of, (field, cql_type)| of.field(&field, cql_type))
        }
    };
    schema::check_type(&changed)?;
    schema::change_type(writer, &changed)
}
