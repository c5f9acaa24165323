//! Functions of dates.

use super::*;

fn code(text: impl Into<Bson>) -> Option<i32> {
    Code::of(&evaluate(text, &doc! {}).expect_err("a mistake")).map(Code::number)
}

// SEM: DOC-AGG-11
#[test]
fn dates_are_moved_counted_and_cut() {
    let at = date("2021-03-14T09:00:00Z");
    let cases = [
        (doc! { "$dateAdd": { "startDate": at.clone(), "unit": "day", "amount": 1 } }, date("2021-03-15T09:00:00Z")),
        (
            doc! { "$dateSubtract": { "startDate": at.clone(), "unit": "month", "amount": 1.0, "timezone": "America/New_York" } },
            date("2021-02-14T10:00:00Z"),
        ),
        (
            doc! { "$dateAdd": { "startDate": Timestamp { time: 60, increment: 1 }, "unit": "second", "amount": decimal("1") } },
            date("1970-01-01T00:01:01Z"),
        ),
        (
            doc! { "$dateDiff": { "startDate": at.clone(), "endDate": date("2021-06-01T00:00:00Z"), "unit": "week", "startOfWeek": "MON" } },
            bson!(12_i64),
        ),
        // The first day of the week matters only to weeks.
        (
            doc! { "$dateDiff": { "startDate": at.clone(), "endDate": at.clone(), "unit": "day", "startOfWeek": "nope" } },
            bson!(0_i64),
        ),
        (doc! { "$dateTrunc": { "date": at.clone(), "unit": "hour", "binSize": 2_i64 } }, date("2021-03-14T08:00:00Z")),
        (
            doc! { "$dateTrunc": { "date": at.clone(), "unit": "week", "startOfWeek": "monday" } },
            date("2021-03-08T00:00:00Z"),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text.clone()), expected, "{text}");
    }
}

#[test]
fn dates_come_from_parts_and_go_into_them() {
    let parts = doc! {
        "year": 2016, "month": 12, "day": 31, "hour": 20, "minute": 29, "second": 9, "millisecond": 123,
    };
    let at = date("2017-01-01T01:29:09.123Z");
    let mut written = parts.clone();
    written.insert("timezone", "America/New_York");
    assert_eq!(value(doc! { "$dateFromParts": written }), at);
    assert_eq!(value(doc! { "$dateToParts": { "date": at.clone(), "timezone": "America/New_York" } }), parts.into());
    let weeks = doc! {
        "isoWeekYear": 2016, "isoWeek": 52, "isoDayOfWeek": 7, "hour": 1, "minute": 29, "second": 9, "millisecond": 123,
    };
    assert_eq!(value(doc! { "$dateToParts": { "date": at.clone(), "iso8601": true } }), weeks.clone().into());
    assert_eq!(value(doc! { "$dateFromParts": weeks }), at);
    let carried = [
        (doc! { "year": 2017, "month": 14, "hour": 12 }, "2018-02-01T12:00:00Z"),
        (doc! { "year": 2017, "month": -10 }, "2016-02-01T00:00:00Z"),
        (doc! { "year": 2024, "month": 3, "day": 0 }, "2024-02-29T00:00:00Z"),
        (doc! { "year": 2020, "minute": -1 }, "2019-12-31T23:59:00Z"),
        (doc! { "year": 2020, "day": 1, "hour": 12, "timezone": "+99:99" }, "2019-12-28T07:21:00Z"),
        (doc! { "isoWeekYear": 2021, "isoWeek": 53 }, "2022-01-03T00:00:00Z"),
    ];
    for (parts, expected) in carried {
        assert_eq!(value(doc! { "$dateFromParts": parts.clone() }), date(expected), "{parts}");
    }
}

#[test]
fn dates_are_read_from_texts() {
    let read = |arguments: Document| value(doc! { "$dateFromString": arguments });
    assert_eq!(
        read(doc! { "dateString": "2017-02-08T12:10:40", "timezone": "America/New_York" }),
        date("2017-02-08T17:10:40Z")
    );
    assert_eq!(read(doc! { "dateString": "06-15-2018", "format": "%m-%d-%Y" }), date("2018-06-15T00:00:00Z"));
    assert_eq!(read(doc! { "dateString": "nope", "onError": 7 }), bson!(7));
    assert_eq!(read(doc! { "dateString": 5, "onError": 7 }), bson!(7));
    assert_eq!(read(doc! { "dateString": Bson::Null, "onError": 7, "onNull": 8 }), bson!(8));
    assert_eq!(read(doc! { "dateString": "$nope", "format": Bson::Null }), Bson::Null);
}

