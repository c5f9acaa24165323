//! From the text of a `$setWindowFields` to what it computes.

use bson::raw::RawBson;
use bson::{Bson, Document};

use super::bounds::Window;
use super::functions::Function;
use super::{Output, Windows};
use crate::document::aggregate::accumulator::Accumulator;
use crate::document::aggregate::constants::constant;
use crate::document::code::Code;
use crate::document::date::Unit;
use crate::document::expression::{Expression, Names};
use crate::document::number::Number;
use crate::document::path::{FieldPath, For};
use crate::document::pattern::Pattern;
use crate::error::Result;

impl Windows {
    /// Compiles `{partitionBy, sortBy, output}`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error) for an argument that is missing, unknown or out of its domain.
    pub(in crate::document::aggregate) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let Bson::Document(options) = argument else {
            return Err(Code::FAILED_TO_PARSE.wrong_type("$setWindowFields takes an object"));
        };
        let known = ["partitionBy", "sortBy", "output"];
        if let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Code::UNKNOWN_FIELD.syntax(format!("$setWindowFields has no argument {unknown:?}")));
        }
        let sort = match options.get("sortBy") {
            None => None,
            Some(Bson::Document(order)) => {
                let pattern = Pattern::parse_sort(order, Number::to_i64_leniently)?;
                Some(pattern.collated(names.collator()))
            }
            Some(_) => return Err(Code::TYPE_MISMATCH.wrong_type("sortBy of $setWindowFields is an object")),
        };
        let single = sort.as_ref().and_then(|sort| match sort.fields() {
            [field] => Some((field.path.as_str().to_owned(), field.descending)),
            _ => None,
        });
        let outputs = match options.get("output") {
            Some(Bson::Document(outputs)) => outputs,
            Some(_) => return Err(Code::TYPE_MISMATCH.wrong_type("output of $setWindowFields is an object")),
            None => return Err(Code::MISSING_FIELD.syntax("$setWindowFields needs \"output\"")),
        };
        let order = Order { is_sorted: sort.is_some(), single: single.as_ref().map(|(_, descending)| *descending) };
        let output = |(path, text): (&String, &Bson)| {
            let path = FieldPath::parse(path, For::Expression)?;
            let path = path.parts().iter().map(|part| part.stored_name().clone()).collect();
            let Bson::Document(text) = text else {
                return Err(Code::FAILED_TO_PARSE.wrong_type("an output of $setWindowFields is an object"));
            };
            Ok(Output { path, function: function(text, &order, names)? })
        };
        let sort_value =
            single.map(|(path, _)| Expression::compile(&Bson::from(format!("${path}")), names)).transpose()?;
        Ok(Self {
            partition: options
                .get("partitionBy")
                .map(|text| Expression::compile(text, names))
                .transpose()?
                .into_iter()
                .collect(),
            outputs: outputs.iter().map(output).collect::<Result<_>>()?,
            sort,
            sort_value,
        })
    }
}

/// What is known of the order of rows.
struct Order {
    is_sorted: bool,
    /// Whether it is descending, when it is by one field.
    single: Option<bool>,
}

