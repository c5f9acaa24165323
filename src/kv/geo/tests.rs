//! What a server has answered, and searches against a look at every member.

use proptest::prelude::*;

use super::GeoUnit::{Feet, Kilometres, Metres, Miles};
use super::shape::LATITUDE_MAX;
use super::*;
use crate::{Error, Store};

fn kv() -> Kv {
    Store::in_memory().kv()
}

fn at(longitude: f64, latitude: f64) -> GeoPosition {
    GeoPosition::new(longitude, latitude)
}

fn sicily() -> Kv {
    let kv = kv();
    let geo = kv.geo("S");
    let places = [
        ("Palermo", at(13.361_389, 38.115_556)),
        ("Catania", at(15.087_269, 37.502_669)),
        ("edge1", at(12.758_489, 38.788_135)),
        ("edge2", at(17.241_510, 38.788_135)),
    ];
    assert_eq!(geo.add_all(GeoCondition::Always, places).unwrap(), GeoAdded { added: 4, moved: 0 });
    kv
}

fn names(matches: &[GeoMatch]) -> Vec<String> {
    matches.iter().map(|found| String::from_utf8(found.member.clone()).unwrap()).collect()
}

fn four_digits(distance: f64) -> String {
    format!("{distance:.4}")
}

#[test]
fn scores_positions_and_names_are_those_of_a_server() {
    let kv = sicily();
    assert_eq!(kv.sorted_set("S").score("Palermo").unwrap(), Some(3_479_099_956_230_698.0));
    assert_eq!(kv.sorted_set("S").score("Catania").unwrap(), Some(3_479_447_370_796_909.0));
    let positions = kv.geo("S").positions(["Palermo", "no", "Catania"]).unwrap();
    let expected = [
        Some(at(13.361_389_338_970_184, 38.115_556_395_496_3)),
        None,
        Some(at(15.087_267_458_438_873, 37.502_668_423_331_62)),
    ];
    assert_eq!(positions, expected);
    assert_eq!(kv.geo("S").geohash("Palermo").unwrap().as_deref(), Some("sqc8b49rny0"));
    assert_eq!(kv.geo("S").geohash("Catania").unwrap().as_deref(), Some("sqdtr74hyu0"));
    assert_eq!(kv.geo("S").geohash("no").unwrap(), None);
}

#[test]
fn positions_on_the_edge_are_those_of_a_server() {
    let kv = kv();
    let geo = kv.geo("E");
    let places = [
        ("ne", at(180.0, LATITUDE_MAX)),
        ("sw", at(-180.0, -LATITUDE_MAX)),
        ("o", at(0.0, 0.0)),
        ("e", at(179.999_999, 0.0)),
        ("w", at(-179.999_999, 0.0)),
    ];
    geo.add_all(GeoCondition::Always, places).unwrap();
    let scores: Vec<f64> = places.iter().map(|(name, _)| kv.sorted_set("E").score(name).unwrap().unwrap()).collect();
    let expected =
        [13_510_798_882_111_488.0, 0.0, 3_377_699_720_527_872.0, 4_128_299_658_422_954.0, 1_125_899_906_842_624.0];
    assert_eq!(scores, expected);
    assert_eq!(geo.position("ne").unwrap(), Some(at(180.0, LATITUDE_MAX)));
    assert_eq!(geo.position("sw").unwrap(), Some(at(-179.999_997_317_790_98, -85.051_127_512_639_43)));
    let near_zero = geo.position("o").unwrap().unwrap();
    assert_eq!(format!("{:.17}", near_zero.longitude), "0.00000268220901489");
    assert_eq!(format!("{:.17}", near_zero.latitude), "0.00000126736058093");
    let texts: Vec<_> = ["ne", "sw", "o"].iter().map(|name| geo.geohash(name).unwrap().unwrap()).collect();
    assert_eq!(texts, ["bp05b5048p0", "00bh0hbj200", "s0000000000"]);
    assert_eq!(geo.distance("ne", "sw", Metres).unwrap().map(four_digits).as_deref(), Some("18919844.5891"));
    let found = geo.search(at(179.5, 0.0), GeoShape::circle(100.0, Kilometres)).matches().unwrap();
    assert_eq!(names(&found), ["e", "w"]);
    assert_eq!(four_digits(found[0].distance), "55.6129");
    assert_eq!(four_digits(found[1].distance), "55.6134");
}

#[test]
fn what_is_on_the_edge_itself_is_found_from_both_sides() {
    let geo = kv().geo("E");
    geo.add("east", at(180.0, 10.0)).unwrap();
    geo.add("north", at(20.0, LATITUDE_MAX)).unwrap();
    let circle = GeoShape::circle(50.0, Kilometres);
    for longitude in [180.0, 179.9, -180.0, -179.9] {
        assert_eq!(names(&geo.search(at(longitude, 10.0), circle).matches().unwrap()), ["east"], "{longitude}");
    }
    assert_eq!(names(&geo.search(at(20.1, 85.0), circle).matches().unwrap()), ["north"]);
    assert_eq!(names(&geo.search_from_member("east", circle).matches().unwrap()), ["east"]);
}

