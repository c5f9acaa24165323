//! The evaluator against one that works on values and takes no shortcut, and what the service says of what is wrong.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::condition::{Constant, Operand, Test};
use super::token::Comparator;
use super::*;
use crate::item::record::{RecordRef, encode};
use crate::item::{Item, KeyCondition, Number, Path, PathElement, Set, TypeName};

// ---- Values, items, paths and conditions, few and alike ----

pub(super) fn value() -> impl Strategy<Value = AttributeValue> {
    let number = (-3i64..4, -1i32..2).prop_map(|(n, e)| format!("{n}e{e}").parse::<Number>().unwrap());
    let scalar = prop_oneof![
        "[ab😀]{0,3}".prop_map(AttributeValue::from),
        number.clone().prop_map(AttributeValue::N),
        vec(0u8..3, 0..4).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        btree_set("[ab]{0,2}", 1..4).prop_map(|set| AttributeValue::Ss(Set::new(set).unwrap())),
        btree_set(number, 1..4).prop_map(|set| AttributeValue::Ns(Set::new(set).unwrap())),
        btree_set(vec(0u8..3, 0..2), 1..4).prop_map(|set| AttributeValue::Bs(Set::new(set).unwrap())),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            btree_map("[ab]", inner, 0..3).prop_map(AttributeValue::from),
        ]
    })
}

pub(super) fn item() -> impl Strategy<Value = Item> {
    btree_map("[a-d]", value(), 0..5).prop_map(Item::from)
}

pub(super) fn any_path() -> impl Strategy<Value = Path> {
    let element = prop_oneof!["[ab]|set|a b".prop_map(PathElement::Name), (0u32..3).prop_map(PathElement::Index),];
    ("[a-d]|size", vec(element, 0..3)).prop_map(|(name, inside)| inside.into_iter().fold(Path::new(name), Path::with))
}

fn operand() -> impl Strategy<Value = Operand> {
    let plain = prop_oneof![any_path().prop_map(Operand::Path), value().prop_map(|value| Operand::constant(&value))];
    prop_oneof![4 => plain.clone(), 1 => plain.prop_map(|operand| Operand::Size(Box::new(operand)))]
}

fn comparator() -> impl Strategy<Value = Comparator> {
    prop::sample::select(vec![
        Comparator::Equal,
        Comparator::NotEqual,
        Comparator::Less,
        Comparator::LessOrEqual,
        Comparator::Greater,
        Comparator::GreaterOrEqual,
    ])
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        (comparator(), operand(), operand()).prop_map(|(comparator, one, other)| Test::Compare(comparator, one, other)),
        (operand(), operand(), operand()).prop_map(|(operand, low, high)| Test::Between(operand, low, high)),
        (operand(), vec(operand(), 1..4)).prop_map(|(operand, candidates)| Test::In(operand, candidates)),
        any_path().prop_map(Test::Exists),
        any_path().prop_map(Test::NotExists),
        (any_path(), prop::sample::select(vec![TypeName::S, TypeName::L, TypeName::Null]))
            .prop_map(|(path, name)| Test::IsType(path, name)),
        (operand(), operand()).prop_map(|(operand, prefix)| Test::BeginsWith(operand, prefix)),
        (operand(), operand()).prop_map(|(operand, part)| Test::Contains(operand, part)),
    ];
    let test = leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Test::And),
            vec(inner.clone(), 2..4).prop_map(Test::Or),
            inner.prop_map(|test| Test::Not(Box::new(test))),
        ]
    });
    test.prop_map(|node| Condition { node })
}

// ---- An evaluator on values ----

pub(super) fn at<'v>(item: &'v Item, path: &Path) -> Option<&'v AttributeValue> {
    path.inside().iter().fold(item.get(path.attribute()), |found, element| match (found?, element) {
        (AttributeValue::M(map), PathElement::Name(name)) => map.get(name),
        (AttributeValue::L(list), PathElement::Index(index)) => list.get(*index as usize),
        _ => None,
    })
}

