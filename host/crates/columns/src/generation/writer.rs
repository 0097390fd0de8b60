use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use trellis_model::SegmentationName;
use trellis_storage::{Limits, StampPlace, StampSource, WriteSet};

use super::block::{BLOCK_ROWS, CodeBlock, CodeColumn, stored_checksum, to_stored};
use super::state::{Generation, Loaded, StoredGeneration, StoredOutput};
use super::types::{CodesColumn, GenerationId, RunId};
use crate::keys::{self, KeyKind, SegmentationId};
use crate::segmentation::Segmentation;
use crate::wait::off_thread;
use crate::{Columns, Error, Result, stored};

/// Outputs of a run at most.
const OUTPUTS_MAX: usize = 64;

/// Gathers the results of a run in memory (a byte a customer and output, two where a segmentation has over 255 values), then
/// stores them as a generation.
#[derive(Debug)]
pub struct GenerationWriter {
    columns: Arc<Columns>,
    run: RunId,
    outputs: Vec<Output>,
    /// The ordinal after the last row.
    next_ordinal: u64,
}

#[derive(Debug)]
struct Output {
    segmentation: Arc<Segmentation>,
    codes: Codes,
}

#[derive(Debug)]
enum Codes {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

impl Columns {
    /// Begins the results of a run for these segmentations (names or aliases). Nothing is stored before
    /// [`GenerationWriter::finish`]; a writer that is dropped leaves nothing.
    ///
    /// # Errors
    /// [`Error::UnknownSegmentation`]; [`Error::InvalidRows`] for none, over 64 or the same one twice.
    pub fn begin(self: &Arc<Self>, run: RunId, outputs: &[SegmentationName]) -> Result<GenerationWriter> {
        let state = self.results.state();
        let mut found: Vec<Output> = Vec::with_capacity(outputs.len());
        for name in outputs {
            let segmentation = Arc::clone(state.find(name.as_str())?);
            if found.iter().any(|output| output.segmentation.id == segmentation.id) {
                return Err(Error::InvalidRows { run, reason: format!("output `{name}` is there twice") });
            }
            let wide = segmentation.definition.values.len() > usize::from(u8::MAX);
            let codes = if wide { Codes::Words(Vec::new()) } else { Codes::Bytes(Vec::new()) };
            found.push(Output { segmentation, codes });
        }
        if found.is_empty() || found.len() > OUTPUTS_MAX {
            let reason = format!("{} outputs, expected 1 to {OUTPUTS_MAX}", found.len());
            return Err(Error::InvalidRows { run, reason });
        }
        Ok(GenerationWriter { columns: Arc::clone(self), run, outputs: found, next_ordinal: 0 })
    }
}

impl GenerationWriter {
    /// Adds rows: ordinals ascending, also over calls, and one column for each output in the order of [`Columns::begin`]. In
    /// memory; does not block. Ordinals that are left out are null.
    ///
    /// # Errors
    /// [`Error::InvalidRows`] names what does not fit, [`Error::UnknownValue`] a value that is not defined. The writer
    /// cannot be used after either.
    pub fn append(&mut self, ordinals: &[u64], columns: &[CodesColumn<'_>]) -> Result<()> {
        let run = self.run;
        let wrong = |reason: String| Error::InvalidRows { run, reason };
        let (Some(&first), Some(&last)) = (ordinals.first(), ordinals.last()) else { return Ok(()) };
        if first < self.next_ordinal || !ordinals.is_sorted_by(|a, b| a < b) {
            return Err(wrong(format!("ordinals are not ascending at {first}")));
        }
        if let Some(output) = self.outputs.first() {
            let object = output.segmentation.object;
            if last >= self.columns.records.ordinal_bound(object) {
                return Err(wrong(format!("ordinal {last} was never handed out")));
            }
        }
        if columns.len() != self.outputs.len() {
            return Err(wrong(format!("{} columns for {} outputs", columns.len(), self.outputs.len())));
        }
        for (output, column) in self.outputs.iter_mut().zip(columns) {
            if column.codes.len() != ordinals.len() || !column.valid.fits(ordinals.len()) {
                let name = &output.segmentation.definition.name;
                return Err(wrong(format!("column `{name}` has not {} rows", ordinals.len())));
            }
            let map = output.map(column)?;
            let added = match &mut output.codes {
                Codes::Bytes(codes) => add_rows(codes, ordinals, column, &map, |code| code as u8),
                Codes::Words(codes) => add_rows(codes, ordinals, column, &map, |code| code),
            };
            added.ok_or_else(|| {
                wrong(format!("column `{}` has a code past its values", output.segmentation.definition.name))
            })?;
        }
        self.next_ordinal = last + 1;
        Ok(())
    }

    /// Stores all blocks, durably. Then the generation can be flipped to; until then it is not seen.
    ///
    /// # Errors
    /// Those of the store. What was stored by then is deleted at the next start.
    pub async fn finish(self) -> Result<GenerationId> {
        off_thread(self.store()).await
    }

    async fn store(self) -> Result<GenerationId> {
        let records = &self.columns.records;
        let mut header = StoredGeneration {
            run: *self.run.as_bytes(),
            finished: false,
            created_at_ms: records.clock().now_ms(),
            outputs: Vec::new(),
        };
        // The number comes from a counter, so that it is never used again, also after its generation is gone.
        let mut set = WriteSet::new();
        let number = set.add(keys::kind(KeyKind::GenerationCounter), 1);
        let put = set.put(keys::generation(GenerationId(0)), stored::encode(&header));
        set.stamp(StampPlace::Key(put, 1), StampSource::Counter(number));
        let begun = records.commit(set, None).await?;
        let number =
            begun.counters.first().copied().ok_or_else(|| Error::damaged("a commit answered no counter"))?;
        let generation = GenerationId(number);

        let (mut sets, mut loaded) = (Sets::default(), BTreeMap::new());
        for output in self.outputs {
            let (id, values) = (output.segmentation.id, output.segmentation.definition.values.len());
            let column = output.codes.into_column();
            header.outputs.push(sets.put(generation, id, &column));
            loaded.insert(id, Arc::new(Loaded::of(column, values)));
        }
        try_join_all(sets.done().into_iter().map(|set| records.commit(set, None))).await?;

        header.finished = true;
        let mut set = WriteSet::new();
        set.expect_written_at(keys::generation(generation), begun.position);
        set.put(keys::generation(generation), stored::encode(&header));
        let _changing = self.columns.results.change.lock().await;
        let position = records.commit(set, None).await?.position;
        let finished = Arc::new(Generation { header, position, loaded });
        self.columns.results.put(|state| {
            state.generations.insert(generation, finished);
        });
        Ok(generation)
    }
}

impl Output {
    /// For each entry of the dictionary the code that is stored.
    fn map(&self, column: &CodesColumn<'_>) -> Result<Vec<u16>> {
        let used = |index: usize| {
            let rows = column.codes.iter().enumerate();
            rows.into_iter().any(|(row, code)| *code as usize == index && column.valid.get(row))
        };
        let code = |index: usize| {
            let value = column.values.get(index).unwrap_or_default();
            match self.segmentation.code(value) {
                Some(code) => Ok(code),
                None if !used(index) => Ok(0),
                None => Err(Error::UnknownValue {
                    segmentation: self.segmentation.definition.name.to_string(),
                    value: value.to_owned(),
                }),
            }
        };
        (0..column.values.len()).map(code).collect()
    }
}

/// Writes the rows' codes to their ordinals; `None` where a code is past the dictionary.
fn add_rows<T: Copy + Default>(
    codes: &mut Vec<T>,
    ordinals: &[u64],
    column: &CodesColumn<'_>,
    map: &[u16],
    narrow: impl Fn(u16) -> T,
) -> Option<()> {
    let (first, last) = (*ordinals.first()? as usize, *ordinals.last()? as usize);
    codes.resize(last + 1, T::default());
    let target = codes.get_mut(first..)?;
    let all_valid = column.valid == &trellis_model::Validity::all();
    if all_valid && target.len() == ordinals.len() {
        for (place, code) in target.iter_mut().zip(column.codes) {
            *place = narrow(*map.get(*code as usize)?);
        }
        return Some(());
    }
    for (row, (ordinal, code)) in ordinals.iter().zip(column.codes).enumerate() {
        if all_valid || column.valid.get(row) {
            *target.get_mut(*ordinal as usize - first)? = narrow(*map.get(*code as usize)?);
        }
    }
    Some(())
}

impl Codes {
    fn into_column(self) -> CodeColumn {
        let blocks = match self {
            Self::Bytes(codes) => codes.chunks(BLOCK_ROWS).map(CodeBlock::of_bytes).collect(),
            Self::Words(codes) => codes.chunks(BLOCK_ROWS).map(CodeBlock::of_words).collect(),
        };
        CodeColumn::from_blocks(blocks)
    }
}

/// Write sets that each stay within the limits of the store.
#[derive(Default)]
struct Sets {
    full: Vec<WriteSet>,
    current: WriteSet,
    bytes: usize,
}

impl Sets {
    fn put(
        &mut self,
        generation: GenerationId,
        segmentation: SegmentationId,
        column: &CodeColumn,
    ) -> StoredOutput {
        let limits = Limits::default();
        let mut output = StoredOutput { segmentation, blocks: 0, members: 0, digest: 0 };
        for (index, block) in column.blocks().iter().enumerate() {
            let Some((key, value)) = to_stored(generation, segmentation, index, block) else { continue };
            output.blocks += 1;
            output.members += u64::from(block.members());
            output.digest = output.digest.wrapping_add(u64::from(stored_checksum(&value)));
            let bytes = key.len() + value.len();
            let keys = self.current.keys();
            if self.bytes + bytes > limits.write_set_bytes_max || keys == limits.write_set_keys_max {
                self.full.push(std::mem::take(&mut self.current));
                self.bytes = 0;
            }
            self.bytes += bytes;
            self.current.put(key, value);
        }
        output
    }

    fn done(mut self) -> Vec<WriteSet> {
        if !self.current.is_empty() {
            self.full.push(self.current);
        }
        self.full
    }
}
