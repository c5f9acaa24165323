//! Whose tables: an account and a region, and the names that follow from them.

use crate::error::{Error, Result};
use crate::item::{Constraint, RequestFault};

/// The account of [`Store::items`](crate::Store::items).
pub(super) const ACCOUNT: &str = "000000000000";

/// The region of [`Store::items`](crate::Store::items).
pub(super) const REGION: &str = "us-east-1";

/// Shortest name of a table or index in bytes.
const NAME_BYTES_MIN: usize = 3;

/// Longest name of a table or index, and longest ARN of a table, in bytes.
const NAME_BYTES_MAX: usize = 255;
const ARN_BYTES_MAX: usize = 1_024;

const SERVICE: &str = "arn:aws:dynamodb:";

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

impl Default for Place {
    fn default() -> Self {
        Self { account: ACCOUNT.to_owned(), region: REGION.to_owned() }
    }
}

impl Place {
    /// The namespace of its tables in the catalogue; the usual place has none.
    pub(super) fn namespace(&self) -> String {
        if self.account == ACCOUNT && self.region == REGION {
            return String::new();
        }
        format!("{}/{}", self.account, self.region)
    }

    /// The place whose namespace is this.
    pub(super) fn of_namespace(namespace: &str) -> Self {
        match namespace.split_once('/') {
            Some((account, region)) => Self { account: account.to_owned(), region: region.to_owned() },
            None => Self::default(),
        }
    }

    pub(super) fn table_arn(&self, table: &str) -> String {
        let Self { account, region } = self;
        format!("{SERVICE}{region}:{account}:table/{table}")
    }

    /// The table that `name` names by itself or as an ARN, and where it is.
    ///
    /// # Errors
    /// Why no table can have that name.
    pub(super) fn resolve(&self, name: &str) -> Result<(Self, String)> {
        check_table_name(name)?;
        if !name.starts_with("arn:") {
            return Ok((self.clone(), name.to_owned()));
        }
        let rest = name.strip_prefix(SERVICE).ok_or_else(|| invalid_arn(name))?;
        let mut parts = rest.splitn(3, ':');
        let (region, account) = (parts.next(), parts.next());
        let table = parts.next().and_then(|resource| resource.strip_prefix("table/"));
        match (region, account, table) {
            (Some(region), Some(account), Some(table)) if is_name(table) => {
                Ok((Self { account: account.to_owned(), region: region.to_owned() }, table.to_owned()))
            }
            _ => Err(invalid_arn(name)),
        }
    }

    /// The table of `arn`, which may be that of one of its indexes or streams, and where it is.
    pub(super) fn of_arn(&self, arn: &str) -> Result<(Self, String)> {
        let whole = arn.strip_prefix(SERVICE).and_then(|rest| rest.find("table/")).map(|at| at + SERVICE.len());
        let end = whole.and_then(|at| {
            let table = arn.get(at + "table/".len()..)?;
            Some(arn.len() - table.len() + table.find('/').unwrap_or(table.len()))
        });
        let table_arn = end.and_then(|end| arn.get(..end)).ok_or_else(|| invalid_arn(arn))?;
        self.resolve(table_arn)
    }
}

fn invalid_arn(arn: &str) -> Error {
    RequestFault::other(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}"))
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (NAME_BYTES_MIN..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// Refuses what is neither the name of a table nor an ARN.
pub(super) fn check_table_name(name: &str) -> Result<()> {
    if name.starts_with("arn:") {
        if name.len() > ARN_BYTES_MAX {
            return Err(constraint("tableName", name, Constraint::LengthAtMost(ARN_BYTES_MAX)));
        }
        return Ok(());
    }
    check_name("tableName", name, "TableName")
}

/// Refuses names of indexes that are not 3 to 255 of `[A-Za-z0-9_.-]`.
pub(super) fn check_index_name(member: &str, name: &str) -> Result<()> {
    check_name(member, name, "IndexName")
}

fn check_name(member: &str, name: &str, what: &str) -> Result<()> {
    if name.is_empty() && what == "TableName" {
        let text = "The parameter 'TableName' is required but was not present in the request";
        return Err(RequestFault::other(text));
    }
    if !(NAME_BYTES_MIN..=NAME_BYTES_MAX).contains(&name.len()) {
        let text = format!("{what} must be at least 3 characters long and at most 255 characters long");
        return Err(RequestFault::other(text));
    }
    if !is_name(name) {
        return Err(constraint(member, name, Constraint::Pattern("[a-zA-Z0-9_.-]+")));
    }
    Ok(())
}

fn constraint(member: &str, value: &str, constraint: Constraint) -> Error {
    RequestFault::Constraint { member: member.to_owned(), value: Some(value.to_owned()), constraint }.into_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // SEM: ITM-LIM-2
    fn names_are_three_to_255_of_the_allowed_characters() {
        for name in ["abc", "A_b.c-9", &"a".repeat(255)] {
            assert!(check_table_name(name).is_ok(), "{name}");
        }
        for name in ["", "ab", "a b", "a/b", "äöü", &"a".repeat(256)] {
            assert!(check_table_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_table_is_named_by_its_arn_too() {
        let place = Place { account: "111122223333".into(), region: "eu-west-1".into() };
        let arn = place.table_arn("Users");
        assert_eq!(Place::default().resolve(&arn).unwrap(), (place.clone(), "Users".to_owned()));
        assert_eq!(
            Place::default().of_arn(&format!("{arn}/index/by-mail")).unwrap(),
            (place.clone(), "Users".to_owned())
        );
        assert_eq!(Place::default().resolve("Users").unwrap(), (Place::default(), "Users".to_owned()));
        assert_eq!(Place::of_namespace(&place.namespace()), place);
        assert_eq!(Place::of_namespace(&Place::default().namespace()), Place::default());
        for wrong in
            ["arn:aws:dynamodb:x", "arn:aws:s3:::b", "arn:aws:dynamodb:r:a:table/", "arn:aws:dynamodb:r:a:table/a b"]
        {
            assert!(Place::default().resolve(wrong).is_err() && Place::default().of_arn(wrong).is_err(), "{wrong}");
        }
    }
}
