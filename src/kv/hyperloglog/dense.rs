//! The dense encoding: 16384 numbers of six bits, one after the other, lowest bit first; 12288 bytes.

use crate::kv::hyperloglog::REGISTERS;

/// How many bytes the registers take.
pub(super) const LEN: usize = REGISTERS / 4 * 3;

/// The registers of `body`, four from three bytes.
pub(super) fn read(body: &[u8]) -> Vec<u8> {
    let (groups, _) = body.as_chunks::<3>();
    groups.iter().flat_map(|[a, b, c]| [a & 63, a >> 6 | b << 2 & 63, b >> 4 | c << 4 & 63, c >> 2]).collect()
}

/// The encoding of `registers`.
pub(super) fn write(registers: &[u8]) -> Vec<u8> {
    let (groups, _) = registers.as_chunks::<4>();
    groups.iter().flat_map(|[a, b, c, d]| [a | b << 6, b >> 2 | c << 4, c >> 4 | d << 2]).collect()
}

/// Gives a register the value `run`, unless it has that or a greater one; returns whether it has changed.
pub(super) fn raise(body: &mut [u8], register: usize, run: u8) -> bool {
    let Some(group) = body.as_chunks_mut::<3>().0.get_mut(register / 4) else { return false };
    let mut values = read(group);
    let Some(value) = values.get_mut(register % 4).filter(|value| **value < run) else { return false };
    *value = run;
    if let [a, b, c] = *write(&values) {
        *group = [a, b, c];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lowest_bit_comes_first() {
        assert_eq!(read(&[0b0100_0001, 0, 0b1111_1100]), [1, 1, 0, 63]);
        assert_eq!(write(&[1, 2, 3, 4]), [0b1000_0001, 0b0011_0000, 0b0001_0000]);
    }

    proptest! {
        #[test]
        fn registers_come_back(groups in prop::collection::vec([0u8..64, 0..64, 0..64, 0..64], 0..20)) {
            let registers = groups.concat();
            prop_assert_eq!(read(&write(&registers)), registers);
        }

        #[test]
        fn raising_is_taking_the_greater(mut values in prop::array::uniform8(0u8..64), register in 0usize..8, run in 0u8..64) {
            let mut body = write(&values);
            prop_assert_eq!(raise(&mut body, register, run), run > values[register]);
            values[register] = values[register].max(run);
            prop_assert_eq!(read(&body), values);
        }
    }
}
