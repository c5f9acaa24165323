//! Parameters of `CONFIG`.
//!
//! Those that are here can be read. One that only tunes the inside of Redis can be set, and is given back; one that clients depend
//! on cannot be set to what the door does not do.

use std::collections::BTreeMap;

/// Names with the values that Redis 7.2 has, and whether the door refuses to change them, because it would not act on it.
const PARAMETERS: &[(&str, &str, bool)] = &[
    ("activedefrag", "no", false),
    ("activerehashing", "yes", false),
    ("appendfsync", "everysec", true),
    ("appendonly", "no", true),
    ("bind", "127.0.0.1", true),
    ("client-query-buffer-limit", "268435456", true),
    ("databases", "16", true),
    ("dynamic-hz", "yes", false),
    ("hash-max-listpack-entries", "128", true),
    ("hash-max-listpack-value", "64", true),
    ("hz", "10", false),
    ("lazyfree-lazy-eviction", "no", false),
    ("lazyfree-lazy-expire", "no", false),
    ("lazyfree-lazy-server-del", "no", false),
    ("lazyfree-lazy-user-del", "no", false),
    ("list-compress-depth", "0", false),
    ("list-max-listpack-size", "-2", true),
    ("loglevel", "notice", false),
    ("maxclients", "10000", true),
    ("maxmemory", "0", false),
    ("maxmemory-policy", "noeviction", false),
    ("maxmemory-samples", "5", false),
    ("notify-keyspace-events", "", false),
    ("port", "6379", true),
    ("proto-max-bulk-len", "67108864", true),
    ("requirepass", "", true),
    ("save", "", true),
    ("set-max-intset-entries", "512", true),
    ("set-max-listpack-entries", "128", true),
    ("slowlog-log-slower-than", "10000", true),
    ("slowlog-max-len", "128", true),
    ("tcp-backlog", "511", false),
    ("tcp-keepalive", "300", false),
    ("timeout", "0", true),
    ("zset-max-listpack-entries", "128", true),
    ("zset-max-listpack-value", "64", true),
];

/// Every parameter, as it is at first.
pub(super) fn parameters(port: u16) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all: BTreeMap<_, _> =
        PARAMETERS.iter().map(|(name, value, _)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
    all.insert(b"port".to_vec(), port.to_string().into_bytes());
    all
}

/// Whether a parameter cannot be set.
pub(super) fn is_refused(name: &[u8]) -> bool {
    PARAMETERS.iter().any(|(other, _, is_refused)| other.as_bytes() == name && *is_refused)
}
