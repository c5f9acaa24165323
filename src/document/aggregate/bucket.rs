//! `$bucket`, written as a `$group`.

use std::cmp::Ordering;

use bson::{Bson, Document, doc};

use super::constants::constant;
use crate::document::code::Code;
use crate::document::expression::Names;
use crate::document::order::{Order, Value};
use crate::error::Result;

/// The `$group` that does what `$bucket: argument` does: its `_id` is the lower bound of the bucket that a value falls into.
///
/// # Errors
/// [`Error::Invalid`](crate::Error) for what is wrong with the bounds or the other arguments.
pub(super) fn group(argument: &Bson, names: &Names) -> Result<Document> {
    let Bson::Document(options) = argument else {
        return Err(Code::BUCKET_NOT_OBJECT.wrong_type("$bucket takes an object"));
    };
    let known = ["groupBy", "boundaries", "default", "output"];
    if let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Code::BUCKET_UNKNOWN_ARGUMENT.syntax(format!("$bucket has no argument {unknown:?}")));
    }
    let (Some(group_by), Some(boundaries)) = (options.get("groupBy"), options.get("boundaries")) else {
        return Err(Code::BUCKET_MISSING_ARGUMENT.syntax("$bucket needs groupBy and boundaries"));
    };
    let is_expression = match group_by {
        Bson::String(path) => path.starts_with('$'),
        Bson::Document(call) => call.keys().next().is_some_and(|key| key.starts_with('$')),
        _ => false,
    };
    if !is_expression {
        return Err(Code::BUCKET_GROUP_BY.syntax("groupBy of $bucket is a path or an expression"));
    }
    let boundaries = bounds(boundaries, names)?;
    let default = options.get("default").map(|default| constant(default, names)).transpose()?;
    let mut group = doc! { "_id": identity(group_by, &boundaries, default, names.order())? };
    match options.get("output") {
        None => drop(group.insert("count", doc! { "$sum": 1 })),
        Some(Bson::Document(output)) if output.contains_key("_id") => {
            return Err(Code::BUCKET_OUTPUT_ID.syntax("the output of $bucket has an _id already"));
        }
        Some(Bson::Document(output)) => group.extend(output.clone()),
        Some(_) => return Err(Code::BUCKET_OUTPUT_TYPE.wrong_type("the output of $bucket is an object")),
    }
    Ok(group)
}

/// At least two values of one type, ascending.
fn bounds(boundaries: &Bson, names: &Names) -> Result<Vec<Bson>> {
    let Bson::Array(boundaries) = boundaries else {
        return Err(Code::BUCKET_BOUNDS_TYPE.wrong_type("the boundaries of $bucket are an array"));
    };
    if boundaries.len() < 2 {
        return Err(Code::BUCKET_BOUNDS_LENGTH.value("$bucket takes two boundaries or more"));
    }
    let bounds = boundaries.iter().map(|bound| constant(bound, names)).collect::<Result<Vec<_>>>()?;
    for pair in bounds.windows(2) {
        let [lower, upper] = pair else { continue };
        if Value::from(lower).class() != Value::from(upper).class() {
            return Err(Code::BUCKET_BOUNDS_MIXED.value("the boundaries of $bucket are of one type"));
        }
        if names.order().compare_bson(lower, upper) != Ordering::Less {
            return Err(Code::BUCKET_BOUNDS_ORDER.value("the boundaries of $bucket are ascending"));
        }
    }
    Ok(bounds)
}

/// The expression for the lower bound of a value's bucket.
fn identity(group_by: &Bson, bounds: &[Bson], default: Option<Bson>, order: Order<'_>) -> Result<Bson> {
    let literal = |value: &Bson| doc! { "$literal": value.clone() };
    let branch = |pair: &[Bson]| {
        let [lower, upper] = pair else { return Bson::Null };
        let inside = doc! { "$and": [{ "$gte": ["$$value", literal(lower)] }, { "$lt": ["$$value", literal(upper)] }] };
        Bson::Document(doc! { "case": inside, "then": literal(lower) })
    };
    let mut switch = doc! { "branches": bounds.windows(2).map(branch).collect::<Vec<_>>() };
    if let (Some(default), [first, .., last]) = (default, bounds) {
        let is_inside = order.compare_bson(&default, first).is_ge() && order.compare_bson(&default, last).is_lt();
        if is_inside {
            return Err(Code::BUCKET_DEFAULT.value("the default of $bucket lies among its boundaries"));
        }
        switch.insert("default", literal(&default));
    }
    Ok(doc! { "$let": { "vars": { "value": group_by.clone() }, "in": { "$switch": switch } } }.into())
}
