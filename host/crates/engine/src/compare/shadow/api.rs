//! Starting, reading, ending and promoting shadows.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde_json::{Value as Json, json};
use trellis_model::{PluginId, RecordId, Text};
use trellis_records::{Caller, EntryBody, NewEntry};

use super::{Shadow, ShadowRequest, figures::FiguresV1, store};
use crate::{
    Engine, Error, PluginInfo, Result, SwitchOptions, UpgradeRequest,
    blocking::blocking,
    compare::{DryRunRequest, StoredComparison, job, verdict},
    jobs::StoredActor,
    plugins::{Enabled, Grants, hex},
    run,
};

/// The event when a shadow starts.
const STARTED: &str = "plugin.shadow-started";
/// The event when it ends.
pub(super) const STOPPED: &str = "plugin.shadow-stopped";
/// Between two looks at whether everything is compared.
const SETTLE: Duration = Duration::from_millis(5);

impl Engine {
    /// Has a version evaluated beside the one in use from now on; a shadow that there was ends. Nothing that it comes to is applied.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::NotEnabled`], [`Error::UnknownVersion`], [`Error::Broken`], [`Error::InvalidSettings`].
    pub async fn shadow_start(&self, caller: &Caller, id: &PluginId, request: ShadowRequest) -> Result<Json> {
        self.core.registry.active(id).await?;
        let ShadowRequest { version, config, grants } = request;
        let asked =
            DryRunRequest { version: Some(version.clone()), config, grants, ..DryRunRequest::default() };
        let order = job::order(&self.core, id, asked).await?;
        let StoredComparison::DryRun { config, grants, .. } = order else {
            return Err(Error::Internal { doing: "starting a shadow", reason: "not a dry run".to_owned() });
        };
        // Until it is there nobody removes the version, or puts other content in its place.
        let _installed = self.core.registry.changing().await;
        let plugin = self.core.registry.metered(id, &version).await?;
        let settings = store::ShadowV1 {
            version: version.to_string(),
            digest: *plugin.digest().as_bytes(),
            config: config.clone(),
            grants: grants.clone(),
            since: *self.new_id().as_bytes(),
            started_at_ms: self.core.records.clock().now_ms(),
            started_by: StoredActor::from(&caller.actor),
        };
        let _changing = self.core.shadows.changing.lock().await;
        let set = store::start(&self.core.records, id, &settings).await?;
        self.core.records.commit(set, Some(entry(caller, STARTED, id, &settings))).await?;
        let candidate = Enabled::new(id, plugin, config, Grants::new(grants), &self.core.records.schema());
        self.core.shadows.put(Shadow::new(candidate, settings, FiguresV1::default()));
        self.shadow_status(id).await
    }

    /// How the shadow of a plugin does: its figures, what they mean for a promotion, and its results of the last runs.
    ///
    /// # Errors
    /// [`Error::NoShadow`].
    pub async fn shadow_status(&self, id: &PluginId) -> Result<Json> {
        let shadow = self.shadow(id)?;
        let figures = shadow.figures();
        let (shown, _) = verdict(&figures.for_verdict(), &self.core.config.compare);
        let in_use =
            self.core.registry.get(id).and_then(|info| info.settings).and_then(|settings| settings.version);
        let runs = store::results(&self.core.records, id).await?;
        let shown_run = |(run, results): (RecordId, store::ResultsV1)| {
            json!({
                "run": run.to_string(),
                "version": results.version,
                "results": results.digest.map(|digest| hex(&digest)),
                "compared": serde_json::from_str::<Json>(&results.compared).unwrap_or_default(),
            })
        };
        Ok(json!({
            "plugin": id.as_str(),
            "version": shadow.settings.version,
            "version_in_use": in_use.map(|version| version.to_string()),
            "config": serde_json::from_str::<Json>(&shadow.settings.config).unwrap_or_default(),
            "started_at_ms": shadow.settings.started_at_ms,
            "figures": figures.to_json(),
            "verdict": shown,
            "runs": runs.into_iter().map(shown_run).collect::<Vec<_>>(),
        }))
    }

