//! The paths of an update as a tree, sorted the way they are applied.

use std::borrow::Cow;
use std::cmp::Ordering;

use bson::raw::CString;

use super::change::Change;
use super::moment::Moment;
use crate::document::code::Code;
use crate::document::expression::name;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// What happens below a part of a path.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Change(Change),
    Inner(Changes),
}

/// The changes below one level, sorted: array positions by number, then names by their bytes, then the parts that stand
/// for elements.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<(Part, Node)>);

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A name. What reads as an array position is also a field name.
    Field { name: CString, position: Option<usize> },
    /// `$`: the element that the filter found.
    Matched,
    /// `$[]`: every element.
    All,
    /// `$[name]`: the elements that the array filter of this name lets through.
    Filtered(String),
}

impl Part {
    /// Reads the part at `place` of a path.
    fn parse(text: &str, place: usize, path: &str) -> Result<Self> {
        let first = place == 0;
        match text {
            "" => {
                let message = format!("the path {path:?} of an update has an empty part");
                Err(Code::EMPTY_FIELD_NAME.syntax(message))
            }
            "$" if !first => Ok(Self::Matched),
            "$[]" if !first => Ok(Self::All),
            _ if text == "$" || (text.starts_with("$[") && text.ends_with(']')) => match text.get(2..text.len() - 1) {
                Some(identifier) if !first => Ok(Self::Filtered(identifier.to_owned())),
                _ => Err(Code::BAD_VALUE.value(format!("the path {path:?} begins with {text}, which stands in an array"))),
            },
            _ if first && text.starts_with('$') => {
                let message = format!("the field name {text:?} begins with a dollar sign");
                Err(Code::DOLLAR_PREFIXED_FIELD_NAME.value(message))
            }
            _ => Self::field(text),
        }
    }

    fn field(text: &str) -> Result<Self> {
        // A leading zero or a sign makes a plain name: positions have one spelling.
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        let position = text.parse().ok().filter(|_| canonical);
        Ok(Self::Field { name: name(text)?, position })
    }

    /// The position in an array that is written in the path.
    pub(super) fn position(&self) -> Option<usize> {
        match self {
            Self::Field { position, .. } => *position,
            _ => None,
        }
    }

    /// Whether it stands for elements of an array, whichever.
    pub(super) fn is_dynamic(&self) -> bool {
        !matches!(self, Self::Field { .. })
    }

    fn compare(&self, other: &Self) -> Ordering {
        // A name sorts behind every position.
        let rank = |part: &Self| match part {
            Self::Field { position, .. } => position.unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let text = |part: &Self| match part {
            Self::Field { name, .. } => (0, name.as_str().to_owned()),
            Self::Matched => (1, String::new()),
            Self::All => (2, String::new()),
            Self::Filtered(identifier) => (3, identifier.clone()),
        };
        rank(self).cmp(&rank(other)).then_with(|| text(self).cmp(&text(other)))
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field { name, .. } => f.write_str(name.as_str()),
            Self::Matched => f.write_str("$"),
            Self::All => f.write_str("$[]"),
            Self::Filtered(identifier) => write!(f, "$[{identifier}]"),
        }
    }
}

/// The parts of a dotted path.
///
/// # Errors
/// [`Error::Invalid`] for an empty part, a dollar sign at the beginning and a second `$`; [`Error::LimitExceeded`].
pub(super) fn parts(path: &str) -> Result<Vec<Part>> {
    let parts = path.split('.').enumerate().map(|(place, text)| Part::parse(text, place, path));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    limits::check("path parts", limits::PATH_PARTS_MAX, parts.len())?;
    if parts.iter().filter(|part| **part == Part::Matched).count() > 1 {
        return Err(Code::BAD_VALUE.value(format!("the path {path:?} has more than one positional operator $")));
    }
    Ok(parts)
}

