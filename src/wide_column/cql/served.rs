//! What a door asks of the language beside what a session has: what a statement takes and returns before it runs, values in the form
//! of the protocol, pages, batches of statements that came one by one, and what a statement changes of the schema.

use std::cell::RefCell;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::txn::{Scope, WriteScope};
use crate::wide_column::cql::ast::{BatchKind, Dropped, QualifiedName, Statement};
use crate::wide_column::cql::plan::{
    Answer, Asked, Columns, Context, Given, Page, SerializedValue, applied, applied_to, modifications, select,
    warnings_of_batch,
};
use crate::wide_column::cql::session::{
    Cql, PreparedStatement, Request, check_count, check_counters, default_timestamp,
};
use crate::wide_column::cql::{CqlStatement, plan};
use crate::wide_column::exception::Exception;
use crate::wide_column::read::position::Position;
use crate::wide_column::role::{RoleRecord, record};
use crate::wide_column::schema;
use crate::wide_column::target::operation;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::execute;

/// What a statement takes and returns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    pub(crate) keyspace: String,
    pub(crate) table: String,
    pub(crate) markers: Vec<Marker>,
    /// Which markers the partition key is made of, in its order; none unless there is one for each of its columns.
    pub(crate) key: Vec<u16>,
    /// Columns of the result with their types.
    pub(crate) columns: Columns,
}

/// What a marker is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) name: String,
    pub(crate) cql_type: CqlType,
}

/// Which page of a query is wanted.
#[derive(Clone, Debug)]
pub(crate) struct PageOf {
    /// Rows at most, at least 1.
    pub(crate) rows: usize,
    /// What the last page has said.
    pub(crate) behind: Option<Vec<u8>>,
}

/// What a client says of times.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// Microseconds, for what is written and has neither a timestamp of its own nor a condition.
    pub(crate) timestamp: Option<i64>,
    /// Seconds: the time by which what is read has expired, and what is written does; `None` is now.
    pub(crate) now: Option<i64>,
}

/// What a statement has returned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    pub(crate) columns: Columns,
    pub(crate) rows: Vec<Vec<CqlValue>>,
    /// What the next page begins with, when there may be more.
    pub(crate) next: Option<Vec<u8>>,
    /// Whether it was to change the schema, and there was nothing to do.
    pub(crate) is_idle: bool,
    pub(crate) warnings: Vec<String>,
    /// The table that the columns are of, behind its keyspace.
    pub(crate) of: Option<Arc<(String, String)>>,
}

/// What a statement does beside reading and writing rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// The session's keyspace is another one.
    Use(String),
    /// The schema has changed: how (`CREATED`, `UPDATED`, `DROPPED`), and of which keyspace what.
    Schema(&'static str, String, Changed),
}

/// What of a keyspace has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Keyspace,
    Table(String),
    Type(String),
}

impl From<Answer> for Served {
    fn from(Answer { columns, rows, of, is_idle, warnings }: Answer) -> Self {
        Self { columns, rows, next: None, is_idle, warnings, of }
    }
}

impl PreparedStatement {
    /// The statement of `text`, with the keyspace of names that say none.
    pub(crate) fn of(text: &str, keyspace: Option<&str>) -> Result<Self> {
        Ok(Self { keyspace: keyspace.map(Arc::from), ..text.into_statement()? })
    }

    /// The same, to be executed more than once.
    pub(crate) fn kept(self) -> Self {
        Self { is_text: false, kept: Some(Arc::default()), ..self }
    }
}

