//! What is wrong with a request for a table, or for a change of one, by itself.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::item::place::{check_index_name, check_table_name};
use crate::item::request::key_definitions::Definitions;
use crate::item::request::table_members::{
    check_billing, check_bounds, check_included, check_on_demand, check_projection, check_stream, check_tags,
    check_units, neither_units,
};
use crate::item::request::{
    BillingMode, CreateTable, GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, UpdateTable,
};
use crate::item::schema::{GlobalIndex, KeySchema, LocalIndex, TableSchema};
use crate::item::{Constraint, RequestFault};
use crate::limits;

impl CreateTable {
    /// Refuses what no store would make, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::CreateTable::default().check().is_err(), "a table has a name");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.schema().map(drop)
    }

    /// The schema that is asked for.
    pub(in crate::item) fn schema(&self) -> Result<TableSchema> {
        check_table_name(&self.table_name)?;
        self.check_members()?;
        let is_by_request = self.billing_mode == Some(BillingMode::PayPerRequest);
        check_billing(self.billing_mode, self.provisioned_throughput, true)?;
        check_on_demand(self.on_demand_throughput, is_by_request, "table", true)?;
        let definitions = Definitions(&self.attribute_definitions);
        definitions.check_table_key(&self.key_schema)?;
        let keys = definitions.keys(&self.key_schema, 1)?;
        for (name, is_empty) in [
            ("LocalSecondaryIndexes", self.local_secondary_indexes.as_ref().is_some_and(Vec::is_empty)),
            ("GlobalSecondaryIndexes", self.global_secondary_indexes.as_ref().is_some_and(Vec::is_empty)),
        ] {
            if is_empty {
                return Err(RequestFault::parameter(format!("List of {name} is empty")));
            }
        }
        let mut schema = TableSchema { keys, global_indexes: Vec::new(), local_indexes: Vec::new() };
        self.add_local_indexes(&mut schema, definitions)?;
        self.add_global_indexes(&mut schema, definitions, is_by_request)?;
        check_included(&schema)?;
        definitions.check_all_used(&schema)?;
        if let Some(stream) = &self.stream_specification {
            check_stream(*stream)?;
        }
        check_tags(&self.tags)?;
        Ok(schema)
    }

    /// Members that break a rule which the API has for each of them.
    fn check_members(&self) -> Result<()> {
        let length = self.key_schema.len();
        if length == 0 {
            let (member, value) = ("keySchema".to_owned(), Some("[]".to_owned()));
            return Err(
                RequestFault::Constraint { member, value, constraint: Constraint::LengthAtLeast(1) }.into_error()
            );
        }
        if length > 2 {
            let (member, value) = ("keySchema".to_owned(), Some(show_keys(&self.key_schema)));
            return Err(
                RequestFault::Constraint { member, value, constraint: Constraint::LengthAtMost(2) }.into_error()
            );
        }
        check_units("provisionedThroughput", self.provisioned_throughput)?;
        for (place, index) in self.local_secondary_indexes.iter().flatten().enumerate() {
            check_index_name(&format!("localSecondaryIndexes.{}.member.indexName", place + 1), &index.index_name)?;
        }
        for (place, index) in self.global_secondary_indexes.iter().flatten().enumerate() {
            let member = format!("globalSecondaryIndexes.{}.member", place + 1);
            check_index_name(&format!("{member}.indexName"), &index.index_name)?;
            check_units(&format!("{member}.provisionedThroughput"), index.provisioned_throughput)?;
        }
        Ok(())
    }

    fn add_local_indexes(&self, schema: &mut TableSchema, definitions: Definitions<'_>) -> Result<()> {
        let Some(indexes) = &self.local_secondary_indexes else { return Ok(()) };
        if schema.keys.sort.is_empty() {
            let text =
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex";
            return Err(RequestFault::parameter(text));
        }
        definitions.check_index_keys(&indexes.iter().map(|index| index.key_schema.as_slice()).collect::<Vec<_>>())?;
        let mut names = BTreeSet::new();
        for index in indexes {
            let name = &index.index_name;
            let keys = definitions.keys(&index.key_schema, 1)?;
            let Some(sort) = keys.sort.first().cloned() else {
                return Err(RequestFault::parameter(format!(
                    "Index KeySchema does not have a range key for index: {name}"
                )));
            };
            if keys.partition != schema.keys.partition {
                let of = |keys: &KeySchema| keys.partition.first().map_or(String::new(), |key| key.name.clone());
                let (own, table) = (of(&keys), of(&schema.keys));
                return Err(RequestFault::parameter(format!(
                    "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index \
                     hash key: {own}, table hash key: {table}"
                )));
            }
            let projection = check_projection(&index.projection)?;
            if !names.insert(name) {
                return Err(RequestFault::parameter(format!("Duplicate index name: {name}")));
            }
            schema.local_indexes.push(LocalIndex { name: name.clone(), sort, projection });
        }
        if indexes.len() > limits::ITEM_LOCAL_INDEXES_MAX {
            return Err(RequestFault::parameter("Number of LocalSecondaryIndexes exceeds per-table limit of 5"));
        }
        Ok(())
    }

    fn add_global_indexes(
        &self,
        schema: &mut TableSchema,
        definitions: Definitions<'_>,
        is_by_request: bool,
    ) -> Result<()> {
        let Some(indexes) = &self.global_secondary_indexes else { return Ok(()) };
        definitions.check_index_keys(&indexes.iter().map(|index| index.key_schema.as_slice()).collect::<Vec<_>>())?;
        let mut names: BTreeSet<_> = schema.local_indexes.iter().map(|index| index.name.clone()).collect();
        for index in indexes {
            let global = definitions.global_index(index)?;
            if !names.insert(global.name.clone()) {
                return Err(RequestFault::parameter(format!("Duplicate index name: {}", global.name)));
            }
            schema.global_indexes.push(global);
        }
        if indexes.len() > limits::ITEM_GLOBAL_INDEXES_MAX {
            return Err(RequestFault::parameter("GlobalSecondaryIndex count exceeds the per-table limit of 20"));
        }
        let provisioned = |index: &&GlobalSecondaryIndex| index.provisioned_throughput.is_some();
        if let Some(index) = indexes.iter().find(provisioned).filter(|_| is_by_request) {
            let name = &index.index_name;
            return Err(RequestFault::parameter(format!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
            )));
        }
        Ok(())
    }
}

