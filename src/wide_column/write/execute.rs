//! The executor of writes.

use std::sync::Arc;

use crate::error::Result;
use crate::txn::Writer;
use crate::wide_column::definitions;
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::Definition;
use crate::wide_column::write::apply::apply;
use crate::wide_column::write::condition::{CurrentRow, check};
use crate::wide_column::write::plan::{Change, Condition, Plan};

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Applied,
    /// A condition did not hold, and nothing was written. Of each plan that has a condition, the row as it is.
    NotApplied(Vec<Option<CurrentRow>>),
}

/// Makes several writes, all of them or none, at one moment and one timestamp: `timestamp`, or now. A plan's own goes first.
///
/// # Errors
/// Those of what cannot be written; nothing is written then.
///
/// # Cost
/// As the plans one by one.
pub(crate) fn execute(writer: &mut Writer, plans: &[Plan], timestamp: Option<i64>) -> Result<Outcome> {
    if plans.iter().any(|plan| plan.table.record.view.is_some()) {
        return Err(Exception::Invalid.error("Cannot directly modify a materialized view"));
    }
    check_conditions(plans)?;
    let mut current = Vec::new();
    let mut holds = true;
    for plan in plans {
        if let Some(condition) = &plan.condition {
            let (own, row) = check(writer, plan, condition)?;
            holds &= own;
            current.push(row);
        }
    }
    if !holds {
        return Ok(Outcome::NotApplied(current));
    }
    let needs_time = plans.iter().any(|plan| plan.timestamp.is_none());
    let timestamp = match timestamp {
        Some(timestamp) => timestamp,
        None if needs_time => writer.unique_micros()?,
        None => 0,
    };
    let noted = note_deletions(writer, plans)?;
    for plan in plans {
        let changed = noted.iter().find(|table| table.storage == plan.table.storage);
        apply(writer, changed.unwrap_or(&plan.table), plan, plan.timestamp.unwrap_or(timestamp))?;
    }
    Ok(Outcome::Applied)
}

/// Refuses conditions on more than one partition, and two on one row that cannot both hold.
fn check_conditions(plans: &[Plan]) -> Result<()> {
    let with = || plans.iter().filter_map(|plan| Some((plan, plan.condition.as_ref()?)));
    let Some((first, _)) = with().next() else { return Ok(()) };
    if with().any(|(plan, _)| plan.table.id != first.table.id || plan.partition != first.partition) {
        return Err(Exception::Invalid.error("Batch with conditions cannot span multiple partitions"));
    }
    let row = |plan: &Plan| match &plan.change {
        Change::Row { clustering, .. } => clustering.clone(),
        Change::DeleteRow(clustering) => Some(clustering.clone()),
        Change::DeleteRange(_) | Change::DeletePartition => None,
    };
    for (nth, (plan, condition)) in with().enumerate() {
        for (other, earlier) in with().take(nth) {
            let mixed = match (condition, earlier) {
                (Condition::NotExists, Condition::NotExists)
                | (Condition::Exists | Condition::Columns(_), Condition::Exists | Condition::Columns(_)) => continue,
                (Condition::Columns(_), _) | (_, Condition::Columns(_)) => "IF conditions and IF NOT EXISTS",
                _ => "IF EXISTS and IF NOT EXISTS conditions",
            };
            if row(plan) == row(other) {
                return Err(Exception::Invalid.error(format!("Cannot mix {mixed} for the same row")));
            }
        }
    }
    Ok(())
}

/// Notes in the definitions of tables that partitions or ranges are deleted in them, where that is not known yet. Returns these
/// definitions.
fn note_deletions(writer: &mut Writer, plans: &[Plan]) -> Result<Vec<Definition>> {
    let mut noted: Vec<Definition> = Vec::new();
    for plan in plans {
        let (partitions, ranges) = match plan.change {
            Change::DeletePartition => (true, false),
            Change::DeleteRange(_) => (false, true),
            Change::Row { .. } | Change::DeleteRow(_) => continue,
        };
        let storage = plan.table.storage;
        let known = noted.iter().position(|table| table.storage == storage);
        let record = &known.and_then(|at| noted.get(at)).unwrap_or(&plan.table).record;
        if (!partitions || record.has_deleted_partitions()) && (!ranges || record.has_deleted_ranges()) {
            continue;
        }
        let changed = definitions::change(writer, storage, |record| record.set_deleted(partitions, ranges))?;
        if let Some(at) = known {
            noted.remove(at);
        }
        noted.extend(changed.map(|changed| Arc::clone(&changed)));
    }
    Ok(noted)
}
