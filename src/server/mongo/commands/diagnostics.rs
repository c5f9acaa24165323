//! What drivers, shells and tools ask of a server before they work with it.

use std::sync::atomic::Ordering;

use bson::{DateTime, RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::limits;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::every;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};
use crate::server::mongo::topology::SET_NAME;

/// The version whose commands these are.
pub(in crate::server::mongo) const VERSION: &str = "7.0.16";

const FEATURE_VERSION: &str = "7.0";

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "buildInfo",
        aliases: &["buildinfo"],
        flags: Flags::OPEN,
        fields: &[],
        help: "The version of the server.",
        run: |_| Ok(build_info()),
    },
    Command {
        name: "connectionStatus",
        aliases: &[],
        flags: Flags::OPEN,
        fields: &[Field::any("showPrivileges")],
        help: "As whom the client has logged in.",
        run: |call| Ok(connection_status(call)),
    },
    Command {
        name: "getCmdLineOpts",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[],
        help: "The options with which the server was started.",
        run: |call| {
            let parsed = if call.door.topology.is_standalone() {
                rawdoc! { "net": {} }
            } else {
                rawdoc! { "net": {}, "replication": { "replSet": SET_NAME } }
            };
            Ok(rawdoc! { "argv": ["larder"], "parsed": parsed })
        },
    },
    Command {
        name: "getFreeMonitoringStatus",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[],
        help: "There is no monitoring elsewhere.",
        run: |_| Ok(rawdoc! { "state": "undecided" }),
    },
    Command {
        name: "getLog",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[],
        help: "Lines of a log that the server keeps for clients; they are empty.",
        run: get_log,
    },
    Command {
        name: "getParameter",
        aliases: &[],
        flags: Flags::ADMIN.union(Flags::TAKES_ANYTHING),
        fields: &[],
        help: "Parameters of the server.",
        run: get_parameter,
    },
    Command {
        name: "hostInfo",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[],
        help: "The machine.",
        run: |call| Ok(host_info(call)),
    },
    Command {
        name: "listCommands",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[],
        help: "All commands.",
        run: |call| Ok(list_commands(call)),
    },
    Command {
        name: "replSetGetStatus",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[Field::any("initialSync")],
        help: "The members of the replica set.",
        run: replica_set_status,
    },
    Command {
        name: "serverStatus",
        aliases: &[],
        flags: Flags::TAKES_ANYTHING,
        fields: &[],
        help: "Counts of what the server has done.",
        run: |call| Ok(server_status(call)),
    },
    Command {
        name: "configureFailPoint",
        aliases: &[],
        flags: Flags::ADMIN.union(Flags::TEST),
        fields: &[Field::any("mode"), Field::new("data", Types::OBJECT)],
        help: "Has commands fail.",
        run: configure_fail_point,
    },
];

fn build_info() -> RawDocumentBuf {
    let parts = VERSION.split('.').filter_map(|part| part.parse::<i32>().ok()).chain(std::iter::once(0));
    rawdoc! {
        "version": VERSION,
        "gitVersion": format!("larder {}", env!("CARGO_PKG_VERSION")),
        "modules": RawArrayBuf::new(),
        "allocator": "system",
        "javascriptEngine": "none",
        "sysInfo": "deprecated",
        "versionArray": parts.collect::<RawArrayBuf>(),
        "bits": 64,
        "debug": cfg!(debug_assertions),
        "maxBsonObjectSize": i32::try_from(limits::DOCUMENT_BYTES_MAX).unwrap_or(i32::MAX),
        "storageEngines": ["larder"],
    }
}

fn connection_status(call: &Call<'_>) -> RawDocumentBuf {
    let mut users = RawArrayBuf::new();
    if let Some(user) = call.client.user() {
        users.push(rawdoc! { "user": user, "db": "admin" });
    }
    let mut info = rawdoc! { "authenticatedUsers": users, "authenticatedUserRoles": RawArrayBuf::new() };
    if call.arguments.truth("showPrivileges") == Some(true) {
        info.append(bson::raw::cstr!("authenticatedUserPrivileges"), RawArrayBuf::new());
    }
    rawdoc! { "authInfo": info }
}

fn get_log(call: &Call<'_>) -> Result<RawDocumentBuf> {
    match call.arguments.first() {
        RawBsonRef::String("*") => Ok(rawdoc! { "names": ["global", "startupWarnings"] }),
        RawBsonRef::String("global" | "startupWarnings") => {
            Ok(rawdoc! { "totalLinesWritten": 0, "log": RawArrayBuf::new() })
        }
        RawBsonRef::String(other) => Err(Failure::new(code::INTERNAL_ERROR, format!("No log named '{other}'"))),
        _ => Err(Failure::new(code::TYPE_MISMATCH, "Argument to getLog must be of type String")),
    }
}

fn get_parameter(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let is_for_tests = call.door.fail_points.is_some();
    let known = rawdoc! {
        "authenticationMechanisms": ["SCRAM-SHA-256"],
        "enableTestCommands": is_for_tests,
        "featureCompatibilityVersion": { "version": FEATURE_VERSION },
        "internalQueryMaxBlockingSortMemoryUsageBytes": i64::try_from(limits::SORT_BYTES_MAX).unwrap_or(i64::MAX),
        "logicalSessionRefreshMillis": 300_000,
        "transactionLifetimeLimitSeconds": 60,
    };
    if call.arguments.first().as_str() == Some("*") {
        return Ok(known);
    }
    let mut found = RawDocumentBuf::new();
    let asked: Vec<_> = call.body.iter().skip(1).flatten().map(|(name, _)| name).collect();
    for (name, value) in known.iter().flatten() {
        if asked.contains(&name) {
            found.append(name, value);
        }
    }
    if found.is_empty() {
        return Err(Failure::new(code::INVALID_OPTIONS, "no option found to get"));
    }
    Ok(found)
}

