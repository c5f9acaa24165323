//! Sessions: statements are prepared and executed, one after the other, in a keyspace.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Result;
use crate::txn::{AutoCommit, Scope, WriteScope};
use crate::wide_column::cql::answer::CqlAnswer;
use crate::wide_column::cql::ast::{Batch, BatchKind, Describe, Modification, Parsed, RoleStatement, Statement, Using};
use crate::wide_column::cql::parser::parse;
use crate::wide_column::cql::plan::{
    self, Answer, Context, Given, Kept, Page, applied, applied_to, change_role, define, describe, is_list, list_roles,
    modifications, password_of, select, warnings_of_batch,
};
use crate::wide_column::exception::Exception;
use crate::wide_column::role::{Actor, RoleActor, SaltedHash};
use crate::wide_column::schema::keyspace;
use crate::wide_column::target::operation;
use crate::wide_column::value::Values;
use crate::wide_column::write::execute;
use crate::wide_column::write::plan::Plan;

/// A session of CQL: executes statements, and knows the keyspace that names without one are in.
///
/// Taken of a store, each statement is a transaction of its own; of a transaction, statements are a part of it; of a snapshot,
/// only [`query`](Self::query) is there.
///
/// # Examples
/// ```
/// use larder::Store;
/// let session = Store::in_memory().cql();
/// session.execute("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
/// session.execute("USE shop", ())?;
/// session.execute("CREATE TABLE users (id int PRIMARY KEY, name text)", ())?;
/// session.execute("INSERT INTO users (id, name) VALUES (7, 'Ann')", ())?;
/// let found = session.query("SELECT name FROM users WHERE id = ?", (7,))?;
/// assert_eq!(found.rows()[0].get("name"), Some(&"Ann".into()));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Cassandra 5.0, CQL reference. What is not modelled is refused by name: `docs/compatibility/cassandra.md`.
#[derive(Debug)]
pub struct Cql<S = AutoCommit> {
    pub(super) scope: S,
    keyspace: Mutex<Option<Arc<str>>>,
    /// Who runs its statements.
    pub(super) actor: Actor,
}

/// A statement that was parsed once.
///
/// It keeps what it was found to be about: its table, columns and types. When the schema has changed since, by whomever, it looks again,
/// unasked: it goes on working when a table has been changed, or dropped and created again, and does what a statement of the same text
/// would. Copies of it keep that together.
///
/// # Examples
/// ```
/// # let session = larder::Store::in_memory().cql();
/// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
/// session.execute("CREATE TABLE k.t (id int PRIMARY KEY, v text)", ())?;
/// let insert = session.prepare("INSERT INTO k.t (id, v) VALUES (?, ?)")?;
/// assert_eq!(insert.markers(), 2);
/// for (id, v) in [(1, "a"), (2, "b")] {
///     session.execute(&insert, (id, v))?;
/// }
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PreparedStatement {
    pub(super) parsed: Arc<Parsed>,
    pub(super) keyspace: Option<Arc<str>>,
    /// What it keeps of its plan; nothing when it is a text that is executed at once.
    pub(super) kept: Option<Arc<Kept>>,
    /// Whether it is only a text that is executed at once.
    pub(super) is_text: bool,
}

impl PreparedStatement {
    /// How many values it takes.
    ///
    /// # Examples
    /// ```
    /// let session = larder::Store::in_memory().cql();
    /// assert_eq!(session.prepare("SELECT * FROM k.t WHERE id IN (?, ?)")?.markers(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn markers(&self) -> usize {
        self.parsed.markers.len()
    }
}

/// What a session executes: text, or a [`PreparedStatement`].
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::CqlStatement};
/// fn run(session: &larder::wide_column::Cql, statement: impl CqlStatement) -> larder::Result<usize> {
///     Ok(session.execute(statement, ())?.rows().len())
/// }
/// let session = Store::in_memory().cql();
/// session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
/// assert_eq!(run(&session, "CREATE TABLE k.t (id int PRIMARY KEY)")?, 0);
/// assert_eq!(run(&session, &session.prepare("SELECT count(*) FROM k.t")?)?, 1);
/// # Ok::<(), larder::Error>(())
/// ```
pub trait CqlStatement {
    /// The statement, parsed.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with the code 0x2000 for text that is none.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlStatement;
    /// assert_eq!("SELECT * FROM k.t WHERE id = ?".into_statement()?.markers(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn into_statement(self) -> Result<PreparedStatement>;

