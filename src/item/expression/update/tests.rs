use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::item::expression::Expressions;
use crate::item::expression::overlap::check_overlaps;
use crate::item::expression::tests::{Printer, any_path, at, item, value};
use crate::item::record::{RecordRef, encode};
use crate::item::{Fault, Item, Number, PathElement, Set, TypeName};

// ---- One action, step by step ----

fn operand(operand: &SetOperand, item: &Item) -> Result<AttributeValue, Fault> {
    match operand {
        SetOperand::Value(value) => Ok(value.clone()),
        SetOperand::Path(path) => at(item, path).cloned().ok_or(Fault::UpdateOperandMissing),
        SetOperand::IfNotExists(path, otherwise) => match at(item, path) {
            Some(found) => Ok(found.clone()),
            None => self::operand(otherwise, item),
        },
        SetOperand::ListAppend(one, other) => {
            let AttributeValue::L(mut one) = self::operand(one, item)? else { return Err(Fault::UpdateOperandType) };
            let AttributeValue::L(other) = self::operand(other, item)? else { return Err(Fault::UpdateOperandType) };
            one.extend(other);
            Ok(AttributeValue::L(one))
        }
    }
}

fn elements(value: &AttributeValue) -> Option<(TypeName, Vec<AttributeValue>)> {
    let elements = match value {
        AttributeValue::Ss(set) => set.iter().map(AttributeValue::from).collect(),
        AttributeValue::Ns(set) => set.iter().map(|number| AttributeValue::N(*number)).collect(),
        AttributeValue::Bs(set) => set.iter().map(|bytes| AttributeValue::B(bytes.clone())).collect(),
        _ => return None,
    };
    Some((value.type_name(), elements))
}

fn set_of(name: TypeName, elements: Vec<AttributeValue>) -> Option<AttributeValue> {
    let mut distinct: Vec<AttributeValue> = Vec::new();
    for element in elements {
        if !distinct.contains(&element) {
            distinct.push(element);
        }
    }
    if distinct.is_empty() {
        return None;
    }
    Some(match name {
        TypeName::Ss => Set::<String>::new(distinct.iter().map(|element| element.as_s().unwrap())).unwrap().into(),
        TypeName::Ns => Set::<Number>::new(distinct.iter().map(|element| *element.as_n().unwrap())).unwrap().into(),
        _ => Set::<Vec<u8>>::new(distinct.iter().map(|element| element.as_b().unwrap())).unwrap().into(),
    })
}

/// What is at the path afterwards; `None` for nothing.
fn result(change: &Change, path: &Path, item: &Item) -> Result<Option<AttributeValue>, Fault> {
    let number = |operand: AttributeValue| operand.as_n().copied().ok_or(Fault::UpdateOperandType);
    match (change, at(item, path)) {
        (Change::Set(SetValue::Operand(value)), _) => operand(value, item).map(Some),
        (Change::Set(SetValue::Sum(sign, one, other)), _) => {
            let (one, other) = (number(operand(one, item)?)?, number(operand(other, item)?)?);
            let sum = if *sign == Sign::Plus { one.checked_add(other) } else { one.checked_sub(other) };
            Ok(Some(AttributeValue::N(sum?)))
        }
        (Change::Remove, _) | (Change::Delete(_), None) => Ok(None),
        (Change::Add(added), None) => Ok(Some(added.clone())),
        (Change::Add(AttributeValue::N(added)), Some(AttributeValue::N(current))) => {
            Ok(Some(AttributeValue::N(current.checked_add(*added)?)))
        }
        (Change::Add(added), Some(current)) => match (elements(current), elements(added)) {
            (Some((one, mut current)), Some((other, added))) if one == other => {
                current.extend(added);
                Ok(set_of(one, current))
            }
            _ => Err(Fault::UpdateOperandType),
        },
        (Change::Delete(removed), Some(current)) => match (elements(current), elements(removed)) {
            (Some((one, mut current)), Some((other, removed))) if one == other => {
                current.retain(|element| !removed.contains(element));
                Ok(set_of(one, current))
            }
            _ => Err(Fault::UpdateOperandType),
        },
    }
}

