//! Runs the patterns in order and prints what they found.

use std::io::{IsTerminal, Write};
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use jiff::civil::{Date, date};
use larder::{ManualClock, Result, Stopwatch, Store, Timestamp};

use crate::patterns::{Total, cache, channel, events, items, leaderboard, time_series, together};
use crate::purchases::{Log, Purchase, days_since_epoch};

/// First day of the second aggregation.
const SINCE: Date = date(1998, 1, 1);

/// Customers of the cache and rate limit patterns.
const USERS: usize = 500;

/// Calls each customer makes within one window, and how many of them are allowed.
const CALLS: (u64, i64) = (120, 100);

/// Prints what the run is over.
pub(crate) fn print_header(path: Option<&Path>, log: &Log, kept: &str) {
    let source = path.map_or_else(|| "made-up purchases".to_owned(), |path| path.display().to_string());
    println!("Larder patterns: {} purchases from {source}, store {kept}", thousands(log.purchases.len() as u64));
    match log.malformed.len() {
        0 => println!(),
        1 => println!("1 malformed line was skipped\n"),
        skipped => println!("{skipped} malformed lines were skipped\n"),
    }
}

/// Runs every pattern and prints the report.
pub(crate) fn run(store: &Store, clock: &ManualClock, log: &Log) -> Result<()> {
    let purchases = &log.purchases;
    let mut lines = Lines::default();
    load(store, clock, purchases, &mut lines)?;

    let since = Timestamp::from_seconds(i64::from(days_since_epoch(SINCE)) * 86_400);
    let beginning = Timestamp::from_micros(i64::MIN);
    let best = lines.time("2 aggregation", |lines| {
        let best = events::top_customers(store, since, 10)?;
        let customers = events::customers_since(store, since)?;
        lines.note(2, format!("{} customers since {SINCE}", thousands(customers)));
        Ok(best)
    })?;
    let best_ever = events::top_customers(store, beginning, 10)?;

    let users = customers(purchases, USERS);
    lines.time("3 cache-aside", |lines| {
        let report = cache::run_cache(store, clock, &users)?;
        let (cold, warm, late) = (report.cold_hits, report.warm_hits, report.expired_hits);
        lines.note(report.reads, format!("hits: {cold} at first, {warm} then, {late} after an hour"));
        Ok(())
    })?;
    lines.time("4 rate limit", |lines| {
        let report = cache::run_rate_limit(store, clock, &users, CALLS.0, CALLS.1)?;
        let text = format!("{} allowed, {} refused", thousands(report.allowed), thousands(report.refused));
        lines.note(report.calls, format!("{text}, {} allowed a minute later", report.allowed_next));
        Ok(())
    })?;
    let leaders = lines.time("5 leaderboard, top and rank", |lines| {
        let leaders = leaderboard::top(store, 10)?;
        let user = purchases.first().map(|purchase| purchase.user_id.as_str()).unwrap_or_default();
        let place = leaderboard::place(store, user)?.map_or("not placed".to_owned(), thousands);
        lines.note(2, format!("customer {user} is number {place}"));
        Ok(leaders)
    })?;
    lines.time("6 channel", |lines| {
        let report = channel::run(store, purchases)?;
        let same = if report.received == report.published { "in commit order" } else { "OUT OF ORDER" };
        lines.note(
            report.published.len() as u64,
            format!("{} received, {same}", thousands(report.received.len() as u64)),
        );
        Ok(())
    })?;
    queries(store, purchases, &mut lines)?;
    lines.time("9 all in one transaction", |lines| {
        let report = together::run(store, purchases)?;
        let clean = report.after_failure == report.before && report.messages.0 == 0;
        let traces = if clean { "no trace of the failed one" } else { "TRACES OF THE FAILED ONE" };
        let after = &report.after_success;
        let found =
            format!("{} event, {} item, {} row, {} message", after.events, after.items, after.rows, report.messages.1);
        lines.note(2, format!("{traces}; {found} of the other"));
        Ok(())
    })?;

    lines.print();
    let best: Vec<_> = best.into_iter().map(Total::from).collect();
    let best_ever: Vec<_> = best_ever.into_iter().map(Total::from).collect();
    print_totals(&[(&format!("since {SINCE}"), &best), ("all events", &best_ever), ("leaderboard", &leaders)]);
    Ok(())
}

/// The passes over the whole log.
fn load(store: &Store, clock: &ManualClock, purchases: &[Purchase], lines: &mut Lines) -> Result<()> {
    let all = purchases.len() as u64;
    lines.time("1 events: insert", |lines| {
        let loaded = with_progress(all, "events", |progress| events::load(store, purchases, progress))?;
        let text =
            format!("{} stored, {} duplicates refused", thousands(loaded.accepted), thousands(loaded.duplicates));
        lines.note(loaded.worked, text);
        Ok(())
    })?;
    lines.time("5 leaderboard: add", |lines| {
        let worked = with_progress(all, "leaderboard", |progress| leaderboard::load(store, purchases, progress))?;
        lines.note(worked, format!("{} members", thousands(store.kv().sorted_set(leaderboard::KEY).len()?)));
        Ok(())
    })?;
    lines.time("7 items: batch write", |lines| {
        let report = with_progress(all, "items", |progress| items::load(store, clock, purchases, progress))?;
        let text = format!("{} calls, {} writes sent again", thousands(report.calls), thousands(report.unprocessed));
        lines.note(report.items, text);
        Ok(())
    })?;
    lines.time("8 time series: insert", |lines| {
        let worked = with_progress(all, "time series", |progress| time_series::load(store, purchases, progress))?;
        lines.note(worked, "prepared once, one partition a day".to_owned());
        Ok(())
    })
}