    /// Hands the statement, parsed, to `body`: one that is parsed already is only lent.
    #[doc(hidden)]
    fn lend<R>(self, body: impl FnOnce(&PreparedStatement) -> Result<R>) -> Result<R>
    where
        Self: Sized,
    {
        body(&self.into_statement()?)
    }
}

impl CqlStatement for &str {
    fn into_statement(self) -> Result<PreparedStatement> {
        Ok(PreparedStatement { parsed: Arc::new(parse(self)?), keyspace: None, kept: None, is_text: true })
    }
}

impl CqlStatement for &String {
    fn into_statement(self) -> Result<PreparedStatement> {
        self.as_str().into_statement()
    }
}

impl CqlStatement for &PreparedStatement {
    fn into_statement(self) -> Result<PreparedStatement> {
        Ok(self.clone())
    }

    fn lend<R>(self, body: impl FnOnce(&PreparedStatement) -> Result<R>) -> Result<R> {
        body(self)
    }
}

/// The keyspace of names that say none: the statement's, or the session's.
#[derive(Clone, Debug)]
pub(super) enum InKeyspace<'s> {
    Own(&'s str),
    Current(Option<Arc<str>>),
}

impl InKeyspace<'_> {
    pub(super) fn as_deref(&self) -> Option<&str> {
        match self {
            Self::Own(own) => Some(own),
            Self::Current(current) => current.as_deref(),
        }
    }
}

/// How a statement is to be executed, beside its values.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    /// Of a `SELECT`, which rows.
    pub(super) page: Option<&'a Page>,
    /// Microseconds, for what is written and has neither a timestamp of its own nor a condition.
    pub(super) timestamp: Option<i64>,
    /// Seconds: the time by which what is read has expired, and what is written does; `None` is now.
    pub(super) now: Option<i64>,
}

impl<S: Scope> Cql<S> {
    pub(crate) fn new(scope: S) -> Self {
        Self::within(scope, None)
    }

    /// A session that has a keyspace already.
    pub(crate) fn within(scope: S, keyspace: Option<String>) -> Self {
        Self { scope, keyspace: Mutex::new(keyspace.map(Arc::from)), actor: Actor::default() }
    }

    /// Where it runs.
    #[cfg(test)]
    pub(in crate::wide_column) fn scope(&self) -> &S {
        &self.scope
    }

    /// The same session with statements that `actor` runs.
    #[cfg(feature = "server")]
    #[allow(dead_code, reason = "not every door speaks CQL")]
    pub(crate) fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// Returns a session whose statements run as those of the role `name` do at a door: what the role was not permitted is refused.
    ///
    /// Whether there is such a role, and what it may do, is looked at by each statement. One that does not exist may read the tables of
    /// the system that drivers read. A session that is not told so may do everything.
    ///
    /// # Examples
    /// ```
    /// # let store = larder::Store::in_memory();
    /// # let session = store.cql();
    /// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
    /// session.execute("CREATE TABLE k.t (id int PRIMARY KEY)", ())?;
    /// session.execute("CREATE ROLE reader WITH PASSWORD = 'secret' AND LOGIN = true", ())?;
    /// let reader = store.cql().as_role("reader");
    /// let refused = reader.query("SELECT * FROM k.t", ()).unwrap_err();
    /// let why = "User reader has no SELECT permission on <table k.t> or any of its parents";
    /// assert_eq!(refused.to_string(), why);
    /// session.execute("GRANT SELECT ON KEYSPACE k TO reader", ())?;
    /// assert!(reader.query("SELECT * FROM k.t", ())?.rows().is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Cassandra 5.0, *Database roles*.
    #[must_use]
    pub fn as_role(self, name: &str) -> Self {
        Self { actor: Actor::Role(RoleActor { name: name.into(), configured: Arc::default() }), ..self }
    }

