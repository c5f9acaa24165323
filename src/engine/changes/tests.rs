use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::engine::Key;
use crate::engine::tree::TreeCursor;

type Model = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Op {
    Set(Vec<u8>, Option<Vec<u8>>),
    /// So many keys in a row, with values of one length.
    SetMany(u16, usize),
    /// So many keys that were never put before, in two ascending runs, one between the other.
    AddMany(u16, usize),
    Forget(Vec<u8>),
    ForgetMany(u16),
    Append(Model),
    /// Makes the order, or the draft.
    Look(KeyRange),
    Prepare,
    Draft,
    /// Goes on with a copy.
    Clone,
    Fork,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => prop::collection::vec(0..4u8, 1..3),
        10 => (0..700u16).prop_map(many),
        1 => Just(vec![7; 3_000]),
        1 => Just(vec![8; 70_000]),
    ]
}

fn many(n: u16) -> Vec<u8> {
    // In no order.
    format!("many:{:05}", u32::from(n) * 7_919 % 1_009).into_bytes()
}

fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    // Some that lie beside a leaf.
    let length = prop_oneof![8 => 0..200usize, 1 => Just(900), 1 => Just(5_000)];
    prop::option::weighted(0.8, (any::<u8>(), length).prop_map(|(byte, length)| vec![byte; length]))
}

fn range() -> impl Strategy<Value = KeyRange> {
    (key(), key())
        .prop_map(|(from, to)| KeyRange::new(Bound::Excluded(Key::from(&*from)), Bound::Included(Key::from(&*to))))
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => (key(), value()).prop_map(|(key, value)| Op::Set(key, value)),
        2 => (0..700u16, 0..300usize).prop_map(|(count, length)| Op::SetMany(count, length)),
        2 => (0..400u16, prop_oneof![0..300usize, Just(2_000)]).prop_map(|(count, length)| Op::AddMany(count, length)),
        3 => key().prop_map(Op::Forget),
        1 => (0..700u16).prop_map(Op::ForgetMany),
        1 => prop::collection::btree_map(key(), value(), 0..12).prop_map(Op::Append),
        2 => range().prop_map(Op::Look),
        2 => Just(Op::Prepare),
        1 => Just(Op::Draft),
        1 => Just(Op::Clone),
        1 => Just(Op::Fork),
    ]
}

fn list<'a>(changes: impl Iterator<Item = (&'a [u8], Change<'a>)>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    changes.map(|(key, change)| (key.to_vec(), change.value().map(<[u8]>::to_vec))).collect()
}

fn walk(mut cursor: Option<ChangesCursor>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let (mut walked, Some(cursor)) = (Vec::new(), &mut cursor) else { return Vec::new() };
    while let Some((key, change)) = cursor.step() {
        walked.push((key.to_vec(), change.value().map(<[u8]>::to_vec)));
    }
    assert!(cursor.step().is_none(), "a cursor that has ended stays at its end");
    walked
}

/// What the changes are laid over.
fn base() -> BTreeMap<Vec<u8>, Vec<u8>> {
    let short = (0..4u8).flat_map(|a| [vec![a], vec![a, a]]);
    short.chain((0..300).step_by(2).map(many)).map(|key| (key, vec![b'b'; 30])).collect()
}

