//! Array filters: which elements `$[name]` stands for.

use std::collections::{BTreeMap, BTreeSet};

use bson::raw::{CString, RawBsonRef, RawDocumentBuf};
use bson::{Bson, Document};

use super::tree::Changes;
use crate::document::code::Code;
use crate::document::expression::name;
use crate::document::filter::Filter;
use crate::error::Result;

/// The array filters of an update, by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrayFilters(BTreeMap<String, (CString, Filter)>);

impl ArrayFilters {
    /// Compiles filters whose paths all begin with the name of what they are for: `{"grade.mean": {$gt: 5}}`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a filter without a name, with two, or with a name that is not one,
    /// for two filters of one name; those of a filter.
    pub(super) fn compile(texts: &[Document]) -> Result<Self> {
        let mut filters = BTreeMap::new();
        for text in texts {
            // Compiled first: that bounds how deep the filter nests.
            let filter = Filter::compile(text)?;
            let mut names = BTreeSet::new();
            collect_names(text, &mut names)?;
            let mut names = names.into_iter();
            let Some(identifier) = names.next() else {
                return Err(Code::FAILED_TO_PARSE.syntax("an array filter needs a condition on a named element"));
            };
            if let Some(other) = names.next() {
                let message = format!("an array filter is for one name, and this one is for {identifier:?} and {other:?}");
                return Err(Code::FAILED_TO_PARSE.syntax(message));
            }
            check_identifier(&identifier)?;
            let compiled = (name(&identifier)?, filter);
            if filters.insert(identifier.clone(), compiled).is_some() {
                return Err(Code::FAILED_TO_PARSE.syntax(format!("there are two array filters for {identifier:?}")));
            }
        }
        Ok(Self(filters))
    }

    /// Checks that the paths of `changes` use all filters, and no others.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when they do not.
    pub(super) fn check_use(&self, changes: &Changes) -> Result<()> {
        let mut used = BTreeSet::new();
        changes.each_filter(&mut |identifier| {
            used.insert(identifier.to_owned());
        });
        if let Some(missing) = used.iter().find(|identifier| !self.0.contains_key(*identifier)) {
            return Err(Code::BAD_VALUE.value(format!("there is no array filter for $[{missing}]")));
        }
        match self.0.keys().find(|identifier| !used.contains(*identifier)) {
            Some(unused) => Err(Code::FAILED_TO_PARSE.syntax(format!("no path uses the array filter for {unused:?}"))),
            None => Ok(()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the filter of this name lets `element` through.
    pub(super) fn matches(&self, identifier: &str, element: RawBsonRef<'_>) -> Result<bool> {
        let Some((name, filter)) = self.0.get(identifier) else { return Ok(false) };
        // The conditions are on a field of this name, and so the element becomes one.
        let mut wrapped = RawDocumentBuf::new();
        wrapped.append(name, element);
        filter.matches(&wrapped)
    }
}

/// The first parts of all paths in a filter.
fn collect_names(text: &Document, names: &mut BTreeSet<String>) -> Result<()> {
    for (key, value) in text {
        match (key.as_str(), value) {
            ("$and" | "$or" | "$nor", Bson::Array(clauses)) => {
                for clause in clauses.iter().filter_map(Bson::as_document) {
                    collect_names(clause, names)?;
                }
            }
            ("$text" | "$where" | "$expr", _) => {
                return Err(Code::BAD_VALUE.value(format!("{key} cannot stand in an array filter")));
            }
            // What the operator is, the filter's compiler says.
            (operator, _) if operator.starts_with('$') => {}
            (path, _) => {
                names.insert(path.split('.').next().unwrap_or(path).to_owned());
            }
        }
    }
    Ok(())
}

fn check_identifier(identifier: &str) -> Result<()> {
    let mut characters = identifier.chars();
    let begins_well = characters.next().is_some_and(|first| first.is_ascii_lowercase());
    if begins_well && characters.all(|character| character.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let message = format!("the name {identifier:?} of an array filter is not letters and digits behind a lowercase letter");
    Err(Code::BAD_VALUE.value(message))
}