fn function(text: &Document, order: &Order, names: &Names) -> Result<Function> {
    let mut call = text.clone();
    let window = call.remove("window");
    let Some((name, operand)) = call.iter().next().filter(|(name, _)| name.starts_with('$') && call.len() == 1) else {
        return Err(Code::FAILED_TO_PARSE.syntax("an output of $setWindowFields has one window function"));
    };
    let has_window = window.is_some();
    let check =
        |holds: bool, code: Code, what: &str| if holds { Ok(()) } else { Err(code.syntax(format!("{name} {what}"))) };
    let no_window = || check(!has_window, Code::FAILED_TO_PARSE, "takes no window");
    let sorted = || check(order.is_sorted, Code::WINDOW_NEEDS_SORT, "needs a sortBy");
    let expression = |text: &Bson| Expression::compile(text, names);
    Ok(match name.as_str() {
        "$rank" | "$denseRank" | "$documentNumber" => {
            if has_window {
                return Err(Code::RANK_WINDOW.syntax(format!("{name} takes no window")));
            }
            if operand.as_document().is_none_or(|operand| !operand.is_empty()) {
                return Err(Code::RANK_ARGUMENT.syntax(format!("{name} takes an empty object")));
            }
            if order.single.is_none() && (name != "$documentNumber" || !order.is_sorted) {
                return Err(Code::RANK_SORT.syntax(format!("{name} needs a sortBy of one field")));
            }
            match name.as_str() {
                "$rank" => Function::Rank,
                "$denseRank" => Function::DenseRank,
                _ => Function::DocumentNumber,
            }
        }
        "$shift" => {
            no_window()?;
            sorted()?;
            let [output, by, default] = arguments(name, operand, ["output", "by", "default"])?;
            let by = by.and_then(Number::from_bson).and_then(Number::as_i64);
            let by = by.ok_or_else(|| Code::FAILED_TO_PARSE.syntax("by of $shift is a whole number"))?;
            let default = default.map_or(Ok(Bson::Null), |default| constant(default, names))?;
            let default = RawBson::try_from(default).unwrap_or(RawBson::Null);
            Function::Shift { output: expression(needed(name, "output", output)?)?, by, default }
        }
        "$locf" => {
            no_window()?;
            Function::LastObserved(expression(operand)?)
        }
        "$linearFill" => {
            no_window()?;
            if order.single.is_none() {
                return Err(Code::LINEAR_FILL_SORT.syntax("$linearFill needs a sortBy of one field"));
            }
            Function::LinearFill(expression(operand)?)
        }
        "$expMovingAvg" => {
            no_window()?;
            sorted()?;
            moving_average(name, operand, names)?
        }
        "$derivative" | "$integral" => {
            if order.single.is_none() {
                return Err(Code::WINDOW_NEEDS_SORT.syntax(format!("{name} needs a sortBy of one field")));
            }
            let [input, unit] = arguments(name, operand, ["input", "unit"])?;
            let unit = unit.map(|unit| fixed_unit(name, unit)).transpose()?;
            let is_integral = name == "$integral";
            if !is_integral && !has_window {
                return Err(Code::FAILED_TO_PARSE.syntax("$derivative needs a window"));
            }
            let input = expression(needed(name, "input", input)?)?;
            Function::Slope { input, unit, window: bounds(window.as_ref(), order, names)?, is_integral }
        }
        "$covariancePop" | "$covarianceSamp" => {
            let (x, y) = match operand.as_array().map(Vec::as_slice) {
                Some([x, y]) => (expression(x)?, expression(y)?),
                _ => return Err(Code::FAILED_TO_PARSE.syntax(format!("{name} takes an array of two"))),
            };
            let of_sample = name == "$covarianceSamp";
            Function::Covariance { pair: (x, y), window: bounds(window.as_ref(), order, names)?, of_sample }
        }
        _ => {
            let (accumulator, expression) =
                Accumulator::compile(&call, names).map_err(|error| match Code::of(&error) {
                    Some(Code::GROUP_UNKNOWN_OPERATOR) => {
                        Code::FAILED_TO_PARSE.syntax(format!("there is no window function {name:?}"))
                    }
                    _ => error,
                })?;
            Function::Accumulate { accumulator, expression, window: bounds(window.as_ref(), order, names)? }
        }
    })
}

/// The arguments of these names.
fn arguments<'t, const N: usize>(name: &str, operand: &'t Bson, known: [&str; N]) -> Result<[Option<&'t Bson>; N]> {
    let Bson::Document(operand) = operand else {
        return Err(Code::FAILED_TO_PARSE.wrong_type(format!("{name} takes an object")));
    };
    if let Some(unknown) = operand.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Code::FAILED_TO_PARSE.syntax(format!("{name} has no argument {unknown:?}")));
    }
    Ok(known.map(|argument| operand.get(argument)))
}

fn needed<'t>(name: &str, argument: &str, text: Option<&'t Bson>) -> Result<&'t Bson> {
    text.ok_or_else(|| Code::FAILED_TO_PARSE.syntax(format!("{name} needs {argument:?}")))
}

