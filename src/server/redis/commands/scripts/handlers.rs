//! The commands of scripts and functions.

use std::sync::Arc;

use crate::glob;
use crate::server::redis::commands::scripts::libraries;
use crate::server::redis::commands::scripts::run::{self, Program};
use crate::server::redis::lua::Scripting;
use crate::server::redis::lua::allowance::Allowance;
use crate::server::redis::lua::functions::{self, Libraries};
use crate::server::redis::lua::registered::Registered;
use crate::server::redis::lua::scripts::Script;
use crate::server::redis::lua::stats::write_stats;
use crate::server::redis::run::command::{Call, Outcome, Refusal, integer, is, unknown_option};

const NO_SCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";
const NOT_BUSY: &str = "NOTBUSY No scripts in execution right now.";

/// Words of a request.
type Words<'a> = &'a [&'a [u8]];

/// The interpreter of the door, and what it has compiled.
fn scripting_of<'a>(call: &Call<'a>) -> Result<&'a Scripting, Refusal> {
    if let Some(scripting) = call.door.scripting.get() {
        return Ok(scripting);
    }
    let made = Scripting::new(Allowance::default(), Arc::clone(&call.door.shared.is_closing));
    let made = made.map_err(|error| format!("ERR Lua cannot be started: {error}"))?;
    Ok(call.door.scripting.get_or_init(|| made))
}

/// The keys and the other arguments of a call, after their count.
fn keys_and_arguments<'a>(call: &Call<'a>, not_a_count: &str) -> Result<(Words<'a>, Words<'a>), Refusal> {
    let count = integer(call.word(2)).ok_or_else(|| Refusal::from(not_a_count))?;
    let rest = call.rest(3);
    let Ok(count) = usize::try_from(count) else { return Err("ERR Number of keys can't be negative".into()) };
    rest.split_at_checked(count).ok_or_else(|| "ERR Number of keys can't be greater than number of args".into())
}

/// Whether the command is the form of it that may not write.
fn is_read_only(call: &Call<'_>) -> bool {
    call.word(0).to_ascii_lowercase().ends_with(b"_ro")
}

pub(super) fn eval(call: &mut Call<'_>) -> Outcome {
    keys_and_arguments(call, "ERR value is not an integer or out of range")?;
    let scripting = scripting_of(call)?;
    let script = scripting.scripts.borrow_mut().load(&scripting.interpreter, call.word(1))?;
    run_script(scripting, call, &script)
}

pub(super) fn eval_sha(call: &mut Call<'_>) -> Outcome {
    let scripting = scripting_of(call)?;
    let script = scripting.scripts.borrow().get(call.word(1)).cloned().ok_or(NO_SCRIPT)?;
    run_script(scripting, call, &script)
}

fn run_script(scripting: &Scripting, call: &mut Call<'_>, script: &Script) -> Outcome {
    let (keys, arguments) = keys_and_arguments(call, "ERR value is not an integer or out of range")?;
    let program = Program {
        name: &script.sha,
        function: &script.function.get(&scripting.interpreter.lua).map_err(|error| format!("ERR {error}"))?,
        is_script: true,
        flags: script.flags,
        is_read_only: is_read_only(call),
        keys,
        arguments,
    };
    run::run(scripting, call, &program)
}

pub(super) fn call_function(call: &mut Call<'_>) -> Outcome {
    let scripting = scripting_of(call)?;
    let name = String::from_utf8_lossy(call.word(1)).into_owned();
    let function = with_libraries(call, |_, _, libraries| {
        functions::find(libraries, &name).cloned().ok_or_else(|| "ERR Function not found".into())
    })?;
    let (keys, arguments) = keys_and_arguments(call, "ERR Bad number of keys provided")?;
    let program = Program {
        name: &function.name,
        function: &function.callback.get(&scripting.interpreter.lua).map_err(|error| format!("ERR {error}"))?,
        is_script: false,
        flags: function.flags,
        is_read_only: is_read_only(call),
        keys,
        arguments,
    };
    let outcome = run::run(scripting, call, &program);
    scripting.forget_if_too_much();
    outcome
}

