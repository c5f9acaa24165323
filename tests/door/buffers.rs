//! What waits, both ways: pipelines that are written before they are read, clients that do not read, replies that are too long.

use std::io::Write;
use std::time::Duration;

use larder::limits;

use crate::{Raw, Served, ask};

/// A request with its words.
fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// What a field of `CLIENT LIST` says of a client.
fn field(served: &Served, name: &str, of: &str) -> Option<usize> {
    let list: String = ask(&mut served.connect(), "CLIENT LIST").unwrap();
    let line = list.lines().find(|line| line.contains(of))?;
    line.split(' ').find_map(|word| word.strip_prefix(&format!("{name}="))?.parse().ok())
}

#[test]
fn a_pipeline_that_is_written_before_it_is_read_is_answered() {
    let served = Served::new();
    let mut client = served.raw();
    let one = request(&[b"SET", b"some key", b"01234567890123456789"]);
    client.send(one.repeat(1_000_000));
    for _ in 0..1_000_000 {
        assert_eq!(client.line().as_deref(), Some("+OK"));
    }
    client.send(request(&[b"SET", b"k", &[b'v'; 1_000]]));
    assert_eq!(client.lines(1), ["+OK"]);
    client.send(request(&[b"GET", b"k"]).repeat(200_000));
    for _ in 0..200_000 {
        assert_eq!(client.bulk().len(), 1_000);
    }
}

#[test]
fn large_replies_stream_whatever_a_pipeline_or_a_command_asks_for() {
    let served = Served::new();
    let mut client = served.raw();
    client.send(request(&[b"SET", b"k", &vec![b'v'; 1 << 20]]));
    assert_eq!(client.lines(1), ["+OK"]);
    let keys: Vec<&[u8]> = [&b"MGET"[..]].into_iter().chain(std::iter::repeat_n(&b"k"[..], 300)).collect();
    let get = request(&[b"GET", b"k"]);
    // In a pipeline, no more than a part of the replies is there at any time.
    client.send(get.repeat(300));
    for n in 0..300 {
        assert_eq!(client.bulk().len(), 1 << 20);
        if n == 0 {
            let omem = field(&served, "tot-mem", " cmd=get ").unwrap();
            assert!(omem < 2 * limits::OUTPUT_HELD_BYTES, "{omem}");
        }
    }
    client.send(request(&keys));
    assert_eq!(client.lines(1), ["*300"]);
    (0..300).for_each(|_| assert_eq!(client.bulk().len(), 1 << 20));
    client.send([b"MULTI\r\n".to_vec(), get.repeat(300), b"EXEC\r\n".to_vec()].concat());
    assert_eq!(client.lines(302).last().map(String::as_str), Some("*300"));
    (0..300).for_each(|_| assert_eq!(client.bulk().len(), 1 << 20));
}

#[test]
fn a_reply_that_is_too_long_is_an_error_and_its_memory_is_not_taken() {
    let served = Served::new();
    let mut client = served.raw();
    client.send(request(&[b"SADD", b"s", &[b'm'; 8_000]]));
    client.send(request(&[b"HSET", b"h", b"f", &vec![b'v'; 8 << 20]]));
    client.send(request(&[b"RPUSH", b"l", &vec![b'v'; 8 << 20]]));
    client.send("COPY l l2\r\n");
    assert_eq!(client.lines(4), [":1", ":1", ":1", ":1"]);
    let long: Vec<&[u8]> = [&b"HMGET"[..], b"h"].into_iter().chain(std::iter::repeat_n(&b"f"[..], 300)).collect();
    for (request, is_too_long) in [
        (b"SRANDMEMBER s -300000\r\n".to_vec(), true),
        (b"HRANDFIELD h -300 WITHVALUES\r\n".to_vec(), true),
        (request(&long), true),
        (b"SRANDMEMBER s -3\r\n".to_vec(), false),
    ] {
        client.send(&request);
        let line = client.line().unwrap();
        assert_eq!(line.starts_with("-ERR the reply is larger than the 1073741824 bytes"), is_too_long, "{line}");
        if !is_too_long {
            (0..3).for_each(|_| assert_eq!(client.bulk().len(), 8_000));
        }
    }
    client.send("PING\r\n");
    assert_eq!(client.lines(1), ["+PONG"]);
}

