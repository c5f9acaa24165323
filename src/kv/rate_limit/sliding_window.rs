//! Sliding window: the counters of this window and of the one before.
//!
//! | bytes | field    | encoding                                      |
//! |-------|----------|-----------------------------------------------|
//! | 1     | tag      | `0x01`                                        |
//! | 8     | start    | of this window, microseconds as an ordered i64|
//! | 8     | window   | its length in microseconds, u64               |
//! | 8     | previous | acquired in the window before, u64            |
//! | 8     | current  | acquired in this one, u64                     |
//!
//! The deadline is the end of the window after this one: then nothing of it counts any more.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::encoding::ordered::{Reader, put_i64};
use crate::error::Result;
use crate::kv::rate_limit::{Checked, Decision, Keep, Kept, fixed_window, foreign, moment};

const TAG: u8 = 0x01;

#[derive(Clone, Copy, Debug)]
struct State {
    start: Timestamp,
    window: u64,
    previous: u64,
    current: u64,
}

impl State {
    fn encode(self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(33);
        payload.push(TAG);
        put_i64(&mut payload, self.start.as_micros());
        for field in [self.window, self.previous, self.current] {
            payload.extend_from_slice(&field.to_be_bytes());
        }
        payload
    }

    fn decode(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        if payload.len() != 33 || reader.u8()? != TAG {
            return Err(foreign("sliding window"));
        }
        let (start, window) = (Timestamp::from_micros(reader.i64()?), reader.u64()?);
        if i64::try_from(window).is_err() {
            return Err(foreign("sliding window"));
        }
        Ok(Self { start, window, previous: reader.u64()?, current: reader.u64()? })
    }

    /// What it says at `now` in a window that began at `start` and is `window` long.
    fn at(self, start: Timestamp, window: u64, now: Timestamp) -> Self {
        let new = |previous, current| Self { start, window, previous, current };
        if start < self.start || window != self.window {
            // The clock was set back, or the limit was given another window: what still counts is counted as new.
            let into = micros_between(self.start, now);
            let counts = match into.checked_div(self.window) {
                Some(0) => weigh(self.previous, self.window - into, self.window).saturating_add(self.current),
                Some(1) => weigh(self.current, 2 * self.window - into, self.window),
                _ => 0,
            };
            return new(0, counts);
        }
        match micros_between(self.start, start) {
            0 => self,
            later if later == window => new(self.current, 0),
            _ => new(0, 0),
        }
    }
}

pub(super) fn check(limit: u64, window: u64, found: Option<Kept<'_>>, now: Timestamp, count: u64) -> Result<Checked> {
    let start = fixed_window::start(window, now);
    let next = moment(start, window)?;
    let after_next = moment(next, window)?;
    let mut state = match found {
        Some(kept) => State::decode(kept.payload)?.at(start, window, now),
        None => State { start, window, previous: 0, current: 0 },
    };
    let into = micros_between(start, now);
    let used = weigh(state.previous, window - into, window).saturating_add(state.current);
    let allowed = used.checked_add(count).is_some_and(|after| after <= limit);
    let used = if allowed { used + count } else { used };
    if allowed {
        state.current += count;
    }
    let decision = Decision {
        allowed,
        remaining: limit.saturating_sub(used),
        retry_after: (!allowed && count <= limit).then(|| Duration::from_micros(wait(state, limit - count, into))),
        reset_at: match (state.previous, state.current) {
            (0, 0) => now,
            (_, 0) => next,
            _ => after_next,
        },
    };
    let keep = (allowed && count > 0).then(|| Keep { payload: state.encode(), deadline: after_next });
    Ok(Checked { decision, keep })
}

/// The microseconds until what counts is at most `room`, `into` the window.
fn wait(state: State, room: u64, into: u64) -> u64 {
    let window = state.window;
    match room.checked_sub(state.current) {
        Some(room) => fades(state.previous, room, window).saturating_sub(into),
        None => (window - into).saturating_add(fades(state.current, room, window)),
    }
}

/// How far into a window the `count` of the window before weighs at most `room`.
fn fades(count: u64, room: u64, window: u64) -> u64 {
    let most = u128::from(room) * u128::from(window);
    match most.checked_div(u128::from(count)) {
        Some(weight) => window.saturating_sub(u64::try_from(weight).unwrap_or(u64::MAX)),
        None => 0,
    }
}

/// The `part` of a window's `count`, rounded up: never is more allowed than is estimated.
fn weigh(count: u64, part: u64, window: u64) -> u64 {
    let weighed = (u128::from(count) * u128::from(part)).div_ceil(u128::from(window.max(1)));
    u64::try_from(weighed).unwrap_or(u64::MAX)
}

fn micros_between(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.saturating_since(earlier).as_micros()).unwrap_or(u64::MAX)
}
