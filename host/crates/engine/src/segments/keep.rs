use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::sync::Mutex;
use trellis_columns::{
    AsOf, CodesColumn, Delta, DeltaOutcome, FlipRequest, GenerationId, Origin, PublishedValues, ResultColumn,
    SegmentationInfo,
};
use trellis_model::{Cause, Filter, ObjectId, ObjectName, Scope, SegmentationName, Text, Validity};
use trellis_records::Schema;
use trellis_storage::WriteSet;

use super::{
    MEMBER, filter_of, having, parse,
    place::{Place, digest},
    reads::Reads,
};
use crate::{
    Error, Result,
    core::Core,
    run::{self, Causes},
};

/// With more customers that may have come or gone, all are compared.
const COMPARED_EACH_MAX: usize = 10_000;

/// Log entries that are read at once.
const PAGE_ENTRIES: usize = 64;

/// How often the places in the log are written down, in milliseconds. After a crash, what came since is looked at again.
const PLACES_EVERY_MS: u64 = 1_000;

/// What is known of the segmentations that filters make from one time to the next. Who changes one holds it.
#[derive(Debug, Default)]
pub(crate) struct Keeper(Mutex<Kept>);

#[derive(Debug, Default)]
pub(super) struct Kept {
    of: BTreeMap<SegmentationName, Members>,
    saved_at_ms: i64,
}

/// How the members of a segmentation came about.
#[derive(Debug, Clone)]
struct Members {
    place: Place,
    /// As the store has it.
    saved: Place,
    /// The results of others that they are made of; `None` where that is not known.
    read: Option<PublishedValues>,
}

/// A segmentation that a filter makes.
struct Segmentation<'a> {
    name: &'a SegmentationName,
    object: &'a ObjectName,
    filter: Filter,
    digest: u64,
    current: Option<GenerationId>,
    reads: Reads,
}

/// Brings the members of every segmentation that a filter makes up to date. One that fails is named in the log and looked at again the next
/// time; the others go on. Returns whether one failed.
pub(crate) async fn keep_all(core: &Core) -> bool {
    let mut kept = core.segments.0.lock().await;
    let infos = core.columns.segmentations_by_filter();
    kept.of.retain(|name, _| infos.iter().any(|info| info.definition.name == *name));
    let mut failed = false;
    for info in in_order(&core.records.schema(), infos) {
        if let Err(error) = keep(core, &mut kept, &info).await {
            failed = true;
            tracing::warn!(segmentation = %info.definition.name, code = error.code(), "members were not brought up to date: {error}");
        }
    }
    if let Err(error) = kept.save(core).await {
        tracing::warn!(code = error.code(), "how far segmentations are was not written down: {error}");
    }
    failed
}

/// Makes the members of one segmentation at once.
pub(super) async fn keep_now(core: &Core, kept: &mut Kept, info: &SegmentationInfo) -> Result<()> {
    core.columns.catch_up().await?;
    keep(core, kept, info).await
}

impl Keeper {
    /// Nothing else changes the segmentations that filters make as long as it is held.
    pub(super) async fn hold(&self) -> tokio::sync::MutexGuard<'_, Kept> {
        self.0.lock().await
    }
}

/// Those that are read before those that read them; each once.
fn in_order(schema: &Schema, infos: Vec<Arc<SegmentationInfo>>) -> Vec<Arc<SegmentationInfo>> {
    let mut waiting: Vec<_> = infos.into_iter().map(|info| (reads(schema, &info), info)).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: BTreeSet<_> = waiting.iter().map(|(_, info)| info.definition.name.clone()).collect();
        let (later, now): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(read, _)| read.iter().any(|name| names.contains(name)));
        // None reads itself, however many others are between; were it so, they would be taken as they come.
        let is_stuck = now.is_empty();
        ordered.extend(now.into_iter().map(|(_, info)| info));
        waiting = later;
        if is_stuck {
            ordered.extend(waiting.drain(..).map(|(_, info)| info));
        }
    }
    ordered
}

/// The segmentations that the filter of one reads.
pub(super) fn reads(schema: &Schema, info: &SegmentationInfo) -> BTreeSet<SegmentationName> {
    let object = schema.object(info.definition.object.as_str());
    let filter = filter_of(info).and_then(|filter| parse(filter).ok());
    let reads = object.zip(filter).map(|(object, filter)| Reads::of(schema, object, &filter));
    reads.iter().flat_map(Reads::segmentations).cloned().collect()
}

/// What does not let a filter be asked: a field that is gone or out of use, a segmentation that was removed.
pub(super) fn problem(core: &Core, object: &ObjectName, filter: &Json) -> Option<Text> {
    let parsed = match parse(filter) {
        Ok(parsed) => parsed,
        Err(error) => return Some(error.text()),
    };
    match core.records.check_filter(&Scope::everything(), object, &parsed) {
        Ok(checked) => checked.err(),
        Err(error) => Some(error.text()),
    }
}

