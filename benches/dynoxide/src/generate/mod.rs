//! Random requests: few tables, few keys and few values, so that requests meet.

mod expressions;
mod mutate;
mod requests;
mod tables;
mod values;

pub use tables::{Shape, shapes};

use fastrand::Rng;
use serde_json::Value;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub operation: &'static str,
    pub body: Value,
    /// Whether one of its members was spoiled.
    pub is_spoiled: bool,
    /// Whether its pages come in an order that the service does not promise.
    pub is_unordered: bool,
}

impl Asked {
    fn new(operation: &'static str, body: Value) -> Self {
        Self { operation, body, is_spoiled: false, is_unordered: false }
    }
}

/// Makes the requests of one episode.
pub struct Generator {
    rng: Rng,
    tables: Vec<Shape>,
}

impl Generator {
    /// Makes up to three tables, whose definitions are the first requests.
    pub fn new(seed: u64) -> (Self, Vec<Asked>) {
        let mut rng = Rng::with_seed(seed);
        let mut tables = shapes();
        rng.shuffle(&mut tables);
        tables.truncate(rng.usize(1..=3));
        let asked = tables.iter().map(|shape| Asked::new("CreateTable", shape.definition())).collect();
        (Self { rng, tables }, asked)
    }

    /// Returns the next request, one in twelve of which is spoiled.
    pub fn next(&mut self) -> Asked {
        let mut asked = requests::request(&mut self.rng, &self.tables);
        if self.rng.u8(..12) == 0 {
            mutate::spoil(&mut self.rng, &mut asked.body);
            asked.is_spoiled = true;
        }
        asked
    }
}

/// Whether something that happens `percent` times in a hundred happens.
fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(..100) < percent
}

/// One of `choices`.
fn pick<'a, T: ?Sized>(rng: &mut Rng, choices: &[&'a T]) -> &'a T {
    choices[rng.usize(..choices.len())]
}
