//! Transactions of a client's: commands that are run together, if nothing that was watched has changed.

use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command};
use crate::server::redis::run::execute;
use crate::server::redis::state::session::{Queue, Watched};

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
    for watched in &watched {
        if !is_as_it_was(call, watched)? {
            call.reply.nil_array();
            return Ok(());
        }
    }
    execute::run_all(call.transaction, call.door, call.session, &queue.commands, call.reply);
    Ok(())
}

/// Whether nothing that is watched was changed, nor has expired (SEM: KV-TX-3).
fn is_as_it_was(call: &Call<'_>, watched: &Watched) -> Result<bool, crate::error::Error> {
    if !call.transaction.is_unchanged(&watched.watch)? {
        return Ok(false);
    }
    let is_in_place = call.transaction.is_in_place(&watched.watch)?;
    for (database, key, was_there) in &watched.keys {
        let is_there = call.kv_at(*database).exists(key)?;
        // Of a database that was emptied, only a key that was not there and still is not is the same.
        if is_there != *was_there || (is_there && !is_in_place) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn watch(call: &mut Call<'_>) -> Outcome {
    if call.session.queue.is_some() {
        return Err("ERR WATCH inside MULTI is not allowed".into());
    }
    let (kv, database) = (call.kv(), call.session.database);
    let mut watched = Watched { watch: call.door.store.watch()?, keys: Vec::new() };
    for key in call.rest(1) {
        watched.watch.add(kv.watched(key)?);
        watched.keys.push((database, key.to_vec(), kv.exists(key)?));
    }
    call.session.watched.push(watched);
    call.reply.ok();
    Ok(())
}

fn unwatch(call: &mut Call<'_>) -> Outcome {
    call.session.watched.clear();
    call.reply.ok();
    Ok(())
}
