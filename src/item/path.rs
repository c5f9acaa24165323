//! Paths to what is inside an item.

use std::fmt;

use crate::limits;

/// A step of a path into a map or list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathElement {
    /// To the entry of a map.
    Name(String),
    /// To the element of a list, from 0.
    Index(u32),
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A path to an attribute, or into the lists and maps of one. It has at most
/// [`limits::ITEM_PATH_ELEMENTS_MAX`] elements.
///
/// Printed as the service's messages show it: `[a, b, [0]]` is `a.b[0]`.
///
/// # Examples
/// ```
/// use larder::item::Path;
/// let path = Path::new("a").name("b").index(0);
/// assert_eq!(path.to_string(), "[a, b, [0]]");
/// assert_eq!(path.attribute(), "a");
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Referring to item attributes when using expressions*: document paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    attribute: String,
    inside: Vec<PathElement>,
}

impl Path {
    /// The path to `attribute`.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::Path::new("a.b").inside().is_empty(), "a name is taken as it is");
    /// ```
    #[must_use]
    pub fn new(attribute: impl Into<String>) -> Self {
        Self { attribute: attribute.into(), inside: Vec::new() }
    }

    /// The path to entry `name` of the map that this one leads to.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::Path::new("a").name("b").inside().len(), 1);
    /// ```
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(PathElement::Name(name.into()))
    }

    /// The path to element `index` of the list that this one leads to.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Path, PathElement};
    /// assert_eq!(Path::new("a").index(3).inside(), [PathElement::Index(3)]);
    /// ```
    #[must_use]
    pub fn index(self, index: u32) -> Self {
        self.with(PathElement::Index(index))
    }

    /// The attribute.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::Path::new("a").name("b").attribute(), "a");
    /// ```
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The steps inside of the attribute.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Path, PathElement};
    /// assert_eq!(Path::new("a").name("b").inside(), [PathElement::Name("b".into())]);
    /// ```
    #[must_use]
    pub fn inside(&self) -> &[PathElement] {
        &self.inside
    }

    pub(super) fn with(mut self, element: PathElement) -> Self {
        self.inside.push(element);
        self
    }

    /// How many elements it has, the attribute too, if these are too many.
    pub(super) fn excess(&self) -> Option<usize> {
        Some(self.inside.len() + 1).filter(|levels| *levels > limits::ITEM_PATH_ELEMENTS_MAX)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        self.inside.iter().try_for_each(|element| write!(f, ", {element}"))?;
        f.write_str("]")
    }
}

impl From<&str> for Path {
    fn from(attribute: &str) -> Self {
        Self::new(attribute)
    }
}

impl From<String> for Path {
    fn from(attribute: String) -> Self {
        Self::new(attribute)
    }
}
