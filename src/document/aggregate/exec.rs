//! What the operators of a pipeline work in.

use std::sync::Arc;

use bson::raw::RawBson;
use parking_lot::Mutex;

use crate::document::expression::Context;
use crate::txn::View;

/// A moment of the store, the database that names of collections are of, and the context of expressions.
#[derive(Debug)]
pub(in crate::document) struct Exec {
    /// Views are used by one thread at a time, and the rows of a pipeline may move between threads.
    pub(super) view: Arc<Mutex<View>>,
    pub(super) database: String,
    context: Arc<Context>,
}

impl Exec {
    /// For a pipeline over collections of `database` as `view` sees them.
    pub(in crate::document) fn new(view: &View, database: &str, context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { view: Arc::new(Mutex::new(view.fork())), database: database.to_owned(), context })
    }

    /// For a pipeline within this one, with variables of its own.
    pub(super) fn within(&self, outer: Vec<Option<RawBson>>) -> Arc<Self> {
        let context = Arc::new(self.context.within(outer));
        Arc::new(Self { view: Arc::clone(&self.view), database: self.database.clone(), context })
    }

    pub(super) fn context(&self) -> &Arc<Context> {
        &self.context
    }
}
