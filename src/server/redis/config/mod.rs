//! Parameters of `CONFIG`: all that Redis 7.2 has.
//!
//! Every one can be read. What is set is given back; the store and the door act on the budget of memory and its policy,
//! the events of keys, the password, the slow log, the clients' number and time, and the thresholds of encodings. What they would
//! have to act on and do not is refused.

mod table;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::glob;
use crate::kv::{EvictionPolicy, KeyEvents};
use crate::server::redis::acl::{DEFAULT, Users, rights};
use crate::server::redis::command::Refusal;
use crate::store::Store;
use table::{Parameter, TABLE};
use value::Kind;

/// What the parameters are set to.
#[derive(Debug)]
pub(super) struct Parameters {
    values: RefCell<BTreeMap<&'static str, Vec<u8>>>,
    /// Microseconds from which a command is slow; none is below 0.
    pub(super) slow_micros: Cell<i64>,
    /// Seconds after which a client that sends nothing is parted with; never at 0.
    pub(super) idle_seconds: Cell<u64>,
}

/// A parameter with its value.
pub(super) type Value = (&'static str, Vec<u8>);

impl Parameters {
    /// Those of a door at `address`, as they are at first.
    pub(super) fn new(address: SocketAddr, password: Option<&[u8]>) -> Self {
        let own = TABLE.iter().filter(|parameter| parameter.kind.is_some());
        let mut values: BTreeMap<_, _> =
            own.map(|parameter| (parameter.name, parameter.first.as_bytes().to_vec())).collect();
        values.insert("port", address.port().to_string().into_bytes());
        values.insert("bind", address.ip().to_string().into_bytes());
        values.insert("requirepass", password.unwrap_or_default().to_vec());
        let parameters = Self { values: RefCell::new(values), slow_micros: Cell::new(-1), idle_seconds: Cell::new(0) };
        parameters.slow_micros.set(parameters.number("slowlog-log-slower-than"));
        parameters
    }

    /// Those whose name matches one of `patterns`, which are in lower case.
    pub(super) fn matching(&self, patterns: &[Vec<u8>], store: &Store) -> Vec<Value> {
        let is_meant = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, name.as_bytes()));
        let found = TABLE.iter().filter(|parameter| is_meant(parameter.name));
        found.map(|parameter| (parameter.name, self.get(parameter.own_name(), store))).collect()
    }

    /// The value of a parameter. What a program can set too is asked of the store.
    fn get(&self, name: &str, store: &Store) -> Vec<u8> {
        let (budget, policy) = store.memory_budget();
        match name {
            "maxmemory" => budget.unwrap_or(0).to_string().into_bytes(),
            "maxmemory-policy" => policy.name().as_bytes().to_vec(),
            _ => self.values.borrow().get(name).cloned().unwrap_or_default(),
        }
    }

    /// A parameter as it is written.
    pub(super) fn text(&self, name: &str) -> String {
        self.values.borrow().get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    /// A parameter that is a number; 0 when it is none.
    pub(super) fn number(&self, name: &str) -> i64 {
        let values = self.values.borrow();
        let value = values.get(name).and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        value.unwrap_or(0)
    }

    /// A parameter that is a count.
    pub(super) fn count(&self, name: &str) -> u64 {
        u64::try_from(self.number(name)).unwrap_or(0)
    }

    /// Sets all of `pairs`, or none.
    pub(super) fn set(&self, pairs: &[[&[u8]; 2]], store: &Store, users: &Users) -> Result<(), Refusal> {
        let mut changes: Vec<Value> = Vec::new();
        let mut names = Vec::new();
        for [name, _] in pairs {
            let text = String::from_utf8_lossy(name);
            let Some(parameter) = find(&text) else {
                return Err(format!("ERR Unknown option or number of arguments for CONFIG SET - '{text}'").into());
            };
            if names.contains(&parameter.name) {
                return Err(failed(&text, "duplicate parameter"));
            }
            names.push(parameter.name);
        }
        for [name, value] in pairs {
            let text = String::from_utf8_lossy(name);
            let Some((own, kind)) = find(&text).and_then(Parameter::own) else { continue };
            let before = self.get(own, store);
            let mut value = kind.parse(value, &before).map_err(|reason| failed(&text, &reason))?;
            if own == "hz" {
                value = clamp_hz(&value);
            }
            if WITHOUT_EFFECT.contains(&own) && value != before {
                return Err(failed(&text, "not supported: the door would not act on it"));
            }
            changes.push((own, value));
        }
        apply(&changes, store, users)?;
        self.values.borrow_mut().extend(changes);
        self.slow_micros.set(self.number("slowlog-log-slower-than"));
        self.idle_seconds.set(self.count("timeout"));
        Ok(())
    }
}

