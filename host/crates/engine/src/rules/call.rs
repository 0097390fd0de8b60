//! A call of a rule with all that it is told, so that it can be made again.

use std::{collections::BTreeSet, sync::Arc};

use jiff::tz::TimeZone;
use serde_json::Value as Json;
use trellis_model::{FieldName, Lookups, NamedRecord, ObjectDefinition, RecordId, Text};
use trellis_records::Schema;
use trellis_rules::{AfterSave, BeforeSave, Input, RuleEngine, Script, Transition, Trigger};

use crate::{
    Result,
    decisions::{after_save_output, before_save_output},
};

/// A call of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleCall {
    pub(crate) trigger: Trigger,
    pub(crate) source: Arc<str>,
    pub(crate) record: NamedRecord,
    pub(crate) before: Option<NamedRecord>,
    pub(crate) event: Option<Transition>,
    /// Fields that were not granted.
    pub(crate) hidden: BTreeSet<FieldName>,
    pub(crate) now_ms: i64,
    /// IANA name.
    pub(crate) time_zone: String,
    pub(crate) user: Option<RecordId>,
}

impl RuleCall {
    pub(crate) fn input(&self, object: Arc<ObjectDefinition>, lookups: Arc<dyn Lookups>) -> Input {
        Input {
            object,
            record: self.record.clone(),
            before: self.before.clone(),
            event: self.event.clone(),
            hidden: self.hidden.clone(),
            now_ms: self.now_ms,
            time_zone: TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC),
            user: self.user,
            lookups,
        }
    }

    /// Asks a before-save rule. Blocks.
    pub(crate) fn before_save(
        &self,
        engine: &RuleEngine,
        script: &Script,
        object: Arc<ObjectDefinition>,
        lookups: Arc<dyn Lookups>,
    ) -> trellis_rules::Result<BeforeSave> {
        engine.before_save(script, self.input(object, lookups))
    }

    /// Asks an after-save or transition rule. Blocks.
    pub(crate) fn after_save(
        &self,
        engine: &RuleEngine,
        script: &Script,
        object: Arc<ObjectDefinition>,
        lookups: Arc<dyn Lookups>,
    ) -> trellis_rules::Result<AfterSave> {
        engine.after_save(script, self.input(object, lookups))
    }

    /// Makes the call again with its own source. Blocks. A rule that failed then fails again in the same way.
    pub(crate) fn again(
        &self,
        engine: &RuleEngine,
        schema: &Schema,
        lookups: Arc<dyn Lookups>,
    ) -> Result<Json> {
        let object = schema.object(self.record.object.as_str()).cloned();
        let object = object
            .ok_or_else(|| trellis_records::Error::UnknownObject { name: self.record.object.to_string() })?;
        let script = match engine.compile(&self.source) {
            Ok(script) => script,
            Err(error) => return Ok(error_output(&error)),
        };
        Ok(match self.trigger {
            Trigger::BeforeSave => self
                .before_save(engine, &script, object, lookups)
                .map_or_else(|error| error_output(&error), |decided| before_save_output(&decided)),
            Trigger::AfterSave | Trigger::Transition => self
                .after_save(engine, &script, object, lookups)
                .map_or_else(|error| error_output(&error), |decided| after_save_output(&decided)),
        })
    }
}

/// What a rule that failed comes to.
pub(crate) fn error_output(error: &trellis_rules::Error) -> Json {
    let Text { en, zh_cn } = error.text();
    serde_json::json!({ "error": { "en": en, "zh-CN": zh_cn } })
}
