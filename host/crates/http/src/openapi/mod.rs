//! The description of the API, made from the same table as the router and from the objects as they are now.

mod comparisons;
mod decisions;
mod duplicates;
mod history;
mod metadata;
mod models;
mod objects;
mod operation;
mod plugin_health;
mod plugins;
mod queries;
mod reports;
mod schemas;
mod segments;
mod transfer;

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
            insert(endpoint.path.replace("{*", "{"), endpoint, None);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use trellis_model::{FieldDefinition, FieldId, FieldName, FieldType, ObjectId, ObjectName, Text};

    use super::*;

    fn ferry() -> ObjectDefinition {
        let text = FieldType::Text { characters_max: 80 };
        let name = FieldName::new("name").unwrap();
        let field = FieldDefinition::new(FieldId(1), name.clone(), Text::new("Name", "名称"), text);
        let (singular, plural) =
            (ObjectName::new("sea_ferry").unwrap(), ObjectName::new("sea_ferries").unwrap());
        let fields = vec![FieldDefinition { required: true, ..field }];
        ObjectDefinition {
            label: Text::new("Ferry", "渡轮"),
            plural_label: Text::new("Ferries", "渡轮"),
            ..ObjectDefinition::new(ObjectId(1), singular, plural, name, fields)
        }
    }

    /// What the API promises shows as a diff of this file. `UPDATE_EXPECT=1` writes it anew.
    #[test]
    fn the_description_of_an_api_with_one_object_is_as_it_was() {
        let document = document(&crate::table::endpoints(), [ferry()].iter());
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected/openapi.json");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            text == expected,
            "the API's description changed: run with UPDATE_EXPECT=1 and look at the diff of {}",
            path.display()
        );
    }
}
