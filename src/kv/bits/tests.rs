//! Bitmaps against a vector of booleans, fields against wide arithmetic, and what a server has answered.

use proptest::prelude::*;

use super::BitFieldOperation::{Get, IncrBy, Overflow, Set};
use super::*;
use crate::{Error, Store};

fn kv() -> Kv {
    Store::in_memory().kv()
}

/// Obviously right: the bits of a string, in order.
fn bools(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1)).collect()
}

fn message(error: &Error) -> String {
    error.to_string()
}

#[test]
fn setting_a_bit_past_the_end_grows_the_string() {
    let kv = kv();
    assert!(!kv.set_bit("k", 12, false).unwrap());
    assert_eq!(kv.get("k").unwrap(), Some(vec![0, 0]));
    assert!(!kv.set_bit("k", 7, true).unwrap());
    assert!(kv.set_bit("k", 7, false).unwrap());
    assert_eq!(kv.get("k").unwrap(), Some(vec![0, 0]));
}

#[test]
fn offsets_end_with_the_longest_string() {
    let (kv, end) = (kv(), limits::STRING_BYTES_MAX as u64 * 8);
    let text = "bit offset is not an integer or out of range";
    assert_eq!(message(&kv.set_bit("k", end, true).unwrap_err()), text);
    assert_eq!(message(&kv.get_bit("k", end).unwrap_err()), text);
    assert!(!kv.get_bit("k", end - 1).unwrap());
    let field = |offset| BitField::unsigned(8).unwrap().at(offset);
    assert_eq!(message(&kv.bit_field("k", &[Set(field(0), 1), Get(field(end - 7))]).unwrap_err()), text);
    assert_eq!(message(&kv.bit_field_get("k", &[field(u64::MAX)]).unwrap_err()), text);
    assert_eq!(kv.bit_field_get("k", &[field(end - 8)]).unwrap(), [0]);
    assert!(!kv.exists("k").unwrap());
}

#[test]
fn other_kinds_of_keys_are_refused() {
    let kv = kv();
    kv.sorted_set("z").add("m", 1.0).unwrap();
    let field = BitField::unsigned(8).unwrap();
    assert!(matches!(kv.get_bit("z", 0), Err(Error::WrongType { .. })));
    assert!(matches!(kv.set_bit("z", 0, true), Err(Error::WrongType { .. })));
    assert!(matches!(kv.bit_count("z", BitRange::all()), Err(Error::WrongType { .. })));
    assert!(matches!(kv.bit_position("z", true, BitRange::all()), Err(Error::WrongType { .. })));
    assert!(matches!(kv.bit_operation(BitOperation::Or, "d", ["z"]), Err(Error::WrongType { .. })));
    assert!(matches!(kv.bit_field("z", &[Get(field)]), Err(Error::WrongType { .. })));
}

#[test]
fn deadlines_stay_with_the_string_and_go_with_its_replacement() {
    use crate::kv::Ttl;
    let kv = kv();
    kv.set_with_ttl("k", "a", std::time::Duration::from_mins(1)).unwrap();
    kv.set_bit("k", 0, true).unwrap();
    kv.bit_field("k", &[Set(BitField::unsigned(8).unwrap(), 7)]).unwrap();
    assert!(matches!(kv.ttl("k").unwrap(), Ttl::Expires(_)));
    kv.bit_operation(BitOperation::Not, "k", ["k"]).unwrap();
    assert_eq!(kv.ttl("k").unwrap(), Ttl::Persistent);
}

#[test]
fn counts_are_those_of_a_server() {
    let kv = kv();
    kv.set("k", "abc").unwrap();
    assert_eq!(kv.bit_count("k", BitRange::bytes(-1, -100)).unwrap(), 0);
    assert_eq!(kv.bit_count("k", BitRange::bytes(0, -100)).unwrap(), 3);
    kv.set("one", "a").unwrap();
    assert_eq!(kv.bit_count("one", BitRange::bytes(-1, -100)).unwrap(), 0);
    assert_eq!(kv.bit_count("one", BitRange::bits(i64::MIN, i64::MAX)).unwrap(), 3);
}