    /// What the shadow of a plugin came to for one record in the last run that it did again, beside what the version in use had come to.
    ///
    /// # Errors
    /// [`Error::NoShadow`], [`Error::NoExplanation`] where no results are kept, [`Error::Records`] where the caller does not see the record.
    pub async fn shadow_row(&self, caller: &Caller, id: &PluginId, record: RecordId) -> Result<Json> {
        let (shadow, core) = (self.shadow(id)?, Arc::clone(&self.core));
        let none = |en: &str, zh_cn: &str| Error::NoExplanation {
            name: format!("shadow of {id}"),
            reason: Text::new(en, zh_cn),
        };
        let object = run::dataset(shadow.candidate.manifest(), &shadow.candidate.config)?.object;
        let found = core.records.find(&caller.scope, &object, record).await?;
        let ordinal =
            found.ordinal.ok_or_else(|| none("is about objects without columns", "所涉对象没有列数据"))?;
        let kept = store::results(&core.records, id).await?.into_iter().find_map(|(run, results)| {
            let digest = results.digest.filter(|_| results.version == shadow.settings.version)?;
            Some((run, digest))
        });
        let (run, digest) = kept.ok_or_else(|| none("keeps no results of a run", "未保留任何运行的结果"))?;
        let made_by = match run::record(&core.records, id, run).await? {
            Some(made) => Some(core.registry.metered(id, &made.semver()?).await?),
            None => None,
        };
        let recorded = self.view().ledger().capsule(id, run).await?.zip(made_by);
        let rows = blocking("reading results of a shadow", move || {
            let archive = core.capsules.archive();
            let after = run::row_in(archive, &digest, &shadow.candidate.plugin, ordinal)?;
            let before = recorded.map(|(digest, made_by)| run::row_in(archive, &digest, &made_by, ordinal));
            Ok::<_, Error>((before.transpose()?.flatten(), after))
        });
        let (before, after) = rows.await??;
        Ok(json!({
            "plugin": id.as_str(),
            "run": run.to_string(),
            "object": object.as_str(),
            "record": record.to_string(),
            "before": before,
            "after": after,
        }))
    }

    /// Ends the shadow of a plugin.
    ///
    /// # Errors
    /// [`Error::NoShadow`].
    pub async fn shadow_stop(&self, caller: &Caller, id: &PluginId) -> Result<()> {
        let shadow = self.shadow(id)?;
        self.end(caller, &shadow).await
    }

    /// Ends a shadow, if it did not end meanwhile.
    async fn end(&self, caller: &Caller, shadow: &Arc<Shadow>) -> Result<()> {
        let (_changing, id) = (self.core.shadows.changing.lock().await, &shadow.candidate.id);
        if !self.core.shadows.is_active(shadow) {
            return Ok(());
        }
        let set = store::end(&self.core.records, id).await?;
        self.core.records.commit(set, Some(entry(caller, STOPPED, id, &shadow.settings))).await?;
        self.core.shadows.remove(id);
        Ok(())
    }

    /// Uses the version of a plugin's shadow from now on, and ends the shadow. Results stay until the next run.
    ///
    /// # Errors
    /// [`Error::NoShadow`]; [`Error::PromotionRefused`] where what differs is over the limits, or too little was compared, unless
    /// `ignore_thresholds`; what [`Engine::plugin_upgrade`] refuses.
    pub async fn plugin_promote(
        &self,
        caller: &Caller,
        id: &PluginId,
        ignore_thresholds: bool,
    ) -> Result<PluginInfo> {
        let shadow = self.shadow(id)?;
        let figures = shadow.figures();
        let (_, against) = verdict(&figures.for_verdict(), &self.core.config.compare);
        if !against.is_empty() && !ignore_thresholds {
            let version = shadow.settings.version.clone();
            let figures = Box::new(figures.to_json());
            return Err(Error::PromotionRefused { plugin: id.clone(), version, against, figures });
        }
        let config = serde_json::from_str(&shadow.settings.config).map_err(|error| Error::Damaged {
            what: format!("configuration of the shadow of plugin `{id}`: {error}"),
        })?;
        let request = UpgradeRequest {
            version: Some(shadow.candidate.plugin.version().clone()),
            config: Some(config),
            grants: shadow.settings.grants.clone(),
            absent: None,
            on_quarantine: None,
            options: SwitchOptions { reason: Some("promoted".to_owned()), ..SwitchOptions::default() },
        };
        let switched = self.plugin_upgrade(caller, id, request).await?;
        self.end(caller, &shadow).await?;
        Ok(switched.plugin)
    }

    /// Waits until shadows have compared everything that happened so far: for tests and measurements.
    pub async fn shadows_settled(&self) {
        loop {
            self.core.shadows.wake();
            let idle = self.core.shadows.open.load(Relaxed) == 0;
            if idle && self.all_runs_compared().await {
                return;
            }
            tokio::time::sleep(SETTLE).await;
        }
    }

    async fn all_runs_compared(&self) -> bool {
        for shadow in self.core.shadows.all() {
            let newest = self.view().ledger().with_capsules(&shadow.candidate.id, 1).await;
            let newest = newest.ok().and_then(|runs| runs.first().copied());
            let since = crate::compare::id_of(shadow.settings.since);
            if newest.is_some_and(|newest| newest > since && shadow.last_run() != Some(newest)) {
                return false;
            }
        }
        true
    }

    fn shadow(&self, id: &PluginId) -> Result<Arc<Shadow>> {
        self.core.shadows.get(id).ok_or_else(|| Error::NoShadow { plugin: id.clone() })
    }
}

pub(super) fn entry(caller: &Caller, name: &str, id: &PluginId, settings: &store::ShadowV1) -> NewEntry {
    NewEntry {
        actor: caller.actor.clone(),
        cause: caller.cause.clone(),
        body: EntryBody::Event {
            name: name.to_owned(),
            data: json!({ "plugin": id.as_str(), "version": settings.version, "digest": hex(&settings.digest) }),
        },
    }
}
