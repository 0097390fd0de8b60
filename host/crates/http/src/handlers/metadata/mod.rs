//! What objects there are, and what their fields mean.

mod change;
mod schema;

pub(crate) use change::{
    create_field, create_object, retire_field, retire_object, update_field, update_object,
};
pub(crate) use schema::{apply_schema, diff_schema, get_schema, list_schema_versions, remove_pack};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use trellis_model::{FieldDefinition, FieldType, ObjectDefinition, RowAccess};
use trellis_records::Schema;

use super::plugins::text_json;
use crate::extract::{Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::json;

/// What rights on the schema are called.
const PERMISSION: &str = "schema";
/// Parts of a definition that are shown as they are written.
const PARTS: [&str; 8] =
    ["indexes", "layouts", "pipelines", "matching_rules", "duplicate_rules", "quality", "origin", "retired"];
/// Parts of a field that are.
const FIELD_PARTS: [&str; 8] =
    ["required_if", "default", "format", "formula", "roll_up", "origin", "retired", "options"];

/// Returns every object that the caller can see something of.
pub(crate) async fn list_objects(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let schema = app.records.schema();
    let data: Vec<Json> = schema
        .objects()
        .filter(|object| visible(object, &requester))
        .map(|object| object_json(&schema, object, &requester))
        .collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// Returns one object, by its API name.
pub(crate) async fn get_object(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let schema = app.records.schema();
    let name = path.get("name");
    let object = schema.object(name).filter(|object| visible(object, &requester));
    let object =
        object.ok_or_else(|| Problem::not_found("object", name.chars().take(100).collect::<String>()))?;
    let mut response = json(StatusCode::OK, &object_json(&schema, object, &requester))?;
    response.headers_mut().insert(axum::http::header::ETAG, super::records::etag(schema.version()));
    Ok(response)
}

fn visible(object: &ObjectDefinition, requester: &Requester) -> bool {
    requester.caller.scope.of(&object.name).rows != RowAccess::Nothing
}

fn object_json(schema: &Schema, object: &ObjectDefinition, requester: &Requester) -> Json {
    let scope = requester.caller.scope.of(&object.name);
    let fields = object.fields.iter().filter(|field| scope.readable.contains(&field.name));
    let (written, building) = (schema.written(object.id), schema.building(object.id));
    let written_fields = written.get("fields").and_then(Json::as_array);
    let field = |field: &FieldDefinition| {
        let mut json = field_json(field, scope.writable.contains(&field.name));
        let named = |written: &&Json| written.get("name").and_then(Json::as_str) == Some(field.name.as_str());
        let written = written_fields.and_then(|fields| fields.iter().find(named));
        copy(&FIELD_PARTS, written.unwrap_or(&Json::Null), &mut json);
        json
    };
    let mut json = json!({
        "name": object.name.as_str(),
        "plural": object.plural.as_str(),
        "url": format!("/api/v1/{}", object.url_segment()),
        "label": text_json(&object.label),
        "plural_label": text_json(&object.plural_label),
        "title": object.title.as_str(),
        "append_only": object.append_only,
        "has_columns": object.ordinals,
        "building": building,
        "fields": fields.map(field).collect::<Vec<_>>(),
    });
    copy(&PARTS, &written, &mut json);
    json
}

fn copy(parts: &[&str], from: &Json, into: &mut Json) {
    let Some(into) = into.as_object_mut() else { return };
    for part in parts {
        into.extend(from.get(part).map(|value| ((*part).to_owned(), value.clone())));
    }
}

fn field_json(field: &FieldDefinition, writable: bool) -> Json {
    let mut json = Map::from_iter([
        ("name".to_owned(), json!(field.name.as_str())),
        ("label".to_owned(), text_json(&field.label)),
        ("description".to_owned(), text_json(&field.description)),
        ("required".to_owned(), json!(field.required)),
        ("unique".to_owned(), json!(field.unique)),
        ("indexed".to_owned(), json!(field.indexed)),
        ("personal_data".to_owned(), json!(field.personal_data)),
        ("computed".to_owned(), json!(field.computed.is_some())),
        ("writable".to_owned(), json!(writable && field.computed.is_none() && !field.is_out_of_use())),
    ]);
    json.extend(type_json(&field.field_type));
    Json::Object(json)
}

fn type_json(field_type: &FieldType) -> Map<String, Json> {
    let mut json = Map::from_iter([("type".to_owned(), json!(field_type.name()))]);
    match field_type {
        FieldType::Text { characters_max } => {
            drop(json.insert("characters_max".into(), json!(characters_max)))
        }
        FieldType::Choice { options } | FieldType::MultiChoice { options } => {
            let option = |option: &trellis_model::ChoiceOption| json!({ "value": option.value, "label": text_json(&option.label) });
            json.insert("options".into(), options.iter().map(option).collect());
        }
        FieldType::Reference { object } => drop(json.insert("object".into(), json!(object.as_str()))),
        FieldType::List { of } => drop(json.insert("of".into(), Json::Object(type_json(of)))),
        FieldType::Number | FieldType::Integer | FieldType::Money | FieldType::Bool => {}
        FieldType::Date | FieldType::Time | FieldType::Json => {}
    }
    json
}
