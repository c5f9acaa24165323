//! Replies as values of Lua, and values as replies.

use std::io::Write as _;

use mlua::{Lua, MultiValue, Table, Value};

use crate::limits;
use crate::server::redis::frame::reply::{Protocol, Reply};
use crate::server::redis::frame::request::Slices;
use crate::server::redis::lua::allowance::{Shared, raise};

/// A number in C's `%.{digits}g`.
pub(super) fn format_number(number: f64, digits: usize) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{number:.*e}", digits - 1);
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    match usize::try_from(exponent) {
        Ok(above) if above < digits => trimmed(&format!("{number:.*}", digits - 1 - above)),
        Err(_) if exponent >= -4 => {
            let below = usize::try_from(-exponent).unwrap_or(0);
            trimmed(&format!("{number:.*}", digits - 1 + below))
        }
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
        }
    }
}

/// A number as a word of a command, or as an element of a reply: cut off, not rounded.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is out of range is checked, and has the value that Redis gives it"
)]
pub(crate) fn truncate(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) { number as i64 } else { i64::MIN }
}

/// Reads the reply that `bytes` begin with: its value, and what follows. Only replies of commands come here: they nest
/// a few levels.
pub(crate) fn read<'a>(lua: &Lua, shared: &Shared, bytes: &'a [u8]) -> mlua::Result<(Value, &'a [u8])> {
    // No line of a reply has one of the two without the other.
    let end = memchr::memchr(b'\r', bytes).unwrap_or(bytes.len());
    shared.spend(4)?;
    let (line, rest) = (bytes.get(..end).unwrap_or_default(), bytes.get(end + 2..).unwrap_or_default());
    let Some((kind, text)) = line.split_first() else { return Ok((Value::Boolean(false), rest)) };
    let len = std::str::from_utf8(text).ok().and_then(|text| text.parse::<usize>().ok());
    let single = |name: &str, value: Value| {
        let table = lua.create_table()?;
        table.raw_set(name, value)?;
        mlua::Result::Ok(Value::Table(table))
    };
    let string = |text: &[u8]| {
        shared.spend_bytes(text.len())?;
        shared.string(lua, text)
    };
    let value = match (kind, len) {
        (b'+', _) => single("ok", string(text)?)?,
        (b'-', _) => single("err", string(text)?)?,
        (b':', _) => {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            Value::Integer(number)
        }
        (b',', _) => {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
            single("double", Value::Number(number))?
        }
        (b'(', _) => single("big_number", string(text)?)?,
        (b'#', _) => Value::Boolean(text == b"t"),
        (b'_', _) => Value::Nil,
        (b'$' | b'=', Some(len)) => {
            let (body, after) = (rest.get(..len).unwrap_or_default(), rest.get(len + 2..).unwrap_or_default());
            let value = if *kind == b'=' {
                let table = lua.create_table()?;
                table.raw_set("format", string(body.get(..3).unwrap_or_default())?)?;
                table.raw_set("string", string(body.get(4..).unwrap_or_default())?)?;
                single("verbatim_string", Value::Table(table))?
            } else {
                string(body)?
            };
            return Ok((value, after));
        }
        (b'*' | b'>' | b'~' | b'%', Some(len)) => return read_many(lua, shared, *kind, len, rest),
        _ => Value::Boolean(false),
    };
    Ok((value, rest))
}

fn read_many<'a>(
    lua: &Lua,
    shared: &Shared,
    kind: u8,
    len: usize,
    mut rest: &'a [u8],
) -> mlua::Result<(Value, &'a [u8])> {
    let table = lua.create_table()?;
    for at in 1..=len {
        let (value, after) = read(lua, shared, rest)?;
        rest = after;
        match kind {
            b'~' => table.raw_set(value, true)?,
            b'%' => {
                let (content, after) = read(lua, shared, rest)?;
                rest = after;
                table.raw_set(value, content)?;
            }
            _ => table.raw_set(at, value)?,
        }
    }
    let name = match kind {
        b'~' => "set",
        b'%' => "map",
        _ => return Ok((Value::Table(table), rest)),
    };
    let outer = lua.create_table()?;
    outer.raw_set(name, table)?;
    Ok((Value::Table(outer), rest))
}

/// The words of a command, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Words {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds a word. Returns whether the value is one: a string, or a number. Numbers that are whole have no exponent;
    /// others come with 17 digits.
    ///
    /// # Errors
    /// That the script is over.
    pub(crate) fn push(&mut self, shared: &Shared, value: &Value) -> mlua::Result<bool> {
        let start = self.bytes.len();
        match value {
            Value::String(text) => self.bytes.extend_from_slice(&text.as_bytes()),
            // Writing to a vector does not fail.
            Value::Integer(number) => drop(write!(self.bytes, "{number}")),
            Value::Number(number) => self.bytes.extend_from_slice(format_number(*number, 17).as_bytes()),
            _ => return Ok(false),
        }
        self.ends.push(self.bytes.len());
        shared.spend_bytes(self.bytes.len() - start)?;
        Ok(true)
    }

    pub(crate) fn slices(&self) -> Slices<'_> {
        let mut start = 0;
        let word = |end: &usize| {
            let word = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            word
        };
        self.ends.iter().map(word).collect()
    }
}

