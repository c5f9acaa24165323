//! The text of `/metrics`.
//!
//! Names follow the OpenTelemetry semantic conventions for databases, as Prometheus writes them: dots are underscores, and the unit and,
//! for counts that only grow, `total` stand at the end. Those conventions are of clients (`db.client.operation.duration`); what a server
//! counts of the same has `server` in that place, and the same attributes: `db.system.name`, `db.operation.name`, `network.io.direction`.
//! What they have no name for begins with `larder`.

use std::fmt::Write;

use crate::server::meters::{Meters, Operations};
use crate::server::process;
use crate::server::tally::bound_nanos;
use crate::store::Store;

/// What the text is.
pub(super) const CONTENT: &str = "text/plain; version=0.0.4; charset=utf-8";

const NANOS_PER_SECOND: f64 = 1e9;

/// Text that grows by one family after another.
struct Exposition(String);

impl Exposition {
    /// Begins a family of samples.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A family of one sample, if there is a value.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.family(name, kind, help);
            self.sample(name, &[], value);
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Writes what the doors and the store have counted.
pub(super) fn write(store: &Store, doors: &[Meters]) -> String {
    let mut text = Exposition(String::new());
    write_doors(&mut text, doors);
    write_operations(&mut text, doors);
    write_store(&mut text, store);
    write_process(&mut text);
    text.0
}

fn labels(door: &Meters) -> [(&'static str, &'static str); 2] {
    [("db_system_name", door.system), ("larder_model", door.model)]
}

/// A name, what it counts, and how that is read.
type Family<T> = (&'static str, &'static str, fn(&T) -> u64);

fn write_doors(text: &mut Exposition, doors: &[Meters]) {
    let families: [Family<Meters>; 3] = [
        ("db_server_connections_total", "Connections that were let in or turned away.", |door| {
            door.metrics().connections
        }),
        ("db_server_requests_total", "Requests that were run, queued or refused.", |door| door.metrics().requests),
        ("db_server_request_errors_total", "Requests that were answered with an error.", |door| door.metrics().errors),
    ];
    for (name, help, value) in families {
        text.family(name, "counter", help);
        for door in doors {
            text.sample(name, &labels(door), value(door));
        }
    }
    let name = "db_server_io_bytes_total";
    text.family(name, "counter", "Bytes that clients sent (receive) and were sent (transmit).");
    for door in doors {
        let ([system, model], metrics) = (labels(door), door.metrics());
        for (direction, bytes) in [("receive", metrics.read_bytes), ("transmit", metrics.written_bytes)] {
            text.sample(name, &[system, model, ("network_io_direction", direction)], bytes);
        }
    }
    let name = "db_server_connection_count";
    text.family(name, "gauge", "Clients that are connected.");
    for door in doors {
        if let Some(connected) = door.connected() {
            text.sample(name, &labels(door), connected);
        }
    }
}

fn write_operations(text: &mut Exposition, doors: &[Meters]) {
    let doors: Vec<_> = doors.iter().map(|door| (labels(door), door.operations())).collect();
    let families: [Family<Operations>; 3] = [
        ("db_server_operations_total", "Commands that ran.", |operations| operations.calls),
        ("db_server_operation_errors_total", "Commands that ran and failed.", |operations| operations.failed),
        ("db_server_operations_rejected_total", "Commands that were refused before they ran.", |operations| {
            operations.rejected
        }),
    ];
    for (name, help, value) in families {
        text.family(name, "counter", help);
        for ([system, model], operations) in &doors {
            for (operation, counts) in operations {
                text.sample(name, &[*system, *model, ("db_operation_name", operation)], value(counts));
            }
        }
    }
    let name = "db_server_operation_duration_seconds";
    text.family(name, "histogram", "Duration of commands that were timed.");
    for ([system, model], operations) in &doors {
        for (operation, counts) in operations {
            write_histogram(text, name, &[*system, *model, ("db_operation_name", operation)], counts);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of times need not be exact, and bounds are powers of two")]
fn write_histogram(text: &mut Exposition, name: &str, labels: &[(&str, &str); 3], counts: &Operations) {
    let [system, model, operation] = *labels;
    let (bucket, mut sum) = (format!("{name}_bucket"), 0);
    let last = counts.buckets.len() - 1;
    for (at, count) in counts.buckets.iter().enumerate() {
        sum += count;
        let bound =
            if at == last { "+Inf".to_owned() } else { (bound_nanos(at) as f64 / NANOS_PER_SECOND).to_string() };
        text.sample(&bucket, &[system, model, operation, ("le", &bound)], sum);
    }
    text.sample(&format!("{name}_sum"), labels, counts.nanos as f64 / NANOS_PER_SECOND);
    text.sample(&format!("{name}_count"), labels, sum);
}

fn write_store(text: &mut Exposition, store: &Store) {
    let stats = store.stats();
    text.single("larder_store_up", "gauge", "1 while the store is open.", Some(u8::from(stats.is_ok())));
    let is_writable = stats.is_ok() && store.failure().is_none();
    text.single("larder_store_writable", "gauge", "1 while the store takes writes.", Some(u8::from(is_writable)));
    let Ok(stats) = stats else { return };
    text.single("larder_store_entries", "gauge", "Entries that the engine holds.", stats.entries);
    text.single("larder_store_bytes", "gauge", "Bytes of all keys and values.", stats.bytes);
    text.single("larder_store_disk_bytes", "gauge", "Bytes on disk.", Some(stats.disk_bytes));
    text.single("larder_store_log_bytes", "gauge", "Bytes of the log on disk.", Some(stats.log_bytes));
    let help = "Bytes of the newest checkpoint.";
    text.single("larder_store_checkpoint_bytes", "gauge", help, Some(stats.checkpoint_bytes));
    let help = "Commits since the store was made.";
    text.single("larder_store_commits_total", "counter", help, Some(stats.commit.0));
    let help = "The last commit that the newest checkpoint holds.";
    text.single("larder_store_checkpoint_commit", "gauge", help, stats.last_checkpoint.map(|commit| commit.0));
    let help = "How often the log was synced since the store was opened.";
    text.single("larder_store_syncs_total", "counter", help, Some(stats.syncs));
}

fn write_process(text: &mut Exposition) {
    let help = "Bytes of memory that the process has.";
    text.single("process_resident_memory_bytes", "gauge", help, process::resident_bytes());
    let seconds = process::processor_time().map(|time| time.user + time.system);
    text.single("process_cpu_seconds_total", "counter", "Seconds of processors that the process has used.", seconds);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::server::tally::{End, Tally};

    #[test]
    fn every_sample_belongs_to_the_family_before_it() {
        let meters = Meters::new("redis", "kv", Arc::default()).with_connected(|| 1);
        let tally = Arc::new(Tally::new(["config|\"get\"".to_owned()].into()));
        meters.add(Arc::clone(&tally));
        tally.count(0, End::Done);
        tally.time(0, Duration::from_millis(1));
        let text = write(&Store::in_memory(), &[meters]);
        let mut family = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap();
            } else if !line.starts_with('#') {
                assert!(line.starts_with(family) && line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
            }
        }
        assert!(text.contains("db_operation_name=\"config|\\\"get\\\"\",le=\"0.001048576\"} 1\n"), "{text}");
        assert!(text.contains("db_server_connection_count{db_system_name=\"redis\",larder_model=\"kv\"} 1\n"));
        assert!(text.contains("_sum{") && text.contains("le=\"+Inf\"} 1\n"));
    }
}
