//! `$graphLookup`: the documents of another collection that are reached from a value, step by step.

use std::collections::HashSet;
use std::sync::Arc;

use bson::raw::{CString, RawArrayBuf, RawBsonRef};
use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use super::exec::Exec;
use super::unwind::with;
use crate::document::code::Code;
use crate::document::expression::{Env, Expression, Names, Value, check_size};
use crate::document::filter::Filter;
use crate::document::find::Prepared;
use crate::document::index_key::canonical;
use crate::document::number::Number;
use crate::document::order::Order;
use crate::document::path::{FieldPath, For, Reached, elements};
use crate::document::raw::{corrupt, field};
use crate::document::rows::{Input, ROW_BYTES, Rows, lent};
use crate::error::Result;
use crate::limits;

/// A compiled `$graphLookup`.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    from: String,
    start: Expression,
    /// The path whose values lead on.
    connect_from: FieldPath,
    /// The path whose values are led to.
    connect_to: FieldPath,
    /// Where the array of what was found goes.
    target: Vec<CString>,
    depth_max: Option<u64>,
    /// Where each document gets the number of its step.
    depth_field: Option<Vec<CString>>,
    restriction: Filter,
}

impl Graph {
    /// Compiles the argument of `$graphLookup`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error) for an argument that is missing, unknown or out of its domain.
    pub(super) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let Bson::Document(options) = argument else {
            return Err(Code::GRAPH_LOOKUP_TYPE.wrong_type("$graphLookup takes an object"));
        };
        let known = [
            "from",
            "startWith",
            "connectFromField",
            "connectToField",
            "as",
            "maxDepth",
            "depthField",
            "restrictSearchWithMatch",
        ];
        if let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Code::GRAPH_LOOKUP_UNKNOWN_ARGUMENT.syntax(format!("$graphLookup has no argument {unknown:?}")));
        }
        let needed = |name: &str| {
            let missing = || Code::GRAPH_LOOKUP_MISSING_ARGUMENT.syntax(format!("$graphLookup needs {name:?}"));
            options.get(name).ok_or_else(missing)
        };
        let text = |name: &str, value: &Bson| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| Code::GRAPH_LOOKUP_TEXT.wrong_type(format!("{name} of $graphLookup is a text")))
        };
        let path = |name: &str| FieldPath::parse(&text(name, needed(name)?)?, For::Expression);
        let from = match needed("from")? {
            Bson::String(name) if !name.is_empty() => name.clone(),
            Bson::String(_) => return Err(Code::INVALID_NAMESPACE.value("a collection needs a name")),
            _ => return Err(Code::FAILED_TO_PARSE.wrong_type("from of $graphLookup is the name of a collection")),
        };
        let names_of = |path: FieldPath| path.parts().iter().map(|part| part.stored_name().clone()).collect();
        let depth_field = match options.get("depthField") {
            None => None,
            Some(field) => Some(names_of(FieldPath::parse(&text("depthField", field)?, For::Expression)?)),
        };
        let restriction = match options.get("restrictSearchWithMatch") {
            None => Filter::all(),
            Some(Bson::Document(text)) => Filter::compile(text, names)?,
            Some(_) => {
                let message = "restrictSearchWithMatch of $graphLookup is an object";
                return Err(Code::GRAPH_LOOKUP_MATCH_TYPE.wrong_type(message));
            }
        };
        Ok(Self {
            start: Expression::compile(needed("startWith")?, names)?,
            connect_from: path("connectFromField")?,
            connect_to: path("connectToField")?,
            target: names_of(path("as")?),
            depth_max: depth_max(options)?,
            from,
            depth_field,
            restriction,
        })
    }

    /// What is reached from `row`, each document once, at the step that reaches it first.
    fn find(&self, row: &RawDocument, exec: &Arc<Exec>) -> Result<RawArrayBuf> {
        let (mut found, mut seen, mut bytes) = (RawArrayBuf::new(), HashSet::new(), 0);
        let mut asked = HashSet::new();
        let mut frontier = Vec::new();
        let start = self.start.evaluate(&mut Env::new(row, exec.context()))?;
        ask(&start, &mut asked, &mut frontier)?;
        let mut depth: u64 = 0;
        while !frontier.is_empty() && self.depth_max.is_none_or(|most| depth <= most) {
            let wanted = Filter::equal_any(&self.connect_to, std::mem::take(&mut frontier), exec.context().collator());
            let query = Prepared::all(Arc::new(wanted.and(self.restriction.clone())));
            let mut rows = exec.open(&self.from, &query)?;
            while rows.advance()? {
                exec.context().spend(1)?;
                let next = rows.row()?;
                let id = canonical(field(next, "_id")?.unwrap_or(RawBsonRef::Null), Order::SIMPLE)?;
                if !seen.insert(id) {
                    continue;
                }
                bytes += next.as_bytes().len() + ROW_BYTES;
                limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
                ask_path(next, &self.connect_from, &mut asked, &mut frontier)?;
                found.push(self.shown(next, depth)?);
            }
            depth += 1;
        }
        Ok(found)
    }

    fn shown(&self, document: &RawDocument, depth: u64) -> Result<RawDocumentBuf> {
        match &self.depth_field {
            None => Ok(document.to_owned()),
            Some(path) => with(document, path, Some(RawBsonRef::Int64(i64::try_from(depth).unwrap_or(i64::MAX)))),
        }
    }
}

