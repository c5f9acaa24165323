//! From the BSON text of an expression to its tree, and what a function is to the compiler.
//!
//! A compiler knows the variables in scope and gives each a slot. What a function's arguments look like is in its line of the
//! table of its family ([`super::functions`]); functions with a grammar of their own parse their operand themselves.

use std::sync::Arc;

use bson::{Bson, Document};

use super::check::{constant, name};
use super::env::Env;
use super::value::Value;
use super::{Expression, Origin};
use crate::document::code::Code;
use crate::document::collation::Collator;
use crate::document::order::Order;
use crate::document::path::{FieldPath, For};
use crate::error::{Error, Result};
use crate::limits;

/// A function: one line in the table of its family.
pub(crate) struct Function {
    /// The name, with its dollar sign.
    pub(super) name: &'static str,
    pub(super) arguments: Arguments,
    pub(super) evaluate: Evaluate,
    /// Whether it evaluates an argument again and again.
    pub(super) repeats: bool,
}

/// Evaluates a call.
pub(super) type Evaluate = for<'a> fn(Call<'a>, &mut Env<'a>) -> Result<Value<'a>>;

/// Parses the operand of a function with a grammar of its own to the arguments it is evaluated with.
pub(super) type Parse = fn(&mut Compiler<'_>, &'static str, &Bson) -> Result<Vec<Option<Expression>>>;

/// How the arguments of a function are written.
pub(super) enum Arguments {
    /// One after the other, at least and at most so many. A single one needs no brackets.
    Listed(usize, usize),
    /// The same, where a wrong number has a number of its own.
    Counted(usize, usize, Code),
    /// As an object with these fields.
    Named(&'static Named),
    /// In either way; a wrong number of listed ones has the number of what is no object.
    Either(usize, &'static Named),
    /// In a way of its own.
    Own(Parse),
}

/// The fields of an object of arguments.
pub(super) struct Named {
    pub(super) fields: &'static [Argument],
    /// What an operand that is no object has.
    pub(super) not_object: Code,
    /// What a field that is not listed has.
    pub(super) unknown: Code,
}

/// A named argument, and what leaving it out has, if it must not be.
pub(super) struct Argument(pub(super) &'static str, pub(super) Option<Code>);

/// A function with listed arguments.
pub(super) const fn listed(name: &'static str, least: usize, most: usize, evaluate: Evaluate) -> Function {
    Function { name, arguments: Arguments::Listed(least, most), evaluate, repeats: false }
}

/// A function with named arguments.
pub(super) const fn named(name: &'static str, arguments: &'static Named, evaluate: Evaluate) -> Function {
    Function { name, arguments: Arguments::Named(arguments), evaluate, repeats: false }
}

/// A function with a grammar of its own.
pub(super) const fn own(name: &'static str, parse: Parse, evaluate: Evaluate) -> Function {
    Function { name, arguments: Arguments::Own(parse), evaluate, repeats: false }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A call of a function: its arguments, of which those that were not written are `None`.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) arguments: &'a [Option<Expression>],
}

impl<'a> Call<'a> {
    /// The argument at `place`, if it was written.
    pub(super) fn argument(self, place: usize) -> Option<&'a Expression> {
        self.arguments.get(place).and_then(Option::as_ref)
    }

    /// The value of the argument at `place`, if it was written.
    pub(super) fn given(self, place: usize, env: &mut Env<'a>) -> Result<Option<Value<'a>>> {
        self.argument(place).map(|argument| argument.evaluate(env)).transpose()
    }

    /// The value of the argument at `place`, which the compiler has seen to it is there.
    pub(super) fn value(self, place: usize, env: &mut Env<'a>) -> Result<Value<'a>> {
        Ok(self.given(place, env)?.unwrap_or(Value::Missing))
    }

    /// The values of two arguments.
    pub(super) fn pair(self, env: &mut Env<'a>) -> Result<(Value<'a>, Value<'a>)> {
        Ok((self.value(0, env)?, self.value(1, env)?))
    }

    /// The values of all arguments.
    pub(super) fn all(self, env: &mut Env<'a>) -> Result<Vec<Value<'a>>> {
        (0..self.arguments.len()).map(|place| self.value(place, env)).collect()
    }
}

/// Where functions are looked up.
#[derive(Clone, Copy)]
pub(super) struct Library {
    /// The function of a name.
    pub(super) find: fn(&str) -> Option<&'static Function>,
    /// Whether the imitated product has a function of that name that is not modelled.
    pub(super) is_unmodelled: fn(&str) -> bool,
}

/// The names of the variables that an operation is given (`let`), in the order of their values.
///
/// With them goes what orders text in what is compiled.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Names {
    names: Vec<String>,
    collator: Option<Arc<Collator>>,
}

impl Names {
    /// # Errors
    /// [`Error::Invalid`] for what cannot name a variable of a user's.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Result<Self> {
        let names: Vec<_> = names.into_iter().collect();
        names.iter().try_for_each(|name| check_variable(name))?;
        Ok(Self { names, collator: None })
    }

    /// These names and more, which hide equal ones.
    ///
    /// # Errors
    /// As [`Names::new`].
    pub(crate) fn and(&self, more: impl IntoIterator<Item = String>) -> Result<Self> {
        let Self { names: more, .. } = Self::new(more)?;
        let names = self.names.iter().cloned().chain(more).collect();
        Ok(Self { names, collator: self.collator.clone() })
    }

    /// The names, where text is ordered by `collator`.
    pub(crate) fn collated(mut self, collator: Option<&Arc<Collator>>) -> Self {
        self.collator = collator.cloned();
        self
    }

    /// What orders text, if not its bytes do.
    pub(crate) fn collator(&self) -> Option<&Arc<Collator>> {
        self.collator.as_ref()
    }

    /// The order of values in what is compiled.
    pub(crate) fn order(&self) -> Order<'_> {
        Order::of(self.collator.as_deref())
    }
}

/// Compiles expressions.
pub(super) struct Compiler<'n> {
    library: Library,
    names: &'n Names,
    /// The variables in scope; the place of each is its slot.
    scope: Vec<String>,
    depth: usize,
}

