"""The documented patterns of DynamoDB applications, with boto3, against the door. Given: endpoint, access key, secret."""

import hashlib
import ssl
import sys
import urllib.error
import urllib.request
from decimal import Decimal

import boto3
import botocore.config
import botocore.exceptions
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from boto3.dynamodb.conditions import Attr, Key

endpoint, access_key, secret = sys.argv[1:4]
certificate = sys.argv[4] if len(sys.argv) > 4 else None
session = boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret, region_name="eu-west-1")
config = botocore.config.Config(retries={"max_attempts": 1}, read_timeout=20, connect_timeout=5)
resource = session.resource("dynamodb", endpoint_url=endpoint, config=config, verify=certificate)
client = session.client("dynamodb", endpoint_url=endpoint, config=config, verify=certificate)
streams = session.client("dynamodbstreams", endpoint_url=endpoint, config=config, verify=certificate)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response
    raise AssertionError(f"{code} was expected")


# One table for everything.
table = resource.create_table(
    TableName="App",
    AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK", "GSI1PK", "GSI1SK")],
    KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    GlobalSecondaryIndexes=[
        {
            "IndexName": "GSI1",
            "KeySchema": [{"AttributeName": "GSI1PK", "KeyType": "HASH"}, {"AttributeName": "GSI1SK", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    BillingMode="PAY_PER_REQUEST",
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
)
table.wait_until_exists()
table.reload()
assert table.table_status == "ACTIVE" and client.list_tables()["TableNames"] == ["App"]

table.put_item(Item={"PK": "USER#1", "SK": "PROFILE", "name": "Ann", "n": Decimal("1.50"), "tags": {"a", "b"}, "raw": b"\xff"})
for day in ("2026-01-01", "2026-02-01", "2026-03-01"):
    table.put_item(
        Item={"PK": "USER#1", "SK": f"ORDER#{day}", "GSI1PK": "OPEN", "GSI1SK": day, "lines": [{"sku": "x", "count": 2}]},
        ConditionExpression="attribute_not_exists(PK)",
    )
profile = table.get_item(Key={"PK": "USER#1", "SK": "PROFILE"}, ConsistentRead=True)["Item"]
assert profile == {
    "PK": "USER#1", "SK": "PROFILE", "name": "Ann", "n": Decimal("1.5"), "tags": {"a", "b"}, "raw": boto3.dynamodb.types.Binary(b"\xff"),
}, profile

newest = table.query(
    KeyConditionExpression=Key("PK").eq("USER#1") & Key("SK").begins_with("ORDER#"), ScanIndexForward=False, Limit=2
)
assert [item["SK"] for item in newest["Items"]] == ["ORDER#2026-03-01", "ORDER#2026-02-01"], newest
rest = table.query(
    KeyConditionExpression=Key("PK").eq("USER#1") & Key("SK").begins_with("ORDER#"),
    ScanIndexForward=False,
    ExclusiveStartKey=newest["LastEvaluatedKey"],
)
assert [item["SK"] for item in rest["Items"]] == ["ORDER#2026-01-01"]
by_state = table.query(IndexName="GSI1", KeyConditionExpression=Key("GSI1PK").eq("OPEN") & Key("GSI1SK").gte("2026-02"))
assert by_state["Count"] == 2

with table.batch_writer() as batch:
    for number in range(60):
        batch.put_item(Item={"PK": "BULK", "SK": f"{number:03}", "n": number})
pages = client.get_paginator("scan").paginate(
    TableName="App", FilterExpression="n >= :n", ExpressionAttributeValues={":n": {"N": "30"}}, PaginationConfig={"PageSize": 7}
)
assert sum(page["Count"] for page in pages) == 30

updated = table.update_item(
    Key={"PK": "USER#1", "SK": "PROFILE"},
    UpdateExpression="SET #n = #n + :one, seen = if_not_exists(seen, :zero) REMOVE #r",
    ConditionExpression=Attr("name").eq("Ann"),
    ExpressionAttributeNames={"#n": "n", "#r": "raw"},
    ExpressionAttributeValues={":one": 1, ":zero": 0},
    ReturnValues="UPDATED_NEW",
)
assert updated["Attributes"] == {"n": Decimal("2.5"), "seen": 0}, updated
failed = refused(
    "ConditionalCheckFailedException",
    client.put_item,
    TableName="App",
    Item={"PK": {"S": "USER#1"}, "SK": {"S": "PROFILE"}},
    ConditionExpression="attribute_not_exists(PK)",
    ReturnValuesOnConditionCheckFailure="ALL_OLD",
)
assert failed["Item"]["name"] == {"S": "Ann"}, failed

cancelled = refused(
    "TransactionCanceledException",
    client.transact_write_items,
    TransactItems=[
        {"Put": {"TableName": "App", "Item": {"PK": {"S": "T"}, "SK": {"S": "1"}}}},
        {
            "ConditionCheck": {
                "TableName": "App",
                "Key": {"PK": {"S": "USER#1"}, "SK": {"S": "PROFILE"}},
                "ConditionExpression": "attribute_not_exists(PK)",
            }
        },
    ],
)
assert [reason["Code"] for reason in cancelled["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
assert "Item" not in table.get_item(Key={"PK": "T", "SK": "1"})
both = client.transact_get_items(
    TransactItems=[
        {"Get": {"TableName": "App", "Key": {"PK": {"S": "BULK"}, "SK": {"S": "001"}}}},
        {"Get": {"TableName": "App", "Key": {"PK": {"S": "BULK"}, "SK": {"S": "999"}}}},
    ]
)
assert both["Responses"][0]["Item"]["n"] == {"N": "1"} and both["Responses"][1] == {}
found = resource.batch_get_item(RequestItems={"App": {"Keys": [{"PK": "BULK", "SK": f"{n:03}"} for n in range(5)]}})
assert len(found["Responses"]["App"]) == 5 and found["UnprocessedKeys"] == {}

arn = client.describe_table(TableName="App")["Table"]["TableArn"]
assert client.get_item(TableName=arn, Key={"PK": {"S": "BULK"}, "SK": {"S": "001"}})["Item"]["n"] == {"N": "1"}
client.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "blue"}])
assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "blue"}]
client.update_time_to_live(TableName="App", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
assert client.describe_time_to_live(TableName="App")["TimeToLiveDescription"]["AttributeName"] == "until"
described = client.describe_continuous_backups(TableName="App")["ContinuousBackupsDescription"]
assert described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
assert client.describe_limits()["TableMaxReadCapacityUnits"] > 0 and client.describe_endpoints()["Endpoints"]

stream = client.describe_table(TableName="App")["Table"]["LatestStreamArn"]
records = []
for shard in streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records += streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
kinds = [record["eventName"] for record in records]
assert (kinds.count("INSERT"), kinds.count("MODIFY"), kinds.count("REMOVE")) == (64, 1, 0), kinds
assert records[0]["awsRegion"] == "eu-west-1"

missing = refused("ResourceNotFoundException", client.describe_table, TableName="Nowhere")
assert missing["ResponseMetadata"]["HTTPStatusCode"] == 400 and missing["ResponseMetadata"]["RequestId"]
refused("ResourceInUseException", client.create_table, TableName="App", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
unknown = refused("UnknownOperationException", client.create_backup, TableName="App", BackupName="now")
assert "CreateBackup" in unknown["Error"]["Message"], unknown

if secret != "any":
    wrong = boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-west-1", config=config, verify=certificate,
                         aws_access_key_id=access_key, aws_secret_access_key="wrong")
    refused("InvalidSignatureException", wrong.list_tables)
    nobody = boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-west-1", config=config, verify=certificate,
                          aws_access_key_id="nobody", aws_secret_access_key=secret)
    refused("UnrecognizedClientException", nobody.list_tables)

# Signed in the query instead of in a header. botocore would move the body there, too, which the service does not read.
class WithBody(SigV4QueryAuth):
    def payload(self, request):
        return hashlib.sha256(b"{}").hexdigest()


request = AWSRequest(method="POST", url=endpoint + "/", headers={
    "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"})
WithBody(session.get_credentials(), "dynamodb", "eu-west-1", expires=60).add_auth(request)
prepared = request.prepare()
headers = {name: value for name, value in prepared.headers.items() if name != "Content-Length"}
context = ssl.create_default_context(cafile=certificate) if certificate else None


def send(url):
    sent = urllib.request.Request(url, data=b"{}", headers=headers, method="POST")
    return urllib.request.urlopen(sent, context=context).read()


assert send(prepared.url) == b'{"TableNames":["App"]}'
if secret != "any":
    try:
        send(prepared.url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))
        raise AssertionError("what is signed was changed")
    except urllib.error.HTTPError as error:
        assert b"InvalidSignatureException" in error.read()

table.delete()
table.wait_until_not_exists()
assert client.list_tables()["TableNames"] == []
print("boto3 works, with", boto3.__version__)
