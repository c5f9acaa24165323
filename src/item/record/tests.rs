use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::item::{Number, Path, PathElement, Set};

fn number() -> impl Strategy<Value = Number> {
    (-300i64..300, -3i32..4).prop_map(|(n, e)| format!("{n}e{e}").parse().unwrap())
}

fn scalar() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        "[a-cé]{0,3}".prop_map(AttributeValue::from),
        number().prop_map(AttributeValue::N),
        vec(any::<u8>(), 0..3).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        btree_set("[a-c]{0,2}", 1..4).prop_map(|set| AttributeValue::Ss(Set::new(set).unwrap())),
        btree_set(number(), 1..4).prop_map(|set| AttributeValue::Ns(Set::new(set).unwrap())),
        btree_set(vec(any::<u8>(), 0..3), 1..4).prop_map(|set| AttributeValue::Bs(Set::new(set).unwrap())),
    ]
}

fn value() -> impl Strategy<Value = AttributeValue> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            btree_map("[a-c]{1,2}", inner, 0..4).prop_map(AttributeValue::from),
        ]
    })
}

fn item() -> impl Strategy<Value = Item> {
    btree_map("[a-d]{1,2}", value(), 0..5).prop_map(Item::from)
}

fn path() -> impl Strategy<Value = Path> {
    let element = prop_oneof![
        "[a-c]{1,2}".prop_map(PathElement::Name),
        (0u32..4).prop_map(PathElement::Index),
        Just(PathElement::Index(limits::ITEM_LIST_INDEX_MAX)),
    ];
    ("[a-d]{1,2}", vec(element, 0..4)).prop_map(|(name, inside)| inside.into_iter().fold(Path::new(name), Path::with))
}

/// What a path leads to, in values.
fn at<'v>(item: &'v Item, path: &Path) -> Option<&'v AttributeValue> {
    path.inside().iter().fold(item.get(path.attribute()), |found, element| match (found?, element) {
        (AttributeValue::M(map), PathElement::Name(name)) => map.get(name),
        (AttributeValue::L(list), PathElement::Index(index)) => list.get(*index as usize),
        _ => None,
    })
}