impl UpdateTable {
    /// Refuses what no table could be changed by, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::UpdateTable;
    /// let nothing = UpdateTable { table_name: "Users".into(), ..UpdateTable::default() };
    /// assert!(nothing.check().unwrap_err().to_string().starts_with("At least one of ProvisionedThroughput"));
    /// ```
    pub fn check(&self) -> Result<()> {
        check_table_name(&self.table_name)?;
        check_units("provisionedThroughput", self.provisioned_throughput)?;
        let is_empty = self.provisioned_throughput.is_none()
            && self.billing_mode.is_none()
            && self.stream_specification.is_none()
            && self.sse_specification.is_none()
            && self.table_class.is_none()
            && self.deletion_protection_enabled.is_none()
            && self.on_demand_throughput.is_none()
            && self.warm_throughput.is_none()
            && self.global_secondary_index_updates.as_ref().is_none_or(Vec::is_empty);
        if is_empty {
            return Err(RequestFault::other(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
                 SSESpecification or ReplicaUpdates is required",
            ));
        }
        if self.billing_mode == Some(BillingMode::PayPerRequest) && self.provisioned_throughput.is_some() {
            return Err(neither_units());
        }
        check_bounds(self.provisioned_throughput)?;
        if let Some(stream) = self.stream_specification {
            check_stream(stream)?;
        }
        let mut names = BTreeSet::new();
        for (place, update) in self.global_secondary_index_updates.iter().flatten().enumerate() {
            let member = format!("globalSecondaryIndexUpdates.{}.member", place + 1);
            let (action, name, units) = match update {
                GlobalSecondaryIndexUpdate::Create(index) => {
                    ("create", &index.index_name, index.provisioned_throughput)
                }
                GlobalSecondaryIndexUpdate::Update { index_name, provisioned_throughput, .. } => {
                    ("update", index_name, *provisioned_throughput)
                }
                GlobalSecondaryIndexUpdate::Delete { index_name } => ("delete", index_name, None),
            };
            check_index_name(&format!("{member}.{action}.indexName"), name)?;
            check_units(&format!("{member}.{action}.provisionedThroughput"), units)?;
            check_bounds(units)?;
            if !names.insert(name) {
                return Err(RequestFault::parameter(format!(
                    "Only one global secondary index update per index is allowed simultaneously. Index: {name}"
                )));
            }
        }
        Ok(())
    }

    /// The index that `update`, one of this request, asks for. Its keys are declared in the request.
    pub(in crate::item) fn new_index(&self, update: &GlobalSecondaryIndex) -> Result<GlobalIndex> {
        let definitions = Definitions(&self.attribute_definitions);
        definitions.check_index_keys(&[update.key_schema.as_slice()])?;
        definitions.global_index(update)
    }
}

