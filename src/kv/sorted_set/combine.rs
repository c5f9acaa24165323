//! Unions, intersections and differences of sorted sets and sets.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::engine::Direction;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::collection::{Held, get};
use crate::kv::layout::{Elements, canonical, decode_score};
use crate::kv::record::Kind;
use crate::kv::sorted_set::{Entries, set_score};
use crate::kv::{Kv, entry};
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};

/// What becomes of the scores of a member that is in several sets.
///
/// # Examples
/// ```
/// use larder::kv::Aggregate;
/// let kv = larder::Store::in_memory().kv();
/// kv.sorted_set("a").add("m", 1.0)?;
/// kv.sorted_set("b").add("m", 2.0)?;
/// assert_eq!(kv.union(["a", "b"]).aggregate(Aggregate::Max).entries()?, [(b"m".to_vec(), 2.0)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// Their sum; that of infinities of both signs is 0.
    #[default]
    Sum,
    /// The lowest of them.
    Min,
    /// The highest of them.
    Max,
}

impl Aggregate {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            // Infinities of both signs cancel each other (SEM: KV-Z-8).
            Self::Sum if (a + b).is_nan() => 0.0,
            Self::Sum => a + b,
            Self::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Self::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
        }
    }
}

/// Which members are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Any,
    All,
    FirstOnly,
}

/// Asks for what several sorted sets have together. Made by [`Kv::union`], [`Kv::intersection`] and [`Kv::difference`]; nothing
/// is read before it is asked for entries, counted or stored.
///
/// The members of a set count with a score of 1, and a key that is not there is a set without members.
///
/// # Examples
/// ```
/// let kv = larder::Store::in_memory().kv();
/// kv.sorted_set("a").add("m", 1.0)?;
/// kv.unsorted_set("b").add("m")?;
/// assert_eq!(kv.intersection(["a", "b"]).weights([10.0, 3.0]).entries()?, [(b"m".to_vec(), 13.0)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a combination reads nothing until its entries are asked for"]
pub struct Combination<S = AutoCommit> {
    kv: Kv<S>,
    which: Which,
    keys: Vec<Vec<u8>>,
    /// One for each key; without any each is 1.
    weights: Vec<f64>,
    aggregate: Aggregate,
}

impl<S: Scope> Kv<S> {
    /// The members of any of the sorted sets and sets at `keys`.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("a").add("m", 1.0)?;
    /// kv.sorted_set("b").add("n", 2.0)?;
    /// assert_eq!(kv.union(["a", "b"]).entries()?.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZUNION`.
    #[doc(alias = "ZUNION")]
    pub fn union<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Combination<S> {
        Combination::new(self, Which::Any, keys)
    }

    /// The members of all of the sorted sets and sets at `keys`.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("a").add("m", 1.0)?;
    /// assert_eq!(kv.intersection(["a", "b"]).count(None)?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZINTER`.
    #[doc(alias = "ZINTER")]
    pub fn intersection<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Combination<S> {
        Combination::new(self, Which::All, keys)
    }

    /// The members of the first of the sorted sets and sets at `keys` that none of the others has.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("a").add("m", 1.0)?;
    /// assert_eq!(kv.difference(["a", "b"]).store_at("only")?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZDIFF`.
    #[doc(alias = "ZDIFF")]
    pub fn difference<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Combination<S> {
        Combination::new(self, Which::FirstOnly, keys)
    }
}

impl<S: Scope> Combination<S> {
    fn new<K: AsRef<[u8]>>(kv: &Kv<S>, which: Which, keys: impl IntoIterator<Item = K>) -> Self {
        let keys = keys.into_iter().map(|key| key.as_ref().to_vec()).collect();
        Self { kv: kv.clone(), which, keys, weights: Vec::new(), aggregate: Aggregate::default() }
    }

