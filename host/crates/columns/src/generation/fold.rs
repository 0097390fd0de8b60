//! Deltas that have become many go into the blocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use trellis_storage::{Position, WriteSet};

use super::block::{stored_checksum, stored_members};
use super::load::scan;
use super::state::{Generation, Loaded, ResultState, StoredGeneration, StoredOutput};
use super::types::GenerationId;
use crate::keys;
use crate::output::Output;
use crate::{Columns, Result, stored};

/// Deltas of one write set.
const DELTAS_OF_SET: usize = 4_000;
/// Blocks of one write set.
const BLOCKS_OF_SET: usize = 500;

impl Columns {
    /// Writes blocks anew with their deltas in them. Not while transitions of the generation are pending: they compare it as it
    /// was at its flip. The caller holds `change`.
    pub(super) async fn fold_deltas(
        &self,
        state: &ResultState,
        output: &Arc<Output>,
        generation: GenerationId,
    ) -> Result<()> {
        if state.jobs.values().any(|job| job.stored.compares(generation)) {
            return Ok(());
        }
        let store = self.records.store().as_ref();
        let found = state.find_generation(generation)?;
        let (mut header, mut position) = (found.header.clone(), found.position);
        let column = &output.loaded.column;
        let prefix = keys::of_output(output.classes().delta_key(), generation, output.id);
        let mut rows = scan(store, &prefix).await?;
        while !rows.is_empty() {
            let block = |row: &trellis_storage::Row| column.block_of(keys::u64_at(&row.key, 13).unwrap_or(0));
            let blocks: BTreeSet<usize> = rows.iter().map(block).take(BLOCKS_OF_SET).collect();
            let rest = rows.iter().position(|row| !blocks.contains(&block(row))).unwrap_or(rows.len());
            let rest = rows.split_off(rest.min(DELTAS_OF_SET));
            let mut set = WriteSet::new();
            set.expect_written_at(keys::generation(generation), position);
            for index in blocks {
                let (key, after) = column.to_stored(generation, output.id, index);
                let before = store.get(&key).await?;
                if let Some(output) = header.outputs.iter_mut().find(|of| of.output == output.id) {
                    replace(output, before.as_ref().map(|before| &before.value[..]), after.as_deref());
                }
                match after {
                    Some(value) => {
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
            self.folded(output, generation, header.clone(), position, rest.len());
            rows = rest;
        }
        Ok(())
    }

    fn folded(
        &self,
        output: &Arc<Output>,
        generation: GenerationId,
        header: StoredGeneration,
        position: Position,
        deltas: usize,
    ) {
        self.results.put(|state| {
            let loaded = Arc::new(Loaded { deltas, ..Loaded::clone(&output.loaded) });
            let updated = Output { loaded, ..Output::clone(output) };
            state.outputs.insert(updated.id, Arc::new(updated));
            let found = Generation { header, position, loaded: Default::default() };
            state.generations.insert(generation, Arc::new(found));
        });
    }
}

/// Takes one block out of an output's counts and another one in.
fn replace(output: &mut StoredOutput, before: Option<&[u8]>, after: Option<&[u8]>) {
    if let Some(before) = before {
        output.blocks -= 1;
        output.members -= stored_members(before);
        output.digest = output.digest.wrapping_sub(u64::from(stored_checksum(before)));
    }
    if let Some(after) = after {
        output.blocks += 1;
        output.members += stored_members(after);
        output.digest = output.digest.wrapping_add(u64::from(stored_checksum(after)));
    }
}
