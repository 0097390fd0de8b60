use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use trellis_model::SegmentationName;
use trellis_storage::{Limits, StampPlace, StampSource, WriteSet};

use super::block::{Block, stored_checksum, stored_members};
use super::codes::CodeBlock;
use super::column::{BlockColumn, Column};
use super::delta::not_finite;
use super::numbers::{Number, NumberBlock};
use super::state::{Generation, Loaded, StoredGeneration, StoredOutput};
use super::types::{CodesColumn, GenerationId, NumbersColumn, ResultColumn, RunId};
use crate::keys::{self, KeyKind, OutputId};
use crate::output::{Output, OutputKind};
use crate::segmentation::Segmentation;
use crate::wait::off_thread;
use crate::{Columns, Error, Result, stored};

/// Outputs of a run at most.
const OUTPUTS_MAX: usize = 64;

/// Gathers the results of a run in memory (a byte a customer and segmentation, two where it has over 255 values, eight a customer and
/// score), then stores them as a generation.
#[derive(Debug)]
pub struct GenerationWriter {
    columns: Arc<Columns>,
    run: RunId,
    outputs: Vec<Gathered>,
    /// The ordinal after the last row.
    next_ordinal: u64,
}

/// The values of one segmentation or score, by ordinal.
#[derive(Debug)]
struct Gathered {
    output: Arc<Output>,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    Bytes(Arc<Segmentation>, Vec<u8>),
    Words(Arc<Segmentation>, Vec<u16>),
    Numbers(Vec<Number>),
}

