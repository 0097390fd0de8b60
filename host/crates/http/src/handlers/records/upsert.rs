use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use trellis_model::{FieldDefinition, FieldId, ObjectDefinition, bilingual};
use trellis_records::{Write, Written};

use super::whole_record;
use crate::extract::{JsonBody, ObjectPath, Parameters, PathParts, Requester};
use crate::handlers::duplicates::check_of;
use crate::problem::{ApiResult, Code, Problem, field_code};
use crate::state::App;
use crate::wire::{FieldMap, parse_fields};

/// Creates the record that has a value in a unique field, or changes the one that has it. Fields that are not named stay.
pub(crate) async fn upsert_record(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parts: PathParts,
    parameters: Parameters,
    headers: HeaderMap,
    JsonBody(body): JsonBody<FieldMap>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let check = check_of(&headers)?;
    let object = &path.object;
    let field = unique(object, parts.get("field"))?;
    let text = parts.get("value");
    let value = field.field_type.parse_text(text).map_err(|error| {
        Problem::new(Code::ValidationError).field(field.name.as_str(), field_code(&error), error.text())
    })?;
    let mut fields = parse_fields(object, body)?;
    if fields.get(&field.id).is_some_and(|other| *other != value) {
        let name = &field.name;
        let message = bilingual!(
            "`{name}` is another one in the address than in the body",
            "地址中的 `{name}` 与请求体中的不同"
        );
        return Err(Problem::new(Code::ValidationError).field(name.as_str(), "invalid", message));
    }
    fields.insert(field.id, value);
    let write = Write::Upsert { object: object.name.clone(), key_field: field.id, fields };
    let written = app.records.write_checked(&requester.caller, write, &check).await?;
    let status = if matches!(written, Written::Created(_)) { StatusCode::CREATED } else { StatusCode::OK };
    let record = written.record().expect("an upsert leaves a record");
    whole_record(status, &requester, object, record, &check)
}

/// The unique field of a name.
pub(super) fn unique_field(object: &ObjectDefinition, name: &str) -> ApiResult<FieldId> {
    unique(object, name).map(|field| field.id)
}

fn unique<'o>(object: &'o ObjectDefinition, name: &str) -> ApiResult<&'o FieldDefinition> {
    object.field(name).filter(|field| field.unique).ok_or_else(|| {
        let (of, shown) = (&object.name, name.chars().take(60).collect::<String>());
        let message = bilingual!("{of} has no unique field `{shown}`", "{of} 没有唯一字段 `{shown}`");
        Problem::new(Code::UnknownField).field(shown, "unknown_field", message)
    })
}
