//! Files by the digest of their content: `ab/cdef…` below one folder. The same content is kept once.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use parking_lot::Mutex;

use crate::{Error, Result};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// The digest of a file's content: BLAKE3.
pub(crate) type Digest = blake3::Hash;

/// A folder of files.
#[derive(Debug)]
pub(crate) struct Files {
    dir: PathBuf,
    /// Held while a file is taken in or removed, so that none is removed that is just being taken in again.
    changing: Mutex<()>,
}

/// What was read of a file to know what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    /// Its first bytes, at most 64.
    pub(super) head: Vec<u8>,
}

impl Files {
    /// Opens the folder, creating it if needed.
    pub(crate) fn open(dir: PathBuf) -> Result<Self> {
        fs::create_dir_all(&dir).map_err(failed("creating the folder", &dir))?;
        Ok(Self { dir, changing: Mutex::new(()) })
    }

    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_hex();
        let (folder, name) = hex.split_at(2);
        self.dir.join(folder).join(name)
    }

    /// Takes in a file that is durable already and lies on the same file system, and removes it from where it was. When this returns,
    /// the content is durable under its digest, and counts as young for [`Files::sweep`].
    pub(super) fn take_in(&self, file: &Path, digest: &Digest) -> Result<()> {
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.dir);
        let _changing = self.changing.lock();
        if path.is_file() && read(&path)?.digest == *digest {
            let touched = File::options()
                .append(true)
                .open(&path)
                .and_then(|file| file.set_modified(SystemTime::now()));
            touched.map_err(failed("touching the file", &path))?;
            return fs::remove_file(file).map_err(failed("removing the upload", file));
        }
        fs::create_dir_all(folder).map_err(failed("creating the folder", folder))?;
        fs::rename(file, &path).map_err(failed("moving the upload to", &path))?;
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        let synced = synced.and_then(|()| File::open(&self.dir)?.sync_all());
        synced.map_err(failed("syncing the folder", folder))
    }

    /// Removes the files that were taken in before a moment and that nobody uses. Returns how many.
    pub(super) fn sweep(&self, before: SystemTime, is_used: impl Fn(&Digest) -> bool) -> Result<usize> {
        let mut removed = 0;
        for folder in entries(&self.dir)? {
            if !folder.is_dir() {
                continue;
            }
            for path in entries(&folder)? {
                let Some(digest) = digest_of(&path) else { continue };
                if is_used(&digest) {
                    continue;
                }
                let _changing = self.changing.lock();
                let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
                if modified.map_err(failed("looking at the file", &path))? < before {
                    fs::remove_file(&path).map_err(failed("removing the file", &path))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// Reads a file to its end.
pub(super) fn read(path: &Path) -> Result<Content> {
    let mut file = File::open(path).map_err(failed("opening the file", path))?;
    let (mut hasher, mut bytes, mut head) = (blake3::Hasher::new(), 0, Vec::new());
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = file.read(&mut buffer).map_err(failed("reading the file", path))?;
        let chunk = buffer.get(..count).unwrap_or_default();
        if chunk.is_empty() {
            return Ok(Content { digest: hasher.finalize(), bytes, head });
        }
        hasher.update(chunk);
        bytes += chunk.len() as u64;
        head.extend(chunk.iter().take(64 - head.len()));
    }
}

/// What a folder holds, in the order of names.
fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(dir).map_err(failed("reading the folder", dir))?;
    let mut paths: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// The digest that a path says; `None` for what is no file of ours.
fn digest_of(path: &Path) -> Option<Digest> {
    let folder = path.parent()?.file_name()?.to_str()?;
    Digest::from_hex(format!("{folder}{}", path.file_name()?.to_str()?)).ok()
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;

    struct Folder {
        _dir: tempfile::TempDir,
        uploads: PathBuf,
        files: Files,
    }

    impl Folder {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (uploads, files) = (dir.path().join("uploads"), dir.path().join("files"));
            fs::create_dir(&uploads).unwrap();
            Self { _dir: dir, uploads, files: Files::open(files).unwrap() }
        }

        fn take_in(&self, content: &[u8]) -> Digest {
            let upload = self.uploads.join("upload");
            fs::write(&upload, content).unwrap();
            let found = read(&upload).unwrap();
            assert_eq!((found.digest, found.bytes), (blake3::hash(content), content.len() as u64));
            self.files.take_in(&upload, &found.digest).unwrap();
            assert!(!upload.exists());
            found.digest
        }
    }

    #[test]
    fn the_same_content_is_kept_once_and_damage_is_healed() {
        let folder = Folder::new();
        let digest = folder.take_in(b"contract");
        assert_eq!(folder.take_in(b"contract"), digest);
        fs::write(folder.files.path(&digest), b"damaged").unwrap();
        folder.take_in(b"contract");
        assert_eq!(fs::read(folder.files.path(&digest)).unwrap(), b"contract");
    }

    #[test]
    fn what_nobody_uses_goes_once_it_is_old() {
        let folder = Folder::new();
        let (used, unused) = (folder.take_in(b"used"), folder.take_in(b"unused"));
        fs::write(folder.files.dir.join("readme"), b"not ours").unwrap();
        let in_use = BTreeSet::from([*used.as_bytes()]);
        let is_used = |digest: &Digest| in_use.contains(digest.as_bytes());
        let (past, future) = (SystemTime::UNIX_EPOCH, SystemTime::now() + Duration::from_secs(3_600));
        assert_eq!(folder.files.sweep(past, is_used).unwrap(), 0, "young files stay");
        assert_eq!(folder.files.sweep(future, is_used).unwrap(), 1);
        assert!(folder.files.path(&used).is_file() && !folder.files.path(&unused).exists());
        assert!(folder.files.dir.join("readme").is_file());
    }

    #[test]
    fn a_long_file_is_read_to_its_end() {
        let folder = Folder::new();
        let content = vec![7; 3 * BUFFER_BYTES + 1];
        let upload = folder.uploads.join("long");
        fs::write(&upload, &content).unwrap();
        let found = read(&upload).unwrap();
        assert_eq!((found.digest, found.head.len()), (blake3::hash(&content), 64));
    }
}
