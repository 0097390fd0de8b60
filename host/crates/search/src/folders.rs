use std::fs;
use std::path::{Path, PathBuf};

use crate::error::guarded;
use crate::{Config, Error, Generation, Result};

/// The folder that holds the generations of the index, each in a folder of its own: `g1`, `g2`…
#[derive(Debug)]
pub(crate) struct Folders(PathBuf);

impl Folders {
    /// # Errors
    /// [`Error::Io`] where the folder is not there and cannot be made.
    pub(crate) fn new(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).map_err(failed("create folder", &root))?;
        Ok(Self(root))
    }

    /// Opens the last generation that follows this store's log; `None` where there is none.
    pub(crate) fn open(&self, epoch: &str, log_head: u64, config: &Config) -> Result<Option<Generation>> {
        for (_, folder) in self.generations()?.into_iter().rev() {
            match guarded(|| Generation::open(&folder, epoch, log_head, config)) {
                Ok(Some(generation)) => return Ok(Some(generation)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "an index of full-text search cannot be opened");
                }
            }
        }
        Ok(None)
    }

    /// The folder of the next generation.
    pub(crate) fn next(&self) -> Result<PathBuf> {
        let last = self.generations()?.last().map_or(0, |(number, _)| *number);
        Ok(self.0.join(format!("g{}", last + 1)))
    }

    /// Deletes all generations but one.
    pub(crate) fn keep_only(&self, kept: Option<&Path>) -> Result<()> {
        let mut others = self.generations()?.into_iter().filter(|(_, folder)| Some(&**folder) != kept);
        others.try_for_each(|(_, folder)| remove(&folder))
    }

    /// The generations by number.
    fn generations(&self) -> Result<Vec<(u64, PathBuf)>> {
        let failed = |source| failed("list", &self.0)(source);
        let mut generations = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix('g')?.parse().ok());
            generations.extend(number.map(|number| (number, path)));
        }
        generations.sort_unstable();
        Ok(generations)
    }
}

/// Deletes a generation. What readers still hold of it stays readable to them.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(failed("delete folder", folder))
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io { doing, path: path.clone(), source }
}
