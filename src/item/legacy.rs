//! The parameters from before there were expressions, translated into what expressions mean.
//!
//! | parameter | becomes |
//! |---|---|
//! | `Expected`, `QueryFilter`, `ScanFilter`, `ConditionalOperator` | [`Condition`] |
//! | `KeyConditions` | [`KeyCondition`] |
//! | `AttributeUpdates` | [`Update`] |
//! | `AttributesToGet` | [`ProjectionPaths`] |
//!
//! # Source
//! `DynamoDB` Developer Guide, *Legacy conditional parameters*.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::item::condition::{KeyCondition, Test as KeyTest};
use crate::item::expression::{
    Change, Comparator, Condition, Operand, ProjectionPaths, SetOperand, SetValue, Test, Update,
};
use crate::item::request::{
    self, AttributeAction, AttributeValueUpdate, ComparisonOperator, ConditionalOperator, ExpectedAttributeValue,
};
use crate::item::{AttributeValue, Fault, KeyValue, LegacyFault, Path, TypeName};

/// What a write depends on: `Expected`.
///
/// # Errors
/// [`Fault::Legacy`] for what is wrong with it.
pub(super) fn expected(
    expected: &BTreeMap<String, ExpectedAttributeValue>,
    operator: Option<ConditionalOperator>,
) -> Result<Option<Condition>> {
    let tests = expected.iter().map(|(attribute, expected)| expectation(attribute, expected));
    joined(tests.collect::<Result<_, _>>(), operator)
}

/// What is returned: `QueryFilter`, `ScanFilter`.
///
/// # Errors
/// [`Fault::Legacy`] for what is wrong with it.
pub(super) fn filter(
    filter: &BTreeMap<String, request::Condition>,
    operator: Option<ConditionalOperator>,
) -> Result<Option<Condition>> {
    let tests = filter.iter().map(|(attribute, condition)| {
        let values: Vec<_> = condition.attribute_value_list.iter().collect();
        test(attribute, condition.comparison_operator, &values)
    });
    joined(tests.collect::<Result<_, _>>(), operator)
}

/// Which items are read: `KeyConditions`.
///
/// # Errors
/// [`Fault::Legacy`] for what is wrong with it.
pub(super) fn key_conditions(conditions: &BTreeMap<String, request::Condition>) -> Result<KeyCondition> {
    for condition in conditions.values() {
        let values: Vec<_> = condition.attribute_value_list.iter().collect();
        check_values(condition.comparison_operator, &values).map_err(LegacyFault::into_error)?;
    }
    if !(1..=2).contains(&conditions.len()) {
        return Err(LegacyFault::KeyConditionCount.into_error());
    }
    let mut tests = Vec::new();
    for (attribute, condition) in conditions {
        tests.push((attribute.clone(), key_test(condition)?));
    }
    Ok(KeyCondition { tests })
}

/// What is changed: `AttributeUpdates`.
///
/// # Errors
/// [`Fault::Legacy`] for what is wrong with it.
pub(super) fn updates(updates: &BTreeMap<String, AttributeValueUpdate>) -> Result<Update> {
    let changes = updates.iter().map(|(attribute, update)| Ok((Path::new(attribute.clone()), change(update)?)));
    let changes: Result<Vec<_>, LegacyFault> = changes.collect();
    Ok(Update::new(changes.map_err(LegacyFault::into_error)?).legacy())
}

/// What of the items is returned: `AttributesToGet`.
///
/// # Errors
/// [`LegacyFault::DuplicateAttribute`].
pub(super) fn attributes_to_get(attributes: &[String]) -> Result<ProjectionPaths> {
    let mut seen = BTreeSet::new();
    match attributes.iter().find(|attribute| !seen.insert(*attribute)) {
        Some(twice) => Err(LegacyFault::DuplicateAttribute(twice.clone()).into_error()),
        None => Ok(ProjectionPaths::new(attributes.iter().map(String::as_str))),
    }
}

fn joined(tests: Result<Vec<Test>, LegacyFault>, operator: Option<ConditionalOperator>) -> Result<Option<Condition>> {
    let mut tests = tests.map_err(LegacyFault::into_error)?;
    match (operator, tests.len()) {
        (Some(_), 0) => return Err(LegacyFault::OperatorWithoutConditions.into_error()),
        (Some(_), 1) => return Err(LegacyFault::OperatorWithOneCondition.into_error()),
        (_, 0) => return Ok(None),
        (_, 1) => return Ok(tests.pop().map(Condition::from)),
        _ => {}
    }
    Ok(Some(Condition::from(match operator {
        Some(ConditionalOperator::Or) => Test::Or(tests),
        Some(ConditionalOperator::And) | None => Test::And(tests),
    })))
}

