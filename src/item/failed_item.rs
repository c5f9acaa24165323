//! The item that a fault shows.

use crate::error::Result;
use crate::item::{FailedItem, Item, record};

impl FailedItem {
    /// The item, decoded.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when what was stored does not decode.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{FailedItem, Item};
    /// fn shown(failed: &FailedItem) -> larder::Result<Item> {
    ///     failed.to_item()
    /// }
    /// # let _ = shown;
    /// ```
    pub fn to_item(&self) -> Result<Item> {
        record::decode(&self.0)
    }
}
