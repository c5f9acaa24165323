//! Durations: `1y2mo3w4d5h6m7s8ms9us10ns`, `P1Y2M3DT4H5M6S`, `P4W`, `P0001-02-03T04:05:06`.

use super::Parsed;

/// Units in the order in which they have to stand: name for messages, and how much of which part each is.
const UNITS: [(&str, Part, i64); 10] = [
    ("years", Part::Months, 12),
    ("months", Part::Months, 1),
    ("weeks", Part::Days, 7),
    ("days", Part::Days, 1),
    ("hours", Part::Nanoseconds, 3_600_000_000_000),
    ("minutes", Part::Nanoseconds, 60_000_000_000),
    ("seconds", Part::Nanoseconds, 1_000_000_000),
    ("milliseconds", Part::Nanoseconds, 1_000_000),
    ("microseconds", Part::Nanoseconds, 1_000),
    ("nanoseconds", Part::Nanoseconds, 1),
];

#[derive(Clone, Copy)]
enum Part {
    Months,
    Days,
    Nanoseconds,
}

/// What has been read, without a sign.
#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    nanoseconds: i64,
    /// How many of the units may not come any more.
    passed: usize,
}

impl Sum {
    fn add(&mut self, unit: usize, count: i64) -> Parsed<()> {
        let (name, part, factor) = UNITS.get(unit).copied().ok_or("Unknown duration symbol")?;
        if unit + 1 == self.passed {
            return Err(format!("Invalid duration. The {name} are specified multiple times"));
        }
        if unit < self.passed {
            let last = UNITS.get(self.passed - 1).map_or("", |(last, ..)| last);
            return Err(format!("Invalid duration. The {last} should be after {name}"));
        }
        self.passed = unit + 1;
        let (sum, max, whole) = match part {
            Part::Months => (&mut self.months, i64::from(i32::MAX), "months"),
            Part::Days => (&mut self.days, i64::from(i32::MAX), "days"),
            Part::Nanoseconds => (&mut self.nanoseconds, i64::MAX, "nanoseconds"),
        };
        if count > (max - *sum) / factor {
            let max = i32::MAX;
            return Err(format!("Invalid duration. The total number of {whole} must be less or equal to {max}"));
        }
        *sum += count * factor;
        Ok(())
    }
}

/// Months, days and nanoseconds of a duration; all of one sign.
pub(super) fn parse(text: &str) -> Parsed<(i32, i32, i64)> {
    let (is_negative, source) = text.strip_prefix('-').map_or((false, text), |source| (true, source));
    let bad = || format!("Unable to convert '{source}' to a duration");
    let mut sum = Sum::default();
    match source.strip_prefix('P') {
        Some(iso) if iso.contains('-') => alternative(iso, &mut sum)?.ok_or_else(bad)?,
        Some(iso) => designators(iso, &mut sum)?.ok_or_else(bad)?,
        None => units(source, &mut sum)?.ok_or_else(bad)?,
    }
    let sign = if is_negative { -1 } else { 1 };
    // `Sum::add` has checked the bounds.
    let small = |number: i64| i32::try_from(number * sign).unwrap_or_default();
    Ok((small(sum.months), small(sum.days), sum.nanoseconds * sign))
}

/// Digits at the beginning, as a number, and the rest.
fn number(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

fn units(source: &str, sum: &mut Sum) -> Parsed<Option<()>> {
    let mut rest = source;
    if rest.is_empty() {
        return Ok(None);
    }
    while !rest.is_empty() {
        let Some((count, behind)) = number(rest) else { return Ok(None) };
        let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let Some((symbol, behind)) = behind.split_at_checked(end) else { return Ok(None) };
        let unit = match symbol.to_lowercase().as_str() {
            "y" => 0,
            "mo" => 1,
            "w" => 2,
            "d" => 3,
            "h" => 4,
            "m" => 5,
            "s" => 6,
            "ms" => 7,
            "us" | "µs" => 8,
            "ns" => 9,
            _ => return Ok(None),
        };
        sum.add(unit, count)?;
        rest = behind;
    }
    Ok(Some(()))
}

fn designators(iso: &str, sum: &mut Sum) -> Parsed<Option<()>> {
    let (mut rest, mut is_time) = (iso, false);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('T').filter(|_| !is_time) {
            (rest, is_time) = (behind, true);
            continue;
        }
        let Some((count, behind)) = number(rest) else { return Ok(None) };
        let mut letters = behind.chars();
        let unit = match (letters.next(), is_time) {
            (Some('Y'), false) => 0,
            (Some('M'), false) => 1,
            // Alone only.
            (Some('W'), false) if sum.passed == 0 && letters.as_str().is_empty() => 2,
            (Some('D'), false) => 3,
            (Some('H'), true) => 4,
            (Some('M'), true) => 5,
            (Some('S'), true) => 6,
            _ => return Ok(None),
        };
        sum.add(unit, count)?;
        rest = letters.as_str();
    }
    Ok(Some(()))
}

/// `0001-02-03T04:05:06`
fn alternative(iso: &str, sum: &mut Sum) -> Parsed<Option<()>> {
    let parts: Vec<_> = iso.split(['-', 'T', ':']).collect();
    let [years, months, days, hours, minutes, seconds] = parts[..] else { return Ok(None) };
    for (unit, part) in [(0, years), (1, months), (3, days), (4, hours), (5, minutes), (6, seconds)] {
        let Some((count, "")) = number(part) else { return Ok(None) };
        sum.add(unit, count)?;
    }
    Ok(Some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: WID-TYP-2
    #[test]
    fn durations_are_read_in_each_form() {
        const HOUR: i64 = 3_600_000_000_000;
        for (text, expected) in [
            ("1y2mo", (14, 0, 0)),
            ("-1w2d", (0, -9, 0)),
            ("12h30m", (0, 0, 12 * HOUR + HOUR / 2)),
            ("1ms2us3ns", (0, 0, 1_002_003)),
            ("1µs", (0, 0, 1_000)),
            ("P1Y2M3DT4H", (14, 3, 4 * HOUR)),
            ("-PT1S", (0, 0, -1_000_000_000)),
            ("P2W", (0, 14, 0)),
            ("P0001-02-03T04:00:00", (14, 3, 4 * HOUR)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn durations_out_of_order_or_bounds_are_refused() {
        for (text, message) in [
            ("1d1y", "Invalid duration. The days should be after years"),
            ("1d2d", "Invalid duration. The days are specified multiple times"),
            ("178956971y", "Invalid duration. The total number of months must be less or equal to 2147483647"),
            ("1x", "Unable to convert '1x' to a duration"),
            ("", "Unable to convert '' to a duration"),
            ("-P1", "Unable to convert 'P1' to a duration"),
            ("P1W2D", "Unable to convert 'P1W2D' to a duration"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }
}
