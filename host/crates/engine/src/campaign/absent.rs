//! Campaigns whose plugin cannot be called: their runs fail, or leave the members as they are and say so, as the plugin's use says.

use serde_json::{Value as Json, json};
use trellis_model::{Cause, Decider, PluginId, RecordId};
use trellis_plugin_host::manifest::{AbsentPolicy, AbsentUse};
use trellis_records::Caller;

use super::{deciding::Deciding, ids::Occasion, object};
use crate::{
    Error, Result,
    core::Core,
    decisions::{self, DecisionKind, NewDecision},
};

/// That a plugin was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) plugin: PluginId,
    code: &'static str,
    message: String,
}

/// Finds out whether a campaign can be run, so that one that cannot is refused before there is a job.
pub(crate) async fn check(core: &Core, caller: &Caller, id: RecordId) -> Result<()> {
    match Deciding::for_run(core, caller, id).await {
        Err(error) if skipped(core, &error).is_none() => Err(error),
        _ => Ok(()),
    }
}

/// That a plugin is left out, where that it cannot be called is why something failed, and its use says so.
pub(super) fn skipped(core: &Core, error: &Error) -> Option<Skipped> {
    let plugin = match error {
        Error::NotEnabled { plugin, .. } | Error::Broken { plugin, .. } => plugin,
        Error::Plugin(trellis_plugin_host::Error::Unavailable { plugin, .. }) => &plugin.id,
        _ => return None,
    };
    let is_left_out = core.registry.absence(plugin, AbsentUse::CampaignRules) == AbsentPolicy::Skip;
    let (plugin, code, message) = (plugin.clone(), error.code(), error.to_string());
    is_left_out.then_some(Skipped { plugin, code, message })
}

impl Skipped {
    /// What a run's result says.
    pub(super) fn to_json(&self) -> Json {
        json!({ "code": self.code, "message": self.message })
    }

    /// Has the ledger say it, as a decision about the campaign. Done again, it says it once.
    pub(super) async fn record(&self, core: &Core, occasion: &Occasion, cause: &Cause) -> Result<()> {
        let version = self.version(core);
        let digest =
            version.as_ref().and_then(|version| core.registry.digest_of(&self.plugin, Some(version)));
        let new = NewDecision {
            kind: DecisionKind::Eligibility,
            time_ms: core.records.clock().now_ms(),
            by: Decider::Plugin { id: self.plugin.clone(), version: text(version.as_ref()) },
            digest: digest.map(|digest| *digest.as_bytes()).unwrap_or_default(),
            object: object("campaign"),
            record: occasion.campaign,
            log: cause.log,
            depth: cause.depth,
            job: cause.job,
            outcome: json!({ "skipped": self.to_json() }),
            reasons: Vec::new(),
            actions: Vec::new(),
            capsule: None,
        };
        let (decision, _) = new.into_decision(occasion.skipped());
        core.pruner.note(&core.records, 1);
        decisions::put(&core.records, &decision, None).await
    }

    /// The result of a run that could ask nothing at all.
    pub(super) fn result(&self, core: &Core, run: RecordId, campaign: RecordId) -> Json {
        json!({
            "run": run.to_string(),
            "campaign": campaign.to_string(),
            "plugin": self.plugin.as_str(),
            "version": text(self.version(core).as_ref()),
            "customers": 0,
            "members": {},
            "skipped": self.to_json(),
        })
    }

    fn version(&self, core: &Core) -> Option<semver::Version> {
        core.registry.settings_of(&self.plugin).and_then(|(settings, _)| settings.version)
    }
}

fn text(version: Option<&semver::Version>) -> String {
    version.map(ToString::to_string).unwrap_or_default()
}
