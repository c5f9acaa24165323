//! Single cases: what is missing, kinds, lag, limits, snapshots and conflicts.

use super::*;

#[test]
fn what_is_missing_is_named_by_kind_and_name() {
    fn missing<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (&'static str, String) {
        match outcome {
            Err(Error::NotFound { what, name }) => (what, name),
            other => panic!("{other:?}"),
        }
    }
    let store = Store::in_memory();
    let stream = store.kv().stream("s");
    let group = stream.group("g");
    let outcomes = || {
        [
            missing(group.set_id(Start::End, None)),
            missing(group.create_consumer("c")),
            missing(group.remove_consumer("c")),
            missing(group.consumers()),
            missing(group.read("c", None)),
            missing(group.pending()),
            missing(group.pending_entries(..).entries()),
            missing(group.claim("c", Duration::ZERO, [], &ClaimOptions::default())),
            missing(group.auto_claim("c", Duration::ZERO, StreamId::MIN, 1)),
        ]
    };
    let no_stream = ("stream", "s".to_owned());
    assert!(outcomes().iter().all(|outcome| *outcome == no_stream), "{:?}", outcomes());
    for outcome in [missing(group.create(Start::End)), missing(group.remove()), missing(stream.groups())] {
        assert_eq!(outcome, no_stream);
    }
    assert_eq!(group.acknowledge([at(1, 0)]).unwrap(), 0);
    assert!(!store.kv().exists("s").unwrap(), "a refusal makes no key");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    assert!(outcomes().iter().all(|outcome| *outcome == ("consumer group", "g".to_owned())), "{:?}", outcomes());
    assert!(!group.remove().unwrap());
    group.create(Start::End).unwrap();
    assert!(matches!(
        group.create(Start::End),
        Err(Error::AlreadyExists { what: "consumer group", name }) if name == "g"
    ));
}

#[test]
fn a_key_holds_one_kind() {
    let kv = Store::in_memory().kv();
    kv.set("k", "text").unwrap();
    let wrong = |error: Error| matches!(error, Error::WrongType { expected: "stream", found: "string", .. });
    assert!(wrong(kv.stream("k").add(NewId::Auto, [("a", "1")]).unwrap_err()));
    assert!(wrong(kv.stream("k").len().unwrap_err()));
    assert!(wrong(kv.stream("k").group("g").create(Start::End).unwrap_err()));
    assert!(wrong(kv.stream("k").group("g").acknowledge([]).unwrap_err()));
    kv.stream("s").add(NewId::Auto, [("a", "1")]).unwrap();
    assert!(matches!(kv.sorted_set("s").len(), Err(Error::WrongType { found: "stream", .. })));
    assert!(matches!(kv.get("s"), Err(Error::WrongType { found: "stream", .. })));
}

#[test]
fn a_stream_is_replaced_and_expires_with_all_that_is_in_it() {
    let (store, clock) = store_at(1);
    let kv = store.kv();
    let fill = || {
        kv.stream("s").add(NewId::Auto, [("a", "1")]).unwrap();
        kv.stream("s").group("g").create(StreamId::MIN).unwrap();
        kv.stream("s").group("g").read("c", None).unwrap();
    };
    fill();
    kv.set("s", "text").unwrap();
    assert_eq!(crate::kv::tests::entries(&store), 1);
    kv.remove("s").unwrap();
    fill();
    kv.expire("s", millis(5)).unwrap();
    kv.stream("s").add(NewId::Auto, [("a", "2")]).unwrap();
    assert!(matches!(kv.ttl("s").unwrap(), crate::kv::Ttl::Expires(left) if left == millis(5)), "adding keeps it");
    clock.advance(millis(5));
    assert_eq!((kv.stream("s").len().unwrap(), kv.stream("s").last_id().unwrap()), (0, StreamId::MIN));
    assert!(kv.stream("s").group("g").pending().is_err());
    assert_eq!(kv.stream("s").add(at(1, 0), [("a", "3")]).unwrap(), at(1, 0), "the last id is forgotten");
    assert_eq!(crate::kv::tests::entries(&store), 2);
}

