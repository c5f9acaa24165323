//! Restrictions of clustering columns, as slices of partitions.

use std::cmp::Ordering;

use crate::error::Result;
use crate::limits;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::order::compare;
use crate::wide_column::read::plan::{Bytes, Comparison, Edge, Filter, Slice, Test};
use crate::wide_column::schema::{Order, TableRecord};

/// What one relation says of one column.
#[derive(Clone, Debug)]
pub(super) enum One {
    Equal(Bytes),
    In(Vec<Bytes>),
    Range(Comparison, Bytes),
    /// What only a filter can look at.
    Other(Test),
}

impl One {
    /// The same as a filter's test.
    pub(super) fn into_test(self) -> Test {
        match self {
            Self::Equal(value) => Test::Compare(Comparison::Equal, value),
            Self::In(values) => Test::In(values),
            Self::Range(comparison, value) => Test::Compare(comparison, value),
            Self::Other(test) => test,
        }
    }
}

/// What one relation says of several clustering columns.
#[derive(Clone, Debug)]
pub(super) enum Several {
    Compare(Comparison, Vec<Bytes>),
    In(Vec<Vec<Bytes>>),
}

/// What is said of a table's clustering columns: of one, by its position, and of several.
#[derive(Debug, Default)]
pub(super) struct Clustered {
    pub(super) single: Vec<(usize, One)>,
    pub(super) several: Vec<(Vec<usize>, Several)>,
}

/// Slices, and what they do not say.
#[derive(Debug)]
pub(super) struct Sliced {
    pub(super) slices: Vec<Slice>,
    /// What is left for a filter; there is something only where filtering is allowed.
    pub(super) filters: Vec<Filter>,
    /// Whether filters had to be made of restrictions that skip a column.
    pub(super) skips: bool,
}

/// The slices that `clustered` says. Where it skips columns, that is an error unless filtering is allowed.
pub(super) fn slices(table: &TableRecord, clustered: Clustered, allow_filtering: bool) -> Result<Sliced> {
    let columns = &table.shape().clustering;
    let Clustered { mut single, mut several } = clustered;
    let mut prefixes: Vec<Vec<Bytes>> = vec![Vec::new()];
    let mut filters = Vec::new();
    let mut bounds: Vec<Bound> = Vec::new();
    let mut at = 0;
    // The column at which equality ends: there are bounds of it, or nothing is said of it.
    while let Some((column, order)) = columns.get(at) {
        if let Some(nth) = several.iter().position(|(of, _)| of.first() == Some(column)) {
            let (of, said) = several.remove(nth);
            match said {
                Several::Compare(Comparison::Equal, values) => prefixes = extended(prefixes, &[values])?,
                Several::In(tuples) => prefixes = extended(prefixes, &sorted_tuples(table, &of, tuples)?)?,
                Several::Compare(comparison, values) => {
                    bounds.push((of.clone(), comparison, values));
                    // A second one may be the other end.
                    while let Some(nth) = several.iter().position(|(of, said)| {
                        of.first() == Some(column)
                            && matches!(said, Several::Compare(other, _) if *other != Comparison::Equal)
                    }) {
                        if let (of, Several::Compare(comparison, values)) = several.remove(nth) {
                            bounds.push((of, comparison, values));
                        }
                    }
                    break;
                }
            }
            at += of.len();
            continue;
        }
        let own: Vec<One> = single.extract_if(.., |(of, _)| of == column).map(|(_, one)| one).collect();
        let mut is_restricted = false;
        for one in own {
            match one {
                One::Equal(value) => {
                    prefixes = extended(prefixes, &[vec![value]])?;
                    is_restricted = true;
                }
                One::In(values) => {
                    let values = sorted(table, *column, *order, values)?.into_iter().map(|value| vec![value]);
                    prefixes = extended(prefixes, &values.collect::<Vec<_>>())?;
                    is_restricted = true;
                }
                One::Range(comparison, value) => bounds.push((vec![*column], comparison, vec![value])),
                One::Other(test) => filters.push(Filter::Column(*column, test)),
            }
        }
        if !is_restricted {
            break;
        }
        at += 1;
    }
    let has_bounds = !bounds.is_empty();
    let skips = !single.is_empty() || !several.is_empty();
    if skips && !allow_filtering {
        return Err(skipped(table, at, has_bounds, &single, &several));
    }
    filters.extend(single.into_iter().map(|(column, one)| Filter::Column(column, one.into_test())));
    filters.extend(several.into_iter().map(|(columns, said)| match said {
        Several::Compare(comparison, values) => Filter::Columns(columns, comparison, values),
        Several::In(tuples) => Filter::ColumnsIn(columns, tuples),
    }));
    // Where columns go different ways, what is between bounds of several is not contiguous.
    let is_one_way = |(columns, ..): &mut Bound| {
        columns.windows(2).all(|pair| match pair {
            [a, b] => order_of(table, *a) == order_of(table, *b),
            _ => true,
        })
    };
    let one_way: Vec<Bound> = bounds.extract_if(.., is_one_way).collect();
    filters
        .extend(bounds.into_iter().map(|(columns, comparison, values)| Filter::Columns(columns, comparison, values)));
    let slices = prefixes.iter().map(|prefix| bounded(table, prefix, &one_way)).collect();
    Ok(Sliced { slices, filters, skips })
}

