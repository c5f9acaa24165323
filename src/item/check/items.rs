//! Requests about one item.

use crate::error::Result;
use crate::item::check::check_key;
use crate::item::check::parameters::{Compiled, Parameters};
use crate::item::expression::{Condition, ProjectionPaths, Update, Updated};
use crate::item::place::check_table_name;
use crate::item::record::RecordRef;
use crate::item::request::{DeleteItem, GetItem, PutItem, ReturnValues, UpdateItem};
use crate::item::schema::KeySchema;
use crate::item::{Fault, Item, Path, RequestFault};

/// A [`GetItem`] that was checked.
#[derive(Debug, Default)]
pub(in crate::item) struct PreparedGet {
    pub(in crate::item) projection: Option<ProjectionPaths>,
}

/// A [`PutItem`] or [`DeleteItem`] that was checked.
#[derive(Debug, Default)]
pub(in crate::item) struct PreparedWrite {
    pub(in crate::item) condition: Option<Condition>,
}

/// An [`UpdateItem`] that was checked.
#[derive(Debug, Default)]
pub(in crate::item) struct PreparedUpdate {
    pub(in crate::item) condition: Option<Condition>,
    pub(in crate::item) update: Update,
    /// Whether its actions count towards the size of the item: those of an `UpdateItem` do, and no others.
    pub(in crate::item) is_weighed: bool,
}

impl PreparedUpdate {
    /// Refuses a change of an attribute of the key.
    pub(in crate::item) fn check_keys(&self, keys: &KeySchema) -> Result<()> {
        match self.update.paths().map(Path::attribute).find(|name| keys.has(name)) {
            Some(name) => Err(Fault::KeyUpdated(name.to_owned()).into_error()),
            None => Ok(()),
        }
    }

    /// The item as it is after the update of that of `record`, or, where there is none, of one with the attributes of `key`.
    pub(in crate::item) fn apply(&self, record: Option<RecordRef<'_>>, key: &Item) -> Result<Updated> {
        self.update.apply(record, key)
    }

    /// What `record` has where the update writes.
    pub(in crate::item) fn written_before(&self, record: RecordRef<'_>) -> Result<Item> {
        self.update.written_before(record)
    }
}

impl GetItem {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::GetItem::default().check().is_err(), "of which table?");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedGet> {
        check_table_name(&self.table_name)?;
        let compiled = Parameters {
            projection: self.projection_expression.as_deref(),
            attributes_to_get: self.attributes_to_get.as_deref(),
            names: self.expression_attribute_names.as_ref(),
            ..Parameters::of_projection()
        }
        .compile()?;
        check_key(&self.key)?;
        Ok(PreparedGet { projection: compiled.projection })
    }
}

impl PutItem {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Item, request::PutItem};
    /// let large = Item::from([("id", "x".repeat(500_000))]);
    /// let put = PutItem { table_name: "Users".into(), item: large, ..PutItem::default() };
    /// assert_eq!(put.check().unwrap_err().to_string(), "Item size has exceeded the maximum allowed size");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedWrite> {
        check_table_name(&self.table_name)?;
        let Compiled { condition, .. } = Parameters {
            condition: self.condition_expression.as_deref(),
            expected: self.expected.as_ref(),
            conditional_operator: self.conditional_operator,
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
            ..Parameters::of_condition()
        }
        .compile()?;
        check_return_values(self.return_values)?;
        self.item.check()?;
        Ok(PreparedWrite { condition })
    }
}

impl DeleteItem {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::DeleteItem::default().check().is_err(), "of which table?");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedWrite> {
        check_table_name(&self.table_name)?;
        let Compiled { condition, .. } = Parameters {
            condition: self.condition_expression.as_deref(),
            expected: self.expected.as_ref(),
            conditional_operator: self.conditional_operator,
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
            ..Parameters::of_condition()
        }
        .compile()?;
        check_return_values(self.return_values)?;
        check_key(&self.key)?;
        Ok(PreparedWrite { condition })
    }
}

impl UpdateItem {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::UpdateItem::default().check().is_err(), "of which table?");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedUpdate> {
        check_table_name(&self.table_name)?;
        let Compiled { condition, update, .. } = Parameters {
            condition: self.condition_expression.as_deref(),
            update: self.update_expression.as_deref(),
            expected: self.expected.as_ref(),
            conditional_operator: self.conditional_operator,
            attribute_updates: self.attribute_updates.as_ref(),
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
            ..Parameters::of_update()
        }
        .compile()?;
        check_key(&self.key)?;
        Ok(PreparedUpdate { condition, update: update.unwrap_or_default(), is_weighed: true })
    }
}

/// A put or delete returns nothing of an update.
fn check_return_values(asked: ReturnValues) -> Result<()> {
    match asked {
        ReturnValues::None | ReturnValues::AllOld => Ok(()),
        _ => Err(RequestFault::ReturnValuesOfUpdate.into_error()),
    }
}
