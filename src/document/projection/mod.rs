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
//! `MongoDB` manual: Project Fields to Return from Query, `$project`, `$addFields` (SEM: DOC-PRJ-1, DOC-AGG-10).

use std::cell::Cell;

use bson::raw::{CString, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use bson::{Bson, Document};

use super::expression::{Expression, Value, append, check_depth, check_size, check_specification, name};
use super::number::Number;
use super::path::elements;
use super::raw::corrupt;
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
}

/// The named fields of one level, in the order they are written.
type Fields = Vec<(CString, Node)>;

#[derive(Clone, Debug)]
enum Node {
    Include,
    Exclude,
    Compute(Expression),
    Inner(Fields),
}

impl Projection {
    /// Compiles the projection of a `find` or a `$project`. An empty one shows everything.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] when inclusion and exclusion mix or two paths collide, `Syntax` for what is no path or
    /// expression, [`Error::Unsupported`] names `$slice`, `$elemMatch`, `$meta`, the positional `$` and every
    /// expression operator that is not modelled.
    pub(super) fn compile(text: &Document) -> Result<Self> {
        check_specification(text)?;
        let mut fields = Fields::new();
        collect(&mut fields, &mut Vec::new(), text, &projected)?;
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
            return Err(Error::value(message));
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
        Ok(Self { keeps_rest, identity, fields })
    }

    /// Compiles `$addFields`: every value is an expression, and all other fields stay.
    ///
    /// # Errors
    /// Those of [`compile`](Self::compile), but for the mix.
    pub(super) fn compile_addition(text: &Document) -> Result<Self> {
        check_specification(text)?;
        let mut fields = Fields::new();
        collect(&mut fields, &mut Vec::new(), text, &|value| Ok(Node::Compute(Expression::compile(value)?)))?;
        Ok(Self { keeps_rest: true, identity: None, fields })
    }

    /// Compiles `$unset`: all fields but the ones at `paths`.
    ///
    /// # Errors
    /// As [`compile`](Self::compile) for paths.
    pub(super) fn compile_removal<'p>(paths: impl IntoIterator<Item = &'p str>) -> Result<Self> {
        let mut fields = Fields::new();
        for path in paths {
            insert(&mut fields, &parts(path)?, Node::Exclude, path)?;
        }
        Ok(Self { keeps_rest: true, identity: None, fields })
    }

    /// The document as the projection shows it.
    ///
    /// # Errors
    /// Those of the computed expressions; [`Error::LimitExceeded`] when the result is too large or too deep;
    /// [`Error::Corruption`] when the document does not parse.
    pub(super) fn apply(&self, document: &RawDocument) -> Result<RawDocumentBuf> {
        let run = Run { root: document, keeps_rest: self.keeps_rest, nested: Cell::new(false) };
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
            Self::Exclude => *excludes = true,
            Self::Inner(fields) => {
                for (_, node) in fields {
                    node.survey(includes, excludes);
                }
            }
        }
    }

    fn computes(&self) -> bool {
        match self {
            Self::Compute(_) => true,
            Self::Include | Self::Exclude => false,
            Self::Inner(fields) => fields.iter().any(|(_, node)| node.computes()),
        }
    }
}

/// What a value of a `find` projection or a `$project` stands for.
fn projected(value: &Bson) -> Result<Node> {
    let shown = match value {
        Bson::Boolean(shown) => Some(*shown),
        other => Number::from_bson(other).map(|number| !number.is_zero()),
    };
    if let Some(shown) = shown {
        return Ok(if shown { Node::Include } else { Node::Exclude });
    }
    if let Bson::Document(document) = value
        && let Some(operator @ ("$slice" | "$elemMatch" | "$meta")) = document.keys().next().map(String::as_str)
    {
        return Err(Error::unsupported(format!("projection operator {operator}")));
    }
    Ok(Node::Compute(Expression::compile(value)?))
}

/// Adds the paths of `text` below `prefix`. An object without an operator is a level of its own.
fn collect<'t>(
    fields: &mut Fields,
    prefix: &mut Vec<&'t str>,
    text: &'t Document,
    leaf: &dyn Fn(&Bson) -> Result<Node>,
) -> Result<()> {
    for (key, value) in text {
        let depth = prefix.len();
        prefix.extend(parts(key)?);
        limits::check("path parts", limits::PATH_PARTS_MAX, prefix.len())?;
        match value {
            Bson::Document(inner) if inner.is_empty() => {
                return Err(Error::syntax(format!("the projection of {key:?} is an empty object")));
            }
            Bson::Document(inner) if inner.keys().next().is_some_and(|key| !key.starts_with('$')) => {
                collect(fields, prefix, inner, leaf)?;
            }
            value => insert(fields, prefix, leaf(value)?, key)?,
        }
        prefix.truncate(depth);
    }
    Ok(())
}

fn parts(path: &str) -> Result<Vec<&str>> {
    let parts: Vec<_> = path.split('.').collect();
    if parts.contains(&"$") {
        return Err(Error::unsupported("positional operator $"));
    }
    if parts.iter().any(|part| part.is_empty() || part.starts_with('$')) {
        let message = format!("{path:?} is not a field path: a part of it is empty or begins with a dollar sign");
        return Err(Error::syntax(message));
    }
    limits::check("path parts", limits::PATH_PARTS_MAX, parts.len())?;
    Ok(parts)
}

fn insert(fields: &mut Fields, parts: &[&str], node: Node, path: &str) -> Result<()> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    let collision = || {
        let message = format!("the projection names the path {path:?} twice, or a prefix of it as well");
        Err(Error::value(message))
    };
    match fields.iter_mut().find(|(name, _)| name.as_str() == *first) {
        Some((_, Node::Inner(inner))) if !rest.is_empty() => insert(inner, rest, node, path),
        Some(_) => collision(),
        None if rest.is_empty() => {
            fields.push((name(first)?, node));
            Ok(())
        }
        None => {
            let mut inner = Fields::new();
            insert(&mut inner, rest, node, path)?;
            fields.push((name(first)?, Node::Inner(inner)));
            Ok(())
        }
    }
}

/// One projection of one document.
struct Run<'a> {
    root: &'a RawDocument,
    keeps_rest: bool,
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
                // An inclusion computes at the end, an addition in the place of the old value.
                Node::Compute(_) if !self.keeps_rest => continue,
                Node::Compute(expression) => append(new, name, &self.compute(expression)?),
            }
            *written = true;
        }
        for ((name, node), _) in fields.iter().zip(written).filter(|(_, written)| !written) {
            match node {
                Node::Compute(expression) => append(new, name, &self.compute(expression)?),
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
        let value = expression.evaluate(self.root)?;
        if matches!(value.get(), Some(RawBsonRef::Document(_) | RawBsonRef::Array(_))) {
            self.nested.set(true);
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
