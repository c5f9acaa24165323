//! What is wrong with a request to item tables, as data, with the words of the service.
//!
//! The text of a [`Fault`] is what `DynamoDB` says, without what its doors put around it: the name of the exception,
//! "1 validation error detected:", and other words for the same thing in other regions.
//!
//! # Source
//! `DynamoDB` API Reference, *Common errors*, and texts that the service was seen to send in October 2026.

mod expression;
mod legacy;
mod request;
mod statement;
mod transfer;

use std::fmt;

use crate::error::Error;

pub use expression::{ExpressionFault, ExpressionKind};
pub use legacy::LegacyFault;
pub use request::{CancellationReason, Constraint, FailedItem, RequestFault};
pub use statement::{Position, StatementFault};
pub use transfer::TransferFault;

/// Why a request to an item table is refused. [`Display`](fmt::Display) gives the service's own sentence.
///
/// An [`Error`] carries it as [`Error::Item`], and [`Error::item_fault`] returns it.
///
/// # Examples
/// ```
/// use larder::item::{Fault, Number};
/// let error = "1e126".parse::<Number>().unwrap_err();
/// assert_eq!(error.item_fault(), Some(&Fault::NumberOverflow));
/// assert!(error.to_string().starts_with("Number overflow."));
/// ```
///
/// # Source
/// `DynamoDB` API Reference, *Common errors*.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A value of a parameter, a key or a table is wrong.
    #[error(transparent)]
    Request(RequestFault),
    /// A table cannot be exported, imported or brought back.
    #[error(transparent)]
    Transfer(TransferFault),
    /// The condition of a write did not hold.
    #[error("The conditional request failed")]
    ConditionalCheckFailed {
        /// The item that it was tested on, if that was asked for and there is one.
        item: Option<FailedItem>,
    },
    /// A transaction did nothing, because of some of its actions.
    #[error("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes(reasons))]
    TransactionCanceled {
        /// For each action, in order, why.
        reasons: Vec<CancellationReason>,
    },
    /// The token of a transaction was used for another one.
    #[error(
        "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical"
    )]
    IdempotentParameterMismatch,
    /// There is no such table, stream or shard.
    #[error("Requested resource not found{}", detail(resource.as_deref()))]
    ResourceNotFound {
        /// What there is not, where the service says it.
        resource: Option<String>,
    },
    /// There is no such table, for operations on backups.
    #[error("Table not found: {name}")]
    TableNotFound {
        /// Its name.
        name: String,
    },
    /// There is such a table already.
    #[error("{resource}")]
    ResourceInUse {
        /// Which.
        resource: String,
    },
    /// Too much at once, or too many.
    #[error("{message}")]
    LimitExceeded {
        /// Of what.
        message: String,
    },
    /// A shard iterator that is older than 15 minutes.
    #[error("Iterator expired. The iterator was created more than 15 minutes ago.")]
    ExpiredIterator,
    /// Bounds of a condition on a key in the wrong order.
    #[error("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")]
    KeyConditionBounds,
    /// A record of a stream that is older than 24 hours.
    #[error("The operation attempted to read past the oldest stream record in a shard.")]
    TrimmedDataAccess,

    /// Text that is no number.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    NotANumber(String),
    /// A number of a magnitude above 9.99…E+125.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    NumberOverflow,
    /// A number of a magnitude below 1E-130.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    NumberUnderflow,
    /// A number of more than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    NumberTooPrecise,
    /// A set without elements.
    #[error("One or more parameter values were invalid: {0}")]
    EmptySet(SetType),
    /// A set that was given an element twice.
    #[error("One or more parameter values were invalid: {}", Duplicates(.0, .1))]
    DuplicateElement(SetType, Vec<String>),

    /// An expression is wrong in itself.
    #[error("Invalid {kind}: {problem}")]
    Expression {
        /// The parameter that holds it.
        kind: ExpressionKind,
        /// What is wrong with it.
        problem: ExpressionFault,
    },
    /// Names or values were given, and none.
    #[error("{0} must not be empty")]
    NoPlaceholders(Placeholders),
    /// A placeholder that no expression can name.
    #[error("{map} contains invalid key: Syntax error; key: \"{placeholder}\"")]
    InvalidPlaceholder {
        /// What it was given for.
        map: Placeholders,
        /// It.
        placeholder: String,
    },
    /// A placeholder of more than [`limits::ITEM_PLACEHOLDER_BYTES_MAX`](crate::limits::ITEM_PLACEHOLDER_BYTES_MAX) bytes.
    #[error(
        "{map} contains invalid key: The expression attribute map contains a key that is too long; size of key: \
         {bytes}"
    )]
    PlaceholderTooLong {
        /// What it was given for.
        map: Placeholders,
        /// Its size.
        bytes: usize,
    },
    /// A name that stands for nothing.
    #[error("ExpressionAttributeNames contains invalid value: Empty attribute name for key {0}")]
    EmptyName(String),
    /// Placeholders that no expression uses.
    #[error("Value provided in {map} unused in expressions: keys: {{{}}}", .placeholders.join(", "))]
    UnusedPlaceholders {
        /// What they were given for.
        map: Placeholders,
        /// They, in the service's order.
        placeholders: Vec<String>,
    },
    /// Names without an expression.
    #[error("ExpressionAttributeNames can only be specified when using expressions")]
    NamesWithoutExpression,
    /// Values without an expression that could use them.
    #[error("ExpressionAttributeValues can only be specified when using expressions: {}", absent(.0))]
    ValuesWithoutExpression(Vec<ExpressionKind>),

    /// An operator that no key condition has.
    #[error("Invalid operator used in KeyConditionExpression: {0}")]
    KeyConditionOperator(String),
    /// A function inside a key condition's operand.
    #[error("KeyConditionExpressions cannot contain nested operations")]
    KeyConditionNested,
    /// A condition on something inside an attribute.
    #[error("KeyConditionExpressions cannot have conditions on nested attributes")]
    KeyConditionPath,
    /// A condition that compares attributes with one another.
    #[error("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")]
    KeyConditionAttributes,
    /// A condition that names no attribute.
    #[error("Invalid condition in KeyConditionExpression: No key attribute specified")]
    KeyConditionWithoutAttribute,
    /// A range or prefix whose first operand is a value.
    #[error(
        "Invalid condition in KeyConditionExpression: {0} operator must have the key attribute as its first \
         operand"
    )]
    KeyConditionOperand(String),
    /// More conditions than the key that is queried has attributes.
    #[error(
        "The number of query conditions ({found}) exceeds the number of key attributes defined in the schema \
         ({max})"
    )]
    KeyConditionCount {
        /// How many conditions there are.
        found: usize,
        /// How many attributes the key has.
        max: usize,
    },
    /// No condition on an attribute of the key that needs one.
    #[error("Query condition missed key schema element: {0}")]
    KeyConditionMissing(String),
    /// A test that this attribute of the key cannot be put to.
    #[error("Query key condition not supported")]
    KeyConditionUnsupported,
    /// A value of another type than the attribute of the key.
    #[error("One or more parameter values were invalid: Condition parameter type does not match schema type")]
    KeyConditionType,
    /// A filter on an attribute of the key that is queried.
    #[error("{} can only contain non-primary key attributes: Primary key attribute: {attribute}", filter(*.is_legacy))]
    FilterOnKey {
        /// Whether it is a `QueryFilter`.
        is_legacy: bool,
        /// The attribute.
        attribute: String,
    },
    /// A path into an attribute of the key.
    #[error("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: {0}")]
    PathIntoKey(String),
    /// A path into an attribute of the key of an index.
    #[error(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: {0}"
    )]
    PathIntoIndexKey(String),

    /// An update of an attribute of the key.
    #[error(
        "One or more parameter values were invalid: Cannot update attribute {0}. This attribute is part of the key"
    )]
    KeyUpdated(String),
    /// An update finds a value of a type that it cannot work on.
    #[error("An operand in the update expression has an incorrect data type")]
    UpdateOperandType,
    /// An update reads an attribute that the item does not have.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    UpdateOperandMissing,
    /// An update writes where there is no list or map.
    #[error("The document path provided in the update expression is invalid for update")]
    UpdatePath,

    /// A parameter from before there were expressions is wrong.
    #[error(transparent)]
    Legacy(LegacyFault),
    /// A statement is wrong.
    #[error(transparent)]
    Statement(StatementFault),
    /// A statement inserts an item that is there.
    #[error("Duplicate primary key exists in table")]
    DuplicateItem,
    /// Expressions, and what there was before them, in one request.
    #[error(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
         {{{}}} Expression parameters: {{{}}}",
        .legacy.join(", "), join(.expressions)
    )]
    MixedParameters {
        /// The parameters without expressions.
        legacy: Vec<&'static str>,
        /// Those with.
        expressions: Vec<ExpressionKind>,
    },
}

