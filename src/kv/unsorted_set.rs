//! Sets: distinct members.
//!
//! # Storage
//! One entry for each member, member → nothing (`kv/layout.rs`, kind member).
//!
//! # Invariants
//! A set without members does not exist.

use std::collections::BTreeSet;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::Kv;
use crate::kv::collection::{Collection, Held, check_member};
use crate::kv::record::Kind;
use crate::kv::{KeyEvents, entry, event::tell};
use crate::txn::{AutoCommit, Scope, WriteScope};

/// The set at one key, given by [`Kv::unsorted_set`]. Members come in bytewise order.
///
/// # Examples
/// ```
/// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
/// assert!(tags.add("new")? && !tags.add("new")?);
/// assert_eq!(tags.members()?, [b"new"]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnsortedSet<S = AutoCommit>(Collection<S>);

impl<S: Scope> Kv<S> {
    /// The set at `key`. It need not exist; adding the first member creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.unsorted_set("tags").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn unsorted_set(&self, key: impl AsRef<[u8]>) -> UnsortedSet<S> {
        UnsortedSet::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> UnsortedSet<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self(Collection::new(kv, key, Kind::Set))
    }

    /// Whether `member` is in the set.
    ///
    /// # Errors
    /// [`Error::WrongType`](crate::Error::WrongType) when the key holds something else;
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a member that is too long.
    ///
    /// # Examples
    /// ```
    /// assert!(!larder::Store::in_memory().kv().unsorted_set("tags").contains("new")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SISMEMBER`.
    #[doc(alias = "SISMEMBER")]
    pub fn contains(&self, member: impl AsRef<[u8]>) -> Result<bool> {
        let member = member.as_ref();
        let found = self.0.read("unsorted_set.contains", |view, elements| {
            check(member)?;
            Ok(view.get(&elements.member(member))?.is_some())
        })?;
        Ok(found.unwrap_or(false))
    }

    /// How many members there are.
    ///
    /// # Errors
    /// [`Error::WrongType`](crate::Error::WrongType) when the key holds something else.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().kv().unsorted_set("tags").len()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SCARD`.
    #[doc(alias = "SCARD")]
    pub fn len(&self) -> Result<u64> {
        Ok(self.0.read("unsorted_set.len", |view, elements| view.count(&elements.members()))?.unwrap_or(0))
    }

    /// Whether there is no set.
    ///
    /// # Errors
    /// As [`UnsortedSet::len`].
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().kv().unsorted_set("tags").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        self.0.is_empty("unsorted_set.is_empty")
    }

    /// Every member.
    ///
    /// # Errors
    /// As [`UnsortedSet::len`].
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// tags.add_many(["b", "a"])?;
    /// assert_eq!(tags.members()?, [b"a", b"b"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SMEMBERS`.
    #[doc(alias = "SMEMBERS")]
    pub fn members(&self) -> Result<Vec<Vec<u8>>> {
        self.members_after(None, usize::MAX)
    }

    /// Up to `limit` members that come after `after`, all of them from the first when that is `None`.
    ///
    /// # Errors
    /// As [`UnsortedSet::contains`].
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// tags.add_many(["a", "b", "c"])?;
    /// assert_eq!(tags.members_after(Some(b"a"), 1)?, [b"b"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SSCAN`.
    #[doc(alias = "SSCAN")]
    pub fn members_after(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<Vec<u8>>> {
        let members = self.0.read("unsorted_set.members", |view, elements| {
            let mut cursor = view.range(&elements.members_after(after), Direction::Forward)?;
            let mut members = Vec::new();
            while members.len() < limit
                && let Some((key, value)) = cursor.next()?
            {
                members.push(elements.read_member(key, value)?.0.to_vec());
            }
            Ok(members)
        })?;
        Ok(members.unwrap_or_default())
    }

    /// The member that has `n` before it.
    ///
    /// # Errors
    /// As [`UnsortedSet::len`].
    ///
    /// # Cost
    /// O(log n): with a random number below [`UnsortedSet::len`] it is a random member.
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// tags.add("new")?;
    /// assert_eq!(tags.nth(0)?.as_deref(), Some(&b"new"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn nth(&self, n: u64) -> Result<Option<Vec<u8>>> {
        let member = self.0.read("unsorted_set.nth", |view, elements| {
            let found = view.nth(&elements.members(), n)?;
            found.map(|(key, value)| Ok(elements.read_member(&key, &value)?.0.to_vec())).transpose()
        })?;
        Ok(member.flatten())
    }

    /// Returns the member that has as many before it as `choose` says, which is given how many there are; `None` when there is no
    /// set, or no such member. One operation, where [`UnsortedSet::len`] and [`UnsortedSet::nth`] are two.
    ///
    /// # Errors
    /// As [`UnsortedSet::len`].
    ///
    /// # Cost
    /// O(log n) in engines that count.
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// assert_eq!(tags.pick(|_| 0)?, None);
    /// tags.add_many(["a", "b", "c"])?;
    /// assert_eq!(tags.pick(|len| len - 1)?.as_deref(), Some(&b"c"[..]));
    /// assert_eq!(tags.pick(|len| len)?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SRANDMEMBER`.
    #[doc(alias = "SRANDMEMBER")]
    pub fn pick(&self, choose: impl FnOnce(u64) -> u64) -> Result<Option<Vec<u8>>> {
        let member = self.0.read("unsorted_set.pick", |view, elements| {
            let members = elements.members();
            let found = view.nth(&members, choose(view.count(&members)?))?;
            found.map(|(key, value)| Ok(elements.read_member(&key, &value)?.0.to_vec())).transpose()
        })?;
        Ok(member.flatten())
    }
}

