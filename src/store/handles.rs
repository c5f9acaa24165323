//! The models' handles, given out alike by the store, a transaction and a snapshot.

use crate::channel::{Channels, QueueBounds, Subscriber, Subscriptions};
use crate::document::{Collection, Database};
use crate::error::Result;
use crate::item::{ItemTable, Items};
use crate::kv::Kv;
use crate::store::{Snapshot, Store, Transaction};
use crate::txn::{AtSnapshot, AutoCommit, InTransaction};
use crate::wide_column::{Cql, WideBatch, WideKeyspace, WideTable};

/// Database of [`Store::collection`].
const DEFAULT_DATABASE: &str = "default";

/// Keyspace of [`Store::kv`].
const DEFAULT_KEYSPACE: &str = "0";

/// The accessors of one owner whose handles run in `$scope`.
macro_rules! handles {
    ($owner:ty, $scope:ty) => {
        impl $owner {
            /// The collection `name` of the database `default`. It need not exist; the first insert creates it.
            ///
            /// # Examples
            /// ```
            /// use larder::{Document, Store, bson::doc};
            /// let events = Store::in_memory().collection::<Document>("events");
            /// events.insert_one(&doc! { "_id": 1 })?;
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn collection<T>(&self, name: &str) -> Collection<T, $scope> {
                self.database(DEFAULT_DATABASE).collection(name)
            }

            /// The database `name`, a namespace of collections. It need not exist.
            ///
            /// # Examples
            /// ```
            /// use larder::{Document, Store, bson::doc};
            /// let shop = Store::in_memory().database("shop");
            /// shop.collection::<Document>("orders").insert_one(&doc! { "_id": 1 })?;
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn database(&self, name: &str) -> Database<$scope> {
                Database::new(self.scope(), name)
            }

            /// The names of the databases that have collections, in byte order.
            ///
            /// # Errors
            /// [`Error::Corruption`](crate::Error::Corruption) when the catalogue does not decode.
            ///
            /// # Cost
            /// O(log n) for each.
            ///
            /// # Examples
            /// ```
            /// use larder::{Document, Store, bson::doc};
            /// let store = Store::in_memory();
            /// store.database("shop").collection::<Document>("orders").insert_one(&doc! {})?;
            /// assert_eq!(store.list_database_names()?, ["shop"]);
            /// # Ok::<(), larder::Error>(())
            /// ```
            ///
            /// # Source
            /// MongoDB manual, `listDatabases`.
            pub fn list_database_names(&self) -> Result<Vec<String>> {
                Database::list_names(&self.scope())
            }

            /// The names of the keyspaces that have keys, in byte order.
            ///
            /// # Errors
            /// [`Error::Corruption`](crate::Error::Corruption) when a stored key does not decode.
            ///
            /// # Cost
            /// O(log n) for each.
            ///
            /// # Examples
            /// ```
            /// let store = larder::Store::in_memory();
            /// store.kv().set("k", "v")?;
            /// store.kv_named("sessions").set("7", "ann")?;
            /// assert_eq!(store.list_kv_names()?, ["0", "sessions"]);
            /// # Ok::<(), larder::Error>(())
            /// ```
            pub fn list_kv_names(&self) -> Result<Vec<String>> {
                Kv::list_names(&self.scope())
            }

            /// The names of the keyspaces of wide-column tables that were created or have tables, in byte order.
            ///
            /// # Errors
            /// [`Error::Corruption`](crate::Error::Corruption) when the catalogue does not decode.
            ///
            /// # Cost
            /// O(log n) for each.
            ///
            /// # Examples
            /// ```
            /// use larder::{Store, wide_column::{CqlType, TableSchema}};
            /// let store = Store::in_memory();
            /// store.wide_table("analytics", "visits").create(TableSchema::new().partition_key("day", CqlType::Date))?;
            /// assert_eq!(store.list_wide_keyspace_names()?, ["analytics"]);
            /// # Ok::<(), larder::Error>(())
            /// ```
            pub fn list_wide_keyspace_names(&self) -> Result<Vec<String>> {
                crate::wide_column::keyspace_names(&self.scope())
            }

            /// Keys and sorted sets of the default keyspace.
            ///
            /// # Examples
            /// ```
            /// let kv = larder::Store::in_memory().kv();
            /// assert_eq!(kv.increment("visits", 1)?, 1);
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn kv(&self) -> Kv<$scope> {
                self.kv_named(DEFAULT_KEYSPACE)
            }

            /// Keys and sorted sets of the keyspace `name`; the default one is `0`.
            ///
            /// # Examples
            /// ```
            /// let store = larder::Store::in_memory();
            /// store.kv_named("sessions").set("7", "ann")?;
            /// assert!(store.kv().get("7")?.is_none());
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn kv_named(&self, name: &str) -> Kv<$scope> {
                Kv::new(self.scope(), name)
            }

            /// The item table `name`, to be created with [`ItemTable::create`] unless it exists.
            ///
            /// # Examples
            /// ```
            /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
            /// let table = Store::in_memory().item_table("Events");
            /// table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S))?;
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn item_table(&self, name: &str) -> ItemTable<$scope> {
                ItemTable::of_store(self.scope(), name)
            }

            /// All item tables: what concerns more than one of them, and every operation in the shape of the API.
            ///
            /// # Examples
            /// ```
            /// use larder::item::request::ListTables;
            /// let items = larder::Store::in_memory().items();
            /// assert!(items.list_tables(&ListTables::default())?.table_names.is_empty());
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn items(&self) -> Items<$scope> {
                Items::new(self.scope())
            }

            /// The wide-column table `name` of `keyspace`, to be created with [`WideTable::create`] unless it exists.
            ///
            /// # Examples
            /// ```
            /// use larder::{Store, wide_column::{CqlType, TableSchema}};
            /// let table = Store::in_memory().wide_table("analytics", "visits");
            /// table.create(TableSchema::new().partition_key("day", CqlType::Date).column("count", CqlType::Int))?;
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn wide_table(&self, keyspace: &str, name: &str) -> WideTable<$scope> {
                WideTable::new(self.scope(), keyspace, name)
            }

            /// The keyspace `name` of wide-column tables.
            ///
            /// # Examples
            /// ```
            /// let shop = larder::Store::in_memory().wide_keyspace("shop");
            /// assert!(shop.table_names()?.is_empty());
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn wide_keyspace(&self, name: &str) -> WideKeyspace<$scope> {
                WideKeyspace::new(self.scope(), name)
            }

            /// A session of CQL. It begins without a keyspace.
            ///
            /// # Examples
            /// ```
            /// let session = larder::Store::in_memory().cql();
            /// session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
            /// session.execute("USE k", ())?;
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            pub fn cql(&self) -> Cql<$scope> {
                Cql::new(self.scope())
            }
        }
    };
}

