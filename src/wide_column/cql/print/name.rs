//! Names.

use std::fmt::{self, Display, Formatter};

use crate::wide_column::cql::ast::{Name, QualifiedName};

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_plain() {
            f.write_str(self.as_str())
        } else {
            write!(f, "\"{}\"", self.as_str().replace('"', "\"\""))
        }
    }
}

impl Display for QualifiedName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(keyspace) = &self.keyspace {
            write!(f, "{keyspace}.")?;
        }
        self.name.fmt(f)
    }
}