impl<S: WriteScope> UnsortedSet<S> {
    /// Adds `member`, and returns whether it is new.
    ///
    /// # Errors
    /// As [`UnsortedSet::contains`].
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().kv().unsorted_set("tags").add("new")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SADD`.
    #[doc(alias = "SADD")]
    pub fn add(&self, member: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.add_many([member])? == 1)
    }

    /// Adds members, and returns how many of them are new.
    ///
    /// # Errors
    /// As [`UnsortedSet::contains`].
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().kv().unsorted_set("tags").add_many(["a", "b", "a"])?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SADD`.
    #[doc(alias = "SADD")]
    pub fn add_many<M: AsRef<[u8]>>(&self, members: impl IntoIterator<Item = M>) -> Result<u64> {
        let members: Vec<_> = members.into_iter().collect();
        self.0.write("unsorted_set.add", |set| {
            let mut new = 0;
            for member in &members {
                check(member.as_ref())?;
                if set.get(member.as_ref())?.is_none() {
                    set.put_member(member.as_ref(), &[])?;
                    new += 1;
                }
            }
            if new > 0 {
                set.tell("sadd");
            }
            Ok(new)
        })
    }

    /// Removes `member`, and returns whether it was there.
    ///
    /// # Errors
    /// As [`UnsortedSet::contains`].
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// tags.add("new")?;
    /// assert!(tags.remove("new")? && tags.is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SREM`.
    #[doc(alias = "SREM")]
    pub fn remove(&self, member: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.remove_many([member])? == 1)
    }

    /// Removes several members, and returns how many of them were in the set.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`UnsortedSet::remove`] for each.
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// tags.add_many(["new", "sale"])?;
    /// assert_eq!(tags.remove_many(["sale", "old"])?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SREM`.
    #[doc(alias = "SREM")]
    pub fn remove_many<M: AsRef<[u8]>>(&self, members: impl IntoIterator<Item = M>) -> Result<u64> {
        let members: Vec<M> = members.into_iter().collect();
        self.0.free("unsorted_set.remove", |set| {
            let mut removed = 0;
            for member in &members {
                check(member.as_ref())?;
                if set.get(member.as_ref())?.is_some() {
                    set.writer.remove(set.elements.member(member.as_ref()));
                    removed += 1;
                }
            }
            if removed > 0 {
                set.tell("srem");
                let members = set.elements.members();
                set.remove_if_empty(&members)?;
            }
            Ok(removed)
        })
    }
}

impl<S: WriteScope> UnsortedSet<S> {
    /// Takes out the members at `places`, each place once, and returns them in that order. Places
    /// drawn at random make it a draw.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// O(log n) per member.
    ///
    /// # Examples
    /// ```
    /// let tags = larder::Store::in_memory().kv().unsorted_set("tags");
    /// tags.add_many(["a", "b", "c"])?;
    /// assert_eq!(tags.take_nth(&[2, 0, 9])?, [b"c", b"a"]);
    /// assert_eq!(tags.members()?, [b"b"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SPOP`.
    #[doc(alias = "SPOP")]
    pub fn take_nth(&self, places: &[u64]) -> Result<Vec<Vec<u8>>> {
        self.0.free("unsorted_set.remove", |set| {
            if !set.exists() {
                return Ok(Vec::new());
            }
            let range = set.elements.members();
            let mut taken = Vec::new();
            for place in places {
                if let Some((element, value)) = set.writer.nth(&range, *place)? {
                    let member = set.elements.read_member(&element, &value)?.0.to_vec();
                    taken.push((element, member));
                }
            }
            for (element, _) in &taken {
                set.writer.remove(element);
            }
            if !taken.is_empty() {
                set.tell("spop");
                set.remove_if_empty(&range)?;
            }
            Ok(taken.into_iter().map(|(_, member)| member).collect())
        })
    }

    /// Makes the key a set of `members`, whatever it held; without any, nothing is there afterwards. Returns how many members it has.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key or member that is too long.
    ///
    /// # Cost
    /// O(log n) per member. What was there is removed as by [`Kv::remove`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("tags", "a string")?;
    /// assert_eq!(kv.unsorted_set("tags").replace(["new", "blue", "new"])?, 2);
    /// assert_eq!(kv.unsorted_set("tags").members()?, [b"blue".to_vec(), b"new".to_vec()]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SUNIONSTORE` and its like.
    #[doc(alias("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"))]
    pub fn replace<M: AsRef<[u8]>>(&self, members: impl IntoIterator<Item = M>) -> Result<u64> {
        self.replace_as("sadd", members)
    }

    /// As [`UnsortedSet::replace`], for which `event` is published.
    pub(crate) fn replace_as<M: AsRef<[u8]>>(
        &self,
        event: &'static str,
        members: impl IntoIterator<Item = M>,
    ) -> Result<u64> {
        let members: Vec<_> = members.into_iter().collect();
        let (kv, key) = self.0.place();
        kv.write("unsorted_set.replace", key, |writer, key| {
            let before = entry::claim(writer, key, |head, _| Ok(head))?;
            if let Some(head) = before {
                entry::remove(writer, key, head)?;
            }
            let mut set = Held::claim(writer, key, Kind::Set)?;
            for member in &members {
                check(member.as_ref())?;
                set.put_member(member.as_ref(), &[])?;
            }
            if !members.is_empty() {
                set.tell(event);
            } else if before.is_some() {
                tell(writer, KeyEvents::GENERIC, "del", key);
            }
            Ok(members.iter().map(AsRef::as_ref).collect::<BTreeSet<_>>().len() as u64)
        })
    }
}

fn check(member: &[u8]) -> Result<()> {
    check_member("set member bytes", member)
}