/// Puts `new` where `inside` leads from `value`, or takes away what is there.
fn replace(value: &AttributeValue, inside: &[PathElement], new: Option<&AttributeValue>) -> Option<AttributeValue> {
    let [element, rest @ ..] = inside else { return new.cloned() };
    match (value, element) {
        (AttributeValue::M(map), PathElement::Name(name)) => {
            let mut map = map.clone();
            let inner = if rest.is_empty() { new.cloned() } else { Some(replace(map.get(name)?, rest, new)?) };
            match inner {
                Some(inner) => drop(map.insert(name.clone(), inner)),
                None => drop(map.remove(name)),
            }
            Some(AttributeValue::M(map))
        }
        (AttributeValue::L(list), PathElement::Index(index)) => {
            let (mut list, index) = (list.clone(), *index as usize);
            match (index < list.len(), if rest.is_empty() { new.cloned() } else { replace(&list[index], rest, new) }) {
                (true, Some(inner)) => list[index] = inner,
                (true, None) => drop(list.remove(index)),
                (false, Some(inner)) => list.push(inner),
                (false, None) => {}
            }
            Some(AttributeValue::L(list))
        }
        _ => None,
    }
}

fn naive(path: &Path, change: &Change, item: &Item) -> Result<Item, Fault> {
    let parent = path.inside().split_last().map(|(last, through)| {
        let parent = through.iter().cloned().fold(Path::new(path.attribute()), Path::with);
        (at(item, &parent).cloned(), last)
    });
    match parent {
        Some(
            (Some(AttributeValue::M(_)), PathElement::Name(_)) | (Some(AttributeValue::L(_)), PathElement::Index(_)),
        )
        | None => {}
        Some((Some(_), _)) => return Err(Fault::UpdatePath),
        // A wrong type is told before a place that is not there.
        Some((None, _)) => {
            return Err(match result(change, path, item) {
                Err(Fault::UpdateOperandType) => Fault::UpdateOperandType,
                _ => Fault::UpdatePath,
            });
        }
    }
    let new = result(change, path, item)?;
    let mut updated = item.clone();
    let attribute = match item.get(path.attribute()) {
        Some(current) if !path.inside().is_empty() => replace(current, path.inside(), new.as_ref()),
        _ => new,
    };
    match attribute {
        Some(value) => drop(updated.insert(path.attribute(), value)),
        None => drop(updated.remove(path.attribute())),
    }
    Ok(updated)
}

// ---- Updates, few and alike ----

fn set_operand() -> impl Strategy<Value = SetOperand> {
    let plain = prop_oneof![any_path().prop_map(SetOperand::Path), value().prop_map(SetOperand::Value)];
    plain.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (any_path(), inner.clone()).prop_map(|(path, other)| SetOperand::IfNotExists(path, Box::new(other))),
            (inner.clone(), inner).prop_map(|(one, other)| SetOperand::ListAppend(Box::new(one), Box::new(other))),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let set = |value: &AttributeValue| elements(value).is_some();
    prop_oneof![
        set_operand().prop_map(|operand| Change::Set(SetValue::Operand(operand))),
        (prop::sample::select(vec![Sign::Plus, Sign::Minus]), set_operand(), set_operand())
            .prop_map(|(sign, one, other)| Change::Set(SetValue::Sum(sign, one, other))),
        Just(Change::Remove),
        value().prop_filter("addable", move |value| set(value) || value.as_n().is_some()).prop_map(Change::Add),
        value().prop_filter("removable", move |value| set(value)).prop_map(Change::Delete),
    ]
}

fn update(changes: &[(Path, Change)]) -> Update {
    Update::new(changes.iter().cloned())
}

fn apply(update: &Update, item: &Item) -> Result<Updated, Fault> {
    let record = encode(item).unwrap();
    let record = RecordRef::new(&record).unwrap();
    for (name, value) in &update.written_before(record).unwrap() {
        assert_eq!(item.get(name).map(AttributeValue::type_name), Some(value.type_name()));
    }
    update.apply(Some(record), &Item::new()).map_err(|error| error.item_fault().unwrap().clone())
}

