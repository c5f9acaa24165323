//! Rules, as `ACL SETUSER` takes them.

use crate::limits;
use crate::server::password::{Credentials, PasswordHash, hash_of};
use crate::server::redis::acl::rights::{Right, Selector, Subject};
use crate::server::redis::acl::{Account, account};
use crate::server::redis::spec::category::Categories;
use crate::server::redis::spec::{Access, find};

/// A rule that is not valid, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("Error in ACL SETUSER modifier '{rule}': {reason}")]
    Rule { rule: String, reason: &'static str },
    #[error("Unmatched parenthesis in acl selector starting at '{0}'.")]
    Parenthesis(String),
    #[error("a user has more than {} rules", limits::USER_RULES_MAX)]
    TooMany,
}

const SYNTAX: &str = "Syntax error";
const UNKNOWN: &str = "Unknown command or category name in ACL";
const NO_PASSWORD: &str = "The password you are trying to remove from the user does not exist";
const NO_HASH: &str =
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";
const ALL_KEYS: &str = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. \
                        Try 'resetkeys' to start with an empty list of patterns";
const ALL_CHANNELS: &str = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                            effect. Try 'resetchannels' to start with an empty list of channels";

/// Applies rules one after the other. With an error, `account` is of no use.
pub(crate) fn apply(account: &mut Account, rules: &[&[u8]]) -> Result<(), Problem> {
    for rule in joined(rules)? {
        apply_one(account, &rule).map_err(|reason| {
            let rule = String::from_utf8_lossy(&rule).into_owned();
            Problem::Rule { rule, reason }
        })?;
        if account::len(account) > limits::USER_RULES_MAX {
            return Err(Problem::TooMany);
        }
    }
    Ok(())
}

/// The rules, those of a selector in one piece.
fn joined(rules: &[&[u8]]) -> Result<Vec<Vec<u8>>, Problem> {
    let mut all = Vec::new();
    let mut open: Option<(Vec<u8>, &[u8])> = None;
    for rule in rules {
        match &mut open {
            Some((selector, _)) => {
                selector.push(b' ');
                selector.extend_from_slice(rule);
            }
            None if rule.starts_with(b"(") => open = Some((rule.to_vec(), rule)),
            None => all.push(rule.to_vec()),
        }
        if rule.ends_with(b")")
            && let Some((selector, _)) = open.take()
        {
            all.push(selector);
        }
    }
    match open {
        None => Ok(all),
        Some((_, first)) => Err(Problem::Parenthesis(String::from_utf8_lossy(first).into_owned())),
    }
}

fn apply_one(account: &mut Account, rule: &[u8]) -> Result<(), &'static str> {
    let lower = rule.to_ascii_lowercase();
    match &*lower {
        b"on" => account.is_on = true,
        b"off" => account.is_on = false,
        b"nopass" => {
            account.has_no_password = true;
            account.credentials = Credentials::default();
        }
        b"resetpass" => {
            account.has_no_password = false;
            account.credentials = Credentials::default();
        }
        b"sanitize-payload" => account.rights.skips_sanitizing = false,
        b"skip-sanitize-payload" => account.rights.skips_sanitizing = true,
        b"reset" => *account = account::none(),
        b"clearselectors" => account.rights.others.clear(),
        [b'>', ..] => add_password(account, hash_of(rule.get(1..).unwrap_or_default())),
        [b'#', ..] => add_password(account, parse_hash(rule)?),
        [b'<', ..] => remove_password(account, hash_of(rule.get(1..).unwrap_or_default()))?,
        [b'!', ..] => remove_password(account, parse_hash(rule)?)?,
        [b'(', inner @ .., b')'] => {
            // Only what is in it needs its case.
            let inner = rule.get(1..=inner.len()).unwrap_or_default();
            let mut selector = Selector::default();
            for rule in inner.split(|byte| *byte == b' ').filter(|rule| !rule.is_empty()) {
                apply_to_selector(&mut selector, rule)?;
            }
            account.rights.others.push(selector);
        }
        _ => apply_to_selector(&mut account.rights.root, rule)?,
    }
    Ok(())
}

fn add_password(account: &mut Account, hash: PasswordHash) {
    account.has_no_password = false;
    if !account.credentials.hashes.contains(&hash) {
        account.credentials.hashes.push(hash);
    }
}

fn remove_password(account: &mut Account, hash: PasswordHash) -> Result<(), &'static str> {
    let at = account.credentials.hashes.iter().position(|kept| *kept == hash).ok_or(NO_PASSWORD)?;
    account.credentials.hashes.remove(at);
    Ok(())
}

