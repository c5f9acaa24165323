//! Expressions: what `$project`, `$group`, `$expr` and computed projections calculate from a document.
//!
//! An expression is compiled once, from its BSON text into a tree, and evaluated against raw documents in an environment
//! ([`Env`]). Field paths borrow from the document; only what is computed is allocated. A missing field is a value of its own,
//! see [`Value`].
//!
//! # Invariants
//! 1. Everything that is wrong with an expression by itself (a function that does not exist, a wrong number of arguments) is
//!    found by [`Expression::compile`], before a document is read. Nothing is evaluated then.
//! 2. The tree is at most [`limits::EXPRESSION_DEPTH_MAX`] deep, which bounds every recursion over it.
//! 3. Functions are lines of tables, one table for each family ([`functions`]); a name is in exactly one.
//! 4. An argument that was not written is `None`, one that leads nowhere is missing.
//!
//! # Source
//! MongoDB manual: Aggregation Operators, Field Paths, System Variables.

mod check;
mod compile;
mod env;
mod functions;
mod total;
mod value;

use std::borrow::Cow;

use bson::raw::{CString, RawBson, RawDocumentBuf};
use bson::{Bson, Document};

pub(super) use self::check::{check_depth, check_size, check_specification, constant, name};
pub(super) use self::compile::Names;
use self::compile::{Call, Compiler, Function, Library};
pub(super) use self::env::{Context, Env};
pub(super) use self::functions::{DIVIDE_BY_ZERO, MODULO_BY_ZERO, Percentiles, keep_extreme};
pub(super) use self::total::{Deviation, Total};
use self::value::{List, Object, lookup};
pub(super) use self::value::{Value, append, heap_bytes};
use super::code::Code;
use super::path::Part;
use crate::error::Result;
#[cfg(doc)]
use crate::limits;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// A value that does not depend on the document.
    Constant(RawBson),
    /// `$$REMOVE`: no value.
    Remove,
    /// A path from something; without parts that itself.
    Path(Origin, Vec<Part>),
    /// An object whose values are expressions; missing ones are left out.
    Object(Vec<(CString, Expression)>),
    /// An array of expressions; missing ones are null.
    Array(Vec<Expression>),
    /// A function and its arguments; those that were not written are `None`.
    Call(&'static Function, Vec<Option<Expression>>),
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The document: `$$ROOT`, and a path without a variable.
    Root,
    /// The moment of the operation: `$$NOW`.
    Now,
    /// A variable of the operation.
    Outer(usize),
    /// A variable that a function defines; after its last use nobody asks for it.
    Slot { slot: usize, is_last: bool },
}

/// Variables that an operation is given, with their values; one without a value is missing.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) names: Names,
    pub(super) values: Vec<Option<RawBson>>,
}

impl Variables {
    /// The variables of a `let`, whose values are expressions that depend on no document; each may use those before it.
    ///
    /// # Errors
    /// As [`Expression::compile`] and [`Expression::evaluate`]; codes of their own for a name that is the system's, and for a value that
    /// depends on a document or on the moment.
    pub(super) fn evaluate(text: &Document, context: &Context) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self { names: Names::default().collated(context.collator()), values: Vec::new() });
        }
        if let Some(name) = text.keys().find(|name| matches!(name.as_str(), "NOW" | "CLUSTER_TIME")) {
            return Err(Code::LET_OVERRIDES_SYSTEM.value(format!("the variable {name} is the system's")));
        }
        if text.contains_key("") {
            return Err(Code::FAILED_TO_PARSE.syntax("a variable of an operation has a name"));
        }
        let empty = RawDocumentBuf::new();
        let names = Names::default().collated(context.collator());
        let (mut names, mut context) = (names, context.within(Vec::new()));
        for (name, value) in text {
            if reads_cluster_time(value) {
                let message = format!("the value of the variable {name:?} reads the time of the cluster");
                return Err(Code::LET_READS_SYSTEM.value(message));
            }
            let expression = Expression::compile(value, &names)?;
            if expression.reads(Origin::Root) {
                return Err(
                    Code::LET_READS_DOCUMENT.value(format!("the value of the variable {name:?} reads a document"))
                );
            }
            if expression.reads(Origin::Now) {
                return Err(Code::LET_READS_SYSTEM.value(format!("the value of the variable {name:?} reads the time")));
            }
            let value = expression.evaluate(&mut Env::new(&empty, &context))?.into_owned();
            names = names.and([name.clone()])?;
            context = context.within(context.outer().iter().cloned().chain([value]).collect());
        }
        Ok(Self { names, values: context.outer().to_vec() })
    }
}

/// Whether the variable that no expression of an operation may use stands in `text`, which is not compiled yet.
fn reads_cluster_time(text: &Bson) -> bool {
    match text {
        Bson::String(text) => {
            text.strip_prefix("$$CLUSTER_TIME").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
        Bson::Array(items) => items.iter().any(reads_cluster_time),
        Bson::Document(fields) => {
            fields.iter().any(|(name, value)| name != "$literal" && name != "$const" && reads_cluster_time(value))
        }
        _ => false,
    }
}

/// How often an expression uses a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uses {
    Never,
    Once,
    Often,
}

impl Expression {
    /// Whether some path in it begins with `origin`.
    fn reads(&self, origin: Origin) -> bool {
        match self {
            Self::Constant(_) | Self::Remove => false,
            Self::Path(begin, _) => *begin == origin,
            Self::Object(fields) => fields.iter().any(|(_, value)| value.reads(origin)),
            Self::Array(items) => items.iter().any(|item| item.reads(origin)),
            Self::Call(_, arguments) => arguments.iter().flatten().any(|argument| argument.reads(origin)),
        }
    }

