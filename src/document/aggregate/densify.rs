//! `$densify`: documents for the values that a field lacks between those it has.
//!
//! Values are numbers, or dates when a unit is given. They are counted from the lower end of the range, whatever values
//! lie between. All rows are held, as by a sort. Rows without the field come first, then the partitions, each in the
//! order of its first row, and within one the rows in the order of the field.
//!
//! # Source
//! MongoDB manual: `$densify`.

use std::cmp::Ordering;
use std::collections::HashMap;

use bson::raw::{CString, RawBson, RawBsonRef, RawDocumentBuf};
use bson::{Bson, DateTime, Document, RawDocument};

use super::fill::fields_of;
use super::unwind::{at, with};
use crate::document::code::Code;
use crate::document::date::{Unit, Zone};
use crate::document::expression::{Context, Names, Value, check_size};
use crate::document::index_key::canonical;
use crate::document::number::Number;
use crate::document::path::{FieldPath, For};
use crate::document::rows::{Input, ROW_BYTES};
use crate::error::Result;
use crate::limits;

/// A compiled `$densify`.
#[derive(Clone, Debug)]
pub(super) struct Densify {
    field: Vec<CString>,
    partitions: Vec<Vec<CString>>,
    step: Step,
    bounds: Bounds,
}

/// How far one value is from the next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Number(Number),
    Time(Unit, i64),
}

/// Between which values there are to be more.
#[derive(Clone, Copy, Debug)]
enum Bounds {
    /// The least and the greatest of all rows.
    Full,
    /// Those of each partition.
    Partition,
    /// From the first up to but not including the second.
    Between(Place, Place),
}

/// A value of the field.
#[derive(Clone, Copy, Debug)]
enum Place {
    Number(Number),
    /// Milliseconds since 1970.
    Date(i64),
}

/// The rows of a partition, and what they have in common.
struct Partition {
    common: RawDocumentBuf,
    rows: Vec<(Place, RawDocumentBuf)>,
}

