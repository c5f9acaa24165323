//! Cells of the grid that the first bits of all geohashes make.

use std::ops::Bound;

use crate::kv::geo::hash::{self, STEP_MAX};
use crate::kv::geo::shape::{GeoPosition, LATITUDE_MAX, LONGITUDE_MAX};

/// One of the 2^step × 2^step cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    x: u32,
    y: u32,
    step: u32,
}

/// A part of the map, in degrees. It may reach past the map's edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) south: f64,
    pub(super) north: f64,
}

impl Cell {
    /// The cell with `position`.
    pub(super) fn of(position: GeoPosition, step: u32) -> Self {
        let last = (1 << step) - 1;
        let x = hash::part(position.longitude, step, LONGITUDE_MAX).min(last);
        Self { x, y: hash::part(position.latitude, step, LATITUDE_MAX).min(last), step }
    }

    /// The cell this many columns to the east and rows to the north; behind the last comes the first.
    pub(super) fn moved(self, east: i32, north: i32) -> Self {
        let mask = (1 << self.step) - 1;
        let (x, y) = (self.x.wrapping_add_signed(east) & mask, self.y.wrapping_add_signed(north) & mask);
        Self { x, y, ..self }
    }

    pub(super) fn bounds(self) -> Bounds {
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        Bounds {
            west: hash::edge(x, self.step, LONGITUDE_MAX),
            east: hash::edge(x + 1.0, self.step, LONGITUDE_MAX),
            south: hash::edge(y, self.step, LATITUDE_MAX),
            north: hash::edge(y + 1.0, self.step, LATITUDE_MAX),
        }
    }

    /// Whether the eastern or northern edge of the map is also the cell's.
    pub(super) fn is_at_edge(self) -> bool {
        let last = (1 << self.step) - 1;
        self.x == last || self.y == last
    }

    /// The scores of all members in the cell, but those on the edge of the map.
    pub(super) fn scores(self) -> (Bound<f64>, Bound<f64>) {
        let (hash, shift) = (hash::interleave(self.x, self.y), 2 * (STEP_MAX - self.step));
        (Bound::Included(hash::score(hash << shift)), Bound::Excluded(hash::score((hash + 1) << shift)))
    }
}
