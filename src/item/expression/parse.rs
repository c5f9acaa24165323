//! From words and signs to trees.
//!
//! A group in parentheses may turn out to be a condition or an operand only behind its end, so that both are read by the
//! same functions, which refuse what cannot stand where it does at the sign that shows it. No input is read twice;
//! nesting is bounded while it is read, and that of conditions takes no stack.

use crate::item::ExpressionFault;
use crate::item::expression::token::{self, Comparator, Keyword, Lexeme, Token};
use crate::item::expression::tree::{Action, Call, Node, PathNode, Section, SectionKind, Sign, Step, text_of};
use crate::limits;

type Result<T> = std::result::Result<T, ExpressionFault>;

/// The condition that `text` is.
pub(super) fn condition(text: &str) -> Result<Node<'_>> {
    let mut parser = Parser::new(text)?;
    let condition = parser.any()?;
    parser.require(condition.is_condition())?;
    parser.require(parser.peek() == Token::End)?;
    Ok(condition)
}

/// The clauses of the update that `text` is.
pub(super) fn update(text: &str) -> Result<Vec<Section<'_>>> {
    let mut parser = Parser::new(text)?;
    let mut sections = Vec::new();
    loop {
        let kind = match parser.peek() {
            Token::Keyword(Keyword::Set) => SectionKind::Set,
            Token::Keyword(Keyword::Remove) => SectionKind::Remove,
            Token::Keyword(Keyword::Add) => SectionKind::Add,
            Token::Keyword(Keyword::Delete) => SectionKind::Delete,
            _ => return Err(parser.syntax()),
        };
        parser.step();
        let actions = parser.list(|parser| parser.action(kind))?;
        sections.push(Section { kind, actions });
        if parser.peek() == Token::End {
            return Ok(sections);
        }
    }
}

/// The paths of the projection that `text` is.
pub(super) fn projection(text: &str) -> Result<Vec<PathNode<'_>>> {
    let mut parser = Parser::new(text)?;
    let paths = parser.list(Parser::path)?;
    parser.require(parser.peek() == Token::End)?;
    Ok(paths)
}

struct Parser<'e> {
    text: &'e str,
    lexemes: Vec<Lexeme>,
    /// The lexeme that is read next.
    at: usize,
    operators: usize,
    depth: usize,
}

impl<'e> Parser<'e> {
    fn new(text: &'e str) -> Result<Self> {
        if text.is_empty() {
            return Err(ExpressionFault::Empty);
        }
        if text.len() > limits::ITEM_EXPRESSION_BYTES_MAX {
            return Err(ExpressionFault::TooLong { bytes: text.len() });
        }
        Ok(Self { text, lexemes: token::read(text), at: 0, operators: 0, depth: 0 })
    }

    fn lexeme(&self, ahead: usize) -> Lexeme {
        let end = Lexeme { token: Token::End, start: self.text.len(), end: self.text.len() };
        self.lexemes.get(self.at + ahead).copied().unwrap_or(end)
    }

    fn peek(&self) -> Token {
        self.lexeme(0).token
    }

