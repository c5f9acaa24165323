//! What the placeholders of a request's expressions stand for.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::item::attributes::{Shape, shape_of};
use crate::item::expression::java;
use crate::item::{AttributeValue, Fault, Placeholders};
use crate::limits;

/// The placeholders of a request, and which of them have been used.
#[derive(Debug)]
pub(super) struct Usage<'r> {
    given_names: Option<&'r BTreeMap<String, String>>,
    given_values: Option<&'r BTreeMap<String, AttributeValue>>,
    names: BTreeSet<&'r str>,
    values: BTreeSet<&'r str>,
}

impl<'r> Usage<'r> {
    /// # Errors
    /// What is wrong with placeholders, or with what they stand for, whatever the expressions.
    pub(super) fn new(
        names: Option<&'r BTreeMap<String, String>>,
        values: Option<&'r BTreeMap<String, AttributeValue>>,
    ) -> Result<Self> {
        let mut bytes = 0;
        if let Some(names) = names {
            check_placeholders(Placeholders::Names, '#', names.keys())?;
            for (placeholder, name) in names {
                if name.is_empty() {
                    return Err(Fault::EmptyName(placeholder.clone()).into_error());
                }
                limits::check("attribute name bytes", limits::ITEM_ATTRIBUTE_NAME_BYTES_MAX, name.len())?;
                bytes += name.len();
            }
        }
        if let Some(values) = values {
            check_placeholders(Placeholders::Values, ':', values.keys())?;
            let Shape { bytes: of_values, depth, .. } = shape_of(values.values());
            limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, depth)?;
            bytes += of_values;
        }
        limits::check("bytes of names and values of expressions", limits::ITEM_PLACEHOLDERS_BYTES_MAX, bytes)?;
        Ok(Self { given_names: names, given_values: values, names: BTreeSet::new(), values: BTreeSet::new() })
    }

    /// What `placeholder` stands for, which counts as a use of it.
    pub(super) fn name(&mut self, placeholder: &str) -> Option<&'r str> {
        let (placeholder, name) = self.given_names?.get_key_value(placeholder)?;
        self.names.insert(placeholder);
        Some(name)
    }

    /// What `placeholder` stands for, which counts as a use of it.
    pub(super) fn value(&mut self, placeholder: &str) -> Option<&'r AttributeValue> {
        let (placeholder, value) = self.given_values?.get_key_value(placeholder)?;
        self.values.insert(placeholder);
        Some(value)
    }

    /// Refuses placeholders that have not been used.
    pub(super) fn finish(self) -> Result<()> {
        let names = self.given_names.into_iter().flat_map(BTreeMap::keys);
        check_unused(Placeholders::Names, names, &self.names)?;
        let values = self.given_values.into_iter().flat_map(BTreeMap::keys);
        check_unused(Placeholders::Values, values, &self.values)
    }
}

fn check_placeholders<'p>(map: Placeholders, sign: char, given: impl Iterator<Item = &'p String>) -> Result<()> {
    let mut is_empty = true;
    for placeholder in given {
        is_empty = false;
        if placeholder.len() > limits::ITEM_PLACEHOLDER_BYTES_MAX {
            return Err(Fault::PlaceholderTooLong { map, bytes: placeholder.len() }.into_error());
        }
        let word = placeholder.strip_prefix(sign).unwrap_or_default();
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Fault::InvalidPlaceholder { map, placeholder: placeholder.clone() }.into_error());
        }
    }
    if is_empty { Err(Fault::NoPlaceholders(map).into_error()) } else { Ok(()) }
}

fn check_unused<'s>(map: Placeholders, given: impl Iterator<Item = &'s String>, used: &BTreeSet<&str>) -> Result<()> {
    let given: Vec<_> = given.collect();
    let unused = given.iter().filter(|placeholder| !used.contains(placeholder.as_str()));
    let mut unused: Vec<String> = unused.map(ToString::to_string).collect();
    if unused.is_empty() {
        return Ok(());
    }
    java::sort_as_set(&mut unused, given.len());
    Err(Fault::UnusedPlaceholders { map, placeholders: unused }.into_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<const N: usize>(names: [(&str, &str); N]) -> BTreeMap<String, String> {
        names.into_iter().map(|(placeholder, name)| (placeholder.to_owned(), name.to_owned())).collect()
    }

    fn values<const N: usize>(values: [(&str, AttributeValue); N]) -> BTreeMap<String, AttributeValue> {
        values.into_iter().map(|(placeholder, value)| (placeholder.to_owned(), value)).collect()
    }

    fn fault(names: Option<&BTreeMap<String, String>>, values: Option<&BTreeMap<String, AttributeValue>>) -> Fault {
        Usage::new(names, values).unwrap_err().item_fault().unwrap().clone()
    }

    #[test] // SEM: ITM-EXP-2, ITM-LIM-3
    fn placeholders_are_a_sign_and_a_word() {
        for name in ["a", "#", "#a-b", "#€", ":a", ""] {
            let invalid = Fault::InvalidPlaceholder { map: Placeholders::Names, placeholder: name.into() };
            assert_eq!(fault(Some(&names([(name, "x")])), None), invalid);
        }
        for value in ["a", ":", ": ", "#a"] {
            let invalid = Fault::InvalidPlaceholder { map: Placeholders::Values, placeholder: value.into() };
            assert_eq!(fault(None, Some(&values([(value, 1.into())]))), invalid);
        }
        let long = format!("#{}", "a".repeat(255));
        assert_eq!(
            fault(Some(&names([(&long, "x")])), None),
            Fault::PlaceholderTooLong { map: Placeholders::Names, bytes: 256 }
        );
        assert!(Usage::new(Some(&names([(&long[..255], "x")])), Some(&values([(":_0", 1.into())]))).is_ok());
        assert_eq!(fault(Some(&names([("#a", "")])), None), Fault::EmptyName("#a".into()));
        assert_eq!(fault(Some(&names([])), None), Fault::NoPlaceholders(Placeholders::Names));
        assert_eq!(fault(None, Some(&values([]))), Fault::NoPlaceholders(Placeholders::Values));
    }

    #[test] // SEM: ITM-LIM-3, ITM-TYP-1
    fn what_they_stand_for_has_limits() {
        let is_ok =
            |value: AttributeValue| Usage::new(Some(&names([("#n", "ab")])), Some(&values([(":v", value)]))).is_ok();
        assert!(is_ok("x".repeat(limits::ITEM_PLACEHOLDERS_BYTES_MAX - 2).into()));
        assert!(!is_ok("x".repeat(limits::ITEM_PLACEHOLDERS_BYTES_MAX - 1).into()));
        let nested = |levels| (0..levels).fold(AttributeValue::Null, |inner, _| vec![inner].into());
        assert!(is_ok(nested(31)));
        assert!(!is_ok(nested(32)));
    }

    #[test] // SEM: ITM-EXP-2
    fn what_is_not_used_is_told_in_the_order_of_the_service() {
        let given = names([("#b", "b"), ("#a", "a"), ("#c", "c")]);
        let mut usage = Usage::new(Some(&given), None).unwrap();
        assert_eq!(usage.name("#c"), Some("c"));
        assert_eq!(usage.name("#d"), None);
        let fault = usage.finish().unwrap_err().item_fault().unwrap().clone();
        let placeholders = vec!["#a".to_owned(), "#b".to_owned()];
        assert_eq!(fault, Fault::UnusedPlaceholders { map: Placeholders::Names, placeholders });
    }
}
