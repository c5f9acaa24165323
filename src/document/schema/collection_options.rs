//! How collections are made, and how they are told of.

use bson::{Bson, Document, Uuid, doc};

use crate::document::code::Code;
use crate::document::collation::Collation;
use crate::error::{Error, Result};
use crate::limits;

/// How a collection is to be made.
///
/// Those that are not modelled yet are refused by name when the collection is made.
///
/// # Examples
/// ```
/// use larder::document::CollectionOptions;
/// use larder::Store;
/// let shop = Store::in_memory().database("shop");
/// shop.create_collection_with("orders", CollectionOptions::default())?;
/// let with_images = CollectionOptions::default().pre_and_post_images(true);
/// let refused = shop.create_collection_with("changes", with_images).unwrap_err();
/// assert!(refused.to_string().contains("changeStreamPreAndPostImages"));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `create`.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until a collection is made with them"]
pub struct CollectionOptions {
    pub(in crate::document) validator: Option<Document>,
    pub(in crate::document) validation_level: Option<ValidationLevel>,
    pub(in crate::document) validation_action: Option<ValidationAction>,
    pub(in crate::document) collation: Option<Collation>,
    pub(in crate::document) view: Option<View>,
    pub(in crate::document) capped: Option<Capped>,
    pub(in crate::document) pre_and_post_images: bool,
}

/// Which documents a validator is asked about.
///
/// # Examples
/// ```
/// use larder::document::{CollectionOptions, ValidationLevel};
/// let options = CollectionOptions::default().validation_level(ValidationLevel::Moderate);
/// # assert_ne!(options, CollectionOptions::default());
/// ```
///
/// # Source
/// MongoDB manual, `validationLevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidationLevel {
    /// None.
    Off,
    /// Every document that is inserted or changed.
    Strict,
    /// Those that are inserted, and those that are changed and met it before.
    Moderate,
}

/// What becomes of a document that its validator refuses.
///
/// # Examples
/// ```
/// use larder::document::{CollectionOptions, ValidationAction};
/// let options = CollectionOptions::default().validation_action(ValidationAction::Warn);
/// # assert_ne!(options, CollectionOptions::default());
/// ```
///
/// # Source
/// MongoDB manual, `validationAction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidationAction {
    /// It is not written, and the write is an error.
    Error,
    /// It is written, and a warning logged.
    Warn,
    /// It is not written, the write is an error, and a warning is logged.
    ErrorAndLog,
}

/// What a view shows.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::document) struct View {
    pub(in crate::document) on: String,
    pub(in crate::document) pipeline: Vec<Document>,
}

/// How much a capped collection holds.
///
/// # Examples
/// ```
/// use larder::{Store, document::CollectionOptions};
/// let shop = Store::in_memory().database("shop");
/// shop.create_collection_with("log", CollectionOptions::default().capped(5_000, Some(100)))?;
/// let capped = shop.list_collections()?.remove(0).options.capped_bounds().unwrap();
/// assert_eq!((capped.size, capped.max), (5_120, Some(100)));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capped {
    /// Bytes of documents, at most.
    pub size: i64,
    /// Documents, at most.
    pub max: Option<i64>,
}

impl Capped {
    /// The bounds as they are kept.
    ///
    /// # Errors
    /// Code 2 for a size below 1 or above 2^50, or for 2^31 documents or more.
    fn checked(self) -> Result<Self> {
        const GRAIN: i64 = 256;
        let Self { size, max } = self;
        if !(1..=limits::CAPPED_BYTES_MAX).contains(&size) {
            let message = format!("a capped collection has from 1 to {} bytes, not {size}", limits::CAPPED_BYTES_MAX);
            return Err(Code::BAD_VALUE.value(message));
        }
        if max.is_some_and(|max| max > i64::from(i32::MAX)) {
            return Err(Code::BAD_VALUE.value("a capped collection has fewer than 2^31 documents"));
        }
        let size = size.max(limits::CAPPED_BYTES_MIN).saturating_add(GRAIN - 1) / GRAIN * GRAIN;
        Ok(Self { size, max: max.filter(|max| *max > 0) })
    }
}

