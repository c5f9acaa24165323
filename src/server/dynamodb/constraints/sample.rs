//! Requests with one member each, for tests of what is read of them.

use crate::server::dynamodb::constraints::model::{Kind, Model};

/// A member, by the names on the way to it, and a text that has it.
type Sample = (String, String);

/// A value of an attribute, which may hold others: what is in it is not gone into.
const RECURSIVE: &str = "AttributeValue";

impl Model {
    /// For every member of a request of `operation`, at any depth, and for every value that the API has names for, a
    /// request that has it and what has to be beside it. A member is named `A.B`, a value `A.B=VALUE`.
    pub(in crate::server::dynamodb) fn samples(&self, operation: &str) -> Vec<Sample> {
        let request = self.operation(operation).and_then(|(_, request)| request);
        request.map_or_else(Vec::new, |shape| self.members(shape))
    }

    /// The same for the members of a structure.
    fn members(&self, shape: usize) -> Vec<Sample> {
        let Some(Kind::Structure(members)) = self.shape(shape).map(|shape| &shape.kind) else { return Vec::new() };
        let mut samples = Vec::new();
        for member in members {
            for (rest, value) in self.values(member.shape) {
                let beside = members.iter().filter(|other| other.is_required && other.name != member.name);
                let beside = beside.map(|other| format!(r#""{}":{},"#, other.name, self.least(other.shape)));
                let text = format!(r#"{{{}"{}":{value}}}"#, beside.collect::<String>(), member.name);
                samples.push((format!("{}{rest}", member.name), text));
            }
        }
        samples
    }

    /// Values of a shape: the least one, and one for each thing that may be in it.
    fn values(&self, shape: usize) -> Vec<Sample> {
        let mut values = vec![(String::new(), self.least(shape))];
        let Some(found) = self.shape(shape).filter(|shape| shape.name != RECURSIVE) else { return values };
        match &found.kind {
            Kind::Structure(_) => {
                values.extend(self.members(shape).into_iter().map(|(path, text)| (format!(".{path}"), text)));
            }
            Kind::List(inner) => {
                let inner = self.values(*inner).into_iter().filter(|(rest, _)| !rest.is_empty());
                values.extend(inner.map(|(rest, text)| (rest, format!("[{text}]"))));
            }
            Kind::Map(_, inner) => {
                let inner = self.values(*inner).into_iter().filter(|(rest, _)| !rest.is_empty());
                values.extend(inner.map(|(rest, text)| (rest, format!(r#"{{"a":{text}}}"#))));
            }
            Kind::Text { values: named, .. } => {
                values.extend(named.iter().map(|name| (format!("={name}"), format!(r#""{name}""#))));
            }
            _ => {}
        }
        values
    }

    /// A value of a shape with no more in it than has to be.
    fn least(&self, shape: usize) -> String {
        let Some(found) = self.shape(shape) else { return "null".to_owned() };
        match &found.kind {
            Kind::Structure(_) if found.name == RECURSIVE => r#"{"S":"a"}"#.to_owned(),
            Kind::Structure(members) => {
                let required = members.iter().filter(|member| member.is_required);
                let members = required.map(|member| format!(r#""{}":{}"#, member.name, self.least(member.shape)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Kind::List(inner) => format!("[{}]", self.one_of(*inner)),
            Kind::Map(_, inner) => format!(r#"{{"a":{}}}"#, self.least(*inner)),
            Kind::Text { values, .. } => format!(r#""{}""#, values.first().unwrap_or(&"a")),
            Kind::Integer | Kind::Long | Kind::Timestamp => "1".to_owned(),
            Kind::Double => "1.5".to_owned(),
            Kind::Boolean => "true".to_owned(),
            Kind::Blob => r#""AA==""#.to_owned(),
        }
    }

    /// The least element of a list: of a structure of which one member has to be there, the one with the first.
    fn one_of(&self, shape: usize) -> String {
        match self.shape(shape).map(|shape| &shape.kind) {
            Some(Kind::Structure(members)) if members.iter().all(|member| !member.is_required) => {
                let first = members.first();
                let first = first.map(|member| format!(r#""{}":{}"#, member.name, self.least(member.shape)));
                format!("{{{}}}", first.unwrap_or_default())
            }
            _ => self.least(shape),
        }
    }
}
