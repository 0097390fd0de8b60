/// A language that Trellis speaks. English and Simplified Chinese are equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    ZhCn,
}

impl Language {
    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// Chooses from an `Accept-Language` header: the first language of highest quality that is known, English otherwise.
    pub fn from_accept_language(header: &str) -> Self {
        let mut wanted: Vec<(f32, usize, Self)> = header
            .split(',')
            .enumerate()
            .filter_map(|(place, part)| {
                let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
                let quality = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse().ok())?;
                let tag = tag.trim().to_ascii_lowercase();
                let language = match tag.split('-').next()? {
                    "zh" => Self::ZhCn,
                    "en" | "*" => Self::En,
                    _ => return None,
                };
                (quality > 0.0).then_some((quality, place, language))
            })
            .collect();
        wanted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        wanted.first().map_or(Self::En, |&(_, _, language)| language)
    }
}

/// A few fixed words in both languages, for a place within a message. `Display` is English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh_cn: &'static str,
}

impl Phrase {
    /// The words in both languages.
    pub const fn new(en: &'static str, zh_cn: &'static str) -> Self {
        Self { en, zh_cn }
    }
}

impl std::fmt::Display for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.en)
    }
}

/// Formats a [`Text`]: the English form, then the Chinese one, both with the same captured variables.
///
/// ```
/// let count = 3;
/// let text = trellis_model::bilingual!("{count} rows", "{count} 行");
/// assert_eq!((text.en.as_str(), text.zh_cn.as_str()), ("3 rows", "3 行"));
/// ```
#[macro_export]
macro_rules! bilingual {
    ($en:literal, $zh:literal) => {
        $crate::Text { en: ::std::format!($en), zh_cn: ::std::format!($zh) }
    };
}

/// A label or message in both languages. It has no `Display`, so that no text slips into a message in the wrong language:
/// texts are put together by [`Text::then`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Text {
    /// English.
    pub en: String,
    /// Simplified Chinese; empty falls back to English.
    pub zh_cn: String,
}

impl Text {
    /// A text in both languages.
    pub fn new(en: impl Into<String>, zh_cn: impl Into<String>) -> Self {
        Self { en: en.into(), zh_cn: zh_cn.into() }
    }

    /// The text in a language, English where there is none.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::ZhCn if !self.zh_cn.is_empty() => &self.zh_cn,
            _ => &self.en,
        }
    }

    /// This text and then another, in both languages.
    #[must_use]
    pub fn then(self, rest: &Self) -> Self {
        let zh_cn = self.get(Language::ZhCn).to_owned() + rest.get(Language::ZhCn);
        Self { en: self.en + &rest.en, zh_cn }
    }
}

impl From<Phrase> for Text {
    fn from(phrase: Phrase) -> Self {
        Self::new(phrase.en, phrase.zh_cn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_language_by_language() {
        let joined = Text::new("header: ", "表头：").then(&Text::new("is empty", "为空"));
        assert_eq!(joined, Text::new("header: is empty", "表头：为空"));
        let untranslated = Text::new("header: ", "表头：").then(&Text::new("odd", ""));
        assert_eq!(untranslated.get(Language::ZhCn), "表头：odd");
    }

    #[test]
    fn the_wanted_language_is_chosen_by_quality_then_place() {
        let check =
            |header, expected| assert_eq!(Language::from_accept_language(header), expected, "{header}");
        check("", Language::En);
        check("zh-CN,zh;q=0.9,en;q=0.8", Language::ZhCn);
        check("fr, zh-TW;q=0.5, en;q=0.4", Language::ZhCn);
        check("en-GB, zh", Language::En);
        check("zh;q=0, en;q=0.1", Language::En);
        check("zh;q=nonsense", Language::En);
    }
}
