//! A plugin's project folder: what it says about itself, and compiling it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::toolchain::{TARGET, Toolchain, run};

/// The release profile of every plugin, whatever the project's workspace sets for itself: one unit and whole-program
/// optimisation for speed, no debug data, and no unwinding, which the target does not have.
const PROFILE: [(&str, &str); 6] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
];

/// A checked project.
#[derive(Debug)]
pub(crate) struct Project {
    /// The text of `plugin.toml`.
    pub(crate) manifest_text: String,
    pub(crate) id: String,
    pub(crate) version: String,
    /// The target folder of the project's workspace.
    pub(crate) target_dir: PathBuf,
    cargo_toml: PathBuf,
    workspace_root: PathBuf,
    /// The file name of the library, without extension.
    library: String,
}

#[derive(Deserialize)]
struct ManifestHead {
    id: String,
    version: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Project {
    /// Reads the project in `folder` and checks that its two manifests agree.
    pub(crate) fn open(folder: &Path, toolchain: &Toolchain) -> Result<Self> {
        let cargo_toml = folder.join("Cargo.toml");
        let plugin_toml = folder.join("plugin.toml");
        let cargo_toml = cargo_toml.canonicalize().map_err(|_| Error::Missing {
            path: cargo_toml,
            hint: "a plugin written in Rust is a cargo package",
        })?;
        if !plugin_toml.exists() {
            return Err(Error::Missing {
                path: plugin_toml,
                hint: "it says what the plugin is and what it reads",
            });
        }
        let manifest_text = std::fs::read_to_string(&plugin_toml)
            .map_err(|source| Error::Read { path: plugin_toml.clone(), source })?;
        let head: ManifestHead = toml::from_str(&manifest_text)
            .map_err(|error| Error::Manifest { path: plugin_toml, message: error.to_string() })?;
        let metadata = metadata(&cargo_toml, toolchain)?;
        let package =
            metadata.packages.iter().find(|package| package.manifest_path == cargo_toml).ok_or_else(
                || Error::CargoToml {
                    path: cargo_toml.clone(),
                    message: "it holds a workspace, not a package".into(),
                },
            )?;
        require_equal("id", &head.id, &package.name)?;
        require_equal("version", &head.version, &package.version)?;
        let library = library(package, &cargo_toml)?;
        Ok(Self {
            manifest_text,
            id: head.id,
            version: head.version,
            target_dir: metadata.target_directory,
            workspace_root: metadata.workspace_root,
            cargo_toml,
            library,
        })
    }

    /// Compiles the project; returns the path of the core module.
    ///
    /// Plugins have a target folder of their own, since cargo locks one for the whole of a build, and the build of a host
    /// may be waiting for this one.
    pub(crate) fn compile(&self, toolchain: &Toolchain) -> Result<PathBuf> {
        let target_dir = self.target_dir.join("guests");
        let mut command = toolchain.cargo();
        command.args(["build", "--release", "--lib", "--target", TARGET]).args(toolchain.build_arguments());
        command.arg("--manifest-path").arg(&self.cargo_toml).arg("--target-dir").arg(&target_dir);
        command.envs(PROFILE).env("CARGO_ENCODED_RUSTFLAGS", self.rust_flags(toolchain));
        run(&mut command, "compiling", &self.id)?;
        Ok(target_dir.join(TARGET).join("release").join(&self.library).with_extension("wasm"))
    }

    /// Replaces the folders of this machine in panic messages by names that are the same everywhere.
    fn rust_flags(&self, toolchain: &Toolchain) -> OsString {
        let cargo_home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
        let mut folders = vec![(toolchain.sysroot().to_owned(), "rust")];
        folders.extend(cargo_home.map(|home| (home, "cargo")));
        // The last match wins, and a workspace may lie in one of the other folders.
        folders.push((self.workspace_root.clone(), "plugin"));
        let mut flags = OsString::new();
        for (folder, name) in folders {
            if !flags.is_empty() {
                flags.push("\u{1f}");
            }
            flags.push("--remap-path-prefix=");
            flags.push(folder);
            flags.push("=");
            flags.push(name);
        }
        flags
    }
}

fn metadata(cargo_toml: &Path, toolchain: &Toolchain) -> Result<Metadata> {
    let mut command = toolchain.cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(cargo_toml);
    let output = run(&mut command, "reading the package", cargo_toml)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::CargoToml { path: cargo_toml.to_owned(), message: error.to_string() })
}

fn require_equal(key: &'static str, manifest: &str, cargo: &str) -> Result<()> {
    if manifest == cargo {
        return Ok(());
    }
    Err(Error::Differs { key, manifest: manifest.to_owned(), cargo: cargo.to_owned() })
}

/// The file name that cargo gives to the package's `cdylib`.
fn library(package: &Package, cargo_toml: &Path) -> Result<String> {
    let is_cdylib = |target: &&Target| target.crate_types.iter().any(|kind| kind == "cdylib");
    let target = package.targets.iter().find(is_cdylib).ok_or_else(|| Error::CargoToml {
        path: cargo_toml.to_owned(),
        message: "a plugin needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`".into(),
    })?;
    Ok(target.name.replace('-', "_"))
}
