//! The update operators: their names, and what their operands become.

use std::cmp::Ordering;

use bson::{Bson, Document, RawDocumentBuf};

use super::apply;
use super::arrays::{AddToSet, Pop, Pull, Push};
use super::bits::Bits;
use super::change::Change;
use super::filters::ArrayFilters;
use super::moment::Moment;
use super::rename::Rename;
use super::tree::{self, Changes, Node};
use crate::document::code::Code;
use crate::document::expression::constant;
use crate::document::number::Number;
use crate::error::{Error, Result};
use crate::limits;

/// The operators of an update.
#[derive(Clone, Debug)]
pub(super) struct Operators {
    /// What happens to `_id`, which may only be written where there is none yet.
    identity: Option<Node>,
    fields: Changes,
    renames: Vec<Rename>,
    has_matched: bool,
}

/// Reads one operand: a value, and the levels it may nest.
type Compile = fn(&Bson, usize) -> Result<Change>;

/// Every operator but `$rename`, which has two paths.
const OPERATORS: &[(&str, Compile)] = &[
    ("$addToSet", |value, levels| AddToSet::compile(value, levels).map(Change::AddToSet)),
    ("$bit", |value, _| Bits::compile(value).map(Change::Bits)),
    ("$currentDate", |value, _| current_date(value)),
    ("$inc", |value, _| number("$inc", value).map(Change::Increment)),
    ("$max", |value, levels| Ok(Change::Extreme(Ordering::Greater, constant(value, levels)?))),
    ("$min", |value, levels| Ok(Change::Extreme(Ordering::Less, constant(value, levels)?))),
    ("$mul", |value, _| number("$mul", value).map(Change::Multiply)),
    ("$pop", |value, _| Pop::compile(value).map(Change::Pop)),
    ("$pull", |value, levels| Ok(Change::Pull(Box::new(Pull::compile(value, levels)?)))),
    ("$pullAll", |value, levels| Ok(Change::Pull(Box::new(Pull::compile_all(value, levels)?)))),
    ("$push", |value, levels| Ok(Change::Push(Box::new(Push::compile(value, levels)?)))),
    ("$set", |value, levels| Ok(Change::Set(constant(value, levels)?))),
    ("$setOnInsert", |value, levels| Ok(Change::SetOnInsert(constant(value, levels)?))),
    ("$unset", |_, _| Ok(Change::Unset)),
];

impl Operators {
    /// Compiles a document of operators.
    ///
    /// # Errors
    /// As [`Update::compile`](super::Update::compile).
    pub(super) fn compile(text: &Document) -> Result<Self> {
        if text.keys().all(|key| !key.starts_with('$')) {
            let message = "an update needs operators such as $set; a whole document is a replacement, not an update";
            return Err(Error::value(message));
        }
        let (mut fields, mut renames) = (Changes::default(), Vec::new());
        for (operator, operand) in text {
            let compile = find(operator)?;
            let Bson::Document(operand) = operand else {
                return Err(Code::FAILED_TO_PARSE.syntax(format!("{operator} takes a document of fields")));
            };
            for (path, value) in operand {
                let Some(compile) = compile else {
                    let rename = Rename::compile(path, value)?;
                    fields.insert(rename.source_parts(), Change::Unset, path)?;
                    fields.insert(rename.target_parts(), Change::Rename(rename.clone()), path)?;
                    renames.push(rename);
                    continue;
                };
                let parts = tree::parts(path)?;
                let levels = limits::DOCUMENT_DEPTH_MAX.saturating_sub(parts.len());
                fields.insert(parts, compile(value, levels)?, path)?;
            }
        }
        let has_matched = fields.has_matched();
        let identity = fields.take("_id");
        Ok(Self { identity, fields, renames, has_matched })
    }

    pub(super) fn has_matched(&self) -> bool {
        self.has_matched
    }

    /// Checks that the paths use the array filters there are.
    pub(super) fn check_filters(&self, filters: &ArrayFilters) -> Result<()> {
        filters.check_use(&self.fields)
    }

    /// The document after the update.
    pub(super) fn apply(&self, moment: &Moment<'_>) -> Result<RawDocumentBuf> {
        if self.has_matched {
            moment.position()?;
        }
        self.renames.iter().try_for_each(|rename| rename.check(moment))?;
        apply::document(self.identity.as_ref(), &self.fields, moment)
    }
}

/// How the operands of `operator` are read; `None` for `$rename`.
fn find(operator: &str) -> Result<Option<Compile>> {
    if operator == "$rename" {
        return Ok(None);
    }
    if let Some((_, compile)) = OPERATORS.iter().find(|(name, _)| *name == operator) {
        return Ok(Some(*compile));
    }
    let message = if operator.starts_with('$') {
        format!("there is no update operator {operator}")
    } else {
        format!("{operator:?} is not an update operator; an update and a replacement do not mix")
    };
    Err(Code::FAILED_TO_PARSE.syntax(message))
}

fn number(operator: &str, value: &Bson) -> Result<Number> {
    Number::from_bson(value)
        .ok_or_else(|| Code::TYPE_MISMATCH.wrong_type(format!("{operator} by a value that is not a number")))
}

/// `true` or `{$type: "date"}` is a date, `{$type: "timestamp"}` a timestamp.
fn current_date(value: &Bson) -> Result<Change> {
    let wrong = || {
        Code::BAD_VALUE.wrong_type("$currentDate takes a boolean, {$type: \"date\"} or {$type: \"timestamp\"}")
    };
    match value {
        Bson::Boolean(_) => Ok(Change::Now { timestamp: false }),
        Bson::Document(options) if options.len() == 1 => match options.get_str("$type") {
            Ok("date") => Ok(Change::Now { timestamp: false }),
            Ok("timestamp") => Ok(Change::Now { timestamp: true }),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}