async fn keep(core: &Core, kept: &mut Kept, info: &SegmentationInfo) -> Result<()> {
    let definition = &info.definition;
    let Some(filter) = filter_of(info) else { return Ok(()) };
    if let Some(problem) = problem(core, &definition.object, filter) {
        kept.of.remove(&definition.name);
        if !info.stale {
            tracing::warn!(segmentation = %definition.name, "its filter cannot be asked any more: {}", problem.en);
            core.columns.set_segmentation_stale(&definition.name).await?;
        }
        return Ok(());
    }
    let schema = core.records.schema();
    let Some(object) = schema.object(definition.object.as_str()) else { return Ok(()) };
    let parsed = parse(filter).map_err(trellis_records::Error::from)?;
    let of = Segmentation {
        name: &definition.name,
        object: &definition.object,
        reads: Reads::of(&schema, object, &parsed),
        filter: parsed,
        digest: digest(filter),
        current: info.current.as_ref().map(|current| current.generation),
    };
    let known = match kept.of.remove(of.name) {
        Some(known) => Some(known),
        None => Place::load(core, of.name).await?.map(|place| Members { place, saved: place, read: None }),
    };
    let known = known.filter(|known| {
        !info.stale && known.place.filter == of.digest && Some(known.place.generation) == of.current
    });
    let Some(mut members) = known else {
        let members = of.begin(core).await?;
        kept.of.insert(of.name.clone(), members);
        return Ok(());
    };
    let done = of.follow(core, &mut members).await;
    if !matches!(done, Ok(DeltaOutcome::Superseded)) {
        kept.of.insert(of.name.clone(), members);
    }
    done.map(drop)
}

