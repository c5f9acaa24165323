//! Expressions as they are written, before names and values are put in.

use crate::item::expression::token::{Comparator, Lexeme};

/// A part of a condition, or an operand.
#[derive(Debug)]
pub(super) enum Node<'e> {
    /// Two or more conditions.
    And(Vec<Self>),
    /// Two or more conditions.
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(Comparator, Box<Self>, Box<Self>),
    /// Operand, lower bound, upper bound.
    Between(Box<Self>, Box<Self>, Box<Self>),
    In(Box<Self>, Vec<Self>),
    Call(Call<'e>),
    /// An operand plus or minus another, in updates.
    Sum(Sign, Box<Self>, Box<Self>),
    Parentheses(Box<Self>),
    Path(PathNode<'e>),
    /// `:value`
    Value(&'e str),
}

impl Node<'_> {
    /// What is in its parentheses.
    pub(super) fn bare(&self) -> &Self {
        match self {
            Self::Parentheses(inner) => inner.bare(),
            other => other,
        }
    }

    /// It without parentheses around it.
    pub(super) fn stripped(self) -> Self {
        match self {
            Self::Parentheses(inner) => inner.stripped(),
            other => other,
        }
    }

    /// Whether it says yes or no. A function may say so.
    pub(super) fn is_condition(&self) -> bool {
        !matches!(self.bare(), Self::Path(_) | Self::Value(_) | Self::Sum(..))
    }

    /// Whether it can be compared. A function may be.
    pub(super) fn is_operand(&self) -> bool {
        matches!(self.bare(), Self::Path(_) | Self::Value(_) | Self::Call(_))
    }
}

/// Which way a sum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::item) enum Sign {
    Plus,
    Minus,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
        }
    }
}

/// A function and its operands.
#[derive(Debug)]
pub(super) struct Call<'e> {
    pub(super) name: &'e str,
    pub(super) operands: Vec<Node<'e>>,
}

/// A path: its first step is a name.
#[derive(Debug)]
pub(super) struct PathNode<'e> {
    pub(super) steps: Vec<Step<'e>>,
}

/// A step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'e> {
    Name(&'e str),
    /// `#name`
    Placeholder(&'e str),
    Index(&'e str),
}

/// A clause of an update, in the order of the text.
#[derive(Debug)]
pub(super) struct Section<'e> {
    pub(super) kind: SectionKind,
    pub(super) actions: Vec<Action<'e>>,
}

/// What a clause of an update does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Set,
    Remove,
    Add,
    Delete,
}

impl SectionKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Remove => "REMOVE",
            Self::Add => "ADD",
            Self::Delete => "DELETE",
        }
    }
}

/// What is done to one path.
#[derive(Debug)]
pub(super) struct Action<'e> {
    pub(super) path: PathNode<'e>,
    /// Absent in what is removed.
    pub(super) value: Option<Node<'e>>,
}

/// The text of a word or sign.
pub(super) fn text_of(text: &str, lexeme: Lexeme) -> &str {
    text.get(lexeme.start..lexeme.end).unwrap_or_default()
}
