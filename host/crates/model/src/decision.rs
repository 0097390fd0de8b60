use crate::{PluginId, RecordId, Text};

/// One reason behind a decision, in words for the person who asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A stable code in kebab-case.
    pub code: String,
    /// The sentence.
    pub text: Text,
    /// How much it weighed; reasons of one decision compare by it. Finite.
    pub weight: f64,
}

/// Who decided: a plugin or an admin's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// A plugin.
    Plugin {
        /// Which one.
        id: PluginId,
        /// In which version.
        version: String,
    },
    /// A rule.
    Rule {
        /// Its record.
        id: RecordId,
        /// The version of its source: 1 for the first.
        version: u64,
        /// What people call it.
        name: Text,
    },
}

impl Decider {
    /// Names it in both languages, for messages.
    pub fn text(&self) -> Text {
        match self {
            Self::Plugin { id, version } => crate::bilingual!("plugin {id} {version}", "插件 {id} {version}"),
            Self::Rule { version, name, .. } => {
                let (en, zh_cn) = (&name.en, name.get(crate::Language::ZhCn));
                Text::new(
                    format!("rule “{en}” (version {version})"),
                    format!("规则“{zh_cn}”（版本 {version}）"),
                )
            }
        }
    }
}
