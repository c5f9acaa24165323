//! Expressions and statements of item tables, whatever their text, are read or refused.
//!
//! A condition that is read either holds for an item or its negation does, and the same condition twice, joined by AND or
//! by OR, is itself. What an update makes of an item can be stored and has the attributes that it does not name; a
//! projection has nothing that the item has not.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use larder::internals::{condition_holds, is_statement, project_item, update_item};
use larder::item::{AttributeValue, Item, Number, Set};
use libfuzzer_sys::fuzz_target;

/// A value of few forms, so that two of them are often equal.
#[derive(Arbitrary, Debug)]
enum Value {
    Text(bool, u8),
    Number(i8),
    Bytes(Vec<u8>),
    Bool(bool),
    Null,
    List(Vec<i8>),
    Map(i8),
    Texts(bool),
    Numbers(i8, i8),
}

impl Value {
    fn of(self) -> AttributeValue {
        match self {
            Self::Text(long, letter) => {
                let letter = char::from(b'a' + letter % 3);
                AttributeValue::from(if long { format!("{letter}ab😀") } else { letter.to_string() })
            }
            Self::Number(number) => number.into(),
            Self::Bytes(bytes) => bytes.into(),
            Self::Bool(value) => value.into(),
            Self::Null => AttributeValue::Null,
            Self::List(numbers) => AttributeValue::L(numbers.into_iter().map(AttributeValue::from).collect()),
            Self::Map(number) => AttributeValue::M([("a", number)].into()),
            Self::Texts(both) => {
                let texts = if both { vec!["a", "b"] } else { vec!["a"] };
                AttributeValue::Ss(Set::new(texts).expect("its elements differ"))
            }
            Self::Numbers(one, other) => match Set::<Number>::new([one, other]) {
                Ok(set) => set.into(),
                Err(_) => one.into(),
            },
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Input {
    text: String,
    attributes: [Option<Value>; 3],
    values: [Value; 3],
}

fuzz_target!(|input: Input| {
    let Input { text, attributes, values } = input;
    let attributes = ["a", "b", "c"].into_iter().zip(attributes);
    let item: Item = attributes.filter_map(|(name, value)| Some((name, value?.of()))).collect();
    let values = [":a", ":b", ":c"].into_iter().zip(values).map(|(name, value)| (name.to_owned(), value.of()));
    let values: BTreeMap<_, _> = values.collect();
    let names: BTreeMap<_, _> = [("#a", "a"), ("#b", "b")].map(|(to, name)| (to.to_owned(), name.to_owned())).into();

    if let Ok(holds) = condition_holds(&text, &names, &values, &item) {
        // These are refused where they are too long, or where the condition stands in parentheses already.
        let again = |text: String| condition_holds(&text, &names, &values, &item).ok();
        assert_ne!(again(format!("NOT ({text})")), Some(holds), "{text}");
        for joined in [format!("({text}) AND ({text})"), format!("({text}) OR ({text})")] {
            assert!(again(joined).is_none_or(|found| found == holds), "{text}");
        }
    }
    if let Ok(updated) = update_item(&text, &names, &values, &item) {
        let named = |name: &str| text.contains(name) || names.iter().any(|(to, of)| of == name && text.contains(to));
        for (name, value) in item.iter().filter(|(name, _)| !named(name)) {
            assert_eq!(updated.get(name), Some(value), "{text}");
        }
    }
    if let Ok(parts) = project_item(&text, &names, &item) {
        assert!(parts.size_bytes() <= item.size_bytes() && parts.iter().all(|(name, _)| item.get(name).is_some()));
    }
    let parameters: Vec<_> = values.into_values().collect();
    let _ = is_statement(&text, &parameters);
});
