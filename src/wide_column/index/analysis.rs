//! What storage-attached indexes make of texts before they enter them, and before they look them up.
//!
//! # Source
//! CQL reference, *SAI*: the options `case_sensitive`, `normalize` and `ascii`, which are applied in this order.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::wide_column::schema::IndexDefinition;

/// The options of an index that change texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Analysis {
    is_lowered: bool,
    is_normalized: bool,
    is_ascii: bool,
}

impl Analysis {
    /// The names of the options.
    pub(crate) const OPTIONS: [&'static str; 3] = ["case_sensitive", "normalize", "ascii"];

    /// That of an index, whose options have been checked.
    pub(crate) fn of(index: &IndexDefinition) -> Self {
        let is = |name: &str, value: &str| index.options.get(name).is_some_and(|own| own.eq_ignore_ascii_case(value));
        Self {
            is_lowered: is("case_sensitive", "false"),
            is_normalized: is("normalize", "true"),
            is_ascii: is("ascii", "true"),
        }
    }

    /// Whether texts stay as they are.
    pub(crate) fn keeps_all(self) -> bool {
        !self.is_lowered && !self.is_normalized && !self.is_ascii
    }

    /// A text as the index has it.
    pub(crate) fn term(self, text: &[u8]) -> Cow<'_, [u8]> {
        if self.keeps_all() {
            return Cow::Borrowed(text);
        }
        // What is stored as text is UTF-8.
        let Ok(text) = std::str::from_utf8(text) else { return Cow::Borrowed(text) };
        let mut term = Cow::Borrowed(text);
        if self.is_lowered {
            term = Cow::Owned(term.to_lowercase());
        }
        if self.is_normalized {
            term = Cow::Owned(term.nfc().collect());
        }
        if self.is_ascii && !term.is_ascii() {
            term = Cow::Owned(folded(&term));
        }
        match term {
            Cow::Borrowed(term) => Cow::Borrowed(term.as_bytes()),
            Cow::Owned(term) => Cow::Owned(term.into_bytes()),
        }
    }
}

/// Letters and digits as those of ASCII that they are made of, or are written with; other characters as they are.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        if one.is_ascii() {
            out.push(one);
        } else if let Some(ascii) = written_with(one) {
            out.push_str(ascii);
        } else {
            let start = out.len();
            out.extend(std::iter::once(one).nfkd().filter(|part| !is_combining_mark(*part)));
            let is_folded = out.get(start..).is_some_and(|made| !made.is_empty() && made.is_ascii());
            if !one.is_alphanumeric() || !is_folded {
                out.truncate(start);
                out.push(one);
            }
        }
    }
    out
}

/// Letters that Unicode does not take apart, and marks of punctuation.
fn written_with(one: char) -> Option<&'static str> {
    Some(match one {
        'Æ' => "AE",
        'æ' => "ae",
        'Œ' => "OE",
        'œ' => "oe",
        'ß' => "ss",
        'ẞ' => "SS",
        'Ø' => "O",
        'ø' => "o",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Þ' => "TH",
        'þ' => "th",
        'Ħ' => "H",
        'ħ' => "h",
        'ı' => "i",
        'ĸ' => "q",
        'Ł' => "L",
        'ł' => "l",
        'Ŋ' => "N",
        'ŋ' => "n",
        'Ŧ' => "T",
        'ŧ' => "t",
        'ƒ' => "f",
        '‘' | '’' | '‚' | '‛' | '‹' | '›' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' => "-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(options: (bool, bool, bool), text: &str) -> String {
        let (is_lowered, is_normalized, is_ascii) = options;
        let term = Analysis { is_lowered, is_normalized, is_ascii }.term(text.as_bytes()).into_owned();
        String::from_utf8(term).unwrap()
    }

    // SEM: WID-QRY-5
    #[test]
    fn texts_are_lowered_composed_and_folded_as_the_options_say() {
        let none = (false, false, false);
        assert_eq!(term(none, "Cam\u{e1}l"), "Cam\u{e1}l");
        assert_eq!(term((true, false, false), "CAM\u{c1}L ΣΑΣ"), "cam\u{e1}l σας");
        assert_eq!(term((false, true, false), "Cama\u{301}l"), "Cam\u{e1}l");
        assert_eq!(
            term((false, false, true), "Çà, Łódź: straße №½ „ﬁne“ Ωμέγα"),
            "Ca, Lodz: strasse №½ \"fine\" Ωμέγα"
        );
        assert_eq!(term((true, true, true), "CAMA\u{301}L"), "camal");
    }
}
