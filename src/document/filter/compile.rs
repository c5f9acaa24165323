//! From filter documents to conditions.

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::expression::{Expression, Names};
use crate::document::filter::bits::Bits;
use crate::document::filter::kinds::Kinds;
use crate::document::filter::places::is_of_documents;
use crate::document::filter::{ElementFilter, ElementTest, Node, Pattern, RangeOperator, Test};
use crate::document::number::Number;
use crate::document::path::{FieldPath, For};
use crate::document::regular::Regular;
use crate::document::stored::check_depth;
use crate::error::{Error, Result};
use crate::limits;

/// Operators that the imitated product has and this crate has not.
const UNMODELLED: &[&str] = &[
    "$alwaysFalse",
    "$alwaysTrue",
    "$box",
    "$center",
    "$centerSphere",
    "$geoIntersects",
    "$geoNear",
    "$geoWithin",
    "$geometry",
    "$jsonSchema",
    "$maxDistance",
    "$minDistance",
    "$near",
    "$nearSphere",
    "$polygon",
    "$sampleRate",
    "$text",
    "$where",
    "$within",
];

/// Compiles a whole filter: conditions that all have to hold.
pub(super) fn query(filter: &Document, names: &Names) -> Result<Vec<Node>> {
    Compiler { names }.conditions(filter, 1)
}

/// Compiles a condition on the elements of an array.
pub(super) fn element(condition: &Bson, names: &Names) -> Result<ElementFilter> {
    let compiler = Compiler { names };
    Ok(match condition {
        Bson::Document(document) if !is_operators(document) || is_logical(document) => {
            ElementFilter::Fields(compiler.conditions(document, 1)?)
        }
        Bson::Document(document) => ElementFilter::Value(compiler.element_tests(document, 1)?),
        Bson::RegularExpression(regex) => {
            let test = pattern(regex.pattern.as_str(), regex.options.as_str())?;
            ElementFilter::Value(vec![ElementTest { negated: false, tests: vec![test] }])
        }
        value => ElementFilter::Value(vec![ElementTest { negated: false, tests: vec![compiler.equal_to(value)?] }]),
    })
}

struct Compiler<'n> {
    names: &'n Names,
}

