//! One segmentation's or score's values of all ordinals, block by block.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use super::block::{Block, decode, encode};
use super::codes::CodeBlock;
use super::numbers::{Number, NumberBlock, Summary};
use crate::keys::{self, KeyKind, OutputId};
use crate::output::Classes;
use crate::{Error, GenerationId, Result};

/// Blocks of one form; past the last one every row is null.
#[derive(Debug, Clone)]
pub(crate) struct BlockColumn<B> {
    blocks: Vec<B>,
}

/// The values of a segmentation or of a score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    Codes(BlockColumn<CodeBlock>),
    Numbers(BlockColumn<NumberBlock>),
}

/// One value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// 0 is null.
    Code(u16),
    Number(Number),
}

/// A block as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadBlock {
    pub(crate) members: u64,
    pub(crate) checksum: u32,
}

impl<B> Default for BlockColumn<B> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<B: Block> PartialEq for BlockColumn<B> {
    fn eq(&self, other: &Self) -> bool {
        (0..self.blocks.len().max(other.blocks.len())).all(|index| self.block(index) == other.block(index))
    }
}

impl<B: Block> BlockColumn<B> {
    pub(crate) fn from_blocks(blocks: Vec<B>) -> Self {
        Self { blocks }
    }

    pub(crate) fn blocks(&self) -> &[B] {
        &self.blocks
    }

    pub(crate) fn block(&self, index: usize) -> &B {
        self.blocks.get(index).unwrap_or(B::EMPTY)
    }

    /// An exclusive bound of the ordinals that have a value.
    pub(crate) fn bound(&self) -> u64 {
        (self.blocks.len() * B::ROWS) as u64
    }

    pub(crate) fn get(&self, ordinal: u64) -> B::Cell {
        let (block, row) = place::<B>(ordinal);
        self.block(block).get(row)
    }

    /// Puts a value and returns the one before.
    pub(crate) fn set(&mut self, ordinal: u64, cell: B::Cell) -> B::Cell {
        let (index, row) = place::<B>(ordinal);
        let block = self.block(index);
        let before = block.get(row);
        if before != cell {
            let mut cells: Vec<B::Cell> = (0..B::ROWS).map(|row| block.get(row)).collect();
            if let Some(place) = cells.get_mut(row) {
                *place = cell;
            }
            self.put_block(index, B::of(cells));
        }
        before
    }

    fn put_block(&mut self, index: usize, block: B) {
        if index >= self.blocks.len() {
            self.blocks.resize(index + 1, B::EMPTY.clone());
        }
        if let Some(place) = self.blocks.get_mut(index) {
            *place = block;
        }
    }

    /// Up to `rows_max` ordinals from `from` to below `bound`, ascending, whose value is wanted.
    pub(crate) fn find(
        &self,
        from: u64,
        bound: u64,
        rows_max: usize,
        wanted: impl Fn(B::Cell) -> bool,
    ) -> Vec<u64> {
        let mut found = Vec::new();
        let mut ordinal = from;
        while ordinal < bound && found.len() < rows_max {
            let (index, row) = place::<B>(ordinal);
            let (block, start) = (self.block(index), ordinal - row as u64);
            let rows = row..B::ROWS.min((bound - start) as usize);
            let rows = rows.filter(|row| wanted(block.get(*row))).map(|row| start + row as u64);
            match block.constant() {
                Some(cell) if !wanted(cell) => {}
                _ => found.extend(rows.take(rows_max - found.len())),
            }
            ordinal = start + B::ROWS as u64;
        }
        found
    }

    fn read_block(&mut self, key: &[u8], value: &[u8]) -> Result<ReadBlock> {
        let (block, checksum) = decode::<B>(key, value)?;
        let index = keys::u32_at(key, 13).ok_or_else(|| Error::damaged("a block's key is short"))?;
        let members = u64::from(block.members());
        self.put_block(index as usize, block);
        Ok(ReadBlock { members, checksum })
    }

    /// A block's key and stored form; `None` for one without members, which is not stored.
    fn to_stored(
        &self,
        generation: GenerationId,
        output: OutputId,
        index: usize,
    ) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = keys::block(B::KEY, generation, output, index as u32);
        let block = self.block(index);
        let value = (block != B::EMPTY).then(|| encode(block, &key));
        (key, value)
    }
}

