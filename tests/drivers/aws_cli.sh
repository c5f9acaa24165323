#!/bin/sh
# What people do at a shell, with the AWS CLI, against the door. Given: endpoint, file for errors, folder of the buckets.
set -eu
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=eu-west-1 AWS_PAGER=
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
aws() { "$AWS" dynamodb --endpoint-url "$ENDPOINT" --output json "$@"; }
ENDPOINT=$1

aws create-table --table-name Music --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=Artist,AttributeType=S AttributeName=Song,AttributeType=S \
    --key-schema AttributeName=Artist,KeyType=HASH AttributeName=Song,KeyType=RANGE >/dev/null
aws wait table-exists --table-name Music
for song in Anna Berta Carla; do
    aws put-item --table-name Music --item "{\"Artist\":{\"S\":\"X\"},\"Song\":{\"S\":\"$song\"},\"n\":{\"N\":\"1\"}}"
done
aws update-item --table-name Music --key '{"Artist":{"S":"X"},"Song":{"S":"Anna"}}' --update-expression 'ADD n :two' \
    --expression-attribute-values '{":two":{"N":"2"}}' --return-values ALL_NEW | grep -q '"N": "3"'
found=$(aws query --table-name Music --key-condition-expression 'Artist = :a AND begins_with(Song, :s)' \
    --expression-attribute-values '{":a":{"S":"X"},":s":{"S":"B"}}' --query 'Items[0].Song.S')
test "$found" = '"Berta"'
test "$(aws scan --table-name Music --query Count)" = 3
test "$(aws scan --table-name Music --page-size 1 --query 'length(Items)')" = 3
aws describe-table --table-name Music --query Table.TableStatus | grep -q ACTIVE
aws update-continuous-backups --table-name Music \
    --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true >/dev/null
arn=$(aws describe-table --table-name Music --query Table.TableArn --output text)
export=$(aws export-table-to-point-in-time --table-arn "$arn" --s3-bucket music --output text \
    --query ExportDescription.ExportArn)
test "$(aws describe-export --export-arn "$export" --query ExportDescription.[ExportStatus,ItemCount] --output text)" \
    = "COMPLETED	3"
test "$(gzip -dc "$3"/music/AWSDynamoDB/*/data/*.json.gz | grep -c '"Artist":{"S":"X"}')" = 3
if aws get-item --table-name Nowhere --key '{"a":{"S":"b"}}' 2>"$2"; then exit 1; fi
grep -q ResourceNotFoundException "$2"
aws delete-table --table-name Music >/dev/null
aws wait table-not-exists --table-name Music
echo "the AWS CLI works, with $("$AWS" --version 2>&1)"