impl Compiler<'_> {
    fn conditions(&self, filter: &Document, depth: usize) -> Result<Vec<Node>> {
        limits::check("filter levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
        let mut nodes = Vec::with_capacity(filter.len());
        for (name, value) in filter {
            match name.as_str() {
                "$and" => nodes.push(Node::All(self.clauses(name, value, depth)?)),
                "$or" => {
                    let clauses = self.clauses(name, value, depth)?;
                    // One clause has to hold: it can choose an index, and tells an upsert what to begin with.
                    nodes.push(if clauses.len() == 1 { Node::All(clauses) } else { Node::Any(clauses) });
                }
                "$nor" => nodes.push(Node::None(self.clauses(name, value, depth)?)),
                _ => self.condition(&mut nodes, name, value, depth)?,
            }
        }
        Ok(nodes)
    }

    /// Adds the conditions of one name that does not join others. It stays out of the function that recurses most.
    #[inline(never)]
    fn condition(&self, nodes: &mut Vec<Node>, name: &str, value: &Bson, depth: usize) -> Result<()> {
        match name {
            "$expr" => nodes.push(Node::Expression(Expression::compile(value, self.names)?)),
            // It says something to whoever reads the query, and nothing about documents.
            "$comment" => {}
            operator if operator.starts_with('$') => return Err(unknown(operator)),
            path => nodes.extend(self.field(&FieldPath::parse(path, For::Filter)?, value, depth)?),
        }
        Ok(())
    }

    /// The conditions in the array of `$and`, `$or` or `$nor`, each a document of its own.
    fn clauses(&self, operator: &str, value: &Bson, depth: usize) -> Result<Vec<Node>> {
        let clauses = value.as_array().filter(|clauses| !clauses.is_empty());
        let clauses = clauses.ok_or_else(|| Code::BAD_VALUE.value(format!("{operator} takes a non-empty array")))?;
        let clause = |clause: &Bson| match clause {
            Bson::Document(filter) => Ok(Node::All(self.conditions(filter, depth + 1)?)),
            other => Err(Code::BAD_VALUE.value(format!("{operator} takes documents, not {:?}", other.element_type()))),
        };
        clauses.iter().map(clause).collect()
    }

    /// The conditions on one field: operators, or equality with a value.
    fn field(&self, path: &FieldPath, value: &Bson, depth: usize) -> Result<Vec<Node>> {
        match value {
            Bson::Document(operators) if is_operators(operators) => {
                limits::check("filter levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
                let named = operators.iter().filter(|(name, _)| *name != "$options");
                check_options(operators)?;
                named.map(|(name, operand)| self.operator(path, name, operand, operators, depth)).collect()
            }
            value => self.equal(path, value).map(|node| vec![node]),
        }
    }

    /// The condition of one operator among `operators` on a field.
    fn operator(&self, path: &FieldPath, name: &str, value: &Bson, operators: &Document, depth: usize) -> Result<Node> {
        match value {
            Bson::Document(inner) if name == "$not" && is_operators(inner) => {
                Ok(Node::None(vec![Node::All(self.field(path, value, depth + 1)?)]))
            }
            _ => self.other_operator(path, name, value, operators, depth),
        }
    }

    /// As [`Compiler::operator`], for what does not negate other operators. It stays out of the function that recurses.
    #[inline(never)]
    fn other_operator(
        &self,
        path: &FieldPath,
        name: &str,
        value: &Bson,
        operators: &Document,
        depth: usize,
    ) -> Result<Node> {
        let none = |test| Node::None(vec![node(path, test)]);
        Ok(match name {
            "$ne" if matches!(value, Bson::RegularExpression(_)) => {
                return Err(Code::BAD_VALUE.value("$ne does not take a regular expression"));
            }
            "$ne" => none(self.equal_to(value)?),
            "$in" => any_of(path, self.list(name, value)?),
            "$nin" => Node::None(vec![any_of(path, self.list(name, value)?)]),
            "$exists" if is_true(value) => node(path, Test::Exists),
            "$exists" => none(Test::Exists),
            "$all" => self.all_of(path, value, depth)?,
            "$not" => match value {
                Bson::RegularExpression(regex) => none(pattern(regex.pattern.as_str(), regex.options.as_str())?),
                other => {
                    let message = format!("$not takes a document of operators, not {:?}", other.element_type());
                    return Err(Code::BAD_VALUE.value(message));
                }
            },
            name if name.starts_with('$') => node(path, self.leaf(name, value, operators, depth)?),
            name => {
                let message = format!("field {name:?} among the operators on {:?}", path.as_str());
                return Err(Code::BAD_VALUE.value(message));
            }
        })
    }

    /// The test of an operator that looks at one value.
    ///
    /// It stays out of the functions that recurse: what it needs on the stack would count for each level.
    #[inline(never)]
    fn leaf(&self, name: &str, value: &Bson, operators: &Document, depth: usize) -> Result<Test> {
        let range = |operator| {
            if matches!(value, Bson::RegularExpression(_)) {
                return Err(Code::BAD_VALUE.value(format!("{name} does not take a regular expression")));
            }
            Ok(self.comparing(Test::Range(operator, operand(value)?)))
        };
        match name {
            "$eq" => self.equal_to(value),
            "$gt" => range(RangeOperator::Greater),
            "$gte" => range(RangeOperator::GreaterOrEqual),
            "$lt" => range(RangeOperator::Less),
            "$lte" => range(RangeOperator::LessOrEqual),
            "$regex" => regex(value, operators.get("$options")),
            "$size" => size(value),
            "$type" => Ok(Test::Kinds(Kinds::compile(value)?)),
            "$mod" => modulo(value),
            "$bitsAllSet" | "$bitsAnySet" | "$bitsAllClear" | "$bitsAnyClear" => {
                Ok(Test::Bits(Bits::compile(name, value)?))
            }
            "$elemMatch" => self.elem_match(value, depth),
            operator if is_of_documents(operator) => {
                Err(Code::BAD_VALUE.value(format!("{operator} is an operator on documents, not on fields")))
            }
            operator => Err(unknown(operator)),
        }
    }

    /// `$all`: every value is found, or every `$elemMatch` holds; nothing is in an empty array.
    #[inline(never)]
    fn all_of(&self, path: &FieldPath, value: &Bson, depth: usize) -> Result<Node> {
        let values = value.as_array().ok_or_else(|| Code::BAD_VALUE.value("$all takes an array"))?;
        if values.is_empty() {
            return Ok(Node::Any(Vec::new()));
        }
        let is_element = |value: &Bson| matches!(value, Bson::Document(inner) if inner.keys().next().is_some_and(|k| k == "$elemMatch"));
        let elements = values.iter().filter(|value| is_element(value)).count();
        if elements != 0 && elements != values.len() {
            return Err(Code::BAD_VALUE.value("$all takes values or $elemMatch conditions, not both"));
        }
        let one = |value: &Bson| match value {
            Bson::Document(inner) if elements != 0 => {
                let condition = inner.get("$elemMatch").unwrap_or(&Bson::Null);
                if inner.len() != 1 {
                    return Err(Code::BAD_VALUE.value("$elemMatch stands alone in $all"));
                }
                Ok(node(path, self.elem_match(condition, depth)?))
            }
            Bson::Document(inner) if is_operators(inner) => {
                Err(Code::BAD_VALUE.value("$all does not take operators other than $elemMatch"))
            }
            Bson::RegularExpression(regex) => Ok(node(path, pattern(regex.pattern.as_str(), regex.options.as_str())?)),
            value => Ok(node(path, self.equal_to(value)?)),
        };
        Ok(Node::All(values.iter().map(one).collect::<Result<_>>()?))
    }

    /// `$all` on an element that is an array itself.
    fn contains_all(&self, value: &Bson) -> Result<Vec<ElementTest>> {
        let values = value.as_array().ok_or_else(|| Code::BAD_VALUE.value("$all takes an array"))?;
        let contains = |value: &Bson| {
            if matches!(value, Bson::Document(inner) if is_operators(inner)) {
                return Err(Error::unsupported("operators in $all in $elemMatch"));
            }
            let is_it = ElementTest { negated: false, tests: vec![self.equal_to(value)?] };
            Ok(ElementTest { negated: false, tests: vec![Test::ElementIs(vec![is_it])] })
        };
        if values.is_empty() {
            // Nothing is in an empty array.
            return Ok(vec![ElementTest { negated: true, tests: Vec::new() }]);
        }
        values.iter().map(contains).collect()
    }

    /// A comparison as the operation orders text.
    fn comparing(&self, test: Test) -> Test {
        test.collated(self.names.collator())
    }

    fn equal_to(&self, value: &Bson) -> Result<Test> {
        Ok(self.comparing(Test::Equal(operand(value)?)))
    }

    /// Equality with a value; a regular expression in the place of one matches.
    #[inline(never)]
    fn equal(&self, path: &FieldPath, value: &Bson) -> Result<Node> {
        Ok(match value {
            Bson::RegularExpression(regex) => node(path, pattern(regex.pattern.as_str(), regex.options.as_str())?),
            value => node(path, self.equal_to(value)?),
        })
    }

    /// The sorted operands of `$in`, and its regular expressions.
    #[inline(never)]
    fn list(&self, operator: &str, value: &Bson) -> Result<List> {
        let given = value.as_array().ok_or_else(|| Code::BAD_VALUE.value(format!("{operator} takes an array")))?;
        let (mut values, mut patterns) = (Vec::with_capacity(given.len()), Vec::new());
        for value in given {
            match value {
                Bson::RegularExpression(regex) => {
                    patterns.push(pattern(regex.pattern.as_str(), regex.options.as_str())?);
                }
                Bson::Document(inner) if is_operators(inner) => {
                    return Err(Code::BAD_VALUE.value(format!("{operator} does not take operators in its array")));
                }
                value => values.push(operand(value)?),
            }
        }
        let order = self.names.order();
        values.sort_by(|a, b| order.compare_bson(a, b));
        values.dedup_by(|a, b| order.compare_bson(a, b).is_eq());
        Ok(List { values: self.comparing(Test::In(values)), patterns })
    }

    fn elem_match(&self, value: &Bson, depth: usize) -> Result<Test> {
        let Bson::Document(condition) = value else {
            return Err(Code::BAD_VALUE.wrong_type("$elemMatch takes an object"));
        };
        // It is two levels of a document, and takes more of the stack than others.
        let depth = depth + 1;
        limits::check("filter levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
        if is_operators(condition) && !is_logical(condition) {
            return Ok(Test::ElementIs(self.element_tests(condition, depth + 1)?));
        }
        if condition.contains_key("$expr") {
            return Err(Code::BAD_VALUE.value("$expr cannot stand in $elemMatch"));
        }
        Ok(Test::ElementMatches(self.conditions(condition, depth + 1)?))
    }

    /// Operators on one element as a whole.
    #[inline(never)]
    fn element_tests(&self, operators: &Document, depth: usize) -> Result<Vec<ElementTest>> {
        limits::check("filter levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
        check_options(operators)?;
        let mut all = Vec::with_capacity(operators.len());
        for (name, value) in operators.iter().filter(|(name, _)| *name != "$options") {
            let is = |tests| ElementTest { negated: false, tests };
            let is_not = |tests| ElementTest { negated: true, tests };
            match (name.as_str(), value) {
                ("$ne", value) => all.push(is_not(vec![self.equal_to(value)?])),
                ("$in", value) => all.push(is(vec![listed(self.list(name, value)?)?])),
                ("$nin", value) => all.push(is_not(vec![listed(self.list(name, value)?)?])),
                ("$exists", value) if is_true(value) => all.push(is(vec![Test::Exists])),
                ("$exists", _) => all.push(is_not(vec![Test::Exists])),
                ("$not", Bson::RegularExpression(regex)) => {
                    all.push(is_not(vec![pattern(regex.pattern.as_str(), regex.options.as_str())?]));
                }
                ("$not", Bson::Document(inner)) if is_operators(inner) => {
                    let inner = self.element_tests(inner, depth + 1)?;
                    if inner.iter().any(|test| test.negated) {
                        return Err(Error::unsupported("a negation in $not in $elemMatch"));
                    }
                    all.push(is_not(inner.into_iter().flat_map(|test| test.tests).collect()));
                }
                ("$all", value) => all.extend(self.contains_all(value)?),
                (name, value) if name.starts_with('$') => all.push(is(vec![self.leaf(name, value, operators, depth)?])),
                (name, _) => return Err(Code::BAD_VALUE.value(format!("field {name:?} among operators in $elemMatch"))),
            }
        }
        Ok(all)
    }
}

/// The operands of `$in`.
#[derive(Debug)]
struct List {
    values: Test,
    patterns: Vec<Test>,
}

fn any_of(path: &FieldPath, List { values, patterns }: List) -> Node {
    let values = node(path, values);
    if patterns.is_empty() {
        return values;
    }
    Node::Any(std::iter::once(values).chain(patterns.into_iter().map(|test| node(path, test))).collect())
}

fn listed(List { values, patterns }: List) -> Result<Test> {
    if !patterns.is_empty() {
        return Err(Error::unsupported("regular expressions in $in in $elemMatch"));
    }
    Ok(values)
}

#[inline(never)]
fn regex(value: &Bson, options: Option<&Bson>) -> Result<Test> {
    let options = match options {
        None => None,
        Some(Bson::String(options)) => Some(options.as_str()),
        Some(_) => return Err(Code::BAD_VALUE.wrong_type("$options takes a text")),
    };
    match value {
        Bson::String(text) => pattern(text, options.unwrap_or_default()),
        Bson::RegularExpression(regex) => {
            if options.is_some() && !regex.options.as_str().is_empty() {
                return Err(Code::REGEX_FLAGS_AND_OPTIONS.value("a regular expression has options in two places"));
            }
            pattern(regex.pattern.as_str(), options.unwrap_or(regex.options.as_str()))
        }
        _ => Err(Code::BAD_VALUE.wrong_type("$regex takes a text or a regular expression")),
    }
}

#[inline(never)]
fn pattern(pattern: &str, options: &str) -> Result<Test> {
    let regular = Regular::compile(pattern, options)?;
    Ok(Test::Regex(Box::new(Pattern { regular, text: pattern.to_owned(), options: options.to_owned() })))
}

fn check_options(operators: &Document) -> Result<()> {
    if operators.contains_key("$options") && !operators.contains_key("$regex") {
        return Err(Code::BAD_VALUE.value("$options needs $regex"));
    }
    Ok(())
}

fn size(value: &Bson) -> Result<Test> {
    let number = Number::from_bson(value).ok_or_else(|| Code::BAD_VALUE.wrong_type("$size takes a number"))?;
    let size = number.as_i64().ok_or_else(|| Code::BAD_VALUE.value("$size takes a whole number"))?;
    if !(0..=i64::from(i32::MAX)).contains(&size) {
        return Err(Code::BAD_VALUE.value("$size takes a 32-bit number that is not negative"));
    }
    Ok(Test::Size(size))
}

/// `[divisor, remainder]`, both cut off to integers.
fn modulo(value: &Bson) -> Result<Test> {
    let Some([divisor, remainder]) = value.as_array().map(Vec::as_slice) else {
        return Err(Code::BAD_VALUE.value("$mod takes an array of divisor and remainder"));
    };
    let whole = |value: &Bson| {
        let whole = Number::from_bson(value).and_then(|number| number.cut(0)).and_then(Number::as_i64);
        whole.ok_or_else(|| Code::BAD_VALUE.value("divisor and remainder of $mod are numbers that 64 bits hold"))
    };
    match (whole(divisor)?, whole(remainder)?) {
        (0, _) => Err(Code::BAD_VALUE.value("the divisor of $mod must not be 0")),
        (divisor, remainder) => Ok(Test::Mod(divisor, remainder)),
    }
}

fn operand(value: &Bson) -> Result<Bson> {
    check_depth(value)?;
    Ok(value.clone())
}

/// Whether a document holds operators. A database reference does not, although its fields look like it.
fn is_operators(document: &Document) -> bool {
    document.keys().next().is_some_and(|name| name.starts_with('$') && !matches!(name.as_str(), "$ref" | "$id" | "$db"))
}

/// Whether a document begins with an operator that joins conditions.
fn is_logical(document: &Document) -> bool {
    document.keys().next().is_some_and(|name| matches!(name.as_str(), "$and" | "$or" | "$nor"))
}

/// Truth as `$exists` sees it: everything but false, null and zero.
fn is_true(value: &Bson) -> bool {
    match value {
        Bson::Boolean(value) => *value,
        Bson::Null | Bson::Undefined => false,
        other => Number::from_bson(other).is_none_or(|number| !number.is_zero()),
    }
}

fn node(path: &FieldPath, test: Test) -> Node {
    Node::Field { path: path.clone(), test }
}

fn unknown(operator: &str) -> Error {
    if UNMODELLED.contains(&operator) {
        return Error::unsupported(format!("query operator {operator}"));
    }
    Code::BAD_VALUE.value(format!("there is no query operator {operator}"))
}
