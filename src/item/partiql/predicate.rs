//! Conditions in statements.

use crate::error::Result;
use crate::item::expression::{Comparator, Condition, Operand, Test};
use crate::item::partiql::cursor::{Parser, malformed, refuse};
use crate::item::partiql::literal::Place;
use crate::item::partiql::token::Token;
use crate::item::{AttributeValue, ExpressionFault, Path, PathElement, StatementFault, TypeName};
use crate::limits;

/// What has been read: something that says yes or no, or something that can be compared.
enum Term {
    Test(Test),
    Operand(Operand),
}

const RIGHT_SIDE: &str = "Missing right-hand side expression of infix operator";

/// Names of types behind `IS`, and what they are here.
const TYPES: [(&str, TypeName); 27] = [
    ("NULL", TypeName::Null),
    ("BOOL", TypeName::Bool),
    ("BOOLEAN", TypeName::Bool),
    ("STRING", TypeName::S),
    ("VARCHAR", TypeName::S),
    ("CHAR", TypeName::S),
    ("CHARACTER", TypeName::S),
    ("SYMBOL", TypeName::S),
    ("INT", TypeName::N),
    ("INT2", TypeName::N),
    ("INT4", TypeName::N),
    ("INT8", TypeName::N),
    ("INTEGER", TypeName::N),
    ("INTEGER2", TypeName::N),
    ("INTEGER4", TypeName::N),
    ("INTEGER8", TypeName::N),
    ("SMALLINT", TypeName::N),
    ("BIGINT", TypeName::N),
    ("FLOAT", TypeName::N),
    ("REAL", TypeName::N),
    ("DOUBLE", TypeName::N),
    ("DECIMAL", TypeName::N),
    ("NUMERIC", TypeName::N),
    ("BLOB", TypeName::B),
    ("LIST", TypeName::L),
    ("STRUCT", TypeName::M),
    ("TUPLE", TypeName::M),
];

