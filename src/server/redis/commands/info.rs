//! `INFO`: what the server is, has, and has done.
//!
//! What is named as in Redis means what it means there. What Redis has and nothing here corresponds to is 0 where that
//! is the truth, and left out where it would not be.

use std::fmt::{Display, Write};

use crate::error::Result;
use crate::server::process;
#[cfg(feature = "lua")]
use crate::server::redis::lua::Scripting;
use crate::server::redis::options::{DATABASES, REDIS_VERSION};
use crate::server::redis::run::command::{Call, Handler, Outcome, command, is};
use crate::server::redis::state::door::Door;
use crate::server::tally::Rates;

pub(super) const COMMANDS: &[Handler] = &[command("info", info)];

/// Bytes of the kilobyte in which rates are given.
const KILOBYTE: f64 = 1_024.0;

/// What the parameter `hz` is and stays.
const HZ: u64 = 10;

/// What the parameter `repl-backlog-size` is and stays.
const REPLICATION_BACKLOG_BYTES: u64 = 1 << 20;

/// A part of the text.
struct Section {
    name: &'static str,
    /// Told unless something else is asked for.
    is_default: bool,
    write: fn(&Call<'_>, &mut Text) -> Result<()>,
}

const fn section(name: &'static str, is_default: bool, write: fn(&Call<'_>, &mut Text) -> Result<()>) -> Section {
    Section { name, is_default, write }
}

const SECTIONS: [Section; 13] = [
    section("Server", true, server),
    section("Clients", true, clients),
    section("Memory", true, memory),
    section("Persistence", true, persistence),
    section("Stats", true, stats),
    section("Replication", true, replication),
    section("CPU", true, processors),
    section("Modules", true, |_, _| Ok(())),
    section("Commandstats", false, commands),
    section("Errorstats", true, errors),
    section("Latencystats", false, latencies),
    section("Cluster", true, cluster),
    section("Keyspace", true, keyspace),
];

fn info(call: &mut Call<'_>) -> Outcome {
    let words = call.rest(1);
    let asks = |name: &str| words.iter().any(|word| is(word, name));
    let (all, default) = (asks("all") || asks("everything"), words.is_empty() || asks("default"));
    let mut text = Text::default();
    for section in &SECTIONS {
        if all || (default && section.is_default) || asks(&section.name.to_lowercase()) {
            text.begin(section.name);
            (section.write)(call, &mut text)?;
        }
    }
    call.reply.verbatim(&text.0);
    Ok(())
}

/// Lines of names with values, under headings.
#[derive(Default)]
struct Text(String);

impl Text {
    fn begin(&mut self, heading: &str) {
        let gap = if self.0.is_empty() { "" } else { "\r\n" };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{gap}# {heading}\r\n");
    }

    fn line(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.0, "{name}:{value}\r\n");
    }

    /// A number of bytes, and again as people read it.
    fn bytes(&mut self, name: &str, bytes: u64) {
        self.line(name, bytes);
        self.line(&format!("{name}_human"), human(bytes));
    }

    fn zeros(&mut self, names: &[&str]) {
        for name in names {
            self.line(name, 0);
        }
    }
}

/// A number of bytes as people read it.
#[expect(clippy::cast_precision_loss, reason = "two decimals are told")]
fn human(bytes: u64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let unit = units.into_iter().find(|(shift, _)| bytes >> shift > 0);
    unit.map_or_else(
        || format!("{bytes}B"),
        |(shift, unit)| format!("{:.2}{unit}", bytes as f64 / (1_u64 << shift) as f64),
    )
}

