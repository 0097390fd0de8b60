use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use axum::http::request::Parts;
use trellis_access::Principal;
use trellis_model::Language;
use trellis_records::Caller;

use crate::middleware::language_of;
use crate::problem::Problem;
use crate::state::App;

/// Who asks. A handler that takes it answers 401 to everybody without a valid token, before anything else is read.
#[derive(Debug)]
pub(crate) struct Requester {
    pub(crate) principal: Arc<Principal>,
    pub(crate) caller: Caller,
}

impl Requester {
    pub(crate) fn language(&self) -> Language {
        self.caller.language
    }

    /// Goes on only for those who may do everything; `permission` names what the others lack.
    pub(crate) fn require_administrator(&self, permission: &str) -> Result<(), Problem> {
        if self.principal.administrator { Ok(()) } else { Err(Problem::forbidden(permission)) }
    }
}

impl FromRequestParts<App> for Requester {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).ok_or_else(Problem::unauthenticated)?;
        let (scheme, token) = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .ok_or_else(Problem::unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthenticated());
        }
        let principal = app.access.authenticate(token.trim()).await?.ok_or_else(Problem::invalid_token)?;
        let caller = app.access.caller(&principal, language_of(parts.headers.get(ACCEPT_LANGUAGE)));
        Ok(Self { principal, caller })
    }
}
