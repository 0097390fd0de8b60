//! Leaves as rules that people read.

use trellis_sdk::{LocalizedText, localized};

use super::{Split, Test, Tree};
use crate::encoding::{Encoding, Feature, Kind};
use crate::frame::Measure;

/// A leaf, and what has to hold to be in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafRule {
    /// The place of the leaf among the nodes of its tree.
    pub node: usize,
    /// The conditions from the root down, joined where they ask the same: `20 < age ≤ 30`.
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
            Kind::Number { measure: Measure::Number, .. } => {
                let range = |name: &str| match (self.above, self.at_most) {
                    (Some(above), Some(most)) => format!("{} < {name} ≤ {}", short(above), short(most)),
                    (Some(above), None) => format!("{name} > {}", short(above)),
                    (None, Some(most)) => format!("{name} ≤ {}", short(most)),
                    (None, None) => name.to_owned(),
                };
                localized(range(&name.en), range(&name.zh_cn))
            }
            Kind::Number { measure: Measure::YesNo, .. } => {
                if self.above.is_some() {
                    localized(format!("{}: yes", name.en), format!("{}：是", name.zh_cn))
                } else {
                    feature.denied()
                }
            }
            Kind::Number { measure: Measure::DaysAgo, .. } => days_ago(name, self.above, self.at_most),
            Kind::Category { names, .. } => {
                let level = |code: &u8| names.get(usize::from(*code));
                match self.is.as_ref().and_then(level) {
                    Some(level) => localized(
                        format!("{} is {}", name.en, level.en),
                        format!("{}为{}", name.zh_cn, level.zh_cn),
                    ),
                    None => {
                        let list = |of: fn(&LocalizedText) -> &str, separator: &str| {
                            self.is_not.iter().filter_map(level).map(of).collect::<Vec<_>>().join(separator)
                        };
                        localized(
                            format!("{} is not {}", name.en, list(|level| &level.en, ", ")),
                            format!("{}不为{}", name.zh_cn, list(|level| &level.zh_cn, "、")),
                        )
                    }
                }
            }
            Kind::IsMissing | Kind::Contains { .. } => {
                if self.above.is_some() {
                    name.clone()
                } else {
                    feature.denied()
                }
            }
        }
    }
}

/// A date that is more than so many days ago and at most so many. Days are whole, so what is at most 12.5 days ago is at most 12 days ago; negative
/// days are to come.
fn days_ago(name: &LocalizedText, above: Option<f64>, at_most: Option<f64>) -> LocalizedText {
    let (above, at_most) = (above.map(f64::floor), at_most.map(f64::floor));
    let days = |number: f64| short(number.abs());
    if let (Some(above), Some(most)) = (above, at_most)
        && above >= 0.0
    {
        return localized(
            format!("{} more than {} and at most {} days ago", name.en, days(above), days(most)),
            format!("{}距今超过 {} 天且不超过 {} 天", name.zh_cn, days(above), days(most)),
        );
    }
    let until = |most: f64| {
        if most >= 0.0 {
            (format!("at most {} days ago", days(most)), format!("距今不超过 {} 天", days(most)))
        } else {
            (format!("at least {} days ahead", days(most)), format!("在至少 {} 天之后", days(most)))
        }
    };
    let from = |above: f64| {
        if above >= 0.0 {
            (format!("more than {} days ago", days(above)), format!("距今超过 {} 天", days(above)))
        } else {
            (format!("less than {} days ahead", days(above)), format!("在 {} 天之内或更早", days(above)))
        }
    };
    let parts: Vec<(String, String)> = [above.map(from), at_most.map(until)].into_iter().flatten().collect();
    let join = |separator: &str, of: fn(&(String, String)) -> &str| {
        parts.iter().map(of).collect::<Vec<_>>().join(separator)
    };
    localized(
        format!("{} {}", name.en, join(" and ", |part| &part.0)),
        format!("{}{}", name.zh_cn, join("，且", |part| &part.1)),
    )
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
