//! The cells that together hold everything within a shape: up to nine, the one with the centre and its neighbours.
//!
//! The size of the cells and their order are those of Redis, so that a search without an order returns members in the
//! same one. Where nine cells of that size do not reach far enough, near the poles, larger ones are taken.

use arrayvec::ArrayVec;

use crate::kv::geo::cell::{Bounds, Cell};
use crate::kv::geo::hash::STEP_MAX;
use crate::kv::geo::shape::{GeoPosition, GeoShape, LATITUDE_MAX, LONGITUDE_MAX, RADIUS, radians};

/// Half of the equator in metres, on the map of which the cells are parts.
const HALF_EQUATOR: f64 = 20_037_726.37;

/// What rounding may take off a bound, in degrees.
const MARGIN: f64 = 1e-9;

/// The centre and its neighbours, in the order in which they are searched.
const NEIGHBOURS: [(i32, i32); 9] = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// The cells that a search for `shape` around `centre` looks at.
pub(super) fn cells(centre: GeoPosition, shape: GeoShape) -> ArrayVec<Cell, 9> {
    let bounds = bounds(centre, shape);
    let mut step = first_step(centre, shape);
    if step > 1 && !neighbours_reach(Cell::of(centre, step), bounds) {
        step -= 1;
    }
    while step > 1 && !block_reaches(Cell::of(centre, step), bounds) {
        step -= 1;
    }
    let middle = Cell::of(centre, step);
    let mut cells = ArrayVec::new();
    for (east, north) in NEIGHBOURS {
        let cell = middle.moved(east, north);
        if (step == 1 || is_needed(middle.bounds(), bounds, east, north)) && !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells
}

/// How many bits the cells have in each direction, going by the farthest point of the shape.
fn first_step(centre: GeoPosition, shape: GeoShape) -> u32 {
    let (east, north) = shape.reach();
    let mut reach = match shape {
        GeoShape::Circle { .. } => east,
        GeoShape::Rectangle { .. } => east.hypot(north),
    };
    if reach == 0.0 {
        return STEP_MAX;
    }
    let mut step = 1_u32;
    while reach < HALF_EQUATOR {
        reach *= 2.0;
        step += 1;
    }
    // Cells are narrower towards the poles.
    let latitude = centre.latitude.abs();
    let less = 2 + u32::from(latitude > 66.0) + u32::from(latitude > 80.0);
    step.saturating_sub(less).clamp(1, STEP_MAX)
}

/// A part of the map that has everything within the shape.
fn bounds(centre: GeoPosition, shape: GeoShape) -> Bounds {
    let north = (shape.reach().1 / RADIUS).to_degrees() + MARGIN;
    let east = longitudes(centre, shape, north) + MARGIN;
    Bounds {
        west: centre.longitude - east,
        east: centre.longitude + east,
        south: centre.latitude - north,
        north: centre.latitude + north,
    }
}

/// How many degrees the shape, which reaches `north` degrees to the north and south, reaches to the east and west.
fn longitudes(centre: GeoPosition, shape: GeoShape, north: f64) -> f64 {
    let farthest = centre.latitude.abs() + north;
    let east = shape.reach().0 / RADIUS;
    let sine = match shape {
        GeoShape::Circle { .. } if farthest < 90.0 => east.sin() / radians(centre.latitude).cos(),
        // The pole is within the circle.
        GeoShape::Circle { .. } => 1.0,
        GeoShape::Rectangle { .. } => (east / 2.0).min(radians(90.0)).sin() / radians(farthest.min(LATITUDE_MAX)).cos(),
    };
    if sine >= 1.0 {
        return LONGITUDE_MAX;
    }
    let reach = match shape {
        GeoShape::Circle { .. } => sine.asin(),
        GeoShape::Rectangle { .. } => 2.0 * sine.asin(),
    };
    // What Redis goes by, unless it is too little.
    let along_the_farthest = if farthest < 90.0 { east / radians(farthest).cos() } else { 0.0 };
    reach.max(along_the_farthest).to_degrees().min(LONGITUDE_MAX)
}

/// Whether the four neighbours, wherever on the map they are, end outside of `bounds`.
fn neighbours_reach(cell: Cell, bounds: Bounds) -> bool {
    cell.moved(0, 1).bounds().north >= bounds.north
        && cell.moved(0, -1).bounds().south <= bounds.south
        && cell.moved(1, 0).bounds().east >= bounds.east
        && cell.moved(-1, 0).bounds().west <= bounds.west
}

/// Whether `bounds` are within the cell and one more in each direction, as far as there is a map.
fn block_reaches(cell: Cell, bounds: Bounds) -> bool {
    let Bounds { west, east, south, north } = cell.bounds();
    let (width, height) = (east - west, north - south);
    west - width <= bounds.west
        && east + width >= bounds.east
        && south - height <= bounds.south.max(-LATITUDE_MAX)
        && north + height >= bounds.north.min(LATITUDE_MAX)
}

/// Whether the neighbour in this direction has a part of `bounds`, which the middle does not end outside of.
fn is_needed(middle: Bounds, bounds: Bounds, east: i32, north: i32) -> bool {
    let east_or_west = match east {
        1 => middle.east <= bounds.east,
        -1 => middle.west >= bounds.west,
        _ => true,
    };
    let north_or_south = match north {
        1 => middle.north <= bounds.north,
        -1 => middle.south >= bounds.south,
        _ => true,
    };
    east_or_west && north_or_south
}