/// Parameters that clients depend on, and that nothing here would act on: they can be set to what they are.
const WITHOUT_EFFECT: [&str; 4] = ["appendfsync", "appendonly", "latency-monitor-threshold", "save"];

/// Has store and door act on what is set. What can be refused comes first.
fn apply(changes: &[Value], store: &Store, users: &Users) -> Result<(), Refusal> {
    let new = |wanted: &str| changes.iter().rev().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
    let (budget, policy) = (new("maxmemory").map(text), new("maxmemory-policy").map(text));
    if budget.is_some() || policy.is_some() {
        let (budget_before, policy_before) = store.memory_budget();
        let policy = policy.and_then(|name| EvictionPolicy::parse(&name)).unwrap_or(policy_before);
        let budget = match budget.and_then(|bytes| bytes.parse::<u64>().ok()) {
            None => budget_before,
            Some(bytes) => (bytes > 0).then_some(bytes),
        };
        store.set_memory_budget(budget, policy)?;
    }
    if let Some(events) = new("notify-keyspace-events") {
        store.publish_key_events(KeyEvents::parse(&text(events))?);
    }
    if let Some(password) = new("requirepass") {
        let mut rights = users.default_user().rights().clone();
        rights.has_no_password = password.is_empty();
        rights.passwords.clear();
        if !password.is_empty() {
            rights.passwords.push(rights::hash_of(password));
        }
        users.set(DEFAULT, rights);
    }
    Ok(())
}

impl Parameter {
    /// The parameter that this is, or is another name of.
    fn own_name(&self) -> &'static str {
        if self.kind.is_some() { self.name } else { self.first }
    }

    fn own(&'static self) -> Option<(&'static str, Kind)> {
        let own = if self.kind.is_some() { self } else { find(self.first)? };
        Some((own.name, own.kind?))
    }
}

fn find(name: &str) -> Option<&'static Parameter> {
    TABLE.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

fn failed(name: &str, reason: &str) -> Refusal {
    format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}").into()
}

/// The frequencies that Redis runs at.
fn clamp_hz(value: &[u8]) -> Vec<u8> {
    let hz = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok()).unwrap_or(10);
    hz.clamp(1, 500).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_what_it_is_at_first_can_be_set() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
        }
        for parameter in TABLE {
            let (_, kind) = parameter.own().unwrap();
            if parameter.kind.is_some() && !matches!(kind, Kind::Immutable | Kind::Protected) {
                let first = parameter.first.as_bytes();
                assert_eq!(kind.parse(first, first).unwrap(), first, "{}", parameter.name);
            }
        }
    }

    #[test]
    fn all_are_set_or_none() {
        let (store, users) = (Store::in_memory(), Users::new(None, &[]));
        let parameters = Parameters::new(([127, 0, 0, 1], 6379).into(), None);
        let get = |name: &str| {
            let found = parameters.matching(&[name.as_bytes().to_vec()], &store);
            String::from_utf8(found.into_iter().next().unwrap().1).unwrap()
        };
        parameters.set(&[[b"maxmemory", b"1gb"], [b"Maxmemory-Policy", b"AllKeys-LRU"]], &store, &users).unwrap();
        assert_eq!((&*get("maxmemory"), &*get("maxmemory-policy")), ("1073741824", "allkeys-lru"));
        assert_eq!(store.memory_budget(), (Some(1 << 30), EvictionPolicy::AllKeysLru));
        parameters.set(&[[b"timeout", b"5"], [b"hz", b"x"]], &store, &users).unwrap_err();
        parameters.set(&[[b"timeout", b"5"], [b"port", b"1"]], &store, &users).unwrap_err();
        parameters.set(&[[b"timeout", b"5"], [b"TIMEOUT", b"6"]], &store, &users).unwrap_err();
        assert_eq!(get("timeout"), "0");
        parameters.set(&[[b"maxmemory", b"0"], [b"slave-priority", b"7"], [b"hz", b"9999"]], &store, &users).unwrap();
        assert_eq!((store.memory_budget().0, &*get("replica-priority"), &*get("hz")), (None, "7", "500"));
        parameters.set(&[[b"requirepass", b"secret"]], &store, &users).unwrap();
        assert!(!users.default_user().is_open() && users.default_user().admits(b"secret"));
        parameters.set(&[[b"requirepass", b""]], &store, &users).unwrap();
        assert!(users.default_user().is_open());
        parameters.set(&[[b"notify-keyspace-events", b"AK"]], &store, &users).unwrap();
        assert_eq!(get("notify-keyspace-events"), "AK");
        parameters.set(&[[b"notify-keyspace-events", b"Kn"]], &store, &users).unwrap_err();
    }
}