#[test]
fn a_client_that_does_not_read_is_disconnected_at_the_limit_for_its_class() {
    let served = Served::new();
    let mut admin = served.connect();
    let set: String = redis::cmd("CONFIG")
        .arg(&["SET", "client-output-buffer-limit", "normal 1mb 0 0 pubsub 2mb 64kb 1"])
        .query(&mut admin)
        .unwrap();
    assert_eq!(set, "OK");
    let mut client = served.raw();
    client.send(request(&[b"SET", b"k", &vec![b'v'; 1 << 19]]));
    assert_eq!(client.lines(1), ["+OK"]);
    client.send("GET k\r\n");
    assert_eq!(client.bulk().len(), 1 << 19);
    client.send("GET k\r\nGET k\r\nGET k\r\n");
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut client.stream, &mut rest);
    assert!(rest.len() < 3 << 19, "{}", rest.len());
    // A subscriber: the hard limit, and the soft one after its time.
    for (payload, messages) in [(1 << 20, 40), (600 << 10, 1)] {
        let mut listener = served.raw();
        listener.send("CLIENT SETNAME listener\r\nSUBSCRIBE c\r\n");
        assert_eq!(listener.lines(7).last().map(String::as_str), Some(":1"));
        for _ in 0..messages {
            let _: u64 = redis::cmd("PUBLISH").arg("c").arg(vec![b'x'; payload]).query(&mut admin).unwrap();
        }
        // What the system's own buffers take does not wait at the door.
        if messages == 1 {
            for _ in 0..200 {
                let _: u64 = redis::cmd("PUBLISH").arg("c").arg(vec![b'x'; 60_000]).query(&mut admin).unwrap();
                if field(&served, "omem", "name=listener").is_none_or(|bytes| bytes > 100_000) {
                    break;
                }
            }
        }
        while field(&served, "omem", "name=listener").is_some() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn what_all_clients_take_up_is_bounded_and_the_largest_goes_first() {
    let served = Served::new();
    let mut admin = served.connect();
    let _: () = ask(&mut admin, "CLIENT NO-EVICT ON").unwrap();
    let _: () = ask(&mut admin, "CONFIG SET maxmemory-clients 20mb").unwrap();
    let mut clients: Vec<Raw> = (0..4_u8).map(|_| served.raw()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.send(format!("CLIENT SETNAME c{n}\r\n"));
        assert_eq!(client.lines(1), ["+OK"]);
        // The beginning of a request, of which the third is the longest.
        let bytes = if n == 2 { 9 << 20 } else { 3 << 20 };
        client.send(format!("*2\r\n$4\r\nECHO\r\n${}\r\n", 20 << 20));
        let _ = client.stream.get_mut().write_all(&vec![b'x'; bytes]);
    }
    while field(&served, "tot-mem", "name=c2").is_some() {
        std::thread::yield_now();
    }
    for n in [0, 1, 3] {
        // It is still there, and the rest of what it sent is read in its turn.
        while field(&served, "tot-mem", &format!("name=c{n}")).unwrap() <= 3 << 20 {
            std::thread::yield_now();
        }
    }
    let info: String = ask(&mut admin, "INFO stats").unwrap();
    assert!(info.contains("evicted_clients:1\r"), "{info}");
}

#[test]
fn requests_that_cannot_be_run_are_bounded() {
    let served = Served::new();
    let _: () = ask(&mut served.connect(), "CONFIG SET client-query-buffer-limit 1mb").unwrap();
    // One that waits, and one that never gets whole.
    for begin in [&b"BLPOP nothing 0\r\n"[..], b"*2\r\n$4\r\nECHO\r\n$60000000\r\n"] {
        let mut client = served.raw();
        client.send(begin);
        let chunk = vec![b'x'; 64 << 10];
        while client.stream.get_mut().write_all(&chunk).is_ok() {}
        assert!(client.has_ended());
    }
    // In a queue each word counts with what it takes.
    let mut client = served.raw();
    client.send("MULTI\r\n");
    client.send(b"GET a\r\n".repeat(20_000));
    client.send("EXEC\r\n");
    let lines = client.lines(20_002);
    let queued = lines.iter().filter(|line| *line == "+QUEUED").count();
    assert!((2_000..10_000).contains(&queued), "{queued}");
    assert!(lines.iter().any(|line| line == "-ERR the commands that are queued take too much memory"));
    assert!(lines.last().unwrap().starts_with("-EXECABORT"));
}

#[test]
fn a_subscriber_is_bounded_by_bytes_and_not_by_messages() {
    let served = Served::new();
    let mut listener = served.raw();
    listener.send("SUBSCRIBE c\r\n");
    assert_eq!(listener.lines(6).last().map(String::as_str), Some(":1"));
    let publish = |tx: &larder::Transaction| (0..200_000).try_for_each(|n| tx.publish("c", n.to_string()).map(drop));
    served.store.transaction(publish).unwrap();
    for n in 0..200_000 {
        assert_eq!(listener.lines(7).last(), Some(&n.to_string()));
    }
    // Many bytes are too many, however few messages they are in.
    for _ in 0..10 {
        let payload = vec![b'x'; 8 << 20];
        served.store.transaction(|tx| (0..6).try_for_each(|_| tx.publish("c", &payload).map(drop))).unwrap();
    }
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut listener.stream, &mut rest);
    assert!(rest.len() < 400 << 20, "{}", rest.len());
}

