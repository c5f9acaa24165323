//! What administrators ask of a server beside its data: that all is on the disk, what is profiled, who may log in.
//!
//! # Source
//! MongoDB manual, `fsync`, `profile`, `usersInfo`.

use std::sync::Arc;

use bson::raw::RawArrayBuf;
use bson::{RawBsonRef, RawDocumentBuf, rawdoc};

use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, integer_of};
use crate::server::users::{DEFAULT, Everything, User};

/// The database of all users.
const USERS_DATABASE: &str = "admin";

/// From how many milliseconds on the original calls an operation slow, unless it is told otherwise.
const SLOW_MILLIS: i32 = 100;

const PROFILE: &[Field] =
    &[Field::new("slowms", Types::NUMBER), Field::new("sampleRate", Types::NUMBER), Field::any("filter")];

const USERS_INFO: &[Field] = &[
    Field::new("showCredentials", Types::BOOL),
    Field::new("showCustomData", Types::BOOL),
    Field::new("showPrivileges", Types::BOOL),
    Field::new("showAuthenticationRestrictions", Types::BOOL),
    Field::new("filter", Types::OBJECT),
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "fsync",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[Field::new("lock", Types::TRUTH), Field::new("fsyncLockAcquisitionTimeoutMillis", Types::NUMBER)],
        help: "Makes everything that was written survive a loss of power.",
        run: fsync,
    },
    Command {
        name: "profile",
        aliases: &[],
        flags: Flags::empty(),
        fields: PROFILE,
        help: "Which operations are profiled: none.",
        run: profile,
    },
    Command {
        name: "usersInfo",
        aliases: &[],
        flags: Flags::empty(),
        fields: USERS_INFO,
        help: "Who may log in.",
        run: users_info,
    },
];

fn fsync(call: &Call<'_>) -> Result<RawDocumentBuf> {
    if call.arguments.truth("lock") == Some(true) {
        return Err(Failure::new(code::NOT_IMPLEMENTED, "fsync that locks the server is not supported"));
    }
    call.door.store.sync()?;
    Ok(rawdoc! { "numFiles": 1 })
}

fn profile(call: &Call<'_>) -> Result<RawDocumentBuf> {
    call.refuse(&["slowms", "sampleRate", "filter"])?;
    match integer_of(call.arguments.first()) {
        Some(-1 | 0) => Ok(rawdoc! { "was": 0, "slowms": SLOW_MILLIS, "sampleRate": 1.0 }),
        Some(1 | 2) => Err(Failure::new(code::NOT_IMPLEMENTED, "profiling operations is not supported")),
        _ => Err(Failure::new(code::BAD_VALUE, "the profiling level is -1, 0, 1 or 2")),
    }
}

/// Whom a request is about.
enum Asked<'a> {
    All,
    OfDatabase,
    /// Somebody of a database.
    One(&'a str, &'a str),
}

fn users_info(call: &Call<'_>) -> Result<RawDocumentBuf> {
    call.refuse(&["filter"])?;
    for option in ["showCredentials", "showPrivileges", "showAuthenticationRestrictions"] {
        if call.arguments.truth(option) == Some(true) {
            call.refuse(&[option])?;
        }
    }
    let asked = match call.arguments.first() {
        RawBsonRef::Array(list) => {
            let each = list.into_iter().map(|one| asked(call, one.ok()));
            each.collect::<Result<Vec<_>>>()?
        }
        one => vec![asked(call, Some(one))?],
    };
    let mut users = RawArrayBuf::new();
    for user in call.door.users.all() {
        let name = String::from_utf8_lossy(&user.name);
        let is_meant = |asked: &Asked<'_>| match asked {
            Asked::All => true,
            Asked::OfDatabase => call.database == USERS_DATABASE,
            Asked::One(wanted, database) => *wanted == name && *database == USERS_DATABASE,
        };
        if user.name != DEFAULT && asked.iter().any(is_meant) {
            users.push(about(&user, &name));
        }
    }
    Ok(rawdoc! { "users": users })
}

fn asked<'a>(call: &Call<'a>, value: Option<RawBsonRef<'a>>) -> Result<Asked<'a>> {
    let wrong = || Failure::new(code::BAD_VALUE, "User and role names must be either strings or objects");
    match value {
        Some(RawBsonRef::String(name)) => Ok(Asked::One(name, call.database)),
        Some(RawBsonRef::Document(of)) => {
            if of.get_bool("forAllDBs").is_ok_and(|all| all) {
                return Ok(Asked::All);
            }
            let part = |name| of.get_str(name).map_err(|_| wrong());
            Ok(Asked::One(part("user")?, part("db")?))
        }
        Some(number) if integer_of(number) == Some(1) => Ok(Asked::OfDatabase),
        _ => Err(wrong()),
    }
}

fn about(user: &Arc<User<Everything>>, name: &str) -> RawDocumentBuf {
    let mut mechanisms = RawArrayBuf::new();
    if !user.account().has_no_password {
        mechanisms.push("SCRAM-SHA-256");
    }
    rawdoc! {
        "_id": format!("{USERS_DATABASE}.{name}"),
        "user": name,
        "db": USERS_DATABASE,
        "roles": [{ "role": "root", "db": USERS_DATABASE }],
        "mechanisms": mechanisms,
    }
}
