//! Operators: stages at work, each of which pulls rows from the one before it.

use std::sync::Arc;

use bson::RawDocument;
use bson::raw::{CString, RawBson, RawBsonRef, RawDocumentBuf};

use super::exec::Exec;
use super::facet;
use super::graph;
use super::join;
use super::redact;
use super::stage::Stage;
use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, check_depth, check_size, heap_bytes};
use crate::document::filter::Filter;
use crate::document::projection::Projection;
use crate::document::rows::{Input, Made, ROW_BYTES, Rows, lent};
use crate::error::Result;
use crate::limits;

/// Puts the operator of `stage` behind `input`. The stages behind it look at no more than `needed` of its rows.
///
/// # Errors
/// Those of `input` as far as a stage that needs all of it meets them, and its own.
pub(super) fn lower(stage: Stage, input: Input, exec: &Arc<Exec>, needed: Option<u64>) -> Result<Input> {
    let context = Arc::clone(exec.context());
    Ok(match stage {
        Stage::Match { filter, .. } => Box::new(Matching { input, filter, context }),
        Stage::Sort { sort, .. } => made(sort.run(input, needed, &context)?.into_iter().map(Ok)),
        Stage::Limit(limit) => Box::new(Limited { input, left: limit }),
        Stage::Skip(skip) => Box::new(Skipping { input, left: skip }),
        Stage::Project(projection) => reshaping(input, context, Shape::Project(projection)),
        Stage::ReplaceRoot(root) => reshaping(input, context, Shape::Replace(root)),
        Stage::Unwind(unwind) => unwind.run(input),
        Stage::Group(group) => made(group.run(input, &context)?),
        Stage::Count(name) => made(counted(input, &name)?.into_iter().map(Ok)),
        Stage::Sample(size) => made(sampled(input, size, &context)?.into_iter().map(Ok)),
        Stage::Documents(documents) => made(listed(&documents, &context)?.into_iter().map(Ok)),
        Stage::Facet(facets) => made(std::iter::once(Ok(facet::run(facets, input, exec)?))),
        Stage::Lookup(lookup) => Box::new(join::Joined::new(*lookup, input, Arc::clone(exec))),
        Stage::UnionWith(union) => Box::new(join::United::new(*union, input, Arc::clone(exec))),
        Stage::BucketAuto(buckets) => made(buckets.run(input, &context)?.into_iter().map(Ok)),
        Stage::Redact(redact) => Box::new(redact::Redacted::new(*redact, input, context)),
        Stage::Densify(densify) => made(densify.run(input, &context)?.into_iter().map(Ok)),
        Stage::SetWindowFields(windows) => made(windows.run(input, &context)?.into_iter().map(Ok)),
        Stage::GraphLookup(graph) => Box::new(graph::Searched::new(*graph, input, Arc::clone(exec))),
        // Whoever knows the collection has taken it off.
        Stage::About(_) => return Err(Code::NOT_FIRST_STAGE.value("a stage about the collection may only stand first")),
        // Whoever can write has taken it off; a pipeline that gets here is refused before it runs.
        Stage::Out { .. } | Stage::Merge(_) => {
            return Err(Code::NOT_IMPLEMENTED.value("a stage that writes needs a handle that can"));
        }
    })
}

fn made(documents: impl Iterator<Item = Result<RawDocumentBuf>> + Send + 'static) -> Input {
    Box::new(Made::new(documents))
}

/// `$match`.
pub(super) struct Matching {
    pub(super) input: Input,
    pub(super) filter: Filter,
    pub(super) context: Arc<Context>,
}

impl Rows for Matching {
    fn advance(&mut self) -> Result<bool> {
        while self.input.advance()? {
            self.context.check_time()?;
            if self.filter.matches(self.input.row()?, &self.context)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn row(&self) -> Result<&RawDocument> {
        self.input.row()
    }
}

/// The rows, with an error for one that is larger than a document may be.
pub(super) fn of_bounded_size(input: Input) -> Input {
    Box::new(Bounded(input))
}

struct Bounded(Input);

impl Rows for Bounded {
    fn advance(&mut self) -> Result<bool> {
        Ok(self.0.advance()? && check_size(self.0.row()?).map(|()| true)?)
    }

    fn row(&self) -> Result<&RawDocument> {
        self.0.row()
    }
}

/// `$limit`.
struct Limited {
    input: Input,
    left: u64,
}

impl Rows for Limited {
    fn advance(&mut self) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.input.advance()
    }

    fn row(&self) -> Result<&RawDocument> {
        self.input.row()
    }
}

/// `$skip`.
struct Skipping {
    input: Input,
    left: u64,
}

impl Rows for Skipping {
    fn advance(&mut self) -> Result<bool> {
        while self.left > 0 {
            self.left -= 1;
            if !self.input.advance()? {
                self.left = 0;
                return Ok(false);
            }
        }
        self.input.advance()
    }

