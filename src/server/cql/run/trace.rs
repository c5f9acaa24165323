//! Ids of traces.

use crate::store::Store;

/// Hundreds of nanoseconds from the beginning of the Gregorian calendar to 1970.
const GREGORIAN_TICKS: u64 = 0x01b2_1dd2_1381_4000;

/// A UUID of version 1 of this moment, which no other request gets. There is no trace behind it.
pub(super) fn id(store: &Store) -> [u8; 16] {
    let micros = u64::try_from(store.now().as_micros()).unwrap_or_default();
    let ticks = micros.saturating_mul(10).saturating_add(GREGORIAN_TICKS);
    // From the lowest bits up, and in them the version.
    let time = (ticks << 32) | (ticks >> 16 & 0xffff_0000) | (ticks >> 48 & 0x0fff) | 0x1000;
    // The variant, and the bit of an address that no card has.
    let rest = store.unique_number() & 0x3fff_ffff_ffff_ffff | 0x8000_0100_0000_0000;
    (u128::from(time) << 64 | u128::from(rest)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_the_moment_and_of_version_1() {
        let store = Store::in_memory();
        let uuid = uuid::Uuid::from_bytes(id(&store));
        assert_eq!(uuid.get_version_num(), 1);
        let (seconds, _) = uuid.get_timestamp().unwrap().to_unix();
        assert!(i64::try_from(seconds).unwrap().abs_diff(store.now().as_micros() / 1_000_000) <= 60);
        assert_ne!(id(&store), id(&store));
    }
}
