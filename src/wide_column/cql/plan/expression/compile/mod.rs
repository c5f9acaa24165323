//! From selectors and terms to expressions: names are looked up, functions are chosen by the types of their arguments.

mod calls;

use super::aggregate::{Aggregated, Kind};
use super::{Apply, At, Expression, Node, TimeOf, Within, casts, numbers};
use crate::error::{Error, Result};
use crate::wide_column::cql::ast::{Arithmetic, Call, Literal, LiteralKind, Name, Selector, Term, TimeFunction};
use crate::wide_column::cql::plan::constant::{Receiver, constant, is_wider};
use crate::wide_column::cql::plan::context::{Context, column, invalid, sample};
use crate::wide_column::cql::plan::types::{native, resolve};
use crate::wide_column::cql::text;
use crate::wide_column::schema::TableRecord;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// What a marker in a selection is called.
const SELECTED: &str = "[selection]";

/// Makes expressions of the selectors of a query, or of a term, and keeps the aggregates in them.
#[derive(Debug)]
pub(in crate::wide_column::cql::plan) struct Compiler<'a> {
    context: &'a Context<'a>,
    keyspace: &'a str,
    /// The table with what messages call it; a term has none.
    table: Option<(&'a TableRecord, &'a str)>,
    pub(in crate::wide_column::cql::plan) aggregates: Vec<Aggregated>,
    /// Whether it is within an aggregate.
    is_aggregated: bool,
}

/// A selector as far as it is known.
enum Part<'s> {
    Known(Expression),
    /// Its type is what is wanted of it.
    Open(&'s Selector),
}

/// How well something fits a type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    Weak,
    Exact,
}

/// The value of `term`, which calls functions or calculates, for a column.
///
/// # Errors
/// Cassandra's, for functions that are not there and types that do not go together.
pub(in crate::wide_column::cql::plan) fn term_value(
    context: &Context<'_>,
    term: &Term,
    receiver: Receiver<'_>,
) -> Result<CqlValue> {
    let Receiver { name, cql_type } = receiver;
    let selector = selector_of(term);
    let mut compiler = Compiler::new(context, "", None);
    if let Selector::Call(call) = &selector
        && matches!(call.function.name.as_str(), "fromjson" | "from_json")
    {
        return compiler.value_of_json(call, cql_type);
    }
    let found = compiler.compile(&selector, Some(cql_type))?;
    let of = cql_type.thawed();
    if found.cql_type.thawed() != of && !is_wider(of, &found.cql_type) {
        let returned = &found.cql_type;
        return Err(invalid(match term {
            Term::Call(call) => format!(
                "Type error: cannot assign result of function system.{} (type {returned}) to {name} (type {cql_type})",
                call.function.name.as_str()
            ),
            _ => format!(
                "Type error: cannot assign result of {} (type {returned}) to {name} (type {cql_type})",
                found.name
            ),
        }));
    }
    if context.is_asking() {
        return Ok(sample(of));
    }
    let value = found.value(&At { context, row: None, aggregates: &[] })?;
    match (of, &value) {
        (CqlType::Blob, CqlValue::Null | CqlValue::Unset | CqlValue::Blob(_)) => Ok(value),
        (CqlType::Blob, other) => other.to_serialized(&found.cql_type).map(CqlValue::Blob),
        _ => Ok(value),
    }
}

/// A term as a selector. Names of fields become columns, as they are written in selections.
fn selector_of(term: &Term) -> Selector {
    let all = |terms: &[Term]| terms.iter().map(selector_of).collect();
    let boxed = |term: &Term| Box::new(selector_of(term));
    match term {
        Term::Literal(literal) => Selector::Literal(literal.clone()),
        Term::Null => Selector::Null,
        Term::Marker(marker) => Selector::Marker(marker.clone()),
        Term::List(terms) => Selector::List(all(terms)),
        Term::Set(terms) => Selector::Set(all(terms)),
        Term::Map(entries) => {
            Selector::MapOrUserType(entries.iter().map(|(key, value)| (selector_of(key), selector_of(value))).collect())
        }
        Term::UserType(fields) => Selector::MapOrUserType(
            fields.iter().map(|(name, value)| (Selector::Column(name.clone()), selector_of(value))).collect(),
        ),
        Term::Tuple(terms) => Selector::Tuple(all(terms)),
        Term::Call(call) => Selector::Call(Call { function: call.function.clone(), arguments: all(&call.arguments) }),
        Term::Hint(hint, term) => Selector::Hint(hint.clone(), boxed(term)),
        Term::Cast(term, to) => Selector::Cast(boxed(term), *to),
        Term::Negation(term) => Selector::Negation(boxed(term)),
        Term::Operation(left, operator, right) => Selector::Operation(boxed(left), *operator, boxed(right)),
    }
}

