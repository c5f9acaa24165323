//! The arguments of a command, as `COMMAND DOCS` lists them.
//!
//! | written | is |
//! |---|---|
//! | `name` or `name:kind` | an argument; without a kind it is a string |
//! | `key:key2` | a key, at the third of the command's places for keys |
//! | `TOKEN` | a word that stands for itself |
//! | `TOKEN=…` | an argument behind a word |
//! | `[…]` | one that may be left out |
//! | `…...` | one that may be repeated; with `+` behind it, its word too |
//! | `<name …\|…>` | one of several |
//! | `{name … …}` | several, one after the other |

use std::iter::Peekable;
use std::str::CharIndices;

/// An argument.
#[derive(Debug, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) token: Option<&'static str>,
    pub(crate) is_optional: bool,
    pub(crate) is_multiple: bool,
    pub(crate) repeats_token: bool,
}

/// What an argument is.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// A word, of this type.
    Word(&'static str),
    /// A key, at this place of the command's.
    Key(usize),
    /// Its token and nothing else.
    Token,
    OneOf(Vec<Argument>),
    Block(Vec<Argument>),
}

/// The types of words other than strings.
const TYPES: [&str; 4] = ["integer", "double", "pattern", "unix-time"];

/// What ends a name.
const ENDS: [char; 10] = [' ', '|', '>', '}', ']', '[', '<', '{', '.', '+'];

impl Argument {
    /// The arguments of a text; `None` for one that is wrong.
    pub(super) fn parse_all(text: &'static str) -> Option<Vec<Self>> {
        if text.is_empty() {
            return Some(Vec::new());
        }
        let mut parser = Parser { text, chars: text.char_indices().peekable() };
        let arguments = parser.sequence(' ')?;
        parser.chars.next().is_none().then_some(arguments)
    }
}

/// Reads what the program itself has written: no client decides how deep it goes.
struct Parser {
    text: &'static str,
    chars: Peekable<CharIndices<'static>>,
}

impl Parser {
    fn sequence(&mut self, separator: char) -> Option<Vec<Argument>> {
        let mut arguments = vec![self.argument()?];
        while self.takes(separator) {
            arguments.push(self.argument()?);
        }
        Some(arguments)
    }

    fn argument(&mut self) -> Option<Argument> {
        if self.takes('[') {
            let argument = Argument { is_optional: true, ..self.argument()? };
            return self.takes(']').then_some(argument);
        }
        let mut argument = self.one()?;
        argument.is_multiple = self.takes('.') && self.takes('.') && self.takes('.');
        argument.repeats_token = self.takes('+');
        Some(argument)
    }

    fn one(&mut self) -> Option<Argument> {
        let (name, kind) = if self.takes('<') {
            let (name, parts) = self.group('|', '>')?;
            (name, Kind::OneOf(parts))
        } else if self.takes('{') {
            let (name, parts) = self.group(' ', '}')?;
            (name, Kind::Block(parts))
        } else {
            return self.word();
        };
        Some(Argument { name, kind, ..Argument::of_token("") })
    }

    fn group(&mut self, separator: char, end: char) -> Option<(String, Vec<Argument>)> {
        let name = self.name().to_owned();
        if !self.takes(' ') {
            return None;
        }
        let parts = self.sequence(separator)?;
        self.takes(end).then_some((name, parts))
    }

    fn word(&mut self) -> Option<Argument> {
        let word = self.name();
        if !word.starts_with(|first: char| first.is_ascii_lowercase()) {
            if self.takes('=') && !word.is_empty() {
                return Some(Argument { token: Some(word), ..self.one()? });
            }
            // An equals sign is a token too.
            return Some(Argument::of_token(if word.is_empty() { "=" } else { word }));
        }
        let (name, kind) = word.split_once(':').unwrap_or((word, ""));
        let kind = match kind.strip_prefix("key") {
            Some("") => Kind::Key(0),
            Some(place) => Kind::Key(place.parse().ok()?),
            None if kind.is_empty() => Kind::Word("string"),
            None => Kind::Word(TYPES.into_iter().find(|known| *known == kind)?),
        };
        Some(Argument { name: name.to_owned(), kind, ..Argument::of_token("") })
    }

    /// What goes on until an end.
    fn name(&mut self) -> &'static str {
        let from = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        while self.chars.next_if(|(_, next)| *next != '=' && !ENDS.contains(next)).is_some() {}
        let to = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        self.text.get(from..to).unwrap_or_default()
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, next)| *next == wanted).is_some()
    }
}

impl Argument {
    /// A word that stands for itself; an empty one for none.
    fn of_token(token: &'static str) -> Self {
        Self {
            name: token.to_lowercase(),
            kind: Kind::Token,
            token: (!token.is_empty()).then_some(token),
            is_optional: false,
            is_multiple: false,
            repeats_token: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &'static str) -> Argument {
        Argument::parse_all(text).unwrap().pop().unwrap()
    }

    #[test]
    fn arguments_are_read() {
        assert_eq!(only("count:integer").kind, Kind::Word("integer"));
        assert_eq!(only("key:key1...").kind, Kind::Key(1));
        assert!(only("key:key1...").is_multiple && !only("key:key").is_multiple);
        assert_eq!((only("[NX]").name, only("[NX]").token), ("nx".to_owned(), Some("NX")));
        let expiry = only("[<expiry EX=seconds:integer|KEEPTTL>]");
        let Kind::OneOf(parts) = &expiry.kind else { panic!("{expiry:?}") };
        assert!(expiry.is_optional && expiry.name == "expiry" && parts.len() == 2);
        assert_eq!((parts[0].token, &parts[0].kind), (Some("EX"), &Kind::Word("integer")));
        let Kind::Block(parts) = only("LIMIT={limit offset:integer [<x =|~>]}").kind else { panic!("no block") };
        let Kind::OneOf(parts) = &parts[1].kind else { panic!("{parts:?}") };
        assert_eq!((parts[0].token, parts[1].token), (Some("="), Some("~")));
        let get = only("[GET=pattern:pattern...+]");
        assert!(get.is_optional && get.is_multiple && get.repeats_token && get.token == Some("GET"));
    }

    #[test]
    fn what_is_wrong_is_noticed() {
        for text in ["[a", "<a b", "<a>", "{a b", "a]", "a:color", "a:keyx", "a >"] {
            assert_eq!(Argument::parse_all(text), None, "{text}");
        }
    }
}
