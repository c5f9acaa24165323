//! Operations on whole bitmaps.

use std::iter;

use crate::error::{Error, InvalidKind, Result};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::{Kv, entry, string};
use crate::txn::{View, WriteScope};

/// What [`Kv::bit_operation`] makes of several strings.
///
/// # Examples
/// ```
/// use larder::kv::BitOperation;
/// let kv = larder::Store::in_memory().kv();
/// kv.set("k", [0x0f])?;
/// kv.bit_operation(BitOperation::Not, "inverse", ["k"])?;
/// assert_eq!(kv.get("inverse")?, Some(vec![0xf0]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitOperation {
    /// The bits that are set in all.
    And,
    /// The bits that are set in at least one.
    Or,
    /// The bits that are set in an odd number of them.
    Xor,
    /// The bits that are not set in the one there is.
    Not,
}

impl<S: WriteScope> Kv<S> {
    /// Puts what `operation` makes of the strings at `sources` at `destination`, in the place of whatever that held,
    /// and returns its length in bytes.
    ///
    /// The result is as long as the longest source; shorter ones are followed by zeros, and a missing key is an empty
    /// string. An empty result removes the destination.
    ///
    /// # Errors
    /// [`Error::Invalid`] without sources, and for [`BitOperation::Not`] with more than one; [`Error::WrongType`] when
    /// a source holds something else; [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// One lookup per source, O(n) for n bytes of all of them, one put.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitOperation;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("monday", [0b1100_0000])?;
    /// kv.set("tuesday", [0b1010_0000])?;
    /// assert_eq!(kv.bit_operation(BitOperation::And, "both", ["monday", "tuesday"])?, 1);
    /// assert_eq!(kv.get("both")?, Some(vec![0b1000_0000]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BITOP`.
    #[doc(alias = "BITOP")]
    pub fn bit_operation<K: AsRef<[u8]>>(
        &self,
        operation: BitOperation,
        destination: impl AsRef<[u8]>,
        sources: impl IntoIterator<Item = K>,
    ) -> Result<u64> {
        let sources: Vec<K> = sources.into_iter().collect();
        self.write("bit_operation", destination.as_ref(), |writer, destination| {
            check_sources(operation, sources.len())?;
            let sources = sources.iter().map(|key| self.source(writer, key.as_ref())).collect::<Result<Vec<_>>>()?;
            let result = combine(operation, sources);
            if !result.is_empty() {
                string::set(writer, destination, &result, None)?;
                tell(writer, KeyEvents::STRINGS, "set", destination);
            } else if let Some(head) = entry::claim(writer, destination, |head, _| Ok(head))? {
                entry::remove(writer, destination, head)?;
                tell(writer, KeyEvents::GENERIC, "del", destination);
            }
            Ok(result.len() as u64)
        })
    }

    fn source(&self, view: &View, key: &[u8]) -> Result<Vec<u8>> {
        Ok(string::look(view, &self.keyspace.head(view, key)?, <[u8]>::to_vec)?.unwrap_or_default())
    }
}

fn check_sources(operation: BitOperation, sources: usize) -> Result<()> {
    let problem = match (operation, sources) {
        (_, 0) => "BITOP must be called with at least one source key.",
        (BitOperation::Not, 2..) => "BITOP NOT must be called with a single source key.",
        _ => return Ok(()),
    };
    Err(Error::invalid(InvalidKind::Value, problem))
}

fn combine(operation: BitOperation, sources: Vec<Vec<u8>>) -> Vec<u8> {
    let len = sources.iter().map(Vec::len).max().unwrap_or(0);
    let mut sources = sources.into_iter();
    let mut result = sources.next().unwrap_or_default();
    result.resize(len, 0);
    if operation == BitOperation::Not {
        for byte in &mut result {
            *byte = !*byte;
        }
    }
    for source in sources {
        for (byte, other) in result.iter_mut().zip(source.into_iter().chain(iter::repeat(0))) {
            match operation {
                BitOperation::And => *byte &= other,
                BitOperation::Or => *byte |= other,
                BitOperation::Xor | BitOperation::Not => *byte ^= other,
            }
        }
    }
    result
}