/// The type that a constant has by itself.
fn preferred(literal: &Literal) -> CqlType {
    match literal.kind {
        LiteralKind::String if literal.text.is_ascii() => CqlType::Ascii,
        LiteralKind::String => CqlType::Text,
        LiteralKind::Integer if literal.text.parse::<i32>().is_ok() => CqlType::Int,
        LiteralKind::Integer if literal.text.parse::<i64>().is_ok() => CqlType::Bigint,
        LiteralKind::Integer => CqlType::Varint,
        LiteralKind::Float => CqlType::Double,
        LiteralKind::Boolean => CqlType::Boolean,
        LiteralKind::Duration => CqlType::Duration,
        LiteralKind::Uuid => CqlType::Uuid,
        LiteralKind::Hex => CqlType::Blob,
    }
}

/// Whether a value of `from` may be passed where one of `to` is wanted.
fn fit_of_types(from: &CqlType, to: &CqlType) -> Fit {
    if from == to {
        Fit::Exact
    } else if from.thawed() == to.thawed() || (*to != CqlType::Blob && is_wider(to, from)) {
        Fit::Weak
    } else {
        Fit::No
    }
}

impl<'a> Compiler<'a> {
    pub(in crate::wide_column::cql::plan) fn new(
        context: &'a Context<'a>,
        keyspace: &'a str,
        table: Option<(&'a TableRecord, &'a str)>,
    ) -> Self {
        Self { context, keyspace, table, aggregates: Vec::new(), is_aggregated: false }
    }

    /// The expression of `selector`, of the type that is wanted if it has none of its own.
    ///
    /// # Errors
    /// Cassandra's, for what is not there and types that do not go together; [`Error::Unsupported`] for what is not modelled.
    pub(in crate::wide_column::cql::plan) fn compile(
        &mut self,
        selector: &Selector,
        wanted: Option<&CqlType>,
    ) -> Result<Expression> {
        let part = self.part(selector, wanted)?;
        self.close(part, wanted)
    }

