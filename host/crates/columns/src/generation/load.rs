//! Reading registry, pointers, headers, blocks and deltas at the start, and generations that are not in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_records::Records;
use trellis_storage::{Position, Row, ScanRange, Store};

use super::column::Column;
use super::delta;
use super::state::{Generation, Loaded, ResultState, Results, StoredGeneration, StoredOutput};
use super::transitions::{StoredJob, TransitionJob};
use super::types::GenerationId;
use crate::keys::{self, KeyKind, OutputId};
use crate::output::{Classes, Output, OutputKind, Pointer};
use crate::score::{self, Score};
use crate::segmentation::{self, Segmentation};
use crate::{Error, Result, stored};

/// Rows read at once.
const PAGE_ROWS: usize = 1_000;

impl Results {
    /// Loads everything that is current into memory.
    pub(crate) async fn load(records: &Records) -> Result<Self> {
        let store = records.store().as_ref();
        let mut state = ResultState::default();
        let kinds = kinds(store).await?;
        let mut pointers = BTreeMap::new();
        for row in scan(store, &keys::kind(KeyKind::Pointer)).await? {
            let pointer: Pointer = stored::decode(&row.value, "a pointer to a generation")?;
            pointers.insert(output_of(&row)?, (pointer, row.position));
        }
        for row in scan(store, &keys::kind(KeyKind::Generation)).await? {
            let header: StoredGeneration = stored::decode(&row.value, "a generation's header")?;
            let generation = Generation { header, position: row.position, loaded: BTreeMap::new() };
            state.generations.insert(generation_of(&row)?, Arc::new(generation));
        }
        for row in scan(store, &keys::kind(KeyKind::TransitionJob)).await? {
            let stored: StoredJob = stored::decode(&row.value, "a job of transitions")?;
            let job = TransitionJob { stored, position: row.position, columns: Arc::default() };
            state.jobs.insert(generation_of(&row)?, Arc::new(job));
        }
        if let Some(found) = store.get(&keys::kind(KeyKind::LastRemoved)).await? {
            state.last_removed = stored::decode(&found.value, "the last removed segmentation")?;
        }
        for (id, kind) in kinds {
            let name = kind.object_name();
            let object = records.schema().object(name.as_str()).map(|object| object.id);
            let object = object.ok_or_else(|| Error::UnknownObject { object: name.to_string() })?;
            let mut output = Output::new(id, kind, object);
            if let Some((pointer, position)) = pointers.remove(&id) {
                output.pointer = pointer;
                output.pointer_position = Some(position);
            }
            load_current(store, &state, &mut output).await;
            state.names.extend(output.names().map(|name| (name.to_owned(), id)));
            state.outputs.insert(id, Arc::new(output));
        }
        Ok(Self::new(state))
    }
}

/// The definitions of all segmentations and scores.
async fn kinds(store: &dyn Store) -> Result<BTreeMap<OutputId, OutputKind>> {
    let mut kinds = BTreeMap::new();
    for (id, bytes) in definitions(store, KeyKind::Segmentation).await? {
        let what = format!("the definition of segmentation {}", id.0);
        let definition = segmentation::decode_definition(&bytes, &what)?;
        kinds.insert(id, OutputKind::Segmentation(Arc::new(Segmentation::new(definition))));
    }
    for (id, bytes) in definitions(store, KeyKind::Score).await? {
        let what = format!("the definition of score {}", id.0);
        let definition = score::decode_definition(&bytes, &what)?;
        kinds.insert(id, OutputKind::Score(Arc::new(Score::new(definition))));
    }
    Ok(kinds)
}

async fn definitions(store: &dyn Store, kind: KeyKind) -> Result<BTreeMap<OutputId, Vec<u8>>> {
    let mut definitions: BTreeMap<OutputId, Vec<u8>> = BTreeMap::new();
    for row in scan(store, &keys::kind(kind)).await? {
        definitions.entry(output_of(&row)?).or_default().extend_from_slice(&row.value);
    }
    Ok(definitions)
}

