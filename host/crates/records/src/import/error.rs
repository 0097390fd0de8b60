use std::io;

/// Why an import was refused or stopped as a whole. A bad row is none of these: it is in the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mapping is not TOML of the documented form.
    #[error("mapping, line {line}: {reason}")]
    MappingSyntax {
        /// The line of the mapping, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The mapping does not fit the object.
    #[error("mapping: {place}: {reason}")]
    Mapping {
        /// Which part of it, for example "column `date`".
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The header of the file does not fit the mapping, or there is none.
    #[error("header: {reason}")]
    Header {
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read `{file}`: {source}")]
    File {
        /// The name of the file, without its folder.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// More than a limit allows.
    #[error("more than {count_max} {what}: split the file")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        count_max: usize,
    },
    /// Records could not be read or written at all.
    #[error(transparent)]
    Records(#[from] crate::Error),
}

/// A result of an import.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MappingSyntax { .. } | Self::Mapping { .. } => "invalid_mapping",
            Self::Header { .. } => "invalid_header",
            Self::File { .. } => "unreadable_file",
            Self::TooMany { .. } => "import_too_large",
            Self::Records(error) => error.code(),
        }
    }

    pub(super) fn mapping(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Mapping { place: place.into(), reason: reason.into() }
    }

    pub(super) fn header(reason: impl Into<String>) -> Self {
        Self::Header { reason: reason.into() }
    }
}
