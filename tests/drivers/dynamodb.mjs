// The documented patterns of DynamoDB applications, with the AWS SDK for JavaScript, against the door. Given: endpoint.
import assert from "node:assert/strict";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand, paginateScan } from "@aws-sdk/lib-dynamodb";

const client = new DynamoDBClient({
    endpoint: process.argv[2],
    region: "us-east-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
});
const documents = DynamoDBDocumentClient.from(client);
const TableName = "App";

await client.send(new CreateTableCommand({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: ["PK", "SK"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: [{ AttributeName: "PK", KeyType: "HASH" }, { AttributeName: "SK", KeyType: "RANGE" }],
}));
await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 10 }, { TableName });
const { Table } = await client.send(new DescribeTableCommand({ TableName }));
assert.ok(Table.CreationDateTime instanceof Date && Table.CreationDateTime.getFullYear() > 2000);

for (const day of ["01", "02", "03"]) {
    await documents.send(new PutCommand({ TableName, Item: { PK: "ann", SK: `ORDER#${day}`, lines: [{ sku: "x", count: 2 }] } }));
}
const newest = await documents.send(new QueryCommand({
    TableName,
    KeyConditionExpression: "PK = :pk AND begins_with(SK, :prefix)",
    ExpressionAttributeValues: { ":pk": "ann", ":prefix": "ORDER#" },
    ScanIndexForward: false,
    Limit: 1,
}));
assert.deepEqual(newest.Items, [{ PK: "ann", SK: "ORDER#03", lines: [{ sku: "x", count: 2 }] }]);
const updated = await documents.send(new UpdateCommand({
    TableName,
    Key: { PK: "ann", SK: "ORDER#03" },
    UpdateExpression: "SET #l[0].#c = #l[0].#c + :one",
    ExpressionAttributeNames: { "#l": "lines", "#c": "count" },
    ExpressionAttributeValues: { ":one": 1 },
    ReturnValues: "ALL_NEW",
}));
assert.equal(updated.Attributes.lines[0].count, 3);
await documents.send(new BatchWriteCommand({
    RequestItems: { [TableName]: Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: { PK: "bulk", SK: `${n}`, text: "é\u{1f600}\n" } } })) },
}));
let count = 0;
for await (const page of paginateScan({ client: documents, pageSize: 4 }, { TableName })) {
    count += page.Items.length;
}
assert.equal(count, 28);
await assert.rejects(
    documents.send(new TransactWriteCommand({
        TransactItems: [{ Put: { TableName, Item: { PK: "ann", SK: "ORDER#01" }, ConditionExpression: "attribute_not_exists(PK)" } }],
    })),
    (error) => error.name === "TransactionCanceledException" && error.CancellationReasons[0].Code === "ConditionalCheckFailed",
);
const got = await documents.send(new GetCommand({ TableName, Key: { PK: "bulk", SK: "7" } }));
assert.equal(got.Item.text, "é\u{1f600}\n");
console.log("the AWS SDK for JavaScript works, with", process.version);
