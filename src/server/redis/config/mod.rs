//! Parameters of `CONFIG`: all that Redis 7.2 has.
//!
//! Every one can be read. One that the store or the door acts on can be set (`live.rs`); any other can only be set to
//! what it is, and says why (`table.rs`).

pub(super) mod bounds;
mod live;
mod table;
mod value;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::engine::Durability;
use crate::glob;
use crate::server::address::Address;
use crate::server::redis::acl::Users;
use crate::server::redis::frame::refusal::Refusal;
use crate::store::Store;
use live::{Change, Live, Numbers, Tuned, apply};
pub(super) use live::{ClientsMemory, OutputClass, OutputLimit};
use table::{Effect, Parameter, TABLE};
use value::Kind;

/// The parameter that the program sets when it opens the door.
const DEBUG: &str = "enable-debug-command";

/// What the parameters are set to.
#[derive(Debug)]
pub(super) struct Parameters {
    values: RefCell<BTreeMap<&'static str, Vec<u8>>>,
    numbers: Numbers,
    /// Whoever makes checkpoints has to look at the parameter `save`.
    pub(super) save_points_changed: tokio::sync::Notify,
}

/// A parameter with its value.
pub(super) type Value = (&'static str, Vec<u8>);

impl Parameters {
    /// Those of a door to `store` at `address`, as they are at first.
    pub(super) fn new(store: &Store, address: &Address, password: Option<&[u8]>) -> Self {
        let (appends, syncs) = durability(store);
        let own = TABLE.iter().filter_map(|parameter| Some((parameter, parameter.kind?)));
        let (mut values, numbers) = (BTreeMap::new(), Numbers::default());
        for (parameter, kind) in own {
            let first = parameter.first.as_bytes();
            if let Effect::Live(Live::Number(number)) = parameter.effect {
                numbers.set(number, kind.number(first));
            }
            values.insert(parameter.name, first.to_vec());
        }
        values.insert("appendonly", appends.as_bytes().to_vec());
        values.insert("appendfsync", syncs.as_bytes().to_vec());
        if let Some(address) = address.socket_addr() {
            values.insert("port", address.port().to_string().into_bytes());
            values.insert("bind", address.ip().to_string().into_bytes());
        }
        if let Some(path) = address.path() {
            values.insert("port", b"0".to_vec());
            values.insert("unixsocket", path.as_os_str().as_encoded_bytes().to_vec());
            // What the listener gives the file.
            values.insert("unixsocketperm", b"600".to_vec());
        }
        values.insert("requirepass", password.unwrap_or_default().to_vec());
        Self { values: RefCell::new(values), numbers, save_points_changed: tokio::sync::Notify::new() }
    }

    /// As they are when clients may use `DEBUG`.
    pub(super) fn with_debug(self, allows_debug: bool) -> Self {
        if allows_debug {
            self.values.borrow_mut().insert(DEBUG, b"yes".to_vec());
        }
        self
    }

    /// As they are when clients speak TLS: what `port` was is `tls-port`.
    pub(super) fn with_tls(self, is_encrypted: bool) -> Self {
        if is_encrypted {
            let mut values = self.values.borrow_mut();
            let port = values.insert("port", b"0".to_vec()).unwrap_or_default();
            values.insert("tls-port", port);
            values.insert("tls-auth-clients", b"no".to_vec());
            values.insert("tls-protocols", b"TLSv1.2 TLSv1.3".to_vec());
        }
        self
    }

    /// Whether clients may use `DEBUG`.
    pub(super) fn allows_debug(&self) -> bool {
        self.text(DEBUG) == "yes"
    }

    /// Those whose name matches one of `patterns`, which are in lower case.
    pub(super) fn matching(&self, patterns: &[Vec<u8>], store: &Store) -> Vec<Value> {
        let is_meant = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, name.as_bytes()));
        let found = TABLE.iter().filter(|parameter| is_meant(parameter.name));
        found.map(|parameter| (parameter.name, self.get(parameter.own(), store))).collect()
    }

    /// The value of a parameter. What belongs to the store is asked of it: another door may have set it.
    fn get(&self, parameter: &Parameter, store: &Store) -> Vec<u8> {
        let tuning = || store.eviction_tuning();
        let number = match parameter.effect {
            Effect::Live(Live::Budget) => store.memory_budget().0.unwrap_or(0),
            Effect::Live(Live::Eviction(Tuned::Samples)) => tuning().samples.into(),
            Effect::Live(Live::Eviction(Tuned::DecayMinutes)) => tuning().decay_minutes.into(),
            Effect::Live(Live::Eviction(Tuned::GrowthFactor)) => tuning().growth_factor.into(),
            Effect::Live(Live::Policy) => return store.memory_budget().1.name().as_bytes().to_vec(),
            _ => return self.values.borrow().get(parameter.name).cloned().unwrap_or_default(),
        };
        number.to_string().into_bytes()
    }

    /// A parameter as it is written.
    fn text(&self, name: &str) -> String {
        self.values.borrow().get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    /// Sets all of `pairs`, or none.
    pub(super) fn set(&self, pairs: &[[&[u8]; 2]], store: &Store, users: &Users) -> Result<(), Refusal> {
        let mut meant: Vec<(&Parameter, Kind, String, &[u8])> = Vec::new();
        for [name, value] in pairs {
            let text = String::from_utf8_lossy(name).into_owned();
            let Some(parameter) = find(&text) else {
                return Err(format!("ERR Unknown option or number of arguments for CONFIG SET - '{text}'").into());
            };
            if meant.iter().any(|(other, ..)| other.name == parameter.name) {
                return Err(failed(&text, "duplicate parameter"));
            }
            let own = parameter.own();
            // Another name has no kind; what it stands for has one.
            let Some(kind) = own.kind else { continue };
            meant.push((own, kind, text, value));
        }
        let mut values = Vec::new();
        for (parameter, kind, text, value) in &meant {
            let before = self.get(parameter, store);
            let value = kind.parse(value, &before).map_err(|reason| failed(text, &reason))?;
            if let Effect::Fixed(reason) = parameter.effect
                && value != before
            {
                return Err(failed(text, &format!("not supported: {reason}")));
            }
            values.push(value);
        }
        let changes = meant.iter().zip(&values).filter_map(|((parameter, kind, ..), value)| match parameter.effect {
            Effect::Live(live) => Some(Change { live, value, number: kind.number(value) }),
            Effect::Fixed(_) | Effect::Unset => None,
        });
        apply(self, &changes.collect::<Vec<_>>(), store, users)?;
        self.values.borrow_mut().extend(meant.iter().map(|(parameter, ..)| parameter.name).zip(values));
        self.save_points_changed.notify_one();
        Ok(())
    }
}

