//! The language of expressions: conditions and filters, key conditions, projections, updates.
//!
//! | text to | in |
//! |---|---|
//! | words and signs | `token` |
//! | a tree of what is written, its depth bounded while it is read | `parse`, `tree` |
//! | conditions, updates and paths, with names and values put in | `check`, `update::compile`, `overlap` |
//!
//! A [`Condition`] is one thing wherever it comes from: text, typed parts (`build`), parameters from before there were
//! expressions, statements. It is put to items where they are stored, as records; an [`Update`] makes the item that will
//! be of the record of the item that is.
//!
//! # Source
//! `DynamoDB` Developer Guide, *Using expressions in DynamoDB*.

mod build;
mod check;
mod condition;
mod java;
mod key_condition;
mod overlap;
mod parse;
mod projection;
mod reserved;
mod substitutions;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod update;

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::item::expression::check::Problem;
use crate::item::expression::substitutions::Usage;
use crate::item::{AttributeValue, ExpressionFault, ExpressionKind, Fault};

pub use build::{PathName, PathSize, path};
pub use condition::Condition;
pub(super) use condition::{Operand, Test};
pub use projection::ProjectionPaths;
pub(super) use token::Comparator;
pub(super) use tree::Sign;
pub(crate) use update::{Change, SetOperand, SetValue, Update, Updated};

/// Reads the expressions of one request, which share names and values.
///
/// An operation makes one, reads its expressions in the order in which the service does, and ends with
/// [`Expressions::finish`].
#[derive(Debug)]
pub(crate) struct Expressions<'r> {
    usage: Usage<'r>,
}

impl<'r> Expressions<'r> {
    /// Begins with the names and values of a request, where it has them.
    ///
    /// # Errors
    /// What is wrong with them, whatever the expressions.
    pub(crate) fn new(
        names: Option<&'r BTreeMap<String, String>>,
        values: Option<&'r BTreeMap<String, AttributeValue>>,
    ) -> Result<Self> {
        Usage::new(names, values).map(|usage| Self { usage })
    }

    /// The condition in the parameter `kind`: of a write, a filter, or one that [`KeyCondition::of`] takes.
    ///
    /// [`KeyCondition::of`]: crate::item::KeyCondition
    ///
    /// # Errors
    /// What is wrong with it: [`Fault::Expression`].
    pub(crate) fn condition(&mut self, kind: ExpressionKind, text: &str) -> Result<Condition> {
        let tree = parse::condition(text).map_err(|problem| fault(kind, problem.into()))?;
        check::condition(&tree, &mut self.usage).map_err(|problem| fault(kind, problem))
    }

    /// The update in `text`.
    ///
    /// # Errors
    /// As [`Expressions::condition`].
    pub(crate) fn update(&mut self, text: &str) -> Result<Update> {
        let sections = parse::update(text).map_err(|problem| fault(ExpressionKind::Update, problem.into()))?;
        update::compile(&sections, &mut self.usage).map_err(|problem| fault(ExpressionKind::Update, problem))
    }

    /// The projection in `text`.
    ///
    /// # Errors
    /// As [`Expressions::condition`].
    pub(crate) fn projection(&mut self, text: &str) -> Result<ProjectionPaths> {
        self.paths(text).map_err(|problem| fault(ExpressionKind::Projection, problem.into()))
    }

    fn paths(&mut self, text: &str) -> Result<ProjectionPaths, ExpressionFault> {
        let trees = parse::projection(text)?;
        trees.iter().try_for_each(check::check_path)?;
        let paths =
            trees.iter().map(|tree| check::bounded_path(tree, &mut self.usage)).collect::<Result<Vec<_>, _>>()?;
        overlap::check_overlaps(&paths.iter().collect::<Vec<_>>())?;
        Ok(ProjectionPaths { paths })
    }

    /// Refuses names and values that no expression has used.
    ///
    /// # Errors
    /// [`Fault::UnusedPlaceholders`].
    pub(crate) fn finish(self) -> Result<()> {
        self.usage.finish()
    }
}

impl Condition {
    /// Refuses a condition of typed parts where the same in text, in the parameter `kind`, would be refused.
    ///
    /// # Errors
    /// [`Fault::Expression`]; [`Error::LimitExceeded`] for a value that nests too deeply.
    pub(crate) fn check(&self, kind: ExpressionKind) -> Result<()> {
        check::check_typed(&self.node).map_err(|problem| fault(kind, problem))
    }

    /// What is wrong with a condition of typed parts.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a value that nests too deeply.
    pub(super) fn problem(&self) -> Result<Option<ExpressionFault>> {
        match check::check_typed(&self.node) {
            Ok(()) => Ok(None),
            Err(Problem::Expression(problem)) => Ok(Some(problem)),
            Err(Problem::Other(error)) => Err(error),
        }
    }
}

impl ProjectionPaths {
    /// Refuses paths where the same in text would be refused.
    ///
    /// # Errors
    /// [`Fault::Expression`].
    #[cfg(test)]
    pub(crate) fn check(&self) -> Result<()> {
        self.problem().map_or(Ok(()), |problem| Err(fault(ExpressionKind::Projection, problem.into())))
    }

    /// What is wrong with the paths, by themselves or together.
    pub(super) fn problem(&self) -> Option<ExpressionFault> {
        match self.paths.iter().find_map(crate::item::Path::excess) {
            Some(levels) => Some(ExpressionFault::PathTooDeep { levels }),
            None => overlap::check_overlaps(&self.paths.iter().collect::<Vec<_>>()).err(),
        }
    }
}

fn fault(kind: ExpressionKind, problem: Problem) -> Error {
    match problem {
        Problem::Expression(problem) => Fault::expression(kind, problem).into_error(),
        Problem::Other(error) => error,
    }
}

/// Refuses a request that has expressions and what there was before them, or names or values without an expression.
///
/// `legacy` and `expressions` are the parameters that the operation takes, and whether the request has them.
///
/// # Errors
/// [`Fault::MixedParameters`], [`Fault::NamesWithoutExpression`], [`Fault::ValuesWithoutExpression`].
pub(crate) fn check_parameters(
    legacy: &[(&'static str, bool)],
    expressions: &[(ExpressionKind, bool)],
    has_names: bool,
    has_values: bool,
) -> Result<()> {
    let given: Vec<_> = expressions.iter().filter(|(_, is_given)| *is_given).map(|(kind, _)| *kind).collect();
    let legacy: Vec<_> = legacy.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
    if !given.is_empty() && !legacy.is_empty() {
        return Err(Fault::MixedParameters { legacy, expressions: given }.into_error());
    }
    if has_names && given.is_empty() {
        return Err(Fault::NamesWithoutExpression.into_error());
    }
    let users = expressions.iter().map(|(kind, _)| *kind).filter(|kind| *kind != ExpressionKind::Projection);
    let users: Vec<_> = users.collect();
    if has_values && !given.iter().any(|kind| users.contains(kind)) {
        return Err(Fault::ValuesWithoutExpression(users).into_error());
    }
    Ok(())
}
