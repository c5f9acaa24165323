//! What one script may use, and who may end it before it has.
//!
//! # How it works
//! Whatever works for a script takes its steps from one purse: Lua's instructions by a hook, the loops of our own
//! libraries by [`Shared::spend`]. A step is about as much work as an instruction, or as copying [`BYTES_PER_STEP`]
//! bytes. After a number of steps the clock is looked at, and with it all other reasons to end: the door is being
//! closed, or somebody has killed the script. Once there is a reason it stays, so that what a script catches does not
//! keep it going.
//!
//! What our libraries build outside of Lua's memory is an [`Output`], whose bytes count against the same bound as
//! Lua's.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mlua::{Error, Function, Lua, Value};

use crate::clock::Stopwatch;
use crate::limits;
use crate::server::redis::lua::json_settings::Settings;
use crate::server::redis::lua::registered::Registered;
use crate::server::redis::lua::service::Service;

/// Bytes that are copied, compared or hashed in the time of one instruction.
const BYTES_PER_STEP: usize = 32;

/// Steps between two looks at the clock.
const STEPS_PER_LOOK: u64 = 250;

const TOO_MANY_STEPS: &str = "ERR the script was ended: it runs more instructions than a script may";
const TOO_LONG: &str = "ERR the script was ended: it runs for longer than a script may";
const CLOSING: &str = "ERR the script was ended: the server is closing";
const LOAD_TIMEOUT: &str = "ERR FUNCTION LOAD timeout";

/// What one script may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(super) instructions: u64,
    /// In all, with what is kept between scripts.
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
    /// While a library is loaded.
    pub(super) load_time: Duration,
    /// What libraries may keep.
    pub(super) kept_bytes: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            instructions: limits::SCRIPT_INSTRUCTIONS_MAX,
            bytes: limits::SCRIPT_MEMORY_BYTES_MAX,
            time: Duration::from_secs(limits::SCRIPT_SECONDS_MAX),
            load_time: Duration::from_millis(limits::LIBRARY_LOAD_MS_MAX),
            kept_bytes: limits::LIBRARIES_KEPT_BYTES_MAX,
        }
    }
}

/// What the functions that a script calls share.
#[derive(Debug)]
pub(crate) struct Shared {
    left: Cell<u64>,
    since_look: Cell<u64>,
    bytes_max: usize,
    /// Bytes that our libraries hold outside of Lua.
    held: Cell<usize>,
    /// When the script began, how long it may take, and its error when that time is over.
    time: Cell<Option<(Stopwatch, Duration, &'static str)>>,
    /// Why the script has to end, whatever it catches.
    over: Cell<Option<&'static str>>,
    /// The door is being closed, and for how long scripts have known.
    closing: Arc<AtomicBool>,
    closing_since: Cell<Option<Stopwatch>>,
    /// Looks at what other clients want, once the script has taken as long as they wait in silence for.
    watch_at: Cell<Duration>,
    /// Does what a script asks of the door while it runs.
    pub(crate) services: RefCell<Option<Function>>,
    pub(crate) is_resp3: Cell<bool>,
    /// The state of `math.random`.
    pub(crate) random: Cell<u64>,
    /// What the script has set for `cjson`.
    pub(super) json: Cell<Settings>,
    /// What a library registers while it is loaded.
    pub(crate) registered: RefCell<Option<Vec<Registered>>>,
}

impl Shared {
    pub(crate) fn new(allowance: &Allowance, closing: Arc<AtomicBool>) -> Self {
        Self {
            left: Cell::new(u64::MAX),
            since_look: Cell::new(0),
            bytes_max: allowance.bytes,
            held: Cell::new(0),
            time: Cell::new(None),
            over: Cell::new(None),
            closing,
            closing_since: Cell::new(None),
            watch_at: Cell::new(Duration::MAX),
            services: RefCell::default(),
            is_resp3: Cell::new(false),
            random: Cell::new(seed(0)),
            json: Cell::default(),
            registered: RefCell::default(),
        }
    }

    /// Resets everything: a script sees nothing of the one before.
    pub(crate) fn begin(&self, allowance: &Allowance) {
        self.left.set(allowance.instructions);
        self.since_look.set(0);
        self.held.set(0);
        self.time.set(Some((Stopwatch::start(), allowance.time, TOO_LONG)));
        self.over.set(None);
        self.watch_at.set(Duration::MAX);
        self.is_resp3.set(false);
        self.random.set(seed(0));
        self.json.set(Settings::default());
    }

    /// Leaves a library that is being loaded less time than a script.
    pub(super) fn begin_load(&self, allowance: &Allowance) {
        self.begin(allowance);
        self.time.set(Some((Stopwatch::start(), allowance.load_time, LOAD_TIMEOUT)));
    }

    /// Looks at other clients from `threshold` on.
    pub(crate) fn watch_from(&self, threshold: Duration) {
        self.watch_at.set(threshold);
    }

    /// How long the script has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.time.get().map_or(Duration::ZERO, |(since, ..)| since.elapsed())
    }

    /// Ends the script for `reason`.
    pub(crate) fn end(&self, reason: &'static str) {
        if self.over.get().is_none() {
            self.over.set(Some(reason));
        }
    }

    /// Takes `steps` from the allowance.
    ///
    /// # Errors
    /// That the script is over.
    pub(crate) fn spend(&self, steps: u64) -> mlua::Result<()> {
        if self.over.get().is_none() {
            let left = self.left.get().saturating_sub(steps);
            self.left.set(left);
            if left == 0 {
                self.end(TOO_MANY_STEPS);
            }
            let since = self.since_look.get().saturating_add(steps);
            self.since_look.set(since);
            if since >= STEPS_PER_LOOK {
                self.since_look.set(0);
                self.look();
            }
        }
        self.check()
    }

