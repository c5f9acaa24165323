//! The expressions of a request and what there was before them, compiled.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::item::attributes::shape_of;
use crate::item::expression::{Condition, Expressions, ProjectionPaths, Update, check_parameters};
use crate::item::request::{
    AttributeValueUpdate, Condition as LegacyCondition, ConditionalOperator, ExpectedAttributeValue,
    ExpressionAttributeNames, ExpressionAttributeValues,
};
use crate::item::{ExpressionKind, KeyCondition, legacy};
use crate::limits;

/// What a request says, of what its operation takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters<'r> {
    /// The expressions that the operation takes.
    pub(super) kinds: &'static [ExpressionKind],
    pub(super) condition: Option<&'r str>,
    pub(super) filter: Option<&'r str>,
    pub(super) key_condition: Option<&'r str>,
    pub(super) projection: Option<&'r str>,
    pub(super) update: Option<&'r str>,
    pub(super) names: Option<&'r ExpressionAttributeNames>,
    pub(super) values: Option<&'r ExpressionAttributeValues>,
    pub(super) attributes_to_get: Option<&'r [String]>,
    pub(super) expected: Option<&'r BTreeMap<String, ExpectedAttributeValue>>,
    pub(super) key_conditions: Option<&'r BTreeMap<String, LegacyCondition>>,
    pub(super) query_filter: Option<&'r BTreeMap<String, LegacyCondition>>,
    pub(super) scan_filter: Option<&'r BTreeMap<String, LegacyCondition>>,
    pub(super) attribute_updates: Option<&'r BTreeMap<String, AttributeValueUpdate>>,
    pub(super) conditional_operator: Option<ConditionalOperator>,
}

/// What they amount to.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) condition: Option<Condition>,
    pub(super) filter: Option<Condition>,
    pub(super) key_condition: Option<KeyCondition>,
    pub(super) projection: Option<ProjectionPaths>,
    pub(super) update: Option<Update>,
}

impl Parameters<'_> {
    fn of(kinds: &'static [ExpressionKind]) -> Self {
        Self {
            kinds,
            condition: None,
            filter: None,
            key_condition: None,
            projection: None,
            update: None,
            names: None,
            values: None,
            attributes_to_get: None,
            expected: None,
            key_conditions: None,
            query_filter: None,
            scan_filter: None,
            attribute_updates: None,
            conditional_operator: None,
        }
    }

    pub(super) fn of_condition() -> Self {
        Self::of(&[ExpressionKind::Condition])
    }

    pub(super) fn of_update() -> Self {
        Self::of(&[ExpressionKind::Update, ExpressionKind::Condition])
    }

    pub(super) fn of_projection() -> Self {
        Self::of(&[ExpressionKind::Projection])
    }

    pub(super) fn of_query() -> Self {
        Self::of(&[ExpressionKind::Projection, ExpressionKind::Filter, ExpressionKind::KeyCondition])
    }

    pub(super) fn of_scan() -> Self {
        Self::of(&[ExpressionKind::Projection, ExpressionKind::Filter])
    }

    /// Whether the request has the expression `kind`.
    fn has(&self, kind: ExpressionKind) -> bool {
        let text = match kind {
            ExpressionKind::Condition => self.condition,
            ExpressionKind::Filter => self.filter,
            ExpressionKind::KeyCondition => self.key_condition,
            ExpressionKind::Projection => self.projection,
            ExpressionKind::Update => self.update,
        };
        text.is_some()
    }

    /// Compiles all of it, in the order of the service: which parameters go together; those from before there were
    /// expressions; the expressions; that nothing is left over.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(self) -> Result<Compiled> {
        let legacy = [
            ("AttributesToGet", self.attributes_to_get.is_some()),
            ("AttributeUpdates", self.attribute_updates.is_some()),
            ("QueryFilter", self.query_filter.is_some()),
            ("ScanFilter", self.scan_filter.is_some()),
            ("Expected", self.expected.is_some()),
            ("ConditionalOperator", self.conditional_operator.is_some()),
            ("KeyConditions", self.key_conditions.is_some()),
        ];
        let expressions: Vec<_> = self.kinds.iter().map(|kind| (*kind, self.has(*kind))).collect();
        check_parameters(&legacy, &expressions, self.names.is_some(), self.values.is_some())?;
        let mut compiled = self.compile_legacy()?;
        let mut expressions = Expressions::new(self.names, self.values)?;
        if let Some(text) = self.key_condition {
            let condition = expressions.condition(ExpressionKind::KeyCondition, text)?;
            compiled.key_condition = Some(KeyCondition::of(&condition)?);
        }
        if let Some(text) = self.filter {
            compiled.filter = Some(expressions.condition(ExpressionKind::Filter, text)?);
        }
        if let Some(text) = self.projection {
            compiled.projection = Some(expressions.projection(text)?);
        }
        if let Some(text) = self.update {
            compiled.update = Some(expressions.update(text)?);
        }
        if let Some(text) = self.condition {
            compiled.condition = Some(expressions.condition(ExpressionKind::Condition, text)?);
        }
        expressions.finish()?;
        Ok(compiled)
    }

    /// Refuses values that are nested too deeply for any item, before one of them is copied.
    fn check_legacy_depth(&self) -> Result<()> {
        let updates = self.attribute_updates.into_iter().flat_map(BTreeMap::values);
        let updates = updates.filter_map(|update| update.value.as_ref());
        let expected = self.expected.into_iter().flat_map(BTreeMap::values);
        let expected = expected.flat_map(|one| one.value.iter().chain(one.attribute_value_list.iter().flatten()));
        let conditions = [self.key_conditions, self.query_filter, self.scan_filter].into_iter().flatten();
        let conditions = conditions.flat_map(BTreeMap::values).flat_map(|condition| &condition.attribute_value_list);
        let depth = shape_of(updates.chain(expected).chain(conditions)).depth;
        limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, depth)
    }

    fn compile_legacy(&self) -> Result<Compiled> {
        self.check_legacy_depth()?;
        let mut compiled = Compiled::default();
        if let Some(attributes) = self.attributes_to_get {
            compiled.projection = Some(legacy::attributes_to_get(attributes)?);
        }
        if let Some(updates) = self.attribute_updates {
            compiled.update = Some(legacy::updates(updates)?);
        }
        if let Some(conditions) = self.key_conditions {
            compiled.key_condition = Some(legacy::key_conditions(conditions)?);
        }
        let none = BTreeMap::new();
        if self.expected.is_some() || (self.conditional_operator.is_some() && self.takes(ExpressionKind::Condition)) {
            compiled.condition =
                legacy::expected(self.expected.unwrap_or(&BTreeMap::new()), self.conditional_operator)?;
        }
        let filter = self.query_filter.or(self.scan_filter);
        if filter.is_some() || (self.conditional_operator.is_some() && self.takes(ExpressionKind::Filter)) {
            compiled.filter = legacy::filter(filter.unwrap_or(&none), self.conditional_operator)?;
        }
        Ok(compiled)
    }

    fn takes(&self, kind: ExpressionKind) -> bool {
        self.kinds.contains(&kind)
    }
}
