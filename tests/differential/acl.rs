//! Users of the Redis door beside those of a real redis-server: the same requests to both.

use std::collections::{BTreeMap, BTreeSet};

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::judge::{Client, Judge, Reply};

/// In this order, on one connection.
const REQUESTS: &[&str] = &[
    "ACL WHOAMI",
    "ACL USERS",
    "ACL LIST",
    "ACL GETUSER default",
    "ACL GETUSER nobody",
    "ACL SETUSER ann",
    "ACL GETUSER ann",
    "ACL SETUSER ann on >secret ~k* %R~r:* %W~w:* &news.* +@read +config|get +set -get +select|0",
    "ACL GETUSER ann",
    "ACL LIST",
    "ACL SETUSER bob nopass on allkeys allchannels allcommands",
    "ACL LIST",
    "ACL SETUSER bob (+get ~z* %RW~y) (+@write -set)",
    "ACL GETUSER bob",
    "ACL SETUSER bob clearselectors",
    "ACL SETUSER bob +@nosuch",
    "ACL SETUSER bob +nosuch",
    "ACL SETUSER bob +config|nosuch",
    "ACL SETUSER bob +config|get|x",
    "ACL SETUSER bob -get|x",
    "ACL SETUSER bob +get|x|y",
    "ACL SETUSER bob foo",
    "ACL SETUSER bob ~x",
    "ACL SETUSER bob &x",
    "ACL SETUSER bob #abc",
    "ACL SETUSER bob <nope",
    "ACL SETUSER bob !0123456789012345678901234567890123456789012345678901234567890123",
    "ACL SETUSER bob !12",
    "ACL SETUSER bob %~x",
    "ACL SETUSER bob %X~x",
    "ACL SETUSER bob resetkeys %X~x",
    "ACL SETUSER bob resetkeys %~x",
    "ACL SETUSER bob resetkeys %RR~x",
    "ACL SETUSER bob (+get",
    "ACL SETUSER bob +get)",
    "ACL SETUSER bob (foo)",
    "ACL SETUSER bob (on)",
    "ACL SETUSER bob ()",
    "ACL LIST",
    "ACL SETUSER bob reset",
    "ACL LIST",
    "ACL DELUSER default",
    "ACL DELUSER bob nobody",
    "ACL DRYRUN ann get k1",
    "ACL DRYRUN ann mget k1 x",
    "ACL DRYRUN ann set r:1 x",
    "ACL DRYRUN ann mget r:1",
    "ACL DRYRUN ann mget w:1",
    "ACL DRYRUN ann exists w:1 r:1",
    "ACL DRYRUN ann set w:1 x",
    "ACL DRYRUN ann set w:1 x get",
    "ACL DRYRUN ann nosuch w:1 x",
    "ACL DRYRUN ann mget",
    "ACL DRYRUN nobody mget a",
    "ACL DRYRUN ann select 0",
    "ACL DRYRUN ann select 1",
    "ACL DRYRUN ann config get x",
    "ACL DRYRUN ann config set x y",
    "ACL DRYRUN ann publish x y",
    "ACL DRYRUN ann zunion 2 k1 x",
    "ACL DRYRUN ann auth x",
    "ACL GENPASS 0",
    "ACL GENPASS 5000",
    "ACL GENPASS x",
    "ACL LOAD",
    "ACL SAVE",
    "ACL LOG RESET",
    "ACL LOG",
    "ACL LOG -1",
    "ACL LOG x",
    "ACL CAT nosuch",
    "ACL CAT",
    "ACL FOO",
    "ACL",
    "ACL WHOAMI x",
    "ACL SETUSER",
    "AUTH ann wrong",
    "AUTH x y z w",
    "AUTH x",
    "HELLO 2 AUTH ann bad",
    "ACL LOG",
    "ACL LOG RESET",
    "ACL SETUSER carl on nopass ~a* +@all -@dangerous",
    "ACL GETUSER carl",
    "ACL DRYRUN carl keys *",
    "ACL DRYRUN carl get a",
    "ACL SETUSER carl -@all +config -config|set",
    "ACL GETUSER carl",
    "ACL DRYRUN carl config set a b",
    "ACL DRYRUN carl config get a",
    "ACL SETUSER carl resetkeys ~b %R~c %W~c",
    "ACL GETUSER carl",
    "ACL SETUSER carl allkeys",
    "ACL GETUSER carl",
    "ACL SETUSER carl nocommands resetpass off resetchannels",
    "ACL GETUSER carl",
    "AUTH carl x",
    "ACL SETUSER carl on >one >two >one",
    "ACL GETUSER carl",
    "ACL SETUSER carl <one resetkeys ~b* +get +set +subscribe +publish +psubscribe +multi +exec +acl|whoami +auth +ping &n*",
    "ACL GETUSER carl",
    "AUTH carl one",
    "AUTH carl two",
    "PING",
    "ECHO a",
    "GET a",
    "GET b1",
    "SET b1 x GET",
    "DEL b1",
    "PUBLISH q a",
    "PUBLISH news a",
    "SUBSCRIBE q",
    "PSUBSCRIBE nn*",
    "MULTI",
    "GET a",
    "EXEC",
    "MULTI",
    "SET b1 x",
    "EXEC",
    "ACL WHOAMI",
    "ACL LIST",
    "CONFIG GET x",
    "NOSUCH",
    "AUTH default x",
    "ACL LOG",
    "ACL LOG 1",
    "ACL SETUSER default >secret",
    "ACL LIST",
    "AUTH wrong",
    "AUTH secret",
    "ACL SETUSER default nopass",
    "ACL DELUSER ann carl",
];

