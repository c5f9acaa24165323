//! Sorted sets: distinct members, each with a score, ordered by score and then by bytes.
//!
//! A score is any `f64` but NaN, which is what makes ranks well defined; `-0.0` is stored as `0.0`.
//!
//! # Cost
//! A rank is the number of positions before a member's own, which the engine counts; nothing is kept for it.

mod add;
mod combine;
mod query;
mod range;
mod remove;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::Bound;

pub use add::{AddOptions, Added, ScoreChange};
pub use combine::{Aggregate, Combination};
pub use query::RangeQuery;

use crate::encoding::long;
use crate::engine::Direction;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::collection::Held;
use crate::kv::layout::{self, Elements, KeyBytes};
use crate::kv::record::Kind;
use crate::kv::{Kv, entry};
use crate::limits;
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};

/// Members with their scores.
type Entries = Vec<(Vec<u8>, f64)>;

/// The sorted set at one key of a keyspace. Given by [`Kv::sorted_set`].
///
/// Members are any bytes, at most [`limits::MEMBER_BYTES_MAX`] of them, and compared bytewise. A set comes into being
/// with its first member and is gone with its last. Every method returns [`Error::WrongType`] when the key holds
/// something else, and [`Error::LimitExceeded`] for a key that is too long.
///
/// # Examples
/// ```
/// let board = larder::Store::in_memory().kv().sorted_set("leaderboard");
/// board.add("ann", 41.5)?;
/// board.add("bob", 12.0)?;
/// board.increment("bob", 30.0)?;
/// assert_eq!(board.top(1)?, [(b"bob".to_vec(), 42.0)]);
/// assert_eq!(board.reverse_rank("ann")?, Some(1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SortedSet<S = AutoCommit> {
    kv: Kv<S>,
    key: KeyBytes,
}

impl<S> SortedSet<S> {
    /// The keyspace, and the key in it.
    pub(super) fn place(&self) -> (&Kv<S>, &[u8]) {
        (&self.kv, &self.key)
    }
}

impl<S: Scope> Kv<S> {
    /// The sorted set at `key`. It need not exist; adding the first member creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.sorted_set("board").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn sorted_set(&self, key: impl AsRef<[u8]>) -> SortedSet<S> {
        SortedSet::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> SortedSet<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self { kv, key: key.into() }
    }

    /// The score of `member`.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a member that is too long.
    ///
    /// # Cost
    /// Two lookups.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.5)?;
    /// assert_eq!((board.score("ann")?, board.score("bob")?), (Some(2.5), None));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZSCORE`.
    #[doc(alias = "ZSCORE")]
    pub fn score(&self, member: impl AsRef<[u8]>) -> Result<Option<f64>> {
        let member = member.as_ref();
        let score = self.read("sorted_set.score", || check_member(member), |view, set| score_of(view, set, member))?;
        Ok(score.flatten())
    }

    /// The scores of members, each `None` when it is not in the set.
    ///
    /// # Errors
    /// As [`SortedSet::score`].
    ///
    /// # Cost
    /// A lookup, and one for each member.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.5)?;
    /// assert_eq!(board.scores(["ann", "bob"])?, [Some(2.5), None]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZMSCORE`.
    #[doc(alias = "ZMSCORE")]
    pub fn scores<M: AsRef<[u8]>>(&self, members: impl IntoIterator<Item = M>) -> Result<Vec<Option<f64>>> {
        let members: Vec<_> = members.into_iter().collect();
        let check = || members.iter().try_for_each(|member| check_member(member.as_ref()));
        let scores = self.read("sorted_set.scores", check, |view, set| {
            members.iter().map(|member| score_of(view, set, member.as_ref())).collect()
        })?;
        Ok(scores.unwrap_or_else(|| vec![None; members.len()]))
    }

    /// How many members are before `member`, lowest score first; `None` when it is not in the set.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a member that is too long.
    ///
    /// # Cost
    /// Two lookups and one count.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.5)?;
    /// board.add("bob", 1.0)?;
    /// assert_eq!(board.rank("ann")?, Some(1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANK`.
    #[doc(alias = "ZRANK")]
    pub fn rank(&self, member: impl AsRef<[u8]>) -> Result<Option<u64>> {
        Ok(self.rank_with_score(member, Direction::Forward)?.map(|(rank, _)| rank))
    }

    /// How many members are before `member`, highest score first; `None` when it is not in the set.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a member that is too long.
    ///
    /// # Cost
    /// Two lookups and one count.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.5)?;
    /// board.add("bob", 1.0)?;
    /// assert_eq!(board.reverse_rank("ann")?, Some(0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZREVRANK`.
    #[doc(alias = "ZREVRANK")]
    pub fn reverse_rank(&self, member: impl AsRef<[u8]>) -> Result<Option<u64>> {
        Ok(self.rank_with_score(member, Direction::Backward)?.map(|(rank, _)| rank))
    }

    /// How many members there are; 0 when there is no such key.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup and one count.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.5)?;
    /// assert_eq!(board.len()?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZCARD`.
    #[doc(alias = "ZCARD")]
    pub fn len(&self) -> Result<u64> {
        let len = self.read("sorted_set.len", || Ok(()), |view, set| view.count(&set.positions()))?;
        Ok(len.unwrap_or(0))
    }

    /// Whether there are no members, which is so exactly when there is no such key.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().kv().sorted_set("board").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.read("sorted_set.is_empty", || Ok(()), |_, _| Ok(()))?.is_none())
    }

    /// How many members are before `member` in a direction, and its score; `None` when it is not in the set.
    ///
    /// # Errors
    /// As [`SortedSet::rank`].
    ///
    /// # Cost
    /// As [`SortedSet::rank`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::Direction;
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.5)?;
    /// board.add("bob", 1.0)?;
    /// assert_eq!(board.rank_with_score("bob", Direction::Backward)?, Some((1, 1.0)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANK` with `WITHSCORE`.
    #[doc(alias = "ZRANK")]
    pub fn rank_with_score(&self, member: impl AsRef<[u8]>, direction: Direction) -> Result<Option<(u64, f64)>> {
        let member = member.as_ref();
        let body = |view: &View, set: &Elements| {
            let Some(score) = score_of(view, set, member)? else { return Ok(None) };
            let position = Bound::Excluded(set.position(score, member).into());
            let before = match direction {
                Direction::Forward => set.positions().clamp(Bound::Unbounded, position),
                Direction::Backward => set.positions().clamp(position, Bound::Unbounded),
            };
            Ok(Some((view.count(&before)?, score)))
        };
        Ok(self.read("sorted_set.rank", || check_member(member), body)?.flatten())
    }

    /// Checks the arguments of a read, then runs `body` on the elements, unless there is no such key.
    pub(super) fn read<R>(
        &self,
        verb: &'static str,
        check: impl FnOnce() -> Result<()>,
        body: impl FnOnce(&View, &Elements) -> Result<R>,
    ) -> Result<Option<R>> {
        self.kv.read(verb, &self.key, |view, key| {
            check()?;
            look(view, key)?.map(|set| body(view, &set)).transpose()
        })
    }
}

