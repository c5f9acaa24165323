//! One index of a collection.

use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document, RawDocument};

use crate::document::code::Code;
use crate::document::collation::{Collation, Collator};
use crate::document::index_key::put_index_field;
use crate::document::index_kind::{IndexKind, Partial};
use crate::document::pattern::{Keys, Pattern};
use crate::document::raw::Difference;
use crate::document::schema::ID_INDEX;
use crate::document::schema::index_options::{IndexInfo, IndexOptions, same_values};
use crate::error::{Error, Result};

/// The longest time after a date that documents are kept by an index, in seconds.
const EXPIRE_AFTER_SECONDS_MAX: u64 = i32::MAX as u64;

/// One index.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(in crate::document) struct Index {
    pub(in crate::document) id: u32,
    pub(in crate::document) name: String,
    /// The keys as they were written.
    pub(in crate::document) keys: Document,
    pub(in crate::document) kind: IndexKind,
    pub(in crate::document) pattern: Pattern,
    pub(in crate::document) unique: bool,
    pub(in crate::document) sparse: bool,
    pub(in crate::document) partial: Option<Partial>,
    pub(in crate::document) wildcard_projection: Option<Document>,
    /// Seconds after which a document goes, counted from its date.
    pub(in crate::document) expire_after: Option<u32>,
    /// No query goes by it.
    pub(in crate::document) hidden: bool,
    /// No key gets a second document, though there may be such.
    pub(in crate::document) prepare_unique: bool,
    /// The fields that go through an array in some document, or once did: one bit each, the first lowest. As
    /// [`Namespace::get`](super::Namespace::get) gives it, it has all of them; as it is stored, those that were known when the
    /// definition was last changed.
    pub(in crate::document) multikey: u32,
    /// The same of a wildcard, for the paths below it.
    pub(in crate::document) array_paths: Vec<String>,
    /// Whether a job is still making its entries: it is maintained, and read by nobody.
    pub(in crate::document) building: bool,
    /// What was said of it where it was asked for, and has no effect.
    pub(in crate::document) background: Option<bool>,
}

impl Index {
    /// The index on `keys`, with the number `id` and no options.
    pub(super) fn plain(id: u32, name: String, keys: Document, projection: Option<Document>) -> Result<Self> {
        let (kind, pattern) = IndexKind::parse(&keys, projection.as_ref())?;
        Ok(Self {
            id,
            name,
            keys,
            kind,
            pattern,
            unique: false,
            sparse: false,
            partial: None,
            wildcard_projection: projection,
            expire_after: None,
            hidden: false,
            prepare_unique: false,
            multikey: 0,
            array_paths: Vec::new(),
            building: false,
            background: None,
        })
    }

    /// The index that `options` ask for, in a collection whose text `collator` orders.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that do not go with the keys or with each other.
    pub(super) fn with(
        id: u32,
        keys: Document,
        options: &IndexOptions,
        collator: Option<&Arc<Collator>>,
    ) -> Result<Self> {
        let own = options.collation.as_ref().map(Collation::compile).transpose()?;
        let collator = own.as_ref().map_or(collator, Option::as_ref);
        let name = options.name.clone().unwrap_or_else(|| default_name(&keys));
        let index = Self::plain(id, name, keys, options.wildcard_projection.clone())?.collated(collator);
        let partial = options.partial_filter.clone().map(|filter| Partial::compile(filter, collator)).transpose()?;
        let expire_after = options.expire_after.map(seconds).transpose()?;
        let IndexOptions { unique, sparse, hidden, prepare_unique, background, .. } = *options;
        let index = Self { unique, sparse, partial, expire_after, hidden, prepare_unique, background, ..index };
        index.check()?;
        Ok(index)
    }

    /// The index with text ordered by `collator`.
    pub(super) fn collated(self, collator: Option<&Arc<Collator>>) -> Self {
        Self { pattern: self.pattern.collated(collator), ..self }
    }

    fn check(&self) -> Result<()> {
        if self.is_on_id() {
            return self.check_on_id();
        }
        let refused = |what: &str| Err(Code::CANNOT_CREATE_INDEX.value(what));
        match self.kind {
            IndexKind::Hashed if self.unique || self.prepare_unique => {
                return Err(Code::HASHED_UNIQUE.value("a hashed index cannot be unique"));
            }
            IndexKind::Wildcard(_) if self.unique || self.prepare_unique => {
                return refused("a wildcard index cannot be unique");
            }
            IndexKind::Wildcard(_) if self.sparse => return refused("a wildcard index is sparse anyway"),
            IndexKind::Wildcard(_) if self.expire_after.is_some() => {
                return refused("a wildcard index cannot expire documents");
            }
            _ => {}
        }
        if self.sparse && self.partial.is_some() {
            return refused("an index is sparse or partial, not both");
        }
        if self.expire_after.is_some() {
            return self.check_expiring();
        }
        Ok(())
    }

    /// Whether it can expire documents.
    pub(super) fn check_expiring(&self) -> Result<()> {
        if self.pattern.fields().len() != 1 || self.kind.wildcard().is_some() || self.name == ID_INDEX {
            let message = "an index that expires documents has one field, which is not _id";
            return Err(Code::CANNOT_CREATE_INDEX.value(message));
        }
        Ok(())
    }

    /// Whether `_id`, in its order, is all that it is on.
    pub(super) fn is_on_id(&self) -> bool {
        self.kind == IndexKind::Ordered && matches!(self.pattern.fields(), [field] if field.path.as_str() == "_id")
    }

