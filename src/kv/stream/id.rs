//! The id of an entry: a time in milliseconds and a number within it, ordered as a pair.

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::encoding::ordered::{Buffer, Reader};
use crate::error::{Error, InvalidKind, Result};

/// Bytes of a stored id.
pub(super) const ID_BYTES: usize = 16;

/// The id of an entry of a stream, written `ms-seq`.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let id: StreamId = "1526919030474-55".parse()?;
/// assert_eq!(id, StreamId::new(1_526_919_030_474, 55));
/// assert_eq!("7".parse::<StreamId>()?.to_string(), "7-0");
/// assert!(StreamId::new(7, u64::MAX) < StreamId::new(8, 0));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis data types, "Streams", entry ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Milliseconds since the epoch, when the store chose the id.
    pub ms: u64,
    /// The number within the millisecond.
    pub seq: u64,
}

impl StreamId {
    /// `0-0`, which no entry has.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::kv::StreamId::MIN.to_string(), "0-0");
    /// ```
    pub const MIN: Self = Self::new(0, 0);

    /// The last id there can be.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::kv::StreamId::MAX.next(), None);
    /// ```
    pub const MAX: Self = Self::new(u64::MAX, u64::MAX);

    /// The id `ms-seq`.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::kv::StreamId::new(5, 1).to_string(), "5-1");
    /// ```
    #[must_use]
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The id right after this one.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// assert_eq!(StreamId::new(5, 1).next(), Some(StreamId::new(5, 2)));
    /// assert_eq!(StreamId::new(5, u64::MAX).next(), Some(StreamId::new(6, 0)));
    /// ```
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self::new(self.ms, seq)),
            None => self.ms.checked_add(1).map(|ms| Self::new(ms, 0)),
        }
    }

    /// The id right before this one.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// assert_eq!(StreamId::new(6, 0).previous(), Some(StreamId::new(5, u64::MAX)));
    /// ```
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self::new(self.ms, seq)),
            None => self.ms.checked_sub(1).map(|ms| Self::new(ms, u64::MAX)),
        }
    }

    /// Appends the id, in bytes that are ordered as ids are.
    pub(super) fn put(self, out: &mut impl Buffer) {
        out.append(&self.ms.to_be_bytes());
        out.append(&self.seq.to_be_bytes());
    }

    /// Takes what [`StreamId::put`] appended.
    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self { ms: reader.u64()?, seq: reader.u64()? })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl FromStr for StreamId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (ms, seq) = text.split_once('-').unwrap_or((text, "0"));
        match (number(ms), number(seq)) {
            (Some(ms), Some(seq)) => Ok(Self { ms, seq }),
            _ => Err(malformed()),
        }
    }
}

/// The id a new entry is to have.
///
/// # Examples
/// ```
/// use larder::kv::{StreamId, stream::NewId};
/// assert_eq!("*".parse::<NewId>()?, NewId::Auto);
/// assert_eq!("5-*".parse::<NewId>()?, NewId::At(5));
/// assert_eq!("5-1".parse::<NewId>()?, NewId::from(StreamId::new(5, 1)));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XADD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NewId {
    /// `*`: the store's time, or what follows the last id when that is not before it.
    #[default]
    Auto,
    /// `ms-*`: this millisecond, and the next number in it.
    At(u64),
    /// `ms-seq`: exactly this one.
    Exact(StreamId),
}

impl From<StreamId> for NewId {
    fn from(id: StreamId) -> Self {
        Self::Exact(id)
    }
}

impl FromStr for NewId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match (text, text.strip_suffix("-*")) {
            ("*", _) => Ok(Self::Auto),
            (_, Some(ms)) => number(ms).map(Self::At).ok_or_else(malformed),
            _ => text.parse().map(Self::Exact),
        }
    }
}

/// The number `text` spells in digits and nothing else.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn malformed() -> Error {
    Error::invalid(InvalidKind::Value, "Invalid stream ID specified as stream command argument")
}

/// Refuses the one id that no entry can have.
pub(super) fn check_new(id: NewId) -> Result<()> {
    if id == NewId::Exact(StreamId::MIN) {
        return Err(Error::invalid(InvalidKind::Value, "The ID specified in XADD must be greater than 0-0"));
    }
    Ok(())
}

