use std::sync::Arc;

use trellis_records::{EntryBody, NewEntry};
use trellis_storage::WriteSet;

use super::column::Cell;
use super::numbers::Number;
use super::state::Loaded;
use super::transitions::{Change, changed_entry};
use super::types::{Delta, DeltaOutcome, GenerationId, Origin, ScoreDelta};
use crate::keys::{self, OutputId};
use crate::output::{Classes, Output};
use crate::{Columns, Error, Result};

const VERSION: u8 = 1;
/// Deltas of one write set and its log entry.
const DELTAS_OF_SET: usize = 1_000;

fn encode(cell: Cell) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    match cell {
        Cell::Code(code) => bytes.extend(code.to_le_bytes()),
        Cell::Number(number) => bytes.extend(number.get().into_iter().flat_map(f64::to_le_bytes)),
    }
    bytes
}

/// Reads a delta of an output that has such classes.
pub(super) fn decode(classes: &Classes, bytes: &[u8]) -> Result<Cell> {
    let cell = match (classes, bytes) {
        (Classes::Values(_), &[VERSION, low, high]) => Some(Cell::Code(u16::from_le_bytes([low, high]))),
        (Classes::Bands(_), [VERSION]) => Some(Cell::Number(Number::NULL)),
        (Classes::Bands(_), [VERSION, number @ ..]) => {
            let number = number.try_into().ok().map(f64::from_le_bytes).and_then(Number::new);
            number.map(Cell::Number)
        }
        _ => None,
    };
    cell.ok_or_else(|| Error::damaged("a delta is of no known form"))
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
        let unknown = || Error::UnknownSegmentation { name: segmentation.to_owned() };
        let found = self.current_segmentation(segmentation).ok_or_else(unknown)?;
        let cells = deltas.iter().map(|delta| {
            Ok((delta.ordinal, Cell::Code(found.segmentation.code_of(delta.value.as_deref())?)))
        });
        let cells = cells.collect::<Result<Vec<_>>>()?;
        self.put_cells(generation, found.output.id, &cells, origin).await
    }

    /// Writes numbers of single customers, as [`Columns::put_delta`] does values: those whose band changes are told in a
    /// `score.crossed` entry.
    ///
    /// # Errors
    /// [`Error::UnknownScore`], [`Error::InvalidScore`] for what is not finite, those of the store.
    pub async fn put_score_delta(
        &self,
        generation: GenerationId,
        score: &str,
        deltas: &[ScoreDelta],
        origin: &Origin,
    ) -> Result<DeltaOutcome> {
        let _changing = self.results.change.lock().await;
        let unknown = || Error::UnknownScore { name: score.to_owned() };
        let found = self.current_score(score).ok_or_else(unknown)?;
        let cells = deltas.iter().map(|delta| {
            let number = delta.value.map_or(Some(Number::NULL), Number::new);
            let number = number.ok_or_else(|| Error::InvalidScore {
                name: found.output.name().to_string(),
                reason: not_finite(delta.value.unwrap_or_default(), delta.ordinal),
            })?;
            Ok((delta.ordinal, Cell::Number(number)))
        });
        let cells = cells.collect::<Result<Vec<_>>>()?;
        self.put_cells(generation, found.output.id, &cells, origin).await
    }

    /// The caller holds `change`.
    async fn put_cells(
        &self,
        generation: GenerationId,
        id: OutputId,
        cells: &[(u64, Cell)],
        origin: &Origin,
    ) -> Result<DeltaOutcome> {
        let mut changed = 0;
        for part in cells.chunks(DELTAS_OF_SET) {
            let state = self.results.state();
            let Some(output) = state.outputs.get(&id) else { return Ok(DeltaOutcome::Superseded) };
            changed += if output.pointer.current == Some(generation) {
                self.put_current(output, generation, part, origin).await?
            } else {
                match state.generations.get(&generation).and_then(|of| of.loaded.get(&id)) {
                    Some(loaded) => self.put_pending(output, generation, loaded, part).await?,
                    None => return Ok(DeltaOutcome::Superseded),
                }
            };
        }
        let state = self.results.state();
        if let Some(output) = state.outputs.get(&id)
            && output.pointer.current == Some(generation)
            && output.loaded.deltas > self.config.deltas_max
        {
            self.fold_deltas(&state, output, generation).await?;
        }
        Ok(DeltaOutcome::Written { changed })
    }

    async fn put_current(
        &self,
        output: &Arc<Output>,
        generation: GenerationId,
        cells: &[(u64, Cell)],
        origin: &Origin,
    ) -> Result<usize> {
        let mut loaded = Loaded::clone(&output.loaded);
        let Deltas { mut set, changed, changes } = deltas(output, generation, &mut loaded, cells);
        if changed == 0 {
            return Ok(0);
        }
        if let Some(position) = output.pointer_position {
            set.expect_written_at(keys::pointer(output.id), position);
        }
        let run = output.pointer.result(generation).map(|result| result.run());
        let entry = changed_entry(output, run, generation, None, &changes).map(|(name, data)| NewEntry {
            actor: origin.actor.clone(),
            cause: origin.cause.clone(),
            body: EntryBody::Event { name: name.to_owned(), data },
        });
        self.records.commit(set, entry).await?;
        let updated = Output { loaded: Arc::new(loaded), ..Output::clone(output) };
        self.results.put(|state| {
            state.outputs.insert(updated.id, Arc::new(updated));
        });
        Ok(changed)
    }

    async fn put_pending(
        &self,
        output: &Arc<Output>,
        generation: GenerationId,
        loaded: &Arc<Loaded>,
        cells: &[(u64, Cell)],
    ) -> Result<usize> {
        let mut loaded = Loaded::clone(loaded);
        let Deltas { set, changed, .. } = deltas(output, generation, &mut loaded, cells);
        if changed > 0 {
            self.records.commit(set, None).await?;
        }
        self.results.put(|state| {
            if let Some(of) = state.generations.get_mut(&generation) {
                Arc::make_mut(of).loaded.insert(output.id, Arc::new(loaded));
            }
        });
        Ok(changed)
    }
}

