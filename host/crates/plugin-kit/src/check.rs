//! What is worth saying about a plugin that a host would take: what its author may have forgotten.

use serde_json::Value as Json;
use trellis_model::{Text, bilingual};
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_host::{Manifest, Plugin};

use crate::golden::Cases;

/// What an import gives a plugin, in both languages.
pub fn import_text(import: &str) -> Text {
    let name = import.split(['/', '@']).nth(1).unwrap_or(import);
    let (en, zh_cn) = match name {
        "types" | "columns" | "values" | "actions" | "reports" => ("names types only", "仅引用类型定义"),
        "host-log" => ("may write lines to its log", "可写入插件日志"),
        "row-streams" => ("reads the rows that it is given to learn from", "读取用于学习的数据行"),
        "host-lookups" => ("may look up what `[[lookups]]` names", "可查询 `[[lookups]]` 声明的内容"),
        _ if import.starts_with("wasi:") => (
            "its toolchain needs it; there are no files, no network and no environment behind it",
            "工具链所需；背后没有文件、网络和环境变量",
        ),
        _ => ("nothing that a host offers", "主机不提供"),
    };
    Text::new(en, zh_cn)
}

/// Everything that its author may have forgotten.
pub fn warnings(plugin: &Plugin, cases: &Cases) -> Vec<Text> {
    let manifest = plugin.manifest();
    let mut warnings = Vec::new();
    untranslated(manifest, &mut warnings);
    described(plugin, &mut warnings);
    unused(plugin, &mut warnings);
    if cases.is_empty() {
        warnings.push(Text::new(
            "it carries no golden cases (tests/golden/*.json)",
            "未附带标准用例（tests/golden/*.json）",
        ));
    }
    warnings.extend(cases.problems().map(crate::Error::text));
    warnings
}

fn missing_chinese(what: &str) -> Text {
    bilingual!("{what} has no Chinese text (zh-CN)", "{what} 缺少中文（zh-CN）")
}

fn untranslated(manifest: &Manifest, warnings: &mut Vec<Text>) {
    for (key, text) in [("name", &manifest.name), ("description", &manifest.description)] {
        if text.en.is_empty() {
            warnings.push(bilingual!("`{key}` is empty", "`{key}` 为空"));
        } else if text.zh_cn.is_empty() {
            warnings.push(missing_chinese(&format!("`{key}`")));
        }
    }
    settings("config", manifest.config.as_json(), warnings);
}

/// The titles and descriptions of settings.
fn settings(path: &str, schema: &Json, warnings: &mut Vec<Text>) {
    for key in ["title", "description"] {
        let untranslated = match schema.get(key) {
            Some(Json::Object(texts)) => !texts.contains_key("zh-CN"),
            Some(_) => true,
            None => false,
        };
        if untranslated {
            warnings.push(missing_chinese(&format!("`{path}.{key}`")));
        }
    }
    for (name, schema) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let path = format!("{path}.properties.{name}");
        if schema.get("title").is_none() {
            warnings.push(bilingual!("`{path}` has no title", "`{path}` 没有标题"));
        }
        settings(&path, schema, warnings);
    }
}

/// What the plugin calls its outputs, where its defaults are enough to ask it.
fn described(plugin: &Plugin, warnings: &mut Vec<Text>) {
    let config = plugin.manifest().default_config();
    if plugin.manifest().validate_config(&config).is_err() {
        return;
    }
    let config = config.to_string();
    let mut label = |what: String, label: &Text| {
        if label.zh_cn.is_empty() {
            warnings.push(missing_chinese(&what));
        }
    };
    for one in plugin.segmentation().and_then(|guest| guest.describe(&config).ok()).unwrap_or_default() {
        label(format!("segmentation `{}`", one.name), &one.label);
        one.values
            .iter()
            .for_each(|value| label(format!("value `{}` of `{}`", value.name, one.name), &value.label));
    }
    for one in plugin.scoring().and_then(|guest| guest.describe(&config).ok()).unwrap_or_default() {
        label(format!("score `{}`", one.name), &one.label);
        one.bands
            .iter()
            .for_each(|band| label(format!("band `{}` of `{}`", band.name, one.name), &band.label));
    }
    let questions = plugin.analysis().and_then(|guest| guest.describe(&config).ok()).unwrap_or_default();
    for one in &questions {
        label(format!("analysis `{}`", one.name), &one.label);
    }
    for one in &questions {
        settings(&format!("analysis `{}`: parameters", one.name), one.parameters.as_json(), warnings);
    }
}

/// What it asks an admin for and cannot use.
fn unused(plugin: &Plugin, warnings: &mut Vec<Text>) {
    let manifest = plugin.manifest();
    let asks = plugin.imports().iter().any(|import| import.contains("/host-lookups"));
    if !manifest.lookups.is_empty() && !asks {
        warnings.push(Text::new(
            "`[[lookups]]` is there, but the component never looks anything up",
            "声明了 `[[lookups]]`，但组件从不查询",
        ));
    }
    let acts = [Interface::CampaignRules, Interface::ServiceWorkflow];
    if !manifest.actions.is_empty() && !acts.iter().any(|interface| manifest.provides.contains(interface)) {
        warnings.push(Text::new(
            "`[[actions]]` is there, but none of its interfaces returns actions",
            "声明了 `[[actions]]`，但所提供的接口都不返回动作",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_chinese_and_settings_without_titles_are_named() {
        let manifest = Manifest::parse(
            r#"
            id = "plain"
            version = "1.0.0"
            wit = "1.0.0"
            provides = ["record-hook"]
            name = { en = "Plain" }
            [[record-hook]]
            object = "lead"
            fields = ["status"]
            [config]
            type = "object"
            [config.properties.days]
            type = "integer"
            [config.properties.mode]
            type = "string"
            title = { en = "Mode" }
            "#,
        );
        let mut warnings = Vec::new();
        untranslated(&manifest.unwrap_or_else(|error| panic!("{error}")), &mut warnings);
        let warnings: Vec<_> = warnings.into_iter().map(|text| text.en).collect();
        assert_eq!(
            warnings,
            [
                "`name` has no Chinese text (zh-CN)",
                "`description` is empty",
                "`config.properties.days` has no title",
                "`config.properties.mode.title` has no Chinese text (zh-CN)",
            ]
        );
    }

    #[test]
    fn imports_are_told_in_both_languages() {
        let check = |import: &str, en: &str| {
            let text = import_text(import);
            assert!(text.en.contains(en) && !text.zh_cn.is_empty(), "{import}: {text:?}");
        };
        check("trellis:plugin/types@1.0.0", "types only");
        check("trellis:plugin/host-lookups@1.0.0", "may look up");
        check("wasi:clocks/wall-clock@0.2.3", "its toolchain needs it");
        check("trellis:plugin/secret-files@1.0.0", "nothing that a host offers");
    }
}
