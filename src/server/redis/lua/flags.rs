//! What scripts and functions say of themselves before they run.

/// Flags that Redis knows. The last three are about replicas and clusters, which are not here.
const NAMES: [&str; 5] = ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];

/// The flags of a script or a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// It was written with flags in mind, though it may have none.
    pub(crate) is_given: bool,
    /// It writes nothing, and may run where nothing may be written.
    pub(crate) no_writes: bool,
    /// It may run and write when the budget of memory is used up.
    pub(crate) allow_oom: bool,
    /// The others that it has, one bit for each of [`NAMES`].
    others: u8,
}

impl Flags {
    /// None, but given.
    pub(crate) fn given() -> Self {
        Self { is_given: true, ..Self::default() }
    }

    /// Adds a flag, if there is one of that name.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        let Some(at) = NAMES.iter().position(|known| *known == name) else { return false };
        match at {
            0 => self.no_writes = true,
            1 => self.allow_oom = true,
            at => self.others |= 1 << at,
        }
        true
    }

    /// The names, in the order that Redis has.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .into_iter()
            .enumerate()
            .filter(move |(at, _)| match at {
                0 => self.no_writes,
                1 => self.allow_oom,
                at => self.others & (1 << at) != 0,
            })
            .map(|(_, name)| name)
    }
}

/// The flags that the first line of a script gives, and what follows, with the line's end so that lines count on.
pub(super) fn shebang(code: &[u8]) -> Result<(Flags, &[u8]), String> {
    if !code.starts_with(b"#!") {
        return Ok((Flags::default(), code));
    }
    let end = code.iter().position(|byte| *byte == b'\n').ok_or("ERR Invalid script shebang")?;
    let (line, body) = code.split_at(end);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let engine = words.next().unwrap_or_default();
    if engine != "#!lua" {
        return Err(format!("ERR Unexpected engine in script shebang: {engine}"));
    }
    let mut all = Flags::given();
    for word in words {
        let flags = word.strip_prefix("flags=").ok_or_else(|| format!("ERR Unknown lua shebang option: {word}"))?;
        for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
            if !all.add(flag) {
                return Err(format!("ERR Unexpected flag in script shebang: {flag}"));
            }
        }
    }
    Ok((all, body))
}
