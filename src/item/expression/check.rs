//! From trees to conditions: what is wrong is found in the order of the service.
//!
//! The first pass, over the whole expression as it is written, finds reserved words, indexes out of range and functions
//! that cannot stand where they do. The second puts names and values in, and finds what is undefined and operands of
//! wrong types.

use crate::error::Error;
use crate::item::expression::condition::{Condition, Constant, Operand, Test};
use crate::item::expression::reserved::is_reserved;
use crate::item::expression::substitutions::Usage;
use crate::item::expression::tree::{Call, Node, PathNode, Step};
use crate::item::record::Content;
use crate::item::{ExpressionFault, Path, PathElement, TypeName};
use crate::limits;

/// Why an expression cannot be used.
#[derive(Debug)]
pub(super) enum Problem {
    /// What is wrong with it.
    Expression(ExpressionFault),
    /// What is wrong with what it uses.
    Other(Error),
}

impl From<ExpressionFault> for Problem {
    fn from(fault: ExpressionFault) -> Self {
        Self::Expression(fault)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

type Result<T, E = Problem> = std::result::Result<T, E>;

/// What the service names where the second operand of `attribute_type` is a path.
const ANY_TYPE: &str =
    "{SS,M,DECIMAL,DOUBLESET,HDS,N,B,DICT,INTSET,BOOL,HD,BS,INT,DECIMALSET,NULL,FLOAT,FS,S,L,NS,DOUBLE}";

/// A function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    Exists,
    NotExists,
    IsType,
    BeginsWith,
    Contains,
    Size,
    IfNotExists,
    ListAppend,
}

/// Every function, with how many operands it takes.
const FUNCTIONS: [(&str, Function, usize); 8] = [
    ("attribute_exists", Function::Exists, 1),
    ("attribute_not_exists", Function::NotExists, 1),
    ("attribute_type", Function::IsType, 2),
    ("begins_with", Function::BeginsWith, 2),
    ("contains", Function::Contains, 2),
    ("size", Function::Size, 1),
    ("if_not_exists", Function::IfNotExists, 2),
    ("list_append", Function::ListAppend, 2),
];

fn function(name: &str) -> Option<(&'static str, Function, usize)> {
    FUNCTIONS.into_iter().find(|(known, ..)| *known == name)
}

/// The condition that `tree` means.
pub(super) fn condition(tree: &Node<'_>, usage: &mut Usage<'_>) -> Result<Condition> {
    check_structure(tree, Place::Condition)?;
    Ok(Condition { node: test(tree, usage)? })
}

/// Where a part of an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where yes or no is asked for.
    Condition,
    /// Where a value is asked for.
    Operand,
    /// In an update, or where paths are listed.
    Update,
}

/// The first pass.
pub(super) fn check_structure(node: &Node<'_>, place: Place) -> Result<(), ExpressionFault> {
    let inside = if place == Place::Update { Place::Update } else { Place::Operand };
    match node {
        Node::And(conditions) | Node::Or(conditions) => {
            conditions.iter().try_for_each(|condition| check_structure(condition, Place::Condition))
        }
        Node::Not(condition) => check_structure(condition, Place::Condition),
        Node::Parentheses(inner) => check_structure(inner, place),
        Node::Compare(_, one, other) | Node::Sum(_, one, other) => {
            check_structure(one, inside)?;
            check_structure(other, inside)
        }
        Node::Between(operand, lower, upper) => {
            [operand, lower, upper].into_iter().try_for_each(|operand| check_structure(operand, inside))
        }
        Node::In(operand, candidates) => {
            check_structure(operand, inside)?;
            candidates.iter().try_for_each(|candidate| check_structure(candidate, inside))
        }
        Node::Call(call) => {
            check_call(call, place)?;
            call.operands.iter().try_for_each(|operand| check_structure(operand, inside))
        }
        Node::Path(path) => check_path(path),
        Node::Value(_) => Ok(()),
    }
}

