//! Forms of commands: `HyperLogLog`s.
//!
//! Keys are of their own, so that none is broken by other families: Redis changes a part of what it then finds to be broken.

pub(crate) const FORMS: &[&str] = &[
    "PFADD {H} {m*}",
    "PFADD {H} {v*}",
    "PFADD {H} {w*}",
    "PFADD {H} {d*}",
    "PFADD {H} {h*}",
    "PFADD {H} {h*}",
    "PFADD {H}",
    "PFCOUNT {H}",
    "PFCOUNT {H*}",
    "PFCOUNT {H} {H}",
    "PFMERGE {H} {H*}",
    "PFMERGE {H} {H}",
    "PFMERGE {H}",
    "GET {H}",
    "STRLEN {H}",
    "COPY {H} {H} REPLACE",
    "SETRANGE {H} 0 HYLL",
    "DEL {H}",
    "SET {H} x",
    "HSET {H} a b",
];
