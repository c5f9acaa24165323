//! Queries of CQL against a list of rows that is looked through from its beginning to its end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use larder::Store;
use larder::wide_column::{Cql, CqlValue};
use proptest::prelude::*;

type Row = [i32; 4];

/// A relation of one column, or of two at once.
#[derive(Clone, Debug)]
enum Relation {
    Compare(usize, &'static str, i32),
    In(usize, Vec<i32>),
    Both(&'static str, i32, i32),
    BothIn(Vec<(i32, i32)>),
}

const COLUMNS: [&str; 4] = ["p", "c", "d", "v"];

impl Relation {
    fn text(&self) -> String {
        let list = |values: &[i32]| values.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Compare(column, operator, value) => format!("{} {operator} {value}", COLUMNS[*column]),
            Self::In(column, values) => format!("{} IN ({})", COLUMNS[*column], list(values)),
            Self::Both(operator, c, d) => format!("(c, d) {operator} ({c}, {d})"),
            Self::BothIn(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(c, d)| format!("({c}, {d})")).collect();
                format!("(c, d) IN ({})", pairs.join(", "))
            }
        }
    }

    fn holds(&self, row: &Row) -> bool {
        fn compare<T: Ord>(a: &T, operator: &str, b: &T) -> bool {
            match operator {
                "=" => a == b,
                "<" => a < b,
                "<=" => a <= b,
                ">" => a > b,
                _ => a >= b,
            }
        }
        match self {
            Self::Compare(column, operator, value) => compare(&row[*column], operator, value),
            Self::In(column, values) => values.contains(&row[*column]),
            Self::Both(operator, c, d) => compare(&(row[1], row[2]), operator, &(*c, *d)),
            Self::BothIn(pairs) => pairs.contains(&(row[1], row[2])),
        }
    }
}

fn relation() -> impl Strategy<Value = Relation> {
    let operator = || prop::sample::select(vec!["=", "<", "<=", ">", ">="]);
    let values = || prop::collection::vec(0..4i32, 0..3);
    prop_oneof![
        4 => (0..4usize, operator(), 0..4i32).prop_map(|(column, operator, value)| Relation::Compare(column, operator, value)),
        2 => (0..4usize, values()).prop_map(|(column, values)| Relation::In(column, values)),
        2 => (operator(), 0..4i32, 0..4i32).prop_map(|(operator, c, d)| Relation::Both(operator, c, d)),
        1 => prop::collection::vec((0..4i32, 0..4i32), 0..3).prop_map(Relation::BothIn),
    ]
}

fn session(rows: &[Row], down: [bool; 2]) -> Cql {
    let session = Store::in_memory().cql();
    let way = down.map(|down| if down { "DESC" } else { "ASC" });
    for statement in [
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "USE k",
        &format!(
            "CREATE TABLE t (p int, c int, d int, v int, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (c {}, d {})",
            way[0], way[1]
        ),
    ] {
        session.execute(statement, ()).unwrap();
    }
    let insert = session.prepare("INSERT INTO t (p, c, d, v) VALUES (?, ?, ?, ?)").unwrap();
    for row in rows {
        session.execute(&insert, row.map(CqlValue::Int)).unwrap();
    }
    session
}

fn found(session: &Cql, query: &str) -> larder::Result<Vec<Row>> {
    let answer = session.query(query, ())?;
    let row = |row: &larder::wide_column::Row| {
        COLUMNS.map(|column| match row.get(column) {
            Some(CqlValue::Int(value)) => *value,
            other => panic!("{other:?}"),
        })
    };
    Ok(answer.rows().iter().map(row).collect())
}

proptest! {
    // SEM: WID-QRY-1, WID-ROW-1
    #[test]
    fn queries_return_the_rows_that_meet_every_relation_in_their_order(
        keys in prop::collection::btree_set((0..3i32, 0..4i32, 0..4i32), 0..25),
        down in any::<[bool; 2]>(),
        relations in prop::collection::vec(relation(), 0..4),
        limit in prop::option::of(1..5usize),
    ) {
        let rows: Vec<Row> = keys.iter().map(|(p, c, d)| [*p, *c, *d, (p + c + d) % 3]).collect();
        let session = session(&rows, down);
        let texts: Vec<_> = relations.iter().map(Relation::text).collect();
        let condition = if texts.is_empty() { String::new() } else { format!(" WHERE {}", texts.join(" AND ")) };
        let query = format!("SELECT p, c, d, v FROM t{condition}");
        let mut expected: Vec<Row> = rows.iter().filter(|row| relations.iter().all(|own| own.holds(row))).copied().collect();
        let sign = down.map(|down| if down { -1 } else { 1 });
        expected.sort_by_key(|row| (row[0], row[1] * sign[0], row[2] * sign[1]));
        // Two relations of one column may exclude each other by the rules of the language.
        let Ok(all) = found(&session, &format!("{query} ALLOW FILTERING")) else { return Ok(()) };
        let in_partitions = |rows: &[Row]| {
            let mut rows = rows.to_vec();
            // Which partition comes first is for their tokens to say; in each, rows have an order.
            rows.sort_by_key(|row| row[0]);
            rows
        };
        prop_assert_eq!(in_partitions(&all), expected.clone(), "{}", query);
        let is_keyed = relations.iter().any(|own| matches!(own, Relation::Compare(0, "=", _) | Relation::In(0, _)));
        if is_keyed {
            prop_assert_eq!(&all, &expected, "{}", query);
        }
        // Without permission to filter it is the same, or refused.
        if let Ok(unfiltered) = found(&session, &query) {
            prop_assert_eq!(&unfiltered, &all, "{}", query);
        }
        if let Some(limit) = limit {
            let some = found(&session, &format!("{query} LIMIT {limit} ALLOW FILTERING")).unwrap();
            prop_assert_eq!(&some[..], &all[..limit.min(all.len())], "{}", query);
        }
        if let Ok(reversed) = found(&session, &format!("{query} ORDER BY c {} ALLOW FILTERING", if down[0] { "ASC" } else { "DESC" })) {
            let mut other: Vec<Row> = expected.clone();
            other.sort_by_key(|row| (-row[1] * sign[0], -row[2] * sign[1]));
            let of = |rows: &[Row]| rows.iter().map(|row| [row[1], row[2]]).collect::<Vec<_>>();
            prop_assert_eq!(of(&reversed), of(&other), "{}", query);
        }
    }
}
