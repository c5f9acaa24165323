//! The program `larder`, as whoever starts it sees it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod doors;
#[path = "../served/mod.rs"]
mod served;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use larder::Store;
use served::{Served, larder, wait};
use tempfile::TempDir;

/// Runs the program to its end: its exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut process = larder(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let status = wait(&mut process);
    let (mut out, mut error) = (String::new(), String::new());
    process.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    process.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    (status.code().unwrap(), out, error)
}

/// Runs what has to be refused with one line, which has each of `words`.
fn refused(arguments: &[&str], words: &[&str]) {
    let (code, out, error) = run(arguments);
    assert_eq!((code, &*out), (2, ""), "{arguments:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{arguments:?}: no {word:?} in {error}");
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends `request`, a line or several, and holds the replies to it.
fn ask(stream: &mut TcpStream, request: &str, replies: &str) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut found = vec![0; replies.len()];
    stream.read_exact(&mut found).unwrap();
    assert_eq!(String::from_utf8_lossy(&found), replies, "{request}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A closed store that holds `k`.
fn store(folder: &TempDir) -> std::path::PathBuf {
    let path = folder.path().join("store");
    let store = Store::open(&path).unwrap();
    store.kv().set("k", "v").unwrap();
    store.checkpoint().unwrap();
    store.kv().set("k2", "v").unwrap();
    store.close().unwrap();
    path
}

fn file(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("larder.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_was_acknowledged_is_there_after_either_signal() {
    for signal in ["TERM", "INT"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store");
        let served = Served::start(&["--data", text(&path)]);
        let mut client = connect(served.port);
        ask(&mut client, "SET k v\r\nINCR n\r\n", "+OK\r\n:1\r\n");
        let (status, error) = served.end(signal);
        assert_eq!((status.code(), &*error), (Some(0), ""), "{signal}");
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "the connection is closed");
        let store = Store::open(&path).unwrap();
        assert_eq!(store.kv().get("k").unwrap().as_deref(), Some(&b"v"[..]));
        let after = store.stats().unwrap();
        assert_eq!(after.last_checkpoint, Some(after.commit), "a checkpoint was made at the end");
    }
}

/// A script that runs until it is ended, of which others hear `BUSY`: the connection that sent it, and another.
fn busy(served: &Served, body: &str) -> (TcpStream, TcpStream) {
    let (mut runner, mut other) = (connect(served.port), connect(served.port));
    ask(&mut other, "CONFIG SET busy-reply-threshold 1\r\n", "+OK\r\n");
    runner.write_all(format!("EVAL \"{body}\" 0\r\n").as_bytes()).unwrap();
    loop {
        other.write_all(b"PING\r\n").unwrap();
        let mut reply = [0; 1];
        other.read_exact(&mut reply).unwrap();
        let is_busy = reply == *b"-";
        while reply != *b"\n" {
            other.read_exact(&mut reply).unwrap();
        }
        if is_busy {
            return (runner, other);
        }
    }
}

#[test]
fn a_signal_ends_the_program_during_a_long_script_and_keeps_what_was_acknowledged() {
    for body in ["while true do end", "redis.call('SET', 'written', 1) while true do redis.pcall('GET', 'k') end"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store");
        let served = Served::start(&["--data", text(&path)]);
        ask(&mut connect(served.port), "SET k v\r\nINCR n\r\n", "+OK\r\n:1\r\n");
        let (mut runner, _other) = busy(&served, body);
        let (status, error) = served.end("TERM");
        assert_eq!(status.code(), Some(0), "{error}");
        let mut reply = String::new();
        runner.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("-ERR the script was ended: the server is closing"), "{reply}");
        let store = Store::open(&path).unwrap();
        assert_eq!(store.kv().get("k").unwrap().as_deref(), Some(&b"v"[..]));
        assert_eq!(store.kv().get("n").unwrap().as_deref(), Some(&b"1"[..]));
        // What a script wrote before it was ended stays, as with an error.
        assert_eq!(store.kv().exists("written").unwrap(), body.contains("written"));
    }
}

#[test]
fn shutdown_nosave_ends_the_program_during_a_long_script_that_has_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let served = Served::start(&["--data", text(&path)]);
    ask(&mut connect(served.port), "SET k v\r\n", "+OK\r\n");
    let (_runner, mut other) =
        busy(&served, "redis.call('SET', 'written', 1) while true do redis.pcall('GET', 'k') end");
    other.write_all(b"SCRIPT KILL\r\n").unwrap();
    let mut kind = [0; 11];
    other.read_exact(&mut kind).unwrap();
    assert_eq!(&kind, b"-UNKILLABLE");
    other.write_all(b"SHUTDOWN\r\nSHUTDOWN NOSAVE\r\n").unwrap();
    let (status, error) = served.ended();
    assert_eq!(status.code(), Some(0), "{error}");
    let mut rest = String::new();
    // It has ended, whatever is read of it.
    let _ = other.read_to_string(&mut rest);
    assert!(rest.contains("\n-BUSY"), "{rest}");
    assert_eq!(Store::open(&path).unwrap().kv().get("k").unwrap().as_deref(), Some(&b"v"[..]));
}

