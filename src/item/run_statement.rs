//! Running statements: each becomes a read or write that requests are made of, too.

use std::sync::Arc;

use crate::encoding::hex::hex;
use crate::error::{Error, Result};
use crate::item::attributes::shape_of;
use crate::item::check::{PreparedRead, PreparedUpdate, PreparedWrite};
use crate::item::definition::Definition;
use crate::item::expression::{Condition, ProjectionPaths, Update};
use crate::item::partiql::{
    Lookup, Returning, Select, Statement, Target as Named, column_name, exact_key, lookup, parse,
};
use crate::item::place::Place;
use crate::item::record;
use crate::item::request::{
    DeleteItem, ExecuteStatement, ExecuteStatementOutput, PutItem, Query, ReturnValues, Scan, UpdateItem,
    WriteItemOutput,
};
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::{
    AttributeValue, Fault, Item, Path, PathElement, RequestFault, StatementFault, path, run_item, run_read,
};
use crate::limits;
use crate::txn::{View, Writer};

impl Statement {
    /// The statement of `request`.
    ///
    /// # Errors
    /// What is wrong with it; parameters that are nested too deeply are refused before one of them is copied.
    pub(super) fn of(request: &ExecuteStatement) -> Result<Self> {
        limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, shape_of(request.parameters.iter()).depth)?;
        parse(&request.statement, &request.parameters)
    }

    /// Whether it writes nothing.
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::Select(_))
    }

    /// The table that it names.
    pub(super) fn table(&self) -> &str {
        match self {
            Self::Select(select) | Self::Exists(select) => &select.target.table,
            Self::Insert { table, .. } => table,
            Self::Update { target, .. } | Self::Delete { target, .. } => &target.table,
        }
    }
}

pub(super) fn refuse(fault: StatementFault) -> Error {
    Fault::Statement(fault).into_error()
}

/// The table `name` as it is now.
pub(super) fn table_of(view: &View, place: &Place, name: &str) -> Result<(Arc<Target>, Definition)> {
    let (of, name) = place.resolve(name)?;
    let target = view.state::<Tables>().target(&of, &name);
    let table = target.definition(view)?;
    Ok((target, table))
}

/// The attributes of the table's key.
pub(super) fn key_names(table: &Definition) -> Vec<&str> {
    table.record.keys.attributes().map(|attribute| attribute.name.as_str()).collect()
}

// ---- Reads ----

/// Runs a `SELECT`.
pub(super) fn select(
    names: &View,
    items: &View,
    place: &Place,
    request: &ExecuteStatement,
    select: &Select,
) -> Result<ExecuteStatementOutput> {
    let (target, table) = table_of(names, place, &select.target.table)?;
    let index = match &select.target.index {
        None => None,
        Some(name) => {
            let found = table.record.index_named(name);
            Some(found.ok_or_else(|| RequestFault::NoSuchIndex(name.clone()).into_error())?)
        }
    };
    let keys = index.map_or(&table.record.keys, |index| &index.keys);
    let partition: Vec<_> = keys.partition.iter().map(|attribute| attribute.name.as_str()).collect();
    let sort: Vec<_> = keys.sort.iter().map(|attribute| attribute.name.as_str()).collect();
    let Lookup { key, filter } = lookup(select.condition.as_ref(), &partition, &sort)?;
    let is_forward = check_order(select, key.is_some(), &partition, &sort)?;
    let start = request.next_token.as_deref().map(|token| start_of(token, &request.statement)).transpose()?;
    let is_query = key.is_some();
    let prepared = PreparedRead {
        key_condition: key,
        filter: filter.map(Arc::new),
        projection: select.columns.as_deref().map(|columns| Arc::new(attributes_of(columns))),
        filters_keys: true,
        ..PreparedRead::default()
    };
    let output = if is_query {
        let query = Query {
            index_name: select.target.index.clone(),
            scan_index_forward: Some(is_forward),
            limit: request.limit,
            exclusive_start_key: start,
            consistent_read: request.consistent_read,
            return_consumed_capacity: request.return_consumed_capacity,
            ..Query::default()
        };
        run_read::query(names, items, &target, &query, &prepared)?
    } else {
        let scan = Scan {
            index_name: select.target.index.clone(),
            limit: request.limit,
            exclusive_start_key: start,
            consistent_read: request.consistent_read,
            return_consumed_capacity: request.return_consumed_capacity,
            ..Scan::default()
        };
        run_read::scan(names, items, &target, &scan, &prepared)?
    };
    let last = output.last_evaluated_key;
    Ok(ExecuteStatementOutput {
        items: output.items.unwrap_or_default().into_iter().map(|item| row(select, item)).collect(),
        next_token: last.as_ref().map(|key| token_of(key, &request.statement)).transpose()?,
        last_evaluated_key: last,
        consumed_capacity: output.consumed_capacity,
    })
}

