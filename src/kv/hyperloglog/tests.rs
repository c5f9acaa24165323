//! Bytes and counts that a server has answered, and what has to hold for all of them.

use proptest::prelude::*;

use super::*;
use crate::{Error, InvalidKind, Store};

fn kv() -> Kv {
    Store::in_memory().kv()
}

/// Length and checksum of a value, as they were taken of a server's.
fn print(kv: &Kv, key: &str) -> (usize, u32) {
    let value = kv.get(key).unwrap().unwrap();
    (value.len(), crc32c::crc32c(&value))
}

fn add(kv: &Kv, key: &str, elements: impl IntoIterator<Item = String>) {
    for element in elements {
        kv.hyperloglog(key).add([element]).unwrap();
    }
}

#[test]
fn bytes_and_counts_are_those_of_a_server() {
    let (kv, mut added) = (kv(), 0);
    for (elements, count, len, checksum) in [
        (1, 1, 21, 0xcfda_b588),
        (10, 10, 48, 0x8faf_d225),
        (100, 99, 285, 0x7f2a_7b13),
        (500, 502, 1_050, 0x6f3c_cebc),
        (1_000, 997, 1_897, 0x35a8_fa34),
        (1_400, 1_397, 2_558, 0x7137_d57f),
        (1_600, 1_604, 2_886, 0x5838_e451),
        (2_000, 2_004, 12_304, 0xf67f_5c51),
        (5_000, 5_005, 12_304, 0xa655_f64c),
        (20_000, 19_986, 12_304, 0xd87b_7aae),
    ] {
        add(&kv, "k", (added..elements).map(|n| format!("element:{n}")));
        added = elements;
        assert_eq!(kv.hyperloglog("k").count_and_keep().unwrap(), count);
        assert_eq!(print(&kv, "k"), (len, checksum), "{elements} elements");
    }
    let elements = |from: usize, to: usize| (from..to).map(|n| format!("element:{n}"));
    kv.hyperloglog("k").add(elements(20_000, 100_000)).unwrap();
    assert_eq!(kv.hyperloglog("k").count_and_keep().unwrap(), 100_039);
    assert_eq!(print(&kv, "k"), (12_304, 0x947e_83fd));
    kv.hyperloglog("k").add(elements(100_000, 300_000)).unwrap();
    assert_eq!(kv.hyperloglog("k").count_and_keep().unwrap(), 298_112);
    assert_eq!(print(&kv, "k"), (12_304, 0x507c_d23e));
    add(&kv, "s0", (0..400).map(|n| format!("m0:{n}")));
    assert_eq!(kv.hyperloglog("s0").count_and_keep().unwrap(), 403);
    kv.hyperloglog("d2").merge_from(["s0", "k"]).unwrap();
    assert_eq!(kv.hyperloglog("d2").count().unwrap(), 298_801);
    assert_eq!(print(&kv, "d2"), (12_304, 0x9316_8731));
}

#[test]
fn merged_bytes_and_counts_are_those_of_a_server() {
    let kv = kv();
    for (m, count) in [(0, 403), (1, 402), (2, 401)] {
        let key = format!("s{m}");
        add(&kv, &key, (0..400).map(|n| format!("m{m}:{n}")));
        assert_eq!(kv.hyperloglog(&key).count_and_keep().unwrap(), count);
    }
    assert_eq!(print(&kv, "s0"), (879, 0xa6f2_57c9));
    assert_eq!(kv.hyperloglog_count(["s0", "s1", "missing", "s2"]).unwrap(), 1_211);
    kv.hyperloglog("d").merge_from(["s0", "s1"]).unwrap();
    assert_eq!(print(&kv, "d"), (1_576, 0xaaa0_ba91));
    assert_eq!(kv.hyperloglog("d").count_and_keep().unwrap(), 809);
    kv.hyperloglog("d").merge_from(["s2"]).unwrap();
    assert_eq!(print(&kv, "d"), (2_243, 0x55fc_3778));
    assert_eq!(kv.hyperloglog("d").count().unwrap(), 1_211);
}

