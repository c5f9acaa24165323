//! A pipeline, as a client asks for it.

use bson::{Document, RawBsonRef};

use crate::document::AggregateOptions;
use crate::server::mongo::command::{Call, check_collection};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Types, decode, is_one, type_name, type_of};

/// A pipeline, as it was asked for.
pub(super) struct Pipeline<'a> {
    /// The collection, unless it has documents of its own.
    pub(super) name: Option<&'a str>,
    pub(super) stages: Vec<Document>,
    pub(super) options: AggregateOptions,
}

impl<'a> Pipeline<'a> {
    /// # Errors
    /// For fields that are not what the command takes.
    pub(super) fn parse(call: &Call<'a>) -> Result<Self> {
        let arguments = &call.arguments;
        let name = match arguments.first() {
            RawBsonRef::String(name) => Some(name),
            number if Types::NUMBER.intersects(type_of(number)) => {
                if !is_one(number) {
                    let message = "Invalid command format: the 'aggregate' field must specify a collection name or 1";
                    return Err(Failure::new(code::BAD_VALUE, message));
                }
                None
            }
            other => {
                let message = format!("collection name has invalid type {}", type_name(other));
                return Err(Failure::new(code::INVALID_NAMESPACE, message));
            }
        };
        name.map_or(Ok(()), |name| check_collection(call.database, name))?;
        let stages = arguments.documents("pipeline")?.into_iter().map(decode).collect::<Result<Vec<_>>>()?;
        let mut options = AggregateOptions::default();
        if let Some(variables) = arguments.decoded("let")? {
            options = options.let_vars(variables);
        }
        if let Some(collation) = arguments.collation()? {
            options = options.collation(collation);
        }
        if let Some(hint) = arguments.hint()? {
            options = options.hint(hint);
        }
        Ok(Self { name, stages, options })
    }

    /// Whether what it gives is written.
    pub(super) fn writes(&self) -> bool {
        self.stages.last().is_some_and(|stage| stage.contains_key("$out") || stage.contains_key("$merge"))
    }
}
