//! How a write is made.

/// How a write is made, where it is not made as the table says.
///
/// # Examples
/// ```
/// use larder::wide_column::WriteOptions;
/// let for_an_hour = WriteOptions::default().ttl_seconds(3_600);
/// let as_of_the_import = WriteOptions::default().timestamp(1_700_000_000_000_000);
/// ```
///
/// # Source
/// CQL reference, `USING TTL` and `USING TIMESTAMP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct WriteOptions {
    pub(super) ttl_seconds: Option<u32>,
    pub(super) timestamp: Option<i64>,
}

impl WriteOptions {
    /// Lets what is written live for `seconds`, at most 20 years; 0 is for ever, whatever the table's default.
    ///
    /// # Examples
    /// ```
    /// # use larder::{ManualClock, Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::builder().clock(ManualClock::default()).in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let row = [("id", 7.into()), ("name", "Ann".into())];
    /// users.insert_with(&row, WriteOptions::default().ttl_seconds(60))?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].ttl("name"), Some(60));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn ttl_seconds(mut self, seconds: u32) -> Self {
        self.ttl_seconds = Some(seconds);
        self
    }

    /// Sets the timestamp of the write in microseconds; the default is the store's clock, made unique. Of two writes
    /// the one with the higher timestamp wins, whichever is made first.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let (newer, older) = (WriteOptions::default().timestamp(2), WriteOptions::default().timestamp(1));
    /// users.insert_with(&[("id", 7.into()), ("name", "Ann".into())], newer)?;
    /// users.insert_with(&[("id", 7.into()), ("name", "Anna".into())], older)?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn timestamp(mut self, micros: i64) -> Self {
        self.timestamp = Some(micros);
        self
    }
}
