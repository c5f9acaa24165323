//! The operations on tables; see [`Items`].

use std::sync::Arc;

use crate::catalog::job::Allowance;
use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::item::definition::{Change, Definition, TableRecord};
use crate::item::details::Details;
use crate::item::place::check_table_name;
use crate::item::request::{
    ContinuousBackups, CreateTable, Endpoint, Limits, ListTables, ListTablesOutput, TableDescription, TableStatus, Tag,
    TagResource, TimeToLiveDescription, TimeToLiveStatus, UntagResource, UpdateContinuousBackups, UpdateTable,
    UpdateTimeToLive, check_tags,
};
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::{Constraint, Fault, Items, RequestFault, control, description, lifecycle};
use crate::limits;
use crate::txn::{Operation, Scope, View, WriteScope};

impl<S: Scope> Items<S> {
    /// Lists the tables by name; see [`ListTables`].
    ///
    /// # Cost
    /// O(log n) and one step for each table.
    ///
    /// # Examples
    /// ```
    /// let all = larder::item::request::ListTables::default();
    /// assert!(larder::Store::in_memory().items().list_tables(&all)?.table_names.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn list_tables(&self, request: &ListTables) -> Result<ListTablesOutput> {
        let limit = request.limit.unwrap_or(i64::try_from(limits::ITEM_TABLES_LISTED_MAX).unwrap_or(i64::MAX));
        let most = limits::ITEM_TABLES_LISTED_MAX;
        let Some(bound) = usize::try_from(limit).ok().filter(|limit| (1..=most).contains(limit)) else {
            let constraint = if limit < 1 { Constraint::AtLeast(1) } else { Constraint::AtMost(100) };
            let (member, value) = ("limit".to_owned(), Some(limit.to_string()));
            return Err(RequestFault::Constraint { member, value, constraint }.into_error());
        };
        if let Some(name) = &request.exclusive_start_table_name {
            check_table_name(name)?;
        }
        self.read("list_tables", "", true, |view, _| {
            let tables = catalog::list::<TableRecord>(view, Kind::ItemTable, &self.place.namespace())?;
            let there = tables.into_iter().filter(|(_, table)| !table.record.is_gone(|| view.now()));
            let mut names: Vec<_> = there.map(|(name, _)| name).collect();
            if let Some(start) = &request.exclusive_start_table_name {
                names.retain(|name| name > start);
            }
            let has_more = names.len() > bound;
            names.truncate(bound);
            let last = names.last().filter(|_| has_more).cloned();
            Ok(ListTablesOutput { table_names: names, last_evaluated_table_name: last })
        })
    }

    /// Describes the table `name`.
    ///
    /// # Cost
    /// O(log n) for each index; sizes are estimated from a sample.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().items().describe_table("Nowhere").is_err());
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeTable`.
    pub fn describe_table(&self, name: &str) -> Result<TableDescription> {
        self.read("describe_table", name, true, |view, _| {
            let target = self.target(view, name)?;
            let table = target.described(view)?;
            description::describe(view, &target, &table)
        })
    }

    /// Says whether items of the table `name` expire.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().items().describe_time_to_live("Nowhere").is_err());
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeTimeToLive`.
    pub fn describe_time_to_live(&self, name: &str) -> Result<TimeToLiveDescription> {
        self.read("describe_time_to_live", name, true, |view, _| {
            let table = self.target(view, name)?.described(view)?;
            let doing = match table.record.phase_at(|| view.now()).map(|phase| &phase.change) {
                Some(Change::Making) => Some(TableStatus::Creating),
                Some(Change::Removing) => Some(TableStatus::Deleting),
                _ => None,
            };
            if let Some(state) = doing {
                return Err(RequestFault::other(format!(
                    "Cannot describe time to live while table is in {state} state: Current table state is {state}"
                )));
            }
            let ttl = table.record.ttl.as_ref();
            let status = match ttl {
                None => TimeToLiveStatus::Disabled,
                Some(ttl) if ttl.is_enabling => TimeToLiveStatus::Enabling,
                Some(_) => TimeToLiveStatus::Enabled,
            };
            let attribute_name = ttl.map(|ttl| ttl.attribute.clone());
            Ok(TimeToLiveDescription { time_to_live_status: status, attribute_name })
        })
    }

    /// The marks of the table with ARN `resource_arn`, by name.
    ///
    /// # Examples
    /// ```
    /// let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Nowhere";
    /// assert!(larder::Store::in_memory().items().list_tags_of_resource(arn).is_err());
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `ListTagsOfResource`.
    pub fn list_tags_of_resource(&self, resource_arn: &str) -> Result<Vec<Tag>> {
        self.read("list_tags_of_resource", resource_arn, true, |view, _| {
            let (_, details) = self.details_of_arn(view, resource_arn)?;
            Ok(details.tags())
        })
    }

    /// What an account may provision: the service's figures, which nothing here depends on.
    ///
    /// # Examples
    /// ```
    /// let limits = larder::Store::in_memory().items().describe_limits();
    /// assert_eq!(limits.account_max_write_capacity_units, 80_000);
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeLimits`.
    #[must_use]
    pub fn describe_limits(&self) -> Limits {
        Limits {
            account_max_read_capacity_units: 80_000,
            account_max_write_capacity_units: 80_000,
            table_max_read_capacity_units: 40_000,
            table_max_write_capacity_units: 40_000,
        }
    }

    /// Where the service is in this region.
    ///
    /// # Examples
    /// ```
    /// let items = larder::Store::in_memory().items().at("111122223333", "eu-west-1");
    /// assert_eq!(items.describe_endpoints().address, "dynamodb.eu-west-1.amazonaws.com");
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeEndpoints`.
    #[must_use]
    pub fn describe_endpoints(&self) -> Endpoint {
        Endpoint { address: format!("dynamodb.{}.amazonaws.com", self.place.region), cache_period_in_minutes: 1_440 }
    }

    /// Says whether the table `name` can be brought back to a moment: to the present one, if it can.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().items().describe_continuous_backups("Nowhere").is_err());
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeContinuousBackups`.
    pub fn describe_continuous_backups(&self, name: &str) -> Result<ContinuousBackups> {
        self.read("describe_continuous_backups", name, true, |view, _| {
            let details = control::details_of_recoverable(view, &self.target(view, name)?)?;
            Ok(control::continuous_backups(view, &details))
        })
    }

    fn details_of_arn(&self, view: &View, arn: &str) -> Result<(Arc<Target>, Details)> {
        let (place, name) = self.place.of_arn(arn)?;
        let target = view.state::<Tables>().target(&place, &name);
        let is_being_made = |table: Definition| {
            table.record.phase_at(|| view.now()).is_some_and(|phase| phase.change == Change::Making)
        };
        if target.find(view)?.is_none_or(is_being_made) {
            let resource = Some(format!("ResourcArn: {arn} not found"));
            return Err(Fault::ResourceNotFound { resource }.into_error());
        }
        let (_, details) = control::details(view, &target)?;
        Ok((target, details))
    }
}

