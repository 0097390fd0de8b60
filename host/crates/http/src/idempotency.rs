//! `Idempotency-Key`: a POST that is sent again with the same key is answered as the first time and does nothing a second time.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use trellis_access::{Answer, Begun, Claim};

use crate::extract::Requester;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;

/// The header that names a request.
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The headers of an answer that are kept with it.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];
/// Characters of a key.
const KEY_CHARS_MAX: usize = 200;
const RETRY_AFTER_SECONDS: u16 = 1;

/// The right to answer a request that has a key, for handlers that commit something with it.
#[derive(Debug, Clone)]
pub(crate) struct Once(pub(crate) Option<Arc<Claim>>);

impl FromRequestParts<App> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(parts.extensions.get::<Arc<Claim>>().cloned()))
    }
}

/// Looks a POST with a key up before it is answered, and keeps its answer if it was a success. Refusals are not kept: they are found
/// again.
pub(crate) async fn answer_once(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(&IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    answer(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(app: &App, request: Request, next: Next) -> ApiResult<Response> {
    let key = key_of(&request)?;
    let (mut parts, body) = request.into_parts();
    let requester = Requester::from_request_parts(&mut parts, app).await?;
    let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), app)
        .await
        .map_err(|_| Problem::new(Code::BodyTooLarge))?;
    let claim = match app.access.begin_answer(requester.principal.user, &key, digest(&parts, &bytes)).await? {
        Begun::Now(claim) => Arc::new(claim),
        Begun::Before(answer) => return Ok(replay(answer)),
        Begun::Other => return Err(Problem::new(Code::IdempotencyKeyReused)),
        Begun::Meanwhile => {
            return Err(Problem::new(Code::IdempotencyInProgress).retry_after(RETRY_AFTER_SECONDS));
        }
    };
    parts.extensions.insert(Arc::clone(&claim));
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if response.status().is_success() { keep(app, &claim, response).await } else { Ok(response) }
}

fn key_of(request: &Request) -> ApiResult<String> {
    let keys: Vec<&HeaderValue> = request.headers().get_all(&IDEMPOTENCY_KEY).iter().collect();
    match keys.as_slice() {
        [key] if (1..=KEY_CHARS_MAX).contains(&key.len()) && key.to_str().is_ok() => {
            Ok(key.to_str().unwrap_or_default().to_owned())
        }
        _ => Err(Problem::new(Code::BadHeader).detail_in_both(
            format!("`Idempotency-Key` is there once and has 1 to {KEY_CHARS_MAX} visible ASCII characters"),
            format!("`Idempotency-Key` 只能有一个，长度为 1 到 {KEY_CHARS_MAX} 个可见 ASCII 字符"),
        )),
    }
}

/// Over all that makes the request: where it goes and what it says.
fn digest(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let media_type = parts.headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    for part in [target.as_bytes(), media_type, body] {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

async fn keep(app: &App, claim: &Claim, response: Response) -> ApiResult<Response> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|error| Problem::internal(&error))?;
    let header = |name: &HeaderName| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let headers = KEPT.iter().filter_map(header).collect();
    app.access
        .keep_answer(claim, Answer { status: parts.status.as_u16(), headers, body: body.to_vec() })
        .await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(&REPLAYED, HeaderValue::from_static("true"));
    response
}
