//! Clients of the MongoDB door on a disk that fails.
//!
//! A client never learns of a success that may be lost: not with the first reply, and not when it sends the same write again, as
//! drivers do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use larder::Store;
use larder::bson::{Document, RawDocumentBuf, Uuid, doc};
use larder::engine::Durability;
use larder::engine::durable::{DurableEngine, DurableOptions};
use larder::server::mongo::{MongoOptions, MongoServer};
use larder::vfs::Vfs;
use larder::vfs::sim::{Call, Fault, SimVfs};

/// A connection that sends commands and reads their replies.
struct Client(TcpStream);

impl Client {
    fn connect(server: &MongoServer) -> Self {
        Self(TcpStream::connect(server.address().socket_addr().unwrap()).unwrap())
    }

    fn send(&mut self, mut body: Document) -> Document {
        body.insert("$db", "d");
        let body = RawDocumentBuf::try_from(&body).unwrap().into_bytes();
        let length = i32::try_from(16 + 5 + body.len()).unwrap();
        let mut message: Vec<u8> = [length, 1, 0, 2013, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        message.push(0);
        message.extend(body);
        self.0.write_all(&message).unwrap();
        let mut head = [0; 21];
        self.0.read_exact(&mut head).unwrap();
        let length = i32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let mut body = vec![0; usize::try_from(length).unwrap() - head.len()];
        self.0.read_exact(&mut body).unwrap();
        Document::from_reader(&*body).unwrap()
    }
}

fn open(disk: &SimVfs) -> Store {
    let vfs = Arc::new(disk.clone()) as Arc<dyn Vfs>;
    let engine = DurableEngine::open_with(Path::new("/disk/store"), &DurableOptions::default().vfs(vfs)).unwrap();
    Store::builder().durability(Durability::Sync).engine(Arc::new(engine)).unwrap()
}

fn insert(number: i64) -> Document {
    let session = doc! { "id": Uuid::from_bytes([1; 16]) };
    doc! { "insert": "c", "documents": [{ "_id": number }], "lsid": session, "txnNumber": number }
}

fn is_done(reply: &Document) -> bool {
    reply.get_f64("ok").unwrap() > 0.0 && !reply.contains_key("writeErrors")
}

#[test]
fn a_write_that_was_lost_is_not_acknowledged_when_it_is_sent_again() {
    let disk = SimVfs::new(1);
    let store = open(&disk);
    let server = MongoServer::start(&store, &MongoOptions::default()).unwrap();
    let mut client = Client::connect(&server);
    assert!(is_done(&client.send(insert(1))));
    assert!(is_done(&client.send(insert(1))), "it is acknowledged again");

    disk.fail(Fault::at(Call::Sync, 1).forever());
    let lost = client.send(insert(2));
    assert!(!is_done(&lost), "{lost}");
    for mut other in [client, Client::connect(&server)] {
        let again = other.send(insert(2));
        assert!(!is_done(&again), "{again}");
        let seen = other.send(doc! { "count": "c" });
        assert_eq!(seen.get_i32("n").ok(), Some(1), "what was refused is not shown: {seen}");
    }

    server.close();
    drop(store);
    disk.heal();
    disk.cut_power();
    disk.restart();
    let store = open(&disk);
    let server = MongoServer::start(&store, &MongoOptions::default()).unwrap();
    let mut client = Client::connect(&server);
    assert!(is_done(&client.send(doc! { "find": "c", "filter": { "_id": 1_i64 } })));
    assert_eq!(store.database("d").collection::<Document>("c").count_documents(doc! { "_id": 1_i64 }).unwrap(), 1);
    let after = client.send(insert(3));
    assert!(is_done(&after), "{after}");
}
