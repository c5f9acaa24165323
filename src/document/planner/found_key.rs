//! The key of an index that a query finds a document by: `returnKey`.

use bson::raw::CString;
use bson::{RawBson, RawDocument, RawDocumentBuf};

use crate::document::index_kind::PATH;
use crate::document::planner::IndexScan;
use crate::engine::Direction;
use crate::error::{Error, Result};

impl IndexScan {
    /// The key by which the scan comes to `document`: the first in its direction that it goes through. Fields are named by their
    /// paths; one that is missing is null, an array without elements undefined.
    ///
    /// # Errors
    /// As [`Pattern::keys`](crate::document::pattern::Pattern::keys).
    pub(in crate::document) fn found_key(&self, document: &RawDocument) -> Result<RawDocumentBuf> {
        let pattern = &self.index.pattern;
        let paths: Vec<&str> = pattern.fields().iter().map(|field| field.path.as_str()).collect();
        let of_wildcard = paths.iter().zip(paths.iter().skip(1)).find(|(path, _)| **path == PATH);
        let mut keys = pattern.keys_with_values(document, of_wildcard.map(|(path, of)| (*path, *of)).as_slice())?;
        if self.direction == Direction::Backward {
            keys.reverse();
        }
        let is_read = |fields: &[u8]| {
            let entry = [&self.prefix, fields].concat();
            self.ranges.iter().any(|range| range.contains(&entry))
        };
        let place = keys.iter().position(|(key, _)| is_read(key)).unwrap_or(0);
        let values: Vec<RawBson> = keys.into_iter().nth(place).map(|(_, values)| values).unwrap_or_default();
        let mut found = RawDocumentBuf::new();
        for (path, value) in paths.into_iter().zip(values) {
            let path = CString::try_from(path).map_err(|_| Error::corrupt("index", "a path has a NUL"))?;
            found.append(path, value);
        }
        Ok(found)
    }
}
