//! Updates: what they do to an item, and how they are read.

mod apply;
mod compile;
#[cfg(test)]
mod tests;

use crate::item::expression::tree::Sign;
use crate::item::{AttributeValue, Path, PathElement};

pub(crate) use apply::Updated;
pub(super) use compile::compile;

/// What an update does to an item.
///
/// # Source
/// `DynamoDB` Developer Guide, *Using update expressions*.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Update {
    actions: Vec<Action>,
    /// Whether it was given by `AttributeUpdates`, which is worded otherwise when it fails.
    is_legacy: bool,
}

/// What is done to one path.
#[derive(Clone, Debug, PartialEq)]
struct Action {
    /// The clause it stands in, counted from 0.
    section: usize,
    path: Path,
    change: Change,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Set(SetValue),
    Remove,
    /// A number that is added, or elements.
    Add(AttributeValue),
    /// Elements that are removed from a set.
    Delete(AttributeValue),
}

/// What an attribute is set to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SetValue {
    Operand(SetOperand),
    Sum(Sign, SetOperand, SetOperand),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SetOperand {
    Value(AttributeValue),
    Path(Path),
    IfNotExists(Path, Box<Self>),
    ListAppend(Box<Self>, Box<Self>),
}

impl Update {
    /// An update of these paths, which do not overlap, as one clause each.
    pub(crate) fn new(changes: impl IntoIterator<Item = (Path, Change)>) -> Self {
        let actions = changes.into_iter().enumerate().map(|(section, (path, change))| Action { section, path, change });
        Self { actions: actions.collect(), is_legacy: false }
    }

    /// The same, worded as `AttributeUpdates` is when it fails.
    pub(crate) fn legacy(self) -> Self {
        Self { is_legacy: true, ..self }
    }

    /// What the actions add to the size of the item that they make: three bytes for them all; two for each that clears
    /// a value and nineteen for each that writes one, one more through an index of a list, fifty more for a sum.
    ///
    /// # Source
    /// Published measurements of the service in eu-west-2.
    pub(crate) fn weight_bytes(&self) -> usize {
        let weight = |action: &Action| match &action.change {
            Change::Remove => 2,
            change => {
                let is_sum = matches!(change, Change::Set(SetValue::Sum(..)));
                let is_element = matches!(action.path.inside().last(), Some(PathElement::Index(_)));
                19 + usize::from(is_element) + if is_sum { 50 } else { 0 }
            }
        };
        3 + self.actions.iter().map(weight).sum::<usize>()
    }

    /// The paths that are written.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.actions.iter().map(|action| &action.path)
    }
}