impl Parser<'_> {
    /// A condition.
    ///
    /// # Errors
    /// Where it cannot be read, or cannot be put to items.
    pub(super) fn condition(&mut self) -> Result<Condition> {
        let Term::Test(test) = self.disjunction()? else { return Err(malformed("Unexpected term")) };
        let condition = Condition::from(test);
        match condition.problem()? {
            None => Ok(condition),
            Some(problem) => Err(refuse(StatementFault::Expression(problem))),
        }
    }

    fn disjunction(&mut self) -> Result<Term> {
        self.joined("OR", Test::Or, |parser| parser.joined("AND", Test::And, Self::negation))
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Test>) -> Test,
        read: impl Fn(&mut Self) -> Result<Term>,
    ) -> Result<Term> {
        let first = read(self)?;
        if !self.is_word(0, word) {
            return Ok(first);
        }
        let mut tests = vec![test(first)?];
        while self.skip_word(word) {
            if self.token() == Token::End {
                return Err(malformed(RIGHT_SIDE));
            }
            tests.push(test(read(self)?)?);
        }
        Ok(Term::Test(join(tests)))
    }

    fn negation(&mut self) -> Result<Term> {
        if !self.skip_word("NOT") {
            return self.comparison();
        }
        let negated = self.nested(Self::negation)?;
        Ok(Term::Test(Test::Not(Box::new(test(negated)?))))
    }

    fn comparison(&mut self) -> Result<Term> {
        let first = self.term()?;
        if let Token::Sign(sign) = self.token()
            && let Some(comparator) = comparator(sign)
        {
            self.step();
            if self.token() == Token::End {
                return Err(malformed(RIGHT_SIDE));
            }
            let second = self.term()?;
            return compared(comparator, first, second).map(Term::Test);
        }
        let is_negated = self.is_word(0, "NOT") && (self.is_word(1, "IN") || self.is_word(1, "BETWEEN"));
        if is_negated {
            self.step();
        }
        let test = if self.skip_word("BETWEEN") {
            let lower = operand(self.term()?)?;
            self.expect_word("AND", "Expected AND after BETWEEN")?;
            Test::Between(operand(first)?, lower, operand(self.term()?)?)
        } else if self.skip_word("IN") {
            Test::In(operand(first)?, self.candidates()?)
        } else if self.skip_word("IS") {
            self.is(operand(first)?)?
        } else {
            return Ok(first);
        };
        Ok(Term::Test(if is_negated { Test::Not(Box::new(test)) } else { test }))
    }

    /// What follows `IN`, in brackets or parentheses.
    fn candidates(&mut self) -> Result<Vec<Operand>> {
        let end = if self.skip_sign("[") {
            "]"
        } else {
            self.expect_sign("(", "Expected a list behind IN")?;
            ")"
        };
        let candidates = self.nested(|parser| parser.list(|parser| operand(parser.term()?)))?;
        self.expect_sign(end, "Expected comma or end of a collection")?;
        Ok(candidates)
    }

    /// What follows `IS`: `[NOT] NULL`, `MISSING`, or a type.
    fn is(&mut self, operand: Operand) -> Result<Test> {
        let Operand::Path(path) = operand else {
            return Err(refuse(StatementFault::Expression(ExpressionFault::RequiresPath("IS"))));
        };
        let is_negated = self.skip_word("NOT");
        let test = if self.skip_word("MISSING") {
            Test::NotExists(path)
        } else {
            let name = TYPES.into_iter().find(|(name, _)| self.is_word(0, name));
            let (_, name) = name.ok_or_else(|| malformed("Expected type name"))?;
            self.step();
            // The names of two types have a second word.
            self.skip_word("PRECISION");
            self.skip_word("VARYING");
            Test::IsType(path, name)
        };
        Ok(if is_negated { Test::Not(Box::new(test)) } else { test })
    }

    fn term(&mut self) -> Result<Term> {
        if self.skip_sign("(") {
            if self.token() == Token::End {
                return Err(malformed("Unexpected term"));
            }
            let inner = self.nested(Self::disjunction)?;
            self.expect_sign(")", "Expected closing parenthesis")?;
            return Ok(inner);
        }
        if self.is_literal() {
            return Ok(Term::Operand(Operand::constant(&self.literal(Place::ROOT)?)));
        }
        if self.token() == Token::Word && self.is_sign(1, "(") {
            return self.call();
        }
        if self.is_operator() {
            return Err(malformed("Unexpected operator"));
        }
        if self.is_keyword() {
            return Err(malformed("Unexpected keyword"));
        }
        if !matches!(self.token(), Token::Word | Token::Quoted) {
            return Err(malformed("Unexpected term"));
        }
        self.path().map(|path| Term::Operand(Operand::Path(path)))
    }

    fn call(&mut self) -> Result<Term> {
        let (at, name) = (self.position(), self.step().to_ascii_lowercase());
        let known = ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"];
        let Some(name) = known.into_iter().find(|known| *known == name) else {
            return Err(refuse(StatementFault::UnknownFunction { function: name, at }));
        };
        self.step();
        let mut operands = Vec::new();
        if !self.skip_sign(")") {
            operands = self.nested(|parser| parser.list(|parser| operand(parser.term()?)))?;
            self.expect_sign(")", "Expected closing parenthesis")?;
        }
        let problem = |problem| Err(refuse(StatementFault::Expression(problem)));
        let count = operands.len();
        let expected = if ["attribute_exists", "attribute_not_exists", "size"].contains(&name) { 1 } else { 2 };
        if count != expected {
            return problem(ExpressionFault::OperandCount { function: name.to_owned(), count });
        }
        let mut operands = operands.into_iter();
        let (Some(first), second) = (operands.next(), operands.next()) else {
            return Err(malformed("Unexpected term"));
        };
        Ok(match (name, first, second) {
            ("size", first, None) => Term::Operand(Operand::Size(Box::new(first))),
            ("attribute_exists", Operand::Path(path), None) => Term::Test(Test::Exists(path)),
            ("attribute_not_exists", Operand::Path(path), None) => Term::Test(Test::NotExists(path)),
            ("attribute_type", Operand::Path(path), Some(Operand::Value(constant))) => {
                let found = constant.to_value()?;
                let Some(text) = found.as_s() else {
                    let found = found.type_name().as_str();
                    return problem(ExpressionFault::OperandType { operator: "attribute_type", found });
                };
                match text.parse() {
                    Ok(expected) => Term::Test(Test::IsType(path, expected)),
                    Err(unknown) => return problem(unknown),
                }
            }
            ("begins_with", first, Some(second)) => Term::Test(Test::BeginsWith(first, second)),
            ("contains", first, Some(second)) => Term::Test(Test::Contains(first, second)),
            _ => return problem(ExpressionFault::RequiresPath(name)),
        })
    }

    /// A path: names, and indexes or quoted names in brackets.
    pub(super) fn path(&mut self) -> Result<Path> {
        let mut path = Path::new(self.name("Unexpected term")?);
        loop {
            if self.skip_sign(".") {
                path = path.name(self.name("Invalid path dot component")?);
            } else if self.is_sign(0, "[") {
                self.step();
                let element = match self.token() {
                    Token::Number => {
                        let digits = self.step();
                        let index = digits.parse().ok().filter(|index| *index <= limits::ITEM_LIST_INDEX_MAX);
                        let range = || StatementFault::Expression(ExpressionFault::ListIndex(digits.to_owned()));
                        PathElement::Index(index.ok_or_else(|| refuse(range()))?)
                    }
                    Token::Text => PathElement::Name(super::token::unquoted(self.step(), '\'')),
                    _ => return Err(malformed("Unexpected term")),
                };
                self.expect_sign("]", "Expected closing bracket")?;
                path = path.with(element);
            } else {
                return match path.excess() {
                    Some(levels) => Err(refuse(StatementFault::Expression(ExpressionFault::PathTooDeep { levels }))),
                    None => Ok(path),
                };
            }
            // A path that is too long is not read to its end.
            if path.inside().len() > limits::ITEM_PATH_ELEMENTS_MAX {
                let levels = path.inside().len() + 1;
                return Err(refuse(StatementFault::Expression(ExpressionFault::PathTooDeep { levels })));
            }
        }
    }
}