/// Writes an update as text.
fn print(changes: &[(Path, Change)], printer: &mut Printer) -> String {
    fn operand(operand: &SetOperand, printer: &mut Printer) -> String {
        match operand {
            SetOperand::Value(value) => printer.value(value),
            SetOperand::Path(path) => printer.path(path),
            SetOperand::IfNotExists(path, other) => {
                format!("if_not_exists({}, {})", printer.path(path), print_operand(other, printer))
            }
            SetOperand::ListAppend(one, other) => {
                format!("list_append({}, {})", print_operand(one, printer), print_operand(other, printer))
            }
        }
    }
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, change) in changes {
        let path = printer.path(path);
        let (section, text) = match change {
            Change::Set(SetValue::Operand(value)) => ("SET", format!("{path} = {}", operand(value, printer))),
            Change::Set(SetValue::Sum(sign, one, other)) => {
                ("SET", format!("{path} = {} {} {}", operand(one, printer), sign.as_str(), operand(other, printer)))
            }
            Change::Remove => ("REMOVE", path),
            Change::Add(value) => ("ADD", format!("{path} {}", printer.value(value))),
            Change::Delete(value) => ("DELETE", format!("{path} {}", printer.value(value))),
        };
        sections.entry(section).or_default().push(text);
    }
    let sections: Vec<_> =
        sections.iter().map(|(section, actions)| format!("{section} {}", actions.join(", "))).collect();
    sections.join(" ")
}

fn print_operand(operand: &SetOperand, printer: &mut Printer) -> String {
    let set = Change::Set(SetValue::Operand(operand.clone()));
    let text = print(&[(Path::new("a"), set)], printer);
    text.split_once(" = ").unwrap().1.to_owned()
}

fn read(text: &str, printer: &Printer) -> crate::Result<Update> {
    let names = Some(&printer.names).filter(|names| !names.is_empty());
    let values = Some(&printer.values).filter(|values| !values.is_empty());
    let mut expressions = Expressions::new(names, values)?;
    expressions.update(text)
}

proptest! {
    #[test] // SEM: ITM-EXP-5, ITM-EXP-6
    fn one_action_does_what_it_does_step_by_step(item in item(), path in any_path(), change in change()) {
        let expected = naive(&path, &change, &item);
        let found = apply(&update(&[(path, change)]), &item);
        prop_assert_eq!(found.map(|updated| updated.item), expected);
    }

    #[test] // SEM: ITM-EXP-6
    fn actions_on_several_attributes_do_what_each_does_alone(
        item in item(), changes in vec((any_path(), change()), 2..4),
    ) {
        let mut attributes: Vec<_> = changes.iter().map(|(path, _)| path.attribute()).collect();
        attributes.sort_unstable();
        attributes.dedup();
        prop_assume!(attributes.len() == changes.len());
        let alone: Result<Vec<_>, _> = changes.iter().map(|(path, change)| naive(path, change, &item)).collect();
        let together = apply(&update(&changes), &item);
        prop_assert_eq!(together.is_ok(), alone.is_ok());
        if let (Ok(together), Ok(alone)) = (together, alone) {
            for ((path, _), alone) in changes.iter().zip(alone) {
                prop_assert_eq!(together.item.get(path.attribute()), alone.get(path.attribute()));
            }
            for (name, value) in &item {
                prop_assert!(attributes.contains(&name) || together.item.get(name) == Some(value));
            }
        }
    }

    #[test] // SEM: ITM-EXP-7
    fn what_was_written_is_in_the_item(item in item(), changes in vec((any_path(), change()), 1..4)) {
        let paths: Vec<_> = changes.iter().map(|(path, _)| path).collect();
        prop_assume!(check_overlaps(&paths).is_ok());
        if let Ok(updated) = apply(&update(&changes), &item) {
            let has_index = |path: &Path| path.inside().iter().any(|step| matches!(step, PathElement::Index(_)));
            for (path, change) in changes.iter().filter(|(path, _)| !has_index(path)) {
                let is_removed = matches!(change, Change::Remove);
                prop_assert_eq!(at(&updated.written, path), at(&updated.item, path).filter(|_| !is_removed));
            }
        }
    }

    #[test]
    fn an_update_that_is_printed_reads_as_itself(
        item in item(), changes in vec((any_path(), change()), 1..4),
    ) {
        let mut printer = Printer::default();
        let text = print(&changes, &mut printer);
        match read(&text, &printer) {
            Ok(read) => {
                let expected = apply(&update(&changes), &item);
                let found = apply(&read, &item);
                prop_assert_eq!(found.is_ok(), expected.is_ok());
                if let (Ok(found), Ok(expected)) = (found, expected) {
                    prop_assert_eq!(found, expected);
                }
            }
            Err(error) => {
                let problem = error.item_fault().unwrap().to_string();
                prop_assert!(
                    ["overlap", "conflict", "Incorrect operand type", "distinct"].iter().any(|word| problem.contains(word)),
                    "{}", problem
                );
            }
        }
    }
}