    /// Multiplies the scores of each set by its weight before they are put together.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("a").add("m", 2.0)?;
    /// assert_eq!(kv.union(["a"]).weights([-1.5]).entries()?, [(b"m".to_vec(), -3.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.weights = weights.into_iter().collect();
        self
    }

    /// Says what becomes of several scores of one member.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::Aggregate;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("a").add("m", 2.0)?;
    /// assert_eq!(kv.union(["a", "a"]).aggregate(Aggregate::Min).entries()?, [(b"m".to_vec(), 2.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn aggregate(mut self, aggregate: Aggregate) -> Self {
        self.aggregate = aggregate;
        self
    }

    /// The members asked for with their scores, lowest score first.
    ///
    /// # Errors
    /// [`Error::WrongType`] when a key holds neither a sorted set nor a set; [`Error::Invalid`] when there are weights, but not
    /// as many as keys, or one is NaN.
    ///
    /// # Cost
    /// A union reads every set. An intersection reads the smallest and looks its members up in the others; a difference does
    /// so with the first.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.unsorted_set("tags").add("new")?;
    /// assert_eq!(kv.union(["tags"]).entries()?, [(b"new".to_vec(), 1.0)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn entries(&self) -> Result<Vec<(Vec<u8>, f64)>> {
        self.kv.scope.read(self.kv.operation("combine"), |view| self.collect(view, usize::MAX))
    }

    /// How many members are asked for; no more than `limit` are counted.
    ///
    /// # Errors
    /// As [`Combination::entries`].
    ///
    /// # Cost
    /// As [`Combination::entries`], but it ends at the limit.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.unsorted_set("a").add_many(["m", "n"])?;
    /// assert_eq!(kv.intersection(["a", "a"]).count(Some(1))?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZINTERCARD`.
    #[doc(alias = "ZINTERCARD")]
    pub fn count(&self, limit: Option<u64>) -> Result<u64> {
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let entries = self.kv.scope.read(self.kv.operation("count_combination"), |view| self.collect(view, limit))?;
        Ok(entries.len() as u64)
    }

    /// Up to `limit` of the members, in their order unless there is a limit.
    fn collect(&self, view: &View, limit: usize) -> Result<Entries> {
        self.check()?;
        let mut sources = self.sources(view)?;
        if self.which != Which::FirstOnly {
            // Floats are added up from the smallest set to the largest.
            sources.sort_by_key(|source| source.len);
        }
        let mut entries = match self.which {
            Which::Any => self.any(view, &sources)?,
            Which::All | Which::FirstOnly => self.of_first(view, &sources, limit)?,
        };
        entries.truncate(limit);
        entries.sort_by(|(m, a), (n, b)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal).then_with(|| m.cmp(n)));
        Ok(entries)
    }

    fn check(&self) -> Result<()> {
        if !self.weights.is_empty() && self.weights.len() != self.keys.len() {
            return Err(Error::invalid(InvalidKind::Value, "there are not as many weights as sets"));
        }
        if self.weights.iter().any(|weight| weight.is_nan()) {
            return Err(Error::invalid(InvalidKind::Value, "a weight is not a number (NaN)"));
        }
        Ok(())
    }

    fn sources(&self, view: &View) -> Result<Vec<Source>> {
        let mut sources = Vec::with_capacity(self.keys.len());
        for (n, key) in self.keys.iter().enumerate() {
            let key = self.kv.keyspace.head(view, key)?;
            let found = entry::look(view, &key, |head, _| {
                if head.kind != Kind::Set {
                    head.expect(Kind::SortedSet, &key)?;
                }
                head.require_elements()
            })?;
            let weight = self.weights.get(n).copied().unwrap_or(1.0);
            sources.push(match found {
                Some(elements) => Source { len: view.count(&elements.members())?, elements: Some(elements), weight },
                None => Source { len: 0, elements: None, weight },
            });
        }
        Ok(sources)
    }

    fn any(&self, view: &View, sources: &[Source]) -> Result<Entries> {
        let mut scores = BTreeMap::<Vec<u8>, f64>::new();
        for source in sources {
            let Some(elements) = &source.elements else { continue };
            let mut cursor = view.range(&elements.members(), Direction::Forward)?;
            while let Some((key, value)) = cursor.next()? {
                let (member, value) = elements.read_member(key, value)?;
                let score = source.score(value)?;
                match scores.entry(member.to_vec()) {
                    Entry::Vacant(place) => drop(place.insert(score)),
                    Entry::Occupied(mut place) => {
                        let both = self.aggregate.of(*place.get(), score);
                        place.insert(both);
                    }
                }
            }
        }
        Ok(scores.into_iter().collect())
    }

    /// Members of the first source that all others have, or none.
    fn of_first(&self, view: &View, sources: &[Source], limit: usize) -> Result<Entries> {
        let mut entries = Entries::new();
        let Some((first, others)) = sources.split_first() else { return Ok(entries) };
        let Some(elements) = &first.elements else { return Ok(entries) };
        let mut cursor = view.range(&elements.members(), Direction::Forward)?;
        'members: while entries.len() < limit
            && let Some((key, value)) = cursor.next()?
        {
            let (member, value) = elements.read_member(key, value)?;
            let mut score = first.score(value)?;
            for other in others {
                match (other.product_of(view, member)?, self.which) {
                    (Some(_), Which::FirstOnly) | (None, Which::All) => continue 'members,
                    (Some(value), _) => score = self.aggregate.of(score, value),
                    (None, _) => {}
                }
            }
            entries.push((member.to_vec(), score));
        }
        Ok(entries)
    }
}

