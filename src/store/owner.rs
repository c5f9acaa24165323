//! What gives out the models' handles, generically: code that is written once for the store, a transaction and a snapshot.

use crate::document::{Collection, Database};
use crate::error::Result;
use crate::item::{ItemTable, Items};
use crate::kv::Kv;
use crate::store::{Snapshot, Store, Transaction};
use crate::txn::{AtSnapshot, AutoCommit, InTransaction, Scope, WriteScope};
use crate::wide_column::{WideBatch, WideKeyspace, WideTable};

/// Gives out the handle of every model: [`Store`], [`Transaction`] and [`Snapshot`].
///
/// A function that takes `&impl Handles` reads from whichever it is given: on the store each call sees the newest commit, in a
/// transaction its writes so far, on a snapshot one moment. [`WriteHandles`] is for functions that write.
///
/// # Examples
/// ```
/// use larder::{Document, Handles, Result, Store, bson::doc};
///
/// fn audit(on: &impl Handles) -> Result<bool> {
///     let orders = on.collection::<Document>("orders").count_documents(doc! {})?;
///     let counted = on.kv().get("orders")?.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
///     Ok(orders == counted.unwrap_or(0))
/// }
///
/// let store = Store::in_memory();
/// let before = store.snapshot()?;
/// store.transaction(|tx| {
///     tx.collection::<Document>("orders").insert_one(&doc! { "_id": 1 })?;
///     assert!(!audit(tx)?, "it sees what the transaction has written so far");
///     tx.kv().increment("orders", 1)
/// })?;
/// assert!(audit(&store)? && audit(&before)?);
/// # Ok::<(), larder::Error>(())
/// ```
/// A repository that is used inside and outside of transactions:
/// ```
/// use larder::{Handles, Kv, Result, Store, WriteHandles};
///
/// struct Stock<'a, H>(&'a H);
///
/// impl<'a, H: Handles> Stock<'a, H> {
///     fn left(&self, product: &str) -> Result<Option<Vec<u8>>> {
///         self.kv().get(product)
///     }
///     fn kv(&self) -> Kv<H::Scope<'a>> {
///         self.0.kv_named("stock")
///     }
/// }
///
/// impl<H: WriteHandles> Stock<'_, H> {
///     fn take(&self, product: &str) -> Result<i64> {
///         self.kv().increment(product, -1)
///     }
/// }
///
/// let store = Store::in_memory();
/// Stock(&store).take("apple")?;
/// store.transaction(|tx| Stock(tx).take("apple"))?;
/// assert_eq!(Stock(&store.snapshot()?).left("apple")?.as_deref(), Some(&b"-2"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
pub trait Handles: sealed::Sealed + 'static {
    /// Where the operations of its handles run.
    type Scope<'a>: Scope
    where
        Self: 'a;

    /// As [`Store::collection`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Handles, Store, bson::doc};
    /// fn orders(on: &impl Handles) -> larder::Result<u64> {
    ///     on.collection::<Document>("orders").count_documents(doc! {})
    /// }
    /// assert_eq!(orders(&Store::in_memory())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn collection<T>(&self, name: &str) -> Collection<T, Self::Scope<'_>>;

    /// As [`Store::database`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Handles, Store, bson::doc};
    /// fn orders(on: &impl Handles) -> larder::Result<u64> {
    ///     on.database("shop").collection::<Document>("orders").count_documents(doc! {})
    /// }
    /// assert_eq!(orders(&Store::in_memory())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn database(&self, name: &str) -> Database<Self::Scope<'_>>;

    /// As [`Store::kv`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Handles, Store};
    /// fn is_open(on: &impl Handles) -> larder::Result<bool> {
    ///     on.kv().exists("open")
    /// }
    /// assert!(!is_open(&Store::in_memory().snapshot()?)?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn kv(&self) -> Kv<Self::Scope<'_>>;

    /// As [`Store::kv_named`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Handles, Store};
    /// fn is_logged_in(on: &impl Handles, user: &str) -> larder::Result<bool> {
    ///     on.kv_named("sessions").exists(user)
    /// }
    /// assert!(!is_logged_in(&Store::in_memory(), "ann")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn kv_named(&self, name: &str) -> Kv<Self::Scope<'_>>;

    /// As [`Store::item_table`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Handles, Store};
    /// fn has_events(on: &impl Handles) -> bool {
    ///     on.item_table("Events").scan().run().is_ok()
    /// }
    /// assert!(!has_events(&Store::in_memory()));
    /// ```
    fn item_table(&self, name: &str) -> ItemTable<Self::Scope<'_>>;

    /// As [`Store::items`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Handles, Store, item::request::ListTables};
    /// fn tables(on: &impl Handles) -> larder::Result<usize> {
    ///     Ok(on.items().list_tables(&ListTables::default())?.table_names.len())
    /// }
    /// assert_eq!(tables(&Store::in_memory())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn items(&self) -> Items<Self::Scope<'_>>;

    /// As [`Store::wide_table`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Handles, Store};
    /// fn has_visits(on: &impl Handles) -> bool {
    ///     on.wide_table("analytics", "visits").schema().is_ok()
    /// }
    /// assert!(!has_visits(&Store::in_memory()));
    /// ```
    fn wide_table(&self, keyspace: &str, name: &str) -> WideTable<Self::Scope<'_>>;

    /// As [`Store::wide_keyspace`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Handles, Store};
    /// fn is_there(on: &impl Handles) -> larder::Result<bool> {
    ///     Ok(on.wide_keyspace("shop").replication()?.is_some())
    /// }
    /// assert!(!is_there(&Store::in_memory())?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn wide_keyspace(&self, name: &str) -> WideKeyspace<Self::Scope<'_>>;
}

