//! What counts as a change, beside a real redis-server.

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::judge::{Client, Judge, Reply};

/// Requests one after the other, the words of each divided by spaces; those that are counted together are divided by `;`. `''` is an
/// empty word.
const REQUESTS: &str = "
SET a 1|SET a 1 NX|SET a 1 XX|MSET a 1 b 2 c 3|MSET a 1 b 2|MSETNX x 1 y 2|MSETNX x 1 z 2|DEL nokey|DEL a b c nokey|GETEX x|GETEX x EX 100
GETEX x PERSIST|GETEX x PERSIST|GETDEL x|GETDEL x|APPEND s ab|SETRANGE s 0 ''|SETRANGE s 1 zz|EXPIRE s 100|EXPIRE s 100 NX|EXPIRE s -1
EXPIRE nokey 3|RPUSH l a b c d a b|LPUSHX nol a b|LTRIM l 0 -1|LTRIM l 0 3|LTRIM nol 0 1|LREM l 0 zz|LREM l 0 a|LINSERT l BEFORE b q
LINSERT l BEFORE zz q|LSET l 0 z|LPOP l|LPOP l 2|LPOP l 0|LMPOP 1 l LEFT COUNT 5|LMPOP 1 l LEFT COUNT 5|RPUSH l a b c|LMOVE l l2 LEFT RIGHT
RPOPLPUSH l l2|LMOVE l l LEFT RIGHT|LMOVE nol l LEFT RIGHT|BLPOP l 1|BLMOVE l l2 LEFT RIGHT 1|LTRIM l2 5 6|SADD s1 a b c d e f|SADD s1 a
SADD s1 a g|SREM s1 zz|SREM s1 a zz|SMOVE s1 s2 b|SADD s2 c|SMOVE s1 s2 c|SMOVE s1 s1 d|SMOVE s1 s2 nosuch|SPOP s1|SPOP s1 2|SPOP s1 100
SPOP s1 3|SPOP s1|SADD s1 a b c|SPOP s1 0|SUNIONSTORE d s1 s2|SINTERSTORE d s1 nos|SINTERSTORE d s1 nos|SDIFFSTORE d s1 nos|HSET h a 1 b 2
HSET h a 1 b 2|HMSET h a 1|HSETNX h a 3|HSETNX h z 3|HDEL h zz|HDEL h a b zz|HINCRBY h n 1|HINCRBYFLOAT h n 1.5|ZADD z 1 a 2 b 3 c 4 d 5 e
ZADD z 1 a|ZADD z 2 a 9 f|ZADD z XX 3 nosuch|ZADD z INCR 1 a|ZADD z NX INCR 1 a|ZINCRBY z 0 a|ZINCRBY z 1 a|ZREM z zz|ZREM z a b zz|ZPOPMIN z
ZPOPMIN z 2|ZPOPMAX nz|ZADD z 1 a 2 b 3 c 4 d 5 e|ZMPOP 1 z MIN COUNT 2|BZPOPMIN z 1|ZADD z 1 a 2 b|ZRANGESTORE zd z 0 -1
ZRANGESTORE zd nz 0 -1|ZRANGESTORE zd nz 0 -1|ZUNIONSTORE zd 2 z z|ZINTERSTORE zd 2 z nz|ZDIFFSTORE zd 2 z nz|ZREMRANGEBYRANK z 0 1
ZREMRANGEBYRANK z 50 90|ZREMRANGEBYSCORE z 5 5|ZREMRANGEBYLEX z - +|SETBIT bit 3 1|SETBIT bit 3 1
BITOP NOT bb bit|BITOP NOT bb nobit|BITOP NOT bb nobit|BITFIELD bit SET u8 0 1 SET u8 8 2 GET u8 0|BITFIELD bit GET u8 0|BITFIELD bit SET u8 0 1
BITFIELD bit OVERFLOW FAIL INCRBY u2 0 100|BITFIELD bit INCRBY u8 0 1 INCRBY u8 8 1|XADD st 1-1 a 1|XADD st 2-1 a 1|XADD st MAXLEN 2 3-1 a 1
XADD st NOMKSTREAM 4-1 a 1|XADD nost NOMKSTREAM 4-1 a 1|XTRIM st MAXLEN 10|XTRIM st MAXLEN 2|XDEL st 9-9|XGROUP CREATE st g 0
XGROUP CREATE nst g 0 MKSTREAM|XGROUP CREATECONSUMER st g c|XGROUP CREATECONSUMER st g c|XREADGROUP GROUP g c STREAMS st >
XREADGROUP GROUP g c STREAMS st >|XREADGROUP GROUP g c STREAMS st 0|XACK st g 9-9|XACK st g 3-1 4-1|XGROUP SETID st g 0|XGROUP SETID st g 0
XGROUP DESTROY st g|XGROUP DESTROY st g|XSETID st 100-1|XDEL st 3-1 4-1 5-5|GEOADD ge 1 1 a 2 2 b 3 3 c|GEOADD ge 1 1 a|GEOADD ge CH 1 2 a
GEORADIUS ge 1 1 1000 km STORE gd|GEORADIUS ge 100 80 1 km STORE gd|GEORADIUS ge 100 80 1 km STORE gd|GEORADIUS ge 1 1 1000 km
GEOSEARCHSTORE gd ge FROMLONLAT 1 1 BYRADIUS 1000 km|RPUSH so 3 1 2|SORT so STORE sd|SORT noso STORE sd|SORT noso STORE sd|SORT so|COPY so so2
COPY so so2|COPY so so2 REPLACE|RENAME so so3|RENAME so3 so3|RENAMENX so3 so2|MOVE so3 1|MOVE so3 1|PERSIST so2|EXPIRE so2 100|PERSIST so2
EXPIRE so2 100 XX|SETNX so2 1|GETSET q 1|INCR q|DECRBY q 2|INCRBYFLOAT q 1.5|SETEX q 10 v|SET q v EX 10|EXPIREAT q 1|EXPIREAT q 1|TOUCH so2
GET so2|UNLINK so2 sd|SWAPDB 0 1|SWAPDB 0 1|SWAPDB 0 0|PUBLISH a b|LPUSH q|SET q|INCR nosuch x|HSET s1 a 1
MULTI;MSET a 1 b 2;DEL nosuch;SADD s1 n1 n2;EXEC|SET a 1|FLUSHDB|FLUSHDB|SET a 1|SET b 1|FLUSHALL|FLUSHALL";