impl CollectionOptions {
    /// What every document has to match: a filter.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::CollectionOptions};
    /// let options = CollectionOptions::default().validator(doc! { "price": { "$gt": 0 } });
    /// # assert_ne!(options, CollectionOptions::default());
    /// ```
    pub fn validator(mut self, filter: Document) -> Self {
        self.validator = Some(filter);
        self
    }

    /// Which documents the validator is asked about; all of them unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::{CollectionOptions, ValidationLevel};
    /// let options = CollectionOptions::default().validation_level(ValidationLevel::Off);
    /// # assert_ne!(options, CollectionOptions::default());
    /// ```
    #[doc(alias = "validationLevel")]
    pub fn validation_level(mut self, level: ValidationLevel) -> Self {
        self.validation_level = Some(level);
        self
    }

    /// What becomes of a document that the validator refuses; an error unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::{CollectionOptions, ValidationAction};
    /// let options = CollectionOptions::default().validation_action(ValidationAction::Error);
    /// # assert_ne!(options, CollectionOptions::default());
    /// ```
    #[doc(alias = "validationAction")]
    pub fn validation_action(mut self, action: ValidationAction) -> Self {
        self.validation_action = Some(action);
        self
    }

    /// How text is compared in the collection, unless an operation or an index says otherwise; in the index on `_id` always. Of a view:
    /// how it is read, always.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{Collation, CollectionOptions}};
    /// let shop = Store::in_memory().database("shop");
    /// let options = CollectionOptions::default().collation(Collation::new("en").strength(2));
    /// shop.create_collection_with("people", options)?;
    /// let people = shop.collection::<Document>("people");
    /// people.insert_one(&doc! { "name": "Ann" })?;
    /// assert_eq!(people.count_documents(doc! { "name": "ANN" })?, 1);
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `create`, Collation.
    pub fn collation(mut self, collation: Collation) -> Self {
        self.collation = Some(collation).filter(|collation| !collation.is_simple());
        self
    }

    /// Makes it a view: what `pipeline` makes of the collection or view `on`, each time it is read. It is read as a collection is,
    /// and cannot be written to. `on` need not exist.
    ///
    /// # Cost
    /// As the pipeline, with the filter and sort of a query behind it, which move to the front where that changes no result: a
    /// `$match` of the view and the filter then use an index together. In a `$lookup` the whole view is read for each document.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// let orders = shop.collection::<Document>("orders");
    /// orders.insert_many([doc! { "_id": 1, "open": true }, doc! { "_id": 2, "open": false }])?;
    /// let open = [doc! { "$match": { "open": true } }, doc! { "$project": { "open": 0 } }];
    /// shop.create_collection_with("open", CollectionOptions::default().view_on("orders", open))?;
    /// assert_eq!(shop.collection::<Document>("open").find(doc! {}).to_vec()?, [doc! { "_id": 1 }]);
    /// assert!(shop.collection::<Document>("open").insert_one(&doc! { "_id": 3 }).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Views.
    #[doc(alias("viewOn", "pipeline"))]
    pub fn view_on(mut self, on: impl Into<String>, pipeline: impl IntoIterator<Item = Document>) -> Self {
        self.view = Some(View { on: on.into(), pipeline: pipeline.into_iter().collect() });
        self
    }

    /// Makes it hold at most `size` bytes of documents, and at most `max` documents, if that is given and above zero: with an insert
    /// that would exceed it, the oldest go, in the same commit; the new document stays, whatever its size. `size` is at least 4096 and raised to a multiple of 256.
    ///
    /// # Cost
    /// An insert replaces the counter of what the collection holds: transactions that insert conflict with one another.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// shop.create_collection_with("log", CollectionOptions::default().capped(1 << 20, Some(2)))?;
    /// let log = shop.collection::<Document>("log");
    /// log.insert_many((0..5).map(|n| doc! { "_id": n }))?;
    /// assert_eq!(log.find(doc! {}).to_vec()?, [doc! { "_id": 3 }, doc! { "_id": 4 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Capped Collections.
    pub fn capped(mut self, size: i64, max: Option<i64>) -> Self {
        self.capped = Some(Capped { size, max });
        self
    }

