//! Updates: operators compiled once and applied to raw documents, replacements aside.
//!
//! The paths of all operators form one tree, sorted the way they are applied, so that one walk over the old document
//! writes the new one and two operators on one path meet while the tree is built. What happens at the end of a path is a
//! [`Change`](change::Change).
//!
//! # Invariants
//! 1. A conflict between two paths is found by [`Update::compile`], before any document is read; one between paths through
//!    `$[]` and its like, when they meet at an element.
//! 2. Fields keep their order; created ones follow in the order of their paths; `_id` comes first.
//! 3. `_id` keeps its value and its representation.
//! 4. The result keeps the limits on size and depth of a document.
//!
//! # Cost
//! One pass over the document, whatever the number of operators; a level is copied only where it changes.
//!
//! # Source
//! MongoDB manual: Update Operators, Updates with Aggregation Pipeline.

mod apply;
mod array;
mod change;
mod description;
mod modifications;
mod tree;

use bson::raw::RawBson;
use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use self::apply::Run;
use self::change::Change;
pub use self::description::UpdateDescription;
pub use self::modifications::UpdateModifications;
use self::tree::{ArrayFilters, Changes, Node};
use super::code::Code;
use super::expression::{Context, Env, Expression, Names, Value};
use super::filter::Filter;
use super::path::{FieldPath, For, Part};
use super::projection::Projection;
use super::raw;
use super::stored;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// A compiled update.
#[derive(Clone, Debug)]
pub(super) enum Update {
    Operators(Box<Operators>),
    Pipeline(Vec<Shape>),
}

/// Update operators.
#[derive(Clone, Debug)]
pub(super) struct Operators {
    /// What happens to `_id`, which may only be written where there is none yet.
    identity: Option<Node>,
    fields: Changes,
    /// The paths that `$rename` takes values from and moves them to, in the order of their numbers.
    renamed: Vec<(Vec<Part>, Vec<Part>)>,
    filters: ArrayFilters,
}

/// A stage of an update that is a pipeline.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Project(Projection),
    Replace(Expression),
}

/// What an update is applied for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    pub(super) context: &'a Context,
    /// How the document was found, which says what `$` in a path stands for.
    pub(super) filter: &'a Filter,
    /// Whether the document is about to be inserted by an upsert.
    pub(super) inserts: bool,
}

impl Update {
    /// Compiles `{$set: {…}, $inc: {…}, …}` with the conditions that `$[name]` in a path stands for, or a pipeline.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names what is not modelled; [`InvalidKind::Value`] for a document without operators, `Syntax`
    /// for an operand that is not a document or a path with empty parts, `Type` for operands of another type,
    /// `ConflictingUpdate` for two operators on one path or on a path and its prefix; [`Error::LimitExceeded`] when a path
    /// and its value nest too deep.
    pub(super) fn compile(text: &UpdateModifications, array_filters: &[Document], names: &Names) -> Result<Self> {
        match text {
            UpdateModifications::Document(text) => Self::operators(text, array_filters, names),
            UpdateModifications::Pipeline(_) if !array_filters.is_empty() => {
                Err(Code::FAILED_TO_PARSE.value("array filters do not go with an update that is a pipeline"))
            }
            UpdateModifications::Pipeline(stages) => {
                limits::check("pipeline stages", limits::PIPELINE_STAGES_MAX, stages.len())?;
                Ok(Self::Pipeline(stages.iter().map(|stage| Shape::compile(stage, names)).collect::<Result<_>>()?))
            }
        }
    }

    fn operators(text: &Document, array_filters: &[Document], names: &Names) -> Result<Self> {
        if text.keys().all(|key| !key.starts_with('$')) {
            let message = "an update needs operators such as $set; a whole document is a replacement, not an update";
            return Err(Code::FAILED_TO_PARSE.value(message));
        }
        let filters = ArrayFilters::compile(array_filters, names)?;
        let (mut fields, mut renamed, mut used) = (Changes::default(), Vec::new(), vec![false; array_filters.len()]);
        for (operator, operand) in text {
            let read = change::reader(operator)?;
            let Bson::Document(operand) = operand else {
                return Err(Code::FAILED_TO_PARSE.syntax(format!("{operator} takes a document of fields")));
            };
            for (path, value) in operand {
                let parts = tree::parts(path, &filters, &mut used)?;
                if operator == "$rename" {
                    let target = change::rename_target(path, value)?;
                    let source = FieldPath::split(path, For::Update)?;
                    let target_parts = tree::parts(&target, &filters, &mut used)?;
                    let target_path = FieldPath::split(&target, For::Update)?;
                    fields.insert(target_parts, Change::Renamed(renamed.len()), &target)?;
                    fields.insert(parts, Change::Moved(renamed.len()), path)?;
                    renamed.push((source, target_path));
                    continue;
                }
                let levels = limits::DOCUMENT_DEPTH_MAX.saturating_sub(parts.len());
                fields.insert(parts, read(value, levels, names)?, path)?;
            }
        }
        filters.refuse_unused(&used)?;
        let identity = fields.take("_id");
        Ok(Self::Operators(Box::new(Operators { identity, fields, renamed, filters })))
    }

    /// Whether it has to know by which element of an array the document was found.
    pub(super) fn needs_position(&self) -> bool {
        matches!(self, Self::Operators(operators) if operators.fields.needs_position())
    }

