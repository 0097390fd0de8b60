//! Files that are sent as they lie on disk.

use std::path::Path;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::problem::{ApiResult, Problem};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Answers with a file, to be saved under a name.
pub(super) async fn send_file(path: &Path, file_name: &str, media_type: &str) -> ApiResult<Response> {
    let failed = |error: std::io::Error| Problem::internal(&error);
    let file = File::open(path).await.map_err(failed)?;
    let bytes = file.metadata().await.map_err(failed)?.len();
    let chunks = stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), file)))
    });
    let mut response = attachment(Body::from_stream(chunks), file_name, media_type);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    Ok(response)
}

/// Answers with a body to be saved under a name.
pub(super) fn attachment(body: Body, file_name: &str, media_type: &str) -> Response {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    let name: String = file_name.chars().map(|char| if plain(char) { char } else { '_' }).collect();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let text = |text: &str| {
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
    };
    headers.insert(CONTENT_TYPE, text(media_type));
    headers.insert(CONTENT_DISPOSITION, text(&format!("attachment; filename=\"{name}\"")));
    response
}
