//! Lists against a deque, and what their heads keep.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::Store;
use crate::kv::entry;

/// Asserts that the head of the list at `key` says what its entries are.
fn check_extent(kv: &Kv, key: &str) {
    let outcome = kv.read("check", key.as_bytes(), |view, key| {
        let found = entry::look(view, key, |head, payload| Ok((head, extent::Extent::decode(payload)?)))?;
        let Some((head, extent)) = found else { return Ok(()) };
        let elements = head.require_elements()?;
        let mut places = Vec::new();
        let mut cursor = view.range(&elements.all(), Direction::Forward)?;
        while let Some((key, _)) = cursor.next()? {
            places.push(elements.read_place(key)?);
        }
        assert_eq!(extent.len, places.len() as u64);
        assert_eq!((Some(&extent.first), Some(&extent.last)), (places.first(), places.last()));
        assert!(!extent.is_even || places.windows(2).all(|pair| pair[1] - pair[0] == extent::GAP));
        Ok(())
    });
    outcome.unwrap();
}

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
            check_extent(&store.kv(), "list");
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
