//! Paths of one expression that get in each other's way.

use std::collections::BTreeMap;

use crate::item::{ExpressionFault, Path, PathElement};

/// Where paths part, and where they end.
#[derive(Default)]
struct Branch<'p> {
    /// The number of the path that made it.
    born: usize,
    branches: BTreeMap<&'p PathElement, Branch<'p>>,
    /// Numbers of paths that end here.
    ends: Vec<usize>,
}

/// What is at a branch: another one, or the end of a path.
#[derive(Clone, Copy)]
enum Entry<'b, 'p> {
    Branch(&'p PathElement, &'b Branch<'p>),
    End(usize),
}

impl Entry<'_, '_> {
    fn born(self) -> usize {
        match self {
            Self::Branch(_, branch) => branch.born,
            Self::End(path) => path,
        }
    }

    /// The path that ends behind its newest branches.
    fn end(self) -> usize {
        match self {
            Self::Branch(_, branch) => branch.entries().first().map_or(branch.born, |entry| entry.end()),
            Self::End(path) => path,
        }
    }
}

impl<'p> Branch<'p> {
    /// What is here, newest first.
    fn entries(&self) -> Vec<Entry<'_, 'p>> {
        let ends = self.ends.iter().rev().map(|path| Entry::End(*path));
        let mut entries: Vec<_> = ends.collect();
        entries.extend(self.branches.iter().map(|(element, branch)| Entry::Branch(element, branch)));
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.born()));
        entries
    }

    /// No path is longer than [`limits::ITEM_PATH_ELEMENTS_MAX`](crate::limits::ITEM_PATH_ELEMENTS_MAX) here, which bounds
    /// the recursion.
    fn check(&self, paths: &[&'p Path]) -> Result<(), ExpressionFault> {
        let entries = self.entries();
        for (place, entry) in entries.iter().enumerate() {
            if let Entry::Branch(_, branch) = entry {
                branch.check(paths)?;
            }
            for (_, other) in entries.iter().enumerate().filter(|(other, _)| *other != place) {
                let ends = (entry.end(), other.end());
                let (Entry::Branch(one, _), Entry::Branch(two, _)) = (entry, other) else {
                    return Err(fault(paths, ends, |one, two| ExpressionFault::PathsOverlap { one, two }));
                };
                if matches!(one, PathElement::Index(_)) != matches!(two, PathElement::Index(_)) {
                    return Err(fault(paths, ends, |one, two| ExpressionFault::PathsConflict { one, two }));
                }
            }
        }
        Ok(())
    }
}

fn fault(
    paths: &[&Path],
    ends: (usize, usize),
    make: impl FnOnce(String, String) -> ExpressionFault,
) -> ExpressionFault {
    let shown = |path: usize| paths.get(path).map(ToString::to_string).unwrap_or_default();
    make(shown(ends.0.min(ends.1)), shown(ends.0.max(ends.1)))
}

/// Refuses paths of which one is another or leads into it, or that take one place for a list and for a map. Of several
/// pairs the service names the one that is found first when what was written last is looked at first.
pub(super) fn check_overlaps(paths: &[&Path]) -> Result<(), ExpressionFault> {
    let names: Vec<_> = paths.iter().map(|path| PathElement::Name(path.attribute().to_owned())).collect();
    let mut root = Branch::default();
    for (number, (name, path)) in names.iter().zip(paths).enumerate() {
        let mut branch = &mut root;
        for element in [name].into_iter().chain(path.inside()) {
            branch = branch.branches.entry(element).or_insert_with(|| Branch { born: number, ..Branch::default() });
        }
        branch.ends.push(number);
    }
    // The attributes themselves neither overlap nor conflict.
    let mut attributes: Vec<_> = root.branches.values().collect();
    attributes.sort_by_key(|branch| std::cmp::Reverse(branch.born));
    attributes.into_iter().try_for_each(|branch| branch.check(paths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> Path {
        let mut steps = text.split('.');
        let first = Path::new(steps.next().unwrap());
        steps.fold(first, |path, step| match step.parse() {
            Ok(index) => path.index(index),
            Err(_) => path.name(step),
        })
    }

    fn found(paths: &[&str]) -> Result<(), ExpressionFault> {
        let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
        check_overlaps(&paths.iter().collect::<Vec<_>>())
    }

    #[test] // SEM: ITM-EXP-6
    fn the_pair_that_is_named_is_the_services() {
        let overlap = |one: &str, two: &str| {
            Err(ExpressionFault::PathsOverlap { one: path(one).to_string(), two: path(two).to_string() })
        };
        let conflict = |one: &str, two: &str| {
            Err(ExpressionFault::PathsConflict { one: path(one).to_string(), two: path(two).to_string() })
        };
        assert_eq!(found(&["d.1", "d.b", "c.1.a", "c"]), overlap("c.1.a", "c"));
        assert_eq!(found(&["c.3.d", "c.3"]), overlap("c.3.d", "c.3"));
        assert_eq!(found(&["c.3.d", "c.d.3"]), conflict("c.3.d", "c.d.3"));
        assert_eq!(found(&["a.c", "a.1"]), conflict("a.c", "a.1"));
        assert_eq!(found(&["a", "a"]), overlap("a", "a"));
        assert_eq!(found(&["a", "a.b"]), overlap("a", "a.b"));
        assert_eq!(found(&["a.b", "a.c", "b.0", "b.1"]), Ok(()));
    }

    proptest! {
        #[test]
        fn paths_are_refused_if_two_of_them_are_in_the_way(
            paths in prop::collection::vec("[ab](\\.[ab01]){0,3}", 1..5),
        ) {
            let texts: Vec<_> = paths.iter().map(String::as_str).collect();
            let is_in_the_way = |one: &str, two: &str| {
                let (one, two) = (path(one), path(two));
                let mut steps = one.inside().iter().zip(two.inside());
                let kind = |step: &PathElement| matches!(step, PathElement::Index(_));
                one.attribute() == two.attribute()
                    && steps.find(|(a, b)| a != b).is_none_or(|(a, b)| kind(a) != kind(b))
            };
            let expected = (0..texts.len()).any(|a| (0..a).any(|b| is_in_the_way(texts[a], texts[b])));
            prop_assert_eq!(found(&texts).is_err(), expected);
        }
    }
}
