//! Values out of JSON, as `INSERT JSON` and `fromJson` have them.
//!
//! # Source
//! CQL reference, *JSON support*: which forms of JSON each type takes.

use super::{Parsed, parse};
use crate::limits;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// JSON, with numbers as they were written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::wide_column::cql) enum Json {
    Null,
    Boolean(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    /// In the order of the text; of a name that is there twice the last counts.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// What `text` says.
    ///
    /// # Errors
    /// A message for what is no JSON, or is nested too deep.
    pub(in crate::wide_column::cql) fn read(text: &str) -> Parsed<Self> {
        let mut reader = Reader { text, at: 0 };
        let found = reader.value(0)?;
        reader.space();
        if reader.at < text.len() { Err(reader.unexpected()) } else { Ok(found) }
    }

    /// What messages call it: a class of Java, and what it says.
    fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean(value) => format!("Boolean: {value}"),
            Self::Number(text) if text.contains(['.', 'e', 'E']) => format!("Double: {text}"),
            Self::Number(text) if text.parse::<i32>().is_ok() => format!("Integer: {text}"),
            Self::Number(text) if text.parse::<i64>().is_ok() => format!("Long: {text}"),
            Self::Number(text) => format!("BigInteger: {text}"),
            Self::String(text) => format!("String: {text}"),
            Self::Array(_) => "ArrayList".to_owned(),
            Self::Object(_) => "LinkedHashMap".to_owned(),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn eat(&mut self, word: &str) -> bool {
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        self.space();
        if self.eat(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        match self.rest().chars().next() {
            Some(found) => format!("Unexpected character ('{found}') at {}", self.at),
            None => "Unexpected end-of-input".to_owned(),
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Json> {
        if depth > limits::CQL_DEPTH_MAX {
            return Err(format!("nested deeper than {}", limits::CQL_DEPTH_MAX));
        }
        self.space();
        match self.rest().bytes().next() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat("null") => Ok(Json::Null),
            _ if self.eat("true") => Ok(Json::Boolean(true)),
            _ if self.eat("false") => Ok(Json::Boolean(false)),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<Json> {
        self.expect("{")?;
        self.space();
        let mut fields = Vec::new();
        if self.eat("}") {
            return Ok(Json::Object(fields));
        }
        loop {
            self.space();
            if !self.rest().starts_with('"') {
                return Err(self.unexpected());
            }
            let name = self.string()?;
            self.expect(":")?;
            fields.push((name, self.value(depth + 1)?));
            self.space();
            if !self.eat(",") {
                break;
            }
        }
        self.expect("}")?;
        Ok(Json::Object(fields))
    }

    fn array(&mut self, depth: usize) -> Parsed<Json> {
        self.expect("[")?;
        self.space();
        let mut parts = Vec::new();
        if self.eat("]") {
            return Ok(Json::Array(parts));
        }
        loop {
            parts.push(self.value(depth + 1)?);
            self.space();
            if !self.eat(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Json::Array(parts))
    }

    fn number(&mut self) -> Parsed<Json> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let rest = self.rest();
        let text = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len())).unwrap_or_default().to_owned();
        let digits = text.trim_start_matches('-');
        let has_zeros = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        if text.parse::<f64>().is_err() || text.ends_with('.') || has_zeros {
            return Err(self.unexpected());
        }
        self.at += text.len();
        Ok(Json::Number(text))
    }

    fn string(&mut self) -> Parsed<String> {
        self.expect("\"")?;
        let mut found = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ').ok_or("Unexpected end-of-input")?;
            found.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.eat("\"") {
                return Ok(found);
            }
            if !self.eat("\\") {
                return Err(self.unexpected());
            }
            let escaped = self.rest().chars().next().ok_or("Unexpected end-of-input")?;
            self.at += escaped.len_utf8();
            found.push(match escaped {
                '"' | '\\' | '/' => escaped,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.code()?,
                _ => return Err(format!("Unrecognized character escape '{escaped}'")),
            });
        }
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }

    /// The character of four digits, or of two times four.
    fn code(&mut self) -> Parsed<char> {
        let bad = || "Unexpected character in a code of four hexadecimal digits".to_owned();
        let first = self.four_digits().ok_or_else(bad)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(bad);
        }
        let second = if self.eat("\\u") { self.four_digits() } else { None };
        let second = second.filter(|code| (0xdc00..0xe000).contains(code)).ok_or_else(bad)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10 | (second - 0xdc00))).ok_or_else(bad)
    }
}

