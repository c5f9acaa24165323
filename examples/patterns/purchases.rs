//! The purchase log: read from a file, or made up.
//!
//! One purchase a line after a header: customer id, date as `YYYYMMDD`, number of CDs, dollars with two decimals, separated
//! by spaces.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use jiff::civil::{Date, date};
use larder::Timestamp;

/// One purchase.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Purchase {
    /// Place in the log, from 1: what distinguishes two purchases of a customer on one day.
    pub(crate) row: u64,
    /// The customer.
    pub(crate) user_id: String,
    /// The day, which is all the log knows of the time.
    pub(crate) day: Date,
    /// CDs bought.
    pub(crate) cds: i32,
    /// Price of all of them: whole cents, so that sums are exact.
    pub(crate) cents: i64,
}

impl Purchase {
    /// Midnight of the day, UTC.
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_seconds(i64::from(days_since_epoch(self.day)) * 86_400)
    }

    /// The time as ISO 8601 text: `1997-01-01T00:00:00`.
    pub(crate) fn iso_time(&self) -> String {
        format!("{}T00:00:00", self.day)
    }
}

/// Days from 1970-01-01 to `day`, negative before.
pub(crate) fn days_since_epoch(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

/// A line that is not a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Line of the file, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// A purchase log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The purchases in file order.
    pub(crate) purchases: Vec<Purchase>,
    /// The lines that were skipped.
    pub(crate) malformed: Vec<Malformed>,
}

impl Log {
    /// Reads the file at `path`. Empty lines and a header are passed over, malformed lines noted.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut log = Self::default();
        for (index, line) in BufReader::new(File::open(path)?).split(b'\n').enumerate() {
            log.add_line(index + 1, &line?);
        }
        Ok(log)
    }

    /// Makes a log of `rows` purchases, the same every time: few customers buy often, many rarely, some twice on one day.
    pub(crate) fn generate(rows: u64) -> Self {
        let mut random = Random(0x1997_0101);
        let users = (rows / 3).max(1);
        let start = date(1997, 1, 1);
        let mut purchases: Vec<Purchase> = Vec::new();
        for row in 1..=rows {
            // The product of two draws makes low customer numbers much likelier than high ones.
            let user = random.below(users) * random.below(users) / users + 1;
            let cds = 1 + random.below(5) * random.below(2);
            let again = purchases.last().filter(|_| random.below(32) == 0);
            let (user_id, day) = if let Some(last) = again {
                (last.user_id.clone(), last.day)
            } else {
                let days = i64::try_from(random.below(546)).unwrap_or_default();
                (format!("{user:05}"), start.saturating_add(jiff::Span::new().days(days)))
            };
            let cents = i64::try_from(cds * (700 + random.below(2_500))).unwrap_or_default();
            purchases.push(Purchase { row, user_id, day, cds: i32::try_from(cds).unwrap_or(1), cents });
        }
        Self { purchases, malformed: Vec::new() }
    }

    /// A number that distinguishes this log from another.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.purchases.hash(&mut hasher);
        hasher.finish()
    }

    fn add_line(&mut self, number: usize, line: &[u8]) {
        let parsed = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned()).and_then(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            match fields.first() {
                None | Some(&"customer_id") => Ok(None),
                Some(_) => parse(self.purchases.len() as u64 + 1, &fields).map(Some),
            }
        });
        match parsed {
            Ok(purchase) => self.purchases.extend(purchase),
            Err(reason) => self.malformed.push(Malformed { line: number, reason }),
        }
    }
}

fn parse(row: u64, fields: &[&str]) -> Result<Purchase, String> {
    let &[user_id, day, cds, dollars] = fields else {
        return Err(format!("it has {} fields instead of 4", fields.len()));
    };
    if user_id.is_empty() || !user_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{user_id:?} is not a customer id"));
    }
    let day = Date::strptime("%Y%m%d", day).map_err(|_| format!("{day:?} is not a date like 19970131"))?;
    let cds = cds.parse().map_err(|_| format!("{cds:?} is not a number of CDs"))?;
    let cents = cents(dollars).ok_or_else(|| format!("{dollars:?} is not an amount like 12.34"))?;
    Ok(Purchase { row, user_id: user_id.to_owned(), day, cds, cents })
}

/// Dollars with two decimals as cents, without a float in between.
fn cents(dollars: &str) -> Option<i64> {
    let (whole, fraction) = dollars.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() != 2 {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction.parse().ok()?)
}

/// A small linear congruential generator: the log must be the same on every machine and in every version.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