impl<S: WriteScope> Combination<S> {
    /// Makes the key `destination` a sorted set of the members asked for, in the place of what is there, and returns
    /// how many there are. Without any, nothing is left there.
    ///
    /// # Errors
    /// As [`Combination::entries`].
    ///
    /// # Cost
    /// That of [`Combination::entries`], of removing what is there, and two puts for each member.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("a").add("m", 1.0)?;
    /// assert_eq!(kv.union(["a", "a"]).store_at("a")?, 1);
    /// assert_eq!(kv.sorted_set("a").score("m")?, Some(2.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `ZUNIONSTORE`, `ZINTERSTORE`, `ZDIFFSTORE`.
    #[doc(alias("ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"))]
    pub fn store_at(&self, destination: impl AsRef<[u8]>) -> Result<u64> {
        self.kv.write("store_combination", destination.as_ref(), |writer, destination| {
            let entries = self.collect(writer, usize::MAX)?;
            replace(writer, destination, self.event(), &entries)?;
            Ok(entries.len() as u64)
        })
    }
}

impl<S> Combination<S> {
    /// What is published about storing it.
    fn event(&self) -> &'static str {
        match self.which {
            Which::Any => "zunionstore",
            Which::All => "zinterstore",
            Which::FirstOnly => "zdiffstore",
        }
    }
}

/// A set that is combined with others.
struct Source {
    /// `None` when there is no such key.
    elements: Option<Elements>,
    len: u64,
    weight: f64,
}

impl Source {
    /// The weighted score of a member's entry; that of a set is empty.
    fn score(&self, value: &[u8]) -> Result<f64> {
        let product = self.product(value)?;
        // Nothing times infinity is nothing.
        Ok(if product.is_nan() { 0.0 } else { product })
    }

    fn product(&self, value: &[u8]) -> Result<f64> {
        Ok(self.weight * if value.is_empty() { 1.0 } else { decode_score(value)? })
    }

    /// The product of the weight and a member's score; NaN when it is that of nothing and infinity, which makes a sum of
    /// scores nothing too.
    fn product_of(&self, view: &View, member: &[u8]) -> Result<Option<f64>> {
        let Some(elements) = &self.elements else { return Ok(None) };
        get(view, elements, member)?.map(|value| self.product(&value)).transpose()
    }
}

/// Puts a sorted set of `entries` in the place of what the key has whose head is kept at `key`.
pub(super) fn replace(writer: &mut Writer, key: &[u8], event: &'static str, entries: &Entries) -> Result<()> {
    if let Some(head) = entry::claim(writer, key, |head, _| Ok(head))? {
        entry::remove(writer, key, head)?;
    }
    let mut set = Held::claim(writer, key, Kind::SortedSet)?;
    for (member, score) in entries {
        set_score(&mut set, member, None, canonical(*score))?;
    }
    if !entries.is_empty() {
        set.tell(event);
    }
    Ok(())
}
