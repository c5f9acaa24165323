use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::engine::{Direction, Key};

/// `None` is a removal that is kept, as in a tree of changes.
type Model = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A step of a run on one of several trees, which are clones of one another.
#[derive(Clone, Debug)]
enum Step {
    Put(Index, Vec<u8>, Vec<u8>),
    /// Many keys in order, as a load writes them.
    PutRun(Index, u16, u8),
    PutRemoval(Index, Vec<u8>),
    /// Changes in order, and each so many-th key of a run put again or removed.
    Batch(Index, Model, u8, usize, bool),
    Remove(Index, Vec<u8>),
    /// Removes what lies between two keys.
    RemoveRange(Index, Vec<u8>, Vec<u8>),
    Clone(Index),
    Drop(Index),
    Look(Index, KeyRange, u64),
    Rebuild(Index),
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![Just(0u8), Just(1), Just(b'a'), Just(0xfe), Just(0xff)];
    let short = prop::collection::vec(end.clone(), 0..5);
    let long = (0..60usize, prop::collection::vec(end, 0..3)).prop_map(|(same, end)| [vec![7; same], end].concat());
    let huge = (0..4u8).prop_map(|byte| vec![byte; 70_000]);
    prop_oneof![20 => short, 20 => long, 10 => (0..400u32).prop_map(|n| format!("event:{n:05}").into_bytes()), 1 => huge]
}

/// A key of a run. Those of every other run begin alike for long.
fn run_key(first: u8, n: u16) -> Vec<u8> {
    [vec![first; if first.is_multiple_of(2) { 30 } else { 1 }], n.to_be_bytes().to_vec()].concat()
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![20 => 0..40usize, 5 => 900..1_200usize, 1 => 3_000..9_000usize];
    (any::<u8>(), length).prop_map(|(byte, length)| vec![byte; length])
}

fn range() -> impl Strategy<Value = KeyRange> {
    let bound = || {
        let key = || key().prop_map(Key::from);
        prop_oneof![Just(Bound::Unbounded), key().prop_map(Bound::Included), key().prop_map(Bound::Excluded)]
    };
    (bound(), bound()).prop_map(|(start, end)| KeyRange::new(start, end))
}

fn step() -> impl Strategy<Value = Step> {
    let on = any::<Index>;
    prop_oneof![
        40 => (on(), key(), value()).prop_map(|(on, key, value)| Step::Put(on, key, value)),
        3 => (on(), 0..300u16, any::<u8>()).prop_map(|(on, count, first)| Step::PutRun(on, count, first)),
        4 => (on(), key()).prop_map(|(on, key)| Step::PutRemoval(on, key)),
        4 => (on(), prop::collection::btree_map(key(), prop::option::weighted(0.7, value()), 0..40), any::<u8>(), 1..20usize, any::<bool>())
            .prop_map(|(on, changes, first, every, is_put)| Step::Batch(on, changes, first, every, is_put)),
        20 => (on(), key()).prop_map(|(on, key)| Step::Remove(on, key)),
        2 => (on(), key(), key()).prop_map(|(on, a, b)| Step::RemoveRange(on, a, b)),
        4 => on().prop_map(Step::Clone),
        2 => on().prop_map(Step::Drop),
        10 => (on(), range(), 0..50u64).prop_map(|(on, range, n)| Step::Look(on, range, n)),
        1 => on().prop_map(Step::Rebuild),
    ]
}

fn owned(key: &[u8], found: Found<'_>) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.to_vec(), found.value().map(<[u8]>::to_vec))
}

/// The keys in order.
fn keys<const L: usize, const I: usize>(tree: &Tree<L, I>) -> Vec<Vec<u8>> {
    walk(tree, &KeyRange::ALL, Direction::Forward).into_iter().map(|(key, _)| key).collect()
}