/// The value of a type that JSON text says.
///
/// # Errors
/// A message for what is no JSON, or none of the type.
pub(in crate::wide_column::cql) fn from_json(cql_type: &CqlType, text: &str) -> Parsed<CqlValue> {
    let json = Json::read(text).map_err(|why| format!("Could not decode JSON string '{text}': {why}"))?;
    value(cql_type, json)
}

/// The value of a type that JSON says.
///
/// # Errors
/// A message for what is none of the type.
pub(in crate::wide_column::cql) fn value(cql_type: &CqlType, json: Json) -> Parsed<CqlValue> {
    let of = cql_type.thawed();
    if json == Json::Null {
        return Ok(CqlValue::Null);
    }
    // What is no text may be within one, as the key of a map has to be.
    if let (Json::String(text), true) = (&json, has_parts(of)) {
        return from_json(of, text);
    }
    Ok(match of {
        CqlType::List(element) => CqlValue::List(parts(element, array(json, "a list")?, "list")?),
        CqlType::Set(element) => CqlValue::Set(parts(element, array(json, "a list (representing a set)")?, "set")?),
        CqlType::Vector(element, dimension) => {
            let found = array(json, "a list")?;
            if found.len() != usize::from(*dimension) {
                let count = found.len();
                return Err(format!("List had incorrect size: expected {dimension} but given {count}."));
            }
            CqlValue::Vector(parts(element, found, "vector")?)
        }
        CqlType::Tuple(types) => {
            let found = array(json, "a list representation of a tuple")?;
            let shown = |found| Json::Array(found).shown();
            if found.len() > types.len() {
                return Err(format!("Tuple contains extra items (expected {}): {}", types.len(), shown(found)));
            }
            if found.len() < types.len() {
                return Err(format!("Tuple is missing items (expected {}): {}", types.len(), shown(found)));
            }
            CqlValue::Tuple(types.iter().zip(found).map(|(of, json)| value(of, json)).collect::<Parsed<_>>()?)
        }
        CqlType::Map(both) => {
            let entry = |(key, json): (String, Json)| {
                let key = match both.0.thawed() {
                    CqlType::Blob | CqlType::Inet | CqlType::Date | CqlType::Time | CqlType::Timestamp => {
                        parse(&both.0, &key)?
                    }
                    of if has_parts(of) => from_json(of, &key)?,
                    of => value(of, Json::String(key))?,
                };
                match value(&both.1, json)? {
                    CqlValue::Null => Err("Invalid null value in map".to_owned()),
                    own => Ok((key, own)),
                }
            };
            CqlValue::Map(object(json, "a map")?.into_iter().map(entry).collect::<Parsed<_>>()?)
        }
        CqlType::Udt(own) => {
            let fields = object(json, "a map")?;
            let mut found = Vec::with_capacity(fields.len());
            for (name, json) in fields {
                let name = column_name(&name);
                let field = own.fields().iter().find(|(own, _)| *own == name);
                let (name, of) = field
                    .ok_or_else(|| format!("Unknown field '{name}' in value of user defined type {}", own.name()))?;
                found.push((name.clone(), value(of, json)?));
            }
            CqlValue::Udt(found)
        }
        CqlType::Text => match json {
            Json::String(text) => CqlValue::Text(text),
            other => scalar(of, &other)?,
        },
        scalar_type => scalar(scalar_type, &json)?,
    })
}

/// The name that a name in JSON means: lower case, unless it is in quotes of its own.
pub(in crate::wide_column::cql) fn column_name(name: &str) -> String {
    let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    quoted.map_or_else(|| name.to_lowercase(), str::to_owned)
}

fn has_parts(of: &CqlType) -> bool {
    matches!(
        of,
        CqlType::List(_)
            | CqlType::Set(_)
            | CqlType::Map(_)
            | CqlType::Tuple(_)
            | CqlType::Udt(_)
            | CqlType::Vector(..)
    )
}

fn array(json: Json, expected: &str) -> Parsed<Vec<Json>> {
    match json {
        Json::Array(parts) => Ok(parts),
        other => Err(format!("Expected {expected}, but got a {}", other.shown())),
    }
}

fn object(json: Json, expected: &str) -> Parsed<Vec<(String, Json)>> {
    match json {
        Json::Object(fields) => Ok(fields),
        other => Err(format!("Expected {expected}, but got a {}", other.shown())),
    }
}

fn parts(element: &CqlType, parts: Vec<Json>, what: &str) -> Parsed<Vec<CqlValue>> {
    let part = |json: Json| match value(element, json)? {
        CqlValue::Null => Err(format!("Invalid null element in {what}")),
        own => Ok(own),
    };
    parts.into_iter().map(part).collect()
}

