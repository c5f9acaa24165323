//! A list that is being read or changed.

use std::ops::Bound;

use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::kv::entry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::Elements;
use crate::kv::list::End;
use crate::kv::list::extent::{Extent, GAP};
use crate::kv::record::{Head, Kind};
use crate::txn::{View, Writer};

/// A list that is there.
pub(super) struct Found<'a> {
    pub(super) view: &'a View,
    pub(super) elements: Elements,
    pub(super) extent: Extent,
}

impl<'a> Found<'a> {
    /// The list whose head is kept at `key`.
    pub(super) fn look(view: &'a View, key: &[u8]) -> Result<Option<Self>> {
        entry::look(view, key, |head, payload| {
            head.expect(Kind::List, key)?;
            Ok(Self { view, elements: head.require_elements()?, extent: Extent::decode(payload)? })
        })
    }

    /// The place of the value at `index`.
    pub(super) fn place(&self, index: i64) -> Result<Option<i64>> {
        place(self.view, &self.elements, self.extent, index)
    }

    /// The entries from index `start` on, and how many values there are up to `stop`; `None` when there are none.
    pub(super) fn slice(&self, start: i64, stop: i64) -> Result<Option<(KeyRange, u64)>> {
        let Some((start, count)) = numbers(self.extent, start, stop) else { return Ok(None) };
        let Some(first) = nth(self.view, &self.elements, self.extent, start)? else { return Ok(None) };
        let first = Bound::Included(self.elements.place(first).into());
        Ok(Some((self.elements.places().clamp(first, Bound::Unbounded), count)))
    }
}

/// A list that is being changed; [`Held::finish`] keeps what its head says.
pub(super) struct Held<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) elements: Elements,
    key: &'a [u8],
    head: Option<Head>,
    /// `None` when there are no values.
    pub(super) extent: Option<Extent>,
    before: Option<Extent>,
    /// The head is written even if it says the same.
    is_changed: bool,
}

impl<'a> Held<'a> {
    /// The list whose head is kept at `key`.
    pub(super) fn claim(writer: &'a mut Writer, key: &'a [u8]) -> Result<Self> {
        let found = entry::claim(writer, key, |head, payload| {
            head.expect(Kind::List, key)?;
            Ok((head, Extent::decode(payload)?))
        })?;
        let (head, extent) = found.unzip();
        let elements = entry::elements(writer, head)?;
        Ok(Self { writer, elements, key, head, extent, before: extent, is_changed: false })
    }

    /// Publishes that `name` happened to the list.
    pub(super) fn tell(&mut self, name: &'static str) {
        tell(self.writer, KeyEvents::LISTS, name, self.key);
    }

    /// Puts a value in at an end.
    pub(super) fn push(&mut self, end: End, value: &[u8]) -> Result<u64> {
        let extent = Extent::pushed(self.extent, end)?;
        self.writer.put(self.elements.place(extent.edge(end)), value)?;
        self.extent = Some(extent);
        Ok(extent.len)
    }

    /// Takes the value at an end.
    pub(super) fn pop(&mut self, end: End) -> Result<Option<Vec<u8>>> {
        let Some(mut extent) = self.extent else { return Ok(None) };
        let element = self.elements.place(extent.edge(end));
        let value = self.writer.get(&element)?.map(std::borrow::Cow::into_owned);
        self.writer.remove(&element);
        extent.len -= 1;
        if extent.len > 0 {
            let next =
                self.next(extent, end)?.ok_or_else(|| crate::error::Error::corrupt("list", "a value is missing"))?;
            extent.set_edge(end, next);
        }
        self.extent = (extent.len > 0).then_some(extent);
        Ok(value)
    }

    /// The place of the neighbour of the value at an end.
    fn next(&self, extent: Extent, end: End) -> Result<Option<i64>> {
        match end {
            End::Front if extent.is_even => Ok(extent.first.checked_add(GAP)),
            End::Back if extent.is_even => Ok(extent.last.checked_sub(GAP)),
            End::Front => self.neighbour(extent.first, Direction::Forward),
            End::Back => self.neighbour(extent.last, Direction::Backward),
        }
    }

    /// The place that comes after `place` in a direction.
    fn neighbour(&self, place: i64, direction: Direction) -> Result<Option<i64>> {
        let (places, at) = (self.elements.places(), Bound::Excluded(Key::from(self.elements.place(place))));
        let range = match direction {
            Direction::Forward => places.clamp(at, Bound::Unbounded),
            Direction::Backward => places.clamp(Bound::Unbounded, at),
        };
        let next = self.writer.first(&range, direction)?;
        next.map(|(key, _)| self.elements.read_place(&key)).transpose()
    }

    /// The place of the value at `index`.
    pub(super) fn place(&self, index: i64) -> Result<Option<i64>> {
        let Some(extent) = self.extent else { return Ok(None) };
        place(self.writer, &self.elements, extent, index)
    }

