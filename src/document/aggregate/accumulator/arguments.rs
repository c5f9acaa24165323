//! From the text of an accumulator to what it keeps.

use bson::raw::RawDocumentBuf;
use bson::{Bson, DateTime, Document};

use super::{Accumulator, UNMODELLED, wrapped};
use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, Names, Percentiles};
use crate::document::number::Number;
use crate::document::pattern::Pattern;
use crate::error::{Error, Result};

impl Accumulator {
    /// Compiles `{$accumulator: operand}` to what is kept, and the expression whose values it takes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no accumulator and for an operand that it does not take.
    pub(in crate::document::aggregate) fn compile(text: &Document, names: &Names) -> Result<(Self, Expression)> {
        let Some((name, operand)) = text.iter().next().filter(|(name, _)| name.starts_with('$')) else {
            return Err(Code::GROUP_FIELD_NOT_ACCUMULATOR.syntax("a field of a group is no accumulator"));
        };
        if text.len() > 1 {
            return Err(Code::GROUP_FIELD_MULTIPLE.syntax("a field of a group is not one accumulator"));
        }
        if let Bson::Array(_) = operand {
            return Err(Code::ACCUMULATOR_UNARY.syntax(format!("the accumulator {name} takes one argument")));
        }
        let (accumulator, operand) = parse(name, operand, names)?;
        let expression = match (Expression::compile(&operand, names)?, &accumulator) {
            // A quirk of constants.
            (Expression::Constant(value), Accumulator::AddToSet) => Expression::Constant(wrapped(value)),
            (expression, _) => expression,
        };
        Ok((accumulator, expression))
    }
}

fn parse(name: &str, operand: &Bson, names: &Names) -> Result<(Accumulator, Bson)> {
    let accumulator = match name {
        "$sum" => Accumulator::Sum,
        "$avg" => Accumulator::Avg,
        "$min" => Accumulator::Min,
        "$max" => Accumulator::Max,
        "$first" => Accumulator::First,
        "$last" => Accumulator::Last,
        "$push" => Accumulator::Push,
        "$addToSet" => Accumulator::AddToSet,
        "$mergeObjects" => Accumulator::MergeObjects,
        "$concatArrays" => Accumulator::ConcatArrays,
        "$setUnion" => Accumulator::SetUnion,
        "$stdDevPop" => Accumulator::Deviation { of_sample: false },
        "$stdDevSamp" => Accumulator::Deviation { of_sample: true },
        "$count" => match operand {
            Bson::Document(operand) if operand.is_empty() => return Ok((Accumulator::Count, Bson::Int32(1))),
            _ => return Err(Code::TYPE_MISMATCH.syntax("$count takes an empty document")),
        },
        "$firstN" | "$lastN" => {
            let (count, input) = counted(name, operand, names)?;
            return Ok((Accumulator::Ends { count, first: name == "$firstN" }, input));
        }
        "$minN" | "$maxN" => {
            let (count, input) = counted(name, operand, names)?;
            return Ok((Accumulator::Extremes { count, smallest: name == "$minN" }, input));
        }
        "$top" | "$topN" | "$bottom" | "$bottomN" => return sorted(name, operand, names),
        "$median" | "$percentile" => {
            let (Percentiles { fractions, is_single }, input) = Percentiles::parse(name, operand, names)?;
            return Ok((Accumulator::Percentile { fractions, is_single }, input));
        }
        name if UNMODELLED.contains(&name) => return Err(Error::unsupported(format!("accumulator {name}"))),
        name => return Err(Code::GROUP_UNKNOWN_OPERATOR.syntax(format!("there is no accumulator {name:?}"))),
    };
    Ok((accumulator, operand.clone()))
}

/// The count and the text of `{input, n}`; the count is a constant.
fn counted(name: &str, operand: &Bson, names: &Names) -> Result<(usize, Bson)> {
    let Bson::Document(arguments) = operand else {
        return Err(Code::N_ACCUMULATOR_NOT_OBJECT.syntax(format!("the accumulator {name} takes an object")));
    };
    if let Some(unknown) = arguments.keys().find(|key| !["input", "n"].contains(&key.as_str())) {
        return Err(
            Code::N_ACCUMULATOR_UNKNOWN_ARGUMENT.syntax(format!("the accumulator {name} has no argument {unknown:?}"))
        );
    }
    let Some(n) = arguments.get("n") else {
        return Err(Code::ACCUMULATOR_COUNT_MISSING.syntax(format!("the accumulator {name} needs n")));
    };
    let Some(input) = arguments.get("input") else {
        return Err(Code::N_ACCUMULATOR_WITHOUT_INPUT.syntax(format!("the accumulator {name} needs input")));
    };
    Ok((count(name, n, names)?, input.clone()))
}

fn count(name: &str, text: &Bson, names: &Names) -> Result<usize> {
    let (empty, context) = (RawDocumentBuf::new(), Context::new(DateTime::from_millis(0), 0, Vec::new()));
    let expression = Expression::compile(text, names)?;
    let n = expression.evaluate(&mut Env::new(&empty, &context))?.number().and_then(Number::as_i64);
    let n = n.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    n.ok_or_else(|| Code::ACCUMULATOR_COUNT.value(format!("the n of {name} is a positive constant")))
}

/// `{sortBy, output}` and, for those that return an array, `n`.
fn sorted(name: &str, operand: &Bson, names: &Names) -> Result<(Accumulator, Bson)> {
    let is_single = !name.ends_with('N');
    let Bson::Document(arguments) = operand else {
        return Err(Code::TOP_NOT_OBJECT.syntax(format!("the accumulator {name} takes an object")));
    };
    let known = |key: &str| matches!(key, "sortBy" | "output") || (key == "n" && !is_single);
    if let Some(unknown) = arguments.keys().find(|key| !known(key)) {
        return Err(Code::TOP_UNKNOWN_ARGUMENT.syntax(format!("the accumulator {name} has no argument {unknown:?}")));
    }
    let count = match arguments.get("n") {
        None if is_single => 1,
        None => return Err(Code::TOP_WITHOUT_COUNT.syntax(format!("the accumulator {name} needs n"))),
        Some(n) => count(name, n, names)?,
    };
    let Some(output) = arguments.get("output") else {
        return Err(Code::TOP_WITHOUT_OUTPUT.syntax(format!("the accumulator {name} needs output")));
    };
    let Some(Bson::Document(order)) = arguments.get("sortBy") else {
        return Err(Code::TOP_WITHOUT_ORDER.syntax(format!("the accumulator {name} needs an object sortBy")));
    };
    let pattern = Pattern::parse_sort(order, Number::to_i64_leniently)?.collated(names.collator());
    let accumulator = Accumulator::Sorted { pattern, count, first: name.starts_with("$top"), is_single };
    // What is missing is null in the output.
    Ok((accumulator, output.clone()))
}
