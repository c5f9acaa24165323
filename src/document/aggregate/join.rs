//! `$lookup` and `$unionWith`: the documents of other collections.

use std::sync::Arc;

use bson::raw::{CString, RawArrayBuf, RawBson, RawBsonRef};
use bson::{Bson, RawDocument, RawDocumentBuf};

use super::Pipeline;
use super::exec::Exec;
use super::unwind::with;
use crate::document::expression::{Env, Expression};
use crate::document::filter::Filter;
use crate::document::find::Prepared;
use crate::document::path::{FieldPath, Reached};
use crate::document::raw::corrupt;
use crate::document::rows::{Input, Made, Rows, lent};
use crate::error::Result;
use crate::limits;

/// A compiled `$lookup`.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The other collection; without it the pipeline has documents of its own.
    pub(super) from: Option<String>,
    /// Where the array of what was found goes.
    pub(super) target: Vec<CString>,
    /// The paths that are equal, here and there.
    pub(super) equality: Option<(FieldPath, FieldPath)>,
    /// The values of the pipeline's variables.
    pub(super) variables: Vec<Expression>,
    pub(super) pipeline: Option<Pipeline>,
}

/// A compiled `$unionWith`.
#[derive(Clone, Debug)]
pub(super) struct Union {
    pub(super) from: Option<String>,
    pub(super) pipeline: Pipeline,
}

/// Rows with what was found for each of them.
pub(super) struct Joined {
    lookup: Lookup,
    input: Input,
    exec: Arc<Exec>,
    current: Option<RawDocumentBuf>,
}

impl Joined {
    pub(super) fn new(lookup: Lookup, input: Input, exec: Arc<Exec>) -> Self {
        Self { lookup, input, exec, current: None }
    }
}

impl Rows for Joined {
    fn advance(&mut self) -> Result<bool> {
        if !self.input.advance()? {
            return Ok(false);
        }
        let row = self.input.row()?;
        let found = self.lookup.find(row, &self.exec)?;
        let joined = with(row, &self.lookup.target, Some(RawBsonRef::Array(&found)))?;
        check_joined(joined.as_bytes())?;
        self.current = Some(joined);
        Ok(true)
    }

    fn row(&self) -> Result<&RawDocument> {
        lent(self.current.as_deref())
    }
}

impl Lookup {
    /// What there is for `row`, in the order in which the other collection is read.
    fn find(&self, row: &RawDocument, exec: &Arc<Exec>) -> Result<RawArrayBuf> {
        let filter = match &self.equality {
            Some((local, foreign)) => Filter::equal_any(foreign, local_values(row, local)?, exec.context().collator()),
            None => Filter::all(),
        };
        let mut rows: Input = match &self.from {
            Some(from) => exec.open(from, &Prepared::all(Arc::new(filter)))?,
            None => Box::new(Made::new(std::iter::empty())),
        };
        if let Some(pipeline) = &self.pipeline {
            let mut outer = exec.context().outer().to_vec();
            for variable in &self.variables {
                outer.push(variable.evaluate(&mut Env::new(row, exec.context()))?.into_owned());
            }
            rows = pipeline.clone().run(rows, &exec.within(outer))?;
        }
        let mut array = RawArrayBuf::new();
        while rows.advance()? {
            array.push(rows.row()?.to_owned());
            check_joined(array.as_bytes())?;
        }
        Ok(array)
    }
}

/// Refuses what is too large even for a document that a later stage makes smaller.
fn check_joined(made: &[u8]) -> Result<()> {
    limits::check("joined bytes", limits::JOINED_BYTES_MAX, made.len())
}

/// The values that a path here reaches; nothing counts as null, and of an array each element.
fn local_values(row: &RawDocument, path: &FieldPath) -> Result<Vec<Bson>> {
    let mut values: Vec<RawBson> = Vec::new();
    path.any(row, |reached| {
        match reached {
            Reached::Missing => values.push(RawBson::Null),
            Reached::Field(RawBsonRef::Array(array)) => {
                values.extend(array.into_iter().flatten().map(RawBson::from));
            }
            Reached::Field(value) | Reached::Element(value) => values.push(value.into()),
        }
        false
    })?;
    if values.is_empty() {
        values.push(RawBson::Null);
    }
    values.iter().map(|value| Bson::try_from(value.as_raw_bson_ref()).map_err(corrupt)).collect()
}

/// The rows of a pipeline, and then those of another collection.
pub(super) struct United {
    input: Input,
    /// What comes behind, until it is opened.
    union: Option<Union>,
    exec: Arc<Exec>,
}

impl United {
    pub(super) fn new(union: Union, input: Input, exec: Arc<Exec>) -> Self {
        Self { input, union: Some(union), exec }
    }
}

impl Rows for United {
    fn advance(&mut self) -> Result<bool> {
        loop {
            if self.input.advance()? {
                return Ok(true);
            }
            let Some(Union { from, pipeline }) = self.union.take() else { return Ok(false) };
            let rows: Input = match &from {
                Some(from) => self.exec.open(from, &Prepared::all(Arc::new(Filter::all())))?,
                None => Box::new(Made::new(std::iter::empty())),
            };
            self.input = pipeline.run(rows, &self.exec)?;
        }
    }

    fn row(&self) -> Result<&RawDocument> {
        self.input.row()
    }
}
