//! Settings that name a field or an option of the server's objects.

use serde_json::Value as Json;
use trellis_model::{FieldName, FieldType, ObjectName, PluginId, Text, bilingual};
use trellis_plugin_host::{Manifest, manifest::NamedByConfig};
use trellis_records::Schema;

use crate::{Error, Result};

/// Checks that what a configuration names is there.
///
/// # Errors
/// [`Error::InvalidSettings`] with each setting that names what is not.
pub(super) fn check(id: &PluginId, schema: &Schema, manifest: &Manifest, config: &Json) -> Result<()> {
    let named = problems(schema, &manifest.config.names(config));
    let mut problems: Vec<String> =
        named.into_iter().map(|(setting, reason)| format!("`{setting}`: {}", reason.en)).collect();
    problems.extend(no_columns(schema, &manifest.configured(config)));
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidSettings { plugin: id.clone(), reason: problems.join("; ") }),
    }
}

/// The fields that a configuration chose to be read and that no column can hold.
fn no_columns(schema: &Schema, manifest: &Manifest) -> Vec<String> {
    let chosen = manifest.datasets.iter().flat_map(|dataset| {
        dataset.columns.iter().filter_map(move |column| Some((&dataset.object, column.chosen()?)))
    });
    let unfit = |(object, field): (&ObjectName, &FieldName)| {
        let field = schema.object(object.as_str())?.field(field.as_str())?;
        let unfit = match &field.field_type {
            FieldType::Json => true,
            FieldType::List { of } => !matches!(
                **of,
                FieldType::Text { .. } | FieldType::Choice { .. } | FieldType::Reference { .. }
            ),
            _ => false,
        };
        let (name, kind) = (&field.name, field.field_type.name());
        unfit.then(|| format!("`{object}.{name}` is a {kind}, which cannot be a column"))
    };
    chosen.filter_map(unfit).collect()
}

/// Each setting that names what is not there, and what is wrong with it.
pub(crate) fn problems(schema: &Schema, names: &[NamedByConfig]) -> Vec<(String, Text)> {
    let of = |named: &NamedByConfig| Some((named.setting.clone(), problem(schema, named)?));
    names.iter().filter_map(of).collect()
}

fn problem(schema: &Schema, named: &NamedByConfig) -> Option<Text> {
    let NamedByConfig { object, field, name, .. } = named;
    let Some(definition) = schema.object(object) else {
        return Some(bilingual!("there is no object `{object}`", "没有对象 `{object}`"));
    };
    let Some(field) = field else {
        let missing = definition.field(name).is_none();
        return missing
            .then(|| bilingual!("`{object}` has no field `{name}`", "`{object}` 没有字段 `{name}`"));
    };
    let options = match definition.field(field).map(|field| &field.field_type) {
        Some(FieldType::Choice { options } | FieldType::MultiChoice { options }) => options,
        _ => {
            return Some(bilingual!(
                "`{object}` has no field `{field}` with options",
                "`{object}` 没有带选项的字段 `{field}`"
            ));
        }
    };
    let missing = !options.iter().any(|option| option.value == *name);
    missing.then(|| {
        bilingual!("`{object}.{field}` has no option `{name}`", "`{object}.{field}` 没有选项 `{name}`")
    })
}
