//! What an update is written as.

use bson::Document;

/// An update: a document of operators, or a pipeline.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::UpdateModifications};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_one(&doc! { "_id": 1, "n": 2 })?;
/// events.update_one(doc! {}, doc! { "$inc": { "n": 1 } })?;
/// events.update_one(doc! {}, vec![doc! { "$set": { "double": { "$multiply": ["$n", 2] } } }])?;
/// assert_eq!(events.find_one(doc! {})?, Some(doc! { "_id": 1, "n": 3, "double": 6 }));
/// assert_eq!(UpdateModifications::from(doc! {}), UpdateModifications::Document(doc! {}));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum UpdateModifications {
    /// Operators, each with the paths that it changes.
    Document(Document),
    /// Stages that make the new document of the old one: `$set`, `$addFields`, `$unset`, `$project`, `$replaceWith`,
    /// `$replaceRoot`.
    Pipeline(Vec<Document>),
}

impl From<Document> for UpdateModifications {
    fn from(update: Document) -> Self {
        Self::Document(update)
    }
}

impl From<Vec<Document>> for UpdateModifications {
    fn from(stages: Vec<Document>) -> Self {
        Self::Pipeline(stages)
    }
}

impl UpdateModifications {
    /// The document of operators, or the stages.
    pub(in crate::document) fn documents(&self) -> &[Document] {
        match self {
            Self::Document(operators) => std::slice::from_ref(operators),
            Self::Pipeline(stages) => stages,
        }
    }
}