impl Changes {
    /// Adds `change` at the end of `parts`; `path` is for the message.
    pub(super) fn insert(&mut self, parts: Vec<Part>, change: Change, path: &str) -> Result<()> {
        let mut level = self;
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let index = match level.place(&part) {
                Ok(_) if last => return Err(conflict(path)),
                Ok(index) => index,
                Err(index) if last => {
                    level.0.insert(index, (part, Node::Change(change)));
                    return Ok(());
                }
                Err(index) => {
                    level.0.insert(index, (part, Node::Inner(Self::default())));
                    index
                }
            };
            level = match level.0.get_mut(index) {
                Some((_, Node::Inner(inner))) => inner,
                _ => return Err(conflict(path)),
            };
        }
        Ok(())
    }

    fn place(&self, part: &Part) -> Result<usize, usize> {
        self.0.binary_search_by(|(held, _)| held.compare(part))
    }

    /// Adds what happens at `part` to what happens there already.
    fn merge(&mut self, part: Part, node: Node) -> Result<()> {
        let index = match self.place(&part) {
            Err(index) => {
                self.0.insert(index, (part, node));
                return Ok(());
            }
            Ok(index) => index,
        };
        match (self.0.get_mut(index), node) {
            (Some((_, Node::Inner(held))), Node::Inner(more)) => {
                more.0.into_iter().try_for_each(|(part, node)| held.merge(part, node))
            }
            _ => Err(conflict(&part.to_string())),
        }
    }

    /// Removes and returns what happens to the field `name`.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let is_it = |(part, _): &(Part, Node)| matches!(part, Part::Field { name: held, .. } if held.as_str() == name);
        let index = self.0.iter().position(is_it)?;
        Some(self.0.remove(index).1)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, (Part, Node)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether anything is done that needs its path to lead somewhere.
    pub(super) fn needs_path(&self, moment: &Moment<'_>) -> bool {
        self.iter().any(|(_, node)| node.needs_path(moment))
    }

    /// Whether anything is written where nothing is yet. Only such changes make the parents of their path.
    pub(super) fn creates(&self, moment: &Moment<'_>) -> bool {
        self.iter().any(|(_, node)| node.creates(moment))
    }

    /// Whether some part of some path is `$`.
    pub(super) fn has_matched(&self) -> bool {
        self.iter().any(|(part, node)| {
            *part == Part::Matched || matches!(node, Node::Inner(inner) if inner.has_matched())
        })
    }

    /// Calls `visit` with the name of every array filter in the paths.
    pub(super) fn each_filter(&self, visit: &mut dyn FnMut(&str)) {
        for (part, node) in self.iter() {
            if let Part::Filtered(identifier) = part {
                visit(identifier);
            }
            if let Node::Inner(inner) = node {
                inner.each_filter(visit);
            }
        }
    }

    /// The changes as they meet a document: `$` is the name that reads like the position.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `$[]` and `$[name]`, which need an array, and for two changes that meet in one field.
    pub(super) fn at_document(&self, moment: &Moment<'_>) -> Result<Cow<'_, Self>> {
        if !self.iter().any(|(part, _)| part.is_dynamic()) {
            return Ok(Cow::Borrowed(self));
        }
        let mut resolved = Self::default();
        for (part, node) in self.iter() {
            let part = match part {
                Part::Matched => Part::field(&moment.position()?.to_string())?,
                Part::All | Part::Filtered(_) if !node.needs_path(moment) => continue,
                Part::All | Part::Filtered(_) => {
                    return Err(Code::BAD_VALUE.value(format!("{part} needs an array, and there is none at this place")));
                }
                field @ Part::Field { .. } => field.clone(),
            };
            resolved.merge(part, node.clone())?;
        }
        Ok(Cow::Owned(resolved))
    }

    /// What happens to the element at `position` of an array, in whose place `matches` says what array filters let through.
    ///
    /// # Errors
    /// [`Error::Invalid`] when two changes meet in one place; those of `matches`.
    pub(super) fn at_element(
        &self,
        position: usize,
        matched: Option<usize>,
        mut matches: impl FnMut(&str) -> Result<bool>,
    ) -> Result<Option<Cow<'_, Node>>> {
        let mut found: Option<Cow<'_, Node>> = None;
        for (part, node) in self.iter() {
            let applies = match part {
                Part::Field { position: written, .. } => *written == Some(position),
                Part::Matched => matched == Some(position),
                Part::All => true,
                Part::Filtered(identifier) => matches(identifier)?,
            };
            if !applies {
                continue;
            }
            found = Some(match found {
                None => Cow::Borrowed(node),
                Some(held) => Cow::Owned(held.into_owned().with(node.clone(), position)?),
            });
        }
        Ok(found)
    }
}

impl Node {
    pub(super) fn needs_path(&self, moment: &Moment<'_>) -> bool {
        match self {
            Self::Change(change) => change.needs_path(moment),
            Self::Inner(changes) => changes.needs_path(moment),
        }
    }

    pub(super) fn creates(&self, moment: &Moment<'_>) -> bool {
        match self {
            Self::Change(change) => change.creates(moment),
            Self::Inner(changes) => changes.creates(moment),
        }
    }

    /// Both changes of one place.
    fn with(self, other: Self, position: usize) -> Result<Self> {
        match (self, other) {
            (Self::Inner(mut held), Self::Inner(more)) => {
                more.0.into_iter().try_for_each(|(part, node)| held.merge(part, node))?;
                Ok(Self::Inner(held))
            }
            _ => Err(conflict(&position.to_string())),
        }
    }
}

fn conflict(path: &str) -> Error {
    let message = format!("two operators change the path {path:?}, or one of them changes a prefix of it");
    Error::invalid(InvalidKind::ConflictingUpdate, message)
}
