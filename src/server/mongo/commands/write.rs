//! Writing: insert, update, delete.
//!
//! The writes of a command are a bulk write of the model: a commit of bounded size each, between which others read and write. Each
//! write is made or refused for itself; what was refused is listed by its place.

use bson::raw::cstr;
use bson::{Document, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{BulkWriteResult, DeleteOptions, UpdateModifications, UpdateOptions, WriteModel};
use crate::error::Error;
use crate::limits;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Arguments, Field, Types, decode, integer_of, wrong_type};

/// What names an index.
pub(super) const HINT: Field = Field::new("hint", Types::STRING.union(Types::OBJECT)).strict(code::FAILED_TO_PARSE);

const INSERT: &[Field] = &[
    Field::new("documents", Types::ARRAY).required(),
    Field::new("ordered", Types::TRUTH),
    Field::new("bypassDocumentValidation", Types::TRUTH),
];

const UPDATE: &[Field] = &[
    Field::new("updates", Types::ARRAY).required(),
    Field::new("ordered", Types::TRUTH),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("let", Types::OBJECT),
];

pub(super) const UPDATE_STATEMENT: &[Field] = &[
    Field::new("q", Types::OBJECT).required(),
    Field::any("u").required(),
    Field::new("c", Types::OBJECT),
    Field::new("multi", Types::TRUTH),
    Field::new("upsert", Types::TRUTH),
    Field::new("arrayFilters", Types::ARRAY),
    Field::new("sort", Types::OBJECT),
    Field::new("collation", Types::OBJECT),
    HINT,
];

const DELETE: &[Field] = &[
    Field::new("deletes", Types::ARRAY).required(),
    Field::new("ordered", Types::TRUTH),
    Field::new("let", Types::OBJECT),
];

pub(super) const DELETE_STATEMENT: &[Field] = &[
    Field::new("q", Types::OBJECT).required(),
    Field::any("limit").required(),
    Field::new("collation", Types::OBJECT),
    HINT,
];

pub(super) const WRITE: Flags = Flags::WRITES.union(Flags::RETRYABLE);

pub(super) const COMMANDS: &[Command] = &[
    Command { name: "insert", aliases: &[], flags: WRITE, fields: INSERT, help: "Inserts documents.", run: insert },
    Command {
        name: "update",
        aliases: &[],
        flags: WRITE,
        fields: UPDATE,
        help: "Changes or replaces documents that match filters.",
        run: update,
    },
    Command {
        name: "delete",
        aliases: &[],
        flags: WRITE,
        fields: DELETE,
        help: "Removes documents that match filters.",
        run: delete,
    },
];

/// Checks how many writes a command has.
pub(super) fn check_number(found: usize) -> Result<()> {
    let max = limits::MONGO_BATCH_WRITES_MAX;
    if found == 0 || found > max {
        let message = format!("Write batch sizes must be between 1 and {max}. Got {found} operations.");
        return Err(Failure::new(code::INVALID_LENGTH, message));
    }
    Ok(())
}

/// Makes `writes` to the collection `name`.
///
/// # Errors
/// What is about no single write, such as a store that cannot be written to.
pub(super) fn run(call: &Call<'_>, name: &str, writes: Vec<WriteModel>) -> Result<BulkWriteResult> {
    Ok(call.collection_to_write(name).bulk_write(writes).ordered(is_ordered(call)).run()?)
}

/// Whether the first write that is refused ends the command.
fn is_ordered(call: &Call<'_>) -> bool {
    call.arguments.truth("ordered").unwrap_or(true)
}

/// The reply to a command that has written; `n` documents were inserted, found or removed.
fn reply(done: &BulkWriteResult, n: u64) -> Result<RawDocumentBuf> {
    let mut reply = rawdoc! { "n": number(n) };
    let errors: Vec<_> = done.errors().map(|(place, error)| write_error(place, error)).collect();
    if !errors.is_empty() {
        let errors: Result<RawArrayBuf> = errors.iter().map(encode).collect::<Result<Vec<_>>>().map(array);
        reply.append(cstr!("writeErrors"), errors?);
    }
    Ok(reply)
}

fn array(documents: Vec<RawDocumentBuf>) -> RawArrayBuf {
    let mut array = RawArrayBuf::new();
    for document in documents {
        array.push(document);
    }
    array
}

/// What an element of `writeErrors` says of the write at `place`.
pub(super) fn write_error(place: usize, error: &Error) -> Document {
    Failure::of(error).write_error(i32::try_from(place).unwrap_or(i32::MAX))
}

/// A document of the door's own, as bytes.
pub(super) fn encode(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))
}

/// A count in a reply to a write.
pub(super) fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn insert(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let documents = call.arguments.documents("documents")?;
    check_number(documents.len())?;
    let done = call.collection_to_write(name).insert_many_raw(&documents, is_ordered(call))?;
    reply(&done, done.inserted())
}

fn update(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let variables = call.arguments.decoded("let")?.unwrap_or_default();
    let updates = call.arguments.documents("updates")?;
    check_number(updates.len())?;
    let writes = updates.into_iter().map(|statement| update_of(statement, &variables)).collect::<Result<_>>()?;
    let done = run(call, name, writes)?;
    let mut upserted = RawArrayBuf::new();
    for (place, id) in done.upserted() {
        let id = RawBson::try_from(id.clone());
        let id = id.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
        upserted.push(rawdoc! { "index": number(place as u64), "_id": id });
    }
    let of_upserts = done.upserted().count() as u64;
    let mut reply = reply(&done, done.matched() + of_upserts)?;
    reply.append(cstr!("nModified"), number(done.modified()));
    if of_upserts > 0 {
        reply.append(cstr!("upserted"), upserted);
    }
    Ok(reply)
}