/// What `appendonly` and `appendfsync` are for the way in which the store keeps its commits.
fn durability(store: &Store) -> (&'static str, &'static str) {
    let is_on_disk = store.stats().is_ok_and(|stats| stats.disk_bytes > 0);
    match store.durability() {
        _ if !is_on_disk => ("no", "no"),
        Durability::Sync => ("yes", "always"),
        Durability::Interval(_) => ("yes", "everysec"),
        Durability::None => ("yes", "no"),
    }
}

impl Parameter {
    /// The parameter that this is, or is another name of.
    fn own(&'static self) -> &'static Self {
        if self.kind.is_some() { self } else { find(self.first).unwrap_or(self) }
    }
}

fn find(name: &str) -> Option<&'static Parameter> {
    TABLE.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

fn failed(name: &str, reason: &str) -> Refusal {
    format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::EvictionPolicy;
    use crate::server::redis::acl;
    use crate::server::redis::acl::rights::NewUsersHear;
    use crate::server::saves::SavePoint;
    use live::Number;

    const PORT: u16 = 6379;

    fn get(parameters: &Parameters, store: &Store, name: &str) -> String {
        let found = parameters.matching(&[name.as_bytes().to_vec()], store);
        String::from_utf8(found.into_iter().next().unwrap().1).unwrap()
    }

    #[test]
    fn every_name_is_there_once_and_what_it_is_at_first_can_be_set() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
        }
        for parameter in TABLE {
            let kind = parameter.own().kind.unwrap();
            if parameter.kind.is_some() && parameter.effect != Effect::Unset {
                let first = parameter.first.as_bytes();
                assert_eq!(kind.parse(first, first).unwrap(), first, "{}", parameter.name);
            }
        }
    }

    /// Another value that the parameter's kind takes.
    fn another(parameter: &Parameter, before: &str) -> Option<String> {
        let other =
            |choices: &[&str]| choices.iter().find(|choice| **choice != before).map(|choice| (*choice).to_owned());
        match parameter.kind.unwrap() {
            Kind::YesNo => other(&["yes", "no"]),
            Kind::Integer(least, most) | Kind::Memory(least, most) => {
                other(&[&least.to_string(), &(least + 1).to_string(), &most.to_string()])
            }
            Kind::MemoryOrPercent => other(&["50%", "0"]),
            Kind::Choice(names) => other(names),
            Kind::Text => Some("other".to_owned()),
            Kind::Events => other(&["AKE", ""]),
            Kind::SavePoints => other(&["3600 1", ""]),
            Kind::OutputLimits => Some("normal 1 2 3 slave 4 5 6 pubsub 7 8 9".to_owned()),
            Kind::Percentiles => other(&["50", ""]),
            Kind::Scores => Some("1 2 3".to_owned()),
            Kind::Immutable | Kind::Protected => None,
        }
    }

    #[test]
    fn a_parameter_is_acted_on_or_refused_by_name_with_a_reason() {
        for parameter in TABLE.iter().filter(|parameter| parameter.kind.is_some()) {
            let (store, users) = (Store::in_memory(), acl::users(None, &[]));
            let parameters = Parameters::new(&store, &Address::local(PORT), None);
            let before = get(&parameters, &store, parameter.name);
            let value = another(parameter, &before);
            let text = value.as_deref().unwrap_or(&before);
            let outcome = parameters.set(&[[parameter.name.as_bytes(), text.as_bytes()]], &store, &users);
            match parameter.effect {
                Effect::Live(_) => {
                    outcome.unwrap();
                    assert_eq!(get(&parameters, &store, parameter.name), text, "{}", parameter.name);
                }
                Effect::Fixed(reason) => {
                    let refusal = outcome.unwrap_err().text();
                    let name = parameter.name;
                    assert_eq!(refusal, failed(name, &format!("not supported: {reason}")).text());
                    assert_eq!(get(&parameters, &store, name), before);
                    parameters.set(&[[name.as_bytes(), before.as_bytes()]], &store, &users).unwrap();
                }
                Effect::Unset => {
                    assert!(outcome.unwrap_err().text().ends_with(" config"), "{}", parameter.name);
                }
            }
        }
    }

    #[test]
    fn every_number_has_one_parameter() {
        for number in Number::ALL {
            let is_its = |parameter: &&Parameter| parameter.effect == Effect::Live(Live::Number(*number));
            assert_eq!(TABLE.iter().filter(is_its).count(), 1, "{number:?}");
        }
    }

    #[test]
    fn what_is_set_is_read_in_its_type() {
        let (store, users) = (Store::in_memory(), acl::users(None, &[]));
        let parameters = Parameters::new(&store, &Address::local(PORT), None);
        let set = |name: &str, value: &str| parameters.set(&[[name.as_bytes(), value.as_bytes()]], &store, &users);
        assert_eq!(
            (parameters.slow_micros(), parameters.clients_max(), parameters.tracks_latency()),
            (10_000, 10_000, true)
        );
        assert_eq!((parameters.keepalive_seconds(), parameters.busy_reply_ms()), (300, 5_000));
        set("lua-time-limit", "7").unwrap();
        set("slowlog-log-slower-than", "-1").unwrap();
        assert_eq!((parameters.busy_reply_ms(), parameters.slow_micros()), (7, -1));
        set("proto-max-bulk-len", "2mb").unwrap();
        set("client-query-buffer-limit", "1mb").unwrap();
        assert_eq!((parameters.bulk_bytes(), parameters.query_buffer_bytes()), (2 << 20, 1 << 20));
        set("proto-max-bulk-len", "1gb").unwrap_err();

        let clients = |budget| parameters.clients_memory().bytes(budget);
        assert_eq!(clients(Some(1_000)), None);
        set("maxmemory-clients", "25%").unwrap();
        assert_eq!((clients(Some(1_000)), clients(None)), (Some(250), None));
        set("maxmemory-clients", "1kb").unwrap();
        assert_eq!(clients(Some(9)), Some(1_024));
        let text = set("maxmemory-clients", "101%").unwrap_err().text();
        assert!(text.ends_with("percentage argument must be less or equal to 100"), "{text}");

        let limit = |hard_bytes, soft_bytes, soft_seconds| OutputLimit { hard_bytes, soft_bytes, soft_seconds };
        assert_eq!(parameters.output_limit(OutputClass::Normal), limit(0, 0, 0));
        assert_eq!(parameters.output_limit(OutputClass::Subscriber), limit(32 << 20, 8 << 20, 60));
        set("client-output-buffer-limit", "pubsub 3 2 1 normal 4mb 5 6").unwrap();
        assert_eq!(parameters.output_limit(OutputClass::Normal), limit(4 << 20, 5, 6));
        assert_eq!(parameters.output_limit(OutputClass::Subscriber), limit(3, 2, 1));

        assert_eq!(parameters.save_points(), []);
        set("save", "3600 1  60 10").unwrap();
        let point = |seconds, changes| SavePoint { changes, seconds };
        assert_eq!(parameters.save_points(), [point(3_600, 1), point(60, 10)]);
        assert_eq!(parameters.new_users_hear(), NewUsersHear::None);
        set("acl-pubsub-default", "AllChannels").unwrap();
        assert_eq!(parameters.new_users_hear(), NewUsersHear::All);
    }

    #[test]
    fn durability_is_told_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        for (at, (durability, appends, syncs)) in [
            (Durability::Sync, "yes", "always"),
            (Durability::Interval(std::time::Duration::from_secs(1)), "yes", "everysec"),
            (Durability::None, "yes", "no"),
        ]
        .into_iter()
        .enumerate()
        {
            let store = Store::builder().durability(durability).open(directory.path().join(at.to_string())).unwrap();
            let parameters = Parameters::new(&store, &Address::local(PORT), None);
            assert_eq!(get(&parameters, &store, "appendonly"), appends);
            assert_eq!(get(&parameters, &store, "appendfsync"), syncs);
        }
        let store = Store::in_memory();
        assert_eq!(get(&Parameters::new(&store, &Address::local(PORT), None), &store, "appendonly"), "no");
    }

    #[test]
    fn all_are_set_or_none() {
        let (store, users) = (Store::in_memory(), acl::users(None, &[]));
        let parameters = Parameters::new(&store, &Address::local(PORT), None);
        let get = |name: &str| get(&parameters, &store, name);
        parameters.set(&[[b"maxmemory", b"1gb"], [b"Maxmemory-Policy", b"AllKeys-LRU"]], &store, &users).unwrap();
        assert_eq!((&*get("maxmemory"), &*get("maxmemory-policy")), ("1073741824", "allkeys-lru"));
        assert_eq!(store.memory_budget(), (Some(1 << 30), EvictionPolicy::AllKeysLru));
        parameters.set(&[[b"timeout", b"5"], [b"hz", b"x"]], &store, &users).unwrap_err();
        parameters.set(&[[b"timeout", b"5"], [b"port", b"1"]], &store, &users).unwrap_err();
        parameters.set(&[[b"timeout", b"5"], [b"TIMEOUT", b"6"]], &store, &users).unwrap_err();
        assert_eq!(get("timeout"), "0");
        parameters
            .set(&[[b"maxmemory", b"0"], [b"slave-priority", b"100"], [b"lua-time-limit", b"9"]], &store, &users)
            .unwrap();
        assert_eq!((store.memory_budget().0, &*get("busy-reply-threshold")), (None, "9"));
        parameters.set(&[[b"requirepass", b"secret"]], &store, &users).unwrap();
        assert!(!users.default_user().is_open() && users.admit(b"default", b"secret").is_some());
        parameters.set(&[[b"requirepass", b""]], &store, &users).unwrap();
        assert!(users.default_user().is_open());
        parameters.set(&[[b"notify-keyspace-events", b"AK"]], &store, &users).unwrap();
        assert_eq!(get("notify-keyspace-events"), "AK");
        parameters.set(&[[b"notify-keyspace-events", b"Kn"]], &store, &users).unwrap_err();
    }
}
