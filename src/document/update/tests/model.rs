//! Random updates against the same on owned documents, one change after the other.

use bson::{Bson, Document, bson, doc};
use proptest::prelude::*;

use super::{code, update};
use crate::document::order::compare_bson;

/// One operator on one path.
#[derive(Clone, Debug)]
struct Change {
    operator: &'static str,
    operand: Bson,
}

impl Change {
    fn creates(&self) -> bool {
        !matches!(self.operator, "$unset" | "$pop" | "$pull" | "$pullAll")
    }

    fn needs_path(&self) -> bool {
        self.operator != "$unset"
    }

    /// The value at the end of the path, `None` for none; or the number of the mistake.
    fn leaf(&self, old: Option<&Bson>) -> Result<Option<Bson>, i32> {
        let operand = &self.operand;
        let list = |mistake: i32| match old {
            None => Ok(Vec::new()),
            Some(Bson::Array(elements)) => Ok(elements.clone()),
            Some(_) => Err(mistake),
        };
        let equal = |a: &Bson, b: &Bson| compare_bson(a, b).is_eq();
        Ok(Some(match self.operator {
            "$set" => operand.clone(),
            "$unset" => return Ok(None),
            "$inc" | "$mul" => match (old, operand) {
                (None, _) if self.operator == "$mul" => bson!(0),
                (None, _) => operand.clone(),
                (Some(Bson::Int32(old)), Bson::Int32(n)) => bson!(if self.operator == "$inc" { old + n } else { old * n }),
                _ => return Err(14),
            },
            "$min" | "$max" => match old {
                Some(old) if self.operator == "$min" && compare_bson(operand, old).is_ge() => old.clone(),
                Some(old) if self.operator == "$max" && compare_bson(operand, old).is_le() => old.clone(),
                _ => operand.clone(),
            },
            "$push" => {
                let mut elements = list(2)?;
                let modifiers = operand.as_document().unwrap();
                let length = elements.len();
                let at = modifiers.get_i32("$position").map_or(length, |at| usize::try_from(at).unwrap().min(length));
                for (place, value) in modifiers.get_array("$each").unwrap().iter().enumerate() {
                    elements.insert(at + place, value.clone());
                }
                if let Ok(direction) = modifiers.get_i32("$sort") {
                    elements.sort_by(|a, b| if direction > 0 { compare_bson(a, b) } else { compare_bson(b, a) });
                }
                if let Ok(slice) = modifiers.get_i32("$slice") {
                    let kept = usize::try_from(slice.unsigned_abs()).unwrap().min(elements.len());
                    elements = if slice < 0 { elements.split_off(elements.len() - kept) } else { elements[..kept].to_vec() };
                }
                elements.into()
            }
            "$addToSet" => {
                let mut elements = list(2)?;
                if !elements.iter().any(|held| equal(held, operand)) {
                    elements.push(operand.clone());
                }
                elements.into()
            }
            "$pop" | "$pullAll" | "$pull" if old.is_none() => return Ok(None),
            "$pop" => {
                let mut elements = list(14)?;
                if *operand == bson!(1) {
                    elements.pop();
                } else if !elements.is_empty() {
                    elements.remove(0);
                }
                elements.into()
            }
            "$pull" => list(2)?.into_iter().filter(|element| !equal(element, operand)).collect::<Vec<_>>().into(),
            "$pullAll" => {
                let values = operand.as_array().unwrap();
                let kept = list(2)?.into_iter().filter(|element| !values.iter().any(|value| equal(element, value)));
                kept.collect::<Vec<_>>().into()
            }
            other => panic!("{other}"),
        }))
    }

    /// The change of `value`, part by part.
    fn apply(&self, value: &mut Bson, parts: &[&str]) -> Result<(), i32> {
        let (first, rest) = parts.split_first().unwrap();
        match value {
            Bson::Document(_) if *first == "$[]" => return if self.needs_path() { Err(2) } else { Ok(()) },
            Bson::Document(document) => match document.get_mut(first) {
                Some(inner) if !rest.is_empty() => self.apply(inner, rest)?,
                Some(old) => match self.leaf(Some(old))? {
                    Some(new) => *old = new,
                    None => drop(document.remove(first)),
                },
                None if rest.first() == Some(&"$[]") && self.needs_path() => return Err(2),
                None if !self.creates() => {}
                None if rest.is_empty() => drop(document.insert(*first, self.leaf(None)?.unwrap())),
                None => {
                    let mut inner = Bson::Document(doc! {});
                    self.apply(&mut inner, rest)?;
                    document.insert(*first, inner);
                }
            },
            Bson::Array(elements) => return self.apply_to_elements(elements, first, rest),
            _ if self.needs_path() => return Err(if *first == "$[]" { 2 } else { 28 }),
            _ => {}
        }
        Ok(())
    }