fn expectation(attribute: &str, expected: &ExpectedAttributeValue) -> Result<Test, LegacyFault> {
    let name = || attribute.to_owned();
    if expected.attribute_value_list.is_some() && expected.value.is_some() {
        return Err(LegacyFault::ValueAndList(name()));
    }
    if let Some(operator) = expected.comparison_operator {
        if expected.exists.is_some() {
            return Err(LegacyFault::ExistsAndOperator(name()));
        }
        let takes_none = matches!(operator, ComparisonOperator::Null | ComparisonOperator::NotNull);
        if !takes_none && expected.attribute_value_list.is_none() && expected.value.is_none() {
            return Err(LegacyFault::OperatorWithoutValue { operator: operator.as_str(), attribute: name() });
        }
        let values: Vec<_> = expected.attribute_value_list.iter().flatten().chain(&expected.value).collect();
        return test(attribute, operator, &values);
    }
    if expected.attribute_value_list.is_some() {
        return Err(LegacyFault::ListWithoutOperator(name()));
    }
    let path = Path::new(attribute);
    match (expected.exists, &expected.value) {
        (Some(false), None) => Ok(Test::NotExists(path)),
        (Some(false), Some(_)) => Err(LegacyFault::AbsentWithValue(name())),
        (exists, None) => {
            let exists = if exists.is_some() { "true" } else { "null" };
            Err(LegacyFault::ExistsWithoutValue { exists, attribute: name() })
        }
        (_, Some(value)) => Ok(Test::Compare(Comparator::Equal, Operand::Path(path), Operand::constant(value))),
    }
}

/// A comparison of an attribute.
fn test(attribute: &str, operator: ComparisonOperator, values: &[&AttributeValue]) -> Result<Test, LegacyFault> {
    check_values(operator, values)?;
    let path = Path::new(attribute);
    let count = || LegacyFault::ValueCount(operator.as_str());
    let mut constants = values.iter().map(|value| Operand::constant(value));
    let mut next = || constants.next().ok_or_else(count);
    let operand = Operand::Path(path.clone());
    let comparator = match operator {
        ComparisonOperator::Eq => Comparator::Equal,
        ComparisonOperator::Ne => Comparator::NotEqual,
        ComparisonOperator::Le => Comparator::LessOrEqual,
        ComparisonOperator::Lt => Comparator::Less,
        ComparisonOperator::Ge => Comparator::GreaterOrEqual,
        ComparisonOperator::Gt => Comparator::Greater,
        ComparisonOperator::NotNull => return Ok(Test::Exists(path)),
        ComparisonOperator::Null => return Ok(Test::NotExists(path)),
        ComparisonOperator::Contains => return Ok(Test::Contains(operand, next()?)),
        ComparisonOperator::NotContains => return Ok(Test::Not(Box::new(Test::Contains(operand, next()?)))),
        ComparisonOperator::BeginsWith => return Ok(Test::BeginsWith(operand, next()?)),
        ComparisonOperator::In => return Ok(Test::In(operand, constants.collect())),
        ComparisonOperator::Between => {
            let (lower, upper) = (next()?, next()?);
            if lower.is_constant_above(&upper) {
                return Err(LegacyFault::BetweenOrder);
            }
            return Ok(Test::Between(operand, lower, upper));
        }
    };
    Ok(Test::Compare(comparator, operand, next()?))
}

/// Refuses values that a comparison does not take.
fn check_values(operator: ComparisonOperator, values: &[&AttributeValue]) -> Result<(), LegacyFault> {
    let is_count = match operator {
        ComparisonOperator::NotNull | ComparisonOperator::Null => values.is_empty(),
        ComparisonOperator::In => !values.is_empty(),
        ComparisonOperator::Between => values.len() == 2,
        _ => values.len() == 1,
    };
    if !is_count {
        return Err(LegacyFault::ValueCount(operator.as_str()));
    }
    let types: Vec<_> = values.iter().map(|value| value.type_name()).collect();
    if types.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err(LegacyFault::MixedTypes);
    }
    let fits = |found: &&TypeName| match operator {
        ComparisonOperator::Eq | ComparisonOperator::Ne | ComparisonOperator::NotNull | ComparisonOperator::Null => {
            true
        }
        ComparisonOperator::BeginsWith => matches!(found, TypeName::S | TypeName::B),
        _ => found.is_ordered(),
    };
    match types.iter().find(|found| !fits(found)) {
        Some(found) => Err(LegacyFault::OperandType { operator: operator.as_str(), found: found.as_str() }),
        None => Ok(()),
    }
}

