use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trellis_engine::Job;
use trellis_model::Language;

use super::{PathParts, Requester};
use crate::handlers::jobs::find;
use crate::problem::Problem;
use crate::state::App;

/// `…/{id}` of a job that the requester may know of. Another one's is answered as one that there is not.
#[derive(Debug)]
pub(crate) struct OnJob {
    pub(crate) job: Job,
    requester: Requester,
}

impl OnJob {
    pub(crate) fn language(&self) -> Language {
        self.requester.language()
    }
}

impl FromRequestParts<App> for OnJob {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let requester = Requester::from_request_parts(parts, app).await?;
        let path = PathParts::from_request_parts(parts, app).await?;
        let job = find(app, &requester, path.id("id", "job")?).await?;
        Ok(Self { job, requester })
    }
}
