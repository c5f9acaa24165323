//! What is wrong with a statement.

use crate::item::fault::ExpressionFault;

/// What is wrong with a statement of `PartiQL`. [`Display`](std::fmt::Display) gives the service's words.
///
/// # Examples
/// ```
/// use larder::item::StatementFault;
/// let fault = StatementFault::NotWellFormed("Unexpected term");
/// assert_eq!(fault.to_string(), "Statement wasn't well formed, can't be processed: Unexpected term");
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *`PartiQL` - a SQL-compatible query language*; texts that the service was seen to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementFault {
    /// It cannot be read.
    #[error("Statement wasn't well formed, can't be processed: {0}")]
    NotWellFormed(&'static str),
    /// A table by another name.
    #[error("Aliasing is not supported")]
    Alias,
    /// A condition that cannot be put to items.
    #[error(transparent)]
    Expression(ExpressionFault),
    /// A number that cannot be stored, at this place of its value: `root.a[1]`.
    #[error("{fault} under {place}")]
    Number {
        /// What is wrong with the number.
        fault: Box<super::Fault>,
        /// Where it stands.
        place: String,
    },
    /// A bag of nothing.
    #[error("Empty bags are not supported")]
    EmptyBag,
    /// A bag of things that are not of one type, or of one that sets do not have.
    #[error("Bags may only contain elements of one type: string, number or binary")]
    MixedBag,
    /// A function that there is not, or not there.
    #[error("Unrecognized function: {function} at {at}")]
    UnknownFunction {
        /// The function.
        function: String,
        /// Line, column and length.
        at: Position,
    },
    /// A function where attributes are listed.
    #[error("Unexpected path component at {0}")]
    PathComponent(Position),
    /// Something that is no value.
    #[error("Unsupported data type: {what} under key {place} at {at}")]
    DataType {
        /// It.
        what: String,
        /// Where it stands in the value.
        place: String,
        /// Line, column and length.
        at: Position,
    },
    /// A function of sets that does not write where it reads.
    #[error("The first argument to {function} must equal the assignment value at {at}")]
    SetTarget {
        /// `SET_ADD` or `SET_DELETE`.
        function: &'static str,
        /// Line, column and length.
        at: Position,
    },
    /// A function of sets with something else than a set.
    #[error("The second argument to {function} must be a value with type SET at {at}")]
    SetType {
        /// `SET_ADD` or `SET_DELETE`.
        function: &'static str,
        /// Line, column and length.
        at: Position,
    },
    /// A function of sets with other than two operands.
    #[error("{function} must have exactly two arguments at {at}")]
    SetCount {
        /// `SET_ADD` or `SET_DELETE`.
        function: &'static str,
        /// Line, column and length.
        at: Position,
    },
    /// An expression that is no statement.
    #[error("Unsupported operation: {0}")]
    Operation(&'static str),
    /// A write that does not name one item.
    #[error("Where clause does not contain a mandatory equality on all key attributes")]
    WithoutKey,
    /// A `DELETE` that returns what it does not have.
    #[error("Invalid returning clause: RETURNING {0} *. Only RETURNING ALL OLD * is allowed in DELETE statements.")]
    Returning(String),
    /// Other than as many parameters as the statement has.
    #[error("Number of parameters in request and statement don't match.")]
    ParameterCount,
    /// A write through an index.
    #[error("This operation is not supported on an index")]
    WriteOnIndex,
    /// A table and an index, and something behind them.
    #[error("A path may contain at most 2 components in the FROM clause")]
    LongTable,
    /// `EXISTS` with what cannot be checked.
    #[error("EXISTS() must contain a single item read with additional condition")]
    Exists,
    /// A read of several items where one is asked for.
    #[error("Select statements within {0} must specify the primary key in the where clause.")]
    SelectWithoutKey(&'static str),
    /// Reads and writes in one transaction.
    #[error("ExecuteTransaction API does not support both read and write operations in the same request.")]
    MixedTransaction,
    /// Reads and writes in one batch.
    #[error("Read and write requests together in the same batch is not supported.")]
    MixedBatch,
    /// What a transaction does not return.
    #[error("RETURNING clause is not supported in ExecuteTransaction.")]
    ReturningInTransaction,
    /// What is wrong with one statement of a transaction.
    #[error("Validation failed in TransactStatements[{place}]: {fault}")]
    InTransaction {
        /// Which one, from 0.
        place: usize,
        /// What is wrong with it.
        fault: Box<StatementFault>,
    },
    /// Text that is no token.
    #[error("Invalid NextToken")]
    Token,
    /// The token of another statement.
    #[error("NextToken does not match request")]
    TokenOfOther,
    /// A token where nothing is read.
    #[error("NextToken is only valid on a SELECT statement")]
    TokenOfWrite,
    /// An order that is not that of the sort key.
    #[error("Variable reference {0} in ORDER BY clause must be part of the primary key")]
    Order(String),
    /// An order of items that are not of one partition.
    #[error("Must have WHERE clause in the statement when using ORDER BY clause.")]
    OrderWithoutKey,
}

/// Where something stands in a statement: line and column, from 1, and how many characters it has.
///
/// # Examples
/// ```
/// let position = larder::item::Position { line: 1, column: 8, length: 3 };
/// assert_eq!(position.to_string(), "1:8:3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// How many characters.
    pub length: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.line, self.column, self.length)
    }
}
