//! Features: count, sum, first, last of a record's events, folded from the log and read again where folding is not enough.

mod as_of;
mod checkpoint;
mod chunk;
mod set;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::civil::Date;
use parking_lot::Mutex;
use trellis_model::{ChangeKind, FieldId, ObjectId, Scope, Value};
use trellis_records::{EntryBody, LogEntry, LoggedChange, Records};

use as_of::PastFeatures;
pub(crate) use as_of::today;
use checkpoint::Moment;
#[cfg(test)]
pub(crate) use chunk::EventNumber;
pub(crate) use chunk::{CHUNK_ROWS, Chunk, FeatureColumns, Sums, place};
use set::FeatureSet;
pub(crate) use set::base_minor_units;

use crate::dataset::{EventSource, Plan};
use crate::population::Population;
use crate::related::RelatedChanges;
use crate::wait::off_thread;
use crate::{AsOf, Columns, DatasetSpec, Error, Result};

pub(crate) type Populations = BTreeMap<ObjectId, Arc<Population>>;

/// Warm features and how far they follow the log.
#[derive(Debug)]
pub(crate) struct Features {
    dir: PathBuf,
    state: tokio::sync::Mutex<State>,
    /// Events objects whose features somebody wants warm.
    declared: Mutex<BTreeMap<ObjectId, EventSource>>,
    /// For readers that do not wait; published by whoever changes `state`.
    populations: ArcSwap<Populations>,
}

/// What the fold changes. Whoever holds its lock is the only reader of the log.
#[derive(Debug)]
pub(crate) struct State {
    /// Number of the last log entry that everything has folded.
    cursor: u64,
    sets: BTreeMap<ObjectId, FeatureSet>,
    populations: Populations,
    /// The last entry that changed each events object.
    touched: BTreeMap<ObjectId, u64>,
    past: PastFeatures,
    changes_since_checkpoint: u64,
}

impl Features {
    /// Loads the checkpoints that fit the store.
    pub(crate) fn open(records: &Records, dir: PathBuf) -> Result<Self> {
        let doing = format!("cannot create folder `{}`", dir.display());
        std::fs::create_dir_all(&dir).map_err(|source| Error::Io { doing, source })?;
        let latest = Moment { epoch: records.store().epoch().0, log_number: records.log_head() };
        let schema = records.schema();
        let (mut sets, mut populations, mut cursor) = (BTreeMap::new(), BTreeMap::new(), latest.log_number);
        for object in schema.objects() {
            if let Some(source) = EventSource::of(&schema, object)
                && let Some(set) = checkpoint::read_features(&features_file(&dir, object.id), &source, latest)
            {
                cursor = cursor.min(set.cursor);
                sets.insert(object.id, set);
            }
            let found = checkpoint::read_population(&population_file(&dir, object.id), object.id, latest);
            if let Some((population, log_number)) = found.filter(|_| object.ordinals) {
                cursor = cursor.min(log_number);
                populations.insert(object.id, Arc::new(population));
            }
        }
        let declared = sets.iter().map(|(object, set)| (*object, set.source.clone())).collect();
        let state = State {
            cursor,
            sets,
            populations,
            touched: BTreeMap::new(),
            past: PastFeatures::default(),
            changes_since_checkpoint: 0,
        };
        let populations = ArcSwap::from_pointee(state.populations.clone());
        Ok(Self { dir, state: tokio::sync::Mutex::new(state), declared: Mutex::new(declared), populations })
    }

    /// The population of an object, where somebody has asked for it before.
    pub(crate) fn population(&self, object: ObjectId) -> Option<Arc<Population>> {
        self.populations.load().get(&object).cloned()
    }

    fn publish(&self, state: &State) {
        self.populations.store(Arc::new(state.populations.clone()));
    }
}

impl Columns {
    /// Folds what the log has gained into features; returns the number of the last entry that is in.
    ///
    /// # Errors
    /// Those of reading the log and the events.
    pub async fn catch_up(self: &Arc<Self>) -> Result<u64> {
        let this = Arc::clone(self);
        let folded = off_thread(async move {
            let mut state = this.features.state.lock().await;
            this.fold_log(&mut state).await?;
            this.warm_declared(&mut state).await?;
            if state.changes_since_checkpoint >= this.config.checkpoint_changes {
                this.write_checkpoints(&mut state)?;
            }
            Ok(state.cursor)
        })
        .await?;
        self.follow_computed().await?;
        Ok(folded)
    }