impl Fault {
    /// The name of the service's exception.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::Fault::NumberOverflow.code(), "ValidationException");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ConditionalCheckFailed { .. } => "ConditionalCheckFailedException",
            Self::TransactionCanceled { .. } => "TransactionCanceledException",
            Self::DuplicateItem => "DuplicateItemException",
            Self::IdempotentParameterMismatch => "IdempotentParameterMismatchException",
            Self::ResourceNotFound { .. } => "ResourceNotFoundException",
            Self::TableNotFound { .. } => "TableNotFoundException",
            Self::ResourceInUse { .. } => "ResourceInUseException",
            Self::LimitExceeded { .. } => "LimitExceededException",
            Self::ExpiredIterator => "ExpiredIteratorException",
            Self::TrimmedDataAccess => "TrimmedDataAccessException",
            Self::Transfer(fault) => fault.code(),
            _ => "ValidationException",
        }
    }

    /// An [`Fault::Expression`] of what `kind` holds.
    pub(super) fn expression(kind: ExpressionKind, problem: ExpressionFault) -> Self {
        Self::Expression { kind, problem }
    }
}

impl Fault {
    /// The error that carries it. There is no `From`, because that would leave the compiler to guess between two
    /// conversions wherever the error of a closure is not written out.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Fault;
    /// let error = Fault::NumberOverflow.into_error();
    /// assert_eq!(error.to_string(), Fault::NumberOverflow.to_string());
    /// ```
    #[must_use]
    pub fn into_error(self) -> Error {
        Error::Item { is_retryable: false, fault: Box::new(self) }
    }
}

