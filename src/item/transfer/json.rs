//! Items as files have them: one on a line, each value with the name of its type.
//!
//! # Source
//! `DynamoDB` Developer Guide, *DynamoDB table export output format*, *DynamoDB JSON*.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::item::{AttributeValue, Element, Item, RequestFault, Set, Text};

/// A line of a file.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(rename = "Item")]
    item: BTreeMap<Text, Shown>,
}

/// A value with the name of its type.
#[derive(Serialize, Deserialize)]
enum Shown {
    S(Text),
    N(String),
    B(String),
    #[serde(rename = "BOOL")]
    Bool(bool),
    #[serde(rename = "NULL")]
    Null(bool),
    M(BTreeMap<Text, Shown>),
    L(Vec<Shown>),
    #[serde(rename = "SS")]
    Ss(Vec<String>),
    #[serde(rename = "NS")]
    Ns(Vec<String>),
    #[serde(rename = "BS")]
    Bs(Vec<String>),
}

/// The line of an item, without its end. Items that are stored are not nested deeply.
pub(super) fn line_of(item: &Item) -> Result<Vec<u8>> {
    let shown = item.iter().map(|(name, value)| (name.into(), show(value)));
    serde_json::to_vec(&Line { item: shown.collect() }).map_err(|error| Error::corrupt("item", error.to_string()))
}

fn show(value: &AttributeValue) -> Shown {
    match value {
        AttributeValue::S(text) => Shown::S(text.clone()),
        AttributeValue::N(number) => Shown::N(number.to_string()),
        AttributeValue::B(bytes) => Shown::B(STANDARD.encode(bytes)),
        AttributeValue::Bool(value) => Shown::Bool(*value),
        AttributeValue::Null => Shown::Null(true),
        AttributeValue::M(map) => Shown::M(map.iter().map(|(name, value)| (name.into(), show(value))).collect()),
        AttributeValue::L(list) => Shown::L(list.iter().map(show).collect()),
        AttributeValue::Ss(set) => Shown::Ss(set.iter().cloned().collect()),
        AttributeValue::Ns(set) => Shown::Ns(set.iter().map(ToString::to_string).collect()),
        AttributeValue::Bs(set) => Shown::Bs(set.iter().map(|bytes| STANDARD.encode(bytes)).collect()),
    }
}

/// The item of a line.
///
/// # Errors
/// What is wrong with it. Nesting is bounded by the reader of JSON, at more than items may have.
pub(super) fn item_of(line: &[u8]) -> Result<Item> {
    let line: Line = serde_json::from_slice(line).map_err(|error| invalid(error.to_string()))?;
    line.item.into_iter().map(|(name, value)| Ok((name, read(value)?))).collect()
}

fn read(value: Shown) -> Result<AttributeValue> {
    Ok(match value {
        Shown::S(text) => AttributeValue::S(text),
        Shown::N(text) => AttributeValue::N(text.parse()?),
        Shown::B(text) => AttributeValue::B(bytes(&text)?),
        Shown::Bool(value) => AttributeValue::Bool(value),
        Shown::Null(true) => AttributeValue::Null,
        Shown::Null(false) => return Err(invalid("NULL is false")),
        Shown::M(map) => {
            let values = map.into_iter().map(|(name, value)| Ok((name, read(value)?)));
            AttributeValue::M(values.collect::<Result<_>>()?)
        }
        Shown::L(list) => AttributeValue::L(list.into_iter().map(read).collect::<Result<_>>()?),
        Shown::Ss(texts) => AttributeValue::Ss(Set::new(texts)?),
        Shown::Ns(texts) => AttributeValue::Ns(set(texts, |text| text.parse())?),
        Shown::Bs(texts) => AttributeValue::Bs(set(texts, |text| bytes(&text))?),
    })
}

fn set<T: Element>(texts: Vec<String>, read: impl Fn(String) -> Result<T>) -> Result<Set<T>> {
    Set::new(texts.into_iter().map(read).collect::<Result<Vec<_>>>()?)
}

pub(super) fn bytes(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|error| invalid(error.to_string()))
}

fn invalid(problem: impl std::fmt::Display) -> Error {
    RequestFault::other(format!("The line is no item: {problem}"))
}
