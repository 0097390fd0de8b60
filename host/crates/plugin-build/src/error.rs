//! What can go wrong in a build.

use std::io;
use std::path::PathBuf;

/// Why a plugin could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither of the known toolchains is complete.
    #[error(
        "no Rust toolchain for wasm32-unknown-unknown: {rustup}; {debian}\n\
         install one of them:\n  \
         rustup target add wasm32-unknown-unknown\n  \
         apt-get install rustc-web cargo-web rust-web-src lld-19"
    )]
    NoToolchain {
        /// What rustup's toolchain lacks.
        rustup: String,
        /// What Debian's packages lack.
        debian: String,
    },

    /// A tool did not start.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A needed file is missing from the project.
    #[error("`{path}` is missing; {hint}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What the file is for.
        hint: &'static str,
    },

    /// A file could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A file could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The manifest is not TOML, or lacks `id` or `version`.
    #[error("`{path}` is no plugin manifest: {message}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        message: String,
    },

    /// A file with objects or a rule cannot be taken.
    #[error("`{path}`: {message}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; the parser's words have line and column.
        message: String,
    },

    /// A file that the component is to carry is no JSON.
    #[error("`{path}` is not JSON: {message}")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        message: String,
    },

    /// What the component is to carry is too large.
    #[error("`{what}` has {bytes} bytes together, at most {bytes_max}")]
    TooLarge {
        /// The files' folder.
        what: &'static str,
        /// Their size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },

    /// The manifest and the package's own file do not describe the same plugin.
    #[error("`{key}` differs: plugin.toml says `{manifest}`, {file} says `{package}`")]
    Differs {
        /// Which key.
        key: &'static str,
        /// The package's file, for example `Cargo.toml`.
        file: &'static str,
        /// The manifest's value.
        manifest: String,
        /// The package's value.
        package: String,
    },

    /// `Cargo.toml`, `package.json` or `pyproject.toml` does not describe a plugin.
    #[error("`{path}`: {message}")]
    Package {
        /// The file.
        path: PathBuf,
        /// What to change.
        message: String,
    },

    /// A tool, for example the compiler, refused the project.
    #[error("{step} of `{package}` failed:\n{stderr}")]
    Failed {
        /// Which step.
        step: &'static str,
        /// The package or folder.
        package: String,
        /// What the tool wrote to its standard error.
        stderr: String,
    },

    /// The folder does not say in which language the plugin is.
    #[error(
        "`{folder}` holds neither Cargo.toml (Rust) nor package.json (JavaScript) nor pyproject.toml (Python)"
    )]
    NoLanguage {
        /// The project's folder.
        folder: PathBuf,
    },

    /// The folder could be a plugin in several languages.
    #[error("`{folder}` holds {}: a plugin is written in one language", files.join(" and "))]
    SeveralLanguages {
        /// The project's folder.
        folder: PathBuf,
        /// The files that contradict each other.
        files: Vec<&'static str>,
    },

    /// The tools of a language are not installed.
    #[error("a plugin in {language} cannot be built here: {lacks}\n{install}")]
    NoTool {
        /// The language.
        language: &'static str,
        /// What was looked for.
        lacks: String,
        /// What to do about it.
        install: &'static str,
    },

    /// The project's folder holds more than the sources of a plugin.
    #[error("`{folder}` holds more than {files_max} source files or {bytes_max} bytes of them")]
    TooManySources {
        /// The project's folder.
        folder: PathBuf,
        /// How many files it may hold.
        files_max: usize,
        /// Their size in bytes.
        bytes_max: u64,
    },

    /// The core module is no plugin.
    #[error("the compiled module cannot be made a component: {message}")]
    Component {
        /// The encoder's words.
        message: String,
    },
}

/// The result of a step of a build.
pub type Result<T, E = Error> = std::result::Result<T, E>;
