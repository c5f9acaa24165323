//! What an update is written as.

use bson::Document;

/// How documents are to change: by operators, or by a pipeline.
///
/// Made from a document of operators, and from an array or vector of stages.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let stock = Store::in_memory().collection::<Document>("stock");
/// stock.insert_one(&doc! { "_id": 1, "price": 10, "count": 3 })?;
/// stock.update_one(doc! {}, doc! { "$inc": { "count": -1 } })?;
/// stock.update_one(doc! {}, [doc! { "$set": { "total": { "$multiply": ["$price", "$count"] } } }])?;
/// assert_eq!(stock.find_one(doc! {})?, Some(doc! { "_id": 1, "price": 10, "count": 2, "total": 20 }));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, Update Operators, Updates with Aggregation Pipeline.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum UpdateModifications {
    /// Operators: `{$set: {…}, $inc: {…}}`.
    Document(Document),
    /// The stages of a pipeline: `$set`, `$addFields`, `$unset`, `$project`, `$replaceWith` and `$replaceRoot`.
    Pipeline(Vec<Document>),
}

impl From<Document> for UpdateModifications {
    fn from(operators: Document) -> Self {
        Self::Document(operators)
    }
}

impl From<Vec<Document>> for UpdateModifications {
    fn from(stages: Vec<Document>) -> Self {
        Self::Pipeline(stages)
    }
}

impl<const N: usize> From<[Document; N]> for UpdateModifications {
    fn from(stages: [Document; N]) -> Self {
        Self::Pipeline(stages.into())
    }
}
