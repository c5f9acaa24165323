//! Options of tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::check::check_ttl;

/// What is set of a table beside its columns.
///
/// Two of them change what the table does: `default_time_to_live` and `gc_grace_seconds`. The others are how Cassandra stores and
/// repairs a table; they are checked, kept and shown, and have nothing here to work on.
///
/// # Examples
/// ```
/// use larder::wide_column::TableOptions;
/// let mut options = TableOptions::default();
/// options.gc_grace_seconds = 3_600;
/// assert_eq!(options.compaction["class"], "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy");
/// ```
///
/// # Source
/// CQL reference, *Table options*; their defaults are those of Cassandra 5.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableOptions {
    /// Whether replicas are asked twice, and after how long.
    pub additional_write_policy: String,
    /// Chance with which a Bloom filter is wrong.
    pub bloom_filter_fp_chance: f64,
    /// What is cached.
    pub caching: BTreeMap<String, String>,
    /// Whether changes are logged.
    pub cdc: bool,
    /// Words of the user's.
    pub comment: String,
    /// How files are merged.
    pub compaction: BTreeMap<String, String>,
    /// How files are compressed.
    pub compression: BTreeMap<String, String>,
    /// Chance with which checksums of compressed files are looked at.
    pub crc_check_chance: f64,
    /// Seconds that what is written without a time to live of its own lives; 0 is for ever.
    pub default_time_to_live: u32,
    /// Seconds for which a tombstone is kept against late writes.
    pub gc_grace_seconds: u32,
    /// How far apart entries of the summary of an index are at most.
    pub max_index_interval: u32,
    /// Milliseconds after which what is in memory is written to a file.
    pub memtable_flush_period_in_ms: u32,
    /// How far apart entries of the summary of an index are at least.
    pub min_index_interval: u32,
    /// Whether reads repair what they find different.
    pub read_repair: String,
    /// Whether a second replica is asked, and after how long.
    pub speculative_retry: String,
    /// Which kind of memtable it has.
    pub memtable: String,
    /// Whether a snapshot is taken before it is dropped or truncated.
    pub allow_auto_snapshot: bool,
    /// Whether new files are backed up.
    pub incremental_backups: bool,
}

impl Default for TableOptions {
    fn default() -> Self {
        let map = |entries: &[(&str, &str)]| {
            entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Self {
            additional_write_policy: "99p".to_owned(),
            bloom_filter_fp_chance: 0.01,
            caching: map(&[("keys", "ALL"), ("rows_per_partition", "NONE")]),
            cdc: false,
            comment: String::new(),
            compaction: map(&[
                ("class", "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"),
                ("max_threshold", "32"),
                ("min_threshold", "4"),
            ]),
            compression: map(&[
                ("chunk_length_in_kb", "16"),
                ("class", "org.apache.cassandra.io.compress.LZ4Compressor"),
            ]),
            crc_check_chance: 1.0,
            default_time_to_live: 0,
            gc_grace_seconds: 864_000,
            max_index_interval: 2_048,
            memtable_flush_period_in_ms: 0,
            min_index_interval: 128,
            read_repair: "BLOCKING".to_owned(),
            speculative_retry: "99p".to_owned(),
            memtable: "default".to_owned(),
            allow_auto_snapshot: true,
            incremental_backups: true,
        }
    }
}

impl TableOptions {
    /// Refuses values that no table can have, with the class and in the words of Cassandra.
    pub(in crate::wide_column) fn validate(&self) -> Result<()> {
        check_ttl(self.default_time_to_live)?;
        let refuse = |message: String| Err(Exception::Config.error(message));
        let chance = self.bloom_filter_fp_chance;
        if !(chance > 0.0 && chance <= 1.0) {
            return refuse(format!(
                "bloom_filter_fp_chance must be larger than 0.0 and less than or equal to 1.0 (got {chance})"
            ));
        }
        let chance = self.crc_check_chance;
        if !(0.0..=1.0).contains(&chance) {
            return refuse(format!(
                "crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got {chance})"
            ));
        }
        if self.min_index_interval < 1 {
            return refuse(format!("min_index_interval must be greater than 0 (got {})", self.min_index_interval));
        }
        if self.max_index_interval < self.min_index_interval {
            return refuse(format!(
                "max_index_interval must be greater than or equal to min_index_interval ({}) (got {})",
                self.min_index_interval, self.max_index_interval
            ));
        }
        if self.compaction.get("class").is_none_or(String::is_empty) {
            return refuse("Missing sub-option 'class' for the 'compaction' option.".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_their_bounds_are_refused_with_the_class_of_a_setting() {
        assert!(TableOptions::default().validate().is_ok());
        let wrong: [fn(&mut TableOptions); 5] = [
            |options| options.bloom_filter_fp_chance = 0.0,
            |options| options.crc_check_chance = 1.1,
            |options| options.min_index_interval = 0,
            |options| options.max_index_interval = 100,
            |options| options.compaction.clear(),
        ];
        for change in wrong {
            let mut options = TableOptions::default();
            change(&mut options);
            assert_eq!(Exception::of(&options.validate().unwrap_err()), Exception::Config);
        }
    }
}
