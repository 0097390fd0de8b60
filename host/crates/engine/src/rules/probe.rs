//! Trying a rule out: nothing is saved, and no save waits for it. What tries gets a [`View`], so that it cannot write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use trellis_model::{
    Actor, Currency, FieldName, Lookups, ObjectDefinition, Record, RecordId, Value, bilingual,
};
use trellis_records::{Caller, Schema};
use trellis_rules::{RuleEngine, Script, Transition, Trigger};

use super::{RuleCall, RuleDraft, RuleProblem, RuleTarget, RuleTest, draft::Draft};
use crate::{
    Error, Result, View,
    blocking::blocking,
    decisions::{actions_json, fields_json},
    lookups::{hidden_fields, rule_scope},
};

/// The object whose records are rules.
const RULE: &str = "rule";

/// Whether a script is a rule, and its object is there.
pub(crate) async fn check(
    view: &View,
    engine: &Arc<RuleEngine>,
    object: &str,
    trigger: Trigger,
    source: &str,
) -> std::result::Result<(), RuleProblem> {
    let problem = |message| RuleProblem { line: None, column: None, message };
    let schema = view.schema();
    let Some(definition) = schema.object(object) else {
        return Err(problem(bilingual!("there is no object `{object}`", "对象 `{object}` 不存在")));
    };
    if trigger == Trigger::Transition && !definition.ordinals {
        return Err(problem(bilingual!(
            "{object} has neither segments nor scores",
            "{object} 没有分群和评分"
        )));
    }
    let (engine, source) = (Arc::clone(engine), source.to_owned());
    let compiled = blocking("compiling a rule", move || engine.compile(&source).map(drop)).await;
    match compiled {
        Ok(compiled) => compiled.map_err(RuleProblem::from),
        Err(error) => Err(problem(bilingual!("cannot be compiled: {error}", "无法编译：{error}"))),
    }
}

/// A stored rule as a draft.
pub(crate) async fn stored(view: &View, caller: &Caller, id: RecordId) -> Result<RuleDraft> {
    let schema = view.schema();
    let unknown = || trellis_records::Error::UnknownObject { name: RULE.to_owned() };
    let object = schema.object(RULE).ok_or_else(unknown)?;
    let record = view.find(&caller.scope, &object.name, id).await?;
    let draft = Draft::of(&schema.named(&record).ok_or_else(unknown)?);
    let trigger = draft.trigger.ok_or_else(|| Error::InvalidRequest {
        reason: format!("rule {id} has a trigger that this host does not know"),
    })?;
    Ok(RuleDraft {
        object: draft.object,
        trigger,
        source: draft.source,
        watches: draft.watches,
        reads_personal_data: draft.reads_personal_data,
        name: draft.name,
    })
}

/// Runs a rule on a record as it would be with some changes.
pub(crate) async fn test(
    view: &View,
    engine: &Arc<RuleEngine>,
    caller: &Caller,
    draft: RuleDraft,
    (target, changes): (RuleTarget, BTreeMap<FieldName, Option<Value>>),
) -> Result<RuleTest> {
    let schema = view.schema();
    let unknown = || trellis_records::Error::UnknownObject { name: draft.object.clone() };
    let object = schema.object(&draft.object).cloned().ok_or_else(unknown)?;
    let (stored, after) = records(view, caller, &schema, &object, (target, changes)).await?;
    let event = draft.watches.as_deref().map(|watches| transition(view, watches, &after));
    let named = |record: &Record| schema.named(record);
    let Some(record) = named(&after) else { return Err(unknown().into()) };
    let call = RuleCall {
        trigger: draft.trigger,
        source: draft.source.as_str().into(),
        record,
        before: stored.as_ref().and_then(named),
        event: event.filter(|_| draft.trigger == Trigger::Transition),
        hidden: if draft.reads_personal_data { BTreeSet::new() } else { hidden_fields(&object) },
        now_ms: view.now_ms(),
        time_zone: view.time_zone(),
        user: match &caller.actor {
            Actor::User { id, .. } => Some(*id),
            _ => None,
        },
    };
    let scope = Arc::new(rule_scope(&schema, draft.reads_personal_data));
    let lookups = view.lookups(&Handle::current(), &scope);
    let engine = Arc::clone(engine);
    blocking("trying a rule", move || run(&engine, call, object, lookups)).await
}

fn run(
    engine: &RuleEngine,
    call: RuleCall,
    object: Arc<ObjectDefinition>,
    lookups: Arc<dyn Lookups>,
) -> RuleTest {
    let failed = |error: trellis_rules::Error| RuleTest {
        changes: json!({}),
        actions_json: json!([]),
        error: Some(error.into()),
        ..RuleTest::default()
    };
    let script: Script = match engine.compile(&call.source) {
        Ok(script) => script,
        Err(error) => return failed(error),
    };
    match call.trigger {
        Trigger::BeforeSave => match call.before_save(engine, &script, object, lookups) {
            Ok(decided) => RuleTest {
                changes: fields_json(&decided.changes),
                vetoes: decided.vetoes,
                actions_json: json!([]),
                printed: decided.printed,
                ..RuleTest::default()
            },
            Err(error) => failed(error),
        },
        Trigger::AfterSave | Trigger::Transition => match call.after_save(engine, &script, object, lookups) {
            Ok(decided) => RuleTest {
                changes: Json::Object(serde_json::Map::new()),
                actions_json: actions_json(&decided.actions),
                actions: decided.actions,
                reasons: decided.reasons,
                printed: decided.printed,
                ..RuleTest::default()
            },
            Err(error) => failed(error),
        },
    }
}

/// The record as it is stored, if it is, and as the rule shall see it.
async fn records(
    view: &View,
    caller: &Caller,
    schema: &Schema,
    object: &ObjectDefinition,
    (target, changes): (RuleTarget, BTreeMap<FieldName, Option<Value>>),
) -> Result<(Option<Record>, Record)> {
    let (stored, fields) = match target {
        RuleTarget::Record(id) => (Some(view.find(&caller.scope, &object.name, id).await?), BTreeMap::new()),
        RuleTarget::Fields(fields) => (None, fields),
    };
    let given = fields.into_iter().map(|(name, value)| (name, Some(value)));
    let changes = schema.fields(&object.name, given.chain(changes).collect())?;
    let now_ms = view.now_ms();
    let new = || Record {
        id: view.new_id(),
        object: object.id,
        version: 0,
        ordinal: None,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        deleted_at_ms: None,
        last_log: 0,
        fields: BTreeMap::new(),
    };
    let mut after = stored.clone().unwrap_or_else(new);
    for (field, value) in changes {
        match value {
            Some(value) => after.fields.insert(field, with_base_amount(value, view.base_currency())),
            None => after.fields.remove(&field),
        };
    }
    Ok((stored, after))
}

/// An amount in the base currency is its own base amount, as it will be once it is saved.
fn with_base_amount(value: Value, base: Currency) -> Value {
    match value {
        Value::Money(mut money) if money.currency == base => {
            money.base_amount = Some(money.amount);
            Value::Money(money)
        }
        other => other,
    }
}

/// The transition into what the record has now.
fn transition(view: &View, watches: &str, record: &Record) -> Transition {
    let (kind, name) = watches.split_once('.').unwrap_or(("segment", watches));
    let value = record.ordinal.filter(|_| kind == "score");
    let value = value.and_then(|ordinal| view.score_of(name, ordinal));
    let to = record.ordinal.and_then(|ordinal| match kind {
        "score" => view.band_of(name, ordinal),
        _ => view.value_of(name, ordinal),
    });
    Transition { watched: watches.to_owned(), from: None, to, value }
}
