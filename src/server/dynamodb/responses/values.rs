//! Attribute values as JSON.

use crate::clock::Timestamp;
use crate::item::{AttributeValue, Item};
use crate::limits;
use crate::server::dynamodb::writer::{Members, Writer};

/// Writes the attributes of an item.
pub(in crate::server::dynamodb) fn write_item(writer: &mut Writer, item: &Item) {
    writer.object(|members| {
        for (name, value) in item {
            write_value(members.name(name), value);
        }
    });
}

pub(super) fn items(members: &mut Members<'_>, name: &str, items: &[Item]) {
    let writer = members.name(name);
    writer.list(|list| {
        let start = list.written();
        for (number, item) in items.iter().enumerate() {
            write_item(list.element(), item);
            if number == 0 {
                // Items of a page are mostly as long as each other.
                let rest = (list.written() - start).saturating_mul(items.len() - 1);
                list.reserve(rest.min(limits::ITEM_PAGE_BYTES_MAX));
            }
        }
    });
}

/// Writes a value. The model bounds its depth.
pub(super) fn write_value(writer: &mut Writer, value: &AttributeValue) {
    writer.object(|members| match value {
        AttributeValue::S(text) => members.text("S", text),
        AttributeValue::N(number) => members.name("N").plain_text(number),
        AttributeValue::B(bytes) => members.name("B").bytes(bytes),
        AttributeValue::Bool(value) => members.bool("BOOL", *value),
        AttributeValue::Null => members.bool("NULL", true),
        AttributeValue::Ss(set) => members.list("SS", set.iter(), |writer, text| writer.text(text)),
        AttributeValue::Ns(set) => members.list("NS", set.iter(), Writer::plain_text),
        AttributeValue::Bs(set) => members.list("BS", set.iter(), |writer, bytes| writer.bytes(bytes)),
        AttributeValue::L(list) => members.list("L", list, write_value),
        AttributeValue::M(map) => members.object("M", |members| {
            for (name, value) in map {
                write_value(members.name(name), value);
            }
        }),
    });
}

/// Writes a time: seconds since 1970, to the millisecond.
pub(super) fn time(writer: &mut Writer, time: Timestamp) {
    let millis = time.as_millis();
    writer.display(format_args!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000)));
}

/// Writes the member `name` if there is such a time.
pub(super) fn optional_time(members: &mut Members<'_>, name: &str, value: Option<Timestamp>) {
    members.optional(name, value, time);
}