/// Whether rows come in the order of their sort key, and not against it.
fn check_order(select: &Select, is_lookup: bool, partition: &[&str], sort: &[&str]) -> Result<bool> {
    if !select.order.is_empty() && !is_lookup {
        return Err(refuse(StatementFault::OrderWithoutKey));
    }
    let mut is_forward = true;
    for order in &select.order {
        let name = order.attribute.as_str();
        if !partition.contains(&name) && !sort.contains(&name) {
            return Err(refuse(StatementFault::Order(order.attribute.clone())));
        }
        if sort.first() == Some(&name) {
            is_forward = !order.is_descending;
        }
    }
    Ok(is_forward)
}

/// The attributes that columns are in, each once.
pub(super) fn attributes_of(columns: &[Path]) -> ProjectionPaths {
    let mut names: Vec<_> = columns.iter().map(Path::attribute).collect();
    names.sort_unstable();
    names.dedup();
    ProjectionPaths::new(names)
}

/// The columns of an item, by their own names; what it does not have is left out.
pub(super) fn row(select: &Select, item: Item) -> Item {
    let Some(columns) = &select.columns else { return item };
    let found = columns.iter().filter_map(|path| Some((column_name(path), at(&item, path)?.clone())));
    found.collect()
}

fn at<'i>(item: &'i Item, path: &Path) -> Option<&'i AttributeValue> {
    path.inside().iter().try_fold(item.get(path.attribute())?, |value, element| match (value, element) {
        (AttributeValue::M(map), PathElement::Name(name)) => map.get(name),
        (AttributeValue::L(list), PathElement::Index(index)) => list.get(usize::try_from(*index).ok()?),
        _ => None,
    })
}

/// A token that goes on behind `key`, for the same statement only.
fn token_of(key: &Item, statement: &str) -> Result<String> {
    let mut bytes = crc32c::crc32c(statement.as_bytes()).to_be_bytes().to_vec();
    bytes.extend(record::encode(key)?);
    Ok(hex(&bytes))
}

/// The key that a token goes on behind.
fn start_of(token: &str, statement: &str) -> Result<Item> {
    let invalid = || refuse(StatementFault::Token);
    let digits: Option<Vec<_>> = token.bytes().map(|byte| char::from(byte).to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2)).ok_or_else(invalid)?;
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect();
    let bytes = bytes.ok_or_else(invalid)?;
    let (hash, key) = bytes.split_at_checked(4).ok_or_else(invalid)?;
    if hash != crc32c::crc32c(statement.as_bytes()).to_be_bytes() {
        return Err(refuse(StatementFault::TokenOfOther));
    }
    record::decode(key).map_err(|_| invalid())
}

// ---- Writes ----

/// Runs an `INSERT`, `UPDATE` or `DELETE`.
pub(super) fn write(
    writer: &mut Writer,
    place: &Place,
    request: &ExecuteStatement,
    statement: Statement,
) -> Result<ExecuteStatementOutput> {
    if request.next_token.is_some() {
        return Err(refuse(StatementFault::TokenOfWrite));
    }
    let (target, table) = table_of(writer, place, statement.table())?;
    let one = One::new(&table, statement)?;
    let output = one.run(writer, &target, request)?;
    Ok(ExecuteStatementOutput {
        items: output.attributes.into_iter().collect(),
        consumed_capacity: output.consumed_capacity,
        ..ExecuteStatementOutput::default()
    })
}

