use std::path::PathBuf;

use trellis_model::RecordId;

/// What can go wrong with tokens and users.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user of a new token is missing or inactive.
    #[error("user {user} does not exist or is not active")]
    NoSuchUser {
        /// Which user.
        user: RecordId,
    },
    /// No token has this id, or it was revoked.
    #[error("token `{id}` does not exist")]
    NoSuchToken {
        /// Which token.
        id: String,
    },
    /// The label of a new token is empty, too long or holds control characters.
    #[error("`{label}` is no label of 1 to {characters_max} characters without control characters")]
    InvalidLabel {
        /// The label, shortened.
        label: String,
        /// The limit.
        characters_max: usize,
    },
    /// A new token would expire before it exists.
    #[error("a token cannot expire in the past")]
    ExpiresInPast,
    /// The user has as many tokens as it may have.
    #[error("user {user} has {tokens_max} tokens, which is the most; revoke one first")]
    TooManyTokens {
        /// Which user.
        user: RecordId,
        /// [`crate::Config::tokens_per_user_max`].
        tokens_max: usize,
    },
    /// What is stored about a token cannot be read.
    #[error("stored token data is damaged: {what}")]
    Damaged {
        /// Which key, and how.
        what: String,
    },
    /// The object `user` lacks a field that this crate reads.
    #[error("object `user` has no field `{field}`")]
    UserDefinition {
        /// Which field.
        field: &'static str,
    },
    /// The operating system gave no randomness.
    #[error("cannot draw a token: no randomness")]
    NoRandomness {
        /// What it said.
        #[source]
        source: getrandom::Error,
    },
    /// The file of the first token could not be written.
    #[error("cannot write `{}`", path.display())]
    TokenFile {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Reading or writing records failed.
    #[error(transparent)]
    Records(#[from] trellis_records::Error),
    /// Reading the store failed.
    #[error(transparent)]
    Storage(#[from] trellis_storage::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
