//! Keeps the interfaces between host and plugin compatible with what was released.
//!
//! A released version lies under `wit/released/<version>/` and is never changed. [`check`] compares the interfaces of today with every released
//! version of the same major: with the type checker of the component model ([`wit_component::semver_check`]), which knows what a
//! component of the old world can still be linked with, and with rules of our own, since an old plugin that type-checks may still lack a
//! function that the host calls. [`freeze`] releases the interfaces of today.

#![expect(
    clippy::indexing_slicing,
    reason = "ids of a WIT arena are only ever made by the arena that they are looked up in"
)]

mod compat;
mod error;
mod package;
mod plugins;
mod shape;
mod unfinished;

use std::path::{Path, PathBuf};

pub use error::{Error, Result};
pub use plugins::check_plugins;

use package::Package;

/// The folder of released versions below `wit/`.
const RELEASED: &str = "released";

/// Everything that keeps the interfaces in `wit` from being a successor of what was released; empty if there is nothing.
///
/// # Errors
/// A folder that cannot be read or is no WIT package.
pub fn check(wit: &Path) -> Result<Vec<String>> {
    let current = Package::read(wit)?;
    let mut problems = Vec::new();
    for (version, folder) in released(wit)? {
        let old = Package::read(&folder)?;
        if old.version != version {
            problems.push(format!("{} holds version {}", folder.display(), old.version));
        } else if version.major == current.version.major {
            problems.extend(successor(&old, &current)?);
        }
    }
    Ok(problems)
}

/// What keeps `current` from being `old` or a later minor version of it.
fn successor(old: &Package, current: &Package) -> Result<Vec<String>> {
    if current.version < old.version {
        return Ok(vec![format!("version {} was released, and this is {}", old.version, current.version)]);
    }
    if current.version == old.version {
        let changed = old.changed_files(current);
        let problem =
            |name| format!("`{name}` differs from the released {}: raise the minor version", old.version);
        return Ok(changed.into_iter().map(problem).collect());
    }
    compat::problems(old, current)
}

/// Copies the interfaces in `wit` to `wit/released/<version>`; returns that folder.
///
/// # Errors
/// [`Error::NotReady`] with every reason: another version in the package, an item without documentation or `@since`, a version that
/// exists, or one that breaks an earlier one.
pub fn freeze(wit: &Path, version: &semver::Version) -> Result<PathBuf> {
    let current = Package::read(wit)?;
    let folder = wit.join(RELEASED).join(version.to_string());
    let mut problems = Vec::new();
    if current.version != *version {
        problems.push(format!("the package is version {}, not {version}", current.version));
    }
    if !version.pre.is_empty() || version.major == 0 {
        problems.push(format!(
            "{version} is no version that plugins can rely on: from 1.0.0, and no pre-release"
        ));
    }
    if folder.exists() {
        problems.push(format!("{} exists: a released version never changes", folder.display()));
    } else {
        problems.extend(check(wit)?);
    }
    problems.extend(unfinished::problems(&current));
    if !problems.is_empty() {
        return Err(Error::NotReady { version: version.clone(), problems });
    }
    current.write(&folder)?;
    Ok(folder)
}

/// The released versions with their folders, the oldest first.
fn released(wit: &Path) -> Result<Vec<(semver::Version, PathBuf)>> {
    let folder = wit.join(RELEASED);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |source| Error::Read { path: folder.clone(), source };
    let mut versions = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let version = semver::Version::parse(&name).map_err(|error| Error::Wit {
                path: path.clone(),
                message: format!("its name is no version: {error}"),
            })?;
            versions.push((version, path));
        }
    }
    versions.sort();
    Ok(versions)
}