/// How much a part is of a whole.
#[expect(clippy::cast_precision_loss, reason = "two decimals are told")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn server(call: &Call<'_>, text: &mut Text) -> Result<()> {
    let now = call.door.store.now();
    let uptime = now.saturating_since(call.door.started).as_secs();
    let executable = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    text.line("redis_version", REDIS_VERSION);
    text.line("larder_version", env!("CARGO_PKG_VERSION"));
    text.line("redis_git_sha1", "00000000");
    text.line("redis_git_dirty", 0);
    text.line("redis_build_id", env!("CARGO_PKG_VERSION"));
    text.line("redis_mode", "standalone");
    text.line("os", process::name());
    text.line("arch_bits", usize::BITS);
    text.line("process_id", std::process::id());
    text.line("process_supervised", "no");
    text.line("run_id", &call.door.run_id);
    text.line("tcp_port", call.door.shared.address.socket_addr().map_or(0, |address| address.port()));
    text.line("server_time_usec", now.as_micros());
    text.line("uptime_in_seconds", uptime);
    text.line("uptime_in_days", uptime / 86_400);
    text.line("hz", HZ);
    text.line("configured_hz", HZ);
    text.line("lru_clock", now.as_seconds() & 0x00ff_ffff);
    text.line("executable", executable);
    text.line("config_file", "");
    text.line("io_threads_active", 0);
    text.line("listener0", listener(call.door));
    Ok(())
}

/// Where the door listens, as Redis shows its listeners.
fn listener(door: &Door) -> String {
    match (door.shared.address.socket_addr(), door.shared.address.path()) {
        (Some(address), _) => {
            let name = if door.is_encrypted { "tls" } else { "tcp" };
            format!("name={name},bind={},port={}", address.ip(), address.port())
        }
        (None, path) => format!("name=unix,bind={}", path.map(|path| path.display().to_string()).unwrap_or_default()),
    }
}

fn clients(call: &Call<'_>, text: &mut Text) -> Result<()> {
    text.line("connected_clients", call.door.clients.len());
    text.line("cluster_connections", 0);
    text.line("maxclients", call.door.parameters.clients_max());
    text.line("blocked_clients", call.door.blocked.borrow().len());
    text.zeros(&["tracking_clients"]);
    Ok(())
}

/// What the interpreter of scripts takes: one for scripts and functions.
#[cfg(feature = "lua")]
fn scripts(call: &Call<'_>, text: &mut Text) {
    let usage = call.door.scripting.get().map(Scripting::usage).unwrap_or_default();
    text.line("used_memory_vm_eval", usage.bytes);
    text.bytes("used_memory_lua", usage.bytes as u64);
    text.line("used_memory_scripts_eval", usage.scripts_bytes);
    text.line("number_of_cached_scripts", usage.scripts);
    text.line("number_of_functions", usage.functions);
    text.line("number_of_libraries", usage.libraries);
    text.line("used_memory_vm_functions", usage.bytes);
    text.bytes("used_memory_vm_total", usage.bytes as u64);
}

