//! What a run read and what came out, as one compressed file a run: with it a run can be done again and explained later.
//!
//! A capsule is named by the BLAKE3 digest of its content, and the store names the capsules that count; so one that is missing,
//! damaged or of another store is noticed and never believed. The bytes are described in `host/docs/formats/engine.md`.

mod archive;
mod batch;
mod frame;
mod index;
mod reader;
mod resume;
mod writer;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use trellis_model::{RecordId, Text, bilingual};

use crate::{Error, Result, plugins::hex};

pub(crate) use archive::Archive;
pub(crate) use batch::StoredBatch;
pub(crate) use frame::{Frame, Kind, decode_value, encode, encode_value};
pub(crate) use index::{Retention, delete_old, digest_of, entry, expire, listed, newest, of_plugin, time_ms};
pub(crate) use reader::{CapsuleReader, Inputs, StoredDataset, batch_of};
pub(crate) use resume::{Unfinished, Wanted};
pub(crate) use writer::CapsuleWriter;

/// What the file of a capsule ends in, and one that is still being written.
const EXTENSION: &str = "capsule";
const GENERATING: &str = "generating";

/// What a run was made of, beside its rows: the first frame of a capsule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The store that the run was made in.
    pub(crate) epoch: [u8; 16],
    pub(crate) run: [u8; 16],
    pub(crate) plugin: String,
    pub(crate) version: String,
    pub(crate) plugin_digest: [u8; 32],
    /// JSON, defaults filled in.
    pub(crate) config: String,
    pub(crate) at: At,
    /// The log entry up to which changes are in the rows.
    pub(crate) log_number: u64,
    /// The store's position when the rows were opened.
    pub(crate) position: u64,
    /// The campaign's record, for a run of a campaign; empty otherwise.
    pub(crate) campaign: Vec<u8>,
}

/// What every call of the run was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    pub(crate) as_of_day: i32,
    pub(crate) now_ms: i64,
    pub(crate) time_zone: String,
    pub(crate) base_currency: String,
    pub(crate) seed: u64,
}

/// The last frame of a capsule: one without it was never finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) rows: u64,
    /// What came out: see `trellis engine run outputs v1` in the format's page.
    pub(crate) outputs_digest: [u8; 32],
}

/// Why a capsule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable(pub(crate) Text);

impl Unusable {
    fn damaged(what: &str) -> Self {
        Self(bilingual!("its capsule is damaged: {what}", "其数据快照已损坏：{what}"))
    }

    fn unreadable(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self(Text::new("its capsule is missing", "其数据快照文件已丢失"));
        }
        Self(bilingual!("its capsule cannot be read: {error}", "其数据快照无法读取：{error}"))
    }
}

/// The folder of capsules.
#[derive(Debug, Clone)]
pub(crate) struct Capsules {
    dir: PathBuf,
}

impl Capsules {
    /// Opens the folder, creating it if needed, and removes every file but the capsules that `is_listed` knows, and those being made by runs
    /// that `goes_on` knows by their id: what an interrupted run or an interrupted removal left.
    pub(crate) fn open(
        dir: PathBuf,
        is_listed: impl Fn(&str) -> bool,
        goes_on: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { doing, path, source }
        };
        fs::create_dir_all(&dir).map_err(failed("creating the folder", &dir))?;
        for entry in fs::read_dir(&dir).map_err(failed("reading the folder", &dir))?.flatten() {
            let path = entry.path();
            let is = |wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let is_kept = is(EXTENSION) && is_listed(name) || is(GENERATING) && goes_on(name);
            if !is_kept {
                fs::remove_file(&path).map_err(failed("removing a leftover", &path))?;
            }
        }
        Ok(Self { dir })
    }

    /// Begins the capsule of a run. Nothing is left of it unless it is finished.
    pub(crate) fn create(&self, header: &Header, bytes_max: u64) -> Result<CapsuleWriter, Unusable> {
        CapsuleWriter::create(&self.dir, header, bytes_max)
    }

    /// Takes up the capsule that an earlier attempt of a run began; `None` where there is none that can be gone on with.
    pub(crate) fn take_up(&self, wanted: &Wanted<'_>, bytes_max: u64) -> Option<Unfinished> {
        resume::take_up(&self.dir, wanted, bytes_max)
    }

    /// Removes what an attempt of a run left that will not be made again.
    pub(crate) fn forget_unfinished(&self, run: RecordId) {
        // It was renamed, or never made, or goes at the next start.
        let _ = fs::remove_file(writer::generating(&self.dir, run));
    }

    /// Opens a capsule after reading it through once: its content is what its name says. Costs a pass over the file.
    pub(crate) fn verified(&self, digest: &[u8; 32]) -> Result<CapsuleReader, Unusable> {
        reader::verify(&self.path(digest), digest)?;
        self.reader(digest)
    }

    /// Opens a capsule without reading all of it; each frame is checked when it is read.
    pub(crate) fn reader(&self, digest: &[u8; 32]) -> Result<CapsuleReader, Unusable> {
        CapsuleReader::open(&self.path(digest))
    }

    /// Removes a capsule; one that is not there is no error.
    pub(crate) fn remove(&self, digest: &[u8; 32]) {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!("capsule `{}` cannot be removed: {error}", path.display());
            }
            _ => {}
        }
    }

    /// The size of a capsule's file; 0 where there is none.
    fn bytes(&self, digest: &[u8; 32]) -> u64 {
        fs::metadata(self.path(digest)).map_or(0, |file| file.len())
    }

    fn path(&self, digest: &[u8; 32]) -> PathBuf {
        self.dir.join(hex(digest)).with_extension(EXTENSION)
    }
}

#[cfg(test)]
mod tests;