impl BlockColumn<NumberBlock> {
    /// What is said about all numbers but those of some ordinals.
    pub(crate) fn summary_without(&self, ordinals: &BTreeSet<u64>) -> Summary {
        let rows = NumberBlock::ROWS as u64;
        let blocks = self.blocks.iter().zip(0_u64..).map(|(block, index)| {
            let start = index * rows;
            match ordinals.range(start..start + rows).next() {
                None => block.summary(),
                Some(_) => block.summary_of(|row| !ordinals.contains(&(start + row as u64))),
            }
        });
        blocks.fold(Summary::NOTHING, Summary::and)
    }
}

impl Column {
    /// A column without values, of the form that has these classes.
    pub(crate) fn empty(classes: &Classes) -> Self {
        match classes {
            Classes::Values(_) => Self::Codes(BlockColumn::default()),
            Classes::Bands(_) => Self::Numbers(BlockColumn::default()),
        }
    }

    /// How many blocks there are up to the last one.
    pub(crate) fn blocks(&self) -> usize {
        match self {
            Self::Codes(column) => column.blocks().len(),
            Self::Numbers(column) => column.blocks().len(),
        }
    }

    /// The block that an ordinal is in.
    pub(crate) fn block_of(&self, ordinal: u64) -> usize {
        match self {
            Self::Codes(_) => place::<CodeBlock>(ordinal).0,
            Self::Numbers(_) => place::<NumberBlock>(ordinal).0,
        }
    }

    pub(crate) fn get(&self, ordinal: u64) -> Cell {
        match self {
            Self::Codes(column) => Cell::Code(column.get(ordinal)),
            Self::Numbers(column) => Cell::Number(column.get(ordinal)),
        }
    }

    /// Puts a value and returns the one before.
    pub(crate) fn set(&mut self, ordinal: u64, cell: Cell) -> Cell {
        match (self, cell) {
            (Self::Codes(column), Cell::Code(code)) => Cell::Code(column.set(ordinal, code)),
            (Self::Numbers(column), Cell::Number(number)) => Cell::Number(column.set(ordinal, number)),
            _ => unreachable!("a segmentation has codes and a score has numbers"),
        }
    }

    /// Puts a stored block into its place.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the block.
    pub(crate) fn read_block(&mut self, key: &[u8], value: &[u8]) -> Result<ReadBlock> {
        match self {
            Self::Codes(column) => column.read_block(key, value),
            Self::Numbers(column) => column.read_block(key, value),
        }
    }

    /// A block's key and stored form; `None` for one without members, which is not stored.
    pub(crate) fn to_stored(
        &self,
        generation: GenerationId,
        output: OutputId,
        index: usize,
    ) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            Self::Codes(column) => column.to_stored(generation, output, index),
            Self::Numbers(column) => column.to_stored(generation, output, index),
        }
    }

    /// How many rows have each class, null too, up to the last of `classes`; rows of greater codes are in none.
    pub(crate) fn counts(&self, classes: &Classes) -> Vec<u64> {
        let mut counts = vec![0_u64; classes.count() + 1];
        let mut add = |class: u16, rows: u64| {
            if let Some(count) = counts.get_mut(usize::from(class)) {
                *count += rows;
            }
        };
        match self {
            Self::Codes(column) => column.blocks().iter().for_each(|block| block.count(&mut add)),
            Self::Numbers(column) => {
                for block in column.blocks() {
                    match block.constant() {
                        Some(number) => add(classes.of(Cell::Number(number)), NumberBlock::ROWS as u64),
                        None => {
                            (0..NumberBlock::ROWS)
                                .for_each(|row| add(classes.of(Cell::Number(block.get(row))), 1));
                        }
                    }
                }
            }
        }
        counts
    }

    /// Whether every row is null or of one of the classes.
    pub(crate) fn is_within(&self, classes: &Classes) -> bool {
        match self {
            Self::Codes(column) => self.counts(classes).iter().sum::<u64>() == column.bound(),
            Self::Numbers(_) => true,
        }
    }

    /// Ordinals of a block with their classes in `before` and in this column, where those differ.
    pub(crate) fn changes_since(
        &self,
        before: &Self,
        block: usize,
        classes: &Classes,
    ) -> Vec<(u64, u16, u16)> {
        match (before, self) {
            (Self::Codes(before), Self::Codes(after)) => {
                changes(before, after, block, |code| classes.of(Cell::Code(code)))
            }
            (Self::Numbers(before), Self::Numbers(after)) => {
                changes(before, after, block, |number| classes.of(Cell::Number(number)))
            }
            _ => unreachable!("a segmentation has codes and a score has numbers"),
        }
    }
}

