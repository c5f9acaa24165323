//! Places: sorted sets whose scores are positions on the globe.
//!
//! A score is a geohash of 52 bits: 26 of the latitude, from -85.05112878 to 85.05112878 degrees, and 26 of the longitude,
//! interleaved (`hash.rs`). What is near is, but for edges, near in the order of scores, so that a search is a few ranges of
//! them (`cover.rs`). A stored position is the middle of its cell, less than a metre from the one that was added.
//!
//! # Source
//! Redis command reference, geospatial commands. The globe is a sphere with a radius of 6372797.560856 m.

mod cell;
mod cover;
mod hash;
mod search;
mod shape;

pub use search::{GeoMatch, GeoSearch};
pub use shape::{GeoPosition, GeoShape, GeoUnit};

use crate::error::Result;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::Elements;
use crate::kv::{Kv, sorted_set};
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};
use search::Origin;

/// The places in the sorted set at one key of a keyspace. Given by [`Kv::geo`].
///
/// [`Kv::sorted_set`] shows the same members, and removes them. Every method returns
/// [`Error::WrongType`](crate::Error::WrongType) when the key holds something else, and
/// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key or member that is too long.
///
/// # Examples
/// ```
/// use larder::kv::{GeoPosition, GeoShape, GeoUnit::Kilometres};
/// let cities = larder::Store::in_memory().kv().geo("cities");
/// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
/// cities.add("Catania", GeoPosition::new(15.087269, 37.502669))?;
/// assert_eq!(cities.distance("Palermo", "Catania", Kilometres)?.map(f64::round), Some(166.0));
/// let near = cities.search(GeoPosition::new(15.0, 37.0), GeoShape::circle(100.0, Kilometres)).matches()?;
/// assert_eq!(near[0].member, b"Catania");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Geo<S = AutoCommit> {
    kv: Kv<S>,
    key: Vec<u8>,
}

/// Which members [`Geo::add_all`] adds or moves.
///
/// # Examples
/// ```
/// use larder::kv::{GeoCondition, GeoPosition};
/// let cities = larder::Store::in_memory().kv().geo("cities");
/// let added = cities.add_all(GeoCondition::IfPresent, [("Palermo", GeoPosition::new(13.4, 38.1))])?;
/// assert_eq!((added.added, added.moved), (0, 0));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GeoCondition {
    /// All.
    #[default]
    Always,
    /// Those that are not in the set: `NX`.
    IfAbsent,
    /// Those that are in the set: `XX`.
    IfPresent,
}

impl GeoCondition {
    fn holds(self, present: bool) -> bool {
        match self {
            Self::Always => true,
            Self::IfAbsent => !present,
            Self::IfPresent => present,
        }
    }
}

/// What [`Geo::add_all`] has done. With `CH`, Redis returns the sum of both.
///
/// # Examples
/// ```
/// use larder::kv::{GeoAdded, GeoCondition, GeoPosition};
/// let cities = larder::Store::in_memory().kv().geo("cities");
/// let added = cities.add_all(GeoCondition::Always, [("Palermo", GeoPosition::new(13.4, 38.1))])?;
/// assert_eq!(added, GeoAdded { added: 1, moved: 0 });
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GeoAdded {
    /// How many members are new.
    pub added: u64,
    /// How many members have been elsewhere.
    pub moved: u64,
}

