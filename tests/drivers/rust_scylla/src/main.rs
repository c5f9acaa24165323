//! What a program in Rust does with the driver `scylla`, against a door. Takes the port, and says that it worked.

use std::error::Error;

use futures_util::TryStreamExt;
use scylla::client::Compression;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::unprepared::Statement;
use scylla::value::{Counter, CqlDate, CqlTimestamp, MaybeUnset};

type Outcome = Result<(), Box<dyn Error>>;

/// The first of March 2026, as days are counted: the first of January 1970 is in the middle.
const DAY: CqlDate = CqlDate((1 << 31) + 20_513);
const NOON: i64 = 1_772_366_400_000;

#[tokio::main]
async fn main() -> Outcome {
    let port = std::env::args().nth(1).ok_or("the port is missing")?;
    for compression in [None, Some(Compression::Lz4)] {
        let builder = SessionBuilder::new().known_node(format!("127.0.0.1:{port}")).compression(compression);
        let session = builder.build().await?;
        let create = "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
        session.query_unpaged(create, ()).await?;
        session.use_keyspace("shop", false).await?;
        patterns(&session).await?;
        batches(&session).await?;
        pages(&session).await?;
        conditions(&session).await?;
        schema(&session).await?;
        errors(&session).await?;
        session.query_unpaged("DROP KEYSPACE shop", ()).await?;
    }
    println!("works, with the driver for Rust");
    Ok(())
}

/// A table with an order, prepared inserts, and queries of a day and of a part of it.
async fn patterns(session: &Session) -> Outcome {
    let table = "CREATE TABLE events (day date, at timestamp, kind text, data map<text, text>, PRIMARY KEY (day, at)) \
                 WITH CLUSTERING ORDER BY (at DESC)";
    session.query_unpaged(table, ()).await?;
    let insert = session.prepare("INSERT INTO events (day, at, kind, data) VALUES (?, ?, ?, ?)").await?;
    for n in 0..10_i64 {
        let data = MaybeUnset::Set(vec![("n", n.to_string())].into_iter().collect::<std::collections::HashMap<_, _>>());
        session.execute_unpaged(&insert, (DAY, CqlTimestamp(NOON + n), format!("kind {n}"), data)).await?;
    }
    let select = "SELECT at, kind, data['n'] FROM events WHERE day = ? AND at >= ? AND at < ? LIMIT 2";
    let select = session.prepare(select).await?;
    let range = (DAY, CqlTimestamp(NOON + 2), CqlTimestamp(NOON + 8));
    let found = session.execute_unpaged(&select, range).await?.into_rows_result()?;
    let found: Vec<(CqlTimestamp, String, String)> = found.rows()?.collect::<Result<_, _>>()?;
    let expected = [7, 6].map(|n| (CqlTimestamp(NOON + n), format!("kind {n}"), n.to_string()));
    assert_eq!(found, expected, "newest first");
    let text = "SELECT count(*), max(at) FROM events WHERE day = '2026-03-01'";
    let found = session.query_unpaged(text, ()).await?.into_rows_result()?;
    assert_eq!(found.single_row::<(i64, CqlTimestamp)>()?, (10, CqlTimestamp(NOON + 9)));
    Ok(())
}

/// Batches of prepared statements and of text, and of counters.
async fn batches(session: &Session) -> Outcome {
    let mut batch = Batch::default();
    batch.append_statement(session.prepare("INSERT INTO events (day, at, kind) VALUES (?, ?, ?)").await?);
    batch.append_statement("DELETE FROM events WHERE day = '2026-03-01' AND at = ?");
    let day = CqlDate(DAY.0 + 1);
    session.batch(&batch, ((day, CqlTimestamp(NOON), "batch"), (CqlTimestamp(NOON),))).await?;
    let found = session.query_unpaged("SELECT count(*) FROM events", ()).await?.into_rows_result()?;
    assert_eq!(found.single_row::<(i64,)>()?, (10,), "one more, one less");
    session.query_unpaged("CREATE TABLE counts (kind text PRIMARY KEY, n counter)", ()).await?;
    let mut batch = Batch::new(BatchType::Counter);
    let add = session.prepare("UPDATE counts SET n = n + ? WHERE kind = 'batch'").await?;
    (0..3).for_each(|_| batch.append_statement(add.clone()));
    session.batch(&batch, ((Counter(1),), (Counter(2),), (Counter(3),))).await?;
    let found = session.query_unpaged("SELECT n FROM counts", ()).await?.into_rows_result()?;
    assert_eq!(found.single_row::<(Counter,)>()?, (Counter(6),));
    Ok(())
}