fn walk<const L: usize, const I: usize>(
    tree: &Tree<L, I>,
    range: &KeyRange,
    direction: Direction,
) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let (mut cursor, mut entries) = (TreeCursor::new(tree, range, direction), Vec::new());
    while let Some((key, found)) = cursor.step() {
        entries.push(owned(key, found));
    }
    assert!(cursor.step().is_none(), "a cursor that has ended stays at its end");
    entries
}

/// Looks at a part of a tree in every way there is.
fn look<const L: usize, const I: usize>(tree: &Tree<L, I>, model: &Model, range: &KeyRange, n: u64) {
    let inside = model.iter().filter(|(key, _)| range.contains(key));
    let mut expected: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
    assert_eq!(tree.count(range), expected.len() as u64, "{range:?}");
    assert_eq!(tree.is_empty(range), expected.is_empty(), "{range:?}");
    // Without their values in the message, which nobody could read.
    let first = tree.first(range.start()).map(|(key, found)| owned(&key.whole(), found));
    assert!(expected.first().is_none_or(|expected| first.as_ref() == Some(expected)), "the first of {range:?}");
    assert!(walk(tree, range, Direction::Forward) == expected, "forward over {range:?}");
    expected.reverse();
    assert!(walk(tree, range, Direction::Backward) == expected, "backward over {range:?}");
    let nth = model.iter().nth(usize::try_from(n).unwrap());
    assert!(
        tree.nth(n).map(|(key, found)| owned(&key.whole(), found))
            == nth.map(|(key, value)| (key.clone(), value.clone())),
        "the {n}th"
    );
    for bound in [range.start(), range.end()] {
        if let Bound::Included(key) | Bound::Excluded(key) = bound {
            assert_eq!(tree.rank(key, false), model.keys().filter(|other| other[..] < **key).count() as u64);
            assert_eq!(tree.rank(key, true), model.keys().filter(|other| other[..] <= **key).count() as u64);
            assert_eq!(tree.get(key).map(|found| found.value().map(<[u8]>::to_vec)), model.get(&**key).cloned());
        }
    }
}

fn check<const L: usize, const I: usize>(tree: &Tree<L, I>, model: &Model) {
    tree.check().unwrap();
    assert_eq!(tree.len(), model.len() as u64);
    let size = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
    assert_eq!(tree.bytes(), model.iter().map(size).sum::<usize>() as u64);
}

/// Makes changes in one batch; a removal takes the entry away.
fn make<const L: usize, const I: usize>(tree: &mut Tree<L, I>, changes: &Model) {
    let large = |value: &Vec<u8>| (value.len() > INLINE_VALUE_BYTES_MAX).then(|| Arc::from(&**value));
    let changes: Vec<_> = changes.iter().map(|(key, value)| (key, value, value.as_ref().and_then(large))).collect();
    tree.make_sorted(|n| {
        let (key, value, large) = changes.get(n)?;
        let stored = match (value, large) {
            (_, Some(large)) => Stored::Large(large),
            (Some(value), None) => Stored::Bytes(value),
            (None, None) => Stored::Removed,
        };
        Some((key, stored))
    });
}