    fn row(&self) -> Result<&RawDocument> {
        self.input.row()
    }
}

/// What makes one document of another.
pub(super) enum Shape {
    /// `$project`, `$addFields`, `$set` and `$unset`.
    Project(Projection),
    /// `$replaceRoot` and `$replaceWith`.
    Replace(Expression),
}

struct Reshaping {
    input: Input,
    context: Arc<Context>,
    shape: Shape,
    current: Option<RawDocumentBuf>,
}

pub(super) fn reshaping(input: Input, context: Arc<Context>, shape: Shape) -> Input {
    Box::new(Reshaping { input, context, shape, current: None })
}

impl Rows for Reshaping {
    fn advance(&mut self) -> Result<bool> {
        if !self.input.advance()? {
            return Ok(false);
        }
        self.context.check_time()?;
        let row = self.input.row()?;
        self.current = Some(match &self.shape {
            Shape::Project(projection) => projection.apply(row, &self.context)?,
            Shape::Replace(root) => replaced(row, root, &self.context)?,
        });
        Ok(true)
    }

    fn row(&self) -> Result<&RawDocument> {
        lent(self.current.as_deref())
    }
}

/// What `root` makes of `document`.
pub(super) fn replaced(document: &RawDocument, root: &Expression, context: &Context) -> Result<RawDocumentBuf> {
    let value = root.evaluate(&mut Env::new(document, context))?;
    let kind = value.type_name();
    match value.into_owned() {
        Some(RawBson::Document(new)) => {
            check_size(&new)?;
            check_depth(RawBsonRef::Document(&new), limits::DOCUMENT_DEPTH_MAX)?;
            Ok(new)
        }
        _ => Err(Code::REPLACE_ROOT_TYPE.wrong_type(format!("the new root is not a document but of type {kind}"))),
    }
}

/// How many there are; nothing where there is none.
fn counted(mut input: Input, name: &CString) -> Result<Option<RawDocumentBuf>> {
    let mut count: i64 = 0;
    while input.advance()? {
        count += 1;
    }
    let mut answer = RawDocumentBuf::new();
    match i32::try_from(count) {
        Ok(0) => return Ok(None),
        Ok(count) => answer.append(name, count),
        Err(_) => answer.append(name, count),
    }
    Ok(Some(answer))
}

/// `size` documents by chance, in an order by chance: those with the smallest random numbers.
fn sampled(mut input: Input, size: u64, context: &Context) -> Result<Vec<RawDocumentBuf>> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut held = std::collections::BTreeMap::new();
    let (mut bytes, mut arrival) = (0, 0u64);
    while input.advance()? {
        // Doubles that are not negative have the order of their bits.
        let key = (context.random().to_bits(), arrival);
        arrival += 1;
        if size == 0 || (held.len() == size && held.last_key_value().is_some_and(|(last, _)| key > *last)) {
            continue;
        }
        let row = input.row()?.to_owned();
        bytes += row.as_bytes().len() + ROW_BYTES;
        held.insert(key, row);
        if held.len() > size
            && let Some((_, row)) = held.pop_last()
        {
            bytes -= row.as_bytes().len() + ROW_BYTES;
        }
        limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
    }
    Ok(held.into_values().collect())
}

/// The documents of `$documents`.
fn listed(documents: &Expression, context: &Context) -> Result<Vec<RawDocumentBuf>> {
    let empty = RawDocumentBuf::new();
    let value = documents.evaluate(&mut Env::new(&empty, context))?;
    let Some(elements) = value.into_elements()? else {
        return Err(Code::DOCUMENTS_TYPE.wrong_type("$documents takes an array of documents"));
    };
    let mut all = Vec::with_capacity(elements.len());
    let mut bytes = 0;
    for element in elements {
        let Some(RawBson::Document(document)) = element.into_owned() else {
            return Err(Code::DOCUMENTS_TYPE.wrong_type("$documents takes an array of documents"));
        };
        bytes += heap_bytes(RawBsonRef::Document(&document)) + ROW_BYTES;
        limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
        check_depth(RawBsonRef::Document(&document), limits::DOCUMENT_DEPTH_MAX)?;
        all.push(document);
    }
    Ok(all)
}
