//! Turns a plugin project into the one `.wasm` component file that a Trellis server installs.
//!
//! [`build`] sees by the files of the folder in which language the plugin is. Rust: it finds a toolchain that can compile for
//! `wasm32-unknown-unknown` ([`Toolchain::find`]), compiles with cargo and wraps the core module as a component ([`component`]); the same
//! sources, toolchain and dependencies give the same bytes, wherever the project lies. JavaScript and Python: it has componentize-js or
//! componentize-py, in the version that the project names, make the component; those snapshot a running interpreter, so that two
//! builds differ in bytes, and a build of what did not change returns the earlier one. Each carries the project's
//! `plugin.toml` and golden cases.
//!
//! It does not judge the manifest beyond what a build needs (it parses, and its id and version agree with the package's own file), and it
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
mod javascript;
mod language;
mod manifest;
pub mod pack;
mod project;
mod python;
mod scripted;
mod staging;
mod toolchain;
mod tools;
pub mod wit;

use std::fs;
use std::path::{Path, PathBuf};

pub use carried::{TESTS_SECTION, golden_cases, golden_files};
pub use error::{Error, Result};
pub use toolchain::Toolchain;

use language::Language;
use manifest::Manifest;
use project::Project;

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

/// Builds the plugin in `project_dir`: its `plugin.toml`, and `Cargo.toml`, `package.json` or `pyproject.toml` beside it.
///
/// Takes seconds; with Debian's toolchain the first build of a target folder also compiles the standard library, about a minute, and the
/// first build of a plugin in JavaScript or Python installs its tools.
///
/// # Errors
/// Says which file, setting or tool is missing or wrong; a compiler's own words are quoted whole.
pub fn build(project_dir: &Path, options: &BuildOptions) -> Result<Built> {
    let language = Language::of(project_dir)?;
    let cases = golden_cases(project_dir)?;
    let (schema, rules) = (pack::schema(project_dir)?, pack::rules(project_dir)?);
    let mut made = match language {
        Language::Rust => rust(project_dir)?,
        Language::JavaScript => scripted(project_dir, javascript::build, javascript::STAMP)?,
        Language::Python => scripted(project_dir, python::build, python::STAMP)?,
    };
    if let Some(cases) = cases {
        component::append_section(&mut made.component, TESTS_SECTION, cases.as_bytes());
    }
    for (section, text) in [(pack::SCHEMA_SECTION, schema), (pack::RULES_SECTION, rules)] {
        if let Some(text) = text {
            component::append_section(&mut made.component, section, text.as_bytes());
        }
    }
    let summary = component::Summary::read(&made.component)?;
    let file = format!("{}.wasm", made.manifest.id);
    let path = options.out.clone().unwrap_or_else(|| made.target_dir.join("plugins").join(file));
    write(&path, &made.component)?;
    Ok(Built {
        path,
        size_bytes: made.component.len() as u64,
        id: made.manifest.id,
        version: made.manifest.version,
        component: summary,
        toolchain: made.toolchain,
    })
}

/// A component that is not yet written.
struct Made {
    component: Vec<u8>,
    manifest: Manifest,
    target_dir: PathBuf,
    toolchain: String,
}

fn rust(project_dir: &Path) -> Result<Made> {
    let sources = Project::open(project_dir)?;
    let toolchain = Toolchain::find(&sources.folder)?;
    let project = Project::check(sources, &toolchain)?;
    let core_module = read(&project.compile(&toolchain)?)?;
    let component = component::encode(&core_module, &project.manifest.text)?;
    let (manifest, target_dir) = (project.manifest, project.target_dir);
    Ok(Made { component, manifest, target_dir, toolchain: toolchain.to_string() })
}

/// Builds a project whose language brings a tool of its own that makes components.
fn scripted(
    project_dir: &Path,
    build: impl FnOnce(&scripted::Project) -> Result<(Vec<u8>, String)>,
    stamp: &str,
) -> Result<Made> {
    let project = scripted::Project::open(project_dir)?;
    let (component, toolchain) = build(&project)?;
    let component = component::finish(component, &project.manifest.text, Some(stamp))?;
    let (manifest, target_dir) = (project.manifest, project.target_dir);
    Ok(Made { component, manifest, target_dir, toolchain })
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
