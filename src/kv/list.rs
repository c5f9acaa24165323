//! Lists: values in the order in which they were put in.
//!
//! # Storage
//! One entry for each value, place → value (`kv/key.rs`, kind place). Places are integers that ascend with gaps, so that a value
//! can come between two others; where no gap is left, the list is laid out again.
//!
//! # Invariants
//! A list without values does not exist (SEM: KV-STR-3).
//!
//! # Cost
//! Both ends and any index are O(log n): the engine counts. Searching by value, and laying out again, are O(n).

use std::ops::Bound;

use crate::engine::{Direction, Key, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::Kv;
use crate::kv::collection::{Collection, Held};
use crate::kv::key::Elements;
use crate::kv::record::Kind;
use crate::limits;
use crate::txn::{AutoCommit, Scope, View, WriteScope};

/// The distance between two neighbours that were put in at an end: 2^47 of them fit on either side.
pub(super) const GAP: i64 = 1 << 16;

/// One of the two ends of a list.
///
/// # Examples
/// ```
/// use larder::kv::End;
/// let queue = larder::Store::in_memory().kv().list("queue");
/// queue.push(End::Back, ["a", "b"])?;
/// assert_eq!(queue.pop(End::Front)?.as_deref(), Some(&b"a"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Where index 0 is: Redis's left.
    Front,
    /// Where index -1 is: Redis's right.
    Back,
}

impl End {
    /// The direction that starts from this end.
    fn inwards(self) -> Direction {
        match self {
            Self::Front => Direction::Forward,
            Self::Back => Direction::Backward,
        }
    }
}

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
pub struct List<S = AutoCommit>(Collection<S>);