    fn check_on_id(&self) -> Result<()> {
        if self.pattern.fields().iter().any(|field| field.descending) {
            return Err(Code::BAD_VALUE.value("the index on _id is ascending"));
        }
        if self.hidden {
            return Err(Code::BAD_VALUE.value("the index on _id cannot be hidden"));
        }
        let set = [
            ("unique", self.unique),
            ("sparse", self.sparse),
            ("partialFilterExpression", self.partial.is_some()),
            ("expireAfterSeconds", self.expire_after.is_some()),
            ("prepareUnique", self.prepare_unique),
        ];
        match set.into_iter().find(|(_, is_set)| *is_set) {
            Some((name, _)) => {
                let message = format!("the field '{name}' is not valid for an _id index specification");
                Err(Code::INVALID_INDEX_SPECIFICATION_OPTION.value(message))
            }
            None => Ok(()),
        }
    }

    /// The keys of `document`, none when it has no entries.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(in crate::document) fn keys_of(&self, document: &RawDocument) -> Result<Keys> {
        match &self.partial {
            Some(partial) if !partial.takes(document)? => Ok(Keys::default()),
            _ => self.kind.keys(&self.pattern, document, self.sparse),
        }
    }

    /// Appends the one key of `document` to `out`, when it has one that is made at once, as most do; otherwise returns `false`,
    /// and what is in `out` then does not count.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(in crate::document) fn put_only_key(&self, out: &mut Vec<u8>, document: &RawDocument) -> Result<bool> {
        match self.kind {
            IndexKind::Ordered | IndexKind::Hashed if self.partial.is_none() => {
                self.pattern.put_only_key(out, document, put_index_field)
            }
            _ => Ok(false),
        }
    }

    /// Whether two documents have the same keys, as can be seen from where they differ without making the keys: an index by paths
    /// has the same where the fields that these begin with are the same.
    ///
    /// # Errors
    /// [`Error::Corruption`] when a document does not decode.
    pub(in crate::document) fn keeps_its_keys(&self, difference: &Difference<'_>) -> Result<bool> {
        if self.partial.is_some() || !matches!(self.kind, IndexKind::Ordered | IndexKind::Hashed) {
            return Ok(false);
        }
        for field in self.pattern.fields() {
            let Some(first) = field.path.parts().first() else { return Ok(false) };
            if difference.has(first.name())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a key gets no second document.
    pub(in crate::document) fn refuses_second(&self) -> bool {
        self.unique || self.prepare_unique
    }

    /// Whether `other` is the same to whoever creates it: it cannot stand beside this one.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_id = self.is_on_id() && other.is_on_id();
        let same_keys =
            self.kind == other.kind && self.pattern == other.pattern && same_values(&self.keys, &other.keys);
        is_id
            || same_keys && self.unique == other.unique && self.sparse == other.sparse && self.partial == other.partial
    }

    /// Whether the options that do not make another index of it are the same, too.
    pub(super) fn has_options_of(&self, other: &Self) -> bool {
        self.hidden == other.hidden
            && self.expire_after == other.expire_after
            && self.prepare_unique == other.prepare_unique
    }
}

impl From<&Index> for IndexInfo {
    fn from(index: &Index) -> Self {
        Self {
            name: index.name.clone(),
            keys: index.keys.clone(),
            unique: index.unique,
            sparse: index.sparse,
            partial_filter: index.partial.as_ref().map(|partial| partial.text().clone()),
            wildcard_projection: index.wildcard_projection.clone(),
            expire_after: index.expire_after.map(|seconds| Duration::from_secs(seconds.into())),
            hidden: index.hidden,
            prepare_unique: index.prepare_unique,
            is_building: index.building,
            background: index.background,
            collation: index.pattern.collator().map(|collator| collator.collation().clone()),
        }
    }
}

impl IndexOptions {
    /// Refuses what does not go with `keys`, or with each other, before anything is made.
    ///
    /// # Errors
    /// As [`Collection::create_index_with`](crate::Collection::create_index_with), for what does not depend on other indexes.
    ///
    /// # Examples
    /// ```
    /// use larder::{bson::doc, document::IndexOptions};
    /// assert!(IndexOptions::default().unique(true).check(&doc! { "a": 1 }).is_ok());
    /// assert!(IndexOptions::default().unique(true).check(&doc! { "a": "hashed" }).is_err());
    /// ```
    pub fn check(&self, keys: &Document) -> Result<()> {
        Index::with(0, keys.clone(), self, None).map(drop)
    }
}

/// `after` in whole seconds.
///
/// # Errors
/// [`Code::CANNOT_CREATE_INDEX`] past [`EXPIRE_AFTER_SECONDS_MAX`].
pub(super) fn seconds(after: Duration) -> Result<u32> {
    let seconds = after.as_secs();
    let fits = u32::try_from(seconds).ok().filter(|_| seconds <= EXPIRE_AFTER_SECONDS_MAX);
    fits.ok_or_else(|| {
        let message = format!("expireAfterSeconds is at most {EXPIRE_AFTER_SECONDS_MAX}, not {seconds}");
        Code::CANNOT_CREATE_INDEX.value(message)
    })
}

/// The name of an index on `keys` that is given none.
pub(super) fn default_name(keys: &Document) -> String {
    let part = |(path, value): (&String, &Bson)| match value {
        Bson::String(kind) => format!("{path}_{kind}"),
        value => format!("{path}_{value}"),
    };
    keys.iter().map(part).collect::<Vec<_>>().join("_")
}

/// What is not there, for an index named `name`.
pub(super) fn missing(name: &str) -> Error {
    Error::NotFound { what: "index", name: name.to_owned() }
}
