//! The keys of this crate. A kind is a first byte; a number once given is never used for something else.

use crate::GenerationId;

/// The kinds of key that columns write, by their first byte (0x40 to 0x4f).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// `output u32, part u16` → a part of the definition of a segmentation.
    Segmentation = 0x40,
    /// `name` → the number of the segmentation or score that bears it as name or alias.
    OutputName = 0x41,
    /// `output u32` → which generation is current and which are kept.
    Pointer = 0x42,
    /// → the last generation number given (a counter).
    GenerationCounter = 0x43,
    /// `generation u64` → what the generation holds and whether it is finished.
    Generation = 0x44,
    /// `generation u64, output u32, block u32` → codes of a segmentation.
    Block = 0x45,
    /// `generation u64, output u32, ordinal u64` → one code that supersedes the block's.
    Delta = 0x46,
    /// `generation u64` → how far the transitions of its flip are written.
    TransitionJob = 0x47,
    /// `output u32, part u16` → a part of the definition of a score.
    Score = 0x48,
    /// `generation u64, output u32, block u32` → numbers of a score.
    NumberBlock = 0x49,
    /// `generation u64, output u32, ordinal u64` → one number that supersedes the block's.
    NumberDelta = 0x4a,
    /// → the greatest number of a segmentation that was removed.
    LastRemoved = 0x4b,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Segmentation,
        Self::OutputName,
        Self::Pointer,
        Self::GenerationCounter,
        Self::Generation,
        Self::Block,
        Self::Delta,
        Self::TransitionJob,
        Self::Score,
        Self::NumberBlock,
        Self::NumberDelta,
        Self::LastRemoved,
    ];
}

/// The number of a segmentation or score, given once and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct OutputId(pub(crate) u32);

pub(crate) fn kind(kind: KeyKind) -> Vec<u8> {
    vec![kind as u8]
}

/// A part of a definition, which is of kind [`KeyKind::Segmentation`] or [`KeyKind::Score`].
pub(crate) fn definition(kind: KeyKind, id: OutputId, part: u16) -> Vec<u8> {
    tagged(kind, &[&id.0.to_be_bytes(), &part.to_be_bytes()])
}

pub(crate) fn name(name: &str) -> Vec<u8> {
    tagged(KeyKind::OutputName, &[name.as_bytes()])
}

pub(crate) fn pointer(id: OutputId) -> Vec<u8> {
    tagged(KeyKind::Pointer, &[&id.0.to_be_bytes()])
}

pub(crate) fn generation(id: GenerationId) -> Vec<u8> {
    tagged(KeyKind::Generation, &[&id.0.to_be_bytes()])
}

pub(crate) fn block(kind: KeyKind, generation: GenerationId, output: OutputId, block: u32) -> Vec<u8> {
    tagged(kind, &[&generation.0.to_be_bytes(), &output.0.to_be_bytes(), &block.to_be_bytes()])
}

pub(crate) fn delta(kind: KeyKind, generation: GenerationId, output: OutputId, ordinal: u64) -> Vec<u8> {
    tagged(kind, &[&generation.0.to_be_bytes(), &output.0.to_be_bytes(), &ordinal.to_be_bytes()])
}

pub(crate) fn transition_job(generation: GenerationId) -> Vec<u8> {
    tagged(KeyKind::TransitionJob, &[&generation.0.to_be_bytes()])
}

/// Every block or delta of a generation.
pub(crate) fn of_generation(kind: KeyKind, generation: GenerationId) -> Vec<u8> {
    tagged(kind, &[&generation.0.to_be_bytes()])
}

/// Every block or delta of one segmentation or score in a generation.
pub(crate) fn of_output(kind: KeyKind, generation: GenerationId, output: OutputId) -> Vec<u8> {
    tagged(kind, &[&generation.0.to_be_bytes(), &output.0.to_be_bytes()])
}

/// The four big-endian bytes at `offset` of a key.
pub(crate) fn u32_at(key: &[u8], offset: usize) -> Option<u32> {
    key.get(offset..offset + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// The eight big-endian bytes at `offset` of a key.
pub(crate) fn u64_at(key: &[u8], offset: usize) -> Option<u64> {
    key.get(offset..offset + 8)?.try_into().ok().map(u64::from_be_bytes)
}

fn tagged(kind: KeyKind, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind as u8];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_numbers() {
        let numbers: Vec<(String, u8)> =
            KeyKind::ALL.iter().map(|kind| (format!("{kind:?}"), *kind as u8)).collect();
        let locked = [
            ("Segmentation", 0x40),
            ("OutputName", 0x41),
            ("Pointer", 0x42),
            ("GenerationCounter", 0x43),
            ("Generation", 0x44),
            ("Block", 0x45),
            ("Delta", 0x46),
            ("TransitionJob", 0x47),
            ("Score", 0x48),
            ("NumberBlock", 0x49),
            ("NumberDelta", 0x4a),
            ("LastRemoved", 0x4b),
        ];
        assert_eq!(numbers, locked.map(|(name, number)| (name.to_owned(), number)));
    }

    #[test]
    fn keys_sort_as_their_parts_and_read_back() {
        let key = |g, s, b| block(KeyKind::Block, GenerationId(g), OutputId(s), b);
        let sorted = [key(1, 1, 2), key(1, 1, 300), key(1, 2, 0), key(2, 0, 0), key(256, 0, 0)];
        assert!(sorted.is_sorted());
        let key = key(7, 8, 9);
        assert_eq!((u64_at(&key, 1), u32_at(&key, 9), u32_at(&key, 13)), (Some(7), Some(8), Some(9)));
        assert_eq!(u64_at(&delta(KeyKind::Delta, GenerationId(7), OutputId(8), 9), 13), Some(9));
        assert!(key.starts_with(&of_output(KeyKind::Block, GenerationId(7), OutputId(8))));
    }
}
