//! The browser's side of the platform: files that were built with the server and know nothing that the API does not say.

use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderValue, VARY,
};
use axum::response::{IntoResponse, Redirect, Response};

use super::home;
use crate::extract::PathParts;
use crate::problem::{ApiResult, Problem};
use crate::state::{App, WorkbenchFile};

/// Scripts come from this server alone, and nothing that the page shows can send anything elsewhere. Styles may be written into the page: the
/// libraries of components and of code editing do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Where the page is among the files.
const PAGE: &str = "index.html";
/// Names of files below `assets` change with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Leads a browser to the workbench; a server that was built without one says what it is.
pub(crate) async fn get_home(State(app): State<App>) -> Response {
    if app.workbench.file(PAGE).is_some() { Redirect::to("/app").into_response() } else { home::page() }
}

/// Returns the page. Which screen it shows the page reads from its address.
pub(crate) async fn get_workbench(State(app): State<App>, headers: HeaderMap) -> Response {
    match app.workbench.file(PAGE) {
        Some(file) => answer(&file, "no-cache", &headers),
        None => home::page(),
    }
}

/// Returns a file that the page asks for.
pub(crate) async fn get_workbench_file(
    State(app): State<App>,
    path: PathParts,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let name = path.get("file");
    let file = app.workbench.file(&format!("assets/{name}"));
    let file = file.ok_or_else(|| Problem::not_found("file", name.chars().take(100).collect::<String>()))?;
    Ok(answer(&file, FOR_EVER, &headers))
}

fn answer(file: &WorkbenchFile, cache: &'static str, asked: &HeaderMap) -> Response {
    let packed = file.gzip.clone().filter(|_| takes_gzip(asked));
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(file.media_type)),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ]);
    if packed.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    (headers, packed.unwrap_or_else(|| file.bytes.clone())).into_response()
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = parameters.trim().strip_prefix("q=").map(str::trim);
        name.trim() == "gzip" && quality.is_none_or(|quality| quality.parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}
