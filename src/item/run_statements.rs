//! Running several statements: batches, and transactions.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::item::check::{PreparedTransactGet, PreparedTransactWrite, PreparedTransaction, PreparedUpdate};
use crate::item::partiql::{Statement, exact_key};
use crate::item::place::Place;
use crate::item::record;
use crate::item::request::{
    BatchStatementError, BatchStatementResponse, ExecuteStatementOutput, ExecuteTransaction, ExecuteTransactionOutput,
    TransactAction, TransactGet, TransactGetItems, TransactWrite, TransactWriteItems,
};
use crate::item::run_item::KeyOf;
use crate::item::run_statement::{Deed, One, attributes_of, key_names, refuse, row, table_of};
use crate::item::token::fingerprint;
use crate::item::{CancellationReason, Fault, RequestFault, StatementFault, run_transact};
use crate::txn::{View, Writer};

/// What the batch and the transaction call themselves.
const BATCH: &str = "BatchExecuteStatement";
const TRANSACTION: &str = "ExecuteTransaction";

/// Which item each statement of a batch or transaction is about, in a table.
///
/// # Errors
/// What is wrong with the statement in the place that `name` says.
fn item_of(view: &View, place: &Place, statement: &Statement, name: &'static str) -> Result<Vec<u8>> {
    let (_, table) = table_of(view, place, statement.table())?;
    let names = key_names(&table);
    let key = match statement {
        Statement::Select(select) => {
            let without_key = || refuse(StatementFault::SelectWithoutKey(name));
            if select.target.index.is_some() {
                return Err(without_key());
            }
            let (key, rest) = exact_key(select.condition.as_ref(), &names).map_err(|_| without_key())?;
            if rest.is_some() {
                return Err(without_key());
            }
            key
        }
        other => One::new(&table, other.clone())?.key,
    };
    KeyOf::Attributes(&key).stored(&table)
}

/// Refuses a batch that both reads and writes, or that is about one item twice.
pub(super) fn check_batch(view: &View, place: &Place, statements: &[Result<Statement>]) -> Result<()> {
    let mut reads = statements.iter().flatten().map(Statement::is_read);
    if let Some(first) = reads.next()
        && reads.any(|is_read| is_read != first)
    {
        return Err(refuse(StatementFault::MixedBatch));
    }
    let mut seen = HashSet::new();
    for statement in statements.iter().flatten() {
        let Ok(key) = item_of(view, place, statement, BATCH) else { continue };
        if !seen.insert((statement.table(), key)) {
            return Err(RequestFault::other("Provided list of item keys contains duplicates"));
        }
    }
    Ok(())
}

/// Refuses a read that is not about one item.
pub(super) fn check_batch_read(view: &View, place: &Place, statement: &Statement) -> Result<()> {
    item_of(view, place, statement, BATCH).map(drop)
}

/// What is said of a statement of a batch.
///
/// # Errors
/// What is not about the statement.
pub(super) fn response(
    table: Option<String>,
    outcome: Result<ExecuteStatementOutput>,
) -> Result<BatchStatementResponse> {
    let error = match outcome {
        Ok(output) => {
            let (item, consumed_capacity) = (output.items.into_iter().next(), output.consumed_capacity);
            return Ok(BatchStatementResponse { error: None, table_name: table, item, consumed_capacity });
        }
        Err(error) => error,
    };
    let Some(fault) = error.item_fault() else { return Err(error) };
    let code = match fault.code() {
        "ValidationException" => "ValidationError",
        "TableNotFoundException" => "ResourceNotFound",
        other => other.strip_suffix("Exception").unwrap_or(other),
    };
    let has_run = matches!(fault, Fault::ConditionalCheckFailed { .. } | Fault::DuplicateItem);
    Ok(BatchStatementResponse {
        error: Some(BatchStatementError { code: code.to_owned(), message: fault.to_string() }),
        table_name: table.filter(|_| has_run),
        ..BatchStatementResponse::default()
    })
}

/// Reads the statements of a transaction: whether they read, and what they are.
///
/// # Errors
/// What is wrong with one of them, and with which.
pub(super) fn parse_transaction(request: &ExecuteTransaction) -> Result<(bool, Vec<Statement>)> {
    let mut statements = Vec::new();
    for (place, request) in request.transact_statements.iter().enumerate() {
        let statement = Statement::of(request).map_err(|error| in_transaction(place, error))?;
        let returns = matches!(
            &statement,
            Statement::Update { returning: Some(_), .. } | Statement::Delete { returning: Some(_), .. }
        );
        if returns {
            return Err(in_transaction(place, refuse(StatementFault::ReturningInTransaction)));
        }
        statements.push(statement);
    }
    let reads = statements.iter().filter(|statement| statement.is_read()).count();
    if reads > 0 && reads < statements.len() {
        return Err(refuse(StatementFault::MixedTransaction));
    }
    Ok((reads > 0, statements))
}

