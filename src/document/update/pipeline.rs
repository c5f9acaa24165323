//! Updates by a pipeline.

use bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf};

use super::apply::immutable_id;
use crate::document::aggregate::Pipeline;
use crate::document::code::Code;
use crate::document::order;
use crate::document::raw;
use crate::document::stored;
use crate::error::{Error, Result};

/// The stages that make one document of one document.
const STAGES: &[&str] = &["$addFields", "$project", "$replaceRoot", "$replaceWith", "$set", "$unset"];

/// A compiled pipeline that changes documents.
#[derive(Clone, Debug)]
pub(super) struct PipelineUpdate(Vec<Document>);

impl PipelineUpdate {
    /// Compiles the stages.
    ///
    /// # Errors
    /// Those of a pipeline; [`Error::Invalid`] for a stage that does not make one document of one.
    pub(super) fn compile(stages: &[Document]) -> Result<Self> {
        for stage in stages {
            let name = stage.keys().next().map_or("", String::as_str);
            if name.starts_with('$') && !STAGES.contains(&name) {
                // A stage that does not exist is that mistake, and not one of where it stands.
                return Err(match Pipeline::compile(vec![stage.clone()]) {
                    Err(error) if Code::of(&error) == Some(Code::UNKNOWN_STAGE) => error,
                    _ => Code::INVALID_OPTIONS.value(format!("{name} cannot stand in an update")),
                });
            }
        }
        Pipeline::compile(stages.to_vec())?;
        Ok(Self(stages.to_vec()))
    }

    /// The document after the update, which keeps its `_id`.
    ///
    /// # Errors
    /// Those of the stages; [`Error::Invalid`] for another `_id`.
    pub(super) fn apply(&self, old: &RawDocument) -> Result<RawDocumentBuf> {
        let input = std::iter::once(Ok(old.to_owned()));
        let output = Pipeline::compile(self.0.clone())?.run(Box::new(input))?.next();
        let output = output.ok_or_else(|| Error::value("the pipeline of an update made no document"))??;
        let new = RawDocumentBuf::try_from(&output).map_err(raw::corrupt)?;
        let Some(id) = raw::field(old, "_id")? else { return Ok(new) };
        let changes = |made: RawBsonRef<'_>| order::compare(made, id).is_ne();
        if raw::field(&new, "_id")?.is_some_and(changes) {
            return Err(immutable_id());
        }
        stored::id_first(id, &new)
    }
}
