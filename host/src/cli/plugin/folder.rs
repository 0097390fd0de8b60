//! Building a plugin's folder.

use std::path::{Path, PathBuf};

use super::super::{Failure, Result, output};

pub(super) fn build(folder: &Path, out: Option<&PathBuf>) -> Result {
    let built = built(folder, out)?;
    output::line(&format!(
        "{} {}: {} ({} KiB)",
        built.id,
        built.version,
        built.path.display(),
        built.size_bytes.div_ceil(1024)
    ));
    Ok(())
}

pub(super) fn built(folder: &Path, out: Option<&PathBuf>) -> Result<trellis_plugin_build::Built> {
    super::brought::judge(folder)?;
    let options = trellis_plugin_build::BuildOptions { out: out.cloned() };
    output::note(&format!(
        "building {}; the first build of a machine may take a minute or two",
        folder.display()
    ));
    trellis_plugin_build::build(folder, &options).map_err(|error| Failure::Message(error.to_string()))
}
