//! Searches for places, in the words of `GEOSEARCH` and in the older ones of `GEORADIUS`.

use crate::engine::Direction;
use crate::kv::{GeoMatch, GeoPosition, GeoShape};
use crate::server::redis::commands::geo::{distance_text, position, unit, write_position};
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, integer, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("georadius", |call| search(call, Form::Radius, true)),
    command("georadius_ro", |call| search(call, Form::Radius, false)),
    command("georadiusbymember", |call| search(call, Form::RadiusByMember, true)),
    command("georadiusbymember_ro", |call| search(call, Form::RadiusByMember, false)),
    command("geosearch", |call| search(call, Form::Search, false)),
    command("geosearchstore", |call| search(call, Form::Search, true)),
];

/// Where a command has the centre and the shape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Position, radius and unit come after the key.
    Radius,
    /// Member, radius and unit come after the key.
    RadiusByMember,
    /// They are among the options.
    Search,
}

enum Centre<'a> {
    Position(GeoPosition),
    Member(&'a [u8]),
}

/// What the words ask for.
#[derive(Default)]
struct Wanted<'a> {
    centre: Option<Centre<'a>>,
    shape: Option<GeoShape>,
    order: Option<Direction>,
    count: Option<u64>,
    /// Whether the first that are found will do.
    any: bool,
    with: With,
    target: Option<&'a [u8]>,
    stores_distances: bool,
}

/// What is answered besides the members.
#[derive(Clone, Copy, Default)]
struct With {
    distance: bool,
    hash: bool,
    position: bool,
}

impl With {
    fn count(self) -> usize {
        [self.distance, self.hash, self.position].into_iter().filter(|with| *with).count()
    }
}

/// Runs a search. What it finds is stored, or may be, where `stores` says so.
fn search(call: &mut Call<'_>, form: Form, stores: bool) -> Outcome {
    let mut wanted = Wanted::default();
    let is_store = form == Form::Search && stores;
    let key = call.word(if is_store { 2 } else { 1 });
    wanted.target = is_store.then(|| call.word(1));
    // A key of another kind is refused before the words are looked at.
    let is_there = call.kv().sorted_set(key).len()? > 0;
    let options = match form {
        Form::Search => call.rest(if is_store { 3 } else { 2 }),
        Form::Radius => {
            wanted.centre = Some(Centre::Position(position(call.word(2), call.word(3))?));
            wanted.shape = Some(circle(call.word(4), call.word(5))?);
            call.rest(6)
        }
        Form::RadiusByMember => {
            wanted.centre = Some(Centre::Member(call.word(2)));
            // Redis does not look at the radius when there is nothing to search.
            let (radius, unit) = if is_there { (call.word(3), call.word(4)) } else { (&b"0"[..], &b"m"[..]) };
            wanted.shape = Some(circle(radius, unit)?);
            call.rest(5)
        }
    };
    wanted.read(options, form, stores)?;
    wanted.check(call, form)?;
    run(call, key, &wanted)
}

