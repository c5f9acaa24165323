//! How a request runs that has to do with statements: on a thread of the pool, from the bytes of its body to a reply.

mod convert;
mod failure;
mod login;
mod trace;

use std::cell::RefCell;
use std::sync::Arc;

use crate::error::Error;
use crate::server::cql::frame::{
    Batch, BatchKind, BatchStatement, Change, Consistency, Failure, Flags, Malformed, Metadata, Operation, Parameters,
    Reply, Request, Response, Value, Version, What, decompress_body,
};
use crate::server::cql::prepared::Prepared;
use crate::server::cql::prepared_id::{Id, statement_id};
use crate::server::cql::specified::{Specified, hex, markers};
use crate::server::cql::state::{Session, State};
use crate::txn::{Pending, Unsettled};
use crate::wide_column::cql::{BatchOf, Cql, Effect, PageOf, PreparedStatement, SerializedValue, Served, Times};

pub(super) use failure::of_store;

/// A request that was not read yet.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) version: Version,
    pub(super) flags: Flags,
    pub(super) operation: Operation,
    /// As it came.
    pub(super) body: Vec<u8>,
}

/// What became of a request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) reply: Reply,
    /// What has to be durable before the reply is sent.
    pub(super) pending: Option<Pending>,
    /// What others are told of, when it is durable.
    pub(super) change: Option<Change>,
    /// The connection ends with the reply: the bytes were no request, or who sent them is not let in.
    pub(super) is_last: bool,
}

impl Outcome {
    pub(super) fn of(reply: impl Into<Reply>) -> Self {
        Self { reply: reply.into(), pending: None, change: None, is_last: false }
    }

    /// Of bytes that are no request.
    pub(super) fn malformed(why: Malformed) -> Self {
        Self { is_last: true, ..Self::of(Failure::from(why)) }
    }
}

/// Why a request gets an error.
#[derive(Debug)]
enum Refusal {
    Failure(Failure),
    /// Of the store, at this level of consistency.
    Store(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Malformed> for Refusal {
    fn from(why: Malformed) -> Self {
        Self::Failure(why.into())
    }
}

type Ran = Result<(Response, Option<Change>), Refusal>;

/// Runs a request.
pub(super) fn run(state: &State, session: &Session, work: &Work) -> Outcome {
    let Work { version, flags, operation, body } = work;
    let decompressed;
    let body = if flags.contains(Flags::COMPRESSED) {
        match decompress_body(body) {
            Ok(bytes) => decompressed = bytes,
            Err(why) => return Outcome::malformed(why),
        }
        &decompressed
    } else {
        body
    };
    let request = match Request::read(body, *version, *flags, *operation) {
        Ok(request) => request,
        Err(why) => return Outcome::malformed(why),
    };
    let last = RefCell::new(None);
    let warnings = RefCell::default();
    let run = Run { state, session, version: *version, last: &last, warnings: &warnings };
    let (ran, consistency) = match request {
        Request::Query { text, parameters } => (run.query(text, &parameters), parameters.consistency),
        Request::Prepare { text, keyspace } => (run.prepare(text, keyspace), Consistency::One),
        Request::Execute { id, metadata_id, parameters } => {
            (run.execute(id, metadata_id, &parameters), parameters.consistency)
        }
        Request::Batch(batch) => (run.batch(&batch), batch.consistency),
        Request::AuthResponse(token) => return login::run(state, session, token.unwrap_or_default()),
        Request::Startup(_) | Request::Options | Request::Register(_) => {
            let why = format!("{} is not for a statement", operation.name());
            (Err(Failure::new(What::Server, why).into()), Consistency::One)
        }
    };
    let (response, change) = match ran {
        Ok(ran) => ran,
        Err(Refusal::Failure(failure)) => (Response::Failure(failure), None),
        Err(Refusal::Store(error)) => (Response::Failure(of_store(&error, consistency)), None),
    };
    let tracing_id = flags.contains(Flags::TRACING).then(|| trace::id(&state.store));
    let reply = Reply { response, warnings: warnings.into_inner(), tracing_id };
    Outcome { reply, pending: last.into_inner(), change, is_last: false }
}

/// What requests run with.
struct Run<'a> {
    state: &'a State,
    session: &'a Session,
    version: Version,
    /// The last commit.
    last: &'a RefCell<Option<Pending>>,
    /// What is said beside the reply.
    warnings: &'a RefCell<Vec<String>>,
}

impl<'a> Run<'a> {
    /// A session of the language, in the keyspace that the request says, or that of the connection.
    fn session(&self, keyspace: Option<&str>) -> Cql<Unsettled<'a>> {
        let keyspace = keyspace.map(str::to_owned).or_else(|| self.session.keyspace());
        self.state.store.cql_unsettled(keyspace, self.last).by(self.session.actor())
    }

