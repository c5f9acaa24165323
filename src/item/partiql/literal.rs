//! Values in statements.

use crate::error::Result;
use crate::item::partiql::cursor::{Parser, malformed, refuse};
use crate::item::partiql::token::{Token, unquoted};
use crate::item::{AttributeValue, Number, Set, StatementFault};

/// Where a value stands in the one that is written: `root.a[1]`.
#[derive(Clone, Copy)]
pub(super) struct Place<'p>(Option<(&'p Place<'p>, Step<'p>)>);

#[derive(Clone, Copy)]
enum Step<'p> {
    Name(&'p str),
    Index(usize),
}

impl Place<'_> {
    pub(super) const ROOT: Place<'static> = Place(None);

    fn shown(&self) -> String {
        match &self.0 {
            None => "root".to_owned(),
            Some((outer, Step::Name(name))) => format!("{}.{name}", outer.shown()),
            Some((outer, Step::Index(index))) => format!("{}[{index}]", outer.shown()),
        }
    }
}

impl Parser<'_> {
    /// Whether a value begins here.
    pub(super) fn is_literal(&self) -> bool {
        match self.token() {
            Token::Text | Token::Number => true,
            Token::Word => ["TRUE", "FALSE", "NULL"].into_iter().any(|word| self.is_word(0, word)),
            Token::Sign(sign) => ["?", "[", "{", "<<", "-", "+"].contains(&sign),
            Token::Quoted | Token::End => false,
        }
    }

    /// A text, number, truth value, null, list, map, set or parameter.
    pub(super) fn literal(&mut self, place: Place<'_>) -> Result<AttributeValue> {
        match self.token() {
            Token::Text => Ok(AttributeValue::S(unquoted(self.step(), '\'').into())),
            Token::Number => self.number("", place),
            Token::Sign("?") => {
                self.step();
                self.parameter()
            }
            Token::Sign(sign @ ("-" | "+")) => {
                self.step();
                if self.token() == Token::Number { self.number(sign, place) } else { Err(malformed("Unexpected term")) }
            }
            Token::Sign("[") => self.nested(|parser| parser.elements("]", place).map(AttributeValue::L)),
            Token::Sign("<<") => self.nested(|parser| parser.bag(place)),
            Token::Sign("{") => self.nested(|parser| parser.tuple(Some(place))),
            Token::Word if self.skip_word("TRUE") => Ok(true.into()),
            Token::Word if self.skip_word("FALSE") => Ok(false.into()),
            Token::Word if self.skip_word("NULL") => Ok(AttributeValue::Null),
            Token::Word if !self.is_keyword() => {
                let (at, what) = (self.position(), self.step().to_owned());
                Err(refuse(StatementFault::DataType { what, place: place.shown(), at }))
            }
            Token::Word => {
                Err(malformed(if self.is_operator() { "Unexpected operator" } else { "Unexpected keyword" }))
            }
            Token::Quoted | Token::Sign(_) | Token::End => Err(malformed("Unexpected term")),
        }
    }

    fn number(&mut self, sign: &str, place: Place<'_>) -> Result<AttributeValue> {
        let text = self.step();
        if !has_narrow_exponent(text) {
            return Err(malformed(""));
        }
        match format!("{sign}{text}").parse::<Number>() {
            Ok(number) => Ok(AttributeValue::N(number)),
            Err(error) => match error.item_fault() {
                Some(fault) => {
                    Err(refuse(StatementFault::Number { fault: Box::new(fault.clone()), place: place.shown() }))
                }
                None => Err(error),
            },
        }
    }

    fn elements(&mut self, end: &str, place: Place<'_>) -> Result<Vec<AttributeValue>> {
        self.step();
        let mut elements = Vec::new();
        while !self.skip_sign(end) {
            if !elements.is_empty() {
                self.expect_sign(",", "Expected comma or end of a collection")?;
            }
            let step = Place(Some((&place, Step::Index(elements.len()))));
            elements.push(self.literal(step)?);
        }
        Ok(elements)
    }

    /// An item: each of its attributes is a root of its own.
    pub(super) fn item(&mut self) -> Result<AttributeValue> {
        if self.is_sign(0, "{") { self.tuple(None) } else { self.literal(Place::ROOT) }
    }

    /// A map that stands at `place`, or an item.
    fn tuple(&mut self, place: Option<Place<'_>>) -> Result<AttributeValue> {
        self.step();
        let mut entries = Vec::new();
        while !self.skip_sign("}") {
            if !entries.is_empty() {
                self.expect_sign(",", "Expected comma or end of a collection")?;
            }
            if self.token() != Token::Text {
                return Err(malformed("Expected string literal as the key of a struct"));
            }
            let name = unquoted(self.step(), '\'');
            self.expect_sign(":", "Expected colon behind the key of a struct")?;
            let value = match &place {
                None => self.literal(Place::ROOT)?,
                Some(place) => self.literal(Place(Some((place, Step::Name(&name)))))?,
            };
            entries.push((name, value));
        }
        // Of members with the same name the last one counts.
        Ok(AttributeValue::M(entries.into_iter().collect()))
    }

    /// A set. A bag that was given as a parameter is one already.
    fn bag(&mut self, place: Place<'_>) -> Result<AttributeValue> {
        let elements = self.elements(">>", place)?;
        let mixed = || refuse(StatementFault::MixedBag);
        match elements.first() {
            None => Err(refuse(StatementFault::EmptyBag)),
            Some(AttributeValue::S(_)) => {
                let strings = elements.iter().map(AttributeValue::as_s).collect::<Option<Vec<_>>>();
                Set::<String>::new(strings.ok_or_else(mixed)?).map(AttributeValue::Ss)
            }
            Some(AttributeValue::N(_)) => {
                let numbers = elements.iter().map(|element| element.as_n().copied()).collect::<Option<Vec<_>>>();
                Set::<Number>::new(numbers.ok_or_else(mixed)?).map(AttributeValue::Ns)
            }
            Some(AttributeValue::B(_)) => {
                let bytes = elements.iter().map(AttributeValue::as_b).collect::<Option<Vec<_>>>();
                Set::<Vec<u8>>::new(bytes.ok_or_else(mixed)?).map(AttributeValue::Bs)
            }
            Some(_) => Err(mixed()),
        }
    }
}

/// Whether the exponent, and the one that the last digit has, fit 32 bits, as the service's reader needs them to.
fn has_narrow_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return true };
    let behind_point = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let behind_point = i64::try_from(behind_point).unwrap_or(i64::MAX);
    match exponent.parse::<i32>() {
        Ok(exponent) => i32::try_from(behind_point.saturating_sub(exponent.into())).is_ok(),
        Err(_) => false,
    }
}
