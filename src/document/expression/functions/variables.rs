//! `$let`, and what a call makes anew each time: `$rand`, `$createObjectId`.

use bson::{Bson, RawBsonRef};

use super::super::Expression;
use super::super::compile::{Argument, Call, Compiler, Function, Named, check_variable, fields, own};
use super::super::env::Env;
use super::super::value::Value;
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    own("$createObjectId", parse_create_object_id, create_object_id),
    own("$let", parse_let, with_variables),
    own("$rand", parse_rand, rand),
];

static LET: Named = Named {
    fields: &[Argument("vars", Some(Code::LET_WITHOUT_VARS)), Argument("in", Some(Code::LET_WITHOUT_IN))],
    not_object: Code::LET_NOT_OBJECT,
    unknown: Code::LET_UNKNOWN_ARGUMENT,
};

/// The values of the variables, and then what is evaluated with them. They do not see one another.
fn parse_let(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &LET, operand)?;
    let Some(Bson::Document(variables)) = given.first().copied().flatten() else {
        return Err(Code::EXPRESSION_NOT_OBJECT.syntax("the vars of $let are an object"));
    };
    let mut arguments = Vec::with_capacity(variables.len() + 1);
    for (name, value) in variables {
        if name != "CURRENT" {
            check_variable(name)?;
        }
        arguments.push(Some(compiler.expression(value)?));
    }
    let names: Vec<_> = variables.keys().map(String::as_str).collect();
    let first = compiler.next_slot();
    let mut body = compiler.within(&names, given.get(1).copied().flatten().unwrap_or(&Bson::Null))?;
    (first..first + names.len()).for_each(|slot| body.mark_last_use(slot));
    arguments.push(Some(body));
    Ok(arguments)
}

fn with_variables<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let count = call.arguments.len().saturating_sub(1);
    let values = (0..count).map(|place| call.value(place, env)).collect::<Result<Vec<_>>>()?;
    for value in values {
        env.bind(value);
    }
    let value = call.value(count, env);
    env.unbind(count);
    value
}

fn parse_rand(_: &mut Compiler<'_>, _: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let is_empty = match operand {
        Bson::Document(document) => document.is_empty(),
        Bson::Array(items) => items.is_empty(),
        _ => return Err(Code::EXPRESSION_NOT_OBJECT.syntax("$rand takes an empty object")),
    };
    if is_empty { Ok(Vec::new()) } else { Err(Code::RAND_ARGUMENTS.syntax("$rand takes no arguments")) }
}

fn parse_create_object_id(_: &mut Compiler<'_>, _: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    match operand {
        Bson::Document(document) if document.is_empty() => Ok(Vec::new()),
        _ => Err(Code::FAILED_TO_PARSE.syntax("$createObjectId takes an empty object")),
    }
}

fn create_object_id<'a>(_: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    env.context().spend(1)?;
    Ok(Value::Borrowed(RawBsonRef::ObjectId(env.context().object_id())))
}

fn rand<'a>(_: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    env.context().spend(1)?;
    Ok(Number::Double(env.context().random()).into())
}
