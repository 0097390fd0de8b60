//! Comparing an answer with what a case expects.
//!
//! An expected object says what it says: keys that it leaves out may be anything. Lists have to be of one length. Numbers may differ by the
//! case's tolerance. Where a text is found, `{"contains": "…"}` asks for a part of it.

use serde_json::{Map, Value as Json};
use trellis_model::{Text, bilingual};

/// Differences of one case that are kept; more help nobody.
const DIFFERENCES_MAX: usize = 20;
/// Characters of a value in a message.
const SHOWN_CHARACTERS_MAX: usize = 200;

/// Something that came out other than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where in the answer, for example `[3].warmth`; empty for the whole of it.
    pub place: String,
    /// What was expected there, as JSON.
    pub expected: String,
    /// What is there, as JSON.
    pub found: String,
}

impl Difference {
    /// The difference in both languages.
    pub fn text(&self) -> Text {
        let Self { place, expected, found } = self;
        if place.is_empty() {
            return bilingual!("expected {expected}, found {found}", "应为 {expected}，实际为 {found}");
        }
        bilingual!("{place}: expected {expected}, found {found}", "{place}：应为 {expected}，实际为 {found}")
    }
}

/// Everything in which `found` is not as `expected`, at most 20 of them.
pub(super) fn differences(expected: &Json, found: &Json, tolerance: f64) -> Vec<Difference> {
    let mut comparison = Comparison { tolerance, differences: Vec::new() };
    comparison.compare("", expected, found);
    comparison.differences
}

struct Comparison {
    tolerance: f64,
    differences: Vec<Difference>,
}

impl Comparison {
    fn compare(&mut self, place: &str, expected: &Json, found: &Json) {
        match (expected, found) {
            (Json::Object(expected), Json::Object(found)) => self.objects(place, expected, found),
            (Json::Array(expected), Json::Array(found)) => self.lists(place, expected, found),
            (Json::Object(pattern), Json::String(text)) if contains(pattern, text) => {}
            (Json::Number(one), Json::Number(other)) if self.near(one, other) => {}
            _ if expected == found => {}
            _ => self.differ(place, shown(expected), shown(found)),
        }
    }

    fn objects(&mut self, place: &str, expected: &Map<String, Json>, found: &Map<String, Json>) {
        for (key, expected) in expected {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            match found.get(key) {
                Some(found) => self.compare(&place, expected, found),
                None => self.differ(&place, shown(expected), "nothing".to_owned()),
            }
        }
    }

    fn lists(&mut self, place: &str, expected: &[Json], found: &[Json]) {
        if expected.len() != found.len() {
            let parts =
                |list: &[Json]| format!("{} (n = {})", shown(&Json::Array(list.to_vec())), list.len());
            return self.differ(place, parts(expected), parts(found));
        }
        for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
            self.compare(&format!("{place}[{number}]"), expected, found);
        }
    }

    fn near(&self, one: &serde_json::Number, other: &serde_json::Number) -> bool {
        let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) else { return false };
        (one - other).abs() <= self.tolerance * one.abs().max(other.abs()).max(1.0)
    }

    fn differ(&mut self, place: &str, expected: String, found: String) {
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(Difference { place: place.to_owned(), expected, found });
        }
    }
}

fn contains(pattern: &Map<String, Json>, text: &str) -> bool {
    pattern.len() == 1
        && pattern.get("contains").and_then(Json::as_str).is_some_and(|part| text.contains(part))
}

pub(super) fn shown(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(expected: Json, found: Json, messages: &[&str]) {
        let differences = differences(&expected, &found, 1e-6);
        let found: Vec<String> = differences.iter().map(|difference| difference.text().en).collect();
        assert_eq!(found, messages);
    }

    #[test]
    fn what_is_left_out_may_be_anything() {
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), &[]);
        check(json!({"a": 1}), json!({"b": 2}), &["a: expected 1, found nothing"]);
        check(json!({}), json!([]), &["expected {}, found []"]);
    }

    #[test]
    fn lists_are_of_one_length() {
        check(json!([1]), json!([1, 2]), &["expected [1] (n = 1), found [1,2] (n = 2)"]);
        check(
            json!([{"a": "x"}, {"a": null}]),
            json!([{"a": "y"}, {"a": 0}]),
            &["[0].a: expected \"x\", found \"y\"", "[1].a: expected null, found 0"],
        );
    }

    #[test]
    fn numbers_may_be_near() {
        check(json!(1), json!(1.000_000_9), &[]);
        check(json!(1_000_000_000), json!(1_000_000_900.0), &[]);
        check(json!(0), json!(0.000_002), &["expected 0, found 2e-6"]);
        check(json!(1), json!("1"), &["expected 1, found \"1\""]);
    }

    #[test]
    fn a_part_of_a_text_can_be_asked_for() {
        check(json!({"en": {"contains": "days"}}), json!({"en": "12 days ago"}), &[]);
        check(json!({"contains": "x"}), json!("y"), &["expected {\"contains\":\"x\"}, found \"y\""]);
    }

    #[test]
    fn twenty_differences_are_enough() {
        let differences = differences(&json!(vec![0; 30]), &json!(vec![1; 30]), 0.0);
        assert_eq!(differences.len(), DIFFERENCES_MAX);
    }
}