/// Pages, as a stream and one by one.
async fn pages(session: &Session) -> Outcome {
    let mut statement = Statement::new("SELECT at FROM events WHERE day = '2026-03-01'");
    statement.set_page_size(4);
    let rows = session.query_iter(statement.clone(), ()).await?.rows_stream::<(CqlTimestamp,)>()?;
    let found: Vec<(CqlTimestamp,)> = rows.try_collect().await?;
    let expected: Vec<_> = (1..10).rev().map(|n| (CqlTimestamp(NOON + n),)).collect();
    assert_eq!(found, expected);
    let prepared = session.prepare(statement).await?;
    let rows = session.execute_iter(prepared, ()).await?.rows_stream::<(CqlTimestamp,)>()?;
    assert_eq!(rows.try_collect::<Vec<_>>().await?, expected);
    Ok(())
}

/// Conditional writes say whether they were applied, and what was there.
async fn conditions(session: &Session) -> Outcome {
    session.query_unpaged("CREATE TABLE users (id int PRIMARY KEY, name text, age int)", ()).await?;
    let insert = session.prepare("INSERT INTO users (id, name) VALUES (?, ?) IF NOT EXISTS").await?;
    type Found = (bool, Option<i32>, Option<i32>, Option<String>);
    let first = session.execute_unpaged(&insert, (1, "Ann")).await?.into_rows_result()?;
    assert!(first.first_row::<(bool,)>()?.0);
    let again = session.execute_unpaged(&insert, (1, "Bob")).await?.into_rows_result()?;
    assert_eq!(again.single_row::<Found>()?, (false, Some(1), None, Some("Ann".to_owned())));
    let update = session.prepare("UPDATE users SET age = ? WHERE id = 1 IF name = ?").await?;
    let refused = session.execute_unpaged(&update, (7, "Bob")).await?.into_rows_result()?;
    assert_eq!(refused.single_row::<(bool, String)>()?, (false, "Ann".to_owned()));
    let applied = session.execute_unpaged(&update, (7, "Ann")).await?.into_rows_result()?;
    assert!(applied.first_row::<(bool,)>()?.0);
    Ok(())
}

/// The driver's picture of the schema, and a prepared statement after a change of it.
async fn schema(session: &Session) -> Outcome {
    let select = session.prepare("SELECT * FROM users").await?;
    session.query_unpaged("ALTER TABLE users ADD city text", ()).await?;
    session.query_unpaged("UPDATE users SET city = 'Graz' WHERE id = 1", ()).await?;
    session.await_schema_agreement().await?;
    session.refresh_metadata().await?;
    let state = session.get_cluster_state();
    let table = state.get_keyspace("shop").and_then(|keyspace| keyspace.tables.get("events")).ok_or("no table")?;
    assert_eq!((&table.partition_key, &table.clustering_key), (&vec!["day".to_owned()], &vec!["at".to_owned()]));
    let found = session.execute_unpaged(&select, ()).await?.into_rows_result()?;
    let names: Vec<_> = found.column_specs().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names, ["id", "age", "city", "name"]);
    assert_eq!(found.single_row::<(i32, i32, String, String)>()?, (1, 7, "Graz".to_owned(), "Ann".to_owned()));
    Ok(())
}

async fn errors(session: &Session) -> Outcome {
    let class = |error: ExecutionError| match error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(class, message)) => Ok((class, message)),
        other => Err(other),
    };
    let Err(error) = session.query_unpaged("SELEC", ()).await else { return Err("it is no statement".into()) };
    assert_eq!(class(error)?.0, DbError::SyntaxError);
    let Err(error) = session.query_unpaged("SELECT nothing FROM events", ()).await else {
        return Err("there is no such column".into());
    };
    assert_eq!(class(error)?, (DbError::Invalid, "Undefined column name nothing in table shop.events".to_owned()));
    Ok(())
}
