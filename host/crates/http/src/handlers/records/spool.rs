use std::path::{Path, PathBuf};

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::problem::{ApiResult, Code, Problem};

/// A file that is being received. Dropped before [`Spooled::keep`], it is removed: a broken upload leaves nothing behind.
#[derive(Debug)]
pub(in crate::handlers) struct Spooled {
    path: PathBuf,
    keep: bool,
}

impl Spooled {
    /// Streams `body` into the new file `path`, durably.
    ///
    /// # Errors
    /// [`Code::BodyTooLarge`] beyond `bytes_max`, [`Code::BadUpload`] when the body breaks off.
    pub(in crate::handlers) async fn receive<E: std::error::Error + 'static>(
        path: PathBuf,
        body: impl Stream<Item = Result<Bytes, E>>,
        bytes_max: u64,
    ) -> ApiResult<Self> {
        let spooled = Self { path, keep: false };
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => Problem::new(Code::DiskFull).cause(&error),
            _ => Problem::internal(&error),
        };
        let mut file = File::create_new(&spooled.path).await.map_err(failed)?;
        let mut bytes = 0_u64;
        let mut body = std::pin::pin!(body);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| {
                Problem::new(Code::BadUpload).detail_in_both("the upload broke off", "上传中断").cause(&error)
            })?;
            bytes += chunk.len() as u64;
            if bytes > bytes_max {
                return Err(Problem::new(Code::BodyTooLarge).member("bytes_max", bytes_max));
            }
            file.write_all(&chunk).await.map_err(failed)?;
        }
        file.sync_all().await.map_err(failed)?;
        Ok(spooled)
    }

    pub(in crate::handlers) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the file to whoever has taken it over.
    pub(in crate::handlers) fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an upload that was not used cannot be removed");
        }
    }
}
