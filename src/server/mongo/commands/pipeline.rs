//! A pipeline, as a client asks for it.

use bson::{Document, RawBsonRef, RawDocument};

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
        let stages = arguments.documents("pipeline")?;
        stages.iter().try_for_each(|stage| refuse_duplicates(stage))?;
        let stages = stages.into_iter().map(decode).collect::<Result<Vec<_>>>()?;
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

/// Refuses a `$lookup` that has an argument twice, which a decoded stage does not show any more.
fn refuse_duplicates(stage: &RawDocument) -> Result<()> {
    let Some(Ok((name, RawBsonRef::Document(arguments)))) = stage.iter().next() else { return Ok(()) };
    if name.as_str() != "$lookup" {
        return Ok(());
    }
    let mut seen = Vec::new();
    for (argument, _) in arguments.iter().flatten() {
        if seen.contains(&argument) {
            let message = format!("BSON field '$lookup.{argument}' is a duplicate field");
            return Err(Failure::new(code::DUPLICATE_FIELD, message));
        }
        seen.push(argument);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    #[test]
    fn a_lookup_has_each_argument_once() {
        let twice = rawdoc! { "$lookup": { "from": "a", "as": "x", "from": "a" } };
        assert_eq!(refuse_duplicates(&twice).unwrap_err().code, 40_413);
        assert!(refuse_duplicates(&rawdoc! { "$lookup": { "from": "a", "as": "x" } }).is_ok());
        assert!(refuse_duplicates(&rawdoc! { "$match": { "a": 1, "a": 2 } }).is_ok());
    }
}