/// Brings the words of 7.0 and of 7.2 to the same, and takes out what no two servers share.
fn normal(reply: Reply) -> Reply {
    // 7.0 gives the rules about commands in an order of its own.
    let sorted = |text: &str| {
        let mut words: Vec<_> = text.split(' ').collect();
        words.sort_unstable();
        words.join(" ")
    };
    let text = |text: &str| match text.split_once(" permissions to ") {
        None if text.contains("@all") => sorted(text),
        None => text.to_owned(),
        Some((_, what)) if what.ends_with("arguments") || what.starts_with("access a ") => {
            let is_key = what.contains("key");
            format!("no permission: {}", if is_key { "key" } else { "channel" })
        }
        Some((_, what)) => format!("no permission: {what}"),
    };
    match reply {
        Reply::Error(error) => Reply::Error(text(&error)),
        // From 7.2 on every user has this flag, unless it has the other.
        Reply::Text(bytes) => {
            let line = String::from_utf8(bytes).unwrap().replace(" sanitize-payload", "");
            Reply::Text(text(&line).into_bytes())
        }
        Reply::Array(parts) => {
            let mut parts: Vec<_> = parts.into_iter().map(normal).collect();
            let is = |part: &Reply, name: &str| *part == Reply::Text(name.into());
            parts.retain(|part| !is(part, "sanitize-payload"));
            if parts.first().is_some_and(|first| is(first, "count")) {
                // An entry of the log: 7.2 has more to tell, and how old it is and of whom is for each its own.
                parts.truncate(10);
            }
            Reply::Array(parts)
        }
        other => other,
    }
}

fn printed(reply: &Reply) -> String {
    match reply {
        Reply::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Reply::Array(parts) => format!("[{}]", parts.iter().map(printed).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

fn words(request: &str) -> Vec<String> {
    request.split(' ').map(str::to_owned).collect()
}

#[test]
fn users_may_do_what_they_may_do_in_redis() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let (mut theirs, mut ours) =
        (Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port()));
    let mut differing = Vec::new();
    for request in REQUESTS {
        let (ours, theirs) = (normal(ours.call(&words(request))), normal(theirs.call(&words(request))));
        if ours != theirs {
            differing.push(format!("{request}\n  ours:   {}\n  theirs: {}", printed(&ours), printed(&theirs)));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn names(reply: Reply) -> BTreeSet<String> {
    let Reply::Array(parts) = reply else { panic!("{reply:?}") };
    let name = |part| match part {
        Reply::Text(name) => String::from_utf8(name).unwrap(),
        other => panic!("{other:?}"),
    };
    parts.into_iter().map(name).collect()
}

#[test]
fn commands_are_of_the_categories_that_they_have_in_redis() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let (mut theirs, mut ours) =
        (Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port()));
    let mut of = [BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::new()];
    for category in names(ours.call(&words("ACL CAT"))) {
        for (client, of) in [&mut ours, &mut theirs].into_iter().zip(&mut of) {
            for command in names(client.call(&words(&format!("ACL CAT {category}")))) {
                of.entry(command).or_default().insert(category.clone());
            }
        }
    }
    let [ours, theirs] = of;
    let differing: Vec<_> = ours
        .iter()
        .filter_map(|(command, ours)| Some((command, ours, theirs.get(command)?)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect();
    assert!(differing.is_empty(), "ours, theirs: {differing:#?}");
}
