use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use trellis_storage::{Epoch, Result};

use super::{HEADER_BYTES, Header, segment_path};
use crate::files::{Files, Op, damaged, io_error, sync_dir};
use crate::frame::{Place, encode_seal};

/// The end of the journal, open for appending.
#[derive(Debug)]
pub(crate) struct Journal {
    dir: PathBuf,
    epoch: Epoch,
    files: Files,
    segment_bytes_max: u64,
    file: File,
    end: Place,
}

/// Why an append did not happen.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// No space; the journal is as it was before.
    Full(io::Error),
    /// Nobody knows what is on the disk now: the store must stop, and must not try again.
    Fatal(String),
}

impl Journal {
    /// Starts a journal in `dir`, which is created: segment 1, position 1.
    pub(crate) fn create(dir: &Path, epoch: Epoch, segment_bytes_max: u64, files: Files) -> Result<Self> {
        fs::create_dir_all(dir).map_err(io_error(|| format!("cannot create `{}`", dir.display())))?;
        crate::files::sync_dir_of(dir)?;
        let header = Header { epoch, segment: 1, first_position: 1 };
        let file = create_segment(dir, &header)?;
        let end = Place { segment: 1, offset: HEADER_BYTES as u64 };
        Ok(Self { dir: dir.to_owned(), epoch, files, segment_bytes_max, file, end })
    }

    /// Opens the journal in `dir` at its end, and cuts off what lies behind.
    pub(crate) fn open(
        dir: &Path,
        epoch: Epoch,
        end: Place,
        segment_bytes_max: u64,
        files: Files,
    ) -> Result<Self> {
        let path = segment_path(dir, end.segment);
        let opened = (|| {
            let file = OpenOptions::new().append(true).open(&path)?;
            if file.metadata()?.len() != end.offset {
                file.set_len(end.offset)?;
                file.sync_all()?;
            }
            Ok(file)
        })();
        let file =
            opened.map_err(io_error(|| format!("cannot open journal segment `{}`", path.display())))?;
        Ok(Self { dir: dir.to_owned(), epoch, files, segment_bytes_max, file, end })
    }

    /// Where the next frame goes: it must be encoded for this place.
    pub(crate) fn end(&self) -> Place {
        self.end
    }

    /// Appends `frame` and makes it durable. Returns the place behind it.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<Place, AppendError> {
        if let Err(error) = self.files.append(&mut self.file, frame) {
            let taken_back = self.file.set_len(self.end.offset);
            return Err(match (error.kind(), taken_back) {
                (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, Ok(())) => {
                    AppendError::Full(error)
                }
                _ => AppendError::Fatal(format!(
                    "cannot append to journal segment {}: {error}",
                    self.end.segment
                )),
            });
        }
        self.sync()?;
        self.end.offset += frame.len() as u64;
        Ok(self.end)
    }

    fn sync(&self) -> Result<(), AppendError> {
        let synced = self.files.sync(&self.file, Op::SyncJournal);
        synced.map_err(|error| {
            AppendError::Fatal(format!("cannot sync journal segment {}: {error}", self.end.segment))
        })
    }

    /// Goes on in a new segment if the current one is full; `next_position` is the first that will be in it.
    pub(crate) fn rotate_if_full(&mut self, next_position: u64) -> Result<(), AppendError> {
        if self.end.offset < self.segment_bytes_max { Ok(()) } else { self.rotate(next_position) }
    }

    /// Goes on in a new segment, unless the current one is empty.
    ///
    /// The new segment is durable before the old one is sealed, so a seal without a successor is a missing segment.
    pub(crate) fn rotate(&mut self, next_position: u64) -> Result<(), AppendError> {
        if self.end.offset == HEADER_BYTES as u64 {
            return Ok(());
        }
        let header =
            Header { epoch: self.epoch, segment: self.end.segment + 1, first_position: next_position };
        let file = match create_segment(&self.dir, &header) {
            Ok(file) => file,
            Err(trellis_storage::Error::Io { source, .. }) if source.kind() == io::ErrorKind::StorageFull => {
                let removed = fs::remove_file(segment_path(&self.dir, header.segment));
                return Err(match removed {
                    Ok(()) => AppendError::Full(source),
                    Err(error) => AppendError::Fatal(format!("cannot remove a new journal segment: {error}")),
                });
            }
            Err(error) => return Err(AppendError::Fatal(error.to_string())),
        };
        let mut seal = Vec::new();
        encode_seal(&mut seal, self.epoch, self.end, next_position);
        self.append(&seal).map_err(|error| match error {
            AppendError::Full(error) => AppendError::Fatal(format!("cannot seal a journal segment: {error}")),
            fatal @ AppendError::Fatal(_) => fatal,
        })?;
        self.file = file;
        self.end = Place { segment: header.segment, offset: HEADER_BYTES as u64 };
        Ok(())
    }
}

fn create_segment(dir: &Path, header: &Header) -> Result<File> {
    let path = segment_path(dir, header.segment);
    let created = (|| {
        let mut file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        io::Write::write_all(&mut file, &header.encode())?;
        file.sync_all()?;
        Ok(file)
    })();
    let file = created.map_err(io_error(|| format!("cannot create journal segment `{}`", path.display())))?;
    sync_dir(dir)?;
    Ok(file)
}

/// Deletes the segments below number `keep_from`, oldest first, so that what remains has no gap at any time.
pub(crate) fn drop_segments(dir: &Path, keep_from: u64) -> Result<u64> {
    let mut dropped = 0;
    for path in crate::files::list(dir, |name| name.ends_with(".journal"))? {
        let number =
            path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        let number =
            number.ok_or_else(|| damaged(format!("`{}` is no name of a journal segment", path.display())))?;
        if number < keep_from {
            fs::remove_file(&path).map_err(io_error(|| format!("cannot delete `{}`", path.display())))?;
            dropped += 1;
        }
    }
    sync_dir(dir)?;
    Ok(dropped)
}
