//! What needs no server: building and checking a plugin's folder or file.

use std::path::{Path, PathBuf};

use super::super::{Failure, Result, output};

pub(super) fn build(folder: &Path, out: Option<&PathBuf>) -> Result {
    let options = trellis_plugin_build::BuildOptions { out: out.cloned() };
    output::note(&format!(
        "building {}; the first build of a machine may take a minute or two",
        folder.display()
    ));
    let built =
        trellis_plugin_build::build(folder, &options).map_err(|error| Failure::Message(error.to_string()))?;
    output::line(&format!(
        "{} {}: {} ({} KiB)",
        built.id,
        built.version,
        built.path.display(),
        built.size_bytes.div_ceil(1024)
    ));
    Ok(())
}

pub(super) fn check(file: &Path) -> Result {
    let read = |error| Failure::Message(format!("cannot read {}: {error}", file.display()));
    let wasm = std::fs::read(file).map_err(read)?;
    let inspection =
        trellis_plugin_host::inspect(&wasm).map_err(|error| Failure::Message(error.to_string()))?;
    let manifest = &inspection.manifest;
    output::line(&format!(
        "{} {}: {} ({})",
        manifest.id, manifest.version, manifest.name.en, manifest.name.zh_cn
    ));
    output::line(&format!("  exports  {}", inspection.exports.join(", ")));
    output::line(&format!("  imports  {}", inspection.imports.join(", ")));
    output::line(&format!(
        "  size     {} KiB in {} core modules",
        inspection.bytes.div_ceil(1024),
        inspection.core_modules
    ));
    output::line(&format!(
        "  built    {}",
        inspection.sdk.as_deref().unwrap_or("by an SDK that does not name itself")
    ));
    output::line(&format!("  digest   {}", inspection.digest));
    Ok(())
}
