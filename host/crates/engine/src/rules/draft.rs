//! A rule as its record says it, and whether that can be run.

use std::collections::BTreeSet;

use trellis_columns::Columns;
use trellis_model::{FieldName, Language, NamedRecord, Text, Value, bilingual};
use trellis_records::Schema;
use trellis_rules::Trigger;

/// Objects that rules must not be about: a rule about rules could keep itself from being switched off.
const OBJECTS_WITHOUT_RULES: [&str; 1] = ["rule"];
/// What can be watched, with a dot behind it.
const WATCHED: [&str; 2] = ["segment", "score"];

/// A rule as its record says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub(crate) name: Text,
    pub(crate) object: String,
    /// `None` where the record names none that this host knows.
    pub(crate) trigger: Option<Trigger>,
    pub(crate) when_fields: Vec<String>,
    pub(crate) watches: Option<String>,
    pub(crate) position: i64,
    pub(crate) enabled: bool,
    pub(crate) reads_personal_data: bool,
    pub(crate) source: String,
    /// Counts the changes of the source.
    pub(crate) version: u64,
}

/// What is wrong with a rule's record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flaw {
    pub(crate) field: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: Text,
}

impl Draft {
    pub(crate) fn of(record: &NamedRecord) -> Self {
        let text = |name: &str| match record.fields.get(name) {
            Some(Value::Text(text) | Value::Choice(text)) => Some(text.clone()),
            _ => None,
        };
        let flag = |name: &str| matches!(record.fields.get(name), Some(Value::Bool(true)));
        let number = |name: &str| match record.fields.get(name) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        };
        let texts = match record.fields.get("when_fields") {
            Some(Value::List(values)) => values
                .iter()
                .filter_map(|value| match value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            name: Text::new(text("name").unwrap_or_default(), text("name_zh").unwrap_or_default()),
            object: text("object").unwrap_or_default(),
            trigger: text("trigger").and_then(|trigger| Trigger::of(&trigger)),
            when_fields: texts,
            watches: text("watches"),
            position: number("position"),
            enabled: flag("enabled"),
            reads_personal_data: flag("reads_personal_data"),
            source: text("source").unwrap_or_default(),
            version: u64::try_from(number("source_version")).unwrap_or_default().max(1),
        }
    }

    /// What its record names and is not there. Without `columns`, segmentations and scores are taken as there: those of a plugin may come
    /// later.
    pub(crate) fn flaws(&self, schema: &Schema, columns: Option<&Columns>) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut flaw = |field, code, message| flaws.push(Flaw { field, code, message });
        let name = &self.object;
        match schema.object(name) {
            None => {
                let message = bilingual!("there is no object `{name}`", "对象 `{name}` 不存在");
                flaw("object", "unknown-object", message);
            }
            Some(_) if OBJECTS_WITHOUT_RULES.contains(&name.as_str()) => {
                let message = bilingual!("`{name}` cannot have rules", "不能为 `{name}` 设置规则");
                flaw("object", "object-without-rules", message);
            }
            Some(object) => {
                if self.trigger == Some(Trigger::Transition) && !object.ordinals {
                    let message =
                        bilingual!("{name} has neither segments nor scores", "{name} 没有分群和评分");
                    flaw("trigger", "no-transitions", message);
                }
                for field in self.when_fields.iter().filter(|field| object.field(field).is_none()) {
                    let message = bilingual!("{name} has no field `{field}`", "{name} 没有字段 `{field}`");
                    flaw("when_fields", "unknown-field", message);
                }
            }
        }
        match (self.trigger, &self.watches) {
            (None, _) => {
                let message = Text::new("is no trigger of this host", "此服务器不支持该触发时机");
                flaw("trigger", "unknown-trigger", message);
            }
            (Some(Trigger::Transition), None) => {
                let message = Text::new(
                    "a rule on transitions needs what it watches: `segment.<name>` or `score.<name>`",
                    "分群或评分变化时触发的规则需要填写监听项：`segment.<名称>` 或 `score.<名称>`",
                );
                flaw("watches", "required", message);
            }
            (Some(Trigger::Transition), Some(watches)) => {
                if let Some(message) = unwatchable(watches, columns) {
                    flaw("watches", "unknown-watched", message);
                }
            }
            (Some(Trigger::BeforeSave | Trigger::AfterSave), Some(_)) => {
                let message = Text::new(
                    "only a rule on transitions watches something",
                    "只有分群或评分变化时触发的规则才有监听项",
                );
                flaw("watches", "not-a-transition", message);
            }
            _ => {}
        }
        flaws
    }

    /// The fields whose changes count, those that can be names of fields.
    pub(crate) fn when(&self) -> BTreeSet<FieldName> {
        self.when_fields.iter().filter_map(|name| FieldName::new(name).ok()).collect()
    }
}

/// Why something cannot be watched.
fn unwatchable(watches: &str, columns: Option<&Columns>) -> Option<Text> {
    let split = watches.split_once('.').filter(|(kind, name)| WATCHED.contains(kind) && !name.is_empty());
    let Some((kind, name)) = split else {
        return Some(bilingual!(
            "`{watches}` is neither `segment.<name>` nor `score.<name>`",
            "`{watches}` 既不是 `segment.<名称>` 也不是 `score.<名称>`"
        ));
    };
    let columns = columns?;
    let known = match kind {
        "segment" => columns.segmentation(name).is_some(),
        _ => columns.score(name).is_some(),
    };
    (!known).then(|| match kind {
        "segment" => bilingual!("there is no segmentation `{name}`", "分群 `{name}` 不存在"),
        _ => bilingual!("there is no score `{name}`", "评分 `{name}` 不存在"),
    })
}

/// What a rule is called in messages about it.
pub(super) fn joined(flaws: &[Flaw]) -> Text {
    let join = |language: Language, separator: &str| {
        let text = |flaw: &Flaw| format!("`{}`: {}", flaw.field, flaw.message.get(language));
        flaws.iter().map(text).collect::<Vec<_>>().join(separator)
    };
    Text::new(join(Language::En, "; "), join(Language::ZhCn, "；"))
}
