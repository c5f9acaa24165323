//! Where the keys of a command are, and what it does with them.
//!
//! A line has where to begin, how to go on, and flags: `@1` begins at the first word behind the name, `@STORE:6` behind
//! the word `STORE`, looked for from the sixth on, and behind a second one too unless it goes on to the last word;
//! `-1/1/0` goes on to the last word, one by one, without a limit, and `-1/1/2` to the middle; `#0/1/1` by a number at
//! the beginning, with the first key right behind it. `?` is for what the words do not say, and `@?STORE:2` for what
//! they say and clients do not see.
//!
//! A flag with a condition, `update?SET|INCRBY:2`, holds when one of the words is there, from the second on. Behind a
//! word with a number below 0 are keys (flag `incomplete`) that stand for the one of the line before, when that is
//! empty.

bitflags::bitflags! {
    /// What a command does with the value of a key. Without any, it only asks whether and how long it is.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Access: u8 {
        const READ = 1;
        const WRITE = 2;
    }
}

/// A place of keys.
#[derive(Debug)]
pub(crate) struct KeySpec {
    pub(crate) begin: Begin,
    pub(crate) find: Find,
    /// Clients see the place as unknown.
    is_secret: bool,
    flags: &'static str,
    access: Access,
    conditions: Vec<Condition>,
}

/// What is done with the keys if one of the words is there.
#[derive(Debug)]
struct Condition {
    access: Access,
    words: &'static str,
    from: usize,
}

/// Where the keys begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    Index(i64),
    Keyword(&'static str, i64),
    Unknown,
}

/// How to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Find {
    Range { last: i64, step: i64, limit: i64 },
    Numbered { number: i64, first: i64, step: i64 },
    Unknown,
}

impl KeySpec {
    /// What is done with the keys, as clients see it.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.flags.split_ascii_whitespace().filter_map(|flag| flag.split('?').next())
    }

    pub(crate) fn has_flag(&self, flag: &str) -> bool {
        self.flags().any(|own| own == flag)
    }

    /// What a request does with the keys.
    pub(crate) fn access(&self, words: &[&[u8]]) -> Access {
        let holds = |condition: &&Condition| {
            let mut given = words.iter().skip(condition.from);
            given.any(|word| condition.words.split('|').any(|name| word.eq_ignore_ascii_case(name.as_bytes())))
        };
        self.conditions.iter().filter(holds).fold(self.access, |access, condition| access | condition.access)
    }

    /// Where the keys are, as clients see it.
    pub(crate) fn told(&self) -> (Begin, Find) {
        if self.is_secret { (Begin::Unknown, Find::Unknown) } else { (self.begin, self.find) }
    }

    /// `None` for a line that does not follow the form above.
    pub(super) fn parse(line: &'static str) -> Option<Self> {
        let (begin, rest) = line.strip_prefix('@')?.split_once(' ')?;
        let (find, flags) = rest.split_once(' ')?;
        let secret = begin.strip_prefix('?').filter(|rest| !rest.is_empty());
        let begin = match secret.unwrap_or(begin).split_once(':') {
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
        let (mut access, mut conditions) = (Access::empty(), Vec::new());
        for flag in flags.split_ascii_whitespace() {
            let (flag, condition) = flag.split_once('?').map_or((flag, None), |(flag, rest)| (flag, Some(rest)));
            let of_flag = access_of(flag)?;
            match condition {
                None => access |= of_flag,
                Some(condition) => {
                    let (words, from) = condition.split_once(':')?;
                    conditions.push(Condition { access: of_flag, words, from: from.parse().ok()? });
                }
            }
        }
        Some(Self { begin, find, is_secret: secret.is_some(), flags, access, conditions })
    }

    /// The first and the last word that are keys, and the distance between them; none are all 0.
    pub(super) fn range(&self) -> [i64; 3] {
        match (self.begin, self.find) {
            (Begin::Index(first), Find::Range { last, step, .. }) => {
                [first, if last < 0 { last } else { first + last }, step]
            }
            _ => [0; 3],
        }
    }
}

/// What a flag says is done; `None` for one that redis-server does not know.
fn access_of(flag: &str) -> Option<Access> {
    match flag {
        "access" => Some(Access::READ),
        "update" | "insert" | "delete" => Some(Access::WRITE),
        "RO" | "RW" | "OW" | "RM" | "not_key" | "incomplete" | "variable_flags" => Some(Access::empty()),
        _ => None,
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
        let spec = KeySpec::parse("@?STORE:2 0/1/0 OW update").unwrap();
        assert_eq!((spec.begin, spec.told()), (Begin::Keyword("STORE", 2), (Begin::Unknown, Find::Unknown)));
        for line in ["", "@1", "@1 2", "@x 1/1/1 RO", "@1 1/1 RO", "@1 1/1/1/1 RO", "@1 0/1/0 red", "@1 0/1/0 access?x"]
        {
            assert!(KeySpec::parse(line).is_none(), "{line}");
        }
    }

    #[test]
    fn what_is_done_may_depend_on_words() {
        let spec = KeySpec::parse("@1 0/1/0 RW access?GET|FULL:3 update variable_flags").unwrap();
        assert_eq!(spec.flags().collect::<Vec<_>>(), ["RW", "access", "update", "variable_flags"]);
        let access = |request: &str| spec.access(&request.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        assert_eq!(access("set get get"), Access::WRITE);
        assert_eq!(access("set k v get"), Access::READ | Access::WRITE);
        assert_eq!(access("set k v NX full"), Access::READ | Access::WRITE);
    }
}
