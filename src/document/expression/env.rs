//! What an expression is evaluated in: the document, the variables in scope, and what is the same for a whole operation.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bson::DateTime;
use bson::oid::ObjectId;
use bson::raw::{RawBson, RawBsonRef, RawDocument};
use parking_lot::Mutex;

use super::value::Value;
use crate::clock::{Stopwatch, Timestamp};
use crate::document::cancel::{CancelToken, Until};
use crate::document::code::Code;
use crate::document::collation::Collator;
use crate::document::order::Order;
use crate::document::regular::Regular;
use crate::document::stored;
use crate::document::supervision;
use crate::encoding::mix::{STEP, mix};
use crate::error::{Error, Result};
use crate::limits;

/// What is the same for all evaluations of one operation.
#[derive(Debug)]
pub(crate) struct Context {
    /// `$$NOW`.
    now: DateTime,
    /// The values of the variables that the operation was given, in the order of their names; `None` for one without a value.
    outer: Vec<Option<RawBson>>,
    /// What orders text, if not its bytes do.
    collator: Option<Arc<Collator>>,
    shared: Arc<Shared>,
}

/// What an operation and the pipelines within it have together.
#[derive(Debug)]
struct Shared {
    /// Where the sequence of random numbers is.
    random: AtomicU64,
    /// Steps that are left.
    steps: AtomicU64,
    /// When the operation is to end before it is done.
    until: Option<(Stopwatch, Until)>,
    /// How often it was asked whether to go on, so that the clock is not read for each document.
    asked: AtomicU64,
    /// What was compiled from patterns and options.
    regulars: Mutex<HashMap<(String, String), Arc<Regular>>>,
}

impl Context {
    /// The context of an operation at `now`, whose random numbers follow from `seed`.
    pub(crate) fn new(now: DateTime, seed: u64, outer: Vec<Option<RawBson>>) -> Self {
        let (random, steps) = (AtomicU64::new(mix(seed)), AtomicU64::new(limits::EXPRESSION_STEPS_MAX));
        Self {
            now,
            outer,
            collator: None,
            shared: Arc::new(Shared {
                random,
                steps,
                until: None,
                asked: AtomicU64::new(0),
                regulars: Mutex::default(),
            }),
        }
    }

    /// The same, which begins now and ends when `until` says.
    pub(in crate::document) fn until(mut self, until: &Until) -> Self {
        // Nobody shares it yet.
        if *until != Until::default()
            && let Some(shared) = Arc::get_mut(&mut self.shared)
        {
            shared.until = Some((Stopwatch::start(), until.clone()));
        }
        self
    }

    /// Asks whether the operation is to go on, once for every [`limits::ROWS_BETWEEN_CLOCK_READINGS`] calls.
    ///
    /// # Errors
    /// [`Code::MAX_TIME_EXPIRED`] when the operation's time is over, [`Code::INTERRUPTED`] when it was cancelled; those of whoever
    /// supervises it.
    #[inline]
    pub(crate) fn check_time(&self) -> Result<()> {
        // A count that another thread makes at the same time may be lost: it says only when to look.
        let asked = self.shared.asked.load(Ordering::Relaxed);
        self.shared.asked.store(asked.wrapping_add(1), Ordering::Relaxed);
        if asked.is_multiple_of(limits::ROWS_BETWEEN_CLOCK_READINGS) { self.look_at_time() } else { Ok(()) }
    }

    #[cold]
    fn look_at_time(&self) -> Result<()> {
        supervision::check()?;
        let Some((begun, until)) = &self.shared.until else { return Ok(()) };
        if until.time.is_some_and(|time| begun.elapsed() >= time) {
            return Err(Code::MAX_TIME_EXPIRED.value("the operation took longer than it may"));
        }
        until.token.as_ref().map_or(Ok(()), CancelToken::check)
    }

    /// The context of a pipeline within this operation, with variables of its own.
    pub(crate) fn within(&self, outer: Vec<Option<RawBson>>) -> Self {
        Self { now: self.now, outer, collator: self.collator.clone(), shared: Arc::clone(&self.shared) }
    }

