//! Regular expressions as PCRE reads them.
//!
//! The engine differs from PCRE in what classes such as `\d` hold, in `$` before a last newline, and in what stands for
//! itself in brackets. [`Regular::compile`] writes a pattern anew where its meaning would change, and refuses by name
//! what has no counterpart: recursion, and verbs other than `(*UTF)` and `(*UCP)` at the beginning.
//!
//! # Source
//! PCRE2 pattern syntax; MongoDB manual, `$regex`.

use std::fmt::Write as _;

use fancy_regex::{Captures, Regex};

use super::code::Code;
use crate::error::{Error, Result};
use crate::limits;

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = " \\t\\n\\r\\f\\x0b";
/// The end, or a newline before it.
const END: &str = "(?=\\n?\\z)";

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(super) struct Regular {
    regex: Regex,
}

impl Regular {
    /// Compiles `pattern` with the letters of `options`: `i`, `m`, `x`, `s`, and `u`, which changes nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names what this engine has not; [`Error::Invalid`] for what is no pattern, with
    /// [`Code::REGEX_COMPILE`], and for other letters, with [`Code::REGEX_OPTION`].
    #[inline(never)]
    pub(super) fn compile(pattern: &str, options: &str) -> Result<Self> {
        limits::check("bytes of a regular expression", limits::REGEX_BYTES_MAX, pattern.len())?;
        if let Some(letter) = options.chars().find(|letter| !"imxsu".contains(*letter)) {
            return Err(Code::REGEX_OPTION.value(format!("a regular expression has no option {letter:?}")));
        }
        let flags: String = "imxs".chars().filter(|flag| options.contains(*flag)).collect();
        let mut text = String::new();
        if !flags.is_empty() {
            let _ = write!(text, "(?{flags})");
        }
        let inline = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')')).map_or("", |(flags, _)| flags);
        let has =
            |flag| flags.contains(flag) || (inline.bytes().all(|b| b.is_ascii_lowercase()) && inline.contains(flag));
        let (pattern, is_unicode) = without_verbs(pattern);
        Translation {
            out: &mut text,
            is_multi_line: has('m'),
            is_extended: has('x'),
            is_unicode,
            atom: 0,
            groups: Vec::new(),
        }
        .pattern(pattern)?;
        match Regex::new(&text) {
            Ok(regex) => Ok(Self { regex }),
            Err(error) => Err(Code::REGEX_COMPILE.syntax(format!("{pattern:?} is no regular expression: {error}"))),
        }
    }

    /// Whether some part of `text` matches.
    ///
    /// # Errors
    /// [`Error::Invalid`] when that takes too many steps to find out.
    pub(super) fn is_match(&self, text: &str) -> Result<bool> {
        self.regex.is_match(text).map_err(too_costly)
    }

    /// The first match in `text` from byte `start` on, with its groups.
    ///
    /// # Errors
    /// As [`Regular::is_match`].
    pub(super) fn find<'t>(&self, text: &'t str, start: usize) -> Result<Option<Captures<'t, str>>> {
        self.regex.captures_from_pos(text, start).map_err(too_costly)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn too_costly(error: fancy_regex::Error) -> Error {
    Code::REGEX_STEPS.value(format!("a regular expression was given up: {error}"))
}

/// Writes a pattern in the engine's syntax.
struct Translation<'o> {
    out: &'o mut String,
    is_multi_line: bool,
    is_extended: bool,
    /// Whether classes are of all letters and digits, and not of those of ASCII.
    is_unicode: bool,
    /// Where what a quantifier is about begins.
    atom: usize,
    /// The beginnings of the groups that are open.
    groups: Vec<usize>,
}

/// A pattern without `(*UTF)` and `(*UCP)` in front, and whether it has the latter.
fn without_verbs(pattern: &str) -> (&str, bool) {
    let (mut rest, mut is_unicode) = (pattern, false);
    loop {
        if let Some(behind) = rest.strip_prefix("(*UCP)") {
            (rest, is_unicode) = (behind, true);
        } else if let Some(behind) = rest.strip_prefix("(*UTF8)").or_else(|| rest.strip_prefix("(*UTF)")) {
            rest = behind;
        } else {
            return (rest, is_unicode);
        }
    }
}

type Characters<'p> = std::iter::Peekable<std::str::Chars<'p>>;

