//! Changes of objects and fields, each a change of the schema of its own.

use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_engine::Job;
use trellis_model::PluginId;
use trellis_records::{SchemaApplied, SchemaApply, SchemaDocument, SchemaStep};

use super::{PERMISSION, object_json};
use crate::extract::{JsonBody, Parameters, PathParts, Requester};
use crate::handlers::records::{etag, expected_version};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::json;

/// What a change may be asked to be besides.
pub(super) struct Wish {
    pub(super) apply: SchemaApply,
    /// Whether it only says what would happen.
    dry_run: bool,
}

impl Wish {
    pub(super) fn of(
        requester: &Requester,
        headers: &HeaderMap,
        mut parameters: Parameters,
    ) -> ApiResult<Self> {
        requester.require_administrator(PERMISSION)?;
        let pack = parameters.take("pack")?.map(|id| PluginId::new(&id)).transpose();
        let pack = pack.map_err(|error| Problem::bad_query("pack", error.text()))?;
        let confirm_destructive = parameters.take_flag("confirm_destructive")?;
        let dry_run = parameters.take_flag("dry_run")?;
        parameters.finish()?;
        let expected_version = expected_version(headers)?;
        Ok(Self { apply: SchemaApply { confirm_destructive, pack, expected_version }, dry_run })
    }
}

/// Adds an object.
pub(crate) async fn create_object(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    let wish = Wish::of(&requester, &headers, parameters)?;
    let name = body.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    if app.records.schema().object(&name).is_some() {
        return Err(Problem::new(Code::Conflict)
            .detail_in_both(format!("object `{name}` is there already"), format!("对象 `{name}` 已存在")));
    }
    change(&app, &requester, wish, StatusCode::CREATED, &name, body).await
}

/// Changes an object: a merge patch of its definition, in which lists are whole.
pub(crate) async fn update_object(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    headers: HeaderMap,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    let wish = Wish::of(&requester, &headers, parameters)?;
    let mut definition = written(&app, path.get("name"))?;
    merge_patch(&mut definition, &body);
    change(&app, &requester, wish, StatusCode::OK, path.get("name"), definition).await
}

/// Takes an object out of use. Its records stay readable.
pub(crate) async fn retire_object(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    headers: HeaderMap,
    parameters: Parameters,
) -> ApiResult<Response> {
    let mut wish = Wish::of(&requester, &headers, parameters)?;
    wish.apply.confirm_destructive = true;
    let mut definition = written(&app, path.get("name"))?;
    merge_patch(&mut definition, &json!({ "retired": true }));
    change(&app, &requester, wish, StatusCode::OK, path.get("name"), definition).await
}

/// Adds a field to an object.
pub(crate) async fn create_field(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    headers: HeaderMap,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    let wish = Wish::of(&requester, &headers, parameters)?;
    let mut definition = written(&app, path.get("name"))?;
    if field_of(&mut definition, body.get("name").and_then(Json::as_str).unwrap_or_default()).is_some() {
        return Err(Problem::new(Code::Conflict).detail_in_both("the field is there already", "该字段已存在"));
    }
    if let Some(fields) = definition.get_mut("fields").and_then(Json::as_array_mut) {
        fields.push(body);
    }
    change(&app, &requester, wish, StatusCode::CREATED, path.get("name"), definition).await
}

/// Changes a field: a merge patch of its definition.
pub(crate) async fn update_field(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    headers: HeaderMap,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    let wish = Wish::of(&requester, &headers, parameters)?;
    change_field(&app, &requester, wish, &path, &body).await
}

/// Takes a field out of use. What records have in it stays readable.
pub(crate) async fn retire_field(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    headers: HeaderMap,
    parameters: Parameters,
) -> ApiResult<Response> {
    let mut wish = Wish::of(&requester, &headers, parameters)?;
    wish.apply.confirm_destructive = true;
    change_field(&app, &requester, wish, &path, &json!({ "retired": true })).await
}

async fn change_field(
    app: &App,
    requester: &Requester,
    wish: Wish,
    path: &PathParts,
    patch: &Json,
) -> ApiResult<Response> {
    let mut definition = written(app, path.get("name"))?;
    let name = path.get("field");
    let field = field_of(&mut definition, name)
        .ok_or_else(|| Problem::not_found("field", name.chars().take(100).collect::<String>()))?;
    merge_patch(field, patch);
    change(app, requester, wish, StatusCode::OK, path.get("name"), definition).await
}

/// Applies the definition of one object.
async fn change(
    app: &App,
    requester: &Requester,
    wish: Wish,
    status: StatusCode,
    name: &str,
    definition: Json,
) -> ApiResult<Response> {
    let document = SchemaDocument::of(vec![definition]);
    if wish.dry_run {
        return super::schema::planned(app, &document, wish.apply.pack.as_ref()).await;
    }
    let (applied, jobs) = app.engine.schema_apply(&requester.caller, document, wish.apply).await?;
    let mut body = applied_json(&applied, &jobs);
    let schema = app.records.schema();
    if let (Some(object), Some(body)) = (schema.object(name), body.as_object_mut()) {
        body.insert("object".into(), object_json(&schema, object, requester));
    }
    let mut response = json(status, &body)?;
    response.headers_mut().insert(ETAG, etag(applied.version));
    Ok(response)
}

/// What a change did, with the jobs that go on with it.
pub(super) fn applied_json(applied: &SchemaApplied, jobs: &[Job]) -> Json {
    let steps: Vec<Json> = applied.steps.iter().map(SchemaStep::to_json).collect();
    let jobs: Vec<String> = jobs.iter().map(|job| job.id.to_string()).collect();
    json!({ "version": applied.version, "steps": steps, "jobs": jobs })
}

fn written(app: &App, name: &str) -> ApiResult<Json> {
    let schema = app.records.schema();
    let object = schema.object(name);
    let object =
        object.ok_or_else(|| Problem::not_found("object", name.chars().take(100).collect::<String>()))?;
    Ok((*schema.written(object.id)).clone())
}

fn field_of<'a>(definition: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    let fields = definition.get_mut("fields")?.as_array_mut()?;
    fields.iter_mut().find(|field| field.get("name").and_then(Json::as_str) == Some(name))
}

/// RFC 7396: null takes out, objects are merged, everything else is put in place.
fn merge_patch(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else { return target.clone_from(patch) };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge_patch(target.entry(key.clone()).or_insert(Json::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_does_what_its_rfc_says() {
        let check = |mut target: Json, patch: Json, expected: Json| {
            merge_patch(&mut target, &patch);
            assert_eq!(target, expected);
        };
        check(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}));
        check(json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"}));
        check(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}}));
        check(json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]}));
        check(json!({"a": "foo"}), json!("bar"), json!("bar"));
        check(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}));
    }
}