#[test]
fn a_request_of_a_browser_ends_its_connection_before_anything_that_follows() {
    let served = Served::new();
    for first in ["POST / HTTP/1.1\r\n", "host: localhost\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut client = served.raw();
        client.send(format!("{first}Origin: http://example.org\r\n\r\nSET pwned yes\r\nFLUSHALL\r\n"));
        assert!(client.has_ended(), "{first}");
        let exists: u64 = ask(&mut served.connect(), "EXISTS pwned").unwrap();
        assert_eq!(exists, 0, "{first}");
    }
}

#[test]
fn a_client_that_sends_too_much_sees_why_it_is_disconnected() {
    let served = Served::new();
    let value = vec![b'v'; 65 << 20];
    let announced = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", larder::limits::STRING_BYTES_MAX + 1);
    for request in [[announced.into_bytes(), value.clone()].concat(), [b"*1\r\n+".to_vec(), value.clone()].concat()] {
        let mut client = served.raw();
        client.send(&request);
        assert!(client.line().unwrap().starts_with("-ERR Protocol error: "));
        assert!(client.has_ended());
    }
}

#[test]
fn a_request_may_have_as_many_words_as_there_is_room_for() {
    let served = Served::new();
    let mut client = served.raw();
    let numbers: Vec<Vec<u8>> = (0..1_200_000).map(|n: u32| n.to_string().into_bytes()).collect();
    let with = |first: &[&'static [u8]], count: usize| {
        let words: Vec<&[u8]> = first.iter().copied().chain(numbers[..count].iter().map(Vec::as_slice)).collect();
        request(&words)
    };
    client.send(with(&[b"SADD", b"s"], 1_100_000));
    assert_eq!(client.lines(1), [":1100000"]);
    client.send(with(&[b"MSET"], 1_200_000));
    assert_eq!(client.lines(1), ["+OK"]);
}

#[test]
fn replies_that_nobody_wants_are_not_sent_but_messages_are() {
    let served = Served::new();
    let mut other = served.connect();
    // What has waited has no reply either.
    let mut client = served.raw();
    client.send("CLIENT REPLY SKIP\r\nBLPOP l 0\r\n");
    served.await_blocked(1);
    let _: u64 = ask(&mut other, "LPUSH l z").unwrap();
    client.send("PING\r\n");
    assert_eq!(client.lines(1), ["+PONG"]);
    for hello in ["", "HELLO 3\r\n"] {
        let mut client = served.raw();
        client.send(format!("CLIENT REPLY OFF\r\n{hello}SUBSCRIBE c\r\nPING\r\n"));
        let push = if hello.is_empty() { '*' } else { '>' };
        assert_eq!(client.lines(6), [&format!("{push}3"), "$9", "subscribe", "$1", "c", ":1"]);
        let _: u64 = ask(&mut other, "PUBLISH c m").unwrap();
        assert_eq!(client.lines(7), [&format!("{push}3"), "$7", "message", "$1", "c", "$1", "m"]);
    }
}

#[test]
fn subscriptions_may_be_queued() {
    let served = Served::new();
    let mut client = served.raw();
    client.send("MULTI\r\nSUBSCRIBE c\r\nPING\r\nUNSUBSCRIBE c\r\nEXEC\r\nPING\r\n");
    assert_eq!(client.lines(5), ["+OK", "+QUEUED", "+QUEUED", "+QUEUED", "*3"]);
    assert_eq!(client.lines(6), ["*3", "$9", "subscribe", "$1", "c", ":1"]);
    client.lines(1);
    let rest: Vec<_> = std::iter::from_fn(|| client.line()).take_while(|line| line != "+PONG").collect();
    assert_eq!(rest[rest.len() - 6..], ["*3", "$11", "unsubscribe", "$1", "c", ":0"]);
}