    fn apply_to_elements(&self, elements: &mut Vec<Bson>, first: &str, rest: &[&str]) -> Result<(), i32> {
        if first == "$[]" {
            return elements.iter_mut().try_for_each(|element| self.apply_to_element(element, rest));
        }
        let Ok(position) = first.parse::<usize>() else {
            return if self.needs_path() { Err(28) } else { Ok(()) };
        };
        if let Some(element) = elements.get_mut(position) {
            return self.apply_to_element(element, rest);
        }
        if self.creates() {
            let mut new = Bson::Document(doc! {});
            if rest.is_empty() {
                new = self.leaf(None)?.unwrap();
            } else {
                self.apply(&mut new, rest)?;
            }
            elements.resize(position, Bson::Null);
            elements.push(new);
        }
        Ok(())
    }

    fn apply_to_element(&self, element: &mut Bson, rest: &[&str]) -> Result<(), i32> {
        if rest.is_empty() {
            *element = self.leaf(Some(element))?.unwrap_or(Bson::Null);
            return Ok(());
        }
        self.apply(element, rest)
    }
}

fn value() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![Just(Bson::Null), (0..3).prop_map(Bson::Int32), Just(Bson::from("x"))];
    leaf.prop_recursive(3, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
            prop::collection::vec(("[ab01]", inner), 0..3)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let of = |operator: &'static str, operand: BoxedStrategy<Bson>| operand.prop_map(move |operand| Change { operator, operand });
    let number = || (-2..3).prop_map(Bson::Int32).boxed();
    let list = || prop::collection::vec(value(), 0..3).prop_map(Bson::Array).boxed();
    let option = |range: std::ops::Range<i32>| prop::option::of(range);
    let push = (list(), option(0..4), prop::option::of(prop::sample::select(vec![1, -1])), option(-3..4));
    let push = push.prop_map(|(each, position, sort, slice)| {
        let mut modifiers = doc! { "$each": each };
        for (name, value) in [("$position", position), ("$sort", sort), ("$slice", slice)] {
            if let Some(value) = value {
                modifiers.insert(name, value);
            }
        }
        Bson::Document(modifiers)
    });
    let plain = value().prop_filter("an object would be conditions", |value| value.as_document().is_none());
    prop_oneof![
        of("$set", value().boxed()),
        of("$unset", Just(Bson::from("")).boxed()),
        of("$inc", number()),
        of("$mul", number()),
        of("$min", value().boxed()),
        of("$max", value().boxed()),
        of("$push", push.boxed()),
        of("$addToSet", value().boxed()),
        of("$pop", prop::sample::select(vec![bson!(1), bson!(-1)]).boxed()),
        of("$pull", plain.boxed()),
        of("$pullAll", list()),
    ]
}

fn path(part: &'static str) -> impl Strategy<Value = String> {
    (prop::sample::select(vec!["a", "b", "0", "1"]), prop::collection::vec(part, 0..3))
        .prop_map(|(first, rest)| std::iter::once(first.to_owned()).chain(rest).collect::<Vec<_>>().join("."))
}

fn document() -> impl Strategy<Value = Document> {
    prop::collection::vec(("[ab01]", value()), 0..4).prop_map(|fields| fields.into_iter().collect())
}

/// Runs `changes` both ways.
fn check(old: &Document, changes: &[(String, Change)]) -> Result<(), TestCaseError> {
    let mut text = Document::new();
    let mut model = Ok(Bson::Document(old.clone()));
    for (path, change) in changes {
        let fields = text.entry(change.operator.to_owned()).or_insert_with(|| Bson::Document(doc! {}));
        fields.as_document_mut().unwrap().insert(path.clone(), change.operand.clone());
        model = model.and_then(|mut model| {
            change.apply(&mut model, &path.split('.').collect::<Vec<_>>()).map(|()| model)
        });
    }
    match (update(old.clone(), text.clone()), model) {
        (Ok(new), Ok(Bson::Document(model))) => prop_assert_eq!(new.unwrap_or_else(|| old.clone()), model),
        // Of several mistakes one is reported, whichever.
        (Err(error), Err(number)) => prop_assert!(changes.len() > 1 || code(Err::<(), _>(error)) == number),
        (new, model) => prop_assert!(false, "{text}: {new:?} but {model:?}"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_single_change_agrees_with_the_same_on_an_owned_document(
        old in document(), path in path(r"a|b|0|1|\$\[\]"), change in change(),
    ) {
        check(&old, &[(path, change)])?;
    }

    // SEM: DOC-UPD-3
    #[test]
    fn several_changes_are_single_ones_in_the_order_of_their_paths(
        old in document(), changes in prop::collection::btree_map(path("[ab01]"), change(), 1..4),
    ) {
        let is_prefixed = changes.keys().any(|a| changes.keys().any(|b| b.starts_with(&format!("{a}."))));
        // With one-character parts the order of the text is the order of the paths.
        let changes: Vec<_> = changes.into_iter().collect();
        if is_prefixed {
            let mut text = Document::new();
            for (path, change) in &changes {
                let fields = text.entry(change.operator.to_owned()).or_insert_with(|| Bson::Document(doc! {}));
                fields.as_document_mut().unwrap().insert(path.clone(), change.operand.clone());
            }
            prop_assert_eq!(code(update(old, text)), 40);
        } else {
            check(&old, &changes)?;
        }
    }
}
