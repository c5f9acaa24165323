//! `SELECT`.

use super::cursor::Parser;
use super::names::is_name;
use crate::wide_column::cql::ast::{Call, Ordering, Select, Selected, Selection, Selector, TimeFunction};
use crate::wide_column::cql::fault::Result;
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// `SELECT`
    pub(super) fn select(&mut self) -> Result<Select> {
        self.expect_word(Keyword::Select)?;
        // Both words may be columns.
        let json = self.is_modifier(Keyword::Json) && self.eat_word(Keyword::Json)?;
        let distinct = self.is_modifier(Keyword::Distinct) && self.eat_word(Keyword::Distinct)?;
        let selection = self.selection()?;
        self.expect_word(Keyword::From)?;
        let table = self.table_name()?;
        let relations = self.where_clause()?;
        let mut group_by = Vec::new();
        if self.eat_words(Keyword::Group, &[Keyword::By])? {
            group_by = self.list(Self::selector)?;
        }
        let mut order_by = Vec::new();
        if self.eat_words(Keyword::Order, &[Keyword::By])? {
            order_by = self.list(Self::ordering)?;
        }
        let mut per_partition_limit = None;
        if self.eat_words(Keyword::Per, &[Keyword::Partition, Keyword::Limit])? {
            per_partition_limit = Some(self.integer_term()?);
        }
        let mut limit = None;
        if self.eat_word(Keyword::Limit)? {
            limit = Some(self.integer_term()?);
        }
        let allow_filtering = self.eat_words(Keyword::Allow, &[Keyword::Filtering])?;
        Ok(Select {
            json,
            distinct,
            selection,
            table,
            relations,
            group_by,
            order_by,
            per_partition_limit,
            limit,
            allow_filtering,
        })
    }

    /// Whether `word` is here and says how to select, rather than being what is selected.
    fn is_modifier(&self, word: Keyword) -> bool {
        self.is_word(word)
            && !matches!(
                self.next_kind(),
                Kind::Comma
                    | Kind::Dot
                    | Kind::Plus
                    | Kind::Slash
                    | Kind::Percent
                    | Kind::End
                    | Kind::Keyword(Keyword::From | Keyword::As)
            )
    }

    /// What is asked for: `*`, or selectors.
    pub(super) fn selection(&mut self) -> Result<Selection> {
        if self.eat(Kind::Star)? {
            return Ok(Selection::All);
        }
        let selected = self.list(|parser| {
            let selector = parser.selector()?;
            let alias = if parser.eat_word(Keyword::As)? { Some(parser.name()?) } else { None };
            Ok(Selected { selector, alias })
        })?;
        Ok(Selection::Some(selected))
    }

    fn ordering(&mut self) -> Result<Ordering> {
        let column = self.column()?;
        let ann_of = if self.eat_words(Keyword::Ann, &[Keyword::Of])? { Some(self.term()?) } else { None };
        let descending = self.eat_word(Keyword::Desc)?;
        if !descending {
            self.eat_word(Keyword::Asc)?;
        }
        Ok(Ordering { column, ann_of, descending })
    }

    /// A selector without a name of its own.
    pub(super) fn selector(&mut self) -> Result<Selector> {
        self.chain(Self::selector_product, Self::sign_of_sum, Selector::Operation)
    }

    fn selector_product(&mut self) -> Result<Selector> {
        self.chain(Self::selector_part, Self::sign_of_product, Selector::Operation)
    }

    fn selector_part(&mut self) -> Result<Selector> {
        self.nested(|parser| {
            if parser.eat(Kind::Minus)? {
                return Ok(Selector::Negation(Box::new(parser.selector_part()?)));
            }
            let whole = parser.simple_selector()?;
            parser.within(whole)
        })
    }

    /// What is taken of `whole` by fields and elements behind it.
    fn within(&mut self, whole: Selector) -> Result<Selector> {
        let mut found = whole;
        let mut levels = 0;
        loop {
            if self.eat(Kind::Dot)? {
                found = Selector::Field(Box::new(found), self.name()?);
            } else if self.eat(Kind::OpenBracket)? {
                found = self.element_of(found)?;
                self.expect(Kind::CloseBracket)?;
            } else {
                break;
            }
            self.deepen(1)?;
            levels += 1;
        }
        self.shallow(levels);
        Ok(found)
    }

    /// An element or a slice, behind `[`.
    fn element_of(&mut self, whole: Selector) -> Result<Selector> {
        let whole = Box::new(whole);
        if self.eat(Kind::Range)? {
            return Ok(Selector::Slice(whole, None, Some(self.term()?)));
        }
        let from = self.term()?;
        if !self.eat(Kind::Range)? {
            return Ok(Selector::Element(whole, from));
        }
        let to = if self.is(Kind::CloseBracket) { None } else { Some(self.term()?) };
        Ok(Selector::Slice(whole, Some(from), to))
    }

    fn simple_selector(&mut self) -> Result<Selector> {
        match self.kind() {
            Kind::Open => return self.selector_in_parentheses(),
            Kind::OpenBracket => {
                self.advance()?;
                return self.list_until(Kind::CloseBracket, Self::selector).map(Selector::List);
            }
            Kind::OpenBrace => {
                self.advance()?;
                return self.selector_in_braces();
            }
            Kind::Keyword(Keyword::Null) => {
                self.advance()?;
                return Ok(Selector::Null);
            }
            Kind::Keyword(keyword) if self.next_kind() == Kind::Open => {
                if let Some(found) = self.special_function(keyword)? {
                    return Ok(found);
                }
            }
            _ => {}
        }
        if let Some(literal) = self.literal()? {
            return Ok(Selector::Literal(literal));
        }
        if let Some(marker) = self.marker()? {
            return Ok(Selector::Marker(marker));
        }
        if self.is_call() {
            let function = self.function_name()?;
            self.expect(Kind::Open)?;
            let arguments = self.list_until(Kind::Close, Self::selector)?;
            return Ok(Selector::Call(Call { function, arguments }));
        }
        if is_name(self.kind()) { self.name().map(Selector::Column) } else { Err(self.no_alternative()) }
    }

    /// A function with a grammar of its own, if `keyword` is the name of one; a `(` is behind it.
    fn special_function(&mut self, keyword: Keyword) -> Result<Option<Selector>> {
        let time = match keyword {
            Keyword::Count => {
                let place = self.place();
                self.advance()?;
                self.advance()?;
                if self.eat(Kind::Star)? {
                    self.expect(Kind::Close)?;
                    return Ok(Some(Selector::CountRows));
                }
                self.go_back(place);
                return Ok(None);
            }
            Keyword::Cast => {
                self.advance()?;
                self.advance()?;
                let selector = self.selector()?;
                self.expect_word(Keyword::As)?;
                let to = self.native_type()?;
                self.expect(Kind::Close)?;
                return Ok(Some(Selector::Cast(Box::new(selector), to)));
            }
            Keyword::Writetime => TimeFunction::WriteTime,
            Keyword::Maxwritetime => TimeFunction::MaxWriteTime,
            Keyword::Ttl => TimeFunction::Ttl,
            _ => return Ok(None),
        };
        self.advance()?;
        self.advance()?;
        let column = self.name().map(Selector::Column)?;
        let of = self.within(column)?;
        self.expect(Kind::Close)?;
        Ok(Some(Selector::Time(time, Box::new(of))))
    }

    /// A selector behind its type, or a tuple.
    fn selector_in_parentheses(&mut self) -> Result<Selector> {
        let place = self.place();
        self.advance()?;
        let hint = self.type_name().ok().filter(|_| self.is(Kind::Close));
        if let Some(hint) = hint {
            self.advance()?;
            if self.begins_selector() {
                let hinted = self.nested(Self::simple_selector)?;
                return Ok(Selector::Hint(hint, Box::new(hinted)));
            }
        }
        self.go_back(place);
        self.in_parentheses(Self::selector).map(Selector::Tuple)
    }

    /// Whether a selector without a sign can begin here, behind parentheses.
    fn begins_selector(&self) -> bool {
        match self.kind() {
            // `AS` is a name too, but behind parentheses it gives them one; and `PER` begins what ends a `GROUP BY`.
            Kind::Keyword(Keyword::As) => false,
            Kind::Keyword(Keyword::Per) => !self.is_next_word(Keyword::Partition),
            Kind::Colon => self.colon_is_marker(),
            Kind::String
            | Kind::Integer
            | Kind::Float
            | Kind::Boolean
            | Kind::Duration
            | Kind::Uuid
            | Kind::Hex
            | Kind::NegativeNan
            | Kind::NegativeInfinity
            | Kind::QuestionMark
            | Kind::Open
            // A list: what is in the parentheses is no type of which this would be an element.
            | Kind::OpenBracket
            | Kind::OpenBrace
            | Kind::Keyword(Keyword::Nan | Keyword::Infinity | Keyword::Null | Keyword::Token) => true,
            kind => is_name(kind),
        }
    }

    /// A set, map or user-defined type, behind its `{`.
    fn selector_in_braces(&mut self) -> Result<Selector> {
        if self.eat(Kind::CloseBrace)? {
            return Ok(Selector::Set(Vec::new()));
        }
        let first = self.key(Self::selector)?;
        if self.eat(Kind::Colon)? {
            let mut entries = vec![(first, self.value(Self::selector)?)];
            while self.eat(Kind::Comma)? {
                let key = self.key(Self::selector)?;
                self.expect(Kind::Colon)?;
                entries.push((key, self.value(Self::selector)?));
            }
            self.expect(Kind::CloseBrace)?;
            return Ok(Selector::MapOrUserType(entries));
        }
        let mut elements = vec![first];
        while self.eat(Kind::Comma)? {
            elements.push(self.selector()?);
        }
        self.expect(Kind::CloseBrace)?;
        Ok(Selector::Set(elements))
    }
}
