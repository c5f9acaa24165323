//! Transactions of a client's: commands that are run together, if nothing that was watched has changed.

use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command};
use crate::server::redis::run::execute;
use crate::server::redis::state::session::Queue;

pub(super) const COMMANDS: &[Handler] = &[
    command("discard", discard),
    command("exec", exec),
    command("multi", multi),
    command("unwatch", unwatch),
    command("watch", watch),
];

fn multi(call: &mut Call<'_>) -> Outcome {
    if call.session.queue.is_some() {
        return Err("ERR MULTI calls can not be nested".into());
    }
    call.session.queue = Some(Queue::default());
    call.reply.ok();
    Ok(())
}

fn discard(call: &mut Call<'_>) -> Outcome {
    if call.session.queue.take().is_none() {
        return Err("ERR DISCARD without MULTI".into());
    }
    call.session.watched.clear();
    call.reply.ok();
    Ok(())
}

fn exec(call: &mut Call<'_>) -> Outcome {
    let Some(queue) = call.session.queue.take() else { return Err("ERR EXEC without MULTI".into()) };
    let watched = std::mem::take(&mut call.session.watched);
    if queue.is_spoilt {
        return Err("EXECABORT Transaction discarded because of previous errors.".into());
    }
    let commands = queue.commands.iter().filter_map(|words| call.door.registry.find(words));
    if commands.into_iter().any(|command| execute::needs_room(call.door, command.spec))
        && let Err(error) = call.kv().make_room()
    {
        let refusal = Refusal::from(error).text();
        return Err(format!("EXECABORT Transaction discarded because of: {refusal}").into());
    }
    for watch in &watched {
        // What has expired has changed, too (SEM: KV-TX-3).
        if !call.transaction.is_unchanged(watch)? {
            call.reply.nil_array();
            return Ok(());
        }
    }
    execute::run_all(call.transaction, call.door, call.session, &queue.commands, call.reply);
    Ok(())
}

fn watch(call: &mut Call<'_>) -> Outcome {
    if call.session.queue.is_some() {
        return Err("ERR WATCH inside MULTI is not allowed".into());
    }
    let (kv, mut watch) = (call.kv(), call.transaction.watch()?);
    for key in call.rest(1) {
        watch.add_in(&kv, key)?;
    }
    call.session.watched.push(watch);
    call.reply.ok();
    Ok(())
}

fn unwatch(call: &mut Call<'_>) -> Outcome {
    call.session.watched.clear();
    call.reply.ok();
    Ok(())
}
