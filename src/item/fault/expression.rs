//! What is wrong with an expression.

use std::fmt;

/// The parameter of a request that holds an expression.
///
/// # Examples
/// ```
/// assert_eq!(larder::item::ExpressionKind::Filter.to_string(), "FilterExpression");
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Using expressions*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpressionKind {
    /// Whether a write takes place.
    Condition,
    /// Which of the items that were read are returned.
    Filter,
    /// Which items a query reads.
    KeyCondition,
    /// Which attributes are returned.
    Projection,
    /// What an update changes.
    Update,
}

impl fmt::Display for ExpressionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        })
    }
}

/// What is wrong with an expression. [`Display`](fmt::Display) gives the service's words, which follow the name of the
/// parameter.
///
/// # Examples
/// ```
/// use larder::item::ExpressionFault;
/// let problem = ExpressionFault::ReservedWord("status".into());
/// assert_eq!(problem.to_string(), "Attribute name is a reserved keyword; reserved keyword: status");
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Using expressions*; texts that the service was seen to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionFault {
    /// No text.
    #[error("The expression can not be empty;")]
    Empty,
    /// More text than [`limits::ITEM_EXPRESSION_BYTES_MAX`](crate::limits::ITEM_EXPRESSION_BYTES_MAX).
    #[error("Expression size has exceeded the maximum allowed size; expression size: {bytes}")]
    TooLong {
        /// Its size in bytes.
        bytes: usize,
    },
    /// A word or sign where it cannot stand.
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax {
        /// It.
        token: String,
        /// It with what stands before and behind it.
        near: String,
    },
    /// Parentheses directly around parentheses.
    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    /// More operators and functions than
    /// [`limits::ITEM_EXPRESSION_OPERATORS_MAX`](crate::limits::ITEM_EXPRESSION_OPERATORS_MAX).
    #[error("The expression contains too many operators; operator count: {count}")]
    TooManyOperators {
        /// How many had been read.
        count: usize,
    },
    /// Parentheses nested deeper than
    /// [`limits::ITEM_EXPRESSION_DEPTH_MAX`](crate::limits::ITEM_EXPRESSION_DEPTH_MAX).
    #[error("The expression is nested too deeply; nesting levels: {levels}")]
    NestedTooDeeply {
        /// How deep they were found.
        levels: usize,
    },
    /// A reserved word as the name of an attribute.
    #[error("Attribute name is a reserved keyword; reserved keyword: {0}")]
    ReservedWord(String),
    /// An index of a list beyond what the service takes.
    #[error("List index is not within the allowable range; index: [{0}]")]
    ListIndex(String),
    /// A function that there is not.
    #[error("Invalid function name; function: {0}")]
    UnknownFunction(String),
    /// A condition's function in an update.
    #[error("The function is not allowed in an update expression; function: {0}")]
    FunctionInUpdate(String),
    /// An update's function in a condition.
    #[error("The function is not allowed in a condition expression; function: {0}")]
    FunctionInCondition(String),
    /// A condition as an operand, or an operand as a condition.
    #[error("The function is not allowed to be used this way in an expression; function: {0}")]
    FunctionPlace(String),
    /// A function with too many operands, or too few.
    #[error(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of \
         operands: {count}"
    )]
    OperandCount {
        /// The function.
        function: String,
        /// How many operands it was given.
        count: usize,
    },
    /// A clause of an update that comes twice.
    #[error("The \"{0}\" section can only be used once in an update expression;")]
    RepeatedSection(&'static str),
    /// A `#name` that stands for nothing.
    #[error("An expression attribute name used in the document path is not defined; attribute name: {0}")]
    UndefinedName(String),
    /// A `:value` that stands for nothing.
    #[error("An expression attribute value used in expression is not defined; attribute value: {0}")]
    UndefinedValue(String),
    /// A path of more elements than [`limits::ITEM_PATH_ELEMENTS_MAX`](crate::limits::ITEM_PATH_ELEMENTS_MAX).
    #[error("The document path has too many nesting levels; nesting levels: {levels}")]
    PathTooDeep {
        /// How many it has.
        levels: usize,
    },
    /// Two paths of which one contains the other.
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {one}, \
         path two: {two}"
    )]
    PathsOverlap {
        /// The one that was written first.
        one: String,
        /// The other.
        two: String,
    },
    /// Two paths that take one attribute for a list and for a map.
    #[error(
        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: {one}, \
         path two: {two}"
    )]
    PathsConflict {
        /// The one that was written first.
        one: String,
        /// The other.
        two: String,
    },
    /// A value of a type that the operator does not take.
    #[error("Incorrect operand type for operator or function; operator or function: {operator}, operand type: {found}")]
    OperandType {
        /// The operator or function.
        operator: &'static str,
        /// The type of the value.
        found: &'static str,
    },
    /// A value of a type that a clause of an update does not take.
    #[error(
        "Incorrect operand type for operator or function; operator: {section}, operand type: {found}, typeSet: \
         ALLOWED_FOR_{section}_OPERAND"
    )]
    SectionOperandType {
        /// `ADD` or `DELETE`.
        section: &'static str,
        /// The type of the value, by its long name.
        found: &'static str,
    },
    /// An operand compared with itself.
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or function; operator: \
         {operator}, first operand: {path}"
    )]
    SameOperand {
        /// The operator or function.
        operator: &'static str,
        /// The path that stands on both sides.
        path: String,
    },
    /// A value where only a path can stand.
    #[error("Operator or function requires a document path; operator or function: {0}")]
    RequiresPath(&'static str),
    /// Bounds of two types.
    #[error(
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
         AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenTypes {
        /// The lower bound: `{N:1}`.
        lower: String,
        /// The upper bound.
        upper: String,
    },
    /// Bounds in the wrong order.
    #[error(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
         operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenOrder {
        /// The lower bound: `{N:1}`.
        lower: String,
        /// The upper bound.
        upper: String,
    },
    /// More operands of `IN` than [`limits::ITEM_IN_OPERANDS_MAX`](crate::limits::ITEM_IN_OPERANDS_MAX).
    #[error("The IN operator is provided with too many operands; number of operands: {count}")]
    TooManyInOperands {
        /// How many there are.
        count: usize,
    },
    /// A name of a type that there is not.
    #[error("Invalid attribute type name found; type: {0}, valid types: {{N,BS,L,B,NULL,M,S,SS,NS,BOOL}}")]
    UnknownType(String),
    /// Two conditions on one attribute of a key.
    #[error("KeyConditionExpressions must only contain one condition per key")]
    TwoConditionsOnKey,
}
