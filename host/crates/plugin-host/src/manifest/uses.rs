//! What a plugin sees of single records, what it may ask, and what it may have done.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Deserialize;
use trellis_model::{Action, FieldName, ObjectName};

use super::parse::{Parse, field_name, object_name, problem, unique};

/// An object about whose records a plugin may ask while it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupGrant {
    /// Which object.
    pub object: ObjectName,
    /// What is shown of a record, and what a filter may compare.
    pub fields: BTreeSet<FieldName>,
}

/// A kind of action that a plugin may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionGrant {
    /// Which kind; one of [`Action::KINDS`].
    pub kind: String,
    /// Whose records it changes or creates; `None` for kinds that say that themselves.
    pub object: Option<ObjectName>,
    /// Which fields it may set.
    pub fields: BTreeSet<FieldName>,
}

/// What a plugin that provides `service-workflow` works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceWorkflowUse {
    /// Whose records it guides.
    pub object: ObjectName,
    /// What it sees of a record.
    pub fields: BTreeSet<FieldName>,
    /// What it sees of the account that the record's field `account` points at; where there is nothing, it gets no account.
    pub account_fields: BTreeSet<FieldName>,
    /// The changes that it is told about.
    pub when: BTreeSet<FieldName>,
    /// Which changes close a record, and ask it before.
    pub closed: Option<Closed>,
}

/// The changes that close a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The field that says it.
    pub field: FieldName,
    /// The options that mean it.
    pub values: Vec<String>,
    /// What becomes of a record that cannot be checked.
    pub on_failure: OnFailure,
}

/// What a plugin that provides `campaign-rules` sees besides its dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CampaignRulesUse {
    /// What it sees of the campaign's record.
    pub campaign_fields: BTreeSet<FieldName>,
    /// Whose changes make it decide again, besides those of the account itself.
    pub when: Vec<RelatedChange>,
}

/// Records whose changes concern the account that they point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedChange {
    /// Whose records.
    pub object: ObjectName,
    /// Their reference to the account.
    pub by: FieldName,
}

/// An object whose records a plugin that provides `record-hook` judges before they are saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHookUse {
    /// Which object.
    pub object: ObjectName,
    /// What it sees of a record, and may change.
    pub fields: BTreeSet<FieldName>,
    /// It is asked when one of these changes, and whenever a record is created.
    pub when: BTreeSet<FieldName>,
    /// What becomes of a save that it cannot judge.
    pub on_failure: OnFailure,
}

/// What becomes of a save when the plugin fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It is refused for now.
    #[default]
    Refuse,
    /// It goes through unjudged.
    Accept,
}

