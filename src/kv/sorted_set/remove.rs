//! Removing members: those that are named, and those at an end.

use crate::error::Result;
use crate::kv::End;
use crate::kv::collection::Held;
use crate::kv::sorted_set::walk::collect;
use crate::kv::sorted_set::{Entries, SortedSet, check_member, score_of};
use crate::txn::WriteScope;

impl<S: WriteScope> SortedSet<S> {
    /// Removes `member`, and returns whether it was there. With its last member goes the set, its deadline included.
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

    /// Removes members, and returns how many of them were there.
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

    /// Takes the member at an end off the set: the one with the lowest score from the front, that with the highest from the back.
    ///
    /// Members of the same score come in the order of their bytes.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups, a step and two removals.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("b", 20.0)?;
    /// due.add("a", 10.0)?;
    /// assert_eq!(due.pop(End::Front)?, Some((b"a".to_vec(), 10.0)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZPOPMIN`, `ZPOPMAX`.
    #[doc(alias("ZPOPMIN", "ZPOPMAX", "pop_min", "pop_max"))]
    pub fn pop(&self, end: End) -> Result<Option<(Vec<u8>, f64)>> {
        Ok(self.take("sorted_set.pop", end, 1)?.pop())
    }

    /// Takes up to `count` members at an end off the set, and returns them with their scores, the outermost first.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups, and for each member a step and two removals.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let board = larder::Store::in_memory().kv().sorted_set("board");
    /// board.add("ann", 1.0)?;
    /// board.add("bob", 2.0)?;
    /// board.add("cid", 3.0)?;
    /// assert_eq!(board.pop_many(End::Back, 2)?, [(b"cid".to_vec(), 3.0), (b"bob".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZPOPMIN`, `ZPOPMAX`, `ZMPOP`.
    #[doc(alias("ZPOPMIN", "ZPOPMAX", "ZMPOP", "pop_min", "pop_max"))]
    pub fn pop_many(&self, end: End, count: u64) -> Result<Vec<(Vec<u8>, f64)>> {
        self.take("sorted_set.pop_many", end, count)
    }

    fn take(&self, verb: &'static str, end: End, count: u64) -> Result<Entries> {
        self.free(verb, |set| {
            if !set.exists() || count == 0 {
                return Ok(Entries::new());
            }
            let entries = collect(set.writer, &set.elements, &set.elements.positions(), end.inwards(), 0, count)?;
            let event = match end {
                End::Front => "zpopmin",
                End::Back => "zpopmax",
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
