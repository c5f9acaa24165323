//! Where a page of rows ended.

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};
use crate::wide_column::vint::{put_bytes, put_unsigned, take_bytes, take_unsigned};

const FORMAT: u8 = 0x01;

/// The last row of a page, and what was left of the query's limits behind it.
///
/// It names a row, not a place: whatever is written or deleted meanwhile, no row is lost or comes twice that is there all the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The serialized partition key.
    pub(crate) partition: Vec<u8>,
    /// The clustering columns as the row's key has them; `None` when all of the partition has been returned.
    pub(crate) row: Option<Vec<u8>>,
    /// Rows that may still be returned in all, and of the partition; `None` is any number.
    pub(crate) left: Option<u64>,
    pub(crate) left_of_partition: Option<u64>,
}

impl Position {
    /// The position as bytes, for a caller who is to bring it back.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put_bytes(&mut out, &self.partition);
        for left in [self.left, self.left_of_partition] {
            // One more, so that 0 is none.
            put_unsigned(&mut out, left.map_or(0, |left| left.saturating_add(1)));
        }
        match &self.row {
            None => out.push(0),
            Some(row) => {
                out.push(1);
                put_bytes(&mut out, row);
            }
        }
        out
    }

    /// Reads what [`encode`](Self::encode) made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes).map_err(|_| Error::value("this is no position of a query"))
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let foreign = || Error::value("it is none");
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(foreign());
        }
        let partition = take_bytes(&mut reader)?.to_vec();
        let (left, left_of_partition) = (take_unsigned(&mut reader)?, take_unsigned(&mut reader)?);
        let row = match reader.u8()? {
            0 => None,
            1 => Some(take_bytes(&mut reader)?.to_vec()),
            _ => return Err(foreign()),
        };
        if !reader.rest().is_empty() {
            return Err(foreign());
        }
        Ok(Self { partition, row, left: left.checked_sub(1), left_of_partition: left_of_partition.checked_sub(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_comes_back(partition: Vec<u8>, row: Option<Vec<u8>>, left in prop::option::of(0..u64::MAX), own in prop::option::of(0..u64::MAX)) {
            let position = Position { partition, row, left, left_of_partition: own };
            prop_assert_eq!(Position::decode(&position.encode()).unwrap(), position);
        }

        #[test]
        fn any_bytes_are_a_position_or_an_error(bytes: Vec<u8>) {
            let _ = Position::decode(&bytes);
        }
    }
}
