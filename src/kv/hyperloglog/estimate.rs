//! The estimate of how many distinct elements the registers have been shown.
//!
//! O. Ertl's improved raw estimator, in the order of operations in which Redis does it, so that the last bit is the same.

use crate::kv::hyperloglog::REGISTERS;

/// Bits of a hash that are left for the run.
const REST_BITS: usize = 50;

/// The limit of the bias correction for infinitely many registers: 1 / (2 ln 2).
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The estimate for `registers`.
#[expect(clippy::cast_precision_loss, reason = "there are 16384 registers")]
pub(super) fn estimate(registers: &[u8]) -> u64 {
    let mut having = [0_u32; 64];
    for register in registers {
        if let Some(count) = having.get_mut(usize::from(*register)) {
            *count += 1;
        }
    }
    let count = |value: usize| f64::from(having.get(value).copied().unwrap_or(0));
    let all = REGISTERS as f64;
    let mut sum = all * tau((all - count(REST_BITS + 1)) / all);
    for value in (1..=REST_BITS).rev() {
        sum += count(value);
        sum *= 0.5;
    }
    sum += all * sigma(count(0) / all);
    round(ALPHA * all * all / sum)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no estimate is negative or past 2^64")]
fn round(estimate: f64) -> u64 {
    estimate.round() as u64
}

/// What registers that have seen nothing add: infinity when that is all of them.
fn sigma(share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (share, 1.0, share);
    loop {
        power *= power;
        let before = sum;
        sum += power * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

/// What registers that have seen the longest run add.
fn tau(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut rest) = (share, 1.0, 1.0 - share);
    loop {
        root = root.sqrt();
        let before = rest;
        weight *= 0.5;
        rest -= (1.0 - root) * (1.0 - root) * weight;
        if rest >= before {
            return rest / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_seen_is_nothing() {
        assert_eq!(estimate(&[0; REGISTERS]), 0);
    }

    #[test]
    fn the_longest_runs_end_the_sums() {
        let mut registers = [51; REGISTERS];
        assert_eq!(estimate(&registers), u64::MAX);
        registers[0] = 50;
        assert!(estimate(&registers) > 1 << 60);
        assert!(tau(0.5) > 0.0 && sigma(0.5) > 0.5);
    }
}