    /// Goes on to the next lexeme, and returns the text of this one.
    fn step(&mut self) -> &'e str {
        let lexeme = self.lexeme(0);
        self.at += 1;
        text_of(self.text, lexeme)
    }

    fn expect(&mut self, token: Token) -> Result<&'e str> {
        self.require(self.peek() == token)?;
        Ok(self.step())
    }

    fn require(&self, holds: bool) -> Result<()> {
        if holds { Ok(()) } else { Err(self.syntax()) }
    }

    /// What cannot stand here, with what is before and behind it.
    fn syntax(&self) -> ExpressionFault {
        let lexeme = self.lexeme(0);
        let before = self.at.checked_sub(1).and_then(|at| self.lexemes.get(at)).map_or(0, |before| before.start);
        let token = if lexeme.token == Token::End { "<EOF>" } else { text_of(self.text, lexeme) };
        let near = self.text.get(before..self.lexeme(1).end).unwrap_or_default();
        ExpressionFault::Syntax { token: token.to_owned(), near: near.to_owned() }
    }

    /// Counts an operator or function.
    fn operator(&mut self) -> Result<()> {
        self.operators += 1;
        if self.operators > limits::ITEM_EXPRESSION_OPERATORS_MAX {
            return Err(ExpressionFault::TooManyOperators { count: self.operators });
        }
        Ok(())
    }

    /// Reads something that is nested in what is being read.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        check_depth(self.depth)?;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut list = vec![read(self)?];
        while self.peek() == Token::Comma {
            self.step();
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// A condition, or an operand by itself. What is nested waits on a stack of its own.
    fn any(&mut self) -> Result<Node<'e>> {
        let mut outer = Vec::new();
        let mut group = Group::default();
        loop {
            while self.peek() == Token::Keyword(Keyword::Not) {
                self.step();
                self.operator()?;
                group.negations += 1;
            }
            if self.peek() == Token::Open {
                self.step();
                outer.push(std::mem::take(&mut group));
                check_depth(outer.len())?;
                continue;
            }
            let mut node = self.operand()?;
            // Everything that ends with this operand.
            loop {
                node = self.comparison(node)?;
                for _ in 0..std::mem::take(&mut group.negations) {
                    self.require(node.is_condition())?;
                    node = Node::Not(Box::new(node.stripped()));
                }
                if let Token::Keyword(keyword @ (Keyword::And | Keyword::Or)) = self.peek() {
                    self.require(node.is_condition())?;
                    self.step();
                    self.operator()?;
                    group.join(node, keyword == Keyword::Or);
                    break;
                }
                self.require(!group.is_joining() || node.is_condition())?;
                node = group.end(node);
                let Some(enclosing) = outer.pop() else { return Ok(node) };
                group = enclosing;
                node = self.close(node)?;
            }
        }
    }

    /// The comparison that begins with `first`, if one does.
    fn comparison(&mut self, first: Node<'e>) -> Result<Node<'e>> {
        let token = self.peek();
        let is_comparison = matches!(token, Token::Comparator(_) | Token::Keyword(Keyword::Between | Keyword::In));
        if !is_comparison {
            return Ok(first);
        }
        self.require(first.is_operand())?;
        self.step();
        self.operator()?;
        let first = Box::new(first);
        Ok(match token {
            Token::Comparator(comparator) => self.compared(comparator, first)?,
            Token::Keyword(Keyword::Between) => {
                let lower = Box::new(self.operand()?);
                self.expect(Token::Keyword(Keyword::And))?;
                Node::Between(first, lower, Box::new(self.operand()?))
            }
            _ => {
                self.expect(Token::Open)?;
                let candidates = self.list(Self::operand)?;
                self.expect(Token::Close)?;
                Node::In(first, candidates)
            }
        })
    }

    fn compared(&mut self, comparator: Comparator, first: Box<Node<'e>>) -> Result<Node<'e>> {
        Ok(Node::Compare(comparator, first, Box::new(self.operand()?)))
    }

    /// What `read` reads, in parentheses.
    fn group(&mut self, read: fn(&mut Self) -> Result<Node<'e>>) -> Result<Node<'e>> {
        self.expect(Token::Open)?;
        let inner = self.nested(read)?;
        self.close(inner)
    }

    /// `inner`, in parentheses that end here.
    fn close(&mut self, inner: Node<'e>) -> Result<Node<'e>> {
        self.expect(Token::Close)?;
        // Told as soon as it is read, whatever follows.
        if matches!(inner, Node::Parentheses(_)) {
            return Err(ExpressionFault::RedundantParentheses);
        }
        Ok(Node::Parentheses(Box::new(inner)))
    }

    fn operand(&mut self) -> Result<Node<'e>> {
        match self.peek() {
            Token::Open => self.group(Self::operand),
            Token::ValuePlaceholder => Ok(Node::Value(self.step())),
            Token::Name if self.lexeme(1).token == Token::Open => self.call(),
            Token::Name | Token::NamePlaceholder => self.path().map(Node::Path),
            _ => Err(self.syntax()),
        }
    }

    fn call(&mut self) -> Result<Node<'e>> {
        let name = self.step();
        self.operator()?;
        self.expect(Token::Open)?;
        let operands = self.nested(|parser| parser.list(Self::operand))?;
        self.expect(Token::Close)?;
        Ok(Node::Call(Call { name, operands }))
    }

    fn path(&mut self) -> Result<PathNode<'e>> {
        let mut steps = vec![self.name()?];
        loop {
            match self.peek() {
                Token::Dot => {
                    self.step();
                    steps.push(self.name()?);
                }
                Token::OpenIndex => {
                    self.step();
                    steps.push(Step::Index(self.expect(Token::Integer)?));
                    self.expect(Token::CloseIndex)?;
                }
                _ => return Ok(PathNode { steps }),
            }
        }
    }

    fn name(&mut self) -> Result<Step<'e>> {
        match self.peek() {
            Token::Name => Ok(Step::Name(self.step())),
            Token::NamePlaceholder => Ok(Step::Placeholder(self.step())),
            _ => Err(self.syntax()),
        }
    }

    fn action(&mut self, kind: SectionKind) -> Result<Action<'e>> {
        let path = self.path()?;
        let value = match kind {
            SectionKind::Set => {
                self.expect(Token::Comparator(Comparator::Equal))?;
                Some(self.sum()?)
            }
            SectionKind::Remove => None,
            SectionKind::Add | SectionKind::Delete => Some(Node::Value(self.expect(Token::ValuePlaceholder)?)),
        };
        Ok(Action { path, value })
    }

    /// What an attribute is set to: an operand, or two and a sign, the whole in parentheses or not.
    fn sum(&mut self) -> Result<Node<'e>> {
        let first = if self.peek() == Token::Open { self.group(Self::sum)? } else { self.operand()? };
        let sign = match self.peek() {
            Token::Plus => Sign::Plus,
            Token::Minus => Sign::Minus,
            _ => return Ok(first),
        };
        self.require(first.is_operand())?;
        self.step();
        self.operator()?;
        let second = self.operand()?;
        Ok(Node::Sum(sign, Box::new(first), Box::new(second)))
    }
}

