//! Whether the members of a request keep their constraints: all that do not are listed in one `ValidationException`.
//!
//! The service has two layers that check, and moves its operations from one to the other. The older one lists every
//! fault with the value; the newer one looks at some members first, and shows no values. Which members those are is the
//! dialect's.

use crate::server::dynamodb::constraints::model::{Kind, Model, Shape};
use crate::server::dynamodb::constraints::place::{self, Step};
use crate::server::dynamodb::constraints::shown::shown;
use crate::server::dynamodb::dialect::Rules;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::json::Json;

/// Faults that are listed at once; a request can have very many.
const FAULTS_MAX: usize = 10;

/// The shape of names of tables, for which an ARN may stand.
const TABLE: &str = "TableArn";
const TABLE_BYTES_MAX: i64 = 255;
const TABLE_PATTERN: &str = "[a-zA-Z0-9_.-]+";

/// Checks `request` against the shape at `place`.
///
/// # Errors
/// All faults of the older layer, or of the members that the newer one looks at first.
pub(super) fn check(model: &Model, request: &Json<'_>, place: usize, rules: &Rules) -> Result<(), Failure> {
    let mut check = Check { model, rules, steps: Vec::new(), early: Vec::new(), late: Vec::new(), sentence: None };
    check.value(request, place, None);
    let Check { early, late, sentence, .. } = check;
    if let Some(sentence) = sentence {
        return Err(Failure::validation(sentence));
    }
    let faults = if early.is_empty() { late } else { early };
    match faults.len() {
        0 => Ok(()),
        1 => Err(Failure::validation(format!("1 validation error detected: {}", faults.join("; ")))),
        count => Err(Failure::validation(format!("{count} validation errors detected: {}", faults.join("; ")))),
    }
}

struct Check<'a> {
    model: &'a Model,
    rules: &'a Rules,
    steps: Vec<Step<'a>>,
    early: Vec<String>,
    late: Vec<String>,
    /// A sentence of its own for the whole request.
    sentence: Option<&'static str>,
}

impl<'a> Check<'a> {
    /// Looks at a value. `most` is the bound that its member has instead of the shape's. The depth of `json` bounds that
    /// of the calls.
    fn value(&mut self, json: &'a Json<'_>, place: usize, most: Option<i64>) {
        let model = self.model;
        let Some(shape) = model.shape(place) else { return };
        match (&shape.kind, json) {
            // Values have no constraints of this kind, and may be many.
            (Kind::Structure(_), _) if shape.name == "AttributeValue" => {}
            (Kind::Structure(members), Json::Map(_)) => {
                for member in members {
                    self.steps.push(Step::Member(member.name));
                    match json.get(member.name) {
                        Some(inner) => self.value(inner, member.shape, member.most),
                        None if member.is_required => self.absent(),
                        None => {}
                    }
                    self.steps.pop();
                }
            }
            (Kind::List(element), Json::List(elements)) => {
                self.bounds(json, place, (shape.least, most.or(shape.most)), Measured::Length(elements.len()));
                let listed = |json: &Json<'_>| broken(model, json, *element, self.rules).next().is_some();
                if is_text(model, *element) {
                    if elements.iter().any(listed) {
                        let all = all_of(model, *element, self.rules);
                        self.fault(Some((json, place)), &format!("Member must satisfy constraint: [{all}]"));
                    }
                    return;
                }
                for (count, inner) in elements.iter().enumerate() {
                    self.steps.push(Step::Element(count));
                    self.value(inner, *element, None);
                    self.steps.pop();
                }
            }
            (Kind::Map(names, of), Json::Map(members)) => {
                self.bounds(json, place, (shape.least, most.or(shape.most)), Measured::Length(members.len()));
                let breaks = |name: &str| broken(model, &Json::Text(name.into()), *names, self.rules).next().is_some();
                if members.iter().any(|(name, _)| breaks(name)) {
                    let all = all_of(model, *names, self.rules);
                    self.fault(Some((json, place)), &format!("Map keys must satisfy constraint: [{all}]"));
                }
                let of_list = model.shape(*of).filter(|shape| matches!(shape.kind, Kind::List(_)));
                let outside = |inner: &Json<'_>| {
                    let length = i64::try_from(inner.elements().len()).unwrap_or(i64::MAX);
                    of_list.is_some_and(|of| {
                        of.least.is_some_and(|least| length < least) || of.most.is_some_and(|most| length > most)
                    })
                };
                if members.iter().any(|(_, inner)| outside(inner)) {
                    let all = all_of(model, *of, self.rules);
                    self.fault(Some((json, place)), &format!("Map value must satisfy constraint: [{all}]"));
                    return;
                }
                if is_text(model, *of) {
                    return;
                }
                for (name, inner) in members {
                    self.steps.push(Step::Name(name));
                    self.value(inner, *of, None);
                    self.steps.pop();
                }
            }
            (Kind::Integer | Kind::Long, Json::Integer(_) | Json::Decimal(_)) => {
                let number = json.as_integer().unwrap_or_default();
                self.bounds(json, place, (shape.least, shape.most), Measured::Number(number));
            }
            (Kind::Text { .. }, Json::Text(_)) => {
                if shape.name == TABLE {
                    return self.table(json, place);
                }
                let faults: Vec<_> = broken(model, json, place, self.rules).collect();
                for fault in &faults {
                    self.fault(Some((json, place)), fault);
                }
            }
            _ => {}
        }
    }

    /// A member that has to be there and is not.
    fn absent(&mut self) {
        match self.rules.missing(&place::rule(&self.steps)) {
            Some(sentence) => _ = self.sentence.get_or_insert(sentence),
            None => self.fault(None, "Member must not be null"),
        }
    }

    /// A name of a table; some dialects report an empty one first, and only the first fault of others.
    fn table(&mut self, json: &'a Json<'_>, place: usize) {
        let text = json.as_text().unwrap_or_default();
        let is_first = self.steps.len() == 1;
        if text.is_empty() && is_first && self.is_early() {
            let fault = length_at_least(1);
            return self.early.push(format!("Value at 'TableName' failed to satisfy constraint: {fault}"));
        }
        let mut faults: Vec<_> = broken(self.model, json, place, self.rules).collect();
        if is_first && self.rules.first_fault_of_names {
            // The length counts for more than the form.
            faults.reverse();
            faults.truncate(1);
        }
        for fault in &faults {
            self.fault(Some((json, place)), fault);
        }
    }

    fn bounds(&mut self, json: &'a Json<'_>, place: usize, (least, most): (Option<i64>, Option<i64>), found: Measured) {
        let Some(fault) = found.fault(least, most) else { return };
        if matches!(found, Measured::Length(0))
            && let Some(sentence) = self.rules.sentence(&place::rule(&self.steps))
        {
            self.sentence.get_or_insert(sentence);
        } else if self.is_early() {
            let at = place::newer(&self.steps);
            self.early.push(format!("Value at '{at}' failed to satisfy constraint: {fault}"));
        } else {
            self.fault(Some((json, place)), &fault);
        }
    }

    fn is_early(&self) -> bool {
        self.rules.is_early(&place::rule(&self.steps))
    }

    fn fault(&mut self, value: Option<(&Json<'_>, usize)>, constraint: &str) {
        if self.late.len() < FAULTS_MAX {
            let value = value
                .map_or_else(|| "null".to_owned(), |(json, place)| format!("'{}'", shown(self.model, json, place)));
            let at = place::older(&self.steps);
            self.late.push(format!("Value {value} at '{at}' failed to satisfy constraint: {constraint}"));
        }
    }
}