fn delete(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let variables = call.arguments.decoded("let")?.unwrap_or_default();
    let deletes = call.arguments.documents("deletes")?;
    check_number(deletes.len())?;
    let writes = deletes.into_iter().map(|statement| delete_of(statement, &variables)).collect::<Result<_>>()?;
    let done = run(call, name, writes)?;
    reply(&done, done.deleted())
}

fn update_of(statement: &RawDocument, variables: &Document) -> Result<WriteModel> {
    let fields = Arguments::within("update.updates", UPDATE_STATEMENT, statement)?;
    let filter = fields.decoded("q")?.unwrap_or_default();
    let change = Change::parse("update.updates.u", fields.get("u").unwrap_or(RawBsonRef::Null))?;
    let is_of_many = fields.truth("multi") == Some(true);
    update_model(&fields, filter, change, is_of_many, variables)
}

/// The model of an update, whose options `fields` has.
pub(super) fn update_model(
    fields: &Arguments<'_>,
    filter: Document,
    change: Change,
    is_of_many: bool,
    variables: &Document,
) -> Result<WriteModel> {
    let mut variables = variables.clone();
    if let Some(constants) = fields.decoded("c")?.or(fields.decoded("constants")?) {
        variables.extend(constants);
    }
    let mut options = UpdateOptions::default().let_vars(variables).upsert(fields.truth("upsert") == Some(true));
    if let Some(filters) = fields.array("arrayFilters") {
        options = options.array_filters(documents(filters)?);
    }
    if let Some(sort) = fields.decoded("sort")? {
        options = options.sort(sort);
    }
    if let Some(collation) = fields.collation()? {
        options = options.collation(collation);
    }
    if let Some(hint) = fields.hint()? {
        options = options.hint(hint);
    }
    match change {
        Change::Replace(_) if is_of_many => {
            Err(Failure::new(code::FAILED_TO_PARSE, "multi update is not supported for replacement-style update"))
        }
        Change::Replace(document) => Ok(WriteModel::replace_raw(filter, document, options)),
        Change::Update(change) if is_of_many => Ok(WriteModel::update_many(filter, change, options)),
        Change::Update(change) => Ok(WriteModel::update_one(filter, change, options)),
    }
}

fn delete_of(statement: &RawDocument, variables: &Document) -> Result<WriteModel> {
    let fields = Arguments::within("delete.deletes", DELETE_STATEMENT, statement)?;
    let limit = fields.get("limit").unwrap_or(RawBsonRef::Null);
    let is_of_one = match integer_of(limit) {
        Some(0) => false,
        Some(1) => true,
        Some(other) => {
            let message = format!("The limit field in delete objects must be 0 or 1. Got {other}");
            return Err(Failure::new(code::FAILED_TO_PARSE, message));
        }
        None => return Err(wrong_type("delete.deletes.limit", limit, Types::NUMBER)),
    };
    delete_model(&fields, fields.decoded("q")?.unwrap_or_default(), is_of_one, variables)
}

/// The model of a removal, whose options `fields` has.
pub(super) fn delete_model(
    fields: &Arguments<'_>,
    filter: Document,
    is_of_one: bool,
    variables: &Document,
) -> Result<WriteModel> {
    let mut options = DeleteOptions::default().let_vars(variables.clone());
    if let Some(collation) = fields.collation()? {
        options = options.collation(collation);
    }
    if let Some(hint) = fields.hint()? {
        options = options.hint(hint);
    }
    Ok(if is_of_one {
        WriteModel::delete_one_with(filter, options)
    } else {
        WriteModel::delete_many_with(filter, options)
    })
}

/// What becomes of a document.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Operators, or a pipeline.
    Update(UpdateModifications),
    Replace(RawDocumentBuf),
}

impl Change {
    /// # Errors
    /// Code 9 for a value that is neither a document nor an array, 14 for an array of other things than documents.
    pub(super) fn parse(path: &str, value: RawBsonRef<'_>) -> Result<Self> {
        match value {
            RawBsonRef::Array(stages) => documents(stages).map(|stages| Self::Update(stages.into())),
            RawBsonRef::Document(document) => {
                let first = document.iter().next().and_then(std::result::Result::ok);
                if first.is_some_and(|(name, _)| name.as_str().starts_with('$')) {
                    return Ok(Self::Update(decode(document)?.into()));
                }
                Ok(Self::Replace(document.to_owned()))
            }
            other => {
                let failure = wrong_type(path, other, Types::OBJECT.union(Types::ARRAY));
                Err(Failure { code: code::FAILED_TO_PARSE, ..failure })
            }
        }
    }
}

/// The documents of an array.
///
/// # Errors
/// Code 14 for an element that is none.
pub(super) fn documents(array: &bson::RawArray) -> Result<Vec<Document>> {
    let document = |element: bson::error::Result<RawBsonRef<'_>>| match element {
        Ok(RawBsonRef::Document(document)) => decode(document),
        _ => Err(Failure::new(code::TYPE_MISMATCH, "an array of documents is needed")),
    };
    array.into_iter().map(document).collect()
}
