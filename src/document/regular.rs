//! Regular expressions as PCRE reads them.
//!
//! The engine differs from PCRE in what classes such as `\d` hold, in `$` before a last newline, and in what stands for
//! itself in brackets. [`Regular::compile`] writes a pattern anew where its meaning would change, and refuses by name
//! what has no counterpart: possessive quantifiers, recursion, verbs.
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
        Translation { out: &mut text, is_multi_line: has('m'), is_extended: has('x') }.pattern(pattern)?;
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
}

type Characters<'p> = std::iter::Peekable<std::str::Chars<'p>>;

impl Translation<'_> {
    fn pattern(&mut self, pattern: &str) -> Result<()> {
        let mut characters = pattern.chars().peekable();
        // Whether a quantifier has just ended, behind which a plus makes it possessive.
        let mut is_quantified = false;
        while let Some(character) = characters.next() {
            let was_quantified = std::mem::replace(&mut is_quantified, false);
            match character {
                '\\' => self.escape(characters.next())?,
                '[' => self.class(&mut characters)?,
                '(' => self.group(&mut characters)?,
                '$' if !self.is_multi_line => self.out.push_str(END),
                '+' if was_quantified => return Err(unmodelled("possessive quantifiers")),
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

    fn escape(&mut self, escaped: Option<char>) -> Result<()> {
        let Some(escaped) = escaped else {
            self.out.push('\\');
            return Ok(());
        };
        let _ = match escaped {
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
            'R' | 'X' | 'C' | 'N' | 'H' | 'v' | 'V' | 'Q' | 'E' | 'c' | 'g' | 'G' | 'K' | 'o' => {
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
                '\\' => match characters.next() {
                    Some('d') => self.out.push_str(DIGIT),
                    Some('w') => self.out.push_str(WORD),
                    Some('s') => self.out.push_str(SPACE),
                    Some('h') => self.out.push_str(" \\t"),
                    Some('b') => self.out.push_str("\\x08"),
                    escaped => self.escape(escaped)?,
                },
                '[' if characters.peek() == Some(&':') => {
                    self.out.push('[');
                    for named in characters.by_ref() {
                        self.out.push(named);
                        if named == ']' {
                            break;
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
            Some('R' | '0'..='9' | '&' | '+' | '|' | '(' | '\'') => return Err(unmodelled("recursion and conditions")),
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
    }

    // SEM: DOC-FLT-9
    #[test]
    fn what_is_not_there_is_refused_by_name_and_what_takes_too_long_is_given_up() {
        for pattern in ["a++", "a?+", "a{2}+", "(*ACCEPT)", "(?R)", "(?|a)", "\\Qa\\E", "\\R"] {
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