#[test]
fn a_pipeline_that_has_arrived_is_answered_before_the_end() {
    let served = Served::start(&["--log", "info", "--enable-debug-command"]);
    let mut client = connect(served.port);
    ask(&mut client, "PING\r\n", "+PONG\r\n");
    // The first command holds the thread up while the rest and the signal arrive.
    let requests = "DEBUG SLEEP 0.3\r\n".to_owned() + &"INCR n\r\n".repeat(500);
    client.write_all(requests.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let (status, error) = served.end("TERM");
    assert_eq!(status.code(), Some(0), "{error}");
    let mut replies = String::new();
    client.read_to_string(&mut replies).unwrap();
    assert!(replies.starts_with("+OK\r\n:1\r\n") && replies.ends_with(":500\r\n"), "{replies}");
    assert!(error.contains("a door is closed door=\"redis\"") && error.contains("requests=502"), "{error}");
}

#[test]
fn users_of_a_file_come_in_with_their_own_password() {
    let folder = TempDir::new().unwrap();
    let config = file(&folder, "[[users]]\nname = \"ann\"\npassword = \"secret\"\n");
    let served = Served::start(&["--config", &config]);
    let mut client = connect(served.port);
    ask(&mut client, "GET k\r\n", "-NOAUTH Authentication required.\r\n");
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    ask(&mut client, "AUTH secret\r\nAUTH ann wrong\r\nAUTH bob secret\r\n", &wrong.repeat(3));
    ask(&mut client, "AUTH ann secret\r\nGET k\r\n", "+OK\r\n$-1\r\n");
}

#[test]
fn a_password_is_that_of_the_default_user() {
    let served = Served::start(&["--password", "secret"]);
    let mut client = connect(served.port);
    ask(&mut client, "AUTH default secret\r\nAUTH secret\r\nPING\r\n", "+OK\r\n+OK\r\n+PONG\r\n");
}

#[test]
fn the_command_line_wins_over_the_file() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let config = file(&folder, &format!("redis = 1\ndata = {first:?}\ndurability = \"interval:50\"\nmaxmemory = 0\n"));
    // Port 1 would be refused.
    let served = Served::start(&["--config", &config, "--data", text(&second)]);
    ask(&mut connect(served.port), "SET k v\r\n", "+OK\r\n");
    assert_eq!(served.end("TERM").0.code(), Some(0));
    assert!(!first.exists());
    assert!(Store::open(&second).unwrap().kv().exists("k").unwrap());
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let folder = TempDir::new().unwrap();
    for (text, words) in [
        ("# doors\nredsi = \":0\"\n", &["line 2", "redsi", "expected one of"][..]),
        ("redis = \":0\"\n\ndurability = \"often\"\n", &["line 3", "durability", "interval:MILLISECONDS"]),
        ("data = 7\n", &["line 1", "data"]),
        ("log = \"loud\"\n", &["line 1", "loud"]),
        ("maxmemory-policy = \"lru\"\n", &["line 1", "allkeys-lru"]),
        ("redis = \n", &["line 1"]),
        ("[[users]]\nname = \"ann\"\n", &["line 1", "password"]),
        ("[[users]]\nname = \"ann\"\nsecret = \"x\"\n", &["line 3", "secret"]),
    ] {
        refused(&["serve", "--config", &file(&folder, text)], words);
    }
    refused(&["serve", "--config", "/nonexistent/larder.toml"], &["/nonexistent/larder.toml", "--config"]);
}

