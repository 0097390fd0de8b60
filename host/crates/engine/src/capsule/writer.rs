//! Writing a capsule.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use trellis_model::{RecordId, bilingual};
use uuid::Uuid;

use super::{
    CapsuleReader, EXTENSION, End, GENERATING, Header, Unusable,
    frame::{self, Kind},
};
use crate::plugins::hex;

/// Bytes that go to the file at once.
const BUFFER_BYTES: usize = 1 << 20;

/// A capsule that is being written. Dropping it leaves nothing.
#[derive(Debug)]
pub(crate) struct CapsuleWriter {
    file: BufWriter<File>,
    dir: PathBuf,
    generating: Leftover,
    hasher: blake3::Hasher,
    bytes: u64,
    bytes_max: u64,
}

/// A file that goes unless it was renamed, or is kept for the next attempt of its run.
#[derive(Debug)]
struct Leftover {
    path: PathBuf,
    keep: bool,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if !self.keep {
            // It was renamed, or goes at the next start at the latest.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The file of the capsule that a run is making.
pub(super) fn generating(dir: &Path, run: RecordId) -> PathBuf {
    dir.join(run.to_string()).with_extension(GENERATING)
}

impl CapsuleWriter {
    pub(super) fn create(dir: &Path, header: &Header, bytes_max: u64) -> Result<Self, Unusable> {
        let run = RecordId(Uuid::from_bytes(header.run));
        let path = generating(dir, run);
        let file = File::create(&path).map_err(|error| unwritable(&error))?;
        let mut writer = Self {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            dir: dir.to_owned(),
            generating: Leftover { path, keep: false },
            hasher: blake3::Hasher::new(),
            bytes: 0,
            bytes_max,
        };
        writer.write(&frame::encode_value(Kind::Header, &super::reader::Opening::V1(header.clone()))?)?;
        Ok(writer)
    }

    /// Goes on with a file that ends after `bytes` bytes, all of which `hasher` has seen.
    pub(super) fn continued(
        dir: &Path,
        path: PathBuf,
        file: File,
        (hasher, bytes): (blake3::Hasher, u64),
        bytes_max: u64,
    ) -> Self {
        Self {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            dir: dir.to_owned(),
            generating: Leftover { path, keep: true },
            hasher,
            bytes,
            bytes_max,
        }
    }

    /// Leaves the file where it is if it is not finished: the next attempt of its run goes on with it.
    pub(crate) fn keep_unfinished(&mut self) {
        self.generating.keep = true;
    }

    /// Hands what was written over to the system, so that it outlives this process.
    pub(crate) fn flush(&mut self) -> Result<(), Unusable> {
        self.file.flush().map_err(|error| unwritable(&error))
    }

    /// Appends a frame that [`frame::encode`] made.
    pub(crate) fn write(&mut self, frame: &[u8]) -> Result<(), Unusable> {
        self.bytes += frame.len() as u64;
        if self.bytes > self.bytes_max {
            let bytes_max = self.bytes_max;
            return Err(Unusable(bilingual!(
                "its capsule would have over {bytes_max} bytes (`engine.capsule_bytes_max`)",
                "其数据快照将超过 {bytes_max} 字节（`engine.capsule_bytes_max`）"
            )));
        }
        self.hasher.update(frame);
        self.file.write_all(frame).map_err(|error| unwritable(&error))
    }

    /// Reads what was written so far.
    pub(crate) fn reader(&mut self) -> Result<CapsuleReader, Unusable> {
        self.file.flush().map_err(|error| unwritable(&error))?;
        CapsuleReader::open(&self.generating.path)
    }

    /// Ends the capsule; durable when it returns. Returns its digest and its size.
    pub(crate) fn finish(mut self, end: &End) -> Result<([u8; 32], u64), Unusable> {
        self.write(&frame::encode_value(Kind::End, end)?)?;
        let digest = *self.hasher.finalize().as_bytes();
        let path = self.dir.join(hex(&digest)).with_extension(EXTENSION);
        let written = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.generating.path, &path))
            .and_then(|()| File::open(&self.dir)?.sync_all());
        if written.is_err() {
            self.generating.keep = false;
        }
        written.map_err(|error| unwritable(&error))?;
        Ok((digest, self.bytes))
    }
}

fn unwritable(error: &std::io::Error) -> Unusable {
    Unusable(bilingual!("its capsule could not be written: {error}", "其数据快照无法写入：{error}"))
}
