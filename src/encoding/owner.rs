//! The first byte of every key of the engine: whose the entry is. No engine interprets it.
//!
//! They are written out here, all of them, so that two owners cannot take the same one. A byte that was once in use is never
//! given to somebody else.

/// The catalogue: names to ids and definitions, the end of the lease of ids, jobs.
pub(crate) const CATALOGUE: u8 = 0x01;

/// Transactions: the ends of leases of numbers.
pub(crate) const TRANSACTIONS: u8 = 0x02;

/// Deadlines: what expires when.
pub(crate) const DEADLINES: u8 = 0x03;

/// Documents and the entries of their indexes.
pub(crate) const DOCUMENTS: u8 = 0x10;

/// Heads of the keys of keyspaces.
pub(crate) const KEYS: u8 = 0x20;

/// Elements of hashes, lists, sets, sorted sets and streams.
pub(crate) const KEY_ELEMENTS: u8 = 0x21;

/// Items and the entries of their indexes.
pub(crate) const ITEMS: u8 = 0x30;

/// Partitions and rows of wide-column tables.
pub(crate) const WIDE_ROWS: u8 = 0x40;

/// Entries of indexes of wide-column tables.
pub(crate) const WIDE_INDEXES: u8 = 0x41;

/// Whose a thing is that is kept in memory for an open store; nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Of keys.
    Keys = 0,
    /// Of channels.
    Channels = 1,
    /// Of documents.
    Documents = 2,
    /// Of capped collections.
    Capped = 3,
    /// Of item tables.
    Items = 4,
    /// Definitions of wide-column tables.
    WideTables = 5,
    /// What roles of CQL may do.
    WideRoles = 6,
    /// Records in which documents were found.
    Guesses = 7,
    #[cfg(test)]
    Test = 8,
}

impl Slot {
    /// How many there are.
    pub(crate) const COUNT: usize = 8 + cfg!(test) as usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_owners_have_the_same_byte() {
        let all = [CATALOGUE, TRANSACTIONS, DEADLINES, DOCUMENTS, KEYS, KEY_ELEMENTS, ITEMS, WIDE_ROWS, WIDE_INDEXES];
        assert!(all.is_sorted_by(|one, next| one < next), "{all:02x?}");
        let named = include_str!("owner.rs").lines().filter(|line| line.starts_with("pub(crate) const "));
        assert_eq!(named.count(), all.len(), "each is in the list above");
    }
}