fn depth_max(options: &Document) -> Result<Option<u64>> {
    let Some(depth) = options.get("maxDepth") else { return Ok(None) };
    let number = Number::from_bson(depth)
        .ok_or_else(|| Code::GRAPH_LOOKUP_DEPTH_TYPE.wrong_type("maxDepth of $graphLookup is a number"))?;
    let whole = number
        .as_i64()
        .ok_or_else(|| Code::GRAPH_LOOKUP_DEPTH_INTEGER.value("maxDepth of $graphLookup is a whole number"))?;
    let depth = u64::try_from(whole)
        .map_err(|_| Code::GRAPH_LOOKUP_DEPTH_NEGATIVE.value("maxDepth of $graphLookup is not negative"))?;
    Ok(Some(depth))
}

/// Adds what has not been asked for yet: a value, or each element of an array.
fn ask(value: &Value<'_>, asked: &mut HashSet<Vec<u8>>, frontier: &mut Vec<Bson>) -> Result<()> {
    match value.get() {
        None => Ok(()),
        Some(RawBsonRef::Array(array)) => elements(array).try_for_each(|element| ask_one(element?, asked, frontier)),
        Some(value) => ask_one(value, asked, frontier),
    }
}

fn ask_one(value: RawBsonRef<'_>, asked: &mut HashSet<Vec<u8>>, frontier: &mut Vec<Bson>) -> Result<()> {
    if asked.insert(canonical(value, Order::SIMPLE)?) {
        frontier.push(Bson::try_from(value).map_err(corrupt)?);
    }
    Ok(())
}

fn ask_path(
    document: &RawDocument,
    path: &FieldPath,
    asked: &mut HashSet<Vec<u8>>,
    frontier: &mut Vec<Bson>,
) -> Result<()> {
    let mut outcome = Ok(());
    path.any(document, |reached| {
        outcome = match reached {
            Reached::Missing => Ok(()),
            Reached::Field(value) | Reached::Element(value) => ask(&Value::Borrowed(value), asked, frontier),
        };
        outcome.is_err()
    })?;
    outcome
}

/// Rows with what is reached from each of them.
pub(super) struct Searched {
    graph: Graph,
    input: Input,
    exec: Arc<Exec>,
    current: Option<RawDocumentBuf>,
}

impl Searched {
    pub(super) fn new(graph: Graph, input: Input, exec: Arc<Exec>) -> Self {
        Self { graph, input, exec, current: None }
    }
}

impl Rows for Searched {
    fn advance(&mut self) -> Result<bool> {
        if !self.input.advance()? {
            return Ok(false);
        }
        let row = self.input.row()?;
        let found = self.graph.find(row, &self.exec)?;
        let joined = with(row, &self.graph.target, Some(RawBsonRef::Array(&found)))?;
        check_size(&joined)?;
        self.current = Some(joined);
        Ok(true)
    }

    fn row(&self) -> Result<&RawDocument> {
        lent(self.current.as_deref())
    }
}
