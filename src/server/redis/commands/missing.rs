//! The errors for a stream or a group that does not exist: the texts differ from command to command.
//!
//! # Source
//! Redis 7.2, `t_stream.c`.

use crate::error::Error;
use crate::kv::stream::{GROUP, STREAM};
use crate::server::redis::frame::refusal::Refusal;

/// Of reading what is pending, and of claiming: the key and the group in one text.
pub(super) fn pending(key: &[u8], group: &[u8]) -> impl Fn(Error) -> Refusal {
    let text = format!("NOGROUP No such key '{}' or consumer group '{}'", shown(key), shown(group));
    move |error| match error {
        Error::NotFound { what: STREAM | GROUP, .. } => text.clone().into(),
        error => error.into(),
    }
}

/// Of reading for a group.
pub(super) fn reading(key: &[u8], group: &[u8]) -> Refusal {
    let (key, group) = (shown(key), shown(group));
    format!("NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option").into()
}

/// Of making, setting and removing groups and their consumers.
pub(super) fn managing(key: &[u8]) -> impl Fn(Error) -> Refusal {
    let of_group = about(key);
    move |error| match error {
        Error::NotFound { what: STREAM, .. } => {
            "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE \
                                                 you may want to use the MKSTREAM option to create an empty stream \
                                                 automatically."
                .into()
        }
        error => of_group(error),
    }
}

/// Of telling about a group.
pub(super) fn about(key: &[u8]) -> impl Fn(Error) -> Refusal {
    let key = shown(key);
    move |error| match error {
        Error::NotFound { what: GROUP, name } => {
            format!("NOGROUP No such consumer group '{name}' for key name '{key}'").into()
        }
        error => error.into(),
    }
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