fn scalar(of: &CqlType, json: &Json) -> Parsed<CqlValue> {
    let expected = |what: &str| Err(format!("Expected {what}, but got a {}", json.shown()));
    match (of, json) {
        (CqlType::Boolean, Json::Boolean(value)) => Ok(CqlValue::Boolean(*value)),
        (CqlType::Boolean, Json::String(text)) if matches!(text.to_ascii_lowercase().as_str(), "true" | "false") => {
            parse(of, text)
        }
        (CqlType::Boolean, _) => expected("a boolean value"),
        (CqlType::Blob, Json::String(text)) if !text.starts_with("0x") && !text.starts_with("0X") => Err(format!(
            "Value '{text}' is not a valid blob representation: String representation of blob is missing 0x prefix"
        )),
        (
            CqlType::Tinyint
            | CqlType::Smallint
            | CqlType::Int
            | CqlType::Bigint
            | CqlType::Counter
            | CqlType::Varint
            | CqlType::Decimal
            | CqlType::Float
            | CqlType::Double
            | CqlType::Timestamp,
            Json::Number(text),
        )
        | (_, Json::String(text)) => parse(of, text),
        (CqlType::Ascii, _) => expected("an ascii string"),
        (CqlType::Text, _) => expected("a UTF-8 string"),
        (CqlType::Int, _) => expected("an int value"),
        (CqlType::Bigint, _) => expected("a bigint value"),
        (CqlType::Uuid, _) => expected("a string representation of a uuid"),
        (CqlType::Timeuuid, _) => expected("a string representation of a timeuuid"),
        _ => expected(&format!("a {of} value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_or_refused() {
        let text = r#" {"a\n\u0041": [1, -2.5e3, true, null, "\ud83d\ude00"], "b": {}} "#;
        let expected = Json::Object(vec![
            (
                "a\nA".to_owned(),
                Json::Array(vec![
                    Json::Number("1".to_owned()),
                    Json::Number("-2.5e3".to_owned()),
                    Json::Boolean(true),
                    Json::Null,
                    Json::String("😀".to_owned()),
                ]),
            ),
            ("b".to_owned(), Json::Object(Vec::new())),
        ]);
        assert_eq!(Json::read(text), Ok(expected));
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "01",
            "1 2",
            "\"a",
            "\"\\x\"",
            "\"\\ud800\"",
            "nul",
            "{a: 1}",
            "-",
            "1.",
            "\"\u{1}\"",
        ] {
            assert!(Json::read(bad).is_err(), "{bad}");
        }
        assert!(Json::read(&"[".repeat(100_000)).is_err());
    }

    // SEM: WID-QRY-2
    #[test]
    fn every_type_takes_its_forms() {
        let list = CqlType::list(CqlType::Int);
        assert_eq!(from_json(&list, "[1, \"2\"]"), Ok(CqlValue::List(vec![1.into(), 2.into()])));
        assert_eq!(from_json(&list, "[null]"), Err("Invalid null element in list".to_owned()));
        let map = CqlType::map(CqlType::Int, CqlType::frozen(list));
        assert_eq!(
            from_json(&map, r#"{"1": [2]}"#),
            Ok(CqlValue::Map(vec![(1.into(), CqlValue::List(vec![2.into()]))]))
        );
        assert_eq!(from_json(&CqlType::Text, "1"), Err("Expected a UTF-8 string, but got a Integer: 1".to_owned()));
        assert_eq!(from_json(&CqlType::Int, "true"), Err("Expected an int value, but got a Boolean: true".to_owned()));
        assert_eq!(from_json(&CqlType::Blob, "\"0x01\""), Ok(CqlValue::Blob(vec![1])));
        assert!(from_json(&CqlType::Blob, "\"01\"").is_err() && from_json(&CqlType::Int, "1.5").is_err());
        assert_eq!(from_json(&CqlType::Timestamp, "1"), Ok(CqlValue::Timestamp(1)));
        let udt = CqlType::udt(
            crate::wide_column::UserType::new("k", "t").field("a", CqlType::Int).field("B", CqlType::Boolean),
        );
        assert_eq!(
            from_json(&udt, r#"{"A": 1, "\"B\"": true}"#),
            Ok(CqlValue::Udt(vec![("a".to_owned(), 1.into()), ("B".to_owned(), true.into())]))
        );
        assert!(from_json(&udt, r#"{"c": 1}"#).is_err());
        assert_eq!(
            from_json(&CqlType::vector(CqlType::Float, 2), "[1]"),
            Err("List had incorrect size: expected 2 but given 1.".to_owned())
        );
    }
}