/// What is wrong with the statement at `place`, as a transaction says it.
fn in_transaction(place: usize, error: Error) -> Error {
    match error.item_fault() {
        Some(Fault::Statement(fault)) => {
            refuse(StatementFault::InTransaction { place, fault: Box::new(fault.clone()) })
        }
        _ => error,
    }
}

/// Runs a transaction of reads.
pub(super) fn transact_get(
    names: &View,
    items: &View,
    place: &Place,
    request: &ExecuteTransaction,
    statements: &[Statement],
) -> Result<ExecuteTransactionOutput> {
    let (mut gets, mut projections, mut selects) = (Vec::new(), Vec::new(), Vec::new());
    for (at, statement) in statements.iter().enumerate() {
        let Statement::Select(select) = statement else { continue };
        item_of(names, place, statement, TRANSACTION).map_err(|error| in_transaction(at, error))?;
        let (_, table) = table_of(names, place, &select.target.table)?;
        let (key, _) = exact_key(select.condition.as_ref(), &key_names(&table))?;
        gets.push(TransactGet { table_name: select.target.table.clone(), key, ..TransactGet::default() });
        projections.push(select.columns.as_deref().map(attributes_of));
        selects.push(select);
    }
    let request = TransactGetItems { transact_items: gets, return_consumed_capacity: request.return_consumed_capacity };
    let prepared = PreparedTransactGet { projections };
    let output = run_transact::get(names, items, place, &request, &prepared)?;
    let rows = output.responses.into_iter().zip(selects).map(|(item, select)| item.map(|item| row(select, item)));
    Ok(ExecuteTransactionOutput { responses: rows.collect(), consumed_capacity: output.consumed_capacity })
}

/// Runs a transaction of writes and checks.
pub(super) fn transact_write(
    writer: &mut Writer,
    place: &Place,
    request: &ExecuteTransaction,
    statements: Vec<Statement>,
) -> Result<ExecuteTransactionOutput> {
    let mut parts = Vec::new();
    for statement in &request.transact_statements {
        parts.push(statement.statement.clone().into_bytes());
        for parameter in &statement.parameters {
            parts.push(record::encode_value(parameter)?);
        }
    }
    let fingerprint = fingerprint(parts.iter().map(Vec::as_slice));
    let (mut transact_items, mut prepared, mut inserts) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (statement, request)) in statements.into_iter().zip(&request.transact_statements).enumerate() {
        let name = statement.table().to_owned();
        let (_, table) = table_of(writer, place, &name)?;
        let One { key, condition, deed, .. } =
            One::new(&table, statement).map_err(|error| in_transaction(at, error))?;
        inserts.push(matches!(deed, Deed::Insert(_)));
        let (action, update) = match deed {
            Deed::Insert(item) => (TransactAction::Put(item), None),
            Deed::Delete => (TransactAction::Delete(key), None),
            Deed::Check => (TransactAction::ConditionCheck(key), None),
            Deed::Update(update) => (
                TransactAction::Update { key, update_expression: String::new() },
                Some(PreparedUpdate { update, ..PreparedUpdate::default() }),
            ),
        };
        let mut write = TransactWrite::new(name, action);
        write.return_values_on_condition_check_failure = request.return_values_on_condition_check_failure;
        transact_items.push(write);
        prepared.push(PreparedTransactWrite { condition, update });
    }
    let request = TransactWriteItems {
        transact_items,
        client_request_token: request.client_request_token.clone(),
        return_consumed_capacity: request.return_consumed_capacity,
        ..TransactWriteItems::default()
    };
    let prepared = PreparedTransaction { writes: prepared, fingerprint };
    let output =
        run_transact::write(writer, place, &request, &prepared).map_err(|error| duplicates(error, &inserts))?;
    let consumed_capacity = output.consumed_capacity;
    Ok(ExecuteTransactionOutput { responses: Vec::new(), consumed_capacity })
}

/// The same cancellation, with insertions whose items are there told as such.
fn duplicates(error: Error, inserts: &[bool]) -> Error {
    let Some(Fault::TransactionCanceled { reasons }) = error.item_fault() else { return error };
    let mut reasons = reasons.clone();
    for (reason, is_insert) in reasons.iter_mut().zip(inserts) {
        if *is_insert && matches!(reason, CancellationReason::ConditionalCheckFailed { .. }) {
            *reason = CancellationReason::DuplicateItem;
        }
    }
    Fault::TransactionCanceled { reasons }.into_error()
}