    /// Puts a value in beside the one at `place`, on the side of `end`; returns whether there was room.
    pub(super) fn insert(&mut self, place: i64, end: End, value: &[u8]) -> Result<bool> {
        let Some(mut extent) = self.extent else { return Ok(false) };
        if place == extent.edge(end) {
            self.push(end, value)?;
            return Ok(true);
        }
        let direction = end.inwards().reversed();
        let Some(neighbour) = self.neighbour(place, direction)? else { return Ok(false) };
        let middle = place.midpoint(neighbour);
        if middle == place || middle == neighbour {
            return Ok(false);
        }
        self.writer.put(self.elements.place(middle), value)?;
        extent.len += 1;
        extent.is_even = false;
        self.extent = Some(extent);
        Ok(true)
    }

    /// Removes values at places that are in the list.
    pub(super) fn remove(&mut self, places: &[i64]) -> Result<()> {
        let Some(mut extent) = self.extent else { return Ok(()) };
        for place in places {
            self.writer.remove(self.elements.place(*place));
        }
        extent.len = extent.len.saturating_sub(places.len() as u64);
        extent.is_even &= places.is_empty();
        self.extent = (extent.len > 0).then_some(extent);
        self.find_edges(places)
    }

    /// Looks for the ends again where a value of an end is among `removed`.
    fn find_edges(&mut self, removed: &[i64]) -> Result<()> {
        let Some(mut extent) = self.extent else { return Ok(()) };
        for end in [End::Front, End::Back] {
            if removed.contains(&extent.edge(end)) {
                let edge = self.writer.first(&self.elements.places(), end.inwards())?;
                if let Some((key, _)) = edge {
                    extent.set_edge(end, self.elements.read_place(&key)?);
                }
            }
        }
        self.extent = Some(extent);
        Ok(())
    }

    /// Keeps only the values from index `start` to `stop`.
    pub(super) fn trim(&mut self, start: i64, stop: i64) -> Result<()> {
        let Some(mut extent) = self.extent else { return Ok(()) };
        let places = self.elements.places();
        let Some((start, count)) = numbers(extent, start, stop) else {
            self.writer.remove_range(&places)?;
            self.extent = None;
            return Ok(());
        };
        let first = nth(self.writer, &self.elements, extent, start)?;
        let last = nth(self.writer, &self.elements, extent, start + count - 1)?;
        let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
        if first > extent.first {
            let first = Bound::Excluded(self.elements.place(first).into());
            self.writer.remove_range(&places.clone().clamp(Bound::Unbounded, first))?;
        }
        if last < extent.last {
            let last = Bound::Excluded(self.elements.place(last).into());
            self.writer.remove_range(&places.clamp(last, Bound::Unbounded))?;
        }
        (extent.first, extent.last, extent.len) = (first, last, count);
        self.extent = Some(extent);
        // Also a list of which nothing is cut off counts as changed for those who watch it.
        self.is_changed = true;
        Ok(())
    }

    /// Gives every value a new place, with gaps between them.
    pub(super) fn lay_out(&mut self) -> Result<()> {
        let places = self.elements.places();
        let mut cursor = self.writer.range(&places, Direction::Forward)?;
        let mut values = Vec::new();
        while let Some((_, value)) = cursor.next()? {
            values.push(value.to_vec());
        }
        self.writer.remove_range(&places)?;
        self.extent = None;
        for value in &values {
            self.push(End::Back, value)?;
        }
        Ok(())
    }

    /// The place of the first value that equals `pivot`.
    pub(super) fn find(&self, pivot: &[u8]) -> Result<Option<i64>> {
        let mut cursor = self.writer.range(&self.elements.places(), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            if value == pivot {
                return self.elements.read_place(key).map(Some);
            }
        }
        Ok(None)
    }

    /// Writes the head, or removes it with the last value.
    pub(super) fn finish(self) -> Result<()> {
        if self.extent == self.before && !self.is_changed {
            return Ok(());
        }
        match (self.head, self.extent) {
            (None, None) => Ok(()),
            (None, Some(extent)) => {
                let head = Head::collection(Kind::List, None, &self.elements);
                entry::create(self.writer, self.key, head, &extent.encode())
            }
            (Some(head), Some(extent)) => entry::replace(self.writer, self.key, head, &extent.encode()),
            (Some(head), None) => {
                entry::remove_head(self.writer, self.key, head);
                tell(self.writer, KeyEvents::GENERIC, "del", self.key);
                Ok(())
            }
        }
    }
}

/// The place of the value at `index`.
fn place(view: &View, elements: &Elements, extent: Extent, index: i64) -> Result<Option<i64>> {
    match extent.number(index) {
        Some(n) => nth(view, elements, extent, n),
        None => Ok(None),
    }
}

/// The place of the value with `n` before it.
fn nth(view: &View, elements: &Elements, extent: Extent, n: u64) -> Result<Option<i64>> {
    if n >= extent.len {
        return Ok(None);
    }
    if n == extent.len - 1 {
        return Ok(Some(extent.last));
    }
    match extent.place_of(n) {
        Some(place) => Ok(Some(place)),
        None => view.nth(&elements.places(), n)?.map(|(key, _)| elements.read_place(&key)).transpose(),
    }
}

/// How many values are before index `start`, and how many there are up to `stop`; `None` when there are none.
fn numbers(extent: Extent, start: i64, stop: i64) -> Option<(u64, u64)> {
    let (start, stop) = (extent.number(start).unwrap_or(0), extent.number(stop)?.min(extent.len - 1));
    let count = (stop + 1).checked_sub(start).filter(|count| *count > 0)?;
    Some((start, count))
}
