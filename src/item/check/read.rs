//! Requests that read many items.

use std::sync::Arc;

use crate::error::Result;
use crate::item::KeyCondition;
use crate::item::check::constraint;
use crate::item::check::parameters::{Compiled, Parameters};
use crate::item::definition::TableRecord;
use crate::item::expression::{Condition, ProjectionPaths};
use crate::item::place::{check_index_name, check_table_name};
use crate::item::plan::Options;
use crate::item::request::{Query, Scan, Select};
use crate::item::schema::KeySchema;
use crate::item::{Constraint, Fault, Item, Path, RequestFault};
use crate::limits;

/// A [`Query`] or [`Scan`] that was checked.
#[derive(Clone, Debug, Default)]
pub(in crate::item) struct PreparedRead {
    pub(in crate::item) key_condition: Option<KeyCondition>,
    pub(in crate::item) filter: Option<Arc<Condition>>,
    pub(in crate::item) projection: Option<Arc<ProjectionPaths>>,
    /// Whether the filter is one from before there were expressions.
    pub(in crate::item) is_legacy: bool,
    /// Whether the filter may be about attributes of the key, as those of statements may.
    pub(in crate::item) filters_keys: bool,
}

impl PreparedRead {
    /// What it says of how to read.
    pub(in crate::item) fn options(&self) -> Options {
        Options { filter: self.filter.clone(), projection: self.projection.clone(), ..Options::default() }
    }

    /// Refuses paths into attributes of the table's keys; statements have them.
    pub(in crate::item) fn check_paths(&self, table: &TableRecord) -> Result<()> {
        if self.filters_keys {
            return Ok(());
        }
        if let Some(filter) = &self.filter {
            table.check_paths(filter.paths())?;
        }
        self.projection.as_ref().map_or(Ok(()), |projection| table.check_paths(projection.paths()))
    }

    /// Refuses a filter of a query on an attribute of the key that is queried.
    pub(in crate::item) fn check_keys(&self, keys: &KeySchema) -> Result<()> {
        let is_bound = self.key_condition.is_some() && !self.filters_keys;
        let (Some(filter), true) = (&self.filter, is_bound) else { return Ok(()) };
        let found = filter.paths().into_iter().map(Path::attribute).find(|name| keys.has(name));
        match found {
            Some(name) => {
                Err(Fault::FilterOnKey { is_legacy: self.is_legacy, attribute: name.to_owned() }.into_error())
            }
            None => Ok(()),
        }
    }
}

impl Query {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::Query::default().check().is_err(), "of which table?");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedRead> {
        check_table_name(&self.table_name)?;
        check_common(self.index_name.as_deref(), self.limit)?;
        self.exclusive_start_key.as_ref().map_or(Ok(()), Item::check_depth)?;
        let compiled = Parameters {
            key_condition: self.key_condition_expression.as_deref(),
            filter: self.filter_expression.as_deref(),
            projection: self.projection_expression.as_deref(),
            attributes_to_get: self.attributes_to_get.as_deref(),
            key_conditions: self.key_conditions.as_ref(),
            query_filter: self.query_filter.as_ref(),
            conditional_operator: self.conditional_operator,
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
            ..Parameters::of_query()
        }
        .compile()?;
        check_select(
            self.select,
            self.projection_expression.is_some(),
            self.attributes_to_get.is_some(),
            self.index_name.is_some(),
        )?;
        if compiled.key_condition.is_none() {
            let text = "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.";
            return Err(RequestFault::other(text));
        }
        Ok(prepared(compiled, self.query_filter.is_some()))
    }
}

impl Scan {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::Scan;
    /// let scan = Scan { table_name: "Users".into(), segment: Some(4), total_segments: Some(4), ..Scan::default() };
    /// assert!(scan.check().unwrap_err().to_string().contains("4 is not less than TotalSegments: 4"));
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedRead> {
        check_table_name(&self.table_name)?;
        check_common(self.index_name.as_deref(), self.limit)?;
        self.exclusive_start_key.as_ref().map_or(Ok(()), Item::check_depth)?;
        if let Some(segment) = self.segment.filter(|segment| *segment < 0) {
            return Err(constraint("segment", segment.to_string(), Constraint::AtLeast(0)));
        }
        if let Some(total) = self.total_segments {
            if total < 1 {
                return Err(constraint("totalSegments", total.to_string(), Constraint::AtLeast(1)));
            }
            if total > limits::ITEM_SEGMENTS_MAX {
                return Err(constraint(
                    "totalSegments",
                    total.to_string(),
                    Constraint::AtMost(limits::ITEM_SEGMENTS_MAX),
                ));
            }
        }
        match (self.segment, self.total_segments) {
            (Some(segment), Some(total)) if segment >= total => {
                return Err(RequestFault::other(format!(
                    "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: \
                     {segment} is not less than TotalSegments: {total}"
                )));
            }
            (Some(_), None) => {
                return Err(RequestFault::other(
                    "The TotalSegments parameter is required but was not present in the request when Segment parameter \
                     is present",
                ));
            }
            (None, Some(_)) => {
                return Err(RequestFault::other(
                    "The Segment parameter is required but was not present in the request when parameter TotalSegments \
                     is present",
                ));
            }
            _ => {}
        }
        let compiled = Parameters {
            filter: self.filter_expression.as_deref(),
            projection: self.projection_expression.as_deref(),
            attributes_to_get: self.attributes_to_get.as_deref(),
            scan_filter: self.scan_filter.as_ref(),
            conditional_operator: self.conditional_operator,
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
            ..Parameters::of_scan()
        }
        .compile()?;
        check_select(
            self.select,
            self.projection_expression.is_some(),
            self.attributes_to_get.is_some(),
            self.index_name.is_some(),
        )?;
        Ok(prepared(compiled, self.scan_filter.is_some()))
    }
}

fn prepared(compiled: Compiled, is_legacy: bool) -> PreparedRead {
    PreparedRead {
        key_condition: compiled.key_condition,
        filter: compiled.filter.map(Arc::new),
        projection: compiled.projection.map(Arc::new),
        is_legacy,
        filters_keys: false,
    }
}

fn check_common(index: Option<&str>, limit: Option<i64>) -> Result<()> {
    if let Some(index) = index {
        check_index_name("indexName", index)?;
    }
    match limit {
        Some(limit) if limit < 1 => {
            let (member, constraint) = ("Limit".to_owned(), Constraint::AtLeast(1));
            Err(RequestFault::Constraint { member, value: None, constraint }.into_error())
        }
        _ => Ok(()),
    }
}

fn check_select(select: Option<Select>, has_projection: bool, has_attributes: bool, has_index: bool) -> Result<()> {
    match select {
        Some(Select::SpecificAttributes) if !has_projection && !has_attributes => Err(RequestFault::other(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        )),
        Some(select) if select != Select::SpecificAttributes && (has_projection || has_attributes) => {
            let what = if has_projection { "ProjectionExpression" } else { "AttributesToGet" };
            let target = if select == Select::Count { "only the Count" } else { select.as_str() };
            Err(RequestFault::other(format!("Cannot specify the {what} when choosing to get {target}")))
        }
        Some(Select::AllProjectedAttributes) if !has_index => {
            Err(RequestFault::other("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"))
        }
        _ => Ok(()),
    }
}
