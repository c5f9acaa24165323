//! Searches for what is near.

use std::ops::Bound;

use crate::engine::{Direction, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::geo::{Geo, GeoPosition, GeoShape, cover, hash, look, position_of};
use crate::kv::layout::Elements;
use crate::kv::{entry, sorted_set};
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};

/// A member that a search has found.
///
/// # Examples
/// ```
/// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
/// let cities = larder::Store::in_memory().kv().geo("cities");
/// cities.add("Palermo", GeoPosition::new(13.361389, 38.115556))?;
/// let found = cities.search_from_member("Palermo", GeoShape::circle(1.0, GeoUnit::Metres)).matches()?;
/// assert_eq!(found[0].hash, 3_479_099_956_230_698);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GeoMatch {
    /// The member.
    pub member: Vec<u8>,
    /// How far it is from the centre, in the unit of the shape.
    pub distance: f64,
    /// Its geohash of 52 bits, which is its score.
    pub hash: u64,
    /// Where it is.
    pub position: GeoPosition,
}

/// Asks for the members within a shape. Made by [`Geo::search`] and [`Geo::search_from_member`]; nothing is read before
/// [`GeoSearch::matches`] or one of the two methods that store.
///
/// Without an order, members are returned as their cells come: the middle first.
///
/// # Examples
/// ```
/// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
/// let places = larder::Store::in_memory().kv().geo("places");
/// for (name, longitude) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
///     places.add(name, GeoPosition::new(longitude, 0.0))?;
/// }
/// let shape = GeoShape::circle(1_000.0, GeoUnit::Kilometres);
/// let farthest = places.search(GeoPosition::new(0.0, 0.0), shape).descending().count(1).matches()?;
/// assert_eq!(farthest[0].member, b"c");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a search reads nothing until its matches are asked for"]
pub struct GeoSearch<S = AutoCommit> {
    geo: Geo<S>,
    query: Query,
}

/// Where a search has its centre.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Position(GeoPosition),
    Member(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Query {
    origin: Origin,
    shape: GeoShape,
    /// Nearest first, or farthest first.
    order: Option<Direction>,
    count: Option<u64>,
    /// Whether the first that are found will do.
    any: bool,
}

impl<S: Scope> GeoSearch<S> {
    pub(super) fn new(geo: &Geo<S>, origin: Origin, shape: GeoShape) -> Self {
        Self { geo: geo.clone(), query: Query { origin, shape, order: None, count: None, any: false } }
    }

    /// Returns the nearest first.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let places = larder::Store::in_memory().kv().geo("places");
    /// places.add("far", GeoPosition::new(2.0, 0.0))?;
    /// places.add("near", GeoPosition::new(1.0, 0.0))?;
    /// let search = places.search(GeoPosition::new(0.0, 0.0), GeoShape::circle(300.0, GeoUnit::Miles));
    /// assert_eq!(search.ascending().matches()?[0].member, b"near");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn ascending(mut self) -> Self {
        self.query.order = Some(Direction::Forward);
        self
    }

    /// Returns the farthest first.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let places = larder::Store::in_memory().kv().geo("places");
    /// places.add("far", GeoPosition::new(2.0, 0.0))?;
    /// places.add("near", GeoPosition::new(1.0, 0.0))?;
    /// let search = places.search(GeoPosition::new(0.0, 0.0), GeoShape::circle(300.0, GeoUnit::Miles));
    /// assert_eq!(search.descending().matches()?[0].member, b"far");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn descending(mut self) -> Self {
        self.query.order = Some(Direction::Backward);
        self
    }

    /// Returns at most `members` members, the first in the order; without one, the nearest.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let places = larder::Store::in_memory().kv().geo("places");
    /// places.add("far", GeoPosition::new(2.0, 0.0))?;
    /// places.add("near", GeoPosition::new(1.0, 0.0))?;
    /// let search = places.search(GeoPosition::new(0.0, 0.0), GeoShape::circle(300.0, GeoUnit::Miles));
    /// assert_eq!(search.count(1).matches()?[0].member, b"near");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn count(mut self, members: u64) -> Self {
        (self.query.count, self.query.any) = (Some(members), false);
        self
    }

    /// Returns at most `members` members, whichever are found first; an order is that of those.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let places = larder::Store::in_memory().kv().geo("places");
    /// places.add("far", GeoPosition::new(2.0, 0.0))?;
    /// places.add("near", GeoPosition::new(1.0, 0.0))?;
    /// let search = places.search(GeoPosition::new(0.0, 0.0), GeoShape::circle(300.0, GeoUnit::Miles));
    /// assert_eq!(search.count_any(1).matches()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn count_any(mut self, members: u64) -> Self {
        (self.query.count, self.query.any) = (Some(members), true);
        self
    }

    /// The members within the shape; none when there is no such key.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a centre outside of the map, a member that is not in the set, a length that is negative or
    /// no finite number, and a count of 0; and as every method of [`Geo`].
    ///
    /// # Cost
    /// One lookup; up to ten ranges of scores, which have everything in an area some times as large as the shape.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let cities = larder::Store::in_memory().kv().geo("cities");
    /// cities.add("Catania", GeoPosition::new(15.087269, 37.502669))?;
    /// let search = cities.search(GeoPosition::new(15.0, 37.0), GeoShape::circle(200.0, GeoUnit::Kilometres));
    /// assert_eq!(format!("{:.4}", search.matches()?[0].distance), "56.4413");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOSEARCH`.
    #[doc(alias = "GEOSEARCH")]
    pub fn matches(self) -> Result<Vec<GeoMatch>> {
        let Self { geo, query } = self;
        geo.kv.read("geo.search", &geo.key, |view, key| query.run(view, key))
    }
}