fn host_info(call: &Call<'_>) -> RawDocumentBuf {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    rawdoc! {
        "system": {
            "currentTime": DateTime::from_millis(call.door.now().as_millis()),
            "hostname": call.client.reached.as_str(),
            "cpuAddrSize": 64,
            "numCores": i32::try_from(cores).unwrap_or(i32::MAX),
            "cpuArch": std::env::consts::ARCH,
        },
        "os": { "type": std::env::consts::OS, "name": std::env::consts::OS, "version": "" },
        "extra": {},
    }
}

fn list_commands(call: &Call<'_>) -> RawDocumentBuf {
    let is_for_tests = call.door.fail_points.is_some();
    let mut commands = RawDocumentBuf::new();
    for command in every().filter(|command| is_for_tests || !command.flags.contains(Flags::TEST)) {
        let of = |flag: Flags| command.flags.contains(flag);
        let about = rawdoc! {
            "help": command.help,
            "requiresAuth": !of(Flags::OPEN),
            "secondaryOk": !of(Flags::WRITES),
            "adminOnly": of(Flags::ADMIN),
        };
        if let Ok(name) = bson::raw::CString::try_from(command.name) {
            commands.append(name, about);
        }
    }
    rawdoc! { "commands": commands }
}

fn replica_set_status(call: &Call<'_>) -> Result<RawDocumentBuf> {
    const NO_REPLICATION_ENABLED: i32 = 76;
    let topology = &call.door.topology;
    if topology.is_standalone() {
        return Err(Failure::new(NO_REPLICATION_ENABLED, "not running with --replSet"));
    }
    let now = DateTime::from_millis(call.door.now().as_millis());
    let time = rawdoc! { "ts": topology.time(), "t": 1_i64 };
    let uptime = i32::try_from(call.door.opened.elapsed().as_secs()).unwrap_or(i32::MAX);
    Ok(rawdoc! {
        "set": SET_NAME,
        "date": now,
        "myState": 1,
        "term": 1_i64,
        "heartbeatIntervalMillis": 2_000_i64,
        "majorityVoteCount": 1,
        "writeMajorityCount": 1,
        "votingMembersCount": 1,
        "writableVotingMembersCount": 1,
        "optimes": { "lastCommittedOpTime": time.clone(), "appliedOpTime": time.clone(), "durableOpTime": time.clone() },
        "members": [{
            "_id": 0,
            "name": call.client.reached.as_str(),
            "health": 1.0,
            "state": 1,
            "stateStr": "PRIMARY",
            "uptime": uptime,
            "optime": time,
            "optimeDate": now,
            "configVersion": 1,
            "configTerm": 1,
            "self": true,
        }],
    })
}

fn server_status(call: &Call<'_>) -> RawDocumentBuf {
    let (door, counts) = (call.door, &call.door.counts);
    let count = |of: &std::sync::atomic::AtomicU64| i64::try_from(of.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
    let uptime = door.opened.elapsed();
    let open = i64::try_from(door.cursors.len()).unwrap_or(i64::MAX);
    let sessions = i32::try_from(door.sessions.len()).unwrap_or(i32::MAX);
    rawdoc! {
        "host": call.client.reached.as_str(),
        "version": VERSION,
        "process": "larder",
        "pid": i64::from(std::process::id()),
        "uptime": uptime.as_secs_f64().floor(),
        "uptimeMillis": i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX),
        "connections": {
            "current": i64::try_from(door.connected.load(Ordering::Relaxed)).unwrap_or(i64::MAX),
            "active": i64::try_from(door.operations.all().len()).unwrap_or(i64::MAX),
        },
        "mem": { "bits": 64 },
        "localTime": DateTime::from_millis(door.now().as_millis()),
        "metrics": { "cursor": { "open": { "total": open } } },
        "logicalSessionRecordCache": { "activeSessionsCount": sessions },
        "opcounters": {
            "insert": count(&counts.insert),
            "query": count(&counts.query),
            "update": count(&counts.update),
            "delete": count(&counts.delete),
            "getmore": count(&counts.getmore),
            "command": count(&counts.command),
        },
        "storageEngine": { "name": "larder", "supportsCommittedReads": true, "readOnly": door.store.failure().is_some() },
    }
}

fn configure_fail_point(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let Some(points) = &call.door.fail_points else {
        return Err(Failure::new(code::COMMAND_NOT_FOUND, "no such command: 'configureFailPoint'"));
    };
    match call.arguments.first() {
        RawBsonRef::String("failCommand") => {
            let entered = points.set(call.arguments.get("mode"), call.arguments.document("data"))?;
            Ok(rawdoc! { "count": entered })
        }
        RawBsonRef::String("maxTimeAlwaysTimeOut") => {
            points.set_time_out(call.arguments.get("mode"))?;
            Ok(rawdoc! { "count": 0 })
        }
        RawBsonRef::String("onPrimaryTransactionalWrite") => {
            points.set_write(call.arguments.get("mode"), call.arguments.document("data"))?;
            Ok(rawdoc! { "count": 0 })
        }
        other => {
            let name = other.as_str().unwrap_or_default();
            let known = "failCommand, maxTimeAlwaysTimeOut and onPrimaryTransactionalWrite are";
            let message = format!("the fail point {name:?} is not supported, {known}");
            Err(Failure::new(code::BAD_VALUE, message))
        }
    }
}
