//! Forms of commands: hashes.

pub(crate) const FORMS: &[&str] = &[
    "HSET {k} {m} {v}",
    "HSET {k} {m} {v} {m} {v}",
    "HSET {k} {m}",
    "HMSET {k} {m} {v}",
    "HSETNX {k} {m} {v}",
    "HGET {k} {m}",
    "HMGET {k} {m*}",
    "HGETALL {k}",
    "HKEYS {k}",
    "HVALS {k}",
    "HLEN {k}",
    "HEXISTS {k} {m}",
    "HSTRLEN {k} {m}",
    "HDEL {k} {m*}",
    "HINCRBY {k} {m} {n}",
    "HINCRBYFLOAT {k} {m} {f}",
    "HRANDFIELD {k} 0",
    "HINCRBY hmax {m} 9223372036854775807",
];
