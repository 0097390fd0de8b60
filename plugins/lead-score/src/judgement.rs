//! How well a lead fits, how much it engages, and how qualified it is.

use trellis_sdk::math;

use crate::config::Config;
use crate::rows::{EDGES, Lead};

/// The sixteen grades: fit as a letter, engagement as a figure.
pub(crate) const GRADES: [&str; 16] =
    ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4", "c1", "c2", "c3", "c4", "d1", "d2", "d3", "d4"];

/// Whether a lead meets a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    Yes,
    No,
    /// The lead does not say.
    Unknown,
    /// Nothing is asked for.
    Unasked,
}

/// What is said of one lead. Points are of 100.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// Industry, country, title, size, source.
    pub(crate) criteria: [Met; 5],
    /// None where nothing that is asked for is known.
    pub(crate) fit: Option<f64>,
    pub(crate) engagement: f64,
    /// None where none of the three is known.
    pub(crate) man: Option<f64>,
    /// A place in [`GRADES`]: what is computed, and what counts.
    pub(crate) computed: Option<usize>,
    pub(crate) grade: Option<usize>,
}

impl Config {
    /// Judges one lead; the words of the settings are in lower case.
    pub(crate) fn judge(&self, lead: &Lead<'_>) -> Judgement {
        let criteria = self.criteria(lead);
        let fit = self.fit(criteria);
        let engagement = self.engagement(lead);
        let computed = fit.map(|fit| 4 * self.grade(fit) + self.grade(engagement));
        let pinned = lead.pinned.and_then(|grade| GRADES.iter().position(|known| *known == grade));
        Judgement { criteria, fit, engagement, man: man(lead), computed, grade: pinned.or(computed) }
    }

    fn criteria(&self, lead: &Lead<'_>) -> [Met; 5] {
        let one_of = |words: &[String], value: Option<&str>| {
            if words.is_empty() {
                return Met::Unasked;
            }
            value.map_or(Met::Unknown, |value| met(words.contains(&value.trim().to_lowercase())))
        };
        let title = if self.titles.is_empty() {
            Met::Unasked
        } else {
            lead.title.map_or(Met::Unknown, |title| {
                let title = title.to_lowercase();
                met(self.titles.iter().any(|word| title.contains(word)))
            })
        };
        let size = if self.employees_min.is_none() && self.employees_max.is_none() {
            Met::Unasked
        } else {
            lead.employees.map_or(Met::Unknown, |employees| {
                let is_large = self.employees_min.is_none_or(|least| employees >= least);
                met(is_large && self.employees_max.is_none_or(|most| employees <= most))
            })
        };
        [
            one_of(&self.industries, lead.industry),
            one_of(&self.countries, lead.country),
            title,
            size,
            one_of(&self.sources, lead.source),
        ]
    }

    fn weights(&self) -> [f64; 5] {
        [self.industry_weight, self.country_weight, self.title_weight, self.size_weight, self.source_weight]
    }

    /// The weight of what is met, as a share of the weight of what is asked for and known.
    fn fit(&self, criteria: [Met; 5]) -> Option<f64> {
        let weight = |wanted: fn(Met) -> bool| -> f64 {
            criteria
                .iter()
                .zip(self.weights())
                .filter(|(met, _)| wanted(**met))
                .map(|(_, weight)| weight)
                .sum()
        };
        let known = weight(|met| matches!(met, Met::Yes | Met::No));
        (known > 0.0).then(|| (100.0 * weight(|met| met == Met::Yes) / known).min(100.0))
    }

    /// Points p of contacts, each halved once a half-life, as 100 p / (p + h): h points are half the way.
    fn engagement(&self, lead: &Lead<'_>) -> f64 {
        let points =
            self.strong_points * self.decayed(&lead.strong) + self.light_points * self.decayed(&lead.light);
        (100.0 * points / (points + self.points_for_half)).min(100.0)
    }

    /// Contacts by what is left of them: those of a period by its middle.
    fn decayed(&self, counts: &[i64; EDGES.len()]) -> f64 {
        let (mut sum, mut before, mut edge_before) = (0.0, 0, 0);
        for (count, edge) in counts.iter().zip(EDGES) {
            let age = f64::from(edge_before + edge) / 2.0;
            sum += (count - before).max(0) as f64 * math::exp2(-age / self.half_life_days);
            (before, edge_before) = ((*count).max(before), edge);
        }
        sum
    }
}

fn met(is_met: bool) -> Met {
    if is_met { Met::Yes } else { Met::No }
}

/// Money, authority and need: confirmed is 1, partly is a half. All three together are 100; what is unknown counts as not there.
fn man(lead: &Lead<'_>) -> Option<f64> {
    let points = lead.man.map(|grade| match grade {
        Some("yes") => Some(1.0),
        Some("partly") => Some(0.5),
        Some("no") => Some(0.0),
        _ => None,
    });
    let known = points.iter().flatten();
    (known.clone().count() > 0).then(|| 100.0 * known.sum::<f64>() / 3.0)
}
