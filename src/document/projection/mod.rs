//! Projections: which fields of a document a caller sees, and which are computed for it.
//!
//! One form serves `find`, `$project`, `$addFields` and `$unset`. The paths are a tree; one walk over the raw document
//! writes the new one. What happens to a field the tree does not name is the only thing that differs: an inclusion
//! drops it, an exclusion or an addition keeps it.
//!
//! # Invariants
//! 1. Kept fields keep the document's order; an inclusion puts computed ones last, in the order they are written, but a
//!    computed `_id` first.
//! 2. A computed field without a value is left out.
//! 3. Paths lead through arrays of any nesting to the objects in them.
//! 4. The result keeps the limits on size and depth of a document.
//!
//! # Source
//! `MongoDB` manual: Project Fields to Return from Query, `$project`, `$addFields`.

mod array_part;

use std::cell::Cell;
use std::sync::Arc;

use bson::raw::{CString, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use bson::{Bson, Document};

use self::array_part::ArrayPart;
use super::code::Code;
use super::expression::{
    Context, Env, Expression, Names, Value, append, check_depth, check_size, check_specification, name,
};
use super::filter::Filter;
use super::number::Number;
use super::path::{FieldPath, For, Part, elements};
use super::raw::{corrupt, field};
use crate::error::{Error, Result};
use crate::limits;

/// A compiled projection.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    /// Whether fields that are not named stay.
    keeps_rest: bool,
    /// The computed `_id` of an inclusion.
    identity: Option<Expression>,
    fields: Fields,
    /// The filter of a `find` that asks for the element it was found by.
    found_by: Option<Arc<Filter>>,
}

/// The named fields of one level, in the order they are written.
type Fields = Vec<(CString, Node)>;

#[derive(Clone, Debug)]
enum Node {
    Include,
    Exclude,
    Compute(Expression),
    /// Part of an array: `$slice`, `$elemMatch` and the positional `$` of a `find`.
    Part(ArrayPart),
    Inner(Fields),
}

impl Projection {
    /// Compiles the projection of a `find` or a `$project`. An empty one shows everything.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] when inclusion and exclusion mix or two paths collide, `Syntax` for what is no path or
    /// expression, [`Error::Unsupported`] names `$elemMatch`, `$meta`, the positional `$` and every
    /// expression operator that is not modelled.
    pub(super) fn compile(text: &Document, names: &Names) -> Result<Self> {
        Self::compile_as(text, names, false)
    }

