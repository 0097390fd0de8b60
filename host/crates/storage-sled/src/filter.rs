//! Which keys may exist: a filter in memory, so that most look-ups of a key that does not exist need not walk through sled.
//!
//! New rows are looked up again and again before they exist: by preconditions, by the sums, by whoever asks whether a value
//! is taken. The filter never says of a key that exists that it does not. It is made when enough look-ups of the writer were
//! in vain, as in an import; a store that is mostly read never pays for it.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use trellis_storage::{Result, ScanRange};

use crate::shared::Shared;

/// Bits that a key sets, all of them in one block.
const BITS_PER_KEY: u32 = 6;
const BLOCK_BITS: u64 = 512;
/// Rows between two looks at whether the store closes.
const CHECK_ROWS: usize = 4_096;

/// A Bloom filter in blocks of a cache line. A key once added stays, even when it is deleted.
#[derive(Debug)]
pub(crate) struct Filter {
    blocks: Box<[Block]>,
    hasher: RandomState,
    /// Whether every key that exists has been added.
    complete: AtomicBool,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Block([AtomicU64; 8]);

impl Filter {
    pub(crate) fn new(bytes: usize) -> Self {
        let blocks = (bytes / size_of::<Block>()).max(1);
        Self {
            blocks: std::iter::repeat_with(Block::default).take(blocks).collect(),
            hasher: RandomState::new(),
            complete: AtomicBool::new(false),
        }
    }

    /// Must be called before the key can be found anywhere.
    pub(crate) fn add(&self, key: &[u8]) {
        for (word, bit) in self.places(key) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether the key may exist; `false` is certain.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        !self.complete.load(Ordering::Acquire)
            || self.places(key).all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    #[expect(clippy::indexing_slicing, reason = "scaled to the number of blocks and of words")]
    fn places(&self, key: &[u8]) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let hash = self.hasher.hash_one(key);
        let block = ((hash >> 32) * self.blocks.len() as u64) >> 32;
        let words = &self.blocks[block as usize].0;
        // The bits must not follow from the block.
        let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash.rotate_left(29);
        (0..BITS_PER_KEY).map(move |place| {
            let bit = (spread >> (9 * place)) % BLOCK_BITS;
            (&words[(bit / 64) as usize], 1 << (bit % 64))
        })
    }
}

/// Adds every key that existed before the writer began to add its own. What waits for sled is looked at before sled, so
/// nothing slips through in between.
pub(crate) fn fill(shared: &Shared, filter: &Filter) -> Result<()> {
    let all = ScanRange::prefix(b"");
    for (key, _) in shared.overlay.capture(&all, usize::MAX) {
        filter.add(&key);
    }
    for (place, row) in shared.state.rows(&all).enumerate() {
        filter.add(&row.map_err(|fault| shared.state_failed(&fault))?.key);
        if place % CHECK_ROWS == 0 && shared.is_closing() {
            return Ok(());
        }
    }
    filter.complete.store(true, Ordering::Release);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_added_key_is_held_and_few_others() {
        let filter = Filter::new(16 << 10);
        let key = |number: u32| number.to_be_bytes();
        assert!(filter.may_hold(&key(1)), "not complete yet");
        filter.complete.store(true, Ordering::Release);
        assert!(!filter.may_hold(&key(1)));
        (0..10_000).for_each(|number| filter.add(&key(number)));
        assert!((0..10_000).all(|number| filter.may_hold(&key(number))));
        let wrong = (10_000..20_000).filter(|number| filter.may_hold(&key(*number))).count();
        assert!(wrong < 500, "{wrong} of 10,000 with 13 bits a key");
    }
}
