//! The paths of an update as a tree, sorted the way they are applied.

use bson::raw::{CString, RawBson};

use crate::document::expression::name;
use crate::document::number::Number;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// What happens at the end of a path.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Set(RawBson),
    Increment(Number),
    Unset,
}

/// What happens below a part of a path.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Change(Change),
    Inner(Changes),
}

/// The changes below one level, sorted: array positions by number, then names by their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<(Part, Node)>);

/// One part of a path. What reads as an array position is also a field name.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: CString,
    pub(super) position: Option<usize>,
}

impl Part {
    fn new(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::syntax("a path has an empty part"));
        }
        if text == "$" || text.starts_with("$[") {
            return Err(Error::unsupported(format!("positional operator {text}")));
        }
        if text.starts_with('$') {
            return Err(Error::value(format!("the field name {text:?} begins with a dollar sign")));
        }
        // A leading zero or a sign makes a plain name: positions have one spelling.
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        let position = text.parse().ok().filter(|_| canonical);
        Ok(Self { name: name(text)?, position })
    }

    fn sort_key(&self) -> (usize, &str) {
        // A name sorts behind every position.
        (self.position.unwrap_or(usize::MAX), self.name.as_str())
    }
}

/// The parts of a dotted path.
pub(super) fn parts(path: &str) -> Result<Vec<Part>> {
    let parts = path.split('.').map(Part::new).collect::<Result<Vec<_>>>()?;
    limits::check("path parts", limits::PATH_PARTS_MAX, parts.len())?;
    Ok(parts)
}

impl Changes {
    /// Adds `change` at the end of `parts`; `path` is for the message.
    pub(super) fn insert(&mut self, parts: Vec<Part>, change: Change, path: &str) -> Result<()> {
        let mut level = self;
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let place = level.0.binary_search_by(|(held, _)| held.sort_key().cmp(&part.sort_key()));
            let index = match place {
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

    /// Removes and answers what happens to the field `name`.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let index = self.0.iter().position(|(part, _)| part.name.as_str() == name)?;
        Some(self.0.remove(index).1)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, (Part, Node)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether anything is written where nothing is yet. Only such changes need their path to exist.
    pub(super) fn creates(&self) -> bool {
        self.iter().any(|(_, node)| node.creates())
    }
}

impl Node {
    pub(super) fn creates(&self) -> bool {
        match self {
            Self::Change(Change::Unset) => false,
            Self::Change(Change::Set(_) | Change::Increment(_)) => true,
            Self::Inner(changes) => changes.creates(),
        }
    }
}

fn conflict(path: &str) -> Error {
    let message = format!("two operators change the path {path:?}, or one of them changes a prefix of it");
    Error::invalid(InvalidKind::ConflictingUpdate, message)
}
