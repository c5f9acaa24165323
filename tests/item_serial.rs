//! Transactions of many threads against a serial model.
//!
//! Every item has a log of the writes that have changed it, each by a number of its own. What an operation has seen of a
//! log says behind which writes it came, and the log at the end in which order those were; time says which operation
//! was over before another began. The test looks for an order of all operations that goes with that, and runs them in it on
//! a map: every result has to be the one that a thread got.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail by panicking, as the test does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use larder::item::request::*;
use larder::item::{AttributeValue, CancellationReason, Fault, Item, ScalarAttributeType, TableSchema};
use larder::{Error, Store};
use proptest::collection::vec;
use proptest::prelude::*;

const TABLE: &str = "Logs";
const KEYS: u8 = 3;
const THREADS: usize = 4;

/// The writes that have changed an item, in order; there is no item before the first.
type Log = Vec<u64>;

/// What a thread is to do.
#[derive(Clone, Debug)]
enum Step {
    /// Reads these items at one moment.
    Get(BTreeSet<u8>),
    /// Writes to items, or to none: whether each is only checked, and whether it has to be as it was just read.
    Write(BTreeMap<u8, (bool, bool)>),
    /// Puts an item as it was just read, and one write longer.
    Put(u8),
    /// Reads one item and writes to another, in a transaction of the store.
    Begin(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let keys = || 0..KEYS;
    prop_oneof![
        2 => prop::collection::btree_set(keys(), 1..=usize::from(KEYS)).prop_map(Step::Get),
        4 => prop::collection::btree_map(keys(), any::<(bool, bool)>(), 1..=usize::from(KEYS)).prop_map(Step::Write),
        2 => keys().prop_map(Step::Put),
        1 => (keys(), keys()).prop_map(|(read, written)| Step::Begin(read, written)),
    ]
}

/// What a write does to one item.
#[derive(Clone, Debug)]
struct Part {
    key: u8,
    /// What the log has to be.
    guard: Option<Log>,
    writes: bool,
}

/// What came of a part of a write that was refused: whether its guard held, and the log if not.
#[derive(Clone, Debug, PartialEq)]
enum Reason {
    Held,
    Failed(Log),
}

/// An operation as it was run.
#[derive(Clone, Debug)]
enum Done {
    Read(Vec<(u8, Log)>),
    Wrote { id: u64, parts: Vec<Part>, outcome: Result<(), Vec<Reason>> },
}

#[derive(Clone, Debug)]
struct Event {
    /// Ticks of one count: when it began, and when it was over.
    from: u64,
    until: u64,
    done: Done,
}

fn key(key: u8) -> Item {
    Item::from([("id", key.to_string())])
}

fn list(log: &[u64]) -> AttributeValue {
    AttributeValue::L(log.iter().map(|id| AttributeValue::from(*id)).collect())
}

fn log(item: Option<&Item>) -> Log {
    let Some(AttributeValue::L(log)) = item.and_then(|item| item.get("log")) else { return Log::new() };
    log.iter().map(|id| u64::try_from(id.as_n().unwrap().to_i64().unwrap()).unwrap()).collect()
}

fn values(pairs: &[(&str, AttributeValue)]) -> ExpressionAttributeValues {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn is(guard: &Log) -> &'static str {
    if guard.is_empty() { "attribute_not_exists(id)" } else { "#log = :seen" }
}

const APPEND: &str = "SET #log = list_append(if_not_exists(#log, :none), :me)";

/// One thread, and what it has done.
struct Thread<'a> {
    store: &'a Store,
    clock: &'a AtomicU64,
    ids: &'a AtomicU64,
    events: Vec<Event>,
}