    /// Writes checkpoint files, so that the next start need not scan. Called at an orderly end; in between it happens by itself.
    ///
    /// # Errors
    /// [`Error::Io`]. What was there before stays usable.
    pub async fn checkpoint(self: &Arc<Self>) -> Result<()> {
        let this = Arc::clone(self);
        off_thread(async move {
            let mut state = this.features.state.lock().await;
            this.fold_log(&mut state).await?;
            this.write_checkpoints(&mut state)
        })
        .await
    }

    /// Has the features of a dataset kept warm from the next [`Columns::catch_up`] on.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::InvalidDataset`].
    pub fn declare(&self, spec: &DatasetSpec) -> Result<()> {
        let plan = Plan::of(&self.records.schema(), spec)?;
        let mut declared = self.features.declared.lock();
        declared.extend(plan.sources.into_iter().map(|source| (source.events, source)));
        Ok(())
    }

    /// Returns the ordinals (ascending) whose row of the dataset may be another after the log entry `log_number`, and the
    /// number of the entry up to which that was looked for: of a long log only a part is read at once.
    ///
    /// # Errors
    /// As [`Columns::dataset`].
    pub async fn changed_after(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        log_number: u64,
    ) -> Result<(Vec<u64>, u64)> {
        let plan = Plan::of(&self.records.schema(), spec)?;
        let this = Arc::clone(self);
        off_thread(async move {
            let (mut cursor, head) = (log_number, this.records.log_head());
            let head = head.min(log_number.saturating_add(this.config.followed_entries_max));
            let (mut ordinals, mut related) = (BTreeSet::new(), RelatedChanges::default());
            while cursor < head {
                let left = usize::try_from(head - cursor).unwrap_or(usize::MAX);
                let page_entries = this.config.log_page_entries.min(left);
                let entries = this.records.log_after(cursor, page_entries).await?;
                let Some(last) = entries.last() else { break };
                cursor = last.number;
                for change in entries.iter().flat_map(changes) {
                    related.add(&plan, change);
                    if change.object == plan.object {
                        ordinals.extend(change.ordinal);
                    } else if let Some(source) =
                        plan.sources.iter().find(|source| source.events == change.object)
                    {
                        ordinals.extend(change.event.map(|event| event.target_ordinal));
                        ordinals.extend(this.target_before(source, change).await?);
                    }
                }
            }
            if related.is_everybody() {
                let population = this.ensure_population(plan.object).await?;
                ordinals.extend((0..population.bound()).filter(|ordinal| population.contains(*ordinal)));
            } else {
                ordinals.extend(related.ordinals(&this.records, &plan).await?);
            }
            Ok((ordinals.into_iter().collect(), cursor))
        })
        .await
    }

    /// The population of an object, read where nobody has asked for it before.
    pub(crate) async fn ensure_population(self: &Arc<Self>, object: ObjectId) -> Result<Arc<Population>> {
        if let Some(population) = self.features.population(object) {
            return Ok(population);
        }
        let this = Arc::clone(self);
        off_thread(async move {
            let mut state = this.features.state.lock().await;
            this.population_in(&mut state, object).await
        })
        .await
    }

    async fn population_in(&self, state: &mut State, object: ObjectId) -> Result<Arc<Population>> {
        if let Some(population) = state.populations.get(&object) {
            return Ok(Arc::clone(population));
        }
        let schema = self.records.schema();
        let name = schema.object_by_id(object).map(|object| &object.name);
        let name = name.ok_or_else(|| Error::UnknownObject { object: object.0.to_string() })?;
        let population = Arc::new(Population::read(&self.records, object, name).await?);
        state.populations.insert(object, Arc::clone(&population));
        self.features.publish(state);
        Ok(population)
    }

