//! A second protocol on the frame, of lines: what doors share carries any.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::address::{Address, ListenError};
use super::buffers::Output;
use super::clients::Client;
use super::connection::{Bounds, Connection, End, Failure, Next, Protocol, Ran};
use super::door::{Door, Kind, Local, Service};
use super::options::DoorOptions;
use super::password::Credentials;
use super::pool::Pool;
use super::stream::{Peer, Socket};
use super::users::{Account, DEFAULT, Everything, User, Users};
use crate::channel::{Message, Subscriber};
use crate::store::Store;

/// Bytes that a client may have sent without an end of line.
const INPUT_BYTES: usize = 64 << 10;

/// Bytes that may wait for a client that does not read.
const OUTPUT_BYTES: usize = 1 << 20;

// The second protocol begins here.

/// What a thread of the door has.
struct Lines {
    store: Store,
    users: Arc<Users<Everything>>,
    local: Local<()>,
}

impl Service for Lines {
    type Client = ();

    fn welcome(&self, _: u64, _: Peer) {}

    async fn serve(self: Rc<Self>, client: Rc<Client<()>>, socket: Socket) {
        let (users, clients, shared) = (&self.users, Rc::clone(&self.local.clients), &self.local.shared);
        let user = Some(users.default_user()).filter(|user| user.is_open());
        let lines = Line { door: Rc::clone(&self), id: client.id, user, subscriber: None };
        let meter = Arc::clone(&shared.meter);
        Connection::new(lines, (clients, client), self.local.settler.clone(), meter).serve(socket).await;
    }

    fn turned_away(&self) -> Vec<u8> {
        b"FULL\n".to_vec()
    }
}

/// What a connection has.
struct Line {
    door: Rc<Lines>,
    id: u64,
    user: Option<Arc<User<Everything>>>,
    subscriber: Option<Subscriber>,
}

impl Protocol for Line {
    type Client = ();
    type Event = Message;

    fn next(&mut self, input: &[u8]) -> Next {
        if input.contains(&b'\n') { Next::Whole } else { Next::Partial }
    }

    async fn run(&mut self, input: &[u8], output: &mut Output) -> Ran {
        let line = input.split(|byte| *byte == b'\n').next().unwrap();
        let text = String::from_utf8(line.to_vec()).unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        let mut ran = Ran { consumed: line.len() + 1, from: output.len(), pending: None, end: None };
        let reply = match (words.as_slice(), &self.user) {
            (["LOGIN", name, password], _) => {
                self.user = self.door.users.admit(name.as_bytes(), password.as_bytes());
                if self.user.is_some() { "OK".to_owned() } else { "WRONG".to_owned() }
            }
            (_, None) => "LOGIN FIRST".to_owned(),
            (["PUT", key, value], _) => {
                let turn = self.door.store.turn().await.unwrap();
                let put = self.door.store.transaction_unsettled(turn, |tx| tx.kv().set(*key, *value));
                ran.pending = Some(put.unwrap().1);
                "OK".to_owned()
            }
            (["GET", key], _) => {
                let (store, key) = (self.door.store.clone(), (*key).to_owned());
                let get = move || store.kv().get(key).unwrap();
                let found = match &self.door.local.pool {
                    Some(pool) => pool.run(get).await.unwrap(),
                    None => get(),
                };
                found.map_or("NONE".to_owned(), |value| String::from_utf8(value).unwrap())
            }
            (["LISTEN", channel], _) => {
                self.subscriber = Some(self.door.store.subscribe(*channel).unwrap());
                "OK".to_owned()
            }
            (["QUIT"], _) => {
                ran.end = Some(End::AfterReplies);
                "BYE".to_owned()
            }
            (words, _) => self.for_tests(words).await,
        };
        output.write(format!("{reply}\n").as_bytes());
        ran
    }

    fn fail(&mut self, failure: Failure, output: &mut Output) -> Result<(), End> {
        output.write(format!("FAILED {}\n", matches!(failure, Failure::Panicked)).as_bytes());
        Ok(())
    }

