//! Which items a statement is about: the part of its condition that a key can be looked up by.

use crate::error::Result;
use crate::item::condition::{KeyCondition, Test as KeyTest};
use crate::item::expression::{Comparator, Condition, Operand, Test};
use crate::item::partiql::cursor::refuse;
use crate::item::{Item, KeyValue, StatementFault};

/// How the items of a read are found.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// What they are looked up by; `None` reads all there are.
    pub(crate) key: Option<KeyCondition>,
    /// Which of them are returned.
    pub(crate) filter: Option<Condition>,
}

/// Splits the condition of a read of a table or index with these key attributes.
///
/// Items are looked up when each attribute of the partition key has to be equal to something. A leading run of sort
/// attributes may be, too, and one condition on the attribute behind that run is used as well.
///
/// # Errors
/// [`Error::Corruption`](crate::Error::Corruption), which a condition that was read never gives.
pub(crate) fn lookup(condition: Option<&Condition>, partition: &[&str], sort: &[&str]) -> Result<Lookup> {
    let mut parts = conjuncts(condition);
    let mut tests = Vec::new();
    for attribute in partition {
        match take(&mut parts, attribute, equality)? {
            Some(test) => tests.push(test),
            None => return Ok(Lookup { key: None, filter: condition.cloned() }),
        }
    }
    for attribute in sort {
        if let Some(test) = take(&mut parts, attribute, equality)? {
            tests.push(test);
            continue;
        }
        tests.extend(take(&mut parts, attribute, range)?);
        break;
    }
    Ok(Lookup { key: Some(KeyCondition { tests }), filter: Condition::all(parts.into_iter().map(Condition::from)) })
}

/// The key of the one item that a write is about, and what else has to hold of that item.
///
/// # Errors
/// [`StatementFault::WithoutKey`] unless each of `attributes` has to be equal to something.
pub(crate) fn exact_key(condition: Option<&Condition>, attributes: &[&str]) -> Result<(Item, Option<Condition>)> {
    let mut parts = conjuncts(condition);
    let mut key = Item::new();
    for attribute in attributes {
        match take(&mut parts, attribute, equality)? {
            Some((name, KeyTest::Eq(value))) => drop(key.insert(name, value)),
            _ => return Err(refuse(StatementFault::WithoutKey)),
        }
    }
    Ok((key, Condition::all(parts.into_iter().map(Condition::from))))
}

/// What has to hold all together.
fn conjuncts(condition: Option<&Condition>) -> Vec<Test> {
    fn collect(test: &Test, parts: &mut Vec<Test>) {
        match test {
            Test::And(tests) => tests.iter().for_each(|test| collect(test, parts)),
            other => parts.push(other.clone()),
        }
    }
    let mut parts = Vec::new();
    if let Some(condition) = condition {
        collect(&condition.node, &mut parts);
    }
    parts
}

/// Takes the first part that `read` makes a test of `attribute` of.
fn take(
    parts: &mut Vec<Test>,
    attribute: &str,
    read: fn(&Test, &str) -> Result<Option<KeyTest>>,
) -> Result<Option<(String, KeyTest)>> {
    for place in 0..parts.len() {
        if let Some(part) = parts.get(place)
            && let Some(test) = read(part, attribute)?
        {
            parts.remove(place);
            return Ok(Some((attribute.to_owned(), test)));
        }
    }
    Ok(None)
}

fn equality(test: &Test, attribute: &str) -> Result<Option<KeyTest>> {
    match test {
        Test::Compare(Comparator::Equal, one, other) => {
            let value = if is(one, attribute) { other } else { one };
            let is_on = is(one, attribute) || is(other, attribute);
            Ok(key_value(value)?.filter(|_| is_on).map(KeyTest::Eq))
        }
        _ => Ok(None),
    }
}

