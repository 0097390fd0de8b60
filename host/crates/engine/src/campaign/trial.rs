//! A version of a plugin asked about campaigns, beside what there is already: the members of active campaigns, or a recorded run. Nobody
//! becomes a member, and nothing is sent.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_model::{Batch, Filter, NamedRecord, Op, PluginId, RecordId, Scope, Value};
use trellis_plugin_host::{CallContext, Plugin, Used};
use trellis_records::Query;

use super::{
    audience::InAudience,
    change::{self, Verdict},
    deciding,
    members::{self, Member},
    next::{self, Asked},
    object,
    replay::show,
    seen::Seen,
};
use crate::{
    Error, Result, actions,
    capsule::{Header, Kind, Unusable},
    compare::{Bands, RowsDiff, Trial, Uses},
    decisions::StoredNamed,
    plugins::{Enabled, checked_config, hex},
    run::{self, Source, narrow},
    stored,
};

/// Records of a page.
const PAGE_ROWS: usize = 200;

/// An active campaign as a version of its plugin would decide for it.
struct Campaign {
    record: NamedRecord,
    audience: Option<Filter>,
    config: Option<Json>,
}

/// What a version says about a campaign.
#[derive(Debug, Default)]
struct Counts {
    customers: u64,
    eligible: u64,
    variants: BTreeMap<String, u64>,
    causes: BTreeMap<String, u64>,
    failures: BTreeMap<String, u64>,
    members: BTreeMap<&'static str, u64>,
    actions: BTreeMap<String, u64>,
    refused: BTreeMap<String, Json>,
}

/// Asks a plugin about every active campaign that names it, up to a limit. `used` is the version in use, to compare with.
pub(crate) fn dry_run(
    trial: &Trial<'_>,
    candidate: &Enabled,
    used: Option<&Enabled>,
    as_of: AsOf,
) -> Result<Json> {
    let campaigns = active(trial, &candidate.id)?;
    let total = campaigns.len();
    let mut shown = Vec::new();
    for campaign in campaigns.into_iter().take(trial.limits.dry_run_campaigns_max) {
        (trial.check)()?;
        shown.push(one(trial, candidate, used, as_of, &campaign)?);
    }
    Ok(json!({ "active": total, "campaigns": shown }))
}

fn active(trial: &Trial<'_>, plugin: &PluginId) -> Result<Vec<Campaign>> {
    let active = Filter::compare("status", Op::Eq, "active").expect("`status` is a field's name");
    let mut query = Query { filter: active, limit: PAGE_ROWS, ..Query::new(object("campaign")) };
    let mut campaigns = Vec::new();
    loop {
        let page = trial.wait(trial.view.list(&Scope::everything(), &query))?;
        let named = page.records.iter().filter_map(|record| trial.view.named(record));
        for record in named.filter(|record| text(record, "rules_plugin") == Some(plugin.as_str())) {
            let audience = json_of(&record, "audience").map(|json| Filter::parse(&json)).transpose();
            let unusable = |error: trellis_model::Error| Error::InvalidRequest {
                reason: format!("campaign {} has an unusable `audience`: {error}", record.id),
            };
            let audience = audience.map_err(unusable)?;
            let config = json_of(&record, "rules_config");
            campaigns.push(Campaign { record, audience, config });
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(campaigns),
        }
    }
}

