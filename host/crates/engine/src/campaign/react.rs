//! Deciding again about customers whom log entries concern.

use std::{collections::BTreeMap, sync::Arc};

use trellis_model::{Batch, Cause, ChangeKind, Filter, Op, Record, RecordId, Scope, Value};
use trellis_records::{EntryBody, LogEntry, LoggedChange, Query};

use super::{
    OUTSIDE_AUDIENCE, absent,
    change::Verdict,
    deciding::Deciding,
    ids::Occasion,
    members, object,
    settle::{Customer, Settling, Tally},
};
use crate::{Error, Result, blocking::blocking, core::Core, plugins::Enabled, react::may_help_to_retry};

/// Campaigns of a page.
const PAGE_ROWS: usize = 200;

/// A change that concerns a customer, the last one of a page.
#[derive(Debug, Clone)]
struct Concern {
    entry: u64,
    time_ms: i64,
    cause: Cause,
    /// Whether its member record changed, so that the plugin may want something else next.
    of_member: bool,
}

/// Decides again, for every active campaign, about the customers whom a page of the log concerns. Entries without automations are passed
/// over. Costs next to nothing where no enabled plugin decides for campaigns.
///
/// A plugin or campaign that fails is named in the log, and the others go on.
///
/// # Errors
/// Only what may go well when the page is looked at again: the store fails, or no plugin can be called.
pub(crate) async fn react(core: &Core, entries: &[LogEntry]) -> Result<()> {
    let plugins: Vec<_> = core
        .registry
        .enabled()
        .iter()
        .filter(|enabled| enabled.manifest().campaign_rules.is_some())
        .cloned()
        .collect();
    if plugins.is_empty() {
        return Ok(());
    }
    let mut concerned = BTreeMap::new();
    for enabled in &plugins {
        let of_plugin = concerns(core, enabled, entries).await?;
        if !of_plugin.is_empty() {
            concerned.insert(enabled.id.to_string(), of_plugin);
        }
    }
    if concerned.is_empty() {
        return Ok(());
    }
    for campaign in active_campaigns(core).await? {
        let Some(accounts) = plugin_of(core, &campaign).and_then(|plugin| concerned.get(&plugin)) else {
            continue;
        };
        match react_for(core, &campaign, accounts).await {
            Ok(()) => {}
            Err(error) if is_of_this_moment(&error) => return Err(error),
            Err(error) => {
                if let (Some(skipped), Some(last)) = (absent::skipped(core, &error), latest(accounts)) {
                    let occasion = Occasion::of_entry(last.entry, last.time_ms, campaign.id);
                    skipped.record(core, &occasion, &last.cause).await?;
                }
                tracing::warn!(campaign = %campaign.id, code = error.code(), "a campaign did not react: {error}");
            }
        }
    }
    Ok(())
}

/// The last of the changes that concern customers.
fn latest(accounts: &BTreeMap<RecordId, Concern>) -> Option<&Concern> {
    accounts.values().max_by_key(|concern| concern.entry)
}

/// The customers whom entries concern, as the manifest of a plugin says.
async fn concerns(
    core: &Core,
    enabled: &Enabled,
    entries: &[LogEntry],
) -> Result<BTreeMap<RecordId, Concern>> {
    let Some(used) = enabled.manifest().campaign_rules.as_ref() else { return Ok(BTreeMap::new()) };
    let schema = core.records.schema();
    let account = schema.object("account").map(|object| object.id);
    let member = schema.object("campaign_member").map(|object| object.id);
    let related: Vec<_> = used
        .when
        .iter()
        .filter_map(|when| {
            let object = schema.object(when.object.as_str())?;
            Some((object.id, object.field(when.by.as_str())?.id))
        })
        .collect();
    let mut concerned = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.cause.automations_off) {
        let EntryBody::Changes(changes) = &entry.body else { continue };
        for change in changes {
            let mut accounts = Vec::new();
            if Some(change.object) == account && change.kind != ChangeKind::Deleted {
                accounts.push(change.id);
            }
            for (_, field) in related.iter().filter(|(object, _)| *object == change.object) {
                accounts.extend(referred(core, change, *field).await?);
            }
            for account in accounts {
                let cause = Cause {
                    job: entry.cause.job,
                    log: Some(entry.number),
                    depth: entry.cause.depth.saturating_add(1),
                    automations_off: false,
                };
                let of_member = Some(change.object) == member;
                let concern = Concern { entry: entry.number, time_ms: entry.time_ms, cause, of_member };
                let known = concerned.entry(account).or_insert_with(|| concern.clone());
                *known = Concern { of_member: known.of_member || of_member, ..concern };
            }
        }
    }
    Ok(concerned)
}

