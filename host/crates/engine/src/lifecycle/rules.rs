//! The rules that a plugin ships: records of the object `rule` that an admin owns from then on. An upgrade changes those that nobody
//! edited, and no others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use trellis_model::{FieldName, ObjectDefinition, ObjectName, PluginId, Record, Scope, Text, Value};
use trellis_plugin_host::Inspection;
use trellis_records::{Caller, DuplicateCheck, Write};
use trellis_storage::WriteSet;

use crate::{Error, Result, bulk, core::Core, keys, stored};

/// Rules that one plugin may ship.
pub(super) const RULES_MAX: usize = 100;
/// The object whose records are rules.
pub(super) const RULE: &str = "rule";
/// What the external id of a rule is under.
const EXTERNAL_ID: &str = "external_id";
/// What a plugin says of a rule. Whether it is switched on is the admin's.
const FIELDS: [&str; 10] = [
    "name",
    "name_zh",
    "description",
    "object",
    "trigger",
    "when_fields",
    "watches",
    "position",
    "reads_personal_data",
    "source",
];

/// A rule that a plugin ships.
#[derive(Debug, Clone, PartialEq)]
pub struct ShippedRule {
    /// The external id of its record: `<plugin>:<name>`.
    pub external_id: String,
    /// What people call it.
    pub name: Text,
    /// What becomes of it when the version is enabled, or became.
    pub state: ShippedRuleState,
}

/// What becomes of a rule that a plugin ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShippedRuleState {
    /// It is new.
    Added,
    /// The version changes it, and nobody edited it.
    Updated,
    /// It is there as the version ships it.
    Unchanged,
    /// Somebody edited it, so it stays as it is.
    Edited,
    /// Somebody deleted it, so it is not put back.
    Deleted,
    /// The version does not ship it any more: it is switched off.
    Withdrawn,
}

impl ShippedRuleState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The rules that a plugin shipped.
#[derive(Debug, Serialize, Deserialize)]
enum StoredShipped {
    V1 {
        /// External id and digest of what was shipped.
        rules: BTreeMap<String, [u8; 32]>,
    },
}

/// A rule as a version ships it, with what is there.
struct Planned {
    shown: ShippedRule,
    fields: Map<String, Json>,
    record: Option<Record>,
}

/// What is to become of the rules of a plugin.
pub(super) struct Plan {
    rules: Vec<Planned>,
    /// What was shipped once and will be.
    shipped: BTreeMap<String, [u8; 32]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    rules: Vec<Map<String, Json>>,
}

impl Plan {
    pub(super) fn shown(&self) -> Vec<ShippedRule> {
        self.rules.iter().map(|rule| rule.shown.clone()).collect()
    }
}

/// Checks that the rules that a version ships can be read.
///
/// # Errors
/// [`Error::InvalidPack`].
pub(super) fn check(inspection: &Inspection) -> Result<()> {
    sent(&inspection.manifest.id, inspection).map(drop)
}

/// Compares the rules that a version ships with those that are there.
///
/// # Errors
/// [`Error::InvalidPack`] where the version's section is not of the form.
pub(super) async fn plan(core: &Core, id: &PluginId, inspection: &Inspection) -> Result<Plan> {
    let mut shipped = load(core, id).await?;
    let mut rules = Vec::new();
    let sent = sent(id, inspection)?;
    let withdrawn: Vec<String> = shipped.keys().filter(|key| !sent.contains_key(*key)).cloned().collect();
    for (external_id, fields) in sent {
        let record = find(core, &external_id).await?;
        let (is, was) = (digest(&fields), shipped.get(&external_id));
        let state = match &record {
            None if was.is_some() => ShippedRuleState::Deleted,
            None => ShippedRuleState::Added,
            Some(record) => {
                let found = digest(&fields_of(core, record));
                match was {
                    _ if found == is => ShippedRuleState::Unchanged,
                    Some(was) if *was == found => ShippedRuleState::Updated,
                    _ => ShippedRuleState::Edited,
                }
            }
        };
        let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let name = Text::new(text("name"), text("name_zh"));
        if !matches!(state, ShippedRuleState::Edited | ShippedRuleState::Deleted) {
            shipped.insert(external_id.clone(), is);
        }
        rules.push(Planned { shown: ShippedRule { external_id, name, state }, fields, record });
    }
    for external_id in withdrawn {
        let Some(record) = find(core, &external_id).await? else { continue };
        let fields = fields_of(core, &record);
        let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let name = Text::new(text("name"), text("name_zh"));
        let state = ShippedRuleState::Withdrawn;
        rules.push(Planned { shown: ShippedRule { external_id, name, state }, fields, record: Some(record) });
    }
    Ok(Plan { rules, shipped })
}