impl<S: WriteScope> SortedSet<S> {
    /// Gives `member` the score `score`, adding it if need be, and returns whether it is new. A deadline stays.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `score` is NaN, [`Error::LimitExceeded`] for a member that is too long.
    ///
    /// # Cost
    /// Two lookups, and two puts for a new member; one removal more when the score changes.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// assert!(board.add("ann", 1.0)?);
    /// assert!(!board.add("ann", 2.0)?);
    /// assert_eq!(board.score("ann")?, Some(2.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZADD`.
    #[doc(alias = "ZADD")]
    pub fn add(&self, member: impl AsRef<[u8]>, score: f64) -> Result<bool> {
        Ok(self.add_many([(member, score)], AddOptions::default())?.added == 1)
    }

    /// Adds `by` to the score of `member`, which counts as 0 when it is not in the set, and returns the sum.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `by` or the sum is NaN, and nothing is changed; [`Error::LimitExceeded`] for a member
    /// that is too long.
    ///
    /// # Cost
    /// As [`SortedSet::add`].
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// assert_eq!((board.increment("ann", 1.5)?, board.increment("ann", -2.0)?), (1.5, -0.5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZINCRBY`.
    #[doc(alias = "ZINCRBY")]
    pub fn increment(&self, member: impl AsRef<[u8]>, by: f64) -> Result<f64> {
        // Without a condition it always returns the sum.
        Ok(self.increment_if(member, by, AddOptions::default())?.unwrap_or_default())
    }

    /// Runs an operation that may make the set larger.
    fn write<R>(&self, verb: &'static str, mut body: impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
        self.kv.write(verb, &self.key, |writer, key| body(&mut Held::claim(writer, key, Kind::SortedSet)?))
    }

    /// Runs an operation that makes nothing larger.
    fn free<R>(&self, verb: &'static str, mut body: impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
        self.kv.free(verb, &self.key, |writer, key| body(&mut Held::claim(writer, key, Kind::SortedSet)?))
    }
}

/// Gives `member` of the set whose head is kept at `key` the score `score`, and returns the one it had.
pub(super) fn change(writer: &mut Writer, key: &[u8], member: &[u8], score: f64) -> Result<Option<f64>> {
    check_member(member)?;
    let mut set = Held::claim(writer, key, Kind::SortedSet)?;
    let before = if set.exists() { score_of(set.writer, &set.elements, member)? } else { None };
    set_score(&mut set, member, before, layout::canonical(score))?;
    Ok(before)
}

/// Gives `member`, whose score is `before`, the score `score`.
fn set_score(set: &mut Held<'_>, member: &[u8], before: Option<f64>, score: f64) -> Result<()> {
    if before == Some(score) {
        return Ok(());
    }
    if let Some(before) = before {
        set.writer.remove(set.elements.position(before, member));
    }
    set.put_member(member, &layout::encode_score(score))?;
    set.put_position(score, member)
}

/// The elements of the sorted set whose head is kept at `key`.
pub(super) fn look(view: &View, key: &[u8]) -> Result<Option<Elements>> {
    entry::look(view, key, |head, _| {
        head.expect(Kind::SortedSet, key)?;
        head.require_elements()
    })
}

pub(super) fn score_of(view: &View, set: &Elements, member: &[u8]) -> Result<Option<f64>> {
    let found = view.get(&set.member(member))?;
    found.map(|value| layout::decode_score(long::own(member, &value)?)).transpose()
}

/// `score` as it is stored, unless it is NaN.
fn accept(score: f64, what: &str) -> Result<f64> {
    if score.is_nan() {
        return Err(Error::invalid(InvalidKind::Value, format!("{what} is not a number (NaN)")));
    }
    Ok(layout::canonical(score))
}

pub(super) fn check_member(member: &[u8]) -> Result<()> {
    limits::check("sorted set member bytes", limits::MEMBER_BYTES_MAX, member.len())
}
