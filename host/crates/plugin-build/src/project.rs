//! A plugin's project folder: what it says about itself, and compiling it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::manifest::{Manifest, required_text};
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

/// The files that a project must have.
#[derive(Debug)]
pub(crate) struct Sources {
    /// Absolute.
    pub(crate) folder: PathBuf,
    manifest: Manifest,
}

/// A checked project.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) manifest: Manifest,
    /// The target folder of the project's workspace.
    pub(crate) target_dir: PathBuf,
    folder: PathBuf,
    /// The file name of the library, without extension.
    library: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
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
    /// Reads the manifests of the project in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Sources> {
        required_text(&folder.join("Cargo.toml"), "a plugin written in Rust is a cargo package")?;
        let manifest = Manifest::read(folder)?;
        let folder =
            folder.canonicalize().map_err(|source| Error::Read { path: folder.to_owned(), source })?;
        Ok(Sources { folder, manifest })
    }

    /// Checks that the two manifests of a project agree.
    pub(crate) fn check(sources: Sources, toolchain: &Toolchain) -> Result<Self> {
        let Sources { folder, manifest } = sources;
        let cargo_toml = folder.join("Cargo.toml");
        let metadata = metadata(&folder, toolchain)?;
        let package =
            metadata.packages.iter().find(|package| package.manifest_path == cargo_toml).ok_or_else(
                || Error::Package {
                    path: cargo_toml.clone(),
                    message: "it holds a workspace, not a package".into(),
                },
            )?;
        manifest.require_equal("Cargo.toml", &package.name, &package.version)?;
        let library = library(package, &cargo_toml)?;
        Ok(Self { manifest, target_dir: metadata.target_directory, folder, library })
    }

    /// Compiles the project; returns the path of the core module.
    ///
    /// Plugins have a target folder of their own, since cargo locks one for the whole of a build, and the build of a host
    /// may be waiting for this one.
    pub(crate) fn compile(&self, toolchain: &Toolchain) -> Result<PathBuf> {
        let target_dir = self.target_dir.join("guests");
        let mut command = toolchain.cargo(&self.folder);
        command.args(["build", "--release", "--lib", "--target", TARGET]).args(toolchain.build_arguments());
        command.arg("--target-dir").arg(&target_dir);
        command.envs(PROFILE).env("CARGO_ENCODED_RUSTFLAGS", rust_flags(toolchain));
        run(&mut command, "compiling", &self.manifest.id)?;
        Ok(target_dir.join(TARGET).join("release").join(&self.library).with_extension("wasm"))
    }
}

/// Lets the compiler use vector instructions, which give the same results on every machine. Replaces the folders of this machine in panic
/// messages by names that are the same everywhere; the project's own files need none: cargo names them from the root of their workspace.
fn rust_flags(toolchain: &Toolchain) -> OsString {
    let default_home = || std::env::home_dir().map(|home| home.join(".cargo"));
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default_home);
    let mut flags = OsString::from("-Ctarget-feature=+simd128\u{1f}--remap-path-prefix=");
    flags.push(toolchain.sysroot());
    flags.push("=rust");
    if let Some(cargo_home) = cargo_home {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(cargo_home);
        flags.push("=cargo");
    }
    flags
}

fn metadata(folder: &Path, toolchain: &Toolchain) -> Result<Metadata> {
    let mut command = toolchain.cargo(folder);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = run(&mut command, "reading the package", folder)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::Package { path: folder.join("Cargo.toml"), message: error.to_string() })
}

/// The file name that cargo gives to the package's `cdylib`.
fn library(package: &Package, cargo_toml: &Path) -> Result<String> {
    let is_cdylib = |target: &&Target| target.crate_types.iter().any(|kind| kind == "cdylib");
    let target = package.targets.iter().find(is_cdylib).ok_or_else(|| Error::Package {
        path: cargo_toml.to_owned(),
        message: "a plugin needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`".into(),
    })?;
    Ok(target.name.replace('-', "_"))
}
