//! Reading registry, pointers, headers, blocks and deltas at the start, and generations that are not in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_records::Records;
use trellis_storage::{Position, Row, ScanRange, Store};

use super::block::{CodeBlock, CodeColumn};
use super::delta;
use super::state::{Generation, Loaded, ResultState, Results, StoredGeneration, StoredOutput};
use super::transitions::{StoredJob, TransitionJob};
use super::types::GenerationId;
use crate::keys::{self, KeyKind, SegmentationId};
use crate::segmentation::{Pointer, Segmentation, decode_definition};
use crate::{Error, Result, stored};

/// Rows read at once.
const PAGE_ROWS: usize = 1_000;

impl Results {
    /// Loads everything that is current into memory.
    pub(crate) async fn load(records: &Records) -> Result<Self> {
        let store = records.store().as_ref();
        let mut state = ResultState::default();
        let mut definitions: BTreeMap<SegmentationId, Vec<u8>> = BTreeMap::new();
        for row in scan(store, &keys::kind(KeyKind::Segmentation)).await? {
            definitions.entry(segmentation_of(&row, 1)?).or_default().extend_from_slice(&row.value);
        }
        let mut pointers = BTreeMap::new();
        for row in scan(store, &keys::kind(KeyKind::Pointer)).await? {
            let pointer: Pointer = stored::decode(&row.value, "a pointer to a generation")?;
            pointers.insert(segmentation_of(&row, 1)?, (pointer, row.position));
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
        for (id, definition) in definitions {
            let definition =
                decode_definition(&definition, &format!("the definition of segmentation {}", id.0))?;
            let object = records.schema().object(definition.object.as_str()).map(|object| object.id);
            let object =
                object.ok_or_else(|| Error::UnknownObject { object: definition.object.to_string() })?;
            let mut segmentation = Segmentation::new(id, definition, object);
            if let Some((pointer, position)) = pointers.remove(&id) {
                segmentation.pointer = pointer;
                segmentation.pointer_position = Some(position);
            }
            load_current(store, &state, &mut segmentation).await;
            state.names.extend(segmentation.names().map(|name| (name.to_owned(), id)));
            state.segmentations.insert(id, Arc::new(segmentation));
        }
        Ok(Self::new(state))
    }
}

/// Loads the current result; what is wrong with it is kept beside it, so that the rest can be used.
async fn load_current(store: &dyn Store, state: &ResultState, segmentation: &mut Segmentation) {
    let Some(generation) = segmentation.pointer.current else { return };
    let values = segmentation.definition.values.len();
    let loaded = match state.find_generation(generation) {
        Ok(found) => load_output(store, generation, &found.header, segmentation.id, values, None).await,
        Err(error) => Err(error),
    };
    match loaded {
        Ok(loaded) => segmentation.loaded = Arc::new(loaded),
        Err(error) => {
            tracing::error!(segmentation = %segmentation.definition.name, %generation, %error, "result cannot be read");
            segmentation.damaged = Some(error.to_string());
        }
    }
}

/// Reads a segmentation's codes in a generation with the deltas up to `until`, and compares them with the header.
pub(crate) async fn load_output(
    store: &dyn Store,
    generation: GenerationId,
    header: &StoredGeneration,
    segmentation: SegmentationId,
    values: usize,
    until: Option<Position>,
) -> Result<Loaded> {
    let output = header.output(segmentation).ok_or(Error::UnknownGeneration { generation })?;
    let column = load_blocks(store, generation, output).await?;
    let mut loaded = Loaded::of(column, values);
    for row in scan(store, &keys::of_segmentation(KeyKind::Delta, generation, segmentation)).await? {
        loaded.deltas += 1;
        if until.is_none_or(|until| row.position <= until) {
            let ordinal =
                keys::u64_at(&row.key, 13).ok_or_else(|| Error::damaged("a delta's key is short"))?;
            loaded.set(ordinal, delta::decode(&row.value)?);
        }
    }
    let known = loaded.column.counts(values + 1).iter().sum::<u64>() == loaded.column.bound();
    if known {
        Ok(loaded)
    } else {
        Err(Error::damaged(format!("generation {generation} has codes without a value")))
    }
}

async fn load_blocks(
    store: &dyn Store,
    generation: GenerationId,
    output: &StoredOutput,
) -> Result<CodeColumn> {
    let mut column = CodeColumn::default();
    let (mut blocks, mut members, mut digest) = (0, 0, 0_u64);
    for row in scan(store, &keys::of_segmentation(KeyKind::Block, generation, output.segmentation)).await? {
        let (block, crc) = CodeBlock::decode(&row.key, &row.value)?;
        let index = keys::u32_at(&row.key, 13).ok_or_else(|| Error::damaged("a block's key is short"))?;
        (blocks, members, digest) =
            (blocks + 1, members + u64::from(block.members()), digest.wrapping_add(u64::from(crc)));
        column.put_block(index as usize, block);
    }
    if (blocks, members, digest) != (output.blocks, output.members, output.digest) {
        return Err(Error::damaged(format!(
            "generation {generation} has {blocks} blocks with {members} members (digest {digest:x}) of segmentation {}, its header says {} with {} (digest {:x})",
            output.segmentation.0, output.blocks, output.members, output.digest
        )));
    }
    Ok(column)
}

/// Reads all blocks of a generation; returns how many there are, and what is wrong.
pub(crate) async fn check_generation(
    store: &dyn Store,
    generation: GenerationId,
    header: &StoredGeneration,
) -> (u64, Vec<String>) {
    let (mut blocks, mut wrong) = (0, Vec::new());
    for output in &header.outputs {
        blocks += u64::from(output.blocks);
        if let Err(error) = load_blocks(store, generation, output).await {
            wrong.push(error.to_string());
        }
    }
    (blocks, wrong)
}

/// All rows of a prefix. Results are read whole: a generation of a million customers is 500 rows an output.
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

fn segmentation_of(row: &Row, offset: usize) -> Result<SegmentationId> {
    let id = keys::u32_at(&row.key, offset).map(SegmentationId);
    id.ok_or_else(|| Error::damaged("the key of a segmentation is short"))
}

fn generation_of(row: &Row) -> Result<GenerationId> {
    let id = keys::u64_at(&row.key, 1).map(GenerationId);
    id.ok_or_else(|| Error::damaged("the key of a generation is short"))
}