impl Densify {
    /// Compiles `{field, partitionByFields, range: {step, unit, bounds}}`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error) for an argument that is missing, unknown or out of its domain.
    pub(super) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let options = object("$densify", argument)?;
        only("$densify", options, &["field", "partitionByFields", "range"])?;
        let path = match options.get("field") {
            Some(Bson::String(path)) if path.starts_with('$') => {
                return Err(Code::FAILED_TO_PARSE.syntax("field of $densify begins with a dollar sign"));
            }
            Some(Bson::String(path)) => FieldPath::parse(path, For::Expression)?,
            Some(_) => return Err(Code::TYPE_MISMATCH.wrong_type("field of $densify is a path")),
            None => return Err(Code::MISSING_FIELD.syntax("$densify needs \"field\"")),
        };
        let partitions = options.get("partitionByFields").map_or(Ok(Vec::new()), |text| fields_of("$densify", text))?;
        if let Some(other) = partitions.iter().find(|other| collide(other.as_str(), path.as_str())) {
            let message = format!("{:?} of partitionByFields collides with the field of $densify", other.as_str());
            return Err(Code::FAILED_TO_PARSE.syntax(message));
        }
        let range = options.get("range").ok_or_else(|| Code::MISSING_FIELD.syntax("$densify needs \"range\""))?;
        let range = object("range of $densify", range)?;
        only("range of $densify", range, &["step", "unit", "bounds"])?;
        let step = step(range)?;
        let needed = || Code::MISSING_FIELD.syntax("range of $densify needs \"bounds\"");
        let bounds = bounds(range.get("bounds").ok_or_else(needed)?, step, names)?;
        Ok(Self { field: names_of(&path), partitions: partitions.iter().map(names_of).collect(), step, bounds })
    }

    /// The rows of `input`, and those between them.
    ///
    /// # Errors
    /// Those of `input`; code 2 for a value that is neither null nor of the range's kind; [`Error::LimitExceeded`](crate::Error)
    /// past [`limits::DENSIFY_DOCUMENTS_MAX`] new documents and [`limits::SORT_BYTES_MAX`].
    pub(super) fn run(&self, input: Input, context: &Context) -> Result<Vec<RawDocumentBuf>> {
        let mut held = Held::default();
        let partitions = self.gathered(input, context, &mut held)?;
        let all = partitions.iter().flat_map(|partition| partition.rows.iter().map(|(place, _)| *place));
        let whole = all.fold(None, extended);
        for partition in partitions {
            let ends = match self.bounds {
                Bounds::Full => whole,
                Bounds::Partition => partition.rows.iter().map(|(place, _)| *place).fold(None, extended),
                Bounds::Between(lower, upper) => Some((lower, upper)),
            };
            let mut rows = partition.rows.into_iter().peekable();
            if let Some((lower, upper)) = ends {
                let mut last: Option<Place> = None;
                for value in self.values(lower, upper) {
                    context.check_time()?;
                    if last.is_some_and(|last| last.compare(value).is_eq()) {
                        return Err(Code::BAD_VALUE.value("step of $densify is too small to make a difference"));
                    }
                    last = Some(value);
                    while let Some((_, row)) = rows.next_if(|(place, _)| place.compare(value).is_lt()) {
                        held.done.push(row);
                    }
                    if rows.peek().is_none_or(|(place, _)| place.compare(value).is_ne()) {
                        held.make(with(&partition.common, &self.field, Some(value.raw().as_raw_bson_ref()))?)?;
                    }
                }
            }
            held.done.extend(rows.map(|(_, row)| row));
        }
        Ok(held.done)
    }

    /// All rows by partition, each in order. Those without a value are done.
    fn gathered(&self, mut input: Input, context: &Context, held: &mut Held) -> Result<Vec<Partition>> {
        let mut partitions: Vec<Partition> = Vec::new();
        let mut found: HashMap<Vec<u8>, usize> = HashMap::new();
        while input.advance()? {
            context.check_time()?;
            let row = input.row()?;
            held.count(row)?;
            let Some(place) = self.place(row)? else {
                held.done.push(row.to_owned());
                continue;
            };
            let mut key = Vec::new();
            for path in &self.partitions {
                let value = at(row, path)?;
                if matches!(value, Some(RawBsonRef::Array(_))) {
                    return Err(Code::BAD_VALUE.value("a field of partitionByFields is an array"));
                }
                key.extend(canonical(value.unwrap_or(RawBsonRef::Null), context.order())?);
            }
            let number = if let Some(number) = found.get(&key) {
                *number
            } else {
                found.insert(key, partitions.len());
                partitions.push(Partition { common: self.common(row)?, rows: Vec::new() });
                partitions.len() - 1
            };
            if let Some(partition) = partitions.get_mut(number) {
                partition.rows.push((place, row.to_owned()));
            }
        }
        // Without rows there is one partition all the same, when there is nothing that would tell several apart.
        if partitions.is_empty() && self.partitions.is_empty() && matches!(self.bounds, Bounds::Between(..)) {
            partitions.push(Partition { common: RawDocumentBuf::new(), rows: Vec::new() });
        }
        for partition in &mut partitions {
            partition.rows.sort_by(|(a, _), (b, _)| a.compare(*b));
        }
        Ok(partitions)
    }

    /// The value of the field; `None` for a null or missing one.
    fn place(&self, row: &RawDocument) -> Result<Option<Place>> {
        let value = match at(row, &self.field)? {
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(None),
            Some(value) => value,
        };
        let place = match (self.step, value) {
            (Step::Time(..), RawBsonRef::DateTime(date)) => Some(Place::Date(date.timestamp_millis())),
            (Step::Number(_), value) => Number::from_raw(value).map(Place::Number),
            _ => None,
        };
        let kind = if matches!(self.step, Step::Time(..)) { "date" } else { "number" };
        place.map(Some).ok_or_else(|| Code::BAD_VALUE.value(format!("$densify meets a value that is no {kind}")))
    }

    /// What the new documents of `row`'s partition have beside the field.
    fn common(&self, row: &RawDocument) -> Result<RawDocumentBuf> {
        let mut common = RawDocumentBuf::new();
        for path in &self.partitions {
            if let Some(value) = at(row, path)? {
                common = with(&common, path, Some(value))?;
            }
        }
        Ok(common)
    }

    /// The values from `lower` on, each a step from the one before; up to `upper`, which is among them unless it is a bound.
    fn values(&self, lower: Place, upper: Place) -> impl Iterator<Item = Place> {
        let (step, is_open) = (self.step, matches!(self.bounds, Bounds::Between(..)));
        let value = move |count: i64| match (lower, step) {
            (Place::Number(lower), Step::Number(step)) => {
                Some(Place::Number(if count == 0 { lower } else { lower.add(step.multiply(counted(count))) }))
            }
            (Place::Date(lower), Step::Time(unit, step)) => {
                unit.add(lower, step.checked_mul(count)?, &Zone::UTC).map(Place::Date)
            }
            _ => None,
        };
        (0..).map_while(value).take_while(move |value| match value.compare(upper) {
            Ordering::Less => true,
            Ordering::Equal => !is_open,
            Ordering::Greater => false,
        })
    }
}

