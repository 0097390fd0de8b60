//! Results that follow the data: customers who changed after a run are evaluated again with its models.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use trellis_columns::{AsOf, DatasetSpec, Delta, DeltaOutcome, GenerationId, Origin, ScoreDelta};
use trellis_model::{Cause, PluginId, RecordId};
use trellis_plugin_host::{AssignedColumn, Plugin, ScoredColumn};

use super::{
    careful,
    causes::Causes,
    context,
    day::{self, Day},
    evaluator::{self, Described, Evaluated, Evaluator, PerInterface},
    inputs::Inputs,
    ledger::RunRecord,
    models,
    outputs::Outputs,
    place, serving, spec, trial,
};
use crate::{
    Error, Result,
    blocking::blocking,
    compare::{Asked, Observed},
    core::Core,
    segments,
};

/// Keeps the results of one run up to date.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(super) id: PluginId,
    pub(super) run: RecordId,
    pub(super) plugin: Arc<Plugin>,
    pub(super) spec: DatasetSpec,
    /// The configuration of the run: JSON text.
    config: String,
    described: Arc<Described>,
    pub(super) outputs: Outputs,
    models: Arc<PerInterface<Vec<u8>>>,
    generation: GenerationId,
    /// Log entry up to which changes are in the results.
    pub(super) log_number: u64,
    /// The same, as the store has it.
    pub(super) saved: u64,
    pub(super) saved_at_ms: i64,
    pub(super) superseded: bool,
    /// The day that the results are of.
    day: Day,
    /// What the results are made of besides records.
    pub(super) inputs: Inputs,
    /// An evaluation ended in a fault, and none went well since.
    careful: bool,
}

/// What is left after everything was followed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Left {
    /// Results of an earlier day, or made of earlier results of other plugins: each time does one part of these.
    pub(crate) more: bool,
    /// What a plugin failed on that may go well when it is tried again in a while.
    pub(crate) to_try: bool,
}

/// Brings the results of every enabled plugin up to date. `followers` is kept by the caller from one time to the next. Returns what is left:
/// of results of an earlier day each call does one part, after what has changed.
///
/// A plugin that fails is named in the log and tried again; the others go on.
pub(crate) async fn follow_all(core: &Core, followers: &mut BTreeMap<PluginId, Follower>) -> Left {
    let enabled: Vec<_> = core.registry.enabled_as_of_now();
    followers.retain(|id, _| enabled.contains(id));
    let mut left = Left::default();
    for id in &enabled {
        match follow(core, id, followers).await {
            Ok(is_left) => left.more |= is_left,
            Err(error) => {
                left.to_try |= careful::may_go_well(&error);
                tracing::warn!(plugin = %id, code = error.code(), "customers who changed were not evaluated again: {error}");
            }
        }
    }
    for id in &enabled {
        let Some(follower) = followers.get_mut(id) else { continue };
        match follower.follow_day(core).await {
            Ok(is_left) => left.more |= is_left,
            Err(error) => {
                left.to_try |= careful::may_go_well(&error);
                tracing::warn!(plugin = %id, code = error.code(), "results were not brought to the new day: {error}");
            }
        }
    }
    // Before why results changed is forgotten.
    left.to_try |= segments::keep_all(core).await;
    if followers.values().all(|follower| follower.has_seen_inputs(core)) {
        core.passed_on.clear();
    }
    // The new day may have changed what others read.
    left.more |= are_behind(core, followers);
    left
}

/// Whether somebody's results are made of what other plugins had put out earlier.
pub(crate) fn are_behind(core: &Core, followers: &BTreeMap<PluginId, Follower>) -> bool {
    followers.values().any(|follower| follower.is_behind_inputs(core))
}

async fn follow(core: &Core, id: &PluginId, followers: &mut BTreeMap<PluginId, Follower>) -> Result<bool> {
    let Some((run, record)) = serving::serving(&core.records, id).await? else { return Ok(false) };
    if followers.get(id).is_none_or(|follower| follower.run != run) {
        match Follower::open(core, id, run, &record).await? {
            Some(follower) => followers.insert(id.clone(), follower),
            None => followers.remove(id),
        };
    }
    match followers.get_mut(id) {
        Some(follower) => {
            follower.catch_up(core).await?;
            follower.follow_inputs(core).await
        }
        None => Ok(false),
    }
}

