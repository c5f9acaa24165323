//! Changing documents: `update` and `findAndModify`.

use bson::{Document, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{
    Collection, FindOneAndOptions, ReturnDocument, UpdateModifications, UpdateOptions, UpdateResult,
};
use crate::error::Error;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::write::{Handle, Tally, WRITE, WriteError, check_number, each, reply};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, truth_of, wrong_type};
use crate::txn::InTransaction;

const UPDATE: &[Field] = &[
    Field::new("updates", Types::ARRAY).required(),
    Field::new("ordered", Types::TRUTH),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("let", Types::OBJECT),
];

const FIND_AND_MODIFY: &[Field] = &[
    Field::new("query", Types::OBJECT),
    Field::new("sort", Types::OBJECT),
    Field::new("remove", Types::TRUTH),
    Field::new("update", Types::OBJECT.union(Types::ARRAY)),
    Field::new("new", Types::TRUTH),
    Field::new("fields", Types::OBJECT),
    Field::new("upsert", Types::TRUTH),
    Field::new("arrayFilters", Types::ARRAY),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("hint", Types::STRING.union(Types::OBJECT)),
    Field::new("collation", Types::OBJECT),
    Field::new("let", Types::OBJECT),
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "update",
        aliases: &[],
        flags: WRITE,
        fields: UPDATE,
        help: "Changes or replaces documents that match filters.",
        run: update,
    },
    Command {
        name: "findAndModify",
        aliases: &["findandmodify"],
        flags: Flags::WRITES.union(Flags::RETRYABLE),
        fields: FIND_AND_MODIFY,
        help: "Changes, replaces or removes one document, and returns it.",
        run: find_and_modify,
    },
];

fn update(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let variables = call.arguments.decoded("let")?;
    let updates = call.arguments.documents("updates")?;
    check_number(&updates)?;
    let updates: Vec<_> =
        updates.into_iter().map(|update| Update::parse(update, variables.as_ref())).collect::<Result<_>>()?;
    let tally = each(call, name, &updates, Update::apply)?;
    let (modified, mut upserted) = (tally.modified, RawArrayBuf::new());
    for (index, id) in &tally.upserted {
        let id = RawBson::try_from(id.clone());
        let id = id.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
        upserted.push(rawdoc! { "index": *index, "_id": id });
    }
    let has_upserted = !tally.upserted.is_empty();
    let mut reply = reply(&tally)?;
    reply.append(bson::raw::cstr!("nModified"), i32::try_from(modified).unwrap_or(i32::MAX));
    if has_upserted {
        reply.append(bson::raw::cstr!("upserted"), upserted);
    }
    Ok(reply)
}

/// One of the changes of a command.
struct Update {
    filter: Document,
    change: Change,
    is_of_many: bool,
    options: UpdateOptions,
}

/// What becomes of a document.
#[derive(Clone)]
enum Change {
    /// Operators, or a pipeline.
    Update(UpdateModifications),
    Replace(RawDocumentBuf),
}

impl Change {
    /// # Errors
    /// Code 14 for a value that is neither a document nor an array of documents.
    fn parse(path: &str, value: RawBsonRef<'_>) -> Result<Self> {
        match value {
            RawBsonRef::Array(stages) => {
                let stage = |stage: bson::error::Result<RawBsonRef<'_>>| match stage {
                    Ok(RawBsonRef::Document(stage)) => decode(stage),
                    Ok(other) => Err(wrong_type(path, other, Types::OBJECT)),
                    Err(error) => Err(Failure::new(code::FAILED_TO_PARSE, error.to_string())),
                };
                let stages: Vec<_> = stages.into_iter().map(stage).collect::<Result<_>>()?;
                Ok(Self::Update(stages.into()))
            }
            RawBsonRef::Document(document) => {
                let first = document.iter().next().and_then(std::result::Result::ok);
                if first.is_some_and(|(name, _)| name.as_str().starts_with('$')) {
                    return Ok(Self::Update(decode(document)?.into()));
                }
                Ok(Self::Replace(document.to_owned()))
            }
            other => Err(wrong_type(path, other, Types::OBJECT.union(Types::ARRAY))),
        }
    }
}

