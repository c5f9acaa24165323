//! Conditions of typed parts.

use crate::item::expression::condition::{Condition, Operand, Test};
use crate::item::expression::token::Comparator;
use crate::item::{AttributeValue, Path, TypeName};

/// Begins a condition on what `path` leads to: an attribute, or a place in its lists and maps ([`Path`]).
///
/// # Examples
/// ```
/// use larder::item::{Path, path};
/// let cheap = path("price").le(10).and(path(Path::new("tags").index(0)).eq("new"));
/// # let _ = cheap;
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Condition and filter expressions, operators, and functions*.
#[doc(alias("ConditionExpression", "FilterExpression"))]
pub fn path(path: impl Into<Path>) -> PathName {
    PathName(path.into())
}

/// What a condition is about; see [`path`].
///
/// # Examples
/// ```
/// let condition = larder::item::path("price").exists();
/// # let _ = condition;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a path is not a condition yet"]
pub struct PathName(Path);

/// The size of what a condition is about; see [`PathName::size`].
///
/// # Examples
/// ```
/// let condition = larder::item::path("tags").size().gt(3);
/// # let _ = condition;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a size is not a condition yet"]
pub struct PathSize(Path);

fn constant(value: impl Into<AttributeValue>) -> Operand {
    Operand::constant(&value.into())
}

macro_rules! comparisons {
    ($operand:expr) => {
        /// It equals `value`, which has the same type.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().eq(3);
        /// # let _ = condition;
        /// ```
        pub fn eq(self, value: impl Into<AttributeValue>) -> Condition {
            compared(Comparator::Equal, $operand(self.0), value)
        }

        /// It does not equal `value`, is of another type, or is absent.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().ne(3);
        /// # let _ = condition;
        /// ```
        pub fn ne(self, value: impl Into<AttributeValue>) -> Condition {
            compared(Comparator::NotEqual, $operand(self.0), value)
        }

        /// It is below `value`: a string, number or bytes.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().lt(3);
        /// # let _ = condition;
        /// ```
        pub fn lt(self, value: impl Into<AttributeValue>) -> Condition {
            compared(Comparator::Less, $operand(self.0), value)
        }

        /// It is `value` or below.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().le(3);
        /// # let _ = condition;
        /// ```
        pub fn le(self, value: impl Into<AttributeValue>) -> Condition {
            compared(Comparator::LessOrEqual, $operand(self.0), value)
        }

        /// It is above `value`.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().gt(3);
        /// # let _ = condition;
        /// ```
        pub fn gt(self, value: impl Into<AttributeValue>) -> Condition {
            compared(Comparator::Greater, $operand(self.0), value)
        }

        /// It is `value` or above.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().ge(3);
        /// # let _ = condition;
        /// ```
        pub fn ge(self, value: impl Into<AttributeValue>) -> Condition {
            compared(Comparator::GreaterOrEqual, $operand(self.0), value)
        }

        /// It is from `low` to `high`, both included.
        ///
        /// # Examples
        /// ```
        /// let condition = larder::item::path("a").size().between(3, 5);
        /// # let _ = condition;
        /// ```
        pub fn between(self, low: impl Into<AttributeValue>, high: impl Into<AttributeValue>) -> Condition {
            Condition { node: Test::Between($operand(self.0), constant(low), constant(high)) }
        }
    };
}

fn compared(comparator: Comparator, operand: Operand, value: impl Into<AttributeValue>) -> Condition {
    Condition { node: Test::Compare(comparator, operand, constant(value)) }
}

impl PathName {
    comparisons!(Operand::Path);

    /// It equals one of `values`.
    ///
    /// # Examples
    /// ```
    /// let condition = larder::item::path("status").is_in(["open", "held"]);
    /// # let _ = condition;
    /// ```
    #[doc(alias = "IN")]
    pub fn is_in(self, values: impl IntoIterator<Item = impl Into<AttributeValue>>) -> Condition {
        Condition { node: Test::In(Operand::Path(self.0), values.into_iter().map(constant).collect()) }
    }

    /// It is there.
    ///
    /// # Examples
    /// ```
    /// let condition = larder::item::path("PK").exists();
    /// # let _ = condition;
    /// ```
    #[doc(alias = "attribute_exists")]
    pub fn exists(self) -> Condition {
        Condition { node: Test::Exists(self.0) }
    }

    /// It is not there.
    ///
    /// # Examples
    /// ```
    /// let is_new = larder::item::path("PK").not_exists();
    /// # let _ = is_new;
    /// ```
    #[doc(alias = "attribute_not_exists")]
    pub fn not_exists(self) -> Condition {
        Condition { node: Test::NotExists(self.0) }
    }

    /// It has the type `name`.
    ///
    /// # Examples
    /// ```
    /// let condition = larder::item::path("tags").is_type(larder::item::TypeName::Ss);
    /// # let _ = condition;
    /// ```
    #[doc(alias = "attribute_type")]
    pub fn is_type(self, name: TypeName) -> Condition {
        Condition { node: Test::IsType(self.0, name) }
    }

    /// It, a string or bytes, begins with `prefix`.
    ///
    /// # Examples
    /// ```
    /// let condition = larder::item::path("SK").begins_with("EVENT#");
    /// # let _ = condition;
    /// ```
    pub fn begins_with(self, prefix: impl Into<AttributeValue>) -> Condition {
        Condition { node: Test::BeginsWith(Operand::Path(self.0), constant(prefix)) }
    }

    /// It has `part` in it: a string or bytes a run, a set or list an element.
    ///
    /// # Examples
    /// ```
    /// let condition = larder::item::path("tags").contains("new");
    /// # let _ = condition;
    /// ```
    pub fn contains(self, part: impl Into<AttributeValue>) -> Condition {
        Condition { node: Test::Contains(Operand::Path(self.0), constant(part)) }
    }

    /// How large it is: the UTF-16 units of a string, the bytes of a binary, the elements of a list, map or set.
    ///
    /// # Examples
    /// ```
    /// let condition = larder::item::path("tags").size().between(1, 3);
    /// # let _ = condition;
    /// ```
    pub fn size(self) -> PathSize {
        PathSize(self.0)
    }
}

impl PathSize {
    comparisons!(|path| Operand::Size(Box::new(Operand::Path(path))));
}

impl Condition {
    /// Both hold.
    ///
    /// # Examples
    /// ```
    /// use larder::item::path;
    /// let condition = path("a").eq(1).and(path("b").eq(2));
    /// # let _ = condition;
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut conditions = if let Test::And(conditions) = self.node { conditions } else { vec![self.node] };
        conditions.push(other.node);
        Self { node: Test::And(conditions) }
    }

    /// One of both holds.
    ///
    /// # Examples
    /// ```
    /// use larder::item::path;
    /// let condition = path("a").eq(1).or(path("b").eq(2));
    /// # let _ = condition;
    /// ```
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut conditions = if let Test::Or(conditions) = self.node { conditions } else { vec![self.node] };
        conditions.push(other.node);
        Self { node: Test::Or(conditions) }
    }
}

impl std::ops::Not for Condition {
    type Output = Self;

    /// It does not hold.
    fn not(self) -> Self {
        Self { node: Test::Not(Box::new(self.node)) }
    }
}