/// What the sandbox makes of a value, if anything: of statuses and lists, which cost less to make there.
pub(crate) type Form = Option<u8>;
const STATUS: Form = Some(1);
const OK: Form = Some(2);
const LIST: Form = Some(3);
const TEXTS: Form = Some(4);
const TEXT_AND_TEXTS: Form = Some(5);

/// Values of a list that are handed over one by one.
const LIST_VALUES_MAX: usize = 256;

/// Bytes of strings that are handed over in one piece, for which there is room twice.
const TEXTS_BYTES_MAX: usize = 16 << 10;

/// A reply as the sandbox is given it.
pub(crate) fn answer(lua: &Lua, shared: &Shared, bytes: &[u8]) -> mlua::Result<(Value, Form, MultiValue)> {
    match bytes {
        b"+OK\r\n" => {
            shared.spend(4)?;
            Ok((Value::Nil, OK, MultiValue::new()))
        }
        [b'+', text @ .., b'\r', b'\n'] => {
            shared.spend(4)?;
            shared.spend_bytes(text.len())?;
            Ok((shared.string(lua, text)?, STATUS, MultiValue::new()))
        }
        [b'*', rest @ ..] => {
            if let Some(Texts { form, text, lengths }) = Texts::read(bytes) {
                shared.spend(4 * (lengths.len() as u64 + 1))?;
                shared.spend_bytes(text.len())?;
                return Ok((shared.string(lua, &text)?, form, lengths));
            }
            match list(lua, shared, rest)? {
                Some(values) => Ok((Value::Nil, LIST, values)),
                None => Ok((read(lua, shared, bytes)?.0, None, MultiValue::new())),
            }
        }
        _ => Ok((read(lua, shared, bytes)?.0, None, MultiValue::new())),
    }
}

/// Strings, one behind the other, and how long each is. The sandbox takes them apart: what is made of it one by one from here costs two
/// closures and a protected call each.
struct Texts {
    form: Form,
    text: Vec<u8>,
    lengths: MultiValue,
}

impl Texts {
    /// A list of a few strings, or a string and such a list, as scans have it. `None` if it is something else.
    fn read(bytes: &[u8]) -> Option<Self> {
        let is_short =
            |(count, rest): &(usize, &[u8])| (1..=LIST_VALUES_MAX).contains(count) && rest.len() <= TEXTS_BYTES_MAX;
        let (count, rest) = header(bytes, b'*').filter(is_short)?;
        let mut texts = Self { form: TEXTS, text: Vec::with_capacity(rest.len()), lengths: MultiValue::new() };
        let rest = texts.push(1, rest)?;
        if let Some((inner, rest)) = header(rest, b'*').filter(|(inner, _)| count == 2 && *inner < LIST_VALUES_MAX) {
            texts.form = TEXT_AND_TEXTS;
            texts.push(inner, rest)?;
        } else {
            texts.push(count - 1, rest)?;
        }
        Some(texts)
    }

    /// Adds the `count` strings that `bytes` begin with, and returns what follows.
    fn push<'a>(&mut self, count: usize, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        for _ in 0..count {
            let (len, rest) = header(bytes, b'$')?;
            self.text.extend_from_slice(rest.get(..len)?);
            self.lengths.push_back(Value::Integer(i64::try_from(len).ok()?));
            bytes = rest.get(len + 2..)?;
        }
        Some(bytes)
    }
}

/// The number in the line that `bytes` begin with, when that is of a kind, and what follows.
fn header(bytes: &[u8], kind: u8) -> Option<(usize, &[u8])> {
    let rest = bytes.strip_prefix(&[kind])?;
    let end = memchr::memchr(b'\r', rest)?;
    let number = std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()?;
    Some((number, rest.get(end + 2..)?))
}

/// A list of a few strings, numbers and nils. `None` if it is something else.
fn list(lua: &Lua, shared: &Shared, rest: &[u8]) -> mlua::Result<Option<MultiValue>> {
    let Some(end) = memchr::memchr(b'\r', rest) else { return Ok(None) };
    let len = rest.get(..end).and_then(|len| std::str::from_utf8(len).ok()?.parse::<usize>().ok());
    let Some(len) = len.filter(|len| *len <= LIST_VALUES_MAX) else { return Ok(None) };
    let mut rest = rest.get(end + 2..).unwrap_or_default();
    let mut values = MultiValue::with_capacity(len);
    shared.spend(4)?;
    for _ in 0..len {
        if !matches!(rest, [b'$' | b':', ..]) {
            return Ok(None);
        }
        let (value, after) = read(lua, shared, rest)?;
        rest = after;
        values.push_back(value);
    }
    Ok(Some(values))
}

