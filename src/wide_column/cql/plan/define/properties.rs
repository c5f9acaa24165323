//! Properties, as values of the types they have to be of.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::wide_column::cql::ast::{Literal, Property, PropertyValue};
use crate::wide_column::exception::Exception;

fn text_of(literal: &Literal) -> String {
    literal.text.as_ref().to_owned()
}

/// The text of a property.
pub(super) fn simple(property: &Property) -> Result<String> {
    match &property.value {
        PropertyValue::Literal(literal) => Ok(text_of(literal)),
        PropertyValue::Word(word) => Ok(word.as_str().to_owned()),
        PropertyValue::Map(_) => {
            let name = property.name.as_str();
            Err(Exception::Syntax.error(format!("Invalid value for property '{name}'. It should be a string")))
        }
    }
}

/// The entries of a property.
pub(super) fn map(property: &Property) -> Result<BTreeMap<String, String>> {
    let PropertyValue::Map(entries) = &property.value else {
        let name = property.name.as_str();
        return Err(Exception::Syntax.error(format!("Invalid value for property '{name}'. It should be a map.")));
    };
    Ok(entries.iter().map(|(name, value)| (text_of(name), text_of(value))).collect())
}

/// Whether a property says yes.
pub(super) fn boolean(property: &Property) -> Result<bool> {
    Ok(matches!(simple(property)?.to_lowercase().as_str(), "1" | "true" | "yes"))
}

/// The number of a property; `what` is its type in messages.
pub(super) fn number<T: std::str::FromStr>(property: &Property, what: &str) -> Result<T> {
    let (text, name) = (simple(property)?, property.name.as_str());
    text.parse().map_err(|_| Exception::Syntax.error(format!("Invalid {what} value {text} for '{name}'")))
}
