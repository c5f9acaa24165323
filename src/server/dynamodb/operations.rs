//! What each operation does: its request is read, the model runs it, and what that returns is written.

use std::cell::RefCell;
use std::path::Path;

use crate::error::Result as Stored;
use crate::item::request::UpdateTimeToLive;
use crate::item::request::{ExportStatus, ImportStatus, IndexStatus, TableDescription, TableStatus};
use crate::item::{Items, Lifecycle, OPERATIONS, Support};
use crate::server::dynamodb::dialect::Rules;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::faults;
use crate::server::dynamodb::requests::{self, Reader};
use crate::server::dynamodb::responses;
use crate::server::dynamodb::writer::{Members, Writer};
use crate::store::Store;
use crate::txn::{Pending, Unsettled};

/// Where and for whom an operation runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) store: &'a Store,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) rules: &'a Rules,
    /// Where the client has reached the door, as host and port.
    pub(super) reached: &'a str,
    /// The last commit that the operation has made.
    pub(super) last: &'a RefCell<Option<Pending>>,
    /// Where buckets are.
    pub(super) exports: Option<&'a Path>,
    /// How long what is done to tables takes.
    pub(super) lifecycle: Lifecycle,
}

/// Refuses an operation that the model does not have.
///
/// # Errors
/// `UnknownOperationException`, with the name and the reason.
pub(super) fn check_support(operation: &str) -> Result<(), Failure> {
    let known = OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, support)| *support);
    let reason = match known {
        Some(Support::Modelled) => return Ok(()),
        Some(Support::Refused(reason)) => reason,
        None => "it is not modelled",
    };
    Err(Failure::unknown_operation(Some(format!("{operation} is not supported: {reason}"))))
}

/// Runs `operation`, and returns the body of the response.
///
/// # Errors
/// What the client is told instead.
pub(super) fn run(context: &Context<'_>, operation: &str, request: &Reader<'_>) -> Result<Vec<u8>, Failure> {
    let scope = context.store.items_unsettled(context.last);
    let mut items = scope.at(context.account, context.region).lifecycle(context.lifecycle);
    if let Some(directory) = context.exports {
        items = items.buckets(directory);
    }
    let call = Call { context, items: &items, request };
    match operation {
        "GetItem" => call.run(requests::get_item, Items::get_item, responses::get),
        "PutItem" => call.run(requests::put_item, Items::put_item, responses::write),
        "UpdateItem" => call.run(requests::update_item, Items::update_item, responses::write),
        "DeleteItem" => call.run(requests::delete_item, Items::delete_item, responses::write),
        "Query" => call.run(requests::query, Items::query, responses::read),
        "Scan" => call.run(requests::scan, Items::scan, responses::read),
        "BatchGetItem" => call.run(requests::batch_get_item, Items::batch_get_item, responses::batch_get),
        "BatchWriteItem" => call.run(requests::batch_write_item, Items::batch_write_item, responses::batch_write),
        "TransactGetItems" => {
            call.run(requests::transact_get_items, Items::transact_get_items, responses::transact_get)
        }
        "TransactWriteItems" => {
            call.run(requests::transact_write_items, Items::transact_write_items, responses::transact_write)
        }
        "ExecuteStatement" => call.run(requests::execute_statement, Items::execute_statement, responses::statement),
        "BatchExecuteStatement" => {
            call.run(requests::batch_execute_statement, Items::batch_execute_statement, |members, responses| {
                responses::batch_statements(members, responses);
            })
        }
        "ExecuteTransaction" => {
            call.run(requests::execute_transaction, Items::execute_transaction, responses::transaction)
        }
        "CreateTable" => call.run(requests::create_table, Items::create_table, |members, table| {
            responses::table(members, "TableDescription", &beginning(table, TableStatus::Creating));
        }),
        "UpdateTable" => call.run(requests::update_table, Items::update_table, |members, table| {
            responses::table(members, "TableDescription", &beginning(table, TableStatus::Updating));
        }),
        "DeleteTable" => call.named("TableName", Items::delete_table, |members, table| {
            responses::table(members, "TableDescription", table);
        }),
        "DescribeTable" => call.named("TableName", Items::describe_table, |members, table| {
            responses::table(members, "Table", table);
        }),
        "ListTables" => call.run(requests::list_tables, Items::list_tables, responses::tables),
        "UpdateTimeToLive" => call.run(
            requests::update_time_to_live,
            |items, request| items.update_time_to_live(request).map(|()| request.clone()),
            time_to_live,
        ),
        "DescribeTimeToLive" => call.named("TableName", Items::describe_time_to_live, responses::time_to_live),
        "DescribeContinuousBackups" => {
            call.named("TableName", Items::describe_continuous_backups, responses::continuous_backups)
        }
        "UpdateContinuousBackups" => call.run(
            requests::update_continuous_backups,
            Items::update_continuous_backups,
            responses::continuous_backups,
        ),
        "ExportTableToPointInTime" => {
            call.run(requests::export_table, Items::export_table_to_point_in_time, |members, export| {
                responses::export(members, export, ExportStatus::InProgress);
            })
        }
        "DescribeExport" => call.named("ExportArn", Items::describe_export, |members, export| {
            responses::export(members, export, export.export_status);
        }),
        "ListExports" => call.run(requests::list_exports, Items::list_exports, responses::exports),
        "ImportTable" => call.run(requests::import_table, Items::import_table, |members, import| {
            responses::import(members, import, ImportStatus::InProgress);
        }),
        "DescribeImport" => call.named("ImportArn", Items::describe_import, |members, import| {
            responses::import(members, import, import.import_status);
        }),
        "ListImports" => call.run(requests::list_imports, Items::list_imports, responses::imports),
        // Few marks fit on a table: there is one page of them, and so no token of a next one.
        "ListTagsOfResource" => call
            .named("ResourceArn", Items::list_tags_of_resource, |members, tags| responses::tags(members, tags))
            .map_err(|failure| hidden(context, failure, operation, &request.text("ResourceArn"))),
        "TagResource" => call.silent(requests::tag_resource, Items::tag_resource),
        "UntagResource" => call.silent(requests::untag_resource, Items::untag_resource),
        "DescribeLimits" => call.run(|_| Ok(()), |items, ()| Ok(items.describe_limits()), responses::limits),
        "DescribeEndpoints" => call.run(
            |_| Ok(()),
            |items, ()| Ok(items.describe_endpoints()),
            |members, endpoint| responses::endpoint(members, context.reached, endpoint),
        ),
        "ListStreams" => call.run(requests::list_streams, Items::list_streams, responses::streams),
        "DescribeStream" => call.run(requests::describe_stream, Items::describe_stream, responses::stream),
        "GetShardIterator" => call.run(requests::get_shard_iterator, Items::get_shard_iterator, |members, iterator| {
            members.text("ShardIterator", iterator);
        }),
        "GetRecords" => call.run(requests::get_records, Items::get_records, |members, output| {
            responses::records(members, output, context.region);
        }),
        operation => Err(Failure::unknown_operation(Some(format!("{operation} is not supported")))),
    }
}

