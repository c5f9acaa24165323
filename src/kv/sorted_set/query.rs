//! A part of a sorted set, chosen by rank, by score or by bytes.

use std::ops::Bound;

use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::kv::collection::Held;
use crate::kv::layout::{self, Elements};
use crate::kv::record::Kind;
use crate::kv::sorted_set::combine::replace;
use crate::kv::sorted_set::remove::remove_entries;
use crate::kv::sorted_set::walk::{collect, ranks};
use crate::kv::sorted_set::{Entries, SortedSet};
use crate::txn::{AutoCommit, Scope, View, WriteScope};

/// Asks a sorted set for some of its members. Made by [`SortedSet::by_rank`], [`SortedSet::by_score`] and
/// [`SortedSet::by_lex`]; nothing is read before it is asked for entries, counted or removed.
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
pub struct RangeQuery<S = AutoCommit> {
    set: SortedSet<S>,
    bounds: Bounds,
    direction: Direction,
    offset: u64,
    limit: u64,
}

/// Between what the members are.
#[derive(Clone, Debug)]
pub(super) enum Bounds {
    /// From one rank to another, both included; negative ones count from the end.
    Rank(i64, i64),
    Score((Bound<f64>, Bound<f64>)),
    Lex((Bound<Vec<u8>>, Bound<Vec<u8>>)),
}

impl<S: Scope> RangeQuery<S> {
    pub(super) fn new(set: &SortedSet<S>, bounds: Bounds) -> Self {
        Self { set: set.clone(), bounds, direction: Direction::Forward, offset: 0, limit: u64::MAX }
    }

    /// Goes from the highest score to the lowest, through ties too. Bounds of scores and of bytes stay as they are, lower first;
    /// ranks are those of [`SortedSet::reverse_rank`].
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
    ///
    /// # Source
    /// Redis command reference, `ZRANGE`.
    #[doc(alias = "ZRANGE")]
    pub fn entries(self) -> Result<Vec<(Vec<u8>, f64)>> {
        self.run("sorted_set.query")
    }

    pub(super) fn run(self, verb: &'static str) -> Result<Entries> {
        Ok(self.set.read(verb, || self.check(), |view, set| self.collect(view, set))?.unwrap_or_default())
    }

    /// How many members are asked for.
    ///
    /// # Errors
    /// As [`RangeQuery::entries`].
    ///
    /// # Cost
    /// One lookup and one count; with bounds of bytes a step more.
    ///
    /// # Examples
    /// ```
    /// let names = larder::Store::in_memory().kv().sorted_set("names");
    /// names.add("ann", 0.0)?;
    /// names.add("bob", 0.0)?;
    /// assert_eq!(names.by_lex("b"..).count()?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZCOUNT`, `ZLEXCOUNT`.
    #[doc(alias("ZCOUNT", "ZLEXCOUNT"))]
    pub fn count(self) -> Result<u64> {
        let count = |view: &View, set: &Elements| {
            let Some((range, skip, take)) = self.range(view, set)? else { return Ok(0) };
            Ok(view.count(&range)?.saturating_sub(skip).min(take))
        };
        Ok(self.set.read("sorted_set.count", || self.check(), count)?.unwrap_or(0))
    }

    /// Refuses bounds that are not valid.
    fn check(&self) -> Result<()> {
        match self.bounds {
            Bounds::Score(bounds) => layout::check_scores(bounds),
            Bounds::Rank(..) | Bounds::Lex(_) => Ok(()),
        }
    }

    fn collect(&self, view: &View, set: &Elements) -> Result<Entries> {
        let Some((range, skip, take)) = self.range(view, set)? else { return Ok(Entries::new()) };
        collect(view, set, &range, self.direction, skip, take)
    }

    /// The positions within the bounds, how many of them to skip and how many to take; `None` when there are none.
    fn range(&self, view: &View, set: &Elements) -> Result<Option<(KeyRange, u64, u64)>> {
        let range = match &self.bounds {
            Bounds::Score(bounds) => set.positions_between(*bounds)?,
            Bounds::Lex((start, end)) => {
                let Some(range) = self.between(view, set, start, end)? else { return Ok(None) };
                range
            }
            Bounds::Rank(start, stop) => {
                let positions = set.positions();
                let len = if *start < 0 || *stop < 0 { view.count(&positions)? } else { 0 };
                let Some((skip, take)) = ranks(*start, *stop, len) else { return Ok(None) };
                let take = take.saturating_sub(self.offset).min(self.limit);
                return Ok(Some((positions, skip.saturating_add(self.offset), take)));
            }
        };
        Ok(Some((range, self.offset, self.limit)))
    }

