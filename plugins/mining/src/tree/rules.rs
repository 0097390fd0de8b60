//! Leaves as rules that people read.

use trellis_sdk::{LocalizedText, localized};

use super::{Split, Test, Tree};
use crate::encoding::{Encoding, Feature, Kind, level_zh};

/// A leaf, and what has to hold to be in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafRule {
    /// The place of the leaf among the nodes of its tree.
    pub node: usize,
    /// The conditions from the root down, joined where they ask the same: `20 < age <= 30`.
    pub conditions: Vec<LocalizedText>,
    /// How many training rows are in it.
    pub rows: u64,
    /// The mean of the target over them.
    pub value: f64,
}

impl LeafRule {
    /// All conditions in one line; a word for all customers where there are none.
    pub fn text(&self) -> LocalizedText {
        if self.conditions.is_empty() {
            return localized("all customers", "全部客户");
        }
        let join = |separator: &str, text: fn(&LocalizedText) -> &str| {
            self.conditions.iter().map(text).collect::<Vec<_>>().join(separator)
        };
        localized(join(" and ", |text| &text.en), join("，且 ", |text| &text.zh_cn))
    }
}

/// What is known about one feature on the way to a leaf.
#[derive(Debug, Clone, Default)]
struct Known {
    feature: usize,
    above: Option<f64>,
    at_most: Option<f64>,
    is: Option<u8>,
    is_not: Vec<u8>,
}

impl Known {
    fn learn(&mut self, test: Test, goes_left: bool) {
        match (test, goes_left) {
            (Test::AtMost(threshold), true) => self.at_most = Some(threshold),
            (Test::AtMost(threshold), false) => self.above = Some(threshold),
            (Test::IsNot(level), true) => self.is_not.push(level),
            (Test::IsNot(level), false) => self.is = Some(level),
        }
    }

    fn text(&self, feature: &Feature) -> LocalizedText {
        let name = &feature.title();
        match &feature.kind {
            Kind::Number { .. } => {
                let range = |name: &str| match (self.above, self.at_most) {
                    (Some(above), Some(most)) => format!("{} < {name} <= {}", short(above), short(most)),
                    (Some(above), None) => format!("{name} > {}", short(above)),
                    (None, Some(most)) => format!("{name} <= {}", short(most)),
                    (None, None) => name.to_owned(),
                };
                localized(range(&name.en), range(&name.zh_cn))
            }
            Kind::Category { levels } => {
                let level = |code: &u8| levels.get(usize::from(*code)).map_or("", String::as_str);
                match &self.is {
                    Some(code) => localized(
                        format!("{} is {}", name.en, level(code)),
                        format!("{}为{}", name.zh_cn, level_zh(level(code))),
                    ),
                    None => {
                        let list = |of: fn(&str) -> &str, separator: &str| {
                            self.is_not.iter().map(|code| of(level(code))).collect::<Vec<_>>().join(separator)
                        };
                        localized(
                            format!("{} is not {}", name.en, list(|level| level, ", ")),
                            format!("{}不为{}", name.zh_cn, list(level_zh, "、")),
                        )
                    }
                }
            }
            Kind::IsMissing | Kind::Contains { .. } => {
                if self.above.is_some() {
                    name.clone()
                } else {
                    localized(format!("not: {}", name.en), format!("并非 {}", name.zh_cn))
                }
            }
        }
    }
}

impl Tree {
    /// The rule of each leaf, from left to right.
    pub fn rules(&self, encoding: &Encoding) -> Vec<LeafRule> {
        let mut rules = Vec::new();
        let mut stack: Vec<(usize, Vec<Known>)> = vec![(0, Vec::new())];
        while let Some((place, known)) = stack.pop() {
            let Some(node) = self.nodes.get(place) else { continue };
            let Some(split) = node.split else {
                let text =
                    |known: &Known| encoding.features.get(known.feature).map(|feature| known.text(feature));
                let conditions = known.iter().filter_map(text).collect();
                rules.push(LeafRule { node: place, conditions, rows: node.rows, value: node.value });
                continue;
            };
            stack.push((split.right, learned(&known, &split, false)));
            stack.push((split.left, learned(&known, &split, true)));
        }
        rules
    }
}

fn learned(known: &[Known], split: &Split, goes_left: bool) -> Vec<Known> {
    let mut known = known.to_vec();
    match known.iter_mut().find(|known| known.feature == split.feature) {
        Some(found) => found.learn(split.test, goes_left),
        None => {
            let mut fresh = Known { feature: split.feature, ..Known::default() };
            fresh.learn(split.test, goes_left);
            known.push(fresh);
        }
    }
    known
}

/// What a row that took one side of a split has in common with the others there.
pub fn condition(encoding: &Encoding, split: &Split, goes_left: bool) -> LocalizedText {
    let mut known = Known { feature: split.feature, ..Known::default() };
    known.learn(split.test, goes_left);
    let feature = encoding.features.get(split.feature);
    feature.map_or_else(|| localized("", ""), |feature| known.text(feature))
}

/// A number in at most six significant digits, for people.
pub fn short(number: f64) -> String {
    let digits = if number == 0.0 { 0 } else { trellis_sdk::math::log10(number.abs()) as i32 };
    let places = (5 - digits.max(0)).clamp(0, 12) as usize;
    let places = if number.abs() < 1.0 { places.max(6) } else { places };
    let written = format!("{number:.places$}");
    if written.contains('.') {
        written.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        written
    }
}
