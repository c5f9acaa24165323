//! Places: positions, distances, and what stores them. Searches: `geo_search.rs`.

use crate::kv::{Geo, GeoCondition, GeoPosition, GeoUnit};
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, is};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] =
    &[command("geoadd", geoadd), command("geodist", geodist), command("geohash", geohash), command("geopos", geopos)];

fn geo<'a>(call: &Call<'a>) -> Geo<InTransaction<'a>> {
    call.kv().geo(call.word(1))
}

fn geoadd(call: &mut Call<'_>) -> Outcome {
    let (mut condition, mut changed, mut words) = (GeoCondition::Always, false, call.rest(2));
    while let [option, rest @ ..] = words {
        if is(option, "ch") {
            changed = true;
        } else if is(option, "nx") || is(option, "xx") {
            let wanted = if is(option, "nx") { GeoCondition::IfAbsent } else { GeoCondition::IfPresent };
            if condition != GeoCondition::Always && condition != wanted {
                return Err(Refusal::syntax());
            }
            condition = wanted;
        } else {
            break;
        }
        words = rest;
    }
    let (triples, rest) = words.as_chunks::<3>();
    if triples.is_empty() || !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    let place = |[longitude, latitude, member]: &[&'_ [u8]; 3]| Ok((member.to_vec(), position(longitude, latitude)?));
    let places = triples.iter().map(place).collect::<Result<Vec<_>, Refusal>>()?;
    let done = geo(call).add_all(condition, places)?;
    changes::note(call, done.added + done.moved);
    call.reply.count(if changed { done.added + done.moved } else { done.added });
    Ok(())
}

/// What two words say, which is checked where it is used.
pub(super) fn position(longitude: &[u8], latitude: &[u8]) -> Result<GeoPosition, Refusal> {
    let degrees = |word| float(word).ok_or("ERR value is not a valid float");
    Ok(GeoPosition::new(degrees(longitude)?, degrees(latitude)?))
}

pub(super) fn unit(word: &[u8]) -> Result<GeoUnit, Refusal> {
    let units = [("m", GeoUnit::Metres), ("km", GeoUnit::Kilometres), ("ft", GeoUnit::Feet), ("mi", GeoUnit::Miles)];
    let found = units.into_iter().find(|(name, _)| is(word, name));
    found.map(|(_, unit)| unit).ok_or_else(|| "ERR unsupported unit provided. please use M, KM, FT, MI".into())
}

fn geopos(call: &mut Call<'_>) -> Outcome {
    let positions = geo(call).positions(call.rest(2))?;
    call.reply.array(positions.len());
    for position in positions {
        match position {
            Some(position) => write_position(call, position),
            None => call.reply.nil_array(),
        }
    }
    Ok(())
}

/// In degrees with 17 digits after the point, but for zeros at their end.
pub(super) fn write_position(call: &mut Call<'_>, position: GeoPosition) {
    call.reply.array(2);
    for degrees in [position.longitude, position.latitude] {
        let text = format!("{degrees:.17}");
        call.reply.decimal(text.trim_end_matches('0').trim_end_matches('.'));
    }
}

fn geodist(call: &mut Call<'_>) -> Outcome {
    let unit = match call.rest(4) {
        [] => GeoUnit::Metres,
        [word] => unit(word)?,
        _ => return Err(Refusal::syntax()),
    };
    let distance = geo(call).distance(call.word(2), call.word(3), unit)?;
    call.reply.bulk_or_nil(distance.map(distance_text));
    Ok(())
}

pub(super) fn distance_text(distance: f64) -> String {
    format!("{distance:.4}")
}

fn geohash(call: &mut Call<'_>) -> Outcome {
    let geo = geo(call);
    let members = call.rest(2);
    call.reply.array(members.len());
    for member in members {
        let hash = geo.geohash(member)?;
        call.reply.bulk_or_nil(hash);
    }
    Ok(())
}
