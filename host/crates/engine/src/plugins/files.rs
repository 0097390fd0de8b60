//! Component files, named by the BLAKE3 digest of their content.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// A folder of component files.
#[derive(Debug, Clone)]
pub(super) struct Files {
    dir: PathBuf,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable(pub(super) String);

impl Files {
    /// Opens the folder, creating it if needed, and removes what an interrupted write left.
    pub(super) fn open(dir: PathBuf) -> Result<Self> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { doing, path, source }
        };
        fs::create_dir_all(&dir).map_err(failed("creating the folder", &dir))?;
        for entry in fs::read_dir(&dir).map_err(failed("reading the folder", &dir))?.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "generating") {
                fs::remove_file(&path).map_err(failed("removing a leftover", &path))?;
            }
        }
        Ok(Self { dir })
    }

    fn path(&self, digest: &[u8; 32]) -> PathBuf {
        self.dir.join(format!("{}.wasm", hex(digest)))
    }

    /// Writes a component; durable when it returns. Writing it again heals a damaged file.
    pub(super) fn write(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<()> {
        if self.read(digest).is_ok() {
            return Ok(());
        }
        let path = self.path(digest);
        let generating = path.with_extension("wasm.generating");
        let written = File::create(&generating)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&generating, &path))
            .and_then(|()| File::open(&self.dir)?.sync_all());
        written.map_err(|source| Error::File { doing: "writing the plugin file", path, source })
    }

    /// Removes a component; one that is not there is removed already.
    pub(super) fn remove(&self, digest: &[u8; 32]) -> Result<()> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::File { doing: "removing the plugin file", path, source })
            }
            _ => Ok(()),
        }
    }

    /// Reads a component and checks that it is what its name says.
    pub(super) fn read(&self, digest: &[u8; 32]) -> Result<Vec<u8>, Unusable> {
        let path = self.path(digest);
        let name = format!("plugins/{}.wasm", hex(digest));
        let bytes =
            fs::read(&path).map_err(|error| Unusable(format!("file `{name}` cannot be read: {error}")))?;
        if blake3::hash(&bytes).as_bytes() != digest {
            return Err(Unusable(format!(
                "file `{name}` is damaged: its content has another digest; upload the plugin again"
            )));
        }
        Ok(bytes)
    }
}

pub(crate) fn hex(digest: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_named_and_healed_by_writing_it_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(dir.path().join("plugins")).unwrap();
        let digest = *blake3::hash(b"component").as_bytes();
        assert!(files.read(&digest).unwrap_err().0.contains("cannot be read"));
        files.write(&digest, b"component").unwrap();
        assert_eq!(files.read(&digest).unwrap(), b"component");
        fs::write(files.path(&digest), b"damaged").unwrap();
        assert!(files.read(&digest).unwrap_err().0.contains("is damaged"));
        files.write(&digest, b"component").unwrap();
        assert_eq!(files.read(&digest).unwrap(), b"component");
    }

    #[test]
    fn leftovers_of_an_interrupted_write_go() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.wasm.generating"), b"half").unwrap();
        Files::open(dir.path().to_owned()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