fn check_call(call: &Call<'_>, place: Place) -> Result<(), ExpressionFault> {
    let name = call.name.to_owned();
    let Some((_, function, _)) = function(call.name) else { return Err(ExpressionFault::UnknownFunction(name)) };
    let is_of_updates = matches!(function, Function::IfNotExists | Function::ListAppend);
    if place == Place::Update {
        return if is_of_updates { Ok(()) } else { Err(ExpressionFault::FunctionInUpdate(name)) };
    }
    if is_of_updates {
        return Err(ExpressionFault::FunctionInCondition(name));
    }
    if (function == Function::Size) == (place == Place::Condition) {
        return Err(ExpressionFault::FunctionPlace(name));
    }
    check_count(call)
}

fn check_count(call: &Call<'_>) -> Result<(), ExpressionFault> {
    let (name, count) = (call.name.to_owned(), call.operands.len());
    match function(call.name) {
        Some((_, _, expected)) if expected == count => Ok(()),
        _ => Err(ExpressionFault::OperandCount { function: name, count }),
    }
}

pub(super) fn check_path(path: &PathNode<'_>) -> Result<(), ExpressionFault> {
    path.steps.iter().try_for_each(|step| match step {
        Step::Name(name) if is_reserved(name) => Err(ExpressionFault::ReservedWord((*name).to_owned())),
        Step::Index(index) => list_index(index).map(drop),
        Step::Name(_) | Step::Placeholder(_) => Ok(()),
    })
}

fn list_index(digits: &str) -> Result<u32, ExpressionFault> {
    let index = digits.parse().ok().filter(|index| *index <= limits::ITEM_LIST_INDEX_MAX);
    index.ok_or_else(|| ExpressionFault::ListIndex(digits.to_owned()))
}

/// The path with its names put in.
pub(super) fn path(node: &PathNode<'_>, usage: &mut Usage<'_>) -> Result<Path, ExpressionFault> {
    let mut path: Option<Path> = None;
    for step in &node.steps {
        let element = match step {
            Step::Name(name) => PathElement::Name((*name).to_owned()),
            Step::Placeholder(placeholder) => PathElement::Name(
                usage
                    .name(placeholder)
                    .ok_or_else(|| ExpressionFault::UndefinedName((*placeholder).to_owned()))?
                    .to_owned(),
            ),
            Step::Index(index) => PathElement::Index(list_index(index)?),
        };
        path = Some(match (path, element) {
            (Some(path), element) => path.with(element),
            (None, PathElement::Name(name)) => Path::new(name),
            (None, element) => Path::new(element.to_string()),
        });
    }
    path.ok_or_else(|| ExpressionFault::Syntax { token: String::new(), near: String::new() })
}

/// The path with its names put in, unless it is too long.
pub(super) fn bounded_path(node: &PathNode<'_>, usage: &mut Usage<'_>) -> Result<Path, ExpressionFault> {
    let path = path(node, usage)?;
    path.excess().map_or(Ok(path), |levels| Err(ExpressionFault::PathTooDeep { levels }))
}