/// Gives out handles that can be written to: [`Store`], where each call is a transaction of its own, and [`Transaction`].
///
/// # Examples
/// ```
/// use larder::{Result, Store, WriteHandles};
///
/// fn order(on: &impl WriteHandles, user: &str) -> Result<()> {
///     on.kv().sorted_set("leaderboard").increment(user, 1.0)?;
///     on.publish("orders", user)?;
///     Ok(())
/// }
///
/// let store = Store::in_memory();
/// order(&store, "ann")?; // two transactions
/// store.transaction(|tx| order(tx, "ann"))?; // one
/// assert_eq!(store.kv().sorted_set("leaderboard").score("ann")?, Some(2.0));
/// # Ok::<(), larder::Error>(())
/// ```
/// A snapshot does not give them:
/// ```compile_fail
/// # use larder::{Result, Store, WriteHandles};
/// # fn order(on: &impl WriteHandles) {}
/// order(&Store::in_memory().snapshot()?);
/// # Ok::<(), larder::Error>(())
/// ```
pub trait WriteHandles: for<'a> Handles<Scope<'a>: WriteScope> {
    /// As [`Store::publish`].
    ///
    /// # Errors
    /// As [`Store::publish`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, WriteHandles};
    /// fn tell(on: &impl WriteHandles) -> larder::Result<usize> {
    ///     on.publish("orders", "1")
    /// }
    /// assert_eq!(tell(&Store::in_memory())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn publish(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<usize>;

    /// Publishes `payload` to the subscribers of the sharded `channel`, as [`Store::publish_sharded`].
    ///
    /// # Examples
    /// ```
    /// fn tell(on: &impl larder::WriteHandles) -> larder::Result<usize> {
    ///     on.publish_sharded("orders", "1")
    /// }
    /// assert_eq!(tell(&larder::Store::in_memory())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn publish_sharded(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<usize>;

    /// As [`Store::wide_batch`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, WriteHandles};
    /// fn nothing(on: &impl WriteHandles) -> larder::Result<()> {
    ///     on.wide_batch().execute()
    /// }
    /// nothing(&Store::in_memory())?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn wide_batch(&self) -> WideBatch<Self::Scope<'_>>;
}

mod sealed {
    /// Scopes are made here alone, so nobody else could implement the traits.
    #[expect(unnameable_types, reason = "that is what seals `Handles`")]
    pub trait Sealed {}
}

/// Gives an owner's methods by way of the traits.
macro_rules! owner {
    ($owner:ty, $lifetime:lifetime, $scope:ty) => {
        impl sealed::Sealed for $owner {}

        impl Handles for $owner {
            type Scope<$lifetime> = $scope;

            fn collection<T>(&self, name: &str) -> Collection<T, Self::Scope<'_>> {
                Self::collection(self, name)
            }

            fn database(&self, name: &str) -> Database<Self::Scope<'_>> {
                Self::database(self, name)
            }

            fn kv(&self) -> Kv<Self::Scope<'_>> {
                Self::kv(self)
            }

            fn kv_named(&self, name: &str) -> Kv<Self::Scope<'_>> {
                Self::kv_named(self, name)
            }

            fn item_table(&self, name: &str) -> ItemTable<Self::Scope<'_>> {
                Self::item_table(self, name)
            }

            fn items(&self) -> Items<Self::Scope<'_>> {
                Self::items(self)
            }

            fn wide_table(&self, keyspace: &str, name: &str) -> WideTable<Self::Scope<'_>> {
                Self::wide_table(self, keyspace, name)
            }

            fn wide_keyspace(&self, name: &str) -> WideKeyspace<Self::Scope<'_>> {
                Self::wide_keyspace(self, name)
            }
        }
    };
}

/// Likewise, of one that can be written to.
macro_rules! write_owner {
    ($owner:ty) => {
        impl WriteHandles for $owner {
            fn publish(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<usize> {
                Self::publish(self, channel, payload)
            }

            fn publish_sharded(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Result<usize> {
                Self::publish_sharded(self, channel, payload)
            }

            fn wide_batch(&self) -> WideBatch<Self::Scope<'_>> {
                Self::wide_batch(self)
            }
        }
    };
}

owner!(Store, 'a, AutoCommit);
owner!(Transaction, 'a, InTransaction<'a>);
owner!(Snapshot, 'a, AtSnapshot);
write_owner!(Store);
write_owner!(Transaction);