fn tree_of(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Tree {
    let mut tree = Tree::default();
    for (key, value) in entries {
        tree.put(key, value);
    }
    tree
}

fn entries(tree: &Tree) -> BTreeMap<Vec<u8>, Vec<u8>> {
    tree.check().unwrap();
    let (mut cursor, mut entries) = (TreeCursor::new(tree, &KeyRange::ALL, Direction::Forward), BTreeMap::new());
    while let Some((key, found)) = cursor.step() {
        entries.insert(key.to_vec(), found.value().unwrap().to_vec());
    }
    entries
}

/// Looks at changes in every way there is.
fn check(changes: &Changes, model: &Model, range: &KeyRange) {
    let expected: Vec<_> = model.clone().into_iter().collect();
    assert!(list(changes.iter()) == expected, "every change, in order");
    let mut each = list(changes.each());
    each.sort();
    assert!(each == expected, "every change, in any order");
    assert_eq!((changes.len(), changes.is_empty()), (model.len(), model.is_empty()));
    let bytes = model.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum::<usize>();
    assert_eq!(changes.bytes(), bytes);
    let absent = [&b"absent"[..], b"many:", b""].map(<[u8]>::to_vec);
    for key in model.keys().chain(&absent) {
        let found = changes.get(key).map(|change| change.value().map(<[u8]>::to_vec));
        assert!(found == model.get(key).cloned(), "{key:?}");
    }
    let inside = model.iter().filter(|(key, _)| range.contains(key));
    let mut expected: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
    assert!(list(changes.range(range)) == expected, "a range");
    assert_eq!(changes.count(range), expected.len());
    for direction in [Direction::Forward, Direction::Backward] {
        assert!(walk(changes.cursor(range, direction)) == expected, "a cursor");
        expected.reverse();
    }
}

/// What `base` becomes by the changes, however they are made.
fn check_applied(changes: &Changes, model: &Model) {
    let (base, mut expected) = (base(), base());
    for (key, value) in model {
        match value {
            Some(value) => expected.insert(key.clone(), value.clone()),
            None => expected.remove(key),
        };
    }
    let mut tree = tree_of(&base);
    changes.apply_to(&mut tree);
    assert!(entries(&tree) == expected);
    if let Some(draft) = changes.draft() {
        assert!(entries(draft.tree()) == expected, "the draft has come to the same");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn changes_are_a_map_however_they_are_kept(
        is_layer in any::<bool>(),
        ops in prop::collection::vec(op(), 0..20),
        seen in range(),
    ) {
        let mut changes = if is_layer { Changes::layer() } else { Changes::new() };
        let (mut model, state) = (Model::new(), tree_of(&base()));
        // Cursors, and what they have to show whatever is changed after they were opened.
        let (mut cursors, mut left, mut added) = (Vec::new(), Vec::new(), 0u32);
        for op in ops {
            match op {
                Op::Set(key, value) => {
                    let mut told = None;
                    let change = value.as_deref().map_or(Change::Remove, Change::Put);
                    changes.change(&key, change, |before| told = before.map(|before| before.value().map(<[u8]>::to_vec)));
                    prop_assert_eq!(told, model.insert(key, value));
                }
                Op::SetMany(count, length) => {
                    for n in 0..count {
                        changes.put(many(n), vec![b'm'; length]);
                        model.insert(many(n), Some(vec![b'm'; length]));
                    }
                }
                Op::AddMany(count, length) => {
                    for _ in 0..count {
                        added += 1;
                        let key = [if added % 2 == 0 { &b"many:even"[..] } else { b"many" }, &u32::to_be_bytes(added)].concat();
                        changes.put_new(&key, &vec![b'n'; length], |before| assert!(before.is_none()));
                        model.insert(key, Some(vec![b'n'; length]));
                    }
                }
                Op::Forget(key) => {
                    changes.forget(&key);
                    model.remove(&key);
                }
                Op::ForgetMany(count) => {
                    for n in (0..count).rev() {
                        changes.forget(many(n));
                        model.remove(&many(n));
                    }
                }
                Op::Append(later) => {
                    changes.append(&later.clone().into_iter().collect());
                    model.extend(later);
                }
                Op::Look(range) => {
                    check(&changes, &model, &range);
                    let inside = model.iter().filter(|(key, _)| range.contains(key));
                    let inside: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
                    cursors.push((changes.cursor(&range, Direction::Forward), inside));
                }
                Op::Prepare => {
                    changes.prepare();
                    check_applied(&changes, &model);
                }
                Op::Draft => {
                    changes.start_draft(|| Some(Draft::of(&state)));
                }
                Op::Clone => {
                    let copy = changes.clone();
                    left.push((std::mem::replace(&mut changes, copy), model.clone()));
                }
                Op::Fork => left.push((changes.fork(), model.clone())),
            }
        }
        left.push((changes, model));
        for (changes, model) in &left {
            check(changes, model, &seen);
            check_applied(changes, model);
        }
        for (cursor, expected) in cursors {
            prop_assert!(walk(cursor) == expected, "a cursor shows what there was when it was opened");
        }
    }
}

/// A table whose keys all have one hash would be searched from end to end for each of them.
#[test]
fn an_index_says_when_hashes_are_alike() {
    let mut index = index::Index::default();
    index.extend_to(&[7; 100]);
    assert!(!index.is_crowded());
    assert_eq!(index.find(7, |at| at == 99), Some(99));
    assert_eq!(index.find(8, |_| true), None);
    index.extend_to(&[7; 300]);
    assert!(index.is_crowded());
}

#[test]
fn what_is_overwritten_again_and_again_does_not_fill_the_buffer() {
    let mut changes = Changes::new();
    for n in 0..10_000usize {
        changes.put(b"a", vec![7; 500 + n % 500]);
        changes.put([b"large", &n.to_be_bytes()[6..]].concat(), vec![7; 2_000]);
        changes.forget([b"large", &n.to_be_bytes()[6..]].concat());
    }
    let Kept::Buffer(buffer) = &changes.kept else { panic!("few changes are in a buffer") };
    assert!(buffer.buffered_bytes() < 200_000, "{}", buffer.buffered_bytes());
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_copy_of_changes_may_be_laid_over_another_state() {
    let changes = Changes::putting("new", "1");
    changes.start_draft(|| Some(Draft::of(&tree_of(&base()))));
    assert!(changes.draft().is_some() && changes.clone().draft().is_none() && changes.fork().draft().is_none());
}

#[test]
fn a_draft_is_for_the_state_it_was_made_of_and_no_other() {
    let (mut here, mut there) = (tree_of(&base()), tree_of(&base()));
    let mut changes = Changes::new();
    changes.start_draft(|| Some(Draft::of(&here)));
    changes.put("new", "1");
    assert!(changes.is_quick_on(&here));
    let followed = changes.draft().unwrap().tree().clone();
    there.put(b"elsewhere", b"1");
    changes.apply_to(&mut there);
    assert_eq!(there.get(b"elsewhere").and_then(Found::value), Some(&b"1"[..]));
    assert_eq!(there.get(b"new").and_then(Found::value), Some(&b"1"[..]));
    changes.apply_to(&mut here);
    assert!(here.is_same(&followed), "it is taken over as it is");
    here.put(b"later", b"1");
    changes.apply_to(&mut here);
    assert_eq!(here.get(b"later").and_then(Found::value), Some(&b"1"[..]), "it has been left behind");
}

#[test]
fn ten_thousand_changes_are_made_in_place_and_a_hundred_thousand_are_not() {
    let changes =
        |count: u32, bytes: usize| (0..count).map(|n| (n.to_be_bytes(), Some(vec![7; bytes]))).collect::<Changes>();
    let (few, many, more) = (tree_of(&base()), changes(10_000, 1), changes(100_000, 1));
    assert!(many.is_quick_on(&few));
    assert!(!more.is_quick_on(&few));
    let mut large = Tree::default();
    more.apply_to(&mut large);
    large.check().unwrap();
    assert!(many.is_quick_on(&large), "they fall into two thousand leaves");
    assert!(!changes(10_000, 900).is_quick_on(&few), "nine megabytes");
}
