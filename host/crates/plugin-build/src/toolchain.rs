//! Finding a Rust toolchain that compiles for `wasm32-unknown-unknown`.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Result};

/// The target of every Rust plugin: no operating system, so nothing to be granted by accident.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Variables that would make one build differ from another, or point it at the toolchain of the build that called us.
const CLEARED: [&str; 11] = [
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// A toolchain that can compile plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// The toolchain on the search path, with the target's standard library installed.
    Rustup {
        /// The compiler's sysroot.
        sysroot: PathBuf,
    },
    /// Debian's `rustc-web`, which compiles the standard library with the project.
    Debian {
        /// The tools that were found.
        tools: DebianTools,
    },
}

/// Debian's packages, as far as a build needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebianTools {
    cargo: PathBuf,
    rustc: PathBuf,
    linker: PathBuf,
    sysroot: PathBuf,
}

impl Toolchain {
    /// Finds the toolchain to use for the project in `folder`: the one on the search path if it has the target (rustup decides by
    /// the project's `rust-toolchain.toml`, if there is one), else Debian's packages.
    ///
    /// # Errors
    /// [`Error::NoToolchain`] says what each of the two lacks and the command that installs it.
    pub fn find(folder: &Path) -> Result<Self> {
        Self::find_among(folder, Path::new("rustc"), Path::new("/usr"))
    }

    /// As [`Toolchain::find`], with the compiler to ask and the folder that holds Debian's `bin` and `lib`.
    pub(crate) fn find_among(folder: &Path, rustc: &Path, debian_root: &Path) -> Result<Self> {
        let rustup = match sysroot_with_target(folder, rustc) {
            Ok(sysroot) => return Ok(Self::Rustup { sysroot }),
            Err(lacks) => lacks,
        };
        match DebianTools::find(debian_root) {
            Ok(tools) => Ok(Self::Debian { tools }),
            Err(debian) => Err(Error::NoToolchain { rustup, debian }),
        }
    }

    /// A cargo command that uses this toolchain and the settings of the project in `folder`, but nothing of the caller's.
    pub(crate) fn cargo(&self, folder: &Path) -> Command {
        let program = match self {
            Self::Rustup { .. } => Path::new("cargo"),
            Self::Debian { tools } => &tools.cargo,
        };
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null());
        for variable in CLEARED {
            command.env_remove(variable);
        }
        if let Self::Debian { tools } = self {
            command.env("RUSTC", &tools.rustc).env("RUSTC_BOOTSTRAP", "1");
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &tools.linker);
        }
        command
    }

    /// What a compile needs besides `cargo build --target`.
    pub(crate) fn build_arguments(&self) -> &'static [&'static str] {
        match self {
            Self::Rustup { .. } => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }

    /// The folder that holds the standard library's sources, which shows up in panic messages.
    pub(crate) fn sysroot(&self) -> &Path {
        match self {
            Self::Rustup { sysroot } => sysroot,
            Self::Debian { tools } => &tools.sysroot,
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rustup { sysroot } => write!(f, "rustup's toolchain in {}", sysroot.display()),
            Self::Debian { tools } => {
                write!(f, "Debian's {}, compiling the standard library", tools.rustc.display())
            }
        }
    }
}

impl DebianTools {
    fn find(root: &Path) -> Result<Self, String> {
        let tools = Self {
            cargo: root.join("bin/cargo"),
            rustc: root.join("bin/rustc"),
            linker: root.join("bin/wasm-ld-19"),
            sysroot: root.to_owned(),
        };
        let sources = root.join("lib/rustlib/src/rust/library/std");
        let needed = [
            (&tools.cargo, "cargo-web"),
            (&tools.rustc, "rustc-web"),
            (&sources, "rust-web-src"),
            (&tools.linker, "lld-19"),
        ];
        let missing: Vec<_> = needed
            .iter()
            .filter(|(path, _)| !path.exists())
            .map(|(path, package)| format!("{} ({package})", path.display()))
            .collect();
        if missing.is_empty() {
            Ok(tools)
        } else {
            Err(format!("Debian's packages are not complete, missing {}", missing.join(", ")))
        }
    }
}

