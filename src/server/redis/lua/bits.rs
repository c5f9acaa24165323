//! `bit`: operations on 32 bits.
//!
//! # Source
//! Lua BitOp, "API functions".

use mlua::{Lua, Table, Variadic};

/// An operation on two numbers.
type Binary = fn(u32, u32) -> u32;

/// The 32 bits of a number, which wraps around.
#[expect(clippy::cast_possible_truncation, reason = "a remainder of 2^32")]
#[expect(clippy::cast_sign_loss, reason = "a remainder of 2^32")]
fn bits(number: f64) -> u32 {
    number.round_ties_even().rem_euclid(4_294_967_296.0) as u32
}

fn signed(bits: u32) -> i32 {
    bits.cast_signed()
}

pub(crate) fn functions(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("tobit", lua.create_function(|_, x: f64| Ok(signed(bits(x))))?)?;
    table.raw_set("bnot", lua.create_function(|_, x: f64| Ok(signed(!bits(x))))?)?;
    table.raw_set("bswap", lua.create_function(|_, x: f64| Ok(signed(bits(x).swap_bytes())))?)?;
    let folds: [(&str, Binary); 3] = [("band", |a, b| a & b), ("bor", |a, b| a | b), ("bxor", |a, b| a ^ b)];
    for (name, fold) in folds {
        let function = move |_: &Lua, (first, rest): (f64, Variadic<f64>)| {
            Ok(signed(rest.iter().fold(bits(first), |all, next| fold(all, bits(*next)))))
        };
        table.raw_set(name, lua.create_function(function)?)?;
    }
    let shifts: [(&str, Binary); 5] = [
        ("lshift", |x, n| x << n),
        ("rshift", |x, n| x >> n),
        ("arshift", |x, n| (signed(x) >> n).cast_unsigned()),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, shift) in shifts {
        let function = move |_: &Lua, (x, n): (f64, f64)| Ok(signed(shift(bits(x), bits(n) & 31)));
        table.raw_set(name, lua.create_function(function)?)?;
    }
    let to_hex = |_: &Lua, (x, digits): (f64, Option<f64>)| {
        let digits = digits.map_or(8, |digits| signed(bits(digits)));
        let len = usize::try_from(digits.unsigned_abs().min(8)).unwrap_or(8);
        let text = format!("{:08x}", bits(x));
        let text = text.get(8 - len..).unwrap_or_default();
        Ok(if digits < 0 { text.to_uppercase() } else { text.to_owned() })
    };
    table.raw_set("tohex", lua.create_function(to_hex)?)?;
    Ok(table)
}