impl Segmentation<'_> {
    /// Makes the members anew, as no transition of anybody.
    async fn begin(&self, core: &Core) -> Result<Members> {
        // What is read after these is later than they, never earlier.
        let (log_number, day) = (core.columns.catch_up().await?, run::today(core));
        let read = core.columns.published(&self.reads.spec);
        let ordinals = self.matching(core).await?;
        self.put_all(core, &ordinals, log_number, day, read).await
    }

    /// Whoever matches.
    async fn matching(&self, core: &Core) -> Result<Vec<u64>> {
        let scope = Scope::everything();
        Ok(core.records.matching_ordinals(&scope, self.object, &self.filter, &|| true).await?)
    }

    /// Whoever is a member.
    async fn members(&self, core: &Core) -> Result<Vec<u64>> {
        let member = having(self.name, MEMBER)?;
        Ok(core.records.matching_ordinals(&Scope::everything(), self.object, &member, &|| true).await?)
    }

    /// Stores members as a new generation.
    async fn put_all(
        &self,
        core: &Core,
        ordinals: &[u64],
        log_number: u64,
        day: i32,
        read: PublishedValues,
    ) -> Result<Members> {
        let run = core.records.ids().record_id(core.records.clock().now_ms());
        let mut writer = core.columns.begin(run, std::slice::from_ref(self.name))?;
        let (codes, valid, values) =
            (vec![0; ordinals.len()], Validity::all(), [MEMBER].into_iter().collect());
        writer.append(
            ordinals,
            &[ResultColumn::Codes(CodesColumn { codes: &codes, valid: &valid, values: &values })],
        )?;
        let generation = writer.finish().await?;
        let place = Place { generation, filter: self.digest, log_number, day };
        let mut set = WriteSet::new();
        place.put(&mut set, self.name);
        let origin = Origin::system("segments");
        let data = json!({ "filter": self.filter.to_json() });
        let request = FlipRequest { run, baseline: true, as_of: AsOf::Now, data, origin: origin.clone() };
        core.columns.flip_with(generation, request, set).await?;
        core.columns.transitions(generation, &origin).await?;
        Ok(Members { place, saved: place, read: Some(read) })
    }

    /// Looks at whoever may have come or gone since the last time.
    async fn follow(&self, core: &Core, members: &mut Members) -> Result<DeltaOutcome> {
        let (head, day) = (core.columns.catch_up().await?, run::today(core));
        let read = core.columns.published(&self.reads.spec);
        if day > members.place.day {
            // Each day has a generation of its own, so that one sees who came and went since the day before.
            let before = self.members(core).await?;
            let place = members.place;
            *members = self.put_all(core, &before, place.log_number, day, read.clone()).await?;
            members.read = None;
        }
        let is_same = members.read.as_ref().is_some_and(|before| read.is_same(before));
        if members.place.log_number >= head && is_same {
            return Ok(DeltaOutcome::Written { changed: 0 });
        }
        let mut causes = Causes::after(members.place.log_number);
        let candidates = self.candidates(core, members, &read, &mut causes).await?;
        let outcome = self.compare(core, members.place.generation, candidates, &mut causes, head).await?;
        members.place = Place { log_number: head, ..members.place };
        members.read = Some(read);
        Ok(outcome)
    }

    /// Who may have come or gone; `None` is anybody.
    async fn candidates(
        &self,
        core: &Core,
        members: &Members,
        read: &PublishedValues,
        causes: &mut Causes,
    ) -> Result<Option<Vec<u64>>> {
        let (mut from, head) = (members.place.log_number, core.records.log_head());
        let Some(before) = &members.read else { return Ok(None) };
        let mut candidates: BTreeSet<u64> = BTreeSet::new();
        if !read.is_same(before) {
            let changed = read.changed_since(before);
            core.passed_on.tell(self.object, &changed, causes);
            candidates.extend(changed);
        }
        if is_touched(core, &self.reads.beyond, from).await? {
            return Ok(None);
        }
        while from < head && candidates.len() <= COMPARED_EACH_MAX {
            let (ordinals, to) = core.columns.changed_after(&self.reads.spec, from).await?;
            candidates.extend(ordinals);
            if to <= from {
                break;
            }
            from = to;
        }
        Ok((candidates.len() <= COMPARED_EACH_MAX).then(|| candidates.into_iter().collect()))
    }

    /// Makes members of those who match and were none, and ends it for those who were and do not.
    async fn compare(
        &self,
        core: &Core,
        generation: GenerationId,
        candidates: Option<Vec<u64>>,
        causes: &mut Causes,
        head: u64,
    ) -> Result<DeltaOutcome> {
        let (scope, before): (_, BTreeSet<u64>) = (
            Scope::everything(),
            match &candidates {
                None => self.members(core).await?.into_iter().collect(),
                Some(some) => {
                    let is_member = |ordinal: &u64| {
                        core.columns.value_of(&Scope::everything(), self.name.as_str(), *ordinal).is_some()
                    };
                    some.iter().copied().filter(is_member).collect()
                }
            },
        );
        let now: BTreeSet<u64> = match &candidates {
            None => self.matching(core).await?.into_iter().collect(),
            Some(some) => core
                .records
                .matching_among(&scope, self.object, &self.filter, some)
                .await?
                .into_iter()
                .collect(),
        };
        let changed: Vec<u64> = before.symmetric_difference(&now).copied().collect();
        if changed.is_empty() {
            return Ok(DeltaOutcome::Written { changed: 0 });
        }
        // Records may be newer than the part of the log that is followed: what else they hold has causes too.
        causes.read_to(core, &self.reads.spec, head.max(core.columns.catch_up().await?)).await?;
        for (cause, ordinals) in causes.divide_all(&changed) {
            let delta =
                |&ordinal: &u64| Delta { ordinal, value: now.contains(&ordinal).then(|| MEMBER.to_owned()) };
            let deltas: Vec<_> = ordinals.iter().map(delta).collect();
            let origin = Origin { cause: Cause { job: None, ..cause.clone() }, ..Origin::system("segments") };
            let outcome = core.columns.put_delta(generation, self.name.as_str(), &deltas, &origin).await?;
            if outcome == DeltaOutcome::Superseded {
                return Ok(outcome);
            }
            core.passed_on.note(self.object, cause, ordinals);
        }
        Ok(DeltaOutcome::Written { changed: changed.len() })
    }
}

/// Whether a record of one of these objects changed after a log entry.
async fn is_touched(core: &Core, objects: &BTreeSet<ObjectId>, mut after: u64) -> Result<bool> {
    let head = core.records.log_head();
    while !objects.is_empty() && after < head {
        let entries = core.records.log_after(after, PAGE_ENTRIES).await?;
        let Some(last) = entries.last() else { break };
        after = last.number;
        if entries.iter().flat_map(|entry| entry.changes()).any(|change| objects.contains(&change.object)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Kept {
    /// Writes down how far they are, now and then.
    async fn save(&mut self, core: &Core) -> Result<()> {
        let now_ms = core.records.clock().now_ms();
        if now_ms.abs_diff(self.saved_at_ms) < PLACES_EVERY_MS {
            return Ok(());
        }
        let mut set = WriteSet::new();
        let mut moved = false;
        for (name, members) in self.of.iter().filter(|(_, members)| members.place != members.saved) {
            members.place.put(&mut set, name);
            moved = true;
        }
        if moved {
            core.records.commit(set, None).await.map_err(Error::from)?;
            self.of.values_mut().for_each(|members| members.saved = members.place);
        }
        self.saved_at_ms = now_ms;
        Ok(())
    }
}