/// What has been made, and how much of it there is.
#[derive(Default)]
struct Held {
    done: Vec<RawDocumentBuf>,
    bytes: usize,
    made: usize,
}

impl Held {
    fn count(&mut self, row: &RawDocument) -> Result<()> {
        self.bytes += row.as_bytes().len() + ROW_BYTES;
        limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, self.bytes)
    }

    fn make(&mut self, row: RawDocumentBuf) -> Result<()> {
        self.made += 1;
        limits::check("documents made by $densify", limits::DENSIFY_DOCUMENTS_MAX, self.made)?;
        check_size(&row)?;
        self.count(&row)?;
        self.done.push(row);
        Ok(())
    }
}

impl Place {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.compare(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(&b),
            (Self::Number(_), Self::Date(_)) => Ordering::Less,
            (Self::Date(_), Self::Number(_)) => Ordering::Greater,
        }
    }

    fn raw(self) -> RawBson {
        match self {
            Self::Number(number) => Value::from(number).into_owned().unwrap_or(RawBson::Null),
            Self::Date(millis) => RawBson::DateTime(DateTime::from_millis(millis)),
        }
    }
}

/// `ends` and `place`.
#[expect(clippy::unnecessary_wraps, reason = "it is folded over")]
fn extended(ends: Option<(Place, Place)>, place: Place) -> Option<(Place, Place)> {
    let Some((least, greatest)) = ends else { return Some((place, place)) };
    let least = if place.compare(least).is_lt() { place } else { least };
    let greatest = if place.compare(greatest).is_gt() { place } else { greatest };
    Some((least, greatest))
}

/// A count in the smallest type that holds it, so that it widens no result.
fn counted(count: i64) -> Number {
    i32::try_from(count).map_or(Number::Int64(count), Number::Int32)
}

fn names_of(path: &FieldPath) -> Vec<CString> {
    path.parts().iter().map(|part| part.stored_name().clone()).collect()
}

/// Whether two paths are the same, or one leads through the other.
fn collide(a: &str, b: &str) -> bool {
    let begins = |whole: &str, start: &str| whole.strip_prefix(start).is_some_and(|rest| rest.starts_with('.'));
    a == b || begins(a, b) || begins(b, a)
}

fn object<'t>(what: &str, argument: &'t Bson) -> Result<&'t Document> {
    argument.as_document().ok_or_else(|| Code::TYPE_MISMATCH.wrong_type(format!("{what} is an object")))
}