/// What a statement does to one item.
pub(super) struct One {
    pub(super) key: Item,
    pub(super) condition: Option<Condition>,
    pub(super) deed: Deed,
    returning: Option<Returning>,
}

pub(super) enum Deed {
    Insert(Item),
    Update(Update),
    Delete,
    Check,
}

impl One {
    /// What `statement`, which is no `SELECT`, does to an item of `table`.
    pub(super) fn new(table: &Definition, statement: Statement) -> Result<Self> {
        let names = key_names(table);
        let first = || path(names.first().copied().unwrap_or_default());
        match statement {
            Statement::Insert { item, .. } => {
                item.check()?;
                let key = item.iter().filter(|(name, _)| names.contains(name));
                let key = key.map(|(name, value)| (name, value.clone())).collect();
                Ok(Self { key, condition: Some(first().not_exists()), deed: Deed::Insert(item), returning: None })
            }
            Statement::Update { target, changes, condition, returning } => {
                check_no_index(&target)?;
                let (key, rest) = exact_key(condition.as_ref(), &names)?;
                let condition = Condition::all([Some(first().exists()), rest].into_iter().flatten());
                Ok(Self { key, condition, deed: Deed::Update(Update::new(changes)), returning })
            }
            Statement::Delete { target, condition, returning } => {
                check_no_index(&target)?;
                let (key, rest) = exact_key(condition.as_ref(), &names)?;
                // What is not there is deleted already.
                let condition = rest.map(|rest| first().not_exists().or(rest));
                Ok(Self { key, condition, deed: Deed::Delete, returning })
            }
            Statement::Exists(select) | Statement::Select(select) => {
                let refused = || refuse(StatementFault::Exists);
                let (key, rest) = exact_key(select.condition.as_ref(), &names).map_err(|_| refused())?;
                if rest.is_none() || select.target.index.is_some() {
                    return Err(refused());
                }
                Ok(Self { key, condition: rest, deed: Deed::Check, returning: None })
            }
        }
    }

    fn run(self, writer: &mut Writer, target: &Target, request: &ExecuteStatement) -> Result<WriteItemOutput> {
        let return_values = match self.returning {
            None => ReturnValues::None,
            Some(Returning { is_all: true, is_old: true }) => ReturnValues::AllOld,
            Some(Returning { is_all: true, is_old: false }) => ReturnValues::AllNew,
            Some(Returning { is_all: false, is_old: true }) => ReturnValues::UpdatedOld,
            Some(Returning { is_all: false, is_old: false }) => ReturnValues::UpdatedNew,
        };
        let return_consumed_capacity = request.return_consumed_capacity;
        let shown = request.return_values_on_condition_check_failure;
        let condition = self.condition;
        match self.deed {
            Deed::Insert(item) => {
                let put = PutItem {
                    return_consumed_capacity,
                    return_values_on_condition_check_failure: shown,
                    ..PutItem::default()
                };
                let prepared = PreparedWrite { condition };
                run_item::put_by(writer, target, &item, ReturnValues::None, &put, &prepared).map_err(duplicate)
            }
            Deed::Update(update) => {
                let request = UpdateItem {
                    key: self.key,
                    return_values,
                    return_consumed_capacity,
                    return_values_on_condition_check_failure: shown,
                    ..UpdateItem::default()
                };
                run_item::update(writer, target, &request, &PreparedUpdate { condition, update, is_weighed: false })
            }
            Deed::Delete => {
                let request = DeleteItem {
                    key: self.key,
                    return_values,
                    return_consumed_capacity,
                    return_values_on_condition_check_failure: shown,
                    ..DeleteItem::default()
                };
                run_item::delete(writer, target, &request, &PreparedWrite { condition })
            }
            // Only transactions check without writing.
            Deed::Check => Err(refuse(StatementFault::Operation("Exists"))),
        }
    }
}

fn check_no_index(target: &Named) -> Result<()> {
    match target.index {
        None => Ok(()),
        Some(_) => Err(refuse(StatementFault::WriteOnIndex)),
    }
}

/// An insertion whose item is there.
fn duplicate(error: Error) -> Error {
    match error.item_fault() {
        Some(Fault::ConditionalCheckFailed { .. }) => Fault::DuplicateItem.into_error(),
        _ => error,
    }
}