fn find(operand: &Operand, item: &Item) -> Option<AttributeValue> {
    match operand {
        Operand::Path(path) => at(item, path).cloned(),
        Operand::Value(constant) => Some(constant.to_value().unwrap()),
        Operand::TooDeep => None,
        Operand::Size(operand) => match find(operand, item)? {
            AttributeValue::S(text) => Some(text.encode_utf16().count()),
            AttributeValue::B(bytes) => Some(bytes.len()),
            AttributeValue::M(map) => Some(map.len()),
            AttributeValue::L(list) => Some(list.len()),
            AttributeValue::Ss(set) => Some(set.iter().len()),
            AttributeValue::Ns(set) => Some(set.iter().len()),
            AttributeValue::Bs(set) => Some(set.iter().len()),
            _ => None,
        }
        .map(|size| AttributeValue::from(size as u64)),
    }
}

fn order(one: &AttributeValue, other: &AttributeValue) -> Option<Ordering> {
    match (one, other) {
        (AttributeValue::S(one), AttributeValue::S(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (AttributeValue::N(one), AttributeValue::N(other)) => Some(one.cmp(other)),
        (AttributeValue::B(one), AttributeValue::B(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

fn naive(test: &Test, item: &Item) -> bool {
    let order_of = |one: &Operand, other: &Operand| order(&find(one, item)?, &find(other, item)?);
    match test {
        Test::And(tests) => tests.iter().all(|test| naive(test, item)),
        Test::Or(tests) => tests.iter().any(|test| naive(test, item)),
        Test::Not(test) => !naive(test, item),
        Test::Compare(comparator, one, other) => {
            let equal = find(one, item).is_some() && find(one, item) == find(other, item);
            let order = order_of(one, other);
            match comparator {
                Comparator::Equal => equal,
                Comparator::NotEqual => !equal,
                Comparator::Less => order == Some(Ordering::Less),
                Comparator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                Comparator::Greater => order == Some(Ordering::Greater),
                Comparator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
        Test::Between(operand, low, high) => {
            order_of(low, operand).is_some_and(Ordering::is_le) && order_of(operand, high).is_some_and(Ordering::is_le)
        }
        Test::In(operand, candidates) => find(operand, item)
            .is_some_and(|found| candidates.iter().any(|other| find(other, item).as_ref() == Some(&found))),
        Test::Exists(path) => at(item, path).is_some(),
        Test::NotExists(path) => at(item, path).is_none(),
        Test::IsType(path, name) => at(item, path).is_some_and(|found| found.type_name() == *name),
        Test::BeginsWith(operand, prefix) => match (find(operand, item), find(prefix, item)) {
            (Some(AttributeValue::S(whole)), Some(AttributeValue::S(prefix))) => whole.starts_with(prefix.as_str()),
            (Some(AttributeValue::B(bytes)), Some(AttributeValue::B(prefix))) => bytes.starts_with(&prefix),
            _ => false,
        },
        Test::Contains(operand, part) => match (find(operand, item), find(part, item)) {
            (Some(AttributeValue::L(list)), Some(part)) => list.contains(&part),
            (Some(AttributeValue::S(whole)), Some(AttributeValue::S(part))) => whole.contains(part.as_str()),
            (Some(AttributeValue::B(bytes)), Some(AttributeValue::B(part))) => {
                (0..=bytes.len()).any(|at| bytes[at..].starts_with(&part))
            }
            (Some(AttributeValue::Ss(set)), Some(AttributeValue::S(part))) => set.contains(part.as_str()),
            (Some(AttributeValue::Ns(set)), Some(AttributeValue::N(part))) => set.contains(&part),
            (Some(AttributeValue::Bs(set)), Some(AttributeValue::B(part))) => set.contains(&part),
            _ => false,
        },
    }
}

// ---- A printer ----

/// Writes a condition as text, with a placeholder for each name and value.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) names: BTreeMap<String, String>,
    pub(super) values: BTreeMap<String, AttributeValue>,
}

impl Printer {
    pub(super) fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    pub(super) fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }

    pub(super) fn path(&mut self, path: &Path) -> String {
        let first = self.name(path.attribute());
        path.inside().iter().fold(first, |text, element| match element {
            PathElement::Name(name) => format!("{text}.{}", self.name(name)),
            PathElement::Index(index) => format!("{text}[{index}]"),
        })
    }

    fn constant(&mut self, constant: &Constant) -> String {
        self.value(&constant.to_value().unwrap())
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Value(constant) => self.constant(constant),
            Operand::Size(operand) => format!("size({})", self.operand(operand)),
            Operand::TooDeep => unreachable!("no such value is made here"),
        }
    }

    /// What is joined stands in parentheses, so that it is joined in the same order again.
    fn test(&mut self, test: &Test) -> String {
        let mut joined = |tests: &[Test], word: &str| {
            let texts: Vec<_> = tests.iter().map(|test| self.inner(test)).collect();
            texts.join(word)
        };
        match test {
            Test::And(tests) => joined(tests, " AND "),
            Test::Or(tests) => joined(tests, " or "),
            Test::Not(test) => format!("NOT {}", self.inner(test)),
            Test::Compare(comparator, one, other) => {
                format!("{} {} {}", self.operand(one), comparator.as_str(), self.operand(other))
            }
            Test::Between(operand, low, high) => {
                format!("{} between {} AND {}", self.operand(operand), self.operand(low), self.operand(high))
            }
            Test::In(operand, candidates) => {
                let operand = self.operand(operand);
                let candidates: Vec<_> = candidates.iter().map(|candidate| self.operand(candidate)).collect();
                format!("{operand} IN ({})", candidates.join(", "))
            }
            Test::Exists(path) => format!("attribute_exists({})", self.path(path)),
            Test::NotExists(path) => format!("attribute_not_exists({})", self.path(path)),
            Test::IsType(path, name) => {
                format!("attribute_type({}, {})", self.path(path), self.value(&name.as_str().into()))
            }
            Test::BeginsWith(operand, prefix) => {
                format!("begins_with({}, {})", self.operand(operand), self.operand(prefix))
            }
            Test::Contains(operand, part) => format!("contains({}, {})", self.operand(operand), self.operand(part)),
        }
    }

    fn inner(&mut self, test: &Test) -> String {
        match test {
            Test::And(_) | Test::Or(_) => format!("({})", self.test(test)),
            other => self.test(other),
        }
    }
}

fn read(text: &str, printer: &Printer) -> Result<Condition> {
    let some = |is_some: bool| is_some.then_some(());
    let names = some(!printer.names.is_empty()).map(|()| &printer.names);
    let values = some(!printer.values.is_empty()).map(|()| &printer.values);
    let mut expressions = Expressions::new(names, values)?;
    let condition = expressions.condition(ExpressionKind::Filter, text)?;
    expressions.finish()?;
    Ok(condition)
}

proptest! {
    #[test] // SEM: ITM-EXP-1, ITM-EXP-3
    fn conditions_on_records_agree_with_conditions_on_values(condition in condition(), item in item()) {
        let record = encode(&item).unwrap();
        let found = condition.holds(RecordRef::new(&record).unwrap()).unwrap();
        prop_assert_eq!(found, naive(&condition.node, &item), "{:?} of {:?}", condition, item);
    }

    #[test]
    fn a_condition_that_is_printed_reads_as_itself(condition in condition()) {
        let mut printer = Printer::default();
        let text = printer.test(&condition.node);
        match read(&text, &printer) {
            Ok(read) => prop_assert_eq!(read, condition),
            Err(error) => {
                // What is refused in text is refused in parts.
                let of_parts = condition.check(ExpressionKind::Filter).err().map(|error| error.to_string());
                // But no parts are the size of a value, whose type text has to be right in.
                prop_assert!(of_parts == Some(error.to_string()) || text.contains("size("), "{of_parts:?} {error}");
            }
        }
    }

    #[test] // SEM: ITM-QRY-3
    fn projections_have_what_their_paths_lead_to(item in item(), paths in vec(any_path(), 1..4)) {
        let projection = ProjectionPaths::new(paths);
        prop_assume!(projection.check().is_ok());
        let record = encode(&item).unwrap();
        let projected = projection.project(RecordRef::new(&record).unwrap()).unwrap();
        let found = projection.paths().iter().filter(|path| at(&item, path).is_some());
        prop_assert_eq!(projected.is_empty(), found.clone().count() == 0);
        for path in found {
            // Elements of lists move together, so that only paths without an index lead to the same.
            if path.inside().iter().all(|element| matches!(element, PathElement::Name(_))) {
                prop_assert_eq!(at(&projected, path), at(&item, path));
            }
        }
        prop_assert!(projected.size_bytes() <= item.size_bytes());
    }
}

// ---- What the service says ----

fn names(names: &[(&str, &str)]) -> BTreeMap<String, String> {
    names.iter().map(|(placeholder, name)| ((*placeholder).to_owned(), (*name).to_owned())).collect()
}

fn values() -> BTreeMap<String, AttributeValue> {
    let map: BTreeMap<String, AttributeValue> = BTreeMap::new();
    [
        (":s", AttributeValue::from("b")),
        (":a", AttributeValue::from("a")),
        (":n", 1.into()),
        (":two", 2.into()),
        (":b", vec![0u8, 1, 2].into()),
        (":bool", true.into()),
        (":null", AttributeValue::Null),
        (":l", AttributeValue::L(Vec::new())),
        (":m", map.into()),
        (":ss", Set::<String>::new(["a"]).unwrap().into()),
        (":ns", Set::<Number>::new([1]).unwrap().into()),
        (":type", "STRING".into()),
    ]
    .into_iter()
    .map(|(placeholder, value)| (placeholder.to_owned(), value))
    .collect()
}

fn problem(text: &str) -> String {
    let (names, values) = (names(&[("#a", "a"), ("#b", "b")]), values());
    let mut expressions = Expressions::new(Some(&names), Some(&values)).unwrap();
    match expressions.condition(ExpressionKind::Condition, text) {
        Ok(condition) => panic!("{text}: {condition:?}"),
        Err(error) => error.to_string().replace("Invalid ConditionExpression: ", ""),
    }
}

#[test] // SEM: ITM-EXP-1, ITM-EXP-2, ITM-EXP-3
fn what_is_wrong_with_a_condition_is_said_as_the_service_says_it() {
    let operand = |operator: &str, found: &str| {
        format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {found}"
        )
    };
    for (text, expected) in [
        ("status = :s", "Attribute name is a reserved keyword; reserved keyword: status".to_owned()),
        ("x.Year = :s", "Attribute name is a reserved keyword; reserved keyword: Year".to_owned()),
        ("x[4294967295] = :s", "List index is not within the allowable range; index: [4294967295]".to_owned()),
        ("starts_with(x, :s)", "Invalid function name; function: starts_with".to_owned()),
        ("ATTRIBUTE_EXISTS(x)", "Invalid function name; function: ATTRIBUTE_EXISTS".to_owned()),
        (
            "if_not_exists(x, :s) = :s",
            "The function is not allowed in a condition expression; function: if_not_exists".to_owned(),
        ),
        (
            "begins_with(x, :s) = :s",
            "The function is not allowed to be used this way in an expression; function: begins_with".to_owned(),
        ),
        ("size(x)", "The function is not allowed to be used this way in an expression; function: size".to_owned()),
        (
            "x = :s AND size(x)",
            "The function is not allowed to be used this way in an expression; function: size".to_owned(),
        ),
        (
            "contains(x)",
            "Incorrect number of operands for operator or function; operator or function: contains, number of \
             operands: 1"
                .to_owned(),
        ),
        (
            "#c = :s",
            "An expression attribute name used in the document path is not defined; attribute name: #c".to_owned(),
        ),
        (
            "x = :absent",
            "An expression attribute value used in expression is not defined; attribute value: :absent".to_owned(),
        ),
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists".to_owned(),
        ),
        ("begins_with(x, :n)", operand("begins_with", "N")),
        ("begins_with(size(x), :s)", operand("begins_with", "N")),
        ("attribute_type(x, :n)", operand("attribute_type", "N")),
        ("size(:n) > :n", operand("size", "N")),
        ("x < :bool", operand("<", "BOOL")),
        (":null >= x", operand(">=", "NULL")),
        ("x > :l", operand(">", "L")),
        ("x <= :m", operand("<=", "M")),
        ("x BETWEEN :ss AND :ss", operand("BETWEEN", "SS")),
        (
            "attribute_type(x, :type)",
            "Invalid attribute type name found; type: STRING, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}".to_owned(),
        ),
        (
            "contains(x.y[0], x.y[0])",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             contains, first operand: [x, y, [0]]"
                .to_owned(),
        ),
        (
            "a = #a",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             =, first operand: [a]"
                .to_owned(),
        ),
        (
            "x BETWEEN :s AND :a",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
             operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"
                .to_owned(),
        ),
        (
            "x BETWEEN :n AND :a",
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
             AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}"
                .to_owned(),
        ),
        // Of two mistakes, the one of the earlier pass, and in one pass the one that is written first.
        ("x = :absent AND abort = :s", "Attribute name is a reserved keyword; reserved keyword: abort".to_owned()),
        ("begins_with(x, :n) AND y = :absent", operand("begins_with", "N")),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
    let long = format!("x{} = :s", ".y".repeat(32));
    assert_eq!(problem(&long), "The document path has too many nesting levels; nesting levels: 33");
    let candidates = vec![":s"; 101].join(",");
    assert_eq!(
        problem(&format!("x IN ({candidates})")),
        "The IN operator is provided with too many operands; number of operands: 101"
    );
}

#[test] // SEM: ITM-EXP-2, ITM-LIM-3
fn what_fits_exactly_is_taken() {
    let values = values();
    let mut expressions = Expressions::new(None, Some(&values)).unwrap();
    for text in [
        format!("x{} = :s", ".y".repeat(31)),
        format!("x IN ({})", vec![":s"; 100].join(",")),
        "x[4294967294] = :s".to_owned(),
        "x BETWEEN :n AND :n".to_owned(),
        "size(x) BETWEEN :n AND :two".to_owned(),
        ":n <> x AND contains(:s, x) AND begins_with(:s, :s)".to_owned(),
        "x = :bool AND x <> :l AND x IN (:m, :null)".to_owned(),
    ] {
        expressions.condition(ExpressionKind::Condition, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test] // SEM: ITM-QRY-3
fn projections_do_not_overlap() {
    let names = names(&[("#a", "a")]);
    let mut expressions = Expressions::new(Some(&names), None).unwrap();
    let mut problem = |text: &str| expressions.projection(text).unwrap_err().to_string();
    assert_eq!(
        problem("b, a, #a.c"),
        "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these \
         paths; path one: [a], path two: [a, c]"
    );
    assert_eq!(
        problem("a.b, a[0]"),
        "Invalid ProjectionExpression: Two document paths conflict with each other; must remove or rewrite one of \
         these paths; path one: [a, b], path two: [a, [0]]"
    );
    assert_eq!(
        problem("a, a.b, year"),
        "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: year"
    );
    assert_eq!(problem(""), "Invalid ProjectionExpression: The expression can not be empty;");
    let parsed = expressions.projection("#a.b[1], c").unwrap();
    assert_eq!(parsed.paths(), [Path::new("a").name("b").index(1), Path::new("c")]);
}

#[test] // SEM: ITM-QRY-3
fn a_projection_keeps_the_structure_and_closes_gaps() {
    let list = AttributeValue::L(vec!["x".into(), "y".into(), "z".into()]);
    let map = AttributeValue::M([("b", 1), ("c", 2)].into());
    let item = Item::new().with("l", list).with("m", map).with("n", 5);
    let record = encode(&item).unwrap();
    let paths = [Path::new("m").name("c"), Path::new("l").index(2), Path::new("l").index(0), Path::new("m").name("d")];
    let projected = ProjectionPaths::new(paths).project(RecordRef::new(&record).unwrap()).unwrap();
    let expected = Item::new()
        .with("l", AttributeValue::L(vec!["x".into(), "z".into()]))
        .with("m", AttributeValue::M([("c", 2)].into()));
    assert_eq!(projected, expected);
}

fn key_problem(text: &str) -> String {
    let values = values();
    let mut expressions = Expressions::new(None, Some(&values)).unwrap();
    let condition = expressions.condition(ExpressionKind::KeyCondition, text);
    match condition.and_then(|condition| KeyCondition::of(&condition)) {
        Ok(condition) => panic!("{text}: {condition:?}"),
        Err(error) => error.to_string(),
    }
}

#[test] // SEM: ITM-EXP-4
fn what_is_no_key_condition_is_refused_as_the_service_refuses_it() {
    let operator = |operator: &str| format!("Invalid operator used in KeyConditionExpression: {operator}");
    for (text, expected) in [
        ("a > b and size(b) > c or a > c", operator("OR")),
        ("a in (b, size(c), d)", operator("IN")),
        ("attribute_exists(a)", operator("attribute_exists")),
        ("contains(a.d, b)", operator("contains")),
        ("not a > b", operator("NOT")),
        ("a <> b", operator("<>")),
        (":a between size(b) and size(a) and b > :s", Fault::KeyConditionOperand("BETWEEN".into()).to_string()),
        ("begins_with(:a, b) and a > :s", Fault::KeyConditionOperand("begins_with".into()).to_string()),
        ("size(b) > a AND a.b > b", Fault::KeyConditionNested.to_string()),
        ("a > size(b.d)", Fault::KeyConditionNested.to_string()),
        ("b > a.b", Fault::KeyConditionAttributes.to_string()),
        ("begins_with(a, b)", Fault::KeyConditionAttributes.to_string()),
        ("b.d > a AND c.d > e.f", Fault::KeyConditionPath.to_string()),
        (":n > :two AND a < :n", Fault::KeyConditionWithoutAttribute.to_string()),
        (
            "b > :n AND b < :two and c = :n",
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
                .to_owned(),
        ),
        ("a = :bool", Fault::KeyConditionType.to_string()),
        (
            "pk = :s AND begins_with(sk, :n)",
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: \
             begins_with, operand type: N"
                .to_owned(),
        ),
    ] {
        assert_eq!(key_problem(text), expected, "{text}");
    }
}

#[test] // SEM: ITM-EXP-4
fn key_conditions_are_those_of_typed_parts() {
    let values = values();
    let mut expressions = Expressions::new(None, Some(&values)).unwrap();
    for text in ["(pk = :s) AND (sk > :n)", ":n < sk AND :s = pk"] {
        let condition = expressions.condition(ExpressionKind::KeyCondition, text).unwrap();
        let read = format!("{:?}", KeyCondition::of(&condition).unwrap());
        assert!(read.contains(r#"("pk", Eq(S("b")))"#) && read.contains(r#"("sk", Gt(N(1)))"#), "{read}");
    }
}

#[test] // SEM: ITM-EXP-1
fn conditions_of_typed_parts_are_those_of_text() {
    let values = values();
    let mut expressions = Expressions::new(None, Some(&values)).unwrap();
    let mut text = |text: &str| expressions.condition(ExpressionKind::Filter, text).unwrap();
    assert_eq!(path("a").eq("b").and(path("c").lt(1)), text("a = :s AND c < :n"));
    assert_eq!(
        path("a").exists().or(!path(Path::new("c").index(0)).contains(1)),
        text("attribute_exists(a) or not contains(c[0], :n)")
    );
    assert_eq!(path("a").size().between(1, 2), text("size(a) between :n and :two"));
    assert_eq!(path("a").is_in(["b", "a"]), text("a in (:s, :a)"));
    assert_eq!(path("a").is_type(TypeName::S).and(path("a").begins_with("b")).and(path("c").ne(1)).node, {
        let Condition { node: Test::And(mut tests) } = text("begins_with(a, :s) and c <> :n") else { panic!() };
        tests.insert(0, Test::IsType(Path::new("a"), TypeName::S));
        Test::And(tests)
    });
    let fault = |condition: Condition| condition.check(ExpressionKind::Filter).unwrap_err().to_string();
    assert!(fault(path("a").between(2, 1)).contains("upper bound to be greater"));
    assert!(fault(path("a").le(true)).contains("operator or function: <=, operand type: BOOL"));
    assert!(fault(path("a").begins_with(1)).contains("begins_with, operand type: N"));
    let deep = (0..32).fold(AttributeValue::Null, |inner, _| vec![inner].into());
    assert!(matches!(path("a").eq(deep).check(ExpressionKind::Filter), Err(crate::Error::LimitExceeded { .. })));
}

#[test] // SEM: ITM-EXP-2
fn parameters_that_do_not_go_together_are_refused() {
    let expressions = |filter| [(ExpressionKind::Projection, false), (ExpressionKind::Filter, filter)];
    let fault = |outcome: Result<()>| outcome.unwrap_err().item_fault().unwrap().clone();
    assert!(check_parameters(&[("ScanFilter", false)], &expressions(true), true, true).is_ok());
    assert!(check_parameters(&[("ScanFilter", true)], &expressions(false), false, false).is_ok());
    let mixed = fault(check_parameters(&[("ScanFilter", true)], &expressions(true), false, false));
    let filter = vec![ExpressionKind::Filter];
    assert_eq!(mixed, Fault::MixedParameters { legacy: vec!["ScanFilter"], expressions: filter.clone() });
    assert_eq!(fault(check_parameters(&[], &expressions(false), true, false)), Fault::NamesWithoutExpression);
    assert_eq!(fault(check_parameters(&[], &expressions(false), false, true)), Fault::ValuesWithoutExpression(filter));
}
