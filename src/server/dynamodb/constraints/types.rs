//! Whether the members of a request have the types that they are to have: the first that has not is a
//! `SerializationException`, in the words of the service's Java.

use crate::server::dynamodb::constraints::model::{Kind, Model, Shape};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::json::Json;

const PACKAGE: &str = "com.amazonaws.dynamodb.v20120810.";
const STRUCTURE_FOUND: &str = "Start of structure or map found where not expected";

/// What a value is in.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Structure,
    Map,
    List,
}

/// Checks `request` against the shape at `place`.
///
/// # Errors
/// The first value of another type, in the order of the request.
pub(super) fn check(model: &Model, request: &Json<'_>, place: usize) -> Result<(), Failure> {
    value(model, request, place, Within::Structure).map_err(|message| Failure::serialization(Some(message)))
}

/// The depth of `json` bounds that of the calls.
fn value(model: &Model, json: &Json<'_>, place: usize, within: Within) -> Result<(), String> {
    let Some(shape) = model.shape(place) else { return Ok(()) };
    match (&shape.kind, json) {
        (Kind::Structure(members), Json::Map(found)) => {
            for (name, inner) in found {
                if let Some(member) = members.iter().find(|member| member.name == name) {
                    value(model, inner, member.shape, Within::Structure)?;
                }
            }
            Ok(())
        }
        (Kind::List(element), Json::List(found)) => {
            found.iter().try_for_each(|inner| value(model, inner, *element, Within::List))
        }
        (Kind::Map(_, of), Json::Map(found)) => {
            found.iter().try_for_each(|(_, inner)| value(model, inner, *of, Within::Map))
        }
        // What is null is as if it were not there. What was too deep to be kept is refused for that, later.
        (_, Json::Null | Json::TooDeep)
        | (Kind::Text { .. } | Kind::Blob, Json::Text(_))
        | (Kind::Integer | Kind::Long | Kind::Double | Kind::Timestamp, Json::Integer(_) | Json::Decimal(_)) => Ok(()),
        (Kind::Boolean, found) if found.as_bool().is_some() => Ok(()),
        (_, found) => Err(mismatch(model, shape, found, within)),
    }
}

/// What the service says of `found` in the place of a `shape`.
fn mismatch(model: &Model, shape: &Shape, found: &Json<'_>, within: Within) -> String {
    let scalar =
        || if within == Within::Structure { "Unexpected field type" } else { "Unexpected value type in payload" };
    match (&shape.kind, found) {
        // Java has no class at hand for maps in lists.
        (Kind::Map(..), _) if within == Within::List => {
            let class = "sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl";
            format!(
                "class {class} cannot be cast to class java.lang.Class ({class} and java.lang.Class are in module \
                 java.base of loader 'bootstrap')"
            )
        }
        (Kind::Map(_, of), Json::List(_)) => {
            let class = model.shape(*of).map_or_else(String::new, class);
            format!("Unrecognized collection type java.util.Map<java.lang.String, {class}>")
        }
        (Kind::List(_), Json::Map(_)) => STRUCTURE_FOUND.to_owned(),
        (_, Json::List(_)) => format!("Unrecognized collection type class {}", class(shape)),
        (Kind::Structure(_) | Kind::Map(..) | Kind::List(_), _) => scalar().to_owned(),
        (_, Json::Map(_)) => STRUCTURE_FOUND.to_owned(),
        (Kind::Boolean, Json::Text(_)) => "Unexpected token received from parser".to_owned(),
        (kind, found) => {
            let found = match found {
                Json::Bool(true) => "TRUE_VALUE",
                Json::Bool(false) => "FALSE_VALUE",
                Json::Integer(_) => "NUMBER_VALUE",
                Json::Decimal(_) => "DECIMAL_VALUE",
                _ => "STRING_VALUE",
            };
            format!("{found} cannot be converted to {}", short(kind))
        }
    }
}

/// The name of the Java class of a shape, without its package.
fn short(kind: &Kind) -> &'static str {
    match kind {
        Kind::Integer => "Integer",
        Kind::Long => "Long",
        Kind::Double => "Double",
        Kind::Boolean => "Boolean",
        Kind::Blob => "ByteBuffer",
        Kind::Timestamp => "Date",
        Kind::Text { .. } | Kind::Structure(_) | Kind::List(_) | Kind::Map(..) => "String",
    }
}

fn class(shape: &Shape) -> String {
    match &shape.kind {
        Kind::Structure(_) | Kind::List(_) | Kind::Map(..) => format!("{PACKAGE}{}", shape.name),
        Kind::Blob => "java.nio.ByteBuffer".to_owned(),
        Kind::Timestamp => "java.util.Date".to_owned(),
        kind => format!("java.lang.{}", short(kind)),
    }
}
