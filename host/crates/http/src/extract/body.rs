use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};
use crate::state::App;

/// A JSON body. An empty one reads as `{}`, so that actions without settings need none.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

const JSON: &[&str] = &["application/json", "application/merge-patch+json"];

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let has_type = request.headers().contains_key(CONTENT_TYPE);
        let media_type = check_media_type(request.headers(), JSON);
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge),
                _ => Problem::new(Code::BadUpload).detail_in_both("the body ended early", "请求体不完整"),
            }
        })?;
        let bytes: &[u8] = match bytes.as_ref() {
            [] if !has_type => b"{}",
            bytes => {
                media_type?;
                bytes
            }
        };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| Problem::new(Code::BadJson).detail(error.to_string()))
    }
}

/// Goes on only with a `Content-Type` of the list, whatever its parameters; says which one it is.
pub(crate) fn check_media_type(headers: &HeaderMap, known: &[&'static str]) -> Result<&'static str, Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    known.iter().copied().find(|known| known.eq_ignore_ascii_case(essence)).ok_or_else(|| {
        let known = known.join("`, `");
        Problem::new(Code::UnsupportedMediaType).detail_in_both(
            format!("send `Content-Type: {known}`"),
            format!("请发送 `Content-Type: {known}`"),
        )
    })
}
