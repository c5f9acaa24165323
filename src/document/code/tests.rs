use super::*;

#[test]
fn errors_without_a_number_of_their_own_have_that_of_their_kind() {
    assert_eq!(Code::of(&Error::value("no")), Some(Code::BAD_VALUE));
    assert_eq!(Code::of(&Code::SIZE_TYPE.wrong_type("no")), Some(Code::SIZE_TYPE));
    assert_eq!(Code::of(&Error::Partial { done: 1, error: Box::new(Error::conflict([])) }), Some(Code::WRITE_CONFLICT));
    assert_eq!(Code::of(&Error::unsupported("x")), Some(Code::NOT_IMPLEMENTED));
    assert_eq!(Code::of(&Error::Closed), None);
    let limit = |limit| Code::of(&Error::LimitExceeded { limit, max: 1, found: 2 });
    assert_eq!(limit("document bytes"), Some(Code::DOCUMENT_TOO_LARGE));
    assert_eq!(limit("expression depth in levels"), Some(Code::OVERFLOW));
}

#[test]
fn numbers_are_in_order_and_none_is_there_twice() {
    let constants = include_str!("numbers.rs").lines().filter_map(|line| line.split_once(": Self = Self("));
    let numbers: Vec<(i32, &str)> = constants
        .map(|(name, number)| (number.trim_end_matches(");").replace('_', "").parse().unwrap(), name.trim()))
        .collect();
    assert!(numbers.len() > 300);
    let wrong: Vec<_> = numbers.windows(2).filter(|pair| pair[0].0 >= pair[1].0).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let mut names: Vec<_> = numbers.iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