/// The queries of documents, items and rows.
fn queries(store: &Store, purchases: &[Purchase], lines: &mut Lines) -> Result<()> {
    let Some(Purchase { user_id, day, .. }) = purchases.first() else { return Ok(()) };
    lines.time("1 events: newest of a customer", |lines| {
        let newest = events::newest_of_user(store, user_id, 100)?;
        lines.note(1, format!("{} events of {user_id}", newest.len()));
        Ok(())
    })?;
    lines.time("7 items: newest of a customer", |lines| {
        let newest = items::newest_of_user(&store.item_table(items::TABLE), user_id, 100)?;
        lines.note(1, format!("{} items of {user_id}", newest.len()));
        Ok(())
    })?;
    lines.time("7 items: by type and day", |lines| {
        let found = items::of_type_on(&store.item_table(items::TABLE), "purchase", *day)?;
        lines.note(1, format!("{} items on {day}", found.len()));
        Ok(())
    })?;
    lines.time("8 time series: one day", |lines| {
        let table = store.wide_table(time_series::KEYSPACE, time_series::TABLE);
        let rows = time_series::on_day(&table, *day)?;
        lines.note(1, format!("{} rows on {day}", rows.len()));
        Ok(())
    })?;
    lines.time("8 time series: a batch", |lines| {
        // The rows are there already: writing them again changes no number.
        let batch: Vec<_> = purchases.iter().filter(|purchase| purchase.day == *day).cloned().collect();
        let last_of_each = last_of_each_customer(&batch);
        time_series::write_batch(store, &last_of_each)?;
        lines.note(1, format!("{} rows at once", last_of_each.len()));
        Ok(())
    })
}

/// Of several purchases of a customer on one day the last, which is the row that is stored.
fn last_of_each_customer(purchases: &[Purchase]) -> Vec<Purchase> {
    let later = |purchase: &Purchase, rest: &[Purchase]| rest.iter().any(|other| other.user_id == purchase.user_id);
    let indexed = purchases.iter().enumerate();
    let last = indexed.filter(|(index, purchase)| !later(purchase, purchases.get(index + 1..).unwrap_or_default()));
    last.map(|(_, purchase)| purchase.clone()).collect()
}

/// The first `count` customers of the log.
fn customers(purchases: &[Purchase], count: usize) -> Vec<String> {
    let mut users: Vec<String> = Vec::new();
    for purchase in purchases {
        if users.len() == count {
            break;
        }
        if users.last() != Some(&purchase.user_id) && !users.contains(&purchase.user_id) {
            users.push(purchase.user_id.clone());
        }
    }
    users
}

/// Runs `body`, and shows how far it has come on a terminal.
fn with_progress<R>(total: u64, name: &'static str, body: impl FnOnce(&dyn Fn(u64)) -> Result<R>) -> Result<R> {
    let mut terminal = std::io::stderr();
    if !terminal.is_terminal() {
        return body(&|_| {});
    }
    let step = (total / 100).max(1);
    let outcome = body(&|done| {
        if done % step == 0 {
            // A terminal that cannot be written to is no reason to stop.
            let _ = write!(std::io::stderr(), "\r{name}: {} %", done * 100 / total.max(1));
        }
    });
    let _ = write!(terminal, "\r{:1$}\r", "", name.len() + ": 100 %".len());
    outcome
}

/// The report's lines: pattern, operations, time, and what came out.
#[derive(Default)]
struct Lines {
    rows: Vec<[String; 5]>,
    noted: Option<(u64, String)>,
}

impl Lines {
    /// Runs a pattern and measures it; the pattern notes what it did.
    fn time<R>(&mut self, name: &str, pattern: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let watch = Stopwatch::start();
        let outcome = pattern(self)?;
        let seconds = watch.elapsed().as_secs_f64();
        let (operations, text) = self.noted.take().unwrap_or_default();
        let rate = rate(operations, seconds);
        self.rows.push([name.to_owned(), thousands(operations), format!("{seconds:.3}"), rate, text]);
        Ok(outcome)
    }

    fn note(&mut self, operations: u64, text: String) {
        self.noted = Some((operations, text));
    }

    fn print(mut self) {
        self.rows.sort_by(|a, b| a[0].as_bytes().first().cmp(&b[0].as_bytes().first()));
        let mut table = table(&["pattern", "operations", "seconds", "per second", "result"], &[1, 2, 3]);
        for row in self.rows {
            table.add_row(row);
        }
        println!("{table}\n");
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for reading")]
fn rate(operations: u64, seconds: f64) -> String {
    if operations == 0 { "-".to_owned() } else { thousands((operations as f64 / seconds.max(1e-9)) as u64) }
}

/// Prints rankings side by side.
fn print_totals(rankings: &[(&str, &[Total])]) {
    let mut header = vec!["rank"];
    header.extend(rankings.iter().flat_map(|(name, _)| [*name, "dollars"]));
    let amounts: Vec<_> = (0..header.len()).filter(|column| column % 2 == 0).collect();
    let mut table = table(&header, &amounts);
    let longest = rankings.iter().map(|(_, totals)| totals.len()).max().unwrap_or(0);
    for rank in 0..longest {
        let mut row = vec![(rank + 1).to_string()];
        for (_, totals) in rankings {
            match totals.get(rank) {
                Some(total) => row.extend([total.user_id.clone(), dollars(total.cents)]),
                None => row.extend([String::new(), String::new()]),
            }
        }
        table.add_row(row);
    }
    println!("{table}");
}

fn table(header: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(header);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn dollars(cents: i64) -> String {
    format!("{}.{:02}", thousands(cents.unsigned_abs() / 100), cents % 100)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