#[test]
fn distances_are_those_of_a_server() {
    let geo = sicily().geo("S");
    for (unit, expected) in
        [(Metres, "166274.1516"), (Kilometres, "166.2742"), (Feet, "545518.8700"), (Miles, "103.3182")]
    {
        assert_eq!(geo.distance("Palermo", "Catania", unit).unwrap().map(four_digits).as_deref(), Some(expected));
    }
    assert_eq!(geo.distance("Palermo", "Palermo", Metres).unwrap(), Some(0.0));
    assert_eq!(geo.distance("Palermo", "no", Metres).unwrap(), None);
    assert_eq!(kv().geo("N").distance("a", "b", Metres).unwrap(), None);
}

#[test]
fn searches_are_those_of_a_server() {
    let geo = sicily().geo("S");
    let circle = GeoShape::circle(200.0, Kilometres);
    let found = geo.search(at(15.0, 37.0), circle).ascending().matches().unwrap();
    assert_eq!(names(&found), ["Catania", "Palermo"]);
    assert_eq!((four_digits(found[0].distance), found[0].hash), ("56.4413".to_owned(), 3_479_447_370_796_909));
    assert_eq!((four_digits(found[1].distance), found[1].hash), ("190.4424".to_owned(), 3_479_099_956_230_698));
    let square = || geo.search(at(15.0, 37.0), GeoShape::rectangle(400.0, 400.0, Kilometres));
    let names_of = |search: GeoSearch| names(&search.matches().unwrap());
    assert_eq!(names_of(square()), ["Palermo", "edge1", "Catania", "edge2"]);
    assert_eq!(names_of(square().ascending()), ["Catania", "Palermo", "edge2", "edge1"]);
    assert_eq!(names_of(square().count_any(2)), ["Palermo", "edge1"]);
    assert_eq!(names_of(square().count(2)), ["Catania", "Palermo"]);
    assert_eq!(names_of(square().descending().count(2)), ["edge1", "edge2"]);
}

#[test]
fn searches_without_an_order_come_as_those_of_a_server() {
    let geo = kv().geo("g");
    let mut state = 12_345_u64;
    let mut next = |modulus: u64| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        f64::from(u32::try_from(state % modulus).unwrap())
    };
    for n in 0..2_000 {
        let (longitude, latitude) = (next(360_000) / 1_000.0 - 180.0, next(170_000) / 1_000.0 - 85.0);
        geo.add(format!("p{n}"), at(longitude, latitude)).unwrap();
    }
    let circle = |radius| GeoShape::circle(radius, Kilometres);
    let rectangle = |width, height| GeoShape::rectangle(width, height, Kilometres);
    for (centre, shape, len, checksum, first) in [
        (at(10.0, 20.0), circle(1_500.0), 17, 0x3f23_24d8, ["p92", "p335", "p800", "p1627", "p1918"]),
        (at(-70.0, -40.0), circle(900.0), 6, 0xa1f5_0504, ["p1074", "p1552", "p447", "p1504", "p702"]),
        (at(100.0, 60.0), rectangle(3_000.0, 1_000.0), 18, 0x5961_69b8, ["p1651", "p864", "p1929", "p1667", "p5"]),
        (at(0.5, 0.5), circle(5_000.0), 239, 0xc46c_0b12, ["p536", "p1092", "p517", "p92", "p258"]),
        (at(-120.0, 70.0), rectangle(2_000.0, 2_500.0), 45, 0x0447_5842, ["p1758", "p20", "p1048", "p360", "p1132"]),
        (at(50.0, -65.0), circle(2_500.0), 113, 0xa4bf_eccb, ["p1234", "p700", "p1674", "p1618", "p1002"]),
    ] {
        let found = names(&geo.search(centre, shape).matches().unwrap());
        assert_eq!((found.len(), crc32c::crc32c(found.join(",").as_bytes())), (len, checksum), "{shape:?}");
        assert_eq!(names(&geo.search(centre, shape).count_any(5).matches().unwrap()), first);
    }
}

