//! What service workflows suggest for a record. Nothing is written: choosing a suggestion is another step.

use std::{collections::BTreeMap, sync::Arc};

use semver::Version;
use serde_json::Value as Json;
use tokio::runtime::Handle;
use trellis_model::{NamedRecord, ObjectName, PluginId, Reason, RecordId, Scope, Text};
use trellis_plugin_host::{CallContext, Suggestion, WorkItem};
use trellis_records::Caller;

use crate::{
    Error, Result,
    blocking::blocking,
    compare::{Asked, Observed},
    core::Core,
    decisions::{actions_json, suggestions_output},
    hooks,
    lookups::{Answer, Question, RecordLookups, Recording, for_user},
    plugins::Enabled,
};

/// Something that a plugin suggests to do about a record.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSuggestion {
    /// Which plugin.
    pub plugin: PluginId,
    /// In which version.
    pub version: Version,
    /// The suggestion's name within the plugin.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// Why it would be right, the strongest first.
    pub reasons: Vec<Reason>,
    /// What happens when it is chosen: a list as the API writes it.
    pub actions: Json,
}

/// What one plugin suggests, with what it was told.
#[derive(Debug)]
pub(crate) struct Suggested {
    pub(crate) enabled: Arc<Enabled>,
    pub(crate) item: WorkItem,
    pub(crate) at: CallContext,
    pub(crate) answers: BTreeMap<Question, Answer>,
    pub(crate) suggestions: Vec<Suggestion>,
}

/// What every plugin suggests that guides the work on the object. One that fails is left out, unless all of them do.
pub(crate) async fn suggestions(
    core: &Arc<Core>,
    caller: &Caller,
    object: &ObjectName,
    id: RecordId,
) -> Result<Vec<PluginSuggestion>> {
    // The caller has to see the record; the plugin sees what it was granted.
    core.records.find(&caller.scope, object, id).await?;
    let (mut suggestions, mut answered, mut failure) = (Vec::new(), false, None);
    for enabled in core.registry.enabled().iter().filter(|enabled| enabled.guides(object.as_str())) {
        match suggested(core, enabled, &caller.scope, object, id).await {
            Ok(suggested) => {
                answered = true;
                suggestions.extend(suggested.shown());
            }
            Err(error) => {
                tracing::warn!(plugin = %enabled.plugin.plugin_version(), "suggestions failed: {error}");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if !answered => Err(error),
        _ => Ok(suggestions),
    }
}

/// What a plugin suggests for a record as it is now. A person reads it, so it is made of nothing that this person may not read.
pub(crate) async fn suggested(
    core: &Arc<Core>,
    enabled: &Arc<Enabled>,
    user: &Scope,
    object: &ObjectName,
    id: RecordId,
) -> Result<Suggested> {
    let records = &core.records;
    let record = records.find(user, object, id).await?;
    let named: Option<NamedRecord> = records.schema().named(&record);
    let named = named.ok_or_else(|| trellis_records::Error::UnknownObject { name: object.to_string() })?;
    // With fewer rights the plugin is told less than its shadow would be, and what differs would say nothing.
    let watched = (core.shadows.watches(&enabled.id) && *user == Scope::everything()).then(|| named.clone());
    let now_ms = records.clock().now_ms();
    let at = hooks::context(core, records.ids().record_id(now_ms), now_ms);
    let handle = Handle::current();
    let account = ObjectName::new("account").map_err(trellis_records::Error::from)?;
    let accounts = Arc::new(for_user(&hooks::account_lookups(enabled), [&account], user));
    let accounts = RecordLookups::new(records, &handle, &accounts, None);
    let asked_about = enabled.manifest().lookups.iter().map(|lookup| &lookup.object);
    let scope = Arc::new(for_user(&enabled.scope, asked_about, user));
    let lookups = Recording::new(Arc::new(RecordLookups::new(records, &handle, &scope, None)));
    let (asking, call, asked) = (Arc::clone(enabled), at.clone(), Arc::clone(&lookups));
    let (item, suggestions) = blocking("asking for suggestions", move || {
        let item = hooks::work_item(&asking, named, &accounts)?;
        let workflow = asking
            .plugin
            .service_workflow()
            .ok_or_else(|| Error::not_offered(&asking.id, "service-workflow"))?;
        let suggestions = workflow.suggest(&item, &asking.config, &call, asked)?;
        Ok::<_, Error>((item, suggestions))
    })
    .await??;
    if let Some(record) = watched {
        core.shadows.offer(&enabled.id, || Observed {
            plugin: enabled.id.clone(),
            asked: Asked::Suggest { record, answer: suggestions_output(&suggestions) },
            at: at.clone(),
            answers: lookups.answers(),
        });
    }
    Ok(Suggested { enabled: Arc::clone(enabled), item, at, answers: lookups.answers(), suggestions })
}

impl Suggested {
    fn shown(self) -> impl Iterator<Item = PluginSuggestion> {
        let (plugin, version) = (self.enabled.id.clone(), self.enabled.plugin.version().clone());
        self.suggestions.into_iter().map(move |suggestion| PluginSuggestion {
            plugin: plugin.clone(),
            version: version.clone(),
            name: suggestion.name,
            label: suggestion.label,
            reasons: suggestion.reasons,
            actions: actions_json(&suggestion.actions),
        })
    }
}