#[test]
fn positions_are_those_of_a_server() {
    let kv = kv();
    kv.set("empty", "").unwrap();
    kv.set("k", "abc").unwrap();
    kv.set("one", "a").unwrap();
    kv.set("ones", [0xff; 3]).unwrap();
    for (key, bit, range, expected) in [
        ("empty", false, BitRange::all(), None),
        ("empty", true, BitRange::all(), None),
        ("missing", false, BitRange::bytes(5, 7), Some(0)),
        ("missing", true, BitRange::all(), None),
        ("k", true, BitRange::bytes(0, -100), Some(1)),
        ("k", true, BitRange::bytes(-1, -100), None),
        ("one", true, BitRange::bytes(-1, -100), Some(1)),
        ("k", false, BitRange::bytes_from(3), None),
        ("ones", false, BitRange::all(), Some(24)),
        ("ones", false, BitRange::bytes_from(1), Some(24)),
        ("ones", false, BitRange::bytes(0, 3), None),
        ("ones", false, BitRange::bytes(0, -1), None),
        ("ones", false, BitRange::bits(0, 5), None),
        ("ones", true, BitRange::bits(5, 5), Some(5)),
    ] {
        assert_eq!(kv.bit_position(key, bit, range).unwrap(), expected, "{key} {bit} {range:?}");
    }
}

#[test]
fn an_empty_result_removes_the_destination() {
    let kv = kv();
    kv.sorted_set("d").add("m", 1.0).unwrap();
    kv.set("empty", "").unwrap();
    assert_eq!(kv.bit_operation(BitOperation::And, "d", ["empty", "missing"]).unwrap(), 0);
    assert!(!kv.exists("d").unwrap());
    assert_eq!(kv.bit_operation(BitOperation::Not, "d", ["missing"]).unwrap(), 0);
    kv.set("a", "xyz").unwrap();
    assert_eq!(kv.bit_operation(BitOperation::And, "d", ["missing", "a"]).unwrap(), 3);
    assert_eq!(kv.get("d").unwrap(), Some(vec![0; 3]));
}

#[test]
fn sources_are_counted() {
    let kv = kv();
    let error = kv.bit_operation(BitOperation::Not, "d", ["a", "b"]).unwrap_err();
    assert_eq!(message(&error), "BITOP NOT must be called with a single source key.");
    assert!(kv.bit_operation(BitOperation::Or, "d", [""; 0]).is_err());
}

#[test]
fn fields_answer_as_a_server_does() {
    let kv = kv();
    let byte = BitField::unsigned(8).unwrap();
    let (saturate, fail) = (Overflow(BitOverflow::Saturate), Overflow(BitOverflow::Fail));
    let operations =
        [Set(byte, 0), Set(byte, -1), saturate, Set(byte, -1), Set(byte, 300), fail, Set(byte, -1), Get(byte)];
    let answers = kv.bit_field("q", &operations).unwrap();
    assert_eq!(answers, [Some(0), Some(0), Some(255), Some(255), None, Some(255)]);
    assert_eq!(kv.bit_field("w", &[fail, Set(byte.at(100), 300)]).unwrap(), [None]);
    assert_eq!(kv.get("w").unwrap(), Some(vec![0; 14]));
    assert_eq!(kv.bit_field("r", &[Get(byte)]).unwrap(), [Some(0)]);
    assert!(!kv.exists("r").unwrap());
}

#[test]
fn the_widest_fields_keep_every_number() {
    let kv = kv();
    let (signed, unsigned) = (BitField::signed(64).unwrap().at(3), BitField::unsigned(63).unwrap().at(80));
    let operations = [
        Set(signed, i64::MIN),
        IncrBy(signed, -1),
        Overflow(BitOverflow::Saturate),
        IncrBy(signed, 1),
        Set(unsigned, i64::MAX),
        IncrBy(unsigned, i64::MAX),
        IncrBy(unsigned, i64::MIN),
    ];
    let answers = kv.bit_field("k", &operations).unwrap();
    let max = Some(i64::MAX);
    assert_eq!(answers, [Some(0), max, max, Some(0), max, Some(0)]);
}

