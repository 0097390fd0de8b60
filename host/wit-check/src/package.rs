//! A folder of WIT files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wit_parser::{Interface, PackageId, Resolve, World};

use crate::error::{Error, Result};

/// A package with its files.
pub(crate) struct Package {
    pub(crate) folder: PathBuf,
    pub(crate) version: semver::Version,
    files: BTreeMap<String, String>,
    pub(crate) resolve: Resolve,
    pub(crate) id: PackageId,
}

impl Package {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let id = push(&mut resolve, folder)?;
        let version = resolve.packages[id].name.version.clone().ok_or_else(|| Error::Wit {
            path: folder.to_owned(),
            message: "the package has no version".to_owned(),
        })?;
        Ok(Self { folder: folder.to_owned(), version, files: files(folder)?, resolve, id })
    }

    /// The files that are not the same in `other`, or not in both.
    pub(crate) fn changed_files<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let mut names: Vec<_> = self.files.keys().chain(other.files.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.files.get(*name) != other.files.get(*name));
        names
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let failed = |source| Error::Write { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        self.files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text)).map_err(failed)
    }

    /// Its interfaces by name.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = (&str, &Interface)> {
        interfaces(&self.resolve, self.id)
    }

    /// Its worlds by name.
    pub(crate) fn worlds(&self) -> impl Iterator<Item = (&str, &World)> {
        let worlds = &self.resolve.packages[self.id].worlds;
        worlds.iter().map(|(name, id)| (name.as_str(), &self.resolve.worlds[*id]))
    }
}

pub(crate) fn interfaces(resolve: &Resolve, id: PackageId) -> impl Iterator<Item = (&str, &Interface)> {
    let interfaces = &resolve.packages[id].interfaces;
    interfaces.iter().map(|(name, id)| (name.as_str(), &resolve.interfaces[*id]))
}

/// Adds the package in `folder`.
pub(crate) fn push(resolve: &mut Resolve, folder: &Path) -> Result<PackageId> {
    let message = |error| Error::Wit { path: folder.to_owned(), message: format!("{error:#}") };
    resolve.push_dir(folder).map(|(id, _)| id).map_err(message)
}

fn files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            files.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text);
        }
    }
    Ok(files)
}