/// One end of a slice: which columns compare how with which values.
type Bound = (Vec<usize>, Comparison, Vec<Bytes>);

fn order_of(table: &TableRecord, column: usize) -> Order {
    let own = table.shape().clustering.iter().find(|(own, _)| *own == column);
    own.map_or(Order::Ascending, |(_, order)| *order)
}

/// The slice of `prefix` within bounds of columns that go the same way.
fn bounded(table: &TableRecord, prefix: &[Bytes], bounds: &[Bound]) -> Slice {
    let mut slice = Slice::prefix(prefix.to_vec());
    for (columns, comparison, values) in bounds {
        let first = columns.first().map_or(Order::Ascending, |column| order_of(table, *column));
        let is_lower = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
        let is_inclusive = matches!(comparison, Comparison::GreaterOrEqual | Comparison::LessOrEqual);
        let edge = Edge { values: [prefix, &values[..]].concat(), is_inclusive };
        if is_lower == (first == Order::Ascending) {
            slice.start = edge;
        } else {
            slice.end = edge;
        }
    }
    slice
}

/// Each of `prefixes` with each of `tuples` behind it.
fn extended(prefixes: Vec<Vec<Bytes>>, tuples: &[Vec<Bytes>]) -> Result<Vec<Vec<Bytes>>> {
    limits::check("rows that IN asks for", limits::WIDE_IN_ROWS_MAX, prefixes.len().saturating_mul(tuples.len()))?;
    let with =
        |prefix: Vec<Bytes>| tuples.iter().map(move |tuple| [&prefix[..], &tuple[..]].concat()).collect::<Vec<_>>();
    Ok(prefixes.into_iter().flat_map(with).collect())
}

/// The values in the order of rows, each once.
fn sorted(table: &TableRecord, column: usize, order: Order, mut values: Vec<Bytes>) -> Result<Vec<Bytes>> {
    let cql_type = table.column(column)?.column_type();
    let by = |a: &Bytes, b: &Bytes| directed(compare(cql_type, a, b), order);
    values.sort_by(by);
    values.dedup_by(|a, b| by(a, b).is_eq());
    Ok(values)
}

fn sorted_tuples(table: &TableRecord, columns: &[usize], mut tuples: Vec<Vec<Bytes>>) -> Result<Vec<Vec<Bytes>>> {
    let mut types = Vec::with_capacity(columns.len());
    for column in columns {
        types.push((table.column(*column)?.column_type(), order_of(table, *column)));
    }
    let by = |a: &Vec<Bytes>, b: &Vec<Bytes>| {
        let parts = types.iter().zip(a.iter().zip(b));
        parts.map(|((of, order), (a, b))| directed(compare(of, a, b), *order)).find(|order| order.is_ne())
    };
    tuples.sort_by(|a, b| by(a, b).unwrap_or(Ordering::Equal));
    tuples.dedup_by(|a, b| by(a, b).is_none());
    Ok(tuples)
}

fn directed(ordering: Ordering, order: Order) -> Ordering {
    if order == Order::Descending { ordering.reverse() } else { ordering }
}

/// The error for restrictions behind a column that nothing, or only bounds, restricts.
fn skipped(
    table: &TableRecord,
    at: usize,
    has_bounds: bool,
    single: &[(usize, One)],
    several: &[(Vec<usize>, Several)],
) -> crate::error::Error {
    let name = |column: Option<&usize>| {
        column.and_then(|column| table.column(*column).ok()).map_or("", |column| column.name()).to_owned()
    };
    let restricted = single.first().map(|(column, _)| column).or(several.first().and_then(|(of, _)| of.first()));
    let (column, before) = (name(restricted), name(table.shape().clustering.get(at).map(|(column, _)| column)));
    if has_bounds {
        return invalid(format!(
            "Clustering column \"{column}\" cannot be restricted (preceding column \"{before}\" is restricted by a non-EQ relation)"
        ));
    }
    invalid(format!(
        "PRIMARY KEY column \"{column}\" cannot be restricted as preceding column \"{before}\" is not restricted"
    ))
}
