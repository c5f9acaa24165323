//! What the parameters allow clients to take up, as connections look at it: read from them once, whenever they are set.
//!
//! # Source
//! Redis configuration file, `client-output-buffer-limit`, `client-query-buffer-limit`, `maxmemory-clients`.

use std::time::Duration;

use crate::limits;
use crate::server::redis::config::Parameters;

/// What clients may take up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes that one client may have sent and that wait to be run.
    pub(super) query_bytes: usize,
    /// Bytes of one word of a request.
    pub(super) word_bytes: usize,
    normal: OutputBound,
    subscriber: OutputBound,
    all: AllBound,
    /// For how long a peer may be silent before the system asks whether it is there.
    pub(super) keepalive: Option<Duration>,
    /// Clients that are let in.
    pub(super) clients: usize,
}

/// How much may wait to be sent to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutputBound {
    /// Never more than this.
    pub(super) hard_bytes: usize,
    /// More than this for no longer than `soft_time`.
    pub(super) soft_bytes: usize,
    pub(super) soft_time: Duration,
}

/// How much all clients may take up together.
#[derive(Clone, Copy, Debug)]
enum AllBound {
    Bytes(usize),
    /// Of the store's budget.
    Percent(u64),
}

impl Bounds {
    pub(super) fn of(parameters: &Parameters) -> Self {
        let number = |name: &str| usize::try_from(parameters.count(name)).unwrap_or(usize::MAX);
        let limits_of_classes = parameters.text("client-output-buffer-limit");
        let seconds = parameters.count("tcp-keepalive");
        Self {
            query_bytes: number("client-query-buffer-limit"),
            // What comes around a value counts, too, where the limit is that of the store.
            word_bytes: number("proto-max-bulk-len").saturating_add(1 << 10).min(limits::REQUEST_WORD_BYTES_MAX),
            normal: OutputBound::parse(&limits_of_classes, "normal"),
            subscriber: OutputBound::parse(&limits_of_classes, "pubsub"),
            all: AllBound::parse(&parameters.text("maxmemory-clients")),
            keepalive: (seconds > 0).then_some(Duration::from_secs(seconds)),
            clients: number("maxclients"),
        }
    }

    /// How much may wait to be sent to a client.
    pub(super) fn output(&self, is_subscriber: bool) -> OutputBound {
        if is_subscriber { self.subscriber } else { self.normal }
    }

    /// How many bytes all clients may take up together, beside a store with this budget.
    pub(super) fn all_bytes(&self, budget: impl FnOnce() -> Option<u64>) -> usize {
        match self.all {
            AllBound::Bytes(bytes) => bytes,
            AllBound::Percent(percent) => {
                let bytes = budget().map(|budget| budget / 100 * percent + budget % 100 * percent / 100);
                bytes.map_or(limits::CLIENTS_BYTES_MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
            }
        }
    }
}

impl OutputBound {
    /// The bound of a class in the parameter, which has the classes one after the other, each with three numbers.
    fn parse(text: &str, class: &str) -> Self {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let (classes, _) = words.as_chunks::<4>();
        let bytes = |word: &str| match word.parse() {
            // Redis has no bound then.
            Ok(0) | Err(_) => limits::OUTPUT_BUFFER_BYTES_MAX,
            Ok(bytes) => limits::OUTPUT_BUFFER_BYTES_MAX.min(bytes),
        };
        let found = classes.iter().find(|[name, ..]| *name == class);
        let [_, hard, soft, seconds] = found.copied().unwrap_or([class, "0", "0", "0"]);
        let soft_time = Duration::from_secs(seconds.parse().unwrap_or(0));
        Self { hard_bytes: bytes(hard), soft_bytes: bytes(soft), soft_time }
    }
}

impl AllBound {
    /// 0 is the bound that there is anyway.
    fn parse(text: &str) -> Self {
        match (text.strip_suffix('%').map(str::parse), text.parse()) {
            (Some(Ok(percent)), _) if percent > 0 => Self::Percent(percent),
            (None, Ok(bytes)) if bytes > 0 => Self::Bytes(bytes),
            _ => Self::Bytes(limits::CLIENTS_BYTES_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_the_one_that_there_is_anyway() {
        let text = "normal 0 0 0 slave 9 9 9 pubsub 1000 20 3";
        let max = limits::OUTPUT_BUFFER_BYTES_MAX;
        let normal = OutputBound { hard_bytes: max, soft_bytes: max, soft_time: Duration::ZERO };
        let subscriber = OutputBound { hard_bytes: 1_000, soft_bytes: 20, soft_time: Duration::from_secs(3) };
        assert_eq!([OutputBound::parse(text, "normal"), OutputBound::parse(text, "pubsub")], [normal, subscriber]);
    }

    #[test]
    fn what_all_clients_take_may_be_a_part_of_the_budget() {
        let parameters = Parameters::new(([127, 0, 0, 1], 6379).into(), None);
        let bounds = |all: &str| Bounds { all: AllBound::parse(all), ..Bounds::of(&parameters) };
        assert_eq!(bounds("5%").all_bytes(|| Some(1_000)), 50);
        assert_eq!(bounds("5%").all_bytes(|| None), limits::CLIENTS_BYTES_MAX);
        assert_eq!(bounds("1000").all_bytes(|| Some(7)), 1_000);
        assert_eq!(bounds("0").all_bytes(|| None), limits::CLIENTS_BYTES_MAX);
    }
}