/// What has a bound.
#[derive(Clone, Copy)]
enum Measured {
    Length(usize),
    Number(i64),
}

impl Measured {
    /// What is wrong with it, if something is.
    fn fault(self, least: Option<i64>, most: Option<i64>) -> Option<String> {
        let (found, what) = match self {
            Self::Length(length) => (i64::try_from(length).unwrap_or(i64::MAX), "length"),
            Self::Number(number) => (number, "value"),
        };
        match (least, most) {
            (Some(least), _) if found < least => {
                Some(format!("Member must have {what} greater than or equal to {least}"))
            }
            (_, Some(most)) if found > most => Some(format!("Member must have {what} less than or equal to {most}")),
            _ => None,
        }
    }
}

fn length_at_least(least: i64) -> String {
    format!("Member must have length greater than or equal to {least}")
}

fn is_text(model: &Model, place: usize) -> bool {
    model.shape(place).is_some_and(|shape| matches!(shape.kind, Kind::Text { .. }))
}

/// The bounds and the pattern of texts of a shape. Names of tables have those of a name, unless it is an ARN.
fn limits<'m>(shape: &'m Shape, rules: &Rules, text: &str) -> (Option<i64>, Option<i64>, Option<&'m str>) {
    let pattern = match &shape.kind {
        Kind::Text { pattern: Some(pattern), .. } => Some(pattern.text),
        _ => None,
    };
    if shape.name == TABLE && !text.starts_with("arn:") {
        return (Some(rules.name_length_least), Some(TABLE_BYTES_MAX), Some(TABLE_PATTERN));
    }
    (shape.least, shape.most, pattern)
}

/// What is wrong with a text: its form, then its length, then its value.
fn broken(model: &Model, json: &Json<'_>, place: usize, rules: &Rules) -> impl Iterator<Item = String> {
    let found = model.shape(place).zip(json.as_text()).map(|(shape, text)| {
        let (least, most, pattern) = limits(shape, rules, text);
        let (own, values): (_, &[_]) = match &shape.kind {
            Kind::Text { pattern, values } => (pattern.as_ref(), values),
            _ => (None, &[]),
        };
        // Names of tables have a pattern without having it in the model.
        let holds = match own {
            Some(pattern) => pattern.holds(text),
            None => pattern.is_none() || is_name(text),
        };
        let pattern = pattern.filter(|_| !holds && !text.is_empty());
        let form = pattern.map(|pattern| format!("Member must satisfy regular expression pattern: {pattern}"));
        let length = Measured::Length(text.encode_utf16().count()).fault(least, most);
        let is_value = values.is_empty() || values.contains(&text);
        let value = (!is_value).then(|| format!("Member must satisfy enum value set: [{}]", values.join(", ")));
        [form, length, value]
    });
    found.into_iter().flatten().flatten()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// All constraints of a shape, as they are listed for the elements of a list and the names of a map.
fn all_of(model: &Model, place: usize, rules: &Rules) -> String {
    let Some(shape) = model.shape(place) else { return String::new() };
    let (least, most, pattern) = limits(shape, rules, "");
    let least = if shape.name == TABLE { Some(3) } else { least };
    let values = match &shape.kind {
        Kind::Text { values, .. } if !values.is_empty() => Some(values.join(", ")),
        _ => None,
    };
    let all = [
        most.map(|most| format!("Member must have length less than or equal to {most}")),
        least.map(length_at_least),
        pattern.map(|pattern| format!("Member must satisfy regular expression pattern: {pattern}")),
        values.map(|values| format!("Member must satisfy enum value set: [{values}]")),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
