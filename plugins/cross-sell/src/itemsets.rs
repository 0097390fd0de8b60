//! Itemsets with their counts, found again by their items.

/// Itemsets one after the other, the items of each ascending, with an index from the set to its count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Itemsets {
    items: Vec<u32>,
    ends: Vec<u32>,
    counts: Vec<u32>,
    hashes: Vec<u64>,
    /// Places of itemsets, by hash: open addressing, a power of two, at most half full.
    table: Vec<u32>,
}

const EMPTY: u32 = u32::MAX;

impl Itemsets {
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Adds a set of different items in any order. [`Itemsets::finish`] makes it findable.
    pub(crate) fn push(&mut self, items: &[u32], count: u32) {
        let from = self.items.len();
        self.items.extend_from_slice(items);
        if let Some(added) = self.items.get_mut(from..) {
            added.sort_unstable();
        }
        self.ends.push(u32::try_from(self.items.len()).expect("itemsets are bounded in number and length"));
        self.counts.push(count);
        self.hashes.push(hash(items.iter().copied()));
    }

    /// Builds the index.
    pub(crate) fn finish(&mut self) {
        let size = (self.len() * 2).next_power_of_two().max(2);
        self.table = vec![EMPTY; size];
        for (place, hash) in (0_u32..).zip(&self.hashes) {
            let mut slot = *hash as usize & (size - 1);
            while self.table.get(slot).is_some_and(|taken| *taken != EMPTY) {
                slot = (slot + 1) & (size - 1);
            }
            if let Some(free) = self.table.get_mut(slot) {
                *free = place;
            }
        }
    }

    /// Each set with its count, in the order in which they were found.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u32], u32)> {
        let mut from = 0;
        self.ends.iter().zip(&self.counts).map(move |(end, count)| {
            let items = self.items.get(from..*end as usize).unwrap_or_default();
            from = *end as usize;
            (items, *count)
        })
    }

    /// The count of the set that `items` gives, ascending; none where it is not frequent.
    pub(crate) fn count<'a>(&self, items: impl Iterator<Item = &'a u32> + Clone) -> Option<u32> {
        let mask = self.table.len().checked_sub(1)?;
        let wanted = hash(items.clone().copied());
        let mut slot = wanted as usize & mask;
        loop {
            let place = *self.table.get(slot)?;
            if place == EMPTY {
                return None;
            }
            if self.hashes.get(place as usize) == Some(&wanted) && self.set(place).iter().eq(items.clone()) {
                return self.counts.get(place as usize).copied();
            }
            slot = (slot + 1) & mask;
        }
    }

    /// How many sets have one item, two, three …
    pub(crate) fn by_length(&self) -> Vec<u64> {
        let mut lengths = Vec::new();
        for (items, _) in self.iter() {
            if lengths.len() < items.len() {
                lengths.resize(items.len(), 0);
            }
            if let Some(count) = lengths.get_mut(items.len() - 1) {
                *count += 1;
            }
        }
        lengths
    }

    fn set(&self, place: u32) -> &[u32] {
        let place = place as usize;
        let from =
            place.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let to = self.ends.get(place).map_or(from, |end| *end as usize);
        self.items.get(from..to).unwrap_or_default()
    }
}

/// A sum over the items, so that their order does not matter; each is mixed by the finisher of SplitMix64.
fn hash(items: impl Iterator<Item = u32>) -> u64 {
    let mixed = items.map(|item| {
        let bits = (u64::from(item) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    });
    mixed.fold(0, u64::wrapping_add)
}