fn moving_average(name: &str, operand: &Bson, names: &Names) -> Result<Function> {
    let [input, n, alpha] = arguments(name, operand, ["input", "N", "alpha"])?;
    let weight = match (n, alpha) {
        (Some(n), None) => {
            let n = Number::from_bson(n).and_then(Number::as_i64).filter(|n| *n > 0);
            let n = n.ok_or_else(|| Code::FAILED_TO_PARSE.syntax("N of $expMovingAvg is a positive integer"))?;
            Number::Int32(2).divide(Number::Int64(n.saturating_add(1))).unwrap_or(Number::Int32(1))
        }
        (None, Some(alpha)) => {
            let alpha = Number::from_bson(alpha)
                .filter(|alpha| alpha.compare(Number::Int32(0)).is_gt() && alpha.compare(Number::Int32(1)).is_lt());
            alpha.ok_or_else(|| Code::FAILED_TO_PARSE.syntax("alpha of $expMovingAvg lies between 0 and 1"))?
        }
        _ => return Err(Code::FAILED_TO_PARSE.syntax("$expMovingAvg takes either N or alpha")),
    };
    Ok(Function::MovingAverage { input: Expression::compile(needed(name, "input", input)?, names)?, weight })
}

/// A unit that always has as many milliseconds.
fn fixed_unit(name: &str, unit: &Bson) -> Result<Unit> {
    let unit = unit.as_str().and_then(Unit::parse).filter(|unit| unit.months().is_none());
    unit.ok_or_else(|| Code::WINDOW_UNIT.value(format!("the unit of {name} is a week or shorter")))
}

/// `{documents: [lower, upper]}` or `{range: [lower, upper], unit}`.
fn bounds(window: Option<&Bson>, order: &Order, names: &Names) -> Result<Window> {
    let Some(window) = window else { return Ok(Window::All) };
    let [documents, range, unit] = arguments("window", window, ["documents", "range", "unit"])?;
    let both = |bounds: &Bson| match bounds.as_array().map(Vec::as_slice) {
        Some([lower, upper]) => Ok((constant(lower, names)?, constant(upper, names)?)),
        _ => Err(Code::FAILED_TO_PARSE.syntax("a window has two bounds")),
    };
    let unordered = || Code::WINDOW_BOUNDS.value("the lower bound of a window is not above its upper one");
    match (documents, range) {
        (Some(documents), None) if unit.is_none() => {
            let (lower, upper) = both(documents)?;
            let (lower, upper) = (place(&lower)?, place(&upper)?);
            if !order.is_sorted && (lower.is_some() || upper.is_some()) {
                return Err(Code::WINDOW_NEEDS_SORT.syntax("a window of some documents needs a sortBy"));
            }
            match (lower, upper) {
                (Some(lower), Some(upper)) if lower > upper => Err(unordered()),
                (None, None) => Ok(Window::All),
                (lower, upper) => Ok(Window::Documents(lower, upper)),
            }
        }
        (None, Some(range)) => {
            let (lower, upper) = both(range)?;
            let unit = match unit {
                None => None,
                Some(unit) => {
                    let unit = unit.as_str().and_then(Unit::parse);
                    Some(unit.ok_or_else(|| Code::FAILED_TO_PARSE.value("there is no such unit of time"))?)
                }
            };
            let (lower, upper) = (offset(&lower, unit)?, offset(&upper, unit)?);
            if order.single != Some(false) {
                return Err(Code::WINDOW_RANGE_SORT.syntax("a range needs a sortBy of one ascending field"));
            }
            match (lower, upper) {
                (Some(lower), Some(upper)) if lower.compare(upper).is_gt() => Err(unordered()),
                (lower, upper) => Ok(Window::Range { lower, upper, unit }),
            }
        }
        (None, None) if unit.is_none() => Ok(Window::All),
        _ => {
            Err(Code::FAILED_TO_PARSE.syntax("a window has either documents or a range, and a unit only with a range"))
        }
    }
}

/// A bound by documents.
fn place(bound: &Bson) -> Result<Option<i64>> {
    match bound.as_str() {
        Some("unbounded") => return Ok(None),
        Some("current") => return Ok(Some(0)),
        _ => {}
    }
    let whole = Number::from_bson(bound).and_then(Number::as_i64);
    whole.map(Some).ok_or_else(|| Code::FAILED_TO_PARSE.value("a bound by documents is a whole number"))
}

/// A bound by sort values.
fn offset(bound: &Bson, unit: Option<Unit>) -> Result<Option<Number>> {
    match bound.as_str() {
        Some("unbounded") => return Ok(None),
        Some("current") => return Ok(Some(Number::Int32(0))),
        _ => {}
    }
    let number = Number::from_bson(bound).filter(|number| unit.is_none() || number.as_i64().is_some());
    number.map(Some).ok_or_else(|| Code::FAILED_TO_PARSE.value("a bound of a range is a number, a whole one of units"))
}
