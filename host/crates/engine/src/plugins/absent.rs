//! Plugins that are enabled and cannot be called because their file is missing, damaged or does not load. What they have to be asked
//! about is known from the manifest that was kept when they were installed.

use std::{collections::BTreeMap, sync::Arc};

use trellis_model::{Decider, PluginId, Text};
use trellis_plugin_host::{
    Manifest,
    manifest::{AbsentPolicy, AbsentUse, Closed, RecordHookUse, ServiceWorkflowUse},
};
use trellis_records::Records;
use trellis_storage::WriteSet;

use super::{
    Registry,
    enabled::{unchecked, unjudged},
    entry::Entry,
    grants::Grants,
};
use crate::{Result, keys, stored};

/// An enabled plugin that cannot be called.
#[derive(Debug)]
pub(crate) struct Absent {
    pub(crate) id: PluginId,
    pub(crate) version: String,
    pub(crate) digest: [u8; 32],
    /// Why it cannot be called.
    pub(crate) reason: String,
    manifest: Arc<Manifest>,
    grants: Grants,
    /// What an admin says that happens meanwhile.
    absent: BTreeMap<AbsentUse, AbsentPolicy>,
}

impl Absent {
    pub(crate) fn decider(&self) -> Decider {
        Decider::Plugin { id: self.id.clone(), version: self.version.clone() }
    }

    /// How it would judge the records of an object before they are saved, if it did and might.
    pub(crate) fn hook(&self, object: &str) -> Option<&RecordHookUse> {
        let hook = self.manifest.record_hooks.iter().find(|hook| hook.object.as_str() == object)?;
        self.grants.allow_any(&format!("judge:{object}(")).then_some(hook)
    }

    /// What becomes of saves that it would judge.
    pub(crate) fn unjudged(&self, hook: &RecordHookUse) -> AbsentPolicy {
        unjudged(&self.absent, hook)
    }

    /// What becomes of records that it would check before they are closed.
    pub(crate) fn unchecked(&self, closed: &Closed) -> AbsentPolicy {
        unchecked(&self.absent, Some(closed))
    }

    /// How it would guide the work on records of an object, if it did and might see them.
    pub(crate) fn guided(&self, object: &str) -> Option<&ServiceWorkflowUse> {
        let workflow = self.manifest.service_workflow.as_ref()?;
        let guides = workflow.object.as_str() == object && self.grants.allow_any(&format!("see:{object}("));
        guides.then_some(workflow)
    }

    /// Which changes of records of an object it would be asked about before they are closed.
    pub(crate) fn closed(&self, object: &str) -> Option<&Closed> {
        self.guided(object)?.closed.as_ref()
    }
}

impl Registry {
    /// The enabled plugins that cannot be called.
    pub(crate) fn absent(&self) -> Arc<[Arc<Absent>]> {
        Arc::clone(&self.absent.read())
    }

    /// Keeps the manifest of a component that was installed, for when its file is lost.
    pub(crate) async fn keep_manifest(&self, id: &PluginId, digest: &[u8; 32], manifest: &str) -> Result<()> {
        let key = keys::plugin_manifest(id, digest);
        let store = self.records.store();
        if stored::get(store.as_ref(), &key).await?.is_some() {
            return Ok(());
        }
        let mut set = WriteSet::new();
        stored::put(&mut set, &key, manifest.as_bytes(), 0);
        self.records.commit(set, None).await?;
        Ok(())
    }

    /// What a component of a plugin is called, whether it is installed or was removed; `None` where nothing is known of it.
    pub(crate) async fn name_of(&self, id: &PluginId, digest: &[u8; 32]) -> Result<Option<Text>> {
        {
            let plugins = self.plugins.read();
            let mut versions = plugins.get(id).into_iter().flat_map(|entry| entry.versions.values());
            if let Some(known) = versions.find(|known| known.stored.digest == *digest) {
                return Ok(Some(Text::new(&known.stored.name_en, &known.stored.name_zh_cn)));
            }
        }
        Ok(manifest(&self.records, id, digest).await?.map(|manifest| manifest.name))
    }

