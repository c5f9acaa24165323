//! Patterns of `string.find`, `match`, `gmatch` and `gsub`, whose steps count as a script's own: those of Lua's library
//! cannot be interrupted.
//!
//! # Source
//! Lua 5.1 reference manual, §5.4.1 "Patterns".

use std::rc::Rc;

use memchr::memmem;
use mlua::{Function, Lua, LuaString, MultiValue, Table, Value};

use crate::limits;
use crate::server::redis::lua::allowance::{Output, Shared};
use crate::server::redis::lua::failure::{bad_argument, fail};

/// Steps between two looks at the allowance.
const STEPS_PER_LOOK: u64 = 1_000;

#[derive(Clone, Copy)]
enum Capture {
    Open(usize),
    Closed(usize, usize),
    Position(usize),
}

struct Matcher<'a> {
    lua: &'a Lua,
    shared: &'a Shared,
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<Capture>,
    steps: u64,
    depth: usize,
}

type Found = mlua::Result<Option<usize>>;

impl Matcher<'_> {
    fn step(&mut self) -> mlua::Result<()> {
        self.steps(1)
    }

    fn steps(&mut self, steps: u64) -> mlua::Result<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps >= STEPS_PER_LOOK {
            let spent = std::mem::take(&mut self.steps);
            self.shared.spend(spent)?;
        }
        Ok(())
    }

    fn at(&self, p: usize) -> Option<u8> {
        self.pattern.get(p).copied()
    }

    fn malformed<T>(&self, text: &str) -> mlua::Result<T> {
        Err(fail(self.lua, text))
    }

    /// The end of the class that begins at `p`.
    fn class_end(&mut self, p: usize) -> mlua::Result<usize> {
        match self.at(p) {
            Some(b'%') if self.at(p + 1).is_none() => self.malformed("malformed pattern (ends with '%')"),
            Some(b'%') => Ok(p + 2),
            Some(b'[') => {
                let mut end = p + 1;
                if self.at(end) == Some(b'^') {
                    end += 1;
                }
                loop {
                    self.step()?;
                    match self.at(end) {
                        None => return self.malformed("malformed pattern (missing ']')"),
                        Some(b'%') => end += 2,
                        Some(_) => end += 1,
                    }
                    if self.at(end) == Some(b']') {
                        return Ok(end + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether the byte at `s` is of the class from `p` to `end`.
    fn is_single(&mut self, s: usize, p: usize, end: usize) -> mlua::Result<bool> {
        let Some(byte) = self.subject.get(s).copied() else { return Ok(false) };
        Ok(match self.at(p) {
            Some(b'.') => true,
            Some(b'%') => self.at(p + 1).is_some_and(|class| is_class(byte, class)),
            Some(b'[') => self.is_in_set(byte, p + 1, end - 1)?,
            other => other == Some(byte),
        })
    }

    fn is_in_set(&mut self, byte: u8, mut p: usize, end: usize) -> mlua::Result<bool> {
        let is_negated = self.at(p) == Some(b'^');
        if is_negated {
            p += 1;
        }
        while p < end {
            self.step()?;
            let Some(first) = self.at(p) else { break };
            let is_found = if first == b'%' {
                p += 2;
                self.at(p - 1).is_some_and(|class| is_class(byte, class))
            } else if self.at(p + 1) == Some(b'-') && p + 2 < end {
                p += 3;
                self.at(p - 1).is_some_and(|last| (first..=last).contains(&byte))
            } else {
                p += 1;
                first == byte
            };
            if is_found {
                return Ok(!is_negated);
            }
        }
        Ok(is_negated)
    }

    /// Where a match of the pattern from `p` on ends that begins at `s`.
    fn run(&mut self, s: usize, p: usize) -> Found {
        self.depth += 1;
        if self.depth > limits::PATTERN_DEPTH_MAX {
            return self.malformed("pattern too complex");
        }
        let found = self.run_here(s, p);
        self.depth -= 1;
        found
    }

    fn run_here(&mut self, mut s: usize, mut p: usize) -> Found {
        loop {
            self.step()?;
            match (self.at(p), self.at(p + 1)) {
                (None, _) => return Ok(Some(s)),
                (Some(b'('), Some(b')')) => return self.capture(Capture::Position(s), s, p + 2),
                (Some(b'('), _) => return self.capture(Capture::Open(s), s, p + 1),
                (Some(b')'), _) => return self.close(s, p + 1),
                (Some(b'$'), None) => return Ok((s == self.subject.len()).then_some(s)),
                (Some(b'%'), Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (Some(b'%'), Some(b'f')) => {
                    p += 2;
                    if self.at(p) != Some(b'[') {
                        return self.malformed("missing '[' after '%f' in pattern");
                    }
                    let end = self.class_end(p)?;
                    let byte_at = |at: Option<usize>| at.and_then(|at| self.subject.get(at)).copied().unwrap_or(0);
                    let (before, here) = (byte_at(s.checked_sub(1)), byte_at(Some(s)));
                    if self.is_in_set(before, p + 1, end - 1)? || !self.is_in_set(here, p + 1, end - 1)? {
                        return Ok(None);
                    }
                    p = end;
                }
                (Some(b'%'), Some(digit)) if digit.is_ascii_digit() => match self.back(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    match self.at(end) {
                        Some(b'?') => {
                            if self.is_single(s, p, end)?
                                && let Some(found) = self.run(s + 1, end + 1)?
                            {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'*') => return self.expand(s, s, p, end),
                        Some(b'+') if self.is_single(s, p, end)? => return self.expand(s + 1, s + 1, p, end),
                        Some(b'+') => return Ok(None),
                        Some(b'-') => loop {
                            self.step()?;
                            if let Some(found) = self.run(s, end + 1)? {
                                return Ok(Some(found));
                            }
                            if !self.is_single(s, p, end)? {
                                return Ok(None);
                            }
                            s += 1;
                        },
                        _ if self.is_single(s, p, end)? => (s, p) = (s + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    /// As many as there are, and then fewer.
    fn expand(&mut self, least: usize, mut s: usize, p: usize, end: usize) -> Found {
        while self.is_single(s, p, end)? {
            self.step()?;
            s += 1;
        }
        loop {
            if let Some(found) = self.run(s, end + 1)? {
                return Ok(Some(found));
            }
            if s == least {
                return Ok(None);
            }
            s -= 1;
        }
    }

    fn capture(&mut self, capture: Capture, s: usize, p: usize) -> Found {
        if self.captures.len() >= limits::PATTERN_CAPTURES_MAX {
            return self.malformed("too many captures");
        }
        self.captures.push(capture);
        let len = self.captures.len();
        let found = self.run(s, p)?;
        if found.is_none() {
            self.captures.truncate(len - 1);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Found {
        let open = self.captures.iter().rposition(|capture| matches!(capture, Capture::Open(_)));
        let Some((at, Capture::Open(start))) = open.and_then(|at| Some((at, *self.captures.get(at)?))) else {
            return self.malformed("invalid pattern capture");
        };
        let set = |matcher: &mut Self, capture| {
            if let Some(place) = matcher.captures.get_mut(at) {
                *place = capture;
            }
        };
        set(self, Capture::Closed(start, s));
        let found = self.run(s, p)?;
        if found.is_none() {
            set(self, Capture::Open(start));
        }
        Ok(found)
    }

    fn balance(&mut self, s: usize, p: usize) -> Found {
        let (Some(open), Some(close)) = (self.at(p), self.at(p + 1)) else {
            return self.malformed("unbalanced pattern");
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let (mut level, mut at) = (1usize, s + 1);
        while let Some(byte) = self.subject.get(at).copied() {
            self.step()?;
            at += 1;
            if byte == close {
                level -= 1;
                if level == 0 {
                    return Ok(Some(at));
                }
            } else if byte == open {
                level += 1;
            }
        }
        Ok(None)
    }

    fn back(&mut self, s: usize, digit: u8) -> Found {
        let capture = usize::from(digit).checked_sub(usize::from(b'1')).and_then(|at| self.captures.get(at));
        let Some(Capture::Closed(start, end)) = capture else { return self.malformed("invalid capture index") };
        let (start, end) = (*start, *end);
        let again = self.subject.get(start..end).unwrap_or_default();
        self.steps((again.len() / 32) as u64)?;
        Ok(self.subject.get(s..).is_some_and(|rest| rest.starts_with(again)).then_some(s + again.len()))
    }

    /// The first match that begins at `from` or after, and where it begins and ends.
    fn search(&mut self, from: usize) -> mlua::Result<Option<(usize, usize)>> {
        let is_anchored = self.at(0) == Some(b'^');
        for s in from..=self.subject.len() {
            self.captures.clear();
            if let Some(end) = self.run(s, usize::from(is_anchored))? {
                return Ok(Some((s, end)));
            }
            if is_anchored {
                break;
            }
        }
        Ok(None)
    }

    fn text(&self, start: usize, end: usize) -> mlua::Result<Value> {
        self.shared.spend_bytes(end.saturating_sub(start))?;
        Ok(Value::String(self.lua.create_string(self.subject.get(start..end).unwrap_or_default())?))
    }

    /// The captures; the whole match when there are none.
    fn values(&self, start: usize, end: usize) -> mlua::Result<Vec<Value>> {
        if self.captures.is_empty() {
            return Ok(vec![self.text(start, end)?]);
        }
        self.explicit()
    }

    fn explicit(&self) -> mlua::Result<Vec<Value>> {
        let value = |capture: &Capture| match capture {
            Capture::Closed(start, end) => self.text(*start, *end),
            Capture::Position(at) => Ok(Value::Integer(i64::try_from(at + 1).unwrap_or(i64::MAX))),
            Capture::Open(_) => self.malformed("unfinished capture"),
        };
        self.captures.iter().map(value).collect()
    }
}

fn is_class(byte: u8, class: u8) -> bool {
    let is_one = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_one != class.is_ascii_uppercase()
}

/// The place that `init` says, from 0.
fn start_of(init: Option<i64>, len: usize) -> usize {
    match init.unwrap_or(1) {
        init @ 1.. => usize::try_from(init - 1).unwrap_or(usize::MAX).min(len),
        0 => 0,
        init => len.saturating_sub(usize::try_from(init.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

fn matcher<'a>(lua: &'a Lua, shared: &'a Shared, subject: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
    Matcher { lua, shared, subject, pattern, captures: Vec::new(), steps: 0, depth: 0 }
}

type Arguments = (LuaString, LuaString, Option<i64>, Option<Value>);

fn find(lua: &Lua, shared: &Shared, (subject, pattern, init, plain): Arguments) -> mlua::Result<MultiValue> {
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let from = start_of(init, subject.len());
    let is_plain = plain.is_some_and(|plain| !matches!(plain, Value::Nil | Value::Boolean(false)))
        || !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte));
    let mut matcher = matcher(lua, shared, &subject, &pattern);
    let found = if is_plain {
        // Its time grows with the length of both, whatever they are.
        shared.spend_bytes(subject.len() - from)?;
        shared.spend_bytes(pattern.len())?;
        let at = memmem::find(subject.get(from..).unwrap_or_default(), &pattern);
        at.map(|at| (from + at, from + at + pattern.len()))
    } else {
        matcher.search(from)?
    };
    let Some((start, end)) = found else { return Ok(MultiValue::from_vec(vec![Value::Nil])) };
    let place = |at: usize| Value::Integer(i64::try_from(at).unwrap_or(i64::MAX));
    let mut values = vec![place(start + 1), place(end)];
    values.extend(matcher.explicit()?);
    Ok(MultiValue::from_vec(values))
}

fn match_once(lua: &Lua, shared: &Shared, (subject, pattern, init, _): Arguments) -> mlua::Result<MultiValue> {
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let mut matcher = matcher(lua, shared, &subject, &pattern);
    Ok(MultiValue::from_vec(match matcher.search(start_of(init, subject.len()))? {
        Some((start, end)) => matcher.values(start, end)?,
        None => vec![Value::Nil],
    }))
}

fn match_all(lua: &Lua, shared: &Rc<Shared>, (subject, pattern): (LuaString, LuaString)) -> mlua::Result<Function> {
    let (shared, mut from) = (Rc::clone(shared), 0);
    lua.create_function_mut(move |lua, _: MultiValue| {
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        let mut matcher = matcher(lua, &shared, &subject, &pattern);
        while from <= subject.len() {
            matcher.captures.clear();
            // Here a `^` is a character as any.
            if let Some(end) = matcher.run(from, 0)? {
                let start = from;
                from = if end == start { end + 1 } else { end };
                return Ok(MultiValue::from_vec(matcher.values(start, end)?));
            }
            from += 1;
        }
        Ok(MultiValue::from_vec(vec![Value::Nil]))
    })
}

type Substitution = (LuaString, LuaString, Value, Option<i64>);

fn substitute(
    lua: &Lua,
    shared: &Shared,
    (subject, pattern, by, max): Substitution,
) -> mlua::Result<(LuaString, usize)> {
    let by = match by {
        Value::Integer(_) | Value::Number(_) => lua.coerce_string(by)?.map_or(Value::Nil, Value::String),
        Value::String(_) | Value::Table(_) | Value::Function(_) => by,
        _ => return Err(fail(lua, "bad argument #3 to 'gsub' (string/function/table expected)")),
    };
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let max = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(0));
    let mut matcher = matcher(lua, shared, &subject, &pattern);
    let is_anchored = matcher.at(0) == Some(b'^');
    let (mut result, mut at, mut count) = (Output::new(lua, shared), 0, 0);
    while count < max {
        matcher.captures.clear();
        let found = matcher.run(at, usize::from(is_anchored))?;
        if let Some(end) = found {
            count += 1;
            replace(&matcher, &by, at, end, &mut result)?;
        }
        match found {
            Some(end) if end > at => at = end,
            _ => match subject.get(at) {
                Some(byte) => {
                    result.push(*byte)?;
                    at += 1;
                }
                None => break,
            },
        }
        if is_anchored {
            break;
        }
    }
    result.extend(subject.get(at..).unwrap_or_default())?;
    Ok((result.into_string()?, count))
}

/// Writes what a match is replaced by.
fn replace(matcher: &Matcher<'_>, by: &Value, start: usize, end: usize, result: &mut Output<'_>) -> mlua::Result<()> {
    let values = matcher.values(start, end)?;
    let whole = matcher.subject.get(start..end).unwrap_or_default();
    let value = match by {
        Value::String(text) => {
            let text = text.as_bytes();
            let mut bytes = text.iter();
            while let Some(byte) = bytes.next() {
                match (byte, (*byte == b'%').then(|| bytes.next()).flatten()) {
                    (b'%', Some(b'0')) => result.extend(whole)?,
                    (b'%', Some(digit @ b'1'..=b'9')) => {
                        let value = values.get(usize::from(digit - b'1'));
                        let value = value.ok_or_else(|| fail(matcher.lua, "invalid capture index"))?;
                        if let Some(text) = matcher.lua.coerce_string(value.clone())? {
                            result.extend(&text.as_bytes())?;
                        }
                    }
                    (b'%', Some(other)) => result.push(*other)?,
                    (byte, _) => result.push(*byte)?,
                }
            }
            return Ok(());
        }
        Value::Table(table) => table.get::<Value>(values.into_iter().next().unwrap_or(Value::Nil))?,
        Value::Function(function) => function.call::<Value>(MultiValue::from_vec(values))?,
        _ => Value::Nil,
    };
    match value {
        Value::Nil | Value::Boolean(false) => result.extend(whole)?,
        Value::String(_) | Value::Integer(_) | Value::Number(_) => {
            if let Some(text) = matcher.lua.coerce_string(value)? {
                result.extend(&text.as_bytes())?;
            }
        }
        other => {
            return Err(fail(matcher.lua, &format!("invalid replacement value (a {})", other.type_name())));
        }
    }
    Ok(())
}

/// `string.rep`, which has to know before it begins how much that will be.
fn repeat(lua: &Lua, shared: &Shared, arguments: &MultiValue) -> mlua::Result<LuaString> {
    let text = match arguments.front() {
        Some(value @ (Value::String(_) | Value::Integer(_) | Value::Number(_))) => lua.coerce_string(value.clone())?,
        _ => None,
    };
    let kind = |at: usize| arguments.get(at).map_or("no value", Value::type_name);
    let text = text.ok_or_else(|| bad_argument(lua, 1, "rep", &format!("string expected, got {}", kind(0))))?;
    let count = arguments.get(1).map(|value| lua.coerce_number(value.clone())).transpose()?.flatten();
    let count = count.ok_or_else(|| bad_argument(lua, 2, "rep", &format!("number expected, got {}", kind(1))))?;
    let text = text.as_bytes();
    let mut result = Output::new(lua, shared);
    if !text.is_empty() {
        let count = usize::try_from(crate::server::redis::lua::convert::truncate(count.max(0.0))).unwrap_or(usize::MAX);
        result.repeat(&text, count)?;
    }
    result.into_string()
}

/// The functions that take the place of Lua's.
pub(crate) fn functions(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let own = Rc::clone(shared);
    table.raw_set("find", lua.create_function(move |lua, arguments| find(lua, &own, arguments))?)?;
    let own = Rc::clone(shared);
    table.raw_set("match", lua.create_function(move |lua, arguments| match_once(lua, &own, arguments))?)?;
    let own = Rc::clone(shared);
    let all = lua.create_function(move |lua, arguments| match_all(lua, &own, arguments))?;
    table.raw_set("gmatch", &all)?;
    table.raw_set("gfind", all)?;
    let own = Rc::clone(shared);
    table.raw_set("rep", lua.create_function(move |lua, arguments: MultiValue| repeat(lua, &own, &arguments))?)?;
    let own = Rc::clone(shared);
    table.raw_set("gsub", lua.create_function(move |lua, arguments| substitute(lua, &own, arguments))?)?;
    Ok(table)
}
