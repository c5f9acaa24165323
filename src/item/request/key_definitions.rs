//! Attributes as a request declares them, and the keys that are made of them.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::item::request::table_members::check_projection;
use crate::item::request::{AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType};
use crate::item::schema::{GlobalIndex, KeyAttribute, KeySchema, TableSchema};
use crate::item::{Constraint, RequestFault, ScalarAttributeType};
use crate::limits;

/// Attributes of the partition key of an index, and of its sort key, at most.
const INDEX_KEY_PART_MAX: usize = 4;

/// The declared types of attributes.
#[derive(Clone, Copy)]
pub(super) struct Definitions<'a>(pub(super) &'a [AttributeDefinition]);

impl Definitions<'_> {
    fn type_of(&self, name: &str) -> Option<ScalarAttributeType> {
        self.0.iter().find(|definition| definition.attribute_name == name).map(|definition| definition.attribute_type)
    }

    fn names(&self) -> String {
        join(self.0.iter().map(|definition| definition.attribute_name.as_str()))
    }

    /// Refuses a table's key whose attributes are not declared.
    pub(super) fn check_table_key(&self, schema: &[KeySchemaElement]) -> Result<()> {
        let missing: Vec<_> = schema.iter().filter(|key| self.type_of(&key.attribute_name).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if self.0.is_empty() || schema.len() > 1 {
            return Err(RequestFault::other("Invalid KeySchema: Some index key attribute have no definition"));
        }
        Err(self.undefined(missing.into_iter().map(|key| key.attribute_name.as_str())))
    }

    /// Refuses indexes whose key attributes are not declared.
    pub(super) fn check_index_keys(&self, keys: &[&[KeySchemaElement]]) -> Result<()> {
        let all = || keys.iter().copied().flatten().map(|key| key.attribute_name.as_str());
        if all().all(|name| self.type_of(name).is_some()) {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        Err(self.undefined(all().filter(|name| seen.insert(name.to_owned())).collect::<Vec<_>>().into_iter()))
    }

    fn undefined<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Error {
        let (keys, defined) = (join(keys), self.names());
        RequestFault::parameter(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{keys}], AttributeDefinitions: \
             [{defined}]"
        ))
    }

    /// The key that `schema` describes, of at most `most` attributes in each part.
    pub(super) fn keys(&self, schema: &[KeySchemaElement], most: usize) -> Result<KeySchema> {
        if schema.first().is_none_or(|first| first.key_type != KeyType::Hash) {
            return Err(RequestFault::other("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
        }
        let mut keys = KeySchema { partition: Vec::new(), sort: Vec::new() };
        for KeySchemaElement { attribute_name: name, key_type } in schema {
            if keys.has(name) {
                return Err(RequestFault::other(
                    "Both the Hash Key and the Range Key element in the KeySchema have the same name",
                ));
            }
            if name.is_empty() || name.len() > limits::NAME_BYTES_MAX {
                let constraint = if name.is_empty() {
                    Constraint::LengthAtLeast(1)
                } else {
                    Constraint::LengthAtMost(limits::NAME_BYTES_MAX)
                };
                let member = "attributeDefinitions.1.member.attributeName".to_owned();
                return Err(RequestFault::Constraint { member, value: Some(name.clone()), constraint }.into_error());
            }
            let key_type_of = self.type_of(name).ok_or_else(|| self.undefined(std::iter::once(name.as_str())))?;
            let attribute = KeyAttribute { name: name.clone(), key_type: key_type_of };
            match key_type {
                KeyType::Hash if keys.sort.is_empty() => keys.partition.push(attribute),
                KeyType::Hash => {
                    return Err(RequestFault::other(
                        "Invalid KeySchema: HASH key elements come before RANGE key elements",
                    ));
                }
                KeyType::Range => keys.sort.push(attribute),
            }
        }
        if most == 1 && keys.partition.len() > 1 {
            return Err(RequestFault::other("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
        }
        if keys.partition.len() > most || keys.sort.len() > most {
            return Err(RequestFault::parameter(format!(
                "a key has up to {most} HASH and up to {most} RANGE key attributes"
            )));
        }
        Ok(keys)
    }

    pub(super) fn global_index(&self, index: &GlobalSecondaryIndex) -> Result<GlobalIndex> {
        let keys = self.keys(&index.key_schema, INDEX_KEY_PART_MAX)?;
        let projection = check_projection(&index.projection)?;
        let throughput =
            index.provisioned_throughput.map(|units| (units.read_capacity_units, units.write_capacity_units));
        Ok(GlobalIndex { name: index.index_name.clone(), keys, projection, throughput })
    }

    /// Refuses attributes that are declared and in no key, and attributes that are declared twice.
    pub(super) fn check_all_used(&self, schema: &TableSchema) -> Result<()> {
        let local = schema.local_indexes.iter().map(|index| index.sort.name.as_str());
        let global = schema.global_indexes.iter().flat_map(|index| index.keys.attributes());
        let own = schema.keys.attributes().chain(global).map(|key| key.name.as_str());
        let used: BTreeSet<_> = own.chain(local).collect();
        if used.len() == self.0.len() {
            return Ok(());
        }
        Err(RequestFault::parameter(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ))
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