// ---- What the service says, and does ----

fn values() -> BTreeMap<String, AttributeValue> {
    [
        (":s", AttributeValue::from("x")),
        (":n", 1.into()),
        (":l", AttributeValue::L(vec!["y".into()])),
        (":ss", Set::<String>::new(["a"]).unwrap().into()),
        (":b", true.into()),
    ]
    .into_iter()
    .map(|(placeholder, value)| (placeholder.to_owned(), value))
    .collect()
}

fn parse(text: &str) -> crate::Result<Update> {
    let values = values();
    Expressions::new(None, Some(&values)).unwrap().update(text)
}

#[test] // SEM: ITM-EXP-5, ITM-EXP-6, ITM-LIM-3
fn what_is_wrong_with_an_update_is_said_as_the_service_says_it() {
    for (text, expected) in [
        ("set x = :n set c = :n", "The \"SET\" section can only be used once in an update expression;"),
        ("remove d set x = b remove e", "The \"REMOVE\" section can only be used once in an update expression;"),
        ("set x = if_not_exist(:n) set c = d", "Invalid function name; function: if_not_exist"),
        ("set x = size(c)", "The function is not allowed in an update expression; function: size"),
        (" remove Absolute ", "Attribute name is a reserved keyword; reserved keyword: Absolute"),
        ("SET x = #c", "An expression attribute name used in the document path is not defined; attribute name: #c"),
        (
            "SET x = if_not_exists(:c)",
            "An expression attribute value used in expression is not defined; attribute value: :c",
        ),
        (
            "set x = if_not_exists(c)",
            "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of \
             operands: 1",
        ),
        (
            "set x = if_not_exists(:n, c)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "set b = list_append(:s, x), c = if_not_exists(x) add x.b :s",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: \
             ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "delete x.b :n",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: \
             ALLOWED_FOR_DELETE_OPERAND",
        ),
        (
            "set x = list_append(x, :n)",
            "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
        ),
        (
            "set x = x - :ss",
            "Incorrect operand type for operator or function; operator or function: -, operand type: SS",
        ),
        (
            "set x = :n, x.y = :n",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path \
             two: [x, y]",
        ),
        ("SET l[4294967295] = :n", "List index is not within the allowable range; index: [4294967295]"),
    ] {
        let found = parse(text).unwrap_err().to_string();
        assert_eq!(found, format!("Invalid UpdateExpression: {expected}"), "{text}");
    }
    assert!(parse("SET a1 = x + :n").is_ok());
    let deep = format!("SET x{} = :n", ".y".repeat(2_000));
    assert!(parse(&deep).unwrap_err().to_string().ends_with("nesting levels: 2001"));
}

fn list(values: &[&str]) -> AttributeValue {
    values.iter().map(|value| AttributeValue::from(*value)).collect::<Vec<_>>().into()
}

fn updated(text: &str, item: &Item) -> Result<Updated, Fault> {
    apply(&parse(text).unwrap(), item)
}

