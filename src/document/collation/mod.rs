//! Collations: how a language orders text, as a request asks for it.
//!
//! A [`Collation`] is what was asked for, and is checked when it is compiled to a [`Collator`], which compares. `simple` compiles to none:
//! text is ordered by its bytes then, at no cost.
//!
//! # Source
//! MongoDB manual: Collation, Collation Locales and Default Parameters. Unicode Technical Standard 35, part 5.

mod collator;
mod locales;

use bson::{Bson, Document, doc};

pub(super) use self::collator::{Collator, KEYS};
#[cfg(feature = "collation")]
use self::locales::Locale;
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;

/// The version that is shown, and the only one that is taken: that of MongoDB's.
const VERSION: &str = "57.1";

/// How text is compared: by the rules of a language, for the operations and indexes that are given it.
///
/// What is not set has the default of the locale. Mistakes are reported where the collation is used. `simple` compares bytes,
/// which is also what happens without a collation; it undoes that of a collection or an index.
///
/// Comparing costs more than comparing bytes, and a sort key is about as long as the text again; without a collation
/// nothing is paid. Needs the feature `collation`, which `mongo` brings; without it every collation but `simple` is refused
/// by name.
///
/// # Examples
/// ```
/// # #[cfg(feature = "collation")] {
/// use larder::{Document, Store, bson::doc, document::Collation};
/// let people = Store::in_memory().collection::<Document>("people");
/// people.insert_many(["Öberg", "olsson", "Åkesson", "Zorn"].map(|name| doc! { "_id": name }))?;
/// let swedish = || Collation::new("sv");
/// let names = people.find(doc! {}).sort(doc! { "_id": 1 }).collation(swedish()).distinct("_id")?;
/// assert_eq!(names, ["olsson", "Zorn", "Åkesson", "Öberg"].map(Into::into));
/// assert_eq!(people.find(doc! { "_id": "ZORN" }).collation(swedish().strength(2)).count()?, 1);
/// # }
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, Collation.
#[derive(Clone, Debug)]
#[must_use = "a collation does nothing until an operation is given it"]
pub struct Collation {
    locale: String,
    strength: Option<i64>,
    case_level: Option<bool>,
    case_first: Option<CaseFirst>,
    numeric_ordering: Option<bool>,
    alternate: Option<Alternate>,
    max_variable: Option<MaxVariable>,
    normalization: Option<bool>,
    backwards: Option<bool>,
}

/// Two are equal that are the same with the defaults of their locale.
impl PartialEq for Collation {
    fn eq(&self, other: &Self) -> bool {
        self.to_document() == other.to_document()
    }
}

impl Eq for Collation {}

/// Which case comes first where nothing else tells two texts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseFirst {
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// As the third level has it: close to lower case first.
    Off,
}

/// Whether spaces and punctuation count as much as letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alternate {
    /// They do.
    NonIgnorable,
    /// They count only at the fourth strength, and not at all below it.
    Shifted,
}

/// What [`Alternate::Shifted`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaxVariable {
    /// Spaces and punctuation.
    Punct,
    /// Spaces.
    Space,
}

/// A collation that was checked, with the defaults of its locale.
#[cfg(feature = "collation")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the options of the original")]
pub(super) struct Rules {
    locale: String,
    strength: u8,
    case_level: bool,
    case_first: CaseFirst,
    numeric_ordering: bool,
    alternate: Alternate,
    max_variable: MaxVariable,
    normalization: bool,
    backwards: bool,
}

impl Collation {
    /// The locale `simple`.
    pub(super) const SIMPLE: &str = "simple";

    /// The collation of `locale`, such as `sv`, `fr_CA` or `de@collation=phonebook`.
    ///
    /// # Examples
    /// See [`Collation`].
    pub fn new(locale: impl Into<String>) -> Self {
        Self {
            locale: locale.into(),
            strength: None,
            case_level: None,
            case_first: None,
            numeric_ordering: None,
            alternate: None,
            max_variable: None,
            normalization: None,
            backwards: None,
        }
    }

    /// The collation that compares bytes.
    ///
    /// # Examples
    /// ```
    /// use larder::document::Collation;
    /// assert_eq!(Collation::simple(), Collation::new("simple"));
    /// ```
    pub fn simple() -> Self {
        Self::new(Self::SIMPLE)
    }