/// Says which number cannot be a score.
pub(super) fn not_finite(number: f64, ordinal: u64) -> String {
    format!("the number of ordinal {ordinal} is {number}, which is not finite")
}

/// What single results come to.
struct Deltas {
    set: WriteSet,
    /// How many values are another.
    changed: usize,
    /// Whose value or band is another.
    changes: Vec<Change>,
}

/// Puts values into `loaded`.
fn deltas(output: &Output, generation: GenerationId, loaded: &mut Loaded, cells: &[(u64, Cell)]) -> Deltas {
    let (mut set, mut changed, mut changes) = (WriteSet::new(), 0, Vec::new());
    let classes = output.classes();
    for (ordinal, cell) in cells {
        let before = loaded.set(*ordinal, *cell, classes);
        if before == *cell {
            continue;
        }
        set.put(keys::delta(classes.delta_key(), generation, output.id, *ordinal), encode(*cell));
        loaded.deltas += 1;
        changed += 1;
        let (before, after) = (classes.of(before), classes.of(*cell));
        if before != after {
            changes.push(Change { ordinal: *ordinal, before, after });
        }
    }
    Deltas { set, changed, changes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_come_back_and_damage_is_refused() {
        let (values, bands) = (Classes::Values(3), Classes::Bands([].into()));
        let check = |classes: &Classes, cell: Cell| {
            let stored = encode(cell);
            assert_eq!(decode(classes, &stored).unwrap(), cell);
            assert!(
                decode(classes, &stored[1..]).is_err()
                    && decode(classes, &[&stored[..], &[0]].concat()).is_err()
            );
        };
        check(&values, Cell::Code(258));
        check(&bands, Cell::Number(Number::new(-0.1).unwrap()));
        assert_eq!(decode(&bands, &encode(Cell::Number(Number::NULL))).unwrap(), Cell::Number(Number::NULL));
        let not_finite = [&[VERSION][..], &f64::INFINITY.to_le_bytes()].concat();
        assert!(decode(&bands, &not_finite).is_err());
        assert!(decode(&values, &encode(Cell::Number(Number::NULL))).is_err());
    }
}