    /// The keyspace that names without one are in, as the last `USE` said.
    ///
    /// # Examples
    /// ```
    /// let session = larder::Store::in_memory().cql();
    /// assert_eq!(session.keyspace(), None);
    /// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
    /// session.execute("USE k", ())?;
    /// assert_eq!(session.keyspace().as_deref(), Some("k"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn keyspace(&self) -> Option<String> {
        self.current().as_deref().map(str::to_owned)
    }

    fn current(&self) -> Option<Arc<str>> {
        self.keyspace.lock().clone()
    }

    /// Parses `text`, to be executed several times. Names without a keyspace stay in that of this moment.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with the code 0x2000 for text that is no statement. Names are looked up when it is
    /// executed.
    ///
    /// # Examples
    /// ```
    /// let session = larder::Store::in_memory().cql();
    /// let error = session.prepare("SELEC 1").unwrap_err();
    /// assert_eq!(error.to_string(), "line 1:0 no viable alternative at input 'SELEC' ([SELEC]...)");
    /// ```
    pub fn prepare(&self, text: &str) -> Result<PreparedStatement> {
        Ok(PreparedStatement { keyspace: self.current(), ..text.into_statement()?.kept() })
    }

    /// Executes a `SELECT`, a `LIST` or a `DESCRIBE`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with the code of Cassandra's class for what it refuses
    /// ([`Exception::of`]); [`Error::Unsupported`](crate::Error::Unsupported) for what is not modelled.
    ///
    /// # Isolation and cost
    /// Reads one snapshot. Rows are read into memory.
    ///
    /// # Examples
    /// ```
    /// # let store = larder::Store::in_memory();
    /// # let session = store.cql();
    /// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
    /// session.execute("CREATE TABLE k.t (id int PRIMARY KEY, v text)", ())?;
    /// let snapshot = store.snapshot()?;
    /// session.execute("INSERT INTO k.t (id, v) VALUES (1, 'a')", ())?;
    /// assert!(snapshot.cql().query("SELECT * FROM k.t", ())?.rows().is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn query(&self, statement: impl CqlStatement, values: impl Values) -> Result<CqlAnswer> {
        let values = values.into_values();
        statement.lend(|statement| self.ask(statement, Given::Values(&values))).map(CqlAnswer::from)
    }

    fn ask(&self, statement: &PreparedStatement, given: Given<'_>) -> Result<Answer> {
        check_count(statement, given)?;
        match &statement.parsed.statement {
            Statement::Select(_) => self.read(statement, given, &Request::default()),
            Statement::Describe(own) => self.read_describe(own, self.keyspace_of(statement).as_deref()),
            Statement::Role(own) if is_list(own) => self.read_roles(own, self.keyspace_of(statement).as_deref()),
            _ => {
                Err(Exception::Invalid.error("only SELECT, LIST and DESCRIBE can be queried; execute other statements"))
            }
        }
    }

    /// Reads what a `SELECT` says, or a page of that.
    fn read(&self, statement: &PreparedStatement, given: Given<'_>, request: &Request<'_>) -> Result<Answer> {
        let Statement::Select(own) = &statement.parsed.statement else { return Ok(Answer::default()) };
        let keyspace = self.keyspace_of(statement);
        let made;
        let label = if let Some(kept) = &statement.kept {
            kept.label(|| own.table.to_string())
        } else {
            made = own.table.to_string();
            &made
        };
        self.scope.read(operation("cql_select", label), |view| {
            let context = Context::given_to(view, keyspace.as_deref(), given).of_page(request.page).at(request.now);
            let context = context.by(&self.actor);
            select(&context.keeping(statement.kept.as_deref()), own)
        })
    }

    fn read_describe(&self, own: &Describe, keyspace: Option<&str>) -> Result<Answer> {
        self.scope.read(operation("cql_describe", ""), |view| describe(&Context::new(view, keyspace, &[]), own))
    }

    fn read_roles(&self, own: &RoleStatement, keyspace: Option<&str>) -> Result<Answer> {
        self.scope
            .read(operation("cql_role", ""), |view| list_roles(&Context::new(view, keyspace, &[]).by(&self.actor), own))
    }

    /// The keyspace of names that say none.
    pub(super) fn keyspace_of<'s>(&self, statement: &'s PreparedStatement) -> InKeyspace<'s> {
        match &statement.keyspace {
            Some(own) => InKeyspace::Own(own),
            None => InKeyspace::Current(self.current()),
        }
    }
}