    /// Compiles the text of an expression that may use the variables `names`.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error) for a function or variable that is not modelled, [`Error::Invalid`](crate::Error)
    /// for text that is no expression, [`Error::LimitExceeded`](crate::Error) past [`limits::EXPRESSION_DEPTH_MAX`].
    pub(super) fn compile(text: &Bson, names: &Names) -> Result<Self> {
        let library = Library { find: functions::find, is_unmodelled: functions::is_unmodelled };
        Compiler::new(library, names).expression(text)
    }

    /// Whether it depends on no document, no variable and no chance.
    fn is_constant(&self) -> bool {
        match self {
            Self::Constant(_) | Self::Remove => true,
            Self::Path(..) => false,
            Self::Object(fields) => fields.iter().all(|(_, value)| value.is_constant()),
            Self::Array(items) => items.iter().all(Self::is_constant),
            Self::Call(function, arguments) => {
                let is_by_chance = matches!(function.name, "$rand" | "$createObjectId");
                !is_by_chance && arguments.iter().flatten().all(Self::is_constant)
            }
        }
    }

    /// Whether there is an operator of this name, here or in the imitated product.
    pub(super) fn exists(operator: &str) -> bool {
        matches!(operator, "$literal" | "$const")
            || functions::find(operator).is_some()
            || functions::is_unmodelled(operator)
    }

    /// As [`Expression::compile`], with `variables` in scope, to which whoever evaluates it binds values, in this order.
    pub(super) fn compile_within(variables: &[&str], text: &Bson, names: &Names) -> Result<Self> {
        let library = Library { find: functions::find, is_unmodelled: functions::is_unmodelled };
        Compiler::new(library, names).within(variables, text)
    }

    /// The value in `env`.
    ///
    /// # Errors
    /// [`InvalidKind::Type`](crate::InvalidKind) when a function does not take a value's type, `Value` and `Overflow`
    /// for arithmetic without a result, [`Error::Corruption`](crate::Error) when the document does not parse,
    /// [`Error::LimitExceeded`](crate::Error) when a computed value or the work of the operation is too large.
    pub(super) fn evaluate<'a>(&'a self, env: &mut Env<'a>) -> Result<Value<'a>> {
        match self {
            Self::Constant(value) => Ok(Value::Borrowed(value.as_raw_bson_ref())),
            Self::Remove => Ok(Value::Missing),
            Self::Path(origin, path) => match *origin {
                Origin::Root => lookup(env.root(), path),
                Origin::Now => env.now().follow(path),
                Origin::Outer(place) => env.outer(place).follow(path),
                Origin::Slot { slot, is_last } => env.variable(slot, is_last).follow(path),
            },
            Self::Object(fields) => {
                let mut object = Object::default();
                for (name, expression) in fields {
                    object.append(Cow::Borrowed(name), expression.evaluate(env)?)?;
                }
                Ok(object.into())
            }
            Self::Array(expressions) => {
                let mut list = List::default();
                for expression in expressions {
                    list.push(expression.evaluate(env)?)?;
                }
                Ok(list.into())
            }
            Self::Call(function, arguments) => (function.evaluate)(Call { name: function.name, arguments }, env),
        }
    }

    /// Calls `visit` with every path that begins at the document, by the parts of its text.
    pub(super) fn each_path(&self, visit: &mut dyn FnMut(&[Part])) {
        match self {
            Self::Path(Origin::Root, path) => visit(path),
            Self::Constant(_) | Self::Remove | Self::Path(..) => {}
            Self::Object(fields) => fields.iter().for_each(|(_, value)| value.each_path(visit)),
            Self::Array(items) => items.iter().for_each(|item| item.each_path(visit)),
            Self::Call(_, arguments) => arguments.iter().flatten().for_each(|argument| argument.each_path(visit)),
        }
    }

    /// Marks the use of the variable in `slot` as its last, when it is the only one and does not happen again and again.
    fn mark_last_use(&mut self, slot: usize) {
        if self.uses(slot) == Uses::Once {
            self.each_use(slot, &mut |is_last| *is_last = true);
        }
    }

    fn uses(&self, slot: usize) -> Uses {
        match self {
            Self::Path(Origin::Slot { slot: used, .. }, _) if *used == slot => Uses::Once,
            Self::Constant(_) | Self::Remove | Self::Path(..) => Uses::Never,
            Self::Object(fields) => fields.iter().fold(Uses::Never, |uses, (_, value)| uses.and(value.uses(slot))),
            Self::Array(items) => items.iter().fold(Uses::Never, |uses, item| uses.and(item.uses(slot))),
            Self::Call(function, arguments) => {
                let uses = arguments.iter().flatten().fold(Uses::Never, |uses, argument| uses.and(argument.uses(slot)));
                // Only the input of a loop is evaluated once; which argument that is, matters to nobody here.
                if uses == Uses::Once && function.repeats { Uses::Often } else { uses }
            }
        }
    }

    fn each_use(&mut self, slot: usize, mark: &mut dyn FnMut(&mut bool)) {
        match self {
            Self::Path(Origin::Slot { slot: used, is_last }, _) if *used == slot => mark(is_last),
            Self::Constant(_) | Self::Remove | Self::Path(..) => {}
            Self::Object(fields) => fields.iter_mut().for_each(|(_, value)| value.each_use(slot, mark)),
            Self::Array(items) => items.iter_mut().for_each(|item| item.each_use(slot, mark)),
            Self::Call(_, arguments) => {
                arguments.iter_mut().flatten().for_each(|argument| argument.each_use(slot, mark));
            }
        }
    }
}

impl Uses {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (uses, Self::Never) | (Self::Never, uses) => uses,
            _ => Self::Often,
        }
    }
}

#[cfg(test)]
mod tests;
