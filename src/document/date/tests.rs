use super::*;

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn millis(text: &str) -> i64 {
    parse(text, None).unwrap_or_else(|| panic!("{text} is no date"))
}

fn text(millis: i64) -> String {
    formatted(millis, &Zone::UTC, "%Y-%m-%dT%H:%M:%S.%L").unwrap()
}

// SEM: DOC-AGG-11
#[test]
fn the_calendar_agrees_with_one_that_counts_day_by_day() {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut month, mut day, mut of_year) = (1895, 1, 1, 1);
    for days in Wall::of_date(1895, 1, 1).days()..=Wall::of_date(2105, 1, 1).days() {
        let wall = Wall::of_date(1970, 1, 1).on(days);
        assert_eq!((wall.date(), wall.day_of_year()), ((year, month, day), of_year));
        assert_eq!(Wall::of_date(year, month, day), wall);
        let (iso_year, week) = wall.iso_week();
        assert_eq!(Wall::of_week(iso_year, week, wall.iso_weekday()), wall);
        let length = match month {
            2 => 28 + i64::from(is_leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (day, of_year) = (day + 1, of_year + 1);
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month, of_year) = (year + 1, 1, 1);
        }
    }
}

#[test]
fn every_date_of_64_bits_is_in_the_calendar() {
    for (moment, year) in [(i64::MIN, -292_275_055), (i64::MAX, 292_278_994)] {
        let wall = Zone::UTC.wall(moment);
        assert_eq!((wall.year(), Zone::UTC.moment(wall)), (year, Some(moment)));
        assert!(zone("America/New_York").wall(moment).year().abs() > 292_000_000);
    }
    assert_eq!(zone("+01:00").moment(Zone::UTC.wall(i64::MIN)), None, "an hour before all dates");
    // The clocks of a place follow its last rules for ever.
    let summer = Wall::of_date(12_024, 7, 1).plus(12 * 3_600_000);
    let place = zone("Europe/Paris");
    let moment = place.moment(summer).unwrap();
    assert_eq!((place.offset_at(moment), place.wall(moment)), (7_200, summer));
}

#[test]
fn zones_are_found_by_their_exact_names() {
    let offset = |name: &str| Zone::parse(name).map(|zone| zone.offset_at(1_720_000_000_000));
    let cases = [
        ("UTC", Some(0)),
        ("America/New_York", Some(-4 * 3_600)),
        ("EST", Some(-5 * 3_600)),
        ("Asia/Kathmandu", Some(5 * 3_600 + 45 * 60)),
        ("+03", Some(3 * 3_600)),
        ("-0530", Some(-5 * 3_600 - 30 * 60)),
        ("+05:70", Some(5 * 3_600 + 70 * 60)),
        ("-99:99", Some(-99 * 3_600 - 99 * 60)),
        ("+100:00", None),
        ("+3", None),
        ("america/new_york", None),
        ("AMERICA/NEW_YORK", None),
        ("Etc/Unknown", None),
        ("Nowhere", None),
        ("", None),
    ];
    assert_eq!(cases.map(|(name, _)| (name, offset(name))), cases);
}

#[test]
fn units_move_clocks_or_moments() {
    let cases = [
        // A day and more keep the time of the day, hours do not.
        ("2021-03-14T14:00:00", Unit::Day, -1, "America/New_York", "2021-03-13T15:00:00.000"),
        ("2021-03-14T15:00:00", Unit::Hour, -24, "America/New_York", "2021-03-13T15:00:00.000"),
        ("2021-11-07T11:00:00", Unit::Week, -1, "America/New_York", "2021-10-31T10:00:00.000"),
        // What the clock skips and what it shows twice.
        ("2021-03-13T07:30:00", Unit::Day, 1, "America/New_York", "2021-03-14T07:30:00.000"),
        ("2021-11-06T05:30:00", Unit::Day, 1, "America/New_York", "2021-11-07T05:30:00.000"),
        ("2020-12-31T12:10:05", Unit::Month, -50, "UTC", "2016-10-31T12:10:05.000"),
        ("2020-12-31T12:10:05", Unit::Month, 50, "UTC", "2025-02-28T12:10:05.000"),
        ("2020-02-29T12:00:00", Unit::Year, -1, "UTC", "2019-02-28T12:00:00.000"),
        ("2021-04-30T10:00:00", Unit::Quarter, -1, "UTC", "2021-01-30T10:00:00.000"),
        ("9999-12-31T23:59:59", Unit::Millisecond, 1, "UTC", "9999-12-31T23:59:59.001"),
    ];
    for (start, unit, amount, place, end) in cases {
        let moved = unit.add(millis(start), amount, &zone(place));
        assert_eq!(moved.map(text).as_deref(), Some(end), "{start} {unit:?} {amount}");
    }
    assert_eq!(Unit::Year.add(0, 300_000_000, &Zone::UTC), None);
    assert_eq!(Unit::Hour.add(i64::MAX, 1, &Zone::UTC), None);
    for unit in [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Second] {
        for amount in [i64::MIN, i64::MIN / 13, i64::MAX / 5, i64::MAX / 4, i64::MAX] {
            assert_eq!(unit.add(0, amount, &zone("Europe/Paris")), None, "{unit:?} {amount}");
        }
    }
}

