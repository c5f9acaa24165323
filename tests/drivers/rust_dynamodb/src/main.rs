//! The AWS SDK for Rust in the process of the store: no socket, no port.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{Credentials, HttpClient, Region, RuntimeComponents};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, Delete, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    Projection, ProjectionType, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
    TransactWriteItem,
};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use larder::Store;
use larder::server::dynamodb::{DynamoDb, DynamoDbOptions};

type Failure = Box<dyn Error>;

/// The client of HTTP that the SDK is given: the service is a function in this process.
#[derive(Clone, Debug)]
struct InProcess(DynamoDb);

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = || {
            let request = request.try_into_http1x()?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            HttpResponse::try_from(self.0.answer(&request).map(SdkBody::from))
        };
        HttpConnectorFuture::ready(answer().map_err(|error| ConnectorError::user(error.into())))
    }
}

/// A client of `store`.
fn client(store: &Store) -> Client {
    let service = DynamoDb::new(store, &DynamoDbOptions::default());
    let config = Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("any", "any", None, None, "any"))
        .http_client(InProcess(service));
    Client::from_conf(config.build())
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn item<const N: usize>(entries: [(&str, AttributeValue); N]) -> HashMap<String, AttributeValue> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn order(day: usize) -> HashMap<String, AttributeValue> {
    item([
        ("PK", text("USER#1")),
        ("SK", text(format!("ORDER#{day:02}"))),
        ("state", text(if day.is_multiple_of(2) { "open" } else { "sent" })),
        ("total", AttributeValue::N(day.to_string())),
    ])
}

async fn create_table(client: &Client) -> Result<(), Failure> {
    let attribute =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-state")
        .key_schema(key("state", KeyType::Hash)?)
        .key_schema(key("SK", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    client
        .create_table()
        .table_name("app")
        .attribute_definitions(attribute("PK")?)
        .attribute_definitions(attribute("SK")?)
        .attribute_definitions(attribute("state")?)
        .key_schema(key("PK", KeyType::Hash)?)
        .key_schema(key("SK", KeyType::Range)?)
        .global_secondary_indexes(index)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    client.wait_until_table_exists().table_name("app").wait(Duration::from_secs(5)).await?;
    let tables: Vec<_> = client.list_tables().into_paginator().items().send().collect::<Result<_, _>>().await?;
    assert_eq!(tables, ["app"]);
    Ok(())
}

async fn put_and_get(client: &Client) -> Result<(), Failure> {
    let every_type = item([
        ("PK", text("USER#1")),
        ("SK", text("PROFILE")),
        ("name", text("Ann")),
        ("raw", AttributeValue::B(vec![0, 255].into())),
        ("tags", AttributeValue::Ss(vec!["a".into(), "b".into()])),
        ("on", AttributeValue::Bool(true)),
        ("nothing", AttributeValue::Null(true)),
        ("list", AttributeValue::L(vec![AttributeValue::N("1.5".into()), AttributeValue::M(item([("x", text(""))]))])),
    ]);
    let insert = |values| {
        client
            .put_item()
            .table_name("app")
            .set_item(Some(values))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    };
    insert(every_type.clone()).send().await?;
    let found = client.get_item().table_name("app").key("PK", text("USER#1")).key("SK", text("PROFILE")).send().await?;
    assert_eq!(found.item, Some(every_type.clone()));

    let refused = insert(every_type.clone()).send().await.unwrap_err().into_service_error();
    let PutItemError::ConditionalCheckFailedException(refused) = refused else { return Err(refused.into()) };
    assert_eq!(refused.message(), Some("The conditional request failed"));
    assert_eq!(refused.item.as_ref(), Some(&every_type));

    let counted = client
        .update_item()
        .table_name("app")
        .key("PK", text("USER#1"))
        .key("SK", text("PROFILE"))
        .update_expression("ADD visits :one SET #n = :name")
        .expression_attribute_names("#n", "name")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .expression_attribute_values(":name", text("Anna"))
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await?;
    assert_eq!(counted.attributes, Some(item([("visits", AttributeValue::N("1".into())), ("name", text("Anna"))])));
    Ok(())
}

async fn search(client: &Client) -> Result<(), Failure> {
    for day in 0..25 {
        client.put_item().table_name("app").set_item(Some(order(day))).send().await?;
    }
    let orders = client
        .query()
        .table_name("app")
        .key_condition_expression("PK = :user AND begins_with(SK, :orders)")
        .expression_attribute_values(":user", text("USER#1"))
        .expression_attribute_values(":orders", text("ORDER#"))
        .scan_index_forward(false)
        .limit(4);
    let newest: Vec<_> = orders.clone().into_paginator().items().send().collect::<Result<_, _>>().await?;
    assert_eq!(newest, (0..25).rev().map(order).collect::<Vec<_>>());
    let mut pages = orders.into_paginator().send();
    let mut counts = Vec::new();
    while let Some(page) = pages.next().await {
        counts.push(page?.count());
    }
    assert_eq!(counts, [4, 4, 4, 4, 4, 4, 1]);

    let open = client
        .query()
        .table_name("app")
        .index_name("by-state")
        .key_condition_expression("#s = :open")
        .expression_attribute_names("#s", "state")
        .expression_attribute_values(":open", text("open"))
        .into_paginator()
        .items()
        .send();
    assert_eq!(open.collect::<Result<Vec<_>, _>>().await?.len(), 13);
    let all = client.scan().table_name("app").into_paginator().page_size(10).items().send();
    assert_eq!(all.collect::<Result<Vec<_>, _>>().await?.len(), 26);
    Ok(())
}

async fn transact(client: &Client) -> Result<(), Failure> {
    let delete = Delete::builder().table_name("app").key("PK", text("USER#1")).key("SK", text("ORDER#00"));
    let delete = TransactWriteItem::builder().delete(delete.build()?).build();
    let put = |condition: &str| {
        let put = Put::builder().table_name("app").set_item(Some(order(30))).condition_expression(condition);
        put.build().map(|put| TransactWriteItem::builder().put(put).build())
    };
    let send = |put| client.transact_write_items().transact_items(delete.clone()).transact_items(put).send();
    let canceled = send(put("attribute_exists(PK)")?).await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = canceled else {
        return Err(canceled.into());
    };
    let reasons: Vec<_> = canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("")).collect();
    assert_eq!(reasons, ["None", "ConditionalCheckFailed"]);
    send(put("attribute_not_exists(PK)")?).await?;
    let gone = client.get_item().table_name("app").key("PK", text("USER#1")).key("SK", text("ORDER#00")).send().await?;
    assert!(gone.item.is_none());
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let store = Store::in_memory();
    let client = client(&store);
    let missing = client.scan().table_name("app").send().await.unwrap_err().into_service_error();
    assert_eq!(missing.code(), Some("ResourceNotFoundException"));
    create_table(&client).await?;
    put_and_get(&client).await?;
    search(&client).await?;
    transact(&client).await?;
    let items = store.item_table("app").scan().to_vec()?;
    assert_eq!(items.len(), 26, "the client works on this store");
    client.delete_table().table_name("app").send().await?;
    client.wait_until_table_not_exists().table_name("app").wait(Duration::from_secs(5)).await?;
    println!("works, with the AWS SDK for Rust in this process, and {} items", items.len());
    Ok(())
}