#[test]
fn an_address_that_others_can_reach_needs_users() {
    refused(&["serve", "--redis", "0.0.0.0:0"], &["0.0.0.0:0", "password", "127.0.0.1"]);
    refused(&["serve", "--redis", "[::]:0", "--password", ""], &["empty"]);
}

#[test]
fn a_limit_of_memory_is_kept() {
    let served = Served::start(&["--maxmemory", "1kb"]);
    let mut client = connect(served.port);
    let value = "v".repeat(1_100);
    ask(&mut client, &format!("SET k {value}\r\n"), "+OK\r\n");
    ask(&mut client, "SET j v\r\n", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    served.end("TERM");

    let served = Served::start(&["--maxmemory", "1kb", "--maxmemory-policy", "allkeys-random"]);
    let mut client = connect(served.port);
    ask(&mut client, &format!("SET k {value}\r\n"), "+OK\r\n");
    ask(&mut client, "SET j v\r\nEXISTS k\r\n", "+OK\r\n:0\r\n");
    served.end("TERM");
}

#[test]
fn what_is_no_option_or_value_is_refused_with_2() {
    for arguments in [
        &["serve", "--redis", "here"][..],
        &["serve", "--durability", "often"],
        &["serve", "--maxmemory", "much"],
        &["serve", "--maxmemory-policy", "lru"],
        &["serve", "--log", "loud"],
        &["serve", "--nosuch"],
        &["nosuch"],
        &[],
    ] {
        let (code, out, error) = run(arguments);
        assert_eq!((code, &*out), (2, ""), "{arguments:?}");
        assert!(error.contains("--help"), "{error}");
    }
}

#[test]
fn a_port_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&["serve", "--redis", &address], &[&address, "in use", "choose another"]);
}

#[test]
fn a_store_that_a_program_has_open_is_refused_by_every_command() {
    let folder = TempDir::new().unwrap();
    let path = store(&folder);
    let _held = Store::open(&path).unwrap();
    refused(&["serve", "--redis", ":0", "--data", text(&path)], &[text(&path), "in use", "close it"]);
    for arguments in
        [&["check", text(&path)][..], &["stats", text(&path)], &["backup", text(&path), "/nonexistent/copy"]]
    {
        refused(arguments, &["in use", "close it", "larder serve"]);
    }
}

#[test]
fn a_store_that_is_served_is_checked_copied_and_counted_by_its_server() {
    let folder = TempDir::new().unwrap();
    let (path, copy) = (folder.path().join("store"), folder.path().join("a copy"));
    let served = Served::start(&["--data", text(&path)]);
    let mut client = connect(served.port);
    ask(&mut client, "SET k v\r\n", "+OK\r\n");
    ask(&mut client, "SET k2 v\r\n", "+OK\r\n");
    refused(&["serve", "--redis", ":0", "--data", text(&path)], &[text(&path), "in use"]);
    let (code, out, error) = run(&["check", text(&path)]);
    assert!(code == 0 && out.contains("nothing is damaged") && out.contains("commit 2"), "{out}{error}");
    let (code, out, error) = run(&["stats", text(&path)]);
    assert!(code == 0 && out.contains("commit           2"), "{out}{error}");
    // A relative path is one of whoever asks.
    let mut process = larder(&["backup", text(&path), "a copy"]).current_dir(folder.path()).spawn().unwrap();
    assert!(wait(&mut process).success());
    let mut out = String::new();
    process.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(out.contains("copied") && out.contains(text(&copy)) && out.contains("checked"), "{out}");
    refused(&["backup", text(&path), text(&copy)], &[text(&copy), "not empty"]);
    ask(&mut connect(served.port), "SET k3 v\r\n", "+OK\r\n");
    assert_eq!(Store::open(&copy).unwrap().stats().unwrap().commit.0, 2);
    assert_eq!(served.end("TERM").0.code(), Some(0));
    assert!(!path.join("control").exists(), "nobody can ask any more");
    assert_eq!(Store::open(&path).unwrap().stats().unwrap().commit.0, 3);
}