#[test]
fn units_count_the_beginnings_between_two_dates() {
    let cases = [
        ("2021-12-31T23:00:00", "2022-01-01T01:00:00", Unit::Year, "UTC", 1),
        ("2021-12-31T23:00:00", "2022-01-01T01:00:00", Unit::Year, "+02:00", 0),
        ("2021-12-31T23:00:00", "2022-01-01T01:00:00", Unit::Quarter, "UTC", 1),
        ("2022-01-01T01:00:00", "2021-12-31T23:00:00", Unit::Month, "UTC", -1),
        ("2021-03-14T06:00:00", "2021-03-14T08:00:00", Unit::Hour, "America/New_York", 2),
        ("2021-11-07T05:00:00", "2021-11-07T07:00:00", Unit::Hour, "America/New_York", 2),
        ("2021-03-14T06:59:00", "2021-03-14T07:00:00", Unit::Minute, "America/New_York", 1),
        ("1969-12-31T23:59:59.999", "1970-01-01T00:00:00", Unit::Second, "UTC", 1),
    ];
    for (start, end, unit, place, count) in cases {
        assert_eq!(unit.between(millis(start), millis(end), &zone(place), 0), Some(count), "{start} {end} {unit:?}");
    }
    let weeks = |first| Unit::Week.between(millis("2024-01-06"), millis("2024-01-08"), &Zone::UTC, first);
    assert_eq!([weeks(0), weeks(1), weeks(2)], [Some(1), Some(1), Some(0)]);
    assert_eq!(Unit::Year.between(i64::MIN, i64::MAX, &Zone::UTC, 0), Some(584_554_049));
    assert_eq!(Unit::Millisecond.between(i64::MIN, i64::MAX, &Zone::UTC, 0), None);
}

#[test]
fn units_cut_dates_to_bins_that_begin_in_2000() {
    let cases = [
        ("2021-03-20T11:30:05", Unit::Hour, 2, "UTC", "2021-03-20T10:00:00.000"),
        ("1969-06-15T10:00:00", Unit::Month, 1, "UTC", "1969-06-01T00:00:00.000"),
        ("2100-07-20T15:00:00", Unit::Quarter, 1, "UTC", "2100-07-01T00:00:00.000"),
        ("2021-03-20T11:30:05", Unit::Year, 10, "UTC", "2020-01-01T00:00:00.000"),
        ("1999-12-31T00:00:00", Unit::Year, 10, "UTC", "1990-01-01T00:00:00.000"),
        ("2021-03-20T11:30:05", Unit::Day, 1, "America/New_York", "2021-03-20T04:00:00.000"),
        ("2021-03-20T11:40:05", Unit::Hour, 1, "Asia/Kolkata", "2021-03-20T11:30:00.000"),
    ];
    for (start, unit, size, place, end) in cases {
        let cut = unit.floor(millis(start), size, &zone(place), 0);
        assert_eq!(cut.map(text).as_deref(), Some(end), "{start} {unit:?} {size}");
    }
    // From the manual: two weeks that begin on a Monday, in Los Angeles.
    for (start, end) in
        [("2020-02-08T13:13:23Z", "2020-02-03T08:00:00.000"), ("2019-01-08T06:12:03Z", "2019-01-07T08:00:00.000")]
    {
        let cut = Unit::Week.floor(millis(start), 2, &zone("America/Los_Angeles"), 1);
        assert_eq!(cut.map(text).as_deref(), Some(end));
    }
    assert_eq!(Unit::Year.floor(i64::MIN, 1, &Zone::UTC, 0), None, "the year begins before all dates");
}

