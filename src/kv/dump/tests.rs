//! Dumps of servers are restored, dumps of the store come back, and no bytes do harm.

use proptest::prelude::*;

use super::*;
use crate::Store;
use crate::kv::stream::{Entry, GroupImage, Image, PendingImage, StreamId};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let long = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..3),
        1 => long,
        2 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        1 => (0usize..20_000).prop_map(|len| vec![b'a'; len]),
    ]
}

/// Not so long that members come back in another order than that of their bytes.
fn member() -> impl Strategy<Value = Vec<u8>> {
    bytes().prop_map(|mut bytes| {
        bytes.truncate(crate::limits::KEY_COMPONENT_BYTES_MAX);
        bytes
    })
}

fn id() -> impl Strategy<Value = StreamId> {
    prop_oneof![(0u64..9, 0u64..9), any::<(u64, u64)>()].prop_map(|(ms, seq)| StreamId::new(ms, seq))
}

fn millis() -> impl Strategy<Value = Timestamp> {
    (0i64..4_000_000_000_000).prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn group()(
        last in id(), read in prop::option::of(0..u64::MAX), consumers in prop::collection::btree_map(member(), millis(), 0..3),
        pending in prop::collection::btree_map(id(), (millis(), any::<u64>(), any::<prop::sample::Index>()), 0..5),
    ) -> GroupImage {
        let names: Vec<_> = consumers.keys().cloned().collect();
        let pending = pending.into_iter().filter(|_| !names.is_empty()).map(|(id, (delivered, deliveries, at))| {
            (id, PendingImage { delivered, deliveries, consumer: at.get(&names).clone() })
        });
        GroupImage {
            name: Vec::new(),
            last,
            read,
            pending: pending.collect(),
            consumers: consumers.into_iter().map(|(name, seen)| (name, (seen, Some(seen)))).collect(),
        }
    }
}

prop_compose! {
    fn stream()(
        entries in prop::collection::btree_map(id(), prop::collection::vec((bytes(), bytes()), 1..3), 0..8),
        beyond in id(), deleted in id(), added: u64, groups in prop::collection::btree_map(member(), group(), 0..3),
    ) -> Image {
        let entries: Vec<_> = entries.into_iter().map(|(id, fields)| Entry { id, fields }).collect();
        let last = entries.last().map_or(beyond, |entry| entry.id.max(beyond));
        let groups = groups.into_iter().map(|(name, group)| GroupImage { name, ..group });
        Image { last, max_deleted: deleted.min(last), added, entries, groups: groups.collect() }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let score = prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), -10.0..10.0, Just(0.0)];
    prop_oneof![
        bytes().prop_map(Value::String),
        prop::collection::vec(bytes(), 1..9).prop_map(Value::List),
        prop::collection::btree_set(member(), 1..9).prop_map(|set| Value::Set(set.into_iter().collect())),
        prop::collection::btree_map(member(), bytes(), 1..9).prop_map(|hash| Value::Hash(hash.into_iter().collect())),
        prop::collection::btree_map(member(), score, 1..9).prop_map(|set| {
            let mut members: Vec<_> = set.into_iter().collect();
            members.sort_by(|(a, s), (b, t)| s.total_cmp(t).then(a.cmp(b)));
            Value::SortedSet(members)
        }),
        stream().prop_map(Value::Stream),
    ]
}

proptest! {
    #[test]
    fn a_value_comes_back_through_a_store(value in value(), deadline in prop::option::of(1i64..100)) {
        let store = Store::builder().clock(crate::ManualClock::default()).in_memory();
        let (kv, deadline) = (store.kv(), deadline.map(Timestamp::from_seconds));
        let dump = seal(encode::encode(&value));
        prop_assert!(kv.restore_if_absent("a", &dump, deadline).unwrap());
        prop_assert_eq!(kv.deadline("a").unwrap(), deadline);
        let again = kv.dump("a").unwrap().unwrap();
        prop_assert_eq!(decode::decode(open(&again).unwrap()).unwrap(), value);
        prop_assert_eq!(again, dump);
        prop_assert!(!kv.restore_if_absent("a", kv.dump("a").unwrap().unwrap(), None).unwrap());
        kv.restore("a", kv.dump("a").unwrap().unwrap(), Some(Timestamp::from_micros(0))).unwrap();
        prop_assert_eq!(crate::kv::tests::entries(&store), 0, "nothing of what was replaced is left");
    }

    #[test]
    fn spoilt_bytes_are_refused_or_mean_something(
        value in value(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut: bool,
    ) {
        let mut bytes = encode::encode(&value);
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        if cut {
            bytes.pop();
        }
        if let Ok(dump) = dump_again_unsealed(&bytes) {
            prop_assert_eq!(dump_again(&dump).unwrap(), dump);
        }
    }

    #[test]
    fn no_bytes_do_harm(kind in 0u8..24, bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60)) {
        drop(dump_again_unsealed(&[&[kind][..], &bytes].concat()));
        drop(dump_again(&bytes));
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_checksum_is_that_of_servers() {
    assert_eq!(CHECKSUM.checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    let wrong = |dump: &[u8]| dump_again(dump).unwrap_err().to_string();
    let dump = seal(vec![0, 1, b'v']);
    for at in 0..dump.len() {
        let mut spoilt = dump.clone();
        spoilt[at] ^= 1;
        assert_eq!(wrong(&spoilt), "DUMP payload version or checksum are wrong", "{at}");
        assert_eq!(wrong(&dump[..at]), "DUMP payload version or checksum are wrong", "{at}");
    }
    assert_eq!(wrong(&seal(vec![0, 2, b'v'])), "Bad data format");
}

#[test]
fn what_is_empty_or_has_something_twice_is_bad() {
    for bytes in [
        &[1, 0][..],
        &[2, 0],
        &[4, 0],
        &[5, 0],
        &[0x12, 0],
        &[2, 2, 1, b'a', 1, b'a'],
        &[4, 2, 1, b'a', 0, 1, b'a', 0],
        &[0x12, 1, 2, 7, 7, 0, 0, 0, 0, 0, 0xff],
    ] {
        assert_eq!(dump_again_unsealed(bytes).unwrap_err().to_string(), "Bad data format", "{bytes:?}");
    }
}

#[test]
fn a_small_dump_of_much_is_refused() {
    // A compressed string that says it has 2^40 bytes.
    let much = unhex("00c303810000010000000000610000");
    assert!(matches!(dump_again_unsealed(&much), Err(Error::LimitExceeded { limit: "restored bytes", .. })));
    // As many members as a length can say.
    assert!(dump_again_unsealed(&unhex("0281ffffffffffffffff0161")).is_err());
}