#[test]
fn the_socket_is_its_owners_and_what_is_no_request_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};
    let folder = TempDir::new().unwrap();
    let (path, socket) = (store(&folder), folder.path().join("store/control"));
    // One that a server which was killed has left.
    drop(UnixListener::bind(&socket).unwrap());
    assert!(UnixStream::connect(&socket).is_err());
    let served = Served::start(&["--data", text(&path)]);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let reply = |request: &[u8]| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // It may be refused before it has all been taken.
        let _ = stream.write_all(request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        reply
    };
    let long = vec![b'a'; 20_000];
    for (request, refusal) in [
        (&b"nosuch\n"[..], "! it is no request"),
        (b"check", "! the request is too long, or has no end"),
        (&long[..], "! the request is too long, or has no end"),
        (b"backup copy\n", "! the path \"copy\" is not absolute"),
        (b"backup /nonexistent/\0\n", "! "),
    ] {
        let found = reply(request);
        // What is sent to who has gone may take the reply with it.
        assert!(found.starts_with(refusal) || (request.len() > 8 << 10 && found.is_empty()), "{refusal}: {found:?}");
    }
    assert_eq!(reply(b"\xff\n"), "");
    assert!(reply(b"check\n").ends_with(": nothing is damaged\n= 0\n"));
    // Killed, it leaves its socket; whoever opens the store then does not mind.
    drop(served);
    assert!(socket.exists());
    let (code, out, error) = run(&["check", text(&path)]);
    assert!(code == 0 && out.contains("nothing is damaged"), "{out}{error}");
    fs::remove_file(&socket).unwrap();
    fs::write(&socket, "somebody's").unwrap();
    let served = Served::start(&["--data", text(&path)]);
    refused(&["check", text(&path)], &["in use"]);
    let (_, error) = served.end("TERM");
    assert!(error.contains("something else has its name"), "{error}");
    assert_eq!(fs::read_to_string(&socket).unwrap(), "somebody's");
}

#[test]
fn a_hangup_does_not_end_a_server() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let served = Served::start(&["--data", text(&path)]);
    ask(&mut connect(served.port), "SET k v\r\n", "+OK\r\n");
    served.signal("HUP");
    ask(&mut connect(served.port), "GET k\r\n", "$1\r\nv\r\n");
    assert_eq!(served.end("TERM").0.code(), Some(0));
}

#[test]
fn a_file_that_may_not_grow_refuses_the_write_and_does_not_end_the_server() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    // Room for segments of 4 MiB, and for none of 20; in blocks of 512 bytes, or 1,024 where the shell counts so.
    let served = Served::start_limited("ulimit -f 9000", &["--data", text(&path)]);
    let mut client = connect(served.port);
    ask(&mut client, "SET k v\r\n", "+OK\r\n");
    let value = "v".repeat(20 << 20);
    let mut large = connect(served.port);
    large.write_all(format!("*3\r\n$3\r\nSET\r\n$1\r\nl\r\n${}\r\n{value}\r\n", value.len()).as_bytes()).unwrap();
    large.shutdown(std::net::Shutdown::Write).unwrap();
    let mut reply = String::new();
    large.read_to_string(&mut reply).unwrap();
    assert!(reply.lines().last().is_some_and(|line| line.starts_with('-')), "{reply}");
    ask(&mut connect(served.port), "GET k\r\nEXISTS l\r\nSET k2 v\r\n", "$1\r\nv\r\n:0\r\n+OK\r\n");
    assert_eq!(served.end("TERM").0.code(), Some(0));
    assert!(Store::open(&path).unwrap().kv().exists("k2").unwrap());
}