impl LegacyFault {
    pub(super) fn into_error(self) -> Error {
        Fault::Legacy(self).into_error()
    }
}

/// What cannot fail has no fault: this lets [`Item::with`](crate::item::Item::with) take values that always are attributes
/// and values that may not be.
impl From<std::convert::Infallible> for Fault {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl RequestFault {
    /// A parameter is out of its domain, or does not go with another one.
    pub(super) fn parameter(message: impl Into<String>) -> Error {
        Self::Parameter(message.into()).into_error()
    }

    /// Anything else, in a sentence of its own.
    pub(super) fn other(message: impl Into<String>) -> Error {
        Self::Other(message.into()).into_error()
    }

    pub(super) fn into_error(self) -> Error {
        Fault::Request(self).into_error()
    }
}

impl Error {
    /// What is wrong with a request to an item table, if that is what this error is about.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Fault, Number};
    /// let error = "ten".parse::<Number>().unwrap_err();
    /// assert_eq!(error.item_fault(), Some(&Fault::NotANumber("ten".into())));
    /// assert_eq!(larder::Error::Closed.item_fault(), None);
    /// ```
    #[must_use]
    pub fn item_fault(&self) -> Option<&Fault> {
        match self {
            Self::Item { fault, .. } => fault.downcast_ref(),
            _ => None,
        }
    }
}

/// What placeholders of expressions stand for.
///
/// # Examples
/// ```
/// assert_eq!(larder::item::Placeholders::Names.to_string(), "ExpressionAttributeNames");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placeholders {
    /// Names of attributes: `#name`.
    Names,
    /// Values: `:value`.
    Values,
}

