//! Where layouts lead: paths over references, and lists of records that refer to one.

use std::collections::BTreeMap;

use trellis_model::{FieldType, Layout, ObjectDefinition, Path, RelatedList, SystemField};

use super::wrong;
use crate::Result;

type Objects<'a> = BTreeMap<&'a str, &'a ObjectDefinition>;

/// Checks the paths and related lists of all layouts. What an object can say by itself, it has checked.
pub(super) fn check(objects: &[&ObjectDefinition]) -> Result<()> {
    let by_name: Objects<'_> = objects.iter().map(|object| (object.name.as_str(), *object)).collect();
    for object in objects {
        for layout in &object.layouts {
            layout_of(object, layout, &by_name)
                .map_err(|reason| wrong(object, &format!("layout `{}`: {reason}", layout.name)))?;
        }
    }
    Ok(())
}

fn layout_of(object: &ObjectDefinition, layout: &Layout, objects: &Objects<'_>) -> Result<(), String> {
    let sorted = layout.sort.iter().map(|sort| &sort.path);
    if let Some(path) =
        layout.columns.iter().chain(sorted).find(|path| !leads_to_a_field(object, path, objects))
    {
        return Err(format!("`{path}` leads to no field"));
    }
    layout.related.iter().try_for_each(|related| related_list(object, related, objects))
}

fn related_list(
    object: &ObjectDefinition,
    related: &RelatedList,
    objects: &Objects<'_>,
) -> Result<(), String> {
    let RelatedList { object: name, reference, columns, sort } = related;
    let child = objects.get(name.as_str()).ok_or_else(|| format!("there is no object `{name}`"))?;
    let points_back = child.field(reference.as_str()).is_some_and(
        |field| matches!(&field.field_type, FieldType::Reference { object: target } if *target == object.name),
    );
    if !points_back {
        return Err(format!("`{reference}` of {name} does not refer to {}", object.name));
    }
    let paths = columns.iter().chain(sort.iter().map(|sort| &sort.path));
    match paths.clone().find(|path| !leads_to_a_field(child, path, objects)) {
        Some(path) => Err(format!("`{path}` of {name} leads to no field")),
        None => Ok(()),
    }
}

/// Whether each name of a path but the last is a reference. Paths to derived fields are left to whoever knows those.
fn leads_to_a_field(object: &ObjectDefinition, path: &Path, objects: &Objects<'_>) -> bool {
    let mut object = object;
    let mut names = path.0.iter().peekable();
    while let Some(name) = names.next() {
        let Some(field) = object.field(name.as_str()) else {
            let last = names.peek().is_none();
            return if last { SystemField::of(name.as_str()).is_some() } else { is_derived(name.as_str()) };
        };
        if names.peek().is_none() {
            return true;
        }
        let FieldType::Reference { object: target } = &field.field_type else { return false };
        let Some(target) = objects.get(target.as_str()) else { return false };
        object = target;
    }
    false
}

fn is_derived(first: &str) -> bool {
    matches!(first, "segment" | "score" | "band" | "quality")
}