impl Translation<'_> {
    fn pattern(&mut self, pattern: &str) -> Result<()> {
        let mut characters = pattern.chars().peekable();
        // Whether a quantifier has just ended, behind which a plus makes it possessive.
        let mut is_quantified = false;
        while let Some(character) = characters.next() {
            let was_quantified = std::mem::replace(&mut is_quantified, false);
            let start = self.out.len();
            let is_skipped = self.is_extended && (character.is_ascii_whitespace() || character == '#');
            if !is_skipped && !matches!(character, '*' | '+' | '?' | '{' | ')') {
                self.atom = start;
            }
            match character {
                '\\' => self.escape(&mut characters)?,
                '[' => self.class(&mut characters)?,
                '(' => {
                    self.groups.push(start);
                    self.group(&mut characters)?;
                }
                ')' => {
                    self.atom = self.groups.pop().unwrap_or(start);
                    self.out.push(')');
                }
                '$' if !self.is_multi_line => self.out.push_str(END),
                // A possessive quantifier gives nothing back.
                '+' if was_quantified => {
                    self.out.insert_str(self.atom, "(?>");
                    self.out.push(')');
                    if matches!(characters.peek(), Some('*' | '+' | '?')) {
                        return Err(Code::REGEX_COMPILE.syntax("a quantifier follows a possessive one"));
                    }
                }
                '*' | '+' => {
                    self.out.push(character);
                    is_quantified = true;
                }
                // Behind a quantifier it makes that lazy.
                '?' => {
                    self.out.push('?');
                    is_quantified = !was_quantified;
                }
                '{' => is_quantified = self.braces(&mut characters),
                '#' if self.is_extended => {
                    self.out.push('#');
                    for comment in characters.by_ref() {
                        self.out.push(comment);
                        if comment == '\n' {
                            break;
                        }
                    }
                }
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    fn escape(&mut self, characters: &mut Characters<'_>) -> Result<()> {
        let Some(escaped) = characters.next() else {
            self.out.push('\\');
            return Ok(());
        };
        let _ = match escaped {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' if self.is_unicode => write!(self.out, "\\{escaped}"),
            // The name of a property is no quantifier.
            'p' | 'P' => {
                let _ = write!(self.out, "\\{escaped}");
                if characters.next_if_eq(&'{').is_some() {
                    self.out.push('{');
                    for named in characters.by_ref() {
                        self.out.push(named);
                        if named == '}' {
                            break;
                        }
                    }
                }
                Ok(())
            }
            // The match begins anew.
            'K' => write!(self.out, "\\K"),
            'd' => write!(self.out, "[{DIGIT}]"),
            'D' => write!(self.out, "[^{DIGIT}]"),
            'w' => write!(self.out, "[{WORD}]"),
            'W' => write!(self.out, "[^{WORD}]"),
            's' => write!(self.out, "[{SPACE}]"),
            'S' => write!(self.out, "[^{SPACE}]"),
            'h' => write!(self.out, "[ \\t]"),
            'Z' => write!(self.out, "{END}"),
            'b' => write!(self.out, "(?:(?<![{WORD}])(?=[{WORD}])|(?<=[{WORD}])(?![{WORD}]))"),
            'B' => write!(self.out, "(?:(?<![{WORD}])(?![{WORD}])|(?<=[{WORD}])(?=[{WORD}]))"),
            'R' | 'X' | 'C' | 'N' | 'H' | 'v' | 'V' | 'Q' | 'E' | 'c' | 'g' | 'G' | 'o' => {
                return Err(unmodelled(&format!("\\{escaped}")));
            }
            // What has no meaning of its own stands for itself.
            other if other.is_ascii_punctuation() || other.is_ascii_alphanumeric() => write!(self.out, "\\{other}"),
            other => write!(self.out, "{other}"),
        };
        Ok(())
    }

    /// A class in brackets, in which brackets, ampersands and the like stand for themselves.
    fn class(&mut self, characters: &mut Characters<'_>) -> Result<()> {
        self.out.push('[');
        if characters.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        if characters.next_if_eq(&']').is_some() {
            self.out.push_str("\\]");
        }
        while let Some(character) = characters.next() {
            match character {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => {
                    let short = match characters.peek() {
                        Some('d') if !self.is_unicode => Some(DIGIT),
                        Some('w') if !self.is_unicode => Some(WORD),
                        Some('s') if !self.is_unicode => Some(SPACE),
                        Some('h') => Some(" \\t"),
                        Some('b') => Some("\\x08"),
                        _ => None,
                    };
                    match short {
                        Some(short) => {
                            characters.next();
                            self.out.push_str(short);
                        }
                        None => self.escape(characters)?,
                    }
                }
                '[' if characters.peek() == Some(&':') => {
                    let named: String = characters.by_ref().take_while(|named| *named != ']').collect();
                    match unicode_class(&named).filter(|_| self.is_unicode) {
                        Some(class) => self.out.push_str(class),
                        None => {
                            let _ = write!(self.out, "[{named}]");
                        }
                    }
                }
                '[' | '&' | '~' => {
                    self.out.push('\\');
                    self.out.push(character);
                }
                '-' if self.out.ends_with('-') && !self.out.ends_with("\\-") => self.out.push_str("\\-"),
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    fn group(&mut self, characters: &mut Characters<'_>) -> Result<()> {
        self.out.push('(');
        if characters.peek() == Some(&'*') {
            return Err(unmodelled("verbs"));
        }
        if characters.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        match characters.peek() {
            Some('#') => {
                // A comment, of which nothing stays.
                self.out.pop();
                characters.by_ref().find(|character| *character == ')');
            }
            Some('R' | '0'..='9' | '&' | '+' | '|' | '\'') => return Err(unmodelled("recursion and conditions")),
            _ => self.out.push('?'),
        }
        Ok(())
    }

    /// A quantifier in braces, or a brace that stands for itself. Returns whether it was one.
    fn braces(&mut self, characters: &mut Characters<'_>) -> bool {
        let inner: String = characters.clone().take_while(|character| *character != '}').collect();
        let (least, most) = inner.split_once(',').unwrap_or((&inner, "0"));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let ends = characters.clone().nth(inner.chars().count()) == Some('}');
        if !ends || least.is_empty() || !is_number(least) || !is_number(most) {
            self.out.push_str("\\{");
            return false;
        }
        let _ = write!(self.out, "{{{inner}}}");
        characters.nth(inner.chars().count());
        true
    }
}

/// What a named class such as `:alpha:` holds among all characters.
fn unicode_class(named: &str) -> Option<&'static str> {
    Some(match named {
        ":alpha:" => "\\p{L}",
        ":digit:" => "\\p{Nd}",
        ":alnum:" => "\\p{L}\\p{N}",
        ":lower:" => "\\p{Ll}",
        ":upper:" => "\\p{Lu}",
        ":space:" => "\\s",
        ":word:" => "\\w",
        _ => return None,
    })
}

fn unmodelled(what: &str) -> Error {
    Error::unsupported(format!("{what} in regular expressions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, options: &str, text: &str) -> bool {
        Regular::compile(pattern, options).unwrap().is_match(text).unwrap()
    }

    // SEM: DOC-FLT-9
    #[test]
    fn patterns_mean_what_they_mean_in_pcre() {
        assert!(matches("a$", "", "a\n") && matches("a\\Z", "", "a\n"), "a newline may follow the end");
        assert!(!matches("a\\z", "", "a\n") && !matches("a$", "", "a\nb") && matches("a$", "m", "a\nb"));
        assert!(!matches("^\\d$", "", "\u{664}") && matches("^\\D$", "", "\u{664}"), "classes are of ASCII");
        assert!(!matches("^\\w+$", "", "é") && matches("\\bb\\b", "", "éb"), "and so are words");
        assert!(matches("^[[a]$", "", "[") && matches("^[a&&b]$", "", "&") && matches("^[]x]$", "", "]"));
        assert!(matches("^[\\d\\s]+$", "", "1 2") && matches("^[[:alpha:]]$", "", "b") && matches("^[+--]$", "", ","));
        assert!(matches("^a{x$", "", "a{x") && matches("^a{2,}$", "", "aaa") && !matches("^a{2}$", "", "aaa"));
        assert!(matches("^A b # c\n$", "ix", "ab") && matches("a.b", "s", "a\nb") && !matches("a.b", "", "a\nb"));
        assert!(matches("(?<=a)b", "", "ab") && matches("(a)\\1", "", "aa") && matches("(?i)A", "", "a"));
        assert!(matches("a(?#comment)b", "", "ab") && matches("a+?b", "", "aab"));
        assert!(matches("a ++ b", "x", "aab") && Regular::compile("a+++", "").is_err());
        assert!(matches("a++b", "", "aab") && !matches("a++ab", "", "aab") && !matches("^(ab|a)?+b$", "", "ab"));
        assert!(
            matches("a{2}+b", "", "aab") && matches("x(a(b))++c", "", "xababc") && matches("foo\\Kbar", "", "foobar")
        );
        assert!(matches("^(a)?(?(1)b|c)$", "", "ab") && !matches("^(a)?(?(1)b|c)$", "", "ac"));
        assert!(matches("^\\p{L}+$", "", "日本") && !matches("^\\P{L}$", "", "a") && matches("\\p{Latin}", "", "a"));
        assert!(matches("(*UCP)^\\w+$", "", "café") && matches("(*UTF)^.{2}$", "", "你好"));
        assert!(matches("(*UCP)[[:alpha:]]", "", "é") && !matches("[[:alpha:]]", "", "é"));
    }

    // SEM: DOC-FLT-9
    #[test]
    fn what_is_not_there_is_refused_by_name_and_what_takes_too_long_is_given_up() {
        for pattern in ["(*ACCEPT)", "(?R)", "(?|a)", "\\Qa\\E", "\\R"] {
            assert!(matches!(Regular::compile(pattern, ""), Err(Error::Unsupported { .. })), "{pattern}");
        }
        for (pattern, options, code) in
            [("(", "", Code::REGEX_COMPILE), ("[a", "", Code::REGEX_COMPILE), ("a", "g", Code::REGEX_OPTION)]
        {
            assert_eq!(Code::of(&Regular::compile(pattern, options).unwrap_err()), Some(code), "{pattern}");
        }
        let costly = Regular::compile("(?i)(a|b|ab)*(?>c)", "").unwrap();
        assert_eq!(
            Code::of(&costly.is_match(&"ab".repeat(200)).map_or_else(|e| e, |_| Error::Closed)),
            Some(Code::REGEX_STEPS)
        );
        assert!(Regular::compile(&"(".repeat(20_000), "").is_err(), "and not the stack");
    }
}