/// The second pass over what says yes or no.
fn test(node: &Node<'_>, usage: &mut Usage<'_>) -> Result<Test> {
    let mut all =
        |conditions: &[Node<'_>]| conditions.iter().map(|condition| test(condition, usage)).collect::<Result<Vec<_>>>();
    Ok(match node {
        Node::And(conditions) => Test::And(all(conditions)?),
        Node::Or(conditions) => Test::Or(all(conditions)?),
        Node::Not(condition) => Test::Not(Box::new(test(condition, usage)?)),
        Node::Parentheses(inner) => test(inner, usage)?,
        Node::Compare(comparator, one, other) => {
            checked(Test::Compare(*comparator, operand(one, usage)?, operand(other, usage)?))?
        }
        Node::Between(value, lower, upper) => {
            checked(Test::Between(operand(value, usage)?, operand(lower, usage)?, operand(upper, usage)?))?
        }
        Node::In(value, candidates) => {
            let value = operand(value, usage)?;
            let candidates =
                candidates.iter().map(|candidate| operand(candidate, usage)).collect::<Result<Vec<_>>>()?;
            checked(Test::In(value, candidates))?
        }
        Node::Call(call) => called(call, usage)?,
        // The parser lets no operand stand here.
        Node::Path(_) | Node::Value(_) | Node::Sum(..) => {
            return Err(ExpressionFault::Syntax { token: String::new(), near: String::new() }.into());
        }
    })
}

/// The second pass over a function that says yes or no.
fn called(call: &Call<'_>, usage: &mut Usage<'_>) -> Result<Test> {
    let operands = call.operands.iter().map(|node| operand(node, usage)).collect::<Result<Vec<_>>>()?;
    let mut operands = operands.into_iter();
    let (first, second) = (operands.next(), operands.next());
    let misplaced = || Problem::from(ExpressionFault::FunctionPlace(call.name.to_owned()));
    let (Some((name, function, _)), Some(first)) = (function(call.name), first) else { return Err(misplaced()) };
    match (function, second) {
        (Function::Exists, None) => Ok(Test::Exists(document_path(name, first)?)),
        (Function::NotExists, None) => Ok(Test::NotExists(document_path(name, first)?)),
        (Function::IsType, Some(second)) => {
            let path = document_path(name, first)?;
            check_distinct(name, Some(&path), [&second])?;
            Ok(Test::IsType(path, type_of(name, &second)?))
        }
        (Function::BeginsWith, Some(second)) => checked(Test::BeginsWith(first, second)),
        (Function::Contains, Some(second)) => checked(Test::Contains(first, second)),
        _ => Err(misplaced()),
    }
}

/// The second pass over what is compared.
fn operand(node: &Node<'_>, usage: &mut Usage<'_>) -> Result<Operand> {
    match node {
        Node::Parentheses(inner) => operand(inner, usage),
        Node::Path(node) => Ok(Operand::Path(bounded_path(node, usage)?)),
        Node::Value(placeholder) => {
            let undefined = || ExpressionFault::UndefinedValue((*placeholder).to_owned());
            let value = usage.value(placeholder).ok_or_else(undefined)?;
            Ok(Operand::Value(Constant::new(value)?))
        }
        Node::Call(call) => {
            let misplaced = || ExpressionFault::FunctionPlace(call.name.to_owned());
            let operand = operand(call.operands.first().ok_or_else(misplaced)?, usage)?;
            let is_measured = |found| !matches!(found, TypeName::N | TypeName::Bool | TypeName::Null);
            check_type("size", &operand, is_measured)?;
            Ok(Operand::Size(Box::new(operand)))
        }
        // The parser lets no condition stand here.
        _ => Err(ExpressionFault::Syntax { token: String::new(), near: String::new() }.into()),
    }
}

/// The type that an operand has for every item.
fn static_type(operand: &Operand) -> Result<Option<TypeName>> {
    match operand {
        Operand::Path(_) => Ok(None),
        Operand::Value(constant) => Ok(Some(constant.as_ref().type_name()?)),
        Operand::Size(_) => Ok(Some(TypeName::N)),
        // What `Constant::new` has refused.
        Operand::TooDeep => {
            Err(limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, limits::ITEM_DEPTH_MAX + 1)
                .err()
                .unwrap_or(Error::Closed)
                .into())
        }
    }
}

fn check_type(operator: &'static str, operand: &Operand, fits: impl Fn(TypeName) -> bool) -> Result<()> {
    operand.path().map_or(Ok(()), check_length)?;
    match static_type(operand)? {
        Some(found) if !fits(found) => Err(ExpressionFault::OperandType { operator, found: found.as_str() }.into()),
        _ => Ok(()),
    }
}

fn as_path(operand: &Operand) -> Option<&Path> {
    if let Operand::Path(path) = operand { Some(path) } else { None }
}

/// Refuses an operand that stands among the others, too.
fn check_distinct<'o>(
    operator: &'static str,
    first: Option<&Path>,
    others: impl IntoIterator<Item = &'o Operand>,
) -> Result<(), ExpressionFault> {
    let Some(first) = first else { return Ok(()) };
    if others.into_iter().any(|other| as_path(other) == Some(first)) {
        return Err(ExpressionFault::SameOperand { operator, path: first.to_string() });
    }
    Ok(())
}

fn document_path(function: &'static str, operand: Operand) -> Result<Path, ExpressionFault> {
    match operand {
        Operand::Path(path) => Ok(path),
        _ => Err(ExpressionFault::RequiresPath(function)),
    }
}