/// Hands `body` the libraries, read from the store if they were not.
fn with_libraries<'a, R>(
    call: &mut Call<'a>,
    body: impl FnOnce(&mut Call<'a>, &Scripting, &mut Libraries) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let scripting = scripting_of(call)?;
    let mut libraries = scripting.libraries.borrow_mut();
    let libraries = match &mut *libraries {
        Some(libraries) => libraries,
        empty => empty.insert(libraries::read(&scripting.interpreter, call)?),
    };
    body(call, scripting, libraries)
}

pub(super) fn script_load(call: &mut Call<'_>) -> Outcome {
    let scripting = scripting_of(call)?;
    let script = scripting.scripts.borrow_mut().load(&scripting.interpreter, call.word(2))?;
    call.reply.bulk(script.sha);
    Ok(())
}

pub(super) fn script_exists(call: &mut Call<'_>) -> Outcome {
    let scripting = scripting_of(call)?;
    let (scripts, shas) = (scripting.scripts.borrow(), call.rest(2));
    call.reply.array(shas.len());
    for sha in shas {
        call.reply.flag(scripts.get(sha).is_some());
    }
    Ok(())
}

pub(super) fn script_flush(call: &mut Call<'_>) -> Outcome {
    match call.rest(2) {
        [] => {}
        [word] if is(word, "sync") || is(word, "async") => {}
        _ => return Err("ERR SCRIPT FLUSH only support SYNC|ASYNC option".into()),
    }
    scripting_of(call)?.scripts.borrow_mut().clear();
    call.reply.ok();
    Ok(())
}

pub(super) fn script_debug(_: &mut Call<'_>) -> Outcome {
    Err("ERR not supported: SCRIPT DEBUG".into())
}

/// Ends what runs. While something does, the door replies by itself (`run/busy.rs`).
pub(super) fn kill(_: &mut Call<'_>) -> Outcome {
    Err(NOT_BUSY.into())
}

pub(super) fn function_delete(call: &mut Call<'_>) -> Outcome {
    let name = String::from_utf8_lossy(call.word(2)).into_owned();
    if !with_libraries(call, |call, _, libraries| libraries::remove(call, libraries, &name))? {
        return Err("ERR Library not found".into());
    }
    call.reply.ok();
    Ok(())
}

pub(super) fn function_dump(call: &mut Call<'_>) -> Outcome {
    let payload = with_libraries(call, |_, _, libraries| Ok(functions::dump(libraries)))?;
    call.reply.bulk(payload);
    Ok(())
}

pub(super) fn function_flush(call: &mut Call<'_>) -> Outcome {
    match call.rest(2) {
        [] => {}
        [word] if is(word, "sync") || is(word, "async") => {}
        [_, _, ..] => return Err(unknown_option(call)),
        _ => return Err("ERR FUNCTION FLUSH only supports SYNC|ASYNC option".into()),
    }
    with_libraries(call, |call, _, libraries| flush(call, libraries))?;
    call.reply.ok();
    Ok(())
}

fn flush(call: &Call<'_>, libraries: &mut Libraries) -> Outcome {
    let names: Vec<_> = libraries.keys().cloned().collect();
    names.iter().try_for_each(|name| libraries::remove(call, libraries, name).map(drop))
}

pub(super) fn function_load(call: &mut Call<'_>) -> Outcome {
    let Some((code, options)) = call.rest(2).split_last() else { return Err(unknown_option(call)) };
    if let Some(word) = options.iter().find(|word| !is(word, "replace")) {
        return Err(format!("ERR Unknown option given: {}", String::from_utf8_lossy(word)).into());
    }
    let replaces = !options.is_empty();
    let name = with_libraries(call, |call, scripting, libraries| {
        let (name, library) = functions::compile(&scripting.interpreter, code)?;
        if !replaces && libraries.contains_key(&name) {
            return Err(format!("ERR Library '{name}' already exists").into());
        }
        libraries::put(call, libraries, &name, library)?;
        Ok(name)
    })?;
    call.reply.bulk(name);
    Ok(())
}

