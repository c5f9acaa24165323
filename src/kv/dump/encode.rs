//! Writing a value: the plain form of its type.
//!
//! | type | value       | after the type                                                     |
//! |------|-------------|--------------------------------------------------------------------|
//! | `00` | string      | string                                                             |
//! | `01` | list        | length; of each value, string                                      |
//! | `02` | set         | length; of each member, string                                     |
//! | `04` | hash        | length; of each field, name and value as strings                   |
//! | `05` | sorted set  | length; of each member, string and score as a little-endian double |
//! | `13` | stream      | `stream.rs`                                                        |
//!
//! A string is its length and its bytes. A length is `00` and 6 bits, `01` and 14 bits, `80` and 4 bytes, or `81` and 8 bytes,
//! big-endian.

use crate::kv::dump::value::Value;
use crate::kv::dump::writer::{put_len, put_string};
use crate::kv::dump::{stream, tag};

pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::String(string) => {
            out.push(tag::STRING);
            put_string(&mut out, string);
        }
        Value::List(values) => {
            out.push(tag::LIST);
            put_len(&mut out, values.len());
            for value in values {
                put_string(&mut out, value);
            }
        }
        Value::Set(members) => {
            out.push(tag::SET);
            put_len(&mut out, members.len());
            for member in members {
                put_string(&mut out, member);
            }
        }
        Value::Hash(fields) => {
            out.push(tag::HASH);
            put_len(&mut out, fields.len());
            for (field, value) in fields {
                put_string(&mut out, field);
                put_string(&mut out, value);
            }
        }
        Value::SortedSet(members) => {
            out.push(tag::SORTED_SET_2);
            put_len(&mut out, members.len());
            for (member, score) in members {
                put_string(&mut out, member);
                out.extend_from_slice(&score.to_le_bytes());
            }
        }
        Value::Stream(image) => {
            out.push(tag::STREAM_2);
            stream::encode(&mut out, image);
        }
    }
    out
}
