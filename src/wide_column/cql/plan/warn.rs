//! What clients are warned of.

use crate::wide_column::read::plan::Bytes;
use crate::wide_column::write::plan::{CellOperation, Change, Plan};

/// Bytes of a batch past which Cassandra warns of it (`batch_size_warn_threshold`).
const BATCH_BYTES: usize = 5 * 1024;

/// Bytes of a timestamp, which each row and cell has.
const TIMESTAMP_BYTES: usize = 8;

/// What is said of a batch of these writes: nothing, unless it is large and not all of one partition.
pub(in crate::wide_column::cql) fn of_batch(plans: &[Plan]) -> Vec<String> {
    let is_of_one = plans.windows(2).all(|pair| match pair {
        [a, b] => a.partition == b.partition && a.table.id == b.table.id,
        _ => true,
    });
    let bytes = plans.iter().map(size).sum::<usize>();
    if is_of_one || bytes <= BATCH_BYTES {
        return Vec::new();
    }
    let shown = |bytes: usize| format!("{}.{:03}KiB", bytes / 1024, bytes % 1024 * 1000 / 1024);
    let (all, limit, over) = (shown(bytes), shown(BATCH_BYTES), shown(bytes - BATCH_BYTES));
    let count = plans.len();
    vec![format!("Batch of {count} writes is of size {all}, exceeding specified threshold of {limit} by {over}.")]
}

/// Bytes of the keys and values of a write.
fn size(plan: &Plan) -> usize {
    let all = |values: &[Bytes]| values.iter().map(Bytes::len).sum::<usize>();
    let some = |value: &Option<Bytes>| value.as_ref().map_or(0, Bytes::len);
    let of_change = match &plan.change {
        Change::Row { clustering, cells, .. } => {
            let cell = |operation: &CellOperation| match operation {
                CellOperation::Set(value) | CellOperation::SetField(_, value) | CellOperation::SetIndex(_, value) => {
                    some(value)
                }
                CellOperation::SetElement(key, value) => key.len() + some(value),
                CellOperation::Append(value) | CellOperation::Prepend(value) | CellOperation::Remove(value) => {
                    value.len()
                }
                CellOperation::Add(_) => size_of::<i64>(),
            };
            let cells = cells.iter().map(|own| cell(&own.operation) + TIMESTAMP_BYTES).sum::<usize>();
            clustering.as_ref().map_or(0, |values| all(values)) + cells
        }
        Change::DeleteRow(values) => all(values),
        Change::DeleteRange(slice) => all(&slice.start.values) + all(&slice.end.values),
        Change::DeletePartition => 0,
    };
    plan.partition.len() + TIMESTAMP_BYTES + of_change
}