/// The sysroot of `rustc`, if the target's standard library is installed in it.
fn sysroot_with_target(folder: &Path, rustc: &Path) -> Result<PathBuf, String> {
    let libdir = print(folder, rustc, &["--print", "target-libdir", "--target", TARGET])?;
    let has_std = std::fs::read_dir(&libdir).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    });
    if has_std {
        print(folder, rustc, &["--print", "sysroot"]).map(PathBuf::from)
    } else {
        Err(format!("the target is not installed in {libdir}"))
    }
}

fn print(folder: &Path, rustc: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(rustc);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    match command.output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => {
            Err(format!("{} says: {}", rustc.display(), String::from_utf8_lossy(&output.stderr).trim()))
        }
        Err(error) => Err(format!("{} does not start: {error}", rustc.display())),
    }
}

/// Runs `command` to its end.
///
/// # Errors
/// [`Error::Start`] if there is no such program, [`Error::Failed`] with the whole standard error if it fails.
pub(crate) fn run(command: &mut Command, step: &'static str, package: impl AsRef<OsStr>) -> Result<Output> {
    let output =
        command.output().map_err(|source| Error::Start { program: command.get_program().into(), source })?;
    if output.status.success() {
        return Ok(output);
    }
    let package = package.as_ref().to_string_lossy().into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Error::Failed { step, package, stderr })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn debian_packages_are_used_when_the_compiler_lacks_the_target() {
        let root = tempfile::tempdir().unwrap();
        for file in
            ["bin/cargo", "bin/rustc", "bin/wasm-ld-19", "lib/rustlib/src/rust/library/std/Cargo.toml"]
        {
            touch(&root.path().join(file));
        }
        let found = Toolchain::find_among(root.path(), &root.path().join("no-rustc"), root.path()).unwrap();
        assert_eq!(found.build_arguments(), ["-Zbuild-std=std,panic_abort"]);
        assert_eq!(found.cargo(root.path()).get_program(), root.path().join("bin/cargo").as_os_str());
    }

    #[cfg(unix)]
    #[test]
    fn an_installed_target_is_preferred() {
        use std::os::unix::fs::PermissionsExt;

        let root = tempfile::tempdir().unwrap();
        let libdir = root.path().join("lib/wasm32-unknown-unknown");
        touch(&libdir.join("libcore-0f.rlib"));
        let rustc = root.path().join("rustc");
        let script = format!("#!/bin/sh\n[ $2 = sysroot ] && echo /rust || echo {}\n", libdir.display());
        std::fs::write(&rustc, script).unwrap();
        std::fs::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).unwrap();

        let found = Toolchain::find_among(root.path(), &rustc, root.path());
        assert!(found.unwrap_err().to_string().contains("the target is not installed in"));
        touch(&libdir.join("libstd-0f.rlib"));
        let found = Toolchain::find_among(root.path(), &rustc, root.path()).unwrap();
        assert_eq!(found, Toolchain::Rustup { sysroot: "/rust".into() });
        assert!(found.build_arguments().is_empty());
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let root = tempfile::tempdir().unwrap();
        touch(&root.path().join("bin/cargo"));
        let error = Toolchain::find_among(root.path(), &root.path().join("no-rustc"), root.path())
            .unwrap_err()
            .to_string();
        for part in [
            "no-rustc does not start",
            "bin/rustc (rustc-web)",
            "library/std (rust-web-src)",
            "bin/wasm-ld-19 (lld-19)",
            "rustup target add wasm32-unknown-unknown",
            "apt-get install rustc-web cargo-web rust-web-src lld-19",
        ] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        assert!(!error.contains("(cargo-web)"), "{error}");
    }
}
