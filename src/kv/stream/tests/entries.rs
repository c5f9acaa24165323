//! Entries against a map of them.

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Add { id: NewId, value: u8, only_existing: bool, trim: Option<TrimBy> },
    Trim(TrimBy),
    Delete(Vec<StreamId>),
    SetId(StreamId, Option<u64>, Option<StreamId>),
    Range(Bounds, Option<u64>, bool),
    ReadAfter(StreamId, Option<u64>),
    Info,
}

#[derive(Clone, Debug)]
enum TrimBy {
    Len(u64, Option<u64>),
    Id(StreamId, Option<u64>),
    Unfit,
}

impl TrimBy {
    fn trim(&self) -> Trim {
        let (trim, limit) = match self {
            Self::Len(len, limit) => (Trim::max_len(*len), limit),
            Self::Id(id, limit) => (Trim::min_id(*id), limit),
            Self::Unfit => return Trim::max_len(0).limit(1),
        };
        limit.map_or(trim, |limit| trim.approximate().limit(limit))
    }
}

fn run<S: WriteScope>(stream: &Stream<S>, op: &Op) -> String {
    match op {
        Op::Add { id, value, only_existing, trim } => {
            let mut options = AddOptions::default();
            if *only_existing {
                options = options.only_existing();
            }
            if let Some(trim) = trim {
                options = options.trim(trim.trim());
            }
            show(stream.add_with(*id, [(b"v", [*value])], &options))
        }
        Op::Trim(trim) => show(stream.trim(trim.trim())),
        Op::Delete(ids) => show(stream.remove(ids)),
        Op::SetId(last, added, max_deleted) => show(stream.set_id(*last, *added, *max_deleted)),
        Op::Range(bounds, count, false) => show(stream.range(*bounds, *count).map(|entries| values(&entries))),
        Op::Range(bounds, count, true) => show(stream.reverse_range(*bounds, *count).map(|entries| values(&entries))),
        Op::ReadAfter(id, count) => show(stream.read_after(*id, *count).map(|entries| values(&entries))),
        Op::Info => show(stream.info().map(|info| {
            let edges = [info.first_entry, info.last_entry].map(|entry| values(entry.as_slice()));
            (info.len, info.last_id, info.max_deleted_id, info.entries_added, info.first_id, info.groups, edges)
        })),
    }
}

/// Obviously right: all entries in a map.
#[derive(Clone, Debug, Default)]
struct Model {
    there: bool,
    entries: BTreeMap<StreamId, u8>,
    last: StreamId,
    max_deleted: StreamId,
    added: u64,
}

impl Model {
    fn run(&mut self, op: &Op, now: u64) -> String {
        self.answer(op, now).unwrap_or_else(ToOwned::to_owned)
    }

    fn answer(&mut self, op: &Op, now: u64) -> Result<String, &'static str> {
        Ok(match op {
            Op::Add { id, value, only_existing, trim } => {
                if matches!(trim, Some(TrimBy::Unfit)) {
                    return Err("syntax error, LIMIT cannot be used without the special ~ option");
                }
                if *id == NewId::Exact(StreamId::MIN) {
                    return Err("The ID specified in XADD must be greater than 0-0");
                }
                if *only_existing && !self.there {
                    return Ok("None".to_owned());
                }
                let id = self.choose(*id, now)?;
                self.entries.insert(id, *value);
                (self.there, self.last, self.added) = (true, id, self.added + 1);
                if let Some(trim) = trim {
                    self.trim(trim);
                }
                format!("{:?}", Some(id))
            }
            Op::Trim(TrimBy::Unfit) => return Err("syntax error, LIMIT cannot be used without the special ~ option"),
            Op::Trim(trim) => format!("{}", self.trim(trim)),
            Op::Delete(ids) => {
                let gone: Vec<_> = ids.iter().filter(|id| self.entries.remove(id).is_some()).collect();
                self.max_deleted = gone.iter().fold(self.max_deleted, |max, id| max.max(**id));
                format!("{}", gone.len())
            }
            Op::SetId(last, added, max_deleted) => {
                let top = self.entries.keys().next_back();
                if max_deleted.is_some_and(|max_deleted| *last < max_deleted) {
                    return Err("The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
                }
                if !self.there {
                    return Err("no stream named \"s\"");
                }
                if *last < self.max_deleted {
                    return Err("The ID specified in XSETID is smaller than current max_deleted_entry_id");
                }
                if top.is_some_and(|top| last < top) {
                    return Err("The ID specified in XSETID is smaller than the target stream top item");
                }
                if added.is_some_and(|added| added < self.entries.len() as u64) {
                    return Err("The entries_added specified in XSETID is smaller than the target stream length");
                }
                (self.last, self.added) = (*last, added.unwrap_or(self.added));
                if let Some(max_deleted) = max_deleted.filter(|max_deleted| *max_deleted > at(0, 0)) {
                    self.max_deleted = max_deleted;
                }
                "()".to_owned()
            }
            Op::Range(bounds, count, reverse) => {
                if bounds.0 == Bound::Excluded(StreamId::MAX) {
                    return Err("invalid start ID for the interval");
                }
                if bounds.1 == Bound::Excluded(StreamId::MIN) {
                    return Err("invalid end ID for the interval");
                }
                let mut found = self.within(*bounds);
                if *reverse {
                    found.reverse();
                }
                format!("{:?}", cut(found, *count))
            }
            Op::ReadAfter(id, count) => {
                format!("{:?}", cut(self.within((Bound::Excluded(*id), Bound::Unbounded)), *count))
            }
            Op::Info if !self.there => return Err("no stream named \"s\""),
            Op::Info => {
                let all = self.within((Bound::Unbounded, Bound::Unbounded));
                let first = all.first().map_or(StreamId::MIN, |(id, _)| *id);
                let edges = [all.first(), all.last()].map(|entry| entry.copied().into_iter().collect::<Vec<_>>());
                format!("{:?}", (all.len(), self.last, self.max_deleted, self.added, first, 0, edges))
            }
        })
    }

