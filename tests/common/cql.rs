//! What tests of CQL have in common: a session, and results in few characters.

use larder::wide_column::{Cql, CqlAnswer, CqlValue, Exception};
use larder::{ManualClock, Store};

/// A session in a keyspace of its own.
pub(crate) fn session() -> Cql {
    let session = Store::builder().clock(ManualClock::default()).in_memory().cql();
    run(&session, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(&session, "USE k");
    session
}

pub(crate) fn run(session: &Cql, statement: &str) -> CqlAnswer {
    session.execute(statement, ()).unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// A value in few characters.
pub(crate) fn shown(value: Option<&CqlValue>) -> String {
    let list = |values: &[CqlValue]| values.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(" ");
    match value {
        None => "null".to_owned(),
        Some(CqlValue::Int(n)) => n.to_string(),
        Some(CqlValue::Bigint(n) | CqlValue::Counter(n)) => n.to_string(),
        Some(CqlValue::Text(text)) => text.clone(),
        Some(CqlValue::Boolean(is)) => is.to_string(),
        Some(CqlValue::List(values)) => format!("[{}]", list(values)),
        Some(CqlValue::Set(values)) => format!("{{{}}}", list(values)),
        Some(CqlValue::Tuple(values)) => format!("({})", list(values)),
        Some(CqlValue::Map(entries)) => {
            let entry = |(key, value): &(CqlValue, CqlValue)| format!("{}:{}", shown(Some(key)), shown(Some(value)));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
        Some(other) => format!("{other:?}"),
    }
}

/// The rows that a query returns: values with commas, rows with semicolons.
pub(crate) fn rows(session: &Cql, query: &str) -> String {
    let answer = session.query(query, ()).unwrap_or_else(|error| panic!("{query}: {error}"));
    table(&answer)
}

pub(crate) fn table(answer: &CqlAnswer) -> String {
    let row = |row: &larder::wide_column::Row| row.iter().map(|(_, value)| shown(value)).collect::<Vec<_>>().join(",");
    answer.rows().iter().map(row).collect::<Vec<_>>().join("; ")
}

/// The class of the error of a statement, and what it says.
pub(crate) fn refused(session: &Cql, statement: &str) -> (Exception, String) {
    match session.execute(statement, ()) {
        Ok(_) => panic!("{statement}: it was executed"),
        Err(error) => (Exception::of(&error), error.to_string()),
    }
}

/// Statements that are refused as invalid, each with what is said.
pub(crate) fn all_refused(session: &Cql, cases: &[(&str, &str)]) {
    for (statement, expected) in cases {
        let (class, message) = refused(session, statement);
        assert_eq!(message, *expected, "{statement}");
        assert_eq!(class, Exception::Invalid, "{statement}");
    }
}
