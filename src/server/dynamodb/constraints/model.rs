//! The table of what requests may hold, as it is read from text.
//!
//! A line is a shape: its kind, its name, and what it is made of. `A..B` are the least and the most of a length or a
//! number, `=VALUE` one of the values of a text, and what begins with `/` is a pattern, up to the end of the line. A
//! member with `!` has to be there.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use fancy_regex::Regex;

/// What the requests of a service may hold.
#[derive(Debug, Default)]
pub(in crate::server::dynamodb) struct Model {
    /// What stands before the name of an operation in a request's target.
    pub(super) target: &'static str,
    shapes: Vec<Shape>,
    /// The request of each operation, if it has members.
    operations: BTreeMap<&'static str, Option<usize>>,
}

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Structure(Vec<Member>),
    List(usize),
    /// The shapes of names and values.
    Map(usize, usize),
    Text {
        pattern: Option<Pattern>,
        values: Vec<&'static str>,
    },
    Integer,
    Long,
    Double,
    Boolean,
    Blob,
    Timestamp,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) shape: usize,
    pub(super) is_required: bool,
    /// The most elements, where that is not what the shape says.
    pub(super) most: Option<i64>,
}

/// A regular expression that a whole text has to satisfy, made when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: &'static str,
    made: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Whether `text` satisfies it. One that is written as only Java understands it is satisfied by everything.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.made().is_none_or(|regex| regex.is_match(text).unwrap_or(true))
    }

    fn made(&self) -> Option<&Regex> {
        self.made.get_or_init(|| Regex::new(&format!(r"\A(?:{})\z", self.text)).ok()).as_ref()
    }
}

impl Model {
    /// Reads a table, with what was seen beside it.
    ///
    /// # Errors
    /// The line that is none.
    pub(super) fn parse(table: &'static str, seen: &'static str) -> Result<Self, String> {
        let mut model = Self::default();
        let lines = || table.lines().filter(|line| !line.starts_with('#'));
        // Shapes name one another in any order, so that their places are needed first.
        let names = lines().filter_map(|line| line.split(' ').nth(1).filter(|_| !is_heading(line)));
        let places: BTreeMap<_, _> = names.enumerate().map(|(place, name)| (name, place)).collect();
        for line in lines() {
            model.read(line, &places).ok_or_else(|| line.to_owned())?;
        }
        for line in seen.lines().filter(|line| !line.starts_with('#')) {
            model.see(line, &places).ok_or_else(|| line.to_owned())?;
        }
        Ok(model)
    }

    fn read(&mut self, line: &'static str, places: &BTreeMap<&str, usize>) -> Option<()> {
        let (line, pattern) = match line.split_once(" /") {
            Some((line, text)) => (line, Some(Pattern { text, made: OnceLock::new() })),
            None => (line, None),
        };
        let mut words = line.split(' ');
        let (kind, name) = (words.next()?, words.next()?);
        let mut least = None;
        let mut most = None;
        let mut values = Vec::new();
        let mut others = Vec::new();
        for word in words {
            if let Some(value) = word.strip_prefix('=') {
                values.push(value);
            } else if let Some((from, to)) = word.split_once("..") {
                least = from.parse().ok();
                most = to.parse().ok();
            } else {
                others.push(word);
            }
        }
        let shape = |place: usize| others.get(place).and_then(|name| places.get(name)).copied();
        let kind = match kind {
            "target" => {
                self.target = name;
                return Some(());
            }
            "operation" => {
                let request = if others.is_empty() { None } else { Some(shape(0)?) };
                self.operations.insert(name, request);
                return Some(());
            }
            "structure" => Kind::Structure(others.iter().map(|word| member(word, places)).collect::<Option<_>>()?),
            "list" => Kind::List(shape(0)?),
            "map" => Kind::Map(shape(0)?, shape(1)?),
            "string" => Kind::Text { pattern, values },
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "double" => Kind::Double,
            "boolean" => Kind::Boolean,
            "blob" => Kind::Blob,
            "timestamp" => Kind::Timestamp,
            _ => return None,
        };
        self.shapes.push(Shape { name, kind, least, most });
        Some(())
    }

    /// Reads a line of what was seen; one of shapes that this model does not have says nothing.
    fn see(&mut self, line: &'static str, places: &BTreeMap<&str, usize>) -> Option<()> {
        let mut words = line.split(' ');
        let (kind, name) = (words.next()?, words.next()?);
        let shape = places.get(name).and_then(|place| self.shapes.get_mut(*place)).map(|shape| &mut shape.kind);
        match (kind, shape) {
            ("values", Some(Kind::Text { values, .. })) => *values = words.collect(),
            ("most", Some(Kind::Structure(members))) => {
                let (name, most) = (words.next()?, words.next()?.parse().ok()?);
                members.iter_mut().find(|member| member.name == name)?.most = Some(most);
            }
            ("values" | "most", None) => {}
            _ => return None,
        }
        Some(())
    }

