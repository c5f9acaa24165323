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
