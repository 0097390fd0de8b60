//! Settings that name a field or an option of the server's objects, or a score or segmentation over them.

use serde_json::Value as Json;
use trellis_model::{
    FieldName, FieldType, Language, ObjectDefinition, ObjectName, PluginId, Published, Text, bilingual,
};
use trellis_plugin_host::{Manifest, manifest::NamedByConfig};
use trellis_records::Schema;

use crate::{Error, Result};

/// Checks that what a configuration names is there.
///
/// # Errors
/// [`Error::InvalidSettings`] with each setting that names what is not.
pub(super) fn check(
    id: &PluginId,
    schema: &Schema,
    manifest: &Manifest,
    config: &Json,
    finds: &dyn Fn(&ObjectDefinition, &Published) -> bool,
) -> Result<()> {
    let named = problems(schema, &manifest.config.names(config), finds);
    let named = named.into_iter().map(|(setting, reason)| {
        let zh = reason.get(Language::ZhCn);
        Text::new(format!("`{setting}`: {}", reason.en), format!("`{setting}`：{zh}"))
    });
    let problems: Vec<Text> = named.chain(no_columns(schema, &manifest.configured(config))).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let said = |language, between: &str| {
        problems.iter().map(|problem| problem.get(language)).collect::<Vec<_>>().join(between)
    };
    let reason = Text::new(said(Language::En, "; "), said(Language::ZhCn, "；"));
    Err(Error::InvalidSettings { plugin: id.clone(), reason })
}

/// The fields that a configuration chose to be read and that no column can hold.
fn no_columns(schema: &Schema, manifest: &Manifest) -> Vec<Text> {
    let chosen = manifest.datasets.iter().flat_map(|dataset| {
        dataset.columns.iter().filter_map(move |column| Some((&dataset.object, column.chosen()?)))
    });
    let unfit = |(object, field): (&ObjectName, &FieldName)| {
        let field = schema.object(object.as_str())?.field(field.as_str())?;
        let name = &field.name;
        let unfit = match &field.field_type {
            FieldType::Json => true,
            FieldType::List { of } => match &**of {
                FieldType::Text { .. } | FieldType::Choice { .. } => false,
                FieldType::Reference { object: named } => match personal_title(schema, named) {
                    Some(title) => {
                        return Some(bilingual!(
                            "`{object}.{name}` names records of `{named}` by `{title}`, which is personal data: it cannot be a column",
                            "`{object}.{name}` 以个人信息 `{title}` 表示 `{named}` 的记录，不能作为列"
                        ));
                    }
                    None => false,
                },
                _ => true,
            },
            _ => false,
        };
        let kind = field.field_type.name();
        unfit.then(|| {
            bilingual!(
                "`{object}.{name}` is a {kind}, which cannot be a column",
                "`{object}.{name}` 的类型为 {kind}，不能作为列"
            )
        })
    };
    chosen.filter_map(unfit).collect()
}

/// The title of an object's records where it is personal data: a list of texts would tell it without a grant of its own.
fn personal_title(schema: &Schema, object: &ObjectName) -> Option<FieldName> {
    let definition = schema.object(object.as_str())?;
    let title = definition.field(definition.title.as_str())?;
    title.personal_data.then(|| title.name.clone())
}

/// Each setting that names what is not there, and what is wrong with it.
pub(crate) fn problems(
    schema: &Schema,
    names: &[NamedByConfig],
    finds: &dyn Fn(&ObjectDefinition, &Published) -> bool,
) -> Vec<(String, Text)> {
    let of = |named: &NamedByConfig| Some((named.setting.clone(), problem(schema, named, finds)?));
    names.iter().filter_map(of).collect()
}

fn problem(
    schema: &Schema,
    named: &NamedByConfig,
    finds: &dyn Fn(&ObjectDefinition, &Published) -> bool,
) -> Option<Text> {
    let NamedByConfig { object, field, name, .. } = named;
    let Some(definition) = schema.object(object) else {
        return Some(bilingual!("there is no object `{object}`", "没有对象 `{object}`"));
    };
    if let Some(published) = &named.published {
        return (!finds(definition, published)).then(|| {
            bilingual!(
                "`{object}` has no score or segmentation `{published}`, and no installed plugin puts it out",
                "`{object}` 没有评分或分群 `{published}`，也没有已安装的插件提供它"
            )
        });
    }
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
