//! What errors of the interpreter say.

use mlua::{Error, Value};

/// What an error of mlua's is about.
pub(crate) fn cause(mut error: &Error) -> &Error {
    while let Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } = error {
        error = cause;
    }
    error
}

/// The first line of what mlua says.
pub(crate) fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What an error of a library's says, without where it was.
pub(super) fn message_of(error: &Value) -> String {
    let Value::Table(table) = error else { return "ERR unknown error".to_owned() };
    let message = table.raw_get::<Value>("err").ok().and_then(|value| Some(value.as_string()?.to_string_lossy()));
    message.unwrap_or_else(|| "ERR unknown error".to_owned())
}