#[test]
fn a_group_knows_its_lag_again_when_it_is_past_the_gap() {
    let stream = Store::in_memory().kv().stream("s");
    for ms in 1..=5 {
        stream.add(at(ms, 0), [("a", "1")]).unwrap();
    }
    let group = stream.group("g");
    group.create(StreamId::MIN).unwrap();
    let counters = || {
        let info = stream.groups().unwrap().pop().unwrap();
        (info.entries_read, info.lag)
    };
    assert_eq!(counters(), (None, Some(5)));
    group.read("c", Some(2)).unwrap();
    assert_eq!(counters(), (Some(2), Some(3)));
    stream.remove([at(4, 0)]).unwrap();
    assert_eq!(counters(), (Some(2), None), "one of those to come is gone");
    group.read("c", Some(1)).unwrap();
    assert_eq!(counters(), (None, None));
    group.read("c", Some(1)).unwrap();
    assert_eq!(counters(), (Some(5), Some(0)));
    stream.add(at(6, 0), [("a", "1")]).unwrap();
    assert_eq!(counters(), (Some(5), Some(1)));
    group.set_id(at(3, 0), Some(3)).unwrap();
    assert_eq!(counters(), (Some(3), None));
}

#[test]
fn lag_is_negative_when_more_is_said_to_be_read_than_there_is() {
    let stream = Store::in_memory().kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    stream.group("g").create_with(Start::After(at(1, 0)), GroupOptions::default().entries_read(7)).unwrap();
    let info = stream.groups().unwrap().pop().unwrap();
    assert_eq!((info.entries_read, info.lag), (Some(7), Some(-6)));
}

#[test]
fn fields_keep_their_order_and_may_repeat() {
    let stream = Store::in_memory().kv().stream("s");
    let fields = [("b", "1"), ("a", ""), ("b", "2"), ("", "3")];
    stream.add(at(1, 0), fields).unwrap();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let expected: Fields = fields.iter().map(|(name, value)| (bytes(name), bytes(value))).collect();
    assert_eq!(stream.range(.., None).unwrap(), [Entry { id: at(1, 0), fields: expected }]);
    let none: [(&str, &str); 0] = [];
    assert!(stream.add(at(2, 0), none).is_err());
}

#[test]
fn an_entry_of_one_stream_is_not_in_another() {
    let kv = Store::in_memory().kv();
    for key in [&b"s"[..], b"s\0", b"", b"\0"] {
        kv.stream(key).add(at(1, 0), [(key, key)]).unwrap();
        kv.stream(key).group(key).create(StreamId::MIN).unwrap();
    }
    for key in [&b"s"[..], b"s\0", b"", b"\0"] {
        assert_eq!(kv.stream(key).range(.., None).unwrap()[0].fields, [(key.to_vec(), key.to_vec())]);
        assert_eq!(kv.stream(key).groups().unwrap().len(), 1);
    }
}

#[test]
fn names_are_limited() {
    let stream = Store::in_memory().kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    let long = vec![b'x'; limits::GROUP_NAME_BYTES_MAX + 1];
    let too_long = |error: Error| matches!(error, Error::LimitExceeded { .. });
    assert!(too_long(stream.group(&long).create(Start::End).unwrap_err()));
    assert!(too_long(stream.group(&long).pending().unwrap_err()));
    let group = stream.group("g");
    group.create(StreamId::MIN).unwrap();
    assert!(too_long(group.read(&long, None).unwrap_err()));
    assert!(too_long(group.create_consumer(&long).unwrap_err()));
    assert!(too_long(group.claim(&long, Duration::ZERO, [], &ClaimOptions::default()).unwrap_err()));
    assert!(too_long(group.auto_claim(&long, Duration::ZERO, StreamId::MIN, 1).unwrap_err()));
    assert!(too_long(group.pending_entries(..).consumer(&long).entries().unwrap_err()));
    let longest = &long[1..];
    let deepest = stream.group(longest);
    deepest.create(StreamId::MIN).unwrap();
    assert_eq!(deepest.read(longest, None).unwrap().len(), 1);
    assert_eq!(deepest.remove_consumer(longest).unwrap(), 1);
}

