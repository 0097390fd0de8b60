use bytes::Bytes;
use serde_json::Value as Json;
use tower::ServiceExt;
use trellis_http::axum::Router;
use trellis_http::axum::body::{Body, to_bytes};
use trellis_http::axum::http::{HeaderMap, Method, Request};

/// Sends requests to the router of a [`crate::TestApp`], as somebody.
#[derive(Debug, Clone)]
pub struct Client {
    router: Router,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Bytes of an answer, so that a test cannot fill the memory.
const ANSWER_BYTES_MAX: usize = 64 << 20;

impl Client {
    pub(crate) fn new(router: Router, token: Option<String>) -> Self {
        Self { router, token, headers: Vec::new() }
    }

    /// The same with another header on every request.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The token that it sends.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Body::empty()).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, json: Json) -> Answer {
        self.send(Method::POST, path, Some("application/json"), Body::from(json.to_string())).await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, path: &str, json: Json) -> Answer {
        self.send(Method::PATCH, path, Some("application/json"), Body::from(json.to_string())).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Body::empty()).await
    }

    /// Anything else.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(body.into()).expect("a request that a test wrote");
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer in memory");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// When it has another.
    pub fn expect(self, status: u16) -> Json {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Json::Null } else { self.json() }
    }

    /// The code of a problem that must have this status.
    ///
    /// # Panics
    /// When it has another, or is no problem.
    pub fn problem(self, status: u16) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        let json = self.expect(status);
        assert_eq!(json["status"], status);
        assert!(json["correlation_id"].is_string() && json["title"].is_string(), "{json}");
        json["code"].as_str().expect("a code").to_owned()
    }

    /// A header, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