    fn part<'s>(&mut self, selector: &'s Selector, wanted: Option<&CqlType>) -> Result<Part<'s>> {
        Ok(Part::Known(match selector {
            Selector::Column(name) => self.column(name)?,
            Selector::Literal(_)
            | Selector::Null
            | Selector::Marker(_)
            | Selector::List(_)
            | Selector::Set(_)
            | Selector::MapOrUserType(_) => return Ok(Part::Open(selector)),
            Selector::Tuple(parts) => match &parts[..] {
                // Only parentheses.
                [only] if !matches!(wanted.map(CqlType::thawed), Some(CqlType::Tuple(_))) => {
                    return self.part(only, wanted);
                }
                _ => return Ok(Part::Open(selector)),
            },
            Selector::CountRows => {
                let nth = self.aggregate(Aggregated { kind: Kind::Count, of: None })?;
                Expression { name: "count".to_owned(), cql_type: CqlType::Bigint, node: Node::Aggregate(nth) }
            }
            Selector::Time(function, of) => self.time(*function, of)?,
            Selector::Cast(of, to) => self.cast(of, &native(*to))?,
            Selector::Call(call) => self.call(call, wanted)?,
            Selector::Field(of, field) => self.field(of, field)?,
            Selector::Element(of, key) => self.element(of, key)?,
            Selector::Slice(of, from, to) => self.slice(of, from.as_ref(), to.as_ref())?,
            Selector::Hint(hint, of) => {
                let hinted = resolve(self.context, self.keyspace, hint)?;
                let found = self.compile(of, Some(&hinted))?;
                if fit_of_types(&found.cql_type, &hinted) == Fit::No {
                    let name = &found.name;
                    return Err(invalid(format!("Cannot assign value {name} to {SELECTED} of type {hinted}")));
                }
                Expression { name: format!("({hinted}){}", found.name), cql_type: hinted, node: found.node }
            }
            Selector::Negation(of) => {
                let found = self.compile(of, wanted.filter(|of| numbers::is_number(of)))?;
                if !numbers::is_number(&found.cql_type) {
                    let of = &found.cql_type;
                    return Err(invalid(format!("the '-' operation is not supported on {of}")));
                }
                let name = format!("-{}", found.name);
                let cql_type = found.cql_type.clone();
                Expression { name, cql_type, node: Node::Apply(Apply::Negate, vec![found]) }
            }
            Selector::Operation(left, operator, right) => self.operation(left, *operator, right, wanted)?,
        }))
    }

    fn column(&self, name: &Name) -> Result<Expression> {
        let Some((table, label)) = self.table else {
            return Err(invalid(format!("Cannot use the column {} here", name.as_str())));
        };
        let (at, own) = column(table, label, name)?;
        Ok(Expression { name: own.name().to_owned(), cql_type: own.column_type().clone(), node: Node::Column(at) })
    }

    fn aggregate(&mut self, own: Aggregated) -> Result<usize> {
        if self.table.is_none() {
            return Err(invalid("aggregation function are not supported in the where clause"));
        }
        if self.is_aggregated {
            return Err(invalid("aggregate functions cannot be used as arguments of aggregate functions"));
        }
        self.aggregates.push(own);
        Ok(self.aggregates.len() - 1)
    }

    /// Gives what is open the type that is wanted, or the one it has by itself.
    fn close(&mut self, part: Part<'_>, wanted: Option<&CqlType>) -> Result<Expression> {
        let selector = match part {
            Part::Known(found) => return Ok(found),
            Part::Open(selector) => selector,
        };
        let cannot_infer = || {
            invalid(format!(
                "Cannot infer type for term {selector} in selection clause (try using a cast to force a type)"
            ))
        };
        let name = selector.to_string();
        let constant_of = |cql_type: &CqlType, value| Expression {
            name: name.clone(),
            cql_type: cql_type.clone(),
            node: Node::Constant(value),
        };
        match selector {
            Selector::Literal(literal) => {
                let own = preferred(literal);
                let of = wanted.unwrap_or(&own);
                Ok(constant_of(of, constant(literal, &name, of.thawed())?))
            }
            Selector::Null => wanted.map(|of| constant_of(of, CqlValue::Null)).ok_or_else(cannot_infer),
            Selector::Marker(marker) => {
                let of = wanted.ok_or_else(cannot_infer)?;
                let value = self.context.given(marker.index, SELECTED, || of.clone())?.into_owned();
                if matches!(value, CqlValue::Unset) {
                    return Err(invalid("Invalid unset value for argument in call to function"));
                }
                Ok(constant_of(of, value))
            }
            Selector::List(parts) => match wanted.map(CqlType::thawed) {
                Some(CqlType::Vector(element, dimension)) if parts.len() == usize::from(*dimension) => self
                    .constructed(Apply::Vector, parts, Some(element), |element| CqlType::vector(element, *dimension)),
                Some(CqlType::List(element)) => self.constructed(Apply::List, parts, Some(element), CqlType::list),
                None => self.constructed(Apply::List, parts, None, CqlType::list),
                Some(other) => Err(invalid(format!("Invalid list literal for {name} of type {other}"))),
            },
            Selector::Set(parts) => match wanted.map(CqlType::thawed) {
                Some(of @ CqlType::Map(_)) if parts.is_empty() => Ok(constant_of(of, CqlValue::Map(Vec::new()))),
                Some(CqlType::Set(element)) => self.constructed(Apply::Set, parts, Some(element), CqlType::set),
                None => self.constructed(Apply::Set, parts, None, CqlType::set),
                Some(other) => Err(invalid(format!("Invalid set literal for {name} of type {other}"))),
            },
            Selector::MapOrUserType(entries) => self.map_or_user_type(entries, wanted),
            Selector::Tuple(parts) => self.tuple(parts, wanted),
            _ => Err(cannot_infer()),
        }
    }

    /// A list, set or vector of `parts`, whose elements are all of one type.
    fn constructed(
        &mut self,
        apply: Apply,
        parts: &[Selector],
        element: Option<&CqlType>,
        of: impl Fn(CqlType) -> CqlType,
    ) -> Result<Expression> {
        let parts = self.alike(parts.iter(), element)?;
        let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
        let (open, shut) = if matches!(apply, Apply::Set) { ('{', '}') } else { ('[', ']') };
        let name = format!("{open}{}{shut}", names.join(", "));
        let element = element.or(parts.first().map(|part| &part.cql_type)).cloned().ok_or_else(|| {
            invalid(format!("Cannot infer type for term {name} in selection clause (try using a cast to force a type)"))
        })?;
        Ok(Expression { name, cql_type: of(element), node: Node::Apply(apply, parts) })
    }

    /// Expressions of one type: the one that is wanted, or that of the first of which it is known.
    fn alike<'s>(
        &mut self,
        selectors: impl Iterator<Item = &'s Selector>,
        wanted: Option<&CqlType>,
    ) -> Result<Vec<Expression>> {
        let parts = selectors.map(|part| self.part(part, wanted)).collect::<Result<Vec<_>>>()?;
        let known = parts.iter().find_map(|part| match part {
            Part::Known(found) => Some(found.cql_type.clone()),
            Part::Open(_) => None,
        });
        let of = wanted.cloned().or(known);
        let mut found = Vec::with_capacity(parts.len());
        for part in parts {
            let own = self.close(part, of.as_ref().or(found.first().map(|first: &Expression| &first.cql_type)))?;
            found.push(own);
        }
        if let Some(first) = of.as_ref().or(found.first().map(|first| &first.cql_type))
            && let Some(other) = found.iter().find(|own| fit_of_types(&own.cql_type, first) == Fit::No)
        {
            return Err(invalid(format!("Invalid collection literal: value {} is not of type {first}", other.name)));
        }
        Ok(found)
    }

    fn map_or_user_type(&mut self, entries: &[(Selector, Selector)], wanted: Option<&CqlType>) -> Result<Expression> {
        if let Some(CqlType::Udt(own)) = wanted.map(CqlType::thawed) {
            let mut parts = Vec::with_capacity(own.fields().len());
            let mut names = Vec::with_capacity(entries.len());
            let is_of = |key: &Selector, field: &str| matches!(key, Selector::Column(name) if name.as_str() == field);
            if let Some((key, _)) =
                entries.iter().find(|(key, _)| !own.fields().iter().any(|(name, _)| is_of(key, name)))
            {
                let of = own.name();
                return Err(invalid(format!("Unknown field '{key}' in value of user defined type {of}")));
            }
            for (field, of) in own.fields() {
                let null =
                    Expression { name: String::new(), cql_type: of.clone(), node: Node::Constant(CqlValue::Null) };
                let part = match entries.iter().find(|(key, _)| is_of(key, field)) {
                    Some((_, value)) => self.compile(value, Some(of))?,
                    None => null,
                };
                names.push(format!("{field}: {}", part.name));
                parts.push(part);
            }
            let name = format!("{{{}}}", names.join(", "));
            let cql_type = CqlType::udt(own.as_ref().clone());
            return Ok(Expression { name, cql_type, node: Node::Apply(Apply::UserType, parts) });
        }
        let both = match wanted.map(CqlType::thawed) {
            Some(CqlType::Map(both)) => Some(both),
            None => None,
            Some(other) => return Err(invalid(format!("Invalid map literal for {SELECTED} of type {other}"))),
        };
        let keys = self.alike(entries.iter().map(|(key, _)| key), both.map(|both| &both.0))?;
        let values = self.alike(entries.iter().map(|(_, value)| value), both.map(|both| &both.1))?;
        let names: Vec<_> =
            keys.iter().zip(&values).map(|(key, value)| format!("{}: {}", key.name, value.name)).collect();
        let name = format!("{{{}}}", names.join(", "));
        let of = match (both, keys.first(), values.first()) {
            (Some(both), ..) => CqlType::map(both.0.clone(), both.1.clone()),
            (None, Some(key), Some(value)) => CqlType::map(key.cql_type.clone(), value.cql_type.clone()),
            _ => {
                return Err(invalid(
                    "Cannot infer type for term {} in selection clause (try using a cast to force a type)",
                ));
            }
        };
        let parts = keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
        Ok(Expression { name, cql_type: of, node: Node::Apply(Apply::Map, parts) })
    }

    fn tuple(&mut self, parts: &[Selector], wanted: Option<&CqlType>) -> Result<Expression> {
        let types: &[CqlType] = match wanted.map(CqlType::thawed) {
            Some(CqlType::Tuple(types)) => types,
            None => &[],
            Some(other) => return Err(invalid(format!("Invalid tuple literal for {SELECTED} of type {other}"))),
        };
        if wanted.is_some() && parts.len() > types.len() {
            let (expects, got) = (types.len(), parts.len());
            return Err(invalid(format!(
                "Invalid tuple literal for {SELECTED}: too many elements. Type expects {expects} but got {got}"
            )));
        }
        let found = parts.iter().enumerate().map(|(nth, part)| self.compile(part, types.get(nth)));
        let found = found.collect::<Result<Vec<_>>>()?;
        let names: Vec<_> = found.iter().map(|part| part.name.as_str()).collect();
        let cql_type = match wanted {
            Some(of) => of.thawed().clone(),
            None => CqlType::tuple(found.iter().map(|part| part.cql_type.clone()).collect::<Vec<_>>()),
        };
        Ok(Expression { name: format!("({})", names.join(", ")), cql_type, node: Node::Apply(Apply::Tuple, found) })
    }

    fn cast(&mut self, of: &Selector, to: &CqlType) -> Result<Expression> {
        let part = self.part(of, None)?;
        // A marker or null has the type that it is cast to.
        let wanted = match &part {
            Part::Open(Selector::Marker(_) | Selector::Null) => Some(to),
            _ => None,
        };
        let found = self.close(part, wanted)?;
        if !casts::is_cast(&found.cql_type, to) {
            return Err(invalid(format!("{} cannot be cast to {to}", found.cql_type)));
        }
        let name = format!("cast({} as {to})", found.name);
        Ok(Expression { name, cql_type: to.clone(), node: Node::Apply(Apply::Cast, vec![found]) })
    }

    fn field(&mut self, of: &Selector, field: &Name) -> Result<Expression> {
        let whole = self.compile(of, None)?;
        let CqlType::Udt(own) = whole.cql_type.thawed() else {
            let (name, of) = (&whole.name, &whole.cql_type);
            return Err(invalid(format!("Invalid field selection: {name} of type {of} is not a user type")));
        };
        let found = own.fields().iter().enumerate().find(|(_, (name, _))| name == field.as_str());
        let Some((nth, (name, field_type))) = found else {
            let of = &whole.cql_type;
            return Err(invalid(format!("{of} of type {} has no field {}", whole.name, field.as_str())));
        };
        let (name, cql_type) = (format!("{}.{name}", whole.name), field_type.clone());
        Ok(Expression { name, cql_type, node: Node::Apply(Apply::Field(nth), vec![whole]) })
    }

    /// The type of keys of what elements are taken from, and that of an element.
    fn keyed(whole: &Expression) -> Result<(CqlType, CqlType)> {
        match whole.cql_type.thawed() {
            CqlType::Map(both) => Ok((both.0.clone(), both.1.clone())),
            CqlType::Set(element) => Ok((element.as_ref().clone(), element.as_ref().clone())),
            CqlType::List(_) => {
                Err(invalid("Element selection is only allowed on sets and maps, but a list was given"))
            }
            _ => Err(invalid(format!(
                "Invalid element selection: {} is of type {} is not a collection",
                whole.name, whole.cql_type
            ))),
        }
    }

    fn key(&mut self, term: &Term, of: &CqlType) -> Result<Expression> {
        let found = self.compile(&selector_of(term), Some(of))?;
        if fit_of_types(&found.cql_type, of) == Fit::No {
            return Err(invalid(format!("Cannot assign value {term} to {SELECTED} of type {of}")));
        }
        Ok(Expression { name: term.to_string(), cql_type: of.clone(), node: found.node })
    }

    fn element(&mut self, of: &Selector, key: &Term) -> Result<Expression> {
        let whole = self.compile(of, None)?;
        let (key_type, cql_type) = Self::keyed(&whole)?;
        let key = self.key(key, &key_type)?;
        let name = format!("{}[{}]", whole.name, key.name);
        Ok(Expression { name, cql_type, node: Node::Apply(Apply::Element, vec![whole, key]) })
    }

    fn slice(&mut self, of: &Selector, from: Option<&Term>, to: Option<&Term>) -> Result<Expression> {
        let whole = self.compile(of, None)?;
        let (key_type, _) = Self::keyed(&whole)?;
        let shown = |term: Option<&Term>| term.map(ToString::to_string).unwrap_or_default();
        let name = format!("{}[{}..{}]", whole.name, shown(from), shown(to));
        let cql_type = whole.cql_type.clone();
        let mut parts = vec![whole];
        for term in [from, to].into_iter().flatten() {
            parts.push(self.key(term, &key_type)?);
        }
        Ok(Expression { name, cql_type, node: Node::Apply(Apply::Slice(from.is_some(), to.is_some()), parts) })
    }

    fn time(&mut self, function: TimeFunction, of: &Selector) -> Result<Expression> {
        let (shown, what) = match function {
            TimeFunction::WriteTime => ("writetime", TimeOf::Written),
            TimeFunction::MaxWriteTime => ("maxwritetime", TimeOf::LastWritten),
            TimeFunction::Ttl => ("ttl", TimeOf::Ttl),
        };
        let whole = self.compile(of, None)?;
        let (at, within) = match &whole.node {
            Node::Column(at) => (*at, None),
            Node::Apply(apply @ (Apply::Element | Apply::Field(_)), parts) => match (apply, &parts[..]) {
                (Apply::Field(nth), [Expression { node: Node::Column(at), .. }]) => {
                    (*at, Some(u16::try_from(*nth).unwrap_or(u16::MAX).to_be_bytes().to_vec()))
                }
                (_, [Expression { node: Node::Column(at), .. }, key]) => {
                    (*at, key.bytes(&At { context: self.context, row: None, aggregates: &[] })?.map(Into::into))
                }
                _ => return Err(Error::unsupported(format!("the selector {function}({of})"))),
            },
            _ => return Err(Error::unsupported(format!("the selector {function}({of})"))),
        };
        let Some((table, _)) = self.table else { return Err(invalid("there is no column here")) };
        let own = table.column(at)?;
        if own.is_key() {
            let name = own.name();
            return Err(invalid(format!("Cannot use selection function {shown} on PRIMARY KEY part {name}")));
        }
        let is_multi_cell = own.column_type().is_multi_cell();
        if within.is_some() && !is_multi_cell {
            return Err(Error::unsupported(format!("{function} of a part of a frozen value")));
        }
        let single = if what == TimeOf::Ttl { CqlType::Int } else { CqlType::Bigint };
        let cql_type = if is_multi_cell && within.is_none() && what != TimeOf::LastWritten {
            CqlType::list(single)
        } else {
            single
        };
        let name = format!("{shown}({})", whole.name);
        Ok(Expression { name, cql_type, node: Node::Time(what, at, within.map(Within)) })
    }

    fn operation(
        &mut self,
        left: &Selector,
        operator: Arithmetic,
        right: &Selector,
        wanted: Option<&CqlType>,
    ) -> Result<Expression> {
        let (left, right) = (self.part(left, None)?, self.part(right, None)?);
        let (left, right) = match (left, right) {
            (Part::Known(left), Part::Known(right)) => (left, right),
            (Part::Known(left), open) => {
                let of = beside(&left, &open);
                let right = self.close(open, of.as_ref())?;
                (left, right)
            }
            (open, Part::Known(right)) => {
                let of = beside(&right, &open);
                (self.close(open, of.as_ref())?, right)
            }
            (left, right) => {
                if let (Part::Open(a), Part::Open(b)) = (&left, &right)
                    && (matches!(a, Selector::Marker(_)) || matches!(b, Selector::Marker(_)))
                {
                    return Err(invalid(format!(
                        "Ambiguous '{operator}' operation with args {a} and {b}: use type hint to disambiguate, example '(int) ?'"
                    )));
                }
                // Constants: of the type that is wanted, if both can be.
                let takes = |part: &Part<'_>| match (part, wanted) {
                    (Part::Open(Selector::Literal(literal)), Some(of)) => {
                        numbers::is_number(of) && text::takes(of, literal.kind)
                    }
                    _ => false,
                };
                let of = if takes(&left) && takes(&right) { wanted } else { None };
                (self.close(left, of)?, self.close(right, of)?)
            }
        };
        let Some(cql_type) = casts::result(&left.cql_type, operator, &right.cql_type) else {
            let (left, right) = (&left.cql_type, &right.cql_type);
            return Err(invalid(format!("the '{operator}' operation is not supported between {left} and {right}")));
        };
        let name = format!("{} {operator} {}", left.name, right.name);
        Ok(Expression { name, cql_type, node: Node::Apply(Apply::Arithmetic(operator), vec![left, right]) })
    }
}

/// The type of what is open beside an operand: that operand's, but for constants, which have their own.
fn beside(known: &Expression, open: &Part<'_>) -> Option<CqlType> {
    match open {
        Part::Open(Selector::Literal(_)) => None,
        _ => Some(known.cql_type.clone()),
    }
}