    async fn wait(&mut self, _: usize) -> Message {
        match &self.subscriber {
            Some(subscriber) => subscriber.recv_async().await.unwrap(),
            None => std::future::pending().await,
        }
    }

    async fn happened(&mut self, message: Message, output: &mut Output) -> Result<(), End> {
        output.write(&[b"HEARD ", message.payload(), b"\n"].concat());
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        let mut bounds = Bounds { input_bytes: INPUT_BYTES, ..Bounds::default() };
        (bounds.output.hard_bytes, bounds.output.soft_bytes) = (OUTPUT_BYTES, OUTPUT_BYTES);
        bounds
    }
}

// It ends here.

impl Line {
    /// What shows the frame from within.
    async fn for_tests(&self, words: &[&str]) -> String {
        let local = &self.door.local;
        match words {
            ["ME"] => format!("{:?} {}", std::thread::current().id(), self.id),
            ["BOOM"] => panic!("on purpose"),
            ["POOLED"] => {
                let pool: &Pool = local.pool.as_ref().unwrap();
                format!("{:?}", pool.run(|| panic!("on purpose")).await.map(|()| "done"))
            }
            ["FILL", bytes] => "x".repeat(bytes.parse().unwrap()),
            // The thread does not get to its tasks until another client has sent something.
            ["ATTEND", other] => {
                let other = local.clients.get(other.parse().unwrap()).unwrap().socket.upgrade().unwrap();
                self.door.store.kv().set("busy", "1").unwrap();
                until(|| other.read_now(&mut [0; 64]).is_ok().then_some(()));
                other.write_now(b"BUSY\n").unwrap();
                assert!(!other.has_unsent());
                "OK".to_owned()
            }
            // The same until another client has come.
            ["MEET"] => {
                let clients = local.clients.len();
                self.door.store.kv().set("busy", "1").unwrap();
                until(|| {
                    local.newcomers.let_in();
                    (local.clients.len() > clients).then_some(())
                });
                "OK".to_owned()
            }
            _ => "UNKNOWN".to_owned(),
        }
    }
}

/// A store whose disk can be made to fail.
#[cfg(feature = "testing")]
pub(super) fn on_simulated_disk() -> (Store, crate::vfs::sim::SimVfs) {
    use crate::engine::durable::{DurableEngine, DurableOptions};
    let disk = crate::vfs::sim::SimVfs::new(1);
    let options = DurableOptions::default().vfs(Arc::new(disk.clone())).without_threads().store_id(1);
    let engine = DurableEngine::open_with(std::path::Path::new("/disk/store"), &options).unwrap();
    (Store::builder().engine(Arc::new(engine)).unwrap(), disk)
}

/// Tries until there is something.
fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// How a door is reached, and what it has.
#[derive(Clone, Copy, Debug)]
struct Way {
    is_unix: bool,
    is_encrypted: bool,
    threads: usize,
    pool_threads: usize,
}

const PLAIN: Way = Way { is_unix: false, is_encrypted: false, threads: 1, pool_threads: 0 };

fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for is_unix in [false, true] {
        for is_encrypted in if cfg!(feature = "tls") { vec![false, true] } else { vec![false] } {
            for (threads, pool_threads) in [(1, 0), (1, 2), (4, 0), (4, 2)] {
                ways.push(Way { is_unix, is_encrypted, threads, pool_threads });
            }
        }
    }
    ways
}

/// A door for tests, and the directory of its socket.
struct Open {
    door: Door,
    options: DoorOptions,
    _dir: tempfile::TempDir,
}

fn open(store: &Store, way: Way) -> Open {
    open_for(store, way, Users::new(Account::open(Everything)))
}

