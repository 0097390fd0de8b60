use std::collections::BTreeSet;
use std::sync::Arc;

use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Position, WriteSet};

use super::block::{place, stored_checksum, to_stored};
use super::load::scan;
use super::state::{Generation, Loaded, ResultState, StoredOutput};
use super::transitions::{Change, changed_entry};
use super::types::{Delta, DeltaOutcome, GenerationId, Origin};
use crate::keys::{self, KeyKind};
use crate::segmentation::Segmentation;
use crate::{Columns, Error, Result, stored};

const VERSION: u8 = 1;
/// Deltas of one write set and its log entry.
const DELTAS_OF_SET: usize = 1_000;
/// Blocks of one write set when deltas are folded.
const BLOCKS_OF_SET: usize = 500;

pub(super) fn encode(code: u16) -> Vec<u8> {
    let [low, high] = code.to_le_bytes();
    vec![VERSION, low, high]
}

pub(super) fn decode(bytes: &[u8]) -> Result<u16> {
    match *bytes {
        [VERSION, low, high] => Ok(u16::from_le_bytes([low, high])),
        _ => Err(Error::damaged("a delta is of no known form")),
    }
}

impl Columns {
    /// Writes results of single customers that were computed with the model of `generation`.
    ///
    /// Into the current generation they go with a `segment.changed` entry for those whose value changes; into a finished one
    /// that is not flipped to yet without one, since its flip will tell. Computed for any other generation they are dropped.
    ///
    /// # Errors
    /// [`Error::UnknownSegmentation`], [`Error::UnknownValue`], those of the store.
    pub async fn put_delta(
        &self,
        generation: GenerationId,
        segmentation: &str,
        deltas: &[Delta],
        origin: &Origin,
    ) -> Result<DeltaOutcome> {
        let _changing = self.results.change.lock().await;
        let mut changed = 0;
        for part in deltas.chunks(DELTAS_OF_SET) {
            let state = self.results.state();
            let found = state.find(segmentation)?;
            let codes = part.iter().map(|delta| Ok((delta.ordinal, found.code_of(delta.value.as_deref())?)));
            let codes = codes.collect::<Result<Vec<_>>>()?;
            let written = if found.pointer.current == Some(generation) {
                self.put_current(found, generation, &codes, origin).await?
            } else {
                match state.generations.get(&generation).and_then(|of| of.loaded.get(&found.id)) {
                    Some(loaded) => self.put_pending(found, generation, loaded, &codes).await?,
                    None => return Ok(DeltaOutcome::Superseded),
                }
            };
            changed += written;
        }
        let state = self.results.state();
        let found = state.find(segmentation)?;
        if found.pointer.current == Some(generation) && found.loaded.deltas > self.config.deltas_max {
            self.fold_deltas(&state, found, generation).await?;
        }
        Ok(DeltaOutcome::Written { changed })
    }

    async fn put_current(
        &self,
        segmentation: &Arc<Segmentation>,
        generation: GenerationId,
        codes: &[(u64, u16)],
        origin: &Origin,
    ) -> Result<usize> {
        let mut loaded = Loaded::clone(&segmentation.loaded);
        let (mut set, changes) = deltas(segmentation, generation, &mut loaded, codes);
        if changes.is_empty() {
            return Ok(0);
        }
        if let Some(position) = segmentation.pointer_position {
            set.expect_written_at(keys::pointer(segmentation.id), position);
        }
        let run = segmentation.pointer.result(generation).map(|result| result.run());
        let data = changed_entry(segmentation, run, generation, None, &changes);
        let body = EntryBody::Event { name: "segment.changed".into(), data };
        let entry = NewEntry { actor: origin.actor.clone(), cause: origin.cause.clone(), body };
        self.records.commit(set, Some(entry)).await?;
        let updated = Segmentation { loaded: Arc::new(loaded), ..Segmentation::clone(segmentation) };
        self.results.put(|state| {
            state.segmentations.insert(updated.id, Arc::new(updated));
        });
        Ok(changes.len())
    }

    async fn put_pending(
        &self,
        segmentation: &Arc<Segmentation>,
        generation: GenerationId,
        loaded: &Arc<Loaded>,
        codes: &[(u64, u16)],
    ) -> Result<usize> {
        let mut loaded = Loaded::clone(loaded);
        let (set, changes) = deltas(segmentation, generation, &mut loaded, codes);
        if !changes.is_empty() {
            self.records.commit(set, None).await?;
        }
        self.results.put(|state| {
            if let Some(of) = state.generations.get_mut(&generation) {
                Arc::make_mut(of).loaded.insert(segmentation.id, Arc::new(loaded));
            }
        });
        Ok(changes.len())
    }