#[cfg(not(feature = "lua"))]
fn scripts(_: &Call<'_>, _: &mut Text) {}

fn memory(call: &Call<'_>, text: &mut Text) -> Result<()> {
    let used = call.door.store.stats()?.bytes.unwrap_or(0);
    let (budget, policy) = call.door.store.memory_budget();
    let peak = &call.door.counters.peak_bytes;
    peak.set(peak.get().max(used));
    text.bytes("used_memory", used);
    if let Some(resident) = process::resident_bytes() {
        text.bytes("used_memory_rss", resident);
        text.line("mem_fragmentation_ratio", format_args!("{:.2}", ratio(resident, used)));
        text.line("mem_fragmentation_bytes", resident.saturating_sub(used));
    }
    text.bytes("used_memory_peak", peak.get());
    text.line("used_memory_peak_perc", format_args!("{:.2}%", ratio(used, peak.get()) * 100.0));
    text.zeros(&["used_memory_overhead", "used_memory_startup"]);
    text.line("used_memory_dataset", used);
    text.line("used_memory_dataset_perc", "100.00%");
    if let Some(total) = process::memory_bytes() {
        text.bytes("total_system_memory", total);
    }
    scripts(call, text);
    text.bytes("maxmemory", budget.unwrap_or(0));
    text.line("maxmemory_policy", policy.name());
    text.zeros(&["mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers"]);
    text.line("mem_clients_normal", call.door.clients.bytes());
    text.zeros(&["mem_clients_slaves", "mem_cluster_links", "mem_aof_buffer"]);
    text.line("mem_allocator", "libc");
    text.zeros(&["active_defrag_running", "lazyfree_pending_objects"]);
    text.line("lazyfreed_objects", call.door.counters.lazily_freed.get());
    Ok(())
}

fn persistence(call: &Call<'_>, text: &mut Text) -> Result<()> {
    let (stats, saves) = (call.door.store.stats()?, &call.door.saves);
    let outcome = if saves.has_failed() { "err" } else { "ok" };
    text.zeros(&["loading", "async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    text.line("current_fork_perc", "0.00");
    text.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    text.line("rdb_changes_since_last_save", saves.changes_since(&call.door.store) + call.transaction.changes());
    text.line("rdb_bgsave_in_progress", u8::from(saves.is_running()));
    text.line("rdb_last_save_time", saves.last().as_seconds());
    text.line("rdb_last_bgsave_status", outcome);
    text.line("rdb_last_bgsave_time_sec", -1);
    text.line("rdb_current_bgsave_time_sec", -1);
    text.line("rdb_saves", saves.count());
    text.zeros(&["rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded"]);
    text.line("aof_enabled", u8::from(stats.disk_bytes > 0));
    text.zeros(&["aof_rewrite_in_progress", "aof_rewrite_scheduled"]);
    text.line("aof_last_rewrite_time_sec", -1);
    text.line("aof_current_rewrite_time_sec", -1);
    text.line("aof_last_bgrewrite_status", outcome);
    text.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    text.line("aof_last_write_status", if call.door.store.failure().is_some() { "err" } else { "ok" });
    text.zeros(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
    if stats.disk_bytes > 0 {
        text.line("aof_current_size", stats.log_bytes);
        text.line("aof_base_size", stats.checkpoint_bytes);
    }
    text.line("larder_commit", stats.commit);
    text.line("larder_disk_bytes", stats.disk_bytes);
    text.line("larder_syncs", stats.syncs);
    Ok(())
}

fn stats(call: &Call<'_>, text: &mut Text) -> Result<()> {
    let (door, counters) = (call.door, &call.door.counters);
    let (counted, before) = (door.counted(), counters.before.get());
    let metrics = counted.metrics.since(before.metrics);
    let Rates { requests, read_bytes, written_bytes } =
        door.samples.rates(door.store.now().saturating_since(door.started), counted.metrics);
    let keys = door.store.key_stats();
    text.line("total_connections_received", metrics.connections);
    text.line("total_commands_processed", metrics.requests);
    text.line("instantaneous_ops_per_sec", format_args!("{requests:.0}"));
    text.line("total_net_input_bytes", metrics.read_bytes);
    text.line("total_net_output_bytes", metrics.written_bytes);
    text.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    text.line("instantaneous_input_kbps", format_args!("{:.2}", read_bytes / KILOBYTE));
    text.line("instantaneous_output_kbps", format_args!("{:.2}", written_bytes / KILOBYTE));
    text.line("instantaneous_input_repl_kbps", "0.00");
    text.line("instantaneous_output_repl_kbps", "0.00");
    text.line("rejected_connections", counted.rejected.saturating_sub(before.rejected));
    text.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    text.line("expired_keys", keys.expired);
    text.line("expired_stale_perc", "0.00");
    text.zeros(&["expired_time_cap_reached_count"]);
    text.line("evicted_keys", keys.evicted);
    text.line("evicted_clients", counted.evicted.saturating_sub(before.evicted));
    text.zeros(&["total_eviction_exceeded_time", "current_eviction_exceeded_time"]);
    text.line("keyspace_hits", counters.hits.get());
    text.line("keyspace_misses", counters.misses.get());
    text.line("pubsub_channels", door.store.subscriptions().channels("*").len());
    text.line("pubsub_patterns", door.store.subscriptions().patterns().len());
    text.line("pubsubshard_channels", door.store.subscriptions().sharded_channels("*").len());
    text.zeros(&["latest_fork_usec", "total_forks", "migrate_cached_sockets"]);
    text.zeros(&["slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses"]);
    text.zeros(&["active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time"]);
    text.zeros(&["current_active_defrag_time", "tracking_total_keys", "tracking_total_items"]);
    text.zeros(&["tracking_total_prefixes", "unexpected_error_replies"]);
    text.line("total_error_replies", metrics.errors);
    text.zeros(&["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    Ok(())
}

fn replication(call: &Call<'_>, text: &mut Text) -> Result<()> {
    text.line("role", "master");
    text.zeros(&["connected_slaves"]);
    text.line("master_failover_state", "no-failover");
    text.line("master_replid", &call.door.run_id);
    text.line("master_replid2", "0".repeat(call.door.run_id.len()));
    text.zeros(&["master_repl_offset"]);
    text.line("second_repl_offset", -1);
    text.zeros(&["repl_backlog_active"]);
    text.line("repl_backlog_size", REPLICATION_BACKLOG_BYTES);
    text.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
    Ok(())
}

fn processors(_call: &Call<'_>, text: &mut Text) -> Result<()> {
    let mut line = |name, seconds| text.line(name, format_args!("{seconds:.6}"));
    if let Some(time) = process::processor_time() {
        line("used_cpu_sys", time.system);
        line("used_cpu_user", time.user);
        line("used_cpu_sys_children", time.system_of_children);
        line("used_cpu_user_children", time.user_of_children);
    }
    // The door's thread runs all commands.
    if let Some(time) = process::processor_time_of_thread() {
        line("used_cpu_sys_main_thread", time.system);
        line("used_cpu_user_main_thread", time.user);
    }
    Ok(())
}

fn commands(call: &Call<'_>, text: &mut Text) -> Result<()> {
    for (name, line) in call.door.calls.tally.lines() {
        text.line(
            &format!("cmdstat_{name}"),
            format_args!(
                "calls={},usec={},usec_per_call={:.2},rejected_calls={},failed_calls={}",
                line.calls(),
                line.micros(),
                line.micros_per_call(),
                line.rejected(),
                line.failed()
            ),
        );
    }
    Ok(())
}

fn errors(call: &Call<'_>, text: &mut Text) -> Result<()> {
    for (code, count) in call.door.calls.tally.errors() {
        text.line(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
    Ok(())
}

fn latencies(call: &Call<'_>, text: &mut Text) -> Result<()> {
    if !call.door.parameters.tracks_latency() {
        return Ok(());
    }
    let wanted = call.door.parameters.percentiles();
    let percents: Vec<_> =
        wanted.split_ascii_whitespace().filter_map(|word| Some((word, word.parse().ok()?))).collect();
    for (name, line) in call.door.calls.tally.lines() {
        let told = percents.iter().filter_map(|(word, percent)| Some((word, line.percentile(*percent)?)));
        let told: Vec<_> = told.map(|(word, micros)| format!("p{word}={micros:.3}")).collect();
        if !told.is_empty() {
            text.line(&format!("latency_percentiles_usec_{name}"), told.join(","));
        }
    }
    Ok(())
}

fn cluster(_call: &Call<'_>, text: &mut Text) -> Result<()> {
    text.zeros(&["cluster_enabled"]);
    Ok(())
}

fn keyspace(call: &Call<'_>, text: &mut Text) -> Result<()> {
    for database in 0..DATABASES.len() {
        let kv = call.kv_at(database);
        let keys = kv.len()?;
        if keys > 0 {
            let (expires, left) = kv.deadlines()?;
            text.line(
                &format!("db{database}"),
                format_args!("keys={keys},expires={expires},avg_ttl={}", left.as_millis()),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_to_people() {
        for (bytes, text) in [(0, "0B"), (1_023, "1023B"), (1_536, "1.50K"), (3 << 20, "3.00M"), (5 << 40, "5.00T")] {
            assert_eq!(human(bytes), text);
        }
    }
}