    fn query(&self, text: &str, parameters: &Parameters<'_>) -> Ran {
        let cql = self.session(parameters.keyspace);
        let keyspace = cql.keyspace();
        let statement = PreparedStatement::of(text, keyspace.as_deref())?;
        let id = statement_id(keyspace.as_deref(), text, &Id::default());
        self.serve(&cql, &statement, (&id, None), None, parameters)
    }

    fn prepare(&self, text: &str, keyspace: Option<&str>) -> Ran {
        let cql = self.session(keyspace);
        let keyspace = cql.keyspace();
        let statement = PreparedStatement::of(text, keyspace.as_deref())?.kept();
        let described = cql.describe(&statement)?;
        let of = (described.keyspace.as_str(), described.table.as_str());
        let Specified { columns, id: metadata_id, .. } = Specified::of(of, &described.columns);
        let id = statement_id(keyspace.as_deref(), text, &metadata_id);
        // A tree takes several times as many bytes as its text.
        let of_tree = 8 * (text.len() + keyspace.as_ref().map_or(0, String::len));
        // What it keeps of its plan has each column of the result twice, and the protocol's form of it.
        let of_columns = described.columns.iter().map(|(name, _)| 4 * name.len() + 256).sum::<usize>();
        let bytes = of_tree + of_columns + 256;
        self.state.prepared.add(Prepared::new(id, statement, metadata_id, bytes));
        let markers = markers(&described);
        let result = Metadata::of(columns);
        Ok((Response::Prepared { id, metadata_id, markers, key: described.key, result }, None))
    }

    fn prepared(&self, id: &[u8]) -> Result<Arc<Prepared>, Failure> {
        self.state.prepared.get(id).ok_or_else(|| {
            let message = format!(
                "Prepared query with ID {} not found (either the query was not prepared on this host (maybe the host has \
                 been restarted?) or you have prepared too many queries and it has been evicted from the internal cache)",
                hex(id)
            );
            Failure::new(What::Unprepared { id: id.to_vec() }, message)
        })
    }

    fn execute(&self, id: &[u8], known: Option<&[u8]>, parameters: &Parameters<'_>) -> Ran {
        let prepared = self.prepared(id)?;
        // Before version 5 the client knows what it got when it prepared the statement.
        let known = known.unwrap_or(&prepared.metadata_id);
        let cql = self.session(parameters.keyspace);
        self.serve(&cql, &prepared.statement, (&prepared.id, Some(&prepared)), Some(known), parameters)
    }

    /// Runs a statement of a client that knows the columns with the id `known`.
    fn serve(
        &self,
        cql: &Cql<Unsettled<'a>>,
        statement: &PreparedStatement,
        (id, prepared): (&Id, Option<&Prepared>),
        known: Option<&[u8]>,
        parameters: &Parameters<'_>,
    ) -> Ran {
        let page = self.page(id, parameters)?;
        let mut values: Vec<SerializedValue> = parameters.values.iter().map(value).collect();
        if let Some(names) = &parameters.names {
            values = by_name(&cql.describe(statement)?.markers, names, &values);
        }
        let effect = cql.effect(statement)?;
        let served =
            cql.serve(statement, &values, page.as_ref(), times(parameters.timestamp, parameters.now_in_seconds));
        let mut served = served.map_err(|error| failure::of_effect(error, &effect))?;
        self.warnings.borrow_mut().append(&mut served.warnings);
        match effect {
            Effect::Use(keyspace) => {
                self.session.set_keyspace(&keyspace);
                return Ok((Response::SetKeyspace(keyspace), None));
            }
            // What was there, or was not, as `IF [NOT] EXISTS` says: nobody is told of it.
            Effect::Schema(..) if served.is_idle => return Ok((Response::Void, None)),
            Effect::Schema(verb, keyspace, changed) => {
                let change = Change { verb, keyspace, target: convert::target(changed) };
                return Ok((Response::Schema(change.clone()), Some(change)));
            }
            Effect::None => {}
        }
        if served.columns.is_empty() {
            return Ok((Response::Void, None));
        }
        self.rows(&served, (id, prepared), known, parameters.skips_metadata)
    }

