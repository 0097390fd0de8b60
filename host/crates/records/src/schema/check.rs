//! Whether a schema can be used: what no single definition says by itself.

use std::collections::BTreeSet;

use trellis_model::{Computed, FieldType, Filter, Text, bilingual};

use super::change::Stored;
use super::definition::Definition;
use super::merge::name_of;
use super::{Object, Schema, SchemaDocument};
use crate::Limits;
use crate::query::compile::Compiler;

/// What stands at the first place below `/api/v1` beside the plurals of objects, or shall.
pub const RESERVED_PLURALS: [&str; 27] = [
    "attachments",
    "batch",
    "changes",
    "decisions",
    "docs",
    "events",
    "health",
    "idempotency",
    "imports",
    "jobs",
    "layouts",
    "me",
    "metadata",
    "objects",
    "openapi",
    "packs",
    "plugins",
    "ready",
    "scores",
    "search",
    "segmentations",
    "server",
    "sessions",
    "status",
    "tokens",
    "undo",
    "views",
];

/// No object twice in a document.
pub(super) fn twice(document: &SchemaDocument, refused: &mut Vec<Text>) {
    let mut seen = BTreeSet::new();
    for name in document.objects().iter().filter_map(name_of) {
        if !seen.insert(name) {
            refused.push(bilingual!("object `{name}` is there twice", "对象 `{name}` 重复"));
        }
    }
}

/// What a new object may not be called.
pub(super) fn new_object(definition: &Definition, of_pack: bool, refused: &mut Vec<Text>) {
    let (name, plural) = (&definition.name, &definition.plural);
    if RESERVED_PLURALS.contains(&plural.as_str()) {
        refused.push(bilingual!(
            "`{plural}` is an address of the API and cannot be a plural",
            "`{plural}` 是 API 的地址，不能用作复数名"
        ));
    }
    if !of_pack && definition.origin.is_none() && (name.contains("__") || plural.contains("__")) {
        refused.push(bilingual!(
            "`{name}`: only packs have names with `__`",
            "`{name}`：只有扩展包的名称可以包含 `__`"
        ));
    }
}

/// Sizes of the whole and of what changed.
pub(super) fn limits(after: &Stored, changed: &[&str], limits: &Limits, refused: &mut Vec<Text>) {
    let mut at_most = |what: Text, count: usize, count_max: usize| {
        if count > count_max {
            refused.push(
                what.then(&bilingual!(": {count}, at most {count_max}", "：{count}，上限为 {count_max}")),
            );
        }
    };
    at_most(Text::new("objects", "对象数"), after.objects.len(), limits.objects_max);
    for object in after.objects.iter().filter(|object| changed.contains(&object.definition.name.as_str())) {
        let (definition, name) = (&object.definition, &object.definition.name);
        at_most(
            bilingual!("fields of {name}", "{name} 的字段数"),
            definition.fields.len(),
            limits.fields_per_object_max,
        );
        at_most(
            bilingual!("bytes of the definition of {name}", "{name} 的定义的字节数"),
            definition.bytes(),
            limits.definition_bytes_max,
        );
        let Ok(object) = object.object() else { continue };
        let indexed = object
            .fields
            .iter()
            .filter(|field| field.indexed || field.unique || is_reference(&field.field_type));
        let indexes = indexed.count() + object.composite_indexes.len();
        at_most(bilingual!("indexes of {name}", "{name} 的索引数"), indexes, limits.indexes_per_object_max);
        for field in &object.fields {
            let field_name = &field.name;
            if let FieldType::Choice { options } | FieldType::MultiChoice { options } = &field.field_type {
                at_most(
                    bilingual!("options of {name}.{field_name}", "{name}.{field_name} 的选项数"),
                    options.len(),
                    limits.options_max,
                );
            }
            if let Some(Computed::Formula(formula)) = &field.computed {
                let what = bilingual!(
                    "bytes of the formula {name}.{field_name}",
                    "公式 {name}.{field_name} 的字节数"
                );
                at_most(what, formula.expression.len(), limits.formula_bytes_max);
            }
        }
    }
}

fn is_reference(field_type: &FieldType) -> bool {
    matches!(field_type, FieldType::Reference { .. })
}

/// Filters of a definition must fit the object that they are about; a `required_if` decides by the record alone.
pub(super) fn filters(compiler: &Compiler<'_>, object: &Object, refused: &mut Vec<Text>) {
    let name = &object.name;
    let mut check = |what: Text, filter: Option<&Filter>, local: bool| {
        let Some(filter) = filter else { return };
        let what = bilingual!("{name}: ", "{name}：").then(&what);
        match compiler.filter(object, filter) {
            Ok(node) if local && !node.is_plain() => refused.push(what.then(&Text::new(
                ": it may only look at the record's own fields",
                "：只能使用该记录自身的字段",
            ))),
            Ok(_) => {}
            Err(error) => refused.push(what.then(&Text::new(": ", "：")).then(&error.text())),
        }
    };
    for field in &object.fields {
        let field_name = &field.name;
        check(
            bilingual!("`required_if` of `{field_name}`", "`{field_name}` 的 `required_if`"),
            field.required_if.as_ref(),
            true,
        );
    }
    for layout in &object.layouts {
        let layout_name = &layout.name;
        check(
            bilingual!("`when` of layout `{layout_name}`", "布局 `{layout_name}` 的 `when`"),
            layout.when.as_ref(),
            false,
        );
    }
    for pipeline in &object.pipelines {
        let pipeline_name = &pipeline.name;
        check(
            bilingual!("`when` of pipeline `{pipeline_name}`", "流程 `{pipeline_name}` 的 `when`"),
            pipeline.when.as_ref(),
            true,
        );
    }
    if object.field(object.title.as_str()).is_some_and(|title| title.is_out_of_use())
        && !object.is_out_of_use()
    {
        let title = &object.title;
        refused.push(bilingual!(
            "{name}: `{title}` is its title and cannot be retired",
            "{name}：`{title}` 是标题字段，不能停用"
        ));
    }
}

/// Lists of a layout show records that refer to the object.
pub(super) fn related_lists(schema: &Schema, object: &Object, refused: &mut Vec<Text>) {
    for layout in &object.layouts {
        for related in &layout.related {
            let child = schema.object(related.object.as_str());
            let field = child.and_then(|child| child.field(related.reference.as_str()));
            let refers = field.is_some_and(
                |field| matches!(&field.field_type, FieldType::Reference { object: target } if *target == object.name),
            );
            if !refers {
                let (name, layout, of, reference) =
                    (&object.name, &layout.name, &related.object, &related.reference);
                refused.push(bilingual!(
                    "{name}: layout `{layout}` lists {of} by `{reference}`, which does not refer to {name}",
                    "{name}：布局 `{layout}` 按 `{reference}` 列出 {of}，但该字段并不引用 {name}"
                ));
            }
        }
    }
}