    /// How much the collection holds, if it is capped.
    ///
    /// # Examples
    /// See [`Capped`].
    #[must_use]
    pub fn capped_bounds(&self) -> Option<Capped> {
        self.capped
    }

    /// Whether it is a view.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::CollectionOptions;
    /// assert!(CollectionOptions::default().view_on("orders", []).is_view());
    /// ```
    #[must_use]
    pub fn is_view(&self) -> bool {
        self.view.is_some()
    }

    /// Whether change streams may be given the images of documents before and after a change.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::CollectionOptions;
    /// let options = CollectionOptions::default().pre_and_post_images(true);
    /// # assert_ne!(options, CollectionOptions::default());
    /// ```
    #[doc(alias = "changeStreamPreAndPostImages")]
    pub fn pre_and_post_images(mut self, kept: bool) -> Self {
        self.pre_and_post_images = kept;
        self
    }

    /// The options in the words of `listCollections`, without those that have their default.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::CollectionOptions};
    /// let options = CollectionOptions::default().capped(4_096, None);
    /// assert_eq!(options.to_document(), doc! { "capped": true, "size": 4_096i64 });
    /// ```
    #[must_use]
    pub fn to_document(&self) -> Document {
        let mut options = Document::new();
        let mut put = |name: &str, value: Option<Bson>| drop(value.map(|value| options.insert(name, value)));
        put("capped", self.capped.map(|_| true.into()));
        put("size", self.capped.map(|capped| capped.size.into()));
        put("max", self.capped.and_then(|capped| capped.max).map(Bson::from));
        put("viewOn", self.view.as_ref().map(|view| (&view.on).into()));
        put("pipeline", self.view.as_ref().map(|view| view.pipeline.clone().into()));
        put("validator", self.validator.clone().map(Bson::from));
        put("validationLevel", self.validation_level.map(|level| level.name().into()));
        put("validationAction", self.validation_action.map(|action| action.name().into()));
        put("collation", self.collation.as_ref().map(|collation| collation.to_document().into()));
        put("changeStreamPreAndPostImages", self.pre_and_post_images.then(|| doc! { "enabled": true }.into()));
        options
    }

    /// What [`CollectionOptions::to_document`] made.
    ///
    /// # Errors
    /// [`Error::Corruption`] for an option that this version does not know.
    pub(super) fn from_document(document: Document) -> Result<Self> {
        let (mut options, mut size, mut max, mut pipeline) = (Self::default(), 0, None, Vec::new());
        for (name, value) in document {
            match (name.as_str(), value) {
                ("capped", Bson::Boolean(true)) => options.capped = Some(Capped { size: 0, max: None }),
                ("size", Bson::Int64(value)) => size = value,
                ("max", Bson::Int64(value)) => max = Some(value),
                ("viewOn", Bson::String(on)) => options.view = Some(View { on, pipeline: Vec::new() }),
                ("pipeline", Bson::Array(stages)) => {
                    let stage = |stage| if let Bson::Document(stage) = stage { Ok(stage) } else { Err(unknown(&name)) };
                    pipeline = stages.into_iter().map(stage).collect::<Result<_>>()?;
                }
                ("validator", Bson::Document(filter)) => options.validator = Some(filter),
                ("validationLevel", Bson::String(level)) => {
                    options.validation_level = Some(ValidationLevel::named(&level).ok_or_else(|| unknown(&level))?);
                }
                ("validationAction", Bson::String(action)) => {
                    options.validation_action = Some(ValidationAction::named(&action).ok_or_else(|| unknown(&action))?);
                }
                ("collation", Bson::Document(collation)) => {
                    options.collation = Some(Collation::from_document(&collation)?);
                }
                ("changeStreamPreAndPostImages", Bson::Document(images)) => {
                    options.pre_and_post_images = matches!(images.get("enabled"), Some(Bson::Boolean(true)));
                }
                _ => return Err(unknown(&name)),
            }
        }
        options.capped = options.capped.map(|_| Capped { size, max });
        options.view = options.view.map(|view| View { pipeline, ..view });
        Ok(options)
    }

