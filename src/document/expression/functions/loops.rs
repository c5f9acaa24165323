//! Functions that evaluate an expression for each element of an array: `$map`, `$filter`, `$reduce`.

use bson::Bson;

use super::super::Expression;
use super::super::compile::Evaluate;
use super::super::compile::{Argument, Arguments, Call, Compiler, Function, Named, Parse, check_variable, fields};
use super::super::env::Env;
use super::super::value::{List, Value};
use super::arrays::elements;
use super::operand::number;
use crate::document::code::Code;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    looping("$map", parse_map, map),
    looping("$filter", parse_filter, filter),
    looping("$reduce", parse_reduce, reduce),
];

const fn looping(name: &'static str, parse: Parse, evaluate: Evaluate) -> Function {
    Function { name, arguments: Arguments::Own(parse), evaluate, repeats: true }
}

static MAP: Named = Named {
    fields: &[
        Argument("input", Some(Code::MAP_WITHOUT_INPUT)),
        Argument("in", Some(Code::MAP_WITHOUT_IN)),
        Argument("as", None),
    ],
    not_object: Code::MAP_NOT_OBJECT,
    unknown: Code::MAP_UNKNOWN_ARGUMENT,
};

static FILTER: Named = Named {
    fields: &[
        Argument("input", Some(Code::FILTER_WITHOUT_INPUT)),
        Argument("cond", Some(Code::FILTER_WITHOUT_COND)),
        Argument("as", None),
        Argument("limit", None),
    ],
    not_object: Code::FILTER_NOT_OBJECT,
    unknown: Code::FILTER_UNKNOWN_ARGUMENT,
};

static REDUCE: Named = Named {
    fields: &[
        Argument("input", Some(Code::REDUCE_WITHOUT_INPUT)),
        Argument("initialValue", Some(Code::REDUCE_WITHOUT_INITIAL_VALUE)),
        Argument("in", Some(Code::REDUCE_WITHOUT_IN)),
    ],
    not_object: Code::REDUCE_NOT_OBJECT,
    unknown: Code::REDUCE_UNKNOWN_ARGUMENT,
};

/// The texts at two places, both of which are required.
fn two<'t>(given: &[Option<&'t Bson>], first: usize, second: usize) -> (&'t Bson, &'t Bson) {
    let at = |place: usize| given.get(place).copied().flatten().unwrap_or(&Bson::Null);
    (at(first), at(second))
}

/// The name of the variable of each element.
fn variable(text: Option<&Bson>) -> Result<&str> {
    match text {
        None => Ok("this"),
        Some(Bson::String(name)) => {
            check_variable(name)?;
            Ok(name)
        }
        Some(_) => Err(Code::FAILED_TO_PARSE.syntax("the name of a variable is a text")),
    }
}

fn parse_map(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &MAP, operand)?;
    let (input, body) = two(&given, 0, 1);
    let variable = variable(given.get(2).copied().flatten())?;
    let input = compiler.expression(input)?;
    let slot = compiler.next_slot();
    let mut body = compiler.within(&[variable], body)?;
    body.mark_last_use(slot);
    Ok(vec![Some(input), Some(body)])
}

fn parse_filter(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &FILTER, operand)?;
    let (input, condition) = two(&given, 0, 1);
    let variable = variable(given.get(2).copied().flatten())?;
    let input = compiler.expression(input)?;
    let condition = compiler.within(&[variable], condition)?;
    let limit = given.get(3).copied().flatten().map(|limit| compiler.expression(limit)).transpose()?;
    Ok(vec![Some(input), Some(condition), limit])
}

fn parse_reduce(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &REDUCE, operand)?;
    let (input, initial) = two(&given, 0, 1);
    let (_, body) = two(&given, 0, 2);
    let (input, initial) = (compiler.expression(input)?, compiler.expression(initial)?);
    let slot = compiler.next_slot();
    let mut body = compiler.within(&["value", "this"], body)?;
    // What has been gathered so far is moved through the expression, not copied, so that appending to it is cheap.
    body.mark_last_use(slot);
    body.mark_last_use(slot + 1);
    Ok(vec![Some(input), Some(initial), Some(body)])
}

/// The elements of the first argument, or `None` for null.
fn input<'a>(call: Call<'a>, env: &mut Env<'a>, code: Code) -> Result<Option<Vec<Value<'a>>>> {
    let value = call.value(0, env)?;
    elements(call, env, value, code)
}

fn map<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some(elements) = input(call, env, Code::MAP_INPUT_TYPE)? else { return Ok(Value::NULL) };
    let mut list = List::default();
    for element in elements {
        env.bind(element);
        let value = call.value(1, env)?;
        env.unbind(1);
        list.push(value)?;
    }
    Ok(list.into())
}

fn filter<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let limit = match call.given(2, env)? {
        Some(limit) if !limit.is_nullish() => limited(&limit)?,
        _ => usize::MAX,
    };
    let Some(elements) = input(call, env, Code::FILTER_INPUT_TYPE)? else { return Ok(Value::NULL) };
    let (mut list, mut kept) = (List::default(), 0);
    for element in elements {
        env.bind(element.clone());
        let passes = call.value(1, env)?.is_true();
        env.unbind(1);
        if passes {
            list.push(element)?;
            kept += 1;
            if kept == limit {
                break;
            }
        }
    }
    Ok(list.into())
}

fn limited(limit: &Value<'_>) -> Result<usize> {
    let whole = number("the limit of $filter", limit, Code::FILTER_LIMIT_TYPE)?.as_i64();
    let whole = whole
        .and_then(|limit| i32::try_from(limit).ok())
        .ok_or_else(|| Code::FILTER_LIMIT_TYPE.value("the limit of $filter is a 32-bit integer"))?;
    usize::try_from(whole)
        .ok()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| Code::FILTER_LIMIT.value("the limit of $filter must be positive"))
}

fn reduce<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some(elements) = input(call, env, Code::REDUCE_INPUT_TYPE)? else { return Ok(Value::NULL) };
    let mut gathered = call.value(1, env)?;
    for element in elements {
        env.bind(gathered);
        env.bind(element);
        gathered = call.value(2, env)?;
        env.unbind(2);
    }
    Ok(gathered)
}
