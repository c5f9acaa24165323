//! A group against a map of what is pending.

use super::*;

/// Consumers are one byte, of which two are used. Times are in milliseconds.
#[derive(Clone, Debug)]
enum Work {
    Add,
    DeleteNth(usize),
    TrimTo(u64),
    Read(u8, Option<u64>, bool),
    Again(u8, StreamId, Option<u64>),
    Acknowledge(Vec<StreamId>),
    Claim { consumer: u8, min_idle: u64, ids: Vec<StreamId>, force: bool, idle: Option<u64>, deliveries: Option<u64> },
    ClaimIds { consumer: u8, min_idle: u64, ids: Vec<StreamId>, force: bool, last_id: Option<StreamId> },
    AutoClaim(u8, u64, StreamId, u64, bool),
    Pending { bounds: Bounds, consumer: Option<u8>, min_idle: u64, limit: u64 },
    SetId(StreamId),
    CreateConsumer(u8),
    DeleteConsumer(u8),
    Renew,
}

fn work<S: WriteScope>(stream: &Stream<S>, work: &Work) -> String {
    let group = stream.group("g");
    let ids = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
    match work {
        Work::Add => show(stream.add(NewId::Auto, [("a", "1")]).map(|_| ())),
        Work::DeleteNth(n) => {
            let all = stream.range(.., None).unwrap();
            show(stream.remove(all.get(*n).map(|entry| entry.id).as_slice()))
        }
        Work::TrimTo(len) => show(stream.trim(Trim::max_len(*len))),
        Work::Read(consumer, count, true) => show(group.read([*consumer], *count).map(ids)),
        Work::Read(consumer, count, false) => show(group.read_acknowledged([*consumer], *count).map(ids)),
        Work::Again(consumer, after, count) => show(
            group
                .read_again([*consumer], *after, *count)
                .map(|entries| entries.into_iter().map(|(id, fields)| (id, fields.is_some())).collect::<Vec<_>>()),
        ),
        Work::Acknowledge(ids) => show(group.acknowledge(ids)),
        Work::Claim { consumer, min_idle, ids: claimed, force, idle, deliveries } => {
            let mut options = ClaimOptions::default();
            options = if *force { options.force() } else { options };
            options = idle.map_or(options.clone(), |idle| options.idle(millis(idle)));
            options = deliveries.map_or(options.clone(), |deliveries| options.deliveries(deliveries));
            show(group.claim([*consumer], millis(*min_idle), claimed, &options).map(ids))
        }
        Work::ClaimIds { consumer, min_idle, ids, force, last_id } => {
            let mut options = ClaimOptions::default();
            options = if *force { options.force() } else { options };
            options = last_id.map_or(options.clone(), |id| options.last_id(id));
            show(group.claim_ids([*consumer], millis(*min_idle), ids, &options))
        }
        Work::AutoClaim(consumer, min_idle, start, count, true) => {
            let outcome = group.auto_claim_ids([*consumer], millis(*min_idle), *start, *count);
            show(outcome.map(|outcome| (outcome.next, outcome.claimed, outcome.deleted)))
        }
        Work::AutoClaim(consumer, min_idle, start, count, false) => {
            let outcome = group.auto_claim([*consumer], millis(*min_idle), *start, *count);
            show(outcome.map(|outcome| (outcome.next, ids(outcome.claimed), outcome.deleted)))
        }
        Work::Pending { bounds, consumer, min_idle, limit } => {
            let mut query = group.pending_entries(*bounds).idle(millis(*min_idle)).limit(*limit);
            query = consumer.map_or(query.clone(), |consumer| query.consumer([consumer]));
            show(query.entries().map(|found| found.iter().map(plain).collect::<Vec<_>>()))
        }
        Work::SetId(id) => show(group.set_id(*id, None)),
        Work::CreateConsumer(consumer) => show(group.create_consumer([*consumer])),
        Work::DeleteConsumer(consumer) => show(group.remove_consumer([*consumer])),
        Work::Renew => show(group.remove().and_then(|_| group.create(StreamId::MIN))),
    }
}

/// Id, consumer, milliseconds idle, deliveries.
fn plain(entry: &PendingEntry) -> (StreamId, u8, u128, u64) {
    (entry.id, entry.consumer[0], entry.idle.as_millis(), entry.deliveries)
}

