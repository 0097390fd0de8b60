//! The plugins that are enabled, as saves and reactions need them: without a lock and without a look at the store.

use std::{collections::BTreeMap, sync::Arc};

use trellis_model::{Decider, FieldName, ObjectName, PluginId, Scope};
use trellis_plugin_host::{
    Manifest, Plugin,
    manifest::{AbsentPolicy, AbsentUse, Closed, RecordHookUse},
};
use trellis_records::Schema;

use super::{
    entry::{Entry, Usage},
    grants::Grants,
    personal::Hidden,
};
use crate::lookups::plugin_scope;

/// A plugin that is enabled and loaded.
#[derive(Debug)]
pub(crate) struct Enabled {
    pub(crate) id: PluginId,
    pub(crate) plugin: Arc<Plugin>,
    /// JSON text, defaults filled in.
    pub(crate) config: String,
    pub(crate) grants: Grants,
    /// What its look-ups see.
    pub(crate) scope: Arc<Scope>,
    /// Personal data that it asks for and was not granted.
    pub(crate) hidden: Hidden,
    /// What an admin says that happens while it cannot be called.
    absent: BTreeMap<AbsentUse, AbsentPolicy>,
}

impl Enabled {
    /// The enabled use of a plugin, if `loaded` has its code.
    pub(super) fn of(
        id: &PluginId,
        entry: &Entry,
        schema: &Schema,
        loaded: impl Fn(&[u8; 32]) -> Option<Arc<Plugin>>,
    ) -> Option<Self> {
        let Usage { stored, version, .. } = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
        let plugin = loaded(&entry.versions.get(version)?.stored.digest)?;
        let grants = Grants::new(stored.grants.clone());
        let absent = stored.absent.clone();
        Some(Self { absent, ..Self::new(id, plugin, stored.config.clone(), grants, schema) })
    }

    /// A plugin as it would be used.
    pub(crate) fn new(
        id: &PluginId,
        plugin: Arc<Plugin>,
        config: String,
        grants: Grants,
        schema: &Schema,
    ) -> Self {
        let settings = serde_json::from_str(&config).unwrap_or_default();
        let hidden = Hidden::of(&plugin.manifest().configured(&settings), schema, &grants);
        let lookups = grants.lookups(plugin.manifest());
        let lookups = lookups.map(|lookup| (&lookup.object, hidden.shown(&lookup.object, &lookup.fields)));
        let scope = Arc::new(plugin_scope(lookups));
        Self { id: id.clone(), plugin, config, grants, scope, hidden, absent: BTreeMap::new() }
    }

    /// Those of the declared fields of an object that it may see.
    pub(crate) fn shows(&self, object: &ObjectName, field: &FieldName) -> bool {
        !self.hidden.hides(object, field)
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.plugin.manifest()
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.plugin.digest().as_bytes()
    }

    pub(crate) fn decider(&self) -> Decider {
        Decider::Plugin { id: self.id.clone(), version: self.plugin.version().to_string() }
    }

    /// How it judges the records of an object before they are saved, if it does and may.
    pub(crate) fn hook(&self, object: &str) -> Option<&RecordHookUse> {
        let hook = self.manifest().record_hooks.iter().find(|hook| hook.object.as_str() == object)?;
        self.grants.allow_any(&format!("judge:{object}(")).then_some(hook)
    }

    /// What becomes of saves that it cannot judge.
    pub(crate) fn unjudged(&self, hook: &RecordHookUse) -> AbsentPolicy {
        unjudged(&self.absent, hook)
    }

    /// What becomes of records that it cannot check before they are closed.
    pub(crate) fn unchecked(&self) -> AbsentPolicy {
        let workflow = self.manifest().service_workflow.as_ref();
        unchecked(&self.absent, workflow.and_then(|workflow| workflow.closed.as_ref()))
    }

    /// Whether it guides the work on records of an object, and may see them.
    pub(crate) fn guides(&self, object: &str) -> bool {
        let workflow = self.manifest().service_workflow.as_ref();
        workflow.is_some_and(|workflow| workflow.object.as_str() == object)
            && self.grants.allow_any(&format!("see:{object}("))
    }

    /// Whether it is asked before a record of an object is closed.
    pub(crate) fn checks_closing(&self, object: &str) -> bool {
        let workflow = self.manifest().service_workflow.as_ref();
        workflow.is_some_and(|workflow| workflow.closed.is_some()) && self.guides(object)
    }
}

/// What becomes of saves that a plugin cannot judge, where an admin says `instead`.
pub(super) fn unjudged(instead: &BTreeMap<AbsentUse, AbsentPolicy>, hook: &RecordHookUse) -> AbsentPolicy {
    instead.get(&AbsentUse::RecordHook).copied().unwrap_or(hook.on_failure.into())
}

/// What becomes of records that a plugin cannot check before they are closed, where an admin says `instead`.
pub(super) fn unchecked(
    instead: &BTreeMap<AbsentUse, AbsentPolicy>,
    closed: Option<&Closed>,
) -> AbsentPolicy {
    let declared = closed.map(|closed| closed.on_failure).unwrap_or_default();
    instead.get(&AbsentUse::CloseCheck).copied().unwrap_or(declared.into())
}
