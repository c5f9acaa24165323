//! What a command is, and one that a client has sent.

use std::cell::RefCell;
use std::sync::Arc;

use bitflags::bitflags;
use bson::{RawBsonRef, RawDocument, RawDocumentBuf, Uuid};

use crate::document::{Collection, Supervision};
use crate::error::Error;
use crate::limits;
use crate::server::mongo::client::Client;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Arguments, Field, type_name};
use crate::server::mongo::state::State;
use crate::store::Transaction;
use crate::txn::{Pending, Unsettled};

bitflags! {
    /// What is true of a command whatever it is sent with.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Flags: u16 {
        /// May be sent before a user has logged in.
        const OPEN = 1;
        /// Only to the database `admin`.
        const ADMIN = 1 << 1;
        /// Changes what is stored.
        const WRITES = 1 << 2;
        /// A write that drivers may send again with its transaction number.
        const RETRYABLE = 1 << 3;
        /// Takes fields that no table lists, and ignores them.
        const TAKES_ANYTHING = 1 << 4;
        /// Its fields hold secrets, and are not shown.
        const SECRET = 1 << 5;
        /// Offered only by a door for tests.
        const TEST = 1 << 6;
        /// Reads documents, at whatever level it is asked to.
        const READS = 1 << 7;
        /// Lists what there is, and may not say how well a write is to be kept.
        const LISTS = 1 << 8;
    }
}

/// A command: a name, what it takes, and what it does.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    /// Other spellings.
    pub(super) aliases: &'static [&'static str],
    pub(super) flags: Flags,
    pub(super) fields: &'static [Field],
    /// One line for `listCommands`.
    pub(super) help: &'static str,
    /// Runs the command, and returns its reply without `ok`.
    pub(super) run: fn(&Call<'_>) -> Result<RawDocumentBuf>,
}

/// A request that has passed the checks of its command.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) door: &'a State,
    pub(super) client: &'a Client,
    pub(super) command: &'static Command,
    pub(super) database: &'a str,
    /// All that was sent, as it was sent.
    pub(super) body: &'a RawDocument,
    pub(super) arguments: Arguments<'a>,
    pub(super) session: Option<Uuid>,
    /// How long the command may take, and who may end it.
    pub(super) supervision: &'a Arc<Supervision>,
    /// What has to be durable before the client is replied to: the last commit, behind which all others are.
    pub(super) commit: &'a RefCell<Option<Pending>>,
}

impl<'a> Call<'a> {
    /// The collection that the command names.
    ///
    /// # Errors
    /// Code 73 for what is not the name of a collection.
    pub(super) fn collection(&self) -> Result<&'a str> {
        let RawBsonRef::String(name) = self.arguments.first() else {
            let message = format!("collection name has invalid type {}", type_name(self.arguments.first()));
            return Err(Failure::new(code::INVALID_NAMESPACE, message));
        };
        check_collection(self.database, name)?;
        Ok(name)
    }

    /// Runs `body` in a transaction, whose commit is waited for before the client is replied to.
    ///
    /// # Errors
    /// What `body` returns, and what refuses the commit.
    pub(super) fn write<R>(&self, body: impl FnMut(&Transaction) -> Result<R, Error>) -> Result<R> {
        let store = &self.door.store;
        let (value, commit) = store.transaction_unsettled(store.wait_for_turn(), body)?;
        self.commit.replace(Some(commit));
        Ok(value)
    }

    /// Refuses those of `options` that the request has and that are not modelled.
    ///
    /// # Errors
    /// Code 238, which names the option.
    pub(super) fn refuse(&self, options: &[&str]) -> Result<()> {
        match options.iter().find(|option| self.arguments.get(option).is_some()) {
            Some(option) => {
                let message = format!("the option '{option}' of {} is not supported", self.command.name);
                Err(Failure::new(code::NOT_IMPLEMENTED, message))
            }
            None => Ok(()),
        }
    }

    /// The collection `name`, to be written to: its commits are waited for before the client is replied to.
    pub(super) fn collection_to_write(&self, name: &str) -> Collection<RawDocumentBuf, Unsettled<'a>> {
        let collection = self.door.store.database_unsettled(self.database, self.commit).collection(name);
        match self.arguments.truth("bypassDocumentValidation") {
            Some(true) => collection.bypass_document_validation(true),
            _ => collection,
        }
    }

    /// The number `name`, which must not be negative.
    ///
    /// # Errors
    /// Code 51024.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>> {
        const OUT_OF_BOUNDS: i32 = 51024;
        let Some(number) = self.arguments.integer(name) else { return Ok(None) };
        u64::try_from(number).map(Some).map_err(|_| {
            let message = format!("BSON field '{name}' value must be >= 0, actual value '{number}'");
            Failure::new(OUT_OF_BOUNDS, message)
        })
    }

    /// A collection's name behind its database's.
    pub(super) fn namespace(&self, collection: &str) -> String {
        format!("{}.{collection}", self.database)
    }
}

/// Checks the name of a database.
///
/// # Errors
/// Code 73 for one that is empty, too long, or has a character that none may have.
///
/// # Source
/// MongoDB manual, naming restrictions.
pub(super) fn check_database(name: &str) -> Result<()> {
    let is_wrong = |c: char| matches!(c, '/' | '\\' | '.' | ' ' | '"' | '$' | '\0');
    if name.is_empty() || name.len() > limits::MONGO_DATABASE_NAME_BYTES_MAX || name.contains(is_wrong) {
        let message = format!("Invalid database name: '{name}'");
        return Err(Failure::new(code::INVALID_NAMESPACE, message));
    }
    Ok(())
}

/// Checks the name of a collection of `database`.
///
/// # Errors
/// Code 73 for one that is empty, too long together with the database's, begins with a dot, or has a dollar sign or a zero.
pub(super) fn check_collection(database: &str, name: &str) -> Result<()> {
    let length = database.len() + 1 + name.len();
    if name.is_empty() || name.starts_with('.') || name.ends_with('.') || name.contains(['$', '\0']) {
        let message = format!("Invalid namespace specified '{database}.{name}'");
        return Err(Failure::new(code::INVALID_NAMESPACE, message));
    }
    if length > limits::NAME_BYTES_MAX {
        let max = limits::NAME_BYTES_MAX;
        let message = format!("Fully qualified namespace is too long. Namespace: {database}.{name} Max: {max}");
        return Err(Failure::new(code::INVALID_NAMESPACE, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_databases_and_collections_are_checked() {
        assert!(check_database("shop").is_ok() && check_database("$external").is_err());
        assert!(["", "a.b", "a b", "a/b"].iter().all(|name| check_database(name).is_err()));
        assert!(check_database(&"x".repeat(63)).is_ok() && check_database(&"x".repeat(64)).is_err());
        assert!(check_collection("d", "a.b").is_ok() && check_collection("d", "system.profile").is_ok());
        assert!(["", ".a", "a$b", "a."].iter().all(|name| check_collection("d", name).is_err()));
        assert!(check_collection("d", &"x".repeat(253)).is_ok() && check_collection("d", &"x".repeat(254)).is_err());
    }
}
