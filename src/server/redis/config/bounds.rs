//! What the parameters allow clients to take up, as connections look at it: read from them once, whenever they are set.
//!
//! # Source
//! Redis configuration file, `client-output-buffer-limit`, `client-query-buffer-limit`, `maxmemory-clients`.

use std::time::Duration;

use crate::limits;
use crate::server::connection::OutputBound;
use crate::server::redis::config::{ClientsMemory, OutputClass, OutputLimit, Parameters};

/// What clients may take up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes that one client may have sent and that wait to be run.
    pub(crate) query_bytes: usize,
    /// Bytes of one word of a request.
    pub(crate) word_bytes: usize,
    normal: OutputBound,
    subscriber: OutputBound,
    all: ClientsMemory,
}

impl Bounds {
    pub(crate) fn of(parameters: &Parameters) -> Self {
        Self {
            query_bytes: parameters.query_buffer_bytes(),
            word_bytes: parameters.bulk_bytes().min(limits::REQUEST_WORD_BYTES_MAX),
            normal: bound_of(parameters.output_limit(OutputClass::Normal)),
            subscriber: bound_of(parameters.output_limit(OutputClass::Subscriber)),
            all: parameters.clients_memory(),
        }
    }

    /// How much may wait to be sent to a client.
    pub(crate) fn output(&self, is_subscriber: bool) -> OutputBound {
        if is_subscriber { self.subscriber } else { self.normal }
    }

    /// How many bytes all clients may take up together, beside a store with this budget.
    pub(crate) fn all_bytes(&self, budget: impl FnOnce() -> Option<u64>) -> usize {
        let budget = if matches!(self.all, ClientsMemory::Percent(_)) { budget() } else { None };
        let bytes = self.all.bytes(budget).filter(|bytes| *bytes > 0);
        bytes.map_or(limits::CLIENTS_BYTES_MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }
}

/// What the parameter asks for. Where it asks for no bound, there is that of the door.
fn bound_of(limit: OutputLimit) -> OutputBound {
    let bytes = |bytes: u64| match usize::try_from(bytes) {
        Ok(0) | Err(_) => limits::OUTPUT_BUFFER_BYTES_MAX,
        Ok(bytes) => limits::OUTPUT_BUFFER_BYTES_MAX.min(bytes),
    };
    let soft_time = Duration::from_secs(limit.soft_seconds);
    OutputBound { hard_bytes: bytes(limit.hard_bytes), soft_bytes: bytes(limit.soft_bytes), soft_time }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::address::Address;
    use crate::store::Store;

    #[test]
    fn no_limit_is_the_one_that_there_is_anyway() {
        let max = limits::OUTPUT_BUFFER_BYTES_MAX;
        let none = OutputBound { hard_bytes: max, soft_bytes: max, soft_time: Duration::ZERO };
        let limit = OutputLimit { hard_bytes: 1_000, soft_bytes: 20, soft_seconds: 3 };
        let some = OutputBound { hard_bytes: 1_000, soft_bytes: 20, soft_time: Duration::from_secs(3) };
        assert_eq!([bound_of(OutputLimit::default()), bound_of(limit)], [none, some]);
    }

    #[test]
    fn what_all_clients_take_may_be_a_part_of_the_budget() {
        let parameters = Parameters::new(&Store::in_memory(), &Address::local(6379), None);
        let bounds = |all| Bounds { all, ..Bounds::of(&parameters) };
        assert_eq!(bounds(ClientsMemory::Percent(5)).all_bytes(|| Some(1_000)), 50);
        assert_eq!(bounds(ClientsMemory::Percent(5)).all_bytes(|| None), limits::CLIENTS_BYTES_MAX);
        assert_eq!(bounds(ClientsMemory::Bytes(1_000)).all_bytes(|| Some(7)), 1_000);
        assert_eq!(bounds(ClientsMemory::Unlimited).all_bytes(|| None), limits::CLIENTS_BYTES_MAX);
    }
}
