//! Where in a request a member is, as the service writes it.

use std::fmt::Write as _;

/// A step from a value into it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Member(&'a str),
    /// The value that a map has for a name.
    Name(&'a str),
    /// An element of a list, from 0.
    Element(usize),
}

/// The place as the older layer of the service writes it: `keySchema.1.member.keyType`.
pub(super) fn older(steps: &[Step<'_>]) -> String {
    write(steps, |name| {
        let mut letters = name.chars();
        letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
    })
}

/// The place as the newer layer writes it: `RequestItems.Users.member.Keys`.
pub(super) fn newer(steps: &[Step<'_>]) -> String {
    write(steps, ToOwned::to_owned)
}

/// The place in a table of rules: `RequestItems.*.Keys`.
pub(super) fn rule(steps: &[Step<'_>]) -> String {
    let words = steps.iter().map(|step| if let Step::Member(name) = step { name } else { "*" });
    words.collect::<Vec<_>>().join(".")
}

fn write(steps: &[Step<'_>], member: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for step in steps {
        if !text.is_empty() {
            text.push('.');
        }
        // Writing to a string does not fail.
        let _ = match step {
            Step::Member(name) => write!(text, "{}", member(name)),
            Step::Name(name) => write!(text, "{name}.member"),
            Step::Element(place) => write!(text, "{}.member", place.saturating_add(1)),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_in_three_ways() {
        let steps = [Step::Member("RequestItems"), Step::Name("Users"), Step::Member("Keys"), Step::Element(0)];
        assert_eq!(older(&steps), "requestItems.Users.member.keys.1.member");
        assert_eq!(newer(&steps), "RequestItems.Users.member.Keys.1.member");
        assert_eq!(rule(&steps), "RequestItems.*.Keys.*");
    }
}