    /// How much has to differ: 1 letters, 2 accents too, 3 case too (the default), 4 punctuation that is
    /// [shifted](Alternate::Shifted) too, 5 everything.
    ///
    /// # Examples
    /// See [`Collation`].
    pub fn strength(mut self, strength: u8) -> Self {
        self.strength = Some(strength.into());
        self
    }

    /// Whether case counts although the strength is 1 or 2.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::Collation};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many(["Rene", "rene", "René"].map(|name| doc! { "_id": name }))?;
    /// let without_accents = Collation::new("fr").strength(1).case_level(true);
    /// assert_eq!(people.find(doc! { "_id": "René" }).collation(without_accents).count()?, 2);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "caseLevel")]
    pub fn case_level(mut self, counts: bool) -> Self {
        self.case_level = Some(counts);
        self
    }

    /// Which case comes first.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{CaseFirst, Collation}};
    /// let words = Store::in_memory().collection::<Document>("words");
    /// words.insert_many(["a", "A", "b"].map(|word| doc! { "_id": word }))?;
    /// let upper = Collation::new("en").case_first(CaseFirst::Upper);
    /// let first = words.find(doc! {}).sort(doc! { "_id": 1 }).collation(upper).limit(1);
    /// assert_eq!(first.to_vec()?, [doc! { "_id": "A" }]);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "caseFirst")]
    pub fn case_first(mut self, case: CaseFirst) -> Self {
        self.case_first = Some(case);
        self
    }

    /// Whether digits are compared as the numbers they make: `"2"` before `"10"`.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::Collation};
    /// let files = Store::in_memory().collection::<Document>("files");
    /// files.insert_many(["page 10", "page 9"].map(|name| doc! { "_id": name }))?;
    /// let pages = Collation::new("en").numeric_ordering(true);
    /// let first = files.find(doc! {}).sort(doc! { "_id": 1 }).collation(pages).limit(1);
    /// assert_eq!(first.to_vec()?, [doc! { "_id": "page 9" }]);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "numericOrdering")]
    pub fn numeric_ordering(mut self, by_number: bool) -> Self {
        self.numeric_ordering = Some(by_number);
        self
    }