/// Does what was planned, all of it or nothing. New rules are switched off unless `enable` says otherwise.
pub(super) async fn ship(
    core: &Core,
    caller: &Caller,
    id: &PluginId,
    plan: &Plan,
    enable: bool,
) -> Result<()> {
    let mut writes = Vec::new();
    for planned in &plan.rules {
        writes.extend(planned.write(core, enable)?);
    }
    let puts = stored::puts(
        &keys::shipped_rules(id),
        &stored::encode(&StoredShipped::V1 { rules: plan.shipped.clone() }),
    );
    if writes.is_empty() {
        if plan.shipped != load(core, id).await? {
            let mut set = WriteSet::new();
            for (key, value) in puts {
                set.put(key, value);
            }
            core.records.commit(set, None).await?;
        }
        return Ok(());
    }
    write(core, caller, writes, &|_| puts.clone()).await
}

/// Switches off the rules that a plugin shipped; returns how many were on.
pub(super) async fn switch_off(core: &Core, caller: &Caller, id: &PluginId) -> Result<usize> {
    let mut writes = Vec::new();
    for external_id in load(core, id).await?.keys() {
        let record = find(core, external_id).await?;
        writes.extend(record.and_then(|record| off(core, &record)));
    }
    let count = writes.len();
    if count > 0 {
        write(core, caller, writes, &|_| Vec::new()).await?;
    }
    Ok(count)
}

async fn write(
    core: &Core,
    caller: &Caller,
    writes: Vec<Write>,
    also: &trellis_records::AlsoCommit<'_>,
) -> Result<()> {
    let caller = Caller { scope: Scope::everything(), ..caller.clone() };
    let results = core.records.write_whole_batch(&caller, writes, also, &DuplicateCheck::default()).await?;
    let mut errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let cause = errors.iter().position(|error| !matches!(error, trellis_records::Error::NotDone { .. }));
    match cause.or((!errors.is_empty()).then_some(0)) {
        Some(first) => Err(errors.swap_remove(first).into()),
        None => Ok(()),
    }
}

impl Planned {
    fn write(&self, core: &Core, enable: bool) -> Result<Option<Write>> {
        let rule = rule(core)?;
        let mut fields: Map<String, Json> = FIELDS
            .iter()
            .map(|name| ((*name).to_owned(), self.fields.get(*name).cloned().unwrap_or(Json::Null)))
            .collect();
        match (self.shown.state, &self.record) {
            (ShippedRuleState::Added, _) => {
                creation(&rule, &self.shown.external_id, fields, enable).map(Some)
            }
            (ShippedRuleState::Updated | ShippedRuleState::Unchanged, Some(record)) => {
                if enable {
                    fields.insert("enabled".into(), json!(true));
                } else if self.shown.state == ShippedRuleState::Unchanged {
                    return Ok(None);
                }
                let changes = bulk::field_changes(&rule, &fields)?;
                let (object, id) = (rule.name.clone(), record.id);
                Ok(Some(Write::Update { object, id, changes, expected_version: Some(record.version) }))
            }
            (ShippedRuleState::Withdrawn, Some(record)) => Ok(off(core, record)),
            _ => Ok(None),
        }
    }
}

/// Switches a rule off, if it is on.
fn off(core: &Core, record: &Record) -> Option<Write> {
    let enabled = rule(core).ok()?.field("enabled")?.id;
    let is_on = record.fields.get(&enabled) == Some(&Value::Bool(true));
    is_on.then(|| Write::Update {
        object: ObjectName::new(RULE).expect("a valid name"),
        id: record.id,
        changes: BTreeMap::from([(enabled, Some(Value::Bool(false)))]),
        expected_version: None,
    })
}

