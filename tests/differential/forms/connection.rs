//! Forms of commands: transactions and the connection.

pub(crate) const FORMS: &[&str] = &[
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH {k}",
    "UNWATCH",
    "PING",
    "PING {v}",
    "ECHO {v}",
    "SELECT 0",
    "SELECT 99",
    "NOSUCHCOMMAND {v}",
    "GET",
    "GET {k} {k}",
    "PUBLISH ch {v}",
    "PUBSUB NUMPAT",
    "PUBSUB CHANNELS",
    "PUBSUB NUMSUB ch",
    "COMMAND GETKEYS MSET a 1 b 2",
    "TIME x",
    "EXEC x",
];