/// Obviously right: what is pending in one map, walked over for everything.
#[derive(Clone, Debug, Default)]
struct GroupModel {
    now: u64,
    ids: Vec<StreamId>,
    last_added: StreamId,
    last: StreamId,
    /// Consumer, time of delivery, deliveries.
    pending: BTreeMap<StreamId, (u8, u64, u64)>,
    /// Times seen and active.
    consumers: BTreeMap<u8, (u64, Option<u64>)>,
    /// Whether lag can be unknown: an entry was deleted by name, or the group was set to an id.
    uncounted: bool,
    /// Whether the counter is wrong: as in the original, a claim that moves the group leaves it as it is.
    stale: bool,
}

impl GroupModel {
    fn see(&mut self, consumer: u8, active: bool) {
        let (seen, last_active) = self.consumers.entry(consumer).or_default();
        *seen = self.now;
        if active {
            *last_active = Some(self.now);
        }
    }

    fn take(&mut self, id: StreamId, consumer: u8, min_idle: u64, at: u64, deliveries: Option<u64>, more: u64) -> bool {
        let before = self.pending.get(&id).copied();
        if before.is_some_and(|(_, delivered, _)| self.now - delivered < min_idle) {
            return false;
        }
        let counted = before.map_or(1, |(_, _, deliveries)| deliveries) + more;
        self.pending.insert(id, (consumer, at, deliveries.unwrap_or(counted)));
        true
    }

    fn claim(
        &mut self,
        ids: &[StreamId],
        force: bool,
        mut take: impl FnMut(&mut Self, StreamId) -> bool,
    ) -> Vec<StreamId> {
        let mut claimed = Vec::new();
        for id in ids {
            if !self.ids.contains(id) {
                self.pending.remove(id);
            } else if (force || self.pending.contains_key(id)) && take(self, *id) {
                claimed.push(*id);
            }
        }
        claimed
    }

    fn run(&mut self, work: &Work) -> String {
        match work {
            Work::Add => {
                let next = self.last_added.next().unwrap();
                self.last_added = if self.now > self.last_added.ms { at(self.now, 0) } else { next };
                self.ids.push(self.last_added);
                "()".to_owned()
            }
            Work::DeleteNth(n) => {
                let there = *n < self.ids.len();
                if there {
                    self.ids.remove(*n);
                    self.uncounted = true;
                }
                format!("{}", u8::from(there))
            }
            Work::TrimTo(len) => {
                let excess = self.ids.len().saturating_sub(usize::try_from(*len).unwrap());
                self.ids.drain(..excess);
                format!("{excess}")
            }
            Work::Read(consumer, count, keep) => {
                let new = cut(self.ids.iter().copied().filter(|id| *id > self.last).collect(), *count);
                for id in &new {
                    self.last = *id;
                    if *keep {
                        self.pending.insert(*id, (*consumer, self.now, 1));
                    }
                }
                self.see(*consumer, *keep && !new.is_empty());
                format!("{new:?}")
            }
            Work::Again(consumer, after, count) => {
                let mine = self.pending.iter().filter(|(id, (owner, ..))| *id > after && owner == consumer);
                let mine = cut(mine.map(|(id, _)| (*id, self.ids.contains(id))).collect(), *count);
                for (id, _) in mine.iter().filter(|(_, there)| *there) {
                    let (_, delivered, deliveries) = self.pending.get_mut(id).unwrap();
                    (*delivered, *deliveries) = (self.now, *deliveries + 1);
                }
                self.see(*consumer, false);
                format!("{mine:?}")
            }
            Work::Acknowledge(ids) => {
                format!("{}", ids.iter().filter(|id| self.pending.remove(id).is_some()).count())
            }
            Work::Claim { consumer, min_idle, ids, force, idle, deliveries } => {
                let at = idle.and_then(|idle| self.now.checked_sub(idle)).unwrap_or(self.now);
                let claimed =
                    self.claim(ids, *force, |model, id| model.take(id, *consumer, *min_idle, at, *deliveries, 1));
                self.see(*consumer, !claimed.is_empty());
                format!("{claimed:?}")
            }
            Work::ClaimIds { consumer, min_idle, ids, force, last_id } => {
                if let Some(last) = last_id.filter(|last| *last > self.last) {
                    self.last = last;
                    self.stale = true;
                }
                let now = self.now;
                let claimed = self.claim(ids, *force, |model, id| model.take(id, *consumer, *min_idle, now, None, 0));
                self.see(*consumer, !claimed.is_empty());
                format!("{claimed:?}")
            }
            Work::AutoClaim(consumer, min_idle, start, count, just_ids) => {
                self.auto_claim(*consumer, *min_idle, *start, *count, u64::from(!just_ids))
            }
            Work::Pending { bounds, consumer, min_idle, limit } => self.pending(*bounds, *consumer, *min_idle, *limit),
            Work::SetId(id) => {
                self.last = *id;
                (self.uncounted, self.stale) = (true, false);
                "()".to_owned()
            }
            Work::CreateConsumer(consumer) => {
                let new = !self.consumers.contains_key(consumer);
                if new {
                    self.see(*consumer, false);
                }
                format!("{new}")
            }
            Work::DeleteConsumer(consumer) => {
                self.consumers.remove(consumer);
                let before = self.pending.len();
                self.pending.retain(|_, (owner, ..)| owner != consumer);
                format!("{}", before - self.pending.len())
            }
            Work::Renew => {
                self.pending.clear();
                self.consumers.clear();
                self.last = StreamId::MIN;
                self.stale = false;
                "()".to_owned()
            }
        }
    }