#[test]
fn a_damaged_store_is_refused_and_checked() {
    let folder = TempDir::new().unwrap();
    let path = store(&folder);
    let checkpoints = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let checkpoint = checkpoints.filter(|path| path.extension().is_some_and(|end| end == "checkpoint")).max().unwrap();
    let mut bytes = fs::read(&checkpoint).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&checkpoint, bytes).unwrap();
    refused(&["serve", "--redis", ":0", "--data", text(&path)], &["damaged", text(&checkpoint), "backup"]);
    let (code, out, error) = run(&["check", text(&path)]);
    assert_eq!((code, &*error), (1, ""));
    assert!(out.contains(text(&checkpoint)) && out.contains("restore the store from a backup"), "{out}");
}

#[test]
fn a_closed_store_is_checked_copied_and_counted() {
    let folder = TempDir::new().unwrap();
    let (path, copy) = (store(&folder), folder.path().join("copy"));
    let (code, out, _) = run(&["check", text(&path)]);
    assert!(code == 0 && out.contains("nothing is damaged") && out.contains("commit 2"), "{out}");
    let (code, out, error) = run(&["backup", text(&path), text(&copy)]);
    assert!(code == 0 && out.contains("copied"), "{out}{error}");
    refused(&["backup", text(&path), text(&copy)], &[text(&copy)]);
    let (code, out, _) = run(&["stats", text(&copy)]);
    assert!(code == 0 && out.contains("commit           2") && out.contains("last checkpoint  commit 2"), "{out}");
    assert!(Store::open(&copy).unwrap().kv().exists("k2").unwrap());
    for command in ["check", "stats"] {
        refused(&[command, "/nonexistent/store"], &["/nonexistent/store"]);
    }
}

#[test]
fn help_names_every_option_and_what_it_is_unless_said() {
    let (code, out, _) = run(&["serve", "--help"]);
    assert_eq!(code, 0);
    let options = [
        "--redis",
        "--tls-cert",
        "--tls-key",
        "--tls-dev",
        "--data",
        "--durability",
        "--maxmemory",
        "--maxmemory-policy",
        "--log",
        "--password",
    ];
    for option in options.iter().chain(&["--config", "[[users]]", "SIGTERM", "127.0.0.1:6379"]) {
        assert!(out.contains(option), "no {option} in {out}");
    }
}

/// Clients that send nothing take up what files there are, but for those that the store needs.
#[cfg(target_os = "linux")]
#[test]
fn clients_leave_open_files_to_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let log = folder.path().join("log");
    let mut process = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 200 && exec \"$0\" serve --redis :0 --password sesame --data \"$1\" 2>\"$2\""])
        .args([env!("CARGO_BIN_EXE_larder"), text(&path), text(&log)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(process.stdout.take().unwrap());
    let mut url = String::new();
    std::io::BufRead::read_line(&mut out, &mut url).unwrap();
    let port = url.trim().rsplit(':').next().unwrap().parse().unwrap();
    let mut client = connect(port);
    ask(&mut client, "AUTH sesame\r\nCONFIG GET maxclients\r\n", "+OK\r\n*2\r\n$10\r\nmaxclients\r\n$3\r\n136\r\n");
    let idle: Vec<_> = (0..300).map(|_| connect(port)).collect();
    let turned_away = idle.iter().rev().take(100).filter(|stream| {
        let mut bytes = [0; 5];
        (&**stream).read_exact(&mut bytes).is_ok() && bytes == *b"-ERR "
    });
    assert_eq!(turned_away.count(), 100);
    // Enough for several segments of the log.
    let set = format!("SET k {}\r\n", "v".repeat(60_000));
    for _ in 0..1_000 {
        ask(&mut client, &set, "+OK\r\n");
    }
    client.write_all(b"CONFIG SET maxclients 10000\r\n").unwrap();
    let mut refused = [0; 200];
    let length = client.read(&mut refused).unwrap();
    assert!(String::from_utf8_lossy(&refused[..length]).contains("try with 136"));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(fs::read_to_string(&log).unwrap().contains("fewer clients are let in"));
}