/// Adds the libraries of a payload, or none.
pub(super) fn function_restore(call: &mut Call<'_>) -> Outcome {
    let payload = call.word(2);
    let (flushes, replaces) = match call.rest(3) {
        [] => (false, false),
        [word] if is(word, "append") => (false, false),
        [word] if is(word, "flush") => (true, false),
        [word] if is(word, "replace") => (false, true),
        [_] => return Err("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.".into()),
        _ => {
            return Err("ERR unknown subcommand or wrong number of arguments for 'RESTORE'. Try FUNCTION HELP.".into());
        }
    };
    let codes = functions::undump(payload).ok_or("ERR DUMP payload version or checksum are wrong")?;
    with_libraries(call, |call, scripting, libraries| {
        let mut added = Vec::new();
        for code in codes {
            let (name, library) = functions::compile(&scripting.interpreter, code)?;
            if !flushes && !replaces && libraries.contains_key(&name) {
                return Err(format!("ERR Library {name} already exists").into());
            }
            added.push((name, library));
        }
        let before = libraries.clone();
        if flushes {
            flush(call, libraries)?;
        }
        for (name, library) in added {
            if let Err(refusal) = libraries::put(call, libraries, &name, library) {
                flush(call, libraries)?;
                for (name, library) in before {
                    libraries::put(call, libraries, &name, library)?;
                }
                return Err(refusal);
            }
        }
        Ok(())
    })?;
    call.reply.ok();
    Ok(())
}

pub(super) fn function_list(call: &mut Call<'_>) -> Outcome {
    let mut options = call.rest(2);
    let (mut pattern, mut has_code) = (None, false);
    loop {
        options = match options {
            [] => break,
            [word, rest @ ..] if is(word, "withcode") && !has_code => {
                has_code = true;
                rest
            }
            [word, given, rest @ ..] if is(word, "libraryname") && pattern.is_none() => {
                pattern = Some(*given);
                rest
            }
            [word] if is(word, "libraryname") && pattern.is_none() => {
                return Err("ERR library name argument was not given".into());
            }
            [word, ..] => return Err(format!("ERR Unknown argument {}", String::from_utf8_lossy(word)).into()),
        };
    }
    with_libraries(call, |call, _, libraries| {
        let is_wanted = |name: &str| pattern.is_none_or(|pattern| glob::matches(pattern, name.as_bytes()));
        let found: Vec<_> = libraries.iter().filter(|(name, _)| is_wanted(name)).collect();
        call.reply.array(found.len());
        for (name, library) in found {
            call.reply.map(if has_code { 4 } else { 3 });
            call.reply.bulk("library_name");
            call.reply.bulk(name);
            call.reply.bulk("engine");
            call.reply.bulk("LUA");
            call.reply.bulk("functions");
            call.reply.array(library.functions.len());
            library.functions.iter().for_each(|function| describe(call, function));
            if has_code {
                call.reply.bulk("library_code");
                call.reply.bulk(&library.code);
            }
        }
        Ok(())
    })
}

fn describe(call: &mut Call<'_>, function: &Registered) {
    call.reply.map(3);
    call.reply.bulk("name");
    call.reply.bulk(&function.name);
    call.reply.bulk("description");
    call.reply.bulk_or_nil(function.description.as_ref());
    call.reply.bulk("flags");
    call.reply.set(function.flags.names().count());
    function.flags.names().for_each(|flag| call.reply.simple(flag));
}

pub(super) fn function_stats(call: &mut Call<'_>) -> Outcome {
    // They are read from the store if they were not.
    with_libraries(call, |_, _, _| Ok(()))?;
    write_stats(call.reply, call.door.script_usage(), None);
    Ok(())
}
