use proptest::prelude::*;

use super::*;
use crate::error::Result;
use crate::item::expression::{Change, SetOperand, SetValue, Sign};
use crate::item::partiql::statement::Order;
use crate::item::record::{RecordRef, encode};
use crate::item::{
    AttributeMap, AttributeValue, Condition, ExpressionFault, Fault, Item, Number, Path, Set, StatementFault, TypeName,
    path,
};

fn statement(text: &str) -> Statement {
    parse(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault(text: &str, parameters: &[AttributeValue]) -> StatementFault {
    match parse(text, parameters) {
        Ok(statement) => panic!("{text}: {statement:?}"),
        Err(error) => match error.item_fault() {
            Some(Fault::Statement(fault)) => fault.clone(),
            other => panic!("{text}: {other:?}"),
        },
    }
}

fn table(name: &str) -> Target {
    Target { table: name.to_owned(), index: None }
}

fn condition(text: &str) -> Condition {
    match statement(&format!("SELECT * FROM t WHERE {text}")) {
        Statement::Select(Select { condition: Some(condition), .. }) => condition,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_name_columns_a_table_or_index_and_an_order() {
    let select = Select {
        columns: Some(vec![Path::new("a"), Path::new("m").name("x y").index(0)]),
        target: Target { table: "T-1".into(), index: Some("by.b".into()) },
        condition: Some(path("a").eq("it's")),
        order: vec![
            Order { attribute: "b".into(), is_descending: true },
            Order { attribute: "c".into(), is_descending: false },
        ],
    };
    let text = "select a, m.\"x y\"[0] from \"T-1\".\"by.b\" where a = 'it''s' order by b desc, c asc;";
    assert_eq!(statement(text), Statement::Select(select.clone()));
    let names: Vec<_> = select.columns.unwrap().iter().map(column_name).collect();
    assert_eq!(names, ["a", "x y[0]"]);
    assert_eq!(column_name(&Path::new("l").index(1).index(2)), "l[1][2]");
    assert_eq!(column_name(&Path::new("m").name("nested")), "nested");
    assert!(matches!(statement("SELECT * FROM t"), Statement::Select(Select { columns: None, condition: None, .. })));
    assert!(matches!(statement("EXISTS(SELECT * FROM t WHERE a = 1 AND b = 2)"), Statement::Exists(_)));
}

#[test] // SEM: ITM-TYP-1, ITM-TYP-2
fn values_of_every_type_are_written() {
    let text = "INSERT INTO \"t\" VALUE {'pk': 'a', 'n': -.5e1, 'b': true, 'z': NULL, 'l': [1, 'x', []], 'm': {'x': {}}, \
                'ss': <<'a', 'b'>>, 'ns': <<1, 2.50>>, 'p': ?, 'q': [?]}";
    let map = || AttributeValue::M(AttributeMap::new());
    let item = Item::new()
        .with("pk", "a")
        .with("n", -5)
        .with("b", true)
        .with("z", AttributeValue::Null)
        .with("l", AttributeValue::L(vec![1.into(), "x".into(), AttributeValue::L(Vec::new())]))
        .with("m", AttributeValue::M([("x", map())].into()))
        .with("ss", Set::<String>::new(["a", "b"]).unwrap())
        .with("ns", Set::<Number>::new([Number::from(1), "2.5".parse().unwrap()]).unwrap())
        .with("p", vec![7u8])
        .with("q", AttributeValue::L(vec!["last".into()]));
    let parsed = parse(text, &[vec![7u8].into(), "last".into()]).unwrap();
    assert_eq!(parsed, Statement::Insert { table: "t".into(), item });
}

#[test] // SEM: ITM-EXP-5
fn updates_set_remove_and_return() {
    let changes = vec![
        (
            Path::new("a"),
            Change::Set(SetValue::Sum(Sign::Plus, SetOperand::Path(Path::new("a")), SetOperand::Value(1.into()))),
        ),
        (
            Path::new("l"),
            Change::Set(SetValue::Operand(SetOperand::ListAppend(
                Box::new(SetOperand::Path(Path::new("l"))),
                Box::new(SetOperand::Value(AttributeValue::L(vec![2.into()]))),
            ))),
        ),
        (Path::new("s"), Change::Add(Set::<String>::new(["x"]).unwrap().into())),
        (Path::new("m").name("b"), Change::Remove),
        (Path::new("c"), Change::Remove),
    ];
    let returning = Some(Returning { is_all: false, is_old: true });
    let update = Statement::Update { target: table("t"), changes, condition: Some(path("pk").eq(1)), returning };
    let sets = "SET a = a + 1, l = list_append(l, [2]) SET s = set_add(s, <<'x'>>) REMOVE m.b, c";
    assert_eq!(statement(&format!("UPDATE t {sets} WHERE pk = 1 RETURNING MODIFIED OLD *")), update);
    assert_eq!(statement(&format!("FROM t WHERE pk = 1 {sets} RETURNING MODIFIED OLD *")), update);
    let delete = statement("delete from t where pk = 1 returning all old *");
    assert_eq!(
        delete,
        Statement::Delete {
            target: table("t"),
            condition: Some(path("pk").eq(1)),
            returning: Some(Returning { is_all: true, is_old: true })
        }
    );
}

fn holds(text: &str, item: &Item) -> bool {
    let record = encode(item).unwrap();
    condition(text).holds(RecordRef::new(&record).unwrap()).unwrap()
}

#[test] // SEM: ITM-EXP-1, ITM-EXP-3
fn conditions_hold_as_those_of_expressions_do() {
    let item = Item::new()
        .with("n", 5)
        .with("s", "str")
        .with("nul", AttributeValue::Null)
        .with("flag", true)
        .with("ss", Set::<String>::new(["a"]).unwrap())
        .with("m", AttributeValue::M([("sub", "x")].into()));
    for (text, expected) in [
        ("n = 5 AND s = 'str'", true),
        ("n = 6 OR NOT s = 'x'", true),
        ("NOT absent = 1", true),
        ("absent <> 1", true),
        ("n <> 1 AND n != 2", true),
        ("5 <= n", true),
        ("n BETWEEN 5 AND 9", true),
        ("n NOT BETWEEN 5 AND 9", false),
        ("n IN [1, 5]", true),
        ("s IN ('x', 'y')", false),
        ("NOT n IN [1, 5]", false),
        ("absent IS MISSING", true),
        ("n IS NOT MISSING", true),
        ("nul IS NULL", true),
        ("s IS NOT NULL", true),
        ("flag IS BOOL", true),
        ("s IS STRING", true),
        ("s IS BOOL", false),
        ("n IS DOUBLE PRECISION", true),
        ("ATTRIBUTE_EXISTS(ss)", true),
        ("(attribute_exists(nope) OR attribute_exists(\"ss\"))", true),
        ("attribute_exists(ss) = true", true),
        ("attribute_exists(ss) = false", false),
        ("attribute_not_exists(m.nope)", true),
        ("size(s) = 3", true),
        ("attribute_type(ss, 'SS')", true),
        ("begins_with(s, 'st')", true),
        ("contains(ss, 'a') AND contains(s, 'tr')", true),
        ("m['sub'] = 'x' AND m.sub = 'x'", true),
    ] {
        assert_eq!(holds(text, &item), expected, "{text}");
    }
    assert_eq!(condition("a = 1 OR b = 2 AND c = 3"), condition("a = 1 OR (b = 2 AND c = 3)"));
    assert_eq!(condition("a IS STRING"), path("a").is_type(TypeName::S));
}

#[test]
fn what_cannot_be_read_is_said_as_the_service_says_it() {
    let malformed = StatementFault::NotWellFormed;
    let leftover = malformed("Unexpected token after expression");
    let term = malformed("Unexpected term");
    for (text, expected) in [
        ("SELECT * FROM t WHERE pk = 1 foo", leftover.clone()),
        ("SELECT * FROM t WHERE pk = 1 e5", leftover.clone()),
        ("INSERT INTO t VALUE {'pk': 1} foo", leftover.clone()),
        ("UPDATE t SET a = 9 WHERE pk = 1 foo", leftover.clone()),
        ("SELECT * FROM t WHERE pk = 1)", leftover.clone()),
        ("DELETE FROM t WHERE pk = 1 ORDER BY pk", leftover.clone()),
        ("SELECT * FROM t ORDER BY pk WHERE pk = 1", leftover.clone()),
        ("INSERT INTO t u VALUE {'pk': 'x'}", leftover.clone()),
        ("FROM t SET c = 1 WHERE pk = 'x'", leftover),
        ("SELECT * FROM t WHERE pk = 1e2147483648", malformed("")),
        ("SELECT * FROM t WHERE pk = 1.5e-2147483647", malformed("")),
        ("SELECT * FROM t WHERE pk = 1 # note", malformed("")),
        ("SELECT * FROM t u WHERE pk = 'x'", StatementFault::Alias),
        ("SELECT * FROM t AS u WHERE pk = 'x'", StatementFault::Alias),
        ("UPDATE t u SET a = 3 WHERE pk = 'x'", StatementFault::Alias),
        ("DELETE FROM t u WHERE pk = 'x'", StatementFault::Alias),
        ("SELECT * FROM t WHERE", term.clone()),
        ("SELECT * FROM t WHERE;", term.clone()),
        ("UPDATE t SET a = 1 WHERE", term.clone()),
        ("SELECT * FROM t WHERE NOT", term.clone()),
        ("SELECT * FROM t WHERE (", term.clone()),
        ("SELECT * FROM", term.clone()),
        ("SELECT * FROM t WHERE pk = 1 AND", malformed("Missing right-hand side expression of infix operator")),
        ("SELECT * FROM t WHERE ORDER BY pk", malformed("Unexpected keyword")),
        ("SELECT * FROM t WHERE IS NULL", malformed("Unexpected operator")),
        ("SELECT * FROM t WHERE pk = LIKE", malformed("Unexpected operator")),
        ("SELECT * FROM t WHERE x IS FOO", malformed("Expected type name")),
        ("DELETE FROM", malformed("Expected identifier for simple path")),
        ("DELETE FROM WHERE pk = 'a'", malformed("Expected identifier for simple path")),
        ("SELECT * FROM t WHERE attribute_exists(m.inner)", malformed("Invalid path dot component")),
        ("SELECTT * FROMM t", term),
        ("SELECT * FROM a.b.c", StatementFault::LongTable),
        ("DELETE FROM t WHERE pk = 1 RETURNING ALL NEW *", StatementFault::Returning("ALL NEW".into())),
        ("SELECT * FROM t WHERE pk = ?", StatementFault::ParameterCount),
    ] {
        assert_eq!(fault(text, &[]), expected, "{text}");
    }
    assert_eq!(fault("SELECT * FROM t", &[1.into()]), StatementFault::ParameterCount);
    assert_eq!(
        fault("DELETE FROM t WHERE pk = 1 RETURNING ALL NEW *", &[]).to_string(),
        "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements."
    );
}

#[test]
fn what_is_wrong_with_operands_is_said_as_the_service_says_it() {
    let words = |text: &str| fault(text, &[]).to_string();
    let select = |condition: &str| format!("SELECT * FROM t WHERE {condition}");
    assert_eq!(
        words(&select("val <= true")),
        "Incorrect operand type for operator or function; operator or function: <=, operand type: BOOL"
    );
    assert_eq!(
        words(&select("attribute_exists('ss')")),
        "Operator or function requires a document path; operator or function: attribute_exists"
    );
    assert_eq!(
        words(&select("attribute_exists()")),
        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of \
         operands: 0"
    );
    assert_eq!(words(&select("EXISTS(ss)")), "Unrecognized function: exists at 1:23:6");
    assert_eq!(words(&select("set_add(ss, <<'x'>>) = ss")), "Unrecognized function: set_add at 1:23:7");
    assert_eq!(words("SELECT attribute_exists(ss) FROM t"), "Unexpected path component at 1:8:16");
    assert_eq!(
        words("UPDATE t SET b = set_add(ss, <<'x'>>)"),
        "The first argument to SET_ADD must equal the assignment value at 1:18:7"
    );
    assert_eq!(
        words("UPDATE t SET ss = set_delete(ss, 'x')"),
        "The second argument to SET_DELETE must be a value with type SET at 1:30:2"
    );
    assert_eq!(words("UPDATE t SET ss = set_add(ss)"), "SET_ADD must have exactly two arguments at 1:19:7");
    assert_eq!(
        words("INSERT INTO t VALUE {'pk': 1, 'ss': set_add(<<'a'>>, <<'b'>>)}"),
        "Unsupported data type: set_add under key root at 1:37:7"
    );
    assert_eq!(words("UPDATE t SET ss = <<>>"), "Empty bags are not supported");
    let overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range under";
    assert_eq!(words(&select("pk = 1e126")), format!("{overflow} root"));
    assert_eq!(words("INSERT INTO t VALUE {'pk': 1e126}"), format!("{overflow} root"));
    assert_eq!(words("INSERT INTO t VALUE {'pk': 1, 'm': {'x': 1e126}}"), format!("{overflow} root.x"));
    assert_eq!(words("INSERT INTO t VALUE {'pk': 1, 'l': [1, 1e126]}"), format!("{overflow} root[1]"));
    let candidates = vec!["1"; 101].join(",");
    assert_eq!(
        fault(&select(&format!("a IN [{candidates}]")), &[]),
        StatementFault::Expression(ExpressionFault::TooManyInOperands { count: 101 })
    );
}

#[test]
fn nesting_is_bounded() {
    let deep = |open: &str, levels: usize| -> Result<Statement> {
        parse(&format!("SELECT * FROM t WHERE {}", open.repeat(levels)), &[])
    };
    for open in ["(", "NOT ", "a = [", "a = {'b':", "size("] {
        assert!(deep(open, 8_000 / open.len()).is_err(), "{open}");
    }
    let nested = format!("INSERT INTO t VALUE {{'a': {}1{}}}", "[".repeat(60), "]".repeat(60));
    assert!(parse(&nested, &[]).is_ok());
    let path = format!("SELECT a{} FROM t", ".b".repeat(4_000));
    assert!(matches!(fault(&path, &[]), StatementFault::Expression(ExpressionFault::PathTooDeep { .. })));
    assert!(parse(&format!("SELECT * FROM t WHERE a = '{}'", "x".repeat(8_192)), &[]).is_err());
}

proptest! {
    #[test]
    fn no_text_is_more_than_refused(text: String, words in prop::collection::vec(
        prop::sample::select(vec![
            "SELECT", "*", "FROM", "\"t\"", ".", "WHERE", "a", "=", "'x'", "1", "AND", "NOT", "(", ")", "[", "]", "{", "}",
            "<<", ">>", ",", "?", "UPDATE", "SET", "REMOVE", "DELETE", "INSERT INTO", "VALUE", ":", "IS", "IN", "size(",
            "ORDER BY", "RETURNING ALL OLD *", "+", "-", "EXISTS(",
        ]), 0..25,
    )) {
        for text in [text, words.join(" ")] {
            let _ = parse(&text, &[1.into(), "x".into()]);
        }
    }
}
