//! Materialized views.

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cql::ast::{
    CreateView, Name, Property, QualifiedName, Relation, Selection, Selector, TableProperty,
};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::{already_exists, check_name, check_not_system, require_keyspace};
use crate::wide_column::cql::plan::define::options::set_option;
use crate::wide_column::schema::{self, Order, TableOptions, ViewSchema};
use crate::wide_column::target::Target;

/// `CREATE MATERIALIZED VIEW`
pub(super) fn create_view(writer: &mut Writer, session: Option<&str>, create: &CreateView) -> Result<()> {
    let context = Context::new(writer, session, &[]);
    let (keyspace, base_keyspace) = (context.keyspace(&create.name)?.to_owned(), context.keyspace(&create.base)?);
    let (name, base) = (create.name.name.as_str(), create.base.name.as_str());
    check_not_system(&keyspace)?;
    if keyspace != base_keyspace {
        return Err(invalid(format!(
            "Cannot create a materialized view on a table in a separate keyspace ('{base_keyspace}' != '{keyspace}')"
        )));
    }
    check_name("Materialized view", name)?;
    require_keyspace(&context, &keyspace)?;
    if schema::table(context.view, &keyspace, base)?.is_none() {
        return Err(invalid(format!("Base table '{base}' doesn't exist")));
    }
    match schema::table(context.view, &keyspace, name)? {
        Some(there) if there.record.view.is_none() => {
            return Err(invalid(format!(
                "Cannot create materialized view '{name}' - a table with the same name already exists"
            )));
        }
        Some(_) if create.if_not_exists => return Ok(()),
        Some(_) => return Err(already_exists(format!("Materialized view '{keyspace}.{name}' already exists"))),
        None => {}
    }
    let made = view_schema(create)?;
    // Asked first for what no view can be, as Cassandra does.
    let missing = unrestricted(create)?;
    Target::new(&keyspace, base).create_view(writer, name, &made)?;
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(invalid(format!("Primary key columns {missing} must be restricted with 'IS NOT NULL' or otherwise")))
}

fn view_schema(create: &CreateView) -> Result<ViewSchema> {
    let mut options = TableOptions::default();
    let mut orders = Vec::new();
    for property in &create.properties {
        match property {
            TableProperty::Property(property) => set_option(&mut options, property)?,
            TableProperty::CompactStorage => return Err(Error::unsupported("COMPACT STORAGE")),
            TableProperty::ClusteringOrder(order) => orders.extend(order),
        }
    }
    let clustering = &create.primary_key.clustering;
    if !orders.is_empty() && !orders.iter().map(|order| &order.column).eq(clustering) {
        return Err(invalid("Clustering key columns must exactly match columns in CLUSTERING ORDER BY directive"));
    }
    let mut made = ViewSchema::new().with_options(options);
    for column in &create.primary_key.partition {
        made = made.partition_key(column.as_str());
    }
    for (nth, column) in clustering.iter().enumerate() {
        let is_descending = orders.get(nth).is_some_and(|order| order.descending);
        made = made.clustering(column.as_str(), if is_descending { Order::Descending } else { Order::Ascending });
    }
    let Selection::Some(all) = &create.selection else { return Ok(made) };
    let mut shown = Vec::with_capacity(all.len());
    for selected in all {
        if selected.alias.is_some() {
            return Err(invalid("Cannot use aliases when defining a materialized view"));
        }
        let Selector::Column(column) = &selected.selector else {
            return Err(invalid("Can only select columns by name when defining a materialized view"));
        };
        shown.push(column.as_str());
    }
    let mut key = create.primary_key.partition.iter().chain(clustering).map(Name::as_str);
    if let Some(column) = key.find(|column| !shown.contains(column)) {
        let name = create.name.name.as_str();
        return Err(invalid(format!(
            "Unknown column '{column}' referenced in PRIMARY KEY for materialized view '{name}'"
        )));
    }
    Ok(made.columns(shown))
}

/// The columns of the key that are not said to be there.
fn unrestricted(create: &CreateView) -> Result<Vec<&str>> {
    let mut restricted = Vec::new();
    let key = || create.primary_key.partition.iter().chain(&create.primary_key.clustering);
    for relation in &create.relations {
        let Relation::IsNotNull(column) = relation else {
            return Err(Error::unsupported(format!("a materialized view with the condition {relation}")));
        };
        if !key().any(|own| own == column) {
            return Err(Error::unsupported(format!("a materialized view with the condition {relation}")));
        }
        restricted.push(column);
    }
    Ok(key().filter(|column| !restricted.contains(column)).map(Name::as_str).collect())
}

/// `ALTER MATERIALIZED VIEW`
pub(super) fn alter_view(
    writer: &mut Writer,
    session: Option<&str>,
    if_exists: bool,
    name: &QualifiedName,
    properties: &[Property],
) -> Result<()> {
    let Some((target, mut options)) = found(writer, session, if_exists, name)? else { return Ok(()) };
    properties.iter().try_for_each(|property| set_option(&mut options, property))?;
    target.set_view_options(writer, |own| *own = options)
}

/// `DROP MATERIALIZED VIEW`
pub(super) fn drop_view(
    writer: &mut Writer,
    session: Option<&str>,
    if_exists: bool,
    name: &QualifiedName,
) -> Result<()> {
    let Some((target, _)) = found(writer, session, if_exists, name)? else { return Ok(()) };
    target.drop_view(writer).map(drop)
}

/// The view that a statement names, with its options; `None` where it may be missing and is.
fn found(
    writer: &mut Writer,
    session: Option<&str>,
    if_exists: bool,
    name: &QualifiedName,
) -> Result<Option<(std::sync::Arc<Target>, TableOptions)>> {
    let context = Context::new(writer, session, &[]);
    let (keyspace, own) = (context.keyspace(name)?, name.name.as_str());
    check_not_system(keyspace)?;
    match schema::table(context.view, keyspace, own)?.filter(|table| table.record.view.is_some()) {
        Some(view) => Ok(Some((Target::new(keyspace, own), view.record.schema.options().clone()))),
        None if if_exists => Ok(None),
        None => Err(invalid(format!("Materialized view '{keyspace}.{own}' doesn't exist"))),
    }
}
