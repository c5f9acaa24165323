//! A value of a request as the service shows it in a fault: as Java writes its objects, every member named.

use crate::server::dynamodb::constraints::model::{Kind, Model};
use crate::server::dynamodb::json::Json;

/// What is shown of a value, in bytes; the rest is left out.
const SHOWN_BYTES_MAX: usize = 8 << 10;

/// Writes `value` of the shape at `place`.
pub(super) fn shown(model: &Model, value: &Json<'_>, place: usize) -> String {
    let mut text = String::new();
    write(model, value, place, &mut text);
    text
}

fn write(model: &Model, value: &Json<'_>, place: usize, text: &mut String) {
    if text.len() >= SHOWN_BYTES_MAX {
        return;
    }
    let Some(shape) = model.shape(place) else { return };
    match (&shape.kind, value) {
        (Kind::Structure(members), Json::Map(_)) => {
            text.push_str(shape.name);
            text.push('(');
            for (count, member) in members.iter().enumerate() {
                text.push_str(if count > 0 { ", " } else { "" });
                let mut letters = member.name.chars();
                text.extend(letters.next().into_iter().flat_map(char::to_lowercase));
                text.push_str(letters.as_str());
                text.push('=');
                match value.get(member.name) {
                    Some(inner) => write(model, inner, member.shape, text),
                    None => text.push_str("null"),
                }
            }
            text.push(')');
        }
        (Kind::List(element), Json::List(elements)) => {
            text.push('[');
            for (count, inner) in elements.iter().enumerate() {
                text.push_str(if count > 0 { ", " } else { "" });
                write(model, inner, *element, text);
            }
            text.push(']');
        }
        (Kind::Map(_, of), Json::Map(members)) => {
            text.push('{');
            for (count, (name, inner)) in members.iter().enumerate() {
                text.push_str(if count > 0 { ", " } else { "" });
                text.push_str(name);
                text.push('=');
                write(model, inner, *of, text);
            }
            text.push('}');
        }
        (_, Json::Text(plain)) => text.push_str(plain),
        (_, Json::Integer(number)) => text.push_str(&number.to_string()),
        (_, Json::Decimal(number)) => text.push_str(&number.to_string()),
        (_, Json::Bool(value)) => text.push_str(if *value { "true" } else { "false" }),
        _ => text.push_str("null"),
    }
}