fn words(request: &str) -> Vec<&str> {
    request.split(' ').map(|word| if word == "''" { "" } else { word }).collect()
}

/// What is counted since the last save.
fn changes(client: &mut Client) -> i64 {
    let Reply::Text(info) = client.call(&["INFO", "persistence"]) else { panic!("INFO is a text") };
    let info = String::from_utf8(info).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn changes_are_counted_as_by_a_redis_server() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default()).unwrap();
    let mut clients = [Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port())];
    for request in REQUESTS.split(['|', '\n']).filter(|request| !request.is_empty()) {
        let [theirs, ours] = clients.each_mut().map(|client| {
            let before = changes(client);
            let replies: Vec<_> = request.split(';').map(|request| client.call(&words(request))).collect();
            (changes(client) - before, replies)
        });
        assert_eq!(ours.0, theirs.0, "{request}: {ours:?}, by Redis {theirs:?}");
    }
}

#[test]
fn what_an_embedding_program_changes_is_counted_and_what_it_reads_is_not() {
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let mut client = Client::connect(server.address().socket_addr().unwrap().port());
    assert_eq!(changes(&mut client), 0);
    store.kv().set("a", "1").unwrap();
    store.transaction(|tx| tx.kv().set("b", "1").and_then(|()| tx.kv().remove("nosuch"))).unwrap();
    store.kv().get("a").unwrap();
    assert_eq!(changes(&mut client), 2);
    let taken_back: Result<(), larder::Error> = store.transaction(|tx| {
        tx.kv().set("c", "1")?;
        Err(larder::Error::Closed)
    });
    assert!(taken_back.is_err());
    assert_eq!(changes(&mut client), 2);
    client.call(&["SAVE"]);
    assert_eq!(changes(&mut client), 0);
}