impl<S: WriteScope> Cql<S> {
    /// Executes a statement with a value for each of its markers, in their order.
    ///
    /// What it returns has rows for a `SELECT`, and for a write with a condition: whether it was applied
    /// ([`CqlAnswer::is_applied`]), and what was there otherwise.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with the code of Cassandra's class for what it refuses
    /// ([`Exception::of`]); [`Error::Unsupported`](crate::Error::Unsupported) for what is not modelled.
    ///
    /// # Isolation and cost
    /// A batch is one transaction, whatever it writes to. Parsing and planning a text costs some microseconds beside it; a prepared
    /// statement plans again only when the schema has changed.
    ///
    /// # Examples
    /// ```
    /// # let session = larder::Store::in_memory().cql();
    /// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
    /// session.execute("CREATE TABLE k.t (id int PRIMARY KEY, v text)", ())?;
    /// let insert = session.prepare("INSERT INTO k.t (id, v) VALUES (?, ?) IF NOT EXISTS")?;
    /// assert!(session.execute(&insert, (1, "a"))?.is_applied());
    /// let refused = session.execute(&insert, (1, "b"))?;
    /// assert!(!refused.is_applied());
    /// assert_eq!(refused.rows()[0].get("v"), Some(&"a".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn execute(&self, statement: impl CqlStatement, values: impl Values) -> Result<CqlAnswer> {
        let values = values.into_values();
        let perform =
            |statement: &PreparedStatement| self.perform(statement, Given::Values(&values), &Request::default());
        statement.lend(perform).map(CqlAnswer::from)
    }

    /// Executes a statement with the values of its markers in whatever form.
    pub(super) fn perform(
        &self,
        statement: &PreparedStatement,
        given: Given<'_>,
        request: &Request<'_>,
    ) -> Result<Answer> {
        check_count(statement, given)?;
        let keyspace = self.keyspace_of(statement);
        let keyspace = keyspace.as_deref();
        match &statement.parsed.statement {
            Statement::Select(_) => self.read(statement, given, request),
            Statement::Modification(own) => self.scope.write(operation("cql_write", ""), |writer| {
                let context = Context::given_to(writer, keyspace, given).at(request.now).by(&self.actor);
                let context = context.keeping(statement.kept.as_deref());
                let plans = modifications(&context, [own])?;
                let timestamp = default_timestamp(&plans, request.timestamp);
                let outcome = execute(writer, &plans, timestamp)?;
                Ok(Answer { of: applied_to(keyspace, [own]), ..applied(&plans, outcome, false)? })
            }),
            Statement::Batch(batch) => self.scope.write(operation("cql_batch", ""), |writer| {
                let context = Context::given_to(writer, keyspace, given).at(request.now).by(&self.actor);
                let context = context.keeping(statement.kept.as_deref());
                let (plans, own) = batch_plans(&context, batch)?;
                let timestamp = own.or_else(|| default_timestamp(&plans, request.timestamp));
                let outcome = execute(writer, &plans, timestamp)?;
                let (of, warnings) = (applied_to(keyspace, &batch.statements), warnings_of_batch(&plans));
                Ok(Answer { of, warnings, ..applied(&plans, outcome, true)? })
            }),
            Statement::Describe(own) => self.read_describe(own, keyspace),
            Statement::Use(name) => {
                let name = name.as_str();
                let is_there = self.scope.read(operation("cql_use", name), |view| keyspace::get(view, name))?.is_some();
                if !is_there && !plan::SYSTEM_KEYSPACES.contains(&name) {
                    return Err(Exception::Invalid.error(format!("Keyspace '{name}' does not exist")));
                }
                *self.keyspace.lock() = Some(name.into());
                Ok(Answer::default())
            }
            Statement::Role(own) if is_list(own) => self.read_roles(own, keyspace),
            Statement::Role(own) => {
                let hash = match password_of(own)? {
                    // Before the turn to write is taken, for it takes a while.
                    Some(password) => {
                        let number = self.scope.read(operation("cql_role", ""), |view| Ok(view.unique_number()))?;
                        Some(SaltedHash::new(password.as_bytes(), number))
                    }
                    None => None,
                };
                self.scope.write(operation("cql_role", ""), |writer| {
                    change_role(writer, (keyspace, &self.actor), own, hash.as_ref())
                })
            }
            other => {
                let frees = matches!(other, Statement::Drop(_) | Statement::Truncate(_));
                self.scope.write(operation("cql_define", "").freeing(frees), |writer| {
                    let before = writer.epoch();
                    define(writer, (keyspace, &self.actor), other)?;
                    // Whatever is changed gives the schema another number.
                    Ok(Answer { is_idle: before.is_some() && writer.epoch() == before, ..Answer::default() })
                })
            }
        }
    }
}

