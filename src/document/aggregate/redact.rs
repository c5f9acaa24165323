//! `$redact`: documents, and those within them, are kept, left out or looked into.
//!
//! The expression is evaluated for a document and, where it says so, for each document within it: paths begin there, and
//! `$$ROOT` is the whole. Its value is one of the variables `$$KEEP`, `$$PRUNE` and `$$DESCEND`.
//!
//! # Source
//! MongoDB manual: `$redact`.

use std::sync::Arc;

use bson::raw::{RawArrayBuf, RawBsonRef, RawDocumentBuf};
use bson::{Bson, RawArray, RawDocument};

use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, Names, Value};
use crate::document::path::elements;
use crate::document::raw::corrupt;
use crate::document::rows::{Input, Rows, lent};
use crate::error::Result;

/// The values of the variables of these names.
const DESCEND: &str = "descend";
const PRUNE: &str = "prune";
const KEEP: &str = "keep";

/// A compiled `$redact`.
#[derive(Clone, Debug)]
pub(super) struct Redact {
    decision: Expression,
}

impl Redact {
    /// # Errors
    /// As [`Expression::compile`].
    pub(super) fn compile(argument: &Bson, names: &Names) -> Result<Self> {
        let variables = ["ROOT", "DESCEND", "PRUNE", "KEEP"];
        Ok(Self { decision: Expression::compile_within(&variables, argument, names)? })
    }

    /// What is left of `document`, which is `root` or within it.
    fn level(&self, root: &RawDocument, document: &RawDocument, context: &Context) -> Result<Option<RawDocumentBuf>> {
        context.spend(1)?;
        let mut env = Env::new(document, context);
        env.bind(Value::Borrowed(RawBsonRef::Document(root)));
        for word in [DESCEND, PRUNE, KEEP] {
            env.bind(Value::Borrowed(RawBsonRef::String(word)));
        }
        let decision = self.decision.evaluate(&mut env)?;
        match decision.text() {
            Some(KEEP) => Ok(Some(document.to_owned())),
            Some(PRUNE) => Ok(None),
            Some(DESCEND) => self.fields(root, document, context).map(Some),
            _ => {
                let message = format!("the expression of $redact gives {} and no decision", decision.type_name());
                Err(Code::REDACT_DECISION.value(message))
            }
        }
    }

    /// The fields of `document`, of which those that are documents are decided about.
    fn fields(&self, root: &RawDocument, document: &RawDocument, context: &Context) -> Result<RawDocumentBuf> {
        let mut kept = RawDocumentBuf::new();
        for element in document {
            let (name, value) = element.map_err(corrupt)?;
            match value {
                RawBsonRef::Document(inner) => {
                    if let Some(inner) = self.level(root, inner, context)? {
                        kept.append(name, inner);
                    }
                }
                RawBsonRef::Array(array) => kept.append(name, self.elements(root, array, context)?),
                value => kept.append(name, value),
            }
        }
        Ok(kept)
    }

    /// The elements of `array`, of which those that are documents are decided about.
    fn elements(&self, root: &RawDocument, array: &RawArray, context: &Context) -> Result<RawArrayBuf> {
        let mut kept = RawArrayBuf::new();
        for element in elements(array) {
            match element? {
                RawBsonRef::Document(inner) => {
                    if let Some(inner) = self.level(root, inner, context)? {
                        kept.push(inner);
                    }
                }
                RawBsonRef::Array(inner) => kept.push(self.elements(root, inner, context)?),
                value => kept.push(value),
            }
        }
        Ok(kept)
    }
}

/// Rows of which something is left.
pub(super) struct Redacted {
    redact: Redact,
    input: Input,
    context: Arc<Context>,
    current: Option<RawDocumentBuf>,
}

impl Redacted {
    pub(super) fn new(redact: Redact, input: Input, context: Arc<Context>) -> Self {
        Self { redact, input, context, current: None }
    }
}

impl Rows for Redacted {
    fn advance(&mut self) -> Result<bool> {
        while self.input.advance()? {
            let row = self.input.row()?;
            self.current = self.redact.level(row, row, &self.context)?;
            if self.current.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn row(&self) -> Result<&RawDocument> {
        lent(self.current.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use crate::document::Code;
    use crate::{Result, Store};

    fn redact(document: Document, decision: impl Into<bson::Bson>) -> Result<Vec<Document>> {
        let stages = [doc! { "$documents": [document] }, doc! { "$redact": decision }];
        Store::in_memory().database("test").aggregate(stages)?.collect()
    }

    // SEM: DOC-AGG-1
    #[test]
    fn each_level_is_kept_left_out_or_looked_into() {
        let secret = doc! { "$cond": [{ "$eq": ["$secret", true] }, "$$PRUNE", "$$DESCEND"] };
        let document = doc! {
            "a": 1, "b": { "secret": true }, "c": { "d": { "secret": true } },
            "e": [1, { "secret": true }, [{ "secret": true }, { "f": 2 }], { "g": { "secret": true } }],
        };
        let left = doc! { "a": 1, "c": {}, "e": [1, [{ "f": 2 }], {}] };
        assert_eq!(redact(document, secret.clone()).unwrap(), [left]);
        assert_eq!(redact(doc! { "secret": true }, secret).unwrap(), [] as [Document; 0]);
        let first = doc! { "$cond": [{ "$eq": ["$n", 1] }, "$$KEEP", "$$PRUNE"] };
        let document = doc! { "n": 1, "in": { "n": 2 } };
        assert_eq!(redact(document.clone(), first).unwrap(), [document]);
    }

    #[test]
    fn paths_begin_at_the_level_and_root_is_the_whole() {
        let decision = doc! { "$cond": [{ "$gte": ["$$ROOT.most", "$n"] }, "$$DESCEND", "$$PRUNE"] };
        let document = doc! { "most": 2, "n": 0, "a": { "n": 2 }, "b": { "n": 3 }, "c": { "most": 9, "n": 4 } };
        assert_eq!(redact(document, decision).unwrap(), [doc! { "most": 2, "n": 0, "a": { "n": 2 } }]);
    }

    #[test]
    fn anything_else_is_no_decision_and_the_variables_are_nowhere_else() {
        let code = |found: Result<Vec<Document>>| Code::of(&found.unwrap_err()).unwrap().number();
        for decision in [bson::Bson::from("$a"), "$none".into(), true.into(), doc! { "$concat": ["x"] }.into()] {
            assert_eq!(code(redact(doc! { "a": 1 }, decision)), 17_053);
        }
        let store = Store::in_memory();
        let stages = [doc! { "$documents": [{}] }, doc! { "$set": { "a": "$$KEEP" } }];
        assert_eq!(code(store.database("test").aggregate(stages).map(|_| Vec::new())), 17_276);
    }
}
