//! Projections: which parts of an item are returned.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::item::record::RecordRef;
use crate::item::{AttributeValue, Item, Path, PathElement};

/// Parts of items, by their paths.
///
/// # Examples
/// ```
/// use larder::item::{Path, ProjectionPaths};
/// let parts = ProjectionPaths::new([Path::new("PK"), Path::new("address").name("city")]);
/// assert_eq!(parts.paths().len(), 2);
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Using projection expressions*.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "ProjectionExpression")]
pub struct ProjectionPaths {
    pub(super) paths: Vec<Path>,
}

impl ProjectionPaths {
    /// The parts that `paths` lead to. They do not overlap.
    ///
    /// # Examples
    /// ```
    /// use larder::item::ProjectionPaths;
    /// assert_eq!(ProjectionPaths::new(["a", "b"]).paths().len(), 2);
    /// ```
    pub fn new(paths: impl IntoIterator<Item = impl Into<Path>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect() }
    }

    /// The paths.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Path, ProjectionPaths};
    /// assert_eq!(ProjectionPaths::new(["a"]).paths(), [Path::new("a")]);
    /// ```
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// What `projection` shows of the item of `record`: all of it where there is none.
    ///
    /// # Errors
    /// As [`ProjectionPaths::project`].
    pub(crate) fn show(projection: Option<&Self>, record: RecordRef<'_>) -> Result<Item> {
        match projection {
            Some(projection) => projection.project(record),
            None => record.to_item(),
        }
    }

    /// These parts of the item of `record`. What is not there is left out; elements of a list that are there move together.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) for what is no record, as far as it is read.
    pub(crate) fn project(&self, record: RecordRef<'_>) -> Result<Item> {
        let mut parts = Parts::default();
        for path in &self.paths {
            if let Some(value) = record.at(path)? {
                parts.put(path, value.to_value(path.inside().len())?);
            }
        }
        Ok(parts.into_item())
    }
}

/// Values by the paths that they belong at, to be put together to an item.
#[derive(Debug, Default)]
pub(super) struct Parts {
    attributes: BTreeMap<String, Part>,
}

#[derive(Debug)]
enum Part {
    Value(AttributeValue),
    Map(BTreeMap<String, Self>),
    List(BTreeMap<u32, Self>),
}

impl Part {
    fn map(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    fn list(&mut self) -> Option<&mut BTreeMap<u32, Self>> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    fn into_value(self) -> AttributeValue {
        match self {
            Self::Value(value) => value,
            Self::Map(map) => {
                AttributeValue::M(map.into_iter().map(|(name, part)| (name, part.into_value())).collect())
            }
            Self::List(list) => AttributeValue::L(list.into_values().map(Self::into_value).collect()),
        }
    }
}

impl Parts {
    /// Puts `value` at `path`, which no other path that was put overlaps.
    pub(super) fn put(&mut self, path: &Path, value: AttributeValue) {
        let [first, rest @ ..] = path.inside() else {
            self.attributes.insert(path.attribute().to_owned(), Part::Value(value));
            return;
        };
        let mut part = self.attributes.entry(path.attribute().to_owned()).or_insert_with(|| empty(first));
        let mut element = first;
        for next in rest {
            let Some(inner) = step(part, element, || empty(next)) else { return };
            (part, element) = (inner, next);
        }
        if let Some(place) = step(part, element, || Part::Value(AttributeValue::Null)) {
            *place = Part::Value(value);
        }
    }

    pub(super) fn into_item(self) -> Item {
        self.attributes.into_iter().map(|(name, part)| (name, part.into_value())).collect()
    }
}

/// What `element` leads into.
fn empty(element: &PathElement) -> Part {
    match element {
        PathElement::Name(_) => Part::Map(BTreeMap::new()),
        PathElement::Index(_) => Part::List(BTreeMap::new()),
    }
}

/// What `element` leads to; `None` when a path was put that takes a list for a map.
fn step<'p>(part: &'p mut Part, element: &PathElement, absent: impl FnOnce() -> Part) -> Option<&'p mut Part> {
    match element {
        PathElement::Name(name) => Some(part.map()?.entry(name.clone()).or_insert_with(absent)),
        PathElement::Index(index) => Some(part.list()?.entry(*index).or_insert_with(absent)),
    }
}
