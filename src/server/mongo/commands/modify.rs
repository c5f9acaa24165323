//! `findAndModify`: one document is changed, and returned.

use bson::raw::cstr;
use bson::{RawBson, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::document::{FindAndModifyResult, FindOneAndOptions, Modify, ReturnDocument, UpdateOptions};
use crate::server::mongo::command::{Call, Command};
use crate::server::mongo::commands::write::{Change, HINT, WRITE, documents};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};

const FIND_AND_MODIFY: &[Field] = &[
    Field::new("query", Types::OBJECT),
    Field::new("sort", Types::OBJECT),
    Field::new("remove", Types::TRUTH),
    Field::any("update"),
    Field::new("new", Types::TRUTH),
    Field::new("fields", Types::OBJECT),
    Field::new("upsert", Types::TRUTH),
    Field::new("arrayFilters", Types::ARRAY),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("collation", Types::OBJECT),
    Field::new("let", Types::OBJECT),
    HINT,
];

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "findAndModify",
    aliases: &["findandmodify"],
    flags: WRITE,
    fields: FIND_AND_MODIFY,
    help: "Changes, replaces or removes one document, and returns it.",
    run: find_and_modify,
}];

fn find_and_modify(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.check_collation()?;
    let (modify, options) = parse(call)?;
    let is_removal = matches!(modify, Modify::Delete);
    let filter = call.arguments.decoded("query")?.unwrap_or_default();
    let done = call.collection_to_write(name).find_and_modify(filter, modify, options)?;
    reply(done, is_removal)
}

fn reply(done: FindAndModifyResult<RawDocumentBuf>, is_removal: bool) -> Result<RawDocumentBuf> {
    let FindAndModifyResult { document, matched, upserted_id, .. } = done;
    let touched = matched || upserted_id.is_some();
    let mut last = rawdoc! { "n": i32::from(touched) };
    if !is_removal {
        last.append(cstr!("updatedExisting"), matched);
    }
    if let Some(id) = upserted_id {
        let id = RawBson::try_from(id).map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
        last.append(cstr!("upserted"), id);
    }
    let value = document.map_or(RawBson::Null, RawBson::Document);
    Ok(rawdoc! { "lastErrorObject": last, "value": value })
}

fn parse(call: &Call<'_>) -> Result<(Modify, FindOneAndOptions)> {
    let arguments = &call.arguments;
    let refused = |message: &str| Err(Failure::new(code::FAILED_TO_PARSE, message));
    let is_true = |name: &str| arguments.truth(name) == Some(true);
    let (removes, returns_new, upserts) = (is_true("remove"), is_true("new"), is_true("upsert"));
    let update = arguments.get("update").filter(|update| !matches!(update, RawBsonRef::Null | RawBsonRef::Undefined));
    let modify = match update {
        Some(_) if removes => return refused("Cannot specify both an update and remove=true"),
        None if !removes => return refused("Either an update or remove=true must be specified"),
        None => Modify::Delete,
        Some(value) => match Change::parse("findAndModify.update", value)? {
            Change::Update(change) => Modify::Update(change),
            Change::Replace(document) => Modify::Replace(document),
        },
    };
    if removes && upserts {
        return refused("Cannot specify both upsert=true and remove=true");
    }
    if removes && returns_new {
        return refused("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
    }
    let mut update = UpdateOptions::default().upsert(upserts);
    if let Some(filters) = arguments.array("arrayFilters") {
        if removes {
            return refused("Cannot specify arrayFilters and remove=true");
        }
        update = update.array_filters(documents(filters)?);
    }
    if let Some(variables) = arguments.decoded("let")? {
        update = update.let_vars(variables);
    }
    if let Some(hint) = arguments.hint()? {
        update = update.hint(hint);
    }
    let returns = if returns_new { ReturnDocument::After } else { ReturnDocument::Before };
    let mut options = FindOneAndOptions::default().return_document(returns).update(update);
    if let Some(sort) = arguments.decoded("sort")? {
        options = options.sort(sort);
    }
    if let Some(fields) = arguments.decoded("fields")?.filter(|fields| !fields.is_empty()) {
        options = options.projection(fields);
    }
    Ok((modify, options))
}
