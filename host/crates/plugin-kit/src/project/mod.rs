//! A new plugin's folder: it builds, passes its tests and can be installed as it is. Everything that it needs besides crates of the registry
//! is carried in this program.

mod parts;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use trellis_model::PluginId;
use trellis_plugin_host::manifest::Interface;

/// The SDK's files by their path in this repository.
const SDK_FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));
/// The versions of its dependencies that it was tested with.
const SDK_LOCK: &str = include_str!(concat!(env!("OUT_DIR"), "/sdk.lock"));
const SDK_MANIFEST: &str = include_str!("../../../../../sdk/rust/template/vendored.toml");
/// Where a plugin's folder keeps the SDK.
const VENDOR: &str = "vendor/trellis";
/// Names that a crate cannot have, or that would hide one of Rust's own.
const RESERVED: [&str; 45] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trellis-sdk",
];

/// Why there is no new plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A plugin cannot be called that.
    #[error("{0}")]
    Name(trellis_model::Error),
    /// Rust keeps the name for itself.
    #[error("a plugin cannot be called `{name}`: Rust or cargo uses that name")]
    Reserved {
        /// The name.
        name: String,
    },
    /// It would do nothing.
    #[error("a plugin provides at least one interface: {}", Interface::ALL.map(Interface::name).join(", "))]
    NothingProvided,
    /// It would show models and have none.
    #[error("`model-report` shows models of `segmentation` or `scoring`: provide one of them too")]
    NoModels,
    /// There is something already.
    #[error("`{path}` exists already")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes the folder `<parent>/<name>` of a new plugin and returns it. It appears whole or not at all.
///
/// # Errors
/// See [`ProjectError`]; nothing was written then.
pub fn create(parent: &Path, name: &str, provides: &[Interface]) -> Result<PathBuf, ProjectError> {
    let id = PluginId::new(name).map_err(ProjectError::Name)?;
    if RESERVED.contains(&name) {
        return Err(ProjectError::Reserved { name: name.to_owned() });
    }
    let provides: Vec<Interface> =
        Interface::ALL.into_iter().filter(|interface| provides.contains(interface)).collect();
    if provides.is_empty() {
        return Err(ProjectError::NothingProvided);
    }
    let learns = provides.iter().any(|interface| parts::is_learner(*interface));
    if provides.contains(&Interface::ModelReport) && !learns {
        return Err(ProjectError::NoModels);
    }
    let folder = parent.join(name);
    if folder.symlink_metadata().is_ok() {
        return Err(ProjectError::Exists { path: folder });
    }
    let part = parent.join(format!(".{name}.{}.part", std::process::id()));
    let written =
        files(&id, &provides).into_iter().try_for_each(|(path, text)| write(&part.join(path), &text));
    let moved = written.and_then(|()| {
        fs::rename(&part, &folder).map_err(|source| ProjectError::Write { path: folder.clone(), source })
    });
    if moved.is_err() {
        // What is left of it helps nobody; that it was there is said by the error.
        let _ = fs::remove_dir_all(&part);
    }
    moved.map(|()| folder)
}

/// Every file of a new plugin, by its path in the folder.
fn files(id: &PluginId, provides: &[Interface]) -> Vec<(PathBuf, String)> {
    let mut files = vec![
        (PathBuf::from("Cargo.toml"), parts::cargo_toml(id)),
        (PathBuf::from("Cargo.lock"), format!("{SDK_LOCK}\n{}", parts::lock_entry(id))),
        (PathBuf::from("plugin.toml"), parts::plugin_toml(id, provides)),
        (PathBuf::from("src/lib.rs"), parts::library(provides)),
        (PathBuf::from("tests/plugin.rs"), parts::tests(id, provides)),
        (PathBuf::from("README.md"), parts::readme(id)),
        (PathBuf::from(".gitignore"), "/target\n".to_owned()),
        (Path::new(VENDOR).join("sdk/rust/Cargo.toml"), SDK_MANIFEST.to_owned()),
    ];
    for interface in provides {
        let path = Path::new("tests/golden").join(format!("{}.json", interface.name()));
        files.push((path, parts::golden(*interface, provides)));
    }
    let sdk = SDK_FILES.iter().map(|(path, text)| (Path::new(VENDOR).join(path), (*text).to_owned()));
    files.extend(sdk);
    files
}

fn write(path: &Path, text: &str) -> Result<(), ProjectError> {
    let failed = |source| ProjectError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
