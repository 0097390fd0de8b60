use std::path::PathBuf;

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The index cannot be read or written.
    #[error("the index of full-text search: {0}")]
    Index(#[from] tantivy::TantivyError),
    /// A folder cannot be read or written.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The index is not what was written.
    #[error("the index of full-text search is damaged: {what}")]
    Damaged {
        /// How that was noticed.
        what: String,
    },
    /// Records cannot be read.
    #[error(transparent)]
    Records(#[from] trellis_records::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Reads files of the index, on whose damage tantivy panics.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    read.unwrap_or_else(|panic| Err(Error::panicked(&*panic)))
}

impl Error {
    pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Self::Damaged { what: text.unwrap_or("a panic without a message").to_owned() }
    }
}

impl From<std::io::Error> for Error {
    /// What tantivy's term dictionaries and postings fail with.
    fn from(error: std::io::Error) -> Self {
        Self::Index(error.into())
    }
}