    /// Compiles the projection of a `find` with `filter`, which has `$slice`, `$elemMatch` and the positional `$`, too.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub(super) fn compile_query(text: &Document, names: &Names, filter: &Arc<Filter>) -> Result<Self> {
        let mut compiled = Self::compile_as(text, names, true)?;
        let positional = array_part::count_positional(text);
        if positional > 1 {
            return Err(Code::POSITIONAL_TWICE.value("a projection has one positional operator"));
        }
        if positional == 1 {
            if array_part::has_elem_match(text) {
                return Err(Code::POSITIONAL_AND_ELEM_MATCH.value("$elemMatch and the positional operator do not mix"));
            }
            if compiled.keeps_rest {
                return Err(Code::POSITIONAL_IN_EXCLUSION.value("the positional operator includes a field"));
            }
            compiled.found_by = Some(Arc::clone(filter));
        }
        Ok(compiled)
    }

    fn compile_as(text: &Document, names: &Names, is_query: bool) -> Result<Self> {
        check_specification(text)?;
        let mut fields = Fields::new();
        let leaf = |path: &str, value: &Bson| match ArrayPart::parse(path, value, names).filter(|_| is_query) {
            Some(part) => Ok(Node::Part(part?)),
            None => projected(value, names),
        };
        collect(&mut fields, &mut Vec::new(), text, is_query, &leaf)?;
        let id = fields.iter().position(|(name, _)| name.as_str() == "_id").map(|at| fields.remove(at).1);
        let (mut includes, mut excludes) = (false, false);
        for (_, node) in &fields {
            node.survey(&mut includes, &mut excludes);
        }
        if let Some(node @ (Node::Inner(_) | Node::Compute(_))) = &id {
            node.survey(&mut includes, &mut excludes);
        }
        if includes && excludes {
            let message = "a projection either includes or excludes fields; only _id may differ from the others";
            let is_exclusion = fields.iter().find_map(|(_, node)| node.first_excludes()).unwrap_or(false);
            let code = if is_exclusion { Code::INCLUSION_IN_EXCLUSION } else { Code::EXCLUSION_IN_INCLUSION };
            return Err(code.value(message));
        }
        let keeps_rest = excludes || !(includes || matches!(id, Some(Node::Include)));
        let mut identity = None;
        match id {
            Some(Node::Compute(expression)) if !keeps_rest => identity = Some(expression),
            // `_id` is shown unless it is excluded by name.
            None if !keeps_rest => fields.push((name("_id")?, Node::Include)),
            Some(Node::Exclude) if !keeps_rest => {}
            None => {}
            Some(Node::Include) if keeps_rest => {}
            Some(node) => fields.push((name("_id")?, node)),
        }
        Ok(Self { keeps_rest, identity, fields, found_by: None })
    }

    /// Compiles `$addFields`: every value is an expression, and all other fields stay.
    ///
    /// # Errors
    /// Those of [`compile`](Self::compile), but for the mix.
    pub(super) fn compile_addition(text: &Document, names: &Names) -> Result<Self> {
        check_specification(text)?;
        let mut fields = Fields::new();
        let leaf = |_: &str, value: &Bson| Ok(Node::Compute(Expression::compile(value, names)?));
        collect(&mut fields, &mut Vec::new(), text, false, &leaf)?;
        Ok(Self { keeps_rest: true, identity: None, fields, found_by: None })
    }

    /// Compiles `$unset`: all fields but the ones at `paths`.
    ///
    /// # Errors
    /// As [`compile`](Self::compile) for paths.
    pub(super) fn compile_removal<'p>(paths: impl IntoIterator<Item = &'p str>) -> Result<Self> {
        let mut fields = Fields::new();
        for path in paths {
            insert(&mut fields, FieldPath::split(path, For::Expression)?, Node::Exclude, path)?;
        }
        Ok(Self { keeps_rest: true, identity: None, fields, found_by: None })
    }

    /// Calls `visit` with the first name of every path that it writes or removes, unless it keeps only named fields.
    pub(super) fn each_written(&self, visit: &mut dyn FnMut(&str)) -> bool {
        self.fields.iter().for_each(|(name, _)| visit(name.as_str()));
        self.keeps_rest
    }

    /// The document as the projection shows it.
    ///
    /// # Errors
    /// Those of the computed expressions; [`Error::LimitExceeded`] when the result is too large or too deep;
    /// [`Error::Corruption`] when the document does not parse.
    pub(super) fn apply(&self, document: &RawDocument, context: &Context) -> Result<RawDocumentBuf> {
        let position = match &self.found_by {
            None => None,
            Some(filter) => {
                let position = filter.position(document, context)?;
                let none = || Code::POSITIONAL_NOT_FOUND.value("the filter has not found the document by an element");
                Some(position.ok_or_else(none)?)
            }
        };
        let run = Run { root: document, context, keeps_rest: self.keeps_rest, position, nested: Cell::new(false) };
        let mut new = RawDocumentBuf::new();
        if let Some(expression) = &self.identity {
            append(&mut new, cstr!("_id"), &run.compute(expression)?);
        }
        run.fields(&mut new, document, &self.fields)?;
        check_size(&new)?;
        if run.nested.get() {
            check_depth(RawBsonRef::Document(&new), limits::DOCUMENT_DEPTH_MAX)?;
        }
        Ok(new)
    }
}