fn comparator(sign: &str) -> Option<Comparator> {
    Some(match sign {
        "=" => Comparator::Equal,
        "<>" | "!=" => Comparator::NotEqual,
        "<" => Comparator::Less,
        "<=" => Comparator::LessOrEqual,
        ">" => Comparator::Greater,
        ">=" => Comparator::GreaterOrEqual,
        _ => return None,
    })
}

fn test(term: Term) -> Result<Test> {
    match term {
        Term::Test(test) => Ok(test),
        Term::Operand(_) => Err(malformed("Unexpected term")),
    }
}

fn operand(term: Term) -> Result<Operand> {
    match term {
        Term::Operand(operand) => Ok(operand),
        Term::Test(_) => Err(malformed("Unexpected term")),
    }
}

/// A comparison. What says yes or no may be compared with a truth value.
fn compared(comparator: Comparator, first: Term, second: Term) -> Result<Test> {
    let (one, other) = match (first, second) {
        (Term::Operand(one), Term::Operand(other)) => (one, other),
        (Term::Test(test), Term::Operand(Operand::Value(constant)))
        | (Term::Operand(Operand::Value(constant)), Term::Test(test)) => {
            let is_same = match comparator {
                Comparator::Equal => true,
                Comparator::NotEqual => false,
                _ => return Err(malformed("Unexpected term")),
            };
            let AttributeValue::Bool(value) = constant.to_value()? else { return Err(malformed("Unexpected term")) };
            return Ok(if value == is_same { test } else { Test::Not(Box::new(test)) });
        }
        _ => return Err(malformed("Unexpected term")),
    };
    Ok(Test::Compare(comparator, one, other))
}
