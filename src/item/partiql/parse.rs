//! From text to statements.

use crate::error::Result;
use crate::item::expression::{Change, ProjectionPaths, SetOperand, SetValue, Sign};
use crate::item::partiql::cursor::{Parser, malformed, refuse};
use crate::item::partiql::literal::Place;
use crate::item::partiql::statement::{Order, Returning, Select, Statement, Target};
use crate::item::partiql::token::Token;
use crate::item::{AttributeValue, Condition, ExpressionFault, Item, Path, StatementFault};

/// The statement that `text` is, with `parameters` for its question marks.
///
/// # Errors
/// What is wrong with it by itself: [`Fault::Statement`](crate::item::Fault::Statement).
pub(crate) fn parse(text: &str, parameters: &[AttributeValue]) -> Result<Statement> {
    let mut parser = Parser::new(text, parameters)?;
    let statement = parser.statement()?;
    parser.finish()?;
    Ok(statement)
}

const TABLE: &str = "Expected identifier for simple path";

impl Parser<'_> {
    fn statement(&mut self) -> Result<Statement> {
        if self.skip_word("SELECT") {
            return self.select().map(Statement::Select);
        }
        if self.skip_word("INSERT") {
            return self.insert();
        }
        if self.skip_word("UPDATE") {
            return self.update();
        }
        if self.skip_word("DELETE") {
            return self.delete();
        }
        if self.skip_word("FROM") {
            return self.update_of_item();
        }
        if self.is_word(0, "EXISTS") && self.is_sign(1, "(") {
            self.step();
            self.step();
            self.expect_word("SELECT", "Unexpected term")?;
            let select = self.select()?;
            self.expect_sign(")", "Expected closing parenthesis")?;
            return Ok(Statement::Exists(select));
        }
        Err(malformed(if self.is_keyword() { "Unexpected keyword" } else { "Unexpected term" }))
    }

    fn select(&mut self) -> Result<Select> {
        let columns = if self.skip_sign("*") { None } else { Some(self.columns()?) };
        self.expect_word("FROM", "Unexpected keyword")?;
        let target = self.target("Unexpected term")?;
        let condition = self.filter()?;
        let mut order = Vec::new();
        if self.skip_word("ORDER") {
            self.expect_word("BY", "Expected BY after ORDER")?;
            order = self.list(|parser| {
                let attribute = parser.name("Unexpected term")?;
                let is_descending = parser.skip_word("DESC");
                if !is_descending {
                    parser.skip_word("ASC");
                }
                Ok(Order { attribute, is_descending })
            })?;
        }
        Ok(Select { columns, target, condition, order })
    }

    fn columns(&mut self) -> Result<Vec<Path>> {
        let columns = self.list(|parser| {
            if parser.is_sign(1, "(") {
                return Err(refuse(StatementFault::PathComponent(parser.position())));
            }
            parser.path()
        })?;
        match ProjectionPaths::new(columns.clone()).problem() {
            None => Ok(columns),
            Some(problem) => Err(refuse(StatementFault::Expression(problem))),
        }
    }

    fn insert(&mut self) -> Result<Statement> {
        self.expect_word("INTO", "Unexpected keyword")?;
        let table = self.name(TABLE)?;
        self.expect_word("VALUE", "Unexpected token after expression")?;
        match self.item()? {
            AttributeValue::M(attributes) => Ok(Statement::Insert { table, item: Item::from(attributes) }),
            _ => Err(malformed("Expected a struct behind VALUE")),
        }
    }

    fn update(&mut self) -> Result<Statement> {
        let target = self.target(TABLE)?;
        let changes = self.changes()?;
        let condition = self.filter()?;
        let returning = self.returning()?;
        Ok(Statement::Update { target, changes, condition, returning })
    }

    /// An update that names its item first.
    fn update_of_item(&mut self) -> Result<Statement> {
        let target = self.target("Unexpected term")?;
        let condition = self.filter()?;
        let changes = self.changes()?;
        let returning = self.returning()?;
        Ok(Statement::Update { target, changes, condition, returning })
    }

    fn delete(&mut self) -> Result<Statement> {
        self.expect_word("FROM", "Unexpected keyword")?;
        let target = self.target(TABLE)?;
        let condition = self.filter()?;
        let returning = self.returning()?;
        match returning {
            Some(words) if !(words.is_all && words.is_old) => Err(refuse(StatementFault::Returning(words.words()))),
            _ => Ok(Statement::Delete { target, condition, returning }),
        }
    }

    /// A table, or an index of one, by its own name.
    fn target(&mut self, detail: &'static str) -> Result<Target> {
        let table = self.name(detail)?;
        let index = if self.skip_sign(".") { Some(self.name("Invalid path dot component")?) } else { None };
        if self.is_sign(0, ".") {
            return Err(refuse(StatementFault::LongTable));
        }
        let is_alias = self.is_word(0, "AS")
            || self.token() == Token::Quoted
            || (self.token() == Token::Word && !self.is_keyword() && !self.is_word(0, "RETURNING"));
        if is_alias {
            return Err(refuse(StatementFault::Alias));
        }
        Ok(Target { table, index })
    }

    fn filter(&mut self) -> Result<Option<Condition>> {
        if self.skip_word("WHERE") { self.condition().map(Some) } else { Ok(None) }
    }

    /// `SET` and `REMOVE`, each as often as wanted.
    fn changes(&mut self) -> Result<Vec<(Path, Change)>> {
        let mut changes = Vec::new();
        loop {
            if self.skip_word("SET") {
                changes.extend(self.list(Self::assignment)?);
            } else if self.skip_word("REMOVE") {
                changes.extend(self.list(|parser| Ok((parser.path()?, Change::Remove)))?);
            } else if changes.is_empty() {
                return Err(malformed("Expected data manipulation"));
            } else {
                let paths = ProjectionPaths::new(changes.iter().map(|(path, _)| path.clone()));
                return match paths.problem() {
                    None => Ok(changes),
                    Some(problem) => Err(refuse(StatementFault::Expression(problem))),
                };
            }
        }
    }

    fn assignment(&mut self) -> Result<(Path, Change)> {
        let path = self.path()?;
        self.expect_sign("=", "Expected '=' behind the path that is set")?;
        for (function, name) in [("set_add", "SET_ADD"), ("set_delete", "SET_DELETE")] {
            if self.is_word(0, function) && self.is_sign(1, "(") {
                let elements = self.set_function(name, &path)?;
                let is_added = name == "SET_ADD";
                return Ok((path, if is_added { Change::Add(elements) } else { Change::Delete(elements) }));
            }
        }
        let first = self.set_operand()?;
        let sign = match self.token() {
            Token::Sign("+") => Sign::Plus,
            Token::Sign("-") => Sign::Minus,
            _ => return Ok((path, Change::Set(SetValue::Operand(first)))),
        };
        self.step();
        let second = self.set_operand()?;
        for operand in [&first, &second] {
            if let SetOperand::Value(value) = operand
                && value.as_n().is_none()
            {
                let operator = if sign == Sign::Plus { "+" } else { "-" };
                let problem = ExpressionFault::OperandType { operator, found: value.type_name().as_str() };
                return Err(refuse(StatementFault::Expression(problem)));
            }
        }
        Ok((path, Change::Set(SetValue::Sum(sign, first, second))))
    }

    fn set_operand(&mut self) -> Result<SetOperand> {
        if self.is_literal() {
            return self.literal(Place::ROOT).map(SetOperand::Value);
        }
        if !(self.token() == Token::Word && self.is_sign(1, "(")) {
            return self.path().map(SetOperand::Path);
        }
        let (at, name) = (self.position(), self.step().to_ascii_lowercase());
        if name != "list_append" && name != "if_not_exists" {
            return Err(refuse(StatementFault::UnknownFunction { function: name, at }));
        }
        self.step();
        let operands = self.nested(|parser| parser.list(Self::set_operand))?;
        self.expect_sign(")", "Expected closing parenthesis")?;
        let problem = |problem| Err(refuse(StatementFault::Expression(problem)));
        let count = operands.len();
        let mut operands = operands.into_iter();
        let is_append = name == "list_append";
        match (is_append, operands.next(), operands.next(), operands.next()) {
            (true, Some(one), Some(other), None) => Ok(SetOperand::ListAppend(Box::new(one), Box::new(other))),
            (false, Some(SetOperand::Path(path)), Some(other), None) => {
                Ok(SetOperand::IfNotExists(path, Box::new(other)))
            }
            (false, Some(_), Some(_), None) => problem(ExpressionFault::RequiresPath("if_not_exists")),
            _ => problem(ExpressionFault::OperandCount { function: name, count }),
        }
    }

    /// `set_add(path, <<…>>)` or `set_delete(path, <<…>>)`: the elements.
    fn set_function(&mut self, function: &'static str, path: &Path) -> Result<AttributeValue> {
        let at = self.position();
        self.step();
        self.step();
        let first_at = self.position();
        let operands = self.nested(|parser| parser.list(Self::set_operand))?;
        self.expect_sign(")", "Expected closing parenthesis")?;
        let mut operands = operands.into_iter();
        let (Some(first), Some(second), None) = (operands.next(), operands.next(), operands.next()) else {
            return Err(refuse(StatementFault::SetCount { function, at }));
        };
        if first != SetOperand::Path(path.clone()) {
            return Err(refuse(StatementFault::SetTarget { function, at }));
        }
        match second {
            SetOperand::Value(value) if value.type_name().is_set() => Ok(value),
            _ => Err(refuse(StatementFault::SetType { function, at: first_at })),
        }
    }

    fn returning(&mut self) -> Result<Option<Returning>> {
        if !self.skip_word("RETURNING") {
            return Ok(None);
        }
        let is_all = self.skip_word("ALL");
        if !is_all {
            self.expect_word("MODIFIED", "Expected ALL or MODIFIED after RETURNING")?;
        }
        let is_old = self.skip_word("OLD");
        if !is_old {
            self.expect_word("NEW", "Expected OLD or NEW after RETURNING")?;
        }
        self.expect_sign("*", "Expected '*' behind RETURNING")?;
        Ok(Some(Returning { is_all, is_old }))
    }
}