impl<'n> Compiler<'n> {
    pub(super) fn new(library: Library, names: &'n Names) -> Self {
        Self { library, names, scope: Vec::new(), depth: 0 }
    }

    /// Compiles an expression.
    pub(super) fn expression(&mut self, text: &Bson) -> Result<Expression> {
        self.depth += 1;
        limits::check("expression depth in levels", limits::EXPRESSION_DEPTH_MAX, self.depth)?;
        let compiled = match text {
            Bson::String(text) if text.starts_with('$') => self.path(text)?,
            Bson::Array(items) => {
                let items = items.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>>>()?;
                folded(Expression::Array(items))
            }
            Bson::Document(document) => self.object(document)?,
            other => literal(other)?,
        };
        self.depth -= 1;
        Ok(compiled)
    }

    /// Compiles `text` where `variables` are in scope, too, in the slots behind those there are.
    pub(super) fn within(&mut self, variables: &[&str], text: &Bson) -> Result<Expression> {
        let outer = self.scope.len();
        self.scope.extend(variables.iter().map(|name| (*name).to_owned()));
        let compiled = self.expression(text)?;
        self.scope.truncate(outer);
        Ok(compiled)
    }

    /// The names of the variables of the operation.
    pub(super) fn names(&self) -> &'n Names {
        self.names
    }

    /// The slot that the next variable gets.
    pub(super) fn next_slot(&self) -> usize {
        self.scope.len()
    }

    /// The named arguments of `document` in the order of `named.fields`.
    pub(super) fn named(&mut self, function: &str, named: &Named, operand: &Bson) -> Result<Vec<Option<Expression>>> {
        let fields = fields(function, named, operand)?;
        fields.into_iter().map(|field| field.map(|text| self.expression(text)).transpose()).collect()
    }

    /// `"$a.b"`, `"$$ROOT.a.b"`, `"$$this"`.
    fn path(&self, text: &str) -> Result<Expression> {
        let Some(variable) = text.strip_prefix("$$") else {
            let field = text.strip_prefix('$').unwrap_or(text);
            if field.is_empty() {
                return Err(Code::BAD_VARIABLE_NAME.syntax("a dollar sign alone is not a field path"));
            }
            return Ok(Expression::Path(Origin::Root, FieldPath::split(field, For::Expression)?));
        };
        let (variable, rest) = variable.split_once('.').map_or((variable, None), |(name, rest)| (name, Some(rest)));
        let parts = match rest {
            Some(rest) => FieldPath::split(rest, For::Expression)?,
            None => Vec::new(),
        };
        let origin = match (self.scope.iter().rposition(|name| name == variable), variable) {
            (Some(slot), _) => Origin::Slot { slot, is_last: false },
            (None, "ROOT" | "CURRENT") => Origin::Root,
            (None, "NOW") => Origin::Now,
            (None, "REMOVE") if parts.is_empty() => return Ok(Expression::Remove),
            (None, "") => return Err(Code::EMPTY_VARIABLE_NAME.syntax("a variable needs a name")),
            (None, "CLUSTER_TIME" | "SEARCH_META" | "USER_ROLES") => {
                return Err(Error::unsupported(format!("variable $${variable}")));
            }
            (None, variable) => match self.names.names.iter().rposition(|name| name == variable) {
                Some(place) => Origin::Outer(place),
                None => {
                    return Err(Code::UNDEFINED_VARIABLE.syntax(format!("the variable {variable:?} is not defined")));
                }
            },
        };
        Ok(Expression::Path(origin, parts))
    }

    fn object(&mut self, document: &Document) -> Result<Expression> {
        if let Some((operator, operand)) = document.iter().next()
            && operator.starts_with('$')
        {
            if document.len() != 1 {
                let message = format!("an expression has one operator; {operator} is followed by other fields");
                return Err(Code::EXPRESSION_MULTIPLE_FIELDS.syntax(message));
            }
            return self.call(operator, operand);
        }
        let mut fields = Vec::with_capacity(document.len());
        for (key, value) in document {
            if key.starts_with('$') {
                let message = format!("the operator {key:?} stands among the fields of an object");
                return Err(Code::EXPRESSION_MULTIPLE_FIELDS.syntax(message));
            }
            if key.contains('.') {
                return Err(
                    Code::PATH_DOT.syntax(format!("the field {key:?} of a computed object has a dot in its name"))
                );
            }
            fields.push((name(key)?, self.expression(value)?));
        }
        Ok(folded(Expression::Object(fields)))
    }

    fn call(&mut self, name: &str, operand: &Bson) -> Result<Expression> {
        if matches!(name, "$literal" | "$const") {
            return literal(operand);
        }
        let Some(function) = (self.library.find)(name) else {
            if (self.library.is_unmodelled)(name) {
                return Err(Error::unsupported(format!("expression operator {name}")));
            }
            return Err(Code::UNRECOGNIZED_EXPRESSION.syntax(format!("there is no expression operator {name:?}")));
        };
        let arguments = match &function.arguments {
            Arguments::Own(parse) => parse(self, function.name, operand)?,
            Arguments::Named(named) => self.named(function.name, named, operand)?,
            Arguments::Either(_, named) if operand.as_document().is_some_and(|document| !is_call(document)) => {
                self.named(function.name, named, operand)?
            }
            Arguments::Listed(least, most) => {
                let code = if least == most { Code::EXPRESSION_ARITY } else { Code::EXPRESSION_ARITY_RANGE };
                self.listed(name, operand, (*least, *most), code)?
            }
            Arguments::Counted(least, most, code) => self.listed(name, operand, (*least, *most), *code)?,
            Arguments::Either(count, named) => self.listed(name, operand, (*count, *count), named.not_object)?,
        };
        Ok(Expression::Call(function, arguments))
    }

    fn listed(
        &mut self,
        name: &str,
        operand: &Bson,
        (least, most): (usize, usize),
        code: Code,
    ) -> Result<Vec<Option<Expression>>> {
        let items = match operand {
            Bson::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        if !(least..=most).contains(&items.len()) {
            return Err(code.syntax(format!("{name} does not take {} arguments", items.len())));
        }
        items.iter().map(|item| self.expression(item).map(Some)).collect()
    }
}