    /// Bytes that a script may have in use.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// `text` as a string of the script's.
    ///
    /// Where memory is limited, each string is made in a protected call with closures of its own, for it may be the one for which there is
    /// none: that takes several times as long as making it. So the limit is put aside where it cannot be reached, not even by
    /// the table of all strings when that doubles.
    pub(super) fn string(&self, lua: &Lua, text: &[u8]) -> mlua::Result<Value> {
        if lua.used_memory().saturating_add(text.len()) > self.bytes_max / 2 {
            return lua.create_string(text).map(Value::String);
        }
        let limit = lua.set_memory_limit(0)?;
        let made = lua.create_string(text);
        lua.set_memory_limit(limit)?;
        made.map(Value::String)
    }

    /// Takes what working through `bytes` bytes costs.
    pub(super) fn spend_bytes(&self, bytes: usize) -> mlua::Result<()> {
        self.spend((bytes / BYTES_PER_STEP) as u64 + 1)
    }

    /// # Errors
    /// That the script is over.
    pub(crate) fn check(&self) -> mlua::Result<()> {
        self.over.get().map_or(Ok(()), |text| Err(raise(text)))
    }

    /// Looks for a reason to end.
    fn look(&self) {
        let Some((since, time, text)) = self.time.get() else { return };
        let elapsed = since.elapsed();
        if elapsed > time {
            return self.end(text);
        }
        if self.closing.load(Ordering::Relaxed) {
            let known = self.closing_since.get().unwrap_or_else(Stopwatch::start);
            self.closing_since.set(Some(known));
            // One that is about to end by itself is not torn apart.
            if known.elapsed() > Duration::from_millis(limits::SCRIPT_CLOSING_MS_MAX) {
                return self.end(CLOSING);
            }
        }
        if elapsed >= self.watch_at.get() {
            // Not while it looks, since looking may be work that counts.
            self.watch_at.set(Duration::MAX);
            let begun = Stopwatch::start();
            let services = self.services.borrow().clone();
            if let Some(services) = services {
                // Without a reply it goes on as if nobody had asked for anything.
                if let Err(error) = services.call::<()>(Service::Watch.number()) {
                    tracing::debug!(%error, "other clients could not be looked at while a script runs");
                }
                let pause = Duration::from_millis(limits::SCRIPT_WATCH_MS).max(begun.elapsed() * 10);
                self.watch_at.set(since.elapsed().saturating_add(pause));
            }
        }
    }

    /// Whether there is room for `more` bytes outside of Lua.
    fn has_room(&self, lua: &Lua, more: usize) -> bool {
        lua.used_memory().saturating_add(self.held.get()).saturating_add(more) <= self.bytes_max
    }
}

/// Bytes that a library builds for a script: what they cost is taken from its steps, and what they take from its
/// memory.
pub(super) struct Output<'a> {
    lua: &'a Lua,
    pub(crate) shared: &'a Shared,
    bytes: Vec<u8>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(lua: &'a Lua, shared: &'a Shared) -> Self {
        Self { lua, shared, bytes: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn push(&mut self, byte: u8) -> mlua::Result<()> {
        if self.bytes.len() == self.bytes.capacity() {
            self.grow(1)?;
        }
        self.bytes.push(byte);
        Ok(())
    }

    pub(crate) fn extend(&mut self, more: &[u8]) -> mlua::Result<()> {
        self.shared.spend_bytes(more.len())?;
        if more.len() > self.bytes.capacity() - self.bytes.len() {
            self.grow(more.len())?;
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Adds `text` `count` times.
    pub(crate) fn repeat(&mut self, text: &[u8], count: usize) -> mlua::Result<()> {
        let more = text.len().saturating_mul(count);
        self.reserve(more)?;
        self.shared.spend_bytes(more)?;
        (0..count).for_each(|_| self.bytes.extend_from_slice(text));
        Ok(())
    }

    /// Makes room, in steps that double.
    fn grow(&mut self, more: usize) -> mlua::Result<()> {
        let doubled = self.bytes.capacity().saturating_mul(2).max(64);
        self.reserve(more.max(doubled - self.bytes.len()))
    }

    /// Makes room for `more` bytes at once.
    ///
    /// # Errors
    /// That there is none.
    pub(crate) fn reserve(&mut self, more: usize) -> mlua::Result<()> {
        let before = self.bytes.capacity();
        let wanted = self.bytes.len().saturating_add(more);
        if !self.shared.has_room(self.lua, wanted) {
            return Err(Error::runtime("not enough memory"));
        }
        // What was there is copied.
        self.shared.spend_bytes(self.bytes.len())?;
        self.bytes.reserve_exact(wanted - self.bytes.len());
        self.shared.held.set(self.shared.held.get().saturating_sub(before).saturating_add(self.bytes.capacity()));
        Ok(())
    }

    /// The bytes as a string of Lua's.
    pub(super) fn into_string(self) -> mlua::Result<mlua::LuaString> {
        self.shared.spend_bytes(self.bytes.len())?;
        self.lua.create_string(&self.bytes)
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        self.shared.held.set(self.shared.held.get().saturating_sub(self.bytes.capacity()));
    }
}

/// An error that a script sees as a table with the field `err`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Raised(pub(crate) String);

/// An error with a code.
pub(crate) fn raise(text: impl Into<String>) -> Error {
    Error::external(Raised(text.into()))
}

/// The state that POSIX's `srand48` begins with.
pub(crate) fn seed(seed: u32) -> u64 {
    u64::from(seed) << 16 | 0x330e
}
