//! Levels of consistency.

/// How many replicas were to confirm. There is one, which every level is met by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Consistency {
    Any = 0,
    One = 1,
    Two = 2,
    Three = 3,
    Quorum = 4,
    All = 5,
    LocalQuorum = 6,
    EachQuorum = 7,
    Serial = 8,
    LocalSerial = 9,
    LocalOne = 10,
}

impl Consistency {
    pub(crate) const ALL: [Self; 11] = [
        Self::Any,
        Self::One,
        Self::Two,
        Self::Three,
        Self::Quorum,
        Self::All,
        Self::LocalQuorum,
        Self::EachQuorum,
        Self::Serial,
        Self::LocalSerial,
        Self::LocalOne,
    ];

    /// The level with this number.
    pub(crate) fn of(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Its number.
    pub(crate) fn code(self) -> u16 {
        self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: WID-CL-1
    #[test]
    fn every_level_has_its_number() {
        for (code, level) in Consistency::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(level.code()), code);
            assert_eq!(Consistency::of(level.code()), Some(level));
        }
        assert_eq!(Consistency::of(11), None);
    }
}
