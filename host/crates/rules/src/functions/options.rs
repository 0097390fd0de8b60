//! Arguments that are maps with known keys, and texts in two languages.

use rhai::{Dynamic, Map};
use trellis_model::{RecordId, Text, bilingual};

use crate::call::MESSAGE_CHARACTERS_MAX;
use crate::error::Fault;
use crate::values::describe;

/// The entries of a map that a function was given. Each is taken once; what is left at the end is a mistake of the rule.
pub(super) struct Options {
    function: &'static str,
    keys: &'static str,
    entries: Map,
}

impl Options {
    /// `keys` is what the function takes, for the message.
    pub(super) fn new(function: &'static str, keys: &'static str, entries: Map) -> Self {
        Self { function, keys, entries }
    }

    /// An entry that is there and not null.
    fn take(&mut self, key: &str) -> Option<Dynamic> {
        self.entries.remove(key).filter(|value| !value.is_unit())
    }

    fn wrong(&self, key: &str, found: &Dynamic, expected: &Text) -> Fault {
        let (function, found) = (self.function, describe(found));
        let (en, zh_cn) = (&expected.en, &expected.zh_cn);
        Fault::value(Text::new(
            format!("`{key}` of `{function}`: `{found}` is not {en}"),
            format!("`{function}` 的 `{key}`：`{found}` 无效，应为{zh_cn}"),
        ))
    }

    fn missing(&self, key: &str) -> Fault {
        let function = self.function;
        Fault::value(bilingual!("`{function}` needs `{key}`", "`{function}` 缺少 `{key}`"))
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Text, Fault> {
        match self.take(key) {
            Some(value) => both_languages(&value).ok_or_else(|| self.wrong(key, &value, &expected_text())),
            None => Ok(Text::default()),
        }
    }

    pub(super) fn required_text(&mut self, key: &str) -> Result<Text, Fault> {
        let text = self.text(key)?;
        if text.en.is_empty() { Err(self.missing(key)) } else { Ok(text) }
    }

    pub(super) fn id(&mut self, key: &str) -> Result<Option<RecordId>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        record_id(&value).map(Some).map_err(|expected| self.wrong(key, &value, &expected))
    }

    pub(super) fn string(&mut self, key: &str) -> Result<Option<String>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let text = value.as_immutable_string_ref().ok().map(|text| text.to_string());
        let expected = trellis_model::Expected::Text.text();
        text.map(Some).ok_or_else(|| self.wrong(key, &value, &expected))
    }

    pub(super) fn required_string(&mut self, key: &str) -> Result<String, Fault> {
        self.string(key)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn days(&mut self, key: &str) -> Result<Option<u16>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let days = value.as_int().ok().and_then(|days| u16::try_from(days).ok());
        let expected = Text::new("a number of days, 0 to 65,535", "天数（0 到 65,535）");
        days.map(Some).ok_or_else(|| self.wrong(key, &value, &expected))
    }

    /// Refuses keys that nothing took.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let Some(key) = self.entries.keys().next() else { return Ok(()) };
        let (function, keys) = (self.function, self.keys);
        Err(Fault::value(bilingual!(
            "`{function}` does not take `{key}`; it takes {keys}",
            "`{function}` 没有 `{key}` 这一项，可用的有 {keys}"
        )))
    }
}

fn expected_text() -> Text {
    Text::new("a text, or `#{ en: …, zh: … }`", "文本，或 `#{ en: …, zh: … }`")
}

/// The id in a script's value, or what was expected.
pub(super) fn record_id(value: &Dynamic) -> Result<RecordId, Text> {
    let id = value.as_immutable_string_ref().ok().and_then(|text| RecordId::parse(&text).ok());
    id.ok_or_else(|| trellis_model::Expected::RecordId.text())
}

/// `"…"`, or `#{ en: "…", zh: "…" }` with at least one of the two. A single text serves both languages.
fn both_languages(value: &Dynamic) -> Option<Text> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return Some(Text::new(text.as_str(), ""));
    }
    let map = value.as_map_ref().ok()?;
    let text_of = |key: &str| map.get(key)?.as_immutable_string_ref().ok().map(|text| text.to_string());
    let (en, zh_cn) = (text_of("en"), text_of("zh"));
    let known = usize::from(en.is_some()) + usize::from(zh_cn.is_some());
    if known == 0 || known < map.len() {
        return None;
    }
    Some(match (en, zh_cn) {
        (Some(en), zh_cn) => Text::new(en, zh_cn.unwrap_or_default()),
        (None, zh_cn) => Text::new(zh_cn.clone().unwrap_or_default(), zh_cn.unwrap_or_default()),
    })
}

/// A text for people, not empty and at most 1,000 characters.
pub(super) fn message(function: &'static str, value: &Dynamic) -> Result<Text, Fault> {
    let fits = |text: &str| text.chars().count() <= MESSAGE_CHARACTERS_MAX;
    let text =
        both_languages(value).filter(|text| !text.en.is_empty() && fits(&text.en) && fits(&text.zh_cn));
    text.ok_or_else(|| {
        let found = describe(value);
        Fault::value(bilingual!(
            "`{function}`: `{found}` is not a message of 1 to {MESSAGE_CHARACTERS_MAX} characters, or `#{{ en: …, zh: … }}`",
            "`{function}`：`{found}` 无效，应为 1 到 {MESSAGE_CHARACTERS_MAX} 个字符的文本，或 `#{{ en: …, zh: … }}`"
        ))
    })
}

/// A name in kebab-case, as codes and timers have.
pub(super) fn code(name: &str) -> Result<String, Fault> {
    let inner = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if inner && name.len() <= 60 && name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Ok(name.to_owned());
    }
    let found = describe(&name.into());
    Err(Fault::value(bilingual!(
        "`{found}` is not a name of at most 60 of a-z, 0-9 and -, a letter first",
        "`{found}` 无效，应为不超过 60 个字符的名称，限 a-z、0-9 和 -，以字母开头"
    )))
}
