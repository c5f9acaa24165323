//! Bitmaps: strings, seen as bits.

use crate::kv::{BitField, BitFieldOperation, BitOperation, BitOverflow, BitRange, Kv};
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] = &[
    command("bitcount", bitcount),
    command("bitfield", bitfield),
    command("bitfield_ro", bitfield_ro),
    command("bitop", bitop),
    command("bitpos", bitpos),
    command("getbit", getbit),
    command("setbit", setbit),
];

fn getbit(call: &mut Call<'_>) -> Outcome {
    let bit = call.kv().get_bit(call.word(1), offset(call.word(2))?)?;
    call.reply.flag(bit);
    Ok(())
}

fn setbit(call: &mut Call<'_>) -> Outcome {
    let offset = offset(call.word(2))?;
    let bit = match call.word(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err("ERR bit is not an integer or out of range".into()),
    };
    let before = call.kv().set_bit(call.word(1), offset, bit)?;
    call.reply.flag(before);
    Ok(())
}

fn offset(word: &[u8]) -> Result<u64, Refusal> {
    integer(word).and_then(|offset| u64::try_from(offset).ok()).ok_or_else(|| {
        // The model says the same of an offset that is too large.
        "ERR bit offset is not an integer or out of range".into()
    })
}

fn bitcount(call: &mut Call<'_>) -> Outcome {
    let (kv, key) = (call.kv(), call.word(1));
    // Redis looks at the range only when there is a string.
    let range = match call.rest(2) {
        _ if is_missing(&kv, key)? => BitRange::all(),
        [] => BitRange::all(),
        [start, stop, unit @ ..] => range(start, stop, unit)?,
        _ => return Err(Refusal::syntax()),
    };
    let count = kv.bit_count(key, range)?;
    call.reply.count(count);
    Ok(())
}

fn bitpos(call: &mut Call<'_>) -> Outcome {
    let bit = match call.integer(2)? {
        0 => false,
        1 => true,
        _ => return Err("ERR The bit argument must be 1 or 0.".into()),
    };
    let (kv, key) = (call.kv(), call.word(1));
    let range = match call.rest(3) {
        _ if is_missing(&kv, key)? => BitRange::all(),
        [] => BitRange::all(),
        [start] => BitRange::bytes_from(integer(start).ok_or_else(Refusal::not_an_integer)?),
        [start, stop, unit @ ..] => range(start, stop, unit)?,
    };
    let position = kv.bit_position(key, bit, range)?;
    call.reply.integer(position.map_or(-1, |position| i64::try_from(position).unwrap_or(i64::MAX)));
    Ok(())
}

/// Whether there is nothing at a key; what is no string is refused.
fn is_missing(kv: &Kv<InTransaction<'_>>, key: &[u8]) -> Result<bool, Refusal> {
    Ok(kv.value_len(key)? == 0 && !kv.exists(key)?)
}

/// A range in the unit that may follow it: `BYTE` or `BIT`.
fn range(start: &[u8], stop: &[u8], unit: &[&[u8]]) -> Result<BitRange, Refusal> {
    let index = |word: &[u8]| integer(word).ok_or_else(Refusal::not_an_integer);
    let (start, stop) = (index(start)?, index(stop)?);
    match unit {
        [] => Ok(BitRange::bytes(start, stop)),
        [unit] if is(unit, "byte") => Ok(BitRange::bytes(start, stop)),
        [unit] if is(unit, "bit") => Ok(BitRange::bits(start, stop)),
        _ => Err(Refusal::syntax()),
    }
}

fn bitop(call: &mut Call<'_>) -> Outcome {
    let operations =
        [("and", BitOperation::And), ("or", BitOperation::Or), ("xor", BitOperation::Xor), ("not", BitOperation::Not)];
    let found = operations.into_iter().find(|(name, _)| is(call.word(1), name));
    let (_, operation) = found.ok_or_else(Refusal::syntax)?;
    let len = call.kv().bit_operation(operation, call.word(2), call.rest(3))?;
    call.reply.count(len);
    Ok(())
}

fn bitfield(call: &mut Call<'_>) -> Outcome {
    let operations = operations(call)?;
    let answers = call.kv().bit_field(call.word(1), &operations)?;
    let writes = operations.iter().filter(|operation| !matches!(operation, BitFieldOperation::Overflow(_)));
    let changed = writes.zip(&answers).filter(|(operation, answer)| match operation {
        BitFieldOperation::Set(_, value) => answer.is_some_and(|before| before != *value),
        BitFieldOperation::IncrBy(_, by) => answer.is_some() && *by != 0,
        BitFieldOperation::Get(_) | BitFieldOperation::Overflow(_) => false,
    });
    changes::note(call, changed.count() as u64);
    call.reply.array(answers.len());
    for answer in answers {
        match answer {
            Some(number) => call.reply.integer(number),
            None => call.reply.nil(),
        }
    }
    Ok(())
}

fn bitfield_ro(call: &mut Call<'_>) -> Outcome {
    let mut fields = Vec::new();
    for operation in operations(call)? {
        match operation {
            BitFieldOperation::Get(field) => fields.push(field),
            // Redis takes it here too, where nothing can overflow.
            BitFieldOperation::Overflow(_) => {}
            BitFieldOperation::Set(..) | BitFieldOperation::IncrBy(..) => {
                return Err("ERR BITFIELD_RO only supports the GET subcommand".into());
            }
        }
    }
    let numbers = call.kv().bit_field_get(call.word(1), &fields)?;
    call.reply.array(numbers.len());
    for number in numbers {
        call.reply.integer(number);
    }
    Ok(())
}

fn operations(call: &Call<'_>) -> Result<Vec<BitFieldOperation>, Refusal> {
    let (mut operations, mut words) = (Vec::new(), call.rest(2));
    loop {
        let (operation, rest) = match words {
            [] => return Ok(operations),
            [name, kind, offset, rest @ ..] if is(name, "get") => (BitFieldOperation::Get(field(kind, offset)?), rest),
            [name, kind, offset, number, rest @ ..] if is(name, "set") || is(name, "incrby") => {
                let field = field(kind, offset)?;
                let number = integer(number).ok_or_else(Refusal::not_an_integer)?;
                let make = if is(name, "set") { BitFieldOperation::Set } else { BitFieldOperation::IncrBy };
                (make(field, number), rest)
            }
            [name, overflow, rest @ ..] if is(name, "overflow") => {
                let ways = [("wrap", BitOverflow::Wrap), ("sat", BitOverflow::Saturate), ("fail", BitOverflow::Fail)];
                let found = ways.into_iter().find(|(name, _)| is(overflow, name));
                let (_, way) = found.ok_or("ERR Invalid OVERFLOW type specified")?;
                (BitFieldOperation::Overflow(way), rest)
            }
            _ => return Err(Refusal::syntax()),
        };
        operations.push(operation);
        words = rest;
    }
}

/// A field of a type such as `u8`, at a bit or, after `#`, as one of an array.
fn field(kind: &[u8], at: &[u8]) -> Result<BitField, Refusal> {
    let bits = |digits| integer(digits).and_then(|bits| u8::try_from(bits).ok()).unwrap_or(0);
    let field = match kind {
        [b'u', digits @ ..] => BitField::unsigned(bits(digits))?,
        [b'i', digits @ ..] => BitField::signed(bits(digits))?,
        _ => BitField::unsigned(0)?,
    };
    Ok(match at {
        [b'#', index @ ..] => field.nth(offset(index)?),
        at => field.at(offset(at)?),
    })
}
