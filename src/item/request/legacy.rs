//! The parameters that expressions have taken the place of.

use crate::item::AttributeValue;
use crate::item::request::{AttributeAction, ComparisonOperator};

/// A legacy condition on an attribute, for a filter or a key: `QueryFilter`, `ScanFilter`, `KeyConditions`.
///
/// # Examples
/// ```
/// use larder::item::request::{ComparisonOperator, Condition};
/// let of_ann = Condition { comparison_operator: ComparisonOperator::Eq, attribute_value_list: vec!["ann".into()] };
/// assert_eq!(of_ann.attribute_value_list.len(), 1);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Condition`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// How the attribute is compared.
    pub comparison_operator: ComparisonOperator,
    /// With what; how many values there are depends on the operator.
    pub attribute_value_list: Vec<AttributeValue>,
}

/// A legacy condition on an attribute that a write depends on: `Expected`.
///
/// # Examples
/// ```
/// use larder::item::request::ExpectedAttributeValue;
/// let is_new = ExpectedAttributeValue { exists: Some(false), ..Default::default() };
/// assert!(is_new.value.is_none());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExpectedAttributeValue`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedAttributeValue {
    /// The value that the attribute has to have.
    pub value: Option<AttributeValue>,
    /// Whether the attribute has to be there.
    pub exists: Option<bool>,
    /// How the attribute is compared.
    pub comparison_operator: Option<ComparisonOperator>,
    /// With what.
    pub attribute_value_list: Option<Vec<AttributeValue>>,
}

/// What a legacy update does to an attribute: `AttributeUpdates`.
///
/// # Examples
/// ```
/// use larder::item::request::{AttributeAction, AttributeValueUpdate};
/// let add_one = AttributeValueUpdate { value: Some(1.into()), action: Some(AttributeAction::Add) };
/// assert_eq!(add_one.action, Some(AttributeAction::Add));
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `AttributeValueUpdate`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeValueUpdate {
    /// The value, which only removing an attribute does without.
    pub value: Option<AttributeValue>,
    /// What is done; setting it unless it is said.
    pub action: Option<AttributeAction>,
}
