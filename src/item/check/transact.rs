//! Transactions.

use crate::error::Result;
use crate::item::check::items::PreparedUpdate;
use crate::item::check::parameters::{Compiled, Parameters};
use crate::item::check::{check_key, constraint};
use crate::item::expression::{Condition, ProjectionPaths};
use crate::item::place::check_table_name;
use crate::item::request::{TransactAction, TransactGetItems, TransactWrite, TransactWriteItems};
use crate::item::token::{Fingerprint, fingerprint};
use crate::item::{Constraint, Item, record};
use crate::limits;

/// Longest token in characters.
const TOKEN_CHARS_MAX: usize = 36;

/// A [`TransactWriteItems`] that was checked.
#[derive(Debug)]
pub(in crate::item) struct PreparedTransaction {
    pub(in crate::item) writes: Vec<PreparedTransactWrite>,
    /// What it is compared by when it is sent again.
    pub(in crate::item) fingerprint: Fingerprint,
}

/// One of its actions.
#[derive(Debug, Default)]
pub(in crate::item) struct PreparedTransactWrite {
    pub(in crate::item) condition: Option<Condition>,
    pub(in crate::item) update: Option<PreparedUpdate>,
}

/// A [`TransactGetItems`] that was checked.
#[derive(Debug, Default)]
pub(in crate::item) struct PreparedTransactGet {
    pub(in crate::item) projections: Vec<Option<ProjectionPaths>>,
}

impl TransactWriteItems {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::TransactWriteItems::default().check().is_err(), "nothing to do");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedTransaction> {
        check_count(self.transact_items.len())?;
        if let Some(token) = &self.client_request_token {
            let length = token.chars().count();
            if length == 0 {
                return Err(constraint("clientRequestToken", token, Constraint::LengthAtLeast(1)));
            }
            if length > TOKEN_CHARS_MAX {
                return Err(constraint("clientRequestToken", token, Constraint::LengthAtMost(TOKEN_CHARS_MAX)));
            }
        }
        let writes = self.transact_items.iter().map(prepare_write).collect::<Result<_>>()?;
        let mut parts = Vec::new();
        for write in &self.transact_items {
            put_parts(write, &mut parts)?;
        }
        let fingerprint = fingerprint(parts.iter().map(Vec::as_slice));
        Ok(PreparedTransaction { writes, fingerprint })
    }
}

fn check_count(actions: usize) -> Result<()> {
    let member = "transactItems";
    if actions == 0 {
        return Err(constraint(member, "[]", Constraint::LengthAtLeast(1)));
    }
    if actions > limits::ITEM_TRANSACTION_ACTIONS_MAX {
        let most = limits::ITEM_TRANSACTION_ACTIONS_MAX;
        return Err(constraint(member, format!("[{actions} items]"), Constraint::LengthAtMost(most)));
    }
    Ok(())
}

fn prepare_write(write: &TransactWrite) -> Result<PreparedTransactWrite> {
    check_table_name(&write.table_name)?;
    let update = match &write.action {
        TransactAction::Update { update_expression, .. } => Some(update_expression.as_str()),
        _ => None,
    };
    let base = if update.is_some() { Parameters::of_update() } else { Parameters::of_condition() };
    let Compiled { condition, update, .. } = Parameters {
        condition: write.condition_expression.as_deref(),
        update,
        names: write.expression_attribute_names.as_ref(),
        values: write.expression_attribute_values.as_ref(),
        ..base
    }
    .compile()?;
    if condition.is_none() && matches!(write.action, TransactAction::ConditionCheck(_)) {
        return Err(constraint(
            "transactItems.1.member.conditionCheck.conditionExpression",
            "null",
            Constraint::NotNull,
        ));
    }
    match &write.action {
        TransactAction::Put(item) => item.check()?,
        TransactAction::Delete(key) | TransactAction::ConditionCheck(key) | TransactAction::Update { key, .. } => {
            check_key(key)?;
        }
    }
    let update = update.map(|update| PreparedUpdate { update, ..PreparedUpdate::default() });
    Ok(PreparedTransactWrite { condition, update })
}

/// What tells an action from others. Items are in the one form that equal items have.
fn put_parts(write: &TransactWrite, parts: &mut Vec<Vec<u8>>) -> Result<()> {
    let text = |text: &str| text.as_bytes().to_vec();
    let (kind, item, update) = match &write.action {
        TransactAction::Put(item) => ("Put", item, ""),
        TransactAction::Delete(key) => ("Delete", key, ""),
        TransactAction::Update { key, update_expression } => ("Update", key, update_expression.as_str()),
        TransactAction::ConditionCheck(key) => ("ConditionCheck", key, ""),
    };
    parts.extend([text(kind), text(&write.table_name), record::encode(item)?, text(update)]);
    parts.push(text(write.condition_expression.as_deref().unwrap_or_default()));
    for (name, attribute) in write.expression_attribute_names.iter().flatten() {
        parts.extend([text(name), text(attribute)]);
    }
    // Values are in the order of their names, so that an item of them is one form of them.
    let values: Item =
        write.expression_attribute_values.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    parts.push(record::encode(&values)?);
    parts.push(text(write.return_values_on_condition_check_failure.as_str()));
    Ok(())
}

impl TransactGetItems {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::TransactGetItems::default().check().is_err(), "nothing to read");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedTransactGet> {
        check_count(self.transact_items.len())?;
        let mut prepared = PreparedTransactGet::default();
        for get in &self.transact_items {
            check_table_name(&get.table_name)?;
            let compiled = Parameters {
                projection: get.projection_expression.as_deref(),
                names: get.expression_attribute_names.as_ref(),
                ..Parameters::of_projection()
            }
            .compile()?;
            check_key(&get.key)?;
            prepared.projections.push(compiled.projection);
        }
        Ok(prepared)
    }
}