impl fmt::Display for Placeholders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Names => "ExpressionAttributeNames",
            Self::Values => "ExpressionAttributeValues",
        })
    }
}

/// What the elements of a set are.
///
/// # Examples
/// ```
/// assert_eq!(larder::item::SetType::N.to_string(), "An number set  may not be empty");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetType {
    /// Strings.
    S,
    /// Numbers.
    N,
    /// Bytes.
    B,
}

/// What the service says of an empty one, spaces included.
impl fmt::Display for SetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S => "An string set  may not be empty",
            Self::N => "An number set  may not be empty",
            Self::B => "Binary sets should not be empty",
        })
    }
}

/// What the service says of a set with an element twice. It shows no numbers, and separates bytes without a space.
struct Duplicates<'a>(&'a SetType, &'a [String]);

impl fmt::Display for Duplicates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |separator: &str| {
            let elements = self.1.iter().map(|element| format!("\"{element}\""));
            elements.collect::<Vec<_>>().join(separator)
        };
        match self.0 {
            SetType::S => write!(f, "Input collection [{}] contains duplicates.", quoted(", ")),
            SetType::N => f.write_str("Input collection contains duplicates."),
            SetType::B => write!(f, "Input collection [{}]of type BS contains duplicates.", quoted(",")),
        }
    }
}

fn codes(reasons: &[CancellationReason]) -> String {
    reasons.iter().map(CancellationReason::code).collect::<Vec<_>>().join(", ")
}

fn detail(resource: Option<&str>) -> String {
    resource.map_or(String::new(), |resource| format!(": {resource}"))
}

fn filter(is_legacy: bool) -> &'static str {
    if is_legacy { "QueryFilter" } else { "Filter Expression" }
}

fn join(kinds: &[ExpressionKind]) -> String {
    kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn absent(kinds: &[ExpressionKind]) -> String {
    let names: Vec<_> = kinds.iter().map(ToString::to_string).collect();
    format!("{} {} null", names.join(" and "), if names.len() > 1 { "are" } else { "is" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_services() {
        let words = |fault: Fault| fault.to_string();
        let mixed = Fault::MixedParameters {
            legacy: vec!["AttributesToGet", "QueryFilter"],
            expressions: vec![ExpressionKind::Projection, ExpressionKind::Filter],
        };
        assert_eq!(
            words(mixed),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {AttributesToGet, QueryFilter} Expression parameters: {ProjectionExpression, FilterExpression}"
        );
        assert_eq!(
            words(Fault::ValuesWithoutExpression(vec![ExpressionKind::Filter, ExpressionKind::KeyCondition])),
            "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and \
             KeyConditionExpression are null"
        );
        assert_eq!(
            words(Fault::ValuesWithoutExpression(vec![ExpressionKind::Condition])),
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"
        );
        let duplicates = Fault::DuplicateElement(SetType::S, vec!["a".into(), "b".into(), "b".into()]);
        assert_eq!(
            words(duplicates),
            r#"One or more parameter values were invalid: Input collection ["a", "b", "b"] contains duplicates."#
        );
        assert_eq!(
            words(Fault::UnusedPlaceholders { map: Placeholders::Names, placeholders: vec!["#a".into(), "#b".into()] }),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"
        );
        assert_eq!(
            words(Fault::FilterOnKey { is_legacy: true, attribute: "pk".into() }),
            "QueryFilter can only contain non-primary key attributes: Primary key attribute: pk"
        );
    }
}
