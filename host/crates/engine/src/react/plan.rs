//! From log entries to what reacts to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value as Json;
use trellis_model::{
    ChangeKind, FieldId, FieldName, ObjectDefinition, PluginId, RecordId, Scope, SegmentationName, Value,
};
use trellis_plugin_host::manifest::ServiceWorkflowUse;
use trellis_records::{EntryBody, LogEntry, LoggedChange, Schema};
use trellis_rules::{Transition, Trigger};

use super::reaction::{Before, Entry, Happened, Reaction, What};
use crate::{
    Result,
    core::Core,
    plugins::{Absent, Enabled},
    rules::{Loaded, Watched},
    timers,
};

/// What a page of the log leads to.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) reactions: Vec<Reaction>,
}

/// Who may react.
struct Planner<'a> {
    core: &'a Core,
    schema: Arc<Schema>,
    rules: Arc<Loaded>,
    plugins: Arc<[Arc<Enabled>]>,
    /// Those that are enabled and cannot be called.
    absent: Arc<[Arc<Absent>]>,
}

/// What a transition entry says.
struct Crossed<'a> {
    kind: Watched,
    name: SegmentationName,
    /// Values or bands by number, from 1; 0 is none.
    values: Vec<Option<&'a str>>,
    /// Ordinal, number before, number after.
    changes: Vec<[u64; 3]>,
}

/// Says what reacts to these entries, in the order of the log; for one change rules come first, in their order, then
/// plugins.
pub(super) async fn plan(core: &Core, entries: &[LogEntry]) -> Result<Plan> {
    let planner = Planner {
        core,
        schema: core.records.schema(),
        rules: core.rules.fresh().await?,
        plugins: core.registry.enabled(),
        absent: core.registry.absent(),
    };
    let mut plan = Plan::default();
    for entry in entries.iter().filter(|entry| !entry.cause.automations_off) {
        let origin = Entry::of(entry);
        match &entry.body {
            EntryBody::Changes(changes) => {
                for change in changes {
                    planner.change(&origin, change, &mut plan.reactions);
                }
            }
            EntryBody::Event { name, data } => match name.as_str() {
                "segment.changed" => planner.crossed(&origin, Watched::Segmentation, data, &mut plan).await?,
                "score.crossed" => planner.crossed(&origin, Watched::Score, data, &mut plan).await?,
                timers::FIRED => planner.timer(&origin, data, &mut plan.reactions),
                _ => {}
            },
        }
    }
    Ok(plan)
}

impl Planner<'_> {
    fn change(&self, entry: &Entry, change: &LoggedChange, reactions: &mut Vec<Reaction>) {
        let Some(object) = self.schema.object_by_id(change.object) else { return };
        if change.kind == ChangeKind::Deleted {
            return;
        }
        let mut push = |what| {
            reactions.push(Reaction { entry: entry.clone(), object: change.object, record: change.id, what });
        };
        let rules = self.rules.of(object.id, Trigger::AfterSave).iter();
        for rule in rules.filter(|rule| rule.since < entry.position) {
            let before = match change.kind {
                ChangeKind::Created => Before::Nothing,
                _ if is_concerned(&rule.when_fields, object, change) => {
                    Before::Fields(fields_before(object, change, |_| true))
                }
                _ => continue,
            };
            push(What::Rule { rule: Arc::clone(rule), before, event: None });
        }
        for plugin in self.plugins.iter().filter(|plugin| plugin.guides(object.name.as_str())) {
            let Some(used) = &plugin.manifest().service_workflow else { continue };
            let shows = |name: &FieldName| plugin.shows(&object.name, name);
            let Some(happened) = happened(used, object, change, shows) else { continue };
            push(What::Workflow { plugin: Arc::clone(plugin), happened });
        }
        for plugin in self.absent.iter() {
            let Some(used) = plugin.guided(object.name.as_str()) else { continue };
            let Some(happened) = happened(used, object, change, |_| false) else { continue };
            push(What::Absent { plugin: Arc::clone(plugin), happened });
        }
    }

    /// Transitions of customers that rules watch.
    async fn crossed(&self, entry: &Entry, kind: Watched, data: &Json, plan: &mut Plan) -> Result<()> {
        let text = |key: &str| data.get(key).and_then(Json::as_str);
        let object = text("object").and_then(|object| self.schema.object(object));
        let name = text(kind.name_key()).and_then(|name| SegmentationName::new(name).ok());
        let (Some(object), Some(name)) = (object, name) else { return Ok(()) };
        let mut rules = self.rules.watching(&self.core.columns, object.id, kind, &name);
        rules.retain(|rule| rule.since < entry.position);
        if rules.is_empty() {
            return Ok(());
        }
        let crossed = Crossed::read(kind, name, data);
        let ordinals: Vec<_> = crossed.changes.iter().map(|[ordinal, ..]| *ordinal).collect();
        let ids = self.core.records.ordinal_ids(object.id, &ordinals).await?;
        for (change, id) in crossed.changes.iter().zip(ids) {
            let Some(record) = id else { continue };
            for rule in &rules {
                let event = Some(self.transition(&crossed, *change));
                let what = What::Rule { rule: Arc::clone(rule), before: unchanged(), event };
                plan.reactions.push(Reaction { entry: entry.clone(), object: object.id, record, what });
            }
        }
        Ok(())
    }

    fn transition(&self, crossed: &Crossed<'_>, [ordinal, from, to]: [u64; 3]) -> Transition {
        let value = match crossed.kind {
            Watched::Segmentation => None,
            Watched::Score => {
                self.core.columns.score_of(&Scope::everything(), crossed.name.as_str(), ordinal)
            }
        };
        let watched = format!("{}{}", crossed.kind.prefix(), crossed.name);
        Transition { watched, from: crossed.value(from), to: crossed.value(to), value }
    }

    fn timer(&self, entry: &Entry, data: &Json, reactions: &mut Vec<Reaction>) {
        let text = |key: &str| data.get(key).and_then(Json::as_str);
        let object = text("object").and_then(|object| self.schema.object(object));
        let record = text("record").and_then(|id| RecordId::parse(id).ok());
        let (Some(object), Some(record), Some(name)) = (object, record, text("name")) else { return };
        let rule = text("rule").and_then(|id| RecordId::parse(id).ok());
        let plugin = text("plugin").and_then(|id| PluginId::new(id).ok());
        let what = match (plugin, rule) {
            (Some(id), _) => {
                let guides = |plugin: &&Arc<Enabled>| plugin.id == id && plugin.guides(object.name.as_str());
                let would =
                    |plugin: &&Arc<Absent>| plugin.id == id && plugin.guided(object.name.as_str()).is_some();
                let happened = Happened::Timer(name.to_owned());
                match (self.plugins.iter().find(guides), self.absent.iter().find(would)) {
                    (Some(plugin), _) => What::Workflow { plugin: Arc::clone(plugin), happened },
                    (None, Some(plugin)) => What::Absent { plugin: Arc::clone(plugin), happened },
                    (None, None) => return,
                }
            }
            (None, rule) => {
                let Some(rule) = rule.and_then(|rule| self.rules.get(rule)) else { return };
                let watched = format!("timer.{name}");
                let event = Transition { watched, from: None, to: None, value: None };
                What::Rule { rule: Arc::clone(rule), before: unchanged(), event: Some(event) }
            }
        };
        reactions.push(Reaction { entry: entry.clone(), object: object.id, record, what });
    }
}

