//! Short ways to write descriptions and reasons.

use crate::bindings::shared::trellis::plugin::types::{LocalizedText, Metric, Reason};
use crate::segmentation::{SegmentValue, SegmentationDescription};

/// A text in English and Simplified Chinese.
pub fn localized(en: impl Into<String>, zh_cn: impl Into<String>) -> LocalizedText {
    LocalizedText { en: en.into(), zh_cn: zh_cn.into() }
}

/// A segmentation without values, which [`SegmentationDescription::value`] adds. Its name is of the form `[a-z][a-z0-9_]*`, at most 40
/// characters; a plugin has at most 100 segmentations.
pub fn described(name: &str, en: &str, zh_cn: &str) -> SegmentationDescription {
    SegmentationDescription {
        name: name.to_owned(),
        label: localized(en, zh_cn),
        description: localized("", ""),
        values: Vec::new(),
        extra: Vec::new(),
    }
}

/// A text that is the same in both languages: a symbol such as `%`, a currency, a name.
impl From<&str> for LocalizedText {
    fn from(text: &str) -> Self {
        localized(text, "")
    }
}

/// As a text that is the same in both languages.
impl From<String> for LocalizedText {
    fn from(text: String) -> Self {
        localized(text, "")
    }
}

/// As a text that is the same in both languages.
impl From<&String> for LocalizedText {
    fn from(text: &String) -> Self {
        localized(text, "")
    }
}

/// English, Simplified Chinese.
impl<E: Into<String>, Z: Into<String>> From<(E, Z)> for LocalizedText {
    fn from((en, zh_cn): (E, Z)) -> Self {
        localized(en, zh_cn)
    }
}

/// A reason: a code in kebab-case (at most 60 characters) that stays the same in every version, a sentence with its figures, and how much it
/// weighed (finite; reasons of one decision compare by it). At most five belong to one row or decision, the strongest first.
pub fn reason(code: &str, text: LocalizedText, weight: f64) -> Reason {
    Reason { code: code.to_owned(), text, weight, extra: Vec::new() }
}

/// A figure that describes a model: a name of its own of the form `[a-z][a-z0-9_]*` (at most 40 characters), what it is, and a finite value.
/// [`Metric::unit`] says in what. At most 100 belong to one model.
pub fn metric(name: &str, label: LocalizedText, value: f64) -> Metric {
    Metric { name: name.to_owned(), label, unit: "".into(), value, extra: Vec::new() }
}

impl Metric {
    /// Names its unit for people: a symbol such as `%`, the code of a currency, or a word in both languages.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<LocalizedText>) -> Self {
        self.unit = unit.into();
        self
    }
}

impl SegmentationDescription {
    /// Says what the segmentation is for.
    #[must_use]
    pub fn about(mut self, en: &str, zh_cn: &str) -> Self {
        self.description = localized(en, zh_cn);
        self
    }

    /// Adds a value. Its name is of the form `[a-z0-9][a-z0-9_]*`, at most 40 characters; a segmentation has at most 1,000.
    #[must_use]
    pub fn value(self, name: &str, en: &str, zh_cn: &str) -> Self {
        self.value_about(name, localized(en, zh_cn), localized("", ""))
    }

    /// Adds a value and says what it means and what to do about it.
    #[must_use]
    pub fn value_about(mut self, name: &str, label: LocalizedText, description: LocalizedText) -> Self {
        self.values.push(SegmentValue { name: name.to_owned(), label, description, extra: Vec::new() });
        self
    }
}