impl Update {
    fn parse(statement: &RawDocument, variables: Option<&Document>) -> Result<Self> {
        let (mut filter, mut change, mut is_of_many) = (None, None, false);
        let mut options = variables.map_or_else(UpdateOptions::default, |variables| {
            UpdateOptions::default().let_vars(variables.clone())
        });
        for element in statement {
            let (name, value) = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            match (name.as_str(), value) {
                ("q", RawBsonRef::Document(value)) => filter = Some(decode(value)?),
                ("q", value) => return Err(wrong_type("update.updates.q", value, Types::OBJECT)),
                ("u", value) => change = Some(Change::parse("update.updates.u", value)?),
                ("multi", value) => is_of_many = truth("update.updates.multi", value)?,
                ("upsert", value) => options = options.upsert(truth("update.updates.upsert", value)?),
                ("arrayFilters", RawBsonRef::Array(filters)) => options = options.array_filters(documents(filters)?),
                ("arrayFilters", value) => return Err(wrong_type("update.updates.arrayFilters", value, Types::ARRAY)),
                ("sort", RawBsonRef::Document(sort)) => options = options.sort(decode(sort)?),
                ("collation" | "hint" | "c", _) => {
                    let message = format!("the option '{name}' of an update is not supported");
                    return Err(Failure::new(code::NOT_IMPLEMENTED, message));
                }
                (name, _) => {
                    let message = format!("BSON field 'update.updates.{name}' is an unknown field.");
                    return Err(Failure::new(code::UNKNOWN_FIELD, message));
                }
            }
        }
        let missing = |name: &str| {
            let message = format!("BSON field 'update.updates.{name}' is missing but a required field");
            Failure::new(code::MISSING_FIELD, message)
        };
        let (filter, change) = (filter.ok_or_else(|| missing("q"))?, change.ok_or_else(|| missing("u"))?);
        if is_of_many && matches!(change, Change::Replace(_)) {
            return Err(Failure::new(code::FAILED_TO_PARSE, "multi update is not supported for replacement-style update"));
        }
        Ok(Self { filter, change, is_of_many, options })
    }

    fn apply(handle: &Handle<'_>, update: &Self) -> Result<Tally, WriteError> {
        let (filter, options) = (update.filter.clone(), update.options.clone());
        let done = match &update.change {
            Change::Replace(replacement) => handle.replace_one_with(filter, replacement, options)?,
            Change::Update(change) if update.is_of_many => handle.update_many_with(filter, change.clone(), options)?,
            Change::Update(change) => handle.update_one_with(filter, change.clone(), options)?,
        };
        let UpdateResult { matched, modified, upserted_id, .. } = done;
        let upserted: Vec<_> = upserted_id.into_iter().map(|id| (0, id)).collect();
        Ok(Tally { affected: matched + upserted.len() as u64, modified, upserted, errors: Vec::new() })
    }
}

fn truth(path: &str, value: RawBsonRef<'_>) -> Result<bool> {
    truth_of(value).ok_or_else(|| wrong_type(path, value, Types::TRUTH))
}

fn documents(array: &bson::RawArray) -> Result<Vec<Document>> {
    let document = |element: bson::error::Result<RawBsonRef<'_>>| match element {
        Ok(RawBsonRef::Document(document)) => decode(document),
        _ => Err(Failure::new(code::TYPE_MISMATCH, "an array of documents is needed")),
    };
    array.into_iter().map(document).collect()
}

/// What `findAndModify` is to do.
struct Modify {
    query: Document,
    sort: Option<Document>,
    fields: Option<Document>,
    /// `None` removes.
    change: Option<Change>,
    returns_new: bool,
    upserts: bool,
    options: UpdateOptions,
}

/// What it did.
struct Modified {
    value: Option<RawDocumentBuf>,
    existed: bool,
    upserted: Option<RawBson>,
}