    /// Whether the options of a collection are what `asked` would have made of them.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// let asked = CollectionOptions::default().capped(5_000, None);
    /// shop.create_collection_with("log", asked.clone())?;
    /// assert!(shop.list_collections()?[0].options.is_as_asked(&asked));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn is_as_asked(&self, asked: &Self) -> bool {
        asked.clone().checked().is_ok_and(|asked| asked == *self)
    }

    /// The options, checked and in the form in which they are kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that are out of their domain or do not go together, [`Error::Unsupported`] for those that
    /// are not modelled.
    pub(in crate::document) fn checked(mut self) -> Result<Self> {
        self.refuse_unmodelled()?;
        self.check_view()?;
        self.capped = self.capped.map(Capped::checked).transpose()?;
        self.validator = self.validator.filter(|filter| !filter.is_empty());
        Ok(self)
    }

    /// A view has only what it shows.
    fn check_view(&self) -> Result<()> {
        let Some(view) = &self.view else { return Ok(()) };
        let of_collections = Self { view: None, collation: None, ..self.clone() };
        if of_collections != Self::default() {
            return Err(Code::INVALID_OPTIONS.value("a view takes no other options than what it shows"));
        }
        if view.on.is_empty() || view.on.starts_with('.') || view.on.contains(['$', '\0']) {
            return Err(Code::INVALID_NAMESPACE.value(format!("a view cannot be on {:?}", view.on)));
        }
        Ok(())
    }

    /// Refuses what is not modelled yet.
    fn refuse_unmodelled(&self) -> Result<()> {
        let refused = [("changeStreamPreAndPostImages", self.pre_and_post_images)];
        match refused.into_iter().find(|(_, is_set)| *is_set) {
            Some((name, _)) => Err(Error::unsupported(format!("the option {name} of collections"))),
            None => Ok(()),
        }
    }
}

/// The error for a field of a definition that this version does not know, or that has a type it never has.
pub(super) fn unknown(name: &str) -> Error {
    Error::corrupt("definition of a collection", format!("it has a {name:?} that this version does not know"))
}

impl ValidationLevel {
    const ALL: [Self; 3] = [Self::Off, Self::Strict, Self::Moderate];

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Strict => "strict",
            Self::Moderate => "moderate",
        }
    }

    /// The level that a client calls `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl ValidationAction {
    const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::ErrorAndLog];

    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::ErrorAndLog => "errorAndLog",
        }
    }

    /// The action that a client calls `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// A collection as [`Database::list_collections`](crate::Database::list_collections) tells it.
///
/// # Examples
/// ```
/// use larder::Store;
/// let shop = Store::in_memory().database("shop");
/// shop.create_collection("orders")?;
/// let orders = shop.list_collections()?.remove(0);
/// shop.rename_collection("orders", "sales")?;
/// let sales = shop.list_collections()?.remove(0);
/// assert_eq!((orders.name.as_str(), sales.name.as_str()), ("orders", "sales"));
/// assert_eq!(orders.uuid, sales.uuid);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CollectionInfo {
    /// Its name.
    pub name: String,
    /// Who it is, under whatever name. From [`Builder::seed`](crate::Builder::seed), when there is one.
    pub uuid: Uuid,
    /// What it was made with.
    pub options: CollectionOptions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_from_their_document() {
        let options = CollectionOptions::default()
            .validator(doc! { "a": 1 })
            .validation_level(ValidationLevel::Moderate)
            .validation_action(ValidationAction::Warn)
            .collation(Collation::from_document(&Collation::new("en").to_document()).unwrap())
            .capped(4_096, Some(3))
            .pre_and_post_images(true);
        let view = CollectionOptions::default().view_on("a", [doc! { "$limit": 1 }]);
        for options in [options, view, CollectionOptions::default()] {
            assert_eq!(CollectionOptions::from_document(options.to_document()).unwrap(), options);
        }
    }

    #[test]
    fn a_value_that_is_none_of_an_option_is_refused() {
        for options in [doc! { "validationLevel": "lax" }, doc! { "size": "x" }, doc! { "pipeline": [1] }] {
            assert!(CollectionOptions::from_document(options).is_err());
        }
    }
}
