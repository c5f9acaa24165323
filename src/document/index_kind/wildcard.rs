//! Wildcard indexes: every path below one, with its values.
//!
//! # Keys
//! A document has a key for each value at a path without positions: the path as text, and the value. Objects are walked into,
//! and so are objects in arrays; an array within an array is a value as a whole. An object without fields is a value, an array
//! without elements is as in other indexes. Beside them are the fields of the pattern, which have one value each.
//!
//! A document without any such value has no key, or, when there are fields beside the wildcard, one with `MinKey` for path and
//! value.
//!
//! # Source
//! MongoDB manual, Wildcard Indexes, Compound Wildcard Indexes.

use bson::{Bson, Document, RawArray, RawBsonRef, RawDocument};

use super::refused;
use crate::document::code::Code;
use crate::document::index_key::{put_empty_array, put_index_field};
use crate::document::number::Number;
use crate::document::order::{Order, Value};
use crate::document::path::{FieldPath, For, elements};
use crate::document::pattern::{By, Keys, Pattern, PatternField};
use crate::document::raw::{corrupt, field};
use crate::error::Result;
use crate::limits;

/// What stands for a wildcard in a path.
const ALL: &str = "$**";

/// The name of the field of an entry that has the path.
pub(in crate::document) const PATH: &str = "$_path";

/// The wildcard of an index.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::document) struct Wildcard {
    /// The path that all are below; `None` for all there are.
    below: Option<FieldPath>,
    descending: bool,
    /// How many fields of the pattern come before it.
    place: usize,
    /// Paths that are, or are not, indexed with all that is below them; without any, all but `_id`.
    paths: Vec<String>,
    includes: bool,
    with_id: bool,
}

impl Wildcard {
    /// Whether `path` ends with a wildcard.
    pub(super) fn is(path: &str) -> bool {
        path == ALL || path.strip_suffix(ALL).is_some_and(|below| below.ends_with('.'))
    }

    /// Reads the wildcard `path`, which comes behind so many fields of `pattern`.
    pub(super) fn parse(
        path: &str,
        by: By,
        place: usize,
        pattern: &Pattern,
        projection: Option<&Document>,
    ) -> Result<Self> {
        let below = path.strip_suffix(ALL).and_then(|below| below.strip_suffix('.'));
        let below = below.map(|below| FieldPath::parse(below, For::Index)).transpose()?;
        let mut wildcard = Self {
            with_id: below.is_some(),
            below,
            descending: by == By::Descending,
            place,
            paths: Vec::new(),
            includes: false,
        };
        match projection {
            Some(_) if wildcard.below.is_some() => {
                return Err(refused("wildcardProjection is for the index on all fields, $**"));
            }
            Some(projection) => wildcard.project(projection)?,
            None if wildcard.below.is_none() && !pattern.fields().is_empty() => {
                return Err(refused(
                    "an index on all fields beside others needs a wildcardProjection that leaves those out",
                ));
            }
            None => {}
        }
        if let Some(field) = pattern.fields().iter().find(|field| wildcard.overlaps(field.path.as_str())) {
            let message = format!("the wildcard and the field {:?} of an index overlap", field.path.as_str());
            return Err(refused(message));
        }
        Ok(wildcard)
    }

    fn project(&mut self, projection: &Document) -> Result<()> {
        if projection.is_empty() {
            return Err(refused("wildcardProjection must not be empty"));
        }
        let mut includes = None;
        let mut open: Vec<(String, &Bson)> = projection.iter().map(|(path, value)| (path.clone(), value)).collect();
        while let Some((path, value)) = open.pop() {
            FieldPath::parse(&path, For::Index)?;
            let is_in = match value {
                Bson::Document(inner) if !inner.is_empty() => {
                    open.extend(inner.iter().map(|(name, value)| (format!("{path}.{name}"), value)));
                    continue;
                }
                Bson::Boolean(is_in) => *is_in,
                value => match Number::from_bson(value) {
                    Some(number) => !number.is_zero(),
                    None => return Err(Code::FAILED_TO_PARSE.value("wildcardProjection takes paths with 0 or 1")),
                },
            };
            if path == "_id" {
                self.with_id = is_in;
                continue;
            }
            if *includes.get_or_insert(is_in) != is_in {
                return Err(Code::FAILED_TO_PARSE.value("wildcardProjection includes paths, or excludes some"));
            }
            self.paths.push(path);
        }
        // `_id` alone is one of all paths, or all of them but it.
        match includes {
            Some(includes) => self.includes = includes,
            None if self.with_id => {
                self.includes = true;
                self.paths.push("_id".to_owned());
            }
            None => {}
        }
        self.paths.sort_unstable();
        Ok(())
    }

    /// Whether `path` may have entries.
    pub(in crate::document) fn covers(&self, path: &str) -> bool {
        if let Some(below) = &self.below {
            return is_below(path, below.as_str());
        }
        if is_below(path, "_id") {
            return self.with_id;
        }
        self.paths.iter().any(|listed| is_below(path, listed)) == self.includes
    }

    /// Whether some path below `path`, or itself, may have entries.
    fn overlaps(&self, path: &str) -> bool {
        let reaches = |listed: &str| is_below(listed, path) || is_below(path, listed);
        match &self.below {
            Some(below) => reaches(below.as_str()),
            None if is_below(path, "_id") => self.with_id,
            None if self.includes => self.paths.iter().any(|listed| reaches(listed)),
            None => self.covers(path),
        }
    }

    /// The fields of entries for `path`: those of the pattern with the path and the value in their place.
    pub(in crate::document) fn pattern_of(&self, pattern: &Pattern, path: &FieldPath) -> Result<(Pattern, usize)> {
        let mut fields = pattern.fields().to_vec();
        let field = |path, descending| PatternField { path, descending, hashed: false };
        fields.insert(self.place, field(path.clone(), self.descending));
        fields.insert(self.place, field(FieldPath::parse(PATH, For::Filter)?, false));
        Ok((Pattern::of_fields(fields).collated(pattern.collator()), self.place))
    }

