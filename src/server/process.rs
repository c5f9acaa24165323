//! What the system says of this process. Where it does not say it as Linux does, it is not known.

/// Seconds of processors, in the kernel and outside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ProcessorTime {
    pub(crate) system: f64,
    pub(crate) user: f64,
    pub(crate) system_of_children: f64,
    pub(crate) user_of_children: f64,
}

/// The time of all threads.
pub(crate) fn processor_time() -> Option<ProcessorTime> {
    parse_times(&read("/proc/self/stat")?, ticks_per_second())
}

/// The time of this thread.
pub(crate) fn processor_time_of_thread() -> Option<ProcessorTime> {
    parse_times(&read("/proc/thread-self/stat")?, ticks_per_second())
}

/// Bytes of memory that the process has.
pub(crate) fn resident_bytes() -> Option<u64> {
    let pages: u64 = read("/proc/self/statm")?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(page_bytes())
}

/// Bytes of memory that the machine has.
pub(crate) fn memory_bytes() -> Option<u64> {
    let text = read("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes << 10)
}

/// The system's name with its version.
pub(crate) fn name() -> String {
    let version = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let name = if cfg!(target_os = "linux") { "Linux" } else { std::env::consts::OS };
    format!("{name} {} {}", version.trim(), std::env::consts::ARCH).replace("  ", " ")
}

/// Bytes of a page of memory.
#[cfg(unix)]
fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(not(unix))]
fn page_bytes() -> u64 {
    4_096
}

/// Ticks of a second, in which the system tells the time of processors to programs.
#[cfg(unix)]
#[expect(clippy::cast_precision_loss, reason = "there are some hundred of them")]
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

#[cfg(not(unix))]
fn ticks_per_second() -> f64 {
    100.0
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Reads a line of `stat`, where the name of the program, in parentheses, may have spaces.
fn parse_times(stat: &str, ticks_per_second: f64) -> Option<ProcessorTime> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut ticks = behind.split_ascii_whitespace().skip(11);
    let mut seconds = || Some(ticks.next()?.parse::<f64>().ok()? / ticks_per_second);
    let (user, system) = (seconds()?, seconds()?);
    Some(ProcessorTime { user, system, user_of_children: seconds()?, system_of_children: seconds()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_any_name() {
        let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 3 4 20 0";
        let time = parse_times(stat, 100.0).unwrap();
        assert_eq!(time, ProcessorTime { user: 2.5, system: 0.5, user_of_children: 0.03, system_of_children: 0.04 });
        assert_eq!(parse_times("12 (a", 100.0), None);
        assert_eq!(parse_times("12 (a) S 1", 100.0), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_of_this_process() {
        assert!(processor_time().is_some() && processor_time_of_thread().is_some());
        assert!(resident_bytes().unwrap() >= page_bytes() && memory_bytes() > resident_bytes());
    }
}