/// The timestamp for what says none: writes with conditions are made at the moment when they are looked at, and counters know none.
pub(super) fn default_timestamp(plans: &[Plan], given: Option<i64>) -> Option<i64> {
    let knows_none = |plan: &Plan| plan.condition.is_some() || plan.table.record.shape().is_counter;
    given.filter(|_| !plans.iter().any(knows_none))
}

/// The plans of a batch, and the timestamp of all of them.
fn batch_plans(context: &Context<'_>, batch: &Batch) -> Result<(Vec<Plan>, Option<i64>)> {
    let invalid = |message: &str| Err(Exception::Invalid.error(message));
    let mut timestamp = None;
    let mut has_timestamp = false;
    for using in &batch.using {
        match using {
            Using::Ttl(_) => return invalid("Global TTL on the BATCH statement is not supported."),
            Using::Timestamp(_) if batch.kind == BatchKind::Counter => {
                return invalid("Cannot provide custom timestamp for counter BATCH");
            }
            Using::Timestamp(term) => {
                has_timestamp = true;
                timestamp = plan::timestamp(context, term)?;
            }
        }
    }
    let has_own = |modification: &Modification| {
        let using: &[Using] = match modification {
            Modification::Insert(own) => &own.using,
            Modification::InsertJson(own) => &own.using,
            Modification::Update(own) => &own.using,
            Modification::Delete(own) => return own.timestamp.is_some(),
        };
        using.iter().any(|using| matches!(using, Using::Timestamp(_)))
    };
    if has_timestamp && batch.statements.iter().any(has_own) {
        return invalid("Timestamp must be set either on BATCH or individual statements");
    }
    let plans = modifications(context, &batch.statements)?;
    if has_timestamp && plans.iter().any(|plan| plan.condition.is_some()) {
        return invalid("Cannot provide custom timestamp for conditional BATCH");
    }
    check_counters(batch.kind, &plans)?;
    Ok((plans, timestamp))
}

/// Refuses counters in a batch of another kind, and other writes in one of counters.
pub(super) fn check_counters(kind: BatchKind, plans: &[Plan]) -> Result<()> {
    let invalid = |message: &str| Err(Exception::Invalid.error(message));
    let is_counter = |plan: &Plan| plan.table.record.shape().is_counter;
    match kind {
        BatchKind::Counter if !plans.iter().all(is_counter) => {
            invalid("Cannot include non-counter statement in a counter batch")
        }
        BatchKind::Logged if plans.iter().any(is_counter) => {
            invalid("Cannot include a counter statement in a logged batch")
        }
        BatchKind::Unlogged if plans.iter().any(is_counter) && !plans.iter().all(is_counter) => {
            invalid("Counter and non-counter mutations cannot exist in the same batch")
        }
        _ => Ok(()),
    }
}

pub(super) fn check_count(statement: &PreparedStatement, given: Given<'_>) -> Result<()> {
    let needed = statement.parsed.markers.len();
    let Some(found) = given.count().filter(|found| *found != needed) else { return Ok(()) };
    Err(Exception::Invalid.error(if statement.is_text {
        "Invalid amount of bind variables".to_owned()
    } else {
        format!("there were {needed} markers(?) in CQL but {found} bound variables")
    }))
}