    fn within(&self, bounds: Bounds) -> Vec<(StreamId, u8)> {
        self.entries.iter().filter(|(id, _)| bounds.contains(id)).map(|(id, value)| (*id, *value)).collect()
    }

    fn choose(&self, id: NewId, now: u64) -> Result<StreamId, &'static str> {
        if self.last == StreamId::MAX {
            return Err("The stream has exhausted the last possible ID, unable to add more items");
        }
        let chosen = match id {
            NewId::Exact(id) => id,
            NewId::Auto if now > self.last.ms => at(now, 0),
            NewId::Auto if self.last.seq == u64::MAX => at(self.last.ms + 1, 0),
            NewId::Auto => at(self.last.ms, self.last.seq + 1),
            NewId::At(ms) if ms == self.last.ms && self.last.seq < u64::MAX => at(ms, self.last.seq + 1),
            NewId::At(ms) => at(ms, 0),
        };
        if chosen <= self.last {
            return Err("The ID specified in XADD is equal or smaller than the target stream top item");
        }
        Ok(chosen)
    }

    fn trim(&mut self, trim: &TrimBy) -> u64 {
        let mut removed = 0;
        while let Some(first) = self.entries.keys().next().copied() {
            let (over, limit) = match trim {
                TrimBy::Len(len, limit) => (self.entries.len() as u64 > *len, limit),
                TrimBy::Id(id, limit) => (first < *id, limit),
                TrimBy::Unfit => unreachable!("refused before"),
            };
            if !over || limit.is_some_and(|limit| limit > 0 && removed == limit) {
                break;
            }
            self.entries.remove(&first);
            removed += 1;
        }
        removed
    }
}

fn op() -> impl Strategy<Value = Op> {
    let trim = || {
        prop_oneof![
            4 => (0u64..5, count()).prop_map(|(len, limit)| TrimBy::Len(len, limit)),
            4 => (id(), count()).prop_map(|(id, limit)| TrimBy::Id(id, limit)),
            1 => Just(TrimBy::Unfit),
        ]
    };
    let new_id =
        prop_oneof![4 => Just(NewId::Auto), 3 => (0u64..6).prop_map(NewId::At), 3 => id().prop_map(NewId::Exact)];
    let added = prop::option::weighted(0.3, trim());
    prop_oneof![
        10 => (new_id, any::<u8>(), any::<bool>(), added)
            .prop_map(|(id, value, only_existing, trim)| Op::Add { id, value, only_existing, trim }),
        2 => trim().prop_map(Op::Trim),
        3 => prop::collection::vec(id(), 1..4).prop_map(Op::Delete),
        1 => (id(), prop::option::of(0u64..9), prop::option::of(id())).prop_map(|(a, b, c)| Op::SetId(a, b, c)),
        4 => (bounds(), count(), any::<bool>()).prop_map(|(b, c, r)| Op::Range(b, c, r)),
        2 => (id(), count()).prop_map(|(id, count)| Op::ReadAfter(id, count)),
        2 => Just(Op::Info),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_stream_agrees_with_a_map(steps in prop::collection::vec((op(), 0u64..2), 1..50)) {
        let (store, clock) = store_at(0);
        let (mut model, mut now) = (Model::default(), 0);
        for (op, passed) in &steps {
            clock.advance(Duration::from_millis(*passed));
            now += passed;
            let expected = model.run(op, now);
            let outcome = twice(&store, |stream| run(stream, op), |stream| run(stream, op));
            prop_assert_eq!(outcome, expected, "{:?}", op);
            let stream = store.kv().stream("s");
            prop_assert_eq!(stream.len().unwrap(), model.entries.len() as u64);
            prop_assert_eq!(stream.last_id().unwrap(), model.last);
            prop_assert_eq!(store.kv().exists("s").unwrap(), model.there);
        }
        prop_assert_eq!(store.kv().remove("s").unwrap(), model.there);
        prop_assert_eq!(crate::kv::tests::entries(&store), 0);
    }
}