    /// The document after the update, or none when the update changes nothing.
    ///
    /// # Errors
    /// [`InvalidKind::PathNotViable`] when a path leads through a value that is no object or array, `ImmutableField`
    /// when `_id` would change, `Type` and `Value` for values that an operator does not take, `Overflow` past the 64-bit
    /// integers, [`Error::LimitExceeded`] when the document or the padding of an array grows too large.
    pub(super) fn apply(&self, old: &RawDocument, occasion: Occasion<'_>) -> Result<Option<RawDocumentBuf>> {
        let new = match self {
            Self::Operators(operators) => operators.apply(old, occasion)?,
            Self::Pipeline(shapes) => {
                let mut new = old.to_owned();
                for shape in shapes {
                    new = shape.apply(&new, occasion.context)?;
                }
                with_identity(old, new)?
            }
        };
        stored::check_size(&new)?;
        Ok((new.as_bytes() != old.as_bytes()).then_some(new))
    }
}

impl Operators {
    fn apply(&self, old: &RawDocument, occasion: Occasion<'_>) -> Result<RawDocumentBuf> {
        let taken = self.renamed.iter().map(|(from, to)| moved(old, from, to)).collect::<Result<Vec<_>>>()?;
        let position =
            if self.fields.needs_position() { occasion.filter.position(old, occasion.context)? } else { None };
        let run = Run { occasion, position, taken: &taken, filters: &self.filters };
        run.document(old, self.identity.as_ref(), &self.fields)
    }
}

impl Shape {
    fn compile(stage: &Document, names: &Names) -> Result<Self> {
        let (Some((name, argument)), 1) = (stage.iter().next(), stage.len()) else {
            return Err(Code::STAGE_FIELDS.syntax("a pipeline stage is a document of exactly one field"));
        };
        let document =
            || argument.as_document().ok_or_else(|| Code::FAILED_TO_PARSE.syntax(format!("{name} takes a document")));
        Ok(match name.as_str() {
            "$set" | "$addFields" => Self::Project(Projection::compile_addition(document()?, names)?),
            "$project" => Self::Project(Projection::compile(document()?, names)?),
            "$unset" => match argument {
                Bson::String(path) => Self::Project(Projection::compile_removal([path.as_str()])?),
                Bson::Array(paths) => {
                    let texts: Option<Vec<_>> = paths.iter().map(Bson::as_str).collect();
                    let texts =
                        texts.ok_or_else(|| Code::UNSET_ELEMENT_TYPE.wrong_type("the paths of $unset are texts"))?;
                    Self::Project(Projection::compile_removal(texts)?)
                }
                _ => return Err(Code::UNSET_TYPE.syntax("$unset takes a path or an array of paths")),
            },
            "$replaceWith" => Self::Replace(Expression::compile(argument, names)?),
            "$replaceRoot" => {
                let root = document()?.get("newRoot");
                let root = root.ok_or_else(|| Code::MISSING_FIELD.syntax("$replaceRoot needs newRoot"))?;
                Self::Replace(Expression::compile(root, names)?)
            }
            other => return Err(Code::INVALID_OPTIONS.value(format!("{other} cannot stand in an update"))),
        })
    }

    fn apply(&self, document: &RawDocument, context: &Context) -> Result<RawDocumentBuf> {
        match self {
            Self::Project(projection) => projection.apply(document, context),
            Self::Replace(root) => match root.evaluate(&mut Env::new(document, context))?.into_owned() {
                Some(RawBson::Document(new)) => Ok(new),
                _ => Err(Code::REPLACE_ROOT_TYPE.wrong_type("the new root is not a document")),
            },
        }
    }
}

/// `new` with the `_id` of `old` in front, unless it has another one.
fn with_identity(old: &RawDocument, new: RawDocumentBuf) -> Result<RawDocumentBuf> {
    let Some(id) = raw::field(old, "_id")? else { return Ok(new) };
    if raw::field(&new, "_id")?.is_some_and(|new| super::order::compare(new, id).is_ne()) {
        return Err(changed_identity());
    }
    super::stored::id_first(id, &new)
}

fn changed_identity() -> Error {
    Error::invalid(InvalidKind::ImmutableField, "an update cannot change the field _id")
}

/// The value that `$rename` moves from one path to another.
fn moved(document: &RawDocument, from: &[Part], to: &[Part]) -> Result<Option<RawBson>> {
    let value = taken(document, from)?;
    if let (Some(_), Some((_, parents))) = (&value, to.split_last()) {
        let mut parent = Value::Borrowed(bson::RawBsonRef::Document(document));
        for part in parents {
            parent = parent.into_field(part.name())?;
            if parent.is_array() {
                return Err(Code::BAD_VALUE.value("$rename does not lead to the element of an array"));
            }
        }
    }
    Ok(value)
}

/// The value that `$rename` takes from `path`, which does not lead through arrays.
fn taken(document: &RawDocument, path: &[Part]) -> Result<Option<RawBson>> {
    let mut value = Value::Borrowed(bson::RawBsonRef::Document(document));
    for part in path {
        if value.is_array() {
            return Err(Code::BAD_VALUE.value("$rename does not lead through arrays"));
        }
        if value.get().is_some() && !value.is_object() {
            let message = format!("$rename does not find {:?} in what is no object", part.name());
            return Err(Error::invalid(InvalidKind::PathNotViable, message));
        }
        value = value.into_field(part.name())?;
    }
    Ok(value.into_owned())
}

#[cfg(test)]
mod tests;
