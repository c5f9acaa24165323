//! Libraries of functions as the store keeps them.

use crate::limits;
use crate::server::redis::lua::functions::{Libraries, Library, compile};
use crate::server::redis::lua::interpreter::Interpreter;
use crate::server::redis::lua::registered::Registered;
use crate::server::redis::run::command::{Call, Refusal};

/// Where the libraries are: names with their code.
const KEYSPACE: &str = "larder.functions";

/// Reads the libraries of the store.
pub(super) fn read(interpreter: &Interpreter, call: &Call<'_>) -> Result<Libraries, Refusal> {
    let (kv, mut libraries) = (call.transaction.kv_named(KEYSPACE), Libraries::new());
    for (key, _) in kv.keys_after(None, limits::LIBRARIES_MAX)? {
        let code = kv.get(&key)?.unwrap_or_default();
        match compile(interpreter, &code) {
            Ok((name, library)) => drop(libraries.insert(name, library)),
            Err(error) => tracing::warn!(error, "a library of functions does not load"),
        }
    }
    Ok(libraries)
}

/// Adds a library, which has been compiled, in the place of one of its name.
pub(super) fn put(call: &Call<'_>, libraries: &mut Libraries, name: &str, library: Library) -> Result<(), Refusal> {
    check(libraries, name, &library)?;
    call.transaction.kv_named(KEYSPACE).set(name, &library.code)?;
    libraries.insert(name.to_owned(), library);
    Ok(())
}

/// Refuses a library with a function that another one has, and one too many.
fn check(libraries: &Libraries, name: &str, library: &Library) -> Result<(), Refusal> {
    if !libraries.contains_key(name) {
        limits::check("function libraries", limits::LIBRARIES_MAX, libraries.len() + 1)?;
    }
    let others = libraries.iter().filter(|(other, _)| *other != name).flat_map(|(_, other)| &other.functions);
    let taken = |own: &&Registered| others.clone().any(|other| other.name.eq_ignore_ascii_case(&own.name));
    match library.functions.iter().find(taken).map(|own| &own.name) {
        Some(taken) => Err(format!("ERR Function {taken} already exists").into()),
        None => Ok(()),
    }
}

/// Removes a library, and returns whether it was there.
pub(super) fn remove(call: &Call<'_>, libraries: &mut Libraries, name: &str) -> Result<bool, Refusal> {
    call.transaction.kv_named(KEYSPACE).remove(name)?;
    Ok(libraries.remove(name).is_some())
}
