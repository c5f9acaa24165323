//! `ALTER TABLE`.

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cql::ast::{AlterTable, AlterTableChange};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::found;
use crate::wide_column::cql::plan::define::options::set_option;
use crate::wide_column::cql::plan::define::table::refuse_mask;
use crate::wide_column::cql::plan::types::resolve;
use crate::wide_column::schema::{ColumnKind, TableRecord};
use crate::wide_column::target::Target;

/// `ALTER TABLE`
pub(super) fn alter_table(writer: &mut Writer, session: Option<&str>, alter: &AlterTable) -> Result<()> {
    let context = Context::new(writer, session, &[]);
    let keyspace = context.keyspace(&alter.name)?.to_owned();
    let name = alter.name.name.as_str();
    let label = format!("{keyspace}.{name}");
    let Some(table) = found(&context, &alter.name, alter.if_exists)? else { return Ok(()) };
    let target = Target::new(&keyspace, name);
    match &alter.change {
        AlterTableChange::Type(..) => Err(invalid("Altering column types is no longer supported")),
        AlterTableChange::Mask { .. } => Err(Error::unsupported("MASKED WITH")),
        AlterTableChange::DropCompactStorage => {
            Err(invalid("Cannot DROP COMPACT STORAGE on table without COMPACT STORAGE"))
        }
        AlterTableChange::Add { if_not_exists, columns } => {
            let mut added = Vec::with_capacity(columns.len());
            for column in columns {
                refuse_mask(column)?;
                let own = column.name.as_str();
                if table.record.schema.column_named(own).is_some() {
                    if *if_not_exists {
                        continue;
                    }
                    return Err(invalid(format!("Column with name '{own}' already exists")));
                }
                let kind = if column.is_static { ColumnKind::Static } else { ColumnKind::Regular };
                if column.is_static && table.record.shape().clustering.is_empty() {
                    return Err(invalid(
                        "Static columns are only useful (and thus allowed) if the table has at least one clustering column",
                    ));
                }
                added.push((own, resolve(&context, &keyspace, &column.column_type)?, kind));
            }
            target.alter(writer, |record| {
                for (own, cql_type, kind) in &added {
                    record.add_column(own, cql_type.clone(), *kind)?;
                }
                Ok(!added.is_empty())
            })?;
            Ok(())
        }
        AlterTableChange::Drop { if_exists, columns, timestamp } => {
            if timestamp.is_some() {
                return Err(Error::unsupported("ALTER TABLE … DROP … USING TIMESTAMP"));
            }
            for column in columns {
                drop_column(&table.record, &label, column.as_str(), *if_exists)?;
            }
            for column in columns {
                target.drop_column(writer, column.as_str())?;
            }
            Ok(())
        }
        AlterTableChange::Rename { if_exists, renames } => {
            let mut named = Vec::with_capacity(renames.len());
            for (from, to) in renames {
                let (from, to) = (from.as_str(), to.as_str());
                let Some(column) = table.record.schema.column_named(from) else {
                    if *if_exists {
                        continue;
                    }
                    return Err(invalid(format!("Column {from} was not found in table {label}")));
                };
                if !column.is_key() {
                    return Err(invalid(format!("Cannot rename non PRIMARY KEY column {from}")));
                }
                if table.record.schema.column_named(to).is_some() {
                    return Err(invalid(format!(
                        "Cannot rename column {from} to {to} in table '{label}'; another column with that name already exists"
                    )));
                }
                named.push((from, to));
            }
            target.alter(writer, |record| {
                named.iter().try_for_each(|(from, to)| record.rename_column(from, to))?;
                Ok(!named.is_empty())
            })?;
            Ok(())
        }
        AlterTableChange::Properties(properties) => {
            let mut options = table.record.schema.options().clone();
            properties.iter().try_for_each(|property| set_option(&mut options, property))?;
            if table.record.schema.is_counter() && options.default_time_to_live > 0 {
                return Err(invalid("Cannot set default_time_to_live on a table with counters"));
            }
            target.alter(writer, |record| record.set_options(|own| *own = options.clone()).map(|()| true))?;
            Ok(())
        }
    }
}

/// Refuses to drop what is not there, or is part of the key.
fn drop_column(record: &TableRecord, label: &str, name: &str, if_exists: bool) -> Result<()> {
    match record.schema.column_named(name) {
        None if if_exists => Ok(()),
        None => Err(invalid(format!("Column {name} was not found in table '{label}'"))),
        Some(column) if column.is_key() => Err(invalid(format!("Cannot drop PRIMARY KEY column {name}"))),
        Some(_) => Ok(()),
    }
}
