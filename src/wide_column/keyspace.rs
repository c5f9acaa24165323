//! The handle of a keyspace.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::txn::{AutoCommit, Scope, WriteScope};
use crate::wide_column::role;
use crate::wide_column::schema::keyspace::{self, Keyspace};
use crate::wide_column::schema::{self, check_identifier, user_types};
use crate::wide_column::target::{operation, remove_tables};
use crate::wide_column::types::UserType;

/// A keyspace of wide-column tables: how it is replicated, and the user-defined types in it.
///
/// Given by [`Store::wide_keyspace`](crate::Store::wide_keyspace). A keyspace need not be created: one that has tables is there, with
/// one replica. What is said of replicas is kept and shown; there is one store.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, TableSchema, UserType}};
/// let store = Store::in_memory();
/// let shop = store.wide_keyspace("shop");
/// shop.set_replication([("class", "SimpleStrategy"), ("replication_factor", "3")])?;
/// let address = UserType::new("shop", "address").field("city", CqlType::Text);
/// shop.put_type(&address)?;
/// let users = store.wide_table("shop", "users");
/// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("home", CqlType::udt(address)))?;
/// assert_eq!(shop.table_names()?, ["users"]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, `CREATE KEYSPACE` and `CREATE TYPE`.
#[derive(Clone, Debug)]
pub struct WideKeyspace<S = AutoCommit> {
    scope: S,
    name: String,
}

impl<S: Scope> WideKeyspace<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, name: name.to_owned() }
    }

    /// The replication strategy and its options; `None` when there is no such keyspace.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().wide_keyspace("shop").replication()?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn replication(&self) -> Result<Option<BTreeMap<String, String>>> {
        self.scope.read(operation("replication", &self.name), |view| {
            Ok(keyspace::get(view, &self.name)?.map(|keyspace| keyspace.replication))
        })
    }

    /// The names of its tables, in byte order, without those of materialized views.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    ///
    /// # Examples
    /// See [`WideKeyspace`].
    pub fn table_names(&self) -> Result<Vec<String>> {
        self.names_of("table_names", false)
    }

    /// The names of its materialized views, in byte order.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, Order, TableSchema, ViewSchema}};
    /// let store = Store::in_memory();
    /// let users = store.wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text))?;
    /// users.create_view("users_by_city", &ViewSchema::new().partition_key("city").clustering("id", Order::Ascending))?;
    /// let shop = store.wide_keyspace("shop");
    /// assert_eq!((shop.table_names()?, shop.view_names()?), (vec!["users".to_owned()], vec!["users_by_city".to_owned()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn view_names(&self) -> Result<Vec<String>> {
        self.names_of("view_names", true)
    }

    fn names_of(&self, verb: &'static str, are_views: bool) -> Result<Vec<String>> {
        self.scope.read(operation(verb, &self.name), |view| {
            let all = schema::tables(view, &self.name)?.into_iter();
            let own = all.filter(|(_, table)| table.record.view.is_some() == are_views);
            Ok(own.map(|(name, _)| name).collect())
        })
    }

    /// The user-defined types in it, in byte order of their names.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, UserType}};
    /// let shop = Store::in_memory().wide_keyspace("shop");
    /// shop.put_type(&UserType::new("shop", "address").field("city", CqlType::Text))?;
    /// assert_eq!(shop.types()?[0].name(), "address");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn types(&self) -> Result<Vec<UserType>> {
        self.scope.read(operation("types", &self.name), |view| user_types::list(view, &self.name))
    }
}

