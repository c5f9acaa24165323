//! Token bucket: what is missing from it, and since when it fills.
//!
//! | bytes | field    | encoding                                                  |
//! |-------|----------|-----------------------------------------------------------|
//! | 1     | tag      | `0x02`                                                    |
//! | 8     | at       | when this was so, microseconds as an ordered i64          |
//! | 8     | missing  | parts of tokens that are missing, u64                     |
//! | 8     | parts    | parts of a token, u64: microseconds of the refill time    |
//!
//! A token has as many parts as its refill time has microseconds, so that in each of them a whole number of parts comes
//! back: nothing is rounded. The deadline is not before the bucket is full, and is set twice as far away as it takes an empty one
//! to fill, so that it seldom moves.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::encoding::ordered::{Reader, put_i64};
use crate::error::Result;
use crate::kv::rate_limit::{Checked, Decision, Keep, Kept, foreign, invalid, moment};

const TAG: u8 = 0x02;

/// A bucket in parts of tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// In tokens.
    capacity: u64,
    /// Parts that it holds when it is full.
    full: u64,
    /// Parts that come back in a microsecond.
    refill: u64,
    /// Parts of a token.
    parts: u64,
}

impl Bucket {
    pub(super) fn new(capacity: u64, refill: u64, parts: u64) -> Result<Self> {
        let full = capacity.checked_mul(parts).filter(|full| i64::try_from(*full).is_ok());
        let full =
            full.ok_or_else(|| invalid("a token bucket's capacity times the microseconds of its refill is over 2^63"))?;
        if refill == 0 {
            return Err(invalid("a token bucket that is never refilled"));
        }
        Ok(Self { capacity, full, refill, parts })
    }

    /// The microseconds in which this many parts come back.
    fn fill(self, missing: u64) -> u64 {
        missing.div_ceil(self.refill)
    }
}

#[derive(Clone, Copy, Debug)]
struct State {
    at: Timestamp,
    missing: u64,
    parts: u64,
}

impl State {
    fn encode(self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(25);
        payload.push(TAG);
        put_i64(&mut payload, self.at.as_micros());
        payload.extend_from_slice(&self.missing.to_be_bytes());
        payload.extend_from_slice(&self.parts.to_be_bytes());
        payload
    }

    fn decode(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        if payload.len() != 25 || reader.u8()? != TAG {
            return Err(foreign("token bucket"));
        }
        Ok(Self { at: Timestamp::from_micros(reader.i64()?), missing: reader.u64()?, parts: reader.u64()? })
    }

    /// What is missing from `bucket` at `now`. A clock that was set back fills nothing, and goes on from there.
    fn missing_at(self, bucket: Bucket, now: Timestamp) -> u64 {
        let missing = if self.parts == bucket.parts {
            self.missing
        } else {
            // The limit was given another refill time: as many tokens are missing.
            let parts = u128::from(self.missing) * u128::from(bucket.parts);
            u64::try_from(parts.div_ceil(u128::from(self.parts.max(1)))).unwrap_or(u64::MAX)
        };
        let passed = u64::try_from(now.saturating_since(self.at).as_micros()).unwrap_or(u64::MAX);
        missing.min(bucket.full).saturating_sub(passed.saturating_mul(bucket.refill))
    }
}

pub(super) fn check(bucket: Bucket, found: Option<Kept<'_>>, now: Timestamp, count: u64) -> Result<Checked> {
    let before = match found {
        Some(kept) => State::decode(kept.payload)?.missing_at(bucket, now),
        None => 0,
    };
    let wanted = count.checked_mul(bucket.parts).and_then(|wanted| wanted.checked_add(before));
    let after = wanted.filter(|after| *after <= bucket.full);
    let (allowed, missing) = (after.is_some(), after.unwrap_or(before));
    let too_much = wanted.filter(|_| count <= bucket.capacity).map(|wanted| wanted.saturating_sub(bucket.full));
    let reset_at = moment(now, bucket.fill(missing))?;
    let decision = Decision {
        allowed,
        remaining: (bucket.full - missing) / bucket.parts,
        retry_after: too_much.filter(|_| !allowed).map(|too_much| Duration::from_micros(bucket.fill(too_much))),
        reset_at,
    };
    let keep = if allowed && count > 0 {
        let deadline = match found.and_then(|kept| kept.deadline) {
            Some(deadline) if deadline >= reset_at => deadline,
            _ => moment(now, bucket.fill(bucket.full).saturating_mul(2))?,
        };
        Some(Keep { payload: State { at: now, missing, parts: bucket.parts }.encode(), deadline })
    } else {
        None
    };
    Ok(Checked { decision, keep })
}
