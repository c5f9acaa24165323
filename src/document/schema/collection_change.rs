//! What may be changed of a collection that exists.

use bson::Document;

use crate::document::code::Code;
use crate::document::schema::collection_options::{Capped, CollectionOptions, ValidationAction, ValidationLevel, View};
use crate::error::{InvalidKind, Result};

/// What [`Database::modify_collection`](crate::Database::modify_collection) changes of a collection or view; the rest stays.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::{CollectionChange, CollectionOptions}};
/// let shop = Store::in_memory().database("shop");
/// shop.create_collection("orders")?;
/// shop.modify_collection("orders", CollectionChange::default().validator(doc! { "price": { "$gt": 0 } }))?;
/// assert!(shop.collection::<Document>("orders").insert_one(&doc! { "price": -1 }).is_err());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `collMod`.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a change does nothing until it is made"]
#[doc(alias = "collMod")]
pub struct CollectionChange {
    validator: Option<Document>,
    level: Option<ValidationLevel>,
    action: Option<ValidationAction>,
    view: Option<View>,
    capped_size: Option<i64>,
    capped_max: Option<i64>,
}

impl CollectionChange {
    /// What every document has to match from now on; an empty filter lets everything through. Documents that are there stay.
    ///
    /// # Examples
    /// See [`CollectionChange`].
    pub fn validator(mut self, filter: Document) -> Self {
        self.validator = Some(filter);
        self
    }

    /// Which documents the validator is asked about.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::{CollectionChange, ValidationLevel};
    /// let change = CollectionChange::default().validation_level(ValidationLevel::Off);
    /// # assert_ne!(change, CollectionChange::default());
    /// ```
    #[doc(alias = "validationLevel")]
    pub fn validation_level(mut self, level: ValidationLevel) -> Self {
        self.level = Some(level);
        self
    }

    /// What becomes of a document that the validator refuses.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::{CollectionChange, ValidationAction};
    /// let change = CollectionChange::default().validation_action(ValidationAction::Warn);
    /// # assert_ne!(change, CollectionChange::default());
    /// ```
    #[doc(alias = "validationAction")]
    pub fn validation_action(mut self, action: ValidationAction) -> Self {
        self.action = Some(action);
        self
    }

    /// What a view shows from now on.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{CollectionChange, CollectionOptions}};
    /// let shop = Store::in_memory().database("shop");
    /// shop.collection::<Document>("orders").insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?;
    /// shop.create_collection_with("last", CollectionOptions::default().view_on("orders", []))?;
    /// shop.modify_collection("last", CollectionChange::default().view_on("orders", [doc! { "$skip": 1 }]))?;
    /// assert_eq!(shop.collection::<Document>("last").find(doc! {}).to_vec()?, [doc! { "_id": 2 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("viewOn", "pipeline"))]
    pub fn view_on(mut self, on: impl Into<String>, pipeline: impl IntoIterator<Item = Document>) -> Self {
        self.view = Some(View { on: on.into(), pipeline: pipeline.into_iter().collect() });
        self
    }

    /// How many bytes of documents a capped collection holds from now on. What is too much goes with the next insert.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::CollectionChange;
    /// let change = CollectionChange::default().capped_size(1 << 20);
    /// # assert_ne!(change, CollectionChange::default());
    /// ```
    #[doc(alias = "cappedSize")]
    pub fn capped_size(mut self, bytes: i64) -> Self {
        self.capped_size = Some(bytes);
        self
    }

    /// How many documents a capped collection holds from now on; zero or less is no bound.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::CollectionChange;
    /// let change = CollectionChange::default().capped_max(1_000);
    /// # assert_ne!(change, CollectionChange::default());
    /// ```
    #[doc(alias = "cappedMax")]
    pub fn capped_max(mut self, documents: i64) -> Self {
        self.capped_max = Some(documents);
        self
    }

    /// `options` after the change.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a change that this kind of collection does not take.
    pub(in crate::document) fn apply(self, options: &CollectionOptions) -> Result<CollectionOptions> {
        let mut after = options.clone();
        let refused = |message: &str| Err(Code::INVALID_OPTIONS.error(InvalidKind::Value, message));
        let of_validation = self.validator.is_some() || self.level.is_some() || self.action.is_some();
        match (&mut after.view, self.view) {
            (Some(_), _) if of_validation => return refused("a view has no validator"),
            (Some(view), Some(new)) => *view = new,
            (None, Some(_)) => return refused("viewOn and pipeline are options of views"),
            (_, None) => {}
        }
        after.validator = self.validator.or(after.validator).filter(|filter| !filter.is_empty());
        after.validation_level = self.level.or(after.validation_level);
        after.validation_action = self.action.or(after.validation_action);
        if self.capped_size.is_some() || self.capped_max.is_some() {
            let Some(capped) = after.capped else { return refused("the collection is not capped") };
            let (size, max) = (self.capped_size.unwrap_or(capped.size), self.capped_max.or(capped.max));
            after.capped = Some(Capped { size, max });
        }
        after.checked()
    }
}