fn key_test(condition: &request::Condition) -> Result<KeyTest> {
    let key_value =
        |value: &AttributeValue| KeyValue::try_from(value.clone()).map_err(|_| Fault::KeyConditionType.into_error());
    let value = |place: usize| match condition.attribute_value_list.get(place) {
        Some(value) => key_value(value),
        None => Err(LegacyFault::ValueCount(condition.comparison_operator.as_str()).into_error()),
    };
    Ok(match condition.comparison_operator {
        ComparisonOperator::Eq => KeyTest::Eq(value(0)?),
        ComparisonOperator::Le => KeyTest::Le(value(0)?),
        ComparisonOperator::Lt => KeyTest::Lt(value(0)?),
        ComparisonOperator::Ge => KeyTest::Ge(value(0)?),
        ComparisonOperator::Gt => KeyTest::Gt(value(0)?),
        ComparisonOperator::BeginsWith => KeyTest::BeginsWith(value(0)?),
        ComparisonOperator::Between => {
            let is_above = condition.attribute_value_list.first().zip(condition.attribute_value_list.get(1));
            if is_above.is_some_and(|(low, high)| Operand::constant(low).is_constant_above(&Operand::constant(high))) {
                return Err(LegacyFault::BetweenOrder.into_error());
            }
            KeyTest::Between(value(0)?, value(1)?)
        }
        ComparisonOperator::Ne
        | ComparisonOperator::NotNull
        | ComparisonOperator::Null
        | ComparisonOperator::Contains
        | ComparisonOperator::NotContains
        | ComparisonOperator::In => return Err(LegacyFault::NotIndexable.into_error()),
    })
}

