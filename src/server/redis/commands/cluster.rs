//! Clusters, replication and modules, none of which there are: what redis-server says when it stands alone.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, container, is};
use crate::server::redis::subcommand::{Subcommand, subcommand, write_help};

const ADMIN: Flags = Flags::ADMIN;
const FAST: Flags = Flags::FAST;

pub(super) const COMMANDS: &[Command] = &[
    command("asking", 1, FAST, Keys::NONE, "cluster", no_cluster),
    container("cluster", Flags::NONE, Keys::NONE, "cluster", CLUSTER),
    command("failover", -1, ADMIN, Keys::NONE, "server", fail_over),
    container("module", Flags::NONE, Keys::NONE, "server", MODULE),
    command("psync", -3, ADMIN.and(Flags::NO_MULTI), Keys::NONE, "server", no_replicas),
    command("readonly", 1, FAST, Keys::NONE, "cluster", no_cluster),
    command("readwrite", 1, FAST, Keys::NONE, "cluster", no_cluster),
    command("replconf", -1, ADMIN, Keys::NONE, "server", no_replicas),
    command("replicaof", 3, ADMIN, Keys::NONE, "server", replica_of),
    command("role", 1, FAST.and(Flags::NO_STORE), Keys::NONE, "server", role),
    command("slaveof", 3, ADMIN, Keys::NONE, "server", replica_of),
    command("sync", 1, ADMIN.and(Flags::NO_MULTI), Keys::NONE, "server", no_replicas),
];

const CLUSTER: &[Subcommand] = &[
    subcommand("addslots", -3, no_cluster),
    subcommand("addslotsrange", -4, no_cluster),
    subcommand("bumpepoch", 2, no_cluster),
    subcommand("count-failure-reports", 3, no_cluster),
    subcommand("countkeysinslot", 3, no_cluster),
    subcommand("delslots", -3, no_cluster),
    subcommand("delslotsrange", -4, no_cluster),
    subcommand("failover", -2, no_cluster),
    subcommand("flushslots", 2, no_cluster),
    subcommand("forget", 3, no_cluster),
    subcommand("getkeysinslot", 4, no_cluster),
    subcommand("help", 2, no_cluster),
    subcommand("info", 2, no_cluster),
    subcommand("keyslot", 3, no_cluster),
    subcommand("links", 2, no_cluster),
    subcommand("meet", -4, no_cluster),
    subcommand("myid", 2, no_cluster),
    subcommand("myshardid", 2, no_cluster),
    subcommand("nodes", 2, no_cluster),
    subcommand("replicas", 3, no_cluster),
    subcommand("replicate", 3, no_cluster),
    subcommand("reset", -2, no_cluster),
    subcommand("saveconfig", 2, no_cluster),
    subcommand("set-config-epoch", 3, no_cluster),
    subcommand("setslot", -4, no_cluster),
    subcommand("shards", 2, no_cluster),
    subcommand("slaves", 3, no_cluster),
    subcommand("slots", 2, no_cluster),
];

const MODULE: &[Subcommand] = &[
    subcommand("help", 2, module_help),
    subcommand("list", 2, modules),
    subcommand("load", -3, no_module),
    subcommand("loadex", -3, no_module),
    subcommand("unload", 3, no_module),
];

const MODULE_HELP: &[&str] = &[
    "MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "HELP",
    "    This text.",
    "LIST",
    "    Empty: there are no modules.",
    "LOAD, LOADEX, UNLOAD",
    "    Refused.",
];

fn module_help(call: &mut Call<'_>) -> Outcome {
    write_help(call, MODULE_HELP);
    Ok(())
}

fn modules(call: &mut Call<'_>) -> Outcome {
    call.reply.array(0);
    Ok(())
}

fn no_module(call: &mut Call<'_>) -> Outcome {
    Err(format!("ERR not supported: MODULE {}", String::from_utf8_lossy(call.word(1)).to_uppercase()).into())
}

fn no_cluster(_call: &mut Call<'_>) -> Outcome {
    Err("ERR This instance has cluster support disabled".into())
}

fn no_replicas(call: &mut Call<'_>) -> Outcome {
    Err(format!("ERR not supported: {}", String::from_utf8_lossy(call.word(0)).to_uppercase()).into())
}

fn fail_over(call: &mut Call<'_>) -> Outcome {
    if matches!(call.rest(1), [word] if is(word, "abort")) {
        return Err("ERR No failover in progress.".into());
    }
    Err("ERR FAILOVER requires connected replicas.".into())
}

fn role(call: &mut Call<'_>) -> Outcome {
    call.reply.array(3);
    call.reply.bulk("master");
    call.reply.integer(0);
    call.reply.array(0);
    Ok(())
}

/// It is a master, and stays one.
fn replica_of(call: &mut Call<'_>) -> Outcome {
    if is(call.word(1), "no") && is(call.word(2), "one") {
        call.reply.ok();
        return Ok(());
    }
    let port = call.integer(2).ok().filter(|port| (0..=65_535).contains(port));
    port.ok_or("ERR Invalid master port")?;
    Err::<(), Refusal>(format!("ERR not supported: {}", String::from_utf8_lossy(call.word(0)).to_uppercase()).into())
}
