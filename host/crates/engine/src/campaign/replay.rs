//! Doing a campaign's run again from its capsule: who takes part, and in which variant.

use serde_json::{Value as Json, json};
use trellis_model::{NamedRecord, PluginId, RecordId, Text, bilingual};

use super::{change::Verdict, deciding, run::hasher, seen::Seen};
use crate::{
    Error, Result,
    capsule::{Kind, Unusable},
    core::Core,
    decisions::StoredNamed,
    jobs::Running,
    plugins::hex,
    stored,
};

/// Differing customers that are named in the result; the others are counted.
const DIFFERENCES_MAX: usize = 20;

/// Asks the plugin again about every customer of the run and compares. Next actions have decisions of their own, which are replayed one
/// by one.
pub(crate) fn replay(
    core: &Core,
    job: &Running<'_>,
    plugin_id: &PluginId,
    run: RecordId,
    digest: &[u8; 32],
) -> Result<Json> {
    let usable = |why: Unusable| Error::InputsExpired { run, reason: why.0 };
    let mut recorded = core.capsules.verified(digest).map_err(usable)?;
    let end = recorded.end().map_err(usable)?;
    let header = recorded.header().clone();
    let version: semver::Version = header
        .version
        .parse()
        .map_err(|error| Error::Damaged { what: format!("version of run {run}: {error}") })?;
    let plugin = job.wait(core.registry.version(plugin_id, &version))?;
    if *plugin.digest().as_bytes() != header.plugin_digest {
        return Err(Error::CannotRun {
            plugin: plugin_id.clone(),
            reason: replaced(run, &version, &hex(&header.plugin_digest)),
        });
    }
    let campaign: StoredNamed = stored::decode(&header.campaign, || format!("campaign of run {run}"))?;
    let campaign = NamedRecord::try_from(campaign)
        .map_err(|error| Error::Damaged { what: format!("campaign of run {run}: {error:?}") })?;
    let grants = core.registry.granted_again(plugin_id);
    let seen = Seen::of(plugin.manifest(), &header.config, &core.records.schema(), &grants)?;
    let campaign = seen.campaign(campaign);
    let at = header.at.context(run);
    let mut inputs = core.capsules.reader(digest).map_err(usable)?.into_inputs(end.rows);
    let (mut hasher, mut rows, mut differing, mut first) = (hasher(), 0_u64, 0_u64, Vec::new());
    while let Some(batch) = inputs.next().map_err(usable)? {
        job.check()?;
        let batch = seen.rows.mask_customers(batch);
        let verdicts = deciding::decide(deciding::rules(&plugin)?, &campaign, &header.config, &batch, &at)?;
        let bytes = stored::encode(&verdicts);
        hasher.update(&bytes);
        let frame = recorded.next(Kind::Results).map_err(usable)?;
        let before = frame.map(|frame| frame.bytes).unwrap_or_default();
        rows += u64::from(batch.rows);
        if before != bytes {
            let before: Vec<Verdict> = stored::decode(&before, || format!("results of run {run}"))?;
            let changed =
                batch.ordinals.iter().zip(before.iter().zip(&verdicts)).filter(|(_, (a, b))| a != b);
            for (ordinal, (before, now)) in changed {
                differing += 1;
                if first.len() < DIFFERENCES_MAX {
                    first
                        .push(json!({ "ordinal": ordinal, "recorded": show(before), "replayed": show(now) }));
                }
            }
        }
        job.progress(rows, Some(end.rows), "customers");
    }
    let outputs_digest = *hasher.finalize().as_bytes();
    Ok(json!({
        "run": run.to_string(),
        "plugin": plugin_id.as_str(),
        "version": header.version,
        "campaign": campaign.id.to_string(),
        "same": outputs_digest == end.outputs_digest,
        "withheld": seen.withheld(),
        "rows": rows,
        "outputs_digest": hex(&outputs_digest),
        "recorded_digest": hex(&end.outputs_digest),
        "differing": differing,
        "first_differences": first,
    }))
}

pub(super) fn show(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::TakesPart { variant } => json!({ "eligible": true, "variant": variant }),
        Verdict::StaysOut { cause } => json!({ "eligible": false, "cause": cause }),
        Verdict::Failed { code } => json!({ "failed": code }),
    }
}

fn replaced(run: RecordId, version: &semver::Version, digest: &str) -> Text {
    bilingual!(
        "run {run} was made by version {version} with digest {digest}, which was replaced by other content",
        "运行 {run} 使用的版本 {version}（摘要 {digest}）已被其他内容替换"
    )
}
