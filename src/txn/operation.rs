//! What an operation of a model is.

/// What an operation is, for the one record that is made of each when it ends.
///
/// # Examples
/// ```
/// let sessions = larder::Store::in_memory().kv_named("sessions");
/// sessions.set("7", "ann")?; // recorded with model `kv`, verb `set` and target `sessions`
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "public for the sealed methods of `Scope`, and named by nobody outside")]
pub struct Operation<'a> {
    /// The model: `"document"`, `"kv"`.
    pub model: &'static str,
    /// The operation in the model's vocabulary: `"insert_one"`, `"increment"`.
    pub verb: &'static str,
    /// The collection, table, keyspace or channel.
    pub target: &'a str,
    /// Whether it makes nothing larger, and so runs when the budget of memory is spent.
    pub frees: bool,
}

impl<'a> Operation<'a> {
    pub(crate) fn new(model: &'static str, verb: &'static str, target: &'a str) -> Self {
        Self { model, verb, target, frees: false }
    }

    /// The operation, which makes nothing larger if `frees` says so.
    pub(crate) fn freeing(self, frees: bool) -> Self {
        Self { frees, ..self }
    }
}