impl<S: Scope> Cql<S> {
    /// What `statement` takes and returns, by the schema of this moment. Nothing is read or written.
    ///
    /// # Errors
    /// Those of executing it, as far as they do not depend on values.
    pub(crate) fn describe(&self, statement: &PreparedStatement) -> Result<Described> {
        let keyspace = self.keyspace_of(statement);
        let asked = RefCell::new(Asked::default());
        let Answer { columns, of, .. } = self.scope.read(operation("cql_describe", ""), |view| {
            let context = Context::given_to(view, keyspace.as_deref(), Given::Asked(&asked));
            match &statement.parsed.statement {
                Statement::Select(own) => select(&context, own),
                Statement::Modification(own) => modifications(&context, [own]).map(|_| Answer::default()),
                Statement::Batch(batch) => {
                    for using in &batch.using {
                        if let crate::wide_column::cql::ast::Using::Timestamp(term) = using {
                            plan::timestamp(&context, term)?;
                        }
                    }
                    modifications(&context, &batch.statements).map(|_| Answer::default())
                }
                _ => Ok(Answer::default()),
            }
        })?;
        let Asked { markers, table } = asked.into_inner();
        let unknown = || Error::unsupported("a marker whose type nothing says");
        let needed = statement.parsed.markers.len();
        let mut own = Vec::with_capacity(needed);
        for (at, name) in statement.parsed.markers.iter().enumerate() {
            let (receiver, cql_type) = markers.get(at).cloned().flatten().ok_or_else(unknown)?;
            let name = name.as_ref().map_or(receiver, |name| name.as_str().to_owned());
            own.push(Marker { name, cql_type });
        }
        let Some(((keyspace, table), definition)) = table else {
            let (keyspace, table) = of.as_deref().cloned().unwrap_or_default();
            return Ok(Described { keyspace, table, markers: own, key: Vec::new(), columns });
        };
        let record = &definition.record;
        let mut key = Vec::with_capacity(record.shape().partition.len());
        for at in &record.shape().partition {
            let column = record.column(*at)?;
            let is_own = |asked: &Option<(String, CqlType)>| {
                asked.as_ref().is_some_and(|(name, of)| name == column.name() && of == column.column_type())
            };
            key.extend(markers.iter().position(is_own).and_then(|at| u16::try_from(at).ok()));
        }
        if key.len() < record.shape().partition.len() {
            key.clear();
        }
        Ok(Described { keyspace, table, markers: own, key, columns })
    }

    /// What executing `statement` would do beside reading and writing rows.
    pub(crate) fn effect(&self, statement: &PreparedStatement) -> Result<Effect> {
        let session = self.keyspace_of(statement);
        let of = |name: &QualifiedName| {
            let own = name.keyspace.as_ref().map(|keyspace| keyspace.as_str().to_owned());
            own.or_else(|| session.as_deref().map(str::to_owned)).unwrap_or_default()
        };
        let table =
            |verb, name: &QualifiedName| Effect::Schema(verb, of(name), Changed::Table(name.name.as_str().to_owned()));
        let own_type =
            |verb, name: &QualifiedName| Effect::Schema(verb, of(name), Changed::Type(name.name.as_str().to_owned()));
        let keyspace = |verb, name: &str| Effect::Schema(verb, name.to_owned(), Changed::Keyspace);
        Ok(match &statement.parsed.statement {
            Statement::Use(name) => Effect::Use(name.as_str().to_owned()),
            Statement::CreateKeyspace(create) => keyspace("CREATED", create.name.as_str()),
            Statement::AlterKeyspace { name, .. } => keyspace("UPDATED", name.as_str()),
            Statement::CreateTable(create) => table("CREATED", &create.name),
            Statement::AlterTable(alter) => table("UPDATED", &alter.name),
            Statement::CreateType(create) => own_type("CREATED", &create.name),
            Statement::AlterType(alter) => own_type("UPDATED", &alter.name),
            Statement::CreateIndex(create) => table("UPDATED", &create.table),
            Statement::CreateView(create) => table("CREATED", &create.name),
            Statement::AlterView { name, .. } => table("UPDATED", name),
            Statement::Drop(drop) => match &drop.dropped {
                Dropped::Keyspace(name) => keyspace("DROPPED", name.as_str()),
                Dropped::Table(name) | Dropped::View(name) => table("DROPPED", name),
                Dropped::Type(name) => own_type("DROPPED", name),
                Dropped::Index(name) => match self.indexed(&of(name), name.name.as_str())? {
                    Some(indexed) => Effect::Schema("UPDATED", of(name), Changed::Table(indexed)),
                    None => Effect::None,
                },
            },
            _ => Effect::None,
        })
    }

    /// What is kept of the role `name`.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn role(&self, name: &str) -> Result<Option<RoleRecord>> {
        self.scope.read(operation("cql_role", name), |view| record::get(view, name))
    }

    /// The table that the index `name` is of.
    fn indexed(&self, keyspace: &str, name: &str) -> Result<Option<String>> {
        self.scope.read(operation("cql_describe", keyspace), |view| {
            let tables = schema::tables(view, keyspace)?;
            let has =
                |(_, table): &(String, schema::Definition)| table.record.indexes.iter().any(|own| own.name == name);
            Ok(tables.into_iter().find(has).map(|(table, _)| table))
        })
    }
}

impl<S: WriteScope> Cql<S> {
    /// As [`Cql::execute`], with values in the form of the protocol. Of a `SELECT` it may be a page.
    pub(crate) fn serve(
        &self,
        statement: &PreparedStatement,
        values: &[SerializedValue],
        page: Option<&PageOf>,
        times: Times,
    ) -> Result<Served> {
        let page = page.map(|page| {
            let behind = page.behind.as_deref().map(Position::decode).transpose()?;
            Ok::<_, Error>(Page { rows: page.rows, behind, end: RefCell::default() })
        });
        let page = page.transpose()?;
        let Times { timestamp, now } = times;
        let request = Request { page: page.as_ref(), timestamp, now };
        let answer = self.perform(statement, Given::Serialized(values), &request)?;
        let end = page.and_then(|page| page.end.into_inner());
        Ok(Served { next: end.map(|end| end.encode()), ..Served::from(answer) })
    }

