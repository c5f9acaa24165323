//! Schemas in the shape of the API.

use crate::item::request::{
    AttributeDefinition, BillingMode, CreateTable, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType,
};
use crate::item::schema::{self, GlobalIndex, KeyAttribute, KeySchema, TableSchema};

impl CreateTable {
    /// A request for the table `name` with `schema`, which is paid for by request.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{ScalarAttributeType, TableSchema, request::CreateTable};
    /// let create = CreateTable::new("Users", &TableSchema::new("id", ScalarAttributeType::S));
    /// assert_eq!(create.key_schema[0].attribute_name, "id");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, schema: &TableSchema) -> Self {
        let local = schema.local_indexes.iter().map(|index| LocalSecondaryIndex {
            index_name: index.name.clone(),
            key_schema: key_schema(&KeySchema {
                partition: schema.keys.partition.clone(),
                sort: vec![index.sort.clone()],
            }),
            projection: projection(&index.projection),
        });
        let global = schema.global_indexes.iter().map(GlobalSecondaryIndex::from);
        let (local, global): (Vec<_>, Vec<_>) = (local.collect(), global.collect());
        Self {
            table_name: name.into(),
            attribute_definitions: definitions_of(schema),
            key_schema: key_schema(&schema.keys),
            local_secondary_indexes: (!local.is_empty()).then_some(local),
            global_secondary_indexes: (!global.is_empty()).then_some(global),
            billing_mode: Some(BillingMode::PayPerRequest),
            ..Self::default()
        }
    }
}

impl From<&GlobalIndex> for GlobalSecondaryIndex {
    fn from(index: &GlobalIndex) -> Self {
        let (index_name, key_schema) = (index.name.clone(), key_schema(&index.keys));
        Self { index_name, key_schema, projection: projection(&index.projection), ..Self::default() }
    }
}

impl GlobalIndex {
    /// The declarations of its key attributes.
    pub(in crate::item) fn definitions(&self) -> Vec<AttributeDefinition> {
        self.keys.attributes().map(define).collect()
    }
}

fn define(key: &KeyAttribute) -> AttributeDefinition {
    AttributeDefinition { attribute_name: key.name.clone(), attribute_type: key.key_type }
}

/// The declarations of all key attributes of `schema`, by name.
pub(in crate::item) fn definitions_of(schema: &TableSchema) -> Vec<AttributeDefinition> {
    let local = schema.local_indexes.iter().map(|index| &index.sort);
    let global = schema.global_indexes.iter().flat_map(|index| index.keys.attributes());
    let mut all: Vec<_> = schema.keys.attributes().chain(local).chain(global).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name).then(a.key_type.to_string().cmp(&b.key_type.to_string())));
    all.dedup();
    all.into_iter().map(define).collect()
}

/// A key as the API has it.
pub(in crate::item) fn key_schema(keys: &KeySchema) -> Vec<KeySchemaElement> {
    let element = |key: &KeyAttribute, key_type| KeySchemaElement { attribute_name: key.name.clone(), key_type };
    let partition = keys.partition.iter().map(|key| element(key, KeyType::Hash));
    partition.chain(keys.sort.iter().map(|key| element(key, KeyType::Range))).collect()
}

/// A projection as the API has it.
pub(in crate::item) fn projection(projection: &schema::Projection) -> Projection {
    let (projection_type, non_key_attributes) = match projection {
        schema::Projection::All => (ProjectionType::All, None),
        schema::Projection::KeysOnly => (ProjectionType::KeysOnly, None),
        schema::Projection::Include(names) => (ProjectionType::Include, Some(names.clone())),
    };
    Projection { projection_type: Some(projection_type), non_key_attributes }
}