    /// Writes blocks anew with their deltas in them. Not while transitions of the generation are pending: they compare it as it
    /// was at its flip. The caller holds `change`.
    async fn fold_deltas(
        &self,
        state: &ResultState,
        segmentation: &Arc<Segmentation>,
        generation: GenerationId,
    ) -> Result<()> {
        if state.jobs.values().any(|job| job.stored.compares(generation)) {
            return Ok(());
        }
        let store = self.records.store().as_ref();
        let found = state.find_generation(generation)?;
        let (mut header, mut position) = (found.header.clone(), found.position);
        let mut rows =
            scan(store, &keys::of_segmentation(KeyKind::Delta, generation, segmentation.id)).await?;
        while !rows.is_empty() {
            let ordinal = |row: &trellis_storage::Row| keys::u64_at(&row.key, 13).unwrap_or(0);
            let blocks: BTreeSet<usize> =
                rows.iter().map(|row| place(ordinal(row)).0).take(BLOCKS_OF_SET).collect();
            let rest =
                rows.iter().position(|row| !blocks.contains(&place(ordinal(row)).0)).unwrap_or(rows.len());
            let rest = rows.split_off(rest.min(4 * DELTAS_OF_SET));
            let mut set = WriteSet::new();
            set.expect_written_at(keys::generation(generation), position);
            for index in blocks {
                let key = keys::block(generation, segmentation.id, index as u32);
                let before = store.get(&key).await?;
                let block = segmentation.loaded.column.block(index);
                let after = to_stored(generation, segmentation.id, index, block);
                if let Some(output) =
                    header.outputs.iter_mut().find(|output| output.segmentation == segmentation.id)
                {
                    let before = before.as_ref().map(|before| &before.value[..]);
                    replace(output, before, after.as_ref().map(|(_, value)| &value[..]));
                }
                match after {
                    Some((key, value)) => {
                        set.put(key, value);
                    }
                    None => {
                        set.delete(key);
                    }
                }
            }
            rows.iter().for_each(|row| {
                set.delete(row.key.to_vec());
            });
            set.put(keys::generation(generation), stored::encode(&header));
            position = self.records.commit(set, None).await?.position;
            self.folded(segmentation, generation, header.clone(), position, rest.len());
            rows = rest;
        }
        Ok(())
    }

    fn folded(
        &self,
        segmentation: &Arc<Segmentation>,
        generation: GenerationId,
        header: super::StoredGeneration,
        position: Position,
        deltas: usize,
    ) {
        self.results.put(|state| {
            let loaded = Arc::new(Loaded { deltas, ..Loaded::clone(&segmentation.loaded) });
            let updated = Segmentation { loaded, ..Segmentation::clone(segmentation) };
            state.segmentations.insert(updated.id, Arc::new(updated));
            let found = Generation { header, position, loaded: Default::default() };
            state.generations.insert(generation, Arc::new(found));
        });
    }
}

/// Puts codes into `loaded` and returns the write set and what changed.
fn deltas(
    segmentation: &Segmentation,
    generation: GenerationId,
    loaded: &mut Loaded,
    codes: &[(u64, u16)],
) -> (WriteSet, Vec<Change>) {
    let (mut set, mut changes) = (WriteSet::new(), Vec::new());
    for (ordinal, code) in codes {
        let before = loaded.set(*ordinal, *code);
        if before != *code {
            set.put(keys::delta(generation, segmentation.id, *ordinal), encode(*code));
            changes.push(Change { ordinal: *ordinal, before, after: *code });
            loaded.deltas += 1;
        }
    }
    (set, changes)
}

/// Takes one block out of an output's counts and another one in.
fn replace(output: &mut StoredOutput, before: Option<&[u8]>, after: Option<&[u8]>) {
    // `members` stands at bytes 4 and 5 of a stored block.
    let members = |block: &[u8]| match *block {
        [_, _, _, _, low, high, ..] => u64::from(u16::from_le_bytes([low, high])),
        _ => 0,
    };
    if let Some(before) = before {
        output.blocks -= 1;
        output.members -= members(before);
        output.digest = output.digest.wrapping_sub(u64::from(stored_checksum(before)));
    }
    if let Some(after) = after {
        output.blocks += 1;
        output.members += members(after);
        output.digest = output.digest.wrapping_add(u64::from(stored_checksum(after)));
    }
}
