use crate::{Expected, Phrase, Text, bilingual};

/// What is wrong with an input. The message names the input; `Display` is English, [`Error::text`] speaks both languages.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name breaks the rules for names of its kind.
    #[error("`{name}` is not a valid {kind}: {rule}")]
    InvalidName {
        /// What the name is for.
        kind: Phrase,
        /// The name.
        name: String,
        /// The rule.
        rule: Phrase,
    },
    /// A value is not of the type that its field has.
    #[error("`{input}` is not {expected}")]
    WrongType {
        /// The input, shortened.
        input: String,
        /// What was expected.
        expected: Expected,
    },
    /// A choice is not among the options.
    #[error("`{input}` is not one of the options {options}")]
    UnknownOption {
        /// The input.
        input: String,
        /// The options, separated by commas.
        options: String,
    },
    /// A text is longer than its field allows.
    #[error("text has {characters} characters, at most {characters_max}")]
    TextTooLong {
        /// Its length.
        characters: usize,
        /// The limit.
        characters_max: usize,
    },
    /// A filter is not of the grammar. `place` is a path into the JSON tree.
    #[error("filter at {place}: {}", reason.en)]
    InvalidFilter {
        /// Where in the tree.
        place: String,
        /// What is wrong.
        reason: Text,
    },
    /// An object definition contradicts itself.
    #[error("definition of `{object}`: {}", reason.en)]
    InvalidDefinition {
        /// Which object.
        object: String,
        /// What is wrong.
        reason: Text,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The message in both languages; the English one is what `Display` writes.
    pub fn text(&self) -> Text {
        let zh_cn = match self {
            Self::InvalidName { kind, name, rule } => {
                format!("`{name}` 不是有效的{}：{}", kind.zh_cn, rule.zh_cn)
            }
            Self::WrongType { input, expected } => format!("`{input}` 无效，应为{}", expected.text().zh_cn),
            Self::UnknownOption { input, options } => format!("`{input}` 不在可选值之中：{options}"),
            Self::TextTooLong { characters, characters_max } => {
                format!("文本有 {characters} 个字符，最多 {characters_max} 个")
            }
            Self::InvalidFilter { place, reason } => {
                return bilingual!("filter at {place}: ", "筛选条件 {place} 处：").then(reason);
            }
            Self::InvalidDefinition { object, reason } => {
                return bilingual!("definition of `{object}`: ", "对象 `{object}` 的定义：").then(reason);
            }
        };
        Text { en: self.to_string(), zh_cn }
    }
}

/// Cuts an input for a message: at most 60 characters.
pub(crate) fn shorten(input: &str) -> String {
    match input.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", input.get(..end).unwrap_or_default()),
        None => input.to_owned(),
    }
}
