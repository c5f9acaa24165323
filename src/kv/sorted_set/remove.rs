//! Removing members: those that are named, and those at an end.

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::collection::Held;
use crate::kv::sorted_set::range::collect;
use crate::kv::sorted_set::{Entries, SortedSet, check_member, score_of};
use crate::txn::WriteScope;

impl<S: WriteScope> SortedSet<S> {
    /// Removes `member`, and answers whether it was there. With its last member goes the set, its deadline included.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a member that is too long.
    ///
    /// # Cost
    /// Three lookups and two removals.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("board").add("ann", 1.0)?;
    /// assert!(kv.sorted_set("board").remove("ann")?);
    /// assert!(!kv.exists("board")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZREM`.
    #[doc(alias = "ZREM")]
    pub fn remove(&self, member: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.remove_many([member])? == 1)
    }

    /// Removes members, and answers how many of them were there.
    ///
    /// # Errors
    /// As [`SortedSet::remove`].
    ///
    /// # Cost
    /// Two lookups, and for each member one and two removals.
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// assert_eq!(board.remove_many(["ann", "bob", "ann"])?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZREM`.
    #[doc(alias = "ZREM")]
    pub fn remove_many<M: AsRef<[u8]>>(&self, members: impl IntoIterator<Item = M>) -> Result<u64> {
        let members: Vec<_> = members.into_iter().collect();
        self.free("sorted_set.remove", |set| {
            members.iter().try_for_each(|member| check_member(member.as_ref()))?;
            if !set.exists() {
                return Ok(0);
            }
            let mut removed = 0;
            for member in &members {
                let member = member.as_ref();
                if let Some(score) = score_of(set.writer, &set.elements, member)? {
                    remove_entry(set, member, score);
                    removed += 1;
                }
            }
            if removed > 0 {
                set.tell("zrem");
                let positions = set.elements.positions();
                set.remove_if_empty(&positions)?;
            }
            Ok(removed)
        })
    }

    /// Removes up to `count` members with the lowest scores, and answers them, lowest first.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups, and for each member a step and two removals.
    ///
    /// # Examples
    /// ```
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("b", 20.0)?;
    /// due.add("a", 10.0)?;
    /// assert_eq!(due.pop_min(1)?, [(b"a".to_vec(), 10.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZPOPMIN`.
    #[doc(alias = "ZPOPMIN")]
    pub fn pop_min(&self, count: u64) -> Result<Vec<(Vec<u8>, f64)>> {
        self.pop("sorted_set.pop_min", Direction::Forward, count)
    }

    /// Removes up to `count` members with the highest scores, and answers them, highest first, ties reversed.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`SortedSet::pop_min`].
    ///
    /// # Examples
    /// ```
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// assert_eq!(board.pop_max(2)?, [(b"ann".to_vec(), 1.0)]);
    /// assert!(board.is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZPOPMAX`.
    #[doc(alias = "ZPOPMAX")]
    pub fn pop_max(&self, count: u64) -> Result<Vec<(Vec<u8>, f64)>> {
        self.pop("sorted_set.pop_max", Direction::Backward, count)
    }

    fn pop(&self, verb: &'static str, direction: Direction, count: u64) -> Result<Entries> {
        self.write(verb, |set| {
            if !set.exists() || count == 0 {
                return Ok(Entries::new());
            }
            let entries = collect(set.writer, &set.elements, &set.elements.positions(), direction, 0, count)?;
            let event = match direction {
                Direction::Forward => "zpopmin",
                Direction::Backward => "zpopmax",
            };
            remove_entries(set, event, &entries)?;
            Ok(entries)
        })
    }
}

/// Removes members that are in the set, and the set with the last one.
pub(super) fn remove_entries(set: &mut Held<'_>, event: &'static str, entries: &Entries) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    for (member, score) in entries {
        remove_entry(set, member, *score);
    }
    set.tell(event);
    let positions = set.elements.positions();
    set.remove_if_empty(&positions)
}

fn remove_entry(set: &mut Held<'_>, member: &[u8], score: f64) {
    set.writer.remove(set.elements.member(member));
    set.writer.remove(set.elements.position(score, member));
}
