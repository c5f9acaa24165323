//! Validators: filters that every document of a collection has to match.
//!
//! # Why a document is refused
//! A filter that does not match is taken apart until it is one condition: of several that are joined by `$and`, written or not,
//! those that do not hold are listed. Each condition is compiled again for that, for only a refused document pays for it.
//!
//! # Source
//! MongoDB manual, Schema Validation.

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};

use crate::document::collation::Collation;
use crate::document::expression::{Context, Names};
use crate::document::filter::{Filter, refuse_operators};
use crate::document::raw;
use crate::document::raw::corrupt;
use crate::document::schema::collection_options::{CollectionOptions, ValidationAction, ValidationLevel};
use crate::error::{Error, Result};

/// The operators of comparison, which all fail for the same reason.
const COMPARISONS: &[&str] = &["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"];

/// What a collection demands of its documents.
#[derive(Debug)]
pub(in crate::document) struct Validator {
    filter: Filter,
    text: Document,
    level: ValidationLevel,
    action: ValidationAction,
}

// The filter follows from its text.
impl PartialEq for Validator {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.level, self.action) == (&other.text, other.level, other.action)
    }
}

impl Validator {
    /// The validator of `options`, if they have one that is asked.
    ///
    /// # Errors
    /// Those of filters, and [`Error::Invalid`] for operators that no validator may have.
    pub(super) fn of(options: &CollectionOptions) -> Result<Option<Self>> {
        let Some(text) = options.validator.as_ref().filter(|text| !text.is_empty()) else { return Ok(None) };
        refuse_operators(text, "a validator")?;
        let collator = options.collation.as_ref().map(Collation::compile).transpose()?.flatten();
        let filter = Filter::compile(text, &Names::default().collated(collator.as_ref()))?;
        let level = options.validation_level.unwrap_or(ValidationLevel::Strict);
        let action = options.validation_action.unwrap_or(ValidationAction::Error);
        Ok((level != ValidationLevel::Off).then(|| Self { filter, text: text.clone(), level, action }))
    }

    /// Whether document `after` of the collection `target` may be stored, in the place of `before` if that is given.
    ///
    /// # Errors
    /// [`Error::InvalidDocument`] when it may not, and those of expressions.
    pub(in crate::document) fn check(
        &self,
        before: Option<&RawDocument>,
        after: &RawDocument,
        context: &Context,
        target: &str,
    ) -> Result<()> {
        if self.filter.matches(after, context)? {
            return Ok(());
        }
        if self.level == ValidationLevel::Moderate
            && let Some(before) = before
            && !self.filter.matches(before, context)?
        {
            return Ok(());
        }
        let id = raw::field(after, "_id")?.unwrap_or(RawBsonRef::Null);
        let id = Bson::try_from(id).map_err(corrupt)?;
        let reasons = reasons(&self.text, after, context)?;
        let details = doc! { "failingDocumentId": id, "details": reasons };
        if self.action != ValidationAction::Error {
            tracing::warn!(collection = target, %details, "a document does not meet the validator of its collection");
        }
        if self.action == ValidationAction::Warn {
            return Ok(());
        }
        Err(Error::InvalidDocument { target: target.to_owned(), details: Box::new(details) })
    }
}

/// Why `document` does not match the filter `text`: one reason, or those of several conditions that are joined.
fn reasons(text: &Document, document: &RawDocument, context: &Context) -> Result<Document> {
    let conditions = conditions(text);
    if let [one] = conditions.as_slice() {
        return reason(one, document, context);
    }
    let mut unmet = Vec::new();
    for (index, condition) in (0_i32..).zip(&conditions) {
        if !matches(condition, document, context)? {
            let details = reason(condition, document, context)?;
            unmet.push(Bson::from(doc! { "index": index, "details": details }));
        }
    }
    Ok(doc! { "operatorName": "$and", "clausesNotSatisfied": unmet })
}

/// The conditions that a filter joins, each as a filter of its own.
fn conditions(text: &Document) -> Vec<Document> {
    let mut all = Vec::new();
    for (name, value) in text {
        match value {
            Bson::Document(operators) if !name.starts_with('$') && is_operators(operators) => {
                // These two mean something only together.
                let parts = operators.keys().filter(|operator| *operator != "$options");
                all.extend(parts.map(|operator| {
                    let mut one = Document::new();
                    for kept in [operator.as_str(), "$options"] {
                        if let Some(value) = operators.get(kept).filter(|_| kept == operator || operator == "$regex") {
                            one.insert(kept, value.clone());
                        }
                    }
                    doc! { name: one }
                }));
            }
            _ => all.push(doc! { name: value.clone() }),
        }
    }
    all
}

fn is_operators(value: &Document) -> bool {
    value.keys().next().is_some_and(|first| first.starts_with('$'))
}

fn matches(condition: &Document, document: &RawDocument, context: &Context) -> Result<bool> {
    let names = Names::default().collated(context.collator());
    Filter::compile(condition, &names)?.matches(document, context)
}

/// Why `document` does not meet one condition.
fn reason(condition: &Document, document: &RawDocument, context: &Context) -> Result<Document> {
    let Some((path, value)) = condition.iter().next() else { return Ok(Document::new()) };
    let operator = match value {
        Bson::Document(operators) if !path.starts_with('$') && is_operators(operators) => {
            operators.keys().next().map_or("$eq", String::as_str)
        }
        _ if path.starts_with('$') => path.as_str(),
        _ => "$eq",
    };
    if operator == "$and"
        && let Some(clauses) = value.as_array()
    {
        let mut unmet = Vec::new();
        for (index, clause) in (0_i32..).zip(clauses.iter().filter_map(Bson::as_document)) {
            if !matches(clause, document, context)? {
                unmet.push(Bson::from(doc! { "index": index, "details": reasons(clause, document, context)? }));
            }
        }
        return Ok(doc! { "operatorName": "$and", "clausesNotSatisfied": unmet });
    }
    let mut reason = doc! { "operatorName": operator, "specifiedAs": condition.clone() };
    if operator == "$expr" {
        reason.extend(doc! { "reason": "expression did not match", "expressionResult": false });
        return Ok(reason);
    }
    let considered = if path.starts_with('$') { None } else { value_at(document, path)? };
    let why = match (&considered, operator) {
        (None, _) if !path.starts_with('$') && operator != "$exists" => "field was missing",
        (None, "$exists") => "path does not exist",
        (Some(_), "$exists") => "path does exist",
        (_, "$type") => "type did not match",
        (_, "$regex") => "regular expression did not match",
        (_, "$in") => "no matching value found in array",
        (_, "$nin") => "matching value found in array",
        (_, "$size") => "array length was not equal to given size",
        (_, operator) if COMPARISONS.contains(&operator) => "comparison failed",
        _ => "condition did not hold",
    };
    reason.insert("reason", why);
    if let Some(value) = considered.filter(|_| operator != "$exists") {
        reason.insert("consideredValue", value);
    }
    Ok(reason)
}

/// The value at a path that goes through objects only.
fn value_at(document: &RawDocument, path: &str) -> Result<Option<Bson>> {
    let mut level = document;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        match raw::field(level, part)? {
            Some(value) if parts.peek().is_none() => return Bson::try_from(value).map(Some).map_err(corrupt),
            Some(RawBsonRef::Document(inner)) => level = inner,
            // An array may have it in several elements.
            Some(value) => return Bson::try_from(value).map(Some).map_err(corrupt),
            None => return Ok(None),
        }
    }
    Ok(None)
}