impl Follower {
    /// Follows a run; `None` where its results do not change by themselves (a fixed date), or what made them is gone.
    pub(super) async fn open(
        core: &Core,
        id: &PluginId,
        run: RecordId,
        record: &RunRecord,
    ) -> Result<Option<Self>> {
        if record.as_of.is_some() {
            return Ok(None);
        }
        let models = models::get_all(&core.records, id, &record.models).await?;
        let plugin = record.plugin(core, id).await?;
        let (Some(models), Some(plugin)) = (models, plugin) else { return Ok(None) };
        let (describing, config) = (Arc::clone(&plugin), record.config.clone());
        let described =
            blocking("asking the plugin what it puts out", move || evaluator::describe(&describing, &config))
                .await??;
        let (place, saved) = place::place(core, id, run).await?.unwrap_or((record.log_number, None));
        let spec = spec::granted(core, plugin.manifest(), &record.config)?;
        Ok(Some(Self {
            id: id.clone(),
            run,
            inputs: Inputs::open(core, (id, run), &spec, saved),
            spec,
            config: record.config.clone(),
            plugin,
            described: Arc::new(described),
            outputs: record.outputs()?,
            models: Arc::new(models),
            generation: GenerationId(record.generation),
            log_number: place,
            saved: place,
            saved_at_ms: core.records.clock().now_ms(),
            superseded: false,
            day: Day::load(core, id, run, record).await?,
            careful: false,
        }))
    }

    /// Evaluates again whoever changed since the last time; returns how many that were.
    pub(super) async fn catch_up(&mut self, core: &Core) -> Result<usize> {
        if self.superseded {
            return Ok(0);
        }
        let (mut changed, head) = (0, core.columns.catch_up().await?);
        loop {
            let before = self.log_number;
            changed += self.catch_up_once(core).await?;
            if self.superseded || self.log_number >= head || self.log_number == before {
                return Ok(changed);
            }
        }
    }

    /// As [`Follower::catch_up`], for a part of the log.
    async fn catch_up_once(&mut self, core: &Core) -> Result<usize> {
        self.begin_attempt();
        let (ordinals, log_number) = core.columns.changed_after(&self.spec, self.log_number).await?;
        let mut causes = self.causes();
        if !ordinals.is_empty() {
            causes.read_to(core, &self.spec, log_number).await?;
        }
        for ordinals in ordinals.chunks(core.config.batch_rows_max.max(1) as usize) {
            self.evaluate_again(core, ordinals, &mut causes).await?;
            if self.superseded {
                return Ok(0);
            }
        }
        self.log_number = log_number;
        if self.is_place_due(core) {
            self.save_place(core).await?;
        }
        Ok(ordinals.len())
    }

    pub(super) fn id(&self) -> &PluginId {
        &self.id
    }

    pub(super) fn run(&self) -> RecordId {
        self.run
    }

    pub(super) fn config(&self) -> &str {
        &self.config
    }

    /// Causes of what changed since the log was followed last.
    pub(super) fn causes(&self) -> Causes {
        Causes::after(self.log_number)
    }

    pub(super) fn begin_attempt(&self) {
        self.plugin.begin_attempt(&self.run.to_string());
    }

    /// Evaluates customers again, all at once. Where that ends in a fault, a few at a time: see [`careful`].
    pub(super) async fn evaluate_again(
        &mut self,
        core: &Core,
        ordinals: &[u64],
        causes: &mut Causes,
    ) -> Result<()> {
        // What was withheld since is withheld from now on.
        self.spec = spec::granted(core, self.plugin.manifest(), &self.config)?;
        if !self.careful {
            match self.evaluate_beside(core, ordinals, &[], causes).await {
                Err(error) if careful::is_fault(&error) && ordinals.len() > 1 => self.careful = true,
                done => return done,
            }
        }
        self.evaluate_carefully(core, ordinals, causes).await?;
        self.careful = false;
        Ok(())
    }

    /// Evaluates customers again, in one batch with others whose results stay as they are.
    pub(super) async fn evaluate_beside(
        &mut self,
        core: &Core,
        ordinals: &[u64],
        others: &[u64],
        causes: &mut Causes,
    ) -> Result<()> {
        let asked: Vec<u64> = ordinals.iter().chain(others).copied().collect();
        let parts = self.evaluated(core, &asked, true).await?;
        // Rows may be newer than the part of the log that is being followed: what else they hold has causes too.
        causes.read_to(core, &self.spec, core.columns.catch_up().await?).await?;
        for (cause, ordinals) in causes.divide(ordinals) {
            let put = self.put(core, &ordinals, &parts, self.origin(cause.clone())).await?;
            self.superseded |= put == Put::Superseded;
            core.passed_on.note(&self.spec.object, cause, ordinals);
        }
        Ok(())
    }

