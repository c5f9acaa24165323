//! `$bucketAuto`: documents spread over buckets of about the same size, by a value.

use bson::raw::{CString, RawBson, RawDocumentBuf, cstr};
use bson::{Bson, doc};

use super::accumulator::{Accumulator, State};
use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, Names, append, check_depth, check_size, name};
use crate::document::index_key::canonical;
use crate::document::number::Number;
use crate::document::rows::{Input, ROW_BYTES};
use crate::error::{Error, Result};
use crate::limits;

/// A compiled `$bucketAuto`.
#[derive(Clone, Debug)]
pub(super) struct BucketAuto {
    group_by: Expression,
    buckets: usize,
    fields: Vec<(CString, Accumulator, Expression)>,
}

/// A document with its value, and the bytes that the value is ordered by.
struct Entry {
    key: Vec<u8>,
    value: RawBson,
    row: RawDocumentBuf,
}

impl BucketAuto {
    /// Compiles `{groupBy, buckets, output}`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an argument that is missing, unknown or out of its domain; [`Error::Unsupported`] names
    /// `granularity`.
    pub(super) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let Bson::Document(options) = argument else {
            return Err(Code::BUCKET_AUTO_TYPE.wrong_type("$bucketAuto takes an object"));
        };
        let known = ["groupBy", "buckets", "output", "granularity"];
        if let Some(unknown) = options.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Code::BUCKET_AUTO_UNKNOWN_ARGUMENT.syntax(format!("$bucketAuto has no argument {unknown:?}")));
        }
        let (Some(group_by), Some(buckets)) = (options.get("groupBy"), options.get("buckets")) else {
            return Err(Code::BUCKET_AUTO_MISSING_ARGUMENT.syntax("$bucketAuto needs groupBy and buckets"));
        };
        let is_expression = match group_by {
            Bson::String(path) => path.starts_with('$'),
            Bson::Document(call) => call.keys().next().is_some_and(|key| key.starts_with('$')),
            _ => false,
        };
        if !is_expression {
            return Err(Code::BUCKET_AUTO_GROUP_BY.syntax("groupBy of $bucketAuto is a path or an expression"));
        }
        match options.get("granularity") {
            None => {}
            Some(Bson::String(_)) => return Err(Error::unsupported("granularity of $bucketAuto")),
            Some(_) => return Err(Code::BUCKET_AUTO_GRANULARITY.wrong_type("granularity of $bucketAuto is a text")),
        }
        let count = doc! { "count": { "$sum": 1 } };
        let output = match options.get("output") {
            None => &count,
            Some(Bson::Document(output)) => output,
            Some(_) => return Err(Code::BUCKET_AUTO_OUTPUT.wrong_type("output of $bucketAuto is an object")),
        };
        let field = |(path, text): (&String, &Bson)| {
            if path.starts_with('$') {
                return Err(Code::GROUP_FIELD_DOLLAR.syntax(format!("the field {path:?} begins with a dollar sign")));
            }
            if path.contains('.') {
                return Err(Code::GROUP_FIELD_DOT.syntax(format!("the field {path:?} has a dot in its name")));
            }
            let Bson::Document(call) = text else {
                return Err(Code::GROUP_FIELD_NOT_ACCUMULATOR.syntax(format!("the field {path:?} is no accumulator")));
            };
            let (accumulator, expression) = Accumulator::compile(call, names)?;
            Ok((name(path)?, accumulator, expression))
        };
        Ok(Self {
            group_by: Expression::compile(group_by, names)?,
            buckets: count_of(buckets)?,
            fields: output.iter().map(field).collect::<Result<_>>()?,
        })
    }

    /// The buckets of the documents of `input`, in the order of their bounds.
    ///
    /// # Errors
    /// Those of `input` and of the expressions; [`Error::LimitExceeded`] past [`limits::SORT_BYTES_MAX`].
    pub(super) fn run(&self, mut input: Input, context: &Context) -> Result<Vec<RawDocumentBuf>> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while input.advance()? {
            context.check_time()?;
            let row = input.row()?;
            let value = self.group_by.evaluate(&mut Env::new(row, context))?;
            let key = canonical(value.or_null(), context.order())?;
            let entry = Entry { key, value: value.or_null().into(), row: row.to_owned() };
            bytes += entry.key.len() * 2 + entry.row.as_bytes().len() + ROW_BYTES;
            limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
            entries.push(entry);
        }
        entries.sort_by(|left, right| left.key.cmp(&right.key));
        let bounds = self.bounds(&entries);
        let mut made = Vec::with_capacity(bounds.len());
        for (place, (start, end)) in bounds.iter().enumerate() {
            let Some(held) = entries.get(*start..*end) else { continue };
            // The upper bound is the lower one of the next bucket, and the greatest value in the last.
            let upper = bounds.get(place + 1).and_then(|(next, _)| entries.get(*next)).or(held.last());
            let (Some(lower), Some(upper)) = (held.first(), upper) else { continue };
            made.push(self.bucket(lower, upper, held, context)?);
        }
        Ok(made)
    }

    /// Where the buckets begin and end. Equal values are in one.
    fn bounds(&self, entries: &[Entry]) -> Vec<(usize, usize)> {
        let size = ((entries.len() + self.buckets / 2) / self.buckets).max(1);
        let (mut bounds, mut start) = (Vec::new(), 0);
        while start < entries.len() {
            let is_last = bounds.len() + 1 == self.buckets;
            let mut end = if is_last { entries.len() } else { (start + size).min(entries.len()) };
            let last = end.checked_sub(1).and_then(|last| entries.get(last)).map(|entry| &entry.key);
            while entries.get(end).is_some_and(|entry| Some(&entry.key) == last) {
                end += 1;
            }
            bounds.push((start, end));
            start = end;
        }
        bounds
    }

    fn bucket(&self, lower: &Entry, upper: &Entry, held: &[Entry], context: &Context) -> Result<RawDocumentBuf> {
        let (mut document, mut id) = (RawDocumentBuf::new(), RawDocumentBuf::new());
        id.append(cstr!("min"), lower.value.clone());
        id.append(cstr!("max"), upper.value.clone());
        document.append(cstr!("_id"), id);
        for (name, accumulator, expression) in &self.fields {
            let mut state = State::new(accumulator);
            for entry in held {
                let mut env = Env::new(&entry.row, context);
                state.add(&expression.evaluate(&mut env)?, &entry.row, context.order())?;
                limits::check("group bytes", limits::SORT_BYTES_MAX, state.bytes())?;
            }
            append(&mut document, name, &state.finish());
        }
        check_depth(bson::RawBsonRef::Document(&document), limits::DOCUMENT_DEPTH_MAX)?;
        check_size(&document)?;
        Ok(document)
    }
}

fn count_of(buckets: &Bson) -> Result<usize> {
    let number = Number::from_bson(buckets)
        .ok_or_else(|| Code::BUCKET_AUTO_COUNT_TYPE.wrong_type("buckets of $bucketAuto is a number"))?;
    let whole = number.as_i64().and_then(|whole| i32::try_from(whole).ok());
    let whole = whole.ok_or_else(|| Code::BUCKET_AUTO_COUNT.value("buckets of $bucketAuto is a 32-bit integer"))?;
    usize::try_from(whole)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| Code::BUCKET_AUTO_COUNT_VALUE.value("buckets of $bucketAuto is positive"))
}
