//! From trees to updates: what is wrong is found in the order of the service.
//!
//! The text is looked at clause by clause, then the paths that are written; then the actions, from the last to the first:
//! names in all of them before values and their types.

use crate::item::expression::check::{
    Place, Problem, bounded_path, check_path, check_structure, check_update_count, path,
};
use crate::item::expression::overlap::check_overlaps;
use crate::item::expression::substitutions::Usage;
use crate::item::expression::tree::{self, Call, Node, Section, SectionKind};
use crate::item::expression::update::{Action, Change, SetOperand, SetValue, Update};
use crate::item::{AttributeValue, ExpressionFault, TypeName};

type Result<T, E = Problem> = std::result::Result<T, E>;

/// The update that `sections` mean.
pub(in crate::item::expression) fn compile(sections: &[Section<'_>], usage: &mut Usage<'_>) -> Result<Update> {
    check_sections(sections)?;
    let actions: Vec<_> = sections.iter().enumerate().flat_map(|(at, section)| numbered(at, section)).collect();
    let paths =
        actions.iter().map(|(_, _, action)| bounded_path(&action.path, usage)).collect::<Result<Vec<_>, _>>()?;
    check_overlaps(&paths.iter().collect::<Vec<_>>())?;
    for (_, _, action) in actions.iter().rev() {
        action.value.as_ref().map_or(Ok(()), |value| check_names(value, usage))?;
    }
    let mut compiled = Vec::new();
    for ((section, kind, action), path) in actions.iter().zip(paths).rev() {
        compiled.push(Action { section: *section, path, change: change(*kind, action.value.as_ref(), usage)? });
    }
    compiled.reverse();
    Ok(Update { actions: compiled, is_legacy: false })
}

fn numbered<'s, 'e>(
    at: usize,
    section: &'s Section<'e>,
) -> impl Iterator<Item = (usize, SectionKind, &'s tree::Action<'e>)> {
    section.actions.iter().map(move |action| (at, section.kind, action))
}

/// Clauses of a kind together, kinds in the order in which they come first.
fn check_sections(sections: &[Section<'_>]) -> Result<(), ExpressionFault> {
    let mut seen = Vec::new();
    for Section { kind, .. } in sections {
        if seen.contains(kind) {
            continue;
        }
        seen.push(*kind);
        let mut count = 0;
        for section in sections.iter().filter(|section| section.kind == *kind) {
            count += 1;
            for action in &section.actions {
                check_path(&action.path)?;
                action.value.as_ref().map_or(Ok(()), |value| check_structure(value, Place::Update))?;
            }
        }
        if count > 1 {
            return Err(ExpressionFault::RepeatedSection(kind.as_str()));
        }
    }
    Ok(())
}

/// Refuses names that stand for nothing.
fn check_names(node: &Node<'_>, usage: &mut Usage<'_>) -> Result<(), ExpressionFault> {
    match node {
        Node::Path(node) => path(node, usage).map(drop),
        Node::Parentheses(inner) => check_names(inner, usage),
        Node::Sum(_, one, other) => {
            check_names(one, usage)?;
            check_names(other, usage)
        }
        Node::Call(call) => call.operands.iter().try_for_each(|operand| check_names(operand, usage)),
        _ => Ok(()),
    }
}

fn change(kind: SectionKind, node: Option<&Node<'_>>, usage: &mut Usage<'_>) -> Result<Change> {
    let Some(node) = node else { return Ok(Change::Remove) };
    Ok(match (kind, node) {
        (SectionKind::Add, Node::Value(placeholder)) => {
            Change::Add(of_section(kind, value(placeholder, usage)?, |found| found == TypeName::N || found.is_set())?)
        }
        (SectionKind::Delete, Node::Value(placeholder)) => {
            Change::Delete(of_section(kind, value(placeholder, usage)?, TypeName::is_set)?)
        }
        _ => Change::Set(set_value(node, usage)?),
    })
}

fn of_section(
    kind: SectionKind,
    value: AttributeValue,
    fits: impl Fn(TypeName) -> bool,
) -> Result<AttributeValue, ExpressionFault> {
    let found = value.type_name();
    if fits(found) {
        return Ok(value);
    }
    Err(ExpressionFault::SectionOperandType { section: kind.as_str(), found: found.long_name() })
}

fn value(placeholder: &str, usage: &mut Usage<'_>) -> Result<AttributeValue, ExpressionFault> {
    let value = usage.value(placeholder).cloned();
    value.ok_or_else(|| ExpressionFault::UndefinedValue(placeholder.to_owned()))
}

fn set_value(node: &Node<'_>, usage: &mut Usage<'_>) -> Result<SetValue> {
    match node {
        Node::Parentheses(inner) => set_value(inner, usage),
        Node::Sum(sign, one, other) => {
            let (one, other) = (operand(one, usage)?, operand(other, usage)?);
            for operand in [&one, &other] {
                check_type(sign.as_str(), operand, TypeName::N)?;
            }
            Ok(SetValue::Sum(*sign, one, other))
        }
        node => operand(node, usage).map(SetValue::Operand),
    }
}

fn operand(node: &Node<'_>, usage: &mut Usage<'_>) -> Result<SetOperand> {
    match node {
        Node::Parentheses(inner) => operand(inner, usage),
        Node::Value(placeholder) => Ok(SetOperand::Value(value(placeholder, usage)?)),
        Node::Path(node) => Ok(SetOperand::Path(bounded_path(node, usage)?)),
        Node::Call(call) => function(call, usage),
        // The parser lets nothing else stand here.
        _ => Err(ExpressionFault::Syntax { token: String::new(), near: String::new() }.into()),
    }
}

fn function(call: &Call<'_>, usage: &mut Usage<'_>) -> Result<SetOperand> {
    let operands = call.operands.iter().map(|node| operand(node, usage)).collect::<Result<Vec<_>>>()?;
    check_update_count(call)?;
    let mut operands = operands.into_iter();
    let (Some(first), Some(second)) = (operands.next(), operands.next()) else {
        return Err(ExpressionFault::UnknownFunction(call.name.to_owned()).into());
    };
    if call.name == "if_not_exists" {
        let SetOperand::Path(path) = first else {
            return Err(ExpressionFault::RequiresPath("if_not_exists").into());
        };
        if matches!(&second, SetOperand::Path(other) if *other == path) {
            let path = path.to_string();
            return Err(ExpressionFault::SameOperand { operator: "if_not_exists", path }.into());
        }
        return Ok(SetOperand::IfNotExists(path, Box::new(second)));
    }
    for operand in [&first, &second] {
        check_type("list_append", operand, TypeName::L)?;
    }
    Ok(SetOperand::ListAppend(Box::new(first), Box::new(second)))
}

fn check_type(operator: &'static str, operand: &SetOperand, expected: TypeName) -> Result<(), ExpressionFault> {
    match operand {
        SetOperand::Value(value) if value.type_name() != expected => {
            Err(ExpressionFault::OperandType { operator, found: value.type_name().as_str() })
        }
        _ => Ok(()),
    }
}