#[test]
fn wrong_requests_are_refused_with_the_texts_of_a_server() {
    let kv = sicily();
    let geo = kv.geo("S");
    let text = |outcome: Result<Vec<GeoMatch>>| outcome.unwrap_err().to_string();
    let (centre, circle) = (at(15.0, 37.0), GeoShape::circle(1.0, Kilometres));
    let search = |shape| geo.search(centre, shape).matches();
    assert_eq!(text(geo.search_from_member("no", circle).matches()), "could not decode requested zset member");
    assert_eq!(text(search(GeoShape::circle(-1.0, Metres))), "radius cannot be negative");
    assert_eq!(text(search(GeoShape::rectangle(1.0, -1.0, Metres))), "height or width cannot be negative");
    assert_eq!(text(search(GeoShape::circle(f64::NAN, Metres))), "need numeric radius");
    assert!(search(GeoShape::rectangle(f64::INFINITY, 1.0, Metres)).is_err());
    assert_eq!(text(geo.search(centre, circle).count(0).matches()), "COUNT must be > 0");
    let outside = "invalid longitude,latitude pair 215.000000,37.000000";
    assert_eq!(text(geo.search(at(215.0, 37.0), circle).matches()), outside);
    let places = [("new", at(1.0, 1.0)), ("x", at(10.0, 85.06))];
    let error = geo.add_all(GeoCondition::Always, places).unwrap_err();
    assert_eq!(error.to_string(), "invalid longitude,latitude pair 10.000000,85.060000");
    assert_eq!(geo.position("new").unwrap(), None);
    assert!(geo.add("x", at(f64::NAN, 0.0)).is_err());
    assert_eq!(kv.geo("N").search_from_member("no", circle).matches().unwrap(), []);
    kv.set("text", "").unwrap();
    assert!(matches!(kv.geo("text").search(centre, circle).matches(), Err(Error::WrongType { .. })));
    assert!(matches!(kv.geo("text").add("m", centre), Err(Error::WrongType { .. })));
    assert!(matches!(kv.geo("text").position("m"), Err(Error::WrongType { .. })));
}

#[test]
fn conditions_choose_what_is_added() {
    let kv = sicily();
    let geo = kv.geo("S");
    let added = |added, moved| GeoAdded { added, moved };
    assert_eq!(geo.add_all(GeoCondition::IfPresent, [("a", at(1.0, 1.0))]).unwrap(), added(0, 0));
    let places = [("Palermo", at(1.0, 1.0)), ("new", at(2.0, 2.0))];
    assert_eq!(geo.add_all(GeoCondition::IfAbsent, places).unwrap(), added(1, 0));
    let places = [("Palermo", at(13.4, 38.0)), ("new", at(2.0, 2.0))];
    assert_eq!(geo.add_all(GeoCondition::Always, places).unwrap(), added(0, 1));
    assert_eq!(kv.sorted_set("S").score("Palermo").unwrap(), Some(3_479_096_694_916_711.0));
    assert_eq!(kv.geo("N").add_all(GeoCondition::IfPresent, [("a", at(1.0, 1.0))]).unwrap(), added(0, 0));
    assert!(!kv.exists("N").unwrap());
}

#[test]
fn stored_searches_take_the_place_of_the_destination() {
    let kv = sicily();
    let geo = kv.geo("S");
    let search = |radius| geo.search(at(15.0, 37.0), GeoShape::circle(radius, Kilometres));
    geo.add("Palermo", at(13.4, 38.0)).unwrap();
    kv.set_with_ttl("D", "text", std::time::Duration::from_mins(1)).unwrap();
    assert_eq!(search(200.0).store_distances("D").unwrap(), 2);
    let expected = [(b"Catania".to_vec(), 56.441_257_870_158_2), (b"Palermo".to_vec(), 179.730_602_209_111_34)];
    assert_eq!(kv.sorted_set("D").range(0, -1).unwrap(), expected);
    assert_eq!(kv.ttl("D").unwrap(), crate::kv::Ttl::Persistent);
    assert_eq!(search(200.0).store("D").unwrap(), 2);
    let expected = [(b"Palermo".to_vec(), 3_479_096_694_916_711.0), (b"Catania".to_vec(), 3_479_447_370_796_909.0)];
    assert_eq!(kv.sorted_set("D").range(0, -1).unwrap(), expected);
    assert_eq!(search(0.001).store("D").unwrap(), 0);
    assert!(!kv.exists("D").unwrap());
    assert_eq!(search(100.0).store("S").unwrap(), 1);
    assert_eq!(kv.sorted_set("S").len().unwrap(), 1);
    kv.set("text", "").unwrap();
    let nothing = kv.geo("N").search(at(0.0, 0.0), GeoShape::circle(1.0, Metres)).store("text");
    assert_eq!((nothing.unwrap(), kv.exists("text").unwrap()), (0, false));
}