/// A condition on a range of values, or on how they begin.
fn range(test: &Test, attribute: &str) -> Result<Option<KeyTest>> {
    let (comparator, value) = match test {
        Test::Compare(comparator, one, other) if is(one, attribute) => (*comparator, other),
        Test::Compare(comparator, one, other) if is(other, attribute) => (comparator.reversed(), one),
        Test::Between(operand, lower, upper) if is(operand, attribute) => {
            let bounds = key_value(lower)?.zip(key_value(upper)?);
            return Ok(bounds.map(|(lower, upper)| KeyTest::Between(lower, upper)));
        }
        Test::BeginsWith(operand, prefix) if is(operand, attribute) => {
            return Ok(key_value(prefix)?.map(KeyTest::BeginsWith));
        }
        _ => return Ok(None),
    };
    let Some(value) = key_value(value)? else { return Ok(None) };
    Ok(match comparator {
        Comparator::Less => Some(KeyTest::Lt(value)),
        Comparator::LessOrEqual => Some(KeyTest::Le(value)),
        Comparator::Greater => Some(KeyTest::Gt(value)),
        Comparator::GreaterOrEqual => Some(KeyTest::Ge(value)),
        Comparator::Equal | Comparator::NotEqual => None,
    })
}

fn is(operand: &Operand, attribute: &str) -> bool {
    matches!(operand, Operand::Path(path) if path.attribute() == attribute && path.inside().is_empty())
}

/// The value, if a key can have it.
fn key_value(operand: &Operand) -> Result<Option<KeyValue>> {
    match operand {
        Operand::Value(constant) => Ok(KeyValue::try_from(constant.to_value()?).ok()),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::partiql::{Statement, parse};

    fn condition(text: &str) -> Option<Condition> {
        match parse(&format!("SELECT * FROM t WHERE {text}"), &[]).unwrap() {
            Statement::Select(select) => select.condition,
            other => panic!("{other:?}"),
        }
    }

    fn found(text: &str) -> (Option<String>, Option<Condition>) {
        let Lookup { key, filter } = lookup(condition(text).as_ref(), &["pk"], &["sk", "sk2"]).unwrap();
        (key.map(|key| format!("{:?}", key.tests)), filter)
    }

    #[test] // SEM: ITM-EXP-4, ITM-IDX-1
    fn what_a_key_can_be_looked_up_by_is_taken() {
        for (text, key, filter) in [
            ("pk = 1", Some(r#"[("pk", Eq(N(1)))]"#), None),
            ("sk > 'a' AND 1 = pk", Some(r#"[("pk", Eq(N(1))), ("sk", Gt(S("a")))]"#), None),
            ("pk = 1 AND 'a' < sk AND x = 2", Some(r#"[("pk", Eq(N(1))), ("sk", Gt(S("a")))]"#), Some("x = 2")),
            (
                "pk = 1 AND sk = 2 AND begins_with(sk2, 'p')",
                Some(r#"[("pk", Eq(N(1))), ("sk", Eq(N(2))), ("sk2", BeginsWith(S("p")))]"#),
                None,
            ),
            ("pk = 1 AND sk2 = 2", Some(r#"[("pk", Eq(N(1)))]"#), Some("sk2 = 2")),
            ("pk = 1 AND sk > 1 AND sk < 5", Some(r#"[("pk", Eq(N(1))), ("sk", Gt(N(1)))]"#), Some("sk < 5")),
            ("pk = 1 AND NOT sk = 2", Some(r#"[("pk", Eq(N(1)))]"#), Some("NOT sk = 2")),
            ("pk = 1 OR pk = 2", None, Some("pk = 1 OR pk = 2")),
            ("pk > 1 AND sk = 2", None, Some("pk > 1 AND sk = 2")),
            ("pk = true", None, Some("pk = true")),
        ] {
            assert_eq!(found(text), (key.map(str::to_owned), filter.and_then(condition)), "{text}");
        }
        assert!(lookup(None, &["pk"], &[]).unwrap().key.is_none());
    }

    #[test]
    fn a_write_names_one_item() {
        let key = |text: &str| exact_key(condition(text).as_ref(), &["pk", "sk"]);
        let (item, rest) = key("sk = 'b' AND pk = 1 AND (x = 1 AND y = 2)").unwrap();
        assert_eq!(item, Item::new().with("pk", 1).with("sk", "b"));
        assert_eq!(rest, condition("x = 1 AND y = 2"));
        for text in ["pk = 1", "pk = 1 AND sk > 1", "pk = 1 OR sk = 1", "pk = 1 AND sk = other"] {
            let refused = key(text).unwrap_err().to_string();
            assert_eq!(refused, StatementFault::WithoutKey.to_string(), "{text}");
        }
    }
}
