//! Where the doors of `larder serve` are, and their certificates.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::served::Served;
use crate::{connect, file, refused, text};

const CERTIFICATE: &str = "larder-dev-cert.pem";
const KEY: &str = "larder-dev-key.pem";

/// Makes a certificate in `folder`.
fn certificate(folder: &Path) -> (String, String) {
    larder::server::Tls::development(folder).unwrap();
    (text(&folder.join(CERTIFICATE)).to_owned(), text(&folder.join(KEY)).to_owned())
}

/// A connection by TLS for which the server has to have the certificate in `trusted`.
fn encrypted(port: u16, trusted: &Path) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let session = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(session, connect(port));
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// Sends `request`, and holds the replies to it.
fn ask(stream: &mut (impl Read + Write), request: &str, replies: &str) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut found = vec![0; replies.len()];
    stream.read_exact(&mut found).unwrap();
    assert_eq!(String::from_utf8_lossy(&found), replies, "{request}");
}

#[test]
fn doors_at_unix_sockets_are_their_owners_and_go_with_the_program() {
    let folder = TempDir::new().unwrap();
    let (redis, mongo) = (folder.path().join("redis.sock"), folder.path().join("mongo.sock"));
    // One that a program which was killed has left.
    drop(UnixListener::bind(&redis).unwrap());
    let [at_redis, at_mongo] = [&redis, &mongo].map(|path| format!("unix:{}", path.display()));
    let served = Served::start_with(&["--redis", &at_redis, "--mongo", &at_mongo]);
    let escaped = text(&mongo).replace('/', "%2F");
    assert_eq!(
        served.urls,
        [format!("unix://{}", redis.display()), format!("mongodb://{escaped}/?directConnection=true")]
    );
    for path in [&redis, &mongo] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let mut client = UnixStream::connect(&redis).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    ask(&mut client, "SET k v\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n");
    ask(&mut client, "CONFIG GET unixsocket\r\n", &format!("*2\r\n$10\r\nunixsocket\r\n${}\r\n", text(&redis).len()));
    // A ping of MongoDB: length, id, in reply to, OP_MSG, flags, a section of one document.
    let body = bson::serialize_to_vec(&bson::doc! { "ping": 1, "$db": "admin" }).unwrap();
    let length = u32::try_from(21 + body.len()).unwrap();
    let head = [length, 1, 0, 2013, 0].map(u32::to_le_bytes).concat();
    let mut driver = UnixStream::connect(&mongo).unwrap();
    driver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    driver.write_all(&[head, vec![0], body].concat()).unwrap();
    let mut reply = [0; 21];
    driver.read_exact(&mut reply).unwrap();
    assert_eq!(reply[8..16], [[1, 0, 0, 0], 2013_u32.to_le_bytes()].concat());
    refused(&["serve", "--redis", &at_redis], &[text(&redis), "in use", "choose another"]);
    assert_eq!(served.end("TERM").0.code(), Some(0));
    assert!(!redis.exists() && !mongo.exists());
    fs::write(&redis, "somebody's").unwrap();
    refused(&["serve", "--redis", &at_redis], &[text(&redis), "not a socket"]);
    assert_eq!(fs::read_to_string(&redis).unwrap(), "somebody's");
}