    /// Features and population for a dataset, complete up to the returned log number; events up to a day.
    pub(crate) async fn prepare(
        &self,
        plan: &Plan,
        as_of: AsOf,
        day: Date,
    ) -> Result<(Vec<FeatureColumns>, Arc<Population>, u64)> {
        let mut state = self.features.state.lock().await;
        let state = &mut *state;
        self.fold_log(state).await?;
        let mut columns = Vec::with_capacity(plan.sources.len());
        for source in &plan.sources {
            columns.push(match as_of {
                AsOf::Now => {
                    let columns = self.warm(state, source).await?.columns.clone();
                    as_of::up_to(&self.records, &self.config, source, columns, day).await?
                }
                AsOf::Date(_) => {
                    let touched = state.touched.get(&source.events).copied().unwrap_or(0);
                    state.past.columns(&self.records, &self.config, source, day, touched).await?
                }
            });
        }
        let population = self.population_in(state, plan.object).await?;
        Ok((columns, population, state.cursor))
    }

    async fn warm<'a>(&self, state: &'a mut State, source: &EventSource) -> Result<&'a mut FeatureSet> {
        let known = state.sets.get(&source.events).is_some_and(|set| set.source == *source);
        if !known {
            let page_rows = self.config.events_page_rows;
            let set = FeatureSet::build(&self.records, source.clone(), page_rows, state.cursor)?;
            state.sets.insert(source.events, set);
            self.features.declared.lock().insert(source.events, source.clone());
            state.changes_since_checkpoint = self.config.checkpoint_changes;
        }
        let set = state.sets.get_mut(&source.events).expect("there, or just put there");
        set.resolve(&self.records, self.config.events_page_rows).await?;
        Ok(set)
    }

    async fn warm_declared(&self, state: &mut State) -> Result<()> {
        let declared: Vec<EventSource> = self.features.declared.lock().values().cloned().collect();
        for source in declared {
            if !state.sets.contains_key(&source.events) {
                self.warm(state, &source).await?;
            }
        }
        Ok(())
    }

    /// Folds the log up to the head that it has now.
    async fn fold_log(&self, state: &mut State) -> Result<()> {
        let head = self.records.log_head();
        if state.cursor >= head {
            return Ok(());
        }
        while state.cursor < head {
            let entries = self.records.log_after(state.cursor, self.config.log_page_entries).await?;
            let Some(last) = entries.last() else { break };
            for entry in &entries {
                self.fold(state, entry).await?;
            }
            state.sets.values_mut().for_each(|set| set.forget_windows_before(last.position));
        }
        self.features.publish(state);
        Ok(())
    }

    /// Folds one entry: everything that can fail comes before the first change.
    async fn fold(&self, state: &mut State, entry: &LogEntry) -> Result<()> {
        let mut left = Vec::new();
        for (place, change) in changes(entry).iter().enumerate() {
            let set = state.sets.get(&change.object).filter(|_| change.kind != ChangeKind::Created);
            if let Some(set) = set
                && let Some(ordinal) = self.target_before(&set.source, change).await?
            {
                left.push((place, ordinal));
            }
        }
        let base = self.records.config().base_currency;
        for (place, change) in changes(entry).iter().enumerate() {
            state.changes_since_checkpoint += 1;
            if let (Some(population), Some(ordinal)) =
                (state.populations.get_mut(&change.object), change.ordinal)
            {
                follow(population, change.kind, ordinal);
            }
            if change.event.is_some() || change.kind != ChangeKind::Created {
                state.touched.insert(change.object, entry.number);
            }
            let set = state.sets.get_mut(&change.object).filter(|set| entry.number > set.cursor);
            let Some(set) = set else { continue };
            if change.kind == ChangeKind::Created {
                set.fold_created(change, entry.position, base);
                continue;
            }
            // An update may have moved the event here from another target; once its payload has expired nobody can tell which.
            set.rebuild |= change.fields.is_none() && change.kind == ChangeKind::Updated;
            let here = change.event.map(|event| event.target_ordinal);
            let left = left.iter().filter(|(of, _)| *of == place).map(|(_, ordinal)| *ordinal);
            here.into_iter().chain(left).for_each(|ordinal| set.touch(ordinal, entry.position));
        }
        state.cursor = entry.number;
        state.sets.values_mut().for_each(|set| set.cursor = set.cursor.max(entry.number));
        Ok(())
    }

    /// The ordinals whose events were changed by log entries after a number.
    async fn targets_after(&self, source: &EventSource, log_number: u64) -> Result<BTreeSet<u64>> {
        let (mut cursor, mut ordinals) = (log_number, BTreeSet::new());
        loop {
            // To the log's real end: a scan may have seen a commit that is not acknowledged yet.
            let entries = self.records.log_after(cursor, self.config.log_page_entries).await?;
            let Some(last) = entries.last() else { return Ok(ordinals) };
            cursor = last.number;
            for change in entries.iter().flat_map(changes).filter(|change| change.object == source.events) {
                ordinals.extend(change.event.map(|event| event.target_ordinal));
                ordinals.extend(self.target_before(source, change).await?);
            }
        }
    }

    /// The ordinal of the target that an event was moved away from.
    async fn target_before(&self, source: &EventSource, change: &LoggedChange) -> Result<Option<u64>> {
        let before = |field: FieldId| change.fields.as_ref()?.get(&field)?.before.as_ref();
        let Some(Value::Reference(id)) = before(source.target_field) else { return Ok(None) };
        let scope = Scope::everything();
        let target = self.records.get_deleted_too(&scope, &source.target_name, *id).await?;
        Ok(target.and_then(|target| target.ordinal))
    }

    fn write_checkpoints(&self, state: &mut State) -> Result<()> {
        let epoch = self.records.store().epoch().0;
        for (object, set) in &state.sets {
            checkpoint::write_features(&features_file(&self.features.dir, *object), epoch, set)?;
        }
        let moment = Moment { epoch, log_number: state.cursor };
        for (object, population) in &state.populations {
            let path = population_file(&self.features.dir, *object);
            checkpoint::write_population(&path, moment, *object, population)?;
        }
        state.changes_since_checkpoint = 0;
        Ok(())
    }
}

