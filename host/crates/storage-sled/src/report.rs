use std::path::PathBuf;
use std::sync::Arc;

use trellis_storage::Position;

use crate::{KindSum, SledStore, Sums};

/// An open store, and what opening it took.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Arc<SledStore>,
    /// What was found and healed.
    pub report: StartReport,
}

/// What opening a store found and healed. Worth a line in the log where [`StartReport::healed`] says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartReport {
    /// The folder was empty: a new store with a new epoch.
    pub created: bool,
    /// Bytes of an append that never finished, cut off the end of the journal. It was never acknowledged.
    pub torn_bytes_cut: u64,
    /// Why sled was built again, if it was.
    pub rebuilt: Option<String>,
    /// The snapshot that it was built from; `None` with `rebuilt` means from the journal alone.
    pub rebuilt_from_snapshot: Option<PathBuf>,
    /// Where the former sled folder is now, if there was one to keep.
    pub damaged_kept: Option<PathBuf>,
    /// Groups of the journal that were replayed into sled.
    pub replayed_groups: u64,
    /// Left-overs of an interrupted start that were deleted.
    pub stale_files_removed: Vec<PathBuf>,
    /// What was found besides, in words: above all what a later healing would miss.
    pub notes: Vec<String>,
}

impl StartReport {
    /// Whether anything was out of the ordinary. A replay is not.
    pub fn healed(&self) -> bool {
        let ordinary =
            Self { created: self.created, replayed_groups: self.replayed_groups, ..Self::default() };
        *self != ordinary
    }
}

/// A kind whose rows are not what the journal made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindDifference {
    /// First byte of the keys.
    pub kind: u8,
    /// By the journal.
    pub expected: KindSum,
    /// In sled.
    pub found: KindSum,
}

/// What a check of a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Everything that is wrong, each with its file, place or kind; empty is good.
    pub problems: Vec<String>,
    /// What is worth knowing and no damage, such as an append that never finished.
    pub notes: Vec<String>,
    /// The position as of which the rows were counted.
    pub position: Position,
    /// Rows by kind, as sled holds them.
    pub sums: Sums,
    /// The kinds that differ; each is also a problem.
    pub differences: Vec<KindDifference>,
    /// Groups of the journal that were read; 0 where only the rows were checked.
    pub journal_groups: u64,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn compare(&mut self, expected: &Sums, found: Sums) {
        let kinds: std::collections::BTreeSet<u8> =
            expected.kinds().chain(found.kinds()).map(|(kind, _)| kind).collect();
        for kind in kinds {
            let difference = KindDifference { kind, expected: expected.kind(kind), found: found.kind(kind) };
            if difference.expected != difference.found {
                let (expected, found) = (difference.expected.count, difference.found.count);
                self.problems.push(match expected == found {
                    true => format!(
                        "rows of kind {kind:#04x}: {found} in sled as in the journal, but not the same ones"
                    ),
                    false => format!("rows of kind {kind:#04x}: {found} in sled, {expected} by the journal"),
                });
                self.differences.push(difference);
            }
        }
        self.sums = found;
    }
}

/// A snapshot that was taken and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Its file.
    pub path: PathBuf,
    /// It holds every commit up to this position.
    pub from: Position,
    /// It holds no commit after this position; the journal from `from` to here belongs to it.
    pub to: Position,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Journal segments that were deleted because of it.
    pub segments_dropped: u64,
}

/// Durations of one kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncStats {
    /// Calls.
    pub count: u64,
    /// All of them together, in microseconds.
    pub total_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
}

/// Figures of a running store since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Bytes of the journal's segments.
    pub journal_bytes: u64,
    /// Bytes of sled's folder.
    pub sled_bytes: u64,
    /// Files that sled made for nodes too large for its log. More than a few mean that values are too large; sled leaks them.
    pub sled_blob_files: u64,
    /// Bytes of the snapshots.
    pub snapshot_bytes: u64,
    /// Committed bytes that wait to be applied to sled.
    pub overlay_bytes: u64,
    /// Groups made durable.
    pub groups: u64,
    /// Write sets made durable.
    pub commits: u64,
    /// Appends to the journal, each with its sync.
    pub journal_sync: SyncStats,
    /// Checkpoints.
    pub checkpoints: SyncStats,
    /// Position of the last acknowledged commit.
    pub head: Position,
    /// Position up to which sled holds everything.
    pub applied: Position,
}
