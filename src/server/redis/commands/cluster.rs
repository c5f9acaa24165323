//! Clusters, replication and modules, none of which there are: what redis-server says when it stands alone.

use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, container, help, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("asking", no_cluster),
    container("cluster", CLUSTER),
    command("failover", fail_over),
    container("module", MODULE),
    command("psync", no_replicas),
    command("readonly", no_cluster),
    command("readwrite", no_cluster),
    command("replconf", no_replicas),
    command("replicaof", replica_of),
    command("role", role),
    command("slaveof", replica_of),
    command("sync", no_replicas),
];

const CLUSTER: &[Handler] = &[
    command("addslots", no_cluster),
    command("addslotsrange", no_cluster),
    command("bumpepoch", no_cluster),
    command("count-failure-reports", no_cluster),
    command("countkeysinslot", no_cluster),
    command("delslots", no_cluster),
    command("delslotsrange", no_cluster),
    command("failover", no_cluster),
    command("flushslots", no_cluster),
    command("forget", no_cluster),
    command("getkeysinslot", no_cluster),
    command("help", no_cluster),
    command("info", no_cluster),
    command("keyslot", no_cluster),
    command("links", no_cluster),
    command("meet", no_cluster),
    command("myid", no_cluster),
    command("myshardid", no_cluster),
    command("nodes", no_cluster),
    command("replicas", no_cluster),
    command("replicate", no_cluster),
    command("reset", no_cluster),
    command("saveconfig", no_cluster),
    command("set-config-epoch", no_cluster),
    command("setslot", no_cluster),
    command("shards", no_cluster),
    command("slaves", no_cluster),
    command("slots", no_cluster),
];

const MODULE: &[Handler] = &[
    command("help", help),
    command("list", modules),
    command("load", no_module),
    command("loadex", no_module),
    command("unload", no_module),
];

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
