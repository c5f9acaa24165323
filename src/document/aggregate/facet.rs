//! `$facet`: several pipelines over the same input, whose results are fields of one document.

use std::sync::Arc;

use bson::raw::{CString, RawArrayBuf, RawDocumentBuf};

use super::Pipeline;
use super::exec::Exec;
use crate::document::expression::check_size;
use crate::document::rows::{Input, Made, gathered};
use crate::error::Result;
use crate::limits;

/// Runs every pipeline over all of `input`.
///
/// # Errors
/// Those of `input` and of the pipelines, and [`Error::LimitExceeded`](crate::Error) when the document is too large.
pub(super) fn run(facets: Vec<(CString, Pipeline)>, input: Input, exec: &Arc<Exec>) -> Result<RawDocumentBuf> {
    let shared: Arc<[RawDocumentBuf]> = gathered(input)?.into();
    let mut document = RawDocumentBuf::new();
    for (name, pipeline) in facets {
        let rows = Arc::clone(&shared);
        let rows = (0..rows.len()).filter_map(move |place| rows.get(place).cloned().map(Ok));
        let mut found = pipeline.run(Box::new(Made::new(rows)), exec)?;
        let mut array = RawArrayBuf::new();
        while found.advance()? {
            array.push(found.row()?.to_owned());
            limits::check("document bytes", limits::DOCUMENT_BYTES_MAX, array.as_bytes().len())?;
        }
        document.append(&name, array);
    }
    check_size(&document)?;
    Ok(document)
}