#[test]
fn dates_are_read_as_people_write_them() {
    let cases = [
        ("2017-02-08", "2017-02-08T00:00:00.000"),
        ("2017-02-08T12:10:40.787", "2017-02-08T12:10:40.787"),
        ("2017-02-08T12:10:40.787Z", "2017-02-08T12:10:40.787"),
        ("2017-02-08T12:10:40+0530", "2017-02-08T06:40:40.000"),
        ("2017-02-08 12:10 -05:00", "2017-02-08T17:10:00.000"),
        ("20170208T121040", "2017-02-08T12:10:40.000"),
        ("2017-02-08T12:10:40 America/New_York", "2017-02-08T17:10:40.000"),
        ("oct 20 2020", "2020-10-20T00:00:00.000"),
        ("20 October, 2020 3:15 pm", "2020-10-20T15:15:00.000"),
        ("October 1st 2020", "2020-10-01T00:00:00.000"),
        ("WED jan 31 12:05:28 +03:30 1996", "1996-01-31T08:35:28.000"),
        ("10/20/2020", "2020-10-20T00:00:00.000"),
        ("2020/10/20", "2020-10-20T00:00:00.000"),
        ("20.10.2020", "2020-10-20T00:00:00.000"),
        ("20-oct-2020", "2020-10-20T00:00:00.000"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999"),
    ];
    assert_eq!(cases.map(|(written, _)| (written, text(millis(written)))), cases.map(|(w, t)| (w, t.to_owned())));
    let no_dates = [
        "",
        "not-a-date",
        "2017-13-01",
        "2017-02-30",
        "1900-02-29",
        "2017",
        "12:30",
        "oct 2020",
        "2017-02-08T25:00",
        "2017-02-08T12:60",
        "2017-02-08 2018-02-08",
        "2017-02-08 nonsense",
        "2017-02-08+05:00",
        "2017-02-08\u{e9}",
    ];
    assert_eq!(no_dates.map(|written| parse(written, None)), [None; 14]);
    assert_eq!(parse("2017-02-08T12:10:40Z", Some(&Zone::UTC)), None, "two time zones");
}

#[test]
fn dates_are_read_by_a_format() {
    let cases = [
        ("06-15-2018", "%m-%d-%Y", Some("2018-06-15T00:00:00.000")),
        ("2018-06-15T10:30:45.123", "%Y-%m-%dT%H:%M:%S.%L", Some("2018-06-15T10:30:45.123")),
        ("january 15 2020", "%B %d %Y", Some("2020-01-15T00:00:00.000")),
        ("20170208", "%Y%m%d", Some("2017-02-08T00:00:00.000")),
        ("2024", "%G", Some("2024-01-01T00:00:00.000")),
        ("2024-W24-6", "%G-W%V-%u", Some("2024-06-15T00:00:00.000")),
        ("2024-06-15 +0530", "%Y-%m-%d %z", Some("2024-06-14T18:30:00.000")),
        ("2024-06-15 +330", "%Y-%m-%d %Z", Some("2024-06-14T18:30:00.000")),
        ("2024 167", "%Y %j", Some("2024-06-16T00:00:00.000")),
        ("100% 2024-06-15", "100%% %Y-%m-%d", Some("2024-06-15T00:00:00.000")),
        ("2017-02-08", "%m-%d-%Y", None),
        ("2017-02-30", "%Y-%m-%d", None),
        ("2017-02-08 ", "%Y-%m-%d", None),
        ("2017-02", "%Y-%m", None),
    ];
    for (written, format, found) in cases {
        check_parse_format(format).unwrap();
        assert_eq!(parse_formatted(written, format, None).map(text).as_deref(), found, "{written} by {format}");
    }
    assert!(check_parse_format("%Y %U").is_err() && check_parse_format("%").is_err());
}
