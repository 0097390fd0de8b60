//! The embedded backend of [`trellis_storage`]: a redo journal of our own, and sled as the state it leads to.
//!
//! The journal is the truth. A commit is one frame, appended and synced, then visible in an overlay in memory, then
//! acknowledged; a thread of its own applies it to sled afterwards. sled's word on what is durable is never trusted: a
//! checkpoint file says from where to replay, and where sled is missing, damaged or behind, it is built again from the
//! newest snapshot and the journal. What each file holds byte by byte is in `host/docs/formats/journal.md`.
//!
//! No sled type leaves this crate, and nothing here knows what a key means, except that its first byte is its kind: rows are
//! counted and summed by kind, so that silent losses show.
//!
//! ```
//! use trellis_storage::{Store, WriteSet};
//! use trellis_storage_sled::{Config, SledStore};
//! # let folder = tempfile::tempdir().unwrap();
//! # let config = Config { free_bytes_min: 0, ballast_bytes: 0, ..Config::default() };
//! let store = SledStore::open(folder.path(), config)?.store;
//! let mut set = WriteSet::new();
//! set.put(b"greeting", b"hello");
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! runtime.block_on(store.commit(set))?;
//! store.close()?;
//! # Ok::<_, trellis_storage::Error>(())
//! ```
#![warn(missing_docs)]

mod applier;
mod ballast;
mod bytes;
mod checkpoint;
mod config;
mod files;
mod filter;
mod frame;
mod journal;
mod overlay;
mod report;
mod shared;
mod snapshot;
mod start;
mod state;
mod store;
mod sums;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

pub use config::{Config, OnStopped};
pub use report::{KindDifference, Opened, SnapshotInfo, StartReport, Stats, SyncStats, VerifyReport};
pub use store::SledStore;
pub use sums::{KindSum, Sums};
pub use trellis_storage::{Error, Result};
