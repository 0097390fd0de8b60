//! The tools of a language, installed once for each set of exact versions and shared by all plugins that want the same.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// Written when a folder of tools is whole.
const COMPLETE: &str = "complete";
/// Characters of a digest that name a folder.
const NAME_CHARS: usize = 16;

/// Returns the folder of the tools that `key` names below `root`. Where it is not there yet, `make` fills it; builds that want the same at
/// once wait for the one that makes it.
pub(crate) fn prepared(
    root: &Path,
    key: &blake3::Hash,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let name: String = key.to_hex().chars().take(NAME_CHARS).collect();
    let folder = root.join(&name);
    let failed = |source| Error::Write { path: folder.clone(), source };
    fs::create_dir_all(root).map_err(failed)?;
    let lock = fs::File::create(root.join(format!("{name}.lock"))).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if folder.join(COMPLETE).is_file() {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    make(&folder)?;
    fs::write(folder.join(COMPLETE), key.to_hex().as_bytes()).map_err(failed)?;
    Ok(folder)
}

/// The version that a program prints, if it starts.
pub(crate) fn version_of(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// The first of `names` on the search path that is a program.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        let candidates = folders.iter().map(|folder| folder.join(name));
        candidates.into_iter().find(|program| program.is_file())
    })
}

/// The folder for what is built: cargo's, where the project lies in a workspace of cargo or the environment names one; else the project's own
/// `target`.
pub(crate) fn target_dir(project: &Path, named: Option<&OsStr>) -> PathBuf {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return project.join(named);
    }
    let is_workspace = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim_end() == "[workspace]"))
    };
    project.ancestors().find(is_workspace).unwrap_or(project).join("target")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_made_once_and_again_where_they_are_not_whole() {
        let root = tempfile::tempdir().unwrap();
        let key = blake3::hash(b"one");
        let broken = prepared(root.path(), &key, |folder| {
            fs::write(folder.join("half"), "").unwrap();
            Err(Error::Missing { path: folder.to_owned(), hint: "the network" })
        });
        broken.unwrap_err();
        let folder = prepared(root.path(), &key, |folder| {
            assert!(!folder.join("half").exists());
            fs::write(folder.join("tool"), "")
                .map_err(|source| Error::Write { path: folder.to_owned(), source })
        })
        .unwrap();
        assert!(folder.join("tool").exists());
        assert_eq!(prepared(root.path(), &key, |_| panic!("made twice")).unwrap(), folder);
        assert_ne!(prepared(root.path(), &blake3::hash(b"other"), |_| Ok(())).unwrap(), folder);
    }

    #[test]
    fn a_project_in_a_workspace_shares_its_target_folder() {
        let root = tempfile::tempdir().unwrap();
        let project = root.path().join("examples/plugin-js");
        fs::create_dir_all(&project).unwrap();
        assert_eq!(target_dir(&project, None), project.join("target"));
        fs::write(root.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        assert_eq!(target_dir(&project, None), root.path().join("target"));
        assert_eq!(target_dir(&project, Some(OsStr::new("/elsewhere"))), Path::new("/elsewhere"));
    }
}