    /// The fields of the pattern before the wildcard.
    pub(in crate::document) fn before(&self, pattern: &Pattern) -> Pattern {
        let fields = pattern.fields().iter().take(self.place).cloned().collect();
        Pattern::of_fields(fields).collated(pattern.collator())
    }

    /// The directions of all fields of an entry.
    #[cfg(test)]
    pub(super) fn directions(&self, pattern: &Pattern) -> Vec<bool> {
        let mut directions: Vec<_> = pattern.fields().iter().map(|field| field.descending).collect();
        directions.splice(self.place..self.place, [false, self.descending]);
        directions
    }

    /// The keys of `document`.
    ///
    /// # Errors
    /// [`Code::WILDCARD_BESIDE_ARRAY`] when a field beside the wildcard is an array; [`Error::LimitExceeded`](crate::Error) for a
    /// document that is nested too deeply.
    pub(super) fn keys(&self, pattern: &Pattern, document: &RawDocument) -> Result<Keys> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (place, field) in pattern.fields().iter().enumerate() {
            let keys = Pattern::of_fields(vec![field.clone()]).collated(pattern.collator()).keys(document, false)?;
            if keys.multikey != 0 {
                let message = format!("the field {:?} beside a wildcard is an array", field.path.as_str());
                return Err(Code::WILDCARD_BESIDE_ARRAY.value(message));
            }
            let out = if place < self.place { &mut before } else { &mut after };
            keys.encoded.iter().for_each(|key| out.extend_from_slice(key));
        }
        let mut walk = Walk { wildcard: self, before, after, keys: Keys::default(), order: pattern.order() };
        match &self.below {
            Some(below) => walk.descend(document, below)?,
            None => walk.object(document, "", 0)?,
        }
        if walk.keys.encoded.is_empty() && !pattern.fields().is_empty() {
            walk.put(&Value::MinKey, |out| put_index_field(out, &Value::MinKey, self.descending, Order::SIMPLE))?;
        }
        let Walk { mut keys, .. } = walk;
        keys.encoded.sort_unstable();
        keys.encoded.dedup();
        keys.array_paths.sort_unstable();
        keys.array_paths.dedup();
        Ok(keys)
    }
}

/// The walk over one document.
struct Walk<'w> {
    wildcard: &'w Wildcard,
    before: Vec<u8>,
    after: Vec<u8>,
    keys: Keys,
    order: Order<'w>,
}

impl Walk<'_> {
    /// Goes to the path that all are below.
    fn descend(&mut self, document: &RawDocument, below: &FieldPath) -> Result<()> {
        let mut open = vec![(document, 0)];
        while let Some((document, depth)) = open.pop() {
            let Some(part) = below.parts().get(depth) else { continue };
            let Some(value) = field(document, part.name())? else { continue };
            let is_last = depth + 1 == below.parts().len();
            match value {
                value if is_last => self.value(value, below.as_str(), depth)?,
                RawBsonRef::Document(inner) => open.push((inner, depth + 1)),
                RawBsonRef::Array(array) => {
                    self.note_array(FieldPath::of(below.parts().get(..=depth).unwrap_or_default()).as_str());
                    for element in elements(array) {
                        if let RawBsonRef::Document(inner) = element? {
                            open.push((inner, depth + 1));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn object(&mut self, document: &RawDocument, at: &str, depth: usize) -> Result<()> {
        limits::check("document depth in levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
        for item in document {
            let (name, value) = item.map_err(corrupt)?;
            let path = if at.is_empty() { name.as_str().to_owned() } else { format!("{at}.{}", name.as_str()) };
            if self.wildcard.overlaps(&path) {
                self.value(value, &path, depth)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, value: RawBsonRef<'_>, path: &str, depth: usize) -> Result<()> {
        match value {
            RawBsonRef::Document(inner) if !inner.is_empty() => self.object(inner, path, depth + 1),
            RawBsonRef::Array(array) => self.array(array, path, depth + 1),
            value => self.leaf(value, path),
        }
    }

    fn array(&mut self, array: &RawArray, path: &str, depth: usize) -> Result<()> {
        self.note_array(path);
        if array.is_empty() && self.wildcard.covers(path) {
            let descending = self.wildcard.descending;
            return self.put(&Value::from(RawBsonRef::String(path)), |out| {
                put_empty_array(out, descending);
                Ok(())
            });
        }
        for element in elements(array) {
            match element? {
                RawBsonRef::Document(inner) if !inner.is_empty() => self.object(inner, path, depth + 1)?,
                value => self.leaf(value, path)?,
            }
        }
        Ok(())
    }

    fn leaf(&mut self, value: RawBsonRef<'_>, path: &str) -> Result<()> {
        if !self.wildcard.covers(path) {
            return Ok(());
        }
        let descending = self.wildcard.descending;
        let path = Value::from(RawBsonRef::String(path));
        let order = self.order;
        self.put(&path, |out| put_index_field(out, &Value::from(value), descending, order))
    }

    fn put(&mut self, path: &Value<'_>, put_value: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        let mut key = self.before.clone();
        // Paths are no text that a collation orders.
        put_index_field(&mut key, path, false, Order::SIMPLE)?;
        put_value(&mut key)?;
        key.extend_from_slice(&self.after);
        self.keys.encoded.push(key);
        Ok(())
    }

    fn note_array(&mut self, path: &str) {
        self.keys.array_paths.push(path.to_owned());
    }
}

/// Whether `path` is `above`, or below it.
pub(in crate::document) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
