//! Categories of commands.
//!
//! A command has those of its group and its flags. One whose group does not decide it has them in its paragraph, as
//! `@name`, instead of its group's.
//!
//! # Source
//! Redis command reference, `ACL CAT`, version 7.2.

use crate::server::redis::spec::{Flags, Spec, flags};

bitflags::bitflags! {
    /// A set of categories; their names are those of redis-server, in upper case.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Categories: u32 {
        const KEYSPACE = 1;
        const READ = 1 << 1;
        const WRITE = 1 << 2;
        const SET = 1 << 3;
        const SORTEDSET = 1 << 4;
        const LIST = 1 << 5;
        const HASH = 1 << 6;
        const STRING = 1 << 7;
        const BITMAP = 1 << 8;
        const HYPERLOGLOG = 1 << 9;
        const GEO = 1 << 10;
        const STREAM = 1 << 11;
        const PUBSUB = 1 << 12;
        const ADMIN = 1 << 13;
        const FAST = 1 << 14;
        const SLOW = 1 << 15;
        const BLOCKING = 1 << 16;
        const DANGEROUS = 1 << 17;
        const CONNECTION = 1 << 18;
        const TRANSACTION = 1 << 19;
        const SCRIPTING = 1 << 20;
    }
}

impl Categories {
    /// The names of those that are set.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        self.iter_names().map(|(name, _)| name.to_ascii_lowercase())
    }

    /// The one of a name in any case.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        flags::named(std::str::from_utf8(name).ok()?)
    }
}

/// The categories of a command, of which `spec` has those that its paragraph names.
pub(super) fn of(spec: &Spec, is_container: bool) -> Categories {
    let of_group = match spec.group {
        _ if !spec.categories.is_empty() => spec.categories,
        // What its subcommands have is theirs.
        _ if is_container => Categories::empty(),
        "generic" => Categories::KEYSPACE,
        "string" => Categories::STRING,
        "list" => Categories::LIST,
        "hash" => Categories::HASH,
        "set" => Categories::SET,
        "sorted-set" => Categories::SORTEDSET,
        "bitmap" => Categories::BITMAP,
        "hyperloglog" => Categories::HYPERLOGLOG,
        "geo" => Categories::GEO,
        "stream" => Categories::STREAM,
        "connection" => Categories::CONNECTION,
        "transactions" => Categories::TRANSACTION,
        "scripting" => Categories::SCRIPTING,
        _ => Categories::empty(),
    };
    // A script reads what it likes, whatever it is.
    let reads = if spec.group == "scripting" { Categories::empty() } else { Categories::READ };
    let of_flags = [
        (Flags::READONLY, reads),
        (Flags::WRITE, Categories::WRITE),
        (Flags::ADMIN, Categories::ADMIN | Categories::DANGEROUS),
        (Flags::PUBSUB, Categories::PUBSUB),
        (Flags::BLOCKING, Categories::BLOCKING),
        (Flags::FAST, Categories::FAST),
    ];
    let of_flags = of_flags.into_iter().filter(|(flag, _)| spec.flags.contains(*flag)).map(|(_, category)| category);
    let all = of_flags.fold(of_group, |all, category| all | category);
    if spec.flags.contains(Flags::FAST) { all } else { all | Categories::SLOW }
}
