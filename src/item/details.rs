//! What a table has that no operation on items reads: times, tags, throughput.
//!
//! Kept apart from its definition, which is compared and decoded by everybody. The record is a catalogue record, which
//! can grow at its end.

use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::item::layout;
use crate::item::request::{
    BillingMode, OnDemandThroughput, ProvisionedThroughput, SseSpecification, SseType, TableClass, Tag,
    ThroughputDescription, WarmThroughput,
};
use crate::txn::{View, Writer};

/// The details of a table. Its fields, and those of the types in it, are stored in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Details {
    /// When the table was made, in microseconds.
    pub(super) created: i64,
    /// The two halves of its UUID.
    pub(super) id: (u64, u64),
    pub(super) is_by_request: bool,
    /// Since when it has been paid for by request; 0 for never.
    pub(super) by_request_since: i64,
    pub(super) throughput: Throughput,
    /// Throughput of global indexes, by the number of the index.
    pub(super) of_indexes: Vec<(u32, Throughput)>,
    pub(super) is_infrequent: bool,
    /// When the class was changed; 0 for never.
    pub(super) class_changed: i64,
    pub(super) is_protected: bool,
    pub(super) sse: Option<Sse>,
    /// By key, ascending.
    pub(super) tags: Vec<(String, String)>,
    /// Streams that were switched off and may still be read: id, view, from when to when, shards.
    pub(super) old_streams: Vec<OldStream>,
    /// When the expiry of items was last changed; 0 for never.
    pub(super) ttl_changed: i64,
    /// For how many days back the table is said to be recoverable; 0 for none.
    pub(super) recovery_days: u32,
    /// Since when; 0 for never.
    pub(super) recoverable_since: i64,
}

/// Declared throughput of a table or an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Throughput {
    pub(super) read: i64,
    pub(super) write: i64,
    pub(super) increased: i64,
    pub(super) decreased: i64,
    pub(super) decreases: u64,
    pub(super) max_read: Option<i64>,
    pub(super) max_write: Option<i64>,
    pub(super) warm_read: Option<i64>,
    pub(super) warm_write: Option<i64>,
}

/// How the table is said to be encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sse {
    pub(super) is_enabled: bool,
    pub(super) is_kms: bool,
    pub(super) key: Option<String>,
}

/// A stream that was switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OldStream {
    pub(super) stream: super::definition::StreamRecord,
    /// When it was switched off, in microseconds.
    pub(super) until: i64,
}

impl Details {
    /// The details of the table that is stored under `table`.
    pub(super) fn get(view: &View, table: u32) -> Result<Self> {
        match view.get(&layout::details_key(table))? {
            Some(bytes) => catalog::decode_record(&bytes),
            None => Err(Error::corrupt("item table", "it has no details")),
        }
    }

    pub(super) fn put(&self, writer: &mut Writer, table: u32) -> Result<()> {
        writer.put(layout::details_key(table), catalog::encode_record(self)?)
    }

    pub(super) fn billing_mode(&self) -> BillingMode {
        if self.is_by_request { BillingMode::PayPerRequest } else { BillingMode::Provisioned }
    }

    pub(super) fn table_class(&self) -> TableClass {
        if self.is_infrequent { TableClass::StandardInfrequentAccess } else { TableClass::Standard }
    }

    pub(super) fn tags(&self) -> Vec<Tag> {
        self.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
    }

    /// Sets `tags`, in the place of those with the same keys.
    pub(super) fn set_tags(&mut self, tags: &[Tag]) {
        for Tag { key, value } in tags {
            match self.tags.binary_search_by(|(other, _)| other.cmp(key)) {
                Ok(place) => {
                    if let Some((_, old)) = self.tags.get_mut(place) {
                        old.clone_from(value);
                    }
                }
                Err(place) => self.tags.insert(place, (key.clone(), value.clone())),
            }
        }
    }

    pub(super) fn throughput_of(&self, index: u32) -> Throughput {
        let found = self.of_indexes.iter().find(|(id, _)| *id == index);
        found.map(|(_, throughput)| *throughput).unwrap_or_default()
    }

    pub(super) fn set_throughput_of(&mut self, index: u32, throughput: Throughput) {
        match self.of_indexes.iter_mut().find(|(id, _)| *id == index) {
            Some((_, old)) => *old = throughput,
            None => self.of_indexes.push((index, throughput)),
        }
    }

    /// The UUID of the table.
    pub(super) fn table_id(&self) -> String {
        uuid::Uuid::from_u64_pair(self.id.0, self.id.1).to_string()
    }

    /// How many shards a stream of the table has at a time: as many as the service has partitions for what is declared.
    pub(super) fn shards(&self) -> u32 {
        if self.is_by_request {
            return 4;
        }
        let units = self.throughput.read.saturating_mul(10) / 3 + self.throughput.write.saturating_mul(10);
        u32::try_from(units.div_euclid(10_000) + i64::from(units.rem_euclid(10_000) != 0))
            .unwrap_or(u32::MAX)
            .clamp(1, 64)
    }
}