    fn auto_claim(&mut self, consumer: u8, min_idle: u64, start: StreamId, count: u64, more: u64) -> String {
        if count == 0 {
            return "COUNT must be > 0".to_owned();
        }
        let (mut next, mut claimed, mut deleted) = (StreamId::MIN, Vec::new(), Vec::new());
        let all: Vec<_> = self.pending.range(start..).map(|(id, _)| *id).collect();
        for (looked_at, id) in all.into_iter().enumerate() {
            if (claimed.len() + deleted.len()) as u64 == count || looked_at as u64 == 10 * count {
                next = id;
                break;
            }
            if !self.ids.contains(&id) {
                self.pending.remove(&id);
                deleted.push(id);
            } else if self.take(id, consumer, min_idle, self.now, None, more) {
                claimed.push(id);
            }
        }
        self.see(consumer, !claimed.is_empty());
        format!("{:?}", (next, claimed, deleted))
    }

    fn pending(&self, bounds: Bounds, consumer: Option<u8>, min_idle: u64, limit: u64) -> String {
        if bounds.0 == Bound::Excluded(StreamId::MAX) {
            return "invalid start ID for the interval".to_owned();
        }
        if bounds.1 == Bound::Excluded(StreamId::MIN) {
            return "invalid end ID for the interval".to_owned();
        }
        let found = self.all_pending().into_iter().filter(|(id, owner, idle, _)| {
            bounds.contains(id) && consumer.is_none_or(|c| c == *owner) && *idle >= u128::from(min_idle)
        });
        format!("{:?}", cut(found.collect(), Some(limit)))
    }

    fn all_pending(&self) -> Vec<(StreamId, u8, u128, u64)> {
        let idle = |delivered: u64| u128::from(self.now - delivered);
        self.pending.iter().map(|(id, (owner, at, deliveries))| (*id, *owner, idle(*at), *deliveries)).collect()
    }

    fn owned(&self, consumer: u8) -> u64 {
        self.pending.values().filter(|(owner, ..)| *owner == consumer).count() as u64
    }

    fn consumers(&self) -> Vec<ConsumerInfo> {
        let ago = |at: u64| millis(self.now - at);
        let info = |(name, (seen, active)): (&u8, &(u64, Option<u64>))| ConsumerInfo {
            name: vec![*name],
            pending: self.owned(*name),
            idle: ago(*seen),
            inactive: active.map(ago),
        };
        self.consumers.iter().map(info).collect()
    }

    /// Asserts that the group is what the model says, and the invariants of the module header.
    fn check(&self, stream: &Stream) {
        let group = stream.group("g");
        let found = group.pending_entries(..).entries().unwrap();
        assert_eq!(found.iter().map(plain).collect::<Vec<_>>(), self.all_pending());
        assert_eq!(group.consumers().unwrap(), self.consumers());
        let summary = PendingSummary {
            count: self.pending.len() as u64,
            first: self.pending.keys().next().copied(),
            last: self.pending.keys().next_back().copied(),
            consumers: self.consumers.keys().map(|c| (vec![*c], self.owned(*c))).filter(|(_, n)| *n > 0).collect(),
        };
        assert_eq!(group.pending().unwrap(), summary);
        let info = stream.groups().unwrap().pop().unwrap();
        assert_eq!((info.last_delivered_id, info.pending), (self.last, summary.count));
        assert_eq!(info.consumers, self.consumers.len() as u64);
        let left = self.ids.iter().filter(|id| **id > self.last).count() as u64;
        assert!(
            self.stale || info.lag == i64::try_from(left).ok() || (self.uncounted && info.lag.is_none()),
            "{left} left, but {info:?}"
        );
        self.check_elements(stream);
    }