#[test] // SEM: ITM-EXP-5
fn elements_past_the_end_are_appended_and_removed_ones_leave_together() {
    let item = Item::new().with("l", list(&["a", "b", "c"]));
    for (text, expected) in [
        ("SET l[10] = :s", &["a", "b", "c", "x"][..]),
        ("SET l[4294967294] = :s", &["a", "b", "c", "x"]),
        ("SET l[1] = :s", &["a", "x", "c"]),
        ("REMOVE l[0], l[2]", &["b"]),
        ("REMOVE l[7]", &["a", "b", "c"]),
        ("REMOVE l[0] SET l[1] = :s, l[5] = l[0], l[4] = l[2]", &["x", "c", "c", "a"]),
    ] {
        assert_eq!(updated(text, &item).unwrap().item, Item::new().with("l", list(expected)), "{text}");
    }
    let written = updated("SET l[9] = :s", &item).unwrap().written;
    assert_eq!(written, Item::new().with("l", list(&["x"])));
    assert!(updated("REMOVE l[1]", &item).unwrap().written.is_empty());
}

#[test] // SEM: ITM-EXP-6
fn values_are_those_before_the_update() {
    let item = Item::new().with("n", "old").with("l", list(&["first"]));
    let swapped = updated("SET n = l[0], l[0] = n", &item).unwrap();
    assert_eq!(swapped.item, Item::new().with("n", "first").with("l", list(&["old"])));
}

#[test] // SEM: ITM-EXP-5, ITM-EXP-6, ITM-EXP-8
fn what_is_not_as_an_update_needs_it_is_refused() {
    let map = AttributeValue::M([("b", 1)].into());
    let item = Item::new().with("m", map).with("s", "text").with("n", 5);
    for (text, fault) in [
        ("SET absent.b = :n", Fault::UpdatePath),
        ("SET m[0] = :n", Fault::UpdatePath),
        ("REMOVE s.b", Fault::UpdatePath),
        ("REMOVE absent.b", Fault::UpdatePath),
        ("SET x = absent", Fault::UpdateOperandMissing),
        ("SET x = absent + :n", Fault::UpdateOperandMissing),
        ("SET x = s + :n", Fault::UpdateOperandType),
        ("SET x = list_append(n, :l)", Fault::UpdateOperandType),
        ("ADD s :n", Fault::UpdateOperandType),
        ("ADD n :ss", Fault::UpdateOperandType),
        ("DELETE n :ss", Fault::UpdateOperandType),
        ("SET x = absent ADD s :n", Fault::UpdateOperandType),
    ] {
        assert_eq!(updated(text, &item), Err(fault), "{text}");
    }
    for text in ["REMOVE m.absent", "REMOVE absent", "DELETE absent :ss", "DELETE m.absent :ss"] {
        assert_eq!(updated(text, &item).unwrap().item, item, "{text}");
    }
    // Where there is no item, one of the key is made.
    let key = Item::from([("PK", "p")]);
    let made = parse("SET a = if_not_exists(a, :n) ADD t :ss").unwrap().apply(None, &key).unwrap();
    assert_eq!(made.item.len(), 3);
    assert_eq!(made.written.len(), 2);
}

#[test] // SEM: ITM-TYP-2, ITM-EXP-5
fn sums_that_are_no_numbers_are_refused() {
    let number = |text: &str| Item::new().with("x", text.parse::<Number>().unwrap());
    assert_eq!(updated("ADD x :n", &number("1e125")), Err(Fault::NumberTooPrecise));
    assert_eq!(updated("SET x = x + x", &number("9e125")), Err(Fault::NumberOverflow));
    assert_eq!(updated("SET x = x - :n", &number("0.5")).unwrap().item, number("-0.5"));
}

#[test] // SEM: ITM-EXP-5
fn a_set_that_is_emptied_goes() {
    let item = Item::new().with("t", Set::<String>::new(["a"]).unwrap()).with("n", 1);
    assert_eq!(updated("DELETE t :ss", &item).unwrap().item, Item::from([("n", 1)]));
    assert_eq!(updated("ADD t :ss", &item).unwrap().item, item);
}