fn only(what: &str, options: &Document, known: &[&str]) -> Result<()> {
    match options.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Code::UNKNOWN_FIELD.syntax(format!("{what} has no argument {unknown:?}"))),
        None => Ok(()),
    }
}

fn step(range: &Document) -> Result<Step> {
    let step = match range.get("step") {
        None => return Err(Code::MISSING_FIELD.syntax("range of $densify needs \"step\"")),
        Some(step) => Number::from_bson(step),
    };
    let step = step.ok_or_else(|| Code::TYPE_MISMATCH.wrong_type("step of $densify is a number"))?;
    if !step.is_finite() || step.compare(Number::Int32(0)).is_le() {
        return Err(Code::BAD_VALUE.value("step of $densify is positive"));
    }
    match range.get("unit") {
        None => Ok(Step::Number(step)),
        Some(Bson::String(unit)) => {
            let unit = Unit::parse(unit);
            let unit = unit.ok_or_else(|| Code::FAILED_TO_PARSE.value("unit of $densify is no unit of time"))?;
            let whole =
                step.as_i64().ok_or_else(|| Code::BAD_VALUE.value("step of $densify is a whole number of units"))?;
            Ok(Step::Time(unit, whole))
        }
        Some(_) => Err(Code::TYPE_MISMATCH.wrong_type("unit of $densify is a text")),
    }
}

fn bounds(bounds: &Bson, step: Step, names: &Names) -> Result<Bounds> {
    let bounds = match bounds {
        Bson::String(word) if word == "full" => return Ok(Bounds::Full),
        Bson::String(word) if word == "partition" => return Ok(Bounds::Partition),
        Bson::Array(bounds) => bounds.as_slice(),
        _ => return Err(Code::BAD_VALUE.value("bounds of $densify are \"full\", \"partition\" or two values")),
    };
    let [lower, upper] = bounds else {
        return Err(Code::BAD_VALUE.value("bounds of $densify are \"full\", \"partition\" or two values"));
    };
    let place = |bound: &Bson| {
        let place = match (step, super::constants::constant(bound, names)?) {
            (Step::Time(..), Bson::DateTime(date)) => Some(Place::Date(date.timestamp_millis())),
            (Step::Number(_), number) => {
                Number::from_bson(&number).filter(|number| number.is_finite()).map(Place::Number)
            }
            _ => None,
        };
        place.ok_or_else(|| Code::BAD_VALUE.value("bounds of $densify are numbers, or dates when there is a unit"))
    };
    let (lower, upper) = (place(lower)?, place(upper)?);
    if lower.compare(upper).is_gt() {
        return Err(Code::BAD_VALUE.value("the lower bound of $densify is not above the upper one"));
    }
    Ok(Bounds::Between(lower, upper))
}

#[cfg(test)]
mod tests {
    use bson::{Bson, DateTime, Document, doc};

    use crate::document::Code;
    use crate::{Result, Store};

    fn densify(documents: Vec<Document>, argument: Document) -> Result<Vec<Document>> {
        let documents: Vec<_> = documents.into_iter().map(|document| doc! { "$literal": document }).collect();
        let stages = [doc! { "$documents": documents }, doc! { "$densify": argument }];
        Store::in_memory().database("test").aggregate(stages)?.collect()
    }

    fn numbers(rows: &[Document]) -> Vec<i32> {
        rows.iter().map(|row| row.get_i32("n").unwrap()).collect()
    }

