//! `CREATE TABLE`.

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cql::ast::{ColumnDefinition, CreateTable, Name, TableProperty};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::{already_exists, check_name, check_not_system, require_keyspace};
use crate::wide_column::cql::plan::define::options::set_option;
use crate::wide_column::cql::plan::types::resolve;
use crate::wide_column::schema::{self, Order, TableOptions, TableSchema};
use crate::wide_column::target::Target;
use crate::wide_column::types::CqlType;

/// `CREATE TABLE`
pub(super) fn create_table(writer: &mut Writer, session: Option<&str>, create: &CreateTable) -> Result<()> {
    let context = Context::new(writer, session, &[]);
    let keyspace = context.keyspace(&create.name)?.to_owned();
    let name = create.name.name.as_str();
    check_not_system(&keyspace)?;
    check_name("Table", name)?;
    require_keyspace(&context, &keyspace)?;
    if schema::table(context.view, &keyspace, name)?.is_some() {
        return if create.if_not_exists {
            Ok(())
        } else {
            Err(already_exists(format!("Cannot add already existing table \"{name}\" to keyspace \"{keyspace}\"")))
        };
    }
    let made = table_schema(&context, &keyspace, create)?;
    Target::new(&keyspace, name).create(writer, &made)
}

fn table_schema(context: &Context<'_>, keyspace: &str, create: &CreateTable) -> Result<TableSchema> {
    let name = create.name.name.as_str();
    let Some(key) = &create.primary_key else {
        return Err(invalid(format!("No PRIMARY KEY specifed for table '{name}' (exactly one required)")));
    };
    let mut types = Vec::with_capacity(create.columns.len());
    for column in &create.columns {
        refuse_mask(column)?;
        types.push((column.name.as_str(), resolve(context, keyspace, &column.column_type)?, column.is_static));
    }
    let mut options = TableOptions::default();
    let mut orders: Vec<(&str, bool)> = Vec::new();
    for property in &create.properties {
        match property {
            TableProperty::Property(property) => set_option(&mut options, property)?,
            TableProperty::CompactStorage => return Err(Error::unsupported("COMPACT STORAGE")),
            TableProperty::ClusteringOrder(order) => {
                orders.extend(order.iter().map(|order| (order.column.as_str(), order.descending)));
            }
        }
    }
    check_orders(key.clustering.iter().map(Name::as_str), &orders)?;
    let mut seen: Vec<&str> = Vec::new();
    let mut schema = TableSchema::new().with_options(options);
    for (nth, column) in key.partition.iter().chain(&key.clustering).enumerate() {
        let column = column.as_str();
        let found = types.iter().find(|(own, ..)| *own == column);
        let Some((_, cql_type, is_static)) = found else {
            return Err(invalid(format!("Unknown column '{column}' referenced in PRIMARY KEY for table '{name}'")));
        };
        if seen.contains(&column) {
            return Err(invalid(format!("Duplicate column '{column}' in PRIMARY KEY clause for table '{name}'")));
        }
        check_key(column, cql_type, *is_static)?;
        seen.push(column);
        schema = if nth < key.partition.len() {
            schema.partition_key(column, cql_type.clone())
        } else {
            let order = orders.iter().find(|(own, _)| *own == column).is_some_and(|(_, descending)| *descending);
            schema.clustering(column, cql_type.clone(), if order { Order::Descending } else { Order::Ascending })
        };
    }
    for (column, cql_type, is_static) in types.iter().filter(|(own, ..)| !seen.contains(own)) {
        schema = if *is_static {
            schema.static_column(column, cql_type.clone())
        } else {
            schema.column(column, cql_type.clone())
        };
    }
    Ok(schema)
}

fn check_key(column: &str, cql_type: &CqlType, is_static: bool) -> Result<()> {
    if cql_type.is_multi_cell() {
        let what = if cql_type.is_collection() { "collection" } else { "user-defined" };
        return Err(invalid(format!("Invalid non-frozen {what} type {cql_type} for PRIMARY KEY column '{column}'")));
    }
    if *cql_type == CqlType::Counter {
        return Err(invalid(format!("counter type is not supported for PRIMARY KEY column '{column}'")));
    }
    if cql_type.any(&mut |part| *part == CqlType::Duration) {
        return Err(invalid(format!("duration type is not supported for PRIMARY KEY column '{column}'")));
    }
    if is_static {
        return Err(invalid(format!("Static column '{column}' cannot be part of the PRIMARY KEY")));
    }
    Ok(())
}

fn check_orders<'n>(clustering: impl Iterator<Item = &'n str>, orders: &[(&str, bool)]) -> Result<()> {
    let clustering: Vec<_> = clustering.collect();
    if orders.len() > clustering.len() {
        return Err(invalid("Only clustering columns can be defined in CLUSTERING ORDER directive"));
    }
    for ((ordered, _), column) in orders.iter().zip(&clustering) {
        if ordered != column {
            return Err(invalid(if orders.iter().any(|(own, _)| own == column) {
                format!(
                    "The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns \
                     ({column} must appear before {ordered})"
                )
            } else {
                format!("Missing CLUSTERING ORDER for column {column}")
            }));
        }
    }
    Ok(())
}

/// Refuses a column that is masked.
pub(super) fn refuse_mask(column: &ColumnDefinition) -> Result<()> {
    if column.mask.is_some() { Err(Error::unsupported("MASKED WITH")) } else { Ok(()) }
}