/// The texts of the named arguments of `operand` in the order of `named.fields`.
pub(super) fn fields<'t>(function: &str, named: &Named, operand: &'t Bson) -> Result<Vec<Option<&'t Bson>>> {
    let Bson::Document(document) = operand else {
        return Err(named.not_object.syntax(format!("{function} takes an object of arguments")));
    };
    if let Some(unknown) = document.keys().find(|key| named.fields.iter().all(|Argument(name, _)| name != key)) {
        return Err(named.unknown.syntax(format!("{function} has no argument {unknown:?}")));
    }
    let text = |Argument(name, missing): &Argument| match (document.get(name), missing) {
        (None, Some(code)) => Err(code.syntax(format!("{function} needs {name:?}"))),
        (text, _) => Ok(text),
    };
    named.fields.iter().map(text).collect()
}

/// A value that stands for itself.
pub(super) fn literal(value: &Bson) -> Result<Expression> {
    Ok(Expression::Constant(constant(value, limits::DOCUMENT_DEPTH_MAX)?))
}

/// Refuses what cannot name a variable of a user's: it begins with a small letter, or is `CURRENT`.
pub(super) fn check_variable(name: &str) -> Result<()> {
    let mut characters = name.chars();
    let first = characters.next().ok_or_else(|| Code::EMPTY_VARIABLE_NAME.syntax("a variable needs a name"))?;
    let begins = first.is_ascii_lowercase() || !first.is_ascii();
    if begins && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()) {
        return Ok(());
    }
    Err(Code::FAILED_TO_PARSE.syntax(format!("{name:?} cannot name a variable: it begins with a small letter")))
}

fn is_call(document: &Document) -> bool {
    document.keys().next().is_some_and(|key| key.starts_with('$'))
}

/// Puts together an array or object of constants once and for all.
fn folded(expression: Expression) -> Expression {
    let is_constant = |expression: &Expression| matches!(expression, Expression::Constant(_));
    match expression {
        Expression::Object(fields) if fields.iter().all(|(_, value)| is_constant(value)) => {
            let mut document = bson::RawDocumentBuf::new();
            for (name, value) in fields {
                if let Expression::Constant(value) = value {
                    document.append(&name, value);
                }
            }
            Expression::Constant(document.into())
        }
        Expression::Array(items) if items.iter().all(is_constant) => {
            let mut array = bson::RawArrayBuf::new();
            for item in items {
                if let Expression::Constant(value) = item {
                    array.push(value);
                }
            }
            Expression::Constant(array.into())
        }
        other => other,
    }
}
