//! A part of a sorted set, chosen by score.

use std::ops::Bound;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::key::Elements;
use crate::kv::range::collect;
use crate::kv::sorted_set::SortedSet;
use crate::txn::{AutoCommit, Scope, View};

/// Asks a sorted set for members by score. Made by [`SortedSet::by_score`]; nothing is read before
/// [`ScoreQuery::entries`].
///
/// # Examples
/// ```
/// let board = larder::Store::in_memory().kv().sorted_set("board");
/// for (member, score) in [("ann", 1.0), ("bob", 2.0), ("cid", 3.0)] {
///     board.add(member, score)?;
/// }
/// let second = board.by_score(..).reverse().offset(1).limit(1).entries()?;
/// assert_eq!(second, [(b"bob".to_vec(), 2.0)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a query reads nothing until its entries are asked for"]
pub struct ScoreQuery<'a, S = AutoCommit> {
    set: &'a SortedSet<S>,
    bounds: (Bound<f64>, Bound<f64>),
    direction: Direction,
    offset: u64,
    limit: u64,
}

impl<'a, S: Scope> ScoreQuery<'a, S> {
    pub(super) fn new(set: &'a SortedSet<S>, bounds: (Bound<f64>, Bound<f64>)) -> Self {
        Self { set, bounds, direction: Direction::Forward, offset: 0, limit: u64::MAX }
    }

    /// Goes from the highest score to the lowest, through ties too. The bounds stay as they are: lower first.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.by_score(..).reverse().entries()?, [(b"bob".to_vec(), 2.0), (b"ann".to_vec(), 1.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn reverse(mut self) -> Self {
        self.direction = self.direction.reversed();
        self
    }

    /// Leaves out the first `members` members.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.by_score(..).offset(1).entries()?, [(b"bob".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn offset(mut self, members: u64) -> Self {
        self.offset = members;
        self
    }

    /// Takes at most `members` members.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.by_score(..).limit(1).entries()?, [(b"ann".to_vec(), 1.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn limit(mut self, members: u64) -> Self {
        self.limit = members;
        self
    }

    /// The members asked for, with their scores, in order.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a bound is NaN, and as every method of [`SortedSet`].
    ///
    /// # Cost
    /// One lookup; with an offset, a count and a step to it; O(k) for k members.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.by_score(1.5..).entries()?, [(b"bob".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn entries(self) -> Result<Vec<(Vec<u8>, f64)>> {
        self.run("sorted_set.by_score")
    }

    pub(super) fn run(self, verb: &'static str) -> Result<Vec<(Vec<u8>, f64)>> {
        let Self { set, bounds, direction, offset, limit } = self;
        let range = |set: &Elements| set.positions_between(bounds);
        let entries =
            set.read(verb, range, |view: &View, set, range| collect(view, set, &range, direction, offset, limit))?;
        Ok(entries.unwrap_or_default())
    }
}
