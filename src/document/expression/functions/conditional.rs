//! `$cond`, `$ifNull` and `$switch`.

use bson::Bson;

use super::super::Expression;
use super::super::compile::{Argument, Arguments, Call, Compiler, Function, Named, fields, own};
use super::super::env::Env;
use super::super::value::Value;
use crate::document::code::Code;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "$cond", arguments: Arguments::Either(3, &COND), evaluate: cond, repeats: false },
    Function {
        name: "$ifNull",
        arguments: Arguments::Counted(2, usize::MAX, Code::IF_NULL_ARITY),
        evaluate: if_null,
        repeats: false,
    },
    own("$switch", parse_switch, switch),
];

static COND: Named = Named {
    fields: &[
        Argument("if", Some(Code::COND_WITHOUT_IF)),
        Argument("then", Some(Code::COND_WITHOUT_THEN)),
        Argument("else", Some(Code::COND_WITHOUT_ELSE)),
    ],
    not_object: Code::EXPRESSION_ARITY,
    unknown: Code::COND_UNKNOWN_ARGUMENT,
};

static SWITCH: Named = Named {
    fields: &[Argument("branches", Some(Code::SWITCH_WITHOUT_BRANCHES)), Argument("default", None)],
    not_object: Code::SWITCH_NOT_OBJECT,
    unknown: Code::SWITCH_UNKNOWN_ARGUMENT,
};

static BRANCH: Named = Named {
    fields: &[Argument("case", Some(Code::SWITCH_WITHOUT_CASE)), Argument("then", Some(Code::SWITCH_WITHOUT_THEN))],
    not_object: Code::SWITCH_BRANCH_TYPE,
    unknown: Code::SWITCH_BRANCH_UNKNOWN_ARGUMENT,
};

fn cond<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let chosen = if call.value(0, env)?.is_true() { 1 } else { 2 };
    call.value(chosen, env)
}

/// The first argument that is neither null nor missing; the last one whatever it is.
/// The first value that is not null. A constant behind it raises its error all the same, as in the original.
fn if_null<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let mut value = Value::Missing;
    for place in 0..call.arguments.len() {
        let argument = call.argument(place);
        if value.is_nullish() {
            value = call.value(place, env)?;
        } else if let Some(argument @ Expression::Call(..)) = argument
            && argument.is_constant()
        {
            argument.evaluate(env)?;
        }
    }
    Ok(value)
}

/// The default, and then each condition with its value.
fn parse_switch(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &SWITCH, operand)?;
    let (branches, default) = (given.first().copied().flatten(), given.get(1).copied().flatten());
    let Some(Bson::Array(branches)) = branches else {
        return Err(Code::SWITCH_BRANCHES_TYPE.syntax("the branches of $switch are an array"));
    };
    if branches.is_empty() {
        return Err(Code::SWITCH_WITHOUT_BRANCHES.syntax("$switch needs at least one branch"));
    }
    let mut arguments = vec![default.map(|text| compiler.expression(text)).transpose()?];
    for branch in branches {
        arguments.extend(compiler.named("a branch of $switch", &BRANCH, branch)?);
    }
    Ok(arguments)
}

fn switch<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    for place in (1..call.arguments.len()).step_by(2) {
        if call.value(place, env)?.is_true() {
            return call.value(place + 1, env);
        }
    }
    call.given(0, env)?.ok_or_else(|| Code::SWITCH_NO_MATCH.value("no branch of $switch holds, and it has no default"))
}
