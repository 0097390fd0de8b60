//! What every request passes, from the outside in. The order was measured: a limit inside of load shedding refuses at once, the other
//! way round it queues.
//!
//! 1. [`CatchPanicLayer`]: a bug in a handler is one answer of 500, never the end of the connection's task.
//! 2. [`TraceLayer`]: one line a request, at level `debug`; failures are logged as errors where they become an answer.
//! 3. [`finish`]: gives the request its correlation id, writes out problems, adds security headers.
//! 4. `HandleErrorLayer`, `LoadShedLayer`, `GlobalConcurrencyLimitLayer`: beyond `requests_max` the answer is 503 at once.
//! 5. By class of route ([`Class`]): the time limit and the limit on the body; requests with an `Idempotency-Key` are answered once.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Response as HttpResponse, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::{BoxError, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;
use trellis_model::Language;

use crate::Config;
use crate::idempotency::answer_once;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Which limits a route has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Short requests with JSON bodies.
    Json,
    /// The upload of a plugin, held in memory.
    Plugin,
    /// The upload of a file to import. It is streamed to disk; the handler counts its bytes.
    Import,
}

static CORRELATION_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds the layers of a class to its routes.
pub(crate) fn class_layers(routes: Router<App>, class: Class, app: &App) -> Router<App> {
    let limits = &app.config;
    let timeout = |timeout| TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout);
    match class {
        // The time-out is outside: reading a body that is too long counts too.
        Class::Json => routes
            .layer(from_fn_with_state(Arc::clone(app), answer_once))
            .layer(
                ServiceBuilder::new()
                    .layer(RequestBodyLimitLayer::new(limits.json_bytes_max))
                    .layer(DefaultBodyLimit::disable()),
            )
            .layer(timeout(limits.request_timeout())),
        Class::Plugin => uploads(
            routes
                .layer(RequestBodyLimitLayer::new(limits.plugin_bytes_max))
                .layer(DefaultBodyLimit::disable()),
            limits,
        ),
        Class::Import => uploads(routes.layer(DefaultBodyLimit::disable()), limits),
    }
}

/// Uploads are slow and cost memory or disk: few at a time.
fn uploads(routes: Router<App>, limits: &Config) -> Router<App> {
    routes.layer(
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(|_: BoxError| async {
                Problem::new(Code::TooManyUploads).retry_after(5)
            }))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(limits.uploads_max))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.upload_timeout())),
    )
}

/// Adds the layers that all routes share.
pub(crate) fn shared_layers(routes: Router<App>, app: &App) -> Router<App> {
    let trace = TraceLayer::new_for_http()
        .make_span_with(|request: &Request| tracing::debug_span!("request", method = %request.method(), path = request.uri().path()))
        .on_request(())
        .on_response(|response: &Response, latency: Duration, _: &Span| {
            let correlation_id = response.headers().get(&CORRELATION_ID).and_then(|id| id.to_str().ok());
            let (status, micros) = (response.status().as_u16(), latency.as_micros());
            tracing::debug!(status, micros, correlation_id, "answered a request");
        })
        .on_failure(());
    routes.layer(
        ServiceBuilder::new()
            .layer(CatchPanicLayer::custom(panicked))
            .layer(trace)
            .layer(from_fn_with_state(Arc::clone(app), finish))
            .layer(HandleErrorLayer::new(|_: BoxError| async {
                Problem::new(Code::Overloaded).retry_after(1)
            }))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(app.config.requests_max)),
    )
}

/// Refuses an address that is too long, writes out a problem, and completes the headers.
async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let language = headers.get(ACCEPT_LANGUAGE).cloned();
    let id = correlation_id(headers);
    let uri_bytes = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    let response = if uri_bytes > app.config.uri_bytes_max {
        Problem::new(Code::UriTooLong).into_response()
    } else {
        next.run(request).await
    };
    let mut response = write_problem(response, language.as_ref(), &id);
    secure(response.headers_mut());
    response.headers_mut().insert(&CORRELATION_ID, id);
    response
}

/// The language that the caller wants.
pub(crate) fn language_of(header: Option<&HeaderValue>) -> Language {
    header.and_then(|header| header.to_str().ok()).map(Language::from_accept_language).unwrap_or_default()
}

fn write_problem(mut response: Response, language: Option<&HeaderValue>, id: &HeaderValue) -> Response {
    if !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let id = id.to_str().unwrap_or_default();
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.unwrap_or_else(|| Problem::new(Code::of_bare_status(response.status())));
    problem.log_cause(id);
    let mut written = problem.to_response(language_of(language), id);
    // The router says in `Allow` which methods a route has.
    if let Some(allow) = response.headers_mut().remove(axum::http::header::ALLOW) {
        written.headers_mut().insert(axum::http::header::ALLOW, allow);
    }
    written
}

/// The caller's own id where it is short and plain, otherwise one of ours: a random start of the process and a count.
fn correlation_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        (1..=64).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    headers.get(&CORRELATION_ID).filter(plain).cloned().unwrap_or_else(new_correlation_id)
}

fn new_correlation_id() -> HeaderValue {
    static START: LazyLock<u32> = LazyLock::new(|| {
        uuid::Uuid::now_v7().as_fields().3[4..].iter().fold(0, |id, byte| id << 8 | u32::from(*byte))
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:08x}-{:x}", *START, COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_str(&id).expect("hex digits and a hyphen")
}

/// Answers are data for a program: never cached, sniffed, framed or run as a page. A handler may have set its own policy.
fn secure(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn panicked(panic: Box<dyn Any + Send>) -> HttpResponse<Body> {
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let id = new_correlation_id();
    let correlation_id = id.to_str().unwrap_or_default();
    tracing::error!(correlation_id, panic = message.unwrap_or("no message"), "a handler panicked");
    let mut response = Problem::new(Code::Internal).to_response(Language::En, correlation_id);
    secure(response.headers_mut());
    response.headers_mut().insert(&CORRELATION_ID, id);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_correlation_id_of_the_caller_is_kept() {
        let check = |given: &str, kept: bool| {
            let headers =
                HeaderMap::from_iter([(CORRELATION_ID.clone(), HeaderValue::from_str(given).unwrap())]);
            assert_eq!(correlation_id(&headers) == given, kept, "{given}");
        };
        check("order-42.a_b", true);
        check("", false);
        check("a b", false);
        check(&"x".repeat(65), false);
        assert_ne!(new_correlation_id(), new_correlation_id());
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let service = ServiceBuilder::new().layer(CatchPanicLayer::custom(panicked));
        let service = service.service_fn(|_: Request| async {
            panic!("the secret") as std::result::Result<Response, BoxError>
        });
        let response = tower::ServiceExt::oneshot(service, Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers().get(X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        let body = axum::body::to_bytes(Body::new(response.into_body()), 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("INTERNAL_ERROR") && !body.contains("secret"), "{body}");
    }
}
