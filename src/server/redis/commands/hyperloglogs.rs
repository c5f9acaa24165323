//! `HyperLogLog`s.

use crate::error::{Error, InvalidKind};
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command};

pub(super) const COMMANDS: &[Handler] = &[
    command("pfadd", pfadd),
    command("pfcount", pfcount),
    command("pfdebug", pfdebug),
    command("pfmerge", pfmerge),
    command("pfselftest", pfselftest),
];

fn pfadd(call: &mut Call<'_>) -> Outcome {
    let changed = call.kv().hyperloglog(call.word(1)).add(call.rest(2)).map_err(refusal)?;
    call.reply.flag(changed);
    Ok(())
}

/// Of one key the count is kept in the value, as Redis keeps it.
fn pfcount(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    let count = match call.rest(1) {
        [key] => kv.hyperloglog(key).count_and_keep().map_err(refusal)?,
        keys => kv.hyperloglog_count(keys).map_err(refusal)?,
    };
    call.reply.count(count);
    Ok(())
}

fn pfmerge(call: &mut Call<'_>) -> Outcome {
    call.kv().hyperloglog(call.word(1)).merge_from(call.rest(2)).map_err(refusal)?;
    call.reply.ok();
    Ok(())
}

/// A string that is no `HyperLogLog`, and one that only begins as such, have codes of their own.
fn refusal(error: Error) -> Refusal {
    match error {
        Error::Invalid { kind: InvalidKind::Type, message, .. } => format!("WRONGTYPE {message}").into(),
        Error::Invalid { kind: InvalidKind::Serialization, message, .. } => format!("INVALIDOBJ {message}").into(),
        error => error.into(),
    }
}

fn pfdebug(_call: &mut Call<'_>) -> Outcome {
    Err("ERR not supported: PFDEBUG".into())
}

fn pfselftest(_call: &mut Call<'_>) -> Outcome {
    Err("ERR not supported: PFSELFTEST".into())
}
