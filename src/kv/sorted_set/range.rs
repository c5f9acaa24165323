//! Ranges of sorted sets, by rank, by score and by bytes.

use std::ops::{Bound, RangeBounds};

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::layout::{Elements, decode_score};
use crate::kv::sorted_set::SortedSet;
use crate::kv::sorted_set::query::{Bounds, RangeQuery};
use crate::kv::sorted_set::walk::collect;
use crate::txn::{Scope, View};

impl<S: Scope> SortedSet<S> {
    /// Members and scores from rank `start` to rank `stop`, both included, lowest score first.
    ///
    /// A negative rank counts from the end, -1 being the last. Ranks outside of the set are no error: there is nothing at
    /// them.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup, up to two counts, and O(k) for k members.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// for (member, score) in [("ann", 1.0), ("bob", 2.0), ("cid", 3.0)] {
    ///     board.add(member, score)?;
    /// }
    /// assert_eq!(board.range(-2, -1)?, [(b"bob".to_vec(), 2.0), (b"cid".to_vec(), 3.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE`.
    #[doc(alias = "ZRANGE")]
    pub fn range(&self, start: i64, stop: i64) -> Result<Vec<(Vec<u8>, f64)>> {
        self.by_rank(start, stop).run("sorted_set.range")
    }

    /// Members and scores from rank `start` to rank `stop`, both included, highest score first, ties reversed too.
    ///
    /// Ranks are those of [`SortedSet::reverse_rank`], and count from the end when they are negative.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`SortedSet::range`].
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// for (member, score) in [("ann", 1.0), ("bob", 2.0), ("cid", 3.0)] {
    ///     board.add(member, score)?;
    /// }
    /// assert_eq!(board.reverse_range(0, 1)?, [(b"cid".to_vec(), 3.0), (b"bob".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE` with `REV`.
    #[doc(alias = "ZRANGE")]
    pub fn reverse_range(&self, start: i64, stop: i64) -> Result<Vec<(Vec<u8>, f64)>> {
        self.by_rank(start, stop).reverse().run("sorted_set.reverse_range")
    }

