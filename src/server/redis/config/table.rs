//! Every parameter of Redis 7.2, with what setting it does here.
//!
//! # Source
//! Redis configuration file and command reference, `CONFIG`, version 7.2.

use crate::limits;
use crate::server::redis::config::live::{Live, Number, Tuned};
use crate::server::redis::config::value::Kind;

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// What it is at first; of another name for a parameter, that parameter.
    pub(super) first: &'static str,
    /// None for another name.
    pub(super) kind: Option<Kind>,
    pub(super) effect: Effect,
}

/// What setting a parameter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The store or the door acts on the new value.
    Live(Live),
    /// Nothing here could act on another value, for this reason: it can only be set to what it is.
    Fixed(&'static str),
    /// Redis lets nobody set it while the server runs, and neither does the door.
    Unset,
}

const ADDRESS: Effect = Effect::Fixed("the program that opened the door chose where it listens");
const ALLOCATOR: Effect = Effect::Fixed("the memory allocator belongs to the program");
const CHECKPOINTS: Effect = Effect::Fixed("checkpoints have one form");
const CLUSTER: Effect = Effect::Fixed("there is no cluster");
const DEADLINES: Effect = Effect::Fixed("an exact index finds expired keys");
const DUMPS: Effect = Effect::Fixed("every dump is checked");
const DURABILITY: Effect = Effect::Fixed("durability is chosen when the store is opened");
const EVICTION: Effect = Effect::Fixed("keys are removed by the command that makes it necessary");
const FORMS: Effect = Effect::Fixed("values have one form");
const FREQUENCY: Effect = Effect::Fixed("nothing runs at a frequency");
const PROCESS: Effect = Effect::Fixed("the process belongs to the program that opened the door");
const REPLICAS: Effect = Effect::Fixed("there are no replicas");
const TLS: Effect = Effect::Fixed("the program that opened the door chose whether and how it speaks TLS");
const TRACKING: Effect = Effect::Fixed("there is no client-side caching");

const INT: i64 = i32::MAX as i64;
const QUERY: i64 = most(limits::QUERY_BUFFER_BYTES_MAX);
const BULK: i64 = most(limits::STRING_BYTES_MAX);
const CLIENTS: i64 = most(limits::CLIENTS_MAX);
const DENIALS: i64 = most(limits::DENIALS_MAX);
const SLOW: i64 = most(limits::SLOW_LOG_ENTRIES_MAX);

/// A limit as the greatest value of a parameter.
#[expect(clippy::cast_possible_wrap, reason = "limits are far below")]
const fn most(limit: usize) -> i64 {
    limit as i64
}

const fn of(name: &'static str, first: &'static str, kind: Kind, effect: Effect) -> Parameter {
    Parameter { name, first, kind: Some(kind), effect }
}

const fn unset(name: &'static str, first: &'static str, kind: Kind) -> Parameter {
    of(name, first, kind, Effect::Unset)
}

const fn yes_no(name: &'static str, first: &'static str, effect: Effect) -> Parameter {
    of(name, first, Kind::YesNo, effect)
}

const fn integer(name: &'static str, first: &'static str, least: i64, most: i64, effect: Effect) -> Parameter {
    of(name, first, Kind::Integer(least, most), effect)
}

const fn memory(name: &'static str, first: &'static str, least: i64, effect: Effect) -> Parameter {
    memory_to(name, first, least, i64::MAX, effect)
}

const fn memory_to(name: &'static str, first: &'static str, least: i64, most: i64, effect: Effect) -> Parameter {
    of(name, first, Kind::Memory(least, most), effect)
}

const fn choice(name: &'static str, first: &'static str, names: &'static [&'static str], effect: Effect) -> Parameter {
    of(name, first, Kind::Choice(names), effect)
}

const fn number(number: Number) -> Effect {
    Effect::Live(Live::Number(number))
}

const fn alias(name: &'static str, of: &'static str) -> Parameter {
    Parameter { name, first: of, kind: None, effect: Effect::Unset }
}

