//! Requests that only read go on beside who writes, and hold nobody up.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use larder::Store;

use crate::{Served, ask};

/// As long as a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// An embedded transaction that has written and keeps the turn until it is told to end.
struct Writing {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Writing {
    fn begin(store: &Store) -> Self {
        let ((end, ended), (begun, has_begun)): ((_, Receiver<()>), _) = (channel(), channel());
        let store = store.clone();
        let thread = std::thread::spawn(move || {
            let written = store.transaction(|tx| {
                tx.kv().set("k", "new")?;
                begun.send(()).unwrap();
                ended.recv_timeout(PATIENCE).unwrap();
                Ok::<(), larder::Error>(())
            });
            written.unwrap();
        });
        has_begun.recv_timeout(PATIENCE).unwrap();
        Self { end, thread }
    }

    fn end(self) {
        self.end.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[test]
fn what_only_reads_does_not_wait_for_an_embedded_transaction_and_does_not_see_it() {
    let served = Served::new();
    let mut client = served.connect();
    let () = ask(&mut client, "MSET k old gone x").unwrap();
    let () = ask(&mut client, "HSET h f v").unwrap();
    let () = ask(&mut client, "XADD st 1-1 f v").unwrap();
    let writing = Writing::begin(&served.store);
    for (request, reply) in [
        ("GET k", "$3\r\nold\r\n"),
        ("HGETALL h", "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
        ("KEYS *", "*4\r\n$4\r\ngone\r\n$1\r\nh\r\n$1\r\nk\r\n$2\r\nst\r\n"),
        ("SCAN 0 MATCH k COUNT 100", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n"),
        ("XREAD COUNT 1 STREAMS nosuch 0", "*-1\r\n"),
        ("OBJECT ENCODING k", "$6\r\nembstr\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
        ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: \r\n"),
    ] {
        assert_eq!(served.replies(&format!("{request}\r\n"), reply.len()), reply, "{request}");
    }
    assert_eq!(served.replies("GET k\r\nPING\r\nSTRLEN k\r\n", 20), "$3\r\nold\r\n+PONG\r\n:3\r\n");
    writing.end();
    assert_eq!(ask::<String>(&mut client, "GET k").unwrap(), "new");
}

#[cfg(feature = "lua")]
#[test]
fn a_script_that_only_reads_does_not_wait_for_an_embedded_transaction() {
    let served = Served::new();
    let mut client = served.connect();
    let () = ask(&mut client, "SET k old").unwrap();
    let writing = Writing::begin(&served.store);
    let request = "EVAL_RO \"return redis.call('GET', KEYS[1])\" 1 k\r\n";
    assert_eq!(served.replies(request, 9), "$3\r\nold\r\n");
    let refused = served.replies("EVAL_RO \"return redis.call('SET', 'k', 'x')\" 0\r\n", 58);
    assert_eq!(refused, "-ERR Write commands are not allowed from read-only scripts");
    writing.end();
}

#[test]
fn a_client_that_writes_waits_for_an_embedded_transaction_and_others_do_not_wait_for_it() {
    let served = Served::new();
    let writing = Writing::begin(&served.store);
    let mut writer = served.raw();
    // Read first: the reply comes although the write behind it waits.
    writer.send("GET nosuch\r\nAPPEND k er\r\nGET k\r\n");
    assert_eq!(writer.line().unwrap(), "$-1");
    let mut other = served.connect();
    for _ in 0..10 {
        assert_eq!(ask::<Option<String>>(&mut other, "GET k").unwrap(), None);
    }
    writing.end();
    assert_eq!(writer.lines(3), [":5", "$5", "newer"]);
}

#[test]
fn a_client_that_goes_while_it_waits_to_write_writes_nothing() {
    let served = Served::new();
    let writing = Writing::begin(&served.store);
    let (mut writer, mut other) = (served.raw(), served.connect());
    writer.send("CLIENT ID\r\n");
    let id = writer.line().unwrap().replace(':', "");
    writer.send("APPEND k er\r\n");
    // It is read before what comes later.
    let () = ask(&mut other, "PING").unwrap();
    let () = ask(&mut other, "PING").unwrap();
    assert_eq!(ask::<i64>(&mut other, &format!("CLIENT KILL ID {id}")).unwrap(), 1);
    assert!(writer.has_ended());
    writing.end();
    assert_eq!(ask::<String>(&mut other, "GET k").unwrap(), "new");
}

#[test]
fn a_client_sees_its_own_writes_and_what_one_has_read_another_reads() {
    let directory = tempfile::tempdir().unwrap();
    let served = Served::of(Store::open(directory.path()).unwrap());
    let (mut one, mut two) = (served.raw(), served.connect());
    for n in 0..100 {
        // The second read is in a run of its own, beside the commit.
        one.send(format!("SET k {n}\r\nGET k\r\n"));
        one.send("GET k\r\n");
        let own = one.lines(5);
        assert_eq!((&*own[2], &*own[4]), (&*n.to_string(), &*n.to_string()));
        assert_eq!(ask::<i64>(&mut two, "GET k").unwrap(), n);
        assert_eq!(served.store.kv().get("k").unwrap().unwrap(), n.to_string().as_bytes(), "it is durable");
    }
}

#[test]
fn what_reads_beside_writers_still_counts_as_a_use_and_hides_what_has_expired() {
    let clock = larder::ManualClock::default();
    clock.advance(Duration::from_secs(1_000));
    let served = Served::of(Store::builder().clock(clock.clone()).in_memory());
    let mut client = served.connect();
    let () = ask(&mut client, "CONFIG SET maxmemory-policy allkeys-lru").unwrap();
    let () = ask(&mut client, "SET k v PX 100000").unwrap();
    let () = ask(&mut client, "CONFIG RESETSTAT").unwrap();
    clock.advance(Duration::from_secs(50));
    assert_eq!(ask::<i64>(&mut client, "OBJECT IDLETIME k").unwrap(), 50);
    assert_eq!(ask::<String>(&mut client, "GET k").unwrap(), "v");
    assert_eq!(ask::<i64>(&mut client, "OBJECT IDLETIME k").unwrap(), 0);
    clock.advance(Duration::from_secs(50));
    assert_eq!(ask::<Option<String>>(&mut client, "GET k").unwrap(), None);
    let info: String = ask(&mut client, "INFO stats").unwrap();
    assert!(info.contains("keyspace_hits:1\r") && info.contains("keyspace_misses:1\r"), "{info}");
}

#[cfg(feature = "lua")]
#[test]
fn a_read_that_takes_long_does_not_hold_up_an_embedded_write() {
    let served = Served::new();
    let mut other = served.connect();
    let () = ask(&mut other, "CONFIG SET busy-reply-threshold 1").unwrap();
    let mut reader = served.raw();
    reader.send("EVAL_RO \"while true do redis.call('KEYS', '*') end\" 0\r\n");
    while ask::<String>(&mut other, "PING").is_ok() {}
    let (store, (done, is_done)) = (served.store.clone(), channel());
    let thread = std::thread::spawn(move || {
        store.kv().set("k", "v").unwrap();
        done.send(()).unwrap();
    });
    is_done.recv_timeout(PATIENCE).expect("the write does not wait");
    thread.join().unwrap();
    let () = ask(&mut other, "SCRIPT KILL").unwrap();
    assert!(reader.line().unwrap().contains("killed"));
    assert_eq!(ask::<String>(&mut other, "GET k").unwrap(), "v");
}
