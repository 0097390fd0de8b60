//! The end of a run: its results are flipped to and the run is written down in one write set, so that no result is without its run; then
//! what follows from that, which a stop may interrupt and the next attempt does again.

use trellis_columns::{FlipRequest, GenerationId, Origin};
use trellis_model::PluginId;

use super::{
    evaluate::Tally,
    follow::Follower,
    gather::{Made, Making},
    learned::{self, ModelSource},
    ledger::{self, RunRecord},
    plugin_run::{Evaluated, Fitted, Run, timed},
    report::{self, Report, Timings},
};
use crate::{
    Error, Result, as_of,
    capsule::{self, End},
    core::Core,
    jobs::Running,
    lifecycle,
};

impl Run<'_> {
    /// Has the results serve and writes the run down, or drops them: where somebody cancelled the run, or its version does not serve any more.
    /// The position and the log number are those up to which changes are in its rows.
    pub(super) fn end(
        &mut self,
        fitted: &Fitted,
        evaluated: &Evaluated,
        capsule: Making,
        (position, log_number): (u64, u64),
    ) -> Result<RunRecord> {
        let (core, job) = (self.core, self.job);
        let mut record = self.record(fitted, evaluated, position, log_number);
        let end = End { rows: evaluated.tally.customers, outputs_digest: record.outputs_digest };
        let mut parts = self.parts;
        let capsule: Made = timed(&mut parts.store, || Ok(capsule.finish(&end)))?;
        self.parts = parts;
        // From the look at which version serves to the flip nobody changes that.
        let changing = job.wait(core.registry.changing());
        let (id, version) = (self.input.plugin(), &self.input.of.version);
        let served = || core.registry.check_still_served(id, version, &record.plugin_digest);
        if let Err(error) = job.check().and_then(|()| served()) {
            drop(changing);
            if let Ok((digest, _)) = capsule {
                core.capsules.remove(&digest);
            }
            job.wait(core.columns.discard(evaluated.generation))?;
            return Err(error);
        }
        match &self.read {
            Some(read) => core.read_by_runs.put(id, job.id(), read.clone()),
            None => core.read_by_runs.forget(id),
        }
        self.flip(&mut record, fitted, &evaluated.tally, &capsule)?;
        drop(changing);
        complete(core, job, self.input.plugin(), &mut record)?;
        Ok(record)
    }

    fn flip(&mut self, record: &mut RunRecord, fitted: &Fitted, tally: &Tally, capsule: &Made) -> Result<()> {
        let (core, job, id) = (self.core, self.job, self.input.plugin());
        let result = |record: &RunRecord, timings: &Timings| {
            let (run, input, models) = (job.id(), self.input, &fitted.about);
            let inputs = report::inputs(&core.columns, self.dataset());
            Report { run, input, record, models, tally, capsule, timings, inputs }.result().to_string()
        };
        record.result = result(record, &self.parts);
        let digest = capsule.as_ref().ok().map(|(digest, _)| *digest);
        let also = job.wait(ledger::puts(&core.records, id, job.id(), record, digest))?;
        let request = FlipRequest {
            run: job.id(),
            baseline: record.baseline,
            as_of: self.input.of.as_of,
            data: report::flip_data(id, record),
            origin: origin(job),
        };
        let (generation, mut parts) = (GenerationId(record.generation), self.parts);
        timed(&mut parts.flip, || Ok(job.wait(core.columns.flip_with(generation, request, also))?))?;
        record.result = result(record, &parts);
        self.parts = parts;
        Ok(())
    }

    fn record(&self, fitted: &Fitted, evaluated: &Evaluated, position: u64, log_number: u64) -> RunRecord {
        let names =
            |names: &[trellis_model::SegmentationName]| names.iter().map(ToString::to_string).collect();
        RunRecord {
            version: self.input.of.version.to_string(),
            plugin_digest: *self.plugin.digest().as_bytes(),
            config: self.config.clone(),
            as_of: as_of::to_days(self.input.of.as_of),
            as_of_day: self.at.as_of_days,
            now_ms: self.at.now_ms,
            seed: self.at.seed,
            models: fitted.digests.clone(),
            fitted: self.input.model == ModelSource::New,
            log_number,
            position,
            generation: evaluated.generation.0,
            baseline: self.is_baseline(fitted),
            segmentations: names(&self.outputs.segmentations),
            scores: names(&self.outputs.scores),
            outputs_digest: evaluated.outputs_digest,
            result: String::new(),
            model: fitted.number,
        }
    }

    /// A first run has nothing to compare with; a new model moves customers who did nothing, which is news only if asked for.
    fn is_baseline(&self, fitted: &Fitted) -> bool {
        match &self.previous {
            None => true,
            Some((_, last)) => {
                let is_same_model = self.input.model != ModelSource::New && last.models == fitted.digests;
                !is_same_model && !self.input.announce
            }
        }
    }
}

/// Adds to a run that was written down when it was flipped to what was not known before: the figures of its results. Nothing where they are
/// there.
pub(super) fn complete(
    core: &Core,
    job: &Running<'_>,
    plugin: &PluginId,
    record: &mut RunRecord,
) -> Result<()> {
    let mut result = record.result()?;
    if !report::add_figures(&mut result, record, &core.columns) {
        return Ok(());
    }
    record.result = result.to_string();
    job.wait(ledger::put(&core.records, plugin, job.id(), record))
}

/// What comes after the flip, and again after a crash there: transitions, what changed while the run ran, old models and capsules.
pub(super) async fn finish(
    core: &Core,
    job: &Running<'_>,
    plugin: &PluginId,
    record: &RunRecord,
) -> Result<()> {
    let generation = GenerationId(record.generation);
    if core.columns.pending_transitions().contains(&generation) {
        core.columns.transitions(generation, &origin(job)).await?;
    }
    // A run's outputs may be new, and its plugin may be away by now.
    lifecycle::renew_presence(core, plugin).await?;
    match follow_up(core, job, plugin, record).await {
        // The results serve; whoever changed meanwhile is asked about again, as after every change.
        Err(error @ (Error::Plugin(_) | Error::Broken { .. })) => {
            tracing::warn!(%plugin, code = error.code(), "customers who changed during a run wait: {error}");
        }
        other => other?,
    }
    learned::prune(&core.records, plugin, core.config.models_kept_per_plugin).await?;
    capsule::delete_old(&core.records, &core.capsules, plugin, core.config.capsules_kept_per_plugin).await?;
    core.expire_capsules().await
}

/// Evaluates again whoever changed while the run ran.
async fn follow_up(core: &Core, job: &Running<'_>, plugin: &PluginId, record: &RunRecord) -> Result<()> {
    let Some(mut follower) = Follower::open(core, plugin, job.id(), record).await? else { return Ok(()) };
    for _ in 0..core.config.catch_up_rounds_max {
        let changed = follower.catch_up(core).await?;
        if !follower.follow_inputs(core).await? && changed == 0 {
            break;
        }
    }
    follower.leave_inputs(core);
    Ok(())
}

/// Writes the transitions that a crash kept from being written: a flip is refused while those of the last one are pending.
pub(crate) async fn finish_transitions(core: &Core) -> Result<()> {
    for generation in core.columns.pending_transitions() {
        core.columns.transitions(generation, &Origin::system("start-up")).await?;
    }
    Ok(())
}

fn origin(job: &Running<'_>) -> Origin {
    Origin { actor: job.caller().actor.clone(), cause: job.caller().cause.clone() }
}