    fn check_elements(&self, stream: &Stream) {
        let outcome = stream.read("check", |view, elements, _| {
            let group = group::elements_of(view, elements, b"g")?;
            let mut cursor = view.range(&KeyRange::prefix(group.all()[2]), Direction::Forward)?;
            let mut owned = Vec::new();
            while let Some((key, _)) = cursor.next()? {
                let id = layout::id_of(key)?;
                assert_eq!(key, &*group.owned(&[self.pending[&id].0], id)?);
                owned.push(id);
            }
            owned.sort();
            assert!(owned.iter().eq(self.pending.keys()), "{owned:?}");
            let elements = view.count(&elements.all())?;
            let expected = 1 + self.ids.len() + self.consumers.len() + 2 * self.pending.len();
            assert_eq!(elements, expected as u64);
            Ok(())
        });
        outcome.unwrap();
    }
}

fn some_work() -> impl Strategy<Value = Work> {
    let consumer = || 0u8..2;
    let id = || (1u64..8, 0u64..3).prop_map(|(ms, seq)| at(ms, seq));
    let ids = || prop::collection::vec(id(), 1..8);
    let idle = || 0u64..4;
    prop_oneof![
        8 => Just(Work::Add),
        2 => (0usize..6).prop_map(Work::DeleteNth),
        1 => (0u64..6).prop_map(Work::TrimTo),
        6 => (consumer(), count(), prop::bool::weighted(0.8)).prop_map(|(c, n, keep)| Work::Read(c, n, keep)),
        2 => (consumer(), id(), count()).prop_map(|(c, id, n)| Work::Again(c, id, n)),
        2 => ids().prop_map(Work::Acknowledge),
        3 => (consumer(), idle(), ids(), any::<bool>(), prop::option::of(0u64..9), count()).prop_map(
            |(consumer, min_idle, ids, force, idle, deliveries)|
                Work::Claim { consumer, min_idle, ids, force, idle, deliveries }),
        2 => (consumer(), idle(), ids(), any::<bool>(), prop::option::weighted(0.2, id())).prop_map(
            |(consumer, min_idle, ids, force, last_id)| Work::ClaimIds { consumer, min_idle, ids, force, last_id }),
        3 => (consumer(), idle(), id(), 0u64..4, any::<bool>())
            .prop_map(|(c, idle, id, n, ids)| Work::AutoClaim(c, idle, id, n, ids)),
        2 => (bounds(), prop::option::of(consumer()), idle(), 0u64..5).prop_map(
            |(bounds, consumer, min_idle, limit)| Work::Pending { bounds, consumer, min_idle, limit }),
        1 => id().prop_map(Work::SetId),
        1 => consumer().prop_map(Work::CreateConsumer),
        1 => consumer().prop_map(Work::DeleteConsumer),
        1 => Just(Work::Renew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn a_group_agrees_with_a_map_of_what_is_pending(steps in prop::collection::vec((some_work(), 0u64..3), 1..50)) {
        let (store, clock) = store_at(1);
        store.kv().stream("s").group("g").create_with(StreamId::MIN, GroupOptions::default().make_stream()).unwrap();
        let mut model = GroupModel { now: 1, ..GroupModel::default() };
        for (next, passed) in &steps {
            let passed = passed.saturating_sub(1);
            clock.advance(millis(passed));
            model.now += passed;
            let expected = model.run(next);
            let outcome = twice(&store, |stream| work(stream, next), |stream| work(stream, next));
            prop_assert_eq!(outcome, expected, "{:?}", next);
            model.check(&store.kv().stream("s"));
        }
        prop_assert!(store.kv().remove("s").unwrap());
        prop_assert_eq!(crate::kv::tests::entries(&store), 0);
    }
}
