//! Clients of the Redis door on a disk that loses power, fails and fills up, at any moment.
//!
//! A seed decides everything: what clients send and in which pieces, what waits, when the disk fails and what of the unsynced
//! writes it keeps. The requests go through the door's own connections. What must hold while the store runs:
//! - each request gets exactly one reply, in order, whatever becomes of the disk; an error is one of a store that cannot write;
//! - a store that cannot write goes on being read, and shows nothing that was refused.
//!
//! And after it is opened again:
//! - it holds everything that a client has read as acknowledged, and everything that a client has read or was sent as a message;
//! - what it holds is what the commits up to one of them made, and of a transaction all or nothing.
//!
//! `LARDER_CRASH_SEEDS=20000` runs that many seeds, `LARDER_CRASH_SEED=17` only that one, with a trace of the last calls.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::format_push_string, clippy::similar_names, reason = "a story is a text, and its names are its own")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use larder::engine::Durability;
use larder::engine::durable::{DurableEngine, DurableOptions};
use larder::kv::End;
use larder::server::redis::RedisOptions;
use larder::server::redis::testing::ManualDoor;
use larder::vfs::Vfs;
use larder::vfs::sim::{Call, Fault, SimVfs};
use larder::{ManualClock, Store};

/// Seeds run unless the environment asks for more.
const SEEDS: u64 = 300;

/// Crashes that one store lives through.
const CRASHES: usize = 3;

/// Turns between two crashes: in each, some clients send a pipeline.
const TURNS: usize = 30;

/// Clients that send pipelines.
const WRITERS: usize = 4;

/// Milliseconds that a key lives.
const TTL_MS: i64 = 1_000;

/// Numbers from a seed (xorshift64*).
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A reply of the protocol.
#[derive(Debug, PartialEq)]
enum Reply {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(Option<String>),
    Array(Option<Vec<Reply>>),
}

/// Takes a whole reply from the beginning of `bytes`.
fn take_reply(bytes: &mut VecDeque<u8>) -> Option<Reply> {
    let flat: Vec<u8> = bytes.iter().copied().collect();
    let (reply, length) = parse(&flat)?;
    bytes.drain(..length);
    Some(reply)
}

fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[1..end - 1]).unwrap();
    let mut at = end + 1;
    let reply = match bytes[0] {
        b'+' => Reply::Simple(line.to_owned()),
        b'-' => Reply::Error(line.to_owned()),
        b':' => Reply::Integer(line.parse().unwrap()),
        b'$' => match line.parse::<i64>().unwrap() {
            -1 => Reply::Bulk(None),
            length => {
                let length = usize::try_from(length).unwrap();
                let text = bytes.get(at..at + length + 2)?;
                at += length + 2;
                Reply::Bulk(Some(String::from_utf8(text[..length].to_vec()).unwrap()))
            }
        },
        b'*' => match line.parse::<i64>().unwrap() {
            -1 => Reply::Array(None),
            count => {
                let mut replies = Vec::new();
                for _ in 0..count {
                    let (reply, length) = parse(&bytes[at..])?;
                    at += length;
                    replies.push(reply);
                }
                Reply::Array(Some(replies))
            }
        },
        other => panic!("no reply: {:?}", char::from(other)),
    };
    Some((reply, at))
}