#[test]
fn a_claim_counts_time_as_it_is_told() {
    let (store, _) = store_at(1_000);
    let stream = store.kv().stream("s");
    let id = stream.add(NewId::Auto, [("a", "1")]).unwrap();
    let group = stream.group("g");
    group.create(StreamId::MIN).unwrap();
    let time = |ms| ClaimOptions::default().force().time(Timestamp::from_millis(ms));
    for (options, idle) in [
        (time(400), 600),
        (time(1_001), 0),
        (time(-1), 0),
        (ClaimOptions::default().idle(millis(1_000)), 1_000),
        (ClaimOptions::default().idle(millis(1_001)), 0),
        (ClaimOptions::default().idle(Duration::MAX), 0),
    ] {
        assert_eq!(group.claim_ids("c", Duration::ZERO, [id], &options).unwrap(), [id]);
        assert_eq!(group.pending_entries(..).entries().unwrap()[0].idle, millis(idle), "{options:?}");
    }
}

#[test]
fn an_automatic_claim_looks_at_ten_entries_for_each_it_may_take() {
    let (store, clock) = store_at(1);
    let stream = store.kv().stream("s");
    let group = stream.group("g");
    group.create_with(StreamId::MIN, GroupOptions::default().make_stream()).unwrap();
    for ms in 1..=30 {
        stream.add(at(ms, 0), [("a", "1")]).unwrap();
    }
    group.read("c", None).unwrap();
    clock.advance(millis(10));
    group.read_again("c", StreamId::MIN, Some(15)).unwrap();
    let outcome = group.auto_claim_ids("d", millis(1), StreamId::MIN, 1).unwrap();
    assert_eq!((outcome.next, outcome.claimed), (at(11, 0), vec![]));
    let outcome = group.auto_claim_ids("d", millis(1), outcome.next, 1).unwrap();
    assert_eq!((outcome.next, outcome.claimed), (at(17, 0), vec![at(16, 0)]));
}

#[test]
fn a_snapshot_reads_a_stream_as_it_was() {
    let store = Store::in_memory();
    let stream = store.kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    stream.group("g").create(StreamId::MIN).unwrap();
    let snapshot = store.snapshot().unwrap();
    stream.group("g").read("c", None).unwrap();
    stream.trim(Trim::max_len(0)).unwrap();
    let before = snapshot.kv().stream("s");
    assert_eq!((before.len().unwrap(), before.group("g").pending().unwrap().count), (1, 0));
}

#[test]
fn readers_of_one_group_conflict() {
    let store = Store::in_memory();
    let stream = store.kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    stream.group("g").create(StreamId::MIN).unwrap();
    let (one, two) = (store.begin().unwrap(), store.begin().unwrap());
    assert_eq!(one.kv().stream("s").group("g").read("c", None).unwrap().len(), 1);
    assert_eq!(two.kv().stream("s").group("g").read("d", None).unwrap().len(), 1);
    one.commit().unwrap();
    assert!(two.commit().unwrap_err().is_retryable(), "an entry is delivered once");
}

#[test]
fn every_element_is_below_its_stream() {
    let (store, _) = store_at(1);
    let stream = store.kv().stream("s");
    stream.add(NewId::Auto, [("a", "1")]).unwrap();
    stream.group("g").create(StreamId::MIN).unwrap();
    stream.group("g").read("c", None).unwrap();
    let found = stream.read("check", |view, elements, _| {
        let everything = view.count(&KeyRange::all())?;
        Ok((everything, view.count(&elements.all())?))
    });
    assert_eq!(found.unwrap(), Some((7, 5)), "the block of ids; head; entry, group, consumer, pending and owned");
}