impl Sse {
    pub(super) fn new(specification: &SseSpecification) -> Self {
        let is_kms = specification.sse_type != Some(SseType::Aes256);
        Self {
            is_enabled: specification.enabled.unwrap_or(false),
            is_kms,
            key: specification.kms_master_key_id.clone(),
        }
    }
}

impl Throughput {
    pub(super) fn new(
        provisioned: Option<ProvisionedThroughput>,
        on_demand: Option<OnDemandThroughput>,
        warm: Option<WarmThroughput>,
    ) -> Self {
        let read = provisioned.map_or(0, |units| units.read_capacity_units);
        let write = provisioned.map_or(0, |units| units.write_capacity_units);
        let mut throughput = Self { read, write, ..Self::default() };
        throughput.set_on_demand(on_demand);
        throughput.set_warm(warm);
        throughput
    }

    /// Changes what is provisioned at `now`, and notes that it was made more or less.
    pub(super) fn provision(&mut self, units: ProvisionedThroughput, now: Timestamp) {
        let (read, write) = (units.read_capacity_units, units.write_capacity_units);
        if read > self.read || write > self.write {
            self.increased = now.as_micros();
        }
        if read < self.read || write < self.write {
            self.decreases = if is_same_day(self.decreased, now) { self.decreases + 1 } else { 1 };
            self.decreased = now.as_micros();
        }
        (self.read, self.write) = (read, write);
    }

    pub(super) fn set_on_demand(&mut self, bounds: Option<OnDemandThroughput>) {
        let Some(bounds) = bounds else { return };
        self.max_read = bounds.max_read_request_units.or(self.max_read);
        self.max_write = bounds.max_write_request_units.or(self.max_write);
    }

    pub(super) fn set_warm(&mut self, warm: Option<WarmThroughput>) {
        let Some(warm) = warm else { return };
        self.warm_read = warm.read_units_per_second.or(self.warm_read);
        self.warm_write = warm.write_units_per_second.or(self.warm_write);
    }

    pub(super) fn describe(&self, now: Timestamp) -> ThroughputDescription {
        ThroughputDescription {
            last_increase_date_time: moment(self.increased),
            last_decrease_date_time: moment(self.decreased),
            number_of_decreases_today: if is_same_day(self.decreased, now) { self.decreases } else { 0 },
            read_capacity_units: self.read,
            write_capacity_units: self.write,
        }
    }

    pub(super) fn on_demand(&self) -> Option<OnDemandThroughput> {
        let (max_read_request_units, max_write_request_units) = (self.max_read, self.max_write);
        let has_any = max_read_request_units.is_some() || max_write_request_units.is_some();
        has_any.then_some(OnDemandThroughput { max_read_request_units, max_write_request_units })
    }

    /// What the table can do at once: what was asked for, or what the service begins with.
    pub(super) fn warm(&self, is_by_request: bool) -> WarmThroughput {
        let (read, write) = if is_by_request { (12_000, 4_000) } else { (self.read, self.write) };
        WarmThroughput {
            read_units_per_second: Some(self.warm_read.unwrap_or(read)),
            write_units_per_second: Some(self.warm_write.unwrap_or(write)),
        }
    }
}

/// A stored moment; 0 is none.
pub(super) fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then(|| Timestamp::from_micros(micros))
}

fn is_same_day(micros: i64, now: Timestamp) -> bool {
    const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;
    micros != 0 && micros.div_euclid(DAY_MICROS) == now.as_micros().div_euclid(DAY_MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(read_capacity_units: i64, write_capacity_units: i64) -> ProvisionedThroughput {
        ProvisionedThroughput { read_capacity_units, write_capacity_units }
    }

    #[test]
    fn decreases_are_counted_by_the_day() {
        let mut throughput = Throughput::new(Some(units(5, 5)), None, None);
        let day = |n: i64| Timestamp::from_seconds(n * 24 * 3_600 + 60);
        throughput.provision(units(4, 5), day(1));
        throughput.provision(units(3, 5), day(1));
        assert_eq!(throughput.describe(day(1)).number_of_decreases_today, 2);
        assert_eq!(throughput.describe(day(2)).number_of_decreases_today, 0);
        throughput.provision(units(3, 4), day(2));
        assert_eq!(throughput.describe(day(2)).number_of_decreases_today, 1);
        assert_eq!(throughput.describe(day(2)).last_increase_date_time, None);
    }

    #[test]
    fn a_stream_has_as_many_shards_as_the_service_has_partitions() {
        let provisioned = |read, write| {
            let throughput = Throughput::new(Some(units(read, write)), None, None);
            Details { throughput, ..Details::default() }.shards()
        };
        assert_eq!((provisioned(5, 5), provisioned(3_000, 0), provisioned(0, 1_001)), (1, 1, 2));
        assert_eq!(Details { is_by_request: true, ..Details::default() }.shards(), 4);
    }
}