    /// Executes writes that came one by one as one batch, all of them or none.
    ///
    /// # Errors
    /// As [`Cql::execute`] of a batch.
    pub(crate) fn serve_batch(
        &self,
        kind: BatchOf,
        statements: &[(PreparedStatement, Vec<SerializedValue>)],
        times: Times,
    ) -> Result<Served> {
        let kind = match kind {
            BatchOf::Logged => BatchKind::Logged,
            BatchOf::Unlogged => BatchKind::Unlogged,
            BatchOf::Counter => BatchKind::Counter,
        };
        let mut writes = Vec::with_capacity(statements.len());
        for (statement, values) in statements {
            let Statement::Modification(own) = &statement.parsed.statement else {
                let message = "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.";
                return Err(Exception::Invalid.error(message));
            };
            check_count(statement, Given::Serialized(values))?;
            writes.push((own, values.as_slice(), self.keyspace_of(statement), statement.kept.as_deref()));
        }
        let answer = self.scope.write(operation("cql_batch", ""), |writer| {
            let mut plans = Vec::new();
            for (own, values, keyspace, kept) in &writes {
                let context = Context::given_to(writer, keyspace.as_deref(), Given::Serialized(values)).at(times.now);
                let context = context.by(&self.actor);
                plans.extend(modifications(&context.keeping(*kept), [*own])?);
            }
            check_counters(kind, &plans)?;
            let timestamp = default_timestamp(&plans, times.timestamp);
            let outcome = execute(writer, &plans, timestamp)?;
            let of = writes.iter().find_map(|(own, _, keyspace, _)| applied_to(keyspace.as_deref(), [*own]));
            Ok(Answer { warnings: warnings_of_batch(&plans), of, ..applied(&plans, outcome, true)? })
        })?;
        Ok(Served::from(answer))
    }
}

