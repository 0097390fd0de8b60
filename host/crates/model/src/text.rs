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

/// A label or message in both languages.
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