#[test]
fn adding_nothing_creates_the_key() {
    let kv = kv();
    assert!(kv.hyperloglog("h").add([""; 0]).unwrap());
    assert!(!kv.hyperloglog("h").add([""; 0]).unwrap());
    assert_eq!(kv.get("h").unwrap().unwrap(), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff");
    kv.hyperloglog("m").merge_from(["missing"]).unwrap();
    assert_eq!(kv.get("m").unwrap(), kv.get("h").unwrap());
    assert_eq!(kv.hyperloglog("missing").count_and_keep().unwrap(), 0);
    assert!(!kv.exists("missing").unwrap());
}

#[test]
fn counting_keeps_the_count_and_adding_forgets_it() {
    let kv = kv();
    let h = kv.hyperloglog("h");
    h.add(["a"]).unwrap();
    assert_eq!(h.count().unwrap(), 1);
    assert_eq!(kv.get("h").unwrap().unwrap()[8..16], [0, 0, 0, 0, 0, 0, 0, 0x80]);
    h.count_and_keep().unwrap();
    assert_eq!(kv.get("h").unwrap().unwrap()[8..16], [1, 0, 0, 0, 0, 0, 0, 0]);
    h.add(["b"]).unwrap();
    assert_eq!(kv.get("h").unwrap().unwrap()[8..16], [1, 0, 0, 0, 0, 0, 0, 0x80]);
    assert_eq!(h.count().unwrap(), 2);
}

#[test]
fn other_strings_are_refused() {
    let kv = kv();
    let h = kv.hyperloglog("h");
    let mut dense = b"HYLL\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    dense.resize(12_303, 0);
    let long = [&b"HYLL\x02"[..], &[0; 20]].concat();
    let magic = [&b"HYLM\x01"[..], &[0; 11], &[0x7f, 0xff]].concat();
    for value in [&b""[..], b"HYLLxxxx", &dense, &long, &magic] {
        kv.set("h", value).unwrap();
        for outcome in [h.add(["a"]).map(drop), h.count().map(drop), h.count_and_keep().map(drop)] {
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::Invalid { kind: InvalidKind::Type, .. }));
            assert_eq!(error.to_string(), "Key is not a valid HyperLogLog string value.");
        }
        assert!(kv.hyperloglog("m").merge_from(["h"]).is_err());
        assert!(kv.hyperloglog_count(["h"]).is_err());
        assert_eq!(kv.get("h").unwrap().unwrap(), value);
    }
    assert!(!kv.exists("m").unwrap());
    kv.sorted_set("z").add("m", 1.0).unwrap();
    assert!(matches!(kv.hyperloglog("z").count(), Err(Error::WrongType { .. })));
}

#[test]
fn registers_that_do_not_add_up_are_refused() {
    let kv = kv();
    kv.set("h", [&b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80"[..], &[0x7f, 0xfe]].concat()).unwrap();
    let error = kv.hyperloglog("h").count().unwrap_err();
    assert!(matches!(error, Error::Invalid { kind: InvalidKind::Serialization, .. }));
    assert_eq!(error.to_string(), "Corrupted HLL object detected");
}

proptest! {
    #[test]
    fn a_merge_knows_what_its_sources_know(
        parts in prop::collection::vec(prop::collection::vec(any::<u16>(), 0..60), 0..4),
        dense in 0usize..5,
    ) {
        let kv = kv();
        let all = kv.hyperloglog("all");
        for (n, part) in parts.iter().enumerate() {
            let mut elements: Vec<String> = part.iter().map(u16::to_string).collect();
            if n == dense {
                elements.extend((0..2_500).map(|n| format!("more {n}")));
            }
            kv.hyperloglog(n.to_string()).add(&elements).unwrap();
            all.add(&elements).unwrap();
        }
        let keys: Vec<String> = (0..parts.len()).map(|n| n.to_string()).collect();
        kv.hyperloglog("merged").merge_from(&keys).unwrap();
        let registers = |key: &str| {
            kv.get(key).unwrap().map_or_else(Registers::default, |value| Sketch::decode(&value).unwrap().registers().unwrap())
        };
        prop_assert_eq!(registers("merged"), registers("all"));
        prop_assert_eq!(kv.hyperloglog_count(&keys).unwrap(), all.count().unwrap());
    }

    #[test]
    fn a_value_comes_back_or_is_refused(mut bytes: Vec<u8>, header: bool) {
        if header {
            bytes.splice(0..0, *b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80");
        }
        if let Ok(mut sketch) = Sketch::decode(&bytes) {
            prop_assert_eq!(sketch.encode(), bytes);
            let _ = (sketch.registers(), sketch.raise(9, 2));
        }
    }
}
