//! Pages for people who come with a browser: what this is, and what an error means.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::extract::PathParts;
use crate::problem::{ApiResult, Code, Problem};

/// Says in both languages what answers here.
pub(super) fn page() -> Response {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("home.html")).into_response()
}

/// Returns the page about an error, as Markdown.
pub(crate) async fn get_error_page(path: PathParts) -> ApiResult<Response> {
    let slug = path.get("code");
    let code = Code::ALL.iter().find(|code| code.slug() == slug);
    let code =
        code.ok_or_else(|| Problem::not_found("error code", slug.chars().take(60).collect::<String>()))?;
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], code.page()).into_response())
}
