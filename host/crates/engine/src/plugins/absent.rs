//! Plugins that are enabled and cannot be called because their file is missing, damaged or does not load. What they have to be asked
//! about is known from the manifest that was kept when they were installed.

use std::sync::Arc;

use trellis_model::{Decider, PluginId};
use trellis_plugin_host::{
    Manifest,
    manifest::{Closed, RecordHookUse},
};
use trellis_records::Records;
use trellis_storage::WriteSet;

use super::{Registry, entry::Entry, grants::Grants};
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

    /// Which changes of records of an object it would be asked about before they are closed.
    pub(crate) fn closed(&self, object: &str) -> Option<&Closed> {
        let workflow = self.manifest.service_workflow.as_ref()?;
        let guides = workflow.object.as_str() == object && self.grants.allow_any(&format!("see:{object}("));
        workflow.closed.as_ref().filter(|_| guides)
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

    /// Looks up what the enabled plugins have to be asked about that cannot be called.
    pub(super) async fn find_absent(&self) -> Result<()> {
        let broken: Vec<_> = {
            let plugins = self.plugins.read();
            plugins.iter().filter_map(|(id, entry)| Some((id.clone(), broken(entry)?))).collect()
        };
        let mut absent = Vec::new();
        for (id, (version, digest, reason, granted)) in broken {
            match manifest(&self.records, &id, &digest).await? {
                Some(manifest) => absent.push(Arc::new(Absent {
                    version,
                    digest,
                    reason,
                    manifest: Arc::new(manifest),
                    grants: Grants::new(granted),
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

    /// Forgets those that can be called again, or need not be.
    pub(super) fn renew_absent(&self) {
        let still = |absent: &&Arc<Absent>| {
            let plugins = self.plugins.read();
            let broken = plugins.get(&absent.id).and_then(broken);
            broken.is_some_and(|(_, digest, ..)| digest == absent.digest)
        };
        let known = self.absent();
        if !known.is_empty() {
            *self.absent.write() = known.iter().filter(still).cloned().collect();
        }
    }
}

type Broken = (String, [u8; 32], String, Option<Vec<String>>);

/// The version in use of an enabled plugin that is broken, and why.
fn broken(entry: &Entry) -> Option<Broken> {
    let usage = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
    let installed = entry.versions.get(&usage.version)?;
    let reason = installed.inspection.as_ref().err()?.clone();
    Some((usage.version.to_string(), installed.stored.digest, reason, usage.stored.grants.clone()))
}

async fn manifest(records: &Records, id: &PluginId, digest: &[u8; 32]) -> Result<Option<Manifest>> {
    let key = keys::plugin_manifest(id, digest);
    let Some((bytes, _)) = stored::get(records.store().as_ref(), &key).await? else { return Ok(None) };
    let manifest = std::str::from_utf8(&bytes).ok().and_then(|text| Manifest::parse(text).ok());
    Ok(manifest)
}
