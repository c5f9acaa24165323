//! The operations that run statements; see [`Items`].

use crate::error::Result;
use crate::item::partiql::Statement;
use crate::item::request::{
    BatchExecuteStatement, BatchStatementResponse, ExecuteStatement, ExecuteStatementOutput, ExecuteTransaction,
    ExecuteTransactionOutput,
};
use crate::item::{Constraint, Fault, Items, RequestFault, run_statement, run_statements};
use crate::limits;
use crate::txn::{Operation, View, WriteScope};

impl<S: WriteScope> Items<S> {
    /// Runs a statement of `PartiQL`: a `SELECT` reads a page, the others write one item.
    ///
    /// A `SELECT` looks items up when its condition has an equality for each attribute of the partition key, of the
    /// table or of the index that it names, and else reads all there are.
    ///
    /// # Errors
    /// [`Fault::Statement`]; [`Fault::DuplicateItem`] for an insertion of what is there;
    /// [`Fault::ConditionalCheckFailed`] for an update of what is not there, or whose condition does not hold.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::ExecuteStatement}};
    /// let store = Store::in_memory();
    /// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// let run = |text: &str| store.items().execute_statement(&ExecuteStatement::new(text));
    /// run("INSERT INTO Users VALUE {'PK': 'ann', 'age': 30}")?;
    /// run("UPDATE Users SET age = age + 1 WHERE PK = 'ann'")?;
    /// assert_eq!(run("SELECT age FROM Users WHERE PK = 'ann'")?.items, [Item::from([("age", 31)])]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `ExecuteStatement`.
    pub fn execute_statement(&self, request: &ExecuteStatement) -> Result<ExecuteStatementOutput> {
        if let Some(limit) = request.limit.filter(|limit| *limit < 1) {
            let (member, value) = ("limit".to_owned(), Some(limit.to_string()));
            return Err(RequestFault::Constraint { member, value, constraint: Constraint::AtLeast(1) }.into_error());
        }
        self.run_statement("execute_statement", request, Statement::of(request)?)
    }

    fn run_statement(
        &self,
        verb: &'static str,
        request: &ExecuteStatement,
        statement: Statement,
    ) -> Result<ExecuteStatementOutput> {
        match statement {
            Statement::Select(select) => {
                self.read(verb, &select.target.table, request.consistent_read, |names, items| {
                    run_statement::select(names, items, &self.place, request, &select)
                })
            }
            other => {
                let table = other.table().to_owned();
                self.scope.write(Operation::new("item", verb, &table), |writer| {
                    run_statement::write(writer, &self.place, request, other.clone())
                })
            }
        }
    }

    /// Runs up to [`limits::ITEM_BATCH_STATEMENTS_MAX`] statements, each by itself; the responses are in their order.
    ///
    /// # Errors
    /// [`Fault::Statement`] when some read and some write; [`RequestFault`] for too many of them, or for two about one
    /// item. What fails of one statement is in its response.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{ScalarAttributeType, TableSchema, request::{BatchExecuteStatement, ExecuteStatement}};
    /// use larder::Store;
    /// let store = Store::in_memory();
    /// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// let statements = ["INSERT INTO Users VALUE {'PK': 'ann'}", "DELETE FROM Users"].map(ExecuteStatement::new);
    /// let batch = BatchExecuteStatement { statements: statements.into(), ..Default::default() };
    /// let responses = store.items().batch_execute_statement(&batch)?;
    /// assert_eq!(responses[0].error, None);
    /// assert_eq!(responses[1].error.as_ref().unwrap().code, "ValidationError");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `BatchExecuteStatement`.
    pub fn batch_execute_statement(&self, request: &BatchExecuteStatement) -> Result<Vec<BatchStatementResponse>> {
        let verb = "batch_execute_statement";
        check_statement_count("statements", request.statements.len(), limits::ITEM_BATCH_STATEMENTS_MAX)?;
        let statements: Vec<_> = request.statements.iter().map(Statement::of).collect();
        self.read(verb, "", true, |view, _| run_statements::check_batch(view, &self.place, &statements))?;
        let mut responses = Vec::with_capacity(statements.len());
        let return_consumed_capacity = request.return_consumed_capacity;
        for (request, statement) in request.statements.iter().zip(statements) {
            let table = statement.as_ref().ok().map(|statement| statement.table().to_owned());
            let outcome = statement.and_then(|statement| {
                let request = ExecuteStatement { return_consumed_capacity, ..request.clone() };
                if statement.is_read() {
                    let check = |view: &View, _: &View| run_statements::check_batch_read(view, &self.place, &statement);
                    self.read(verb, statement.table(), true, check)?;
                }
                self.run_statement(verb, &request, statement)
            });
            responses.push(run_statements::response(table, outcome)?);
        }
        Ok(responses)
    }

    /// Runs up to [`limits::ITEM_TRANSACTION_ACTIONS_MAX`] statements, all or none: reads of one item each, or writes
    /// and checks (`EXISTS`).
    ///
    /// # Errors
    /// [`Fault::Statement`]; [`Fault::TransactionCanceled`] with a reason for each statement;
    /// [`Fault::IdempotentParameterMismatch`] for the token of another request.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema, request::{ExecuteStatement, ExecuteTransaction}}};
    /// let store = Store::in_memory();
    /// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// let statements = ["INSERT INTO Users VALUE {'PK': 'ann'}", "UPDATE Users SET a = 1 WHERE PK = 'bob'"];
    /// let statements: Vec<_> = statements.map(ExecuteStatement::new).into();
    /// let both = ExecuteTransaction { transact_statements: statements, ..ExecuteTransaction::default() };
    /// assert!(store.items().execute_transaction(&both).is_err(), "there is no bob");
    /// assert!(store.item_table("Users").scan().to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `ExecuteTransaction`.
    pub fn execute_transaction(&self, request: &ExecuteTransaction) -> Result<ExecuteTransactionOutput> {
        let verb = "execute_transaction";
        let count = request.transact_statements.len();
        check_statement_count("transactStatements", count, limits::ITEM_TRANSACTION_ACTIONS_MAX)?;
        let (is_read, statements) = run_statements::parse_transaction(request)?;
        if is_read {
            return self.read(verb, "", true, |names, items| {
                run_statements::transact_get(names, items, &self.place, request, &statements)
            });
        }
        self.scope.write(Operation::new("item", verb, ""), |writer| {
            run_statements::transact_write(writer, &self.place, request, statements.clone())
        })
    }
}

fn check_statement_count(member: &str, count: usize, most: usize) -> Result<()> {
    let constraint = match count {
        0 => Constraint::LengthAtLeast(1),
        count if count > most => Constraint::LengthAtMost(most),
        _ => return Ok(()),
    };
    let value = Some(if count == 0 { "[]".to_owned() } else { format!("[{count} statements]") });
    Err(Fault::Request(RequestFault::Constraint { member: member.to_owned(), value, constraint }).into_error())
}