impl<'a> Wanted<'a> {
    fn read(&mut self, mut options: &[&'a [u8]], form: Form, stores: bool) -> Outcome {
        let is_search = form == Form::Search;
        while let [name, rest @ ..] = options {
            options = match rest {
                _ if self.read_word(name) => rest,
                [count, rest @ ..] if is(name, "count") => {
                    let count = integer(count).ok_or_else(Refusal::not_an_integer)?;
                    let count = u64::try_from(count).ok().filter(|count| *count > 0);
                    self.count = Some(count.ok_or("ERR COUNT must be > 0")?);
                    rest
                }
                [target, rest @ ..] if !is_search && stores && (is(name, "store") || is(name, "storedist")) => {
                    (self.target, self.stores_distances) = (Some(*target), is(name, "storedist"));
                    rest
                }
                rest if is_search && stores && is(name, "storedist") => {
                    self.stores_distances = true;
                    rest
                }
                rest if is_search => self.read_place(name, rest)?,
                _ => return Err(Refusal::syntax()),
            };
        }
        Ok(())
    }

    /// Takes an option of one word, and returns whether it is one.
    fn read_word(&mut self, name: &[u8]) -> bool {
        if is(name, "asc") {
            self.order = Some(Direction::Forward);
        } else if is(name, "desc") {
            self.order = Some(Direction::Backward);
        } else {
            let flags = [
                ("any", &mut self.any),
                ("withcoord", &mut self.with.position),
                ("withdist", &mut self.with.distance),
                ("withhash", &mut self.with.hash),
            ];
            let Some((_, flag)) = flags.into_iter().find(|(known, _)| is(name, known)) else { return false };
            *flag = true;
        }
        true
    }

    /// Takes the centre or the shape, each once, and returns the rest.
    fn read_place<'w>(&mut self, name: &[u8], rest: &'w [&'a [u8]]) -> Result<&'w [&'a [u8]], Refusal> {
        let (has_centre, has_shape) = (self.centre.is_some(), self.shape.is_some());
        match rest {
            [member, rest @ ..] if is(name, "frommember") && !has_centre => {
                self.centre = Some(Centre::Member(member));
                Ok(rest)
            }
            [longitude, latitude, rest @ ..] if is(name, "fromlonlat") && !has_centre => {
                self.centre = Some(Centre::Position(position(longitude, latitude)?));
                Ok(rest)
            }
            [radius, unit, rest @ ..] if is(name, "byradius") && !has_shape => {
                self.shape = Some(circle(radius, unit)?);
                Ok(rest)
            }
            [width, height, unit_name, rest @ ..] if is(name, "bybox") && !has_shape => {
                let width = float(width).ok_or("ERR need numeric width")?;
                let height = float(height).ok_or("ERR need numeric height")?;
                self.shape = Some(GeoShape::rectangle(width, height, unit(unit_name)?));
                Ok(rest)
            }
            _ => Err(Refusal::syntax()),
        }
    }

    fn check(&self, call: &Call<'_>, form: Form) -> Outcome {
        let name = String::from_utf8_lossy(call.word(0));
        if self.target.is_some() && self.with.count() > 0 {
            let what = if form == Form::Search { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(format!("ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options").into());
        }
        if self.centre.is_none() {
            return Err(format!("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}").into());
        }
        if self.shape.is_none() {
            return Err(format!("ERR exactly one of BYRADIUS and BYBOX can be specified for {name}").into());
        }
        if self.any && self.count.is_none() {
            return Err("ERR the ANY argument requires COUNT argument".into());
        }
        Ok(())
    }
}

fn circle(radius: &[u8], unit_name: &[u8]) -> Result<GeoShape, Refusal> {
    let radius = float(radius).ok_or("ERR need numeric radius")?;
    Ok(GeoShape::circle(radius, unit(unit_name)?))
}

fn run(call: &mut Call<'_>, key: &[u8], wanted: &Wanted<'_>) -> Outcome {
    let (Some(centre), Some(shape)) = (&wanted.centre, wanted.shape) else { return Err(Refusal::syntax()) };
    let geo = call.kv().geo(key);
    let mut search = match centre {
        Centre::Position(position) => geo.search(*position, shape),
        Centre::Member(member) => geo.search_from_member(member, shape),
    };
    search = match wanted.order {
        Some(Direction::Forward) => search.ascending(),
        Some(Direction::Backward) => search.descending(),
        None => search,
    };
    search = match wanted.count {
        Some(count) if wanted.any => search.count_any(count),
        Some(count) => search.count(count),
        None => search,
    };
    let Some(target) = wanted.target else {
        let matches = search.matches()?;
        write(call, &matches, wanted.with);
        return Ok(());
    };
    let stored = if wanted.stores_distances { search.store_distances(target)? } else { search.store(target)? };
    call.reply.count(stored);
    Ok(())
}

fn write(call: &mut Call<'_>, matches: &[GeoMatch], with: With) {
    call.reply.array(matches.len());
    for found in matches {
        if with.count() > 0 {
            call.reply.array(1 + with.count());
        }
        call.reply.bulk(&found.member);
        if with.distance {
            call.reply.bulk(distance_text(found.distance));
        }
        if with.hash {
            call.reply.count(found.hash);
        }
        if with.position {
            write_position(call, found.position);
        }
    }
}