/// What a fresh scan finds other than what is kept warm, for [`Columns::check`]: counted rows and named differences.
pub(crate) async fn compare_with_scan(columns: &Columns) -> Result<(u64, Vec<String>)> {
    let mut state = columns.features.state.lock().await;
    let state = &mut *state;
    columns.fold_log(state).await?;
    let (mut rows, mut differences) = (0, Vec::new());
    let sources: Vec<EventSource> = state.sets.values().map(|set| set.source.clone()).collect();
    for source in sources {
        let warm = columns.warm(state, &source).await?.columns.clone();
        let page_rows = columns.config.events_page_rows;
        let fresh = FeatureSet::build(&columns.records, source.clone(), page_rows, state.cursor)?;
        // What was written since the fold may be in the scan and is not in the features: those customers are not compared.
        let written = columns.targets_after(&source, state.cursor).await?;
        let chunks = warm.chunks().len().max(fresh.columns.chunks().len());
        for ordinal in 0..(chunks * CHUNK_ROWS) as u64 {
            let (warm, fresh) = (warm.row(ordinal), fresh.columns.row(ordinal));
            rows += u64::from(fresh.count > 0);
            if warm != fresh && !written.contains(&ordinal) {
                let what = format!(
                    "{} of {} {ordinal}: kept {warm:?}, a scan finds {fresh:?}",
                    source.events_name, source.target_name
                );
                differences.push(what);
            }
        }
    }
    Ok((rows, differences))
}

fn changes(entry: &LogEntry) -> &[LoggedChange] {
    match &entry.body {
        EntryBody::Changes(changes) => changes,
        EntryBody::Event { .. } => &[],
    }
}

fn follow(population: &mut Arc<Population>, kind: ChangeKind, ordinal: u64) {
    match kind {
        ChangeKind::Created | ChangeKind::Restored => Arc::make_mut(population).insert(ordinal),
        ChangeKind::Deleted => Arc::make_mut(population).delete(ordinal),
        ChangeKind::Updated => {}
    }
}

fn features_file(dir: &std::path::Path, object: ObjectId) -> PathBuf {
    dir.join(format!("features-{}.checkpoint", object.0))
}

fn population_file(dir: &std::path::Path, object: ObjectId) -> PathBuf {
    dir.join(format!("population-{}.checkpoint", object.0))
}
