//! A collation at work.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::document::collation::Collation;
#[cfg(feature = "collation")]
use crate::document::collation::{Alternate, CaseFirst, MaxVariable, Rules};
use crate::error::Error;
use crate::error::Result;

/// What the sort keys in indexes are made with. Another release may make others: an index that was made with it is refused.
pub(in crate::document) const KEYS: &str = "icu4x 2.4";

/// Compares text by a collation other than `simple`.
#[cfg(feature = "collation")]
#[derive(Debug)]
pub(in crate::document) struct Collator {
    collation: Collation,
    rules: Rules,
    icu: icu_collator::CollatorBorrowed<'static>,
}

/// Nothing: without the feature there is no collation other than `simple`.
#[cfg(not(feature = "collation"))]
#[derive(Debug, PartialEq, Eq)]
pub(in crate::document) enum Collator {}

impl Collation {
    /// The collation at work; of `simple` nothing.
    ///
    /// # Errors
    /// Code 2 for a locale that does not exist and for options that contradict one another; `Unsupported` for what is not modelled, and
    /// without the feature `collation`.
    pub(in crate::document) fn compile(&self) -> Result<Option<Arc<Collator>>> {
        Collator::new(self)
    }
}

#[cfg(not(feature = "collation"))]
impl Collator {
    fn new(collation: &Collation) -> Result<Option<Arc<Self>>> {
        if collation.is_simple() {
            return Ok(None);
        }
        Err(Error::unsupported("a collation other than \"simple\" without the feature `collation`"))
    }

    pub(in crate::document) fn collation(&self) -> &Collation {
        match *self {}
    }

    pub(in crate::document) fn compare(&self, _: &str, _: &str) -> Ordering {
        match *self {}
    }

    pub(in crate::document) fn key(&self, _: &str) -> Vec<u8> {
        match *self {}
    }
}

#[cfg(feature = "collation")]
impl Collator {
    fn new(collation: &Collation) -> Result<Option<Arc<Self>>> {
        use icu_collator::CollatorPreferences;
        use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, MaxVariable as Variable, Strength};
        use icu_collator::preferences::{CollationCaseFirst, CollationNumericOrdering};

        let Some((rules, locale)) = collation.rules()? else { return Ok(None) };
        let unknown = || Error::unsupported(format!("the collation of the locale {:?}", rules.locale));
        let locale: icu_locale_core::Locale = locale.tag().parse().map_err(|_| unknown())?;
        let mut preferences = CollatorPreferences::from(&locale);
        preferences.case_first = Some(match rules.case_first {
            CaseFirst::Upper => CollationCaseFirst::Upper,
            CaseFirst::Lower => CollationCaseFirst::Lower,
            CaseFirst::Off => CollationCaseFirst::False,
        });
        let numeric = rules.numeric_ordering;
        preferences.numeric_ordering =
            Some(if numeric { CollationNumericOrdering::True } else { CollationNumericOrdering::False });
        let mut options = CollatorOptions::default();
        options.strength = Some(match rules.strength {
            1 => Strength::Primary,
            2 => Strength::Secondary,
            3 => Strength::Tertiary,
            4 => Strength::Quaternary,
            _ => Strength::Identical,
        });
        options.alternate_handling = Some(match rules.alternate {
            Alternate::Shifted => AlternateHandling::Shifted,
            Alternate::NonIgnorable => AlternateHandling::NonIgnorable,
        });
        options.max_variable = Some(match rules.max_variable {
            MaxVariable::Punct => Variable::Punctuation,
            MaxVariable::Space => Variable::Space,
        });
        options.case_level = Some(if rules.case_level { CaseLevel::On } else { CaseLevel::Off });
        let icu = icu_collator::Collator::try_new(preferences, options).map_err(|_| unknown())?;
        Ok(Some(Arc::new(Self { collation: collation.clone(), rules, icu })))
    }

    /// What was asked for.
    pub(in crate::document) fn collation(&self) -> &Collation {
        &self.collation
    }

    /// Orders two texts.
    pub(in crate::document) fn compare(&self, a: &str, b: &str) -> Ordering {
        self.icu.compare(a, b)
    }

    /// Bytes whose order is that of texts.
    pub(in crate::document) fn key(&self, text: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(text.len() + 8);
        let Ok(()) = self.icu.write_sort_key_to(text, &mut key);
        key
    }
}

/// Two are the same that order every two texts alike.
#[cfg(feature = "collation")]
impl PartialEq for Collator {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

#[cfg(feature = "collation")]
impl Eq for Collator {}
