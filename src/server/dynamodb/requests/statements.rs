//! Requests that are written as statements.

use crate::item::request::{BatchExecuteStatement, ExecuteStatement, ExecuteTransaction};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::requests::Reader;

pub(in crate::server::dynamodb) fn execute_statement(request: &Reader<'_>) -> Result<ExecuteStatement, Failure> {
    Ok(ExecuteStatement {
        next_token: request.optional_text("NextToken"),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        limit: request.small_integer("Limit"),
        consistent_read: request.bool("ConsistentRead"),
        ..statement(request)?
    })
}

pub(in crate::server::dynamodb) fn batch_execute_statement(
    request: &Reader<'_>,
) -> Result<BatchExecuteStatement, Failure> {
    let statements = request.list("Statements", |one| {
        Ok(ExecuteStatement { consistent_read: one.bool("ConsistentRead"), ..statement(one)? })
    })?;
    Ok(BatchExecuteStatement {
        statements: statements.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn execute_transaction(request: &Reader<'_>) -> Result<ExecuteTransaction, Failure> {
    Ok(ExecuteTransaction {
        transact_statements: request.list("TransactStatements", statement)?.unwrap_or_default(),
        client_request_token: request.optional_text("ClientRequestToken"),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
    })
}

/// What all statements have.
fn statement(request: &Reader<'_>) -> Result<ExecuteStatement, Failure> {
    Ok(ExecuteStatement {
        statement: request.text("Statement"),
        parameters: request.values("Parameters")?.unwrap_or_default(),
        return_values_on_condition_check_failure: request
            .named("ReturnValuesOnConditionCheckFailure")?
            .unwrap_or_default(),
        ..ExecuteStatement::default()
    })
}
