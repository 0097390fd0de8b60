//! Compiled components on disk.
//!
//! Compiled code is trusted by whoever loads it, so only what this host wrote may come back: the folder is readable by its user only, and
//! every file carries a MAC with a key that lies beside it. A file that does not verify is compiled again. Files of another
//! engine or another version of it are removed at the start, and where there is too much, what was not used for longest goes.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use wasmtime::Engine;

use crate::{Digest, Error, Result};

/// Begins every file; another format gets another number.
const MAGIC: &[u8; 16] = b"trellis-cwasm-1\n";
const MAC_BYTES: usize = 32;
const KEY_FILE: &str = "mac.key";
const EXTENSION: &str = "cwasm";
const TEMPORARY: &str = "tmp";

/// The folder of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; 32],
    engine_hash: String,
    bytes_max: u64,
}

/// What is in the cache under a digest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cached {
    /// A compiled component that this host wrote.
    Code(Vec<u8>),
    /// A file that somebody changed.
    Rejected,
    Nothing,
}

impl Cache {
    /// Opens the folder, which is made if needed, and removes what no engine of this version can read.
    pub(crate) fn open(dir: &Path, engine: &Engine, bytes_max: u64) -> Result<Self> {
        let failed = |source| Error::Cache { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        restrict(dir, 0o700).map_err(failed)?;
        let key = read_or_make_key(&dir.join(KEY_FILE)).map_err(failed)?;
        let cache = Self { dir: dir.to_owned(), key, engine_hash: engine_hash(engine), bytes_max };
        cache.remove_stale().map_err(failed)?;
        Ok(cache)
    }

    pub(crate) fn get(&self, digest: &Digest) -> Cached {
        let Ok(file) = fs::read(self.path(digest)) else { return Cached::Nothing };
        match self.verified(digest, &file) {
            Some(code) => {
                self.note_use(digest);
                Cached::Code(code.to_vec())
            }
            None => Cached::Rejected,
        }
    }

    pub(crate) fn put(&self, digest: &Digest, code: &[u8]) -> std::io::Result<()> {
        let path = self.path(digest);
        let temporary = path.with_extension(TEMPORARY);
        let mut file = private_file(&temporary)?;
        file.write_all(MAGIC)?;
        file.write_all(self.mac(digest, code).as_bytes())?;
        file.write_all(code)?;
        drop(file);
        fs::rename(temporary, &path)?;
        self.trim(&path)
    }

    /// The time of a file is that of its last use. Where that cannot be said, it goes earlier than it should.
    fn note_use(&self, digest: &Digest) {
        let file = fs::OpenOptions::new().write(true).open(self.path(digest));
        let _ = file.and_then(|file| file.set_modified(std::time::SystemTime::now()));
    }

    /// Removes what was not used for longest until the rest is within the limit; `newest` stays.
    fn trim(&self, newest: &Path) -> std::io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if is_ours(&entry.file_name().to_string_lossy()) {
                let about = entry.metadata()?;
                files.push((about.modified()?, about.len(), entry.path()));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, file_bytes, path) in files.iter().filter(|(_, _, path)| path != newest) {
            if bytes <= self.bytes_max {
                break;
            }
            fs::remove_file(path)?;
            bytes -= file_bytes;
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{digest}-{}.{EXTENSION}", self.engine_hash))
    }

    fn verified<'a>(&self, digest: &Digest, file: &'a [u8]) -> Option<&'a [u8]> {
        let (mac, code) = file.strip_prefix(MAGIC)?.split_first_chunk::<MAC_BYTES>()?;
        // `blake3::Hash` compares in constant time.
        (self.mac(digest, code) == blake3::Hash::from_bytes(*mac)).then_some(code)
    }

    /// Covers the name too, so that no file can stand in for another.
    fn mac(&self, digest: &Digest, code: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(digest.as_bytes()).update(self.engine_hash.as_bytes()).update(code);
        mac.finalize()
    }

    fn remove_stale(&self) -> std::io::Result<()> {
        let current = format!("-{}.{EXTENSION}", self.engine_hash);
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Nothing but what is written here: a folder may hold other things. The code of another engine has a folder of its own.
            if is_ours(&name) && !name.ends_with(&current) && !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Whether a file is compiled code, or was to become that when the server ended.
fn is_ours(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(std::ffi::OsStr::to_str);
    matches!(extension, Some(EXTENSION | TEMPORARY))
}

/// Names the engine's version and every setting that compiled code depends on.
pub(crate) fn engine_hash(engine: &Engine) -> String {
    struct Blake(blake3::Hasher);
    impl Hasher for Blake {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            let hash = self.0.finalize();
            hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
        }
    }
    let mut hasher = Blake(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn read_or_make_key(path: &Path) -> std::io::Result<[u8; 32]> {
    if let Some(key) = fs::read(path).ok().and_then(|key| key.try_into().ok()) {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    private_file(path)?.write_all(&key)?;
    Ok(key)
}

/// Makes or empties a file that only this user can read.
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    restrict(path, 0o600)?;
    Ok(file)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Cache {
        Cache::open(dir, &Engine::default(), u64::MAX).unwrap()
    }

    #[test]
    fn what_was_put_comes_back_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let cache = open(dir.path());
        assert_eq!(cache.get(&one), Cached::Nothing);
        cache.put(&one, b"code").unwrap();
        let cache = open(dir.path());
        assert_eq!(cache.get(&one), Cached::Code(b"code".to_vec()));
        fs::copy(cache.path(&one), cache.path(&other)).unwrap();
        assert_eq!(cache.get(&other), Cached::Rejected, "a file under another name");
        let mut file = fs::read(cache.path(&one)).unwrap();
        *file.last_mut().unwrap() ^= 1;
        fs::write(cache.path(&one), file).unwrap();
        assert_eq!(cache.get(&one), Cached::Rejected, "a changed byte");
        fs::write(cache.path(&one), MAGIC).unwrap();
        assert_eq!(cache.get(&one), Cached::Rejected, "a torn file");
    }

    #[test]
    fn another_key_makes_every_file_worthless() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).put(&Digest::of(b"one"), b"code").unwrap();
        fs::write(dir.path().join(KEY_FILE), "short").unwrap();
        assert_eq!(open(dir.path()).get(&Digest::of(b"one")), Cached::Rejected);
    }

    #[test]
    fn files_of_other_engines_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let stale =
            ["00-0000000000000000.cwasm", "00-0000000000000000.tmp"].map(|name| dir.path().join(name));
        let other = dir.path().join("thesis.txt");
        stale.iter().chain([&other]).for_each(|path| fs::write(path, "old").unwrap());
        open(dir.path());
        assert!(stale.iter().all(|path| !path.exists()));
        assert!(other.exists(), "somebody else's");
    }

    #[test]
    fn what_was_not_used_for_longest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let digests = [b"one", b"two", b"six"].map(|name| Digest::of(name));
        let [one, two, six] = digests;
        let file_bytes = (MAGIC.len() + MAC_BYTES + 100) as u64;
        let cache = Cache { bytes_max: 2 * file_bytes, ..open(dir.path()) };
        let used = |digest: &Digest, seconds: u64| {
            let file = fs::OpenOptions::new().write(true).open(cache.path(digest)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
        };
        cache.put(&one, &[1; 100]).unwrap();
        used(&one, 10);
        cache.put(&two, &[2; 100]).unwrap();
        used(&two, 20);
        assert_eq!(cache.get(&one), Cached::Code(vec![1; 100]), "which is a use");
        cache.put(&six, &[6; 100]).unwrap();
        assert_eq!(digests.map(|digest| cache.path(&digest).exists()), [true, false, true]);
        Cache { bytes_max: 1, ..open(dir.path()) }.put(&two, &[2; 100]).unwrap();
        assert_eq!(
            digests.map(|digest| cache.path(&digest).exists()),
            [false, true, false],
            "what was just made stays, however large"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_its_user_can_read_the_folder() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        open(&cache);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&cache), mode(&cache.join(KEY_FILE))), (0o700, 0o600));
    }
}