impl<S: Scope> List<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self(Collection::new(kv, key, Kind::List))
    }

    pub(super) fn place(&self) -> (&Kv<S>, &[u8]) {
        self.0.place()
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
    pub fn len(&self) -> Result<u64> {
        Ok(self.0.read("list.len", |view, elements| view.count(&elements.places()))?.unwrap_or(0))
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
        self.0.is_empty("list.is_empty")
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
    pub fn get(&self, index: i64) -> Result<Option<Vec<u8>>> {
        let value =
            self.0.read("list.get", |view, elements| Ok(nth(view, elements, index)?.map(|(_, value)| value)))?;
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
    pub fn range(&self, start: i64, stop: i64) -> Result<Vec<Vec<u8>>> {
        let values = self.0.read("list.range", |view, elements| {
            let Some((range, count)) = slice(view, elements, start, stop)? else { return Ok(Vec::new()) };
            let mut cursor = view.range(&range, Direction::Forward)?;
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
    pub fn positions(
        &self,
        value: impl AsRef<[u8]>,
        direction: Direction,
        skip: u64,
        limit: u64,
        compared: u64,
    ) -> Result<Vec<u64>> {
        let value = value.as_ref();
        let found = self.0.read("list.positions", |view, elements| {
            let places = elements.places();
            let len = view.count(&places)?;
            let mut cursor = view.range(&places, direction)?;
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
                    Direction::Backward => len - 1 - step,
                });
                if found.len() as u64 == limit {
                    break;
                }
            }
            Ok(found)
        })?;
        Ok(found.unwrap_or_default())
    }
}

impl<S: WriteScope> List<S> {
    /// Puts values in at an end, one after the other, and answers how many there are then.
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
    pub fn push<V: AsRef<[u8]>>(&self, end: End, values: impl IntoIterator<Item = V>) -> Result<u64> {
        let values: Vec<_> = values.into_iter().collect();
        self.0.write("list.push", |list| push(list, end, &values))
    }

    /// As [`List::push`], unless there is no list; then it answers 0.
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
    pub fn push_if_present<V: AsRef<[u8]>>(&self, end: End, values: impl IntoIterator<Item = V>) -> Result<u64> {
        let values: Vec<_> = values.into_iter().collect();
        self.0.write("list.push_if_present", |list| if list.exists() { push(list, end, &values) } else { Ok(0) })
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
    pub fn pop(&self, end: End) -> Result<Option<Vec<u8>>> {
        self.0.write("list.pop", |list| {
            let places = list.elements.places();
            let Some((key, value)) = list.first(&places, end.inwards())? else { return Ok(None) };
            list.writer.remove(&key);
            list.remove_if_empty(&places)?;
            Ok(Some(value.to_vec()))
        })
    }

    /// Puts `value` in the place of the one at `index`, and answers whether there is such a place.
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
    pub fn set(&self, index: i64, value: impl AsRef<[u8]>) -> Result<bool> {
        let value = value.as_ref();
        self.0.write("list.set", |list| {
            check(value)?;
            let found = if list.exists() { nth(list.writer, &list.elements, index)? } else { None };
            let Some((key, _)) = found else { return Ok(false) };
            list.put(key, value)?;
            Ok(true)
        })
    }

    /// Puts `value` in before or after the first value that equals `pivot`, on the side of `end`. Answers how many values there
    /// are then; `None` when there is no such pivot.
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
    pub fn insert(&self, end: End, pivot: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Option<u64>> {
        let (pivot, value) = (pivot.as_ref(), value.as_ref());
        self.0.write("list.insert", |list| {
            check(value)?;
            if !list.exists() {
                return Ok(None);
            }
            let places = list.elements.places();
            let Some(place) = find(list, pivot)? else { return Ok(None) };
            let mut free = between(list, place, end)?;
            if free.is_none() {
                lay_out(list)?;
                free = find(list, pivot)?.map(|place| between(list, place, end)).transpose()?.flatten();
            }
            let place = free.ok_or_else(too_long)?;
            let element = list.elements.place(place);
            list.put(element, value)?;
            list.writer.count(&places).map(Some)
        })
    }

    /// Removes values that equal `value`, at most `limit`, in the order of `direction`, and answers how many.
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
    pub fn remove(&self, value: impl AsRef<[u8]>, direction: Direction, limit: u64) -> Result<u64> {
        let value = value.as_ref();
        self.0.write("list.remove", |list| {
            if !list.exists() {
                return Ok(0);
            }
            let places = list.elements.places();
            let mut cursor = list.writer.range(&places, direction)?;
            let mut removed = 0;
            while removed < limit
                && let Some((key, other)) = cursor.next()?
            {
                if other == value {
                    list.writer.remove(key);
                    removed += 1;
                }
            }
            list.remove_if_empty(&places)?;
            Ok(removed)
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
    pub fn trim(&self, start: i64, stop: i64) -> Result<()> {
        self.0.write("list.trim", |list| {
            if !list.exists() {
                return Ok(());
            }
            let places = list.elements.places();
            match slice(list.writer, &list.elements, start, stop)? {
                None => drop(list.writer.remove_range(&places)?),
                Some((from, count)) => {
                    let after = list.writer.nth(&from, count)?;
                    let before = places.clone().clamp(Bound::Unbounded, excluded(from.start()));
                    list.writer.remove_range(&before)?;
                    if let Some((after, _)) = after {
                        let rest = places.clone().clamp(Bound::Included(after), Bound::Unbounded);
                        list.writer.remove_range(&rest)?;
                    }
                }
            }
            list.remove_if_empty(&places)
        })
    }
}

fn push<V: AsRef<[u8]>>(list: &mut Held<'_>, end: End, values: &[V]) -> Result<u64> {
    let places = list.elements.places();
    let outermost = list.first(&places, end.inwards())?;
    let mut edge = outermost.map(|(key, _)| list.elements.read_place(&key)).transpose()?;
    for value in values {
        check(value.as_ref())?;
        let place = match (edge, end) {
            (None, _) => 0,
            (Some(edge), End::Front) => edge.checked_sub(GAP).ok_or_else(too_long)?,
            (Some(edge), End::Back) => edge.checked_add(GAP).ok_or_else(too_long)?,
        };
        let element = list.elements.place(place);
        list.put(element, value.as_ref())?;
        edge = Some(place);
    }
    list.writer.count(&places)
}

/// The entry at an index.
fn nth(view: &View, elements: &Elements, index: i64) -> Result<Option<(Key, Vec<u8>)>> {
    let places = elements.places();
    let n = if index < 0 {
        let Some(n) = view.count(&places)?.checked_sub(index.unsigned_abs()) else { return Ok(None) };
        n
    } else {
        index.unsigned_abs()
    };
    Ok(view.nth(&places, n)?.map(|(key, value)| (key, value.to_vec())))
}

/// The range from index `start` on, and how many values there are up to `stop`; `None` when there are none.
fn slice(view: &View, elements: &Elements, start: i64, stop: i64) -> Result<Option<(KeyRange, u64)>> {
    let places = elements.places();
    let len = view.count(&places)?;
    let index = |index: i64| {
        if index < 0 { len.checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) }
    };
    let (start, Some(stop)) = (index(start).unwrap_or(0), index(stop)) else { return Ok(None) };
    let stop = stop.min(len.saturating_sub(1));
    let Some(count) = (stop + 1).checked_sub(start).filter(|count| *count > 0) else { return Ok(None) };
    let first = view.nth(&places, start)?;
    Ok(first.map(|(first, _)| (places.clamp(Bound::Included(first), Bound::Unbounded), count)))
}

/// The place of the first value that equals `pivot`.
fn find(list: &Held<'_>, pivot: &[u8]) -> Result<Option<i64>> {
    let mut cursor = list.writer.range(&list.elements.places(), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        if value == pivot {
            return list.elements.read_place(key).map(Some);
        }
    }
    Ok(None)
}

/// A place beside `place`, on the side of `end`; `None` when there is no gap.
fn between(list: &Held<'_>, place: i64, end: End) -> Result<Option<i64>> {
    let (places, at) = (list.elements.places(), Bound::Excluded(Key::from(list.elements.place(place))));
    let (range, direction) = match end {
        End::Front => (places.clamp(Bound::Unbounded, at), Direction::Backward),
        End::Back => (places.clamp(at, Bound::Unbounded), Direction::Forward),
    };
    let Some((neighbour, _)) = list.first(&range, direction)? else {
        return Ok(match end {
            End::Front => place.checked_sub(GAP),
            End::Back => place.checked_add(GAP),
        });
    };
    let middle = place.midpoint(list.elements.read_place(&neighbour)?);
    let is_free = list.get(&list.elements.place(middle))?.is_none();
    Ok(is_free.then_some(middle))
}

/// Gives every value a place anew, with gaps between them.
fn lay_out(list: &mut Held<'_>) -> Result<()> {
    let places = list.elements.places();
    let mut cursor = list.writer.range(&places, Direction::Forward)?;
    let mut values = Vec::new();
    while let Some((_, value)) = cursor.next()? {
        values.push(value.to_vec());
    }
    list.writer.remove_range(&places)?;
    for (n, value) in (0..).zip(&values) {
        let place = GAP.checked_mul(n).ok_or_else(too_long)?;
        let element = list.elements.place(place);
        list.put(element, value)?;
    }
    Ok(())
}

/// The end of what comes before a range with this start.
fn excluded(start: &Bound<Key>) -> Bound<Key> {
    match start {
        Bound::Included(key) | Bound::Excluded(key) => Bound::Excluded(key.clone()),
        Bound::Unbounded => Bound::Excluded(Key::default()),
    }
}

fn check(value: &[u8]) -> Result<()> {
    limits::check("list value bytes", limits::STRING_BYTES_MAX, value.len())
}

fn too_long() -> Error {
    Error::invalid(InvalidKind::Overflow, "the list has no place left at this end")
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::Store;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Push(bool, Vec<u8>),
        Pop(bool),
        Set(i64, u8),
        Insert(bool, u8, u8),
        Remove(u8, bool, u64),
        Trim(i64, i64),
        Read(i64, i64),
    }

    fn op() -> impl Strategy<Value = Op> {
        let value = || 0..4u8;
        let index = || -9..9i64;
        prop_oneof![
            4 => (any::<bool>(), prop::collection::vec(value(), 0..4)).prop_map(|(front, values)| Op::Push(front, values)),
            2 => any::<bool>().prop_map(Op::Pop),
            1 => (index(), value()).prop_map(|(index, value)| Op::Set(index, value)),
            4 => (any::<bool>(), value(), value()).prop_map(|(front, pivot, value)| Op::Insert(front, pivot, value)),
            1 => (value(), any::<bool>(), 0..3u64).prop_map(|(value, back, limit)| Op::Remove(value, back, limit)),
            1 => (index(), index()).prop_map(|(start, stop)| Op::Trim(start, stop)),
            3 => (index(), index()).prop_map(|(start, stop)| Op::Read(start, stop)),
        ]
    }

    fn end(front: bool) -> End {
        if front { End::Front } else { End::Back }
    }

    /// The places from `start` to `stop`, as the command reference has it.
    fn between(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
        let len = i64::try_from(len).unwrap();
        let (start, stop) = (if start < 0 { start + len } else { start }, if stop < 0 { stop + len } else { stop });
        let (start, stop) = (start.max(0), (stop + 1).min(len));
        if start >= stop { 0..0 } else { usize::try_from(start).unwrap()..usize::try_from(stop).unwrap() }
    }

    proptest! {
        #[test]
        fn a_list_is_a_deque(ops in prop::collection::vec(op(), 1..60)) {
            let store = Store::in_memory();
            let list = store.kv().list("list");
            let mut model = VecDeque::<u8>::new();
            for op in ops {
                match op {
                    Op::Push(front, values) => {
                        let len = list.push(end(front), values.iter().map(|value| [*value])).unwrap();
                        for value in values {
                            if front { model.push_front(value) } else { model.push_back(value) }
                        }
                        prop_assert_eq!(len, model.len() as u64);
                    }
                    Op::Pop(front) => {
                        let expected = if front { model.pop_front() } else { model.pop_back() };
                        prop_assert_eq!(list.pop(end(front)).unwrap(), expected.map(|value| vec![value]));
                    }
                    Op::Set(index, value) => {
                        let at = if index < 0 { index + i64::try_from(model.len()).unwrap() } else { index };
                        let place = usize::try_from(at).ok().and_then(|at| model.get_mut(at));
                        prop_assert_eq!(list.set(index, [value]).unwrap(), place.is_some());
                        if let Some(place) = place {
                            *place = value;
                        }
                    }
                    Op::Insert(front, pivot, value) => {
                        let at = model.iter().position(|other| *other == pivot);
                        if let Some(at) = at {
                            model.insert(at + usize::from(!front), value);
                        }
                        let expected = at.map(|_| model.len() as u64);
                        prop_assert_eq!(list.insert(end(front), [pivot], [value]).unwrap(), expected);
                    }
                    Op::Remove(value, back, limit) => {
                        let direction = if back { Direction::Backward } else { Direction::Forward };
                        let removed = list.remove([value], direction, limit).unwrap();
                        let mut places: Vec<_> = (0..model.len()).filter(|at| model[*at] == value).collect();
                        if back {
                            places.reverse();
                        }
                        places.truncate(usize::try_from(limit).unwrap());
                        prop_assert_eq!(removed, places.len() as u64);
                        places.sort_unstable();
                        for at in places.into_iter().rev() {
                            model.remove(at);
                        }
                    }
                    Op::Trim(start, stop) => {
                        list.trim(start, stop).unwrap();
                        let kept = between(start, stop, model.len());
                        model = model.range(kept).copied().collect();
                    }
                    Op::Read(start, stop) => {
                        let expected: Vec<_> =
                            model.range(between(start, stop, model.len())).map(|value| vec![*value]).collect();
                        prop_assert_eq!(list.range(start, stop).unwrap(), expected);
                        let at = if start < 0 { start + i64::try_from(model.len()).unwrap() } else { start };
                        let expected = usize::try_from(at).ok().and_then(|at| model.get(at)).map(|value| vec![*value]);
                        prop_assert_eq!(list.get(start).unwrap(), expected);
                    }
                }
                prop_assert_eq!(list.len().unwrap(), model.len() as u64);
                prop_assert_eq!(store.kv().exists("list").unwrap(), !model.is_empty());
            }
        }
    }

    #[test]
    fn a_list_without_gaps_is_laid_out_again() {
        let list = Store::in_memory().kv().list("list");
        list.push(End::Back, ["first", "last"]).unwrap();
        // Each value goes in right behind the first: the gap is halved every time.
        for n in 0..100 {
            assert_eq!(list.insert(End::Back, "first", n.to_string()).unwrap(), Some(n + 3));
        }
        let expected: Vec<_> = (0..100).rev().map(|n: u64| n.to_string().into_bytes()).collect();
        assert_eq!(list.range(1, -2).unwrap(), expected);
    }
}