// SEM: DOC-AGG-13
#[test]
fn a_null_argument_gives_null_before_any_other_mistake() {
    let at = date("2021-03-14T09:00:00Z");
    let nulls = [
        doc! { "$dateAdd": { "startDate": "$nope", "unit": "day", "amount": "x" } },
        doc! { "$dateAdd": { "startDate": "x", "unit": "day", "amount": 1, "timezone": Bson::Null } },
        doc! { "$dateDiff": { "startDate": "x", "endDate": Bson::Null, "unit": "day" } },
        doc! { "$dateDiff": { "startDate": "x", "endDate": "x", "unit": "week", "startOfWeek": Bson::Null } },
        doc! { "$dateTrunc": { "date": at.clone(), "unit": "day", "binSize": "$nope" } },
        doc! { "$dateFromParts": { "year": 2020, "month": "$nope" } },
        doc! { "$dateFromParts": { "year": 2020, "timezone": "$nope" } },
        doc! { "$dateToParts": { "date": at.clone(), "iso8601": Bson::Null } },
        doc! { "$tsSecond": Bson::Null },
    ];
    for text in nulls {
        assert_eq!(value(text.clone()), Bson::Null, "{text}");
    }
}

#[test]
fn mistakes_in_dates_have_their_numbers() {
    let at = date("2021-03-14T09:00:00Z");
    let add =
        |unit: Bson, amount: Bson| doc! { "$dateAdd": { "startDate": at.clone(), "unit": unit, "amount": amount } };
    let cases = [
        (add("day".into(), 1.5.into()), 5_166_405),
        (add("day".into(), "1".into()), 5_166_405),
        (add("day".into(), f64::NAN.into()), 5_166_405),
        (add("days".into(), 1.into()), 9),
        (add(1.into(), 1.into()), 5_439_013),
        (add("month".into(), (-30_000_000_000_i64).into()), 5_976_500),
        (add("year".into(), 300_000_000.into()), 5_166_406),
        (doc! { "$dateAdd": { "startDate": 1, "unit": "day", "amount": 1 } }, 5_166_403),
        (doc! { "$dateAdd": { "startDate": at.clone(), "unit": "day", "amount": 1, "timezone": "" } }, 40_485),
        (doc! { "$dateAdd": { "startDate": at.clone(), "unit": "day", "amount": 1, "timezone": 1 } }, 40_517),
        (doc! { "$dateAdd": { "unit": "day", "amount": 1 } }, 5_166_402),
        (doc! { "$dateSubtract": { "startDate": at.clone(), "unit": "day", "amount": i64::MIN } }, 6_045_000),
        (doc! { "$dateDiff": { "startDate": 1, "endDate": at.clone(), "unit": "day" } }, 5_166_307),
        (
            doc! { "$dateDiff": { "startDate": at.clone(), "endDate": at.clone(), "unit": "week", "startOfWeek": "x" } },
            5_439_016,
        ),
        (doc! { "$dateDiff": { "endDate": at.clone(), "unit": "day" } }, 5_166_303),
        (doc! { "$dateTrunc": { "date": at.clone(), "unit": "day", "binSize": 0 } }, 5_439_018),
        (doc! { "$dateTrunc": { "date": at.clone(), "unit": "day", "binSize": 1.5 } }, 5_439_017),
        (doc! { "$dateFromParts": { "year": 0 } }, 40_523),
        (doc! { "$dateFromParts": { "year": "2020" } }, 40_515),
        (doc! { "$dateFromParts": { "month": 2 } }, 40_516),
        (doc! { "$dateFromParts": { "year": 2020, "isoWeek": 2 } }, 40_489),
        (doc! { "$dateFromParts": { "isoWeekYear": 2020, "month": 2 } }, 40_525),
        (doc! { "$dateToParts": { "date": at.clone(), "iso8601": 1 } }, 40_521),
        (doc! { "$dateFromString": { "dateString": "nope" } }, 241),
        (doc! { "$dateFromString": { "dateString": "2024 23", "format": "%Y %U" } }, 18_536),
        (doc! { "$dateFromString": { "dateString": "2024-01-01", "format": 1 } }, 40_684),
        (doc! { "$hour": "x" }, 16_006),
    ];
    for (text, number) in cases {
        assert_eq!(code(text.clone()), Some(number), "{text}");
    }
}