impl<S: Scope> Kv<S> {
    /// The places in the sorted set at `key`. It need not exist; adding the first place creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!(kv.geo("cities").position("Palermo")?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn geo(&self, key: impl AsRef<[u8]>) -> Geo<S> {
        Geo::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> Geo<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self { kv, key: key.to_vec() }
    }

    /// Where `member` is; `None` when it is not in the set.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::GeoPosition;
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
    /// let position = cities.position("Palermo")?.unwrap();
    /// assert!((position.longitude - 13.361389).abs() < 1e-5 && (position.latitude - 38.115556).abs() < 1e-5);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOPOS`.
    #[doc(alias = "GEOPOS")]
    pub fn position(&self, member: impl AsRef<[u8]>) -> Result<Option<GeoPosition>> {
        Ok(self.positions([member])?.pop().flatten())
    }

    /// Where each of `members` is, at one moment.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup, and one per member.
    ///
    /// # Examples
    /// ```
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// assert_eq!(cities.positions(["Palermo", "Catania"])?, [None, None]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOPOS`.
    #[doc(alias = "GEOPOS")]
    pub fn positions<M: AsRef<[u8]>>(&self, members: impl IntoIterator<Item = M>) -> Result<Vec<Option<GeoPosition>>> {
        self.positions_from("geo.positions", &members.into_iter().collect::<Vec<M>>())
    }

    /// How far it is from one member to another, in `unit`; `None` when one of them is not in the set.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Three lookups.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoUnit};
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
    /// cities.add("Catania", GeoPosition::new(15.087269, 37.502669))?;
    /// let metres = cities.distance("Palermo", "Catania", GeoUnit::Metres)?;
    /// assert_eq!(metres.map(|metres| format!("{metres:.4}")).as_deref(), Some("166274.1516"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEODIST`.
    #[doc(alias = "GEODIST")]
    pub fn distance(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>, unit: GeoUnit) -> Result<Option<f64>> {
        let positions = self.positions_from("geo.distance", &[from.as_ref(), to.as_ref()])?;
        Ok(match positions[..] {
            [Some(from), Some(to)] => Some(shape::distance(from, to) / unit.metres()),
            _ => None,
        })
    }

    /// The geohash of `member` as eleven characters, which are a place's name elsewhere too; `None` when it is not in the
    /// set.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::GeoPosition;
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
    /// assert_eq!(cities.geohash("Palermo")?.as_deref(), Some("sqc8b49rny0"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOHASH`.
    #[doc(alias = "GEOHASH")]
    pub fn geohash(&self, member: impl AsRef<[u8]>) -> Result<Option<String>> {
        let position = self.positions_from("geo.geohash", &[member])?.pop().flatten();
        Ok(position.map(hash::text))
    }

    /// Asks for the members within `shape` around `centre`.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
    /// let search = cities.search(GeoPosition::new(15.0, 37.0), GeoShape::rectangle(400.0, 400.0, GeoUnit::Kilometres));
    /// assert_eq!(search.matches()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOSEARCH` with `FROMLONLAT`.
    #[doc(alias = "GEOSEARCH")]
    pub fn search(&self, centre: GeoPosition, shape: GeoShape) -> GeoSearch<S> {
        GeoSearch::new(self, Origin::Position(centre), shape)
    }

    /// Asks for the members within `shape` around `member`, which is one of them.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
    /// let matches = cities.search_from_member("Palermo", GeoShape::circle(1.0, GeoUnit::Miles)).matches()?;
    /// assert_eq!((matches[0].member.as_slice(), matches[0].distance), (&b"Palermo"[..], 0.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOSEARCH` with `FROMMEMBER`.
    #[doc(alias = "GEOSEARCH")]
    pub fn search_from_member(&self, member: impl AsRef<[u8]>, shape: GeoShape) -> GeoSearch<S> {
        GeoSearch::new(self, Origin::Member(member.as_ref().to_vec()), shape)
    }

    fn positions_from(&self, verb: &'static str, members: &[impl AsRef<[u8]>]) -> Result<Vec<Option<GeoPosition>>> {
        self.kv.read(verb, &self.key, |view, key| {
            members.iter().try_for_each(|member| sorted_set::check_member(member.as_ref()))?;
            let found = look(view, key, |set| {
                members.iter().map(|member| position_of(view, set, member.as_ref())).collect::<Result<Vec<_>>>()
            })?;
            Ok(found.unwrap_or_else(|| vec![None; members.len()]))
        })
    }
}

