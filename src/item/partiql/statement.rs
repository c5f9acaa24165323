//! What statements are.

use crate::item::expression::Change;
use crate::item::{Condition, Item, Path};

/// A statement, with its parameters put in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    Select(Select),
    Insert {
        table: String,
        item: Item,
    },
    Update {
        target: Target,
        changes: Vec<(Path, Change)>,
        condition: Option<Condition>,
        returning: Option<Returning>,
    },
    Delete {
        target: Target,
        condition: Option<Condition>,
        returning: Option<Returning>,
    },
    /// A read that a transaction depends on.
    Exists(Select),
}

/// A table, or one of its indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) table: String,
    pub(crate) index: Option<String>,
}

/// A read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Select {
    /// `None` for all attributes.
    pub(crate) columns: Option<Vec<Path>>,
    pub(crate) target: Target,
    pub(crate) condition: Option<Condition>,
    pub(crate) order: Vec<Order>,
}

/// An attribute that items are ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) attribute: String,
    pub(crate) is_descending: bool,
}

/// What a write returns: attributes that it writes or all, as they were or as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Returning {
    pub(crate) is_all: bool,
    pub(crate) is_old: bool,
}

impl Returning {
    /// As it is written: `ALL OLD`.
    pub(crate) fn words(self) -> String {
        let (extent, time) = (if self.is_all { "ALL" } else { "MODIFIED" }, if self.is_old { "OLD" } else { "NEW" });
        format!("{extent} {time}")
    }
}

/// The name that a column has in what is returned: the last step of its path.
pub(crate) fn column_name(path: &Path) -> String {
    use crate::item::PathElement;
    match path.inside() {
        [] => path.attribute().to_owned(),
        [.., PathElement::Name(name)] => name.clone(),
        inside => {
            let indexes = inside.iter().rev().take_while(|element| matches!(element, PathElement::Index(_))).count();
            let (through, indexes) = inside.split_at(inside.len() - indexes);
            let name = match through.last() {
                Some(element) => element.to_string(),
                None => path.attribute().to_owned(),
            };
            indexes.iter().fold(name, |name, index| format!("{name}{index}"))
        }
    }
}