/// The hash behind the first byte of a rule.
fn parse_hash(rule: &[u8]) -> Result<PasswordHash, &'static str> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(NO_HASH),
    };
    let (pairs, rest) = rule.get(1..).unwrap_or_default().as_chunks::<2>();
    let mut hash = PasswordHash::default();
    if pairs.len() != hash.len() || !rest.is_empty() {
        return Err(NO_HASH);
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(hash)
}

fn apply_to_selector(selector: &mut Selector, rule: &[u8]) -> Result<(), &'static str> {
    let lower = rule.to_ascii_lowercase();
    match &*lower {
        b"allkeys" | b"~*" => {
            selector.has_all_keys = true;
            selector.keys.clear();
        }
        b"resetkeys" => {
            selector.has_all_keys = false;
            selector.keys.clear();
        }
        b"allchannels" | b"&*" => {
            selector.has_all_channels = true;
            selector.channels.clear();
        }
        b"resetchannels" => {
            selector.has_all_channels = false;
            selector.channels.clear();
        }
        b"allcommands" | b"+@all" => {
            selector.has_all_commands = true;
            selector.rights.clear();
        }
        b"nocommands" | b"-@all" => {
            selector.has_all_commands = false;
            selector.rights.clear();
        }
        [b'~' | b'%', ..] => add_keys(selector, rule)?,
        [b'&', ..] if selector.has_all_channels => return Err(ALL_CHANNELS),
        [b'&', pattern @ ..] => {
            let pattern = rule.get(rule.len() - pattern.len()..).unwrap_or_default();
            check_pattern(pattern)?;
            if !selector.channels.iter().any(|other| other == pattern) {
                selector.channels.push(pattern.to_vec());
            }
        }
        [sign @ (b'+' | b'-'), name @ ..] => {
            let right = Right { is_allowed: *sign == b'+', subject: subject(*sign == b'+', name)? };
            selector.rights.retain(|other| !supersedes(&right.subject, &other.subject));
            selector.rights.push(right);
        }
        _ => return Err(SYNTAX),
    }
    Ok(())
}

/// Whether a rule about `new` leaves nothing of an older one about `old`.
fn supersedes(new: &Subject, old: &Subject) -> bool {
    match (new, old) {
        (Subject::Command(new), Subject::Subcommand(old, _)) => new == old,
        _ => new == old,
    }
}

fn add_keys(selector: &mut Selector, rule: &[u8]) -> Result<(), &'static str> {
    if selector.has_all_keys {
        return Err(ALL_KEYS);
    }
    let (access, pattern) = match rule {
        [b'~', pattern @ ..] => (Access::all(), pattern),
        [b'%', rest @ ..] => {
            let at = rest.iter().position(|byte| *byte == b'~').filter(|at| *at > 0).ok_or(SYNTAX)?;
            let (letters, pattern) = rest.split_at(at);
            let mut access = Access::empty();
            for letter in letters {
                access |= match letter.to_ascii_lowercase() {
                    b'r' if !access.contains(Access::READ) => Access::READ,
                    b'w' if !access.contains(Access::WRITE) => Access::WRITE,
                    _ => return Err(SYNTAX),
                };
            }
            (access, pattern.get(1..).unwrap_or_default())
        }
        _ => return Err(SYNTAX),
    };
    check_pattern(pattern)?;
    match selector.keys.iter_mut().find(|(other, _)| other == pattern) {
        Some((_, other)) => *other |= access,
        None => selector.keys.push((pattern.to_vec(), access)),
    }
    Ok(())
}

/// A pattern is a word of the rules, and has to stay one.
fn check_pattern(pattern: &[u8]) -> Result<(), &'static str> {
    if pattern.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0) { Err(SYNTAX) } else { Ok(()) }
}

/// What `name`, in lower case, is about.
fn subject(is_allowed: bool, name: &[u8]) -> Result<Subject, &'static str> {
    if let [b'@', category @ ..] = name {
        return Categories::named(category).map(Subject::Category).ok_or(UNKNOWN);
    }
    let mut parts = name.split(|byte| *byte == b'|');
    let command = parts.next().and_then(find).ok_or(UNKNOWN)?;
    let Some(second) = parts.next() else { return Ok(Subject::Command(command.name)) };
    let is_container = command.is_container();
    if is_container && command.subcommand(second).is_none() {
        return Err(UNKNOWN);
    }
    match parts.next() {
        Some(_) if is_container => Err("Allowing first-arg of a subcommand is not supported"),
        Some(_) => Err(UNKNOWN),
        // What a command is not allowed with cannot be said of its arguments.
        None if !is_container && !is_allowed => Err(UNKNOWN),
        None if second.is_empty() => Err(SYNTAX),
        None => Ok(Subject::Subcommand(command.name, second.to_vec())),
    }
}
