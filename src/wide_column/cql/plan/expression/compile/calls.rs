//! Calls of functions: which one of a name it is, by the types of its arguments.

use super::{Compiler, Fit, Part, fit_of_types, preferred};
use crate::error::Result;
use crate::wide_column::cql::ast::{Call, Selector};
use crate::wide_column::cql::plan::context::{invalid, sample};
use crate::wide_column::cql::plan::expression::aggregate::{Aggregated, Kind};
use crate::wide_column::cql::plan::expression::functions;
use crate::wide_column::cql::plan::expression::signature::{Signature, wrong_count};
use crate::wide_column::cql::plan::expression::{Apply, At, Expression, Moment, Node, numbers};
use crate::wide_column::cql::text;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &Call<Selector>, wanted: Option<&CqlType>) -> Result<Expression> {
        let name = call.function.name.as_str();
        if call.function.keyspace.as_ref().is_some_and(|keyspace| keyspace.as_str() != "system") {
            return Err(invalid(format!("Unknown function '{}'", call.function)));
        }
        if let Some(kind) = Kind::of(name) {
            return self.aggregate_call(kind, call);
        }
        if let Some(found) = moment(name) {
            let (moment, cql_type) = found;
            if !call.arguments.is_empty() {
                return Err(wrong_count(name, 0, call.arguments.len()));
            }
            return Ok(Expression { name: format!("system.{name}()"), cql_type, node: Node::Moment(moment) });
        }
        match name {
            "token" => return self.token(call),
            "fromjson" | "from_json" => {
                return Err(invalid(format!("{name}() may only be used in INSERT and UPDATE statements")));
            }
            _ => {}
        }
        let parts = call.arguments.iter().map(|argument| self.part(argument, None)).collect::<Result<Vec<_>>>()?;
        let given: Vec<_> = parts.iter().map(own_type).collect();
        let signature = match functions::made(name, &given) {
            Some(made) => made?,
            None => Self::overload(name, &parts, wanted)?,
        };
        let Signature { arguments, returns, run, takes_null } = signature;
        let mut found = Vec::with_capacity(parts.len());
        for (nth, (part, of)) in parts.into_iter().zip(&arguments).enumerate() {
            let own = self.close(part, Some(of))?;
            if fit_of_types(&own.cql_type, of) == Fit::No {
                return Err(invalid(format!(
                    "Type error: {} cannot be passed as argument {nth} of function system.{name} of type {of}",
                    own.name
                )));
            }
            // A value of a type that is written the same way goes as what is wanted.
            found.push(own);
        }
        let names: Vec<_> = found.iter().map(|part| part.name.as_str()).collect();
        let shown = format!("system.{name}({})", names.join(", "));
        Ok(Expression { name: shown, cql_type: returns, node: Node::Apply(Apply::Function(run, takes_null), found) })
    }

    /// The one of the functions called `name` that is for these arguments.
    fn overload(name: &str, parts: &[Part<'_>], wanted: Option<&CqlType>) -> Result<Signature> {
        let all = functions::overloads(name);
        if all.is_empty() {
            return Err(invalid(format!("Unknown function '{name}'")));
        }
        if let [only] = &all[..]
            && only.arguments.len() != parts.len()
        {
            return Err(wrong_count(name, only.arguments.len(), parts.len()));
        }
        let shown = |all: &[&Signature]| all.iter().map(|own| own.shown(name)).collect::<Vec<_>>().join(", ");
        let fit = |own: &Signature| {
            if own.arguments.len() != parts.len() {
                return Fit::No;
            }
            parts.iter().zip(&own.arguments).map(|(part, to)| fit_of(part, to)).min().unwrap_or(Fit::Exact)
        };
        if let Some(exact) = all.iter().find(|own| fit(own) == Fit::Exact) {
            return Ok(exact.clone());
        }
        let mut weak: Vec<_> = all.iter().filter(|own| fit(own) == Fit::Weak).collect();
        if weak.len() > 1
            && let Some(of) = wanted
            && weak.iter().any(|own| own.returns == *of)
        {
            weak.retain(|own| own.returns == *of);
        }
        match &weak[..] {
            [only] => Ok((*only).clone()),
            [] => {
                let known = shown(&all.iter().collect::<Vec<_>>());
                Err(invalid(format!(
                    "Invalid call to function {name}, none of its type signatures match (known type signatures: {known})"
                )))
            }
            several => Err(invalid(format!(
                "Ambiguous call to function {name} (can be matched by following signatures: {}): use type casts to disambiguate",
                shown(several)
            ))),
        }
    }

    fn aggregate_call(&mut self, kind: Kind, call: &Call<Selector>) -> Result<Expression> {
        let name = call.function.name.as_str();
        let [argument] = &call.arguments[..] else { return Err(wrong_count(name, 1, call.arguments.len())) };
        if kind == Kind::Count && matches!(argument, Selector::Literal(_)) {
            let nth = self.aggregate(Aggregated { kind, of: None })?;
            return Ok(Expression { name: "count".to_owned(), cql_type: CqlType::Bigint, node: Node::Aggregate(nth) });
        }
        let was_aggregated = std::mem::replace(&mut self.is_aggregated, true);
        let of = self.compile(argument, None);
        self.is_aggregated = was_aggregated;
        let of = of?;
        if matches!(kind, Kind::Sum | Kind::Average) && !numbers::is_number(&of.cql_type) {
            let known: Vec<_> = numbers::TYPES.iter().map(|own| format!("system.{name} : ({own}) -> {own}")).collect();
            return Err(invalid(format!(
                "Invalid call to function {name}, none of its type signatures match (known type signatures: {})",
                known.join(", ")
            )));
        }
        let shown = format!("system.{name}({})", of.name);
        let own = Aggregated { kind, of: Some(of) };
        let cql_type = own.returns();
        let nth = self.aggregate(own)?;
        Ok(Expression { name: shown, cql_type, node: Node::Aggregate(nth) })
    }

    fn token(&mut self, call: &Call<Selector>) -> Result<Expression> {
        let Some((table, _)) = self.table else {
            return Err(invalid("token() can only be used where there is a table"));
        };
        let types = table.shape().partition.iter().map(|at| Ok(table.column(*at)?.column_type()));
        let types = types.collect::<Result<Vec<_>>>()?;
        if types.len() != call.arguments.len() {
            return Err(wrong_count("token", types.len(), call.arguments.len()));
        }
        let mut parts = Vec::with_capacity(types.len());
        for (nth, (argument, of)) in call.arguments.iter().zip(types).enumerate() {
            let part = self.compile(argument, Some(of))?;
            if fit_of_types(&part.cql_type, of) == Fit::No {
                return Err(invalid(format!(
                    "Type error: {} cannot be passed as argument {nth} of function system.token of type {of}",
                    part.name
                )));
            }
            parts.push(part);
        }
        let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
        let name = format!("system.token({})", names.join(", "));
        Ok(Expression { name, cql_type: CqlType::Bigint, node: Node::Apply(Apply::Token, parts) })
    }

    /// `fromJson(text)` for a column of the type `of`.
    pub(super) fn value_of_json(&mut self, call: &Call<Selector>, of: &CqlType) -> Result<CqlValue> {
        let [argument] = &call.arguments[..] else {
            return Err(wrong_count(call.function.name.as_str(), 1, call.arguments.len()));
        };
        let found = self.compile(argument, Some(&CqlType::Text))?;
        if self.context.is_asking() {
            return Ok(sample(of));
        }
        match found.value(&At { context: self.context, row: None, aggregates: &[] })? {
            CqlValue::Text(json) => text::from_json(of, &json).map_err(invalid),
            _ => Ok(CqlValue::Null),
        }
    }
}

