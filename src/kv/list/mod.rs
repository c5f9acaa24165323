//! Lists: values in the order in which they were put in.
//!
//! # Storage
//! One entry for each value, place → value (`kv/layout.rs`, kind place). Places are integers that ascend with gaps, so
//! that a value can come between two others; where no gap is left, the list is laid out again. The head keeps how many
//! values there are and between which places (`extent.rs`).
//!
//! # Invariants
//! 1. A list without values does not exist.
//! 2. The head's count and places are those of the entries.
//!
//! # Cost
//! Putting in and taking at an end is a lookup or two and two puts, whatever the transaction did before. An index is
//! one lookup as long as nothing was put in or removed between the ends, and otherwise O(log n): the engine counts.
//! Searching by value, and laying out again, are O(n).

mod extent;
mod held;
#[cfg(test)]
mod tests;

use crate::clock::Timestamp;
use crate::engine::Direction;
use crate::error::{Error, Result};
use crate::kv::end::End;
use crate::kv::layout::KeyBytes;
use crate::kv::record::{Head, Kind};
use crate::kv::{Kv, entry};
use crate::limits;
use crate::txn::{AutoCommit, Scope, WriteScope, Writer};
use extent::{Extent, too_long};
use held::{Found, Held};

/// The list at one key, given by [`Kv::list`].
///
/// # Examples
/// ```
/// use larder::kv::End;
/// let log = larder::Store::in_memory().kv().list("log");
/// log.push(End::Back, ["a", "b", "c"])?;
/// assert_eq!(log.range(0, -1)?, [b"a", b"b", b"c"]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct List<S = AutoCommit> {
    kv: Kv<S>,
    key: KeyBytes,
}

impl<S> List<S> {
    pub(super) fn place(&self) -> (&Kv<S>, &[u8]) {
        (&self.kv, &self.key)
    }
}