fn find_and_modify(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(&["hint"])?;
    call.check_collation()?;
    let modify = Modify::parse(call)?;
    let Modified { value, existed, upserted } = call.write(|tx| {
        let handle = tx.database(call.database).collection::<RawDocumentBuf>(name);
        modify.apply(&handle)
    })?;
    let mut last = rawdoc! { "n": i32::from(existed || upserted.is_some()) };
    if modify.change.is_some() {
        last.append(bson::raw::cstr!("updatedExisting"), existed);
    }
    if let Some(id) = upserted {
        last.append(bson::raw::cstr!("upserted"), id);
    }
    let value = value.map_or(RawBson::Null, RawBson::Document);
    Ok(rawdoc! { "lastErrorObject": last, "value": value })
}

impl Modify {
    fn parse(call: &Call<'_>) -> Result<Self> {
        let arguments = &call.arguments;
        let refused = |message: &str| Err(Failure::new(code::FAILED_TO_PARSE, message));
        let removes = arguments.truth("remove") == Some(true);
        let (returns_new, upserts) = (arguments.truth("new") == Some(true), arguments.truth("upsert") == Some(true));
        let update = arguments.get("update");
        let change = match update {
            Some(_) if removes => return refused("Cannot specify both an update and remove=true"),
            None if !removes => return refused("Either an update or remove=true must be specified"),
            None => None,
            Some(value) => Some(Change::parse("findAndModify.update", value)?),
        };
        if removes && upserts {
            return refused("Cannot specify both upsert=true and remove=true");
        }
        if removes && returns_new {
            return refused("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
        }
        let mut options = UpdateOptions::default().upsert(upserts);
        if let Some(filters) = arguments.array("arrayFilters") {
            options = options.array_filters(documents(filters)?);
        }
        if let Some(variables) = arguments.decoded("let")? {
            options = options.let_vars(variables);
        }
        Ok(Self {
            query: arguments.decoded("query")?.unwrap_or_default(),
            sort: arguments.decoded("sort")?.filter(|sort| !sort.is_empty()),
            fields: arguments.decoded("fields")?.filter(|fields| !fields.is_empty()),
            change,
            returns_new,
            upserts,
            options,
        })
    }

    /// Runs within a transaction, so that what is looked at first is what is changed.
    fn apply(&self, handle: &Collection<RawDocumentBuf, InTransaction<'_>>) -> Result<Modified, Error> {
        let mut query = handle.find(self.query.clone()).projection(bson::doc! { "_id": 1 }).limit(1);
        if let Some(sort) = &self.sort {
            query = query.sort(sort.clone());
        }
        let existed = query.run()?.next().transpose()?.is_some();
        if !existed && self.upserts {
            return self.insert(handle);
        }
        let returns = if self.returns_new { ReturnDocument::After } else { ReturnDocument::Before };
        let value = self.change_one(handle, returns, self.fields.clone())?;
        Ok(Modified { value, existed, upserted: None })
    }

    fn insert(&self, handle: &Collection<RawDocumentBuf, InTransaction<'_>>) -> Result<Modified, Error> {
        let made = self.change_one(handle, ReturnDocument::After, None)?;
        let id = made.as_ref().and_then(|made| made.get("_id").ok().flatten()).map(RawBson::from);
        let value = match (&id, &self.fields) {
            _ if !self.returns_new => None,
            (Some(id), Some(fields)) => {
                let id = bson::Bson::try_from(id.clone()).unwrap_or(bson::Bson::Null);
                handle.find(bson::doc! { "_id": id }).projection(fields.clone()).run()?.next().transpose()?
            }
            _ => made,
        };
        Ok(Modified { value, existed: false, upserted: id })
    }

    fn change_one(
        &self,
        handle: &Collection<RawDocumentBuf, InTransaction<'_>>,
        returns: ReturnDocument,
        fields: Option<Document>,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        let mut options = FindOneAndOptions::default().return_document(returns).update(self.options.clone());
        if let Some(sort) = &self.sort {
            options = options.sort(sort.clone());
        }
        if let Some(fields) = fields {
            options = options.projection(fields);
        }
        match &self.change {
            None => handle.find_one_and_delete_with(self.query.clone(), options),
            Some(Change::Replace(new)) => handle.find_one_and_replace_with(self.query.clone(), new, options),
            Some(Change::Update(change)) => {
                handle.find_one_and_update_with(self.query.clone(), change.clone(), options)
            }
        }
    }
}
