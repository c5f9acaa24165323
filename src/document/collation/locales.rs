//! The locales that a collation may name, and their variants.
//!
//! # Source
//! MongoDB manual, Supported Languages and Locales.
#![cfg(feature = "collation")]

use crate::document::code::Code;
use crate::error::{Error, Result};

/// A locale of the table, with its variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Locale<'n> {
    /// The language, script and region.
    name: &'n str,
    /// The type of the collation, as Unicode's key `co` names it.
    variant: Option<&'static str>,
}

/// Every locale without variants but those that are not modelled.
const PLAIN: &[&str] = &[
    "af", "am", "ar", "as", "az", "be", "bg", "bn", "bo", "bs", "bs_Cyrl", "ca", "chr", "cs", "cy", "da", "de",
    "de_AT", "dsb", "dz", "ee", "el", "en", "en_US", "eo", "es", "et", "fa", "fa_AF", "fi", "fil", "fo", "fr", "fr_CA",
    "ga", "gl", "gu", "ha", "haw", "he", "hi", "hr", "hsb", "hu", "hy", "id", "ig", "is", "it", "ja", "ka", "kk", "kl",
    "km", "kn", "ko", "kok", "ky", "lb", "lkt", "ln", "lo", "lt", "lv", "mk", "ml", "mn", "mr", "ms", "mt", "my", "nb",
    "ne", "nl", "nn", "om", "or", "pa", "pl", "ps", "pt", "ro", "ru", "se", "si", "sk", "sl", "smn", "sq", "sr",
    "sr_Latn", "sv", "sw", "ta", "te", "th", "to", "tr", "ug", "uk", "ur", "vi", "wae", "yi", "yo", "zh", "zh_Hant",
    "zu",
];

/// The variants of locales, with what Unicode calls them.
const VARIANTS: &[(&str, &str, &str)] = &[
    ("ar", "compat", "compat"),
    ("bn", "traditional", "trad"),
    ("de", "eor", "eor"),
    ("de", "phonebook", "phonebk"),
    ("de_AT", "phonebook", "phonebk"),
    ("es", "traditional", "trad"),
    ("fi", "traditional", "trad"),
    ("ja", "unihan", "unihan"),
    ("kn", "traditional", "trad"),
    ("ko", "unihan", "unihan"),
    ("si", "dictionary", "dict"),
    ("vi", "traditional", "trad"),
    ("zh", "pinyin", "pinyin"),
    ("zh", "stroke", "stroke"),
    ("zh", "unihan", "unihan"),
    ("zh", "zhuyin", "zhuyin"),
    ("zh_Hant", "stroke", "stroke"),
];

/// What the imitated product has and the data that is compiled in has not.
const UNMODELLED: &[&str] = &[
    "ar@collation=search",
    "az@collation=search",
    "bs@collation=search",
    "ca@collation=search",
    "cs@collation=search",
    "da@collation=search",
    "de@collation=search",
    "en_US_POSIX",
    "es@collation=search",
    "fi@collation=search",
    "gl@collation=search",
    "he@collation=search",
    "hr@collation=search",
    "is@collation=search",
    "kl@collation=search",
    "ko@collation=search",
    "ko@collation=searchjl",
    "ln@collation=phonetic",
    "nb@collation=search",
    "nn@collation=search",
    "se@collation=search",
    "sk@collation=search",
    "smn@collation=search",
    "sr_Latn@collation=search",
    "sv@collation=search",
    "tr@collation=search",
    "yi@collation=search",
    "zh@collation=big5han",
    "zh@collation=gb2312han",
];

impl<'n> Locale<'n> {
    /// The locale that is written so: a name, and perhaps `@collation=` and a variant.
    ///
    /// # Errors
    /// Code 2 for one that does not exist; `Unsupported` for one that is not modelled.
    pub(super) fn named(text: &'n str) -> Result<Self> {
        if UNMODELLED.contains(&text) {
            return Err(Error::unsupported(format!("the collation of the locale {text:?}")));
        }
        let found = match text.split_once("@collation=") {
            None => PLAIN.binary_search(&text).ok().map(|_| Self { name: text, variant: None }),
            Some((name, variant)) => {
                let line = VARIANTS.iter().find(|(of, named, _)| *of == name && *named == variant);
                line.map(|(_, _, variant)| Self { name, variant: Some(variant) })
            }
        };
        found.ok_or_else(|| Code::BAD_VALUE.value(format!("a collation has no locale {text:?}")))
    }

    /// The locale as a language tag.
    pub(super) fn tag(self) -> String {
        let name = self.name.replace('_', "-");
        self.variant.map_or_else(|| name.clone(), |variant| format!("{name}-u-co-{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_name_each_locale_once() {
        assert!(PLAIN.is_sorted_by(|a, b| a < b), "for the binary search");
        assert!(VARIANTS.iter().all(|(name, _, _)| PLAIN.contains(name)));
        assert!(UNMODELLED.iter().all(|text| Locale::named(text).is_err()));
    }

    #[test]
    fn a_variant_belongs_to_its_locale() {
        assert_eq!(Locale::named("de@collation=phonebook").unwrap().tag(), "de-u-co-phonebk");
        assert_eq!(Locale::named("fr_CA").unwrap().tag(), "fr-CA");
        for text in ["en@collation=phonebook", "zzz", "", "EN", "en_GB", "sv@x=y"] {
            assert_eq!(Code::of(&Locale::named(text).unwrap_err()), Some(Code::BAD_VALUE), "{text}");
        }
        assert_eq!(Code::of(&Locale::named("en_US_POSIX").unwrap_err()), Some(Code::NOT_IMPLEMENTED));
    }
}