fn check_depth(levels: usize) -> Result<()> {
    if levels > limits::ITEM_EXPRESSION_DEPTH_MAX { Err(ExpressionFault::NestedTooDeeply { levels }) } else { Ok(()) }
}

/// What has been read of a condition in parentheses, or of the whole.
#[derive(Default)]
struct Group<'e> {
    /// Alternatives that are complete.
    any: Vec<Node<'e>>,
    /// Conditions of the alternative that is being read.
    all: Vec<Node<'e>>,
    /// Negations of what is read next.
    negations: usize,
}

impl<'e> Group<'e> {
    fn is_joining(&self) -> bool {
        !(self.any.is_empty() && self.all.is_empty())
    }

    /// Adds a condition that is followed by AND, or by OR.
    fn join(&mut self, node: Node<'e>, is_or: bool) {
        self.all.push(node.stripped());
        if is_or {
            let all = joined(std::mem::take(&mut self.all), Node::And);
            self.any.extend(all);
        }
    }

    /// All of it, of which `node` is the last part.
    fn end(&mut self, node: Node<'e>) -> Node<'e> {
        if !self.is_joining() {
            return node;
        }
        self.join(node, true);
        joined(std::mem::take(&mut self.any), Node::Or).unwrap_or(Node::Or(Vec::new()))
    }
}

/// The one node, or several of them joined.
fn joined<'e>(mut nodes: Vec<Node<'e>>, join: fn(Vec<Node<'e>>) -> Node<'e>) -> Option<Node<'e>> {
    if nodes.len() > 1 { Some(join(nodes)) } else { nodes.pop() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn syntax<T: std::fmt::Debug>(outcome: Result<T>) -> (String, String) {
        match outcome {
            Err(ExpressionFault::Syntax { token, near }) => (token, near),
            other => panic!("{other:?}"),
        }
    }

    #[test] // SEM: ITM-EXP-1, ITM-EXP-2
    fn a_syntax_error_shows_what_cannot_stand_where_it_does() {
        for (text, token, near) in [
            ("a", "<EOF>", "a"),
            ("a b", "b", "a b"),
            ("a = = :v", "=", "= = :v"),
            ("a > 4", "4", "> 4"),
            ("a = :v AND", "<EOF>", "AND"),
            ("(a = :v", "<EOF>", ":v"),
            ("a = :v)", ")", ":v)"),
            ("([1] = :v", "[", "([1"),
            ("(a) AND b = c", "AND", ") AND b"),
            ("(a = b) = c", "=", ") = c"),
            ("a = (b = c)", "=", "b = c"),
            ("NOT a", "<EOF>", "a"),
            ("a = €", "€", "= €"),
            ("_a = :v", "_", "_a"),
            ("a IN ()", ")", "()"),
            ("size() > :v", ")", "() >"),
            ("a.set = :v", "set", ".set ="),
            ("a[b] = :v", "b", "[b]"),
            ("a[01] = :v", "1", "01]"),
            ("(size(a))[0] > a", "[", ")[0"),
            ("a BETWEEN :b OR :c", "OR", ":b OR :c"),
            ("things are not gonna be ok", "are", "things are not"),
        ] {
            assert_eq!(syntax(condition(text)), (token.to_owned(), near.to_owned()), "{text}");
        }
        assert_eq!(syntax(projection("!!! INVALID !!!")), ("!".to_owned(), "!!".to_owned()));
        assert_eq!(syntax(projection("a,")), ("<EOF>".to_owned(), ",".to_owned()));
    }

    #[test] // SEM: ITM-EXP-5
    fn what_is_no_update_is_refused() {
        for text in [
            "whatever",
            "set a",
            "add a",
            "delete a",
            "set a=set",
            "remove a = b",
            "add a = b",
            "delete a b",
            "add abort b",
            "add a if_not_exist(b)",
            "remove a b",
            "set a b",
            "set :a = b",
            "remove :a",
            "set a = b / c",
            "set a[1] = \"eight\"",
            "set a[1] = 1",
            "SET a = if_not_exists(a, 100)",
            "SET if_not_exists(a, b) = a",
            "set (a = (b + c))",
            "set a = (b.c).d + e",
            "set a = (b.c)[0] + e",
            "set a = b + c + d",
            "set a = (b + c) + d",
            "set a = :a,",
            "set a = a = b",
        ] {
            syntax(update(text));
        }
        assert_eq!(syntax(update("INVALID SYNTAX")), ("INVALID".to_owned(), "INVALID SYNTAX".to_owned()));
        assert_eq!(syntax(update("SET a = :a €")), ("€".to_owned(), ":a €".to_owned()));
        for text in ["set a = (b + c)", "set a = ((b.c.d)+(e))", "SET a = :a REMOVE b ADD c :c DELETE d :d, e :e"] {
            update(text).unwrap();
        }
    }

    #[test] // SEM: ITM-EXP-1
    fn parentheses_around_parentheses_are_redundant() {
        let redundant = |text| matches!(condition(text), Err(ExpressionFault::RedundantParentheses));
        for text in ["((a = b))", "a = b AND ((c = d OR e = f))", "((a)) = b", "a = ((b))", "((a = b)) nonsense"] {
            assert!(redundant(text), "{text}");
        }
        for text in ["(a = b)", "(a) = (b)", "((a = b) AND c = d)", "(NOT (a = b))", "(size(a)) > b", "((a) = (b))"] {
            condition(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        }
    }

    #[test] // SEM: ITM-LIM-3
    fn operators_are_counted_and_nesting_is_bounded() {
        let nested = |levels: usize| format!("a<b {}{}", "or (a<b ".repeat(levels), ")".repeat(levels));
        assert!(condition(&nested(149)).is_ok(), "299 operators");
        assert_eq!(condition(&nested(150)).unwrap_err(), ExpressionFault::TooManyOperators { count: 301 });
        let negated = |levels: usize| format!("{}a=b{}", "NOT (".repeat(levels), ")".repeat(levels));
        assert!(condition(&negated(150)).is_ok());
        assert!(condition(&format!("{}a=b", "NOT ".repeat(299))).is_ok());
        assert!(matches!(condition(&"NOT ".repeat(301)), Err(ExpressionFault::TooManyOperators { .. })));
        for text in ["(", "a(", "size(a) = (", "((a) = "] {
            let deep = text.repeat(limits::ITEM_EXPRESSION_BYTES_MAX / text.len());
            assert!(condition(&deep).is_err());
            assert!(update(&format!("SET a = {}", &deep[..deep.len() - 8])).is_err());
        }
    }

    #[test] // SEM: ITM-LIM-3
    fn length_is_counted_in_bytes() {
        let text = |bytes: usize| format!("a = :{}", "v".repeat(bytes - 5));
        assert!(condition(&text(4096)).is_ok());
        assert_eq!(condition(&text(4097)).unwrap_err(), ExpressionFault::TooLong { bytes: 4097 });
        assert_eq!(condition("").unwrap_err(), ExpressionFault::Empty);
    }

    proptest! {
        #[test]
        fn no_text_is_more_than_refused(text: String, words in prop::collection::vec(
            prop::sample::select(vec![
                "a", "#n", ":v", "=", "<", "AND", "OR", "NOT", "(", ")", "[", "0", "]", ".", ",", "IN", "BETWEEN", "size(",
                "contains(", "SET", "REMOVE", "ADD", "+", "€",
            ]), 0..30,
        )) {
            for text in [text, words.join(" ")] {
                let _ = (condition(&text), update(&text), projection(&text));
            }
        }
    }
}
