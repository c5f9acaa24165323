//! Changes that come in a few ascending runs, one between the others: what an insertion of many documents makes, whose records and
//! entries of indexes lie apart and ascend each for itself.
//!
//! Such changes are put in order by one pass, without being compared with each other; and those with the same number stay in the order
//! in which they came.

/// More runs than this are sorted as if there were none.
const RUNS_MAX: usize = 8;

/// A run so far: its first and last number, and how many belong to it.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    first: u64,
    last: u64,
    len: usize,
}

/// Sorts `numbered` by the numbers, if they come in runs of which none begins before another ends. Returns whether they do; otherwise
/// nothing has changed.
///
/// # Cost
/// O(n). Numbers in no order are given up after the first few.
pub(super) fn sort<T: Copy + Default>(numbered: &mut [(u64, T)]) -> bool {
    let mut runs = [Run::default(); RUNS_MAX];
    let (mut used, mut of) = (0, Vec::with_capacity(numbered.len()));
    for (number, _) in &*numbered {
        // The one that ends highest: each run ends below those before it, since a number begins one only below all ends.
        let place = runs.iter().take(used).position(|run| run.last <= *number).unwrap_or(used);
        let Some(run) = runs.get_mut(place) else { return false };
        if place == used {
            used += 1;
            run.first = *number;
        }
        run.last = *number;
        run.len += 1;
        of.push(place);
    }
    let lowest_first = || runs.iter().take(used).rev();
    if !lowest_first().is_sorted_by(|below, above| below.last < above.first) {
        return false;
    }
    // Where the next of each run comes.
    let (mut next, mut start) = ([0; RUNS_MAX], 0);
    for (place, run) in next.iter_mut().zip(&runs).take(used).rev() {
        *place = start;
        start += run.len;
    }
    let mut sorted = vec![(0, T::default()); numbered.len()];
    for (one, place) in numbered.iter().zip(of) {
        let Some(at) = next.get_mut(place) else { return false };
        if let Some(to) = sorted.get_mut(*at) {
            *to = *one;
        }
        *at += 1;
    }
    numbered.copy_from_slice(&sorted);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(numbers: &[u64]) -> Option<Vec<(u64, usize)>> {
        let mut numbered: Vec<_> = numbers.iter().copied().zip(0..).collect();
        let before = numbered.clone();
        let is_sorted = sort(&mut numbered);
        assert!(is_sorted || numbered == before, "nothing has changed");
        is_sorted.then_some(numbered)
    }

    #[test]
    fn runs_that_lie_apart_are_sorted_and_equal_numbers_stay_in_order() {
        assert_eq!(sorted(&[]), Some(vec![]));
        assert_eq!(sorted(&[5, 1, 5, 1, 6, 2]).unwrap(), [(1, 1), (1, 3), (2, 5), (5, 0), (5, 2), (6, 4)]);
        assert_eq!(sorted(&[5, 4, 4, 5]).unwrap(), [(4, 1), (4, 2), (5, 0), (5, 3)]);
    }

    #[test]
    fn runs_that_begin_before_another_ends_and_too_many_are_left_alone() {
        assert_eq!(sorted(&[5, 1, 6, 5]), None);
        assert!(sorted(&[8, 7, 6, 5, 4, 3, 2, 1]).is_some());
        assert_eq!(sorted(&[9, 8, 7, 6, 5, 4, 3, 2, 1]), None);
    }

    proptest! {
        #[test]
        fn what_is_sorted_is_as_a_stable_sort_has_it(
            runs in prop::collection::vec(prop::collection::vec(0u64..50, 0..40), 0..10),
            turns in prop::collection::vec(0usize..10, 0..400),
        ) {
            let mut ascending: Vec<_> = runs.into_iter().zip(0..).map(|(mut run, nth): (Vec<u64>, u64)| {
                run.sort_unstable();
                // Mostly apart from each other.
                run.into_iter().map(move |number| number + 49 * nth)
            }).collect();
            let numbers: Vec<_> = turns.into_iter().filter_map(|turn| ascending.get_mut(turn)?.next()).collect();
            let mut expected: Vec<_> = numbers.iter().copied().zip(0..).collect();
            expected.sort_by_key(|(number, _)| *number);
            prop_assert!(sorted(&numbers).is_none_or(|sorted| sorted == expected));
        }
    }
}