/// Writes what a script returned, as a client gets it.
pub(crate) struct Writer<'a> {
    pub(crate) reply: &'a mut Reply,
    pub(crate) shared: &'a Shared,
    /// Where the script's reply begins.
    from: usize,
    is_resp3: bool,
}

impl<'a> Writer<'a> {
    /// `shared` says which version's values the script asked for.
    pub(crate) fn new(reply: &'a mut Reply, shared: &'a Shared) -> Self {
        let (from, is_resp3) = (reply.len(), shared.is_resp3.get());
        Self { reply, shared, from, is_resp3 }
    }

    /// Writes `value`, which is within `depth` tables.
    ///
    /// # Errors
    /// That it takes more steps or more bytes than the script may.
    pub(crate) fn write(&mut self, value: &Value, depth: usize) -> mlua::Result<()> {
        self.shared.spend(8)?;
        match value {
            Value::String(text) => {
                self.has_room(text.as_bytes().len())?;
                self.reply.bulk(&*text.as_bytes());
            }
            Value::Integer(number) => self.reply.integer(*number),
            Value::Number(number) => self.reply.integer(truncate(*number)),
            Value::Boolean(flag) if self.is_resp3 => self.reply.boolean(*flag),
            Value::Boolean(true) => self.reply.integer(1),
            Value::Table(_) if depth >= limits::SCRIPT_REPLY_DEPTH_MAX => {
                self.reply.error("ERR reached lua stack limit");
            }
            Value::Table(table) => return self.write_table(table, depth),
            _ => self.reply.nil(),
        }
        // Small values add up, too.
        self.has_room(0)
    }

    /// Refuses more bytes than a script may have.
    fn has_room(&self, more: usize) -> mlua::Result<()> {
        self.shared.spend_bytes(more)?;
        let bytes = (self.reply.len() - self.from).saturating_add(more);
        if bytes > self.shared.bytes_max() {
            return Err(raise("ERR the reply of the script is larger than what a script may have in memory"));
        }
        Ok(())
    }

    fn write_table(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        match table.raw_get::<Value>("err")? {
            Value::String(text) => {
                self.has_room(text.as_bytes().len())?;
                self.reply.error(&text.to_string_lossy());
                return Ok(());
            }
            Value::Nil | Value::Boolean(_) | Value::Table(_) => {}
            _ => {
                self.reply.nil();
                return Ok(());
            }
        }
        if let Value::String(text) = table.raw_get::<Value>("ok")? {
            self.has_room(text.as_bytes().len())?;
            self.reply.simple(&text.to_string_lossy().replace(['\r', '\n'], " "));
            return Ok(());
        }
        match table.raw_get::<Value>("double")? {
            Value::Number(number) => {
                self.reply.double(number);
                return Ok(());
            }
            Value::Integer(number) => {
                self.reply.double(number.to_string().parse().unwrap_or_default());
                return Ok(());
            }
            _ => {}
        }
        if let Value::Table(map) = table.raw_get::<Value>("map")? {
            self.reply.map(self.count(&map)?);
            for pair in map.pairs::<Value, Value>() {
                let (key, value) = pair?;
                self.write(&key, depth + 1)?;
                self.write(&value, depth + 1)?;
            }
            return Ok(());
        }
        if let Value::Table(set) = table.raw_get::<Value>("set")? {
            self.reply.set(self.count(&set)?);
            for pair in set.pairs::<Value, Value>() {
                self.write(&pair?.0, depth + 1)?;
            }
            return Ok(());
        }
        if let Value::String(digits) = table.raw_get::<Value>("big_number")? {
            self.has_room(digits.as_bytes().len())?;
            self.reply.big_number(&digits.to_string_lossy().replace(['\r', '\n'], " "));
            return Ok(());
        }
        if let Value::Table(verbatim) = table.raw_get::<Value>("verbatim_string")?
            && let Value::String(text) = verbatim.raw_get::<Value>("string")?
        {
            let text = text.as_bytes();
            self.has_room(text.len())?;
            match (self.reply.protocol, verbatim.raw_get::<Value>("format")?) {
                (Protocol::Resp3, Value::String(format)) => self.reply.verbatim_as(&format.as_bytes(), &text),
                _ => self.reply.bulk(&*text),
            }
            return Ok(());
        }
        // Its length comes first, and it ends at the first nil. Elements are fetched one by one: there is no room for all at once.
        let mut len = 0;
        while !matches!(table.raw_get::<Value>(len + 1)?, Value::Nil) {
            self.shared.spend(2)?;
            len += 1;
        }
        self.reply.array(len);
        (1..=len).try_for_each(|at| self.write(&table.raw_get(at)?, depth + 1))
    }

    fn count(&self, table: &Table) -> mlua::Result<usize> {
        let mut count = 0;
        for pair in table.pairs::<Value, Value>() {
            pair?;
            self.shared.spend(2)?;
            count += 1;
        }
        Ok(count)
    }
}