/// What kind of batch it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchOf {
    Logged,
    Unlogged,
    Counter,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn session() -> (Store, Cql) {
        let store = Store::in_memory();
        let session = store.cql();
        for text in [
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "USE k",
            "CREATE TABLE t (a int, b text, c bigint, v list<int>, PRIMARY KEY ((a, b), c))",
            "CREATE INDEX by_v ON t (v)",
        ] {
            session.execute(text, ()).unwrap();
        }
        (store, session)
    }

    fn int(number: i32) -> SerializedValue {
        SerializedValue::Bytes(number.to_be_bytes().to_vec())
    }

    fn long(number: i64) -> SerializedValue {
        SerializedValue::Bytes(number.to_be_bytes().to_vec())
    }

    fn text(text: &str) -> SerializedValue {
        SerializedValue::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn a_statement_says_what_it_takes_and_returns_before_it_runs() {
        let (_store, session) = session();
        let described = |text: &str| session.describe(&session.prepare(text).unwrap()).unwrap();
        let names = |described: &Described| {
            let marker = |marker: &Marker| format!("{} {}", marker.name, marker.cql_type);
            described.markers.iter().map(marker).collect::<Vec<_>>().join(", ")
        };
        let insert = described("INSERT INTO t (c, b, a, v) VALUES (?, ?, ?, ?) USING TTL ? AND TIMESTAMP ?");
        assert_eq!(names(&insert), "c bigint, b text, a int, v list<int>, [ttl] int, [timestamp] bigint");
        assert_eq!((insert.key, insert.keyspace.as_str(), insert.table.as_str()), (vec![2, 1], "k", "t"));
        assert!(insert.columns.is_empty());
        let select = described("SELECT c AS x, v FROM t WHERE a = ? AND b IN ? AND c > :low LIMIT ?");
        assert_eq!(names(&select), "a int, in(b) list<text>, low bigint, [limit] int");
        assert_eq!(select.key, [0; 0]);
        let columns: Vec<_> = select.columns.iter().map(|(name, of)| format!("{name} {of}")).collect();
        assert_eq!(columns, ["x bigint", "v list<int>"]);
        let update = described("UPDATE t SET v = v + ? WHERE a = ? AND b = ? AND c = ? IF v = ?");
        assert_eq!(names(&update), "v list<int>, a int, b text, c bigint, v list<int>");
        assert_eq!(update.key, [1, 2]);
        assert!(session.query("SELECT * FROM t", ()).unwrap().rows().is_empty(), "nothing was written");
        assert!(session.describe(&session.prepare("SELECT x FROM t").unwrap()).is_err());
    }

    #[test]
    fn values_have_the_types_of_their_places_and_pages_end_where_they_say() {
        let (_store, session) = session();
        let insert = session.prepare("INSERT INTO t (a, b, c) VALUES (?, ?, ?)").unwrap();
        for n in 0..5 {
            session.serve(&insert, &[int(1), text("x"), long(n)], None, Times::default()).unwrap();
        }
        assert!(session.serve(&insert, &[int(1), text("x")], None, Times::default()).is_err());
        assert!(session.serve(&insert, &[long(1), text("x"), long(1)], None, Times::default()).is_err());
        let select = session.prepare("SELECT c FROM t WHERE a = ? AND b = ?").unwrap();
        for rows in 1..7 {
            let (mut page, mut found) = (PageOf { rows, behind: None }, Vec::new());
            loop {
                let served = session.serve(&select, &[int(1), text("x")], Some(&page), Times::default()).unwrap();
                assert!(served.rows.len() <= rows);
                found.extend(served.rows);
                let Some(next) = served.next else { break };
                page.behind = Some(next);
            }
            let expected: Vec<_> = (0..5).map(|n| vec![CqlValue::Bigint(n)]).collect();
            assert_eq!(found, expected, "pages of {rows}");
        }
    }

    // SEM: WID-LWW-1
    #[test]
    fn a_given_timestamp_is_for_writes_that_have_none_and_no_condition() {
        let (_store, session) = session();
        session.execute("CREATE TABLE u (a int PRIMARY KEY, v int)", ()).unwrap();
        let at = |text: &str, timestamp| {
            let statement = session.prepare(text).unwrap();
            session.serve(&statement, &[int(1)], None, Times { timestamp: Some(timestamp), now: None }).unwrap();
            let found = session.query("SELECT writetime(v) AS w FROM u", ()).unwrap();
            found.rows()[0].get("w").cloned()
        };
        assert_eq!(at("INSERT INTO u (a, v) VALUES (?, 1)", 7), Some(CqlValue::Bigint(7)));
        assert_eq!(at("INSERT INTO u (a, v) VALUES (?, 1) USING TIMESTAMP 9", 8), Some(CqlValue::Bigint(9)));
        let of_store = at("UPDATE u SET v = 2 WHERE a = ? IF v = 1", 10);
        assert!(matches!(of_store, Some(CqlValue::Bigint(micros)) if micros > 1_000_000), "{of_store:?}");
        let row = vec![int(1), text("x"), long(1)];
        let batch = |text: &str, timestamp| {
            let statement = session.prepare(text).unwrap();
            session
                .serve_batch(
                    BatchOf::Logged,
                    &[(statement, row.clone())],
                    Times { timestamp: Some(timestamp), now: None },
                )
                .unwrap();
            session.query("SELECT * FROM t", ()).unwrap().rows().len()
        };
        assert_eq!(batch("INSERT INTO t (a, b, c) VALUES (?, ?, ?)", 5), 1);
        assert_eq!(batch("DELETE FROM t WHERE a = ? AND b = ? AND c = ?", 4), 1, "it is older than the row");
        assert_eq!(batch("DELETE FROM t WHERE a = ? AND b = ? AND c = ?", 6), 0);
        let select = session.prepare("SELECT * FROM t").unwrap();
        assert!(session.serve_batch(BatchOf::Logged, &[(select, Vec::new())], Times::default()).is_err());
    }

    #[test]
    fn a_statement_says_what_it_changes_of_the_schema() {
        let (_store, session) = session();
        let effect = |text: &str| session.effect(&session.prepare(text).unwrap()).unwrap();
        let table = |verb| Effect::Schema(verb, "k".to_owned(), Changed::Table("t".to_owned()));
        assert_eq!(effect("USE x"), Effect::Use("x".to_owned()));
        assert_eq!(effect("ALTER TABLE t ADD d int"), table("UPDATED"));
        assert_eq!(effect("DROP INDEX by_v"), table("UPDATED"));
        assert_eq!(effect("DROP INDEX IF EXISTS none"), Effect::None);
        assert_eq!(effect("DROP TABLE k.t"), table("DROPPED"));
        assert_eq!(effect("DROP KEYSPACE k"), Effect::Schema("DROPPED", "k".to_owned(), Changed::Keyspace));
        assert_eq!(effect("INSERT INTO t (a, b, c) VALUES (1, 'x', 2)"), Effect::None);
    }
}
