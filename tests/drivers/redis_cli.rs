//! `redis-cli`, where it is installed, with what it does beside single commands.

use std::fmt::Write as _;
use std::io::Write;
use std::process::{Command, Stdio};

use super::packages::PATIENCE;
use super::served::Served;
use super::ways;

/// Runs `redis-cli` with `input` at the door that the arguments `at` say; `None` when there is none on this machine.
fn cli(at: &[&str], arguments: &[&str], input: &str) -> Option<String> {
    let mut process = Command::new("timeout")
        .args([PATIENCE, "redis-cli"])
        .args(at)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // A thread writes, so that neither waits for the other; the end of the input ends the program.
    let (mut stdin, input) = (process.stdin.take().unwrap(), input.to_owned());
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = process.wait_with_output().unwrap();
    // It may have ended without reading.
    let _ = writer.join().unwrap();
    if output.status.code() == Some(127) {
        println!("skipped: there is no redis-cli");
        return None;
    }
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if error.contains("'--tls'") {
        println!("skipped: redis-cli was built without TLS");
        return None;
    }
    assert!(output.status.success(), "{arguments:?}: {out}{error}");
    Some(out.into_owned())
}

#[test]
fn redis_cli_does_all_that_it_does() {
    let served = Served::start(&[]);
    let port = served.port.to_string();
    let at = ["-p", &port];
    let ask = |arguments: &[&str]| cli(&at, arguments, "");
    let Some(pong) = ask(&["PING"]) else { return };
    assert_eq!(pong, "PONG\n");
    let ask = |arguments: &[&str]| ask(arguments).unwrap();

    // Mass insertion, in the protocol itself.
    let requests = (0..10_000).fold(String::new(), |mut all, n| {
        let key = format!("key:{n}");
        write!(all, "*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n$1\r\nv\r\n", key.len()).unwrap();
        all
    });
    let piped = cli(&at, &["--pipe"], &requests).unwrap();
    assert!(piped.contains("errors: 0, replies: 10000"), "{piped}");
    assert_eq!(ask(&["DBSIZE"]), "10000\n");

    assert_eq!(ask(&["--scan", "--pattern", "key:999?"]).lines().count(), 10);
    assert_eq!(cli(&at, &["-x", "SET", "text"], "from the input").unwrap(), "OK\n");
    assert_eq!(ask(&["--raw", "GET", "text"]), "from the input\n");
    ask(&["RPUSH", "list", "a", "b", "c"]);
    let big = ask(&["--bigkeys"]);
    assert!(big.contains("Biggest string found") && big.contains("Biggest   list found"), "{big}");
    let info = ask(&["INFO"]);
    assert!(info.contains("redis_version:7.2") && info.contains("db0:keys=10002"), "{info}");
    assert_eq!(ask(&["--json", "-3", "HSET", "hash", "a", "1"]), "1\n");
    assert_eq!(ask(&["-3", "--json", "HGETALL", "hash"]), "{\"a\":\"1\"}\n");

    // A session, as it is typed.
    let session = cli(&at, &["-3"], "MULTI\nINCR n\nEXEC\nHELLO 3\nSELECT 1\nDBSIZE\n").unwrap();
    assert!(session.contains("QUEUED") && session.contains("proto") && session.contains("modules"), "{session}");
    assert!(session.trim_end().ends_with('0'), "{session}");
}

#[test]
fn redis_cli_comes_in_by_unix_sockets_and_tls() {
    for way in ways() {
        let at: Vec<&str> = match &way.certificate {
            Some(certificate) => vec!["-p", &way.door, "--tls", "--cacert", certificate],
            None => vec!["-s", &way.door],
        };
        let Some(pong) = cli(&at, &["PING"], "") else { continue };
        assert_eq!(pong, "PONG\n");
        let requests = "SET k 0123456789\r\n".repeat(10_000);
        let piped = cli(&at, &["--pipe"], &requests).unwrap();
        assert!(piped.contains("errors: 0, replies: 10000"), "{piped}");
        assert_eq!(cli(&at, &["-3", "-x", "SET", "large"], &"v".repeat(5 << 20)).unwrap(), "OK\n");
        let large = cli(&at, &["--raw", "GET", "large"], "").unwrap();
        assert_eq!(large.len(), (5 << 20) + 1);
        assert!(way.served.end("TERM").0.success());
    }
}