impl Node {
    /// Notes whether anything below includes or computes, and whether anything excludes.
    fn survey(&self, includes: &mut bool, excludes: &mut bool) {
        match self {
            Self::Include | Self::Compute(_) => *includes = true,
            // A slice alone leaves all other fields in.
            Self::Part(part) => *includes |= !part.is_slice(),
            Self::Exclude => *excludes = true,
            Self::Inner(fields) => {
                for (_, node) in fields {
                    node.survey(includes, excludes);
                }
            }
        }
    }

    /// Whether the first of what is below that includes or excludes does the latter.
    fn first_excludes(&self) -> Option<bool> {
        match self {
            Self::Include | Self::Compute(_) => Some(false),
            Self::Part(part) => (!part.is_slice()).then_some(false),
            Self::Exclude => Some(true),
            Self::Inner(fields) => fields.iter().find_map(|(_, node)| node.first_excludes()),
        }
    }

    fn computes(&self) -> bool {
        match self {
            Self::Compute(_) => true,
            Self::Include | Self::Exclude | Self::Part(_) => false,
            Self::Inner(fields) => fields.iter().any(|(_, node)| node.computes()),
        }
    }
}

/// What a value of a `find` projection or a `$project` stands for.
fn projected(value: &Bson, names: &Names) -> Result<Node> {
    let shown = match value {
        Bson::Boolean(shown) => Some(*shown),
        other => Number::from_bson(other).map(|number| !number.is_zero()),
    };
    if let Some(shown) = shown {
        return Ok(if shown { Node::Include } else { Node::Exclude });
    }
    if value.as_document().is_some_and(Document::is_empty) {
        return Err(Code::PROJECT_EMPTY_OBJECT.syntax("the projection of a field is an empty object"));
    }
    if let Bson::Document(document) = value
        && let Some(operator @ ("$elemMatch" | "$meta")) = document.keys().next().map(String::as_str)
    {
        return Err(Error::unsupported(format!("projection operator {operator}")));
    }
    if let Bson::Document(document) = value
        && let Some(operator) = document.keys().next().filter(|key| key.starts_with('$'))
        && !Expression::exists(operator)
    {
        return Err(Code::PROJECT_UNKNOWN_EXPRESSION.syntax(format!("there is no expression operator {operator:?}")));
    }
    Ok(Node::Compute(Expression::compile(value, names)?))
}

/// Adds the paths of `text` below `prefix`. An object without an operator is a level of its own; an empty one is what `leaf`
/// makes of it.
fn collect(
    fields: &mut Fields,
    prefix: &mut Vec<Part>,
    text: &Document,
    is_query: bool,
    leaf: &dyn Fn(&str, &Bson) -> Result<Node>,
) -> Result<()> {
    for (key, value) in text {
        let depth = prefix.len();
        let path = match key.strip_suffix(".$") {
            // Only a path as a whole has it.
            Some(path) if is_query && depth == 0 => path,
            _ => key.as_str(),
        };
        if path.split('.').any(|part| part == "$") {
            return Err(if is_query {
                Code::POSITIONAL_IN_MIDDLE.value("the positional operator stands at the end of a path")
            } else {
                Error::unsupported("positional operator $")
            });
        }
        prefix.extend(FieldPath::split(path, For::Expression)?);
        limits::check("path parts", limits::PATH_PARTS_MAX, prefix.len())?;
        match value {
            Bson::Document(inner) if inner.keys().next().is_some_and(|key| !key.starts_with('$')) => {
                collect(fields, prefix, inner, is_query, leaf)?;
            }
            value => insert(fields, prefix.clone(), leaf(key, value)?, key)?,
        }
        prefix.truncate(depth);
    }
    Ok(())
}

