//! Giving what is pending for one consumer to another.

use std::ops::Bound;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::engine::Direction;
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::kv::stream::group::{Group, Opened, check_consumer};
use crate::kv::stream::record::{Entry, GroupState, Pending};
use crate::kv::stream::{StreamId, backlog, invalid, layout, range};
use crate::txn::{View, WriteScope, Writer};

/// Pending entries an automatic claim looks at for each it may take.
const ATTEMPTS_PER_ENTRY: u64 = 10;

/// What a claim makes of the entries it takes, besides their consumer.
///
/// # Examples
/// ```
/// use larder::kv::{StreamId, stream::ClaimOptions};
/// use std::time::Duration;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// let group = stream.group("g");
/// group.create(StreamId::MIN)?;
/// group.claim_ids("ann", Duration::ZERO, [id], &ClaimOptions::default().force().deliveries(7))?;
/// assert_eq!(group.pending_entries(..).entries()?[0].deliveries, 7);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XCLAIM`.
#[derive(Clone, Debug, Default)]
pub struct ClaimOptions {
    delivered: Delivered,
    deliveries: Option<u64>,
    force: bool,
    last_id: Option<StreamId>,
}

/// When a claimed entry counts as delivered.
#[derive(Clone, Copy, Debug, Default)]
enum Delivered {
    #[default]
    Now,
    Ago(Duration),
    At(Timestamp),
}

impl ClaimOptions {
    /// Counts the entries as delivered this long ago (`IDLE`) rather than now.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::ClaimOptions;
    /// let options = ClaimOptions::default().idle(std::time::Duration::from_secs(5));
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.delivered = Delivered::Ago(idle);
        self
    }

    /// Counts the entries as delivered at this time (`TIME`), or now when it is to come or before the epoch.
    ///
    /// # Examples
    /// ```
    /// use larder::{Timestamp, kv::stream::ClaimOptions};
    /// let options = ClaimOptions::default().time(Timestamp::from_seconds(1_700_000_000));
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn time(mut self, delivered: Timestamp) -> Self {
        self.delivered = Delivered::At(delivered);
        self
    }

    /// Counts the entries as delivered this often (`RETRYCOUNT`), rather than once more.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::ClaimOptions;
    /// let options = ClaimOptions::default().deliveries(1);
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn deliveries(mut self, deliveries: u64) -> Self {
        self.deliveries = Some(deliveries);
        self
    }

    /// Takes entries of the stream that are not pending too (`FORCE`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::ClaimOptions;
    /// let options = ClaimOptions::default().force();
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Moves the group's last delivered id on to `id`, unless it is there already (`LASTID`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::ClaimOptions};
    /// let options = ClaimOptions::default().last_id(StreamId::new(5, 0));
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn last_id(mut self, id: StreamId) -> Self {
        self.last_id = Some(id);
        self
    }

    fn delivered(&self, now: Timestamp) -> Timestamp {
        let at = match self.delivered {
            Delivered::Now => Some(now),
            Delivered::Ago(idle) => i64::try_from(idle.as_micros())
                .ok()
                .and_then(|idle| now.as_micros().checked_sub(idle))
                .map(Timestamp::from_micros),
            Delivered::At(at) => Some(at),
        };
        at.filter(|at| *at >= Timestamp::from_micros(0) && *at <= now).unwrap_or(now)
    }
}

/// What an automatic claim has done.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// use std::time::Duration;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// let group = stream.group("g");
/// group.create(StreamId::MIN)?;
/// group.read("ann", None)?;
/// stream.remove([id])?;
/// let outcome = group.auto_claim("bob", Duration::ZERO, StreamId::MIN, 100)?;
/// assert!(outcome.claimed.is_empty() && outcome.deleted == [id] && outcome.next == StreamId::MIN);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoClaimed<T> {
    /// Where the next call goes on; `0-0` at the end.
    pub next: StreamId,
    /// What was taken.
    pub claimed: Vec<T>,
    /// Entries that are no longer in the stream, and therefore no longer pending either.
    pub deleted: Vec<StreamId>,
}

/// Who takes entries, and as what.
struct Claim<'a> {
    consumer: &'a [u8],
    min_idle: Duration,
    delivered: Timestamp,
    deliveries: Option<u64>,
    /// Whether being taken is a delivery.
    counts: bool,
}