fn range() -> impl Strategy<Value = BitRange> {
    let index = || prop_oneof![4 => -30i64..30, 1 => any::<i64>()];
    prop_oneof![
        Just(BitRange::all()),
        index().prop_map(BitRange::bytes_from),
        (index(), index()).prop_map(|(start, stop)| BitRange::bytes(start, stop)),
        (index(), index()).prop_map(|(start, stop)| BitRange::bits(start, stop)),
        (-8i64..30, -8i64..30).prop_map(|(start, stop)| BitRange::bits(start, stop)),
    ]
}

/// The offsets in `range`, found by looking at every one.
fn offsets(range: BitRange, len: usize) -> Vec<usize> {
    let width = usize::try_from(range.width).unwrap();
    let indexes = i128::try_from(len * 8 / width).unwrap();
    let shift = |index: i64| i128::from(index) + if index < 0 { indexes } else { 0 };
    let (start, stop) = (shift(range.start).max(0), shift(range.stop.unwrap_or(-1)).max(0));
    let index = |offset: usize| i128::try_from(offset / width).unwrap();
    (0..len * 8).filter(|offset| (start..=stop).contains(&index(*offset))).collect()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 0..5)
}

fn field() -> impl Strategy<Value = BitField> {
    (any::<bool>(), 1u8..=64, 0u64..40).prop_map(|(signed, bits, offset)| {
        if signed { BitField::signed(bits) } else { BitField::unsigned(bits.min(63)) }.unwrap().at(offset)
    })
}

