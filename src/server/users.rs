//! Who may come in.

use std::collections::BTreeMap;
use std::fmt;

/// Users of a door with their passwords. Without any, whoever can reach the door may use it.
#[derive(Clone, Default)]
pub(crate) struct Users(BTreeMap<Vec<u8>, Vec<u8>>);

impl Users {
    /// Adds a user, or gives one another password.
    pub(crate) fn insert(&mut self, name: Vec<u8>, password: Vec<u8>) {
        self.0.insert(name, password);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `name` is a user's, and `password` that user's.
    pub(crate) fn admit(&self, name: &[u8], password: &[u8]) -> bool {
        self.0.get(name).is_some_and(|expected| are_equal(expected, password))
    }

    /// A user without a name or password, whom anybody could be.
    pub(crate) fn find_blank(&self) -> Option<String> {
        let blank = self.0.iter().find(|(name, password)| name.is_empty() || password.is_empty());
        blank.map(|(name, _)| String::from_utf8_lossy(name).into_owned())
    }
}

/// Compares in a time that does not tell how much was right.
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Names only: passwords do not go into logs.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(|name| String::from_utf8_lossy(name))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_a_user_admits() {
        let mut users = Users::default();
        users.insert(b"ann".to_vec(), b"secret".to_vec());
        assert!(users.admit(b"ann", b"secret"));
        for (name, password) in [("ann", "secre"), ("ann", "Secret"), ("ann", ""), ("bob", "secret"), ("", "")] {
            assert!(!users.admit(name.as_bytes(), password.as_bytes()), "{name} {password}");
        }
        assert_eq!(format!("{users:?}"), r#"{"ann"}"#);
    }
}
