//! The paths of an update as a tree, sorted the way they are applied.

use bson::raw::{CString, RawBsonRef, RawDocumentBuf};
use bson::{Bson, Document};

use super::change::Change;
use crate::document::code::Code;
use crate::document::expression::{Context, Names, name};
use crate::document::filter::{Filter, refuse_operators};
use crate::document::path::{FieldPath, For, Part};
use crate::error::{Error, InvalidKind, Result};

/// What happens below a part of a path.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Change(Change),
    Inner(Changes),
}

/// The changes below one level, sorted: array positions by number, then names by their bytes, then what stands for several
/// elements.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<(Key, Node)>);

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A name, and if it reads as one an array position.
    Field(Part),
    /// `$`: the element by which the document was found.
    Matched,
    /// `$[]`: every element.
    All,
    /// `$[name]`: every element that meets the array filter of this number.
    Filtered(usize),
}

impl Key {
    fn sort_key(&self) -> (usize, &str, usize) {
        match self {
            // A name sorts behind every position.
            Self::Field(part) => (part.position().unwrap_or(usize::MAX), part.name(), 0),
            // No name contains a dollar sign in front, so that these are behind all of them.
            Self::Matched => (usize::MAX, "\u{10ffff}", 1),
            Self::All => (usize::MAX, "\u{10ffff}", 2),
            Self::Filtered(number) => (usize::MAX, "\u{10ffff}", 3 + number),
        }
    }
}

/// The conditions that `$[name]` stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrayFilters(Vec<(CString, Filter)>);

impl ArrayFilters {
    /// Compiles the filters, each a condition on paths that begin with one name.
    pub(super) fn compile(texts: &[Document], names: &Names) -> Result<Self> {
        let mut all: Vec<(CString, Filter)> = Vec::with_capacity(texts.len());
        let unnamed = Names::default().collated(names.collator());
        for text in texts {
            refuse_operators(text, "an array filter")?;
            let identifier =
                identifier(text).ok_or_else(|| Code::FAILED_TO_PARSE.value("an array filter names one element"))?;
            let mut characters = identifier.chars();
            let is_name = characters.next().is_some_and(|c| c.is_ascii_lowercase())
                && characters.all(|c| c.is_ascii_alphanumeric());
            if !is_name {
                return Err(Code::BAD_VALUE.value(format!("{identifier:?} cannot name an element of an array filter")));
            }
            let mut one = true;
            let filter = Filter::compile(text, &unnamed)?;
            let plain = filter.each_path(&mut |path| one &= path.split('.').next() == Some(identifier));
            if !one || !plain {
                return Err(Code::FAILED_TO_PARSE.value("an array filter names one element and no other"));
            }
            let identifier = name(identifier)?;
            if all.iter().any(|(held, _)| *held == identifier) {
                let message = format!("two array filters are named {:?}", identifier.as_str());
                return Err(Code::FAILED_TO_PARSE.value(message));
            }
            all.push((identifier, filter));
        }
        Ok(Self(all))
    }

    /// Whether `element` meets the filter of this number.
    pub(super) fn matches(&self, number: usize, element: RawBsonRef<'_>, context: &Context) -> Result<bool> {
        let Some((identifier, filter)) = self.0.get(number) else { return Ok(false) };
        let mut document = RawDocumentBuf::new();
        document.append(identifier, element);
        filter.matches(&document, context)
    }

    /// Refuses filters that no path uses.
    pub(super) fn refuse_unused(&self, used: &[bool]) -> Result<()> {
        match self.0.iter().zip(used).find(|(_, used)| !**used) {
            Some(((identifier, _), _)) => {
                let message = format!("no path uses the array filter {:?}", identifier.as_str());
                Err(Code::FAILED_TO_PARSE.value(message))
            }
            None => Ok(()),
        }
    }

    fn number(&self, identifier: &str) -> Option<usize> {
        self.0.iter().position(|(held, _)| held.as_str() == identifier)
    }
}

/// The name that the paths of an array filter begin with.
fn identifier(text: &Document) -> Option<&str> {
    let (key, value) = text.iter().next()?;
    if !key.starts_with('$') {
        return key.split('.').next();
    }
    match value {
        Bson::Array(clauses) => clauses.first().and_then(Bson::as_document).and_then(identifier),
        _ => None,
    }
}

/// The parts of a dotted path.
pub(super) fn parts(path: &str, filters: &ArrayFilters, used: &mut [bool]) -> Result<Vec<Key>> {
    let part = |part: Part| match part.name() {
        "$" => Ok(Key::Matched),
        "$[]" => Ok(Key::All),
        name => match name.strip_prefix("$[").and_then(|name| name.strip_suffix(']')) {
            None => Ok(Key::Field(part)),
            Some(identifier) => {
                let number = filters.number(identifier).ok_or_else(|| {
                    Code::BAD_VALUE.value(format!("there is no array filter {identifier:?} for the path {path:?}"))
                })?;
                if let Some(used) = used.get_mut(number) {
                    *used = true;
                }
                Ok(Key::Filtered(number))
            }
        },
    };
    if path == "$" || path.starts_with("$.") || path.starts_with("$[") {
        return Err(Code::BAD_VALUE.value(format!("the path {path:?} begins with a positional operator")));
    }
    let parts = FieldPath::split(path, For::Update)?.into_iter().map(part).collect::<Result<Vec<_>>>()?;
    if parts.iter().filter(|part| **part == Key::Matched).count() > 1 {
        return Err(Code::BAD_VALUE.value(format!("the path {path:?} has the positional operator twice")));
    }
    Ok(parts)
}

impl Changes {
    /// Adds `change` at the end of `parts`; `path` is for the message.
    pub(super) fn insert(&mut self, parts: Vec<Key>, change: Change, path: &str) -> Result<()> {
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

    /// Adds all of `others`.
    pub(super) fn merge(&mut self, others: &Self, path: &str) -> Result<()> {
        for (key, node) in &others.0 {
            match self.0.binary_search_by(|(held, _)| held.sort_key().cmp(&key.sort_key())) {
                Err(index) => self.0.insert(index, (key.clone(), node.clone())),
                Ok(index) => match (self.0.get_mut(index), node) {
                    (Some((_, Node::Inner(inner))), Node::Inner(more)) => inner.merge(more, path)?,
                    _ => return Err(conflict(path)),
                },
            }
        }
        Ok(())
    }

    /// Removes and returns what happens to the field `name`.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let is_it = |key: &Key| matches!(key, Key::Field(part) if part.name() == name);
        let index = self.0.iter().position(|(key, _)| is_it(key))?;
        Some(self.0.remove(index).1)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, (Key, Node)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a path leads through `$`.
    pub(super) fn needs_position(&self) -> bool {
        self.iter()
            .any(|(key, node)| *key == Key::Matched || matches!(node, Node::Inner(inner) if inner.needs_position()))
    }
}

pub(super) fn conflict(path: &str) -> Error {
    let message = format!("two operators change the path {path:?}, or one of them changes a prefix of it");
    Error::invalid(InvalidKind::ConflictingUpdate, message)
}