/// One operation that is running.
struct Call<'c, 'a> {
    context: &'c Context<'a>,
    items: &'c Items<Unsettled<'a>>,
    request: &'c Reader<'c>,
}

impl<'a> Call<'_, 'a> {
    /// Reads the request, runs it and writes what comes of it.
    fn run<Q, R>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<Q, Failure>,
        act: impl FnOnce(&Items<Unsettled<'a>>, &Q) -> Stored<R>,
        write: impl FnOnce(&mut Members<'_>, &R),
    ) -> Result<Vec<u8>, Failure> {
        let output = self.act(read, act)?;
        let mut writer = Writer::default();
        writer.object(|members| write(members, &output));
        Ok(writer.into_bytes())
    }

    /// The same for an operation that returns nothing, not even an empty object.
    fn silent<Q>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<Q, Failure>,
        act: impl FnOnce(&Items<Unsettled<'a>>, &Q) -> Stored<()>,
    ) -> Result<Vec<u8>, Failure> {
        self.act(read, act)?;
        Ok(Vec::new())
    }

    /// The same for an operation whose request is one name.
    fn named<R>(
        &self,
        member: &'static str,
        act: impl FnOnce(&Items<Unsettled<'a>>, &str) -> Stored<R>,
        write: impl FnOnce(&mut Members<'_>, &R),
    ) -> Result<Vec<u8>, Failure> {
        self.run(|request| Ok(request.text(member)), |items, name: &String| act(items, name), write)
    }

    fn act<Q, R>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<Q, Failure>,
        act: impl FnOnce(&Items<Unsettled<'a>>, &Q) -> Stored<R>,
    ) -> Result<R, Failure> {
        let request = read(self.request)?;
        self.request.finish()?;
        act(self.items, &request).map_err(|error| faults::failure(&error, self.context.rules))
    }
}

/// What is said of a table when it begins to be made or changed. By the time somebody asks for it, it is done.
fn beginning(table: &TableDescription, table_status: TableStatus) -> TableDescription {
    let mut table = TableDescription { table_status, ..table.clone() };
    if table_status == TableStatus::Creating {
        table.global_secondary_indexes.iter_mut().for_each(|index| index.index_status = IndexStatus::Creating);
    }
    table
}

/// What is told of a resource that there is not: the service does not say whether others have it.
fn hidden(context: &Context<'_>, failure: Failure, operation: &str, resource: &str) -> Failure {
    if failure.name != "ResourceNotFoundException" {
        return failure;
    }
    let user = format!("arn:aws:iam::{}:root", context.account);
    let text = format!("User: {user} is not authorized to perform: dynamodb:{operation} on resource: {resource}");
    Failure::new("AccessDeniedException", text)
}

fn time_to_live(members: &mut Members<'_>, request: &UpdateTimeToLive) {
    members.object("TimeToLiveSpecification", |members| {
        members.text("AttributeName", &request.attribute_name);
        members.bool("Enabled", request.enabled);
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::dynamodb::constraints;
    use crate::server::dynamodb::dialect::Dialect;
    use crate::server::dynamodb::json::Json;

    #[test]
    fn every_operation_of_the_service_is_run_or_refused_by_name() {
        let models = [constraints::items(), constraints::streams()];
        let of_the_service: BTreeSet<_> = models.iter().flat_map(|model| model.operations()).collect();
        let here: BTreeSet<_> = OPERATIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(of_the_service, here);
        for (operation, support) in OPERATIONS {
            match (check_support(operation), support) {
                (Ok(()), Support::Modelled) => {
                    let ran = outcome(operation, "{}").err();
                    assert!(ran.is_none_or(|failure| failure.name != "UnknownOperationException"), "{operation}");
                }
                (Err(failure), Support::Refused(reason)) => {
                    assert_eq!(failure.name, "UnknownOperationException");
                    assert_eq!(failure.message.unwrap(), format!("{operation} is not supported: {reason}"));
                }
                (outcome, support) => panic!("{operation} is {support:?}: {outcome:?}"),
            }
        }
    }

    /// What comes of a request whose members are not checked before.
    fn outcome(operation: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let models = [constraints::items(), constraints::streams()];
        let model = models.into_iter().find(|model| model.operation(operation).is_some()).unwrap();
        let (json, rules) =
            (Json::parse(body.as_bytes()).unwrap(), Dialect::named("newest").unwrap().rules(operation, ""));
        let (store, last) = (Store::in_memory(), RefCell::new(None));
        let context = Context {
            store: &store,
            account: "000000000000",
            region: "us-east-1",
            rules,
            reached: "here",
            last: &last,
            exports: None,
            lifecycle: Lifecycle::default(),
        };
        run(&context, operation, &Reader::new(model, operation, &json, rules))
    }

    /// Members and values that the door refuses, each behind its operation.
    fn refused() -> BTreeSet<(String, String)> {
        let mut refused = BTreeSet::new();
        for model in [constraints::items(), constraints::streams()] {
            for operation in model.operations().filter(|operation| check_support(operation).is_ok()) {
                let mut last = None::<String>;
                for (path, body) in model.samples(operation) {
                    if last.as_ref().is_some_and(|last| path.starts_with(last)) {
                        continue;
                    }
                    let name = path.rsplit(['.', '=']).next().unwrap_or_default();
                    let message =
                        outcome(operation, &body).err().and_then(|failure| failure.message).unwrap_or_default();
                    let is_value = message.contains(&format!("'{name}'")) && message.contains("enum value set");
                    if is_value || message.contains(&format!("{name} is not supported")) {
                        refused.insert((operation.to_owned(), path.clone()));
                        last = Some(path + ".");
                    }
                }
            }
        }
        refused
    }

    #[test]
    fn the_page_names_every_member_that_is_refused_and_no_other() {
        let page = include_str!("../../../docs/compatibility/dynamodb.md");
        let (_, section) = page.split_once("### Members that are refused").unwrap();
        let (section, _) = section.split_once("\n#").unwrap_or((section, ""));
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let mut named = BTreeSet::new();
        for row in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = row.split('|').collect();
            for operation in quoted(cells[1]) {
                named.extend(quoted(cells[2]).into_iter().map(|member| (operation.clone(), member)));
            }
        }
        assert_eq!(refused(), named);
    }
}