    /// The `n` members with the highest scores, highest first, ties reversed.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup, and O(n).
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.top(1)?, [(b"bob".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn top(&self, n: u64) -> Result<Vec<(Vec<u8>, f64)>> {
        let body = |view: &View, set: &Elements| collect(view, set, &set.positions(), Direction::Backward, 0, n);
        Ok(self.read("sorted_set.top", || Ok(()), body)?.unwrap_or_default())
    }

    /// Members and scores whose score is within `bounds`, lowest score first.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a bound is NaN.
    ///
    /// # Cost
    /// One lookup, and O(k) for k members; [`SortedSet::by_score`] limits k.
    ///
    /// # Examples
    /// ```
    /// use std::ops::Bound;
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.range_by_score(..=1.5)?, [(b"ann".to_vec(), 1.0)]);
    /// assert_eq!(board.range_by_score((Bound::Excluded(1.0), Bound::Unbounded))?, [(b"bob".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE` with `BYSCORE`.
    #[doc(alias = "ZRANGE")]
    pub fn range_by_score(&self, bounds: impl RangeBounds<f64>) -> Result<Vec<(Vec<u8>, f64)>> {
        self.by_score(bounds).run("sorted_set.range_by_score")
    }

    /// Members and scores whose score is within `bounds`, highest score first, ties reversed too.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a bound is NaN.
    ///
    /// # Cost
    /// As [`SortedSet::range_by_score`].
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!(board.reverse_range_by_score(1.0..)?, [(b"bob".to_vec(), 2.0), (b"ann".to_vec(), 1.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE` with `BYSCORE` and `REV`.
    #[doc(alias = "ZRANGE")]
    pub fn reverse_range_by_score(&self, bounds: impl RangeBounds<f64>) -> Result<Vec<(Vec<u8>, f64)>> {
        self.by_score(bounds).reverse().run("sorted_set.reverse_range_by_score")
    }

    /// How many members have a score within `bounds`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a bound is NaN.
    ///
    /// # Cost
    /// One lookup and one count.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// assert_eq!(board.count_by_score(0.0..2.0)?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZCOUNT`.
    #[doc(alias = "ZCOUNT")]
    pub fn count_by_score(&self, bounds: impl RangeBounds<f64>) -> Result<u64> {
        self.by_score(bounds).count()
    }

    /// Asks for a part of the members whose score is within `bounds`: from either end, from an offset, up to a limit.
    ///
    /// # Examples
    /// ```
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// for (job, at) in [("a", 10.0), ("b", 20.0), ("c", 30.0)] {
    ///     due.add(job, at)?;
    /// }
    /// assert_eq!(due.by_score(..=25.0).limit(1).entries()?, [(b"a".to_vec(), 10.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE` with `BYSCORE` and `LIMIT`.
    #[doc(alias = "ZRANGE")]
    pub fn by_score(&self, bounds: impl RangeBounds<f64>) -> RangeQuery<S> {
        RangeQuery::new(self, Bounds::Score((bounds.start_bound().cloned(), bounds.end_bound().cloned())))
    }

    /// Asks for the members from rank `start` to rank `stop`, both included; a negative one counts from the end.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// assert_eq!((board.by_rank(0, 0).remove()?, board.score("ann")?), (1, None));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE`.
    #[doc(alias = "ZRANGE")]
    pub fn by_rank(&self, start: i64, stop: i64) -> RangeQuery<S> {
        RangeQuery::new(self, Bounds::Rank(start, stop))
    }

    /// Asks for the members within `bounds` in bytewise order, in a set whose members all have the same score.
    ///
    /// When scores differ, what is found is the first run of members within the bounds, in order of scores; to find it is to
    /// walk over the members before it.
    ///
    /// # Examples
    /// ```
    /// let names = larder::Store::in_memory().kv().sorted_set("names");
    /// for name in ["ann", "bob", "cid"] {
    ///     names.add(name, 0.0)?;
    /// }
    /// assert_eq!(names.by_lex("b".."c").entries()?, [(b"bob".to_vec(), 0.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANGE` with `BYLEX`.
    #[doc(alias = "ZRANGE")]
    pub fn by_lex<M: AsRef<[u8]>>(&self, bounds: impl RangeBounds<M>) -> RangeQuery<S> {
        let owned = |bound: Bound<&M>| bound.map(|member| member.as_ref().to_vec());
        RangeQuery::new(self, Bounds::Lex((owned(bounds.start_bound()), owned(bounds.end_bound()))))
    }

    /// The member that has `n` before it, with its score, lowest score first.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// O(log n): with a random number below [`SortedSet::len`] it is a random member.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// assert_eq!((board.nth(0)?, board.nth(1)?), (Some((b"ann".to_vec(), 1.0)), None));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANDMEMBER`.
    #[doc(alias = "ZRANDMEMBER")]
    pub fn nth(&self, n: u64) -> Result<Option<(Vec<u8>, f64)>> {
        Ok(self.nths([n])?.pop())
    }

    /// The members at these places, as [`SortedSet::nth`]; what is not there is left out.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// O(log n) for each.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// assert_eq!(board.nths([0, 0, 7])?.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZRANDMEMBER` with a count.
    #[doc(alias = "ZRANDMEMBER")]
    pub fn nths(&self, numbers: impl IntoIterator<Item = u64>) -> Result<Vec<(Vec<u8>, f64)>> {
        let body = |view: &View, set: &Elements| {
            let (positions, mut entries) = (set.positions(), Vec::new());
            for n in numbers {
                if let Some((position, value)) = view.nth(&positions, n)? {
                    let (score, member) = set.read_position(&position, &value)?;
                    entries.push((member.to_vec(), score));
                }
            }
            Ok(entries)
        };
        Ok(self.read("sorted_set.nth", || Ok(()), body)?.unwrap_or_default())
    }

    /// Up to `limit` members that come after `after` in bytewise order, whatever their scores; from the first when that is
    /// `None`.
    ///
    /// # Errors
    /// [`Error::WrongType`](crate::Error::WrongType) when the key holds something else.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.0)?;
    /// board.add("bob", 1.0)?;
    /// assert_eq!(board.members_after(None, 1)?, [(b"ann".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZSCAN`.
    #[doc(alias = "ZSCAN")]
    pub fn members_after(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, f64)>> {
        let body = |view: &View, set: &Elements| {
            let mut cursor = view.range(&set.members_after(after), Direction::Forward)?;
            let mut entries = Vec::new();
            while entries.len() < limit
                && let Some((key, score)) = cursor.next()?
            {
                let (member, score) = set.read_member(key, score)?;
                entries.push((member.to_vec(), decode_score(score)?));
            }
            Ok(entries)
        };
        Ok(self.read("sorted_set.members_after", || Ok(()), body)?.unwrap_or_default())
    }
}
