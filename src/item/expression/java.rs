//! The order in which the service, which is written in Java, lists the elements of its hash sets.

/// Sorts `keys` as they iterate in a `HashSet` that was made of `total` of them.
pub(super) fn sort_as_set(keys: &mut [String], total: usize) {
    // The set is made for its elements at a load of three quarters.
    let capacity = (total * 4 / 3 + 1).next_power_of_two().max(16);
    let mask = u32::try_from(capacity - 1).unwrap_or(u32::MAX);
    keys.sort_by_key(|key| {
        let hash = key.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        (hash ^ (hash >> 16)) & mask
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_short_keys_come_by_their_last_letter() {
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let total = keys.len();
            sort_as_set(&mut keys, total);
            keys.join(" ")
        };
        assert_eq!(sorted(&[":c", ":b", ":a"]), ":a :b :c");
        assert_eq!(sorted(&["#unused", "#a"]), "#a #unused");
        assert_eq!(sorted(&[":v10", ":v1", ":v0"]), ":v0 :v1 :v10");
    }
}