fn insert(fields: &mut Fields, parts: Vec<Part>, node: Node, path: &str) -> Result<()> {
    let mut level = fields;
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let place = level.iter().position(|(name, _)| name.as_str() == part.name());
        let place = match place {
            None if is_last => {
                level.push((part.stored_name().clone(), node));
                return Ok(());
            }
            None => {
                level.push((part.stored_name().clone(), Node::Inner(Fields::new())));
                level.len() - 1
            }
            Some(place) => place,
        };
        level = match level.get_mut(place) {
            Some((_, Node::Inner(inner))) if !is_last => inner,
            Some((_, Node::Inner(_))) => return Err(collision(Code::PATH_COLLISION_PARENT, path)),
            _ => return Err(collision(Code::PATH_COLLISION_CHILD, path)),
        };
    }
    Ok(())
}

fn collision(code: Code, path: &str) -> Error {
    code.value(format!("the projection names the path {path:?} twice, or a prefix of it as well"))
}

/// One projection of one document.
struct Run<'a> {
    root: &'a RawDocument,
    context: &'a Context,
    keeps_rest: bool,
    /// The element that the positional `$` stands for.
    position: Option<usize>,
    /// Whether a computed value had levels of its own, so that the depth of the result has to be looked at.
    nested: Cell<bool>,
}

impl Run<'_> {
    fn fields(&self, new: &mut RawDocumentBuf, old: &RawDocument, fields: &Fields) -> Result<()> {
        let mut written = vec![false; fields.len()];
        for element in old {
            let (name, value) = element.map_err(corrupt)?;
            let named = fields.iter().zip(&mut written).find(|((field, _), _)| field.as_str() == name.as_str());
            let Some(((_, node), written)) = named else {
                if self.keeps_rest {
                    new.append(name, value);
                }
                continue;
            };
            match node {
                Node::Include => new.append(name, value),
                Node::Exclude => {}
                Node::Inner(inner) => append(new, name, &self.below(value, inner)?),
                // What `$elemMatch` finds comes behind all other fields.
                Node::Part(part) if part.is_last() => continue,
                Node::Part(part) => append(new, name, &part.of(value, self.position, self.context)?),
                // An inclusion computes at the end, an addition in the place of the old value.
                Node::Compute(_) if !self.keeps_rest => continue,
                Node::Compute(expression) => append(new, name, &self.compute(expression)?),
            }
            *written = true;
        }
        for ((name, node), _) in fields.iter().zip(written).filter(|(_, written)| !written) {
            match node {
                Node::Compute(expression) => append(new, name, &self.compute(expression)?),
                Node::Part(part) => {
                    if let Some(value) = field(old, name.as_str())? {
                        append(new, name, &part.of(value, self.position, self.context)?);
                    }
                }
                Node::Inner(inner) if node.computes() => append(new, name, &self.created(inner)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// The value of a field that the projection looks into.
    fn below<'v>(&self, value: RawBsonRef<'v>, inner: &Fields) -> Result<Value<'v>> {
        match value {
            RawBsonRef::Document(document) => {
                let mut new = RawDocumentBuf::new();
                self.fields(&mut new, document, inner)?;
                Ok(Value::Owned(RawBson::Document(new)))
            }
            RawBsonRef::Array(array) => {
                let mut new = RawArrayBuf::new();
                for element in elements(array) {
                    if let Some(value) = self.below(element?, inner)?.get() {
                        new.push(value);
                    }
                }
                Ok(Value::Owned(RawBson::Array(new)))
            }
            _ if inner.iter().any(|(_, node)| node.computes()) => self.created(inner),
            value if self.keeps_rest => Ok(Value::Borrowed(value)),
            _ => Ok(Value::Missing),
        }
    }

    /// The object that computed fields make where there is none.
    fn created(&self, inner: &Fields) -> Result<Value<'static>> {
        let mut new = RawDocumentBuf::new();
        self.fields(&mut new, &RawDocumentBuf::new(), inner)?;
        Ok(Value::Owned(RawBson::Document(new)))
    }

    fn compute<'e>(&'e self, expression: &'e Expression) -> Result<Value<'e>> {
        let value = expression.evaluate(&mut Env::new(self.root, self.context))?;
        if value.is_array() || value.is_object() {
            self.nested.set(true);
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