/// The records that a reference pointed at before a change and points at after it.
async fn referred(
    core: &Core,
    change: &LoggedChange,
    field: trellis_model::FieldId,
) -> Result<Vec<RecordId>> {
    let of = |value: &Option<Value>| match value {
        Some(Value::Reference(id)) => Some(*id),
        _ => None,
    };
    if let Some(moved) = change.fields.as_ref().and_then(|fields| fields.get(&field)) {
        return Ok([of(&moved.before), of(&moved.after)].into_iter().flatten().collect());
    }
    let schema = core.records.schema();
    let Some(object) = schema.object_by_id(change.object) else { return Ok(Vec::new()) };
    let record = core.records.get_deleted_too(&Scope::everything(), &object.name, change.id).await?;
    Ok(record.and_then(|record| of(&record.fields.get(&field).cloned())).into_iter().collect())
}

/// Whether the same may go well later, whatever the plugin does.
fn is_of_this_moment(error: &Error) -> bool {
    matches!(
        error,
        Error::Stopping
            | Error::Records(trellis_records::Error::Contended { .. })
            | Error::Plugin(trellis_plugin_host::Error::Busy { .. })
    ) || may_help_to_retry(error)
}

async fn active_campaigns(core: &Core) -> Result<Vec<Record>> {
    let filter = Filter::compare("status", Op::Eq, "active").expect("`status` is a field's name");
    let mut query = Query { filter, limit: PAGE_ROWS, ..Query::new(object("campaign")) };
    let mut campaigns = Vec::new();
    loop {
        let page = core.records.list(&Scope::everything(), &query).await?;
        campaigns.extend(page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(campaigns),
        }
    }
}

fn plugin_of(core: &Core, campaign: &Record) -> Option<String> {
    let schema = core.records.schema();
    let field = schema.object_by_id(campaign.object)?.field("rules_plugin")?.id;
    match campaign.fields.get(&field) {
        Some(Value::Text(plugin)) => Some(plugin.clone()),
        _ => None,
    }
}

async fn react_for(core: &Core, campaign: &Record, accounts: &BTreeMap<RecordId, Concern>) -> Result<()> {
    let deciding = Arc::new(Deciding::of(core, campaign).await?);
    core.columns.catch_up().await?;
    for (&account, concern) in accounts {
        react_to(core, &deciding, account, concern).await?;
    }
    Ok(())
}

async fn react_to(core: &Core, deciding: &Arc<Deciding>, account: RecordId, concern: &Concern) -> Result<()> {
    let Some(record) = core.records.get(&Scope::everything(), &object("account"), account).await? else {
        return Ok(());
    };
    let occasion = Occasion::of_entry(concern.entry, concern.time_ms, deciding.id);
    let at = deciding.context(core, occasion.run());
    let batch = rows(core, deciding, &record).await?;
    let (asking, told, batch) = (Arc::clone(deciding), at.clone(), Arc::new(batch));
    let asked = Arc::clone(&batch);
    let verdict =
        blocking("asking a plugin who takes part", move || asking.decide(&asked, &told)).await??.pop();
    let row = verdict.is_some().then_some(0);
    let outside = Verdict::StaysOut { cause: Some(OUTSIDE_AUDIENCE.to_owned()) };
    let customer = Customer {
        account,
        row,
        verdict: verdict.unwrap_or(outside),
        member: members::of_account(core, deciding.id, account).await?,
        ask: concern.of_member,
    };
    let (cause, check) = (&concern.cause, &|| Ok(()));
    let settling = Settling { core, deciding, at: &at, occasion: &occasion, cause, check };
    let mut tally = Tally::default();
    settling.settle(&batch, vec![customer], &mut tally).await?;
    for (account, error) in &tally.refusals {
        tracing::info!(campaign = %deciding.id, account = %account, code = error.code(), "a change of a member was refused");
    }
    Ok(())
}

/// The row of a customer; none outside the audience, or where the plugin's data has none.
async fn rows(core: &Core, deciding: &Deciding, account: &Record) -> Result<Batch> {
    if !deciding.is_in_audience(core, account).await? {
        return Ok(Batch::default());
    }
    Ok(core.columns.dataset_row(&deciding.spec, deciding.as_of, account.ordinal).await?)
}