/// What `name` is of the moment at which it is called, with its type.
fn moment(name: &str) -> Option<(Moment, CqlType)> {
    Some(match name {
        "uuid" => (Moment::Uuid, CqlType::Uuid),
        "now" | "current_timeuuid" | "currenttimeuuid" => (Moment::Timeuuid, CqlType::Timeuuid),
        "current_timestamp" | "currenttimestamp" => (Moment::Timestamp, CqlType::Timestamp),
        "current_date" | "currentdate" => (Moment::Date, CqlType::Date),
        "current_time" | "currenttime" => (Moment::Time, CqlType::Time),
        _ => return None,
    })
}

/// The type that a part has by itself.
fn own_type(part: &Part<'_>) -> Option<CqlType> {
    match part {
        Part::Known(found) => Some(found.cql_type.clone()),
        Part::Open(Selector::Literal(literal)) => Some(preferred(literal)),
        Part::Open(_) => None,
    }
}

/// How well a part fits a type.
fn fit_of(part: &Part<'_>, to: &CqlType) -> Fit {
    match part {
        Part::Known(found) => fit_of_types(&found.cql_type, to),
        Part::Open(Selector::Literal(literal)) if preferred(literal) == *to => Fit::Exact,
        Part::Open(Selector::Literal(literal)) if text::takes(to, literal.kind) => Fit::Weak,
        Part::Open(Selector::Literal(_)) => Fit::No,
        Part::Open(_) => Fit::Weak,
    }
}