proptest! {
    #[test]
    fn an_item_comes_back(item in item()) {
        prop_assert_eq!(decode(&encode(&item).unwrap()).unwrap(), item);
    }

    #[test] // SEM: ITM-LIM-1
    fn a_record_measures_what_its_item_does(item in item()) {
        let bytes = encode(&item).unwrap();
        prop_assert_eq!(RecordRef::new(&bytes).unwrap().size_bytes().unwrap(), item.size_bytes());
    }

    #[test]
    fn paths_lead_where_they_lead_in_the_item(item in item(), path in path()) {
        let bytes = encode(&item).unwrap();
        let found = RecordRef::new(&bytes).unwrap().at(&path).unwrap();
        let expected = at(&item, &path);
        let value = found.map(|found| found.to_value(0).unwrap());
        prop_assert_eq!(value.as_ref(), expected);
        prop_assert_eq!(
            found.map(|found| found.type_name().unwrap()),
            expected.map(AttributeValue::type_name)
        );
        if let (Some(found), Some(expected)) = (found, expected) {
            prop_assert_eq!(found.as_bytes(), encode_value(expected).unwrap());
        }
    }

    #[test]
    fn equal_values_are_equal_bytes(one in value(), other in value()) {
        let equal = encode_value(&one).unwrap() == encode_value(&other).unwrap();
        prop_assert_eq!(equal, one == other);
    }

    #[test]
    fn what_decodes_is_the_only_record_of_its_item(item in item(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = encode(&item).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(item) = decode(&bytes) {
            prop_assert_eq!(encode(&item).unwrap(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_decode_to_an_error_or_to_their_item(mut bytes in vec(0u8..13, 0..40), path in path()) {
        bytes.insert(0, FORMAT);
        let record = RecordRef::new(&bytes).unwrap();
        // Neither of these panics, nor runs for ever.
        let _ = (record.at(&path), record.size_bytes());
        if let Ok(item) = decode(&bytes) {
            prop_assert_eq!(encode(&item).unwrap(), bytes);
        }
    }

    #[test]
    fn names_in_common_with_records_before_change_nothing(
        records in vec((item(), proptest::option::of((any::<prop::sample::Index>(), 0u8..0x70))), 1..8),
    ) {
        let mut names = Names::default();
        for (item, damage) in records {
            let mut bytes = encode(&item).unwrap();
            if let Some((at, byte)) = damage {
                let at = at.index(bytes.len() - 1);
                bytes[at + 1] = byte;
            }
            let record = RecordRef::new(&bytes).unwrap();
            let alone = record.to_item().ok().map(|item| (item.clone(), item.size_bytes()));
            prop_assert_eq!(record.to_measured_item(&mut names).ok(), alone);
        }
    }

    #[test]
    fn a_record_cut_short_is_corrupt(item in item()) {
        let bytes = encode(&item).unwrap();
        for cut in 0..bytes.len() {
            let is_corrupt = matches!(decode(&bytes[..cut]), Err(Error::Corruption { .. }));
            prop_assert!(is_corrupt, "cut at {}", cut);
        }
    }
}

#[test]
fn the_worked_example_is_what_is_stored() {
    let item = Item::new().with("a", "b").with("n", "12.5".parse::<Number>().unwrap());
    let stored = crate::engine::Key::from(encode(&item).unwrap());
    assert_eq!(format!("{stored:?}"), "0102016101016201".to_owned() + "6e0221ff7d");
    assert!(RecordRef::EMPTY.to_item().unwrap().is_empty());
}

#[test]
fn names_that_are_known_have_to_ascend_all_the_same() {
    let record = |names: &[&str]| {
        let fields = names.iter().map(|name| [&[1], name.as_bytes(), &[NULL]].concat());
        [vec![FORMAT, u8::try_from(names.len()).unwrap()], fields.collect::<Vec<_>>().concat()].concat()
    };
    let all = ["a", "b", "c", "d"];
    for (first, second) in all.iter().flat_map(|first| all.iter().map(move |second| (*first, *second))) {
        for before in [&all[..], &["a", "c"], &["b", "c", "d"], &["d"]] {
            let mut names = Names::default();
            assert!(RecordRef::new(&record(before)).unwrap().to_measured_item(&mut names).is_ok());
            for _ in 0..2 {
                let outcome = RecordRef::new(&record(&[first, second])).unwrap().to_measured_item(&mut names);
                assert_eq!(outcome.is_ok(), first < second, "{first}, {second} behind {before:?}");
            }
        }
    }
}

#[test]
fn items_of_many_and_long_names_come_back() {
    let mut names = Names::default();
    for round in 0..3 {
        let item: Item =
            (0..200).map(|n| (format!("{}{n:03}", "x".repeat(n)), u64::try_from(n).unwrap() + round)).collect();
        let bytes = encode(&item).unwrap();
        let (read, size) = RecordRef::new(&bytes).unwrap().to_measured_item(&mut names).unwrap();
        assert_eq!((size, read), (item.size_bytes(), item));
    }
}

#[test]
fn lengths_of_two_bytes_come_back() {
    let long = "x".repeat(300);
    let list = vec![AttributeValue::from(long.clone()), vec![AttributeValue::from(long.clone())].into()];
    let item = Item::new().with("a", long).with("l", list);
    assert_eq!(decode(&encode(&item).unwrap()).unwrap(), item);
}

#[test] // SEM: ITM-TYP-1
fn nesting_beyond_the_limit_is_corrupt_and_no_overflow() {
    let nested = |levels: usize| {
        let mut bytes = vec![NULL];
        for _ in 0..levels {
            let mut outer = vec![L];
            put_length(&mut outer, bytes.len() + 1);
            outer.push(1);
            outer.append(&mut bytes);
            bytes = outer;
        }
        [&[FORMAT, 1, 1, b'a'][..], &bytes].concat()
    };
    assert!(decode(&nested(limits::ITEM_DEPTH_MAX)).is_ok());
    assert!(decode(&nested(limits::ITEM_DEPTH_MAX + 1)).is_err());
    assert!(decode(&nested(20_000)).is_err());
    let deep = nested(20_000);
    assert!(RecordRef::new(&deep).unwrap().size_bytes().is_ok(), "measuring takes no stack");
    let value = |levels| (0..levels).fold(AttributeValue::Null, |inner, _| AttributeValue::L(vec![inner]));
    assert!(encode_value(&value(limits::ITEM_DEPTH_MAX)).is_ok());
    let refused = encode_value(&value(limits::ITEM_DEPTH_MAX + 1));
    assert!(matches!(refused, Err(Error::LimitExceeded { limit: "item nesting levels", .. })));
}
