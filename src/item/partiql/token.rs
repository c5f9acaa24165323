//! Statements as words and signs.

use crate::item::{Position, StatementFault};

/// A kind of word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word as it is: a keyword, a function or a name.
    Word,
    /// `"name"`
    Quoted,
    /// `'text'`
    Text,
    Number,
    /// A sign, such as `<>` or `(`.
    Sign(&'static str),
    End,
}

/// A word or sign, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Lexeme<'s> {
    pub(super) token: Token,
    /// What is written; of quoted names and texts, what is between the quotes, with doubled quotes in it.
    pub(super) text: &'s str,
    pub(super) position: Position,
}

/// Every sign, longer ones first.
const SIGNS: [&str; 24] = [
    "<<", ">>", "<>", "<=", ">=", "!=", "||", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", ":", "?", "*",
    "+", "-", ";",
];

/// What cannot be read is refused without a detail.
const UNREADABLE: StatementFault = StatementFault::NotWellFormed("");

/// The words and signs of a statement, without comments, with [`Token::End`] behind the last.
pub(super) fn read(statement: &str) -> Result<Vec<Lexeme<'_>>, StatementFault> {
    let mut lexemes = Vec::new();
    let mut rest = statement;
    let (mut line, mut column) = (1, 1);
    while let Some(first) = rest.chars().next() {
        let (token, length) = next(rest, first)?;
        let (text, behind) = rest.split_at_checked(length).ok_or(UNREADABLE)?;
        if let Some(token) = token {
            let inner = match token {
                Token::Quoted | Token::Text => text.get(1..text.len().saturating_sub(1)).unwrap_or_default(),
                _ => text,
            };
            let position = Position { line, column, length: text.chars().count() };
            lexemes.push(Lexeme { token, text: inner, position });
        }
        for character in text.chars() {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        rest = behind;
    }
    lexemes.push(Lexeme { token: Token::End, text: "", position: Position { line, column, length: 0 } });
    Ok(lexemes)
}

/// What `text` begins with, and how many bytes that has; space and comments are nothing.
fn next(text: &str, first: char) -> Result<(Option<Token>, usize), StatementFault> {
    if first.is_whitespace() {
        return Ok((None, first.len_utf8()));
    }
    if text.starts_with("--") {
        return Ok((None, text.find('\n').unwrap_or(text.len())));
    }
    if text.starts_with("/*") {
        return text.find("*/").map(|end| (None, end + 2)).ok_or(UNREADABLE);
    }
    if first == '\'' || first == '"' {
        let token = if first == '"' { Token::Quoted } else { Token::Text };
        return quoted(text, first).map(|length| (Some(token), length)).ok_or(UNREADABLE);
    }
    if first.is_alphabetic() || first == '_' || first == '$' {
        let is_word = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
        return Ok((Some(Token::Word), text.find(|character| !is_word(character)).unwrap_or(text.len())));
    }
    if let Some(length) = number(text) {
        return Ok((Some(Token::Number), length));
    }
    let sign = SIGNS.into_iter().find(|sign| text.starts_with(sign)).ok_or(UNREADABLE)?;
    Ok((Some(Token::Sign(sign)), sign.len()))
}

/// How long the quoted text is that `text` begins with; a doubled quote does not end it.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text.get(at..)?.find(quote)? + 1;
        if !text.get(at..)?.starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// How long the number is that `text` begins with, if it does: digits, a point, an exponent.
fn number(text: &str) -> Option<usize> {
    let digits = |from: usize| text.get(from..).map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let integer = digits(0);
    let mut length = integer;
    if text.get(length..)?.starts_with('.') {
        let fraction = digits(length + 1);
        if integer + fraction == 0 {
            return None;
        }
        length += 1 + fraction;
    }
    if length == 0 {
        return None;
    }
    let behind = text.get(length..)?;
    if behind.starts_with(['e', 'E']) {
        let sign = usize::from(behind.get(1..).is_some_and(|behind| behind.starts_with(['+', '-'])));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    Some(length)
}

/// What a quoted name or text means: its doubled quotes are single ones.
pub(super) fn unquoted(text: &str, quote: char) -> String {
    let mut doubled = String::from(quote);
    doubled.push(quote);
    text.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(statement: &str) -> Vec<(Token, String)> {
        read(statement).unwrap().into_iter().map(|lexeme| (lexeme.token, lexeme.text.to_owned())).collect()
    }

    #[test]
    fn words_and_signs_are_told_apart() {
        let found = texts("SELECT a.\"b c\" -- note\n<>'it''s'/* x */-1.5e3<<.5>>");
        let words: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(words, ["SELECT", "a", ".", "b c", "<>", "it''s", "-", "1.5e3", "<<", ".5", ">>", ""]);
        assert_eq!(unquoted("it''s", '\''), "it's");
        assert_eq!(texts("1 e5")[1], (Token::Word, "e5".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in ["'open", "\"open", "/* open", "#", "a = 1 # note", "'it''", "€"] {
            assert_eq!(read(text).unwrap_err(), StatementFault::NotWellFormed(""), "{text}");
        }
    }

    #[test]
    fn places_are_counted_in_characters() {
        let lexemes = read("'é' a\n  bc").unwrap();
        let places: Vec<_> = lexemes.iter().map(|lexeme| lexeme.position.to_string()).collect();
        assert_eq!(places, ["1:1:3", "1:5:1", "2:3:2", "2:5:0"]);
    }

    proptest! {
        #[test]
        fn no_text_is_more_than_refused(text: String) {
            let _ = read(&text);
        }
    }
}