/// In the order of their names.
pub(super) const TABLE: &[Parameter] = &[
    choice("acl-pubsub-default", "resetchannels", &["allchannels", "resetchannels"], number(Number::NewUsersHearAll)),
    unset("aclfile", "", Kind::Immutable),
    integer("acllog-max-len", "128", 0, DENIALS, number(Number::DenialsKept)),
    integer("active-defrag-cycle-max", "25", 1, 99, ALLOCATOR),
    integer("active-defrag-cycle-min", "1", 1, 99, ALLOCATOR),
    memory("active-defrag-ignore-bytes", "104857600", 1, ALLOCATOR),
    integer("active-defrag-max-scan-fields", "1000", 1, i64::MAX, ALLOCATOR),
    integer("active-defrag-threshold-lower", "10", 0, 1000, ALLOCATOR),
    integer("active-defrag-threshold-upper", "100", 0, 1000, ALLOCATOR),
    integer("active-expire-effort", "1", 1, 10, DEADLINES),
    yes_no("activedefrag", "no", ALLOCATOR),
    yes_no("activerehashing", "yes", FREQUENCY),
    unset("always-show-logo", "no", Kind::Immutable),
    yes_no("aof-disable-auto-gc", "no", DURABILITY),
    yes_no("aof-load-truncated", "yes", DURABILITY),
    yes_no("aof-rewrite-incremental-fsync", "yes", DURABILITY),
    yes_no("aof-timestamp-enabled", "no", DURABILITY),
    yes_no("aof-use-rdb-preamble", "yes", DURABILITY),
    unset("aof_rewrite_cpulist", "", Kind::Immutable),
    unset("appenddirname", "appendonlydir", Kind::Immutable),
    unset("appendfilename", "appendonly.aof", Kind::Immutable),
    choice("appendfsync", "everysec", &["everysec", "always", "no"], DURABILITY),
    yes_no("appendonly", "no", DURABILITY),
    memory("auto-aof-rewrite-min-size", "67108864", 0, DURABILITY),
    integer("auto-aof-rewrite-percentage", "100", 0, INT, DURABILITY),
    unset("bgsave_cpulist", "", Kind::Immutable),
    of("bind", "127.0.0.1", Kind::Text, ADDRESS),
    of("bind-source-addr", "", Kind::Text, ADDRESS),
    unset("bio_cpulist", "", Kind::Immutable),
    integer("busy-reply-threshold", "5000", 0, i64::MAX, number(Number::BusyReplyMillis)),
    of(
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        Kind::OutputLimits,
        Effect::Live(Live::OutputLimits),
    ),
    memory_to("client-query-buffer-limit", "1073741824", 1 << 20, QUERY, number(Number::QueryBufferBytes)),
    yes_no("cluster-allow-pubsubshard-when-down", "yes", CLUSTER),
    yes_no("cluster-allow-reads-when-down", "no", CLUSTER),
    yes_no("cluster-allow-replica-migration", "yes", CLUSTER),
    integer("cluster-announce-bus-port", "0", 0, 65535, CLUSTER),
    of("cluster-announce-hostname", "", Kind::Text, CLUSTER),
    of("cluster-announce-human-nodename", "", Kind::Text, CLUSTER),
    of("cluster-announce-ip", "", Kind::Text, CLUSTER),
    integer("cluster-announce-port", "0", 0, 65535, CLUSTER),
    integer("cluster-announce-tls-port", "0", 0, 65535, CLUSTER),
    unset("cluster-config-file", "nodes.conf", Kind::Immutable),
    unset("cluster-enabled", "no", Kind::Immutable),
    memory("cluster-link-sendbuf-limit", "0", 0, CLUSTER),
    integer("cluster-migration-barrier", "1", 0, INT, CLUSTER),
    integer("cluster-node-timeout", "15000", 0, i64::MAX, CLUSTER),
    unset("cluster-port", "0", Kind::Immutable),
    choice("cluster-preferred-endpoint-type", "ip", &["ip", "hostname", "unknown-endpoint"], CLUSTER),
    yes_no("cluster-replica-no-failover", "no", CLUSTER),
    integer("cluster-replica-validity-factor", "10", 0, INT, CLUSTER),
    yes_no("cluster-require-full-coverage", "yes", CLUSTER),
    alias("cluster-slave-no-failover", "cluster-replica-no-failover"),
    alias("cluster-slave-validity-factor", "cluster-replica-validity-factor"),
    yes_no("crash-log-enabled", "yes", PROCESS),
    yes_no("crash-memcheck-enabled", "yes", PROCESS),
    unset("daemonize", "no", Kind::Immutable),
    unset("databases", "16", Kind::Immutable),
    unset("dbfilename", "dump.rdb", Kind::Protected),
    unset("dir", ".", Kind::Protected),
    unset("disable-thp", "yes", Kind::Immutable),
    yes_no("dynamic-hz", "yes", FREQUENCY),
    unset("enable-debug-command", "no", Kind::Immutable),
    unset("enable-module-command", "no", Kind::Immutable),
    unset("enable-protected-configs", "yes", Kind::Immutable),
    integer("hash-max-listpack-entries", "512", 0, i64::MAX, number(Number::SmallHashFields)),
    memory("hash-max-listpack-value", "64", 0, number(Number::SmallHashBytes)),
    alias("hash-max-ziplist-entries", "hash-max-listpack-entries"),
    alias("hash-max-ziplist-value", "hash-max-listpack-value"),
    memory("hll-sparse-max-bytes", "3000", 0, FORMS),
    integer("hz", "10", 0, INT, FREQUENCY),
    of("ignore-warnings", "", Kind::Text, PROCESS),
    unset("io-threads", "1", Kind::Immutable),
    unset("io-threads-do-reads", "no", Kind::Immutable),
    yes_no("jemalloc-bg-thread", "yes", ALLOCATOR),
    integer("latency-monitor-threshold", "0", 0, i64::MAX, number(Number::LatencyMillis)),
    yes_no("latency-tracking", "yes", number(Number::TracksLatency)),
    of("latency-tracking-info-percentiles", "50 99 99.9", Kind::Percentiles, Effect::Live(Live::Percentiles)),
    yes_no("lazyfree-lazy-eviction", "no", EVICTION),
    yes_no("lazyfree-lazy-expire", "no", EVICTION),
    yes_no("lazyfree-lazy-server-del", "no", EVICTION),
    yes_no("lazyfree-lazy-user-del", "no", number(Number::DeletesLazily)),
    yes_no("lazyfree-lazy-user-flush", "no", number(Number::FlushesLazily)),
    integer("lfu-decay-time", "1", 0, INT, Effect::Live(Live::Eviction(Tuned::DecayMinutes))),
    integer("lfu-log-factor", "10", 0, INT, Effect::Live(Live::Eviction(Tuned::GrowthFactor))),
    integer("list-compress-depth", "0", 0, INT, FORMS),
    integer("list-max-listpack-size", "-2", -INT - 1, INT, number(Number::ListNodeSize)),
    alias("list-max-ziplist-size", "list-max-listpack-size"),
    of("locale-collate", "", Kind::Text, PROCESS),
    unset("logfile", "", Kind::Immutable),
    choice("loglevel", "notice", &["debug", "verbose", "notice", "warning"], PROCESS),
    alias("lua-time-limit", "busy-reply-threshold"),
    of("masterauth", "", Kind::Text, REPLICAS),
    of("masteruser", "", Kind::Text, REPLICAS),
    integer("maxclients", "10000", 1, CLIENTS, number(Number::ClientsMax)),
    memory("maxmemory", "0", 0, Effect::Live(Live::Budget)),
    of("maxmemory-clients", "0", Kind::MemoryOrPercent, number(Number::ClientsMemory)),
    integer("maxmemory-eviction-tenacity", "10", 0, 100, EVICTION),
    choice(
        "maxmemory-policy",
        "noeviction",
        &[
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "noeviction",
        ],
        Effect::Live(Live::Policy),
    ),
    integer("maxmemory-samples", "5", 1, INT, Effect::Live(Live::Eviction(Tuned::Samples))),
    integer("min-replicas-max-lag", "10", 0, INT, REPLICAS),
    integer("min-replicas-to-write", "0", 0, INT, REPLICAS),
    alias("min-slaves-max-lag", "min-replicas-max-lag"),
    alias("min-slaves-to-write", "min-replicas-to-write"),
    yes_no("no-appendfsync-on-rewrite", "no", DURABILITY),
    of("notify-keyspace-events", "", Kind::Events, Effect::Live(Live::Events)),
    choice("oom-score-adj", "no", &["no", "yes", "relative", "absolute"], PROCESS),
    of("oom-score-adj-values", "0 200 800", Kind::Scores, PROCESS),
    unset("pidfile", "", Kind::Immutable),
    integer("port", "6379", 0, 65535, ADDRESS),
    of("proc-title-template", "{title} {listen-addr} {server-mode}", Kind::Text, PROCESS),
    choice("propagation-error-behavior", "ignore", &["ignore", "panic", "panic-on-replicas"], PROCESS),
    yes_no("protected-mode", "yes", ADDRESS),
    memory_to("proto-max-bulk-len", "536870912", 1 << 20, BULK, number(Number::BulkBytes)),
    yes_no("rdb-del-sync-files", "no", REPLICAS),
    yes_no("rdb-save-incremental-fsync", "yes", CHECKPOINTS),
    unset("rdbchecksum", "yes", Kind::Immutable),
    yes_no("rdbcompression", "yes", CHECKPOINTS),
    memory("repl-backlog-size", "1048576", 1, REPLICAS),
    integer("repl-backlog-ttl", "3600", 0, i64::MAX, REPLICAS),
    yes_no("repl-disable-tcp-nodelay", "no", REPLICAS),
    choice("repl-diskless-load", "disabled", &["disabled", "on-empty-db", "swapdb"], REPLICAS),
    yes_no("repl-diskless-sync", "yes", REPLICAS),
    integer("repl-diskless-sync-delay", "5", 0, INT, REPLICAS),
    integer("repl-diskless-sync-max-replicas", "0", 0, INT, REPLICAS),
    integer("repl-ping-replica-period", "10", 1, INT, REPLICAS),
    alias("repl-ping-slave-period", "repl-ping-replica-period"),
    integer("repl-timeout", "60", 1, INT, REPLICAS),
    of("replica-announce-ip", "", Kind::Text, REPLICAS),
    integer("replica-announce-port", "0", 0, 65535, REPLICAS),
    yes_no("replica-announced", "yes", REPLICAS),
    yes_no("replica-ignore-disk-write-errors", "no", REPLICAS),
    yes_no("replica-ignore-maxmemory", "yes", REPLICAS),
    yes_no("replica-lazy-flush", "no", REPLICAS),
    integer("replica-priority", "100", 0, INT, REPLICAS),
    yes_no("replica-read-only", "yes", REPLICAS),
    yes_no("replica-serve-stale-data", "yes", REPLICAS),
    unset("replicaof", "", Kind::Immutable),
    of("requirepass", "", Kind::Text, Effect::Live(Live::Password)),
    choice("sanitize-dump-payload", "yes", &["no", "yes", "clients"], DUMPS),
    of("save", "", Kind::SavePoints, Effect::Live(Live::SavePoints)),
    unset("server_cpulist", "", Kind::Immutable),
    integer("set-max-intset-entries", "512", 0, i64::MAX, number(Number::SmallSetIntegers)),
    integer("set-max-listpack-entries", "128", 0, i64::MAX, number(Number::SmallSetMembers)),
    integer("set-max-listpack-value", "64", 0, i64::MAX, number(Number::SmallSetBytes)),
    unset("set-proc-title", "yes", Kind::Immutable),
    choice("shutdown-on-sigint", "default", &["default", "save", "nosave", "now", "force"], PROCESS),
    choice("shutdown-on-sigterm", "default", &["default", "save", "nosave", "now", "force"], PROCESS),
    integer("shutdown-timeout", "10", 0, INT, PROCESS),
    alias("slave-announce-ip", "replica-announce-ip"),
    alias("slave-announce-port", "replica-announce-port"),
    alias("slave-ignore-maxmemory", "replica-ignore-maxmemory"),
    alias("slave-lazy-flush", "replica-lazy-flush"),
    alias("slave-priority", "replica-priority"),
    alias("slave-read-only", "replica-read-only"),
    alias("slave-serve-stale-data", "replica-serve-stale-data"),
    alias("slaveof", "replicaof"),
    integer("slowlog-log-slower-than", "10000", -1, i64::MAX, number(Number::SlowMicros)),
    integer("slowlog-max-len", "128", 0, SLOW, number(Number::SlowLogLen)),
    unset("socket-mark-id", "0", Kind::Immutable),
    yes_no("stop-writes-on-bgsave-error", "yes", CHECKPOINTS),
    memory("stream-node-max-bytes", "4096", 0, number(Number::StreamNodeBytes)),
    integer("stream-node-max-entries", "100", 0, i64::MAX, number(Number::StreamNodeEntries)),
    unset("supervised", "no", Kind::Immutable),
    unset("syslog-enabled", "no", Kind::Immutable),
    unset("syslog-facility", "local0", Kind::Immutable),
    unset("syslog-ident", "redis", Kind::Immutable),
    unset("tcp-backlog", "511", Kind::Immutable),
    integer("tcp-keepalive", "300", 0, INT, number(Number::KeepaliveSeconds)),
    integer("timeout", "0", 0, INT, number(Number::IdleSeconds)),
    choice("tls-auth-clients", "yes", &["no", "yes", "optional"], TLS),
    of("tls-ca-cert-dir", "", Kind::Text, TLS),
    of("tls-ca-cert-file", "", Kind::Text, TLS),
    of("tls-cert-file", "", Kind::Text, TLS),
    of("tls-ciphers", "", Kind::Text, TLS),
    of("tls-ciphersuites", "", Kind::Text, TLS),
    of("tls-client-cert-file", "", Kind::Text, TLS),
    of("tls-client-key-file", "", Kind::Text, TLS),
    of("tls-client-key-file-pass", "", Kind::Text, TLS),
    yes_no("tls-cluster", "no", TLS),
    of("tls-dh-params-file", "", Kind::Text, TLS),
    of("tls-key-file", "", Kind::Text, TLS),
    of("tls-key-file-pass", "", Kind::Text, TLS),
    unset("tls-port", "0", Kind::Immutable),
    yes_no("tls-prefer-server-ciphers", "no", TLS),
    of("tls-protocols", "", Kind::Text, TLS),
    yes_no("tls-replication", "no", TLS),
    integer("tls-session-cache-size", "20480", 0, INT, TLS),
    integer("tls-session-cache-timeout", "300", 0, INT, TLS),
    yes_no("tls-session-caching", "yes", TLS),
    integer("tracking-table-max-keys", "1000000", 0, i64::MAX, TRACKING),
    unset("unixsocket", "", Kind::Immutable),
    unset("unixsocketperm", "0", Kind::Immutable),
    integer("zset-max-listpack-entries", "128", 0, i64::MAX, number(Number::SmallSortedSetMembers)),
    memory("zset-max-listpack-value", "64", 0, number(Number::SmallSortedSetBytes)),
    alias("zset-max-ziplist-entries", "zset-max-listpack-entries"),
    alias("zset-max-ziplist-value", "zset-max-listpack-value"),
];