impl Column {
    /// The ordinals whose values here are not those in `before`, ascending.
    pub(crate) fn differing(&self, before: &Self) -> Vec<u64> {
        match (before, self) {
            (Self::Codes(before), Self::Codes(after)) => differing(before, after),
            (Self::Numbers(before), Self::Numbers(after)) => differing(before, after),
            _ => unreachable!("a segmentation has codes and a score has numbers"),
        }
    }

    /// The ordinals that have a value, ascending.
    pub(crate) fn valued(&self) -> Vec<u64> {
        let rows_max = usize::MAX;
        match self {
            Self::Codes(column) => column.find(0, column.bound(), rows_max, |code| code != 0),
            Self::Numbers(column) => {
                column.find(0, column.bound(), rows_max, |number| number.get().is_some())
            }
        }
    }

    /// Adds every value and where it stands.
    pub(crate) fn hash_values(&self, hasher: &mut impl Hasher) {
        match self {
            Self::Codes(column) => hash_values(column, hasher, |code, hasher| code.hash(hasher)),
            Self::Numbers(column) => hash_values(column, hasher, |number, hasher| {
                number.get().map(f64::to_bits).hash(hasher);
            }),
        }
    }
}

fn hash_values<B: Block, H: Hasher>(column: &BlockColumn<B>, hasher: &mut H, hash: impl Fn(B::Cell, &mut H)) {
    let blocks = column.blocks.iter().enumerate().filter(|(_, block)| *block != B::EMPTY);
    for (index, block) in blocks {
        index.hash(hasher);
        match block.constant() {
            Some(cell) => hash(cell, hasher),
            None => (0..B::ROWS).for_each(|row| hash(block.get(row), hasher)),
        }
    }
}

fn differing<B: Block>(before: &BlockColumn<B>, after: &BlockColumn<B>) -> Vec<u64> {
    let blocks = 0..before.blocks.len().max(after.blocks.len());
    let differing = blocks.filter(|index| before.block(*index) != after.block(*index));
    let rows = differing.flat_map(|index| {
        let (before, after) = (before.block(index), after.block(index));
        let rows = (0..B::ROWS).filter(|row| before.get(*row) != after.get(*row));
        rows.map(move |row| (index * B::ROWS + row) as u64)
    });
    rows.collect()
}

fn changes<B: Block>(
    before: &BlockColumn<B>,
    after: &BlockColumn<B>,
    block: usize,
    class: impl Fn(B::Cell) -> u16,
) -> Vec<(u64, u16, u16)> {
    let (before, after) = (before.block(block), after.block(block));
    if before == after {
        return Vec::new();
    }
    let rows = (0..B::ROWS).map(|row| {
        let ordinal = (block * B::ROWS + row) as u64;
        (ordinal, class(before.get(row)), class(after.get(row)))
    });
    rows.filter(|(_, before, after)| before != after).collect()
}

/// The block and the row in it of an ordinal.
fn place<B: Block>(ordinal: u64) -> (usize, usize) {
    let rows = B::ROWS as u64;
    ((ordinal / rows) as usize, (ordinal % rows) as usize)
}

impl Classes {
    /// The kind of key under which blocks of such a column are stored.
    pub(crate) fn block_key(&self) -> KeyKind {
        match self {
            Self::Values(_) => CodeBlock::KEY,
            Self::Bands(_) => NumberBlock::KEY,
        }
    }

    /// The kind of key under which single values of such a column are stored.
    pub(crate) fn delta_key(&self) -> KeyKind {
        match self {
            Self::Values(_) => KeyKind::Delta,
            Self::Bands(_) => KeyKind::NumberDelta,
        }
    }
}
