//! The clients of the door: `CLIENT LIST`, `INFO` and `KILL`.

use crate::server::redis::run::client_line::{line, own_line};
use crate::server::redis::run::command::{Call, Outcome, Refusal, integer, is};
use crate::server::redis::state::client::Client;

/// Which clients are meant.
#[derive(Debug, Default)]
struct Filter {
    ids: Option<Vec<u64>>,
    kind: Option<Kind>,
    user: Option<Vec<u8>>,
    address: Option<String>,
    local: Option<String>,
    /// Those that have been connected for at least this many seconds.
    age: Option<u64>,
    skips_own: bool,
}

/// What a client is there for. There are no replicas, and no master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Subscriber,
    Replication,
}

impl Kind {
    fn parse(word: &[u8]) -> Result<Self, Refusal> {
        match word {
            word if is(word, "normal") => Ok(Self::Normal),
            word if is(word, "pubsub") => Ok(Self::Subscriber),
            word if is(word, "master") || is(word, "replica") || is(word, "slave") => Ok(Self::Replication),
            _ => Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(word)).into()),
        }
    }

    fn of(client: &Client) -> Self {
        if client.topics.borrow().is_empty() { Self::Normal } else { Self::Subscriber }
    }
}

impl Filter {
    fn has(&self, client: &Client, call: &Call<'_>) -> bool {
        let age = || call.door.store.now().saturating_since(client.since).as_secs();
        let addresses = || call.door.addresses_of(client);
        self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && self.kind.is_none_or(|kind| kind == Kind::of(client))
            && self.user.as_ref().is_none_or(|user| *user == client.user.borrow().name)
            && self.address.as_ref().is_none_or(|wanted| addresses()[0] == *wanted)
            && self.local.as_ref().is_none_or(|wanted| addresses()[1] == *wanted)
            && self.age.is_none_or(|least| age() >= least)
            && !(self.skips_own && client.id == call.session.id)
    }
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let filter = match call.rest(2) {
        [] => Filter::default(),
        [word, kind] if is(word, "type") => Filter { kind: Some(Kind::parse(kind)?), ..Filter::default() },
        [word, ids @ ..] if is(word, "id") && !ids.is_empty() => {
            let ids: Option<Vec<_>> =
                ids.iter().map(|id| integer(id).map(|id| u64::try_from(id).unwrap_or(0))).collect();
            Filter { ids: Some(ids.ok_or("ERR Invalid client ID")?), ..Filter::default() }
        }
        _ => return Err(Refusal::syntax()),
    };
    let clients = call.door.clients.all();
    let meant = clients.iter().filter(|client| filter.has(client, call));
    let lines: String = meant.map(|client| line(client, call)).collect();
    call.reply.verbatim(&lines);
    Ok(())
}

pub(super) fn info(call: &mut Call<'_>) -> Outcome {
    let line = own_line(call);
    call.reply.verbatim(&line);
    Ok(())
}

pub(super) fn kill(call: &mut Call<'_>) -> Outcome {
    let options = call.rest(2);
    let is_old_form = options.len() == 1;
    let filter = match options {
        [address] => Filter { address: Some(String::from_utf8_lossy(address).into_owned()), ..Filter::default() },
        options => parse_filters(call, options)?,
    };
    let mut meant = call.door.clients.all();
    meant.retain(|client| filter.has(client, call));
    for client in &meant {
        if client.id == call.session.id {
            call.session.is_closing = true;
        } else {
            client.cut_off();
        }
    }
    match (is_old_form, meant.len()) {
        (true, 0) => return Err("ERR No such client".into()),
        (true, _) => call.reply.ok(),
        (false, killed) => call.reply.count(killed as u64),
    }
    Ok(())
}

fn parse_filters(call: &Call<'_>, options: &[&[u8]]) -> Result<Filter, Refusal> {
    let (pairs, rest) = options.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() {
        return Err(Refusal::syntax());
    }
    let positive =
        |word: &[u8]| integer(word).and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
    let mut filter = Filter { skips_own: true, ..Filter::default() };
    for [name, value] in pairs {
        let text = String::from_utf8_lossy(value).into_owned();
        match &*name.to_ascii_lowercase() {
            b"id" => filter.ids = Some(vec![positive(value).ok_or("ERR client-id should be greater than 0")?]),
            b"type" => filter.kind = Some(Kind::parse(value)?),
            b"user" => {
                call.door.users.get(value).ok_or_else(|| format!("ERR No such user '{text}'"))?;
                filter.user = Some(value.to_vec());
            }
            b"addr" => filter.address = Some(text),
            b"laddr" => filter.local = Some(text),
            b"maxage" => filter.age = Some(positive(value).ok_or("ERR maxage should be greater than 0")?),
            b"skipme" if is(value, "yes") => filter.skips_own = true,
            b"skipme" if is(value, "no") => filter.skips_own = false,
            _ => return Err(Refusal::syntax()),
        }
    }
    Ok(filter)
}
