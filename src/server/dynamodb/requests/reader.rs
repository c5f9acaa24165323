//! The members of a request, read one after the other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::item::{AttributeValue, Item};
use crate::server::dynamodb::constraints::{Model, Of};
use crate::server::dynamodb::dialect::Rules;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::faults;
use crate::server::dynamodb::json::Json;
use crate::server::dynamodb::requests::values;

/// A structure of a request. What was read of it is noted, for [`Reader::finish`].
#[derive(Debug)]
pub(in crate::server::dynamodb) struct Reader<'a> {
    json: &'a Json<'a>,
    of: Of,
    rules: &'a Rules,
    /// They are few.
    read: RefCell<Vec<&'static str>>,
}

impl<'a> Reader<'a> {
    /// Reads a request of `operation`.
    pub(in crate::server::dynamodb) fn new(
        model: &'static Model,
        operation: &str,
        json: &'a Json<'a>,
        rules: &'a Rules,
    ) -> Self {
        Self { json, of: Of::request(model, operation), rules, read: RefCell::default() }
    }

    fn get(&self, name: &'static str) -> Option<&'a Json<'a>> {
        self.read.borrow_mut().push(name);
        self.json.get(name)
    }

    /// Whether the member is there; reads it.
    pub(super) fn has(&self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Option<String> {
        self.get(name).and_then(Json::as_text).map(ToOwned::to_owned)
    }

    pub(in crate::server::dynamodb) fn text(&self, name: &'static str) -> String {
        self.optional_text(name).unwrap_or_default()
    }

    pub(super) fn optional_bool(&self, name: &'static str) -> Option<bool> {
        self.get(name).and_then(Json::as_bool)
    }

    pub(super) fn bool(&self, name: &'static str) -> bool {
        self.optional_bool(name).unwrap_or_default()
    }

    pub(super) fn integer(&self, name: &'static str) -> Option<i64> {
        self.get(name).and_then(Json::as_integer)
    }

    /// A moment: seconds since 1970, with a fraction or without one.
    pub(super) fn moment(&self, name: &'static str) -> Option<Timestamp> {
        match self.get(name)? {
            #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is wanted")]
            Json::Decimal(seconds) => Some(Timestamp::from_micros((seconds * 1_000_000.0).round() as i64)),
            other => other.as_integer().map(|seconds| Timestamp::from_micros(seconds.saturating_mul(1_000_000))),
        }
    }

    /// A whole number of 32 bits: a larger one is read as the largest.
    pub(super) fn small_integer(&self, name: &'static str) -> Option<i64> {
        self.integer(name).map(|value| value.clamp(i32::MIN.into(), i32::MAX.into()))
    }

    /// One of the values that the API has names for.
    ///
    /// # Errors
    /// For a value that the service has and the model has not.
    pub(super) fn named<T: FromStr<Err = Error>>(&self, name: &'static str) -> Result<Option<T>, Failure> {
        let text = self.get(name).and_then(Json::as_text);
        text.map(|text| text.parse().map_err(|error| faults::failure(&error, self.rules))).transpose()
    }

    pub(super) fn texts(&self, name: &'static str) -> Option<Vec<String>> {
        let texts = self.get(name)?.elements().iter().filter_map(Json::as_text);
        Some(texts.map(ToOwned::to_owned).collect())
    }

    pub(super) fn optional_item(&self, name: &'static str) -> Result<Option<Item>, Failure> {
        let item = self.get(name).map(|json| values::item(json, self.rules));
        item.transpose().map_err(|refused| refused.into_failure(self.rules))
    }

    pub(super) fn item(&self, name: &'static str) -> Result<Item, Failure> {
        Ok(self.optional_item(name)?.unwrap_or_default())
    }

    /// A list of items.
    pub(super) fn items(&self, name: &'static str) -> Result<Vec<Item>, Failure> {
        let items = self.get(name).map_or(&[][..], Json::elements).iter();
        let items = items.map(|json| values::item(json, self.rules));
        items.collect::<Result<_, _>>().map_err(|refused| refused.into_failure(self.rules))
    }

    /// A value of an attribute.
    pub(super) fn value(&self, name: &'static str) -> Result<Option<AttributeValue>, Failure> {
        let value = self.get(name).map(|json| values::attribute_value(json, self.rules));
        value.transpose().map_err(|refused| refused.into_failure(self.rules))
    }

    pub(super) fn values(&self, name: &'static str) -> Result<Option<Vec<AttributeValue>>, Failure> {
        let Some(json) = self.get(name) else { return Ok(None) };
        let values = json.elements().iter().map(|json| values::attribute_value(json, self.rules));
        values.collect::<Result<_, _>>().map(Some).map_err(|refused| refused.into_failure(self.rules))
    }

    /// `ExpressionAttributeNames`.
    pub(super) fn names(&self) -> Option<BTreeMap<String, String>> {
        let members = self.get("ExpressionAttributeNames")?.members().iter();
        Some(members.filter_map(|(name, value)| Some((name.to_string(), value.as_text()?.to_owned()))).collect())
    }

    /// `ExpressionAttributeValues`.
    pub(super) fn placeholders(&self) -> Result<Option<BTreeMap<String, AttributeValue>>, Failure> {
        let Some(json) = self.get("ExpressionAttributeValues") else { return Ok(None) };
        let read = json.members().iter().map(|(name, json)| {
            let value = values::attribute_value(json, self.rules);
            Ok((name.to_string(), value.map_err(|refused| refused.into_failure_of(name, self.rules))?))
        });
        read.collect::<Result<_, _>>().map(Some)
    }

    /// A structure.
    pub(super) fn object<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Reader<'a>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let Some(json) = self.get(name) else { return Ok(None) };
        self.inner(json, self.of.member(name), read).map(Some)
    }