fn run<const L: usize, const I: usize>(steps: &[Step]) {
    let mut trees: Vec<(Tree<L, I>, Model)> = vec![Default::default()];
    for step in steps {
        let count = trees.len();
        match step {
            Step::Put(index, key, value) => {
                let (tree, model) = &mut trees[index.index(count)];
                tree.put(key, value);
                model.insert(key.clone(), Some(value.clone()));
                tree.check().unwrap();
            }
            Step::PutRun(index, run, first) => {
                let (tree, model) = &mut trees[index.index(count)];
                for n in 0..*run {
                    let key = run_key(*first, n);
                    tree.put(&key, &[*first; 30]);
                    model.insert(key, Some(vec![*first; 30]));
                }
                check(tree, model);
            }
            Step::PutRemoval(index, key) => {
                let (tree, model) = &mut trees[index.index(count)];
                tree.insert(key, Stored::Removed);
                model.insert(key.clone(), None);
            }
            Step::Batch(index, changes, first, every, is_put) => {
                let (tree, model) = &mut trees[index.index(count)];
                let run = (0..300u16).step_by(*every).map(|n| run_key(*first, n));
                let mut changes = changes.clone();
                changes.extend(run.map(|key| (key, is_put.then(|| vec![b'n'; 30]))));
                make(tree, &changes);
                for (key, value) in changes {
                    match value {
                        Some(value) => model.insert(key, Some(value)),
                        None => model.remove(&key),
                    };
                }
                check(tree, model);
            }
            Step::Remove(index, key) => {
                let (tree, model) = &mut trees[index.index(count)];
                tree.remove(key);
                model.remove(key);
                check(tree, model);
            }
            Step::RemoveRange(index, a, b) => {
                let (tree, model) = &mut trees[index.index(count)];
                let doomed: Vec<_> = model.keys().filter(|key| a <= *key && *key < b).cloned().collect();
                for key in doomed {
                    tree.remove(&key);
                    model.remove(&key);
                    tree.check().unwrap();
                }
                check(tree, model);
            }
            Step::Clone(index) => {
                let copy = trees[index.index(count)].clone();
                trees.push(copy);
            }
            Step::Drop(index) if count > 1 => drop(trees.swap_remove(index.index(count))),
            Step::Drop(_) => {}
            Step::Look(index, range, n) => {
                let (tree, model) = &mut trees[index.index(count)];
                look(tree, model, range, *n);
            }
            Step::Rebuild(index) => {
                let (tree, model) = &mut trees[index.index(count)];
                model.retain(|_, value| value.is_some());
                let mut builder = Builder::new();
                for (key, value) in &*model {
                    builder.push(key, value.as_deref().unwrap());
                }
                *tree = builder.finish();
                check(tree, model);
            }
        }
    }
    for (tree, model) in &trees {
        check(tree, model);
        look(tree, model, &KeyRange::all(), 0);
    }
}

/// What is removed leaves nodes of one empty leaf behind where they can't be merged with others: on both sides of the border between two
/// nodes of three levels.
#[test]
fn the_next_entry_is_found_behind_all_that_was_removed() {
    let mut tree = Tree::<8, 16>::default();
    let key = |n: u32| n.to_be_bytes();
    let (all, gone) = (8 * 16 * 16 * 3_u32, 97..2_340);
    (0..all).for_each(|n| tree.put(&key(n), b"value"));
    gone.clone().for_each(|n| tree.remove(&key(n)));
    tree.check().unwrap();
    for n in gone.clone() {
        assert_eq!(tree.seek(&key(n)).map(|(key, _)| key.whole().into_owned()), Some(key(gone.end).to_vec()), "{n}");
    }
}