impl<S: WriteScope> GeoSearch<S> {
    /// Puts the members within the shape into a sorted set at `destination`, in the place of whatever that held, and
    /// returns how many there are. Without any, the destination is removed.
    ///
    /// # Errors
    /// As [`GeoSearch::matches`], and nothing is changed.
    ///
    /// # Cost
    /// As [`GeoSearch::matches`], and as [`SortedSet::add`](crate::SortedSet::add) per member.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let kv = larder::Store::in_memory().kv();
    /// kv.geo("cities").add("Catania", GeoPosition::new(15.087269, 37.502669))?;
    /// let shape = GeoShape::circle(200.0, GeoUnit::Kilometres);
    /// assert_eq!(kv.geo("cities").search(GeoPosition::new(15.0, 37.0), shape).store("near")?, 1);
    /// assert_eq!(kv.geo("near").geohash("Catania")?.as_deref(), Some("sqdtr74hyu0"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOSEARCHSTORE`.
    #[doc(alias = "GEOSEARCHSTORE")]
    pub fn store(self, destination: impl AsRef<[u8]>) -> Result<u64> {
        self.store_scores("geo.store", destination.as_ref(), |found| hash::score(found.hash))
    }

    /// As [`GeoSearch::store`], with the distance from the centre as the score.
    ///
    /// # Errors
    /// As [`GeoSearch::store`].
    ///
    /// # Cost
    /// As [`GeoSearch::store`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
    /// let kv = larder::Store::in_memory().kv();
    /// kv.geo("cities").add("Catania", GeoPosition::new(15.087269, 37.502669))?;
    /// let shape = GeoShape::circle(200.0, GeoUnit::Kilometres);
    /// kv.geo("cities").search(GeoPosition::new(15.0, 37.0), shape).store_distances("near")?;
    /// assert_eq!(kv.sorted_set("near").score("Catania")?.map(f64::round), Some(56.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GEOSEARCHSTORE` with `STOREDIST`.
    #[doc(alias = "GEOSEARCHSTORE")]
    pub fn store_distances(self, destination: impl AsRef<[u8]>) -> Result<u64> {
        self.store_scores("geo.store_distances", destination.as_ref(), |found| found.distance)
    }