/// A request whose reply has not come, by what it tells when it is no error.
#[derive(Clone, Debug)]
enum Request {
    /// A tag at the end of the list of all tags.
    Tag(String),
    /// The counter is read.
    Read,
    /// Nothing: `MULTI`, or a command that is queued.
    Step,
    /// A transaction of a writer: its number in two keys, a tag, the counter. With a message of the number.
    Transaction(usize, u64),
    /// A key with a deadline.
    Key(String, i64),
    /// A job for who moves jobs, and for who takes them.
    Job(&'static str, String),
    Move,
    Take,
    Subscribe,
}

/// A connection, and what it is owed.
struct Client {
    number: usize,
    received: VecDeque<u8>,
    owed: VecDeque<Request>,
    /// A pipeline came in two pieces, perhaps within a transaction: when what was queued is taken back, the connection ends.
    is_split: bool,
}

/// What has been acknowledged or shown, and so has to be there.
#[derive(Default)]
struct Known {
    /// Tags by their places, counted from 1.
    tags: BTreeMap<i64, String>,
    counter: i64,
    /// The last transaction of each writer.
    transactions: [u64; WRITERS],
    /// Keys with their deadlines in milliseconds.
    keys: BTreeMap<String, i64>,
    jobs: BTreeSet<(&'static str, String)>,
    moved: BTreeSet<String>,
    taken: BTreeSet<String>,
}

/// A store with its door, and what it has to hold.
struct Run {
    disk: SimVfs,
    rng: Rng,
    clock: ManualClock,
    durability: Durability,
    next: u64,
    known: Known,
}

/// A store that is open.
struct Open {
    store: Store,
    door: ManualDoor,
    clients: Vec<Client>,
}

const MOVER: usize = WRITERS;
const TAKER: usize = WRITERS + 1;
const LISTENER: usize = WRITERS + 2;

impl Run {
    fn new(seed: u64) -> Self {
        // Commits that are not synced outlive the process, but not the power.
        let durability = if seed % 5 == 4 { Durability::None } else { Durability::Sync };
        let (disk, rng, clock) = (SimVfs::new(seed), Rng::new(seed), ManualClock::default());
        Self { disk, rng, clock, durability, next: 0, known: Known::default() }
    }

    fn open_store(&self) -> Result<Store, larder::Error> {
        let vfs = Arc::new(self.disk.clone()) as Arc<dyn Vfs>;
        // Small, so that segments are left and checkpoints made all the time; without threads, so that a seed decides.
        let options =
            DurableOptions::default().vfs(vfs).without_threads().segment_bytes(4 << 10).checkpoint_log_bytes(24 << 10);
        let engine = DurableEngine::open_with(Path::new("/disk/store"), &options.store_id(1))?;
        Store::builder().clock(self.clock.clone()).durability(self.durability).engine(Arc::new(engine))
    }

