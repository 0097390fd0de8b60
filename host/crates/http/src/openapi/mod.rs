//! The description of the API, made from the same table as the router and from the objects as they are now.

mod objects;
mod operation;
mod schemas;

use serde_json::{Map, Value as Json, json};
use trellis_model::ObjectDefinition;

pub(crate) use operation::{Body, Operation, Shape};

use crate::table::Endpoint;

/// The OpenAPI 3.1 document. An endpoint of `{objects}` stands there once for each object.
pub(crate) fn document<'a>(
    endpoints: &[Endpoint],
    objects: impl Iterator<Item = &'a ObjectDefinition>,
) -> Json {
    let objects: Vec<&ObjectDefinition> = objects.collect();
    let mut paths: Map<String, Json> = Map::new();
    let mut insert = |path: String, endpoint: &Endpoint, object| {
        let item = paths.entry(path).or_insert_with(|| json!({}));
        let operation = endpoint.operation.to_json(endpoint.path, object);
        item.as_object_mut()
            .expect("made as an object")
            .insert(endpoint.method.as_str().to_lowercase(), operation);
    };
    for endpoint in endpoints {
        if endpoint.path.contains("{objects}") {
            for object in &objects {
                insert(endpoint.path.replace("{objects}", &object.url_segment()), endpoint, Some(*object));
            }
        } else {
            insert(endpoint.path.to_owned(), endpoint, None);
        }
    }
    let mut schemas = schemas::fixed();
    schemas.extend(objects.iter().flat_map(|object| objects::schemas(object)));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trellis",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Customers, what happened with them, and what plugins make of it. Names never change; labels do.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}
