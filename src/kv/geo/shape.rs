//! Positions, distances, and what a search looks within.

use crate::error::{Error, InvalidKind, Result};

/// The radius of the globe in metres.
pub(super) const RADIUS: f64 = 6_372_797.560_856;

/// The greatest longitude in degrees; the least is as far from 0.
pub(super) const LONGITUDE_MAX: f64 = 180.0;

/// The greatest latitude in degrees; the least is as far from 0.
pub(super) const LATITUDE_MAX: f64 = 85.051_128_78;

/// A position on the globe, in degrees.
///
/// # Examples
/// ```
/// use larder::kv::GeoPosition;
/// assert_eq!(GeoPosition::new(13.4, 38.1), GeoPosition { longitude: 13.4, latitude: 38.1 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPosition {
    /// From -180 to 180, eastwards.
    pub longitude: f64,
    /// From -85.05112878 to 85.05112878, northwards.
    pub latitude: f64,
}

impl GeoPosition {
    /// The position with this longitude and latitude. What takes one checks it.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::GeoPosition;
    /// assert_eq!(GeoPosition::new(13.4, 38.1).latitude, 38.1);
    /// ```
    #[must_use]
    pub fn new(longitude: f64, latitude: f64) -> Self {
        Self { longitude, latitude }
    }

    pub(super) fn check(self) -> Result<()> {
        let Self { longitude, latitude } = self;
        if longitude.abs() <= LONGITUDE_MAX && latitude.abs() <= LATITUDE_MAX {
            return Ok(());
        }
        let problem = format!("invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        Err(Error::invalid(InvalidKind::Value, problem))
    }
}

/// A unit of length.
///
/// # Examples
/// ```
/// use larder::kv::{GeoPosition, GeoUnit};
/// let places = larder::Store::in_memory().kv().geo("places");
/// places.add("a", GeoPosition::new(0.0, 0.0))?;
/// places.add("b", GeoPosition::new(1.0, 0.0))?;
/// assert_eq!(places.distance("a", "b", GeoUnit::Miles)?.map(f64::round), Some(69.0));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GeoUnit {
    /// `m`.
    #[default]
    Metres,
    /// `km`.
    Kilometres,
    /// `ft`, of 0.3048 metres.
    Feet,
    /// `mi`, of 1609.34 metres.
    Miles,
}

impl GeoUnit {
    pub(super) fn metres(self) -> f64 {
        match self {
            Self::Metres => 1.0,
            Self::Kilometres => 1_000.0,
            Self::Feet => 0.3048,
            Self::Miles => 1_609.34,
        }
    }
}

/// What a search looks within. Its unit is also that of the distances that are returned.
///
/// # Examples
/// ```
/// use larder::kv::{GeoPosition, GeoShape, GeoUnit};
/// let places = larder::Store::in_memory().kv().geo("places");
/// places.add("a", GeoPosition::new(0.5, 0.0))?;
/// let centre = GeoPosition::new(0.0, 0.0);
/// assert_eq!(places.search(centre, GeoShape::circle(50.0, GeoUnit::Kilometres)).matches()?.len(), 0);
/// assert_eq!(places.search(centre, GeoShape::circle(50.0, GeoUnit::Miles)).matches()?.len(), 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GeoShape {
    /// Everything at most `radius` away.
    Circle {
        /// In `unit`.
        radius: f64,
        /// The unit of length.
        unit: GeoUnit,
    },
    /// Everything at most half of `width` to the east or west, along its own latitude, and half of `height` to the north or
    /// south.
    Rectangle {
        /// In `unit`.
        width: f64,
        /// In `unit`.
        height: f64,
        /// The unit of length.
        unit: GeoUnit,
    },
}

impl GeoShape {
    /// A circle.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoShape, GeoUnit::Metres};
    /// assert_eq!(GeoShape::circle(1.0, Metres), GeoShape::Circle { radius: 1.0, unit: Metres });
    /// ```
    #[must_use]
    pub fn circle(radius: f64, unit: GeoUnit) -> Self {
        Self::Circle { radius, unit }
    }

    /// A rectangle, with the centre in its middle.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{GeoShape, GeoUnit::Metres};
    /// assert_eq!(GeoShape::rectangle(1.0, 2.0, Metres), GeoShape::Rectangle { width: 1.0, height: 2.0, unit: Metres });
    /// ```
    #[must_use]
    pub fn rectangle(width: f64, height: f64, unit: GeoUnit) -> Self {
        Self::Rectangle { width, height, unit }
    }

    pub(super) fn unit(self) -> GeoUnit {
        match self {
            Self::Circle { unit, .. } | Self::Rectangle { unit, .. } => unit,
        }
    }

    pub(super) fn check(self) -> Result<()> {
        let (lengths, negative, infinite) = match self {
            Self::Circle { radius, .. } => ([radius, 0.0], "radius cannot be negative", "need numeric radius"),
            Self::Rectangle { width, height, .. } => {
                ([width, height], "height or width cannot be negative", "need numeric width and height")
            }
        };
        let problem = match lengths {
            lengths if lengths.iter().any(|length| *length < 0.0) => negative,
            lengths if !lengths.iter().all(|length| length.is_finite()) => infinite,
            _ => return Ok(()),
        };
        Err(Error::invalid(InvalidKind::Value, problem))
    }

    /// How far the shape reaches to the east and to the north, in metres.
    pub(super) fn reach(self) -> (f64, f64) {
        let metres = self.unit().metres();
        match self {
            Self::Circle { radius, .. } => (radius * metres, radius * metres),
            Self::Rectangle { width, height, .. } => (metres * (width / 2.0), metres * (height / 2.0)),
        }
    }

    /// How far it is from `centre` to `position` in metres, if that is within the shape.
    pub(super) fn distance_within(self, centre: GeoPosition, position: GeoPosition) -> Option<f64> {
        let metres = self.unit().metres();
        let within = match self {
            Self::Circle { radius, .. } => return Some(distance(centre, position)).filter(|d| *d <= radius * metres),
            Self::Rectangle { width, height, .. } => {
                let abeam = GeoPosition { longitude: centre.longitude, ..position };
                latitude_distance(position, centre) <= height * metres / 2.0
                    && distance(position, abeam) <= width * metres / 2.0
            }
        };
        within.then(|| distance(centre, position))
    }
}

/// The length of the great circle from one position to another, in metres.
pub(super) fn distance(from: GeoPosition, to: GeoPosition) -> f64 {
    let across = ((radians(to.longitude) - radians(from.longitude)) / 2.0).sin();
    if across == 0.0 {
        return latitude_distance(from, to);
    }
    let (from, to) = (radians(from.latitude), radians(to.latitude));
    let along = ((to - from) / 2.0).sin();
    let half_chord = along * along + from.cos() * to.cos() * across * across;
    2.0 * RADIUS * half_chord.sqrt().asin()
}

fn latitude_distance(from: GeoPosition, to: GeoPosition) -> f64 {
    RADIUS * (radians(to.latitude) - radians(from.latitude)).abs()
}

/// `degrees`, by one multiplication with the nearest double to π/180, as distances are compared to the last bit.
pub(super) fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}
