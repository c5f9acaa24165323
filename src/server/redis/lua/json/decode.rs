//! JSON texts as tables.

use mlua::{Lua, LuaString, Table, Value};

use crate::server::redis::lua::allowance::{Output, Shared};
use crate::server::redis::lua::failure::fail;
use crate::server::redis::lua::json_settings::Settings;

/// A piece of a text, by the names that errors have for them.
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(LuaString),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    /// None of these, and why.
    Error(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::String(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Error(reason) => reason,
        }
    }
}

/// A table that is being read.
enum Frame {
    /// With the place that comes next.
    Array(Table, usize),
    /// With the key whose value comes next.
    Object(Table, LuaString),
}

struct Reader<'a> {
    lua: &'a Lua,
    shared: &'a Shared,
    settings: &'a Settings,
    text: &'a [u8],
    at: usize,
    /// Where the token that was read last begins, or where it goes wrong.
    token_at: usize,
}

pub(super) fn decode(lua: &Lua, shared: &Shared, settings: &Settings, text: &[u8]) -> mlua::Result<Value> {
    if let [first, second, ..] = text
        && (*first == 0 || *second == 0)
    {
        return Err(fail(lua, "JSON parser does not support UTF-16 or UTF-32"));
    }
    Reader { lua, shared, settings, text, at: 0, token_at: 0 }.whole()
}

impl Reader<'_> {
    fn whole(&mut self) -> mlua::Result<Value> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut token = self.token()?;
        loop {
            let mut value = match token {
                Token::String(text) => Value::String(text),
                Token::Number(number) => Value::Number(number),
                Token::Boolean(flag) => Value::Boolean(flag),
                Token::Null => Value::NULL,
                Token::ArrayBegin => {
                    let table = self.descend(frames.len())?;
                    token = self.token()?;
                    if !matches!(token, Token::ArrayEnd) {
                        frames.push(Frame::Array(table, 1));
                        continue;
                    }
                    Value::Table(table)
                }
                Token::ObjectBegin => {
                    let table = self.descend(frames.len())?;
                    token = self.token()?;
                    if !matches!(token, Token::ObjectEnd) {
                        let key = self.key(token)?;
                        frames.push(Frame::Object(table, key));
                        token = self.token()?;
                        continue;
                    }
                    Value::Table(table)
                }
                other => return Err(self.unexpected("value", &other)),
            };
            // It goes into the table around it, and that, when it ends, into the one around that.
            loop {
                let Some(frame) = frames.last_mut() else {
                    return match self.token()? {
                        Token::End => Ok(value),
                        other => Err(self.unexpected("the end", &other)),
                    };
                };
                let (table, is_end) = match frame {
                    Frame::Array(table, place) => {
                        table.raw_set(*place, value)?;
                        *place += 1;
                        token = self.token()?;
                        if !matches!(token, Token::ArrayEnd | Token::Comma) {
                            return Err(self.unexpected("comma or array end", &token));
                        }
                        (table.clone(), matches!(token, Token::ArrayEnd))
                    }
                    Frame::Object(table, key) => {
                        table.raw_set(&*key, value)?;
                        token = self.token()?;
                        if !matches!(token, Token::ObjectEnd | Token::Comma) {
                            return Err(self.unexpected("comma or object end", &token));
                        }
                        let is_end = matches!(token, Token::ObjectEnd);
                        if !is_end {
                            token = self.token()?;
                            *key = self.key(token)?;
                        }
                        (table.clone(), is_end)
                    }
                };
                if !is_end {
                    token = self.token()?;
                    break;
                }
                frames.pop();
                value = Value::Table(table);
            }
        }
    }

    /// A table within `depth` others.
    fn descend(&self, depth: usize) -> mlua::Result<Table> {
        let depth = depth + 1;
        if depth > usize::try_from(self.settings.decode_depth).unwrap_or(usize::MAX) {
            let text = format!("Found too many nested data structures ({depth}) at character {}", self.at);
            return Err(fail(self.lua, &text));
        }
        self.lua.create_table()
    }

    /// A key, and the colon after it.
    fn key(&mut self, token: Token) -> mlua::Result<LuaString> {
        let Token::String(key) = token else { return Err(self.unexpected("object key string", &token)) };
        match self.token()? {
            Token::Colon => Ok(key),
            other => Err(self.unexpected("colon", &other)),
        }
    }

    fn unexpected(&self, wanted: &str, found: &Token) -> mlua::Error {
        let text = format!("Expected {wanted} but found {} at character {}", found.name(), self.token_at + 1);
        fail(self.lua, &text)
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn token(&mut self) -> mlua::Result<Token> {
        let spaces = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.shared.spend(spaces as u64 + 4)?;
        self.at += spaces;
        self.token_at = self.at;
        let single = match self.rest().first() {
            None => return Ok(Token::End),
            Some(b'{') => Token::ObjectBegin,
            Some(b'}') => Token::ObjectEnd,
            Some(b'[') => Token::ArrayBegin,
            Some(b']') => Token::ArrayEnd,
            Some(b':') => Token::Colon,
            Some(b',') => Token::Comma,
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') if self.settings.decodes_invalid || !is_invalid_number(self.rest()) => {
                return self.number();
            }
            Some(b'-' | b'0'..=b'9') => return Ok(Token::Error("invalid number")),
            Some(_) => return self.word(),
        };
        self.at += 1;
        Ok(single)
    }

    fn word(&mut self) -> mlua::Result<Token> {
        for (word, token) in
            [(&b"true"[..], Token::Boolean(true)), (b"false", Token::Boolean(false)), (b"null", Token::Null)]
        {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(token);
            }
        }
        if self.settings.decodes_invalid && is_invalid_number(self.rest()) {
            return self.number();
        }
        Ok(Token::Error("invalid token"))
    }

    fn number(&mut self) -> mlua::Result<Token> {
        match number_at(self.rest()) {
            Some((number, len)) => {
                self.shared.spend_bytes(len.saturating_mul(4))?;
                self.at += len;
                Ok(Token::Number(number))
            }
            None => Ok(Token::Error("invalid number")),
        }
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> mlua::Result<Token> {
        self.at += 1;
        let mut bytes = Output::new(self.lua, self.shared);
        loop {
            let plain = self.rest().iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
            bytes.extend(self.rest().get(..plain).unwrap_or_default())?;
            self.at += plain;
            let broken = |reader: &mut Self, reason| {
                reader.token_at = reader.at;
                Ok(Token::Error(reason))
            };
            match self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    return bytes.into_string().map(Token::String);
                }
                [b'\\', b'u', ..] => {
                    let Some((point, len)) = code_point(self.rest()) else {
                        return broken(self, "invalid unicode escape code");
                    };
                    bytes.extend(point.encode_utf8(&mut [0; 4]).as_bytes())?;
                    self.at += len;
                }
                [b'\\', escaped, ..] => {
                    let byte = match escaped {
                        b'"' | b'\\' | b'/' => *escaped,
                        b'b' => 0x08,
                        b'f' => 0x0c,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        _ => return broken(self, "invalid escape code"),
                    };
                    bytes.push(byte)?;
                    self.at += 2;
                }
                [b'\\'] => return broken(self, "invalid escape code"),
                _ => return broken(self, "unexpected end of string"),
            }
        }
    }
}

