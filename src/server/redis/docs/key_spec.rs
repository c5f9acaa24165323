//! Where the keys of a command are, as `COMMAND INFO` tells it.
//!
//! A line has where to begin, how to go on, and flags: `@1` begins at the first word behind the name, `@STORE:6` behind the
//! word `STORE`, looked for from the sixth on; `-1/1/0` goes on to the last word, one by one, without a limit; `#0/1/1` by a
//! number at the beginning, with the first key right behind it. `?` is for what cannot be told.

/// A place of keys.
#[derive(Debug)]
pub(in crate::server::redis) struct KeySpec {
    pub(in crate::server::redis) begin: Begin,
    pub(in crate::server::redis) find: Find,
    flags: &'static str,
}

/// Where the keys begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::redis) enum Begin {
    Index(i64),
    Keyword(&'static str, i64),
    Unknown,
}

/// How to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::redis) enum Find {
    Range { last: i64, step: i64, limit: i64 },
    Numbered { number: i64, first: i64, step: i64 },
    Unknown,
}

impl KeySpec {
    /// What is done with the keys.
    pub(in crate::server::redis) fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.flags.split_ascii_whitespace()
    }

    /// `None` for a line that is none.
    pub(super) fn parse(line: &'static str) -> Option<Self> {
        let (begin, rest) = line.strip_prefix('@')?.split_once(' ')?;
        let (find, flags) = rest.split_once(' ')?;
        let begin = match begin.split_once(':') {
            _ if begin == "?" => Begin::Unknown,
            Some((word, from)) => Begin::Keyword(word, from.parse().ok()?),
            None => Begin::Index(begin.parse().ok()?),
        };
        let find = match find.strip_prefix('#') {
            _ if find == "?" => Find::Unknown,
            Some(numbers) => {
                let [number, first, step] = three(numbers)?;
                Find::Numbered { number, first, step }
            }
            None => {
                let [last, step, limit] = three(find)?;
                Find::Range { last, step, limit }
            }
        };
        Some(Self { begin, find, flags })
    }

    /// The first and the last word that are keys, and the distance between them; none are all 0.
    pub(in crate::server::redis) fn range(&self) -> [i64; 3] {
        match (self.begin, self.find) {
            (Begin::Index(first), Find::Range { last, step, .. }) => {
                [first, if last < 0 { last } else { first + last }, step]
            }
            _ => [0; 3],
        }
    }
}

fn three(numbers: &str) -> Option<[i64; 3]> {
    let mut numbers = numbers.split('/').map(|number| number.parse().ok());
    let three = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let spec = KeySpec::parse("@1 -1/2/0 OW update").unwrap();
        assert_eq!((spec.begin, spec.range()), (Begin::Index(1), [1, -1, 2]));
        assert_eq!(spec.flags().collect::<Vec<_>>(), ["OW", "update"]);
        let spec = KeySpec::parse("@STREAMS:4 -1/1/2 RO").unwrap();
        assert_eq!((spec.begin, spec.range()), (Begin::Keyword("STREAMS", 4), [0; 3]));
        let spec = KeySpec::parse("@2 #0/1/1 RW").unwrap();
        assert_eq!(spec.find, Find::Numbered { number: 0, first: 1, step: 1 });
        for line in ["", "@1", "@1 2", "@x 1/1/1 RO", "@1 1/1 RO", "@1 1/1/1/1 RO"] {
            assert!(KeySpec::parse(line).is_none(), "{line}");
        }
    }
}
