//! The commands, one file for each family.

#![expect(clippy::unnecessary_wraps, reason = "the table has one signature for all of them")]

mod acl;
mod bitmaps;
mod catalog;
mod client;
mod client_list;
mod cluster;
mod combinations;
mod config;
mod connection;
mod debug;
mod dump;
mod geo;
mod geo_search;
mod hashes;
mod hyperloglogs;
mod info;
mod keys;
mod kind;
mod latency;
mod lcs;
mod lists;
mod memory;
mod missing;
mod pubsub;
mod ranges;
mod scan;
mod scripts;
mod server;
mod sets;
mod slow_log;
mod sort;
mod sorted_sets;
mod stream_groups;
mod stream_info;
mod stream_reads;
mod streams;
mod strings;
mod transactions;
mod waiting;

use crate::server::redis::run::command::Handler;

/// What runs each command.
pub(super) fn all() -> impl Iterator<Item = &'static Handler> {
    [
        acl::COMMANDS,
        bitmaps::COMMANDS,
        catalog::COMMANDS,
        cluster::COMMANDS,
        combinations::COMMANDS,
        config::COMMANDS,
        connection::COMMANDS,
        debug::COMMANDS,
        dump::COMMANDS,
        geo::COMMANDS,
        geo_search::COMMANDS,
        hashes::COMMANDS,
        hyperloglogs::COMMANDS,
        info::COMMANDS,
        keys::COMMANDS,
        latency::COMMANDS,
        lcs::COMMANDS,
        lists::COMMANDS,
        memory::COMMANDS,
        pubsub::COMMANDS,
        scripts::COMMANDS,
        ranges::COMMANDS,
        server::COMMANDS,
        sets::COMMANDS,
        slow_log::COMMANDS,
        sort::COMMANDS,
        sorted_sets::COMMANDS,
        stream_groups::COMMANDS,
        stream_info::COMMANDS,
        stream_reads::COMMANDS,
        streams::COMMANDS,
        strings::COMMANDS,
        transactions::COMMANDS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use crate::server::redis::spec;

    #[test]
    fn every_command_is_in_the_documentation() {
        let text = include_str!("../../../../docs/compatibility/redis.md");
        let missing: Vec<_> = spec::all()
            .iter()
            .map(|spec| spec.name.to_uppercase())
            .filter(|name| !text.contains(&format!("`{name}`")))
            .collect();
        assert!(missing.is_empty(), "not in docs/compatibility/redis.md: {missing:?}");
    }
}
