//! The functions of expressions: one table for each family, and an index over the tables.

mod arithmetic;
mod arrays;
mod bits;
mod booleans;
mod comparison;
mod conditional;
mod dates;
mod hashed;
mod loops;
mod objects;
mod operand;
mod percentiles;
mod regular;
mod sets;
mod strings;
mod totals;
mod trigonometry;
mod types;
mod variables;

use std::sync::LazyLock;

use super::compile::Function;
pub(crate) use arithmetic::{DIVIDE_BY_ZERO, MODULO_BY_ZERO};
pub(crate) use percentiles::Percentiles;
pub(crate) use totals::keep_extreme;

/// The tables.
static FAMILIES: [&[Function]; 17] = [
    arithmetic::FUNCTIONS,
    arrays::FUNCTIONS,
    bits::FUNCTIONS,
    booleans::FUNCTIONS,
    comparison::FUNCTIONS,
    conditional::FUNCTIONS,
    dates::FUNCTIONS,
    loops::FUNCTIONS,
    objects::FUNCTIONS,
    percentiles::FUNCTIONS,
    regular::FUNCTIONS,
    sets::FUNCTIONS,
    strings::FUNCTIONS,
    totals::FUNCTIONS,
    trigonometry::FUNCTIONS,
    types::FUNCTIONS,
    variables::FUNCTIONS,
];

/// All functions by their names.
static INDEX: LazyLock<Vec<&'static Function>> = LazyLock::new(|| {
    let mut all: Vec<_> = FAMILIES.iter().copied().flatten().collect();
    all.sort_unstable_by_key(|function| function.name);
    all
});

/// Functions that the imitated product has and this crate has not, in byte order. A name that is in neither is a mistake.
const UNMODELLED: &[&str] = &[
    "$accumulator",
    "$covariancePop",
    "$covarianceSamp",
    "$derivative",
    "$encStrContains",
    "$encStrEndsWith",
    "$encStrNormalizedEq",
    "$encStrStartsWith",
    "$function",
    "$meta",
    "$sampleRate",
];

/// The function of this name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    let place = INDEX.binary_search_by(|function| function.name.cmp(name)).ok()?;
    INDEX.get(place).copied()
}

/// Whether the imitated product has a function of this name that is not modelled.
pub(super) fn is_unmodelled(name: &str) -> bool {
    UNMODELLED.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_exactly_one_table() {
        assert!(INDEX.windows(2).all(|pair| pair[0].name < pair[1].name), "a name is in two tables");
        assert!(UNMODELLED.windows(2).all(|pair| pair[0] < pair[1]), "not in order");
        for function in INDEX.iter() {
            assert!(std::ptr::eq(find(function.name).unwrap(), *function));
            assert!(function.name.starts_with('$') && !is_unmodelled(function.name), "{}", function.name);
        }
        assert!(find("$nope").is_none() && !is_unmodelled("$nope"));
    }
}