    /// Whether spaces and punctuation count as much as letters.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{Alternate, Collation}};
    /// let words = Store::in_memory().collection::<Document>("words");
    /// words.insert_one(&doc! { "_id": "black-bird" })?;
    /// let letters = Collation::new("en").alternate(Alternate::Shifted);
    /// assert_eq!(words.find(doc! { "_id": "blackbird" }).collation(letters).count()?, 1);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn alternate(mut self, alternate: Alternate) -> Self {
        self.alternate = Some(alternate);
        self
    }

    /// What does not count when it is [shifted](Alternate::Shifted).
    ///
    /// # Examples
    /// ```
    /// use larder::document::{Alternate, Collation, MaxVariable};
    /// let spaces_only = Collation::new("en").alternate(Alternate::Shifted).max_variable(MaxVariable::Space);
    /// # drop(spaces_only);
    /// ```
    #[doc(alias = "maxVariable")]
    pub fn max_variable(mut self, most: MaxVariable) -> Self {
        self.max_variable = Some(most);
        self
    }

    /// Whether text is normalised. It always is; this is what listings show.
    ///
    /// # Examples
    /// ```
    /// use larder::document::Collation;
    /// assert!(Collation::new("vi").normalization(true).to_document().get_bool("normalization").unwrap());
    /// ```
    pub fn normalization(mut self, normalization: bool) -> Self {
        self.normalization = Some(normalization);
        self
    }

    /// Whether accents are compared from the end of a text. Only `fr_CA` does so, and always; asking another locale for it, or
    /// this one not to, is refused by name.
    ///
    /// # Examples
    /// ```
    /// use larder::document::Collation;
    /// let canadian = Collation::new("fr_CA").backwards(true);
    /// # drop(canadian);
    /// ```
    pub fn backwards(mut self, backwards: bool) -> Self {
        self.backwards = Some(backwards);
        self
    }

    /// The collation that a document describes: `{locale, strength, caseLevel, caseFirst, numericOrdering, alternate, maxVariable,
    /// backwards, normalization, version}`, of which `locale` is required. Null counts as not given.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with MongoDB's codes: 2 for an empty document and for a value that an option does not
    /// take, 14 for one of another type, 40414 without a locale, 40415 for another field, 161 for another version.
    ///
    /// # Examples
    /// ```
    /// use larder::{bson::doc, document::Collation};
    /// let collation = Collation::from_document(&doc! { "locale": "en", "strength": 2 })?;
    /// assert_eq!(collation, Collation::new("en").strength(2));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn from_document(document: &Document) -> Result<Self> {
        if document.is_empty() {
            return Err(Code::BAD_VALUE.value("a collation is not empty"));
        }
        let (mut collation, mut locale) = (Self::new(""), None);
        for (name, value) in document.iter().filter(|(_, value)| !matches!(value, Bson::Null)) {
            match name.as_str() {
                "locale" => locale = Some(text(name, value)?.to_owned()),
                "strength" => collation.strength = Some(whole(name, value)?),
                "caseLevel" => collation.case_level = Some(truth(name, value)?),
                "caseFirst" => collation.case_first = Some(CaseFirst::named(text(name, value)?)?),
                "numericOrdering" => collation.numeric_ordering = Some(truth(name, value)?),
                "alternate" => collation.alternate = Some(Alternate::named(text(name, value)?)?),
                "maxVariable" => collation.max_variable = Some(MaxVariable::named(text(name, value)?)?),
                "normalization" => collation.normalization = Some(truth(name, value)?),
                "backwards" => collation.backwards = Some(truth(name, value)?),
                "version" => match text(name, value)? {
                    VERSION => {}
                    other => {
                        let message = format!("the version of a collation is {VERSION:?}, not {other:?}");
                        return Err(Code::INCOMPATIBLE_COLLATION_VERSION.value(message));
                    }
                },
                _ => return Err(Code::UNKNOWN_FIELD.value(format!("a collation has no field {name:?}"))),
            }
        }
        collation.locale = locale.ok_or_else(|| Code::MISSING_FIELD.value("a collation needs a locale"))?;
        Ok(collation)
    }

    /// The collation as a document. Of one that compiles it has every field, with the defaults of its locale; `simple` is alone.
    ///
    /// # Examples
    /// ```
    /// use larder::{bson::doc, document::Collation};
    /// assert_eq!(Collation::simple().to_document(), doc! { "locale": "simple" });
    /// let english = Collation::new("en").to_document();
    /// assert_eq!((english.get_i32("strength").unwrap(), english.get_str("version").unwrap()), (3, "57.1"));
    /// ```
    #[must_use]
    pub fn to_document(&self) -> Document {
        if self.is_simple() {
            return doc! { "locale": Self::SIMPLE };
        }
        let is_danish = matches!(self.locale.as_str(), "da" | "mt");
        let case_first = if is_danish { CaseFirst::Upper } else { CaseFirst::Off };
        let alternate = if self.locale == "th" { Alternate::Shifted } else { Alternate::NonIgnorable };
        let strength = self.strength.unwrap_or(3);
        doc! {
            "locale": &self.locale,
            "caseLevel": self.case_level.unwrap_or(false),
            "caseFirst": self.case_first.unwrap_or(case_first).name(),
            "strength": i32::try_from(strength).map_or(Bson::Int64(strength), Bson::Int32),
            "numericOrdering": self.numeric_ordering.unwrap_or(false),
            "alternate": self.alternate.unwrap_or(alternate).name(),
            "maxVariable": self.max_variable.unwrap_or(MaxVariable::Punct).name(),
            "normalization": self.normalization.unwrap_or(false),
            "backwards": self.backwards.unwrap_or(self.locale == "fr_CA"),
            "version": VERSION,
        }
    }

    /// Whether it compares bytes.
    pub(super) fn is_simple(&self) -> bool {
        self.locale == Self::SIMPLE
    }
}

