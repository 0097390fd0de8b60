//! Whatever people read in a standard object is there in both languages.

use std::sync::Arc;

use trellis_model::{FieldType, ObjectDefinition, Text};
use trellis_storage::MemoryStore;

use super::install::{STANDARD, install};
use super::{check, links, load};
use crate::{SystemClock, SystemIds};

/// Chinese labels without a Chinese character.
const AS_THEY_ARE: [&str; 0] = [];

#[tokio::test]
async fn everything_in_a_standard_object_is_labelled_in_both_languages() {
    let store = Arc::new(MemoryStore::new());
    install(&*store, &SystemClock, &SystemIds::default(), &STANDARD).await.unwrap();
    let schema = load(&*store).await.unwrap();
    let mut missing = Vec::new();
    for object in schema.objects() {
        assert!(!object.layouts.is_empty(), "{} has no layout", object.name);
        for (what, text, optional) in texts(object) {
            let empty = optional && text.en.is_empty() && text.zh_cn.is_empty();
            if !(empty || is_bilingual(&text)) {
                missing.push(format!("{}.{what}: {text:?}", object.name));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());

    // What an administrator's definition must keep to, they keep to.
    let mut refused = Vec::new();
    for object in schema.objects().filter_map(|object| schema.full(object.id)) {
        check::related_lists(&schema, &object, &mut refused);
        links::columns(&schema, &object, &mut refused);
    }
    assert_eq!(refused, []);
}

fn is_bilingual(text: &Text) -> bool {
    let chinese = |character| ('\u{4e00}'..='\u{9fff}').contains(&character);
    !text.en.is_empty()
        && !text.en.chars().any(chinese)
        && (text.zh_cn.chars().any(chinese) || AS_THEY_ARE.contains(&text.zh_cn.as_str()))
}

/// Every text with its place, and whether it may be left out.
fn texts(object: &ObjectDefinition) -> Vec<(String, Text, bool)> {
    let mut texts = vec![
        ("label".into(), object.label.clone(), false),
        ("plural".into(), object.plural_label.clone(), false),
    ];
    let mut add = |what: String, text: &Text, optional: bool| texts.push((what, text.clone(), optional));
    for field in &object.fields {
        add(field.name.to_string(), &field.label, false);
        add(format!("{} (description)", field.name), &field.description, true);
        if let FieldType::Choice { options } | FieldType::MultiChoice { options } = &field.field_type {
            for option in options {
                add(format!("{}={}", field.name, option.value), &option.label, false);
            }
        }
    }
    for layout in &object.layouts {
        add(format!("layout {}", layout.name), &layout.label, false);
        for section in &layout.sections {
            add(format!("layout {}, section {}", layout.name, section.name), &section.label, false);
        }
    }
    for pipeline in &object.pipelines {
        add(format!("pipeline {}", pipeline.name), &pipeline.label, false);
        for stage in &pipeline.stages {
            add(format!("pipeline {}, goal of {}", pipeline.name, stage.value), &stage.goal, false);
            for task in &stage.tasks {
                add(format!("pipeline {}, task {}", pipeline.name, task.name), &task.label, false);
            }
        }
    }
    for rule in &object.matching_rules {
        add(format!("matching rule {}", rule.name), &rule.label, false);
    }
    texts
}
