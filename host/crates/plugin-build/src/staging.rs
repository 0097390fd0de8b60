//! The sources of a plugin that is not compiled by cargo: copied to the build folder, so that tools leave nothing behind in the project, and
//! so that no file name of this machine gets into the component.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::{read, write};

/// Files that a project may have.
const FILES_MAX: usize = 2_000;
/// Size of all of them, in bytes.
const BYTES_MAX: u64 = 32 << 20;
/// Folders that hold no sources.
const SKIPPED: [&str; 4] = ["__pycache__", "node_modules", "target", "tests"];

/// The sources of a project, by their path in it.
#[derive(Debug)]
pub(crate) struct Sources {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Sources {
    /// Reads every file of `folder` that has one of `extensions`, without hidden folders and those of tools. Links are not followed.
    ///
    /// # Errors
    /// That there is more than a plugin needs, or that something cannot be read.
    pub(crate) fn read(folder: &Path, extensions: &[&str]) -> Result<Self> {
        let mut files = Vec::new();
        let (mut folders, mut bytes) = (vec![folder.to_owned()], 0_u64);
        while let Some(next) = folders.pop() {
            let failed = |source| Error::Read { path: next.clone(), source };
            for entry in std::fs::read_dir(&next).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let (path, name) = (entry.path(), entry.file_name());
                let (kind, name) = (entry.file_type().map_err(failed)?, name.to_string_lossy());
                if name.starts_with('.') {
                    continue;
                }
                if kind.is_dir() && !SKIPPED.contains(&&*name) {
                    folders.push(path);
                } else if kind.is_file() && has_extension(&path, extensions) {
                    let content = read(&path)?;
                    bytes += content.len() as u64;
                    if files.len() == FILES_MAX || bytes > BYTES_MAX {
                        return Err(Error::TooManySources {
                            folder: folder.to_owned(),
                            files_max: FILES_MAX,
                            bytes_max: BYTES_MAX,
                        });
                    }
                    let path = path.strip_prefix(folder).map(Path::to_owned).unwrap_or(path);
                    files.push((path, content));
                }
            }
        }
        files.sort();
        Ok(Self { files })
    }

    /// Whether there is such a file.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.files.iter().any(|(found, _)| found == Path::new(path))
    }

    /// Makes `folder` hold these files and no others.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        }
        self.files.iter().try_for_each(|(path, content)| write(&folder.join(path), content))
    }

    /// Adds names and contents to a digest.
    pub(crate) fn hash(&self, hasher: &mut blake3::Hasher) {
        for (path, content) in &self.files {
            hash_part(hasher, path.to_string_lossy().as_bytes());
            hash_part(hasher, content);
        }
    }
}

/// Adds a part with its length, so that no two lists of parts are alike.
pub(crate) fn hash_part(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            write(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        folder
    }

    fn digest(folder: &Path) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        Sources::read(folder, &["js"]).unwrap().hash(&mut hasher);
        hasher.finalize()
    }

    #[test]
    fn only_sources_are_taken() {
        let folder = project(&[
            ("plugin.js", "1"),
            ("lib/rows.js", "2"),
            ("README.md", "no"),
            ("node_modules/left/pad.js", "no"),
            ("target/plugin.js", "no"),
            (".cache/plugin.js", "no"),
        ]);
        let sources = Sources::read(folder.path(), &["js"]).unwrap();
        assert!(
            sources.contains("plugin.js")
                && sources.contains("lib/rows.js")
                && !sources.contains("README.md")
        );
        let copy = project(&[("source/stale.js", "old")]);
        let copy = copy.path().join("source");
        sources.write(&copy).unwrap();
        assert!(!copy.join("stale.js").exists() && !copy.join("node_modules").exists());
        assert_eq!(digest(&copy), digest(folder.path()));
        write(&copy.join("lib/rows.js"), b"3").unwrap();
        assert_ne!(digest(&copy), digest(folder.path()));
    }

    #[test]
    fn a_project_that_is_too_large_is_refused() {
        let folder = project(&[]);
        let large = std::fs::File::create(folder.path().join("data.js")).unwrap();
        large.set_len(BYTES_MAX + 1).unwrap();
        let error = Sources::read(folder.path(), &["js"]).unwrap_err().to_string();
        assert!(error.contains("more than 2000 source files or 33554432 bytes"), "{error}");
    }
}