/// Loads the current result; what is wrong with it is kept beside it, so that the rest can be used.
async fn load_current(store: &dyn Store, state: &ResultState, output: &mut Output) {
    let Some(generation) = output.pointer.current else { return };
    let loaded = match state.find_generation(generation) {
        Ok(found) => load_output(store, generation, &found.header, output.id, output.classes(), None).await,
        Err(error) => Err(error),
    };
    match loaded {
        Ok(loaded) => output.loaded = Arc::new(loaded),
        Err(error) => {
            tracing::error!(output = %output.name(), %generation, %error, "result cannot be read");
            output.damaged = Some(error.to_string());
        }
    }
}

/// Reads what a generation holds of a segmentation or score with the deltas up to `until`, and compares it with the header.
pub(crate) async fn load_output(
    store: &dyn Store,
    generation: GenerationId,
    header: &StoredGeneration,
    id: OutputId,
    classes: &Classes,
    until: Option<Position>,
) -> Result<Loaded> {
    let output = header.output(id).ok_or(Error::UnknownGeneration { generation })?;
    let column = load_blocks(store, generation, output, classes).await?;
    let mut loaded = Loaded::of(column, classes);
    for row in scan(store, &keys::of_output(classes.delta_key(), generation, id)).await? {
        loaded.deltas += 1;
        if until.is_none_or(|until| row.position <= until) {
            let ordinal =
                keys::u64_at(&row.key, 13).ok_or_else(|| Error::damaged("a delta's key is short"))?;
            loaded.set(ordinal, delta::decode(classes, &row.value)?, classes);
        }
    }
    if loaded.column.is_within(classes) {
        Ok(loaded)
    } else {
        Err(Error::damaged(format!("generation {generation} has codes without a value")))
    }
}

async fn load_blocks(
    store: &dyn Store,
    generation: GenerationId,
    output: &StoredOutput,
    classes: &Classes,
) -> Result<Column> {
    let mut column = Column::empty(classes);
    let (mut blocks, mut members, mut digest) = (0, 0, 0_u64);
    for row in scan(store, &keys::of_output(classes.block_key(), generation, output.output)).await? {
        let block = column.read_block(&row.key, &row.value)?;
        (blocks, members) = (blocks + 1, members + block.members);
        digest = digest.wrapping_add(u64::from(block.checksum));
    }
    if (blocks, members, digest) != (output.blocks, output.members, output.digest) {
        return Err(Error::damaged(format!(
            "generation {generation} has {blocks} blocks with {members} members (digest {digest:x}) of output {}, its header says {} with {} (digest {:x})",
            output.output.0, output.blocks, output.members, output.digest
        )));
    }
    Ok(column)
}

/// Reads all blocks of a generation; returns how many there are, and what is wrong.
pub(crate) async fn check_generation(
    store: &dyn Store,
    state: &ResultState,
    generation: GenerationId,
    header: &StoredGeneration,
) -> (u64, Vec<String>) {
    let (mut blocks, mut wrong) = (0, Vec::new());
    for output in &header.outputs {
        blocks += u64::from(output.blocks);
        let Some(of) = state.outputs.get(&output.output) else {
            wrong.push(format!(
                "generation {generation} holds output {}, which is not there",
                output.output.0
            ));
            continue;
        };
        if let Err(error) = load_blocks(store, generation, output, of.classes()).await {
            wrong.push(error.to_string());
        }
    }
    (blocks, wrong)
}

/// All rows of a prefix. Results are read whole: a generation of a million customers is 500 rows a segmentation, 2,000 a score.
pub(crate) async fn scan(store: &dyn Store, prefix: &[u8]) -> Result<Vec<Row>> {
    let (mut range, mut rows) = (ScanRange::prefix(prefix), Vec::new());
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        if let (true, Some(last)) = (page.more, page.rows.last()) {
            range = range.after(&last.key);
            rows.extend(page.rows);
        } else {
            rows.extend(page.rows);
            return Ok(rows);
        }
    }
}

fn output_of(row: &Row) -> Result<OutputId> {
    let id = keys::u32_at(&row.key, 1).map(OutputId);
    id.ok_or_else(|| Error::damaged("the key of a segmentation or score is short"))
}

fn generation_of(row: &Row) -> Result<GenerationId> {
    let id = keys::u64_at(&row.key, 1).map(GenerationId);
    id.ok_or_else(|| Error::damaged("the key of a generation is short"))
}