/// A leaf whose entries came in no order, and that is closed because a key of many bytes comes behind them.
#[test]
fn a_leaf_that_is_closed_out_of_order_is_rewritten_in_order() {
    let (mut tree, mut model) = (Tree::<128, 64>::default(), Model::new());
    let first = [3_u8, 1, 2].map(|byte| (vec![byte], vec![byte; usize::from(byte) * 10]));
    let then = (0..9).map(|n| (vec![2, n], vec![n; 900]));
    for (key, value) in first.into_iter().chain([(vec![9; 70_000], Vec::new())]).chain(then) {
        tree.put(&key, &value);
        model.insert(key, Some(value));
        check(&tree, &model);
        look(&tree, &model, &KeyRange::all(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_smallest_nodes_agree_with_a_map(steps in prop::collection::vec(step(), 0..250)) {
        run::<4, 4>(&steps);
    }

    #[test]
    fn odd_nodes_agree_with_a_map(steps in prop::collection::vec(step(), 0..250)) {
        run::<11, 5>(&steps);
    }

    #[test]
    fn nodes_of_changes_agree_with_a_map(steps in prop::collection::vec(step(), 0..250)) {
        run::<32, 16>(&steps);
    }

    #[test]
    fn the_smallest_leaves_with_stems_agree_with_a_map(steps in prop::collection::vec(step(), 0..250)) {
        run::<64, 4>(&steps);
    }

    #[test]
    fn nodes_of_stores_agree_with_a_map(steps in prop::collection::vec(step(), 0..250)) {
        run::<128, 64>(&steps);
    }

    #[test]
    fn keys_that_begin_alike_come_and_go_among_others(
        turns in prop::collection::vec((0..4usize, prop::collection::vec((0..300u16, prop::bool::weighted(0.7)), 0..80)), 1..8),
    ) {
        let (mut few, mut many) = (Tree::<11, 5>::default(), Tree::<128, 64>::default());
        let mut model = BTreeSet::new();
        let key = |family: usize, number: u16| {
            let family = ["", "what many keys begin with: ", "what many keys begin with, too: ", "x"][family];
            format!("{family}{number:04}").into_bytes()
        };
        for (family, numbers) in turns {
            for (number, is_put) in numbers {
                let key = key(family, number);
                if is_put {
                    few.put(&key, b"v");
                    many.put(&key, b"v");
                    model.insert(key);
                } else {
                    few.remove(&key);
                    many.remove(&key);
                    model.remove(&key);
                }
            }
            few.check().unwrap();
            many.check().unwrap();
            let expected: Vec<_> = model.iter().cloned().collect();
            prop_assert_eq!(keys(&few), expected.clone());
            prop_assert_eq!(keys(&many), expected);
            for (family, number) in (0..4).flat_map(|family| (0..300).step_by(7).map(move |number| (family, number))) {
                let key = key(family, number);
                let is_there = model.contains(&key);
                prop_assert_eq!((few.get(&key).is_some(), many.get(&key).is_some()), (is_there, is_there));
                let before = model.range(..key.clone()).count() as u64;
                prop_assert_eq!((few.rank(&key, false), many.rank(&key, false)), (before, before));
            }
        }
    }

    #[test]
    fn a_partition_ends_where_another_head_begins(mut heads in prop::collection::vec(0..4u64, 1..20), from in 0..20usize, probe in 0..5u64) {
        heads.sort_unstable();
        let from = from.min(heads.len());
        let found = heads::partition_point(from..heads.len(), |place| heads[place] < probe);
        prop_assert_eq!(found, from + heads[from..].iter().take_while(|head| **head < probe).count());
    }

    #[test]
    fn a_head_is_the_next_eight_bytes_of_its_key(key in key(), skip in 0..70usize) {
        let mut bytes = [0; heads::HEAD_BYTES];
        bytes.iter_mut().zip(key.iter().skip(skip)).for_each(|(to, from)| *to = *from);
        prop_assert_eq!(heads::head(&key, skip), u64::from_be_bytes(bytes));
    }

    #[test]
    fn a_head_orders_as_its_key_does(a in key(), b in key(), skip in 0..3usize) {
        if a.get(..skip) == b.get(..skip) && a.len() >= skip && b.len() >= skip {
            let (head_a, head_b) = (heads::head(&a, skip), heads::head(&b, skip));
            let is_so = if a <= b { head_a <= head_b } else { head_a >= head_b };
            prop_assert!(is_so);
        }
    }
}

#[test]
fn what_a_clone_shows_never_changes() {
    let mut tree: Tree<8, 8> = Tree::default();
    let mut clones = Vec::new();
    for n in 0..2_000u32 {
        let key = (n.wrapping_mul(2_654_435_761) % 700).to_be_bytes();
        if n % 3 == 0 {
            tree.remove(&key);
        } else {
            tree.put(&key, &n.to_be_bytes());
        }
        if n % 97 == 0 {
            clones.push((tree.clone(), walk(&tree, &KeyRange::all(), Direction::Forward)));
        }
    }
    for (clone, entries) in clones {
        clone.check().unwrap();
        assert!(walk(&clone, &KeyRange::all(), Direction::Forward) == entries);
    }
}

#[test]
fn a_value_that_is_large_is_shared_and_let_go() {
    let mut tree: Tree<8, 8> = Tree::default();
    let large: Arc<[u8]> = Arc::from(&[1; 5_000][..]);
    tree.insert(b"a", Stored::Large(&large));
    let copy = tree.clone();
    assert_eq!(Arc::strong_count(&large), 2, "the clone shares the leaf");
    tree.put(b"b", b"small");
    assert_eq!(Arc::strong_count(&large), 3);
    drop(copy);
    tree.put(b"a", b"small");
    assert_eq!(Arc::strong_count(&large), 1, "an overwritten value is not held on to");
    tree.insert(b"c", Stored::Large(&large));
    tree.remove(b"c");
    assert_eq!(Arc::strong_count(&large), 1, "nor is one that is removed");
}

#[test]
fn nodes_are_full_after_a_load_in_order() {
    let mut tree: Tree<128, 64> = Tree::default();
    for n in 0..128 * 100u32 {
        tree.put(&n.to_be_bytes(), &[7; 50]);
    }
    let Some(Node::Inner(root)) = &tree.root else { panic!("a tree of 12,800 entries has inner nodes") };
    let Kids::Inners(kids) = &root.kids else { panic!("and more than one level of them") };
    assert_eq!(kids.iter().map(|kid| kid.len()).sum::<usize>(), 100);
}

#[test]
fn leaves_are_full_after_a_load_in_the_opposite_order() {
    let mut tree: Tree<128, 64> = Tree::default();
    for n in (0..128 * 100u32).rev() {
        tree.put(&n.to_be_bytes(), &[7; 50]);
    }
    tree.check().unwrap();
    assert_eq!(leaves(tree.root.as_ref().unwrap()), 100);
}

/// Runs of a hundred entries that begin anywhere: rows of partitions, newest first, lie in the order of hashes.
#[test]
fn leaves_are_filled_by_runs_in_the_opposite_order() {
    let mut tree: Tree<128, 64> = Tree::default();
    for run in 0..300u64 {
        let start = run.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        for n in (0..100u64).rev() {
            tree.put(&[start, n.to_be_bytes()].concat(), &[7; 80]);
        }
    }
    tree.check().unwrap();
    let leaves = leaves(tree.root.as_ref().unwrap());
    assert!(leaves * 100 <= 30_000, "{leaves} leaves: a hundred entries in each of them, of 128 at most");
}

/// Runs of a thousand upwards: a leaf that one is in the middle of is divided where that goes on, so that it fills those before it.
#[test]
fn leaves_are_filled_by_runs_in_order() {
    let mut tree: Tree<128, 64> = Tree::default();
    for run in 0..30u64 {
        let start = run.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        for n in 0..1_000u64 {
            tree.put(&[start, n.to_be_bytes()].concat(), &[7; 80]);
        }
    }
    tree.check().unwrap();
    let leaves = leaves(tree.root.as_ref().unwrap());
    assert!(leaves * 110 <= 30_000, "{leaves} leaves: 110 entries in each of them, of 128 at most");
}

fn leaves<const L: usize, const I: usize>(node: &Node<L, I>) -> usize {
    match node {
        Node::Leaf(_) => 1,
        Node::Inner(inner) => (0..inner.len()).map(|at| leaves(&inner.kid(at))).sum(),
    }
}

#[test]
fn a_tree_shrinks_with_its_entries() {
    let mut tree: Tree<8, 8> = Tree::default();
    for n in 0..5_000u32 {
        tree.put(&n.to_be_bytes(), b"value");
    }
    for n in (0..5_000u32).filter(|n| n % 50 != 0) {
        tree.remove(&n.to_be_bytes());
    }
    tree.check().unwrap();
    assert_eq!(tree.len(), 100);
    assert!(leaves(tree.root.as_ref().unwrap()) <= 50, "two entries to a leaf of eight at the least");
    for n in 0..5_000u32 {
        tree.remove(&n.to_be_bytes());
    }
    assert!(tree.root.is_none());
}

fn all_leaves(tree: &Tree<128, 64>) -> Vec<Arc<Leaf<128>>> {
    fn add(node: &Node<128, 64>, out: &mut Vec<Arc<Leaf<128>>>) {
        match node {
            Node::Leaf(leaf) => out.push(Arc::clone(leaf)),
            Node::Inner(inner) => (0..inner.len()).for_each(|at| add(&inner.kid(at), out)),
        }
    }
    let mut out = Vec::new();
    tree.root.iter().for_each(|node| add(node, &mut out));
    out
}

/// The leaves of a tree that are not leaves of the other as well.
fn leaves_of_one(one: &Tree<128, 64>, other: &Tree<128, 64>) -> usize {
    let of_other = all_leaves(other);
    all_leaves(one).iter().filter(|leaf| !of_other.iter().any(|other| Arc::ptr_eq(leaf, other))).count()
}

/// Whatever the allocator makes of it: what is removed is not held any more.
#[test]
fn nodes_are_given_back_when_nearly_everything_is_removed() {
    let key = |n: u32| n.to_be_bytes();
    for is_batch in [false, true] {
        let mut tree = Tree::<128, 64>::default();
        for n in (0..50_000).map(|n| n * 7_919 % 50_000) {
            tree.put(&key(n), &[7; 100]);
        }
        let full = all_leaves(&tree).len();
        let gone = (0..50_000).filter(|n| n % 50 > 0);
        if is_batch {
            make(&mut tree, &gone.map(|n| (key(n).to_vec(), None)).collect());
        } else {
            gone.for_each(|n| tree.remove(&key(n)));
        }
        tree.check().unwrap();
        let remaining = all_leaves(&tree);
        let held = remaining.iter().map(|leaf| leaf.held_bytes()).sum::<usize>();
        assert_eq!(tree.len(), 1_000);
        let count = remaining.len();
        assert!(count * 10 < full, "{count} leaves of {full}");
        assert!(held < 5 * 1_000 * (4 + 100), "{held} bytes for 1,000 entries");
    }
}

#[test]
fn a_batch_copies_only_the_leaves_that_it_changes() {
    let mut tree = Tree::<128, 64>::default();
    let key = |n: u32| n.to_be_bytes();
    (0..10_000).for_each(|n| tree.put(&key(n), b"one"));
    let before = tree.clone();
    let changes = |keys: &[u32], value: Option<&[u8]>| {
        keys.iter().map(|n| (key(*n).to_vec(), value.map(<[u8]>::to_vec))).collect()
    };
    make(&mut tree, &changes(&[20_000, 30_000], None));
    assert!(tree.is_same(&before), "what is not there is not removed");
    make(&mut tree, &changes(&[5, 6, 7, 8, 9, 10, 5_000], Some(b"two")));
    assert_eq!(leaves_of_one(&tree, &before), 2);
    assert_eq!(before.get(&key(5)).and_then(Found::value), Some(&b"one"[..]));
    let all = (0..10_000).collect::<Vec<_>>();
    make(&mut tree, &changes(&all, Some(b"six")));
    tree.check().unwrap();
    make(&mut tree, &changes(&all, None));
    assert!(tree.root.is_none(), "nothing is left");
}

#[test]
fn late_heads_are_taken_back_when_few_keys_are_left_of_those_that_agree() {
    let key = |n: u8| [&b"partition"[..], &[n]].concat();
    let mut tree: Tree = Tree::default();
    (0..20).for_each(|n| tree.put(&key(n), b""));
    (5..15).for_each(|n| tree.remove(&key(n)));
    // The end is asked for again, and then the keys share less.
    tree.put(&key(30), b"");
    tree.put(b"part", b"");
    tree.check().unwrap();
    tree.put(&key(31), b"");
    tree.check().unwrap();
    let expected = [0, 1, 2, 3, 4, 15, 16, 17, 18, 19, 30, 31].map(key);
    assert!(tree.get(b"part").is_some() && expected.iter().all(|key| tree.get(key).is_some()));
    assert!(tree.get(b"parti").is_none() && tree.get(&key(5)).is_none() && tree.get(&key(32)).is_none());
}

/// Rows of partitions, newest first, that lie in the order of hashes, and rows that are put into them later.
#[test]
fn what_many_keys_of_a_leaf_begin_with_is_stored_once() {
    let key = |partition: u64, row: u64| {
        let hash = partition.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        [&b"table"[..], &hash, b"name of a partition", &partition.to_be_bytes(), &row.to_be_bytes()].concat()
    };
    let mut tree = Tree::<128, 64>::default();
    for partition in 0..200 {
        (1..=100).rev().for_each(|row| tree.put(&key(partition, row * 2), &[7; 20]));
    }
    tree.check().unwrap();
    let held = all_leaves(&tree).iter().map(|leaf| leaf.held_bytes()).sum::<usize>();
    // A key has 48 bytes, of which the rows of a partition have the first 46 in common.
    assert!(held < 200 * 100 * (4 + 12 + 20), "{held} bytes");
    for partition in 0..200 {
        (0..100).for_each(|row| tree.put(&key(partition, row * 2 + 1), &[7; 20]));
    }
    tree.check().unwrap();
    assert!((0..200).all(|partition| (1..=200).all(|row| tree.get(&key(partition, row)).is_some())));
    assert!(
        (0..200).all(|partition| tree.get(&key(partition, 201)).is_none() && tree.get(&key(partition, 0)).is_none())
    );
    let mut sorted: Vec<_> = (0..200).flat_map(|partition| (1..=200).map(move |row| key(partition, row))).collect();
    sorted.sort_unstable();
    assert!(keys(&tree) == sorted);
}

/// More families with late heads than a leaf has room for, if each kept them when few of its entries are left.
#[test]
fn families_that_shrink_make_room_for_others() {
    let key = |family: u8, n: u8| [&[family; 12][..], &[n]].concat();
    let mut tree = Tree::<128, 64>::default();
    for family in 0..20 {
        (0..20).for_each(|n| tree.put(&key(family, n), b"v"));
        tree.check().unwrap();
        (1..19).for_each(|n| tree.remove(&key(family, n)));
        tree.check().unwrap();
    }
    assert_eq!(tree.len(), 40);
    assert!((0..20).all(|family| [0, 19].iter().all(|n| tree.get(&key(family, *n)).is_some())));
}

/// The stem that a leaf begins with is that of a key which is gone, and those that come share other bytes.
#[test]
fn a_stem_that_nobody_has_any_more_is_not_taken_for_granted() {
    let mut tree = Tree::<128, 64>::default();
    let key = |start: u8, n: u16| [&[start; 20][..], &n.to_be_bytes()].concat();
    (0..129).for_each(|n| tree.put(&key(1, n), &[7; 30]));
    tree.remove(&key(1, 128));
    (0..300).for_each(|n| tree.put(&key(9, n), &[7; 30]));
    (0..300).rev().for_each(|n| tree.put(&key(8, n), &[7; 30]));
    tree.check().unwrap();
    let mut expected: Vec<_> = (0..128).map(|n| key(1, n)).collect();
    expected.extend((0..300).map(|n| key(8, n)).chain((0..300).map(|n| key(9, n))));
    assert!(keys(&tree) == expected);
}
