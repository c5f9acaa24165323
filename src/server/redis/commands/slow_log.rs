//! Commands that took long.

use crate::server::redis::run::command::{Call, Handler, Outcome, command, container, help, integer, unknown_option};

pub(super) const COMMANDS: &[Handler] = &[container("slowlog", SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] =
    &[command("get", get), command("help", help), command("len", len), command("reset", reset)];

/// Entries that `SLOWLOG GET` returns by default.
const SHOWN: usize = 10;

fn get(call: &mut Call<'_>) -> Outcome {
    let shown = match call.rest(2) {
        [] => SHOWN,
        [count] => match integer(count) {
            Some(-1) => usize::MAX,
            Some(count @ 0..) => usize::try_from(count).unwrap_or(usize::MAX),
            _ => return Err("ERR count should be greater than or equal to -1".into()),
        },
        _ => return Err(unknown_option(call)),
    };
    let log = call.door.slow_log.borrow();
    call.reply.array(log.len().min(shown));
    for entry in log.entries().take(shown) {
        call.reply.array(6);
        call.reply.count(entry.id);
        call.reply.integer(entry.at.as_seconds());
        call.reply.count(u64::try_from(entry.time.as_micros()).unwrap_or(u64::MAX));
        call.reply.bulks(&entry.request.words);
        call.reply.bulk(&entry.request.address);
        call.reply.bulk(&entry.request.name);
    }
    Ok(())
}

fn len(call: &mut Call<'_>) -> Outcome {
    let len = call.door.slow_log.borrow().len();
    call.reply.count(len as u64);
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Outcome {
    call.door.slow_log.borrow_mut().clear();
    call.reply.ok();
    Ok(())
}