    pub(super) fn shape(&self, place: usize) -> Option<&Shape> {
        self.shapes.get(place)
    }

    /// The operation with this name, as the model has its name, and the shape of its request.
    pub(in crate::server::dynamodb) fn operation(&self, name: &str) -> Option<(&'static str, Option<usize>)> {
        self.operations.get_key_value(name).map(|(name, request)| (*name, *request))
    }

    /// The names of all operations.
    pub(in crate::server::dynamodb) fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }
}

/// The shape of a value, for whoever goes into it.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::dynamodb) struct Of {
    model: &'static Model,
    place: Option<usize>,
}

impl Of {
    /// The request of `operation`.
    pub(in crate::server::dynamodb) fn request(model: &'static Model, operation: &str) -> Self {
        Self { model, place: model.operation(operation).and_then(|(_, place)| place) }
    }

    fn kind(self) -> Option<&'static Kind> {
        self.model.shape(self.place?).map(|shape| &shape.kind)
    }

    fn found(self, name: &str) -> Option<&'static Member> {
        let Some(Kind::Structure(members)) = self.kind() else { return None };
        members.iter().find(|member| member.name == name)
    }

    /// Whether it is a structure with such a member.
    pub(in crate::server::dynamodb) fn has(self, name: &str) -> bool {
        self.found(name).is_some()
    }

    /// The shape of a member.
    pub(in crate::server::dynamodb) fn member(self, name: &str) -> Self {
        Self { place: self.found(name).map(|member| member.shape), ..self }
    }

    /// The shape of what a list or a map holds.
    pub(in crate::server::dynamodb) fn inner(self) -> Self {
        let place = match self.kind() {
            Some(Kind::List(inner) | Kind::Map(_, inner)) => Some(*inner),
            _ => None,
        };
        Self { place, ..self }
    }
}

fn is_heading(line: &str) -> bool {
    line.starts_with("operation ") || line.starts_with("target ")
}

fn member(word: &'static str, places: &BTreeMap<&str, usize>) -> Option<Member> {
    let (name, shape) = word.split_once(':')?;
    let (name, is_required) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
    Some(Member { name, shape: *places.get(shape)?, is_required, most: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = include_str!("seen.txt");

    fn both() -> [Model; 2] {
        [include_str!("dynamodb.txt"), include_str!("streams.txt")].map(|table| Model::parse(table, SEEN).unwrap())
    }

    #[test]
    fn every_line_of_the_tables_is_read() {
        let [items, streams] = both();
        assert_eq!((items.target, streams.target), ("DynamoDB_20120810", "DynamoDBStreams_20120810"));
        assert_eq!((items.operations().count(), streams.operations().count()), (62, 4));
        let put = items.operation("PutItem").unwrap().1.and_then(|place| items.shape(place)).unwrap();
        let Kind::Structure(members) = &put.kind else { panic!("{put:?}") };
        let required: Vec<_> = members.iter().filter(|member| member.is_required).map(|member| member.name).collect();
        assert_eq!((put.name, required), ("PutItemInput", vec!["TableName", "Item"]));
        let count = |model: &Model, table: &str| {
            (model.shapes.len(), table.lines().filter(|line| !is_heading(line)).count() - 1)
        };
        for (model, table) in both().iter().zip([include_str!("dynamodb.txt"), include_str!("streams.txt")]) {
            let (shapes, lines) = count(model, table);
            assert_eq!(shapes, lines, "every line that is no heading and not the remark is a shape");
        }
    }

    #[test]
    fn what_was_seen_names_the_values_of_the_model() {
        let [items, _] = both();
        let bare = Model::parse(include_str!("dynamodb.txt"), "").unwrap();
        let values = |shape: &Shape| match &shape.kind {
            Kind::Text { values, .. } => {
                let mut values = values.clone();
                values.sort_unstable();
                values
            }
            _ => Vec::new(),
        };
        for (seen, shape) in items.shapes.iter().zip(&bare.shapes) {
            assert_eq!((seen.name, values(seen)), (shape.name, values(shape)));
        }
    }

    #[test]
    fn patterns_are_of_whole_texts_and_only_one_is_javas_own() {
        let [items, streams] = both();
        let mut unread = Vec::new();
        for shape in items.shapes.iter().chain(&streams.shapes) {
            if let Kind::Text { pattern: Some(pattern), .. } = &shape.kind
                && pattern.made().is_none()
            {
                unread.push(shape.name);
            }
        }
        assert_eq!(unread, ["AutoScalingRoleArn"]);
        let name = Pattern { text: "[a-zA-Z0-9_.-]+", made: OnceLock::new() };
        assert!(name.holds("a.b-C_9") && !name.holds("a b") && !name.holds("a\n") && !name.holds(""));
    }
}
