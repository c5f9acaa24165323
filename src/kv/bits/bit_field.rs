//! Reading and changing the integers within a bitmap.

use crate::error::Result;
use crate::kv::bits::{BitField, grow};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::{Kv, string};
use crate::txn::{Scope, WriteScope};

/// What becomes of a number that does not fit its field.
///
/// # Examples
/// ```
/// use larder::kv::{BitField, BitFieldOperation::{IncrBy, Overflow}, BitOverflow};
/// let kv = larder::Store::in_memory().kv();
/// let field = BitField::unsigned(2)?;
/// let answers = kv.bit_field("k", &[Overflow(BitOverflow::Saturate), IncrBy(field, 9), IncrBy(field, -4)])?;
/// assert_eq!(answers, [Some(3), Some(0)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BitOverflow {
    /// Its high bits are lost.
    #[default]
    Wrap,
    /// The nearest number that fits takes its place. A negative number put into an unsigned field counts as a large one.
    Saturate,
    /// The field stays as it is, and the result is `None`.
    Fail,
}

/// One step of [`Kv::bit_field`].
///
/// # Examples
/// ```
/// use larder::kv::{BitField, BitFieldOperation::{Get, IncrBy, Set}};
/// let kv = larder::Store::in_memory().kv();
/// let field = BitField::signed(5)?.at(100);
/// assert_eq!(kv.bit_field("k", &[Set(field, 7), IncrBy(field, 1), Get(field)])?, [Some(0), Some(8), Some(8)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitFieldOperation {
    /// Returns the number in a field.
    Get(BitField),
    /// Puts a number into a field, and returns the one before.
    Set(BitField, i64),
    /// Adds to the number in a field, and returns the sum.
    IncrBy(BitField, i64),
    /// Sets the overflow behaviour of the operations after it. Has no result.
    Overflow(BitOverflow),
}

impl BitFieldOperation {
    pub(super) fn field(self) -> Option<BitField> {
        match self {
            Self::Get(field) | Self::Set(field, _) | Self::IncrBy(field, _) => Some(field),
            Self::Overflow(_) => None,
        }
    }

    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Set(..) | Self::IncrBy(..))
    }
}

impl<S: Scope> Kv<S> {
    /// The numbers in `fields` of the string at `key`. Past its end there are zeros.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a field that no string reaches,
    /// [`Error::WrongType`](crate::Error::WrongType) when the key holds something else,
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitField;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", [0xff])?;
    /// assert_eq!(kv.bit_field_get("k", &[BitField::signed(4)?, BitField::unsigned(4)?.at(6)])?, [-1, 12]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BITFIELD_RO`.
    pub fn bit_field_get(&self, key: impl AsRef<[u8]>, fields: &[BitField]) -> Result<Vec<i64>> {
        self.read("bit_field_get", key.as_ref(), |view, key| {
            let get = |value: &[u8]| fields.iter().map(|field| field.get(value)).collect();
            string::look(view, key, get)?.unwrap_or_else(|| get(&[]))
        })
    }
}

impl<S: WriteScope> Kv<S> {
    /// Does `operations` on the string at `key`, one after the other, and returns one value for each that has a result.
    ///
    /// The string grows so far that all fields which are written to are in it, also when [`BitOverflow::Fail`] then
    /// leaves them alone.
    ///
    /// # Errors
    /// As [`Kv::bit_field_get`], and nothing is changed.
    ///
    /// # Cost
    /// One lookup, one copy of the value; one put when there is an operation that writes.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{BitField, BitFieldOperation::{IncrBy, Overflow}, BitOverflow};
    /// let kv = larder::Store::in_memory().kv();
    /// let field = BitField::unsigned(2)?.nth(3);
    /// let answers = kv.bit_field("k", &[IncrBy(field, 3), Overflow(BitOverflow::Fail), IncrBy(field, 1)])?;
    /// assert_eq!(answers, [Some(3), None]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BITFIELD`.
    #[doc(alias = "BITFIELD")]
    pub fn bit_field(&self, key: impl AsRef<[u8]>, operations: &[BitFieldOperation]) -> Result<Vec<Option<i64>>> {
        self.write("bit_field", key.as_ref(), |writer, key| {
            let len = written(operations)?;
            let (head, value) = string::claim(writer, key)?;
            let before = value.unwrap_or_default();
            let mut value = before.clone();
            grow(&mut value, len);
            let answers = run(&mut value, operations)?;
            if value != before {
                string::change(writer, key, head, &value)?;
                tell(writer, KeyEvents::STRINGS, "setbit", key);
            }
            Ok(answers)
        })
    }
}

/// Checks all fields, and returns how many bytes hold those that are written to.
fn written(operations: &[BitFieldOperation]) -> Result<usize> {
    let mut len = 0;
    for operation in operations {
        let end = operation.field().map(BitField::end).transpose()?.unwrap_or(0);
        if operation.writes() {
            len = len.max(end);
        }
    }
    Ok(len)
}

fn run(value: &mut [u8], operations: &[BitFieldOperation]) -> Result<Vec<Option<i64>>> {
    let mut overflow = BitOverflow::default();
    let mut answers = Vec::with_capacity(operations.len());
    for operation in operations {
        answers.push(match *operation {
            BitFieldOperation::Overflow(next) => {
                overflow = next;
                continue;
            }
            BitFieldOperation::Get(field) => Some(field.get(value)?),
            BitFieldOperation::Set(field, number) => {
                let before = field.get(value)?;
                store(value, field, wanted(field, number), overflow)?.map(|_| before)
            }
            BitFieldOperation::IncrBy(field, by) => {
                let sum = i128::from(field.get(value)?) + i128::from(by);
                store(value, field, sum, overflow)?
            }
        });
    }
    Ok(answers)
}

/// The number that is to be put into `field`: as the bits of a word, when it is unsigned.
fn wanted(field: BitField, number: i64) -> i128 {
    if field.signed { number.into() } else { number.cast_unsigned().into() }
}

/// Stores `number`, or what `overflow` makes of it, and returns what is stored.
fn store(value: &mut [u8], field: BitField, number: i128, overflow: BitOverflow) -> Result<Option<i64>> {
    let Some(number) = settle(field, number, overflow) else { return Ok(None) };
    field.set(value, number)?;
    Ok(Some(number))
}

fn settle(field: BitField, number: i128, overflow: BitOverflow) -> Option<i64> {
    let (least, greatest) = field.bounds();
    let fitting = match overflow {
        BitOverflow::Wrap => field.wrap(number),
        BitOverflow::Saturate => number.clamp(least, greatest),
        BitOverflow::Fail => Some(number).filter(|number| (least..=greatest).contains(number))?,
    };
    i64::try_from(fitting).ok()
}
