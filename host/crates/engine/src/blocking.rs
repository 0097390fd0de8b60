//! Work that blocks, away from the threads that serve requests.

use crate::{Error, Result};

/// Runs what blocks on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| Error::Internal { doing, reason: error.to_string() })
}
