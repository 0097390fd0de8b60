//! Capsules to read, for whoever must not make or remove any.

use super::{CapsuleReader, Capsules, Unusable};

/// The folder of capsules, to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Archive<'a>(&'a Capsules);

impl Capsules {
    pub(crate) fn archive(&self) -> Archive<'_> {
        Archive(self)
    }
}

impl Archive<'_> {
    /// As [`Capsules::verified`].
    pub(crate) fn verified(&self, digest: &[u8; 32]) -> Result<CapsuleReader, Unusable> {
        self.0.verified(digest)
    }

    /// As [`Capsules::reader`].
    pub(crate) fn reader(&self, digest: &[u8; 32]) -> Result<CapsuleReader, Unusable> {
        self.0.reader(digest)
    }
}