impl ActionGrant {
    /// Whether the grant covers an action. Kinds that this host does not know are covered by none.
    pub fn allows(&self, action: &Action) -> bool {
        let on = |object: &ObjectName| self.object.as_ref() == Some(object);
        action.kind() == self.kind
            && match action {
                Action::SetFields { object, fields, .. } => {
                    on(object) && fields.keys().all(|field| self.fields.contains(field))
                }
                Action::CreateRecord { object, fields } => {
                    on(object) && fields.keys().all(|field| self.fields.contains(field))
                }
                Action::CreateTask(_)
                | Action::SendMessage(_)
                | Action::StartTimer { .. }
                | Action::CancelTimer { .. } => true,
                _ => false,
            }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLookup {
    object: String,
    fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAction {
    kind: String,
    object: Option<String>,
    fields: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawServiceWorkflow {
    object: String,
    fields: Vec<String>,
    #[serde(default)]
    account_fields: Vec<String>,
    when: Option<Vec<String>>,
    closed: Option<RawClosed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawClosed {
    field: String,
    values: Vec<String>,
    #[serde(default)]
    on_failure: OnFailure,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawCampaignRules {
    #[serde(default)]
    campaign_fields: Vec<String>,
    #[serde(default)]
    when: Vec<RawRelatedChange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRelatedChange {
    object: String,
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawRecordHook {
    object: String,
    fields: Vec<String>,
    when: Option<Vec<String>>,
    #[serde(default)]
    on_failure: OnFailure,
}

pub(super) fn lookups(raw: Vec<RawLookup>) -> Parse<Vec<LookupGrant>> {
    unique("lookups", raw.iter().map(|lookup| lookup.object.as_str()))?;
    let lookup = |(index, raw): (usize, RawLookup)| {
        let key = format!("lookups[{index}]");
        let object = object_name(&format!("{key}.object"), &raw.object)?;
        Ok(LookupGrant { object, fields: fields(&format!("{key}.fields"), &raw.fields)? })
    };
    raw.into_iter().enumerate().map(lookup).collect()
}

pub(super) fn actions(raw: Vec<RawAction>) -> Parse<Vec<ActionGrant>> {
    let actions = raw.into_iter().enumerate().map(action).collect::<Parse<Vec<_>>>()?;
    let mut seen = HashSet::new();
    for action in &actions {
        if !seen.insert((&action.kind, &action.object)) {
            let object = action.object.as_ref().map_or(String::new(), |object| format!(" of `{object}`"));
            return Err(problem("actions", format!("`{}`{object} is there twice", action.kind)));
        }
    }
    Ok(actions)
}

fn action((index, raw): (usize, RawAction)) -> Parse<ActionGrant> {
    let key = format!("actions[{index}]");
    if !Action::KINDS.contains(&raw.kind.as_str()) {
        let known = Action::KINDS.join(", ");
        let reason = format!("`{}` is no kind of action of this host, which knows {known}", raw.kind);
        return Err(problem(&format!("{key}.kind"), reason));
    }
    let about_fields = matches!(raw.kind.as_str(), "set-fields" | "create-record");
    match (about_fields, raw.object, raw.fields) {
        (true, Some(object), Some(names)) if !names.is_empty() => Ok(ActionGrant {
            kind: raw.kind,
            object: Some(object_name(&format!("{key}.object"), &object)?),
            fields: fields(&format!("{key}.fields"), &names)?,
        }),
        (false, None, None) => Ok(ActionGrant { kind: raw.kind, object: None, fields: BTreeSet::new() }),
        (true, ..) => Err(problem(&key, format!("`{}` needs `object` and `fields`", raw.kind))),
        (false, ..) => Err(problem(&key, format!("`{}` has neither `object` nor `fields`", raw.kind))),
    }
}

pub(super) fn service_workflow(raw: RawServiceWorkflow) -> Parse<ServiceWorkflowUse> {
    let key = "service-workflow";
    let seen = shown(key, &raw.fields)?;
    let closed = raw.closed.map(|closed| {
        if closed.values.is_empty() {
            return Err(problem("service-workflow.closed.values", "there are none"));
        }
        let field = field_name("service-workflow.closed.field", &closed.field)?;
        Ok(Closed { field, values: closed.values, on_failure: closed.on_failure })
    });
    Ok(ServiceWorkflowUse {
        object: object_name("service-workflow.object", &raw.object)?,
        when: when(key, raw.when, &seen)?,
        fields: seen,
        account_fields: fields("service-workflow.account-fields", &raw.account_fields)?,
        closed: closed.transpose()?,
    })
}

pub(super) fn campaign_rules(raw: RawCampaignRules) -> Parse<CampaignRulesUse> {
    let change = |(index, raw): (usize, RawRelatedChange)| {
        let key = format!("campaign-rules.when[{index}]");
        Ok(RelatedChange {
            object: object_name(&format!("{key}.object"), &raw.object)?,
            by: field_name(&format!("{key}.by"), &raw.by)?,
        })
    };
    Ok(CampaignRulesUse {
        campaign_fields: fields("campaign-rules.campaign-fields", &raw.campaign_fields)?,
        when: raw.when.into_iter().enumerate().map(change).collect::<Parse<_>>()?,
    })
}

pub(super) fn record_hooks(raw: Vec<RawRecordHook>) -> Parse<Vec<RecordHookUse>> {
    unique("record-hook", raw.iter().map(|hook| hook.object.as_str()))?;
    let hook = |(index, raw): (usize, RawRecordHook)| {
        let key = format!("record-hook[{index}]");
        let seen = shown(&key, &raw.fields)?;
        Ok(RecordHookUse {
            object: object_name(&format!("{key}.object"), &raw.object)?,
            when: when(&key, raw.when, &seen)?,
            fields: seen,
            on_failure: raw.on_failure,
        })
    };
    raw.into_iter().enumerate().map(hook).collect()
}

/// The fields that are shown of a record: at least one.
fn shown(key: &str, names: &[String]) -> Parse<BTreeSet<FieldName>> {
    if names.is_empty() {
        return Err(problem(&format!("{key}.fields"), "there are none"));
    }
    fields(&format!("{key}.fields"), names)
}

/// The fields whose changes count: some of those that are shown, all of them where nothing is said.
fn when(key: &str, names: Option<Vec<String>>, shown: &BTreeSet<FieldName>) -> Parse<BTreeSet<FieldName>> {
    let Some(names) = names else { return Ok(shown.clone()) };
    let when = fields(&format!("{key}.when"), &names)?;
    match when.iter().find(|field| !shown.contains(*field)) {
        Some(field) => Err(problem(&format!("{key}.when"), format!("`{field}` is not among `fields`"))),
        None => Ok(when),
    }
}

fn fields(key: &str, names: &[String]) -> Parse<BTreeSet<FieldName>> {
    unique(key, names.iter().map(String::as_str))?;
    names.iter().map(|name| field_name(key, name)).collect()
}

/// Short names of outputs: alias to output name.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutputs {
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, String>,
}
