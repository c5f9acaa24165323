//! `$median` and `$percentile`, as functions and for accumulators.
//!
//! They are exact: the smallest value that at least the wanted fraction of the values is not above. The original approximates
//! large inputs.

use bson::raw::{RawArrayBuf, RawBson, RawDocumentBuf};
use bson::{Bson, DateTime};

use super::super::compile::{Call, Compiler, Function, Names, own};
use super::super::env::{Context, Env};
use super::super::value::Value;
use super::super::{Expression, constant};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;
use crate::limits;

pub(super) const FUNCTIONS: &[Function] = &[own("$median", parse, evaluate), own("$percentile", parse, evaluate)];

/// Which percentiles are wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) fractions: Vec<f64>,
    /// Whether one value is wanted, and not an array of one.
    pub(crate) is_single: bool,
}

impl Percentiles {
    /// Parses `{input, p, method}`, and for `$median` without `p`; also returns the text of the input.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error) for arguments that are missing, unknown or out of their domain.
    pub(crate) fn parse(name: &str, operand: &Bson, names: &Names) -> Result<(Self, Bson)> {
        let is_single = name == "$median";
        let (not_object, missing) = if is_single {
            (Code::MEDIAN_NOT_OBJECT, Code::MISSING_FIELD)
        } else {
            (Code::PERCENTILE_NOT_OBJECT, Code::MISSING_FIELD)
        };
        let Bson::Document(arguments) = operand else {
            return Err(not_object.syntax(format!("{name} takes an object")));
        };
        let known = |key: &str| matches!(key, "input" | "method") || (key == "p" && !is_single);
        if let Some(unknown) = arguments.keys().find(|key| !known(key)) {
            return Err(Code::UNKNOWN_FIELD.syntax(format!("{name} has no argument {unknown:?}")));
        }
        let needed = |key: &str| arguments.get(key).ok_or_else(|| missing.syntax(format!("{name} needs {key:?}")));
        let (input, method) = (needed("input")?, needed("method")?);
        let fractions = if is_single { vec![0.5] } else { fractions(name, needed("p")?, names)? };
        match method {
            Bson::String(method) if method == "approximate" => Ok((Self { fractions, is_single }, input.clone())),
            Bson::String(_) => Err(Code::BAD_VALUE.value(format!("the method of {name} is \"approximate\""))),
            _ => Err(Code::TYPE_MISMATCH.wrong_type(format!("the method of {name} is a text"))),
        }
    }

    /// The percentiles of `values`; null when there are none.
    pub(crate) fn of(self, mut values: Vec<f64>) -> Value<'static> {
        values.sort_unstable_by(f64::total_cmp);
        let mut found = self.fractions.iter().map(|fraction| at(&values, *fraction));
        if self.is_single {
            return found.next().flatten().map_or(Value::NULL, |value| Number::Double(value).into());
        }
        let mut array = RawArrayBuf::new();
        found.for_each(|value| array.push(value.map_or(RawBson::Null, RawBson::Double)));
        Value::Owned(RawBson::Array(array))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place among values"
)]
fn at(sorted: &[f64], fraction: f64) -> Option<f64> {
    let rank = (fraction * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).or(sorted.last()).copied()
}

/// The fractions of `p`: an array of constants between 0 and 1.
fn fractions(name: &str, text: &Bson, names: &Names) -> Result<Vec<f64>> {
    let (empty, context) = (RawDocumentBuf::new(), Context::new(DateTime::from_millis(0), 0, Vec::new()));
    let expression = Expression::compile(text, names)?;
    let value = expression.evaluate(&mut Env::new(&empty, &context))?;
    let Some(items) = value.into_elements()?.filter(|items| !items.is_empty()) else {
        return Err(Code::PERCENTILE_FRACTIONS.value(format!("p of {name} is an array of numbers")));
    };
    let fraction = |item: &Value<'_>| {
        let number =
            item.number().ok_or_else(|| Code::PERCENTILE_FRACTION_TYPE.value(format!("p of {name} holds numbers")))?;
        let fraction = number.as_f64();
        if (0.0..=1.0).contains(&fraction) {
            return Ok(fraction);
        }
        Err(Code::PERCENTILE_FRACTION.value(format!("the numbers in p of {name} lie between 0 and 1")))
    };
    items.iter().map(fraction).collect()
}

/// The arguments of a call: the input, then the fractions as a constant.
fn parse(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let (percentiles, input) = Percentiles::parse(name, operand, compiler.names())?;
    let fractions = Bson::Array(percentiles.fractions.into_iter().map(Bson::Double).collect());
    let fractions = Expression::Constant(constant(&fractions, limits::DOCUMENT_DEPTH_MAX)?);
    Ok(vec![Some(compiler.expression(&input)?), Some(fractions)])
}

/// Over the numbers of an array, or a single one.
fn evaluate<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (input, fractions) = call.pair(env)?;
    let numbers = |values: Vec<Value<'_>>| values.iter().filter_map(Value::number).map(Number::as_f64).collect();
    let fractions: Vec<f64> = numbers(fractions.into_elements()?.unwrap_or_default());
    let values = if input.is_array() { input.into_elements()?.unwrap_or_default() } else { vec![input] };
    Ok(Percentiles { fractions, is_single: call.name == "$median" }.of(numbers(values)))
}
