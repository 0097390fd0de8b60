//! The journal: numbered segment files, each a header and frames, only ever appended to.

mod read;
mod write;

use std::path::{Path, PathBuf};

use trellis_storage::Epoch;

use crate::bytes::{Reader, crc};

pub(crate) use read::{Replayed, Segments, list_segments, replay};
pub(crate) use write::{AppendError, Journal, drop_segments};

const MAGIC: [u8; 8] = *b"TRLSJRNL";
const FORMAT: u16 = 1;
/// Magic, format, epoch, segment number, first position, checksum.
pub(crate) const HEADER_BYTES: usize = 8 + 2 + 16 + 8 + 8 + 4;

/// The start of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) epoch: Epoch,
    pub(crate) segment: u64,
    /// The position of the first write set that can be in it.
    pub(crate) first_position: u64,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend(self.epoch.0);
        bytes.extend(self.segment.to_be_bytes());
        bytes.extend(self.first_position.to_be_bytes());
        bytes.extend(crc(&[&bytes]).to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (contents, expected) = bytes.get(..HEADER_BYTES)?.split_last_chunk::<4>()?;
        let mut reader = Reader::new(contents);
        if crc(&[contents]) != u32::from_be_bytes(*expected)
            || reader.array()? != MAGIC
            || reader.u16()? != FORMAT
        {
            return None;
        }
        Some(Self { epoch: Epoch(reader.array()?), segment: reader.u64()?, first_position: reader.u64()? })
    }
}

fn segment_path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("{segment:010}.journal"))
}
