//! Functions of objects.

use std::borrow::Cow;

use bson::Bson;

use super::super::Expression;
use super::super::check::name;
use super::super::compile::{Argument, Call, Compiler, Function, Named, fields, listed, literal, own};
use super::super::env::Env;
use super::super::value::{Object, Value};
use super::arrays::object_to_array;
use super::operand::{text, unsuitable};
use crate::document::code::Code;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    own("$getField", parse_get_field, get_field),
    listed("$mergeObjects", 0, usize::MAX, merge_objects),
    listed("$objectToArray", 1, 1, object_to_array),
    own("$setField", parse_set_field, set_field),
    own("$unsetField", parse_unset_field, set_field),
];

static GET: Named = Named {
    fields: &[
        Argument("field", Some(Code::GET_FIELD_WITHOUT_FIELD)),
        Argument("input", Some(Code::GET_FIELD_WITHOUT_INPUT)),
    ],
    not_object: Code::GET_FIELD_WITHOUT_FIELD,
    unknown: Code::GET_FIELD_UNKNOWN_ARGUMENT,
};

static SET: Named = Named {
    fields: &[
        Argument("field", Some(Code::SET_FIELD_WITHOUT_FIELD)),
        Argument("input", Some(Code::SET_FIELD_WITHOUT_INPUT)),
        Argument("value", Some(Code::SET_FIELD_WITHOUT_VALUE)),
    ],
    not_object: Code::SET_FIELD_NOT_OBJECT,
    unknown: Code::SET_FIELD_UNKNOWN_ARGUMENT,
};

static UNSET: Named = Named {
    fields: &[
        Argument("field", Some(Code::SET_FIELD_WITHOUT_FIELD)),
        Argument("input", Some(Code::SET_FIELD_WITHOUT_INPUT)),
    ],
    not_object: Code::SET_FIELD_NOT_OBJECT,
    unknown: Code::SET_FIELD_UNKNOWN_ARGUMENT,
};

/// `$getField: {field, input}`, or the field alone, of the document.
fn parse_get_field(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let is_named =
        operand.as_document().is_some_and(|document| document.keys().next().is_none_or(|key| !key.starts_with('$')));
    let (field, input) = if is_named {
        let given = fields(name, &GET, operand)?;
        let at = |place: usize| given.get(place).copied().flatten().cloned().unwrap_or(Bson::Null);
        (at(0), at(1))
    } else {
        (operand.clone(), Bson::String("$$CURRENT".to_owned()))
    };
    // A text is the name itself, and one that looks like a path is still a path.
    Ok(vec![Some(compiler.expression(&field)?), Some(compiler.expression(&input)?)])
}

fn get_field<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (field, input) = call.pair(env)?;
    let field = text(call.name, &field, Code::GET_FIELD_FIELD_TYPE)?;
    if input.is_nullish() && !matches!(input, Value::Missing) {
        return Ok(Value::NULL);
    }
    input.into_field(field)
}

fn parse_set_field(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    changed_field(compiler, &fields(name, &SET, operand)?)
}

fn parse_unset_field(
    compiler: &mut Compiler<'_>,
    name: &'static str,
    operand: &Bson,
) -> Result<Vec<Option<Expression>>> {
    changed_field(compiler, &fields(name, &UNSET, operand)?)
}

/// The name, the object, and the new value if there is one.
fn changed_field(compiler: &mut Compiler<'_>, given: &[Option<&Bson>]) -> Result<Vec<Option<Expression>>> {
    let at = |place: usize| given.get(place).copied().flatten();
    let field = at(0).unwrap_or(&Bson::Null);
    let constant = match field {
        Bson::String(text) if text.starts_with('$') => {
            return Err(Code::SET_FIELD_FIELD_PATH.syntax("the field is a name, not a path; use $literal"));
        }
        Bson::Document(document) => match document.get("$literal").or_else(|| document.get("$const")) {
            Some(text) if document.len() == 1 => text,
            _ => return Err(Code::SET_FIELD_FIELD_NOT_CONSTANT.syntax("the field is a constant name")),
        },
        other => other,
    };
    if !matches!(constant, Bson::String(_)) {
        return Err(Code::SET_FIELD_FIELD_TYPE.syntax("the field is a text"));
    }
    let mut arguments = vec![Some(literal(constant)?)];
    for place in 1..given.len() {
        arguments.push(at(place).map(|text| compiler.expression(text)).transpose()?);
    }
    Ok(arguments)
}

fn set_field<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (field, input) = call.pair(env)?;
    let value = call.value(2, env)?;
    if input.is_nullish() {
        return Ok(Value::NULL);
    }
    if !input.is_object() {
        return Err(unsuitable(call.name, &input, Code::SET_FIELD_INPUT_TYPE));
    }
    let field = name(text(call.name, &field, Code::SET_FIELD_FIELD_TYPE)?)?;
    let mut object = input.into_object()?.unwrap_or_default();
    object.set(Cow::Owned(field), value)?;
    Ok(object.into())
}

/// The fields of all objects, or of a single array of objects; of equal names the last counts. Null counts as an empty one.
fn merge_objects<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let values = match call.arguments.len() {
        1 => {
            let single = call.value(0, env)?;
            if single.is_array() { single.into_elements()?.unwrap_or_default() } else { vec![single] }
        }
        _ => call.all(env)?,
    };
    let mut merged: Option<Object<'a>> = None;
    for value in values {
        if value.is_nullish() {
            continue;
        }
        if !value.is_object() {
            return Err(unsuitable(call.name, &value, Code::MERGE_OBJECTS_TYPE));
        }
        match &mut merged {
            None => merged = value.into_object()?,
            Some(object) => {
                let fields = value.into_fields()?.unwrap_or_default();
                fields.into_iter().try_for_each(|(name, value)| object.set(name, value))?;
            }
        }
    }
    Ok(merged.unwrap_or_default().into())
}
