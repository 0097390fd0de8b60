//! Letting go of generations: marked first, deleted in small batches, the header last, so that a crash in between is finished at the next start.

use std::sync::Arc;

use trellis_storage::{ScanRange, WriteSet};

use super::state::Generation;
use super::types::GenerationId;
use crate::keys::{self, KeyKind};
use crate::output::Output;
use crate::{Columns, Error, Result, stored};

/// Keys deleted by one write set.
const DELETES_OF_SET: usize = 1_000;

impl Columns {
    /// Drops a finished generation that nobody has flipped to.
    ///
    /// # Errors
    /// [`Error::UnknownGeneration`] also for one that a segmentation or score keeps.
    pub async fn discard(&self, generation: GenerationId) -> Result<()> {
        let _changing = self.results.change.lock().await;
        let state = self.results.state();
        state.find_generation(generation)?;
        if state.needs(generation) {
            return Err(Error::UnknownGeneration { generation });
        }
        self.retire(generation).await
    }

    /// Drops what a crash left: generations that are unfinished or that nobody flipped to.
    pub(crate) async fn delete_orphaned_generations(&self) -> Result<()> {
        let _changing = self.results.change.lock().await;
        let state = self.results.state();
        let orphans = state.generations.keys().filter(|generation| !state.needs(**generation));
        for generation in orphans.copied().collect::<Vec<_>>() {
            self.retire(generation).await?;
        }
        Ok(())
    }

    /// Lets go of generations that are no longer kept. The caller holds `change`.
    pub(crate) async fn prune(&self) -> Result<()> {
        let state = self.results.state();
        for output in state.outputs.values() {
            let pointer = output.pointer.pruned(self.config.generations_kept);
            let Some(position) = output.pointer_position else { continue };
            if pointer == output.pointer {
                continue;
            }
            let mut set = WriteSet::new();
            set.expect_written_at(keys::pointer(output.id), position);
            set.put(keys::pointer(output.id), stored::encode(&pointer));
            let pointer_position = Some(self.records.commit(set, None).await?.position);
            let pruned = Output { pointer, pointer_position, ..Output::clone(output) };
            self.results.put(|state| {
                state.outputs.insert(pruned.id, Arc::new(pruned));
            });
        }
        // One that is loaded was finished by this process and may still be flipped to.
        let state = self.results.state();
        let unneeded = state
            .generations
            .iter()
            .filter(|(generation, of)| of.loaded.is_empty() && !state.needs(**generation));
        for generation in unneeded.map(|(generation, _)| *generation).collect::<Vec<_>>() {
            self.retire(generation).await?;
        }
        Ok(())
    }

    async fn retire(&self, generation: GenerationId) -> Result<()> {
        let state = self.results.state();
        let found = state.generations.get(&generation).ok_or(Error::UnknownGeneration { generation })?;
        let mut header = found.header.clone();
        if header.finished {
            header.finished = false;
            let mut set = WriteSet::new();
            set.expect_written_at(keys::generation(generation), found.position);
            set.put(keys::generation(generation), stored::encode(&header));
            let position = self.records.commit(set, None).await?.position;
            let marked = Generation { header, position, loaded: Default::default() };
            self.results.put(|state| {
                state.generations.insert(generation, Arc::new(marked));
            });
        }
        for kind in [KeyKind::Block, KeyKind::Delta, KeyKind::NumberBlock, KeyKind::NumberDelta] {
            self.delete_all(&keys::of_generation(kind, generation)).await?;
        }
        let mut set = WriteSet::new();
        set.delete(keys::generation(generation));
        self.records.commit(set, None).await?;
        self.results.put(|state| {
            state.generations.remove(&generation);
        });
        Ok(())
    }

    async fn delete_all(&self, prefix: &[u8]) -> Result<()> {
        loop {
            let page = self.records.store().scan(ScanRange::prefix(prefix), DELETES_OF_SET).await?;
            if page.rows.is_empty() {
                return Ok(());
            }
            let mut set = WriteSet::new();
            page.rows.iter().for_each(|row| {
                set.delete(row.key.to_vec());
            });
            self.records.commit(set, None).await?;
        }
    }
}