impl Columns {
    /// Begins the results of a run for these segmentations and scores (names or aliases). Nothing is stored before
    /// [`GenerationWriter::finish`]; a writer that is dropped leaves nothing.
    ///
    /// # Errors
    /// [`Error::UnknownOutput`]; [`Error::InvalidRows`] for none, over 64, the same one twice, or two of different objects.
    pub fn begin(self: &Arc<Self>, run: RunId, outputs: &[SegmentationName]) -> Result<GenerationWriter> {
        let wrong = |reason: String| Err(Error::InvalidRows { run, reason });
        if outputs.is_empty() || outputs.len() > OUTPUTS_MAX {
            return wrong(format!("{} outputs, expected 1 to {OUTPUTS_MAX}", outputs.len()));
        }
        let state = self.results.state();
        let mut found: Vec<Gathered> = Vec::with_capacity(outputs.len());
        for name in outputs {
            let output = state.find(name.as_str())?;
            if found.iter().any(|of| of.output.id == output.id) {
                return wrong(format!("output `{name}` is there twice"));
            }
            if found.first().is_some_and(|first| first.output.object != output.object) {
                return wrong(format!("output `{name}` is about another object than the first one"));
            }
            found.push(Gathered::new(output));
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
    pub fn append(&mut self, ordinals: &[u64], columns: &[ResultColumn<'_>]) -> Result<()> {
        let run = self.run;
        let wrong = |reason: String| Error::InvalidRows { run, reason };
        let (Some(&first), Some(&last)) = (ordinals.first(), ordinals.last()) else { return Ok(()) };
        if first < self.next_ordinal || !ordinals.is_sorted_by(|a, b| a < b) {
            return Err(wrong(format!("ordinals are not ascending at {first}")));
        }
        if let Some(gathered) = self.outputs.first()
            && last >= self.columns.records.ordinal_bound(gathered.output.object)
        {
            return Err(wrong(format!("ordinal {last} was never handed out")));
        }
        if columns.len() != self.outputs.len() {
            return Err(wrong(format!("{} columns for {} outputs", columns.len(), self.outputs.len())));
        }
        for (gathered, column) in self.outputs.iter_mut().zip(columns) {
            let (rows, valid) = match column {
                ResultColumn::Codes(column) => (column.codes.len(), column.valid),
                ResultColumn::Numbers(column) => (column.values.len(), column.valid),
            };
            let name = gathered.output.name();
            if rows != ordinals.len() || !valid.fits(ordinals.len()) {
                return Err(wrong(format!("column `{name}` has not {} rows", ordinals.len())));
            }
            let wrong_here = |reason: String| wrong(format!("column `{name}`: {reason}"));
            let past = || wrong(format!("column `{name}` has a code past its values"));
            match (&mut gathered.cells, column) {
                (Cells::Bytes(segmentation, codes), ResultColumn::Codes(column)) => {
                    let map = code_map(segmentation, column)?;
                    add_codes(codes, ordinals, column, &map, |code| code as u8).ok_or_else(past)?;
                }
                (Cells::Words(segmentation, codes), ResultColumn::Codes(column)) => {
                    let map = code_map(segmentation, column)?;
                    add_codes(codes, ordinals, column, &map, |code| code).ok_or_else(past)?;
                }
                (Cells::Numbers(numbers), ResultColumn::Numbers(column)) => {
                    add_numbers(numbers, ordinals, column).map_err(wrong_here)?;
                }
                (Cells::Numbers(_), ResultColumn::Codes(_)) => {
                    return Err(wrong_here("codes for a score".to_owned()));
                }
                (_, ResultColumn::Numbers(_)) => {
                    return Err(wrong_here("numbers for a segmentation".to_owned()));
                }
            }
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
        for gathered in self.outputs {
            let column = gathered.cells.into_column();
            header.outputs.push(sets.put(generation, gathered.output.id, &column));
            loaded
                .insert(gathered.output.id, (Loaded::of(column, gathered.output.classes()), gathered.output));
        }
        try_join_all(sets.done().into_iter().map(|set| records.commit(set, None))).await?;

        header.finished = true;
        let mut set = WriteSet::new();
        set.expect_written_at(keys::generation(generation), begun.position);
        set.put(keys::generation(generation), stored::encode(&header));
        let _changing = self.columns.results.change.lock().await;
        let position = records.commit(set, None).await?.position;
        self.columns.results.put(|state| {
            // A score may have got other bands meanwhile.
            let loaded = loaded.into_iter().map(|(id, (loaded, output))| {
                let now = state.outputs.get(&id).unwrap_or(&output);
                (id, Arc::new(loaded).recounted(output.classes(), now.classes()))
            });
            let finished = Generation { header, position, loaded: loaded.collect() };
            state.generations.insert(generation, Arc::new(finished));
        });
        Ok(generation)
    }
}

impl Gathered {
    fn new(output: &Arc<Output>) -> Self {
        let cells = match &output.kind {
            OutputKind::Segmentation(of) if of.definition.values.len() > usize::from(u8::MAX) => {
                Cells::Words(Arc::clone(of), Vec::new())
            }
            OutputKind::Segmentation(of) => Cells::Bytes(Arc::clone(of), Vec::new()),
            OutputKind::Score(_) => Cells::Numbers(Vec::new()),
        };
        Self { output: Arc::clone(output), cells }
    }
}

/// For each entry of the dictionary the code that is stored.
fn code_map(segmentation: &Segmentation, column: &CodesColumn<'_>) -> Result<Vec<u16>> {
    let used = |index: usize| {
        let rows = column.codes.iter().enumerate();
        rows.into_iter().any(|(row, code)| *code as usize == index && column.valid.get(row))
    };
    let code = |index: usize| {
        let value = column.values.get(index).unwrap_or_default();
        match segmentation.code(value) {
            Some(code) => Ok(code),
            None if !used(index) => Ok(0),
            None => Err(Error::UnknownValue {
                segmentation: segmentation.definition.name.to_string(),
                value: value.to_owned(),
            }),
        }
    };
    (0..column.values.len()).map(code).collect()
}

/// Writes the rows' codes to their ordinals; `None` where a code is past the dictionary.
fn add_codes<T: Copy + Default>(
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

/// Writes the rows' numbers to their ordinals, which ascend from the vector's end on; names one that is not finite.
fn add_numbers(
    numbers: &mut Vec<Number>,
    ordinals: &[u64],
    column: &NumbersColumn<'_>,
) -> Result<(), String> {
    numbers.reserve(ordinals.last().map_or(0, |last| *last as usize + 1).saturating_sub(numbers.len()));
    let all_valid = column.valid == &trellis_model::Validity::all();
    for (row, (ordinal, value)) in ordinals.iter().zip(column.values).enumerate() {
        numbers.resize(*ordinal as usize, Number::NULL);
        numbers.push(if all_valid || column.valid.get(row) {
            Number::new(*value).ok_or_else(|| not_finite(*value, *ordinal))?
        } else {
            Number::NULL
        });
    }
    Ok(())
}

impl Cells {
    fn into_column(self) -> Column {
        match self {
            Self::Bytes(_, codes) => {
                let blocks = codes.chunks(CodeBlock::ROWS).map(CodeBlock::of_bytes);
                Column::Codes(BlockColumn::from_blocks(blocks.collect()))
            }
            Self::Words(_, codes) => {
                let blocks = codes.chunks(CodeBlock::ROWS).map(CodeBlock::of_words);
                Column::Codes(BlockColumn::from_blocks(blocks.collect()))
            }
            Self::Numbers(numbers) => {
                let blocks = numbers.chunks(NumberBlock::ROWS).map(NumberBlock::of_numbers);
                Column::Numbers(BlockColumn::from_blocks(blocks.collect()))
            }
        }
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
    fn put(&mut self, generation: GenerationId, id: OutputId, column: &Column) -> StoredOutput {
        let limits = Limits::default();
        let mut output = StoredOutput { output: id, blocks: 0, members: 0, digest: 0 };
        for index in 0..column.blocks() {
            let (key, Some(value)) = column.to_stored(generation, id, index) else { continue };
            output.blocks += 1;
            output.members += stored_members(&value);
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