impl<S: WriteScope> Geo<S> {
    /// Puts `member` at `position`, adding it if need be, and returns whether it is new. A deadline stays.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a longitude outside of -180 to 180 degrees or a latitude outside
    /// of -85.05112878 to 85.05112878.
    ///
    /// # Cost
    /// As [`SortedSet::add`](crate::SortedSet::add).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::GeoPosition;
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// assert!(cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?);
    /// assert!(!cities.add("Palermo", GeoPosition::new(13.4, 38.1))?);
    /// assert!(cities.add("Nowhere", GeoPosition::new(181.0, 0.0)).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOADD`.
    #[doc(alias = "GEOADD")]
    pub fn add(&self, member: impl AsRef<[u8]>, position: GeoPosition) -> Result<bool> {
        let places = [(member, position)];
        Ok(self.add_from("geo.add", GeoCondition::Always, &places)?.added == 1)
    }

    /// Puts each member for which `condition` holds at its position, in their order, and returns how many are new and
    /// how many have moved.
    ///
    /// # Errors
    /// As [`Geo::add`], and nothing is changed.
    ///
    /// # Cost
    /// As [`SortedSet::add`](crate::SortedSet::add), per member.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoCondition, GeoPosition};
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Palermo", GeoPosition::new(13.4, 38.1))?;
    /// let places = [("Palermo", GeoPosition::new(0.0, 0.0)), ("Catania", GeoPosition::new(15.1, 37.5))];
    /// let added = cities.add_all(GeoCondition::IfAbsent, places)?;
    /// assert_eq!((added.added, added.moved), (1, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOADD` with `NX` and `XX`.
    #[doc(alias = "GEOADD")]
    pub fn add_all<M: AsRef<[u8]>>(
        &self,
        condition: GeoCondition,
        places: impl IntoIterator<Item = (M, GeoPosition)>,
    ) -> Result<GeoAdded> {
        self.add_from("geo.add_all", condition, &places.into_iter().collect::<Vec<_>>())
    }

    fn add_from(
        &self,
        verb: &'static str,
        condition: GeoCondition,
        places: &[(impl AsRef<[u8]>, GeoPosition)],
    ) -> Result<GeoAdded> {
        self.kv.write(verb, &self.key, |writer, key| {
            for (member, position) in places {
                position.check()?;
                sorted_set::check_member(member.as_ref())?;
            }
            let mut done = GeoAdded::default();
            for (member, position) in places {
                let score = hash::score(hash::encode(*position));
                match put(writer, key, member.as_ref(), score, condition)? {
                    Put::Added => done.added += 1,
                    Put::Moved => done.moved += 1,
                    Put::Nothing => {}
                }
            }
            if done != GeoAdded::default() {
                tell(writer, KeyEvents::SORTED_SETS, "zadd", key);
            }
            Ok(done)
        })
    }
}

/// What [`put`] has done.
enum Put {
    Added,
    Moved,
    Nothing,
}

#[expect(clippy::float_cmp, reason = "a member has moved when its score is another one")]
fn put(writer: &mut Writer, key: &[u8], member: &[u8], score: f64, condition: GeoCondition) -> Result<Put> {
    let present = look(writer, key, |set| sorted_set::score_of(writer, set, member))?.flatten();
    if !condition.holds(present.is_some()) {
        return Ok(Put::Nothing);
    }
    Ok(match sorted_set::change(writer, key, member, score)? {
        None => Put::Added,
        Some(before) if before == score => Put::Nothing,
        Some(_) => Put::Moved,
    })
}

/// Reads the elements of the sorted set at `key` with `read`, unless there is no such key.
fn look<R>(view: &View, key: &[u8], read: impl FnOnce(&Elements) -> Result<R>) -> Result<Option<R>> {
    sorted_set::look(view, key)?.map(|set| read(&set)).transpose()
}

fn position_of(view: &View, set: &Elements, member: &[u8]) -> Result<Option<GeoPosition>> {
    Ok(sorted_set::score_of(view, set, member)?.map(|score| hash::decode(hash::of_score(score))))
}

#[cfg(test)]
mod tests;
