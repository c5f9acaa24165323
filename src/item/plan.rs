//! What a query or scan reads, whichever way it was asked for.

use std::ops::Bound;
use std::sync::Arc;

use crate::engine::{Direction, Key as StoredKey, KeyRange};
use crate::error::{Error, Result};
use crate::item::definition::{Definition, IndexRecord, TableRecord};
use crate::item::expression::{Condition, ProjectionPaths};
use crate::item::layout::{self, EntryKey};
use crate::item::origin::Origin;
use crate::item::request::Select;
use crate::item::schema;
use crate::item::{Item, Path, RequestFault};
use crate::txn::View;

/// What is returned of each row.
#[derive(Clone, Debug)]
pub(super) enum Shows {
    /// Everything that was read.
    All,
    /// This.
    Some(Arc<ProjectionPaths>),
    /// Nothing: it is counted.
    Number,
}

/// What is read.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) table: Definition,
    pub(super) origin: Arc<Origin>,
    /// Place of the index that is read, in the table's list.
    index: Option<usize>,
    pub(super) range: KeyRange,
    pub(super) direction: Direction,
    /// Rows of one page.
    pub(super) page_size: u64,
    /// Rows in all.
    pub(super) limit: u64,
    /// Which rows are returned.
    pub(super) filter: Option<Arc<Condition>>,
    pub(super) shows: Shows,
    /// Whether items are fetched for what the index does not show.
    pub(super) joins: bool,
}

/// How a query or scan was asked to read.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) index: Option<String>,
    pub(super) direction: Direction,
    pub(super) limit: Option<u64>,
    pub(super) page_size: Option<u64>,
    pub(super) start_after: Option<Item>,
    pub(super) is_consistent: bool,
    pub(super) select: Option<Select>,
    pub(super) filter: Option<Arc<Condition>>,
    pub(super) projection: Option<Arc<ProjectionPaths>>,
    /// Which segment of how many.
    pub(super) segment: Option<(u32, u32)>,
    /// Whether a query, which words some faults differently.
    pub(super) is_query: bool,
}

impl Plan {
    /// A plan to read `range` of the table, or of the index that `options` name.
    pub(super) fn new(
        view: &View,
        name: &Arc<str>,
        table: Definition,
        options: &Options,
        range: impl FnOnce(&schema::KeySchema, Vec<u8>) -> Result<KeyRange>,
    ) -> Result<Self> {
        let index = options.index.as_ref().map(|name| position(&table.record, name)).transpose()?;
        let index_record = index.and_then(|place| table.record.indexes.get(place));
        let (shows, joins) = check_index(view, &table.record, index_record, options)?;
        let keys = index_record.map_or(&table.record.keys, |index| &index.keys);
        let prefix = layout::prefix(table.storage, index_record);
        let mut range = match options.segment {
            Some((segment, total)) => layout::segment(&prefix, segment, total),
            None => range(keys, prefix)?,
        };
        if let Some(key) = &options.start_after {
            let start = start_key(&table, index_record, key, options.is_query)?;
            if !range.contains(&start) {
                return Err(if options.segment.is_some() {
                    RequestFault::StartKeyOfOtherSegment.into_error()
                } else {
                    RequestFault::StartKeyOutside.into_error()
                });
            }
            range = match options.direction {
                Direction::Forward => range.clamp(Bound::Excluded(start), Bound::Unbounded),
                Direction::Backward => range.clamp(Bound::Unbounded, Bound::Excluded(start)),
            };
        }
        let (page_size, limit) = (options.page_size.unwrap_or(u64::MAX), options.limit.unwrap_or(u64::MAX));
        let (origin, filter, direction) = (Origin::new(name, &table), options.filter.clone(), options.direction);
        Ok(Self { table, origin, index, range, direction, page_size, limit, filter, shows, joins })
    }

    pub(super) fn index(&self) -> Option<&IndexRecord> {
        self.index.and_then(|place| self.table.record.indexes.get(place))
    }
}

/// What is shown of a row, and whether items have to be fetched for it.
fn check_index(
    view: &View,
    record: &TableRecord,
    index: Option<&IndexRecord>,
    options: &Options,
) -> Result<(Shows, bool)> {
    let is_global = index.is_some_and(|index| !index.is_local());
    if is_global && options.is_consistent {
        return Err(RequestFault::ConsistentGlobalIndex.into_error());
    }
    if let Some(index) = index.filter(|index| record.is_being_made(index, || view.now())) {
        return Err(RequestFault::IndexIsBuilding(index.name.clone()).into_error());
    }
    if let Some(index) = index.filter(|index| is_global && index.is_covering())
        && options.select == Some(Select::AllAttributes)
    {
        let name = &index.name;
        return Err(RequestFault::parameter(format!(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index {name} because its projection type is \
             not ALL"
        )));
    }
    let shows = match (options.select, &options.projection) {
        (Some(Select::Count), _) => Shows::Number,
        (_, Some(projection)) => Shows::Some(Arc::clone(projection)),
        _ => Shows::All,
    };
    let Some(index) = index.filter(|index| index.is_covering()) else { return Ok((shows, false)) };
    let is_hidden = |name: &str| !index.shows(&record.keys, name);
    let hidden = match &shows {
        Shows::All => options.select == Some(Select::AllAttributes),
        Shows::Some(projection) => projection.paths().iter().any(|path| is_hidden(path.attribute())),
        Shows::Number => false,
    };
    if hidden
        && is_global
        && let Shows::Some(projection) = &shows
    {
        let names: Vec<_> = projection.paths().iter().map(Path::attribute).filter(|name| is_hidden(name)).collect();
        return Err(RequestFault::parameter(format!(
            "Global secondary index {} does not project [{}]",
            index.name,
            names.join(", ")
        )));
    }
    Ok((shows, hidden))
}

fn position(record: &TableRecord, name: &str) -> Result<usize> {
    let place = record.indexes.iter().position(|index| index.name == name);
    place.ok_or_else(|| RequestFault::NoSuchIndex(name.to_owned()).into_error())
}

/// The stored key that `key` stands for; it has to hold exactly the key attributes of what is read.
fn start_key(table: &Definition, index: Option<&IndexRecord>, key: &Item, is_query: bool) -> Result<StoredKey> {
    let keys = &table.record.keys;
    let mismatch = || -> Error {
        if is_query { RequestFault::StartKey.into_error() } else { RequestFault::StartKeyMismatch.into_error() }
    };
    let own = index.into_iter().flat_map(|index| index.keys.attributes()).filter(|key| !keys.has(&key.name));
    let names: Vec<_> = keys.attributes().chain(own).map(|key| key.name.as_str()).collect();
    if key.len() != names.len() || names.iter().any(|name| key.get(name).is_none()) {
        return Err(mismatch());
    }
    let of_item = layout::key_of_item(table.storage, keys, key).map_err(|_| mismatch())?;
    let stored = match index {
        None => of_item,
        Some(index) => match layout::entry_key(table.storage, index, key, &of_item)? {
            EntryKey::At(entry) => entry,
            EntryKey::Absent | EntryKey::Unfit(_) => return Err(mismatch()),
        },
    };
    Ok(StoredKey::from(stored))
}
