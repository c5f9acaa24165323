//! Options of tables.

use crate::error::Result;
use crate::wide_column::cql::ast::Property;
use crate::wide_column::cql::plan::define::properties::{boolean, map, number, simple};
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::TableOptions;

/// Sets one option of a table.
pub(super) fn set_option(options: &mut TableOptions, property: &Property) -> Result<()> {
    match property.name.as_str() {
        "additional_write_policy" => options.additional_write_policy = simple(property)?,
        "bloom_filter_fp_chance" => options.bloom_filter_fp_chance = number(property, "double")?,
        "caching" => options.caching = map(property)?,
        "cdc" => options.cdc = boolean(property)?,
        "comment" => options.comment = simple(property)?,
        "compaction" => options.compaction = map(property)?,
        "compression" => {
            options.compression = map(property)?;
            if options.compression.is_empty() {
                options.compression.insert("enabled".to_owned(), "false".to_owned());
            }
        }
        "crc_check_chance" => options.crc_check_chance = number(property, "double")?,
        "default_time_to_live" => {
            let seconds: i32 = number(property, "integer")?;
            options.default_time_to_live = u32::try_from(seconds).map_err(|_| {
                Exception::Config
                    .error(format!("default_time_to_live must be greater than or equal to 0 (got {seconds})"))
            })?;
        }
        "gc_grace_seconds" => {
            let seconds: i32 = number(property, "integer")?;
            options.gc_grace_seconds = u32::try_from(seconds).map_err(|_| {
                Exception::Config.error(format!("gc_grace_seconds must be greater than or equal to 0 (got {seconds})"))
            })?;
        }
        "max_index_interval" => options.max_index_interval = number(property, "integer")?,
        "memtable_flush_period_in_ms" => options.memtable_flush_period_in_ms = number(property, "integer")?,
        "min_index_interval" => options.min_index_interval = number(property, "integer")?,
        "read_repair" => options.read_repair = simple(property)?,
        "speculative_retry" => options.speculative_retry = simple(property)?,
        "memtable" => options.memtable = simple(property)?,
        "allow_auto_snapshot" => options.allow_auto_snapshot = boolean(property)?,
        "incremental_backups" => options.incremental_backups = boolean(property)?,
        other => return Err(Exception::Syntax.error(format!("Unknown property '{other}'"))),
    }
    Ok(())
}
