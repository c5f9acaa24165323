//! Attribute values, read from JSON: one member, whose name is the type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::item::{AttributeValue, Item, Number, Set};
use crate::limits;
use crate::server::dynamodb::dialect::Rules;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::faults::{self, wrapped};
use crate::server::dynamodb::json::Json;

const TYPES: [&str; 10] = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];

/// Why a value is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// It cannot be read.
    Unreadable,
    /// It breaks a rule, with the sentence that says so.
    Broken {
        message: String,
        /// Whether the newer layer of the service looks at the rule.
        is_of_values: bool,
    },
}

impl Refused {
    fn bare(message: &str) -> Self {
        Self::Broken { message: message.to_owned(), is_of_values: false }
    }

    fn of(error: &Error, rules: &Rules) -> Self {
        match error.item_fault() {
            Some(fault) => {
                Self::Broken { message: faults::words(fault, rules), is_of_values: faults::is_of_values(fault) }
            }
            None => Self::bare(&error.to_string()),
        }
    }

    /// What a client is told when the value is one of an item or a key.
    pub(super) fn into_failure(self, rules: &Rules) -> Failure {
        match self {
            Self::Unreadable => Failure::serialization(None),
            Self::Broken { message, is_of_values: true } => Failure::validation(wrapped(message, rules)),
            Self::Broken { message, .. } => Failure::validation(message),
        }
    }

    /// What a client is told when the value stands for the placeholder `name`.
    pub(super) fn into_failure_of(self, name: &str, rules: &Rules) -> Failure {
        match self {
            Self::Broken { message, is_of_values } => {
                let message = format!("ExpressionAttributeValues contains invalid value: {message} for key {name}");
                Self::Broken { message, is_of_values }.into_failure(rules)
            }
            unreadable @ Self::Unreadable => unreadable.into_failure(rules),
        }
    }
}

/// The attributes of an item or a key.
pub(super) fn item(json: &Json<'_>, rules: &Rules) -> Result<Item, Refused> {
    // A null in the place of a value is one without a type, not one that is absent.
    let attributes = json.members().iter();
    attributes.map(|(name, value)| Ok((name.clone(), attribute_value(value, rules)?))).collect()
}

/// One value. How deep `json` is bounds the depth of the calls.
pub(super) fn attribute_value(json: &Json<'_>, rules: &Rules) -> Result<AttributeValue, Refused> {
    if *json == Json::TooDeep {
        return Ok(too_deep());
    }
    let is_type = |name: &str, value: &Json<'_>| TYPES.contains(&name) && *value != Json::Null;
    let mut present = json.members().iter().filter(|(name, value)| is_type(name, value));
    let Some((name, value)) = present.next() else {
        return Err(Refused::bare(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ));
    };
    if present.next().is_some() {
        return Err(Refused::bare(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        ));
    }
    let text = || value.as_text().unwrap_or_default();
    let of = |error: Error| Refused::of(&error, rules);
    match name.as_ref() {
        "S" => Ok(AttributeValue::S(text().into())),
        "N" => Ok(AttributeValue::N(number(text(), rules)?)),
        "B" => Ok(AttributeValue::B(bytes(value)?)),
        "BOOL" => Ok(AttributeValue::Bool(value.as_bool().unwrap_or_default())),
        "NULL" if value.as_bool() == Some(true) => Ok(AttributeValue::Null),
        "NULL" => Err(Refused::Broken {
            message:
                "One or more parameter values were invalid: Null attribute value types must have the value of true"
                    .to_owned(),
            is_of_values: true,
        }),
        "SS" => {
            let elements = present_in(value).map(|element| element.as_text().unwrap_or_default());
            Ok(AttributeValue::Ss(Set::new(elements).map_err(of)?))
        }
        "NS" => {
            let elements = present_in(value).map(|element| number(element.as_text().unwrap_or_default(), rules));
            let elements = elements.collect::<Result<Vec<_>, _>>()?;
            Ok(AttributeValue::Ns(Set::new(elements).map_err(of)?))
        }
        "BS" => {
            let elements = present_in(value).map(bytes).collect::<Result<Vec<_>, _>>()?;
            Ok(AttributeValue::Bs(Set::new(elements).map_err(of)?))
        }
        "L" if *value == Json::TooDeep => Ok(too_deep()),
        "L" => {
            let elements = present_in(value).map(|element| attribute_value(element, rules));
            Ok(AttributeValue::L(elements.collect::<Result<_, _>>()?))
        }
        _ if *value == Json::TooDeep => Ok(too_deep()),
        _ => {
            let members = value.members().iter();
            let members = members.map(|(name, value)| Ok((name.clone(), attribute_value(value, rules)?)));
            Ok(AttributeValue::M(members.collect::<Result<_, _>>()?))
        }
    }
}

fn present_in<'j, 'a>(list: &'j Json<'a>) -> impl Iterator<Item = &'j Json<'a>> {
    list.elements().iter().filter(|element| **element != Json::Null)
}

fn number(text: &str, rules: &Rules) -> Result<Number, Refused> {
    text.parse().map_err(|error: Error| Refused::of(&error, rules))
}

fn bytes(json: &Json<'_>) -> Result<Vec<u8>, Refused> {
    STANDARD.decode(json.as_text().unwrap_or_default()).map_err(|_| Refused::Unreadable)
}

/// A value in the place of one that was too deep to be kept, itself deeper than the model takes.
fn too_deep() -> AttributeValue {
    (0..=limits::ITEM_DEPTH_MAX).fold(AttributeValue::Null, |inner, _| AttributeValue::L(vec![inner]))
}
