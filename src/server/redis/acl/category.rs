//! Categories of commands.
//!
//! # Source
//! Redis command reference, `ACL CAT`, version 7.2.

use crate::server::redis::command::{Command, Flags};

/// A set of categories.
pub(in crate::server::redis) type Categories = u32;

/// Their names; each has the bit of its place.
pub(in crate::server::redis) const NAMES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

const KEYSPACE: Categories = 1;
const READ: Categories = 1 << 1;
const WRITE: Categories = 1 << 2;
const SET: Categories = 1 << 3;
const SORTED_SET: Categories = 1 << 4;
const LIST: Categories = 1 << 5;
const HASH: Categories = 1 << 6;
const STRING: Categories = 1 << 7;
const BITMAP: Categories = 1 << 8;
const HYPERLOGLOG: Categories = 1 << 9;
const GEO: Categories = 1 << 10;
const STREAM: Categories = 1 << 11;
const PUBSUB: Categories = 1 << 12;
const ADMIN: Categories = 1 << 13 | DANGEROUS;
const FAST: Categories = 1 << 14;
const SLOW: Categories = 1 << 15;
const BLOCKING: Categories = 1 << 16;
const DANGEROUS: Categories = 1 << 17;
const CONNECTION: Categories = 1 << 18;
const TRANSACTION: Categories = 1 << 19;
const SCRIPTING: Categories = 1 << 20;

/// What only administrators use.
pub(in crate::server::redis) const ADMIN_BIT: Categories = 1 << 13;

/// The category of a name.
pub(in crate::server::redis) fn named(name: &[u8]) -> Option<Categories> {
    let at = NAMES.iter().position(|category| name.eq_ignore_ascii_case(category.as_bytes()))?;
    Some(1 << at)
}

/// Subcommands, with what they are besides slow.
type Subcommands = &'static [(Categories, &'static [&'static str])];

/// The subcommands of a command; `None` when its second word is an argument.
fn subcommands(command: &str) -> Option<Subcommands> {
    Some(match command {
        "acl" => &[
            (ADMIN, &["deluser", "dryrun", "getuser", "list", "load", "log", "save", "setuser", "users"]),
            (0, &["cat", "genpass", "help", "whoami"]),
        ],
        "client" => &[
            (ADMIN | CONNECTION, &["kill", "list", "no-evict", "pause", "unblock", "unpause"]),
            (
                CONNECTION,
                &[
                    "caching",
                    "getname",
                    "getredir",
                    "help",
                    "id",
                    "info",
                    "no-touch",
                    "reply",
                    "setinfo",
                    "setname",
                    "tracking",
                    "trackinginfo",
                ],
            ),
        ],
        "cluster" => &[
            (
                ADMIN,
                &[
                    "addslots",
                    "addslotsrange",
                    "bumpepoch",
                    "count-failure-reports",
                    "delslots",
                    "delslotsrange",
                    "failover",
                    "flushslots",
                    "forget",
                    "meet",
                    "replicas",
                    "replicate",
                    "reset",
                    "saveconfig",
                    "set-config-epoch",
                    "setslot",
                    "slaves",
                ],
            ),
            (
                0,
                &[
                    "countkeysinslot",
                    "getkeysinslot",
                    "help",
                    "info",
                    "keyslot",
                    "links",
                    "myid",
                    "myshardid",
                    "nodes",
                    "shards",
                    "slots",
                ],
            ),
        ],
        "command" => &[(CONNECTION, &["count", "docs", "getkeys", "getkeysandflags", "help", "info", "list"])],
        "config" => &[(ADMIN, &["get", "resetstat", "rewrite", "set"]), (0, &["help"])],
        "function" => &[
            (WRITE | SCRIPTING, &["delete", "flush", "load", "restore"]),
            (SCRIPTING, &["dump", "help", "kill", "list", "stats"]),
        ],
        "latency" => &[(ADMIN, &["doctor", "graph", "histogram", "history", "latest", "reset"]), (0, &["help"])],
        "memory" => &[(READ, &["usage"]), (0, &["doctor", "help", "malloc-stats", "purge", "stats"])],
        "module" => &[(ADMIN, &["list", "load", "loadex", "unload"]), (0, &["help"])],
        "object" => &[(READ | KEYSPACE, &["encoding", "freq", "idletime", "refcount"]), (KEYSPACE, &["help"])],
        "pubsub" => &[(PUBSUB, &["channels", "numpat", "numsub", "shardchannels", "shardnumsub"]), (0, &["help"])],
        "script" => &[(SCRIPTING, &["debug", "exists", "flush", "help", "kill", "load"])],
        "slowlog" => &[(ADMIN, &["get", "len", "reset"]), (0, &["help"])],
        "xgroup" => {
            &[(WRITE | STREAM, &["create", "createconsumer", "delconsumer", "destroy", "setid"]), (STREAM, &["help"])]
        }
        "xinfo" => &[(READ | STREAM, &["consumers", "groups", "stream"]), (STREAM, &["help"])],
        _ => return None,
    })
}

/// Whether the second word of a command names one of several commands.
pub(in crate::server::redis) fn is_container(command: &str) -> bool {
    subcommands(command).is_some()
}

/// Every subcommand of a command with its categories.
pub(in crate::server::redis) fn of_subcommands(command: &str) -> impl Iterator<Item = (&'static str, Categories)> {
    let groups = subcommands(command).unwrap_or_default();
    groups.iter().flat_map(|(categories, names)| names.iter().map(move |name| (*name, categories | SLOW)))
}

/// A subcommand of a command, by its name in any case.
pub(in crate::server::redis) fn subcommand(command: &str, name: &[u8]) -> Option<(&'static str, Categories)> {
    of_subcommands(command).find(|(other, _)| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// The categories of a command.
pub(in crate::server::redis) fn of(command: &Command) -> Categories {
    let has = |flag, categories| if command.flags.has(flag) { categories } else { 0 };
    let speed = if command.flags.has(Flags::FAST) { FAST } else { SLOW };
    let access = has(Flags::READ, READ) | has(Flags::WRITE, WRITE);
    let of_group = match command.group {
        "generic" => KEYSPACE | access,
        "string" => STRING | access,
        "list" => LIST | access,
        "hash" => HASH | access,
        "set" => SET | access,
        "sorted-set" | "sorted_set" => SORTED_SET | access,
        "bitmap" => BITMAP | access,
        "hyperloglog" => HYPERLOGLOG | access,
        "geo" => GEO | access,
        "stream" => STREAM | access,
        "pubsub" => PUBSUB,
        "connection" => CONNECTION,
        "transactions" => TRANSACTION,
        "scripting" => SCRIPTING,
        _ => access,
    };
    let of_its_own = match command.name {
        "sort" | "sort_ro" => return SET | SORTED_SET | LIST | DANGEROUS | access | SLOW,
        "command" | "wait" | "waitaof" => return CONNECTION | SLOW,
        name if is_container(name) => return SLOW,
        "asking" | "readonly" | "readwrite" => CONNECTION,
        "dbsize" => KEYSPACE,
        "flushall" | "flushdb" | "swapdb" => KEYSPACE | DANGEROUS,
        "role" => ADMIN,
        "info" | "keys" | "migrate" | "restore" => DANGEROUS,
        "blmove" | "blmpop" | "blpop" | "brpop" | "brpoplpush" | "bzmpop" | "bzpopmax" | "bzpopmin" | "xread"
        | "xreadgroup" => BLOCKING,
        _ => 0,
    };
    of_group | of_its_own | has(Flags::ADMIN, ADMIN) | speed
}
