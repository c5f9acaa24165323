//! How alike two vectors are.

use super::signature::{Called, Run, Signature, wrong_count};
use crate::error::Result;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// The function `name` of two vectors of floats; of one that is not known the type is the other's.
///
/// # Errors
/// Cassandra's, for other types.
pub(super) fn signature(name: &str, given: &[Option<CqlType>]) -> Result<Signature> {
    let [a, b] = given else { return Err(wrong_count(name, 2, given.len())) };
    let of = a.as_ref().or(b.as_ref()).ok_or_else(|| super::signature::cannot_infer(name))?;
    let is_floats = |of: &CqlType| matches!(of.thawed(), CqlType::Vector(element, _) if **element == CqlType::Float);
    for own in [a, b].into_iter().flatten() {
        if !is_floats(own) {
            return Err(invalid(format!(
                "Function system.{name} requires a float vector argument, but found argument of type {own}"
            )));
        }
        if own.thawed() != of.thawed() {
            return Err(invalid("All arguments must have the same vector dimensions"));
        }
    }
    let run: Run = match name {
        "similarity_cosine" => cosine,
        "similarity_euclidean" => euclidean,
        _ => dot_product,
    };
    Ok(Signature::new([of.clone(), of.clone()], CqlType::Float, run))
}

/// The elements of both.
fn pairs(call: &Called<'_>) -> impl Iterator<Item = (f64, f64)> {
    let parts = |nth| match call.value(nth) {
        CqlValue::Vector(parts) => parts.iter().map(super::numbers::double).collect(),
        _ => Vec::new(),
    };
    parts(0).into_iter().zip(parts(1))
}

#[expect(clippy::cast_possible_truncation, reason = "a similarity is a float")]
#[expect(clippy::unnecessary_wraps, reason = "as other functions are")]
fn float(similarity: f64) -> Result<CqlValue> {
    Ok(CqlValue::Float(similarity as f32))
}

fn cosine(call: &Called<'_>) -> Result<CqlValue> {
    let (mut dot, mut a2, mut b2) = (0.0, 0.0, 0.0);
    for (a, b) in pairs(call) {
        dot += a * b;
        a2 += a * a;
        b2 += b * b;
    }
    if a2 == 0.0 || b2 == 0.0 {
        return Err(invalid("Function system.similarity_cosine doesn't support all-zero vectors."));
    }
    float(f64::midpoint(1.0, dot / (a2 * b2).sqrt()))
}

fn euclidean(call: &Called<'_>) -> Result<CqlValue> {
    let distance: f64 = pairs(call).map(|(a, b)| (a - b) * (a - b)).sum();
    float(1.0 / (1.0 + distance))
}

fn dot_product(call: &Called<'_>) -> Result<CqlValue> {
    let dot: f64 = pairs(call).map(|(a, b)| a * b).sum();
    float(f64::midpoint(1.0, dot))
}