    #[test]
    fn values_are_counted_from_the_lower_end_whatever_lies_between() {
        let rows = || [600, 750, 950].into_iter().map(|n| doc! { "n": n, "was": 1 }).collect::<Vec<_>>();
        let full = densify(rows(), doc! { "field": "n", "range": { "step": 200, "bounds": "full" } }).unwrap();
        assert_eq!(numbers(&full), [600, 750, 800, 950]);
        assert_eq!(full[2], doc! { "n": 800 });
        let within = doc! { "field": "n", "range": { "step": 100, "bounds": [700, 900] } };
        assert_eq!(numbers(&densify(rows(), within).unwrap()), [600, 700, 750, 800, 950]);
        let none = doc! { "field": "n", "range": { "step": 1, "bounds": [0, 3] } };
        assert_eq!(numbers(&densify(vec![], none).unwrap()), [0, 1, 2]);
    }

    #[test]
    fn partitions_span_all_values_or_their_own() {
        let rows = || {
            let row = |p: &str, n: i32| doc! { "p": { "q": p }, "n": n, "was": 1 };
            vec![row("a", 1), row("b", 3), row("a", 3), row("b", 5)]
        };
        let of = |rows: &[Document], p: &str| {
            let rows = rows.iter().filter(|row| row.get_document("p").unwrap().get_str("q").unwrap() == p);
            numbers(&rows.cloned().collect::<Vec<_>>())
        };
        let by = |bounds: &str| {
            let argument =
                doc! { "field": "n", "partitionByFields": ["p.q"], "range": { "step": 1, "bounds": bounds } };
            let dense = densify(rows(), argument).unwrap();
            (of(&dense, "a"), of(&dense, "b"))
        };
        assert_eq!(by("partition"), (vec![1, 2, 3], vec![3, 4, 5]));
        assert_eq!(by("full"), (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn dates_move_by_a_unit_and_rows_without_the_field_pass() {
        let date = |text: &str| DateTime::parse_rfc3339_str(text).unwrap();
        let rows = vec![
            doc! { "t": date("2024-01-31T00:00:00Z") },
            doc! { "x": 1 },
            doc! { "t": Bson::Null },
            doc! { "t": date("2024-04-30T00:00:00Z") },
        ];
        let argument = doc! { "field": "t", "range": { "step": 1, "unit": "month", "bounds": "full" } };
        let dense = densify(rows, argument).unwrap();
        let dates: Vec<_> = dense.iter().filter_map(|row| row.get_datetime("t").ok().copied()).collect();
        assert_eq!(dense.len(), 6);
        let expected =
            ["2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z"].map(date);
        assert_eq!(dates, expected);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_made_is_bounded() {
        let range = |step: Bson, bounds: Bson| doc! { "field": "n", "range": { "step": step, "bounds": bounds } };
        let code =
            |row: Document, argument: Document| Code::of(&densify(vec![row], argument).unwrap_err()).unwrap().number();
        let full = || Bson::from("full");
        assert_eq!(code(doc! { "n": "x" }, range(1.into(), full())), 2);
        assert_eq!(code(doc! { "n": DateTime::MIN }, range(1.into(), full())), 2);
        assert_eq!(code(doc! {}, range(0.into(), full())), 2);
        assert_eq!(code(doc! {}, range("x".into(), full())), 14);
        assert_eq!(code(doc! {}, range(1.into(), vec![2, 1].into())), 2);
        assert_eq!(code(doc! {}, range(1.into(), "some".into())), 2);
        assert_eq!(code(doc! {}, doc! { "field": "n" }), 40_414);
        assert_eq!(code(doc! {}, doc! { "field": "n", "range": { "step": 1, "bounds": "full" }, "x": 1 }), 40_415);
        let within = doc! { "field": "n", "partitionByFields": ["n.a"], "range": { "step": 1, "bounds": "full" } };
        assert_eq!(code(doc! {}, within), 9);
        // More than the largest number of documents, and a step that is lost in the value.
        assert!(densify(vec![], range(1.into(), vec![0, 500_000].into())).is_ok());
        assert!(densify(vec![], range(1.into(), vec![0, 500_001].into())).is_err());
        assert_eq!(code(doc! { "n": 1e300 }, range(1.into(), vec![1e300, 2e300].into())), 2);
    }
}
