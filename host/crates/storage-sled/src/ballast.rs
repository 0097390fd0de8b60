//! A file that only takes up space, given up when there is none left to open sled with.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use trellis_storage::Result;

use crate::files::{free_bytes, io_error};

fn path(dir: &Path) -> PathBuf {
    dir.join("ballast")
}

/// Makes the file `bytes` large, if that leaves more than `free_bytes_min` free. A disk too full for it is no failure: the
/// guard on commits speaks up.
pub(crate) fn ensure(dir: &Path, bytes: u64, free_bytes_min: u64) -> Result<()> {
    let path = path(dir);
    let present = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if present >= bytes || free_bytes(dir)? < free_bytes_min.saturating_add(bytes) {
        return Ok(());
    }
    let made = File::create(&path).and_then(|file| {
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes).map_err(io::Error::from)
    });
    match made {
        // Some file systems cannot reserve space; then there is no ballast, and a full disk needs a hand.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        made => made.map_err(io_error(|| format!("cannot reserve space in `{}`", path.display()))),
    }
}

/// Deletes the file. Returns whether there was one.
pub(crate) fn drop_off(dir: &Path) -> bool {
    fs::remove_file(path(dir)).is_ok()
}
