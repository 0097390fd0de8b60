//! The checkpoint file: up to where sled holds the journal, and what it holds then.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use trellis_storage::{Epoch, Error, Result};

use crate::bytes::{Reader, crc};
use crate::files::{Files, io_error};
use crate::frame::Place;
use crate::sums::Sums;

const MAGIC: [u8; 8] = *b"TRLSCKPT";
const FORMAT: u16 = 1;

/// Everything up to `position` is durable in sled; the journal is replayed from `place`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) epoch: Epoch,
    pub(crate) position: u64,
    pub(crate) place: Place,
    /// Of all rows, as of `position`.
    pub(crate) sums: Sums,
}

/// What the file says.
#[derive(Debug)]
pub(crate) enum Found {
    None,
    Damaged(String),
    Valid(Checkpoint),
}

impl Checkpoint {
    pub(crate) fn write(&self, path: &Path, files: &Files) -> Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend(self.epoch.0);
        bytes.extend(self.position.to_be_bytes());
        bytes.extend(self.place.segment.to_be_bytes());
        bytes.extend(self.place.offset.to_be_bytes());
        self.sums.encode(&mut bytes);
        bytes.extend(crc(&[&bytes]).to_be_bytes());
        files.replace(path, &bytes)
    }

    pub(crate) fn read(path: &Path) -> Result<Found> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::None),
            Err(error) => return Err(io_error(|| format!("cannot read `{}`", path.display()))(error)),
        };
        Ok(match decode(&bytes) {
            Some(checkpoint) => Found::Valid(checkpoint),
            None => Found::Damaged(format!("`{}` does not match its checksum", path.display())),
        })
    }
}

fn decode(bytes: &[u8]) -> Option<Checkpoint> {
    let (contents, expected) = bytes.split_last_chunk::<4>()?;
    if crc(&[contents]) != u32::from_be_bytes(*expected) {
        return None;
    }
    let mut reader = Reader::new(contents);
    if reader.array()? != MAGIC || reader.u16()? != FORMAT {
        return None;
    }
    let epoch = Epoch(reader.array()?);
    let position = reader.u64()?;
    let place = Place { segment: reader.u64()?, offset: reader.u64()? };
    let sums = Sums::decode(&mut reader)?;
    reader.is_empty().then_some(Checkpoint { epoch, position, place, sums })
}

/// A new random epoch.
pub(crate) fn new_epoch() -> Result<Epoch> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Io {
        doing: "cannot get random bytes for a new epoch".into(),
        source: std::io::Error::other(error),
    })?;
    Ok(Epoch(bytes))
}