impl Thread<'_> {
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn note(&mut self, from: u64, done: Done) {
        self.events.push(Event { from, until: self.tick(), done });
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Get(keys) => drop(self.read(keys)),
            Step::Write(parts) => self.write(parts),
            Step::Put(key) => self.put(*key),
            Step::Begin(read, written) => self.begin(*read, *written),
        }
    }

    fn read(&mut self, keys: &BTreeSet<u8>) -> BTreeMap<u8, Log> {
        let get = |of: &u8| TransactGet { table_name: TABLE.into(), key: key(*of), ..TransactGet::default() };
        let request = TransactGetItems { transact_items: keys.iter().map(get).collect(), ..Default::default() };
        let from = self.tick();
        let responses = self.store.items().transact_get_items(&request).unwrap().responses;
        let logs = keys.iter().zip(&responses).map(|(key, item)| (*key, log(item.as_ref())));
        let logs: BTreeMap<_, _> = logs.collect();
        self.note(from, Done::Read(logs.clone().into_iter().collect()));
        logs
    }

    fn write(&mut self, parts: &BTreeMap<u8, (bool, bool)>) {
        let id = self.ids.fetch_add(1, Ordering::SeqCst);
        let guarded: BTreeSet<u8> = parts.iter().filter(|(_, (_, guarded))| *guarded).map(|(key, _)| *key).collect();
        let mut seen = if guarded.is_empty() { BTreeMap::new() } else { self.read(&guarded) };
        std::thread::yield_now();
        let parts = parts.iter().map(|(key, (writes, _))| Part { key: *key, guard: seen.remove(key), writes: *writes });
        // A check without a condition is no action.
        let parts: Vec<Part> = parts.filter(|part| part.writes || part.guard.is_some()).collect();
        if parts.is_empty() {
            return;
        }
        let request = TransactWriteItems {
            transact_items: parts.iter().map(|part| action(part, id)).collect(),
            client_request_token: Some(id.to_string()),
            ..TransactWriteItems::default()
        };
        let from = self.tick();
        let outcome = self.store.items().transact_write_items(&request).map(drop);
        let was_written = outcome.is_ok();
        let outcome = outcome.map_err(|error| match error.item_fault() {
            Some(Fault::TransactionCanceled { reasons }) => reasons.iter().map(reason).collect(),
            _ => panic!("{error}"),
        });
        self.note(from, Done::Wrote { id, parts, outcome });
        if was_written {
            // It was done, and is not done again.
            self.store.items().transact_write_items(&request).unwrap();
        }
    }

    fn put(&mut self, of: u8) {
        let id = self.ids.fetch_add(1, Ordering::SeqCst);
        let seen = self.read(&BTreeSet::from([of])).remove(&of).unwrap();
        std::thread::yield_now();
        let longer = [&seen[..], &[id]].concat();
        let put = PutItem {
            table_name: TABLE.into(),
            item: key(of).with("log", list(&longer)),
            condition_expression: Some(is(&seen).into()),
            expression_attribute_names: (!seen.is_empty()).then(|| BTreeMap::from([("#log".into(), "log".into())])),
            expression_attribute_values: (!seen.is_empty()).then(|| values(&[(":seen", list(&seen))])),
            return_values: ReturnValues::AllOld,
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
            ..PutItem::default()
        };
        let from = self.tick();
        let outcome = match self.store.items().put_item(&put) {
            Ok(output) => {
                assert_eq!(log(output.attributes.as_ref()), seen, "what the condition held of is what was replaced");
                Ok(())
            }
            Err(error) => Err(vec![failed(&error)]),
        };
        self.note(from, Done::Wrote { id, parts: vec![Part { key: of, guard: Some(seen), writes: true }], outcome });
    }

    fn begin(&mut self, read: u8, written: u8) {
        let id = self.ids.fetch_add(1, Ordering::SeqCst);
        let from = self.tick();
        let tx = self.store.begin().unwrap();
        let seen = log(tx.item_table(TABLE).get(read.to_string()).unwrap().as_ref());
        std::thread::yield_now();
        tx.items().update_item(&append(written, id)).unwrap();
        match tx.commit() {
            Ok(()) => {
                let mut parts = vec![Part { key: written, guard: None, writes: true }];
                if read == written {
                    parts[0].guard = Some(seen);
                } else {
                    parts.push(Part { key: read, guard: Some(seen), writes: false });
                }
                self.note(from, Done::Wrote { id, parts, outcome: Ok(()) });
            }
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

/// An update that makes a log longer.
fn append(of: u8, id: u64) -> UpdateItem {
    UpdateItem {
        table_name: TABLE.into(),
        key: key(of),
        update_expression: Some(APPEND.into()),
        expression_attribute_names: Some(BTreeMap::from([("#log".into(), "log".into())])),
        expression_attribute_values: Some(values(&[(":none", list(&[])), (":me", list(&[id]))])),
        ..UpdateItem::default()
    }
}

fn action(part: &Part, id: u64) -> TransactWrite {
    let mut given = Vec::new();
    if part.writes {
        given.extend([(":none", list(&[])), (":me", list(&[id]))]);
    }
    let seen = part.guard.as_ref().filter(|seen| !seen.is_empty());
    given.extend(seen.map(|seen| (":seen", list(seen))));
    let action = if part.writes {
        TransactAction::Update { key: key(part.key), update_expression: APPEND.into() }
    } else {
        TransactAction::ConditionCheck(key(part.key))
    };
    TransactWrite {
        condition_expression: part.guard.as_ref().map(|seen| is(seen).to_owned()),
        expression_attribute_names: (!given.is_empty()).then(|| BTreeMap::from([("#log".into(), "log".into())])),
        expression_attribute_values: (!given.is_empty()).then(|| values(&given)),
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
        ..TransactWrite::new(TABLE, action)
    }
}

fn reason(reason: &CancellationReason) -> Reason {
    match reason {
        CancellationReason::None => Reason::Held,
        CancellationReason::ConditionalCheckFailed { item } => {
            Reason::Failed(log(item.as_ref().map(|item| item.to_item().unwrap()).as_ref()))
        }
        other => panic!("{other:?}"),
    }
}

fn failed(error: &Error) -> Reason {
    let Some(Fault::ConditionalCheckFailed { item }) = error.item_fault() else { panic!("{error}") };
    Reason::Failed(log(item.as_ref().map(|item| item.to_item().unwrap()).as_ref()))
}

/// For each log that an operation depends on: its key, and where in it the operation was. Behind n writes is 2n, and the
/// write that came then is 2n + 1.
fn places(event: &Event, logs: &BTreeMap<u8, Log>) -> Result<Vec<(u8, usize)>, TestCaseError> {
    let seen = |key: u8, log: &Log| {
        prop_assert!(logs[&key].starts_with(log), "{:?} was never the log of {}", log, key);
        Ok((key, 2 * log.len()))
    };
    match &event.done {
        Done::Read(read) => read.iter().map(|(key, log)| seen(*key, log)).collect(),
        Done::Wrote { id, parts, outcome: Ok(()) } => {
            let of = |part: &Part| {
                if let (false, Some(guard)) = (part.writes, &part.guard) {
                    return seen(part.key, guard);
                }
                let place = logs[&part.key].iter().position(|other| other == id);
                let place = place.ok_or_else(|| TestCaseError::fail(format!("{id} is missing in {}", part.key)))?;
                Ok((part.key, 2 * place + 1))
            };
            parts.iter().map(of).collect()
        }
        Done::Wrote { parts, outcome: Err(reasons), .. } => {
            prop_assert_eq!(parts.len(), reasons.len());
            let of = |(part, reason): (&Part, &Reason)| match (reason, &part.guard) {
                (Reason::Failed(log), _) | (Reason::Held, Some(log)) => Some(seen(part.key, log)),
                (Reason::Held, None) => None,
            };
            parts.iter().zip(reasons).filter_map(of).collect()
        }
    }
}

/// An order in which each operation comes behind those that it came behind by what it saw and by time.
fn order(events: &[Event], logs: &BTreeMap<u8, Log>) -> Result<Vec<usize>, TestCaseError> {
    let places = events.iter().map(|event| places(event, logs)).collect::<Result<Vec<_>, _>>()?;
    let is_before = |one: usize, other: usize| {
        events[one].until < events[other].from
            || places[one]
                .iter()
                .any(|(key, place)| places[other].iter().any(|(other, later)| key == other && place < later))
    };
    let mut left: Vec<usize> = (0..events.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let first = left.iter().position(|one| left.iter().all(|other| one == other || !is_before(*other, *one)));
        let first = first.ok_or_else(|| {
            let left: Vec<_> = left.iter().map(|event| &events[*event]).collect();
            TestCaseError::fail(format!("no order of these explains what they saw: {left:#?}"))
        })?;
        order.push(left.remove(first));
    }
    Ok(order)
}

/// Runs an operation on the model, and checks that it returns what it did.
fn replay(model: &mut BTreeMap<u8, Log>, done: &Done) -> Result<(), TestCaseError> {
    match done {
        Done::Read(read) => {
            for (key, log) in read {
                prop_assert_eq!(&model[key], log);
            }
        }
        Done::Wrote { id, parts, outcome } => {
            let reasons = parts.iter().map(|part| match &part.guard {
                Some(guard) if *guard != model[&part.key] => Reason::Failed(model[&part.key].clone()),
                _ => Reason::Held,
            });
            let reasons: Vec<Reason> = reasons.collect();
            let expected = if reasons.iter().all(|reason| *reason == Reason::Held) { Ok(()) } else { Err(reasons) };
            prop_assert_eq!(outcome, &expected);
            for part in parts.iter().filter(|part| part.writes && expected.is_ok()) {
                model.entry(part.key).or_default().push(*id);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(24) })]

    #[test] // SEM: ITM-TXN-1, ITM-TXN-2, ITM-TXN-3
    fn what_threads_see_is_what_a_serial_order_of_their_operations_gives(steps in vec(vec(step(), 20..30), THREADS)) {
        let store = Store::in_memory();
        store.item_table(TABLE).create(TableSchema::new("id", ScalarAttributeType::S)).unwrap();
        let (clock, ids, start) = (AtomicU64::new(0), AtomicU64::new(1), Barrier::new(THREADS));
        let run = |steps: &[Step]| {
            let mut thread = Thread { store: &store, clock: &clock, ids: &ids, events: Vec::new() };
            start.wait();
            for step in steps {
                thread.run(step);
            }
            thread.events
        };
        let events: Vec<Event> = std::thread::scope(|threads| {
            let running: Vec<_> = steps.iter().map(|steps| threads.spawn(|| run(steps))).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let at_end = |of: u8| (of, log(store.item_table(TABLE).get(of.to_string()).unwrap().as_ref()));
        let logs: BTreeMap<u8, Log> = (0..KEYS).map(at_end).collect();
        let mut model: BTreeMap<u8, Log> = (0..KEYS).map(|key| (key, Log::new())).collect();
        for event in order(&events, &logs)? {
            replay(&mut model, &events[event].done)?;
        }
        prop_assert_eq!(model, logs);
    }
}