fn show_keys(schema: &[KeySchemaElement]) -> String {
    let shown = schema
        .iter()
        .map(|key| format!("KeySchemaElement(attributeName={}, keyType={})", key.attribute_name, key.key_type));
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ScalarAttributeType;
    use crate::item::request::{AttributeDefinition, ProvisionedThroughput, StreamSpecification};
    use crate::item::schema;

    fn table() -> TableSchema {
        TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N)
    }

    fn refused(schema: &TableSchema) -> bool {
        let outcome = CreateTable::new("Users", schema).check();
        assert!(outcome.as_ref().err().is_none_or(|error| error.item_fault().is_some()), "{outcome:?}");
        outcome.is_err()
    }

    #[test]
    fn a_schema_is_what_its_request_asks_for() {
        let schema = table()
            .global_index(
                GlobalIndex::new("GSI", "a", ScalarAttributeType::S).partition_key("b", ScalarAttributeType::N),
            )
            .local_index(LocalIndex::new("LSI", "c", ScalarAttributeType::B));
        assert_eq!(CreateTable::new("Users", &schema).schema().unwrap(), schema);
    }

    #[test] // SEM: ITM-LIM-2, ITM-LIM-3
    fn a_schema_that_no_table_can_have_is_refused() {
        let s = ScalarAttributeType::S;
        assert!(!refused(&table()));
        assert!(refused(&TableSchema::new("", s)));
        assert!(refused(&TableSchema::new("PK", s).sort_key("PK", s)));
        assert!(refused(&TableSchema::new("a".repeat(256), s)));
        assert!(refused(&table().global_index(GlobalIndex::new("GSI", "SK", s))), "SK has two types");
        assert!(refused(&table().global_index(GlobalIndex::new("no", "a", s))), "name too short");
        let twice = GlobalIndex::new("GSI", "a", s);
        assert!(refused(&table().global_index(twice.clone()).global_index(twice.clone())));
        assert!(refused(&table().global_index(twice.projection(schema::Projection::Include(vec![])))));
        let indexes = |n: usize| (0..n).map(|i| GlobalIndex::new(format!("GSI{i}"), "a", s));
        assert!(!refused(&indexes(20).fold(table(), TableSchema::global_index)));
        assert!(refused(&indexes(21).fold(table(), TableSchema::global_index)));
        let include = |n: usize| schema::Projection::Include((0..n).map(|i| format!("a{i}")).collect());
        let with = |table: TableSchema, i: usize, n: usize| {
            table.global_index(GlobalIndex::new(format!("GSI{i}"), "a", s).projection(include(n)))
        };
        assert!(!refused(&with(table(), 0, 20)));
        assert!(refused(&with(table(), 0, 21)));
        let five = || (0..5).fold(table(), |table, i| with(table, i, 20));
        assert!(!refused(&five()));
        assert!(refused(&with(five(), 5, 1)), "100 in all indexes");
        let local = |i: usize| LocalIndex::new(format!("LSI{i}"), "b", s);
        assert!(!refused(&(0..5).map(local).fold(table(), TableSchema::local_index)));
        assert!(refused(&(0..6).map(local).fold(table(), TableSchema::local_index)));
        assert!(refused(&TableSchema::new("PK", s).local_index(local(0))), "a local index needs a sort key");
    }

    #[test] // SEM: ITM-IDX-1
    fn an_index_has_up_to_four_attributes_in_each_part_of_its_key() {
        let index = |partition: usize, sort: usize| {
            let index = GlobalIndex::new("GSI", "p0", ScalarAttributeType::S);
            let index =
                (1..partition).fold(index, |index, i| index.partition_key(format!("p{i}"), ScalarAttributeType::S));
            (0..sort).fold(index, |index, i| index.sort_key(format!("s{i}"), ScalarAttributeType::N))
        };
        assert!(!refused(&table().global_index(index(4, 4))));
        assert!(refused(&table().global_index(index(5, 0))));
        assert!(refused(&table().global_index(index(1, 5))));
    }

    #[test] // SEM: ITM-ERR-2
    fn what_is_asked_for_has_to_go_together() {
        let create = || CreateTable::new("Users", &table());
        let provisioned = Some(ProvisionedThroughput { read_capacity_units: 1, write_capacity_units: 1 });
        assert!(CreateTable { provisioned_throughput: provisioned, ..create() }.check().is_err());
        assert!(CreateTable { billing_mode: None, ..create() }.check().is_err());
        assert!(CreateTable { billing_mode: None, provisioned_throughput: provisioned, ..create() }.check().is_ok());
        let mut unused = create();
        unused
            .attribute_definitions
            .push(AttributeDefinition { attribute_name: "x".into(), attribute_type: ScalarAttributeType::S });
        assert!(unused.check().is_err());
        let stream = StreamSpecification { stream_enabled: true, stream_view_type: None };
        assert!(CreateTable { stream_specification: Some(stream), ..create() }.check().is_err());
    }
}
