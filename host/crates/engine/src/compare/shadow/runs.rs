//! Whole runs done again by a shadow, from their capsules.

use serde_json::Value as Json;
use tokio::runtime::Handle;
use trellis_model::{PluginId, RecordId, Scope};
use trellis_plugin_host::CancelFlag;

use super::{Shadow, figures::FiguresV1, store::ResultsV1};
use crate::{
    Error, Result, View, campaign,
    capsule::{CapsuleWriter, Capsules, End, Header},
    compare::{Trial, decisions::not_kept},
    core::Core,
    run,
};

/// What came of a run, to be noted.
pub(super) struct Compared {
    pub(super) figures: FiguresV1,
    pub(super) results: ResultsV1,
}

/// Runs with inputs that ended after the last one that was compared, the oldest first.
pub(super) async fn due(
    view: &View,
    plugin: &PluginId,
    after: RecordId,
    runs_max: usize,
) -> Result<Vec<RecordId>> {
    let mut runs = view.ledger().with_capsules(plugin, runs_max).await?;
    runs.retain(|run| *run > after);
    runs.reverse();
    Ok(runs)
}

/// Does a run again with the shadow. Its results go into a file of their own. Blocks.
pub(super) fn compare(
    core: &Core,
    handle: &Handle,
    shadow: &Shadow,
    run: RecordId,
    cancel: &CancelFlag,
) -> Result<Compared> {
    let view = View::new(&core.records, &core.columns);
    let scope = Scope::everything();
    let check = || if cancel.is_cancelled() { Err(Error::Stopping) } else { Ok(()) };
    let trial = Trial {
        view: &view,
        archive: core.capsules.archive(),
        limits: &core.config.compare,
        batch_rows: core.config.batch_rows_max as usize,
        failed_rows_max: core.config.failed_rows_kept_max,
        handle,
        check: &check,
        progress: &|_, _| {},
        cancel,
        scope: &scope,
        grants: &shadow.candidate.grants,
    };
    let (candidate, id) = (&shadow.candidate.plugin, &shadow.candidate.id);
    let config: Json = serde_json::from_str(&shadow.settings.config).unwrap_or_default();
    let digest = handle.block_on(view.ledger().capsule(id, run))?.ok_or_else(|| not_kept(run))?;
    let Some(record) = handle.block_on(view.ledger().run(id, run))? else {
        let compared = campaign::replay_with(&trial, (id, run, &digest), None, candidate, None)?;
        let figures = FiguresV1 {
            rows: compared.diff.rows(),
            rows_changed: compared.diff.changed(),
            faults: compared.failed,
            ..FiguresV1::default()
        };
        return Ok(Compared { figures, results: results(shadow, None, &compared.shown) });
    };
    let version = handle.block_on(core.registry.metered(id, &record.semver()?))?;
    let recorded = run::Recorded {
        plugin: id,
        run,
        record: &record,
        capsule: &digest,
        version: &version,
        measured: true,
    };
    let mut file = begin(core, shadow, run, &digest);
    let compared = run::replay_with(&trial, recorded, candidate, Some(&config), |frame| {
        let kept = file.take().zip(frame.ok());
        file = kept.and_then(|(mut writer, frame)| writer.write(&frame).is_ok().then_some(writer));
        Ok(())
    })?;
    let (moved, moved_count) = compared.diff.moved();
    let mut figures = FiguresV1 {
        rows: compared.diff.rows(),
        rows_changed: compared.diff.changed(),
        moved,
        moved_count,
        faults: compared.failed,
        ..FiguresV1::default()
    };
    if let Some(before) = compared.uses.before {
        figures.add_use(before, compared.uses.after);
    }
    *shadow.models.lock() = Some(std::sync::Arc::new(compared.models));
    let end = End { rows: compared.diff.rows(), outputs_digest: [0; 32] };
    let digest = file.and_then(|writer| writer.finish(&end).ok()).map(|(digest, _)| digest);
    Ok(Compared { figures, results: results(shadow, digest, &compared.shown) })
}

fn results(shadow: &Shadow, digest: Option<[u8; 32]>, shown: &Json) -> ResultsV1 {
    ResultsV1 { version: shadow.settings.version.clone(), digest, compared: shown.to_string() }
}

/// The file for the results; a shadow goes on without one that cannot be written.
fn begin(core: &Core, shadow: &Shadow, run: RecordId, recorded: &[u8; 32]) -> Option<CapsuleWriter> {
    let capsules: &Capsules = &core.capsules;
    let recorded = capsules.reader(recorded).ok()?;
    let header = Header {
        run: *run.as_bytes(),
        version: shadow.settings.version.clone(),
        plugin_digest: shadow.settings.digest,
        config: shadow.settings.config.clone(),
        ..recorded.header().clone()
    };
    capsules.create(&header, core.config.capsule_bytes_max).ok()
}