fn change(update: &AttributeValueUpdate) -> Result<Change, LegacyFault> {
    let action = update.action.unwrap_or(AttributeAction::Put);
    let Some(value) = &update.value else {
        return if action == AttributeAction::Delete {
            Ok(Change::Remove)
        } else {
            Err(LegacyFault::ActionWithoutValue)
        };
    };
    let found = value.type_name();
    match action {
        AttributeAction::Put => Ok(Change::Set(SetValue::Operand(SetOperand::Value(value.clone())))),
        AttributeAction::Delete if found.is_set() => Ok(Change::Delete(value.clone())),
        AttributeAction::Delete => Err(LegacyFault::DeleteType(found.as_str())),
        AttributeAction::Add if found.is_set() || matches!(found, TypeName::N | TypeName::L) => {
            Ok(Change::Add(value.clone()))
        }
        AttributeAction::Add => Err(LegacyFault::AddType(found.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::{RecordRef, encode};
    use crate::item::{Item, Set};

    fn holds(condition: Option<Condition>, item: &Item) -> bool {
        let record = encode(item).unwrap();
        condition.is_none_or(|condition| condition.holds(RecordRef::new(&record).unwrap()).unwrap())
    }

    fn is(operator: ComparisonOperator, values: &[AttributeValue]) -> ExpectedAttributeValue {
        let attribute_value_list = Some(values.to_vec());
        ExpectedAttributeValue { comparison_operator: Some(operator), attribute_value_list, ..Default::default() }
    }

    fn on<const N: usize>(expected: [(&str, ExpectedAttributeValue); N]) -> BTreeMap<String, ExpectedAttributeValue> {
        expected.into_iter().map(|(name, expected)| (name.to_owned(), expected)).collect()
    }

    fn fault<T: std::fmt::Debug>(outcome: Result<T>) -> LegacyFault {
        match outcome.unwrap_err().item_fault() {
            Some(Fault::Legacy(fault)) => fault.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test] // SEM: ITM-EXP-1, ITM-EXP-3
    fn comparisons_hold_as_those_of_expressions_do() {
        let item = Item::new().with("s", "banana").with("n", 5).with("t", Set::<String>::new(["a"]).unwrap());
        for (attribute, operator, values, expected) in [
            ("n", ComparisonOperator::Eq, &[AttributeValue::from(5)][..], true),
            ("n", ComparisonOperator::Ne, &[5.into()], false),
            ("absent", ComparisonOperator::Ne, &[5.into()], true),
            ("n", ComparisonOperator::Lt, &[6.into()], true),
            ("n", ComparisonOperator::Ge, &["5".into()], false),
            ("s", ComparisonOperator::NotNull, &[], true),
            ("s", ComparisonOperator::Null, &[], false),
            ("absent", ComparisonOperator::Null, &[], true),
            ("s", ComparisonOperator::Contains, &["nan".into()], true),
            ("t", ComparisonOperator::Contains, &["a".into()], true),
            ("t", ComparisonOperator::NotContains, &["a".into()], false),
            ("s", ComparisonOperator::BeginsWith, &["ban".into()], true),
            ("s", ComparisonOperator::In, &["x".into(), "banana".into()], true),
            ("n", ComparisonOperator::Between, &[5.into(), 9.into()], true),
            ("n", ComparisonOperator::Between, &[6.into(), 9.into()], false),
        ] {
            let condition = expected_of(attribute, operator, values);
            assert_eq!(holds(condition, &item), expected, "{attribute} {operator:?} {values:?}");
        }
    }

    fn expected_of(attribute: &str, operator: ComparisonOperator, values: &[AttributeValue]) -> Option<Condition> {
        super::expected(&on([(attribute, is(operator, values))]), None).unwrap()
    }

    #[test] // SEM: ITM-EXP-1
    fn existence_and_equality_without_an_operator() {
        let item = Item::from([("n", 5)]);
        let equal = ExpectedAttributeValue { value: Some(5.into()), ..Default::default() };
        let absent = ExpectedAttributeValue { exists: Some(false), ..Default::default() };
        assert!(holds(super::expected(&on([("n", equal.clone()), ("m", absent.clone())]), None).unwrap(), &item));
        let either = Some(ConditionalOperator::Or);
        assert!(!holds(super::expected(&on([("m", equal), ("n", absent)]), None).unwrap(), &Item::new()));
        let one = ExpectedAttributeValue { value: Some(7.into()), ..Default::default() };
        let other = ExpectedAttributeValue { value: Some(5.into()), exists: Some(true), ..Default::default() };
        assert!(holds(super::expected(&on([("m", one), ("n", other)]), either).unwrap(), &item));
        assert!(super::expected(&BTreeMap::new(), None).unwrap().is_none());
    }

    #[test] // SEM: ITM-EXP-3
    fn what_does_not_go_together_is_refused() {
        let value = |exists: Option<bool>, value: Option<AttributeValue>| {
            let expected = ExpectedAttributeValue { value, exists, ..Default::default() };
            fault(super::expected(&on([("a", expected)]), None))
        };
        assert_eq!(value(None, None), LegacyFault::ExistsWithoutValue { exists: "null", attribute: "a".into() });
        assert_eq!(value(Some(true), None), LegacyFault::ExistsWithoutValue { exists: "true", attribute: "a".into() });
        assert_eq!(value(Some(false), Some(1.into())), LegacyFault::AbsentWithValue("a".into()));
        let compared =
            |operator, values: &[AttributeValue]| fault(super::expected(&on([("a", is(operator, values))]), None));
        assert_eq!(compared(ComparisonOperator::Eq, &[]), LegacyFault::ValueCount("EQ"));
        assert_eq!(compared(ComparisonOperator::Null, &[1.into()]), LegacyFault::ValueCount("NULL"));
        assert_eq!(compared(ComparisonOperator::In, &[1.into(), "a".into()]), LegacyFault::MixedTypes);
        assert_eq!(compared(ComparisonOperator::Between, &[2.into(), 1.into()]), LegacyFault::BetweenOrder);
        for (operator, name) in [(ComparisonOperator::Lt, "LT"), (ComparisonOperator::Contains, "CONTAINS")] {
            let found = compared(operator, &[true.into()]);
            assert_eq!(found, LegacyFault::OperandType { operator: name, found: "BOOL" });
        }
        let none = BTreeMap::new();
        let and = Some(ConditionalOperator::And);
        assert_eq!(fault(super::expected(&none, and)), LegacyFault::OperatorWithoutConditions);
        let one = on([("a", is(ComparisonOperator::Eq, &[1.into()]))]);
        assert_eq!(fault(super::expected(&one, and)), LegacyFault::OperatorWithOneCondition);
        let both = ExpectedAttributeValue { value: Some(1.into()), ..is(ComparisonOperator::Eq, &[1.into()]) };
        assert_eq!(fault(super::expected(&on([("a", both)]), None)), LegacyFault::ValueAndList("a".into()));
    }

    #[test] // SEM: ITM-EXP-4
    fn keys_are_looked_up_by_what_has_an_order() {
        let condition = |operator, values: &[AttributeValue]| request::Condition {
            comparison_operator: operator,
            attribute_value_list: values.to_vec(),
        };
        let of = |conditions: &[(&str, request::Condition)]| {
            let conditions = conditions.iter().map(|(name, condition)| ((*name).to_owned(), condition.clone()));
            key_conditions(&conditions.collect())
        };
        let eq = condition(ComparisonOperator::Eq, &["p".into()]);
        let between = condition(ComparisonOperator::Between, &[1.into(), 2.into()]);
        assert_eq!(of(&[("pk", eq.clone()), ("sk", between)]).unwrap().tests.len(), 2);
        assert_eq!(fault(of(&[])), LegacyFault::KeyConditionCount);
        assert_eq!(
            fault(of(&[("a", eq.clone()), ("b", eq.clone()), ("c", eq.clone())])),
            LegacyFault::KeyConditionCount
        );
        let ne = condition(ComparisonOperator::Ne, &["p".into()]);
        assert_eq!(fault(of(&[("pk", ne)])), LegacyFault::NotIndexable);
        let turned = condition(ComparisonOperator::Between, &[2.into(), 1.into()]);
        assert_eq!(fault(of(&[("pk", eq), ("sk", turned)])), LegacyFault::BetweenOrder);
    }

    #[test] // SEM: ITM-EXP-5, ITM-EXP-7
    fn attributes_are_put_added_to_and_removed() {
        let update = |action, value: Option<AttributeValue>| AttributeValueUpdate { value, action };
        let of = |updates: &[(&str, AttributeValueUpdate)]| {
            let updates = updates.iter().map(|(name, update)| ((*name).to_owned(), update.clone()));
            super::updates(&updates.collect())
        };
        let set = |elements: &[&str]| Set::<String>::new(elements.iter().copied()).unwrap();
        let item = Item::new()
            .with("n", 5)
            .with("t", set(&["a", "b"]))
            .with("gone", 1)
            .with("l", vec![AttributeValue::from(1)]);
        let record = encode(&item).unwrap();
        let changed = of(&[
            ("n", update(Some(AttributeAction::Add), Some(2.into()))),
            ("t", update(Some(AttributeAction::Delete), Some(set(&["a"]).into()))),
            ("gone", update(Some(AttributeAction::Delete), None)),
            ("new", update(None, Some("x".into()))),
            ("l", update(Some(AttributeAction::Add), Some(vec![AttributeValue::from(2)].into()))),
        ])
        .unwrap();
        let updated = changed.apply(Some(RecordRef::new(&record).unwrap()), &Item::new()).unwrap();
        let list = AttributeValue::L(vec![1.into(), 2.into()]);
        assert_eq!(updated.item, Item::new().with("n", 7).with("t", set(&["b"])).with("new", "x").with("l", list));
        assert_eq!(fault(of(&[("a", update(None, None))])), LegacyFault::ActionWithoutValue);
        assert_eq!(
            fault(of(&[("a", update(Some(AttributeAction::Delete), Some(1.into())))])),
            LegacyFault::DeleteType("N")
        );
        assert_eq!(
            fault(of(&[("a", update(Some(AttributeAction::Add), Some("x".into())))])),
            LegacyFault::AddType("S")
        );
        let mismatch = of(&[("n", update(Some(AttributeAction::Add), Some(set(&["a"]).into())))]).unwrap();
        let refused = mismatch.apply(Some(RecordRef::new(&record).unwrap()), &Item::new()).map(drop);
        assert_eq!(fault(refused), LegacyFault::UpdateType);
    }

    #[test] // SEM: ITM-QRY-3
    fn an_attribute_is_asked_for_once() {
        let attributes = ["a.b", "c"].map(str::to_owned);
        assert_eq!(attributes_to_get(&attributes).unwrap().paths(), [Path::new("a.b"), Path::new("c")]);
        let twice = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(fault(attributes_to_get(&twice)), LegacyFault::DuplicateAttribute("a".into()));
    }
}