    fn open(&mut self) -> Result<Open, larder::Error> {
        let store = self.open_store()?;
        let mut door = ManualDoor::new(&store, &RedisOptions::default().seed(1)).unwrap();
        let client = |number| Client { number, received: VecDeque::new(), owed: VecDeque::new(), is_split: false };
        let clients = (0..=LISTENER).map(|_| client(door.connect())).collect();
        let mut open = Open { store, door, clients };
        open.send(LISTENER, "SUBSCRIBE news\r\n", [Request::Subscribe]);
        // Alone: with the writes of others it would be taken back, and the connection end.
        open.door.run();
        Ok(open)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn now_ms(&self) -> i64 {
        larder::Clock::now(&self.clock).as_micros() / 1_000
    }

    /// A pipeline of a writer.
    fn pipeline(&mut self, writer: usize) -> (String, Vec<Request>) {
        let (mut text, mut requests) = (String::new(), Vec::new());
        for _ in 0..=self.rng.below(5) {
            let number = self.number();
            let padding = "x".repeat(usize::try_from(self.rng.below(200)).unwrap());
            match self.rng.below(7) {
                0 | 1 => {
                    let tag = format!("tag:{writer}:{number}:{padding}");
                    text += &format!("RPUSH tags {tag}\r\n");
                    requests.push(Request::Tag(tag));
                }
                2 | 3 => {
                    text += &format!(
                        "MULTI\r\nSET a:{writer} {number}\r\nRPUSH tags tx:{writer}:{number}\r\nPUBLISH news {writer}:{number}\r\n\
                         INCR counter\r\nSET b:{writer} {number}\r\nEXEC\r\n"
                    );
                    requests.extend(vec![Request::Step; 6]);
                    requests.push(Request::Transaction(writer, number));
                }
                4 => {
                    text += "GET counter\r\n";
                    requests.push(Request::Read);
                }
                5 => {
                    let key = format!("key:{number}");
                    text += &format!("SET {key} {padding}x PX {TTL_MS}\r\n");
                    requests.push(Request::Key(key, self.now_ms() + TTL_MS));
                }
                _ => {
                    let queue = if self.rng.one_in(2) { "moves" } else { "takes" };
                    text += &format!("RPUSH {queue} {number}\r\n");
                    requests.push(Request::Job(queue, number.to_string()));
                }
            }
        }
        (text, requests)
    }

    /// One turn: some clients send, some time passes, and what has come back is looked at.
    fn turn(&mut self, open: &mut Open) {
        if open.clients[MOVER].owed.is_empty() {
            open.send(MOVER, "BLMOVE moves moved LEFT RIGHT 0\r\n", [Request::Move]);
        }
        if open.clients[TAKER].owed.is_empty() {
            open.send(TAKER, "BLPOP takes 0\r\n", [Request::Take]);
        }
        for writer in 0..WRITERS {
            if self.rng.one_in(2) {
                let (text, requests) = self.pipeline(writer);
                // In pieces, too.
                let cut = usize::try_from(self.rng.below(text.len() as u64 + 1)).unwrap();
                let (first, second) = if self.rng.one_in(4) { text.split_at(cut) } else { (&*text, "") };
                open.send(writer, first, requests);
                if !second.is_empty() {
                    open.clients[writer].is_split = true;
                    if self.rng.one_in(2) {
                        open.door.run();
                    }
                    open.send(writer, second, []);
                }
            }
            if self.rng.one_in(3) {
                open.door.run();
            }
        }
        // Before time passes: deadlines count from when a request is run.
        open.door.run();
        match self.rng.below(12) {
            0 => self.clock.advance(Duration::from_millis(400)),
            // These may fail, and then are told so.
            1 => drop(open.store.sweep_expired()),
            2 => drop(open.store.checkpoint()),
            3 => drop(open.store.kv().list("takes").push(End::Back, [self.number().to_string()])),
            _ => {}
        }
        self.receive(open);
    }

    /// Reads every reply that has come.
    fn receive(&mut self, open: &mut Open) {
        for at in 0..open.clients.len() {
            let number = open.clients[at].number;
            let bytes = open.door.receive(number);
            open.clients[at].received.extend(bytes);
            while let Some(reply) = take_reply(&mut open.clients[at].received) {
                if at == LISTENER && open.clients[at].owed.is_empty() {
                    self.hear(&reply);
                    continue;
                }
                let request = open.clients[at].owed.pop_front().unwrap_or_else(|| panic!("nobody asked for {reply:?}"));
                self.note(&request, reply);
            }
            if !open.door.is_connected(number) {
                let client = &mut open.clients[at];
                assert!(
                    std::mem::take(&mut client.is_split),
                    "no error of the disk ends a connection, but that of client {at} did"
                );
                client.number = open.door.connect();
                client.received.clear();
                client.owed.clear();
            } else if at < WRITERS {
                let owed = &open.clients[at].owed;
                assert!(owed.is_empty(), "a request without a reply: {owed:?}");
                open.clients[at].is_split = false;
            }
        }
    }

    /// Notes what a reply tells.
    fn note(&mut self, request: &Request, reply: Reply) {
        if let Reply::Error(text) = &reply {
            let is_expected =
                text.starts_with("MISCONF Errors writing to the data store: ") || text.starts_with("EXECABORT");
            assert!(is_expected, "{request:?}: {text}");
            return;
        }
        let known = &mut self.known;
        match (request, reply) {
            (Request::Tag(tag), Reply::Integer(place)) => drop(known.tags.insert(place, tag.clone())),
            (Request::Read, Reply::Bulk(text)) => {
                let read = text.map_or(0, |text| text.parse().unwrap());
                assert!(read >= known.counter, "{read} was read after {}", known.counter);
                known.counter = read;
            }
            (Request::Step, Reply::Simple(_)) | (Request::Subscribe, Reply::Array(_)) => {}
            (Request::Transaction(writer, number), Reply::Array(Some(replies))) => {
                let [_, Reply::Integer(place), _, Reply::Integer(counter), _] = &replies[..] else {
                    panic!("{replies:?}")
                };
                known.tags.insert(*place, format!("tx:{writer}:{number}"));
                known.counter = known.counter.max(*counter);
                known.transactions[*writer] = *number;
            }
            // What was queued was refused, and so nothing was queued.
            (Request::Transaction(..), Reply::Array(None)) => panic!("nothing was watched"),
            (Request::Key(key, deadline), Reply::Simple(_)) => drop(known.keys.insert(key.clone(), *deadline)),
            (Request::Job(queue, id), Reply::Integer(_)) => drop(known.jobs.insert((queue, id.clone()))),
            (Request::Move, Reply::Bulk(Some(id))) => assert!(known.moved.insert(id)),
            (Request::Take, Reply::Array(Some(mut replies))) => {
                let Some(Reply::Bulk(Some(id))) = replies.pop() else { panic!("{replies:?}") };
                assert!(known.taken.insert(id));
            }
            (request, reply) => panic!("{request:?}: {reply:?}"),
        }
    }

    /// Notes what a message tells: it was published by a transaction that is durable.
    fn hear(&mut self, reply: &Reply) {
        let Reply::Array(Some(parts)) = reply else { panic!("{reply:?}") };
        let Some(Reply::Bulk(Some(text))) = parts.last() else { panic!("{reply:?}") };
        let (writer, number) = text.split_once(':').unwrap();
        let last = &mut self.known.transactions[writer.parse::<usize>().unwrap()];
        *last = (*last).max(number.parse().unwrap());
    }

    /// Checks that a store holds what is known of it, and whole transactions; goes on from what it holds.
    fn check(&mut self, store: &Store) {
        let kv = store.kv();
        let list = |name: &str| -> Vec<String> {
            let values = kv.list(name).range(0, -1).unwrap();
            values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
        };
        let number =
            |key: &str| kv.get(key).unwrap().map_or(0, |text| String::from_utf8(text).unwrap().parse().unwrap());
        let tags = list("tags");
        for (place, tag) in &self.known.tags {
            let found = usize::try_from(place - 1).ok().and_then(|at| tags.get(at));
            assert_eq!(found, Some(tag), "at place {place} of {}", tags.len());
        }
        let of_transactions = || tags.iter().filter_map(|tag| tag.strip_prefix("tx:")?.split_once(':'));
        let counter = i64::try_from(number("counter")).unwrap();
        assert_eq!(counter, i64::try_from(of_transactions().count()).unwrap(), "each transaction counts once");
        assert!(counter >= self.known.counter, "{counter}, and {} was shown", self.known.counter);
        for writer in 0..WRITERS {
            let own = of_transactions().filter(|(name, _)| *name == writer.to_string());
            let own: Vec<u64> = own.map(|(_, number)| number.parse().unwrap()).collect();
            let last = own.last().copied().unwrap_or(0);
            assert!(own.is_sorted(), "out of order: {own:?}");
            assert_eq!(
                [number(&format!("a:{writer}")), number(&format!("b:{writer}"))],
                [last; 2],
                "half a transaction"
            );
            assert!(last >= self.known.transactions[writer], "{last} of {}", self.known.transactions[writer]);
            self.known.transactions[writer] = last;
        }
        let now = self.now_ms();
        for (key, deadline) in &self.known.keys {
            assert_eq!(kv.exists(key).unwrap(), now < *deadline, "{key} at {now}, until {deadline}");
        }
        let (moves, moved, takes) = (list("moves"), list("moved"), list("takes"));
        for (queue, id) in &self.known.jobs {
            let places = [&moves, &moved, &takes].into_iter().flatten().filter(|other| *other == id).count();
            // Who takes a job may have it without having been told so.
            assert!(places == 1 || (places == 0 && *queue == "takes"), "{queue} {id}: {places} times");
        }
        assert!(self.known.moved.iter().all(|id| moved.contains(id)), "moved, and then not");
        assert!(self.known.taken.iter().all(|id| !takes.contains(id)), "taken, and still there");
        self.known.counter = counter;
        self.known.tags = (1..).zip(tags).collect();
        self.known.keys.retain(|_, deadline| now < *deadline);
        self.known.jobs.retain(|(queue, _)| *queue == "moves");
    }

    /// What clients see of a store that may have failed is what they have been told.
    fn check_running(&mut self, open: &mut Open) {
        open.door.run();
        self.receive(open);
        if open.store.failure().is_some() {
            let store = open.store.clone();
            self.check(&store);
            open.send(0, "PING\r\nGET counter\r\n", [Request::Step, Request::Read]);
            self.receive(open);
        }
    }
}

impl Open {
    fn send(&mut self, client: usize, text: &str, requests: impl IntoIterator<Item = Request>) {
        self.clients[client].owed.extend(requests);
        let number = self.clients[client].number;
        self.door.send(number, text.as_bytes());
    }
}

fn seeds() -> Vec<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("LARDER_CRASH_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("LARDER_CRASH_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

/// Runs `story` with every seed, and says how to see a failure again.
fn on_every_seed(test: &str, story: impl Fn(&mut Run)) {
    for seed in seeds() {
        let mut run = Run::new(seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| story(&mut run)));
        if let Err(panic) = outcome {
            eprintln!("last calls:\n{}", run.disk.trace());
            eprintln!("again with: LARDER_CRASH_SEED={seed} cargo test --all-features --test door_crash {test}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Lives until the next crash: `begin` says what is to happen to the disk.
fn live(run: &mut Run, begin: impl FnOnce(&mut Run)) {
    begin(run);
    // Opening may be where it fails.
    if let Ok(mut open) = run.open() {
        for _ in 0..TURNS {
            run.turn(&mut open);
        }
        run.check_running(&mut open);
    }
}

/// Opens what is left, and checks it.
fn recover(run: &mut Run) {
    run.disk.restart();
    let store = run.open_store().unwrap_or_else(|error| panic!("cannot be opened: {error}"));
    run.check(&store);
    drop(store);
    run.disk.restart();
}

#[test]
fn power_may_go_at_any_call() {
    on_every_seed("power_may_go_at_any_call", |run| {
        run.durability = Durability::Sync;
        for _ in 0..CRASHES {
            live(run, |run| run.disk.cut_power_at(1 + run.rng.below(400)));
            if !run.disk.is_off() {
                run.disk.cut_power();
            }
            recover(run);
        }
    });
}

#[test]
fn any_call_may_fail_once_or_for_ever() {
    on_every_seed("any_call_may_fail_once_or_for_ever", |run| {
        for _ in 0..CRASHES {
            let is_synced = run.durability == Durability::Sync;
            live(run, |run| {
                let calls = [Call::Any, Call::Write, Call::Sync, Call::Create, Call::Rename, Call::SyncDirectory];
                let call = calls[usize::try_from(run.rng.below(6)).unwrap()];
                let fault = Fault::at(call, 1 + run.rng.below(if call == Call::Any { 200 } else { 30 }));
                run.disk.fail(if run.rng.one_in(2) { fault.forever() } else { fault });
                run.disk.write_short(run.rng.one_in(3));
            });
            if is_synced && run.rng.one_in(2) {
                run.disk.cut_power();
            }
            recover(run);
        }
    });
}

#[test]
fn the_disk_may_be_full_at_any_byte() {
    on_every_seed("the_disk_may_be_full_at_any_byte", |run| {
        for _ in 0..CRASHES {
            live(run, |run| run.disk.set_capacity(Some(20_000 + run.rng.below(60_000))));
            recover(run);
            run.disk.set_capacity(None);
        }
        // Room lets it go on.
        live(run, |_| ());
        recover(run);
    });
}

#[test]
fn the_same_seed_leads_to_the_same_calls() {
    let calls = |seed| {
        let mut run = Run::new(seed);
        live(&mut run, |_| ());
        (run.disk.calls(), run.disk.trace())
    };
    assert_eq!(calls(7), calls(7));
}
