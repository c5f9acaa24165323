//! Key conditions out of conditions.

use crate::error::Result;
use crate::item::condition::{KeyCondition, Test as KeyTest};
use crate::item::expression::condition::{Condition, Constant, Operand, Test};
use crate::item::expression::token::Comparator;
use crate::item::{ExpressionFault, ExpressionKind, Fault, KeyValue, Path};

impl KeyCondition {
    /// The key condition that `condition` is. Whether its attributes are those of a key is found with the table.
    ///
    /// # Errors
    /// What of it no key condition has, in the order of the service.
    pub(in crate::item) fn of(condition: &Condition) -> Result<Self> {
        let mut tests = Vec::new();
        collect(&condition.node, &mut tests)?;
        Ok(Self { tests })
    }
}

fn collect(test: &Test, tests: &mut Vec<(String, KeyTest)>) -> Result<()> {
    let (name, test) = match test {
        Test::And(conditions) => return conditions.iter().try_for_each(|condition| collect(condition, tests)),
        Test::Or(_) => return unusable("OR"),
        Test::Not(_) => return unusable("NOT"),
        Test::In(..) => return unusable("IN"),
        Test::Compare(Comparator::NotEqual, ..) => return unusable("<>"),
        Test::Exists(_) => return unusable("attribute_exists"),
        Test::NotExists(_) => return unusable("attribute_not_exists"),
        Test::IsType(..) => return unusable("attribute_type"),
        Test::Contains(..) => return unusable("contains"),
        Test::Compare(comparator, one, other) => {
            let (name, values) = attribute(&[one, other])?;
            let comparator = if is_path(one) { *comparator } else { comparator.reversed() };
            (name, compared(comparator, first(&values)?)?)
        }
        Test::Between(operand, ..) if !is_path(operand) => return unplaced("BETWEEN"),
        Test::Between(operand, lower, upper) => {
            let (name, values) = attribute(&[operand, lower, upper])?;
            let upper = values.get(1).copied().ok_or_else(|| Fault::KeyConditionWithoutAttribute.into_error())?;
            (name, KeyTest::Between(key_value(first(&values)?)?, key_value(upper)?))
        }
        Test::BeginsWith(operand, _) if !is_path(operand) => return unplaced("begins_with"),
        Test::BeginsWith(operand, prefix) => {
            let (name, values) = attribute(&[operand, prefix])?;
            (name, KeyTest::BeginsWith(key_value(first(&values)?)?))
        }
    };
    if tests.iter().any(|(other, _)| other == name) {
        return Err(Fault::expression(ExpressionKind::KeyCondition, ExpressionFault::TwoConditionsOnKey).into_error());
    }
    tests.push((name.to_owned(), test));
    Ok(())
}

fn unusable<T>(operator: &str) -> Result<T> {
    Err(Fault::KeyConditionOperator(operator.to_owned()).into_error())
}

fn unplaced<T>(operator: &str) -> Result<T> {
    Err(Fault::KeyConditionOperand(operator.to_owned()).into_error())
}

fn is_path(operand: &Operand) -> bool {
    matches!(operand, Operand::Path(_))
}

/// The one attribute among `operands`, and the values.
fn attribute<'o>(operands: &[&'o Operand]) -> Result<(&'o str, Vec<&'o Constant>)> {
    let mut found: Option<&Path> = None;
    let mut values = Vec::new();
    for operand in operands {
        match operand {
            Operand::Path(path) => {
                if found.replace(path).is_some() {
                    return Err(Fault::KeyConditionAttributes.into_error());
                }
                if !path.inside().is_empty() {
                    return Err(Fault::KeyConditionPath.into_error());
                }
            }
            Operand::Value(constant) => values.push(constant),
            Operand::Size(_) | Operand::TooDeep => return Err(Fault::KeyConditionNested.into_error()),
        }
    }
    let path = found.ok_or_else(|| Fault::KeyConditionWithoutAttribute.into_error())?;
    Ok((path.attribute(), values))
}

fn first<'o>(values: &[&'o Constant]) -> Result<&'o Constant> {
    values.first().copied().ok_or_else(|| Fault::KeyConditionAttributes.into_error())
}

fn compared(comparator: Comparator, value: &Constant) -> Result<KeyTest> {
    let value = key_value(value)?;
    Ok(match comparator {
        Comparator::Equal => KeyTest::Eq(value),
        Comparator::Less => KeyTest::Lt(value),
        Comparator::LessOrEqual => KeyTest::Le(value),
        Comparator::Greater => KeyTest::Gt(value),
        Comparator::GreaterOrEqual => KeyTest::Ge(value),
        Comparator::NotEqual => return unusable("<>"),
    })
}

/// A value that a key can have. Another is of the wrong type for every attribute.
fn key_value(constant: &Constant) -> Result<KeyValue> {
    KeyValue::try_from(constant.to_value()?).map_err(|_| Fault::KeyConditionType.into_error())
}