impl<S: Scope> Kv<S> {
    /// The list at `key`. It need not exist; pushing the first value creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.list("queue").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn list(&self, key: impl AsRef<[u8]>) -> List<S> {
        List::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> List<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self { kv, key: key.into() }
    }

    /// How many values there are.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().kv().list("queue").len()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LLEN`.
    #[doc(alias = "LLEN")]
    pub fn len(&self) -> Result<u64> {
        Ok(self.read("list.len", |list| Ok(list.extent.len))?.unwrap_or(0))
    }

    /// Whether there is no list.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().kv().list("queue").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.read("list.is_empty", |_| Ok(()))?.is_none())
    }

    /// The value at `index`; -1 is the last.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a", "b"])?;
    /// assert_eq!(log.get(-1)?.as_deref(), Some(&b"b"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LINDEX`.
    #[doc(alias = "LINDEX")]
    pub fn get(&self, index: i64) -> Result<Option<Vec<u8>>> {
        let value = self.read("list.get", |list| {
            let Some(place) = list.place(index)? else { return Ok(None) };
            Ok(list.view.get(&list.elements.place(place))?.map(std::borrow::Cow::into_owned))
        })?;
        Ok(value.flatten())
    }

    /// The values from index `start` to `stop`, both included; negative ones count from the end.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a", "b", "c"])?;
    /// assert_eq!(log.range(-2, 100)?, [b"b", b"c"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LRANGE`.
    #[doc(alias = "LRANGE")]
    pub fn range(&self, start: i64, stop: i64) -> Result<Vec<Vec<u8>>> {
        let values = self.read("list.range", |list| {
            let Some((range, count)) = list.slice(start, stop)? else { return Ok(Vec::new()) };
            let mut cursor = list.view.range(&range, Direction::Forward)?;
            let mut values = Vec::new();
            for _ in 0..count {
                let Some((_, value)) = cursor.next()? else { break };
                values.push(value.to_vec());
            }
            Ok(values)
        })?;
        Ok(values.unwrap_or_default())
    }

    /// The indexes of values that equal `value`, in the order of `direction`, after leaving out the first `skip` of them: at
    /// most `limit`, and found among the first `compared` values.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Cost
    /// One step for each value that is compared.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::Direction;
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a", "b", "a"])?;
    /// assert_eq!(log.positions("a", Direction::Backward, 0, 10, u64::MAX)?, [2, 0]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LPOS`.
    #[doc(alias = "LPOS")]
    pub fn positions(
        &self,
        value: impl AsRef<[u8]>,
        direction: Direction,
        skip: u64,
        limit: u64,
        compared: u64,
    ) -> Result<Vec<u64>> {
        let value = value.as_ref();
        let found = self.read("list.positions", |list| {
            let mut cursor = list.view.range(&list.elements.places(), direction)?;
            let (mut found, mut left_out) = (Vec::new(), 0);
            for step in 0..compared {
                let Some((_, other)) = cursor.next()? else { break };
                if other != value {
                    continue;
                }
                if left_out < skip {
                    left_out += 1;
                    continue;
                }
                found.push(match direction {
                    Direction::Forward => step,
                    Direction::Backward => list.extent.len.saturating_sub(1 + step),
                });
                if found.len() as u64 == limit {
                    break;
                }
            }
            Ok(found)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// What `body` makes of the list; `None` when there is none.
    fn read<R>(&self, verb: &'static str, body: impl FnOnce(&Found<'_>) -> Result<R>) -> Result<Option<R>> {
        self.kv.read(verb, &self.key, |view, key| Found::look(view, key)?.map(|list| body(&list)).transpose())
    }
}

impl<S: WriteScope> List<S> {
    /// Puts values in at an end, one after the other, and returns how many there are then.
    ///
    /// # Errors
    /// As [`List::len`], and [`Error::LimitExceeded`] for a value longer than [`limits::STRING_BYTES_MAX`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let stack = larder::Store::in_memory().kv().list("stack");
    /// assert_eq!(stack.push(End::Front, ["a", "b"])?, 2);
    /// assert_eq!(stack.range(0, -1)?, [b"b", b"a"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LPUSH`, `RPUSH`.
    #[doc(alias("LPUSH", "RPUSH"))]
    pub fn push<V: AsRef<[u8]>>(&self, end: End, values: impl IntoIterator<Item = V>) -> Result<u64> {
        let values: Vec<_> = values.into_iter().collect();
        self.write("list.push", |list| push(list, end, &values))
    }

    /// As [`List::push`], unless there is no list; then it returns 0.
    ///
    /// # Errors
    /// As [`List::push`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// assert_eq!(larder::Store::in_memory().kv().list("log").push_if_present(End::Back, ["a"])?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LPUSHX`, `RPUSHX`.
    #[doc(alias("LPUSHX", "RPUSHX"))]
    pub fn push_if_present<V: AsRef<[u8]>>(&self, end: End, values: impl IntoIterator<Item = V>) -> Result<u64> {
        let values: Vec<_> = values.into_iter().collect();
        self.write("list.push_if_present", |list| if list.extent.is_some() { push(list, end, &values) } else { Ok(0) })
    }

    /// Takes the value at an end.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// assert!(larder::Store::in_memory().kv().list("queue").pop(End::Front)?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LPOP`, `RPOP`.
    #[doc(alias("LPOP", "RPOP"))]
    pub fn pop(&self, end: End) -> Result<Option<Vec<u8>>> {
        self.free("list.pop", |list| {
            let value = list.pop(end)?;
            if value.is_some() {
                list.tell(popped(end));
            }
            Ok(value)
        })
    }

    /// Takes up to `count` values at an end, the outermost first.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Cost
    /// A lookup and a removal for each value.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let queue = larder::Store::in_memory().kv().list("queue");
    /// queue.push(End::Back, ["a", "b", "c"])?;
    /// assert_eq!(queue.pop_many(End::Back, 2)?, [b"c", b"b"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LPOP`, `RPOP`, `LMPOP`.
    #[doc(alias("LPOP", "RPOP", "LMPOP"))]
    pub fn pop_many(&self, end: End, count: u64) -> Result<Vec<Vec<u8>>> {
        self.free("list.pop_many", |list| {
            let mut values = Vec::new();
            for _ in 0..count {
                let Some(value) = list.pop(end)? else { break };
                values.push(value);
            }
            if !values.is_empty() {
                list.tell(popped(end));
            }
            Ok(values)
        })
    }

    /// Puts `value` in the place of the one at `index`, and returns whether there is such a place.
    ///
    /// # Errors
    /// As [`List::push`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a"])?;
    /// assert!(log.set(0, "b")? && !log.set(1, "c")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LSET`.
    #[doc(alias = "LSET")]
    pub fn set(&self, index: i64, value: impl AsRef<[u8]>) -> Result<bool> {
        let value = value.as_ref();
        self.write("list.set", |list| {
            check(value)?;
            let Some(place) = list.place(index)? else { return Ok(false) };
            list.writer.put(list.elements.place(place), value)?;
            list.tell("lset");
            Ok(true)
        })
    }

    /// Puts `value` in before or after the first value that equals `pivot`, on the side of `end`. Returns how many
    /// values there are then; `None` when there is no such pivot.
    ///
    /// # Errors
    /// As [`List::push`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a", "c"])?;
    /// assert_eq!(log.insert(End::Front, "c", "b")?, Some(3));
    /// assert_eq!(log.range(0, -1)?, [b"a", b"b", b"c"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LINSERT`.
    #[doc(alias = "LINSERT")]
    pub fn insert(&self, end: End, pivot: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Option<u64>> {
        let (pivot, value) = (pivot.as_ref(), value.as_ref());
        self.write("list.insert", |list| {
            check(value)?;
            if list.extent.is_none() {
                return Ok(None);
            }
            let Some(place) = list.find(pivot)? else { return Ok(None) };
            if !list.insert(place, end, value)? {
                list.lay_out()?;
                let place = list.find(pivot)?.ok_or_else(too_long)?;
                if !list.insert(place, end, value)? {
                    return Err(too_long());
                }
            }
            list.tell("linsert");
            Ok(list.extent.map(|extent| extent.len))
        })
    }

    /// Removes values that equal `value`, at most `limit`, in the order of `direction`, and returns how many.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::Direction;
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a", "b", "a"])?;
    /// assert_eq!(log.remove("a", Direction::Backward, 1)?, 1);
    /// assert_eq!(log.range(0, -1)?, [b"a", b"b"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LREM`.
    #[doc(alias = "LREM")]
    pub fn remove(&self, value: impl AsRef<[u8]>, direction: Direction, limit: u64) -> Result<u64> {
        let value = value.as_ref();
        self.free("list.remove", |list| {
            if list.extent.is_none() {
                return Ok(0);
            }
            let mut cursor = list.writer.range(&list.elements.places(), direction)?;
            let mut places = Vec::new();
            while (places.len() as u64) < limit
                && let Some((key, other)) = cursor.next()?
            {
                if other == value {
                    places.push(list.elements.read_place(key)?);
                }
            }
            // What a cursor may still read is copied before it is changed.
            drop(cursor);
            list.remove(&places)?;
            if !places.is_empty() {
                list.tell("lrem");
            }
            Ok(places.len() as u64)
        })
    }

    /// Keeps only the values from index `start` to `stop`, both included; negative ones count from the end.
    ///
    /// # Errors
    /// As [`List::len`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let log = larder::Store::in_memory().kv().list("log");
    /// log.push(End::Back, ["a", "b", "c"])?;
    /// log.trim(-2, -1)?;
    /// assert_eq!(log.range(0, -1)?, [b"b", b"c"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `LTRIM`.
    #[doc(alias = "LTRIM")]
    pub fn trim(&self, start: i64, stop: i64) -> Result<()> {
        self.cut(start, stop).map(drop)
    }

    /// As [`List::trim`], and returns how many values it has removed.
    pub(crate) fn cut(&self, start: i64, stop: i64) -> Result<u64> {
        self.free("list.trim", |list| {
            let Some(before) = list.extent else { return Ok(0) };
            list.trim(start, stop)?;
            list.tell("ltrim");
            Ok(before.len - list.extent.map_or(0, |extent| extent.len))
        })
    }

    /// Runs an operation that may make the list larger.
    fn write<R>(&self, verb: &'static str, mut body: impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
        self.kv.write(verb, &self.key, |writer, key| run(writer, key, &mut body))
    }

    /// Runs an operation that makes nothing larger.
    fn free<R>(&self, verb: &'static str, mut body: impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
        self.kv.free(verb, &self.key, |writer, key| run(writer, key, &mut body))
    }
}

fn run<R>(writer: &mut Writer, key: &[u8], body: &mut impl FnMut(&mut Held<'_>) -> Result<R>) -> Result<R> {
    let mut list = Held::claim(writer, key)?;
    let outcome = body(&mut list)?;
    list.finish()?;
    Ok(outcome)
}

fn push<V: AsRef<[u8]>>(list: &mut Held<'_>, end: End, values: &[V]) -> Result<u64> {
    for value in values {
        check(value.as_ref())?;
        list.push(end, value.as_ref())?;
    }
    if !values.is_empty() {
        list.tell(match end {
            End::Front => "lpush",
            End::Back => "rpush",
        });
    }
    Ok(list.extent.map_or(0, |extent| extent.len))
}

/// The event of taking values off at an end.
fn popped(end: End) -> &'static str {
    match end {
        End::Front => "lpop",
        End::Back => "rpop",
    }
}

/// Makes a list of `values`, of which there are some, where there is nothing.
pub(super) fn create(writer: &mut Writer, key: &[u8], deadline: Option<Timestamp>, values: &[Vec<u8>]) -> Result<()> {
    let (elements, mut extent) = (entry::elements(writer, None)?, None);
    for value in values {
        check(value)?;
        let pushed = Extent::pushed(extent, End::Back)?;
        writer.put(elements.place(pushed.edge(End::Back)), value)?;
        extent = Some(pushed);
    }
    let extent = extent.ok_or_else(|| Error::corrupt("list", "it has no values"))?;
    entry::create(writer, key, Head::collection(Kind::List, deadline, &elements), &extent.encode())
}

fn check(value: &[u8]) -> Result<()> {
    limits::check("list value bytes", limits::STRING_BYTES_MAX, value.len())
}