    /// Looks up what the enabled plugins have to be asked about that cannot be called.
    pub(super) async fn find_absent(&self) -> Result<()> {
        let broken: Vec<_> = {
            let plugins = self.plugins.read();
            plugins.iter().filter_map(|(id, entry)| Some((id.clone(), broken(entry)?))).collect()
        };
        let mut absent = Vec::new();
        for (id, Broken { version, digest, reason, grants, absent: instead }) in broken {
            match manifest(&self.records, &id, &digest).await? {
                Some(manifest) => absent.push(Arc::new(Absent {
                    version,
                    digest,
                    reason,
                    manifest: Arc::new(manifest),
                    grants: Grants::new(grants),
                    absent: instead,
                    id,
                })),
                None => {
                    tracing::error!(plugin = %id, "it cannot be called, and what it has to be asked about is not known")
                }
            }
        }
        *self.absent.write() = absent.into();
        Ok(())
    }

    /// What happens to something that a plugin is asked for while it cannot be called, as it is used or was before it was disabled.
    pub(crate) fn absence(&self, id: &PluginId, of: AbsentUse) -> AbsentPolicy {
        let (instead, inspection) = {
            let plugins = self.plugins.read();
            let entry = plugins.get(id);
            let usage = entry.and_then(|entry| entry.usage.as_ref());
            let installed = usage.and_then(|usage| entry?.versions.get(&usage.version));
            let inspection = installed.and_then(|installed| installed.inspection.as_ref().ok());
            (usage.map(|usage| usage.stored.absent.clone()).unwrap_or_default(), inspection.cloned())
        };
        if let Some(inspection) = inspection {
            return inspection.manifest.absence(of, &instead);
        }
        let absent = self.absent();
        let absent = absent.iter().find(|absent| absent.id == *id);
        let declared = absent.map(|absent| absent.manifest.absence(of, &instead));
        declared.or_else(|| instead.get(&of).copied()).unwrap_or(of.usual())
    }

    /// Whether a plugin is away for longer than a moment: not enabled, broken or quarantined. One that backs off is tried again soon.
    pub(crate) fn is_away(&self, id: &PluginId) -> bool {
        let digest = {
            let plugins = self.plugins.read();
            let in_use = plugins.get(id).and_then(|entry| {
                let usage = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
                let installed = entry.versions.get(&usage.version)?;
                installed.inspection.is_ok().then_some(installed.stored.digest)
            });
            let Some(digest) = in_use else { return true };
            digest
        };
        self.is_quarantined(&digest)
    }

    /// Forgets those that can be called again, or need not be.
    pub(super) fn renew_absent(&self) {
        let still = |absent: &&Arc<Absent>| {
            let plugins = self.plugins.read();
            let broken = plugins.get(&absent.id).and_then(broken);
            broken.is_some_and(|broken| broken.digest == absent.digest)
        };
        let known = self.absent();
        if !known.is_empty() {
            *self.absent.write() = known.iter().filter(still).cloned().collect();
        }
    }
}

/// A version in use that is broken.
struct Broken {
    version: String,
    digest: [u8; 32],
    reason: String,
    grants: Option<Vec<String>>,
    absent: BTreeMap<AbsentUse, AbsentPolicy>,
}

/// The version in use of an enabled plugin that is broken, and why.
fn broken(entry: &Entry) -> Option<Broken> {
    let usage = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
    let installed = entry.versions.get(&usage.version)?;
    let reason = installed.inspection.as_ref().err()?.clone();
    Some(Broken {
        version: usage.version.to_string(),
        digest: installed.stored.digest,
        reason,
        grants: usage.stored.grants.clone(),
        absent: usage.stored.absent.clone(),
    })
}

async fn manifest(records: &Records, id: &PluginId, digest: &[u8; 32]) -> Result<Option<Manifest>> {
    let key = keys::plugin_manifest(id, digest);
    let Some((bytes, _)) = stored::get(records.store().as_ref(), &key).await? else { return Ok(None) };
    let manifest = std::str::from_utf8(&bytes).ok().and_then(|text| Manifest::parse(text).ok());
    Ok(manifest)
}
