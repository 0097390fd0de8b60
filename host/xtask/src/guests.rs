//! Builds every plugin and test guest with the command that plugin authors use.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::command::{cargo, root, step, trellis_binary};

/// Builds the server and then each folder below `plugins/`, `examples/` and `tests/guests/` that holds a `plugin.toml`. Where the tools of a
/// language other than Rust are missing, its plugins are left out with a word, except in CI.
pub(crate) fn build_all() -> Result {
    crate::toolchain::ensure()?;
    // The server carries the workbench: that first.
    crate::web::build()?;
    // The whole workspace, always: another selection of packages has other features of shared dependencies, and compiles
    // wasmtime again.
    step("build", &mut cargo(&["build", "--workspace"]))?;
    for folder in folders()? {
        if let Err(lacks) = crate::languages::ready(&folder) {
            if std::env::var_os("CI").is_some() {
                return Err(lacks);
            }
            eprintln!("── {} is not built, and its tests are skipped: {lacks}", folder.display());
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut build = Command::new(trellis_binary());
        build.args(["plugin", "build"]).arg(&folder).current_dir(root());
        step(&format!("plugin {name}"), &mut build)?;
    }
    Ok(())
}

fn folders() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for parent in ["plugins", "examples", "tests/guests"] {
        let parent = root().join(parent);
        let entries = std::fs::read_dir(&parent)
            .map_err(|error| format!("cannot read {}: {error}", parent.display()))?;
        folders.extend(
            entries.flatten().map(|entry| entry.path()).filter(|path| path.join("plugin.toml").exists()),
        );
    }
    folders.sort();
    Ok(folders)
}
