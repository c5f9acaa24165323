//! How much a value that is read may take up.

use crate::error::Result;
use crate::limits;

/// How much more may be held of a value.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(limits::RESTORED_BYTES_MAX)
    }
}

impl Budget {
    /// What holding a string costs besides its bytes.
    const STRING_BYTES: usize = 48;

    pub(super) fn charge(&mut self, bytes: usize) -> Result<()> {
        let left = self.0.checked_sub(bytes.saturating_add(Self::STRING_BYTES));
        let spent = || limits::RESTORED_BYTES_MAX.saturating_sub(self.0).saturating_add(bytes);
        match left {
            Some(left) => self.0 = left,
            None => limits::check(
                "restored bytes",
                limits::RESTORED_BYTES_MAX,
                spent().max(limits::RESTORED_BYTES_MAX + 1),
            )?,
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.charge(bytes.len())?;
        Ok(bytes.to_vec())
    }

    pub(super) fn number(&mut self, number: i64) -> Result<Vec<u8>> {
        self.charge(20)?;
        Ok(number.to_string().into_bytes())
    }
}