impl<S: WriteScope> WideKeyspace<S> {
    /// Creates the keyspace, or changes how it is replicated: `class` and the options of that strategy.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that no keyspace can have, or without a class.
    ///
    /// # Examples
    /// ```
    /// let shop = larder::Store::in_memory().wide_keyspace("shop");
    /// shop.set_replication([("class", "NetworkTopologyStrategy"), ("datacenter1", "3")])?;
    /// assert_eq!(shop.replication()?.map(|options| options["datacenter1"].clone()), Some("3".to_owned()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("CREATE KEYSPACE", "ALTER KEYSPACE"))]
    pub fn set_replication<'a>(&self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let replication: BTreeMap<_, _> = options.into_iter().map(own).collect();
        check_identifier("keyspace", &self.name)?;
        if !replication.contains_key("class") {
            return Err(Error::value("Missing replication strategy class"));
        }
        self.scope.write(operation("set_replication", &self.name), |writer| {
            let before = keyspace::get(writer, &self.name)?.unwrap_or_default();
            keyspace::put(writer, &self.name, Keyspace { replication: replication.clone(), ..before })
        })
    }

    /// Drops the keyspace with its tables and types, and returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    ///
    /// # Cost
    /// O(tables · log n). Their rows are removed in the background.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let store = Store::in_memory();
    /// store.wide_table("shop", "users").create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// assert!(store.wide_keyspace("shop").drop_keyspace()?);
    /// assert!(store.wide_table("shop", "users").schema().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "DROP KEYSPACE")]
    pub fn drop_keyspace(&self) -> Result<bool> {
        self.scope.write(operation("drop_keyspace", &self.name).freeing(true), |writer| {
            let mut was_there = keyspace::remove(writer, &self.name)?;
            was_there |= remove_tables(writer, &self.name)?;
            for user_type in user_types::list(writer, &self.name)? {
                was_there |= user_types::remove(writer, &self.name, user_type.name())?;
            }
            role::forget_keyspace(writer, &self.name)?;
            Ok(was_there)
        })
    }

    /// Creates a user-defined type, or replaces its fields, also in the types and tables that have it. A type that is replaced may get
    /// fields behind those it has, and other names for these; values have fields by their places.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a type of another keyspace, a name or field that no type can have, and a change that values do not
    /// survive: a field less, or of another type.
    ///
    /// # Cost
    /// O(tables and types of the keyspace); no row is touched.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, UserType}};
    /// let shop = Store::in_memory().wide_keyspace("shop");
    /// let address = UserType::new("shop", "address").field("city", CqlType::Text);
    /// shop.put_type(&address)?;
    /// shop.put_type(&address.clone().field("street", CqlType::Text))?;
    /// assert!(shop.put_type(&address).is_err(), "a field less");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("CREATE TYPE", "ALTER TYPE"))]
    pub fn put_type(&self, user_type: &UserType) -> Result<()> {
        check_identifier("keyspace", &self.name)?;
        check_identifier("type", user_type.name())?;
        if user_type.keyspace() != self.name {
            let message = format!("type {} is of keyspace {:?}", user_type.name(), user_type.keyspace());
            return Err(Error::value(message));
        }
        schema::check_type(user_type)?;
        self.scope.write(operation("put_type", &self.name), |writer| {
            if let Some(before) = user_types::get(writer, &self.name, user_type.name())? {
                let types = |user_type: &UserType| {
                    user_type.fields().iter().map(|(_, field)| field.clone()).collect::<Vec<_>>()
                };
                if !types(user_type).starts_with(&types(&before)) {
                    let name = user_type.name();
                    return Err(Error::value(format!("type {name} has values with fields that it would lose")));
                }
            }
            schema::change_type(writer, user_type)
        })
    }

    /// Drops a user-defined type, and returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a table or another type has it among its own.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, UserType}};
    /// let shop = Store::in_memory().wide_keyspace("shop");
    /// shop.put_type(&UserType::new("shop", "address").field("city", CqlType::Text))?;
    /// assert!(shop.drop_type("address")? && !shop.drop_type("address")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "DROP TYPE")]
    pub fn drop_type(&self, name: &str) -> Result<bool> {
        self.scope.write(operation("drop_type", &self.name), |writer| {
            if let Some(user) = schema::user_of_type(writer, &self.name, name)? {
                let (keyspace, verb) = (&self.name, "Cannot drop user type");
                return Err(Error::value(format!("{verb} '{keyspace}.{name}' as it is still used by {user}")));
            }
            user_types::remove(writer, &self.name, name)
        })
    }
}

/// The names of the keyspaces that were created or have tables, in byte order.
pub(crate) fn names<S: Scope>(scope: &S) -> Result<Vec<String>> {
    scope.read(operation("list_keyspace_names", ""), |view| Ok(keyspace::list(view)?.into_keys().collect()))
}
