//! What a failed request is answered with: a problem of RFC 9457, in the caller's language, with a stable code.

mod code;
mod convert;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json, json};
use trellis_model::{Language, Text, bilingual};

pub(crate) use code::Code;
pub(crate) use convert::field_code;

/// A refusal or failure on its way to the caller.
///
/// The middleware writes it out, because only there the caller's language and the correlation id are known.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    detail: Option<Text>,
    errors: Vec<FieldProblem>,
    members: Map<String, Json>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// For the server's log only.
    cause: Option<String>,
}

/// What is wrong with one field of a body or one parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldProblem {
    pub(crate) field: String,
    pub(crate) code: &'static str,
    pub(crate) message: Text,
}

pub(crate) type ApiResult<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub(crate) fn new(code: Code) -> Self {
        Self(Box::new(Parts {
            code,
            detail: None,
            errors: Vec::new(),
            members: Map::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// Something that a parameter of the query asks is not possible.
    pub(crate) fn bad_query(parameter: &str, message: impl Into<Text>) -> Self {
        Self::new(Code::BadQuery).field(parameter, "invalid", message)
    }

    /// The parameter `after` holds something that is no cursor of this list.
    pub(crate) fn bad_cursor() -> Self {
        let message = Text::new("`after` takes the `next` of the page before", "`after` 需为上一页的 `next`");
        Self::bad_query("after", message)
    }

    /// The limit of a page is not from 1 to `max`.
    pub(crate) fn bad_limit(max: usize) -> Self {
        let message = bilingual!("`limit` is a whole number from 1 to {max}", "`limit` 为 1 到 {max} 的整数");
        Self::bad_query("limit", message)
    }

    pub(crate) fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound)
            .detail_in_both(format!("{kind} `{id}` does not exist"), format!("{kind} `{id}` 不存在"))
    }

    /// Not allowed without `permission`.
    pub(crate) fn forbidden(permission: &str) -> Self {
        let zh = format!("需要权限 `{permission}`");
        Self::new(Code::Forbidden)
            .detail_in_both(format!("this needs the permission `{permission}`"), zh)
            .member("missing_permission", permission)
    }

    pub(crate) fn unauthenticated() -> Self {
        let header = HeaderValue::from_static("Bearer realm=\"trellis\"");
        Self::new(Code::Unauthenticated)
            .detail_in_both("send `Authorization: Bearer <token>`", "请发送 `Authorization: Bearer <令牌>`")
            .header(WWW_AUTHENTICATE, header)
    }

    pub(crate) fn invalid_token() -> Self {
        let header = HeaderValue::from_static("Bearer realm=\"trellis\", error=\"invalid_token\"");
        Self::new(Code::InvalidToken)
            .detail_in_both(
                "the token is unknown, expired or revoked, or its user is not active",
                "令牌不存在、已过期、已撤销，或其用户未启用",
            )
            .header(WWW_AUTHENTICATE, header)
    }

    /// A failure that is not the caller's. The caller learns the correlation id only; the log gets the chain of causes.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(Code::Internal).cause(error)
    }

    pub(crate) fn cause(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source());
        self.0.cause = Some(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "));
        self
    }

    pub(crate) fn retry_after(self, seconds: u16) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(Text::new(detail, ""));
        self
    }

    pub(crate) fn detail_in_both(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.0.detail = Some(Text::new(en, zh));
        self
    }

    pub(crate) fn detail_text(mut self, detail: Text) -> Self {
        self.0.detail = Some(detail);
        self
    }

    pub(crate) fn field(
        mut self,
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<Text>,
    ) -> Self {
        self.0.errors.push(FieldProblem { field: field.into(), code, message: message.into() });
        self
    }

    pub(crate) fn fields(mut self, errors: impl IntoIterator<Item = FieldProblem>) -> Self {
        self.0.errors.extend(errors);
        self
    }

    pub(crate) fn member(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    pub(crate) fn log_cause(&self, correlation_id: &str) {
        if let Some(cause) = &self.0.cause {
            tracing::error!(correlation_id, code = self.0.code.as_str(), cause, "a request failed");
        }
    }

    /// The problem as JSON.
    pub(crate) fn to_json(&self, language: Language, correlation_id: &str) -> Json {
        let Parts { code, detail, errors, members, .. } = &*self.0;
        let mut json = json!({
            "type": format!("/errors/{}", code.slug()),
            "title": code.title(language),
            "status": code.status().as_u16(),
            "code": code.as_str(),
            "correlation_id": correlation_id,
        });
        let object = json.as_object_mut().expect("made as an object");
        if let Some(detail) = detail {
            object.insert("detail".into(), json!(detail.get(language)));
        }
        if !errors.is_empty() {
            let error = |error: &FieldProblem| {
                let message = error.message.get(language);
                json!({ "field": error.field, "code": error.code, "message": message })
            };
            object.insert("errors".into(), errors.iter().map(error).collect());
        }
        object.extend(members.clone());
        json
    }

    /// The whole answer.
    pub(crate) fn to_response(&self, language: Language, correlation_id: &str) -> Response {
        let mut response = Response::new(Body::from(self.to_json(language, correlation_id).to_string()));
        *response.status_mut() = self.0.code.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().insert("content-language", HeaderValue::from_static(language.tag()));
        response.headers_mut().extend(self.0.headers.iter().cloned());
        response
    }
}

impl IntoResponse for Problem {
    /// A response that says no more than its status and carries the problem to the middleware.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_speaks_the_language_of_the_caller() {
        let problem = Problem::forbidden("admin").field("x", "invalid", Text::new("no", "不行"));
        assert_eq!(
            problem.to_json(Language::ZhCn, "c1"),
            json!({
                "type": "/errors/forbidden", "title": "没有权限", "status": 403, "code": "FORBIDDEN", "correlation_id": "c1",
                "detail": "需要权限 `admin`", "missing_permission": "admin",
                "errors": [{ "field": "x", "code": "invalid", "message": "不行" }],
            })
        );
        assert_eq!(problem.to_json(Language::En, "c1")["title"], "Not allowed");
    }

    #[test]
    fn an_internal_failure_shows_nothing_of_its_cause() {
        let problem = Problem::internal(&std::io::Error::other("secret path"));
        assert!(!problem.to_json(Language::En, "c1").to_string().contains("secret"));
    }
}