fn operation() -> impl Strategy<Value = BitFieldOperation> {
    let number = || prop_oneof![-9i64..9, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    prop_oneof![
        field().prop_map(Get),
        (field(), number()).prop_map(|(field, number)| Set(field, number)),
        (field(), number()).prop_map(|(field, number)| IncrBy(field, number)),
        prop::sample::select(vec![BitOverflow::Wrap, BitOverflow::Saturate, BitOverflow::Fail]).prop_map(Overflow),
    ]
}

/// Fields as slices of booleans, numbers as sums of powers of two.
struct FieldModel {
    bits: Vec<bool>,
    overflow: BitOverflow,
}

impl FieldModel {
    fn slice(&mut self, field: BitField) -> &mut [bool] {
        let (start, len) = place(field);
        &mut self.bits[start..start + len]
    }

    fn get(&mut self, field: BitField) -> i128 {
        let slice = self.slice(field).to_vec();
        let unsigned = slice.iter().fold(0, |number, bit| 2 * number + i128::from(*bit));
        if field.signed && slice[0] { unsigned - (1 << slice.len()) } else { unsigned }
    }

    fn put(&mut self, field: BitField, number: i128) -> Option<i128> {
        let width = place(field).1;
        let (least, most) =
            if field.signed { (-(1 << (width - 1)), (1 << (width - 1)) - 1) } else { (0, (1 << width) - 1) };
        let number = match self.overflow {
            _ if number >= least && number <= most => number,
            BitOverflow::Fail => return None,
            BitOverflow::Saturate => {
                if number > most {
                    most
                } else {
                    least
                }
            }
            BitOverflow::Wrap => number,
        };
        for (place, bit) in self.slice(field).iter_mut().rev().enumerate() {
            *bit = number >> place & 1 == 1;
        }
        Some(self.get(field))
    }

    fn run(&mut self, operation: BitFieldOperation, answers: &mut Vec<Option<i128>>) {
        let answer = match operation {
            Overflow(overflow) => {
                self.overflow = overflow;
                return;
            }
            Get(field) => Some(self.get(field)),
            Set(field, number) => {
                let number = i128::from(number);
                let number = if field.signed || number >= 0 { number } else { number + (1 << 64) };
                let before = self.get(field);
                self.put(field, number).map(|_| before)
            }
            IncrBy(field, by) => {
                let sum = self.get(field) + i128::from(by);
                self.put(field, sum)
            }
        };
        answers.push(answer);
    }
}

/// Where a field begins, and how many bits it has.
fn place(field: BitField) -> (usize, usize) {
    (usize::try_from(field.offset).unwrap(), field.bits.into())
}

proptest! {
    #[test]
    fn single_bits_are_those_of_a_vector(sets in prop::collection::vec((0u64..40, any::<bool>()), 0..30)) {
        let (kv, mut model) = (kv(), Vec::new());
        for (offset, bit) in sets {
            let at = usize::try_from(offset).unwrap();
            if model.len() <= at {
                model.resize(at / 8 * 8 + 8, false);
            }
            prop_assert_eq!(kv.set_bit("k", offset, bit).unwrap(), std::mem::replace(&mut model[at], bit));
        }
        prop_assert_eq!(bools(&kv.get("k").unwrap().unwrap_or_default()), &model[..]);
        for offset in 0..48 {
            let expected = model.get(usize::try_from(offset).unwrap()).copied().unwrap_or(false);
            prop_assert_eq!(kv.get_bit("k", offset).unwrap(), expected);
        }
    }

    #[test]
    fn counting_is_looking_at_every_bit(value in bytes(), range in range()) {
        let kv = kv();
        kv.set("k", &value).unwrap();
        let bits = bools(&value);
        let mut expected = offsets(range, value.len()).into_iter().filter(|offset| bits[*offset]).count();
        if range.is_reversed() {
            expected = 0;
        }
        prop_assert_eq!(kv.bit_count("k", range).unwrap(), expected as u64);
    }

    #[test]
    fn searching_is_looking_at_every_bit(value in bytes(), range in range(), bit: bool) {
        let kv = kv();
        kv.set("k", &value).unwrap();
        let (bits, offsets) = (bools(&value), offsets(range, value.len()));
        let past_the_end = (!bit && range.stop.is_none() && !offsets.is_empty()).then_some(bits.len());
        let expected = offsets.into_iter().find(|offset| bits[*offset] == bit).or(past_the_end);
        prop_assert_eq!(kv.bit_position("k", bit, range).unwrap(), expected.map(|offset| offset as u64));
    }

    #[test]
    fn operations_work_bit_by_bit(sources in prop::collection::vec(prop::option::of(bytes()), 1..4)) {
        let kv = kv();
        for (n, source) in sources.iter().enumerate() {
            if let Some(source) = source {
                kv.set(n.to_string(), source).unwrap();
            }
        }
        let keys: Vec<String> = (0..sources.len()).map(|n| n.to_string()).collect();
        let sources: Vec<Vec<bool>> = sources.iter().map(|source| bools(source.as_deref().unwrap_or_default())).collect();
        let len = sources.iter().map(Vec::len).max().unwrap();
        let ones = |offset: usize| sources.iter().filter(|source| source.get(offset) == Some(&true)).count();
        for (operation, rule) in [
            (BitOperation::And, Box::new(|ones| ones == sources.len()) as Box<dyn Fn(usize) -> bool>),
            (BitOperation::Or, Box::new(|ones| ones > 0)),
            (BitOperation::Xor, Box::new(|ones| ones % 2 == 1)),
            (BitOperation::Not, Box::new(|ones| ones == 0)),
        ] {
            if operation == BitOperation::Not && keys.len() > 1 {
                continue;
            }
            prop_assert_eq!(kv.bit_operation(operation, "d", &keys).unwrap(), len as u64 / 8);
            let expected: Vec<bool> = (0..len).map(|offset| rule(ones(offset))).collect();
            prop_assert_eq!(bools(&kv.get("d").unwrap().unwrap_or_default()), expected);
            prop_assert_eq!(kv.exists("d").unwrap(), len > 0);
        }
    }

    #[test]
    fn fields_are_wide_arithmetic_on_slices(value in bytes(), operations in prop::collection::vec(operation(), 1..12)) {
        let kv = kv();
        kv.set("k", &value).unwrap();
        let mut model = FieldModel { bits: bools(&value), overflow: BitOverflow::Wrap };
        model.bits.resize(128, false);
        let mut expected = Vec::new();
        for operation in &operations {
            model.run(*operation, &mut expected);
        }
        let answers = kv.bit_field("k", &operations).unwrap();
        prop_assert_eq!(answers.into_iter().map(|answer| answer.map(i128::from)).collect::<Vec<_>>(), expected);
        let mut after = kv.get("k").unwrap().unwrap();
        let written = operations.iter().filter(|operation| operation.writes()).filter_map(|operation| operation.field());
        let end = written.map(|field| { let (start, len) = place(field); (start + len).div_ceil(8) }).max().unwrap_or(0);
        prop_assert_eq!(after.len(), end.max(value.len()));
        after.resize(16, 0);
        prop_assert_eq!(bools(&after), model.bits);
    }
}