/// What only an owner that can be written to gives out.
macro_rules! write_handles {
    ($owner:ty, $scope:ty) => {
        impl $owner {
            /// Publishes `payload` to the subscribers of `channel`, once the transaction it belongs to is durable.
            ///
            /// Returns how many subscriptions match at this moment.
            ///
            /// # Errors
            /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a channel name or payload that is too long.
            ///
            /// # Examples
            /// ```
            /// let store = larder::Store::in_memory();
            /// let inbox = store.subscribe("orders")?;
            /// assert_eq!(store.publish("orders", "1")?, 1);
            /// assert_eq!(inbox.try_recv()?.unwrap().payload(), b"1");
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Source
            /// Redis command reference, `PUBLISH`.
            #[doc(alias = "PUBLISH")]
            pub fn publish(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<usize> {
                Channels::new(self.scope()).publish(channel.as_ref(), payload.as_ref())
            }

            /// As `publish`, to the sharded channel `channel`: one of a namespace of its own, which no pattern matches.
            ///
            /// # Errors
            /// As those of `publish`.
            ///
            /// # Examples
            /// ```
            /// let store = larder::Store::in_memory();
            /// let inbox = store.subscribe("orders")?;
            /// assert_eq!(store.publish_sharded("orders", "1")?, 0, "that is another channel");
            /// inbox.subscribe_sharded("orders")?;
            /// assert_eq!(store.publish_sharded("orders", "1")?, 1);
            /// # Ok::<(), larder::Error>(())
            /// ```
            ///
            /// # Source
            /// Redis command reference, `SPUBLISH`.
            #[doc(alias = "SPUBLISH")]
            pub fn publish_sharded(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<usize> {
                Channels::new(self.scope()).publish_sharded(channel.as_ref(), payload.as_ref())
            }

            /// A batch of writes to wide-column tables, executed as one.
            ///
            /// # Examples
            /// ```
            /// let batch = larder::Store::in_memory().wide_batch();
            /// batch.execute()?;
            /// # Ok::<(), larder::Error>(())
            /// ```
            #[must_use]
            #[doc(alias = "BEGIN BATCH")]
            pub fn wide_batch(&self) -> WideBatch<$scope> {
                WideBatch::new(self.scope())
            }
        }
    };
}

handles!(Store, AutoCommit);
handles!(Transaction, InTransaction<'_>);
handles!(Snapshot, AtSnapshot);
write_handles!(Store, AutoCommit);
write_handles!(Transaction, InTransaction<'_>);

impl Store {
    /// Receives what is published to `channel` from now on.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a name that is too long.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// drop(store);
    /// assert_eq!(inbox.count(), 1, "iterates until the store has gone");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SUBSCRIBE`.
    #[doc(alias = "SUBSCRIBE")]
    pub fn subscribe(&self, channel: impl AsRef<[u8]>) -> Result<Subscriber> {
        let subscriber = self.subscriber(QueueBounds::default())?;
        subscriber.subscribe(channel)?;
        Ok(subscriber)
    }

    /// Receives what is published to every channel whose name matches the glob `pattern`, from now on.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a pattern that is too long.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe_pattern("orders:*")?;
    /// assert_eq!(store.publish("orders:eu", "1")?, 1);
    /// assert_eq!(store.publish("returns:eu", "2")?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PSUBSCRIBE`.
    #[doc(alias = "PSUBSCRIBE")]
    pub fn subscribe_pattern(&self, pattern: impl AsRef<[u8]>) -> Result<Subscriber> {
        let subscriber = self.subscriber(QueueBounds::default())?;
        subscriber.subscribe_pattern(pattern)?;
        Ok(subscriber)
    }

    /// A subscriber of nothing yet, with a queue within `bounds`: what it is to receive is said by
    /// [`Subscriber::subscribe`] and [`Subscriber::subscribe_pattern`].
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) when the store is closed.
    ///
    /// # Examples
    /// ```
    /// use larder::channel::QueueBounds;
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscriber(QueueBounds::default().bytes(4 << 10))?;
    /// inbox.subscribe("orders")?;
    /// for _ in 0..5 {
    ///     store.publish("orders", [b'x'; 1_000])?;
    /// }
    /// assert_eq!(inbox.pending(), 3, "the others were dropped, and the subscriber will be told");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, "Redis Pub/Sub"; `client-output-buffer-limit` of the configuration file.
    pub fn subscriber(&self, bounds: QueueBounds) -> Result<Subscriber> {
        Subscriber::new(self.hub(), bounds)
    }

    /// Shows who subscribes to what: channels, patterns and how many subscribers they have.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert_eq!(store.subscriptions().channels("*"), [b"orders"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUBSUB`.
    #[must_use]
    #[doc(alias = "PUBSUB")]
    pub fn subscriptions(&self) -> Subscriptions {
        Subscriptions::new(self.hub())
    }
}