impl<'a> Crossed<'a> {
    fn read(kind: Watched, name: SegmentationName, data: &'a Json) -> Self {
        let list = |key: &str| data.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let change = |change: &Json| {
            let number = |place: usize| change.get(place).and_then(Json::as_u64);
            Some([number(0)?, number(1)?, number(2)?])
        };
        let values = std::iter::once(None).chain(list(kind.values_key()).iter().map(Json::as_str)).collect();
        Self { kind, name, values, changes: list("changes").iter().filter_map(change).collect() }
    }

    fn value(&self, number: u64) -> Option<String> {
        let place = usize::try_from(number).ok()?;
        self.values.get(place).copied().flatten().map(str::to_owned)
    }
}

impl Watched {
    /// Where its transition entries name it.
    fn name_key(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Score => "score",
        }
    }

    /// Where they list the names of values or bands.
    fn values_key(self) -> &'static str {
        match self {
            Self::Segmentation => "values",
            Self::Score => "bands",
        }
    }
}

/// What a service workflow is told of a change, if it is told of it. Of the fields before it is told those that it sees.
fn happened(
    used: &ServiceWorkflowUse,
    object: &ObjectDefinition,
    change: &LoggedChange,
    shows: impl Fn(&FieldName) -> bool,
) -> Option<Happened> {
    match change.kind {
        ChangeKind::Created => Some(Happened::Created),
        ChangeKind::Updated if is_concerned(&used.when, object, change) => {
            let is_seen = |name: &FieldName| used.fields.contains(name) && shows(name);
            Some(Happened::Changed(fields_before(object, change, is_seen)))
        }
        _ => None,
    }
}

fn unchanged() -> Before {
    Before::Fields(BTreeMap::new())
}

/// Whether a change is of one of some fields; where there are none, of any. Every change is, once nobody knows its fields any more.
fn is_concerned(when: &BTreeSet<FieldName>, object: &ObjectDefinition, change: &LoggedChange) -> bool {
    let Some(fields) = &change.fields else { return true };
    let is_one = |id: &FieldId| object.field_by_id(*id).is_some_and(|field| when.contains(&field.name));
    when.is_empty() || fields.keys().any(is_one)
}

/// The fields that changed, as they were. A record that was restored is as it was.
fn fields_before(
    object: &ObjectDefinition,
    change: &LoggedChange,
    is_wanted: impl Fn(&FieldName) -> bool,
) -> BTreeMap<FieldName, Option<Value>> {
    if change.kind == ChangeKind::Restored {
        return BTreeMap::new();
    }
    let fields = change.fields.iter().flatten();
    let named = fields.filter_map(|(id, change)| Some((object.field_by_id(*id)?.name.clone(), change)));
    named.filter(|(name, _)| is_wanted(name)).map(|(name, change)| (name, change.before.clone())).collect()
}