    /// A list of structures.
    pub(super) fn list<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Reader<'a>) -> Result<T, Failure>,
    ) -> Result<Option<Vec<T>>, Failure> {
        let Some(json) = self.get(name) else { return Ok(None) };
        let of = self.of.member(name).inner();
        json.elements().iter().map(|json| self.inner(json, of, &read)).collect::<Result<_, _>>().map(Some)
    }

    /// A map of structures, or of lists of them, by name.
    pub(super) fn map<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Reader<'a>) -> Result<T, Failure>,
    ) -> Result<Option<BTreeMap<String, T>>, Failure> {
        let Some(json) = self.get(name) else { return Ok(None) };
        let of = self.of.member(name).inner();
        let read = |(name, json): &'a (std::borrow::Cow<'a, str>, Json<'a>)| {
            Ok((name.to_string(), self.inner(json, of, &read)?))
        };
        json.members().iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// A map of lists of structures, by name.
    pub(super) fn map_of_lists<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Reader<'a>) -> Result<T, Failure>,
    ) -> Result<BTreeMap<String, Vec<T>>, Failure> {
        let Some(json) = self.get(name) else { return Ok(BTreeMap::new()) };
        let of = self.of.member(name).inner().inner();
        let lists = json.members().iter().map(|(name, list)| {
            let elements = list.elements().iter().map(|json| self.inner(json, of, &read));
            Ok((name.to_string(), elements.collect::<Result<Vec<_>, _>>()?))
        });
        lists.collect()
    }

    fn inner<T>(
        &self,
        json: &'a Json<'a>,
        of: Of,
        read: impl FnOnce(&Reader<'a>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let inner = Self { json, of, rules: self.rules, read: RefCell::default() };
        let value = read(&inner)?;
        inner.finish()?;
        Ok(value)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// For a member that the service knows, and nothing has read.
    pub(in crate::server::dynamodb) fn finish(&self) -> Result<(), Failure> {
        let read = self.read.borrow();
        let is_unread = |(name, value): &&(std::borrow::Cow<'_, str>, Json<'_>)| {
            *value != Json::Null && self.of.has(name) && !read.contains(&name.as_ref())
        };
        match self.json.members().iter().find(is_unread) {
            Some((name, _)) => Err(Failure::validation(format!("{name} is not supported"))),
            None => Ok(()),
        }
    }
}