impl<S: WriteScope> Group<S> {
    /// Takes those of the entries with these ids that were pending for at least `min_idle`, for `consumer`, and returns
    /// them. Those that are no longer in the stream stop being pending. The consumer is made when there is none.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Three lookups and one put; two lookups and three changes per entry.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::ClaimOptions};
    /// use std::time::Duration;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// let claimed = group.claim("bob", Duration::ZERO, [id], &ClaimOptions::default())?;
    /// assert_eq!(claimed[0].id, id);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XCLAIM`.
    #[doc(alias = "XCLAIM")]
    pub fn claim(
        &self,
        consumer: impl AsRef<[u8]>,
        min_idle: Duration,
        ids: impl AsRef<[StreamId]>,
        options: &ClaimOptions,
    ) -> Result<Vec<Entry>> {
        let (consumer, ids) = (consumer.as_ref(), ids.as_ref());
        self.write("stream.group.claim", |writer, opened| {
            let claim = Claim::new(writer, consumer, min_idle, options, true);
            let claimed = claim_these(writer, opened, &claim, ids, options)?;
            entries(writer, opened.stream, &claimed)
        })
    }

    /// As [`Group::claim`], but returns the ids only, and does not count as a delivery.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`Group::claim`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::ClaimOptions};
    /// use std::time::Duration;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// assert_eq!(group.claim_ids("bob", Duration::ZERO, [id], &ClaimOptions::default())?, [id]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XCLAIM` with `JUSTID`.
    #[doc(alias = "XCLAIM")]
    pub fn claim_ids(
        &self,
        consumer: impl AsRef<[u8]>,
        min_idle: Duration,
        ids: impl AsRef<[StreamId]>,
        options: &ClaimOptions,
    ) -> Result<Vec<StreamId>> {
        let (consumer, ids) = (consumer.as_ref(), ids.as_ref());
        self.write("stream.group.claim_ids", |writer, opened| {
            let claim = Claim::new(writer, consumer, min_idle, options, false);
            claim_these(writer, opened, &claim, ids, options)
        })
    }

    /// Takes up to `count` entries from `start` on that were pending for at least `min_idle`, for `consumer`. Those that
    /// are no longer in the stream stop being pending, and count too.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when `count` is 0, and as every method.
    ///
    /// # Cost
    /// Three lookups and one put; at most 10 pending entries for each of `count` are looked at.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// use std::time::Duration;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// let outcome = group.auto_claim("bob", Duration::ZERO, StreamId::MIN, 100)?;
    /// assert_eq!(outcome.claimed[0].id, id);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XAUTOCLAIM`.
    #[doc(alias = "XAUTOCLAIM")]
    pub fn auto_claim(
        &self,
        consumer: impl AsRef<[u8]>,
        min_idle: Duration,
        start: StreamId,
        count: u64,
    ) -> Result<AutoClaimed<Entry>> {
        let consumer = consumer.as_ref();
        self.write("stream.group.auto_claim", |writer, opened| {
            let claim = Claim::new(writer, consumer, min_idle, &ClaimOptions::default(), true);
            let AutoClaimed { next, claimed, deleted } = claim_from(writer, opened, &claim, start, count)?;
            Ok(AutoClaimed { next, claimed: entries(writer, opened.stream, &claimed)?, deleted })
        })
    }

    /// As [`Group::auto_claim`], but returns the ids only, and does not count as a delivery.
    ///
    /// # Errors
    /// As [`Group::auto_claim`].
    ///
    /// # Cost
    /// As [`Group::auto_claim`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// use std::time::Duration;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// assert_eq!(group.auto_claim_ids("bob", Duration::ZERO, StreamId::MIN, 100)?.claimed, [id]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XAUTOCLAIM` with `JUSTID`.
    #[doc(alias = "XAUTOCLAIM")]
    pub fn auto_claim_ids(
        &self,
        consumer: impl AsRef<[u8]>,
        min_idle: Duration,
        start: StreamId,
        count: u64,
    ) -> Result<AutoClaimed<StreamId>> {
        let consumer = consumer.as_ref();
        self.write("stream.group.auto_claim_ids", |writer, opened| {
            let claim = Claim::new(writer, consumer, min_idle, &ClaimOptions::default(), false);
            claim_from(writer, opened, &claim, start, count)
        })
    }
}

