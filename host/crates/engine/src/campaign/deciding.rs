//! A campaign with the plugin that decides for it.

use std::sync::Arc;

use trellis_columns::{AsOf, DatasetSpec};
use trellis_model::{Batch, Decider, Filter, NamedRecord, PluginId, Reason, Record, RecordId, Scope, Value};
use trellis_plugin_host::{CallContext, CampaignRules, Plugin, RowError};
use trellis_records::Caller;

use super::{change::Verdict, object};
use crate::{
    Error, Result,
    core::Core,
    plugins::{Enabled, PluginState, checked_config},
    run,
};

/// A campaign with the plugin that decides for it.
#[derive(Debug, Clone)]
pub(super) struct Deciding {
    pub(super) id: RecordId,
    /// Whether members are contacted, not only chosen.
    pub(super) is_active: bool,
    /// What the plugin sees of the campaign.
    pub(super) seen: NamedRecord,
    /// Which accounts the campaign is for; `None` for all.
    pub(super) audience: Option<Filter>,
    pub(super) plugin: PluginId,
    pub(super) enabled: Arc<Enabled>,
    /// Up to when data counts.
    pub(super) as_of: AsOf,
    /// JSON, defaults filled in.
    pub(super) config: String,
    /// The rows that the plugin reads.
    pub(super) spec: DatasetSpec,
}

impl Deciding {
    /// A campaign that a caller asks about.
    pub(super) async fn find(core: &Core, caller: &Caller, id: RecordId) -> Result<Self> {
        let record = core.records.find(&caller.scope, &object("campaign"), id).await?;
        Self::of(core, &record).await
    }

    /// A campaign that is to be run: one that is planned or active.
    pub(super) async fn for_run(core: &Core, caller: &Caller, id: RecordId) -> Result<Self> {
        let record = core.records.find(&caller.scope, &object("campaign"), id).await?;
        match text(core, &record, "status").as_deref() {
            Some("planned" | "active") => Self::of(core, &record).await,
            status => {
                let status = status.unwrap_or("without a status");
                Err(unusable(id, &format!("is {status}: only a planned or active one is run")))
            }
        }
    }

    /// The campaign of a record, whatever its status.
    pub(super) async fn of(core: &Core, record: &Record) -> Result<Self> {
        let id = record.id;
        let plugin = text(core, record, "rules_plugin");
        let plugin = plugin.ok_or_else(|| unusable(id, "names no plugin in `rules_plugin`"))?;
        let plugin = PluginId::new(&plugin).map_err(|_| Error::UnknownPlugin { id: plugin })?;
        let active = core.registry.active(&plugin).await?;
        let enabled = core.registry.enabled().iter().find(|enabled| enabled.id == plugin).cloned();
        let enabled = enabled.ok_or_else(|| Error::NotEnabled {
            plugin: plugin.clone(),
            state: PluginState::Disabled.as_str(),
        })?;
        let manifest = enabled.manifest();
        let used = manifest.campaign_rules.as_ref().ok_or_else(|| not_offered(&enabled.plugin))?;
        let mut seen = core.records.schema().named(record).ok_or_else(|| unusable(id, "has no object"))?;
        let (audience, rules_config) = (json(&seen, "audience"), json(&seen, "rules_config"));
        let audience = audience.map(|json| {
            Filter::parse(&json)
                .map_err(|error| unusable(id, &format!("has an unusable `audience`: {error}")))
        });
        let config = match rules_config {
            Some(config) => {
                let config = checked_config(&plugin, &enabled.plugin, config)?;
                run::check_chosen(core, &enabled.plugin, &config)?;
                config
            }
            None => active.config,
        };
        let config = config.to_string();
        let campaign = object("campaign");
        let sees = enabled.grants.allow_any("see:campaign(");
        seen.fields
            .retain(|name, _| sees && used.campaign_fields.contains(name) && enabled.shows(&campaign, name));
        Ok(Self {
            id,
            is_active: text(core, record, "status").as_deref() == Some("active"),
            seen,
            audience: audience.transpose()?,
            spec: run::granted(core, manifest, &config)?,
            config,
            plugin,
            as_of: active.as_of,
            enabled: Arc::clone(&enabled),
        })
    }

    pub(super) fn decider(&self) -> Decider {
        self.enabled.decider()
    }

