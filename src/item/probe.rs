//! What the fuzz targets call.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::item::expression::{Condition, Expressions};
use crate::item::record::{self, RecordRef};
use crate::item::{AttributeValue, ExpressionKind, Item, Number, partiql};

/// Whether the condition in `text` holds for `item`, with these names and values for its placeholders.
///
/// # Errors
/// What is wrong with the condition.
///
/// # Examples
/// ```
/// use larder::{internals::condition_holds, item::Item};
/// let values = [(":n".to_owned(), 5.into())].into();
/// assert!(condition_holds("a >= :n", &Default::default(), &values, &Item::from([("a", 7)]))?);
/// # Ok::<(), larder::Error>(())
/// ```
pub fn condition_holds(
    text: &str,
    names: &BTreeMap<String, String>,
    values: &BTreeMap<String, AttributeValue>,
    item: &Item,
) -> Result<bool> {
    let condition: Condition = expressions(names, values)?.condition(ExpressionKind::Filter, text)?;
    let stored = record::encode(item)?;
    condition.holds(RecordRef::new(&stored)?)
}

/// The item that the update in `text` makes of `item`.
///
/// # Errors
/// What is wrong with the update, or with the item for it.
///
/// # Examples
/// ```
/// use larder::{internals::update_item, item::Item};
/// let updated = update_item("REMOVE a", &Default::default(), &Default::default(), &Item::from([("a", 7), ("b", 1)]))?;
/// assert_eq!(updated, Item::from([("b", 1)]));
/// # Ok::<(), larder::Error>(())
/// ```
pub fn update_item(
    text: &str,
    names: &BTreeMap<String, String>,
    values: &BTreeMap<String, AttributeValue>,
    item: &Item,
) -> Result<Item> {
    let update = expressions(names, values)?.update(text)?;
    let stored = record::encode(item)?;
    update.apply(Some(RecordRef::new(&stored)?), &Item::new()).map(|updated| updated.item)
}

/// The parts of `item` that the projection in `text` names.
///
/// # Errors
/// What is wrong with the projection.
///
/// # Examples
/// ```
/// use larder::{internals::project_item, item::Item};
/// let parts = project_item("b", &Default::default(), &Item::from([("a", 7), ("b", 1)]))?;
/// assert_eq!(parts, Item::from([("b", 1)]));
/// # Ok::<(), larder::Error>(())
/// ```
pub fn project_item(text: &str, names: &BTreeMap<String, String>, item: &Item) -> Result<Item> {
    let projection = expressions(names, &BTreeMap::new())?.projection(text)?;
    let stored = record::encode(item)?;
    projection.project(RecordRef::new(&stored)?)
}

/// Whether `text` is a statement that takes these parameters.
///
/// # Examples
/// ```
/// use larder::internals::is_statement;
/// assert!(is_statement("SELECT * FROM t WHERE a = ?", &[1.into()]));
/// assert!(!is_statement("SELECT * FROM t WHERE", &[]));
/// ```
#[must_use]
pub fn is_statement(text: &str, parameters: &[AttributeValue]) -> bool {
    partiql::parse(text, parameters).is_ok()
}

/// The item of a record, its record again, and what the record counts as.
///
/// # Errors
/// [`Error::Corruption`] for what is no record.
///
/// # Examples
/// ```
/// use larder::{internals::read_record, item::Item};
/// let (item, record, size_bytes) = read_record(&[1, 1, 1, b'a', 1, 1, b'b'])?;
/// assert_eq!((item, record, size_bytes), (Item::from([("a", "b")]), vec![1, 1, 1, b'a', 1, 1, b'b'], 2));
/// # Ok::<(), larder::Error>(())
/// ```
pub fn read_record(bytes: &[u8]) -> Result<(Item, Vec<u8>, usize)> {
    let stored = RecordRef::new(bytes)?;
    // Measured although it may not decode: that has to end, too.
    let size_bytes = stored.size_bytes();
    let item = stored.to_item()?;
    let again = record::encode(&item)?;
    Ok((item, again, size_bytes?))
}

/// Both numbers added and subtracted, where the results are numbers.
///
/// # Examples
/// ```
/// use larder::internals::number_arithmetic;
/// assert_eq!(number_arithmetic(3.into(), 2.into()), (Some(5.into()), Some(1.into())));
/// ```
#[must_use]
pub fn number_arithmetic(one: Number, other: Number) -> (Option<Number>, Option<Number>) {
    (one.checked_add(other).ok(), one.checked_sub(other).ok())
}

fn expressions<'r>(
    names: &'r BTreeMap<String, String>,
    values: &'r BTreeMap<String, AttributeValue>,
) -> Result<Expressions<'r>, Error> {
    Expressions::new(Some(names).filter(|names| !names.is_empty()), Some(values).filter(|values| !values.is_empty()))
}
