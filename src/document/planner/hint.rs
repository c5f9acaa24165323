//! Hints: which index a query has to use.

use std::sync::Arc;

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::number::Number;
use crate::document::schema::{Index, Schema, same_values};
use crate::error::{Error, Result};

/// The index that a query has to use: by its name or its keys. The keys `{$natural: 1}` stand for none, which is to read the
/// collection in the order of insertion.
///
/// # Examples
/// ```
/// use larder::document::Hint;
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.create_index(doc! { "kind": 1 })?;
/// let plan = |hint: Hint| events.find(doc! { "_id": 7 }).hint(hint).explain().unwrap().stage.to_string();
/// assert!(plan("kind_1".into()).contains("IXSCAN kind_1"));
/// assert!(plan(doc! { "kind": 1 }.into()).contains("IXSCAN kind_1"));
/// assert_eq!(plan(doc! { "$natural": 1 }.into()), "COLLSCAN");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `cursor.hint()`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// The index of this name.
    Name(String),
    /// The index with these keys.
    Keys(Document),
}

impl From<&str> for Hint {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<Document> for Hint {
    fn from(keys: Document) -> Self {
        Self::Keys(keys)
    }
}

impl Hint {
    /// The index that is meant, or `None` for the collection.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is no such index, when it is hidden or being built, and when there are several with these keys;
    /// [`Error::Unsupported`] for the collection backwards.
    pub(super) fn find<'s>(&self, schema: &'s Schema) -> Result<Option<&'s Arc<Index>>> {
        let mut shown = schema.indexes.iter().filter(|index| !index.building && !index.hidden);
        let found = match self {
            Self::Keys(keys) if keys.contains_key("$natural") => return in_natural_order(keys).map(|()| None),
            Self::Name(name) => shown.find(|index| index.name == *name),
            Self::Keys(keys) => {
                let found = shown.find(|index| same_values(&index.keys, keys));
                if let Some(found) = found
                    && shown.any(|index| same_values(&index.keys, keys))
                {
                    let message = format!("several indexes have the keys of the hint, {:?} among them", found.name);
                    return Err(Code::INDEX_NOT_FOUND.value(message));
                }
                found
            }
        };
        let missing = || Code::BAD_VALUE.value("hint provided does not correspond to an existing index");
        found.map(Some).ok_or_else(missing)
    }
}

fn in_natural_order(keys: &Document) -> Result<()> {
    let mut values = keys.values();
    let direction = values.next().and_then(Number::from_bson).map(Number::as_f64);
    match (direction, values.next()) {
        (Some(direction), None) if direction.to_bits() == 1.0_f64.to_bits() => Ok(()),
        (Some(direction), None) if direction.to_bits() == (-1.0_f64).to_bits() => {
            Err(Error::unsupported("the hint {$natural: -1}"))
        }
        _ => Err(Code::FAILED_TO_PARSE.value("a hint of $natural is 1 or -1, and nothing else")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::schema::{CollectionOptions, IndexOptions};
    use bson::doc;

    #[test]
    fn a_hint_is_an_index_that_is_shown() {
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
        let options = IndexOptions::default();
        schema.add(&doc! { "a": 1 }, &options).unwrap();
        schema.add(&doc! { "b": 1 }, &options.clone().hidden(true)).unwrap();
        schema.add(&doc! { "a": 1 }, &options.sparse(true).name("sparse")).unwrap();
        let found = |hint: Hint| hint.find(&schema).map(|found| found.map(|index| index.name.clone()));
        let code = |hint: Hint| Code::of(&found(hint).unwrap_err()).unwrap().number();
        assert_eq!(found("a_1".into()).unwrap().as_deref(), Some("a_1"));
        assert_eq!(found(doc! { "_id": 1.0 }.into()).unwrap().as_deref(), Some("_id_"));
        assert_eq!(found(doc! { "$natural": 1 }.into()).unwrap(), None);
        assert_eq!((code("b_1".into()), code("nope".into()), code(doc! { "b": 1 }.into())), (2, 2, 2));
        assert_eq!(code(doc! { "a": -1 }.into()), 2);
        assert_eq!(code(doc! { "a": 1 }.into()), 27, "there are two");
        assert_eq!((code(doc! { "$natural": 2 }.into()), code(doc! { "$natural": -1 }.into())), (9, 238));
    }
}
