use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use trellis_model::{ObjectDefinition, RecordId};
use trellis_records::Schema;

use crate::problem::Problem;
use crate::state::App;

/// The variable parts of the path, decoded.
#[derive(Debug)]
pub(crate) struct PathParts(RawPathParams);

/// `/{objects}`: the object whose URL this is.
#[derive(Debug)]
pub(crate) struct ObjectPath {
    pub(crate) schema: Arc<Schema>,
    pub(crate) object: Arc<ObjectDefinition>,
}

/// `/{objects}/{id}`. A malformed id is an id that no record has.
#[derive(Debug)]
pub(crate) struct RecordPath {
    pub(crate) object: Arc<ObjectDefinition>,
    pub(crate) id: RecordId,
}

impl PathParts {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A part that is the id of a `kind`.
    pub(crate) fn id(&self, name: &str, kind: &str) -> Result<RecordId, Problem> {
        let text = self.get(name);
        RecordId::parse(text).map_err(|_| not_found(kind, text))
    }

    fn object(&self, app: &App) -> Result<ObjectPath, Problem> {
        let (schema, segment) = (app.records.schema(), self.get("objects"));
        let object = schema.object_by_url(segment).cloned().ok_or_else(|| not_found("object", segment))?;
        Ok(ObjectPath { schema, object })
    }
}

/// Quotes what the caller sent, cut: it may be long.
fn not_found(kind: &str, text: &str) -> Problem {
    Problem::not_found(kind, text.chars().take(100).collect::<String>())
}

impl FromRequestParts<App> for PathParts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // Fails only for a path that is not UTF-8 once decoded, which names nothing that exists.
        let decoded = RawPathParams::from_request_parts(parts, app).await;
        decoded.map(Self).map_err(|_| Problem::new(crate::problem::Code::UnknownRoute))
    }
}

impl FromRequestParts<App> for ObjectPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        PathParts::from_request_parts(parts, app).await?.object(app)
    }
}

impl FromRequestParts<App> for RecordPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = PathParts::from_request_parts(parts, app).await?;
        let object = path.object(app)?.object;
        let id = path.id("id", object.name.as_str())?;
        Ok(Self { object, id })
    }
}