fn open_for(store: &Store, way: Way, users: Users<Everything>) -> Open {
    let dir = tempfile::tempdir().unwrap();
    let mut options = DoorOptions::default();
    if way.is_unix {
        options.address = Address::unix(dir.path().join("door.sock"));
    }
    #[cfg(feature = "tls")]
    if way.is_encrypted {
        options.tls = Some(super::Tls::self_signed().unwrap());
    }
    let kind = Kind { name: "lines", threads: way.threads, pool_threads: way.pool_threads };
    let (lines, users) = (store.clone(), Arc::new(users));
    let make = move |local| Lines { store: lines.clone(), users: Arc::clone(&users), local };
    let door = Door::open(&kind, store, &options, make).unwrap();
    Open { door, options, _dir: dir }
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

type Remote = BufReader<Box<dyn Wire + Send>>;

impl Open {
    fn connect(&self) -> Remote {
        let address = self.door.address();
        let wire: Box<dyn Wire + Send> = match (address.socket_addr(), address.path()) {
            (Some(tcp), _) => Box::new(std::net::TcpStream::connect(tcp).unwrap()),
            (_, path) => Box::new(std::os::unix::net::UnixStream::connect(path.unwrap()).unwrap()),
        };
        #[cfg(feature = "tls")]
        let wire = match &self.options.tls {
            Some(tls) => encrypted(wire, tls),
            None => wire,
        };
        BufReader::new(wire)
    }
}

#[cfg(feature = "tls")]
fn encrypted(wire: Box<dyn Wire + Send>, tls: &super::Tls) -> Box<dyn Wire + Send> {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(tls.certificate_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let session = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    Box::new(rustls::StreamOwned::new(session, wire))
}

fn send(remote: &mut Remote, text: &str) {
    remote.get_mut().write_all(text.as_bytes()).unwrap();
    remote.get_mut().flush().unwrap();
}

/// The next line; without its end, empty when the connection has ended.
fn line(remote: &mut Remote) -> String {
    let mut line = String::new();
    // A connection that is cut off ends with an error.
    let _ = remote.read_line(&mut line);
    line.trim_end().to_owned()
}

fn ask(remote: &mut Remote, request: &str) -> String {
    send(remote, &format!("{request}\n"));
    line(remote)
}

#[test]
fn a_second_protocol_is_served_in_every_way_and_in_order() {
    for way in ways() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let open = open(&store, way);
        let mut remotes: Vec<_> = (0..3).map(|_| open.connect()).collect();
        for (n, remote) in remotes.iter_mut().enumerate() {
            // A pipeline, in pieces that end within a line.
            let puts: Vec<_> = (0..100).map(|i| format!("PUT k{n}-{i} v{i}\nGET k{n}-{i}\n")).collect();
            let puts = puts.concat();
            let (first, second) = puts.split_at(puts.len() / 2 + 3);
            send(remote, first);
            send(remote, second);
        }
        for (n, remote) in remotes.iter_mut().enumerate() {
            for i in 0..100 {
                assert_eq!((line(remote), line(remote)), ("OK".to_owned(), format!("v{i}")), "{n} {way:?}");
            }
            assert_eq!((ask(remote, "QUIT"), line(remote)), ("BYE".to_owned(), String::new()), "{way:?}");
        }
        let metrics = open.door.metrics();
        assert!(metrics.connections == 3 && metrics.read_bytes > 3_000 && metrics.written_bytes > 1_500, "{way:?}");
    }
}

#[test]
fn clients_are_spread_over_the_threads() {
    let open = open(&Store::in_memory(), Way { threads: 4, ..PLAIN });
    let mut remotes: Vec<_> = (0..8).map(|_| open.connect()).collect();
    let mut threads: Vec<_> =
        remotes.iter_mut().map(|remote| ask(remote, "ME").split(' ').next().unwrap().to_owned()).collect();
    threads.sort();
    assert!(threads.chunks(2).all(|pair| pair[0] == pair[1]), "{threads:?}");
    threads.dedup();
    assert_eq!(threads.len(), 4);
    let ids: BTreeSet<_> = remotes.iter_mut().map(|remote| ask(remote, "ME")).collect();
    assert_eq!(ids.len(), 8);
}

#[test]
fn what_comes_from_elsewhere_is_sent_while_a_client_says_nothing() {
    for way in ways() {
        let store = Store::in_memory();
        let open = open(&store, way);
        let mut remote = open.connect();
        assert_eq!(ask(&mut remote, "LISTEN news"), "OK");
        store.publish("news", "first").unwrap();
        assert_eq!(line(&mut remote), "HEARD first", "{way:?}");
        assert_eq!(ask(&mut remote, "GET k"), "NONE");
    }
}

#[test]
fn a_panic_ends_its_connection_and_no_other() {
    for way in ways() {
        let open = open(&Store::in_memory(), way);
        let (mut panicking, mut other) = (open.connect(), open.connect());
        assert_eq!(ask(&mut other, "GET k"), "NONE");
        send(&mut panicking, "PUT a 1\nBOOM\nPUT b 1\n");
        let lines = [line(&mut panicking), line(&mut panicking), line(&mut panicking)];
        assert_eq!(lines, ["OK", "FAILED true", ""], "{way:?}");
        assert_eq!((ask(&mut other, "GET a"), ask(&mut other, "GET b")), ("1".to_owned(), "NONE".to_owned()));
        if way.pool_threads > 0 {
            assert_eq!(ask(&mut other, "POOLED"), "Err(Panicked)");
            assert_eq!(ask(&mut other, "GET a"), "1");
        }
    }
}

#[test]
fn who_sends_or_leaves_more_than_may_wait_is_disconnected() {
    for is_encrypted in [false, cfg!(feature = "tls")] {
        let open = open(&Store::in_memory(), Way { is_encrypted, ..PLAIN });
        let mut sending = open.connect();
        let _ = sending.get_mut().write_all(&vec![b'x'; 4 * INPUT_BYTES]);
        assert_eq!(line(&mut sending), "");
        // As many bytes as may wait are sent; more are not even made.
        let mut reading = open.connect();
        let most = OUTPUT_BYTES - 1;
        assert_eq!(ask(&mut reading, &format!("FILL {most}")).len(), most);
        let mut silent = open.connect();
        let _ = silent.get_mut().write_all(&b"FILL 900000\n".repeat(50));
        let mut read = Vec::new();
        let _ = silent.read_to_end(&mut read);
        assert!(read.len() < 50 * 900_001, "the client was sent everything");
    }
}

#[test]
fn a_door_that_closes_answers_what_it_has_read() {
    for way in ways() {
        let store = Store::in_memory();
        let open = open(&store, way);
        let (mut busy, mut idle) = (open.connect(), open.connect());
        assert_eq!(ask(&mut idle, "GET k"), "NONE");
        let puts: Vec<_> = (0..1_000).map(|i| format!("PUT k{i} v\n")).collect();
        let puts = puts.concat();
        send(&mut busy, &puts);
        // The first reply is there: what follows in the pipeline has arrived as well, or is not read.
        assert_eq!(line(&mut busy), "OK");
        let path = open.door.address().path().map(std::path::Path::to_owned);
        // The door waits for its client to take the replies: there is not room for all of them in every kind of socket.
        let reading = std::thread::spawn(move || {
            let mut replies = 1;
            while line(&mut busy) == "OK" {
                replies += 1;
            }
            replies
        });
        drop(open);
        let replies = reading.join().unwrap();
        assert_eq!(store.kv().len().unwrap(), replies, "{way:?}");
        assert_eq!(line(&mut idle), "");
        assert!(path.is_none_or(|path| !path.exists()));
    }
}

#[cfg(feature = "testing")]
#[test]
fn a_reply_to_what_could_not_be_synced_is_an_error() {
    let (store, disk) = on_simulated_disk();
    let open = open(&store, PLAIN);
    let mut remote = open.connect();
    assert_eq!(ask(&mut remote, "PUT k first"), "OK");
    disk.fail(crate::vfs::sim::Fault::at(crate::vfs::sim::Call::Sync, 1).forever());
    assert_eq!(ask(&mut remote, "PUT k second"), "FAILED false");
    assert_eq!(ask(&mut remote, "GET k"), "first");
}

#[test]
fn clients_log_in_where_they_have_to() {
    let users = Users::new(Account::open(Everything));
    users.set(b"ann", Account::with(Credentials::of(b"secret"), Everything));
    users.set(DEFAULT, Account { is_on: false, ..Account::open(Everything) });
    let open = open_for(&Store::in_memory(), Way { is_unix: true, ..PLAIN }, users);
    let mut remote = open.connect();
    assert_eq!(ask(&mut remote, "GET k"), "LOGIN FIRST");
    assert_eq!(ask(&mut remote, "LOGIN ann wrong"), "WRONG");
    assert_eq!(ask(&mut remote, "LOGIN bob secret"), "WRONG");
    assert_eq!(ask(&mut remote, "LOGIN ann secret"), "OK");
    assert_eq!(ask(&mut remote, "GET k"), "NONE");
}

#[test]
fn who_finds_no_room_is_turned_away_until_somebody_goes() {
    for threads in [1, 4] {
        let open = open(&Store::in_memory(), Way { threads, ..PLAIN });
        open.door.shared().clients_max.store(1, Ordering::Relaxed);
        let mut first = open.connect();
        assert_eq!(ask(&mut first, "GET k"), "NONE");
        assert_eq!(line(&mut open.connect()), "FULL");
        assert_eq!(open.door.shared().turned_away.load(Ordering::Relaxed), 1);
        drop(first);
        until(|| (open.door.shared().connected() == 0).then_some(()));
        assert_eq!(ask(&mut open.connect(), "GET k"), "NONE");
    }
}

#[test]
fn a_thread_that_does_not_get_to_its_tasks_attends_to_its_clients() {
    for way in ways().into_iter().filter(|way| way.threads == 1) {
        let store = Store::in_memory();
        let is_busy = || until(|| store.kv().get_and_remove("busy").unwrap());
        let open = open(&store, way);
        let (mut busy, mut other) = (open.connect(), open.connect());
        let me = ask(&mut other, "ME");
        let id = me.split(' ').nth(1).unwrap();
        send(&mut busy, &format!("ATTEND {id}\n"));
        is_busy();
        send(&mut other, "GET k\n");
        assert_eq!((line(&mut other), line(&mut busy)), ("BUSY".to_owned(), "OK".to_owned()), "{way:?}");
        assert_eq!(ask(&mut other, "GET k"), "NONE", "{way:?}");
        if !way.is_encrypted {
            send(&mut busy, "MEET\n");
            is_busy();
            let mut newcomer = open.connect();
            assert_eq!((line(&mut busy), ask(&mut newcomer, "GET k")), ("OK".to_owned(), "NONE".to_owned()));
        }
    }
}

#[test]
fn an_address_that_is_taken_is_an_error_and_not_a_door() {
    let store = Store::in_memory();
    let open = open(&store, PLAIN);
    let options = DoorOptions { address: open.door.address().clone(), ..DoorOptions::default() };
    let make =
        |local| Lines { store: Store::in_memory(), users: Arc::new(Users::new(Account::open(Everything))), local };
    let kind = Kind { name: "lines", threads: 1, pool_threads: 0 };
    let refused = Door::open(&kind, &store, &options, make);
    assert_eq!(refused.unwrap_err(), ListenError::Taken { address: options.address });
}

#[cfg(feature = "tls")]
#[test]
fn a_client_without_tls_is_not_served_by_a_door_that_has_it() {
    let open = open(&Store::in_memory(), Way { is_encrypted: true, ..PLAIN });
    let mut plain = std::net::TcpStream::connect(open.door.address().socket_addr().unwrap()).unwrap();
    plain.write_all(b"GET k\n").unwrap();
    let mut read = Vec::new();
    let _ = plain.read_to_end(&mut read);
    assert!(!read.starts_with(b"NONE"));
    assert_eq!(ask(&mut open.connect(), "GET k"), "NONE");
    // One that says nothing does not hold up the end.
    let _silent = std::net::TcpStream::connect(open.door.address().socket_addr().unwrap()).unwrap();
    drop(open);
}
