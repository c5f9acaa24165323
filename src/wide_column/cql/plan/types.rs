//! From the name of a type to the type.

use crate::error::{Error, Result};
use crate::wide_column::cql::ast::{NativeType, TypeName};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::schema::user_types;
use crate::wide_column::types::CqlType;

/// The scalar type of a name.
pub(super) fn native(name: NativeType) -> CqlType {
    match name {
        NativeType::Ascii => CqlType::Ascii,
        NativeType::Bigint => CqlType::Bigint,
        NativeType::Blob => CqlType::Blob,
        NativeType::Boolean => CqlType::Boolean,
        NativeType::Counter => CqlType::Counter,
        NativeType::Date => CqlType::Date,
        NativeType::Decimal => CqlType::Decimal,
        NativeType::Double => CqlType::Double,
        NativeType::Duration => CqlType::Duration,
        NativeType::Float => CqlType::Float,
        NativeType::Inet => CqlType::Inet,
        NativeType::Int => CqlType::Int,
        NativeType::Smallint => CqlType::Smallint,
        NativeType::Text | NativeType::Varchar => CqlType::Text,
        NativeType::Time => CqlType::Time,
        NativeType::Timestamp => CqlType::Timestamp,
        NativeType::Timeuuid => CqlType::Timeuuid,
        NativeType::Tinyint => CqlType::Tinyint,
        NativeType::Uuid => CqlType::Uuid,
        NativeType::Varint => CqlType::Varint,
    }
}

/// The type that `name` is in `keyspace`.
///
/// # Errors
/// Cassandra's, for a user-defined type that is not there or is in another keyspace.
pub(super) fn resolve(context: &Context<'_>, keyspace: &str, name: &TypeName) -> Result<CqlType> {
    let inner = |name: &TypeName| resolve(context, keyspace, name);
    Ok(match name {
        TypeName::Native(name) => native(*name),
        TypeName::List(element) => CqlType::list(inner(element)?),
        TypeName::Set(element) => CqlType::set(inner(element)?),
        TypeName::Map(key, value) => CqlType::map(inner(key)?, inner(value)?),
        TypeName::Tuple(types) => CqlType::tuple(types.iter().map(inner).collect::<Result<Vec<_>>>()?),
        TypeName::Vector(element, dimension) => {
            let dimension = u16::try_from(*dimension).map_err(|_| {
                let max = u64::from(crate::limits::WIDE_VECTOR_DIMENSION_MAX);
                Error::LimitExceeded { limit: "dimensions of a vector", max, found: u64::from(*dimension) }
            })?;
            CqlType::vector(inner(element)?, dimension)
        }
        TypeName::Frozen(frozen) => CqlType::frozen(inner(frozen)?),
        TypeName::Custom(class) => return Err(Error::unsupported(format!("the custom type '{class}'"))),
        TypeName::User(user) => {
            context.note_more();
            let of = user.keyspace.as_ref().map_or(keyspace, |keyspace| keyspace.as_str());
            let name = user.name.as_str();
            if of != keyspace {
                return Err(invalid(format!(
                    "Statement on keyspace {keyspace} cannot refer to a user type in keyspace {of}; user types can only be \
                     used in the keyspace they are defined in"
                )));
            }
            let found = user_types::get(context.view, keyspace, name)?;
            CqlType::udt(found.ok_or_else(|| invalid(format!("Unknown type {keyspace}.{name}")))?)
        }
    })
}