    /// What the plugin says of customers, batch by batch: the ordinals of those who have a row, and their results. A shadow is shown what
    /// `counts`.
    pub(super) async fn evaluated(
        &self,
        core: &Core,
        ordinals: &[u64],
        counts: bool,
    ) -> Result<Vec<(Vec<u64>, Evaluated)>> {
        let mut stream = core.columns.dataset_rows(&self.spec, AsOf::Now, ordinals).await?;
        let at = context::of(core, self.run, AsOf::Now);
        let watches = counts && core.shadows.watches(&self.id);
        let (plugin, described, models) =
            (Arc::clone(&self.plugin), Arc::clone(&self.described), Arc::clone(&self.models));
        let told = at.clone();
        let (parts, watched) = blocking("evaluating changed customers", move || {
            let evaluator = Evaluator { plugin: &plugin, described: &described, models: &models, at: &told };
            let (mut parts, mut watched) = (Vec::new(), Vec::new());
            while let Some(batch) = stream.next()? {
                let (rows, seen) = (batch.ordinals.clone(), watches.then(|| batch.clone()));
                let evaluated = evaluator.evaluate(batch)?;
                watched.extend(seen.map(|batch| {
                    let results = trial::rows_json(&plugin, &described, &rows, &evaluated);
                    Asked::Rows { batch, results }
                }));
                parts.push((rows, evaluated));
            }
            Ok::<_, Error>((parts, watched))
        })
        .await??;
        for asked in watched {
            let (plugin, at) = (self.id.clone(), at.clone());
            core.shadows.offer(&self.id, || Observed { plugin, asked, at, answers: BTreeMap::new() });
        }
        Ok(parts)
    }

    /// Evaluates some of the customers again whose results are of an earlier day; returns whether more are left.
    async fn follow_day(&mut self, core: &Core) -> Result<bool> {
        if self.superseded || !self.day.is_over(core) {
            return Ok(false);
        }
        let rows_max = core.config.day_change_rows_max.clamp(1, core.config.batch_rows_max.max(1));
        // The day before anything is read: what is read after midnight is of a later day, never of an earlier one.
        let today = day::today(core);
        let ordinals = match self.day.affects(core, &self.spec) {
            true => core.columns.ordinals_of(&self.spec, self.day.next(), rows_max as usize).await?,
            false => Vec::new(),
        };
        if !ordinals.is_empty() {
            self.begin_attempt();
            self.evaluate_again(core, &ordinals, &mut self.causes()).await?;
            if self.superseded {
                return Ok(false);
            }
        }
        self.day.advance(core, &self.id, self.run, (today, ordinals.last().copied())).await
    }

    /// Writes new results of `ordinals`; those who are in no part have none any more.
    async fn put(
        &self,
        core: &Core,
        ordinals: &[u64],
        parts: &[(Vec<u64>, Evaluated)],
        origin: Origin,
    ) -> Result<Put> {
        for (place, name) in self.outputs.segmentations.iter().enumerate() {
            let columns = parts.iter().filter_map(|(rows, of)| Some((rows, of.segmentations.get(place)?)));
            let values: HashMap<_, _> =
                columns.flat_map(|(rows, column)| values_by_ordinal(rows, column)).collect();
            let delta = |&ordinal: &u64| Delta {
                ordinal,
                value: values.get(&ordinal).map(|&value| value.to_owned()),
            };
            let deltas: Vec<_> = ordinals.iter().map(delta).collect();
            let outcome = core.columns.put_delta(self.generation, name.as_str(), &deltas, &origin).await?;
            if outcome == DeltaOutcome::Superseded {
                return Ok(Put::Superseded);
            }
        }
        for (place, name) in self.outputs.scores.iter().enumerate() {
            let columns = parts.iter().filter_map(|(rows, of)| Some((rows, of.scores.get(place)?)));
            let values: HashMap<_, _> =
                columns.flat_map(|(rows, column)| scores_by_ordinal(rows, column)).collect();
            let delta = |&ordinal: &u64| ScoreDelta { ordinal, value: values.get(&ordinal).copied() };
            let deltas: Vec<_> = ordinals.iter().map(delta).collect();
            let outcome =
                core.columns.put_score_delta(self.generation, name.as_str(), &deltas, &origin).await?;
            if outcome == DeltaOutcome::Superseded {
                return Ok(Put::Superseded);
            }
        }
        Ok(Put::Done)
    }

    fn origin(&self, cause: Cause) -> Origin {
        Origin { cause: Cause { job: Some(self.run), ..cause }, ..Origin::system("follow") }
    }
}

/// What became of new results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    Done,
    /// Another run was flipped to.
    Superseded,
}

fn values_by_ordinal<'a>(
    rows: &'a [u64],
    column: &'a AssignedColumn,
) -> impl Iterator<Item = (u64, &'a str)> {
    let codes = rows.iter().zip(&column.codes).enumerate();
    let valued = codes.filter(|(row, _)| column.valid.get(*row));
    valued.filter_map(|(_, (&ordinal, &code))| Some((ordinal, column.values.get(code as usize)?)))
}

fn scores_by_ordinal<'a>(rows: &'a [u64], column: &'a ScoredColumn) -> impl Iterator<Item = (u64, f64)> {
    let values = rows.iter().zip(&column.values).enumerate();
    let valued = values.filter(|(row, _)| column.valid.get(*row));
    valued.map(|(_, (&ordinal, &value))| (ordinal, value))
}
