//! Turns a plugin project written in Rust into the one `.wasm` component file that a Trellis server installs.
//!
//! [`build`] finds a Rust toolchain that can compile for `wasm32-unknown-unknown` ([`Toolchain::find`]), compiles the project with
//! cargo, wraps the core module as a component ([`component`]) and appends the project's `plugin.toml` and golden cases.
//! The same sources, toolchain and dependencies give the same bytes, wherever the project lies.
//!
//! It does not judge the manifest beyond what a build needs (it parses, and its id and version agree with `Cargo.toml`), and it
//! runs nothing of the plugin: both are the plugin host's business.
//!
//! ```no_run
//! use trellis_plugin_build::{BuildOptions, build};
//!
//! let built = build("plugins/retail-rfm".as_ref(), &BuildOptions::default())?;
//! println!("{} is {} bytes", built.path.display(), built.size_bytes);
//! # Ok::<(), trellis_plugin_build::Error>(())
//! ```

mod carried;
pub mod component;
mod error;
pub mod pack;
mod project;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};

pub use carried::{TESTS_SECTION, golden_cases};
pub use error::{Error, Result};
pub use toolchain::Toolchain;

use project::{Project, Sources};

/// Where a build puts things.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// The component file to write. Default: `plugins/<id>.wasm` in the target folder that cargo names for the project.
    pub out: Option<PathBuf>,
}

/// A component that was written.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// The plugin's id.
    pub id: String,
    /// The plugin's version.
    pub version: String,
    /// What the component says about itself.
    pub component: component::Summary,
    /// The toolchain that compiled it, in words.
    pub toolchain: String,
}

/// Builds the plugin whose `Cargo.toml` and `plugin.toml` lie in `project_dir`.
///
/// Takes seconds; with Debian's toolchain the first build of a target folder also compiles the standard library, about a minute.
///
/// # Errors
/// Says which file, setting or tool is missing or wrong; a compiler's own words are quoted whole.
pub fn build(project_dir: &Path, options: &BuildOptions) -> Result<Built> {
    let sources = Sources::open(project_dir)?;
    let cases = golden_cases(&sources.folder)?;
    let (schema, rules) = (pack::schema(&sources.folder)?, pack::rules(&sources.folder)?);
    let toolchain = Toolchain::find(&sources.folder)?;
    let project = Project::check(sources, &toolchain)?;
    let core_module = project.compile(&toolchain)?;
    let core_module = read(&core_module)?;
    let mut component = component::encode(&core_module, &project.manifest_text)?;
    if let Some(cases) = cases {
        component::append_section(&mut component, TESTS_SECTION, cases.as_bytes());
    }
    for (section, text) in [(pack::SCHEMA_SECTION, schema), (pack::RULES_SECTION, rules)] {
        if let Some(text) = text {
            component::append_section(&mut component, section, text.as_bytes());
        }
    }
    let summary = component::Summary::read(&component)?;
    let path = options
        .out
        .clone()
        .unwrap_or_else(|| project.target_dir.join("plugins").join(format!("{}.wasm", project.id)));
    write(&path, &component)?;
    Ok(Built {
        path,
        size_bytes: component.len() as u64,
        id: project.id,
        version: project.version,
        component: summary,
        toolchain: toolchain.to_string(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Writes beside the target and renames, so that a reader never meets half a component.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let part = path.with_extension(format!("wasm.{}.part", std::process::id()));
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).map_err(failed)
}
