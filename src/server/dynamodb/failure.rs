//! What a client is told of a request that is refused.

use std::borrow::Cow;

use crate::server::dynamodb::writer::Writer;

/// Where the name of an exception comes from, which is in front of it on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The service.
    Service,
    /// What reads requests for it.
    Reader,
    /// What checks their members.
    Checker,
}

/// An exception: its name, its text, and what comes with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) origin: Origin,
    pub(super) name: Cow<'static, str>,
    pub(super) message: Option<String>,
    /// Members beside the text, as JSON that begins with a comma.
    pub(super) more: String,
}

impl Failure {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (message, more) = (Some(message.into()), String::new());
        Self { status: 400, origin: Origin::Service, name: name.into(), message, more }
    }

    /// A request that is refused for what it says.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self { origin: Origin::Checker, ..Self::new("ValidationException", message) }
    }

    /// A request that cannot be read. Some have no text.
    pub(super) fn serialization(message: Option<String>) -> Self {
        Self { origin: Origin::Reader, message, ..Self::new("SerializationException", "") }
    }

    /// An exception of what reads requests, before anything else.
    pub(super) fn reader(name: &'static str, message: impl Into<String>) -> Self {
        Self { origin: Origin::Reader, ..Self::new(name, message) }
    }

    /// An operation that there is none of, or that is not modelled.
    pub(super) fn unknown_operation(message: Option<String>) -> Self {
        Self { origin: Origin::Reader, message, ..Self::new("UnknownOperationException", "") }
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { status: 500, ..Self::new("InternalServerError", message) }
    }

    /// The body of the response.
    pub(super) fn body(&self) -> Vec<u8> {
        let prefix = match self.origin {
            Origin::Service => "com.amazonaws.dynamodb.v20120810#",
            Origin::Reader => "com.amazon.coral.service#",
            Origin::Checker => "com.amazon.coral.validate#",
        };
        let mut writer = Writer::default();
        writer.object(|members| {
            members.text("__type", &format!("{prefix}{}", self.name));
            if let Some(message) = &self.message {
                // These have it with a capital.
                let is_capital = ["TransactionCanceledException", "SerializationException"].contains(&&*self.name);
                let name = if is_capital { "Message" } else { "message" };
                members.text(name, message);
            }
            members.raw(&self.more);
        });
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_name_where_an_exception_comes_from() {
        let text = |failure: Failure| String::from_utf8(failure.body()).unwrap();
        assert_eq!(
            text(Failure::validation("no \"x\"")),
            r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no \"x\""}"#
        );
        assert_eq!(
            text(Failure::serialization(None)),
            r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
        );
        assert_eq!(
            text(Failure::serialization(Some("x".to_owned()))),
            r#"{"__type":"com.amazon.coral.service#SerializationException","Message":"x"}"#
        );
        let cancelled = Failure {
            more: r#","CancellationReasons":[]"#.into(),
            ..Failure::new("TransactionCanceledException", "x")
        };
        assert_eq!(
            text(cancelled),
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"x","CancellationReasons":[]}"#
        );
    }
}
