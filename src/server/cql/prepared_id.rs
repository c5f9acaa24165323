//! Ids of statements and of the columns of results.

use sha2::{Digest, Sha256};

/// Of a statement, or of the columns of a result.
pub(super) type Id = [u8; 16];

/// A hash of parts, none of which can be taken for another.
pub(super) fn hash<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Id {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// The id of a statement: of its text, the keyspace of names that say none, and the columns that come out.
pub(super) fn statement_id(keyspace: Option<&str>, text: &str, metadata_id: &Id) -> Id {
    let has_keyspace = [u8::from(keyspace.is_some())];
    hash([&has_keyspace[..], keyspace.unwrap_or_default().as_bytes(), text.as_bytes(), metadata_id])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_keyspace_text_and_columns() {
        let ids = [
            statement_id(None, "ab", &[0; 16]),
            statement_id(Some(""), "ab", &[0; 16]),
            statement_id(Some("a"), "b", &[0; 16]),
            statement_id(None, "ab", &[1; 16]),
        ];
        assert!((0..ids.len()).all(|n| !ids[..n].contains(&ids[n])));
        assert_eq!(ids[0], statement_id(None, "ab", &[0; 16]));
    }
}
