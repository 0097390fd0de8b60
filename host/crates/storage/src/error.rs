use crate::{Position, PreconditionKind};

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A precondition of a write set does not hold; nothing was written. Read again and decide again.
    #[error("precondition {index} does not hold: expected {expected:?}, key last written at {found:?}")]
    PreconditionFailed {
        /// Which precondition, in the order they were added.
        index: usize,
        /// The key it was about.
        key: Vec<u8>,
        /// What was expected.
        expected: PreconditionKind,
        /// The position at which the key was last written, if it exists; for a counter, its value.
        found: Option<Position>,
    },
    /// A write set is over [`crate::Limits`].
    #[error(
        "write set too large: {bytes} bytes in {keys} keys, at most {bytes_max} bytes in {keys_max} keys"
    )]
    WriteSetTooLarge {
        /// Bytes of all keys and values.
        bytes: usize,
        /// Puts, deletes and adds.
        keys: usize,
        /// The limit on bytes.
        bytes_max: usize,
        /// The limit on keys.
        keys_max: usize,
    },
    /// A key is over [`crate::Limits::key_bytes_max`].
    #[error("key too long: {bytes} bytes, at most {bytes_max}")]
    KeyTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A value is over [`crate::Limits::value_bytes_max`].
    #[error("value too long: {bytes} bytes, at most {bytes_max}")]
    ValueTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A write set contradicts itself: a stamp out of bounds, a counter that is not 8 bytes.
    #[error("invalid write set: {reason}")]
    InvalidWriteSet {
        /// What is wrong with it.
        reason: String,
    },
    /// Stored bytes do not match their checksum or their count.
    #[error("stored data is damaged: {what}")]
    Damaged {
        /// Which file, key kind or place, and how it was found.
        what: String,
    },
    /// The backend stopped after a failure and takes no more work; a restart heals or names the cause.
    #[error("the store has stopped: {reason}")]
    Stopped {
        /// The first failure.
        reason: String,
    },
    /// The disk is nearly full; nothing was written. Reads go on, and commits too once space was freed.
    #[error("disk nearly full: {free_bytes} bytes free, commits need at least {free_bytes_min}")]
    DiskFull {
        /// What is left on the file system of the store.
        free_bytes: u64,
        /// What the configuration demands.
        free_bytes_min: u64,
    },
    /// The store could not be opened or used because of its surroundings.
    #[error("{doing}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