    /// The positions of the members between two bounds of bytes. When scores differ, it is the run of members that walking
    /// from the end where the query begins comes upon first.
    fn between(
        &self,
        view: &View,
        set: &Elements,
        start: &Bound<Vec<u8>>,
        end: &Bound<Vec<u8>>,
    ) -> Result<Option<KeyRange>> {
        let positions = set.positions();
        let edge = |direction| view.first(&positions, direction);
        let (Some((front, of_front)), Some((back, of_back))) = (edge(Direction::Forward)?, edge(Direction::Backward)?)
        else {
            return Ok(None);
        };
        let (score, least) = set.read_position(&front, &of_front)?;
        let (highest, greatest) = set.read_position(&back, &of_back)?;
        // All members have one score, as they should: they are in the order of their bytes, and the bounds are a range.
        if score >= highest {
            let at = |bound: &Bound<Vec<u8>>| bound.as_ref().map(|member| set.position(score, member).into());
            return Ok(Some(positions.clamp(at(start), at(end))));
        }
        let is_from_start = |member: &[u8]| match start {
            Bound::Included(start) => member >= &**start,
            Bound::Excluded(start) => member > &**start,
            Bound::Unbounded => true,
        };
        let is_to_end = |member: &[u8]| match end {
            Bound::Included(end) => member <= &**end,
            Bound::Excluded(end) => member < &**end,
            Bound::Unbounded => true,
        };
        if !is_to_end(least) || !is_from_start(greatest) {
            return Ok(None);
        }
        // With several scores bytes are in no order, and Redis does not refuse it. It walks from the first member within the
        // bound where it begins to the first one outside of the other, and so does this.
        let mut cursor = view.range(&positions, self.direction)?;
        let mut run: Option<(Vec<u8>, Vec<u8>)> = None;
        while let Some((position, value)) = cursor.next()? {
            let (_, member) = set.read_position(position, value)?;
            let (has_begun, goes_on) = match self.direction {
                Direction::Forward => (is_from_start(member), is_to_end(member)),
                Direction::Backward => (is_to_end(member), is_from_start(member)),
            };
            match &mut run {
                None if !has_begun => {}
                _ if !goes_on => break,
                None => run = Some((position.to_vec(), position.to_vec())),
                Some((_, at)) => *at = position.to_vec(),
            }
        }
        Ok(run.map(|(from, to)| {
            let (low, high) = if self.direction == Direction::Forward { (from, to) } else { (to, from) };
            positions.clamp(Bound::Included(low.into()), Bound::Included(high.into()))
        }))
    }
}

impl<S: WriteScope> RangeQuery<S> {
    /// Removes the members asked for, and returns how many there were.
    ///
    /// # Errors
    /// As [`RangeQuery::entries`].
    ///
    /// # Cost
    /// That of [`RangeQuery::entries`], and two removals for each member.
    ///
    /// # Examples
    /// ```
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// due.add("b", 20.0)?;
    /// assert_eq!((due.by_score(..=15.0).remove()?, due.len()?), (1, 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZREMRANGEBYRANK`, `ZREMRANGEBYSCORE`, `ZREMRANGEBYLEX`.
    #[doc(alias("ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREMRANGEBYLEX"))]
    pub fn remove(self) -> Result<u64> {
        self.set.free("sorted_set.remove_range", |set| {
            self.check()?;
            if !set.exists() {
                return Ok(0);
            }
            let entries = self.collect(set.writer, &set.elements)?;
            remove_entries(set, self.bounds.removal_event(), &entries)?;
            Ok(entries.len() as u64)
        })
    }

    /// Makes the key `destination` a sorted set of the members asked for, in the place of what is there, and returns
    /// how many there are. Without any, nothing is left there.
    ///
    /// # Errors
    /// As [`RangeQuery::entries`].
    ///
    /// # Cost
    /// That of [`RangeQuery::entries`], of removing what is there, and two puts for each member.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("board").add("ann", 1.0)?;
    /// assert_eq!(kv.sorted_set("board").by_rank(0, 9).copy_to("top")?, 1);
    /// assert_eq!(kv.sorted_set("top").score("ann")?, Some(1.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGESTORE`.
    #[doc(alias = "ZRANGESTORE")]
    pub fn copy_to(self, destination: impl AsRef<[u8]>) -> Result<u64> {
        let SortedSet { kv, key } = &self.set;
        kv.write("sorted_set.copy_range", destination.as_ref(), |writer, destination| {
            let source = kv.keyspace.head(writer, key)?;
            let source = Held::claim(writer, &source, Kind::SortedSet)?;
            self.check()?;
            let exists = source.exists();
            let entries = if exists { self.collect(source.writer, &source.elements)? } else { Entries::new() };
            replace(writer, destination, "zrangestore", &entries)?;
            Ok(entries.len() as u64)
        })
    }
}

impl Bounds {
    /// What is published about removing what is between them.
    fn removal_event(&self) -> &'static str {
        match self {
            Self::Rank(..) => "zremrangebyrank",
            Self::Score(_) => "zremrangebyscore",
            Self::Lex(_) => "zremrangebylex",
        }
    }
}