impl<'a> Claim<'a> {
    fn new(view: &View, consumer: &'a [u8], min_idle: Duration, options: &ClaimOptions, counts: bool) -> Self {
        let delivered = options.delivered(view.now());
        Self { consumer, min_idle, delivered, deliveries: options.deliveries, counts }
    }

    /// Takes `id`, which is pending as `before` says, and returns whether it had waited long enough for that.
    fn take(&self, writer: &mut Writer, opened: &Opened<'_>, id: StreamId, before: Option<&Pending>) -> Result<bool> {
        if before.is_some_and(|before| !backlog::has_idled(before, writer.now(), self.min_idle)) {
            return Ok(false);
        }
        let delivered_before = before.map_or(1, |before| before.deliveries);
        let counted = delivered_before.saturating_add(u64::from(self.counts));
        let after = Pending {
            delivered: self.delivered,
            deliveries: self.deliveries.unwrap_or(counted),
            consumer: self.consumer.to_vec(),
        };
        backlog::put(writer, &opened.elements, id, before, &after)?;
        Ok(true)
    }

    /// Notes that the consumer was there, and whether it got something.
    fn note(&self, writer: &mut Writer, opened: &Opened<'_>, got: bool) -> Result<()> {
        let now = writer.now();
        let consumer = opened.see(writer, self.consumer)?;
        opened.put_consumer(writer, self.consumer, consumer, got.then_some(now))
    }
}

fn claim_these(
    writer: &mut Writer,
    opened: &Opened<'_>,
    claim: &Claim<'_>,
    ids: &[StreamId],
    options: &ClaimOptions,
) -> Result<Vec<StreamId>> {
    check_consumer(claim.consumer)?;
    if let Some(last) = options.last_id.filter(|last| *last > opened.group.last) {
        opened.put(writer, GroupState { last, ..opened.group })?;
    }
    let mut claimed = Vec::new();
    for id in ids {
        let found = backlog::get(writer, &opened.elements, *id)?;
        if !exists(writer, opened.stream, *id)? {
            if let Some(found) = found {
                backlog::forget(writer, &opened.elements, *id, &found)?;
            }
        } else if (found.is_some() || options.force) && claim.take(writer, opened, *id, found.as_ref())? {
            claimed.push(*id);
        }
    }
    claim.note(writer, opened, !claimed.is_empty())?;
    Ok(claimed)
}

fn claim_from(
    writer: &mut Writer,
    opened: &Opened<'_>,
    claim: &Claim<'_>,
    start: StreamId,
    count: u64,
) -> Result<AutoClaimed<StreamId>> {
    check_consumer(claim.consumer)?;
    if count == 0 {
        return Err(invalid("COUNT must be > 0"));
    }
    let mut outcome = AutoClaimed { next: StreamId::MIN, claimed: Vec::new(), deleted: Vec::new() };
    let (mut left, mut attempts) = (count, count.saturating_mul(ATTEMPTS_PER_ENTRY));
    let range = opened.elements.pending_between((Bound::Included(start), Bound::Unbounded));
    let mut cursor = writer.range(&range, Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let id = layout::id_of(key)?;
        if left == 0 || attempts == 0 {
            outcome.next = id;
            break;
        }
        attempts -= 1;
        let found = Pending::decode(value)?;
        if !exists(writer, opened.stream, id)? {
            backlog::forget(writer, &opened.elements, id, &found)?;
            outcome.deleted.push(id);
            left -= 1;
        } else if claim.take(writer, opened, id, Some(&found))? {
            outcome.claimed.push(id);
            left -= 1;
        }
    }
    claim.note(writer, opened, !outcome.claimed.is_empty())?;
    Ok(outcome)
}

fn exists(view: &View, stream: &Elements, id: StreamId) -> Result<bool> {
    Ok(view.get(&layout::entry(stream, id))?.is_some())
}

/// The entries with these ids, which are there.
fn entries(view: &View, stream: &Elements, ids: &[StreamId]) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(ids.len());
    for id in ids {
        entries.extend(range::fields(view, stream, *id)?.map(|fields| Entry { id: *id, fields }));
    }
    Ok(entries)
}