fn one(
    trial: &Trial<'_>,
    candidate: &Enabled,
    used: Option<&Enabled>,
    as_of: AsOf,
    campaign: &Campaign,
) -> Result<Json> {
    let at = trial.view.context(trial.view.new_id(), as_of);
    let (config, seen) = (config_of(candidate, campaign)?, seen(candidate, campaign));
    let spec = run::granted_to(candidate, &config, &trial.view.schema())?;
    let used = used.filter(|used| same_rows(used, candidate, campaign));
    let (mut counts, mut diff) = (Counts::default(), RowsDiff::new(trial.diff_limits(), Bands::default()));
    let members = trial.wait(members_of(trial, campaign.record.id))?;
    let audience =
        campaign.audience.as_ref().map(|audience| trial.wait(ordinals(trial, audience))).transpose()?;
    let rows = trial.wait(trial.view.dataset(&spec, as_of, trial.batch_rows))?;
    let mut rows = InAudience { rows, audience };
    while let Some(batch) = rows.next()? {
        (trial.check)()?;
        let verdicts = deciding::decide(deciding::rules(&candidate.plugin)?, &seen, &config, &batch, &at)?;
        if let Some(used) = used {
            let (seen, config) = (self::seen(used, campaign), config_of(used, campaign)?);
            let before = deciding::decide(deciding::rules(&used.plugin)?, &seen, &config, &batch, &at)?;
            for ((ordinal, before), after) in batch.ordinals.iter().zip(&before).zip(&verdicts) {
                diff.add(*ordinal, &show(before), &show(after));
            }
        }
        let asked = counts.add(trial, &batch, &verdicts, &members)?;
        next_actions(candidate, (&seen, &config), &batch, asked, &at, &mut counts)?;
        (trial.progress)(counts.customers, Some(rows.rows()));
        if counts.customers >= trial.limits.dry_run_customers_max {
            break;
        }
    }
    let against = used.map(|_| trial.show(&spec.object, &diff)).transpose()?;
    Ok(json!({
        "campaign": campaign.record.id.to_string(),
        "name": text(&campaign.record, "name"),
        "customers": counts.customers,
        "eligible": counts.eligible,
        "variants": counts.variants,
        "causes": counts.causes,
        "failures": counts.failures,
        "members": counts.members,
        "actions": counts.actions,
        "refused": counts.refused,
        "against_version_in_use": against,
    }))
}

/// Whether two versions read the same rows, so that what they say can be compared.
fn same_rows(used: &Enabled, candidate: &Enabled, campaign: &Campaign) -> bool {
    let missing = || {
        let (of_candidate, of_used) = (config_of(candidate, campaign)?, config_of(used, campaign)?);
        run::not_recorded((candidate.manifest(), &of_candidate), (used.manifest(), &of_used))
    };
    missing().is_ok_and(|missing| missing.is_empty())
}

fn config_of(enabled: &Enabled, campaign: &Campaign) -> Result<String> {
    match &campaign.config {
        Some(config) => Ok(checked_config(&enabled.id, &enabled.plugin, config.clone())?.to_string()),
        None => Ok(enabled.config.clone()),
    }
}

/// What a version sees of a campaign.
fn seen(enabled: &Enabled, campaign: &Campaign) -> NamedRecord {
    let mut seen = campaign.record.clone();
    let fields = enabled.manifest().campaign_rules.as_ref().map(|used| &used.campaign_fields);
    let object = seen.object.clone();
    let shows = |name: &trellis_model::FieldName| enabled.shows(&object, name);
    seen.fields.retain(|name, _| fields.is_some_and(|fields| fields.contains(name)) && shows(name));
    seen
}

async fn members_of(trial: &Trial<'_>, campaign: RecordId) -> Result<HashMap<RecordId, Member>> {
    let filter =
        Filter::compare("campaign", Op::Eq, campaign.to_string()).expect("`campaign` is a field's name");
    let mut query = Query { filter, limit: PAGE_ROWS, ..Query::new(object("campaign_member")) };
    let (mut members, schema) = (HashMap::new(), trial.view.schema());
    loop {
        let page = trial.view.list(&Scope::everything(), &query).await?;
        let found = page.records.iter().filter_map(|record| members::of_record(&schema, record));
        members.extend(found.map(|member| (member.account, member)));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(members),
        }
    }
}