#[cfg(feature = "collation")]
impl Collation {
    /// The collation with the defaults of its locale, and that locale; of `simple` nothing.
    ///
    /// # Errors
    /// Code 2 for a locale that does not exist and for options that contradict one another; `Unsupported` for what is not modelled.
    fn rules(&self) -> Result<Option<(Rules, Locale<'_>)>> {
        if self.is_simple() {
            return Ok(None);
        }
        let locale = Locale::named(&self.locale)?;
        let defaults = self.to_document();
        let truth = |name| defaults.get_bool(name).unwrap_or(false);
        let word = |name| defaults.get_str(name).unwrap_or_default();
        let strength = self.strength.unwrap_or(3);
        let within = u8::try_from(strength).ok().filter(|strength| (1..=5).contains(strength));
        let rules = Rules {
            locale: self.locale.clone(),
            strength: within.ok_or_else(|| {
                Code::BAD_VALUE.value(format!("the strength of a collation is 1 to 5, not {strength}"))
            })?,
            case_level: truth("caseLevel"),
            case_first: CaseFirst::named(word("caseFirst"))?,
            numeric_ordering: truth("numericOrdering"),
            alternate: Alternate::named(word("alternate"))?,
            max_variable: MaxVariable::named(word("maxVariable"))?,
            normalization: truth("normalization"),
            backwards: truth("backwards"),
        };
        rules.check()?;
        Ok(Some((rules, locale)))
    }
}

#[cfg(feature = "collation")]
impl Rules {
    fn check(&self) -> Result<()> {
        if self.case_first != CaseFirst::Off && !self.case_level && self.strength < 3 {
            // A locale's own caseFirst is no mistake of the request's.
            let is_default = matches!(self.locale.as_str(), "da" | "mt") && self.case_first == CaseFirst::Upper;
            if !is_default {
                return Err(Code::BAD_VALUE.value("caseFirst needs caseLevel, or a strength of 3 or more"));
            }
        }
        if self.backwards && self.strength == 1 && self.locale != "fr_CA" {
            return Err(Code::BAD_VALUE.value("backwards needs a strength of 2 or more"));
        }
        if self.backwards != (self.locale == "fr_CA") {
            let message = format!("a collation of {} with backwards: {}", self.locale, self.backwards);
            return Err(crate::error::Error::unsupported(message));
        }
        Ok(())
    }
}

impl CaseFirst {
    const ALL: [Self; 3] = [Self::Upper, Self::Lower, Self::Off];

    const fn name(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Off => "off",
        }
    }

    fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name).ok_or_else(|| not_a("caseFirst", name))
    }
}

impl Alternate {
    const ALL: [Self; 2] = [Self::NonIgnorable, Self::Shifted];

    const fn name(self) -> &'static str {
        match self {
            Self::NonIgnorable => "non-ignorable",
            Self::Shifted => "shifted",
        }
    }

    fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|alternate| alternate.name() == name).ok_or_else(|| not_a("alternate", name))
    }
}

impl MaxVariable {
    const ALL: [Self; 2] = [Self::Punct, Self::Space];

    const fn name(self) -> &'static str {
        match self {
            Self::Punct => "punct",
            Self::Space => "space",
        }
    }

    fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|most| most.name() == name).ok_or_else(|| not_a("maxVariable", name))
    }
}

fn not_a(field: &str, value: &str) -> crate::error::Error {
    Code::BAD_VALUE.value(format!("{value:?} is no {field} of a collation"))
}

fn text<'v>(name: &str, value: &'v Bson) -> Result<&'v str> {
    value.as_str().ok_or_else(|| Code::TYPE_MISMATCH.wrong_type(format!("{name} of a collation is a text")))
}

fn truth(name: &str, value: &Bson) -> Result<bool> {
    match (value, Number::from_bson(value)) {
        (Bson::Boolean(truth), _) => Ok(*truth),
        (_, Some(number)) => Ok(!number.is_zero()),
        _ => Err(Code::TYPE_MISMATCH.wrong_type(format!("{name} of a collation is a boolean"))),
    }
}

fn whole(name: &str, value: &Bson) -> Result<i64> {
    let number = Number::from_bson(value);
    let number = number.ok_or_else(|| Code::TYPE_MISMATCH.wrong_type(format!("{name} of a collation is a number")))?;
    number.as_i64().ok_or_else(|| Code::BAD_VALUE.value(format!("{name} of a collation is a whole number")))
}

#[cfg(test)]
mod tests;
