//! Where the columns of layouts lead.

use trellis_model::{FieldType, ObjectDefinition, Path, SystemField, Text, bilingual};

use super::Schema;

/// Columns and sorts of layouts and of their related lists lead to a field, over references.
pub(super) fn columns(schema: &Schema, object: &ObjectDefinition, refused: &mut Vec<Text>) {
    for layout in &object.layouts {
        let lists = layout.related.iter().filter_map(|related| {
            let child = schema.object(related.object.as_str())?;
            Some((&**child, &related.columns, &related.sort))
        });
        for (listed, columns, sort) in [(object, &layout.columns, &layout.sort)].into_iter().chain(lists) {
            let paths = columns.iter().chain(sort.iter().map(|sort| &sort.path));
            for path in paths.filter(|path| !leads_to_a_field(schema, listed, path)) {
                let (name, layout, of) = (&object.name, &layout.name, &listed.name);
                refused.push(bilingual!(
                    "{name}: layout `{layout}` shows `{path}`, which leads to no field of {of}",
                    "{name}：布局 `{layout}` 显示的 `{path}` 不是 {of} 的字段"
                ));
            }
        }
    }
}

/// Whether each name of a path but the last is a reference. Paths to derived fields are left to whoever knows those.
fn leads_to_a_field(schema: &Schema, object: &ObjectDefinition, path: &Path) -> bool {
    let mut object = object;
    let mut names = path.0.iter().peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        let Some(field) = object.field(name.as_str()) else {
            return if last { SystemField::of(name.as_str()).is_some() } else { is_derived(name.as_str()) };
        };
        if last {
            return true;
        }
        let FieldType::Reference { object: target } = &field.field_type else { return false };
        let Some(target) = schema.object(target.as_str()) else { return false };
        object = target;
    }
    false
}

fn is_derived(first: &str) -> bool {
    matches!(first, "segment" | "score" | "band" | "quality")
}
