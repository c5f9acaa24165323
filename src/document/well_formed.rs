//! Checking at once that all of a document decodes.
//!
//! What is inserted through a door is checked when it comes in and when it is stored. The `bson` crate decodes each value for that;
//! here the bytes are stepped over, in about a fifth of the instructions.
//!
//! # Source
//! BSON specification, version 1.1.

use bson::RawDocument;
use bson::spec::BinarySubtype;

use crate::document::raw::{FIXED_BYTES, HIGHEST, VARIES, zeros_of};

const LENGTH_BYTES: usize = size_of::<i32>();

/// Whether all of `document` decodes, and is at most `levels` levels deep, as far as can be seen at once. `false` says nothing: who
/// gets it decodes value by value, and finds out what is wrong, or that a rare type is in it.
///
/// # Cost
/// O(bytes), without an allocation; `levels` bounds the recursion.
pub(crate) fn is_well_formed(document: &RawDocument, levels: usize) -> bool {
    step_over_elements(document.as_bytes(), levels).is_some()
}

/// Steps over the elements of a document or array, up to the zero that ends it, which has to be its last byte.
fn step_over_elements(document: &[u8], levels: usize) -> Option<()> {
    let levels = levels.checked_sub(1)?;
    let mut rest = document.get(LENGTH_BYTES..)?;
    loop {
        let (&tag, named) = rest.split_first()?;
        if tag == 0 {
            return named.is_empty().then_some(());
        }
        rest = behind_value(tag, behind_name(named)?, levels)?;
    }
}

/// What follows the name that `bytes` begin with, and the zero that ends it. Most names are short and ASCII, and are looked at as one
/// number.
#[inline]
fn behind_name(bytes: &[u8]) -> Option<&[u8]> {
    if let Some(chunk) = bytes.first_chunk() {
        let word = u64::from_le_bytes(*chunk);
        let zeros = zeros_of(word);
        let before_first = (zeros & zeros.wrapping_neg()).wrapping_sub(1);
        if zeros != 0 && word & HIGHEST & before_first == 0 {
            return bytes.get(zeros.trailing_zeros() as usize / 8 + 1..);
        }
    }
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (name, behind) = bytes.split_at_checked(end)?;
    if is_text(name) { behind.get(1..) } else { None }
}

/// What follows the value of type `tag` that `bytes` begin with.
#[inline]
fn behind_value(tag: u8, bytes: &[u8], levels: usize) -> Option<&[u8]> {
    match FIXED_BYTES.get(usize::from(tag)) {
        Some(&fixed) if fixed != VARIES => {
            let (value, behind) = bytes.split_at_checked(usize::from(fixed))?;
            let is_other_than_a_truth_value = tag == 0x08 && !matches!(value, [0 | 1]);
            if is_other_than_a_truth_value { None } else { Some(behind) }
        }
        _ => behind_varying(tag, bytes, levels),
    }
}

fn behind_varying(tag: u8, bytes: &[u8], levels: usize) -> Option<&[u8]> {
    let (length, counted) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    match tag {
        // A string, code or a symbol: the length counts the zero at the end.
        0x02 | 0x0d | 0x0e => {
            let (text, behind) = counted.split_at_checked(length)?;
            let (&last, text) = text.split_last()?;
            if last == 0 && is_text(text) { Some(behind) } else { None }
        }
        // A document or an array: the length counts itself.
        0x03 | 0x04 => {
            let (document, behind) = bytes.split_at_checked(length)?;
            step_over_elements(document, levels)?;
            Some(behind)
        }
        0x05 => {
            let (&subtype, data) = counted.split_first()?;
            if subtype == u8::from(BinarySubtype::BinaryOld) { None } else { data.get(length..) }
        }
        _ => None,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, RawDocumentBuf, doc};
    use proptest::prelude::*;

    use super::*;
    use crate::document::order::tests::value;
    use crate::limits;

    const LEVELS: usize = limits::DOCUMENT_STORED_DEPTH_MAX;

    fn raw(document: bson::Document) -> RawDocumentBuf {
        RawDocumentBuf::try_from(document).unwrap()
    }

    /// Whether the crate decodes everything.
    fn decodes(document: &RawDocument) -> bool {
        bson::Document::try_from(document).is_ok()
    }

    #[test]
    fn what_is_common_is_seen_at_once_as_deep_as_it_may_be() {
        let nested = |levels: usize| raw((1..levels).fold(doc! {}, |inner, _| doc! { "a": [{ "b": inner }] }));
        assert!(is_well_formed(&nested(4), 10) && !is_well_formed(&nested(4), 9));
        let common = doc! {
            "n": 1, "a name of more than eight bytes": 1i64, "é": "é", "": "", "t": true, "null": null, "list": [1.5, "x"],
            "bytes": bson::Binary { subtype: BinarySubtype::Generic, bytes: vec![0xff] }, "code": Bson::JavaScriptCode("f".into()),
            "seven77": Bson::DateTime(bson::DateTime::from_millis(0)), "eight888": Bson::Decimal128("1.5".parse().unwrap()),
        };
        assert!(is_well_formed(&raw(common), 2));
        assert!(!is_well_formed(&raw(doc! { "rare": Bson::MinKey }), 2), "left to the crate");
    }

    proptest! {
        #[test]
        fn what_is_well_formed_decodes(a in value(), b in value(), at: prop::sample::Index, byte: u8, damage: bool) {
            let mut bytes = raw(doc! { "a": a, "naïve": b, "text": "texté" }).into_bytes();
            if damage {
                // Neither the length nor the zero at the end, which the crate looks at before this is asked.
                let at = 4 + at.index(bytes.len() - 5);
                bytes[at] = byte;
            }
            let document = RawDocument::from_bytes(&bytes).unwrap();
            prop_assert!(!is_well_formed(document, LEVELS) || decodes(document));
        }
    }
}