    /// The context in which text is ordered by `collator`.
    pub(crate) fn collated(mut self, collator: Option<&Arc<Collator>>) -> Self {
        self.collator = collator.cloned();
        self
    }

    /// What orders text, if not its bytes do.
    pub(crate) fn collator(&self) -> Option<&Arc<Collator>> {
        self.collator.as_ref()
    }

    /// The order of values in the operation.
    pub(crate) fn order(&self) -> Order<'_> {
        Order::of(self.collator.as_deref())
    }

    /// The moment of the operation.
    pub(crate) fn now(&self) -> DateTime {
        self.now
    }

    /// The values of the outer variables.
    pub(crate) fn outer(&self) -> &[Option<RawBson>] {
        &self.outer
    }

    /// Counts `steps` of work.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] past [`limits::EXPRESSION_STEPS_MAX`] in one operation.
    pub(crate) fn spend(&self, steps: usize) -> Result<()> {
        self.check_time()?;
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let left = self.shared.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(steps));
        left.map(drop).map_err(|_| {
            let max = limits::EXPRESSION_STEPS_MAX;
            Error::LimitExceeded { limit: "steps of expressions in one operation", max, found: max.saturating_add(1) }
        })
    }

    /// The regular expression of `pattern` and `options`, which is compiled once for many documents.
    ///
    /// # Errors
    /// As [`Regular::compile`].
    pub(super) fn regular(&self, pattern: &str, options: &str) -> Result<Arc<Regular>> {
        let key = (pattern.to_owned(), options.to_owned());
        let mut regulars = self.shared.regulars.lock();
        if let Some(regular) = regulars.get(&key) {
            return Ok(Arc::clone(regular));
        }
        let regular = Arc::new(Regular::compile(pattern, options)?);
        if regulars.len() >= limits::REGEX_KEPT_MAX {
            regulars.clear();
        }
        regulars.insert(key, Arc::clone(&regular));
        Ok(regular)
    }

    /// The next random number, from 0 up to but not including 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
    pub(crate) fn random(&self) -> f64 {
        (self.random_bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An id of this moment, which no other of the operation equals.
    pub(super) fn object_id(&self) -> ObjectId {
        stored::object_id(Timestamp::from_millis(self.now.timestamp_millis()), self.random_bits())
    }

    fn random_bits(&self) -> u64 {
        mix(self.shared.random.fetch_add(STEP, Ordering::Relaxed))
    }
}

/// What one evaluation sees.
#[derive(Debug)]
pub(crate) struct Env<'a> {
    root: &'a RawDocument,
    context: &'a Context,
    /// The variables in scope, the outermost first. Where each of them is, is known when compiling.
    slots: Vec<Value<'a>>,
}

impl<'a> Env<'a> {
    pub(crate) fn new(root: &'a RawDocument, context: &'a Context) -> Self {
        Self { root, context, slots: Vec::new() }
    }

    /// The document.
    pub(crate) fn root(&self) -> &'a RawDocument {
        self.root
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }

    /// The order of values in the operation.
    pub(in crate::document) fn order(&self) -> Order<'a> {
        self.context.order()
    }

    pub(super) fn now(&self) -> Value<'a> {
        Value::Borrowed(RawBsonRef::DateTime(self.context.now))
    }

    /// The outer variable at `place`.
    pub(super) fn outer(&self, place: usize) -> Value<'a> {
        let value = self.context.outer.get(place).and_then(Option::as_ref);
        value.map_or(Value::Missing, |value| Value::Borrowed(value.as_raw_bson_ref()))
    }

    /// Brings a variable into scope, behind those there are.
    pub(crate) fn bind(&mut self, value: Value<'a>) {
        self.slots.push(value);
    }

    /// Takes the last `count` variables out of scope.
    pub(super) fn unbind(&mut self, count: usize) {
        self.slots.truncate(self.slots.len().saturating_sub(count));
    }

    /// The variable in `slot`; when this is its last use, it is taken out and not copied.
    pub(super) fn variable(&mut self, slot: usize, is_last: bool) -> Value<'a> {
        match self.slots.get_mut(slot) {
            Some(value) if is_last => std::mem::replace(value, Value::Missing),
            Some(value) => value.clone(),
            None => Value::Missing,
        }
    }
}
