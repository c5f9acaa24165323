//! Which words of a request nobody but its sender may see, and a request as it may be kept and shown.

use crate::server::redis::frame::words::is;

/// Words of a request that are kept.
const WORDS_MAX: usize = 32;

/// Bytes of a word that are kept.
const WORD_BYTES_MAX: usize = 128;

/// The words of a request as they are kept: without secrets, and no more of them than are read.
pub(crate) fn cut(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let secret = secrets(words);
    let cut_word = |(at, word): (usize, &&[u8])| match word.split_at_checked(WORD_BYTES_MAX) {
        _ if secret.contains(&at) => b"(redacted)".to_vec(),
        Some((kept, rest)) if !rest.is_empty() => {
            [kept, format!("... ({} more bytes)", rest.len()).as_bytes()].concat()
        }
        _ => word.to_vec(),
    };
    let kept = if words.len() > WORDS_MAX { WORDS_MAX - 1 } else { words.len() };
    let mut all: Vec<_> = words.iter().enumerate().take(kept).map(cut_word).collect();
    if words.len() > kept {
        all.push(format!("... ({} more arguments)", words.len() - kept).into_bytes());
    }
    all
}

/// Parameters that are secrets.
const SECRET_PARAMETERS: [&str; 5] =
    ["masterauth", "masteruser", "requirepass", "tls-client-key-file-pass", "tls-key-file-pass"];

/// The places of the words that nobody but their sender may see: passwords, and the names that go with them.
pub(crate) fn secrets(words: &[&[u8]]) -> Vec<usize> {
    let [name, rest @ ..] = words else { return Vec::new() };
    let second = rest.first().copied().unwrap_or_default();
    match name.to_ascii_lowercase().as_slice() {
        b"auth" => (1..words.len()).collect(),
        b"hello" => behind(words, 1, "auth", 2),
        b"migrate" => {
            let mut all = behind(words, 6, "auth", 1);
            all.extend(behind(words, 6, "auth2", 2));
            all
        }
        b"acl" if is(second, "setuser") => (2..words.len()).collect(),
        // A request within the request.
        b"acl" if is(second, "dryrun") => within(words, 3),
        b"command" if is(second, "getkeys") || is(second, "getkeysandflags") => within(words, 2),
        b"config" if is(second, "set") => {
            let is_secret = |word: &[u8]| SECRET_PARAMETERS.iter().any(|name| is(word, name));
            let names = words.iter().enumerate().skip(2).step_by(2);
            names.filter(|(_, word)| is_secret(word)).map(|(at, _)| at + 1).collect()
        }
        _ => Vec::new(),
    }
}

/// The places of `count` words behind each that is `option`, from a place on.
fn behind(words: &[&[u8]], from: usize, option: &str, count: usize) -> Vec<usize> {
    let options = words.iter().enumerate().skip(from).filter(|(_, word)| is(word, option));
    options.flat_map(|(at, _)| at + 1..=at + count).collect()
}

/// The places of the secrets of the request that begins at a place.
fn within(words: &[&[u8]], from: usize) -> Vec<usize> {
    secrets(words.get(from..).unwrap_or_default()).into_iter().map(|at| at + from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(request: &str) -> Vec<String> {
        let words: Vec<_> = request.split(' ').map(str::as_bytes).collect();
        cut(&words).into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn long_requests_are_cut() {
        assert_eq!(words(&"x ".repeat(40))[31], "... (10 more arguments)");
        assert_eq!(words(&"x ".repeat(31)).len(), 32);
        assert_eq!(words(&"y".repeat(130))[0], format!("{}... (2 more bytes)", "y".repeat(128)));
        assert_eq!(words(&"y".repeat(128))[0].len(), 128);
    }

    #[test]
    fn secrets_are_not_kept() {
        assert_eq!(words("AUTH ann secret"), ["AUTH", "(redacted)", "(redacted)"]);
        assert_eq!(
            words("HELLO 3 AUTH a b SETNAME c"),
            ["HELLO", "3", "AUTH", "(redacted)", "(redacted)", "SETNAME", "c"]
        );
        for (request, kept) in [
            ("config set requirepass x maxmemory 1", "config set requirepass (redacted) maxmemory 1"),
            ("CONFIG SET timeout 1 masterauth x", "CONFIG SET timeout 1 masterauth (redacted)"),
            ("ACL SETUSER ann on >secret", "ACL SETUSER (redacted) (redacted) (redacted)"),
            ("ACL DRYRUN ann AUTH secret", "ACL DRYRUN ann AUTH (redacted)"),
            ("ACL DRYRUN ann ACL DRYRUN bob AUTH b secret", "ACL DRYRUN ann ACL DRYRUN bob AUTH (redacted) (redacted)"),
            ("COMMAND GETKEYS MIGRATE h 1 k 0 5 AUTH secret", "COMMAND GETKEYS MIGRATE h 1 k 0 5 AUTH (redacted)"),
            ("MIGRATE h 1 k 0 5 COPY AUTH secret", "MIGRATE h 1 k 0 5 COPY AUTH (redacted)"),
            ("migrate h 1 k 0 5 auth2 ann secret keys k", "migrate h 1 k 0 5 auth2 (redacted) (redacted) keys k"),
            ("SET auth secret", "SET auth secret"),
        ] {
            assert_eq!(words(request).join(" "), kept);
        }
    }
}
