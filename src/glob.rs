//! The glob patterns of channels and keys, over bytes.
//!
//! | element         | matches                                                                                  |
//! |-----------------|------------------------------------------------------------------------------------------|
//! | `*`             | any bytes, none included                                                                 |
//! | `?`             | one byte                                                                                 |
//! | `[a-z_]`        | one byte of the class; ends of a range may come in either order                          |
//! | `[^a]`          | one byte that is not of the class                                                        |
//! | `\x`            | the byte `x`, in a class too; at the very end a backslash stands for itself              |
//! | anything else   | itself                                                                                   |
//!
//! A class ends at the first `]` that is neither escaped nor the end of a range, or else with the pattern: `[]` matches
//! nothing, `[^]` any byte. Every pattern is valid.
//!
//! # Cost
//! At most pattern length times text length, whatever the number of stars: every element but `*` takes exactly one
//! byte, so only the last star ever has to be tried again.
//!
//! # Source
//! Redis command reference, `KEYS`; behaviour of unusual classes as a running server shows it.

/// Whether the whole of `text` matches `pattern`.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // What follows the last star, and the text it has been tried on.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(after) = pattern.strip_prefix(b"*") {
            pattern = after;
            retry = Some((pattern, text));
            continue;
        }
        let Some((&byte, rest)) = text.split_first() else { return pattern.is_empty() };
        if let Some(after) = step(pattern, byte) {
            (pattern, text) = (after, rest);
            continue;
        }
        // The star takes one more byte.
        let Some((after_star, [_, later @ ..])) = retry else { return false };
        (pattern, text) = (after_star, later);
        retry = Some((after_star, later));
    }
}

/// Matches `byte` with the first element of `pattern`, which is not a star, and returns what follows the element.
fn step(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (matched, rest) = match pattern {
        [] => return None,
        [b'?', rest @ ..] => (true, rest),
        [b'[', b'^', class @ ..] => {
            let (listed, rest) = class_lists(class, byte);
            (!listed, rest)
        }
        [b'[', class @ ..] => class_lists(class, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte, rest),
    };
    matched.then_some(rest)
}

/// Whether the class that `class` begins with lists `byte`, and what follows the class.
fn class_lists(mut class: &[u8], byte: u8) -> (bool, &[u8]) {
    let mut listed = false;
    loop {
        class = match class {
            [] => return (listed, class),
            [b'\\', literal, rest @ ..] => {
                listed |= *literal == byte;
                rest
            }
            [b']', rest @ ..] => return (listed, rest),
            [one, b'-', other, rest @ ..] => {
                listed |= (*one.min(other)..=*one.max(other)).contains(&byte);
                rest
            }
            [literal, rest @ ..] => {
                listed |= *literal == byte;
                rest
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tries every length for every star.
    fn slow_matches(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|taken| slow_matches(rest, &text[taken..])),
            [b'[', rest @ ..] => {
                let (negated, mut rest) = match rest {
                    [b'^', rest @ ..] => (true, rest),
                    rest => (false, rest),
                };
                let mut listed: Vec<u8> = Vec::new();
                while !rest.is_empty() && rest[0] != b']' {
                    let (from, to, length) = match rest {
                        [b'\\', byte, ..] => (*byte, *byte, 2),
                        [from, b'-', to, ..] => (*from, *to, 3),
                        [byte, ..] => (*byte, *byte, 1),
                        [] => unreachable!(),
                    };
                    listed.extend(from.min(to)..=from.max(to));
                    rest = &rest[length..];
                }
                let rest = rest.get(1..).unwrap_or_default();
                !text.is_empty() && listed.contains(&text[0]) != negated && slow_matches(rest, &text[1..])
            }
            [b'?', rest @ ..] => !text.is_empty() && slow_matches(rest, &text[1..]),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                text.first() == Some(byte) && slow_matches(rest, &text[1..])
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn agrees_with_trying_everything(pattern in "[ab*?\\[\\]^\\\\-]{0,8}", text in "[abc\\]\\\\-]{0,7}") {
            prop_assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                slow_matches(pattern.as_bytes(), text.as_bytes())
            );
        }
    }

    // SEM: KV-STR-5
    #[test]
    fn each_element_matches_what_the_table_says() {
        let text: &[u8] = b"hello";
        for pattern in ["*", "h?llo", "h*o", "h[ae]llo", "h[^o]llo", "h[a-f]llo", "h[f-a]llo", "**l**"] {
            assert!(matches(pattern.as_bytes(), text), "{pattern}");
        }
        assert!(matches(b"", b"") && !matches(b"", b"a") && matches(b"**", b""));
        assert!(!matches(b"h?llo", b"hllo") && !matches(b"h[^e]llo", text) && !matches(b"hell", text));
        assert!(matches(b"a\\*b", b"a*b") && !matches(b"a\\*b", b"axb"));
        assert!(matches(b"a[\\]x]", b"a]") && matches(b"a[\\^]", b"a^"));
        assert!(matches(b"\xff?", b"\xff\x00"), "bytes, not text");
    }

    #[test]
    fn unfinished_elements_stand_for_what_they_list() {
        assert!(matches(b"a\\", b"a\\"));
        assert!(matches(b"a[bc", b"ac") && !matches(b"a[bc", b"ad") && !matches(b"a[", b"a["));
        assert!(!matches(b"[]", b"]") && !matches(b"[]", b"") && matches(b"[^]", b"x"));
        assert!(matches(b"[a-]", b"_"), "the bracket ends the range, and the pattern the class");
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let pattern = [b"*a".repeat(200), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &b"a".repeat(4_000)));
        assert!(matches(&[pattern, b"*".to_vec()].concat(), &[b"a".repeat(4_000), b"b".to_vec()].concat()));
    }
}