#[test]
fn scores_that_are_no_hashes_are_some_place() {
    let kv = kv();
    for score in [f64::MIN, -1.0, 0.5, 1e300, f64::INFINITY] {
        kv.sorted_set("z").add(score.to_string(), score).unwrap();
    }
    let geo = kv.geo("z");
    assert!(geo.positions(["-1", "inf"]).unwrap().iter().all(Option::is_some));
    assert!(geo.geohash("inf").unwrap().is_some());
    geo.search_from_member("inf", GeoShape::circle(30_000.0, Kilometres)).matches().unwrap();
}

/// Positions, with the corners of the map among them.
fn position() -> impl Strategy<Value = GeoPosition> {
    let near = |value: f64| (value - 2.0)..(value + 2.0);
    let longitude = prop_oneof![
        4 => -180.0..=180.0,
        1 => near(0.0),
        1 => prop::sample::select(vec![-180.0, 180.0, -179.9, 179.9, 90.0]),
    ];
    let latitude = prop_oneof![
        4 => -LATITUDE_MAX..=LATITUDE_MAX,
        1 => near(0.0),
        1 => 80.0..=LATITUDE_MAX,
        1 => prop::sample::select(vec![-LATITUDE_MAX, LATITUDE_MAX, -84.9, 66.1]),
    ];
    (longitude, latitude).prop_map(|(longitude, latitude)| at(longitude, latitude))
}

fn length() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..50.0, 50.0..1_000.0, 1_000.0..12_000.0, 12_000.0..45_000.0]
}

fn shape() -> impl Strategy<Value = GeoShape> {
    prop_oneof![
        length().prop_map(|radius| GeoShape::circle(radius, Kilometres)),
        (length(), length()).prop_map(|(width, height)| GeoShape::rectangle(width, height, Kilometres)),
    ]
}

/// The angle between two positions, out of their scalar and vector products, in kilometres.
fn arc(a: GeoPosition, b: GeoPosition) -> f64 {
    let vector = |position: GeoPosition| {
        let (longitude, latitude) = (position.longitude.to_radians(), position.latitude.to_radians());
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
    };
    let (a, b) = (vector(a), vector(b));
    let across: f64 =
        (0..3).map(|i| a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3]).map(|c| c * c).sum();
    let along: f64 = (0..3).map(|i| a[i] * b[i]).sum();
    across.sqrt().atan2(along) * 6_372.797_560_856
}

/// How far `position` is within the shape, in kilometres; negative outside.
fn depth(centre: GeoPosition, shape: GeoShape, position: GeoPosition) -> f64 {
    match shape {
        GeoShape::Circle { radius, .. } => radius - arc(centre, position),
        GeoShape::Rectangle { width, height, .. } => {
            let across = arc(position, at(centre.longitude, position.latitude));
            (width / 2.0 - across).min(height / 2.0 - arc(centre, at(centre.longitude, position.latitude)))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_search_finds_what_a_look_at_every_member_finds(
        places in prop::collection::vec(position(), 0..60),
        offsets in prop::collection::vec((-8.0..8.0, -8.0..8.0), 0..40),
        (centre, shape) in (position(), shape()),
    ) {
        let geo = kv().geo("g");
        let near = offsets.iter().map(|(east, north)| {
            at((centre.longitude + east + 540.0).rem_euclid(360.0) - 180.0, (centre.latitude + north).clamp(-LATITUDE_MAX, LATITUDE_MAX))
        });
        let places: Vec<(String, GeoPosition)> =
            places.iter().copied().chain(near).enumerate().map(|(n, place)| (n.to_string(), place)).collect();
        geo.add_all(GeoCondition::Always, places.clone()).unwrap();
        let found = geo.search(centre, shape).ascending().matches().unwrap();
        prop_assert!(found.is_sorted_by(|a, b| a.distance <= b.distance));
        let names = names(&found);
        for (name, place) in &places {
            let position = geo.position(name).unwrap().unwrap();
            prop_assert!(arc(position, *place) < 0.001);
            let depth = depth(centre, shape, position);
            let times = names.iter().filter(|other| *other == name).count();
            prop_assert!(depth.abs() < 0.001 || times == usize::from(depth > 0.0), "{} at {:?}: {}, {}", name, position, depth, times);
        }
        for found in &found {
            prop_assert!((found.distance - arc(centre, found.position)).abs() < 0.001);
            prop_assert_eq!(Some(hash::score(found.hash)), geo.kv.sorted_set("g").score(&found.member).unwrap());
        }
        let count = found.len() as u64 / 2 + 1;
        let nearest = geo.search(centre, shape).count(count).matches().unwrap();
        prop_assert_eq!(&nearest[..], &found[..found.len().min(nearest.len())]);
        let any = geo.search(centre, shape).count_any(count).matches().unwrap();
        prop_assert_eq!(any.len() as u64, count.min(found.len() as u64));
        prop_assert_eq!(nearest.len(), any.len());
        prop_assert!(any.iter().all(|any| found.contains(any)));
    }
}