async fn ordinals(trial: &Trial<'_>, audience: &Filter) -> Result<Arc<[u64]>> {
    let mut query = Query { filter: audience.clone(), limit: PAGE_ROWS, ..Query::new(object("account")) };
    let mut ordinals = Vec::new();
    loop {
        (trial.check)()?;
        let page = trial.view.list(&Scope::everything(), &query).await?;
        ordinals.extend(page.records.iter().filter_map(|record| record.ordinal));
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    ordinals.sort_unstable();
    Ok(ordinals.into())
}

impl Counts {
    /// Counts what a batch comes to, and returns whom the plugin would be asked about next.
    fn add(
        &mut self,
        trial: &Trial<'_>,
        batch: &Batch,
        verdicts: &[Verdict],
        members: &HashMap<RecordId, Member>,
    ) -> Result<Vec<Asked>> {
        let ids = trial.wait(trial.view.ids_of(&object("account"), &batch.ordinals))?;
        let mut asked = Vec::new();
        for (row, (verdict, account)) in verdicts.iter().zip(ids).enumerate() {
            self.customers += 1;
            match verdict {
                Verdict::TakesPart { variant } => {
                    self.eligible += 1;
                    *self.variants.entry(variant.clone().unwrap_or_default()).or_default() += 1;
                }
                Verdict::StaysOut { cause } => {
                    *self.causes.entry(cause.clone().unwrap_or_default()).or_default() += 1;
                }
                Verdict::Failed { code } => *self.failures.entry(code.clone()).or_default() += 1,
            }
            let Some(account) = account else { continue };
            let member = members.get(&account);
            let change = change::change(account, member, verdict);
            if let Some(change) = &change {
                *self.members.entry(change.name()).or_default() += 1;
            }
            let after = change.map(|change| change.after(account)).or_else(|| member.cloned());
            let takes_part = matches!(verdict, Verdict::TakesPart { .. });
            asked.extend(
                after.filter(|after| takes_part && next::is_open(after)).map(|member| Asked { row, member }),
            );
        }
        Ok(asked)
    }
}

/// What the plugin would have done next, by kind, and what of it its grants would refuse.
fn next_actions(
    candidate: &Enabled,
    (seen, config): (&NamedRecord, &str),
    batch: &Batch,
    asked: Vec<Asked>,
    at: &CallContext,
    counts: &mut Counts,
) -> Result<()> {
    if asked.is_empty() {
        return Ok(());
    }
    let rows: Vec<usize> = asked.iter().map(|asked| asked.row).collect();
    let batch = next::with_membership(batch.pick(&rows), &asked);
    let next = deciding::rules(&candidate.plugin)?.next_action(seen, batch, config, at)?;
    for action in next.rows.iter().flat_map(|row| &row.actions) {
        *counts.actions.entry(action.kind().to_owned()).or_default() += 1;
        if let Err(refusal) = actions::for_plugin(candidate.manifest(), &candidate.grants, action) {
            counts.refused.insert(action.kind().to_owned(), crate::decisions::text_json(&refusal.message));
        }
    }
    Ok(())
}

/// What came of a campaign's run that was done again.
pub(crate) struct Compared {
    pub(crate) diff: RowsDiff,
    pub(crate) failed: u64,
    pub(crate) shown: Json,
    pub(crate) uses: Uses,
}

/// Does the run of a campaign again with another version: who takes part, in which variant.
pub(crate) fn replay_with(
    trial: &Trial<'_>,
    (id, run, digest): (&PluginId, RecordId, &[u8; 32]),
    version: Option<&Plugin>,
    candidate: &Plugin,
    config: Option<&Json>,
) -> Result<Compared> {
    let usable = |why: Unusable| Error::InputsExpired { run, reason: why.0 };
    let mut kept = trial.archive.verified(digest).map_err(usable)?;
    let end = kept.end().map_err(usable)?;
    let header = kept.header().clone();
    let campaign = campaign_of(&header, run)?;
    let at = header.at.context(run);
    let config = match config {
        Some(config) => config.clone(),
        None => serde_json::from_str(&header.config)
            .map_err(|error| Error::Damaged { what: format!("configuration of run {run}: {error}") })?,
    };
    let config = checked_config(id, candidate, config)?.to_string();
    let (schema, grants) = (trial.view.schema(), trial.grants);
    let seen = Seen::of(candidate.manifest(), &config, &schema, grants)?;
    let seen_before =
        version.map(|version| Seen::of(version.manifest(), &header.config, &schema, grants)).transpose()?;
    let columns = run::dataset(candidate.manifest(), &config)?.columns;
    let columns: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    let mut inputs = trial.archive.reader(digest).map_err(usable)?.into_inputs(end.rows);
    let mut diff = RowsDiff::new(trial.diff_limits(), Bands::default());
    let (used, before_used, mut failed) = (candidate.used(), version.map(Plugin::used), 0);
    while let Some(batch) = inputs.next().map_err(usable)? {
        (trial.check)()?;
        check_columns(id, run, candidate, &columns, &batch)?;
        if let Some((version, seen)) = version.zip(seen_before.as_ref()) {
            let (campaign, batch) =
                (seen.campaign(campaign.clone()), seen.rows.mask_customers(batch.clone()));
            deciding::decide(deciding::rules(version)?, &campaign, &header.config, &batch, &at)?;
        }
        let frame = kept.next(Kind::Results).map_err(usable)?;
        let before: Vec<Verdict> = match frame {
            Some(frame) => stored::decode(&frame.bytes, || format!("results of run {run}"))?,
            None => Vec::new(),
        };
        let batch = seen.rows.mask_customers(narrow(batch, &columns));
        let shown = seen.campaign(campaign.clone());
        let now = deciding::decide(deciding::rules(candidate)?, &shown, &config, &batch, &at)?;
        failed += now.iter().filter(|verdict| matches!(verdict, Verdict::Failed { .. })).count() as u64;
        for (row, (ordinal, now)) in batch.ordinals.iter().zip(&now).enumerate() {
            diff.add(*ordinal, &before.get(row).map_or(Json::Null, show), &show(now));
        }
        (trial.progress)(diff.rows(), Some(end.rows));
    }
    let since = |plugin: &Plugin, before: Used| plugin.used().since(before);
    let before_used = version.zip(before_used).map(|(version, before)| since(version, before));
    let uses = Uses { before: before_used, after: since(candidate, used) };
    let mut shown = trial.show(&object("account"), &diff)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("run".to_owned(), run.to_string().into());
        shown.insert("campaign".to_owned(), campaign.id.to_string().into());
        shown.insert("recorded_version".to_owned(), header.version.clone().into());
        shown.insert("recorded_digest".to_owned(), hex(&header.plugin_digest).into());
        shown.insert("version".to_owned(), candidate.version().to_string().into());
        shown.insert("digest".to_owned(), candidate.digest().to_string().into());
        shown.insert("same".to_owned(), (diff.changed() == 0).into());
        shown.insert("withheld".to_owned(), seen.withheld().into());
        shown.insert("failed".to_owned(), failed.into());
        shown.insert("use".to_owned(), uses.to_json());
    }
    Ok(Compared { diff, failed, shown, uses })
}

fn campaign_of(header: &Header, run: RecordId) -> Result<NamedRecord> {
    let campaign: StoredNamed = stored::decode(&header.campaign, || format!("campaign of run {run}"))?;
    NamedRecord::try_from(campaign)
        .map_err(|error| Error::Damaged { what: format!("campaign of run {run}: {error:?}") })
}

fn check_columns(
    id: &PluginId,
    run: RecordId,
    candidate: &Plugin,
    columns: &[String],
    batch: &Batch,
) -> Result<()> {
    let missing = columns.iter().filter(|name| batch.column(name).is_none());
    let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::not_recorded(id, candidate.version(), ("run", "运行", run), &missing))
}

fn text<'a>(record: &'a NamedRecord, field: &str) -> Option<&'a str> {
    match record.fields.iter().find(|(name, _)| name.as_str() == field) {
        Some((_, Value::Text(text) | Value::Choice(text))) => Some(text),
        _ => None,
    }
}

fn json_of(record: &NamedRecord, field: &str) -> Option<Json> {
    match record.fields.iter().find(|(name, _)| name.as_str() == field) {
        Some((_, Value::Json(json))) => Some(json.clone()),
        _ => None,
    }
}
