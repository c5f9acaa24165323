//! What an update changed, as the difference of two images of one document.

use bson::raw::{RawBsonRef, RawDocument};
use bson::{Bson, Document, RawArray};

use crate::document::path::elements;
use crate::document::raw;
use crate::error::Result;

/// What changed between two images of a document, by paths.
///
/// An array that became shorter is truncated; its elements that stay, and new ones at its end, are named by their positions.
/// What became a value of another type is named as a whole.
///
/// # Examples
/// ```
/// use larder::{Store, bson::{RawDocumentBuf, doc}, document::UpdateDescription};
/// let stock = Store::in_memory().collection::<RawDocumentBuf>("stock");
/// stock.insert_one(&RawDocumentBuf::try_from(doc! { "_id": 1, "a": { "b": 1, "c": 2 }, "d": [1, 2, 3] })?)?;
/// let before = stock.find_one(doc! {})?.unwrap();
/// let update = doc! { "$set": { "a.b": 5, "d.0": 7 }, "$unset": { "a.c": "" }, "$push": { "e": 1 } };
/// stock.update_one(doc! {}, update)?;
/// let after = stock.find_one(doc! {})?.unwrap();
/// let changed = UpdateDescription::between(&before, &after)?;
/// assert_eq!(changed.updated_fields, doc! { "a.b": 5, "d.0": 7, "e": [1] });
/// assert_eq!(changed.removed_fields, ["a.c"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Source
/// MongoDB manual, Change Events, `updateDescription`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UpdateDescription {
    /// The new values, by path.
    #[doc(alias = "updatedFields")]
    pub updated_fields: Document,
    /// The paths of fields that are gone.
    #[doc(alias = "removedFields")]
    pub removed_fields: Vec<String>,
    /// The paths of arrays that became shorter, each with its new length in elements.
    #[doc(alias = "truncatedArrays")]
    pub truncated_arrays: Vec<(String, usize)>,
}

impl UpdateDescription {
    /// Compares the image `before` a change with the one `after` it.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when one of them does not decode.
    ///
    /// # Cost
    /// O(n) for each field of an object, in the fields it has.
    ///
    /// # Examples
    /// ```
    /// use larder::{bson::{RawDocumentBuf, doc}, document::UpdateDescription};
    /// let image = |list: &[i32]| RawDocumentBuf::try_from(doc! { "list": list.to_vec() });
    /// let changed = UpdateDescription::between(&image(&[1, 2, 3])?, &image(&[1, 5])?)?;
    /// assert_eq!(changed.truncated_arrays, [("list".to_owned(), 2)]);
    /// assert_eq!(changed.updated_fields, doc! { "list.1": 5 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn between(before: &RawDocument, after: &RawDocument) -> Result<Self> {
        let mut description = Self::default();
        description.documents("", before, after)?;
        Ok(description)
    }

    fn documents(&mut self, prefix: &str, before: &RawDocument, after: &RawDocument) -> Result<()> {
        for element in before {
            let (name, _) = element.map_err(raw::corrupt)?;
            if raw::field(after, name.as_str())?.is_none() {
                self.removed_fields.push(join(prefix, name.as_str()));
            }
        }
        for element in after {
            let (name, value) = element.map_err(raw::corrupt)?;
            self.values(&join(prefix, name.as_str()), raw::field(before, name.as_str())?, value)?;
        }
        Ok(())
    }

    fn values(&mut self, path: &str, before: Option<RawBsonRef<'_>>, after: RawBsonRef<'_>) -> Result<()> {
        match (before, after) {
            (Some(before), after) if before == after => Ok(()),
            (Some(RawBsonRef::Document(before)), RawBsonRef::Document(after)) => self.documents(path, before, after),
            (Some(RawBsonRef::Array(before)), RawBsonRef::Array(after)) => self.arrays(path, before, after),
            (_, after) => {
                self.updated_fields.insert(path, Bson::try_from(after).map_err(raw::corrupt)?);
                Ok(())
            }
        }
    }

    fn arrays(&mut self, path: &str, before: &RawArray, after: &RawArray) -> Result<()> {
        let mut old = elements(before);
        let mut length = 0;
        for element in elements(after) {
            self.values(&join(path, &length.to_string()), old.next().transpose()?, element?)?;
            length += 1;
        }
        if old.next().is_some() {
            self.truncated_arrays.push((path.to_owned(), length));
        }
        Ok(())
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
