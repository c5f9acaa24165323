//! What is wrong with members of requests on tables: projections, throughput, streams, tags.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::item::request::{
    BillingMode, OnDemandThroughput, Projection, ProjectionType, ProvisionedThroughput, StreamSpecification, Tag,
};
use crate::item::schema::{self, TableSchema};
use crate::item::{Constraint, RequestFault};
use crate::limits;

/// Capacity units that can be provisioned, at most.
const UNITS_MAX: i64 = 1_000_000_000_000;

/// What an index is to show.
pub(super) fn check_projection(projection: &Projection) -> Result<schema::Projection> {
    let Projection { projection_type, non_key_attributes } = projection;
    let refused = match (projection_type, non_key_attributes) {
        (None, _) => "Unknown ProjectionType: null",
        (Some(ProjectionType::All), None) => return Ok(schema::Projection::All),
        (Some(ProjectionType::KeysOnly), None) => return Ok(schema::Projection::KeysOnly),
        (Some(ProjectionType::All), Some(_)) => "ProjectionType is ALL, but NonKeyAttributes is specified",
        (Some(ProjectionType::KeysOnly), Some(_)) => "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
        (Some(ProjectionType::Include), None) => "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        (Some(ProjectionType::Include), Some(names)) if names.is_empty() => "NonKeyAttributes must not be empty",
        (Some(ProjectionType::Include), Some(names)) => {
            if names.len() > limits::ITEM_INDEX_INCLUDED_ATTRIBUTES_MAX {
                let (member, value) = ("nonKeyAttributes".to_owned(), Some(format!("[{}]", names.join(", "))));
                let constraint = Constraint::LengthAtMost(limits::ITEM_INDEX_INCLUDED_ATTRIBUTES_MAX);
                return Err(RequestFault::Constraint { member, value, constraint }.into_error());
            }
            if names.iter().any(String::is_empty) {
                let (member, value) = ("nonKeyAttributes".to_owned(), Some(String::new()));
                return Err(
                    RequestFault::Constraint { member, value, constraint: Constraint::LengthAtLeast(1) }.into_error()
                );
            }
            return Ok(schema::Projection::Include(names.clone()));
        }
    };
    Err(RequestFault::parameter(refused))
}

/// Refuses more attributes that are included in indexes than a table takes.
pub(in crate::item) fn check_included(schema: &TableSchema) -> Result<()> {
    let local = schema.local_indexes.iter().map(|index| &index.projection);
    let all = schema.global_indexes.iter().map(|index| &index.projection).chain(local);
    let included: usize = all
        .map(|projection| match projection {
            schema::Projection::Include(names) => names.len(),
            _ => 0,
        })
        .sum();
    if included <= limits::ITEM_INCLUDED_ATTRIBUTES_MAX {
        return Ok(());
    }
    Err(RequestFault::parameter(format!(
        "Number of NonKeyAttributes exceeds per-table limit of {}",
        limits::ITEM_INCLUDED_ATTRIBUTES_MAX
    )))
}

/// Refuses throughput that does not go with how the table is paid for.
pub(super) fn check_billing(
    mode: Option<BillingMode>,
    units: Option<ProvisionedThroughput>,
    is_new: bool,
) -> Result<()> {
    if mode == Some(BillingMode::PayPerRequest) && units.is_some() {
        return Err(neither_units());
    }
    check_bounds(units)?;
    if is_new && mode != Some(BillingMode::PayPerRequest) && units.is_none() {
        return Err(RequestFault::parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ));
    }
    Ok(())
}

/// Refuses bounds of what is paid for by request, of what `what` is, that there cannot be.
pub(in crate::item) fn check_on_demand(
    bounds: Option<OnDemandThroughput>,
    is_by_request: bool,
    what: &str,
    is_new: bool,
) -> Result<()> {
    let Some(bounds) = bounds else { return Ok(()) };
    let members = [
        ("MaxReadRequestUnits", bounds.max_read_request_units),
        ("MaxWriteRequestUnits", bounds.max_write_request_units),
    ];
    for (name, value) in members {
        if value.is_some() && !is_by_request {
            let the = if is_new { "" } else { "the " };
            return Err(RequestFault::parameter(format!(
                "{name} for OnDemandThroughput cannot be specified when {the}table BillingMode is PROVISIONED"
            )));
        }
    }
    for (name, value) in members {
        if value.is_some_and(|value| value == 0 || value < -1) {
            return Err(RequestFault::parameter(format!(
                "Requested {name} for OnDemandThroughput for {what} is outside of valid range"
            )));
        }
    }
    Ok(())
}

/// Refuses more units than can be provisioned.
pub(super) fn check_bounds(units: Option<ProvisionedThroughput>) -> Result<()> {
    let Some(ProvisionedThroughput { read_capacity_units: read, write_capacity_units: write }) = units else {
        return Ok(());
    };
    for (name, value) in [("ReadCapacityUnits", read), ("WriteCapacityUnits", write)] {
        if value > UNITS_MAX {
            return Err(RequestFault::other(format!("Given value {value} for {name} is out of bounds")));
        }
    }
    Ok(())
}

/// Refuses provisioned units, a member of the request, that are none.
pub(super) fn check_units(member: &str, units: Option<ProvisionedThroughput>) -> Result<()> {
    let Some(ProvisionedThroughput { read_capacity_units: read, write_capacity_units: write }) = units else {
        return Ok(());
    };
    for (name, value) in [("writeCapacityUnits", write), ("readCapacityUnits", read)] {
        if value < 1 {
            let (member, value) = (format!("{member}.{name}"), Some(value.to_string()));
            return Err(RequestFault::Constraint { member, value, constraint: Constraint::AtLeast(1) }.into_error());
        }
    }
    Ok(())
}

/// Refuses a stream that does not say what it shows, and a view of none.
pub(super) fn check_stream(stream: StreamSpecification) -> Result<()> {
    match (stream.stream_enabled, stream.stream_view_type) {
        (false, Some(_)) => Err(RequestFault::parameter(
            "Table is being created with a stream disabled, UpdateViewType should not be specified",
        )),
        (true, None) => Err(RequestFault::parameter("StreamViewType must be specified when a stream is enabled")),
        _ => Ok(()),
    }
}

/// Refuses marks that no table can have.
pub(in crate::item) fn check_tags(tags: &[Tag]) -> Result<()> {
    let mut keys = BTreeSet::new();
    for Tag { key, value } in tags {
        for (member, text, least, most) in [("key", key, 1, 128), ("value", value, 0, 256)] {
            let length = text.chars().count();
            let constraint = if length < least {
                Constraint::LengthAtLeast(least)
            } else if length > most {
                Constraint::LengthAtMost(most)
            } else {
                continue;
            };
            let (member, value) = (format!("tags.1.member.{member}"), Some(text.clone()));
            return Err(RequestFault::Constraint { member, value, constraint }.into_error());
        }
        if !keys.insert(key) {
            return Err(RequestFault::parameter("Duplicate tag keys are not allowed"));
        }
    }
    if tags.len() > limits::ITEM_TAGS_MAX {
        return Err(RequestFault::parameter(format!(
            "Too many tags: a resource has at most {}",
            limits::ITEM_TAGS_MAX
        )));
    }
    Ok(())
}

/// A table is paid for by request, and has units provisioned.
pub(super) fn neither_units() -> Error {
    RequestFault::parameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    )
}
