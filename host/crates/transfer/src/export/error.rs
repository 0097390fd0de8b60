use std::io;

use trellis_model::Text;

/// Why an export was refused or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is to be exported is none of the object's.
    #[error("{}", .0.en)]
    Spec(Text),
    /// The file cannot be written.
    #[error("cannot write the export: {0}")]
    File(#[from] io::Error),
    /// A workbook cannot hold it.
    #[error("the workbook cannot be written: {0}")]
    Workbook(String),
    /// Somebody does not want it any more.
    #[error("the export was cancelled")]
    Cancelled,
    /// Records could not be read.
    #[error(transparent)]
    Records(#[from] trellis_records::Error),
}

/// A result of an export.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Spec(_) => "invalid_export",
            Self::File(_) => "file",
            Self::Workbook(_) => "workbook_too_small",
            Self::Cancelled => "cancelled",
            Self::Records(error) => error.code(),
        }
    }
}
