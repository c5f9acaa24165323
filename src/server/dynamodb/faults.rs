//! Errors of the store as clients get them, and the words that a dialect puts around them.

use crate::error::Error;
use crate::item::{CancellationReason, FailedItem, Fault, RequestFault, SetType};
use crate::server::dynamodb::dialect::Rules;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::responses::write_item;
use crate::server::dynamodb::writer::Writer;

/// What a client is told of `error`.
pub(super) fn failure(error: &Error, rules: &Rules) -> Failure {
    let Some(fault) = error.item_fault() else { return of_store(error) };
    let message = words(fault, rules);
    match fault {
        Fault::ConditionalCheckFailed { item } => {
            let more = item.as_ref().and_then(shown).map_or_else(String::new, |item| format!(",\"Item\":{item}"));
            Failure { more, ..Failure::new(fault.code(), message) }
        }
        Fault::TransactionCanceled { reasons } => {
            let mut writer = Writer::default();
            writer.list(|list| reasons.iter().for_each(|reason| write_reason(list.element(), reason)));
            let reasons = String::from_utf8(writer.into_bytes()).unwrap_or_default();
            Failure { more: format!(",\"CancellationReasons\":{reasons}"), ..Failure::new(fault.code(), message) }
        }
        fault if fault.code() == "ValidationException" => {
            Failure::validation(if is_of_values(fault) { wrapped(message, rules) } else { message })
        }
        fault => Failure::new(fault.code(), message),
    }
}

/// `message` as a fault of values and expressions is told.
pub(super) fn wrapped(message: String, rules: &Rules) -> String {
    if rules.is_wrapped { format!("1 validation error detected: {message}") } else { message }
}

/// The sentence of a fault.
pub(super) fn words(fault: &Fault, rules: &Rules) -> String {
    match fault {
        Fault::DuplicateElement(SetType::S, elements) if !rules.quotes_elements => {
            let elements = elements.join(", ");
            format!("One or more parameter values were invalid: Input collection [{elements}] contains duplicates.")
        }
        fault => fault.to_string(),
    }
}

/// Whether a fault is about values and expressions by themselves: the newer layer of the service looks at those.
pub(super) fn is_of_values(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NotANumber(_)
            | Fault::NumberOverflow
            | Fault::NumberUnderflow
            | Fault::NumberTooPrecise
            | Fault::EmptySet(_)
            | Fault::DuplicateElement(..)
            | Fault::Expression { .. }
            | Fault::NoPlaceholders(_)
            | Fault::InvalidPlaceholder { .. }
            | Fault::PlaceholderTooLong { .. }
            | Fault::EmptyName(_)
            | Fault::UnusedPlaceholders { .. }
            | Fault::NamesWithoutExpression
            | Fault::ValuesWithoutExpression(_)
            | Fault::MixedParameters { .. }
            | Fault::Request(RequestFault::ReturnValuesOfUpdate)
    )
}

/// An error that is not about the request to item tables.
fn of_store(error: &Error) -> Failure {
    match error {
        Error::Conflict { .. } => Failure::new("TransactionConflictException", "Transaction is ongoing for the item"),
        Error::Unsupported { .. } | Error::Invalid { .. } | Error::LimitExceeded { .. } => {
            Failure::validation(error.to_string())
        }
        error => {
            tracing::error!(%error, "a request failed");
            Failure::internal(error.to_string())
        }
    }
}

fn write_reason(writer: &mut Writer, reason: &CancellationReason) {
    writer.object(|members| {
        members.text("Code", reason.code());
        members.optional("Message", reason.message(), Writer::text);
        if let CancellationReason::ConditionalCheckFailed { item: Some(item) } = reason {
            members.optional("Item", shown(item), |writer, item| writer.raw(&item));
        }
    });
}

/// The item of a fault as JSON, if it can still be read.
fn shown(item: &FailedItem) -> Option<String> {
    let mut writer = Writer::default();
    write_item(&mut writer, &item.to_item().ok()?);
    String::from_utf8(writer.into_bytes()).ok()
}
