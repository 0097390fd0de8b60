//! What a build reads of `plugin.toml`; the host judges the rest.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::wit::Wanted;

/// The manifest of a project.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: PathBuf,
    /// The whole text.
    pub(crate) text: String,
    pub(crate) id: String,
    pub(crate) version: String,
    wit: String,
    provides: Vec<String>,
    asks: bool,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    version: String,
    #[serde(default)]
    wit: String,
    #[serde(default)]
    provides: Vec<String>,
    #[serde(default)]
    lookups: Vec<toml::Value>,
}

impl Manifest {
    /// Reads `plugin.toml` in `folder`.
    ///
    /// # Errors
    /// That it is missing, or no TOML, or lacks `id` or `version`, or has an `id` that is none.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("plugin.toml");
        let text = required_text(&path, "it says what the plugin is and what it reads")?;
        let head: Head = toml::from_str(&text)
            .map_err(|error| Error::Manifest { path: path.clone(), message: error.to_string() })?;
        if !is_id(&head.id) {
            let message = format!(
                "`id` is {:?}, which is not of the form [a-z][a-z0-9-]{{1,39}} without `--`",
                head.id
            );
            return Err(Error::Manifest { path, message });
        }
        Ok(Self {
            path,
            text,
            id: head.id,
            version: head.version,
            wit: head.wit,
            provides: head.provides,
            asks: !head.lookups.is_empty(),
        })
    }

    /// The text of the world that the plugin targets.
    pub(crate) fn world(&self) -> Result<String> {
        Wanted { version: &self.wit, provides: &self.provides, asks: self.asks }.world(&self.path)
    }

    /// Checks that `file`, the package's own description, names the same plugin.
    pub(crate) fn require_equal(&self, file: &'static str, id: &str, version: &str) -> Result<()> {
        for (key, manifest, package) in [("id", &self.id, id), ("version", &self.version, version)] {
            if manifest != package {
                return Err(Error::Differs {
                    key,
                    file,
                    manifest: manifest.clone(),
                    package: package.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Whether a plugin may be called so. Folders that a build makes, and empties, bear this name.
fn is_id(id: &str) -> bool {
    let mut characters = id.chars();
    (2..=40).contains(&id.len())
        && !id.contains("--")
        && characters.next().is_some_and(|c| c.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The text of a file that a project must have; `hint` says what for.
pub(crate) fn required_text(path: &Path, hint: &'static str) -> Result<String> {
    if !path.is_file() {
        return Err(Error::Missing { path: path.to_owned(), hint });
    }
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_lead_out_of_the_folder_for_what_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let read = |id: &str| {
            let text = format!("id = {id:?}\nversion = \"1.0.0\"\n");
            std::fs::write(folder.path().join("plugin.toml"), text).unwrap();
            Manifest::read(folder.path()).map(|manifest| manifest.id)
        };
        assert_eq!(read("a2-b").unwrap(), "a2-b");
        let long = "a".repeat(41);
        for id in ["../../home", "/etc", "a/b", "a", "A-b", "a--b", "2a", "", &long] {
            let error = read(id).unwrap_err().to_string();
            assert!(error.contains("which is not of the form [a-z][a-z0-9-]{1,39}"), "{id}: {error}");
        }
    }
}