/// The id of an entry that follows the one with the id `last`.
pub(super) fn choose(id: NewId, last: StreamId, now: Timestamp) -> Result<StreamId> {
    let Some(next) = last.next() else {
        let message = "The stream has exhausted the last possible ID, unable to add more items";
        return Err(Error::invalid(InvalidKind::Value, message));
    };
    let chosen = match id {
        NewId::Auto => {
            let ms = u64::try_from(now.as_millis()).unwrap_or(0);
            Some(if ms > last.ms { StreamId::new(ms, 0) } else { next })
        }
        NewId::At(ms) if ms == last.ms => last.seq.checked_add(1).map(|seq| StreamId::new(ms, seq)),
        NewId::At(ms) => Some(StreamId::new(ms, 0)),
        NewId::Exact(id) => Some(id),
    };
    chosen.filter(|chosen| *chosen > last).ok_or_else(|| {
        let message = "The ID specified in XADD is equal or smaller than the target stream top item";
        Error::invalid(InvalidKind::Value, message)
    })
}

/// Refuses bounds that exclude the only id on their side, as no id is left to begin or end with.
pub(super) fn check_bounds(bounds: (Bound<StreamId>, Bound<StreamId>)) -> Result<()> {
    match bounds {
        (Bound::Excluded(StreamId::MAX), _) => {
            Err(Error::invalid(InvalidKind::Value, "invalid start ID for the interval"))
        }
        (_, Bound::Excluded(StreamId::MIN)) => {
            Err(Error::invalid(InvalidKind::Value, "invalid end ID for the interval"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_digits_make_an_id() {
        for text in
            ["", "-", "-1", "1-", "+1-0", "1-+1", "1-2-3", " 1", "1-1 ", "a", "18446744073709551616", "$", "*-1"]
        {
            assert!(text.parse::<StreamId>().is_err() && text.parse::<NewId>().is_err(), "{text:?}");
        }
        assert!("*".parse::<StreamId>().is_err() && "1-*".parse::<StreamId>().is_err());
        assert!("x-*".parse::<NewId>().is_err() && "-*".parse::<NewId>().is_err());
        assert_eq!("18446744073709551615-18446744073709551615".parse::<StreamId>().unwrap(), StreamId::MAX);
    }

    #[test]
    fn an_id_is_chosen_after_the_last_one() {
        let at = |ms, seq| StreamId::new(ms, seq);
        let now = Timestamp::from_millis(10);
        let choose = |id: NewId, last| choose(id, last, now).map_err(|error| error.to_string());
        assert_eq!(choose(NewId::Auto, at(9, 5)), Ok(at(10, 0)));
        assert_eq!(choose(NewId::Auto, at(10, 5)), Ok(at(10, 6)));
        assert_eq!(choose(NewId::Auto, at(11, u64::MAX)), Ok(at(12, 0)), "the clock was set back");
        assert_eq!(choose(NewId::At(0), StreamId::MIN), Ok(at(0, 1)));
        assert_eq!(choose(NewId::At(7), at(6, 3)), Ok(at(7, 0)));
        assert_eq!(choose(NewId::Exact(at(7, 1)), at(7, 0)), Ok(at(7, 1)));
        let small = "The ID specified in XADD is equal or smaller than the target stream top item";
        for (id, last) in
            [(NewId::At(6), at(7, 0)), (NewId::At(7), at(7, u64::MAX)), (NewId::Exact(at(7, 0)), at(7, 0))]
        {
            assert_eq!(choose(id, last), Err(small.to_owned()));
        }
        let exhausted = "The stream has exhausted the last possible ID, unable to add more items";
        assert_eq!(choose(NewId::Auto, StreamId::MAX), Err(exhausted.to_owned()));
    }

    proptest! {
        #[test]
        fn an_id_comes_back_from_text_and_bytes(ms: u64, seq: u64, other: (u64, u64)) {
            let (id, other) = (StreamId::new(ms, seq), StreamId::new(other.0, other.1));
            prop_assert_eq!(id.to_string().parse::<StreamId>().unwrap(), id);
            let bytes = |id: StreamId| { let mut bytes = Vec::new(); id.put(&mut bytes); bytes };
            prop_assert_eq!(StreamId::take(&mut Reader::new(&bytes(id))).unwrap(), id);
            prop_assert_eq!(bytes(id).len(), ID_BYTES);
            prop_assert_eq!(bytes(id).cmp(&bytes(other)), id.cmp(&other));
        }

        #[test]
        fn next_and_previous_are_neighbours(ms in prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>()],
                                            seq in prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>()]) {
            let id = StreamId::new(ms, seq);
            prop_assert_eq!(id.next().is_none(), id == StreamId::MAX);
            prop_assert_eq!(id.previous().is_none(), id == StreamId::MIN);
            prop_assert!(id.next().is_none_or(|next| next > id && next.previous() == Some(id)));
            prop_assert!(id.previous().is_none_or(|before| before < id && before.next() == Some(id)));
        }
    }
}