/// The character that `\uXXXX` stands for, alone or as a pair of surrogates, and the length of that.
fn code_point(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        is_hex.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
    };
    match unit(0)? {
        high @ 0xd800..=0xdbff => match unit(6)? {
            low @ 0xdc00..=0xdfff => Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12)),
            _ => None,
        },
        point => Some((char::from_u32(point)?, 6)),
    }
}

/// Whether a number is one of C's that JSON does not have.
fn is_invalid_number(text: &[u8]) -> bool {
    let unsigned = match text {
        [b'+', ..] => return true,
        [b'-', rest @ ..] | rest => rest,
    };
    match unsigned {
        [b'0', next, ..] => matches!(next, b'x' | b'X' | b'0'..=b'9'),
        [first, ..] if *first <= b'9' => false,
        _ => ["inf", "nan"]
            .iter()
            .any(|word| unsigned.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))),
    }
}

/// The number that `text` begins with as C's `strtod` reads it, and its length.
fn number_at(text: &[u8]) -> Option<(f64, usize)> {
    let (is_negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let sign_len = text.len() - unsigned.len();
    let starts =
        |word: &str| unsigned.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
    let (number, len) = if starts("infinity") {
        (f64::INFINITY, 8)
    } else if starts("inf") {
        (f64::INFINITY, 3)
    } else if starts("nan") {
        (f64::NAN, 3)
    } else if let Some(found) = hexadecimal(unsigned) {
        found
    } else {
        let (mantissa, has_digits) = digits(unsigned, u8::is_ascii_digit);
        if !has_digits {
            return None;
        }
        let len = mantissa + exponent(unsigned.get(mantissa..).unwrap_or_default(), b'e');
        (std::str::from_utf8(unsigned.get(..len)?).ok()?.parse().ok()?, len)
    };
    Some((if is_negative { -number } else { number }, sign_len + len))
}

/// The length of digits with a point among them, and whether there are any.
fn digits(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> (usize, bool) {
    let whole = text.iter().take_while(|byte| is_digit(byte)).count();
    if text.get(whole) != Some(&b'.') {
        return (whole, whole > 0);
    }
    let fraction = text.iter().skip(whole + 1).take_while(|byte| is_digit(byte)).count();
    (whole + 1 + fraction, whole + fraction > 0)
}

/// The length of an exponent, which is empty or has digits.
fn exponent(text: &[u8], mark: u8) -> usize {
    if !text.first().is_some_and(|first| first.eq_ignore_ascii_case(&mark)) {
        return 0;
    }
    let sign = usize::from(matches!(text.get(1), Some(b'+' | b'-')));
    match text.iter().skip(1 + sign).take_while(|byte| byte.is_ascii_digit()).count() {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

/// A number that `0x` begins.
fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let rest = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?;
    let (len, has_digits) = digits(rest, u8::is_ascii_hexdigit);
    if !has_digits {
        return None;
    }
    let (mut number, mut scale, mut is_fraction) = (0.0, 1.0, false);
    for byte in rest.get(..len)? {
        let Some(digit) = char::from(*byte).to_digit(16) else {
            is_fraction = true;
            continue;
        };
        if is_fraction {
            scale /= 16.0;
            number += f64::from(digit) * scale;
        } else {
            number = number * 16.0 + f64::from(digit);
        }
    }
    let power = exponent(rest.get(len..).unwrap_or_default(), b'p');
    let power_text = rest.get(len + 1..len + power).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("0");
    let factor = power_text.parse::<i32>().map_or(f64::INFINITY, |power| 2.0f64.powi(power));
    Some((number * factor, 2 + len + power))
}
