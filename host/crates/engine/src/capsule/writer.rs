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

/// A file that goes unless it was renamed.
#[derive(Debug)]
struct Leftover(PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        // It was renamed, or goes at the next start at the latest.
        let _ = fs::remove_file(&self.0);
    }
}

impl CapsuleWriter {
    pub(super) fn create(dir: &Path, header: &Header, bytes_max: u64) -> Result<Self, Unusable> {
        let run = RecordId(Uuid::from_bytes(header.run));
        let path = dir.join(run.to_string()).with_extension(GENERATING);
        let file = File::create(&path).map_err(|error| unwritable(&error))?;
        let mut writer = Self {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            dir: dir.to_owned(),
            generating: Leftover(path),
            hasher: blake3::Hasher::new(),
            bytes: 0,
            bytes_max,
        };
        writer.write(&frame::encode_value(Kind::Header, &super::reader::Opening::V1(header.clone()))?)?;
        Ok(writer)
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
        CapsuleReader::open(&self.generating.0)
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
            .and_then(|()| fs::rename(&self.generating.0, &path))
            .and_then(|()| File::open(&self.dir)?.sync_all());
        written.map_err(|error| unwritable(&error))?;
        Ok((digest, self.bytes))
    }
}

fn unwritable(error: &std::io::Error) -> Unusable {
    Unusable(bilingual!("its capsule could not be written: {error}", "其数据快照无法写入：{error}"))
}