/// The rules of a version by external id.
fn sent(id: &PluginId, inspection: &Inspection) -> Result<BTreeMap<String, Map<String, Json>>> {
    let Some(text) = &inspection.carried.rules else { return Ok(BTreeMap::new()) };
    let invalid = |reason: String| Error::InvalidPack { plugin: id.clone(), reason };
    let section: Section =
        serde_json::from_str(text).map_err(|error| invalid(format!("`trellis:rules`: {error}")))?;
    if section.rules.len() > RULES_MAX {
        return Err(invalid(format!("it ships {} rules, at most {RULES_MAX}", section.rules.len())));
    }
    let mut sent = BTreeMap::new();
    for fields in section.rules {
        let (external_id, fields) = shipped(id, fields).map_err(invalid)?;
        if sent.insert(external_id.clone(), fields).is_some() {
            return Err(invalid(format!("it ships two rules `{external_id}`")));
        }
    }
    Ok(sent)
}

/// A rule as a version ships it: the external id of its record, and what it says of it.
pub(super) fn shipped(
    id: &PluginId,
    mut fields: Map<String, Json>,
) -> Result<(String, Map<String, Json>), String> {
    let own = fields.remove(EXTERNAL_ID);
    let own = own.as_ref().and_then(Json::as_str).filter(|own| !own.is_empty());
    let own = own.ok_or("a rule that it ships has no `external_id`")?;
    fields.remove("enabled");
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("rule `{own}` has the unknown field `{unknown}`"));
    }
    let prefix = format!("{id}:");
    Ok((if own.starts_with(&prefix) { own.to_owned() } else { format!("{prefix}{own}") }, fields))
}

/// The record of a rule that a version ships, as a server without it would create it.
pub(super) fn creation(
    rule: &ObjectDefinition,
    external_id: &str,
    mut fields: Map<String, Json>,
    enabled: bool,
) -> Result<Write> {
    fields.insert(EXTERNAL_ID.into(), json!(external_id));
    fields.insert("enabled".into(), json!(enabled));
    let changes = bulk::field_changes(rule, &fields)?;
    let fields = changes.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    Ok(Write::Create { object: rule.name.clone(), fields, id: None })
}

async fn load(core: &Core, id: &PluginId) -> Result<BTreeMap<String, [u8; 32]>> {
    let found = stored::get(core.records.store().as_ref(), &keys::shipped_rules(id)).await?;
    let Some((bytes, _)) = found else { return Ok(BTreeMap::new()) };
    let StoredShipped::V1 { rules } = stored::decode(&bytes, || format!("rules that `{id}` shipped"))?;
    Ok(rules)
}

async fn find(core: &Core, external_id: &str) -> Result<Option<Record>> {
    let (object, field) = (ObjectName::new(RULE), FieldName::new(EXTERNAL_ID));
    let (object, field) = (object.expect("a valid name"), field.expect("a valid name"));
    let value = Value::Text(external_id.to_owned());
    Ok(core.records.find_by(&Scope::everything(), &object, &field, &value).await?)
}

fn rule(core: &Core) -> Result<std::sync::Arc<trellis_model::ObjectDefinition>> {
    let schema = core.records.schema();
    let unknown = || trellis_records::Error::UnknownObject { name: RULE.to_owned() };
    Ok(std::sync::Arc::clone(schema.object(RULE).ok_or_else(unknown)?))
}

fn fields_of(core: &Core, record: &Record) -> Map<String, Json> {
    let schema = core.records.schema();
    let named = schema.named(record).map(|record| record.fields).unwrap_or_default();
    named.into_iter().map(|(name, value)| (name.to_string(), value.to_json())).collect()
}

/// Names what a rule says: the same however what it leaves out is stored.
fn digest(fields: &Map<String, Json>) -> [u8; 32] {
    let empty = |value: &&Json| match value {
        Json::Null | Json::Bool(false) => true,
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        _ => false,
    };
    let said: Vec<_> = FIELDS
        .iter()
        .map(|name| fields.get(*name).filter(|value| !empty(value)).unwrap_or(&Json::Null))
        .collect();
    *blake3::hash(json!(said).to_string().as_bytes()).as_bytes()
}
