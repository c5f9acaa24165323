//! Adding members, and when a score is not to be changed.

use crate::error::Result;
use crate::kv::Condition;
use crate::kv::collection::Held;
use crate::kv::sorted_set::{SortedSet, accept, check_member, score_of, set_score};
use crate::txn::WriteScope;

/// Which members are added, and which scores are changed. By default every one is.
///
/// # Examples
/// ```
/// use larder::kv::{AddOptions, Condition, ScoreChange};
/// let best = larder::Store::in_memory().kv().sorted_set("best");
/// best.add("ann", 5.0)?;
/// let only_better = AddOptions::default().on(Condition::Present).only(ScoreChange::Greater);
/// assert_eq!(best.add_many([("ann", 3.0), ("bob", 9.0)], only_better)?.total(), 0);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `ZADD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until something is added with them"]
pub struct AddOptions {
    condition: Option<Condition>,
    change: Option<ScoreChange>,
}

/// Which change of a score is wanted. New members are added whatever it is.
///
/// # Examples
/// ```
/// use larder::kv::{AddOptions, ScoreChange};
/// let fastest = larder::Store::in_memory().kv().sorted_set("fastest");
/// let added = fastest.add_many([("ann", 5.0), ("ann", 7.0)], AddOptions::default().only(ScoreChange::Less))?;
/// assert_eq!((added.added, added.changed, fastest.score("ann")?), (1, 0, Some(5.0)));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScoreChange {
    /// Only to a higher one: `GT`.
    Greater,
    /// Only to a lower one: `LT`.
    Less,
}

/// What [`SortedSet::add_many`] has done.
///
/// # Examples
/// ```
/// let board = larder::Store::in_memory().kv().sorted_set("board");
/// let done = board.add_many([("ann", 1.0), ("ann", 2.0)], Default::default())?;
/// assert_eq!((done.added, done.changed), (1, 1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Added {
    /// Members that were not in the set.
    pub added: u64,
    /// Members that have another score than before.
    pub changed: u64,
}

impl Added {
    /// Members that were added or have another score: what `CH` counts.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::kv::Added { added: 1, changed: 2 }.total(), 3);
    /// ```
    #[must_use]
    pub fn total(self) -> u64 {
        self.added + self.changed
    }
}

impl AddOptions {
    /// Adds only members that are absent, or changes only those that are present.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{AddOptions, Condition};
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// let options = AddOptions::default().on(Condition::Present);
    /// assert_eq!(board.add_many([("ann", 1.0)], options)?.added, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn on(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Changes a score only in one direction.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{AddOptions, ScoreChange};
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 2.0)?;
    /// let options = AddOptions::default().only(ScoreChange::Greater);
    /// assert_eq!(board.add_many([("ann", 1.0)], options)?.changed, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn only(mut self, change: ScoreChange) -> Self {
        self.change = Some(change);
        self
    }

    /// Whether a member may get the score `wanted`.
    fn allow(self, before: Option<f64>, wanted: f64) -> bool {
        let Some(before) = before else { return self.condition != Some(Condition::Present) };
        let is_wanted = match self.change {
            None => true,
            Some(ScoreChange::Greater) => wanted > before,
            Some(ScoreChange::Less) => wanted < before,
        };
        is_wanted && self.condition != Some(Condition::Absent)
    }
}

impl<S: WriteScope> SortedSet<S> {
    /// Gives members their scores, one after the other, as far as `options` allow.
    ///
    /// # Errors
    /// As [`SortedSet::add`]; then nothing is added.
    ///
    /// # Cost
    /// One lookup, and for each member that of [`SortedSet::add`] without its first.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::AddOptions;
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// assert_eq!(board.add_many([("ann", 1.0), ("bob", 2.0)], AddOptions::default())?.added, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZADD`.
    #[doc(alias = "ZADD")]
    pub fn add_many<M: AsRef<[u8]>>(
        &self,
        entries: impl IntoIterator<Item = (M, f64)>,
        options: AddOptions,
    ) -> Result<Added> {
        let entries: Vec<_> = entries.into_iter().collect();
        self.write("sorted_set.add_many", |set| {
            let mut done = Added::default();
            for (member, score) in &entries {
                let (before, after) = put(set, member.as_ref(), options, |_| accept(*score, "score"))?;
                match (before, after) {
                    (None, Some(_)) => done.added += 1,
                    (Some(before), Some(after)) if before.total_cmp(&after).is_ne() => done.changed += 1,
                    _ => {}
                }
            }
            if done.total() > 0 {
                set.tell("zadd");
            }
            Ok(done)
        })
    }

    /// Adds `by` to the score of `member`, which counts as 0 when it is not in the set, if `options` allow the sum.
    /// Returns it then, and otherwise `None`.
    ///
    /// # Errors
    /// As [`SortedSet::increment`].
    ///
    /// # Cost
    /// As [`SortedSet::add`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{AddOptions, Condition};
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// assert_eq!(board.increment_if("ann", 1.5, AddOptions::default().on(Condition::Present))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZADD` with `INCR`.
    #[doc(alias = "ZADD")]
    pub fn increment_if(&self, member: impl AsRef<[u8]>, by: f64, options: AddOptions) -> Result<Option<f64>> {
        let member = member.as_ref();
        let by = accept(by, "increment")?;
        self.write("sorted_set.increment", |set| {
            let sum = |before: Option<f64>| accept(before.unwrap_or(0.0) + by, "resulting score");
            let (_, after) = put(set, member, options, sum)?;
            if after.is_some() {
                set.tell("zincr");
            }
            Ok(after)
        })
    }
}

/// Gives `member` the score that `score` makes of the one it has, and returns both; the new one is `None` when it is
/// not allowed.
fn put(
    set: &mut Held<'_>,
    member: &[u8],
    options: AddOptions,
    score: impl FnOnce(Option<f64>) -> Result<f64>,
) -> Result<(Option<f64>, Option<f64>)> {
    check_member(member)?;
    let before = if set.exists() { score_of(set.writer, &set.elements, member)? } else { None };
    let score = score(before)?;
    if !options.allow(before, score) {
        return Ok((before, None));
    }
    set_score(set, member, before, score)?;
    Ok((before, Some(score)))
}
