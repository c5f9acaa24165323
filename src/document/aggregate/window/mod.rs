//! `$setWindowFields`: fields computed from the rows around each row.
//!
//! Rows are read whole, sorted by partition and within it, and get their fields partition by partition. What a window holds is
//! summed up anew for each row, except for windows that begin with the partition, which grow: so a sum so far costs O(n).
//!
//! # Source
//! MongoDB manual: `$setWindowFields`, Window Operators.

mod bounds;
mod functions;
mod parse;

use std::ops::Range;

use bson::RawDocumentBuf;
use bson::raw::{CString, RawBson};

use self::bounds::{Keys, Window};
use self::functions::Function;
use super::unwind::with;
use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, Value, check_depth, check_size};
use crate::document::index_key::canonical;
use crate::document::pattern::Pattern;
use crate::document::rows::{Input, ROW_BYTES};
use crate::error::Result;
use crate::limits;

/// A compiled `$setWindowFields`.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// What tells partitions apart.
    partition: Vec<Expression>,
    sort: Option<Pattern>,
    /// The value of the field that it is sorted by, if it is one.
    sort_value: Option<Expression>,
    outputs: Vec<Output>,
}

/// A field that is computed.
#[derive(Clone, Debug)]
struct Output {
    path: Vec<CString>,
    function: Function,
}

/// The rows of a partition, in order.
struct Partition<'a> {
    rows: &'a [RawDocumentBuf],
    /// What each row sorts by, to tell ties.
    places: &'a [Vec<u8>],
    /// The value of the field they are sorted by.
    sort_value: Option<&'a Expression>,
    context: &'a Context,
}

impl Windows {
    /// The same, where partitions have equal values of all of `partition`.
    pub(super) fn partitioned_by(self, partition: Vec<Expression>) -> Self {
        Self { partition, ..self }
    }

    /// The rows of `input` with their new fields, sorted by partition and within it.
    ///
    /// # Errors
    /// Those of `input` and of the expressions; [`Error::LimitExceeded`](crate::Error) past [`limits::SORT_BYTES_MAX`].
    pub(super) fn run(&self, input: Input, context: &Context) -> Result<Vec<RawDocumentBuf>> {
        let (rows, places, ends) = self.sorted(input, context)?;
        let mut done = Vec::with_capacity(rows.len());
        let (mut start, mut bytes) = (0, 0);
        for end in ends {
            let (Some(rows), Some(places)) = (rows.get(start..end), places.get(start..end)) else { continue };
            start = end;
            let partition = Partition { rows, places, sort_value: self.sort_value.as_ref(), context };
            for row in partition.with_fields(&self.outputs)? {
                bytes += row.as_bytes().len() + ROW_BYTES;
                limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
                done.push(row);
            }
        }
        Ok(done)
    }

    /// All rows in order, what each sorts by, and where the partitions end.
    #[expect(clippy::type_complexity, reason = "three lists of the same rows")]
    fn sorted(&self, mut input: Input, context: &Context) -> Result<(Vec<RawDocumentBuf>, Vec<Vec<u8>>, Vec<usize>)> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while input.advance()? {
            let row = input.row()?;
            let mut partition = Vec::new();
            for expression in &self.partition {
                let value = expression.evaluate(&mut Env::new(row, context))?;
                if value.is_array() {
                    return Err(Code::TYPE_MISMATCH.wrong_type("partitionBy of $setWindowFields gives an array"));
                }
                partition.extend(canonical(value.or_null(), context.order())?);
            }
            let place = self.sort.as_ref().map_or_else(|| Ok(Vec::new()), |sort| sort.sort_key(row))?;
            bytes += row.as_bytes().len() + partition.len() + place.len() + 2 * ROW_BYTES;
            limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
            entries.push((partition, place, row.to_owned()));
        }
        entries.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
        let mut ends = Vec::new();
        for (place, pair) in entries.windows(2).enumerate() {
            if let [left, right] = pair
                && left.0 != right.0
            {
                ends.push(place + 1);
            }
        }
        ends.push(entries.len());
        let (places, rows) = entries.into_iter().map(|(_, place, row)| (place, row)).unzip();
        Ok((rows, places, ends))
    }
}

impl Partition<'_> {
    fn with_fields(&self, outputs: &[Output]) -> Result<Vec<RawDocumentBuf>> {
        let mut columns = Vec::with_capacity(outputs.len());
        for output in outputs {
            columns.push((&output.path, output.function.values(self)?));
        }
        let mut rows = self.rows.to_vec();
        for (path, values) in columns {
            for (row, value) in rows.iter_mut().zip(values) {
                *row = with(row, path, value.as_ref().map(RawBson::as_raw_bson_ref))?;
                check_size(row)?;
                check_depth(bson::RawBsonRef::Document(row), limits::DOCUMENT_DEPTH_MAX)?;
            }
        }
        Ok(rows)
    }

    /// The values of `expression` for all rows.
    fn evaluated(&self, expression: &Expression) -> Result<Vec<Option<RawBson>>> {
        let value = |row: &RawDocumentBuf| {
            self.context.spend(1)?;
            Ok(expression.evaluate(&mut Env::new(row, self.context))?.into_owned())
        };
        self.rows.iter().map(value).collect()
    }

    /// What the rows are sorted by.
    fn sort_values(&self) -> Result<Vec<Option<RawBson>>> {
        match self.sort_value {
            Some(expression) => self.evaluated(expression),
            None => Ok(vec![None; self.rows.len()]),
        }
    }

    /// The rows in the window of each row.
    fn windows(&self, window: &Window) -> Result<Vec<Range<usize>>> {
        let keys = match window {
            Window::Range { unit, .. } => Some(Keys::new(&self.sort_values()?, *unit)?),
            _ => None,
        };
        let count = self.rows.len();
        Ok((0..count).map(|place| window.around(place, count, keys.as_ref())).collect())
    }
}

/// A value that is held, as one that expressions compute with.
fn lend(value: Option<&RawBson>) -> Value<'_> {
    value.map_or(Value::Missing, |value| Value::Borrowed(value.as_raw_bson_ref()))
}