#[test]
fn a_file_of_options_names_sockets_and_certificates() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = certificate(folder.path());
    let options = format!("redis = 0\nmongo = \"unix:{}/m.sock\"\n", folder.path().display());
    let config = file(&folder, &format!("{options}tls-cert = {certificate:?}\ntls-key = {key:?}\n"));
    let served = Served::start_with(&["--config", &config]);
    assert!(served.urls[0].starts_with("rediss://127.0.0.1:"), "{:?}", served.urls);
    assert!(served.urls[1].starts_with("mongodb://%2F"), "a unix socket has no TLS: {:?}", served.urls);
    let mut client = encrypted(served.port, Path::new(&certificate)).unwrap();
    ask(&mut client, "PING\r\n", "+PONG\r\n");
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_with_its_file() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let ((certificate, key), (_, wrong)) = (certificate(one.path()), certificate(other.path()));
    let serve = |arguments: &[&str], words: &[&str]| {
        refused(&[&["serve", "--redis", ":0"], arguments].concat(), words);
    };
    serve(&["--tls-cert", "/nonexistent/c.pem", "--tls-key", &key], &["/nonexistent/c.pem", "No such file"]);
    serve(&["--tls-cert", &certificate, "--tls-key", "/nonexistent/k.pem"], &["/nonexistent/k.pem", "No such file"]);
    serve(
        &["--tls-cert", &certificate, "--tls-key", &wrong],
        &[&certificate, &wrong, "not the key of the certificate"],
    );
    serve(&["--tls-cert", &key, "--tls-key", &key], &[&key, "no certificate in the file", "PEM"]);
    serve(&["--tls-cert", &certificate, "--tls-key", &certificate], &[&certificate, "no private key in the file"]);
    serve(&["--tls-cert", &certificate], &["--tls-key"]);
    serve(&["--tls-key", &key], &["--tls-cert"]);
    serve(&["--tls-cert", &certificate, "--tls-key", &key, "--tls-dev"], &["two certificates", "--tls-dev"]);
    let at = format!("unix:{}/r.sock", one.path().display());
    refused(&["serve", "--redis", &at, "--tls-dev", text(one.path())], &["unix sockets", "no TLS"]);
    fs::remove_file(&key).unwrap();
    serve(&["--tls-dev", text(one.path())], &[&key, "No such file"]);
}

#[test]
fn both_doors_have_the_certificate_for_development() {
    let folder = TempDir::new().unwrap();
    let made = folder.path().join("new");
    let served = Served::start(&["--mongo", ":0", "--tls-dev", text(&made)]);
    let certificate = made.join(CERTIFICATE);
    let mut client = encrypted(served.port, &certificate).unwrap();
    ask(&mut client, "SET k v\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n");
    let url = served.urls[1].strip_prefix("mongodb://127.0.0.1:").unwrap();
    let port = url.strip_suffix("/?tls=true").unwrap().parse().unwrap();
    encrypted(port, &certificate).unwrap();
    // Who speaks no TLS is not served.
    let mut plain = connect(served.port);
    plain.write_all(b"PING\r\n").unwrap();
    let mut read = Vec::new();
    let _ = plain.read_to_end(&mut read);
    assert!(!read.starts_with(b"+PONG"), "{read:?}");
    let begun = larder::Stopwatch::start();
    assert_eq!(served.end("TERM").0.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "a client that is at rest does not hold up the end");
    // The end is said in TLS, so that the client can tell it from an attack.
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let first = fs::read(&certificate).unwrap();
    let served = Served::start(&["--tls-dev", text(&made)]);
    assert_eq!(fs::read(&certificate).unwrap(), first, "it is made once");
    encrypted(served.port, &certificate).unwrap();
}

#[test]
fn a_certificate_is_read_again_on_sighup_unless_it_is_broken() {
    let (folder, next) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let ((certificate, key), (next_certificate, next_key)) = (certificate(folder.path()), certificate(next.path()));
    let first = folder.path().join("first.pem");
    fs::copy(&certificate, &first).unwrap();
    let arguments = ["--tls-cert", &certificate, "--tls-key", &key, "--log", "info"];
    let mut served = Served::start(&arguments);
    let mut old = encrypted(served.port, &first).unwrap();
    // The key is not there yet.
    fs::copy(&next_certificate, &certificate).unwrap();
    served.signal("HUP");
    let line = served.logged("WARN");
    assert!(line.contains("the certificate stays what it was") && line.contains(&key), "{line}");
    encrypted(served.port, &first).unwrap();
    fs::copy(&next_key, &key).unwrap();
    served.signal("HUP");
    served.logged("the certificate was read again");
    assert!(encrypted(served.port, &first).is_err());
    ask(&mut encrypted(served.port, Path::new(&next_certificate)).unwrap(), "SET k v\r\n", "+OK\r\n");
    ask(&mut old, "GET k\r\n", "$1\r\nv\r\n");
    assert_eq!(served.end("TERM").0.code(), Some(0));
}