/// The type that the second operand of `attribute_type` names.
fn type_of(operator: &'static str, operand: &Operand) -> Result<TypeName> {
    let wrong = |found| Problem::from(ExpressionFault::OperandType { operator, found });
    match operand {
        Operand::Path(_) | Operand::TooDeep => Err(wrong(ANY_TYPE)),
        Operand::Size(_) => Err(wrong(TypeName::N.as_str())),
        Operand::Value(constant) => match constant.as_ref().content()? {
            Content::S(name) => Ok(name.parse()?),
            _ => Err(wrong(constant.as_ref().type_name()?.as_str())),
        },
    }
}

/// Refuses a condition of typed parts where the same in text would be refused.
pub(super) fn check_typed(test: &Test) -> Result<()> {
    match test {
        Test::And(conditions) | Test::Or(conditions) => conditions.iter().try_for_each(check_typed),
        Test::Not(condition) => check_typed(condition),
        other => check_operands(other),
    }
}

fn checked(test: Test) -> Result<Test> {
    check_operands(&test)?;
    Ok(test)
}

/// Refuses a test whose operands cannot be put to it.
fn check_operands(test: &Test) -> Result<()> {
    match test {
        Test::Compare(comparator, one, other) => {
            check_distinct(comparator.as_str(), as_path(one), [other])?;
            for operand in [one, other] {
                check_type(comparator.as_str(), operand, |found| !comparator.is_ordering() || found.is_ordered())?;
            }
            Ok(())
        }
        Test::Between(value, lower, upper) => check_between(value, lower, upper),
        Test::In(value, candidates) => {
            if candidates.len() > limits::ITEM_IN_OPERANDS_MAX {
                return Err(ExpressionFault::TooManyInOperands { count: candidates.len() }.into());
            }
            check_distinct("IN", as_path(value), candidates)?;
            candidates.iter().try_for_each(|candidate| check_type("IN", candidate, |_| true))
        }
        Test::BeginsWith(operand, prefix) => {
            check_distinct("begins_with", as_path(operand), [prefix])?;
            for operand in [operand, prefix] {
                check_type("begins_with", operand, |found| matches!(found, TypeName::S | TypeName::B))?;
            }
            Ok(())
        }
        Test::Contains(operand, part) => {
            check_distinct("contains", as_path(operand), [part])?;
            check_type("contains", part, |_| true)
        }
        Test::Exists(path) | Test::NotExists(path) | Test::IsType(path, _) => check_length(path),
        Test::And(_) | Test::Or(_) | Test::Not(_) => Ok(()),
    }
}

fn check_length(path: &Path) -> Result<()> {
    path.excess().map_or(Ok(()), |levels| Err(ExpressionFault::PathTooDeep { levels }.into()))
}

/// Refuses bounds that no value can be between.
fn check_between(value: &Operand, lower: &Operand, upper: &Operand) -> Result<()> {
    const BETWEEN: &str = "BETWEEN";
    check_distinct(BETWEEN, as_path(value), [lower, upper])?;
    for operand in [value, lower, upper] {
        check_type(BETWEEN, operand, TypeName::is_ordered)?;
    }
    let (Operand::Value(lower), Operand::Value(upper)) = (lower, upper) else { return Ok(()) };
    let shown = || Ok::<_, Error>((bound(lower)?, bound(upper)?));
    if lower.as_ref().type_name()? != upper.as_ref().type_name()? {
        let (lower, upper) = shown()?;
        return Err(ExpressionFault::BetweenTypes { lower, upper }.into());
    }
    if upper.is_below(lower)? {
        let (lower, upper) = shown()?;
        return Err(ExpressionFault::BetweenOrder { lower, upper }.into());
    }
    Ok(())
}

/// A bound as the service shows it.
fn bound(constant: &Constant) -> Result<String, Error> {
    Ok(match constant.as_ref().content()? {
        Content::S(text) => format!("{{S:{text}}}"),
        Content::N(number) => format!("{{N:{number}}}"),
        Content::B(bytes) => {
            let length = bytes.len();
            format!("{{B:java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]}}")
        }
        _ => String::new(),
    })
}

/// What is wrong with a function of updates that has the wrong number of operands.
pub(super) fn check_update_count(call: &Call<'_>) -> Result<(), ExpressionFault> {
    check_count(call)
}