    fn rows(
        &self,
        served: &Served,
        (id, prepared): (&Id, Option<&Prepared>),
        known: Option<&[u8]>,
        skips_metadata: bool,
    ) -> Ran {
        let of = prepared.map_or_else(|| Arc::new(Specified::new(served)), |prepared| prepared.specified(served));
        let rows = convert::rows(served)?;
        let mut metadata = Metadata::of(Arc::clone(&of.columns));
        let seal = self.state.seal.as_ref();
        metadata.paging_state =
            served.next.as_ref().and_then(|next| seal.map(|seal| seal.close(next, id, self.version)));
        if let Some(known) = known {
            let is_known = of.id == known;
            metadata.is_skipped = skips_metadata && is_known;
            metadata.new_id = (!is_known).then_some(of.id);
        }
        Ok((Response::Rows(metadata, rows), None))
    }

    /// Which page is wanted; none when all rows are.
    fn page(&self, id: &Id, parameters: &Parameters<'_>) -> Result<Option<PageOf>, Refusal> {
        let Some(rows) = parameters.page_size.and_then(|rows| usize::try_from(rows).ok()).filter(|rows| *rows > 0)
        else {
            return Ok(None);
        };
        let behind = match (parameters.paging_state, &self.state.seal) {
            (Some(state), Some(seal)) => Some(seal.open(state, id, self.version)?.to_vec()),
            (Some(_), None) => return Err(Malformed::new("Invalid value for the paging state").into()),
            (None, _) => None,
        };
        Ok(Some(PageOf { rows, behind }))
    }

    fn batch(&self, batch: &Batch<'_>) -> Ran {
        let cql = self.session(batch.keyspace);
        let keyspace = cql.keyspace();
        let mut statements = Vec::with_capacity(batch.statements.len());
        for (statement, values) in &batch.statements {
            let statement = match statement {
                BatchStatement::Text(text) => PreparedStatement::of(text, keyspace.as_deref())?,
                BatchStatement::Prepared(id) => self.prepared(id)?.statement.clone(),
            };
            statements.push((statement, values.iter().map(value).collect()));
        }
        let kind = match batch.kind {
            BatchKind::Logged => BatchOf::Logged,
            BatchKind::Unlogged => BatchOf::Unlogged,
            BatchKind::Counter => BatchOf::Counter,
        };
        let mut served = cql.serve_batch(kind, &statements, times(batch.timestamp, batch.now_in_seconds))?;
        self.warnings.borrow_mut().append(&mut served.warnings);
        if served.columns.is_empty() {
            return Ok((Response::Void, None));
        }
        self.rows(&served, (&Id::default(), None), None, false)
    }
}

/// The times of a request. Seconds have no sign, as in Cassandra, so that there are some after 2038.
fn times(timestamp: Option<i64>, now_in_seconds: Option<i32>) -> Times {
    Times { timestamp, now: now_in_seconds.map(|seconds| seconds.cast_unsigned().into()) }
}

fn value(value: &Value<'_>) -> SerializedValue {
    match value {
        Value::Null => SerializedValue::Null,
        Value::Unset => SerializedValue::Unset,
        Value::Bytes(bytes) => SerializedValue::Bytes(bytes.to_vec()),
    }
}

/// Values in the order of the markers that have their names. What has no value is left out, so that there are too few.
fn by_name(
    markers: &[crate::wide_column::cql::Marker],
    names: &[&str],
    values: &[SerializedValue],
) -> Vec<SerializedValue> {
    let of = |name: &str| names.iter().zip(values).find(|(own, _)| **own == name).map(|(_, value)| value.clone());
    markers.iter().filter_map(|marker| of(&marker.name)).collect()
}