    pub(super) fn version(&self) -> String {
        self.enabled.plugin.plugin_version().version.to_string()
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.enabled.digest()
    }

    /// What the calls that belong to `run` are told.
    pub(super) fn context(&self, core: &Core, run: RecordId) -> CallContext {
        run::context(core, run, self.as_of)
    }

    pub(super) fn rules(&self) -> Result<CampaignRules<'_>> {
        rules(&self.enabled.plugin)
    }

    /// Says for each row whether it takes part, and in which variant. Blocks.
    pub(super) fn decide(&self, batch: &Batch, at: &CallContext) -> Result<Vec<Verdict>> {
        decide(self.rules()?, &self.seen, &self.config, batch, at)
    }

    /// Says why the row of a batch may or may not take part. Blocks.
    pub(super) fn explain(&self, batch: Batch, at: &CallContext) -> Result<Vec<Reason>> {
        let reasons = self.rules()?.explain(&self.seen, batch, &self.config, at)?;
        Ok(reasons.into_iter().flatten().collect())
    }

    /// Whether an account is in the audience now.
    pub(super) async fn is_in_audience(&self, core: &Core, account: &Record) -> Result<bool> {
        let Some(audience) = &self.audience else { return Ok(!account.is_deleted()) };
        Ok(core.records.would_match(&Scope::everything(), &object("account"), audience, account).await?)
    }
}

pub(super) fn rules(plugin: &Plugin) -> Result<CampaignRules<'_>> {
    plugin.campaign_rules().ok_or_else(|| not_offered(plugin))
}

fn not_offered(plugin: &Plugin) -> Error {
    Error::not_offered(plugin.id(), "campaign-rules")
}

/// Asks for the rows of a batch who takes part, and for those who do, in which variant.
pub(super) fn decide(
    rules: CampaignRules<'_>,
    campaign: &NamedRecord,
    config: &str,
    batch: &Batch,
    at: &CallContext,
) -> Result<Vec<Verdict>> {
    if batch.rows == 0 {
        return Ok(Vec::new());
    }
    let asked = rules.eligible(campaign, batch.clone(), config, at)?;
    let verdict = |(eligible, cause): (&bool, &Option<String>)| match eligible {
        true => Verdict::TakesPart { variant: None },
        false => Verdict::StaysOut { cause: cause.clone() },
    };
    let mut verdicts: Vec<_> = asked.eligible.iter().zip(&asked.causes).map(verdict).collect();
    fail(&mut verdicts, &asked.failed, |row| row);
    let taking: Vec<usize> = (0..verdicts.len())
        .filter(|&row| matches!(verdicts.get(row), Some(Verdict::TakesPart { .. })))
        .collect();
    if taking.is_empty() {
        return Ok(verdicts);
    }
    let variants = rules.assign_variant(campaign, batch.pick(&taking), config, at)?;
    for (&row, variant) in taking.iter().zip(variants.variants) {
        if let Some(verdict) = verdicts.get_mut(row) {
            *verdict = Verdict::TakesPart { variant };
        }
    }
    fail(&mut verdicts, &variants.failed, |row| taking.get(row).copied().unwrap_or(usize::MAX));
    Ok(verdicts)
}

fn fail(verdicts: &mut [Verdict], failed: &[RowError], row_of: impl Fn(usize) -> usize) {
    for error in failed {
        if let Some(verdict) = verdicts.get_mut(row_of(error.row as usize)) {
            *verdict = Verdict::Failed { code: error.code.clone() };
        }
    }
}

fn unusable(id: RecordId, reason: &str) -> Error {
    Error::InvalidRequest { reason: format!("campaign {id} {reason}") }
}

/// The text or option in a field of a campaign.
fn text(core: &Core, record: &Record, field: &str) -> Option<String> {
    let schema = core.records.schema();
    let id = schema.object_by_id(record.object)?.field(field)?.id;
    match record.fields.get(&id) {
        Some(Value::Text(text) | Value::Choice(text)) => Some(text.clone()),
        _ => None,
    }
}

fn json(record: &NamedRecord, field: &str) -> Option<serde_json::Value> {
    match record.fields.iter().find(|(name, _)| name.as_str() == field) {
        Some((_, Value::Json(json))) => Some(json.clone()),
        _ => None,
    }
}
