//! All pairs of an object that a matching rule takes for the same: block by block, in the order of the match keys.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{FieldName, ObjectName, Record, RecordId};
use trellis_storage::ScanRange;

use super::Rule;
use crate::index::match_keys::DIGEST_BYTES;
use crate::schema::Object;
use crate::{Records, Result, keys};

/// Match keys that are read at once.
const PAGE_ROWS: usize = 1_000;

/// Two records that look alike.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicatePair {
    /// The one with the smaller id.
    pub a: RecordId,
    /// The other one.
    pub b: RecordId,
    /// How alike they are.
    pub score: f64,
    /// The fields in which they agree.
    pub matched_on: Vec<FieldName>,
}

/// What a scan did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanCounts {
    /// Match keys that were read.
    pub keys: u64,
    /// Pairs that were compared, each once.
    pub compared: u64,
    /// Pairs that look alike.
    pub pairs: u64,
    /// Blocks that were left out because too many records are in them; a field whose match keys are being built counts as one.
    pub skipped_blocks: u64,
}

/// A scan that is under way: ask it for pairs until it has no more.
#[derive(Debug)]
pub struct DuplicateScan {
    object: ObjectName,
    rule: FieldName,
    /// Which of the rule's blocking fields is read.
    place: usize,
    /// The match key after which reading goes on.
    after: Option<Vec<u8>>,
    /// The block at hand, which the next page may continue.
    block: Block,
    skipped: BTreeSet<Vec<u8>>,
    counts: ScanCounts,
}

#[derive(Debug, Default)]
struct Block {
    key: Vec<u8>,
    ids: Vec<RecordId>,
    too_large: bool,
}

impl Records {
    /// Begins a scan of an object for the pairs that a matching rule takes for the same.
    ///
    /// # Errors
    /// [`crate::Error::UnknownObject`], [`crate::Error::Query`] where there is no such rule.
    pub fn scan_duplicates(&self, object: &ObjectName, rule: &FieldName) -> Result<DuplicateScan> {
        self.matching_rule(&self.object(object)?, rule)?;
        Ok(DuplicateScan {
            object: object.clone(),
            rule: rule.clone(),
            place: 0,
            after: None,
            block: Block::default(),
            skipped: BTreeSet::new(),
            counts: ScanCounts::default(),
        })
    }
}

impl DuplicateScan {
    /// What it did so far.
    pub fn counts(&self) -> ScanCounts {
        self.counts
    }

    /// Reads a page of match keys and returns the pairs that came out; `None` when all was read. A record that changes meanwhile is
    /// compared as it is when its block is.
    ///
    /// # Errors
    /// Those of the store, and [`crate::Error::Query`] where the rule is gone.
    pub async fn next(&mut self, records: &Records) -> Result<Option<Vec<DuplicatePair>>> {
        let object = records.object(&self.object)?;
        let rule = records.matching_rule(&object, &self.rule)?;
        let Some((key, _)) = rule.blocks.get(self.place) else { return Ok(None) };
        if !object.indexes.matches_by(*key) {
            self.counts.skipped_blocks += 1;
            self.place += 1;
            return Ok(Some(Vec::new()));
        }
        let mut range = ScanRange::prefix(&key.prefix(object.id));
        if let Some(after) = &self.after {
            range = range.after(after);
        }
        let page = records.store().scan(range, PAGE_ROWS).await?;
        let mut pairs = Vec::new();
        for row in &page.rows {
            self.counts.keys += 1;
            let Some(id) = keys::id_at_end(&row.key) else { continue };
            let block = row.key.get(..row.key.len() - DIGEST_BYTES).unwrap_or_default();
            if block != self.block.key {
                self.finish_block(records, &object, &rule, &mut pairs).await?;
                self.block.key = block.to_vec();
            }
            self.take(id, records.config().limits.block_rows_max);
        }
        match page.rows.last() {
            Some(last) if page.more => self.after = Some(last.key.to_vec()),
            _ => {
                self.finish_block(records, &object, &rule, &mut pairs).await?;
                (self.place, self.after) = (self.place + 1, None);
            }
        }
        self.counts.pairs += pairs.len() as u64;
        Ok(Some(pairs))
    }

    fn take(&mut self, id: RecordId, rows_max: usize) {
        if self.block.ids.len() < rows_max {
            self.block.ids.push(id);
        } else {
            self.block.too_large = true;
        }
    }

    /// Compares the records of the block at hand with each other.
    async fn finish_block(
        &mut self,
        records: &Records,
        object: &Object,
        rule: &Rule<'_>,
        pairs: &mut Vec<DuplicatePair>,
    ) -> Result<()> {
        let Block { key, ids, too_large } = std::mem::take(&mut self.block);
        if too_large {
            self.counts.skipped_blocks += 1;
            self.skipped.insert(key);
            return Ok(());
        }
        if ids.len() < 2 {
            return Ok(());
        }
        let mut loaded: Vec<Seen> = Vec::with_capacity(ids.len());
        for id in ids {
            let record = records.load(object.id, id).await?.map(|loaded| loaded.record);
            if let Some(record) = record.filter(|record| !record.is_deleted()) {
                loaded.push(Seen::new(record, rule, self.place));
            }
        }
        for (place, one) in loaded.iter().enumerate() {
            for other in loaded.iter().skip(place + 1) {
                if one.met_before(other, &self.skipped) {
                    continue;
                }
                self.counts.compared += 1;
                if let Some(likeness) = rule.matches(&one.record, &other.record) {
                    let (a, b) = (one.record.id.min(other.record.id), one.record.id.max(other.record.id));
                    pairs.push(DuplicatePair {
                        a,
                        b,
                        score: likeness.score,
                        matched_on: likeness.matched_on,
                    });
                }
            }
        }
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// A record with the blocks of the earlier fields that it was in.
#[derive(Debug)]
struct Seen {
    record: Record,
    earlier: BTreeMap<usize, Vec<u8>>,
}

impl Seen {
    fn new(record: Record, rule: &Rule<'_>, place: usize) -> Self {
        let blocks = rule.blocks.iter().take(place).enumerate();
        let earlier = blocks.filter_map(|(place, (key, _))| Some((place, key.block(&record)?))).collect();
        Self { record, earlier }
    }

    /// Whether two records were compared in the block of an earlier field.
    fn met_before(&self, other: &Self, skipped: &BTreeSet<Vec<u8>>) -> bool {
        self.earlier
            .iter()
            .any(|(place, block)| other.earlier.get(place) == Some(block) && !skipped.contains(block))
    }
}
