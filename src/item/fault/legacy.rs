//! What is wrong with a parameter from before there were expressions.

/// What is wrong with one of the parameters that expressions replaced: `Expected`, `KeyConditions`, `QueryFilter`,
/// `ScanFilter`, `AttributeUpdates` and `AttributesToGet`. [`Display`](std::fmt::Display) gives the service's words.
///
/// # Examples
/// ```
/// let fault = larder::item::LegacyFault::DuplicateAttribute("a".into());
/// assert!(fault.to_string().ends_with("Duplicate value in attribute name: a"));
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Legacy conditional parameters*; texts that the service was seen to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyFault {
    /// Both forms of what an attribute is compared with.
    #[error(
        "One or more parameter values were invalid: Value and AttributeValueList cannot be used together for \
         Attribute: {0}"
    )]
    ValueAndList(String),
    /// Both forms of a condition.
    #[error(
        "One or more parameter values were invalid: Exists and ComparisonOperator cannot be used together for \
         Attribute: {0}"
    )]
    ExistsAndOperator(String),
    /// A comparison with nothing.
    #[error(
        "One or more parameter values were invalid: Value or AttributeValueList must be used with \
         ComparisonOperator: {operator} for Attribute: {attribute}"
    )]
    OperatorWithoutValue {
        /// The comparison.
        operator: &'static str,
        /// The attribute.
        attribute: String,
    },
    /// Values without a comparison.
    #[error(
        "One or more parameter values were invalid: AttributeValueList can only be used with a ComparisonOperator \
         for Attribute: {0}"
    )]
    ListWithoutOperator(String),
    /// What exists has to be equal to something.
    #[error(
        "One or more parameter values were invalid: Value must be provided when Exists is {exists} for Attribute: \
         {attribute}"
    )]
    ExistsWithoutValue {
        /// `"null"` or `"true"`.
        exists: &'static str,
        /// The attribute.
        attribute: String,
    },
    /// What does not exist is equal to nothing.
    #[error("One or more parameter values were invalid: Value cannot be used when Exists is false for Attribute: {0}")]
    AbsentWithValue(String),
    /// A comparison with too many values, or too few.
    #[error("One or more parameter values were invalid: Invalid number of argument(s) for the {0} ComparisonOperator")]
    ValueCount(&'static str),
    /// A comparison with values of several types.
    #[error(
        "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type"
    )]
    MixedTypes,
    /// A comparison with a value of a type that it does not take.
    #[error(
        "One or more parameter values were invalid: ComparisonOperator {operator} is not valid for {found} \
         AttributeValue type"
    )]
    OperandType {
        /// The comparison.
        operator: &'static str,
        /// The type of the value.
        found: &'static str,
    },
    /// Bounds in the wrong order.
    #[error("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")]
    BetweenOrder,
    /// A logical operator with nothing to join.
    #[error("ConditionalOperator cannot be used without Filter or Expected")]
    OperatorWithoutConditions,
    /// A logical operator with one condition.
    #[error("ConditionalOperator can only be used when Filter or Expected has two or more elements")]
    OperatorWithOneCondition,
    /// A query on no attribute, or on too many.
    #[error("Conditions can be of length 1 or 2 only")]
    KeyConditionCount,
    /// A comparison that no key can be looked up by.
    #[error("Attempted conditional constraint is not an indexable operation")]
    NotIndexable,
    /// An update that puts or adds nothing.
    #[error(
        "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is \
         specified"
    )]
    ActionWithoutValue,
    /// A value that cannot be removed from an attribute.
    #[error("One or more parameter values were invalid: DELETE action with value is not supported for the type {0}")]
    DeleteType(&'static str),
    /// A value that cannot be added to an attribute.
    #[error("One or more parameter values were invalid: ADD action is not supported for the type {0}")]
    AddType(&'static str),
    /// An attribute of another type than what is added to it, or removed from it.
    #[error("Type mismatch for attribute to update")]
    UpdateType,
    /// An attribute that was asked for twice.
    #[error("One or more parameter values were invalid: Duplicate value in attribute name: {0}")]
    DuplicateAttribute(String),
}