impl<S: WriteScope> Items<S> {
    /// Makes a table; see [`CreateTable`].
    ///
    /// # Errors
    /// [`Fault::ResourceInUse`] when there is one of that name, whatever it is like.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{ScalarAttributeType, TableSchema, request::CreateTable};
    /// let create = CreateTable::new("Users", &TableSchema::new("id", ScalarAttributeType::S));
    /// larder::Store::in_memory().items().create_table(&create)?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn create_table(&self, request: &CreateTable) -> Result<TableDescription> {
        let schema = request.schema()?;
        self.scope.write(Operation::new("item", "create_table", &request.table_name), |writer| {
            let target = self.target(writer, &request.table_name)?;
            control::create(writer, &target, request, &schema, &self.lifecycle)
        })
    }

    /// Changes a table; see [`UpdateTable`]. An index that is added to a table with many items is filled in the
    /// background, or by [`Store::run_jobs`](crate::Store::run_jobs) on a clock that is turned by hand.
    ///
    /// # Cost
    /// O(log n), and what a step of a job costs.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::UpdateTable::default();
    /// assert!(larder::Store::in_memory().items().update_table(&nothing).is_err());
    /// ```
    pub fn update_table(&self, request: &UpdateTable) -> Result<TableDescription> {
        request.check()?;
        self.scope.write(Operation::new("item", "update_table", &request.table_name), |writer| {
            let target = self.target(writer, &request.table_name)?;
            control::update(writer, &target, request, &self.lifecycle, &mut Allowance::of_step())
        })
    }

    /// Removes the table `name`.
    ///
    /// # Errors
    /// [`Fault::ResourceNotFound`] when there is none; another one when it is protected.
    ///
    /// # Cost
    /// O(log n). What was stored is removed in the background, when it is much.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let store = Store::in_memory();
    /// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// store.items().delete_table("Users")?;
    /// assert!(store.items().delete_table("Users").is_err(), "it is gone");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteTable`.
    pub fn delete_table(&self, name: &str) -> Result<TableDescription> {
        check_table_name(name)?;
        self.scope.write(Operation::new("item", "delete_table", name).freeing(true), |writer| {
            let target = self.target(writer, name)?;
            control::delete(writer, &target, &self.lifecycle)
        })
    }

    /// Switches the expiry of items on or off; see [`UpdateTimeToLive`].
    ///
    /// # Cost
    /// O(log n), and what a step of a job costs; the rest of a large table is done in the background.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::UpdateTimeToLive::default();
    /// assert!(larder::Store::in_memory().items().update_time_to_live(&nothing).is_err());
    /// ```
    pub fn update_time_to_live(&self, request: &UpdateTimeToLive) -> Result<()> {
        check_table_name(&request.table_name)?;
        if request.attribute_name.is_empty() {
            let member = "timeToLiveSpecification.attributeName".to_owned();
            let (value, constraint) = (Some(String::new()), Constraint::LengthAtLeast(1));
            return Err(RequestFault::Constraint { member, value, constraint }.into_error());
        }
        self.scope.write(Operation::new("item", "update_time_to_live", &request.table_name), |writer| {
            let target = self.target(writer, &request.table_name)?;
            control::update_time_to_live(writer, &target, request, &mut Allowance::of_step())
        })
    }

    /// Says whether a table can be brought back to a moment; see [`UpdateContinuousBackups`].
    ///
    /// # Errors
    /// [`Fault::TableNotFound`]; a fault for more than 35 days.
    ///
    /// # Examples
    /// See [`UpdateContinuousBackups`].
    pub fn update_continuous_backups(&self, request: &UpdateContinuousBackups) -> Result<ContinuousBackups> {
        check_table_name(&request.table_name)?;
        let days = i64::from(control::RECOVERY_DAYS_MAX);
        if let Some(asked) = request.recovery_period_in_days.filter(|asked| !(1..=days).contains(asked)) {
            let constraint = if asked < 1 { Constraint::AtLeast(1) } else { Constraint::AtMost(35) };
            let member = "pointInTimeRecoverySpecification.recoveryPeriodInDays".to_owned();
            return Err(RequestFault::Constraint { member, value: Some(asked.to_string()), constraint }.into_error());
        }
        self.scope.write(Operation::new("item", "update_continuous_backups", &request.table_name), |writer| {
            let target = self.target(writer, &request.table_name)?;
            control::update_continuous_backups(writer, &target, request)
        })
    }

    /// Marks a table; see [`TagResource`].
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::TagResource::default();
    /// assert!(larder::Store::in_memory().items().tag_resource(&nothing).is_err());
    /// ```
    pub fn tag_resource(&self, request: &TagResource) -> Result<()> {
        if request.tags.is_empty() {
            return Err(RequestFault::other("Atleast one Tag needs to be provided as Input."));
        }
        check_tags(&request.tags)?;
        self.change_details("tag_resource", &request.resource_arn, |details| {
            details.set_tags(&request.tags);
            if details.tags.len() > limits::ITEM_TAGS_MAX {
                let message = format!(
                    "One or more parameter values were invalid: Too many tags: at most {}",
                    limits::ITEM_TAGS_MAX
                );
                return Err(Fault::LimitExceeded { message }.into_error());
            }
            Ok(())
        })
    }

    /// Takes marks from a table; see [`UntagResource`].
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::UntagResource::default();
    /// assert!(larder::Store::in_memory().items().untag_resource(&nothing).is_err());
    /// ```
    pub fn untag_resource(&self, request: &UntagResource) -> Result<()> {
        if request.tag_keys.is_empty() {
            return Err(RequestFault::other("Atleast one Tag Key needs to be provided as Input."));
        }
        self.change_details("untag_resource", &request.resource_arn, |details| {
            details.tags.retain(|(key, _)| !request.tag_keys.contains(key));
            Ok(())
        })
    }

    fn change_details(&self, verb: &'static str, arn: &str, change: impl Fn(&mut Details) -> Result<()>) -> Result<()> {
        self.scope.write(Operation::new("item", verb, arn), |writer| {
            let (target, mut details) = self.details_of_arn(writer, arn)?;
            let table = target.described(writer)?;
            lifecycle::check_there(writer, &target, &table)?;
            change(&mut details)?;
            details.put(writer, table.storage)
        })
    }
}
