//! Materialized views.

use std::cell::RefCell;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cql::ast::{
    CreateView, Name, Property, QualifiedName, Relation, Selection, Selector, TableProperty,
};
use crate::wide_column::cql::plan::context::{Context, Given, column, invalid};
use crate::wide_column::cql::plan::define::common::{already_exists, check_name, check_not_system, require_keyspace};
use crate::wide_column::cql::plan::define::options::set_option;
use crate::wide_column::cql::plan::restrict::{Said, said};
use crate::wide_column::cql::plan::slices::{One, Several};
use crate::wide_column::read::plan::{Bytes, Comparison, Test};
use crate::wide_column::schema::{self, Column, Order, TableOptions, TableRecord, ViewCondition, ViewSchema, ViewTest};
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
    let Some(table) = schema::table(context.view, &keyspace, base)? else {
        return Err(invalid(format!("Base table '{base}' doesn't exist")));
    };
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
    let asked = RefCell::default();
    let context = Context::given_to(writer, session, Given::Asked(&asked));
    let restricted = restricted(&context, &table.record, &format!("{keyspace}.{base}"), create);
    if !asked.borrow().markers.is_empty() {
        return Err(invalid("Bind variables are not allowed in CREATE MATERIALIZED VIEW statements"));
    }
    let (conditions, fault) = match restricted {
        Ok(conditions) => (conditions, None),
        Err(fault) => (Vec::new(), Some(fault)),
    };
    let made = view_schema(create)?.with_conditions(conditions);
    // What no view can be goes first, as in Cassandra; nothing is left of it when the condition is wrong.
    Target::new(&keyspace, base).create_view(writer, name, &made)?;
    fault.map_or(Ok(()), Err)
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

/// What the `WHERE` says of the base's key; nothing when that is no more than that the view's key is there.
///
/// # Errors
/// Cassandra's, for what no condition of a view can be.
fn restricted(
    context: &Context<'_>,
    base: &TableRecord,
    label: &str,
    create: &CreateView,
) -> Result<Vec<ViewCondition>> {
    let is_of_values = |relation: &&Relation| !matches!(relation, Relation::IsNotNull(_));
    let (name, relations) = (create.name.name.as_str(), &create.relations);
    if relations.iter().any(|relation| matches!(relation, Relation::Token { .. })) {
        return Err(invalid("Cannot use token relation when defining a materialized view"));
    }
    if relations.iter().any(|relation| matches!(relation, Relation::Expression { .. })) {
        return Err(invalid(format!(
            "WHERE clause for materialized view '{name}' cannot contain custom index expressions"
        )));
    }
    let of_values: Vec<_> = relations.iter().filter(is_of_values).cloned().collect();
    // All of them at once, for what they cannot say together.
    said(context, base, label, &of_values)?;
    let mut conditions = Vec::with_capacity(relations.len());
    for relation in relations {
        conditions.push(condition(context, base, label, relation)?);
    }
    let key: Vec<_> = create.primary_key.partition.iter().chain(&create.primary_key.clustering).collect();
    let id = |name: &Name| Ok::<_, Error>(column(base, label, name)?.1.id());
    let mut missing = Vec::new();
    for own in &key {
        let id = id(own)?;
        if !conditions.iter().any(|condition| condition.columns.contains(&id)) {
            missing.push(own.as_str());
        }
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(invalid(format!(
            "Primary key columns {missing} must be restricted with 'IS NOT NULL' or otherwise"
        )));
    }
    let of_values = || conditions.iter().filter(|own| own.test != ViewTest::IsNotNull);
    let is_restricted = |own: &&Column| !own.is_key() && of_values().any(|one| one.columns.contains(&own.id()));
    let illegal: Vec<_> = base.schema.columns().filter(is_restricted).map(Column::name).collect();
    if !illegal.is_empty() {
        let illegal = illegal.join(",");
        return Err(invalid(format!(
            "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: {illegal} restricted illegally)"
        )));
    }
    let says_more = |own: &ViewCondition| {
        let is_of_key =
            |id: &u16| base.column_with(*id).is_some_and(|own| key.iter().any(|name| name.as_str() == own.name()));
        own.test != ViewTest::IsNotNull || !own.columns.iter().all(is_of_key)
    };
    Ok(if conditions.iter().any(says_more) { conditions } else { Vec::new() })
}

/// One relation of a `WHERE`.
fn condition(context: &Context<'_>, base: &TableRecord, label: &str, relation: &Relation) -> Result<ViewCondition> {
    let all = relation.to_string();
    let behind = |names: String| all.strip_prefix(names.as_str()).unwrap_or_default().to_owned();
    if let Relation::IsNotNull(name) = relation {
        let columns = vec![column(base, label, name)?.1.id()];
        return Ok(ViewCondition { columns, said: behind(name.to_string()), test: ViewTest::IsNotNull });
    }
    let Said { partition, clustered, others, .. } = said(context, base, label, std::slice::from_ref(relation))?;
    let one = partition.into_iter().chain(clustered.single).chain(others).next();
    let bytes = |values: Vec<Bytes>| values.into_iter().map(SmallVec::into_vec).collect::<Vec<_>>();
    let id = |at: usize| base.column(at).map(Column::id);
    let named = match relation {
        Relation::Columns { columns, .. } | Relation::ColumnsIn { columns, .. } => {
            let names: Vec<_> = columns.iter().map(ToString::to_string).collect();
            format!("({})", names.join(", "))
        }
        Relation::Column { column, .. }
        | Relation::In { column, .. }
        | Relation::Contains { column, .. }
        | Relation::Element { column, .. } => column.to_string(),
        Relation::Like { .. } | Relation::IsNotNull(_) | Relation::Token { .. } | Relation::Expression { .. } => {
            return Err(Error::unsupported(format!("a materialized view with the condition {relation}")));
        }
    };
    let (columns, test) = match (one, clustered.several.into_iter().next()) {
        (Some((at, one)), _) => {
            let test = match one {
                One::Equal(value) => ViewTest::Compare(Comparison::Equal, vec![value.into_vec()]),
                One::Range(comparison, value) => ViewTest::Compare(comparison, vec![value.into_vec()]),
                One::In(values) => ViewTest::In(values.into_iter().map(|value| vec![value.into_vec()]).collect()),
                One::Other(Test::Contains(element)) => ViewTest::Contains(element.into_vec()),
                One::Other(Test::ContainsKey(key)) => ViewTest::ContainsKey(key.into_vec()),
                One::Other(Test::Entry(key, Comparison::Equal, value)) => {
                    ViewTest::Entry(key.into_vec(), value.into_vec())
                }
                One::Other(_) => {
                    return Err(Error::unsupported(format!("a materialized view with the condition {relation}")));
                }
            };
            (vec![id(at)?], test)
        }
        (None, Some((places, several))) => {
            let test = match several {
                Several::Compare(comparison, values) => ViewTest::Compare(comparison, bytes(values)),
                Several::In(tuples) => ViewTest::In(tuples.into_iter().map(bytes).collect()),
            };
            (places.into_iter().map(id).collect::<Result<_>>()?, test)
        }
        (None, None) => return Err(Error::value("a relation says nothing")),
    };
    Ok(ViewCondition { columns, said: behind(named), test })
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