    fn store_scores(self, verb: &'static str, destination: &[u8], score: impl Fn(&GeoMatch) -> f64) -> Result<u64> {
        let Self { geo, query } = self;
        geo.kv.write(verb, destination, |writer, destination| {
            let found = query.run(writer, &geo.kv.keyspace.head(writer, &geo.key)?)?;
            replace(writer, destination, found.iter().map(|found| (&found.member[..], score(found))))?;
            Ok(found.len() as u64)
        })
    }
}

/// Makes the sorted set at `key` one of `members`, whatever was there.
fn replace<'a>(writer: &mut Writer, key: &[u8], members: impl Iterator<Item = (&'a [u8], f64)>) -> Result<()> {
    if let Some(head) = entry::claim(writer, key, |head, _| Ok(head))? {
        entry::remove(writer, key, head)?;
    }
    for (member, score) in members {
        sorted_set::change(writer, key, member, score)?;
    }
    tell(writer, KeyEvents::SORTED_SETS, "geosearchstore", key);
    Ok(())
}

impl Query {
    /// The matches in the set whose head is kept at `key`.
    fn run(&self, view: &View, key: &[u8]) -> Result<Vec<GeoMatch>> {
        self.check()?;
        let found = look(view, key, |set| {
            let centre = self.centre(view, set)?;
            let mut matches = Vec::new();
            self.collect(view, set, centre, &mut matches)?;
            Ok(matches)
        })?;
        Ok(self.arrange(found.unwrap_or_default()))
    }

    fn check(&self) -> Result<()> {
        match &self.origin {
            Origin::Position(centre) => centre.check()?,
            Origin::Member(member) => sorted_set::check_member(member)?,
        }
        self.shape.check()?;
        if self.count == Some(0) {
            return Err(Error::invalid(InvalidKind::Value, "COUNT must be > 0"));
        }
        Ok(())
    }

    fn centre(&self, view: &View, set: &Elements) -> Result<GeoPosition> {
        match &self.origin {
            Origin::Position(centre) => Ok(*centre),
            Origin::Member(member) => position_of(view, set, member)?
                .ok_or_else(|| Error::invalid(InvalidKind::Value, "could not decode requested zset member")),
        }
    }

    fn collect(&self, view: &View, set: &Elements, centre: GeoPosition, matches: &mut Vec<GeoMatch>) -> Result<()> {
        let cells = cover::cells(centre, self.shape);
        let edge = cells.iter().any(|cell| cell.is_at_edge());
        let edge = edge.then(|| (Bound::Included(hash::score(hash::EDGE)), Bound::Included(hash::score(hash::LAST))));
        for scores in cells.iter().map(|cell| cell.scores()).chain(edge) {
            self.collect_range(view, set, &set.positions_between(scores)?, centre, matches)?;
        }
        Ok(())
    }

    fn collect_range(
        &self,
        view: &View,
        set: &Elements,
        range: &KeyRange,
        centre: GeoPosition,
        matches: &mut Vec<GeoMatch>,
    ) -> Result<()> {
        let mut cursor = view.range(range, Direction::Forward)?;
        while !self.is_enough(matches.len()) {
            let Some((position, value)) = cursor.next()? else { break };
            let (score, member) = set.read_position(position, value)?;
            let hash = hash::of_score(score);
            let position = hash::decode(hash);
            if let Some(metres) = self.shape.distance_within(centre, position) {
                let distance = metres / self.shape.unit().metres();
                matches.push(GeoMatch { member: member.to_vec(), distance, hash, position });
            }
        }
        Ok(())
    }

    fn is_enough(&self, found: usize) -> bool {
        self.any && self.count.is_some_and(|count| count <= found as u64)
    }

    /// Puts matches in order and leaves out those past the count.
    fn arrange(&self, mut matches: Vec<GeoMatch>) -> Vec<GeoMatch> {
        let nearest = (self.count.is_some() && !self.any).then_some(Direction::Forward);
        match self.order.or(nearest) {
            Some(Direction::Forward) => matches.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
            Some(Direction::Backward) => matches.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
            None => {}
        }
        if let Some(count) = self.count.and_then(|count| usize::try_from(count).ok()) {
            matches.truncate(count);
        }
        matches
    }
}
