//! Running queries and scans.

use std::sync::Arc;

use crate::engine::Direction;
use crate::engine::KeyRange;
use crate::error::Result;
use crate::item::capacity::{Costs, Reading};
use crate::item::check::PreparedRead;
use crate::item::page::{Page, PageReader};
use crate::item::plan::{Options, Plan};
use crate::item::range;
use crate::item::request::{Query, ReadOutput, ReturnConsumedCapacity, Scan, Select};
use crate::item::target::Target;
use crate::txn::View;

/// Runs [`Query`].
pub(super) fn query(
    names: &View,
    items: &View,
    target: &Target,
    request: &Query,
    prepared: &PreparedRead,
) -> Result<ReadOutput> {
    let is_forward = request.scan_index_forward.unwrap_or(true);
    let options = Options {
        index: request.index_name.clone(),
        direction: if is_forward { Direction::Forward } else { Direction::Backward },
        page_size: request.limit.and_then(|limit| u64::try_from(limit).ok()),
        start_after: request.exclusive_start_key.clone(),
        is_consistent: request.consistent_read,
        select: request.select,
        is_query: true,
        ..prepared.options()
    };
    run(names, items, target, &options, prepared, request.return_consumed_capacity)
}

/// Runs [`Scan`].
pub(super) fn scan(
    names: &View,
    items: &View,
    target: &Target,
    request: &Scan,
    prepared: &PreparedRead,
) -> Result<ReadOutput> {
    let segment = match (request.segment, request.total_segments) {
        (Some(segment), Some(total)) => u32::try_from(segment).ok().zip(u32::try_from(total).ok()),
        _ => None,
    };
    let options = Options {
        index: request.index_name.clone(),
        page_size: request.limit.and_then(|limit| u64::try_from(limit).ok()),
        start_after: request.exclusive_start_key.clone(),
        is_consistent: request.consistent_read,
        select: request.select,
        segment,
        ..prepared.options()
    };
    run(names, items, target, &options, prepared, request.return_consumed_capacity)
}

fn run(
    names: &View,
    items: &View,
    target: &Target,
    options: &Options,
    prepared: &PreparedRead,
    asked: ReturnConsumedCapacity,
) -> Result<ReadOutput> {
    let table = target.definition(names)?;
    let mut reader = reader(items, target, &table, options, prepared)?;
    let page = reader.next_page()?;
    let consumed_capacity = if asked == ReturnConsumedCapacity::None {
        None
    } else {
        costs(&page, &table.record, options).report(asked, target.name(), &table.record, false)
    };
    let Page { items, count, last_key, scanned, .. } = page;
    Ok(ReadOutput {
        items: (options.select != Some(Select::Count)).then_some(items),
        count,
        scanned_count: scanned,
        last_evaluated_key: last_key.map(Into::into),
        consumed_capacity,
    })
}

/// Reads what `options` and `prepared` ask for of a table.
pub(super) fn reader(
    items: &View,
    target: &Target,
    table: &crate::item::definition::Definition,
    options: &Options,
    prepared: &PreparedRead,
) -> Result<PageReader> {
    let plan = Plan::new(items, target.name(), Arc::clone(table), options, |keys, prefix| {
        prepared.check_paths(&table.record)?;
        prepared.check_keys(keys)?;
        match &prepared.key_condition {
            Some(condition) => range::of(condition, keys, prefix),
            None => Ok(KeyRange::prefix(&prefix)),
        }
    })?;
    PageReader::new(plan, items.fork())
}

fn costs(page: &Page, record: &crate::item::definition::TableRecord, options: &Options) -> Costs {
    let (mut costs, reading) = (Costs::default(), Reading::of(options.is_consistent));
    let index = options.index.as_ref().and_then(|name| record.index_named(name));
    match index {
        Some(index) => costs.read_index(index.id, reading.units(page.bytes)),
        None => costs.read_table(reading.units(page.bytes)),
    }
    // Each item that is fetched beside the index is a read of its own.
    for bytes in &page.joined {
        costs.read_table(reading.units(*bytes));
    }
    costs
}
