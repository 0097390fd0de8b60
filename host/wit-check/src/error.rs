//! What can go wrong.

use std::path::PathBuf;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder is no package of interfaces, or a file no component.
    #[error("`{path}`: {message}")]
    Wit {
        /// Which one.
        path: PathBuf,
        /// The parser's words.
        message: String,
    },
    /// The interfaces cannot be released.
    #[error("version {version} cannot be released:\n  {}", problems.join("\n  "))]
    NotReady {
        /// Which version.
        version: semver::Version,
        /// Every reason.
        problems: Vec<String>,
    },
}

/// The result of a check.
pub type Result<T, E = Error> = std::result::Result<T, E>;
