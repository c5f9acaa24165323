//! What statements return.

use crate::item::request::{BatchStatementResponse, ExecuteStatementOutput, ExecuteTransactionOutput};
use crate::server::dynamodb::responses::capacity;
use crate::server::dynamodb::responses::values::{items, write_item};
use crate::server::dynamodb::writer::{Members, Writer};

pub(in crate::server::dynamodb) fn statement(members: &mut Members<'_>, output: &ExecuteStatementOutput) {
    items(members, "Items", &output.items);
    members.optional("NextToken", output.next_token.as_deref(), Writer::text);
    members.optional("LastEvaluatedKey", output.last_evaluated_key.as_ref(), write_item);
    capacity::of_one(members, output.consumed_capacity.as_ref());
}

pub(in crate::server::dynamodb) fn batch_statements(members: &mut Members<'_>, responses: &[BatchStatementResponse]) {
    members.list("Responses", responses, |writer, response| {
        writer.object(|members| {
            if let Some(error) = &response.error {
                members.object("Error", |members| {
                    members.text("Code", &error.code);
                    members.text("Message", &error.message);
                });
            }
            members.optional("TableName", response.table_name.as_deref(), Writer::text);
            members.optional("Item", response.item.as_ref(), write_item);
        });
    });
    let consumed: Vec<_> = responses.iter().filter_map(|response| response.consumed_capacity.clone()).collect();
    capacity::of_several(members, &consumed);
}

pub(in crate::server::dynamodb) fn transaction(members: &mut Members<'_>, output: &ExecuteTransactionOutput) {
    members.list("Responses", &output.responses, |writer, item| {
        writer.object(|members| members.optional("Item", item.as_ref(), write_item));
    });
    capacity::of_several(members, &output.consumed_capacity);
}
