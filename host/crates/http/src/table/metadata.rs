//! Objects, fields and the schema as a whole.

use axum::http::Method;
use axum::routing::{delete, get, patch, post};

use super::Endpoint;
use crate::handlers::metadata;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    objects().into_iter().chain(fields()).chain(schema()).collect()
}

const OBJECTS: &str = "/api/v1/metadata/objects";
const OBJECT: &str = "/api/v1/metadata/objects/{name}";
const FIELDS: &str = "/api/v1/metadata/objects/{name}/fields";
const FIELD: &str = "/api/v1/metadata/objects/{name}/fields/{field}";
const CHANGED: Shape = Shape::Named("SchemaChanged");
/// What every change takes.
const WISHES: &[&str] = &["confirm_destructive", "dry_run", "pack"];

fn objects() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            OBJECTS,
            Operation::new("list_objects", "Returns every object with its fields.", Shape::List("Object")),
            get(metadata::list_objects),
        ),
        Endpoint::new(
            Method::POST,
            OBJECTS,
            Operation::new("create_object", "Adds an object.", CHANGED)
                .created()
                .body(Body::Named("ObjectDefinition"))
                .query(WISHES)
                .if_match()
                .refuses(&[403, 409, 412, 422]),
            post(metadata::create_object),
        ),
        Endpoint::new(
            Method::GET,
            OBJECT,
            Operation::new("get_object", "Returns one object, by its API name.", Shape::Named("Object"))
                .refuses(&[404]),
            get(metadata::get_object),
        ),
        Endpoint::new(
            Method::PATCH,
            OBJECT,
            Operation::new("update_object", "Changes an object by a merge patch of its definition.", CHANGED)
                .body(Body::Named("ObjectDefinition"))
                .query(WISHES)
                .if_match()
                .refuses(&[403, 404, 409, 412, 422]),
            patch(metadata::update_object),
        ),
        Endpoint::new(
            Method::DELETE,
            OBJECT,
            Operation::new(
                "retire_object",
                "Takes an object out of use; its records stay readable.",
                CHANGED,
            )
            .query(WISHES)
            .if_match()
            .refuses(&[403, 404, 412, 422]),
            delete(metadata::retire_object),
        ),
    ]
}

fn fields() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            FIELDS,
            Operation::new("create_field", "Adds a field to an object.", CHANGED)
                .created()
                .body(Body::Named("FieldDefinition"))
                .query(WISHES)
                .if_match()
                .refuses(&[403, 404, 409, 412, 422]),
            post(metadata::create_field),
        ),
        Endpoint::new(
            Method::PATCH,
            FIELD,
            Operation::new("update_field", "Changes a field by a merge patch of its definition.", CHANGED)
                .body(Body::Named("FieldDefinition"))
                .query(WISHES)
                .if_match()
                .refuses(&[403, 404, 409, 412, 422]),
            patch(metadata::update_field),
        ),
        Endpoint::new(
            Method::DELETE,
            FIELD,
            Operation::new("retire_field", "Takes a field out of use; its values stay readable.", CHANGED)
                .query(WISHES)
                .if_match()
                .refuses(&[403, 404, 412, 422]),
            delete(metadata::retire_field),
        ),
    ]
}

fn schema() -> Vec<Endpoint> {
    let document = Shape::Named("SchemaDocument");
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/metadata/schema",
            Operation::new("get_schema", "Returns all definitions, as they are or at a version.", document)
                .query(&["version"])
                .refuses(&[403, 404]),
            get(metadata::get_schema),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/metadata/schema/diff",
            Operation::new(
                "diff_schema",
                "Says what applying definitions would do.",
                Shape::Named("SchemaPlan"),
            )
            .body(Body::Named("SchemaDocument"))
            .query(WISHES)
            .refuses(&[403, 422]),
            post(metadata::diff_schema),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/metadata/schema/apply",
            Operation::new("apply_schema", "Makes objects what definitions say, all or none.", CHANGED)
                .body(Body::Named("SchemaDocument"))
                .query(&["confirm_destructive", "pack"])
                .if_match()
                .refuses(&[403, 409, 412, 422]),
            post(metadata::apply_schema),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/metadata/schema/versions",
            Operation::new(
                "list_schema_versions",
                "Returns a page of the schema's versions, the newest first.",
                Shape::Page("SchemaVersion"),
            )
            .query(&["limit", "after"])
            .refuses(&[403]),
            get(metadata::list_schema_versions),
        ),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/metadata/packs/{id}",
            Operation::new("remove_pack", "Marks what a pack added to the schema as removed.", CHANGED)
                .refuses(&[403, 404]),
            delete(metadata::remove_pack),
        ),
    ]
}
